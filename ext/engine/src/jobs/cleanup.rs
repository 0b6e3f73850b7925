//! Clears what killed runs have left in the target.

use super::{until_cancelled, Job};
use crate::event::Sink;
use crate::postgres::{Leftover, Target};
use crate::settings;
use tokio_util::sync::CancellationToken;

/// Clears what killed runs have left in the target: sessions, the read-only setting, the note that they are under
/// way. The next run does the same by itself.
///
/// # Errors
/// [`Kind::TargetBusy`](crate::error::Kind::TargetBusy) while a run is under way; otherwise when the target cannot be
/// reached.
pub fn cleanup<'a>(
    settings: &'a settings::TargetSettings,
    events: &'a Sink,
    cancel: CancellationToken,
) -> Job<'a, Leftover> {
    Box::pin(async move {
        let settings = settings::TargetSettings {
            // Sessions of others are no leftovers, and are in no way here.
            terminate_connections: true,
            ..settings.clone()
        };
        until_cancelled(&cancel, async {
            let target = Target::open(&settings, events).await?;
            let cleared = target.clear_leftovers().await;
            target.close().await?;
            cleared
        })
        .await
    })
}
