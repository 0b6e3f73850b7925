//! The statements that make hypertables anew, and what the archive's own say otherwise of them.

use crate::plan::chunks::{Dimension, Hypertable, Hypertables, Slices};
use crate::plan::entries::extension_schema;
use crate::plan::sql::{lex, Cursor};
use crate::plan::{quote_identifier, quote_literal, Refusal, Statement, TableName};
use crate::settings::OnObjectError;
use pg_dump_archive::{Entry, EntryKind};

/// The extension's name.
const EXTENSION: &str = "timescaledb";

/// The statements that make them, one for each of which is known how it is divided. Where a refusal is not the end, a target
/// without the extension goes on with a plain table, which holds the same rows.
pub(in crate::plan) fn statements(
    found: &Hypertables,
    entries: &[Entry],
    on_error: OnObjectError,
) -> Vec<Statement> {
    let Some(extension) = entries.iter().find(|entry| is_extension(entry)) else {
        return Vec::new();
    };
    let home = extension_schema(&extension.defn).unwrap_or_else(|| "public".to_owned());
    let refusal = match on_error {
        OnObjectError::LeaveOut => Refusal::LeftOut,
        OnObjectError::Fail => Refusal::Fatal,
    };
    let tables = entries.iter().filter(|entry| entry.kind == EntryKind::Table);
    let made = tables.filter_map(|entry| {
        let name = TableName::of(entry);
        let hypertable = found.tables.get(&name)?;
        Some(Statement {
            dump_id: hypertable.blocker,
            kind: EntryKind::Other("HYPERTABLE".into()),
            name: name.to_string(),
            sql: sql(hypertable, &name, &home)?,
            needs: vec![entry.dump_id, extension.dump_id],
            refusal,
        })
    });
    made.collect()
}

/// An entry's SQL as hypertables take it: a key without ONLY, since it is the chunks' as well; and the extension not where its
/// library is not loaded, which would end the session.
pub(in crate::plan) fn adapted(found: &Hypertables, entry: &Entry, sql: String) -> String {
    if found.tables.is_empty() {
        return sql;
    }
    if is_extension(entry) {
        return format!("{PRELOADED}{sql}");
    }
    let is_key = matches!(
        entry.kind,
        EntryKind::Constraint | EntryKind::ForeignKey | EntryKind::CheckConstraint
    );
    let table = is_key.then(|| altered(entry)).flatten();
    match table.is_some_and(|table| found.has(&table)) {
        true => sql.replacen("ALTER TABLE ONLY ", "ALTER TABLE ", 1),
        false => sql,
    }
}

/// Fails where the library is not among `shared_preload_libraries`; the loader of the extension knows this setting, and
/// everyone may read it.
const PRELOADED: &str = "DO $$ BEGIN \
    IF pg_catalog.current_setting('timescaledb.disable_load', true) IS NULL THEN \
      RAISE feature_not_supported USING MESSAGE = 'timescaledb is not among the server''s shared_preload_libraries'; \
    END IF; END $$;\n";

fn is_extension(entry: &Entry) -> bool {
    entry.kind == EntryKind::Extension && entry.tag == EXTENSION
}

/// The table that a key's statement alters.
fn altered(entry: &Entry) -> Option<TableName> {
    let tokens = lex(&entry.defn);
    let mut cursor = Cursor::new(&tokens);
    if !cursor.accept("ALTER TABLE") {
        return None;
    }
    let _ = cursor.accept("ONLY");
    cursor.qualified(&entry.namespace)
}

/// `home`: the schema of the extension's functions.
fn sql(hypertable: &Hypertable, name: &TableName, home: &str) -> Option<String> {
    let first = hypertable.dimensions.iter().find(|one| one.is_range())?;
    let table = quote_literal(&name.sql());
    let home = quote_identifier(home);
    let mut sql = format!(
        "SELECT {home}.create_hypertable({table}::regclass, {}, create_default_indexes => false{});\n",
        quote_literal(&first.column),
        arguments(first, "time_partitioning_func")
    );
    for one in hypertable
        .dimensions
        .iter()
        .filter(|one| one.column != first.column)
    {
        sql.push_str(&format!(
            "SELECT {home}.add_dimension({table}::regclass, {}{});\n",
            quote_literal(&one.column),
            arguments(one, "partitioning_func")
        ));
    }
    Some(sql)
}

/// `, chunk_time_interval => …` or `, number_partitions => …`, and the function, under this name.
fn arguments(dimension: &Dimension, function: &str) -> String {
    let mut arguments = match &dimension.slices {
        Slices::Range(width) => format!(", chunk_time_interval => {width}"),
        Slices::Hash(partitions) => format!(", number_partitions => {partitions}"),
    };
    if let Some(name) = &dimension.function {
        arguments.push_str(&format!(
            ", {function} => {}::regproc",
            quote_literal(&name.sql())
        ));
    }
    arguments
}
