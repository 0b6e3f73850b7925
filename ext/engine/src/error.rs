//! What can go wrong, as the caller sees it.
//!
//! Every failure of a run is one [`Error`]: a [`Kind`], what happened and what to do, each as data ([`crate::failure`]) or in
//! a sentence, and what it is [`About`] as fields. Which exception class a kind becomes is the caller's business. Modules may keep finer error types
//! of their own; what leaves the engine is this one.
//!
//! Neither may hold a secret or a value of a row. Where text comes from elsewhere, [`Error::from_server`]
//! keeps that promise: it has the code of a PostgreSQL error, and quotes the server only where
//! [`Doing`] says that no row is near. Nothing here ever prints a URL.
//!
//! Neither says what is left in the target: the code that reports an error asks the target itself, and says it once.

mod archive;
mod excerpt;
mod file;
mod masking;
mod server;
mod sqlstate;

pub(crate) use self::masking::unfit_of_rule;
pub(crate) use archive::{reading_failed, unread};
pub(crate) use excerpt::without_texts;
pub(crate) use file::file_trouble;
pub use server::Doing;
pub(crate) use server::{reason, words_of};

use crate::failure::{JobFailure, JobRemedy};
use crate::text::Text;
use serde::Serialize;
use std::collections::HashSet;

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
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct About {
    /// The table, such as `public.users`.
    pub table: Option<String>,
    /// The table's column.
    pub column: Option<String>,
    /// How many rows.
    pub rows: Option<u64>,
    /// PostgreSQL's code for it.
    pub sqlstate: Option<String>,
    /// The faults that it lists, where it is a list.
    #[serde(skip)]
    pub faults: Vec<Text>,
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

/// More faults than these are counted, not listed.
const MOST_LISTED: usize = 40;

/// A failed run: what happened and what to do about it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{what} {remedy}")]
pub struct Error {
    /// What kind of failure it is.
    pub kind: Kind,
    /// What happened.
    pub what: Text,
    /// What to do.
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

    /// One error for faults in this order, under `head`. More than a few dozen are counted, not listed.
    pub(crate) fn listing(
        kind: Kind,
        head: impl Into<Text>,
        faults: Vec<Text>,
        remedy: impl Into<Text>,
    ) -> Self {
        let mut lines: Vec<&Text> = faults.iter().take(MOST_LISTED).collect();
        let further = faults.len().saturating_sub(MOST_LISTED);
        let further = (further > 0).then(|| Text::from(JobFailure::FurtherFaults { count: further }));
        lines.extend(further.as_ref());
        let what = head
            .into()
            .and(":\n- ")
            .and(Text::joined(lines, "\n- "))
            .and("\n");
        Self::new(kind, what, remedy).about(About {
            faults,
            ..About::default()
        })
    }

    /// Several errors as one, which lists what each of them says or lists, each once. The first is it if it is alone; `head`
    /// is made from their number.
    pub(crate) fn together<H: Into<Text>>(
        mut errors: Vec<Self>,
        head: impl FnOnce(usize) -> H,
    ) -> Option<Self> {
        if errors.len() <= 1 {
            return errors.pop();
        }
        let mut seen = HashSet::new();
        let faults = errors.iter().flat_map(Self::faults);
        let faults: Vec<Text> = faults.filter(|one| seen.insert(one.to_string())).collect();
        let kind = errors[0].kind;
        let head = head(faults.len());
        Some(Self::listing(kind, head, faults, JobRemedy::CorrectThis))
    }

    /// What is wrong: the faults that it lists, or what happened and what to do about it.
    pub(crate) fn faults(&self) -> Vec<Text> {
        match self.about.faults.is_empty() {
            true => vec![self.what.clone().without_end().and(" ").and(&self.remedy)],
            false => self.about.faults.clone(),
        }
    }

    /// Whether what happened is of a kind of phrase.
    pub fn is(&self, kind: &str) -> bool {
        self.what.is(kind)
    }

    /// The same error, and what it is about.
    #[must_use]
    pub fn about(self, about: About) -> Self {
        let about = Box::new(about);
        Self { about, ..self }
    }

    /// A defect of the gem's own: something that was thought impossible. It is in English, in no file of messages: it is for
    /// those who correct it, and no one else can do anything about it.
    pub fn internal(defect: impl Into<String>) -> Self {
        let defect = defect.into();
        Self::new(
            Kind::Internal,
            JobFailure::Defect { defect },
            JobRemedy::ReportDefect,
        )
    }

    /// The run was asked to stop.
    pub fn interrupted() -> Self {
        Self::new(Kind::Interrupted, JobFailure::Stopped, JobRemedy::StartsClean)
    }
}
