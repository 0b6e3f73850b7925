//! What a run reports while it works: typed events, drained by the caller about ten times a second.
//!
//! Events carry names, counts and durations, never a value of a row and never a secret.

use crate::text::Text;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A phase of the run, in the order they begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Finding the backup (and waiting for a fresh one).
    Backup,
    /// Reading the table of contents and deciding what happens to each entry.
    Plan,
    /// Looking at the rows of a subset, and choosing those that are kept.
    Choice,
    /// Emptying the target and creating the schema.
    Schema,
    /// Rows and large objects, and the indexes of tables whose rows are in.
    Rows,
    /// The remaining indexes, keys, triggers and materialized views.
    Keys,
    /// ANALYZE and verification.
    Verify,
}

/// Something worth reporting.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A phase begins.
    Phase {
        /// Which.
        phase: Phase,
    },
    /// The backup that will be used.
    BackupChosen {
        /// Scalingo's id of it, or the file's name.
        id: String,
        /// When it was made, RFC 3339, where known.
        created_at: Option<String>,
        /// Its size in bytes, where known.
        size: Option<u64>,
    },
    /// Scalingo is making a backup; asked again every few seconds.
    BackupPending {
        /// Its status, in Scalingo's word.
        status: String,
    },
    /// How much of the download has arrived. At most a few times a second.
    Downloaded {
        /// Bytes so far.
        bytes: u64,
        /// Bytes in all, where the server said so.
        total: Option<u64>,
    },
    /// The download broke and goes on from where it was.
    DownloadResumed {
        /// How many times so far.
        attempt: u32,
        /// Bytes that had arrived.
        bytes: u64,
    },
    /// What lies ahead, once the plan is made.
    Planned {
        /// Tables whose rows will come.
        tables: u64,
        /// Indexes, keys, triggers and the like to make after them.
        steps: u64,
        /// Rows of each table as of the last run into this target; empty where there was none.
        last_rows: BTreeMap<String, u64>,
    },
    /// Rows of a table begin to arrive.
    TableStarted {
        /// `schema.table`.
        table: String,
    },
    /// How much of a table has arrived. At most a few times a second.
    TableProgress {
        /// `schema.table`.
        table: String,
        /// Rows so far.
        rows: u64,
        /// Bytes of them, as they came.
        bytes: u64,
    },
    /// All rows of a table are committed.
    TableLoaded {
        /// `schema.table`.
        table: String,
        /// Rows.
        rows: u64,
        /// Bytes of COPY text sent.
        bytes: u64,
        /// Values replaced.
        masked: u64,
        /// Seconds from the first row to the commit.
        seconds: f64,
    },
    /// Something after the rows is done: an index, a key, a trigger.
    StepDone {
        /// pg_dump's word for the kind of object, such as `INDEX`.
        kind: String,
        /// Its name.
        name: String,
        /// Seconds.
        seconds: f64,
    },
    /// Something the person in charge should know, though the run goes on.
    Warning {
        /// One or two sentences.
        message: Text,
    },
}

/// A column that the caller's own patterns match.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct Matched {
    /// The table, without its schema.
    pub table: String,
    /// The column.
    pub column: String,
    /// The heading that the pattern stands under, such as `contact`.
    pub heading: String,
}

/// What answers a question about columns: pairs of a table, without its schema, and a column.
type Answer = dyn Fn(Vec<(String, String)>) -> Option<Vec<Matched>> + Send + Sync;

/// Where events go. Cheap to clone, callable from any thread; events never block.
#[derive(Clone)]
pub struct Sink {
    receive: Arc<dyn Fn(Event) + Send + Sync>,
    answer: Option<Arc<Answer>>,
}

impl Sink {
    /// A sink that calls `receive` for each event, on the thread where it happens.
    pub fn new(receive: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self {
            receive: Arc::new(receive),
            answer: None,
        }
    }

    /// The same sink, whose questions `answer` answers, on the thread that asks.
    pub fn answering(
        self,
        answer: impl Fn(Vec<(String, String)>) -> Option<Vec<Matched>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            answer: Some(Arc::new(answer)),
            ..self
        }
    }

    /// This sink's events, and another one's answers.
    pub(crate) fn with_answers_of(self, other: &Sink) -> Self {
        Self {
            answer: other.answer.clone(),
            ..self
        }
    }

    /// Asks which of these columns (table without its schema, column) the caller's own patterns match. Blocks until
    /// it has answered; None when nothing answers.
    pub fn ask(&self, columns: Vec<(String, String)>) -> Option<Vec<Matched>> {
        self.answer.as_ref().and_then(|answer| answer(columns))
    }

    /// A sink that forgets everything, for tests and examples.
    pub fn silent() -> Self {
        Self::new(|_| {})
    }

    /// Reports an event.
    pub fn send(&self, event: Event) {
        (self.receive)(event);
    }

    /// Reports a warning.
    pub(crate) fn warn(&self, message: impl Into<Text>) {
        self.send(Event::Warning {
            message: message.into(),
        });
    }
}

impl std::fmt::Debug for Sink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sink")
    }
}
