//! How the rows of each TABLE DATA block are loaded.

use super::schema::{Schema, Table};
use super::sql::{lex, names, Cursor};
use super::{Load, RowFormat, TableName};
use crate::archive::Entry;

/// The load of a TABLE DATA entry's block, not masked yet. None when its table is not known.
pub(super) fn load(entry: &Entry, schema: &Schema) -> Option<Load> {
    let table = TableName {
        schema: entry.namespace.clone(),
        name: entry.tag.clone(),
    };
    let index = schema.table(&table)?;
    if entry.copy_stmt.trim().is_empty() {
        return Some(inserts(entry, table, index, schema));
    }
    let tokens = lex(&entry.copy_stmt);
    let mut cursor = Cursor::new(&tokens);
    let copy_into = if cursor.accept("COPY") {
        cursor.qualified(&entry.namespace)?
    } else {
        table.clone()
    };
    let columns = cursor.parenthesized().map(names).unwrap_or_default();
    Some(Load {
        freezable: holds_rows(&schema.tables[index]) && copy_into == table,
        dump_id: entry.dump_id,
        table,
        copy_into,
        columns,
        format: RowFormat::Copy,
        binary: None,
        mask: None,
        conditional: None,
        vectors: None,
        sql_group: None,
    })
}

/// A block of INSERT statements: without a column list they give every column of the table, generated ones too.
fn inserts(entry: &Entry, table: TableName, index: usize, schema: &Schema) -> Load {
    let table_columns: Vec<(String, bool)> = schema.tables[index]
        .columns
        .iter()
        .map(|column| (column.name.clone(), column.generated.is_some()))
        .collect();
    let columns = table_columns
        .iter()
        .filter(|(_, generated)| !generated)
        .map(|(name, _)| name.clone())
        .collect();
    let copy_into = partition_root(entry).unwrap_or_else(|| table.clone());
    let format = RowFormat::Inserts { table_columns };
    Load {
        freezable: holds_rows(&schema.tables[index]) && copy_into == table,
        dump_id: entry.dump_id,
        table,
        copy_into,
        columns,
        format,
        binary: None,
        mask: None,
        conditional: None,
        vectors: None,
        sql_group: None,
    }
}

/// Whether a table holds rows itself: PostgreSQL freezes none that go on to partitions or elsewhere.
fn holds_rows(table: &Table) -> bool {
    !table.foreign && table.partition_key.is_none()
}

/// `-- load via partition root public.events`, which pg_dump writes where SQL would stand.
fn partition_root(entry: &Entry) -> Option<TableName> {
    let name = entry.defn.trim().strip_prefix("-- load via partition root ")?;
    Cursor::new(&lex(name)).qualified(&entry.namespace)
}
