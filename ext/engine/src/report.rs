//! What a finished run says of itself: names, counts and durations, never a value of a row.

mod recorder;

pub(crate) use recorder::Recorder;

use crate::channel::Channel;
use crate::error::Result;
pub use crate::finding::{Because, Finding};
use crate::part::{Chosen, Selection};
use crate::part_report::TablePart;
use crate::plan::{LeftOut, Load, Plan, TableName};
use crate::postgres::{LoadReport, RunOutcome, SqlChange};
use crate::source;
use crate::text::Text;
use leak_check::Leak;
use masking::{Becomes, ColumnCounts};
pub use personal_data::{FoundBy, Status, Suggestion};
use pg_dump_archive::Header;
use serde::Serialize;
use std::collections::HashMap;

/// A finished run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// The run's name in the gem's history: a time (UTC) and a few random digits.
    pub run_id: String,
    /// The backup it came from; None when a database that was already there was masked.
    pub backup: Option<BackupReport>,
    /// Each table whose rows were loaded, in the order they came.
    pub tables: Vec<TableReport>,
    /// Each table taken in part, and which of its rows came.
    pub part: Vec<TablePart>,
    /// Tables without rows, by `config.exclude_tables` and `config.quiesce`.
    pub excluded: Vec<String>,
    /// Tables that stayed as the target had them, by `config.keep_tables`.
    pub kept: Vec<String>,
    /// What the archive holds and the target does not.
    pub left_out: Vec<LeftOut>,
    /// Every column that looks personal or acts outside, and, as the column `*`, every table of queued work: with
    /// [`Status`] it says what would be there without rules and what is left with them.
    pub findings: Vec<Finding>,
    /// Originals of masked columns that survived in others.
    pub leaks: Vec<Leak>,
    /// What the search for those looked at; None where it is off.
    pub leak_check: Option<leak_check::Summary>,
    /// What holds personal data outside of columns, and what happened to it.
    pub channels: Vec<Channel>,
    /// Accounts whose password is known now, where there are any.
    pub known_passwords: Vec<KnownPassword>,
    /// What the person in charge should know.
    pub warnings: Vec<Text>,
    /// Large objects created.
    pub large_objects: u64,
    /// Indexes, keys, triggers and the like created after the rows.
    pub steps: u64,
    /// Whether the target was checked, and nothing was found.
    pub verified: bool,
    /// The masked archive that was written; None where a database was filled.
    pub archive: Option<ArchiveReport>,
    /// The target database's size in bytes before the run.
    pub size_before: u64,
    /// The same after it.
    pub size_after: u64,
    /// How long each phase took.
    pub phases: Vec<PhaseTime>,
    /// How long the whole took, in seconds.
    pub seconds: f64,
}

/// The backup a run came from.
#[derive(Debug, Clone, Serialize)]
pub struct BackupReport {
    /// Scalingo's id of it, or the file's name.
    pub id: String,
    /// When it was made, RFC 3339, where known.
    pub created_at: Option<String>,
    /// Its packed size in bytes, where known.
    pub size: Option<u64>,
    /// Where it came from: app and addon, or the file's name.
    pub origin: String,
    /// Whether it is a file that the user gave, so that nothing is known of its app.
    pub file: bool,
    /// SHA-256 of the packed bytes in lower-case hex, once they were read to the end.
    pub sha256: Option<String>,
    /// The database it is a dump of.
    pub database: String,
    /// The version of the server it was dumped from.
    pub server_version: String,
    /// The version of pg_dump.
    pub dump_version: String,
}

/// A masked archive.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ArchiveReport {
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256 of its bytes in lower-case hexadecimal; None of a stream.
    pub sha256: Option<String>,
    /// The version of its format, such as `1.16`.
    pub format_version: String,
    /// How its data blocks are compressed, in pg_dump's word.
    pub compression: String,
    /// Every table with rows, in the archive's order.
    pub tables: Vec<ArchivedTable>,
    /// The same tables, those that others refer to before them.
    pub order: Vec<String>,
}

/// A table whose rows are in an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArchivedTable {
    /// `schema.table`.
    pub table: String,
    /// Its columns, in the order of the rows.
    pub columns: Vec<String>,
    /// The columns of its primary key; none where it has none.
    pub primary_key: Vec<String>,
    /// Where its block begins, in bytes from the archive's beginning.
    pub offset: u64,
    /// How long its block is, in bytes.
    pub length: u64,
}

/// One table's rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TableReport {
    /// `schema.table`.
    pub table: String,
    /// Rows.
    pub rows: u64,
    /// How many rows the backup has, if only some were taken.
    pub backup_rows: Option<u64>,
    /// Bytes of COPY text.
    pub bytes: u64,
    /// Seconds from the run's beginning to the first row.
    pub started: f64,
    /// Seconds from the first row to the commit.
    pub seconds: f64,
    /// What happened to its masked columns.
    pub columns: Vec<ColumnReport>,
}

/// One masked column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnReport {
    /// Its name.
    pub name: String,
    /// What it became.
    pub mask: Becomes,
    /// Values replaced.
    pub masked: u64,
    /// Values left as they are, by `keep` or because the rule's condition did not cover their rows.
    pub kept: u64,
    /// Values that were NULL and stayed so.
    pub nulls: u64,
    /// Values that had not the mask's form: zero in a sound run.
    pub violations: u64,
}

/// Accounts with a password that is known, by an explicit rule or by `config.staging_password`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnownPassword {
    /// `schema.table`.
    pub table: String,
    /// The column of its hash.
    pub column: String,
    /// How many have it.
    pub accounts: u64,
}

/// How long a phase took.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PhaseTime {
    /// The phase's name.
    pub name: crate::event::Phase,
    /// Seconds.
    pub seconds: f64,
}

impl BackupReport {
    /// What the source and the archive say about it. The digest is known once the archive has been read to its end.
    pub(crate) fn new(backup: &source::BackupInfo, digest: Option<&String>, header: &Header) -> Self {
        Self {
            id: backup.id.clone(),
            created_at: backup.created_at.clone(),
            size: backup.size,
            origin: backup.origin.clone(),
            file: backup.file,
            sha256: digest.cloned(),
            database: header.database.clone(),
            server_version: header.server_version.clone(),
            dump_version: header.dump_version.clone(),
        }
    }
}

impl TableReport {
    /// What happened to the rows of one load. `counts` are in the order of the mask's columns.
    pub(crate) fn new(load: &Load, rows: u64, bytes: u64, seconds: f64, counts: &[ColumnCounts]) -> Self {
        let masked = load.mask.iter().flat_map(|mask| mask.columns());
        let columns = masked.zip(counts).map(|(column, counts)| ColumnReport {
            name: column.name.clone(),
            mask: column.becomes.clone(),
            masked: counts.masked,
            kept: counts.kept,
            nulls: counts.nulls,
            violations: counts.violations,
        });
        Self {
            table: load.table.to_string(),
            rows,
            backup_rows: None,
            bytes,
            started: 0.0,
            seconds,
            columns: columns.collect(),
        }
    }

    /// Adds the rows of another load of the same table: a hypertable's come as several.
    fn add(&mut self, more: Self) {
        self.rows += more.rows;
        self.bytes += more.bytes;
        self.seconds += more.seconds;
        self.backup_rows = match (self.backup_rows, more.backup_rows) {
            (Some(rows), Some(further)) => Some(rows + further),
            (rows, further) => rows.or(further),
        };
        for column in more.columns {
            match self.columns.iter_mut().find(|known| known.name == column.name) {
                Some(known) => known.add(&column),
                None => self.columns.push(column),
            }
        }
    }

    /// Adds what rules in SQL did to it.
    pub(crate) fn add_changes(&mut self, changes: &[SqlChange]) {
        for change in changes {
            let columns = change.columns.iter().map(|column| ColumnReport {
                name: column.name.clone(),
                mask: column.mask.clone(),
                masked: column.counts.masked,
                nulls: column.counts.nulls,
                kept: column.counts.kept,
                violations: column.counts.violations,
            });
            self.columns.extend(columns);
        }
    }

    /// Values replaced, of all columns.
    pub(crate) fn masked(&self) -> u64 {
        self.columns.iter().map(|column| column.masked).sum()
    }
}

impl ColumnReport {
    fn add(&mut self, more: &Self) {
        self.masked += more.masked;
        self.kept += more.kept;
        self.nulls += more.nulls;
        self.violations += more.violations;
    }
}

/// Each table that was loaded. `selection`: which rows were chosen, where not all came.
pub(crate) fn tables(plan: &Plan, loaded: &LoadReport, selection: Option<&Selection>) -> Vec<TableReport> {
    let mut tables: Vec<TableReport> = Vec::with_capacity(loaded.loads.len());
    let mut shared: HashMap<&TableName, usize> = HashMap::new();
    for done in &loaded.loads {
        let Some(load) = plan.loads.get(&done.dump_id) else {
            continue;
        };
        let mut table = TableReport::new(load, done.rows, done.bytes, done.seconds, &done.masked);
        table.add_changes(&done.sql);
        let waited = plan.part.as_ref().is_some_and(|part| part.waits(done.dump_id));
        let chosen = selection
            .filter(|_| waited)
            .and_then(|chosen| chosen.of(done.dump_id));
        table.backup_rows = chosen.map(Chosen::total);
        let first = load
            .shared
            .then(|| *shared.entry(&load.table).or_insert(tables.len()));
        match first.and_then(|at| tables.get_mut(at)) {
            Some(first) => first.add(table),
            None => tables.push(table),
        }
    }
    tables
}

/// How a run ended, for the gem's history.
pub(crate) fn outcome(result: &Result<Report>, seconds: f64) -> RunOutcome {
    match result {
        Ok(report) => RunOutcome {
            tables: Some(report.tables.len() as u64),
            rows: Some(report.tables.iter().map(|table| table.rows).sum()),
            masked: Some(report.tables.iter().map(TableReport::masked).sum()),
            left_out: Some(report.left_out.iter().filter(|one| one.refused).count() as u64),
            seconds: Some(seconds),
            error: None,
            table_rows: report
                .tables
                .iter()
                .map(|table| (table.table.clone(), table.rows))
                .collect(),
            part_rows: report
                .part
                .iter()
                .filter_map(|one| Some((one.table.clone(), one.counts?)))
                .collect(),
        },
        Err(error) => RunOutcome {
            seconds: Some(seconds),
            error: Some(error.kind),
            ..RunOutcome::default()
        },
    }
}
