//! SQL that creates a schema, as a table of contents.

use crate::error::{Error, Result};
use crate::plan::schema::Schema;
use masking::quote_identifier;
use pg_dump_archive::{DumpId, Entry, EntryKind, Section};

/// A schema's SQL as a table of contents: all of it in one entry, and the data of each table, of which there is none.
pub(super) fn entries(sql: &str) -> Result<Vec<Entry>> {
    // psql's own commands, which pg_dump 17.6 and later write around a dump, are no SQL.
    let sql: String = sql
        .lines()
        .filter(|line| !line.starts_with('\\'))
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut entries = vec![entry(1, EntryKind::Table, "public", "schema", &sql)];
    let schema = Schema::read(&entries);
    for table in schema
        .tables
        .iter()
        .filter(|table| !table.foreign && table.partition_key.is_none())
    {
        let columns: Vec<String> = table
            .columns
            .iter()
            .filter(|column| column.generated.is_none())
            .map(|column| quote_identifier(&column.name))
            .collect();
        for kind in [EntryKind::Table, EntryKind::TableData] {
            let number = i32::try_from(entries.len() + 1)
                .map_err(|_| Error::internal("The schema has more tables than can be numbered."))?;
            let mut entry = entry(number, kind.clone(), &table.name.schema, &table.name.name, "");
            if kind == EntryKind::TableData {
                entry.copy_stmt = format!("COPY {} ({}) FROM stdin;", table.name.sql(), columns.join(", "));
            }
            entries.push(entry);
        }
    }
    Ok(entries)
}

fn entry(number: i32, kind: EntryKind, namespace: &str, tag: &str, defn: &str) -> Entry {
    Entry {
        dump_id: DumpId(number),
        has_data: kind == EntryKind::TableData,
        oid: 0,
        tag: tag.to_owned(),
        section: if kind == EntryKind::TableData {
            Section::Data
        } else {
            Section::PreData
        },
        kind,
        defn: defn.to_owned(),
        copy_stmt: String::new(),
        namespace: namespace.to_owned(),
        table_am: String::new(),
        dependencies: Vec::new(),
        data_size: None,
        further: None,
    }
}
