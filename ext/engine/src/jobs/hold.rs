//! Holding the target for as long as a job works on it.

use super::until_cancelled;
use crate::error::Result;
use crate::postgres::{JobRecord, Target};
use crate::report::{self, Recorder, Report};
use crate::settings::Settings;
use crate::source::BackupInfo;
use std::sync::OnceLock;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long an interrupted run may take to leave the target in order: it has a second in all.
pub(super) const CLOSING: Duration = Duration::from_millis(600);

/// What the gem's history says of a job, also of one that fails: more once its backup is known.
pub(super) struct History {
    begun: JobRecord,
    of_backup: OnceLock<JobRecord>,
}

impl History {
    /// The job with the backup that it restores.
    pub(super) fn of_backup(&self, backup: &BackupInfo) -> &JobRecord {
        self.of_backup.get_or_init(|| JobRecord {
            source: Some(backup.origin.clone()),
            backup_id: Some(backup.id.clone()),
            backup_created_at: backup.created_at.clone(),
            ..self.begun.clone()
        })
    }

    fn job(&self) -> &JobRecord {
        self.of_backup.get().unwrap_or(&self.begun)
    }
}

/// Opens the target, works on it until done or cancelled, notes how it went, and leaves it in order either way.
/// `mode` is the job's name in the gem's history of runs.
pub(super) async fn on_target(
    settings: &Settings,
    recorder: &Recorder,
    mode: &'static str,
    cancel: &CancellationToken,
    work: impl AsyncFnOnce(&Target, &History) -> Result<Report>,
) -> Result<Report> {
    let events = recorder.sink();
    let target = until_cancelled(cancel, Target::open(&settings.target, &events)).await?;
    let history = History {
        begun: JobRecord {
            mode,
            fingerprint: settings.fingerprint.clone(),
            ..JobRecord::default()
        },
        of_backup: OnceLock::new(),
    };
    let worked = until_cancelled(cancel, async {
        let size_before = target.size().await?;
        let report = work(&target, &history).await?;
        Ok(Report {
            run_id: target.run_id().to_owned(),
            size_before,
            size_after: target.size().await?,
            ..report
        })
    });
    let result = worked.await;
    let outcome = report::outcome(&result, recorder.seconds());
    target.record(history.job(), &outcome).await;
    let closed = close(&target, cancel).await;
    // The first failure is the one to report.
    let result = result?;
    closed.map(|()| result)
}

/// Closes the target. A run that is stopped, also while it closes, waits for that no longer than [`CLOSING`]: what is
/// not put back by then, the next run puts back.
async fn close(target: &Target, cancel: &CancellationToken) -> Result<()> {
    tokio::select! {
        closed = target.close() => closed,
        () = async {
            cancel.cancelled().await;
            tokio::time::sleep(CLOSING).await;
        } => Ok(()),
    }
}
