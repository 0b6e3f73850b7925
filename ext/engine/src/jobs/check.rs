//! Whether the target lets a run do what it needs.

use super::{until_cancelled, Job};
use crate::settings;
use crate::target::{self, Examination};
use tokio_util::sync::CancellationToken;

/// Tries what a run needs of the target, each in a transaction that is rolled back.
///
/// # Errors
/// When the target cannot be reached.
pub fn check(settings: &settings::Target, cancel: CancellationToken) -> Job<'_, Examination> {
    Box::pin(async move { until_cancelled(&cancel, target::examine(settings)).await })
}
