//! What can go wrong, as the caller sees it.
//!
//! Every failure of a run is one [`Error`]: a [`Kind`], one sentence of what happened and one of what to do, and what it is
//! [`About`] as fields. Which exception class a kind becomes is the caller's business. Modules may keep finer error types
//! of their own; what leaves the engine is this one.
//!
//! Neither sentence may hold a secret or a value of a row. Where text comes from elsewhere, [`Error::from_server`]
//! keeps that promise: it says what a PostgreSQL error means in words of our own, and quotes the server only where
//! [`Doing`] says that no row is near. Nothing here ever prints a URL.
//!
//! Neither says what is left in the target: the code that reports an error asks the target itself, and says it once.

mod archive;
mod masking;
mod server;
mod sqlstate;

pub(crate) use archive::reading_failed;
pub(crate) use server::reason;
pub use server::Doing;

use crate::text::Text;
use serde::Serialize;

/// What kind of failure an [`Error`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A setting is missing, contradictory, or needs something that is not there.
    Configuration,
    /// The target is the source itself.
    Production,
    /// A rule does not fit the backup's tables and columns.
    Plan,
    /// Columns look personal, no rule covers them, and the policy does not let them pass.
    PersonalData,
    /// Scalingo's API refused or failed.
    Api,
    /// Scalingo does not know the token.
    Authentication,
    /// No PostgreSQL addon, or more than one.
    AddonNotFound,
    /// No finished backup.
    BackupNotFound,
    /// The archive did not arrive.
    Download,
    /// The archive is not one, or is damaged.
    Archive,
    /// The archive is sound but of a format or version that is not read.
    UnsupportedArchive,
    /// The target cannot be reached or does not let the role in.
    TargetConnection,
    /// The target's role lacks a right that the run needs.
    Privilege,
    /// Another run, or sessions that may not be ended, use the target.
    TargetBusy,
    /// A lock could not be taken within `lock_timeout`, or because of a deadlock, even after retries.
    LockTimeout,
    /// PostgreSQL refused part of the restore.
    Restore,
    /// A masked value, or a count, is not what it has to be.
    Verification,
    /// The run was asked to stop.
    Interrupted,
    /// A defect of our own.
    Internal,
}

impl Kind {
    /// Its name in the history of runs.
    pub fn name(self) -> String {
        let name = serde_json::to_value(self).unwrap_or_default();
        name.as_str().unwrap_or_default().to_owned()
    }
}

/// What an error is about, as far as that is known and may be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct About {
    /// The table, such as `public.users`.
    pub table: Option<String>,
    /// The table's column.
    pub column: Option<String>,
    /// How many rows.
    pub rows: Option<u64>,
    /// PostgreSQL's code for it.
    pub sqlstate: Option<String>,
}

impl About {
    /// A table.
    pub fn table(table: impl ToString) -> Self {
        Self {
            table: Some(table.to_string()),
            ..Self::default()
        }
    }

    /// One of its columns.
    #[must_use]
    pub fn column(self, column: impl ToString) -> Self {
        let column = Some(column.to_string());
        Self { column, ..self }
    }

    /// So many of its rows.
    #[must_use]
    pub fn rows(self, rows: u64) -> Self {
        let rows = Some(rows);
        Self { rows, ..self }
    }
}

/// A failed run: what happened and what to do about it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{what} {remedy}")]
pub struct Error {
    /// What kind of failure it is.
    pub kind: Kind,
    /// What happened, one sentence.
    pub what: Text,
    /// What to do, one sentence.
    pub remedy: Text,
    /// What it is about.
    pub about: Box<About>,
}

/// The engine's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error from its two sentences.
    ///
    /// ```
    /// use staging_sync_engine::error::{Error, Kind};
    /// let error = Error::new(Kind::Plan, "The table \"user\" is not in the backup.", "Did you mean \"users\"?");
    /// assert_eq!(error.to_string(), "The table \"user\" is not in the backup. Did you mean \"users\"?");
    /// ```
    pub fn new(kind: Kind, what: impl Into<Text>, remedy: impl Into<Text>) -> Self {
        Self {
            kind,
            what: what.into(),
            remedy: remedy.into(),
            about: Box::default(),
        }
    }

    /// The same error, and what it is about.
    #[must_use]
    pub fn about(self, about: About) -> Self {
        let about = Box::new(about);
        Self { about, ..self }
    }

    /// A defect of the gem's own: something that was thought impossible.
    pub fn internal(what: impl Into<Text>) -> Self {
        Self::new(
            Kind::Internal,
            what,
            "This is a defect of scalingo-staging-sync: please report it with this sentence.",
        )
    }

    /// The run was asked to stop.
    pub fn interrupted() -> Self {
        Self::new(
            Kind::Interrupted,
            "The run was stopped before its end.",
            "Run it again: the next run starts clean.",
        )
    }
}
