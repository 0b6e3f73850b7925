//! Rows, large objects, and the plan's steps as soon as what they wait for is done, over a fixed number of sessions.
//!
//! One task decides (this one); others work: a lane per COPY, a writer of large objects, a step each. All of them
//! live in one [`JoinSet`](tokio::task::JoinSet), so that dropping the future of [`restore`] ends every session that works for it.

mod beside;
pub(crate) mod copy;
mod cut;
mod done;
mod extension_rows;
mod groups;
pub(crate) mod in_place;
pub(in crate::postgres) mod lane;
mod lanes;
pub(in crate::postgres) mod large_objects;
mod objects;
pub(crate) mod passage;
mod report;
mod retry;
mod rows;
mod run;
mod sessions;
pub(crate) mod stage;
mod step;
mod steps;
mod together;

pub(crate) use copy::Way;
pub(crate) use cut::cut_rows;
pub use report::{LoadReport, LoadedTable};
pub use retry::{Never, Replay};
pub use stage::{Decision, Look, RowStage, Stages};

use crate::error::{Error, Result};
use crate::failure::TargetFailure;
use crate::plan::{Plan, TableName};
use crate::postgres::schedule::questions::Questions;
use crate::postgres::Target;
use crate::text::text;
use done::Done;
use pg_dump_archive::DumpId;
use roaring::RoaringBitmap;
use run::Restore;
use std::sync::Arc;
use tokio::sync::mpsc;

/// What the archive's data consists of, in its order.
#[derive(Debug)]
pub enum Item {
    /// The rows of a TABLE DATA entry that is in [`Plan::loads`] follow.
    TableStart(DumpId),
    /// What was decided about the rows that follow, from a look at them.
    Decided(Decision),
    /// Whole rows of COPY text, raw, each ended by a newline, without the closing `\.`. Take the buffer from
    /// [`Target::buffers`]. Some 256 KiB are a good size.
    Rows(Vec<u8>),
    /// There are no more rows of this entry.
    TableEnd,
    /// The large objects of this entry follow.
    LargeObjects(DumpId),
    /// The contents of the large object with this oid follow.
    LargeObjectStart(u32),
    /// Some of its bytes, cut anywhere.
    LargeObjectData(Vec<u8>),
    /// It has no more bytes.
    LargeObjectEnd,
    /// Of those that the table of contents names, only these come; the others are not created either.
    LargeObjectsKept(RoaringBitmap),
}

/// Loads rows and large objects, and runs the plan's steps as soon as what they wait for is done.
///
/// The stream ends when the sender of `items` is dropped; an `Err` among the items ends everything with that
/// error. Rows are masked and sent over [`parallel_connections`](crate::settings::TargetSettings::parallel_connections)
/// sessions: a large table over one that freezes its rows, or, where they cannot be frozen, over several; while the stream lasts, steps leave at least one session to the
/// rows, so with a single one they come after it. Must be called within a tokio runtime; masking happens on its
/// worker threads.
///
/// # Errors
/// The first failure stops everything: [`Kind::Restore`](crate::error::Kind::Restore) and its kin, naming the object that PostgreSQL refused;
/// [`Kind::Archive`](crate::error::Kind::Archive) when the stream ends without a table that the plan expects; [`Kind::TargetConnection`](crate::error::Kind::TargetConnection) when
/// a session breaks.
pub async fn restore(
    target: &Target,
    plan: Arc<Plan>,
    items: mpsc::Receiver<Result<Item, Error>>,
) -> Result<LoadReport> {
    restore_from(target, plan, Watching::default(), items, &Never).await
}

/// What is looked at beside the load.
#[derive(Debug, Default)]
pub struct Watching {
    /// Asked about each table as soon as its rows are in, beside the index builds. Those that could not be asked so are
    /// not among [`LoadReport::answers`].
    pub questions: Questions,
    /// What looks at the rows as they pass.
    pub stages: Stages,
}

/// As [`restore`], from a source that can be streamed again. When a session that rows were sent over is lost, `again`
/// is asked for the rows of its tables once the stream has ended. Of tables with rules in SQL nothing was committed;
/// any other is emptied first.
///
/// # Errors
/// As [`restore`]. A session that is lost more often than
/// [`retry_attempts`](crate::settings::TargetSettings::retry_attempts) is a failure as any other.
pub async fn restore_from(
    target: &Target,
    plan: Arc<Plan>,
    watching: Watching,
    items: mpsc::Receiver<Result<Item, Error>>,
    again: &impl Replay,
) -> Result<LoadReport> {
    target.check_hold()?;
    let mut sessions = Vec::with_capacity(target.parallel());
    for _ in 0..target.parallel() {
        sessions.push(target.session().await?);
    }
    let mut restore = Restore::new(target, &plan, watching, sessions, again.is_possible());
    let outcome = restore.run(items, again).await;
    let filled = restore.begun();
    let report = std::mem::take(&mut restore.report);
    // Its sessions end here, and their statements with them.
    drop(restore);
    match outcome {
        Ok(()) => Ok(report),
        Err(error) if plan.sql_rules.rollback_on_error => Err(empty_all(target, filled, error).await),
        Err(error) => Err(error),
    }
}

/// Empties the tables that rules in SQL have filled, for `rollback_on_error`.
async fn empty_all(target: &Target, filled: Vec<TableName>, mut error: Error) -> Error {
    for table in filled {
        if let Err(further) = target.empty(&table).await {
            let not_emptied = TargetFailure::NotEmptied {
                table: table.to_string(),
            };
            error.what.push(text!(" ", not_emptied, " ", further.what));
        }
    }
    error
}
