//! Downloads a backup, and does nothing else with it.

use super::{until_cancelled, Job};
use crate::event::Sink;
use crate::settings::Scalingo;
use crate::source;
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

/// Downloads the backup that [`run`](super::run()) would use and unpacks it into `directory`; returns the archive's path.
///
/// # Errors
/// Those of the source: [`Kind::Api`](crate::error::Kind::Api) and its neighbours.
pub fn fetch<'a>(
    settings: &'a Scalingo,
    directory: &'a Path,
    events: &'a Sink,
    cancel: CancellationToken,
) -> Job<'a, PathBuf> {
    Box::pin(async move { until_cancelled(&cancel, source::fetch(settings, directory, events)).await })
}
