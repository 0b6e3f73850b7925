//! What a finished run says of itself: names, counts and durations, never a value of a row.

use serde::Serialize;

/// A finished run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// The backup it came from; None when a database that was already there was masked.
    pub backup: Option<Backup>,
    /// Each table whose rows were loaded, in the order they came.
    pub tables: Vec<Table>,
    /// Tables that were created without rows, by `config.exclude_tables`.
    pub excluded: Vec<String>,
    /// What the archive holds and the target does not.
    pub left_out: Vec<LeftOut>,
    /// What the person in charge should know.
    pub warnings: Vec<String>,
    /// Large objects created.
    pub large_objects: u64,
    /// Indexes, keys, triggers and the like created after the rows.
    pub steps: u64,
    /// Whether the target was checked, and nothing was found.
    pub verified: bool,
    /// How long each phase took.
    pub phases: Vec<PhaseTime>,
    /// How long the whole took, in seconds.
    pub seconds: f64,
}

/// The backup a run came from.
#[derive(Debug, Clone, Serialize)]
pub struct Backup {
    /// Scalingo's id of it, or the file's name.
    pub id: String,
    /// When it was made, RFC 3339, where known.
    pub created_at: Option<String>,
    /// Its packed size in bytes, where known.
    pub size: Option<u64>,
    /// Where it came from: app and addon, or the file's name.
    pub origin: String,
    /// SHA-256 of the packed bytes in lower-case hex, once they were read to the end.
    pub sha256: Option<String>,
    /// The database it is a dump of.
    pub database: String,
    /// The version of the server it was dumped from.
    pub server_version: String,
    /// The version of pg_dump.
    pub dump_version: String,
}

/// One table's rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Table {
    /// `schema.table`.
    pub table: String,
    /// Rows.
    pub rows: u64,
    /// Bytes of COPY text.
    pub bytes: u64,
    /// Seconds from the first row to the commit.
    pub seconds: f64,
    /// What happened to its masked columns.
    pub columns: Vec<Column>,
}

/// One masked column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it became, in words.
    pub mask: String,
    /// Values replaced.
    pub masked: u64,
    /// Values that were NULL and stayed so.
    pub nulls: u64,
    /// Values that had not the mask's form: zero in a sound run.
    pub violations: u64,
}

/// An entry that was not restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// pg_dump's word for its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Why.
    pub why: String,
}

/// How long a phase took.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PhaseTime {
    /// The phase's name.
    pub name: crate::event::Phase,
    /// Seconds.
    pub seconds: f64,
}
