//! Whether the target lets a run do what it needs.

use super::{until_cancelled, Job};
use crate::postgres;
use crate::postgres::Examination;
use crate::settings;
use tokio_util::sync::CancellationToken;

/// Tries what a run needs of the target, each in a transaction that is rolled back.
///
/// # Errors
/// When the target cannot be reached.
pub fn check(settings: &settings::TargetSettings, cancel: CancellationToken) -> Job<'_, Examination> {
    Box::pin(async move { until_cancelled(&cancel, postgres::examine(settings)).await })
}
