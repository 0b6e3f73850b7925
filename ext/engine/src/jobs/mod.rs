//! The jobs: what the binding starts, each a function of settings, events and a way to stop it.
//!
//! ```text
//! run         the backup into the target, masked
//! dump        the backup into an archive, masked
//! extract     a part of such an archive: its schema, or a table's rows
//! anonymize   the rows that the target already holds, masked in place
//! dry_run     what a run would do
//! sample      ten rows of a table before and after its masks
//! why         why a row of a subset comes, or why it does not
//! scan        personal data that no rule covers, in a backup, a database or a schema
//! check       whether the target lets a run do what it needs
//! cleanup     what killed runs have left in the target
//! fetch       the backup, downloaded and unpacked
//! ```
//!
//! `hold` is what a job that changes the target has in common with another, `choice` how rows of a subset are chosen, `room`
//! whether the container has the memory that a run takes.

pub mod anonymize;
pub mod check;
mod choice;
pub mod cleanup;
pub mod dry_run;
pub mod dump;
pub mod extract;
pub mod fetch;
mod hold;
mod room;
pub mod run;
pub mod sample;
pub mod scan;
pub mod why;

pub use anonymize::anonymize;
pub use check::check;
pub use cleanup::cleanup;
pub use dry_run::dry_run;
pub use dump::dump;
pub use extract::extract;
pub use fetch::fetch;
pub use run::run;
pub use sample::sample;
pub use scan::scan;
pub use why::why;

use crate::error::{Error, Result};
use crate::settings::Source;
use std::future::Future;
use std::pin::Pin;
use tokio_util::sync::CancellationToken;

/// What each job is: a future in a box, because the body of an `async fn` is compiled into the crate that awaits it, and
/// everything that it awaits along with it, once more than here.
pub type Job<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + 'a>>;

/// Works until it is done, or stopped.
async fn until_cancelled<T>(cancel: &CancellationToken, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Error::interrupted()),
        result = work => result,
    }
}

/// The source without what would write anything: no new backup, no kept copy.
fn read_only(source: &Source) -> Source {
    match source {
        Source::Scalingo(scalingo) => {
            let mut scalingo = scalingo.clone();
            scalingo.backup_max_age = None;
            scalingo.keep_in = None;
            Source::Scalingo(scalingo)
        }
        Source::File(_) | Source::Link(_) => source.clone(),
    }
}
