//! Rows of extensions' own tables. pg_dump takes those along that an extension marks as its configuration
//! (`pg_extension_config_dump`), without the tables, which the target has as soon as it has the extension, and without a word
//! on whose they are.

use super::sql::{lex, names, Cursor};
use super::{TableName, Warnings};
use crate::left_out::Why;
use crate::notice::Notice;
use pg_dump_archive::{Entry, EntryKind};
use std::collections::HashSet;

/// What never comes, by the schema of its table.
const NEVER: &[(&str, Why)] = &[
    ("cron", Why::RowsAreJobs),
    ("pgagent", Why::RowsAreJobs),
    ("pglogical", Why::RowsLeadToServers),
    ("vault", Why::RowsAreSecrets),
    ("pgsodium", Why::RowsAreKeys),
    ("anon", Why::RowsAreRulesAndSecrets),
];

/// Schemas whose rows an extension makes anew by itself, and that nothing else may write.
const OWN: &[&str] = &["_timescaledb_", "timescaledb_"];

/// The names of the tables that the archive creates.
pub(super) fn created(entries: &[Entry]) -> HashSet<(&str, &str)> {
    let tables = entries.iter().filter(|entry| entry.kind == EntryKind::Table);
    tables
        .map(|entry| (entry.namespace.as_str(), entry.tag.as_str()))
        .collect()
}

/// Whether an entry is rows of a table that the archive does not create.
pub(super) fn are_these(entry: &Entry, created: &HashSet<(&str, &str)>) -> bool {
    entry.kind == EntryKind::TableData && !created.contains(&(entry.namespace.as_str(), entry.tag.as_str()))
}

/// Why such rows do not come; None: they do, where the target lets them. `with_extensions`: some come.
pub(super) fn why_not(entry: &Entry, with_extensions: bool, warnings: &mut Warnings) -> Option<Why> {
    let schema = entry.namespace.as_str();
    let never = NEVER.iter().find(|(name, _)| *name == schema).map(|(_, why)| why);
    let never = never.or((!copies_into_its_table(entry)).then_some(&Why::RowsNotOfCopy));
    if let Some(why) = never {
        warnings.push(Notice::ExtensionRowsLeftOut {
            table: format!("{schema}.{}", entry.tag),
            why: why.clone(),
        });
        return Some(why.clone());
    }
    if OWN.iter().any(|start| schema.starts_with(start)) {
        return Some(Why::RowsMadeByExtension);
    }
    (!with_extensions).then_some(Why::RowsOfNoTable)
}

/// Whether its COPY says the entry's own table, and columns.
fn copies_into_its_table(entry: &Entry) -> bool {
    let tokens = lex(&entry.copy_stmt);
    let mut cursor = Cursor::new(&tokens);
    let table = cursor.accept("COPY").then(|| cursor.qualified(&entry.namespace));
    let columns = cursor.parenthesized().map(names).unwrap_or_default();
    table.flatten() == Some(TableName::of(entry)) && !columns.is_empty()
}
