//! TimescaleDB's hypertables. An archive has them as plain tables, their rows in tables of the extension's making, and what
//! makes them hypertables in the extension's catalogue, which nothing but its own restore may write. Restored as the archive
//! has them they would be dead, so their rows do not come: unless the configuration leaves them out, the plan says so.

use super::entries::{BLOCKER, TIMESCALEDB};
use super::schema::Schema;
use super::Diagnostics;
use crate::text::{text, Setting};
use pg_dump_archive::{Entry, EntryKind};
use std::collections::{BTreeMap, HashSet};

/// The hypertables among the tables: those whose rows would come are a problem, the others are plain tables afterwards.
pub(super) fn check(schema: &Schema, excluded: &HashSet<usize>, entries: &[Entry]) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    let (mut hold_rows, mut plain) = (Vec::new(), Vec::new());
    for (table, has_rows) in hypertables(schema, excluded, entries) {
        let name = &schema.tables[table].name;
        match has_rows {
            true => hold_rows.push(name),
            false => plain.push(name.to_string()),
        }
    }
    if !hold_rows.is_empty() {
        let names: Vec<String> = hold_rows.iter().map(ToString::to_string).collect();
        let patterns: Vec<String> = hold_rows
            .iter()
            .map(|name| format!("{:?}", name.in_rules()))
            .collect();
        diagnostics.problems.add(text!(
            format!(
                "The backup has hypertables of TimescaleDB, whose rows cannot be brought into one: {}. Leave them out: add [{}] to ",
                names.join(", "),
                patterns.join(", ")
            ),
            Setting::ExcludeTables,
            "; they come as plain tables without rows.",
        ));
    }
    if !plain.is_empty() {
        diagnostics.warnings.push(format!(
            "Hypertables of TimescaleDB come as plain tables without rows: {}.",
            plain.join(", ")
        ));
    }
    diagnostics
}

/// Each hypertable, and whether its rows would come.
fn hypertables(schema: &Schema, excluded: &HashSet<usize>, entries: &[Entry]) -> BTreeMap<usize, bool> {
    let mut found = BTreeMap::new();
    let blocked = entries
        .iter()
        .filter(|entry| entry.kind == EntryKind::Trigger && entry.tag.ends_with(BLOCKER));
    for trigger in blocked {
        let name = super::TableName::new(
            &trigger.namespace,
            trigger.tag.trim_end_matches(BLOCKER).trim_end(),
        );
        found.extend(schema.table(&name).map(|table| (table, false)));
    }
    for (at, table) in schema.tables.iter().enumerate() {
        if !table.name.schema.starts_with(TIMESCALEDB) {
            continue;
        }
        if let Some(root) = schema.ancestors(at).last().copied() {
            *found.entry(root).or_insert(false) |= !excluded.contains(&at);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::entries::made_by_timescaledb;
    use pg_dump_archive::{DumpId, Section};

    fn entry(id: i32, kind: EntryKind, namespace: &str, tag: &str, defn: &str) -> Entry {
        Entry {
            dump_id: DumpId(id),
            has_data: false,
            oid: 0,
            tag: tag.into(),
            kind,
            section: Section::PreData,
            defn: defn.into(),
            copy_stmt: String::new(),
            namespace: namespace.into(),
            table_am: String::new(),
            dependencies: Vec::new(),
            data_size: None,
            further: None,
        }
    }

    fn entries() -> Vec<Entry> {
        let chunk = "CREATE TABLE _timescaledb_internal._hyper_1_1_chunk (\n    CONSTRAINT c CHECK ((at >= '2026-01-01'))\n)\nINHERITS (public.readings);\n";
        vec![
            entry(
                1,
                EntryKind::Table,
                "public",
                "readings",
                "CREATE TABLE public.readings (\n    at timestamp NOT NULL\n);\n",
            ),
            entry(
                2,
                EntryKind::Table,
                "_timescaledb_internal",
                "_hyper_1_1_chunk",
                chunk,
            ),
            entry(
                3,
                EntryKind::Table,
                "public",
                "people",
                "CREATE TABLE public.people (\n    id integer\n);\n",
            ),
            entry(
                4,
                EntryKind::Trigger,
                "public",
                "readings ts_insert_blocker",
                "CREATE TRIGGER ts_insert_blocker …",
            ),
        ]
    }

    #[test]
    fn hypertables_with_rows_are_a_problem_and_those_left_out_a_warning() {
        let entries = entries();
        let schema = Schema::read(&entries);
        let all = check(&schema, &HashSet::new(), &entries);
        let error = all.problems.check().err().map(|error| error.what.to_string());
        assert!(error
            .is_some_and(|what| what.contains("public.readings. Leave them out: add [\"readings\"] to ")));
        let left_out = check(&schema, &HashSet::from([0, 1]), &entries);
        assert!(left_out.problems.check().is_ok());
        assert_eq!(
            left_out
                .warnings
                .0
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>(),
            ["Hypertables of TimescaleDB come as plain tables without rows: public.readings."]
        );
    }

    #[test]
    fn what_the_extension_makes_is_known() {
        let made: Vec<bool> = entries().iter().map(made_by_timescaledb).collect();
        assert_eq!(made, [false, true, false, true]);
    }
}
