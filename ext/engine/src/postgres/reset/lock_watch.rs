//! Who holds a reset up.

use crate::error::{Error, Kind};
use crate::failure::{TargetFailure, TargetRemedy};
use crate::postgres::session::connect::Session;
use crate::postgres::session::lock;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Watches who holds the reset up, so that a lock timeout can say so: once it has struck, no session does any more.
pub(super) struct LockWatch {
    blockers: Arc<Mutex<String>>,
    task: JoinHandle<()>,
}

impl LockWatch {
    pub(super) fn start(control: Arc<Session>, pid: i32, lock_timeout: f64) -> Self {
        let blockers = Arc::new(Mutex::new(String::new()));
        let seen = Arc::clone(&blockers);
        let often = Duration::try_from_secs_f64(lock_timeout / 4.0).unwrap_or_default();
        let often = often.clamp(Duration::from_millis(20), Duration::from_millis(500));
        let task = tokio::spawn(async move {
            loop {
                tokio::time::sleep(often).await;
                let Ok(row) = control.query_one(BLOCKERS, &[&pid]).await else {
                    return;
                };
                if let Ok(Some(names)) = row.try_get::<_, Option<String>>(0) {
                    *lock(&seen) = names;
                }
            }
        });
        Self { blockers, task }
    }

    pub(super) fn explain(&self, mut error: Error) -> Error {
        let blockers = lock(&self.blockers).clone();
        if error.kind == Kind::LockTimeout && !blockers.is_empty() {
            error.what = TargetFailure::ResetWaited { blockers }.into();
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

/// Who blocks process `$1`. Without the query's text, which can hold data.
const BLOCKERS: &str = "SELECT string_agg(format('process %s%s%s%s', a.pid, ' of the role ' || a.usename, \
      ' (' || nullif(a.application_name, '') || ')', \
      ', busy since ' || to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC'), '; ') \
    FROM pg_stat_activity a WHERE a.pid = ANY (pg_blocking_pids($1))";
