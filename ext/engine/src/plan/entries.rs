//! What entries are called, and which are not what their kind says.

use super::sql::{lex, Cursor};
use pg_dump_archive::{Entry, EntryKind};

/// An entry's name with its schema, for messages.
pub(super) fn display_name(entry: &Entry) -> String {
    if entry.namespace.is_empty() {
        entry.tag.clone()
    } else {
        format!("{}.{}", entry.namespace, entry.tag)
    }
}

/// Whether an entry is `CREATE OR REPLACE VIEW`, which pg_dump calls the view's rule `_RETURN`.
pub(super) fn is_body_of_view(entry: &Entry) -> bool {
    entry.kind == EntryKind::Rule && entry.tag.ends_with(" _RETURN")
}

/// `CREATE EXTENSION IF NOT EXISTS x WITH SCHEMA y;` → y.
pub(super) fn extension_schema(sql: &str) -> Option<String> {
    let tokens = lex(sql);
    let mut cursor = Cursor::new(&tokens);
    cursor.skip_past("SCHEMA").then(|| cursor.identifier()).flatten()
}

/// The schemas of TimescaleDB's own begin so.
pub(super) const TIMESCALEDB: &str = "_timescaledb_";

/// What keeps rows out of the table that a hypertable is seen by.
pub(super) const BLOCKER: &str = "ts_insert_blocker";

/// Whether TimescaleDB makes what this entry creates itself.
pub(super) fn made_by_timescaledb(entry: &Entry) -> bool {
    entry.namespace.starts_with(TIMESCALEDB)
}
