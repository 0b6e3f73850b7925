//! Keeping other sessions of the same role out while a run lasts, and keeping silent connections alive.
//!
//! A web or worker process that writes meanwhile would break the load. Ending its sessions is not enough: it
//! reconnects within milliseconds. So the role's new sessions are made read-only first (a setting of the role in
//! this database, put back at the end), then the older ones are ended; what connects meanwhile can only read,
//! and is ended too, about once a second, so that its locks hold nothing up. Our own sessions say at their start
//! that they write.

use crate::error::{Doing, Error, Result};
use crate::failure::{Attempt, SessionFailure};
use crate::postgres::session::connect::{Session, SharedConnector};
use crate::postgres::session::{busy, get, lock, Idle};
use crate::postgres::state;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// Other client sessions of our login role in this database; `$1` is our own sessions' name. A session of another
/// run is spared for its first seconds: it is about to learn that this run holds the target, and to say so.
const OTHERS: &str = "FROM pg_stat_activity \
    WHERE datname = current_database() AND usename = session_user AND backend_type = 'client backend' \
      AND pid <> pg_backend_pid() AND application_name IS DISTINCT FROM $1 \
      AND NOT (application_name LIKE 'scalingo-staging-sync %' AND backend_start > clock_timestamp() - interval '5 s')";

/// Between two looks for other sessions.
const PATROL: Duration = Duration::from_secs(1);

/// The same, where new sessions could not be made read-only.
const CLOSE_PATROL: Duration = Duration::from_millis(200);

/// After this long without a word, a session that waits says something: proxies cut what is silent for half an
/// hour (Scalingo's documentation), some sooner.
const SILENCE: Duration = Duration::from_secs(120);

/// The task that watches over a run.
pub(crate) struct Guard {
    control: Arc<Session>,
    connector: SharedConnector,
    watch: Arc<Watch>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Watch {
    /// Other sessions are to be ended.
    patrolling: AtomicBool,
    /// New sessions of the role are read-only.
    read_only: AtomicBool,
}

impl Guard {
    /// Starts the task: for now it only keeps the control session and the idle ones from falling silent.
    pub(crate) fn start(control: Arc<Session>, connector: SharedConnector, idle: Idle) -> Self {
        let watch = Arc::new(Watch::default());
        let task = tokio::spawn(keep_watch(
            Arc::clone(&control),
            Arc::clone(&connector),
            idle,
            Arc::clone(&watch),
        ));
        Self {
            control,
            connector,
            watch,
            task,
        }
    }

    /// Keeps other sessions out from here on. The state table must be there.
    ///
    /// Returns whether new sessions are read-only; if not, they can only be ended as fast as they are seen.
    pub(crate) async fn raise(&self) -> Result<bool> {
        let read_only = state::keep_writers_out(&self.control).await?;
        self.watch.read_only.store(read_only, Ordering::Release);
        self.watch.patrolling.store(true, Ordering::Release);
        end_others_and_wait(&self.control, &self.connector).await?;
        // A session that read the role's settings just before they changed is seen only now.
        tokio::time::sleep(Duration::from_millis(100)).await;
        end_others_and_wait(&self.control, &self.connector).await?;
        Ok(read_only)
    }

    /// Lets other sessions in again, and ends those that came meanwhile, since they cannot write.
    pub(crate) async fn lift(&self) -> Result<()> {
        self.watch.patrolling.store(false, Ordering::Release);
        if !self.watch.read_only.load(Ordering::Acquire) {
            return Ok(());
        }
        state::let_writers_in(&self.control).await?;
        self.watch.read_only.store(false, Ordering::Release);
        let _ = end_others(&self.control, &self.connector).await;
        Ok(())
    }

    /// Ends the task.
    pub(crate) fn stop(&self) {
        self.task.abort();
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.task.abort();
        let left_on = self.watch.read_only.load(Ordering::Acquire);
        if let (true, Ok(runtime)) = (left_on, tokio::runtime::Handle::try_current()) {
            // `close` was not called. If the runtime lives on for a moment, this still puts things right.
            let control = Arc::clone(&self.control);
            runtime.spawn(async move { state::let_writers_in(&control).await });
        }
    }
}

async fn keep_watch(control: Arc<Session>, connector: SharedConnector, idle: Idle, watch: Arc<Watch>) {
    let mut last_word = Instant::now();
    loop {
        let close = watch.patrolling.load(Ordering::Acquire) && !watch.read_only.load(Ordering::Acquire);
        tokio::time::sleep(if close { CLOSE_PATROL } else { PATROL }).await;
        if control.is_closed() {
            // `Target::check_hold` says so at the next use of the target.
            return;
        }
        if watch.patrolling.load(Ordering::Acquire) {
            let _ = end_others(&control, &connector).await;
        }
        if last_word.elapsed() >= SILENCE {
            last_word = Instant::now();
            let _ = control.ping().await;
            keep_alive(&idle).await;
        }
    }
}

/// Every idle session says something; those that cannot are forgotten.
async fn keep_alive(idle: &Idle) {
    let sessions = std::mem::take(&mut *lock(idle));
    for session in sessions {
        if session.ping().await.is_ok() {
            lock(idle).push(session);
        }
    }
}

async fn end_others(control: &Session, connector: &SharedConnector) -> Result<i64> {
    let _gate = connector.gate.write().await;
    let sql = format!("SELECT count(pg_terminate_backend(pid)) {OTHERS}");
    let row = control.query_one(&sql, &[&connector.application_name()]).await;
    row.and_then(|row| row.try_get(0))
        .map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::EndingOtherSessions), &error))
}

/// Ends other sessions and waits, at most five seconds, until none of those is left.
async fn end_others_and_wait(control: &Session, connector: &SharedConnector) -> Result<()> {
    for _ in 0..100 {
        if end_others(control, connector).await? == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// Fails when there are other sessions of the role in the database.
///
/// # Errors
/// [`Kind::TargetBusy`](crate::error::Kind::TargetBusy), with their number and names.
pub(crate) async fn refuse_others(control: &Session, own_name: &str) -> Result<()> {
    let sql = format!(
        "SELECT count(*) AS sessions, coalesce(string_agg(DISTINCT coalesce(nullif(application_name, ''), 'unnamed'), ', '), '') AS names {OTHERS}"
    );
    let row = control
        .query_one(&sql, &[&own_name])
        .await
        .map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::LookingForOtherSessions), &error))?;
    let (count, names): (i64, String) = (get(&row, "sessions")?, get(&row, "names")?);
    if count == 0 {
        return Ok(());
    }
    Err(busy::other_sessions(SessionFailure::OtherSessions {
        count: usize::try_from(count).unwrap_or_default(),
        names,
    }))
}
