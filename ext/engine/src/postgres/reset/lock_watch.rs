//! Who holds a reset up.

use crate::error::{Error, Kind};
use crate::failure::{ServerProcess, TargetFailure, TargetRemedy};
use crate::postgres::session::connect::Session;
use crate::postgres::session::lock;
use crate::postgres::session::processes::processes;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Watches who holds the reset up, so that a lock timeout can say so: once it has struck, no session does any more.
pub(super) struct LockWatch {
    holders: Arc<Mutex<Vec<ServerProcess>>>,
    task: JoinHandle<()>,
}

impl LockWatch {
    pub(super) fn start(control: Arc<Session>, pid: i32, lock_timeout: f64) -> Self {
        let holders = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&holders);
        let often = Duration::try_from_secs_f64(lock_timeout / 4.0).unwrap_or_default();
        let often = often.clamp(Duration::from_millis(20), Duration::from_millis(500));
        let task = tokio::spawn(async move {
            loop {
                tokio::time::sleep(often).await;
                let Ok(row) = control.query_one(HOLDERS, &[&pid]).await else {
                    return;
                };
                let now = processes(&row).unwrap_or_default();
                if !now.is_empty() {
                    *lock(&seen) = now;
                }
            }
        });
        Self { holders, task }
    }

    pub(super) fn explain(&self, mut error: Error) -> Error {
        let holders = lock(&self.holders).clone();
        if error.kind == Kind::LockTimeout && !holders.is_empty() {
            error.what = TargetFailure::ResetWaited { holders }.into();
            error.remedy = TargetRemedy::WaitOrRaise.into();
        }
        error
    }
}

impl Drop for LockWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Who blocks process `$1`.
const HOLDERS: &str = "SELECT array_agg(a.pid) AS pids, array_agg(a.usename::text) AS roles, \
      array_agg(a.application_name) AS programs, \
      array_agg(to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS \"UTC\"')) AS busy \
    FROM pg_stat_activity a WHERE a.pid = ANY (pg_blocking_pids($1))";
