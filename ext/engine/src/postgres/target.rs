//! A target database that a job holds, from its lock to the marker that says how it was left.

use super::buffers::Buffers;
use super::forced;
use super::guard::{self, Guard};
use super::inspect;
use super::refused::Missing;
use super::session::connect::{Connector, Session, SharedConnector};
use super::session::url::ConnectionUrl;
use super::session::{facts, lock, may_retry, new_run_id, take_lock, Facts, Idle};
use super::state::{self, JobRecord, Leftover, RunOutcome};
use crate::error::{Doing, Error, Kind, Result};
use crate::event::Sink;
use crate::failure::Attempt;
use crate::failure::{ServerRemedy, SessionFailure, SessionRemedy};
use crate::notice::Notice;
use crate::plan::{LeftOut, TableName};
use crate::settings;
use futures_util::future::join_all;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;

/// A target database that this run holds: no other run can start in it until [`Target::close`].
///
/// Dropping it ends every session at once. What [`Target::close`] would have put back is then put back in the
/// background if the runtime lives on for a moment, and otherwise by the next run.
pub struct Target {
    pub(in crate::postgres) settings: settings::TargetSettings,
    pub(in crate::postgres) events: Sink,
    pub(in crate::postgres) connector: SharedConnector,
    pub(in crate::postgres) control: Arc<Session>,
    pub(in crate::postgres) guard: Guard,
    pub(in crate::postgres) idle: Idle,
    pub(in crate::postgres) facts: Facts,
    pub(in crate::postgres) run_id: String,
    pub(in crate::postgres) buffers: Buffers,
    pub(in crate::postgres) leftover: Leftover,
    /// What the server has refused, and what depends on it.
    pub(in crate::postgres) missing: Missing,
    /// How many sessions are available for rows, indexes and ANALYZE, if fewer than are wanted.
    pub(in crate::postgres) most_sessions: AtomicUsize,
    /// FORCE ROW LEVEL SECURITY is lifted, and to be put back.
    unforced: AtomicBool,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target")
            .field("run_id", &self.run_id)
            .finish_non_exhaustive()
    }
}

/// How long [`Target::close`] waits for a server that does not answer.
const CLOSING_LIMIT: Duration = Duration::from_secs(10);

/// How long noting a failed run may take: an interrupted one has to end within a second.
const NOTING: Duration = Duration::from_millis(200);

impl Target {
    /// Opens the control session, checks the server and takes the run's lock. Nothing is changed yet, except
    /// that what a killed run left switched on (see [`Target::close`]) is put back.
    ///
    /// # Errors
    /// [`Kind::Configuration`] for a URL that cannot be read; [`Kind::TargetConnection`] when the target cannot
    /// be reached, does not let us in, is a standby or too old; [`Kind::TargetBusy`] when another run holds the
    /// lock, or when `terminate_connections` is off and other sessions of the role are in the database.
    pub async fn open(settings: &settings::TargetSettings, events: &Sink) -> Result<Self> {
        let url = ConnectionUrl::of(settings)?;
        let run_id = new_run_id();
        let name = format!("scalingo-staging-sync {run_id}");
        let sessions = settings.parallel_connections.max(1);
        let connector = Connector::new(url, name, sessions, events)?;
        let control = Arc::new(connector.connect().await?);
        let facts = facts(&control, events).await?;
        take_lock(&control).await?;
        let leftover = state::undo_leftover(&control).await?;
        forced::put_back(&control).await?;
        if !settings.terminate_connections {
            guard::refuse_others(&control, connector.application_name()).await?;
        }
        let idle = Idle::default();
        let guard = Guard::start(Arc::clone(&control), Arc::clone(&connector), Arc::clone(&idle));
        Ok(Self {
            // A piece that waits, one that is masked, its masked form, and one on its way, per connection.
            buffers: Buffers::new(4 * sessions + 4),
            settings: settings.clone(),
            events: events.clone(),
            connector,
            control,
            guard,
            idle,
            facts,
            run_id,
            leftover,
            missing: Missing::default(),
            most_sessions: AtomicUsize::new(sessions),
            unforced: AtomicBool::new(false),
        })
    }

    /// The run's name: a time (UTC) and a few random digits. Sessions are called `scalingo-staging-sync <run id>`.
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// What the server has refused so far, and what is left out because it depends on that.
    pub fn left_out(&self) -> Vec<LeftOut> {
        self.missing.all()
    }

    /// What the target's URL says.
    pub(crate) fn url(&self) -> &ConnectionUrl {
        self.connector.url()
    }

    /// Buffers for pieces of rows. What fills [`Item::Rows`](super::Item::Rows) takes them here; they come back by themselves.
    pub fn buffers(&self) -> Buffers {
        self.buffers.clone()
    }

    /// Notes how the run ended in the gem's history, where that is there. A record that cannot be written fails
    /// nothing.
    pub(crate) async fn record(&self, job: &JobRecord, outcome: &RunOutcome) {
        let written = state::record_end(
            &self.control,
            &self.run_id,
            job,
            outcome,
            self.settings.more_to_come,
        );
        let written = tokio::time::timeout(NOTING, written).await;
        if outcome.error.is_none() && !matches!(written, Ok(Ok(()))) {
            self.events.warn(Notice::RunNotNoted);
        }
    }

    /// Ends what sessions killed runs have left, and says what was cleared, [`Target::open`] included.
    ///
    /// # Errors
    /// When the server refuses.
    pub(crate) async fn clear_leftovers(&self) -> Result<Leftover> {
        let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                   WHERE datname = current_database() AND usename = session_user \
                     AND application_name LIKE 'scalingo-staging-sync %' AND application_name <> $1";
        let row = self
            .control
            .query_one(sql, &[&self.connector.application_name()])
            .await;
        let sessions: i64 = row
            .and_then(|row| row.try_get(0))
            .map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::EndingKilledRuns), &error))?;
        Ok(Leftover {
            sessions: u64::try_from(sessions).unwrap_or(0),
            ..self.leftover.clone()
        })
    }

    /// Rows of each table as of the last run that came to its end. Only progress is measured by them, so what cannot
    /// be read is as if it were not there.
    pub(crate) async fn last_rows(&self) -> std::collections::BTreeMap<String, u64> {
        inspect::last_rows(&self.control).await.unwrap_or_default()
    }

    /// Lets the policies of tables hold for their owner, too.
    pub(crate) async fn force_row_security(&self, tables: &[TableName]) -> Result<()> {
        let each = |table: &TableName| format!("ALTER TABLE ONLY {} FORCE ROW LEVEL SECURITY", table.sql());
        let sql: Vec<String> = tables.iter().map(each).collect();
        let done = self.control.batch_execute(&sql.join("; ")).await;
        done.map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::ForcingRowSecurity), &error))
    }

    /// Lets this role see every row of its own tables despite their policies, until [`Target::close`].
    pub(crate) async fn lift_row_security(&self) -> Result<()> {
        let lifted = forced::lift(&self.control, self.settings.lock_timeout).await?;
        self.unforced.fetch_or(lifted, Ordering::Relaxed);
        Ok(())
    }

    /// The size of the target database in bytes.
    pub(crate) async fn size(&self) -> Result<u64> {
        let sql = "SELECT pg_database_size(current_database())";
        let row = self.control.query_one(sql, &[]).await;
        let size: i64 = row
            .and_then(|row| row.try_get(0))
            .map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::AskingForSize), &error))?;
        Ok(u64::try_from(size).unwrap_or(0))
    }

    /// Notes in the gem's own schema that the target is complete, or durably leaves it incomplete where the caller
    /// has [more to do](settings::TargetSettings::more_to_come): the run's very last step before [`Target::close`].
    ///
    /// # Errors
    /// [`Kind::TargetConnection`], or [`Kind::Restore`] when the server refuses.
    pub async fn mark_end(&self) -> Result<()> {
        state::mark_end(&self.control, &self.run_id, self.settings.more_to_come).await
    }

    /// Ends the run's hold on the target: other sessions may write again, the lock is released, and all sessions
    /// but the control session, which ends with this value, are closed. To be called at the end of every run, also of a failed or interrupted one. May be called
    /// twice.
    ///
    /// Takes [`CLOSING_LIMIT`] at most, however silent the server is.
    ///
    /// # Errors
    /// When the role's setting could not be put back; the next run does it then.
    pub async fn close(&self) -> Result<()> {
        let closed = tokio::time::timeout(CLOSING_LIMIT, self.put_back()).await;
        closed.unwrap_or_else(|_| {
            self.guard.stop();
            Err(Error::new(
                Kind::TargetConnection,
                SessionFailure::SilentAtClose,
                SessionRemedy::ClearUp,
            ))
        })
    }

    async fn put_back(&self) -> Result<()> {
        let idle = std::mem::take(&mut *lock(&self.idle));
        join_all(idle.into_iter().map(Session::close)).await;
        let forced = match self.unforced.swap(false, Ordering::Relaxed) {
            true => forced::put_back(&self.control).await,
            false => Ok(()),
        };
        let lifted = self.guard.lift().await;
        let unlocked = self
            .control
            .execute("SELECT pg_advisory_unlock_all()", &[])
            .await
            .map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::ReleasingLock), &error));
        self.guard.stop();
        lifted?;
        forced?;
        // A control session that is gone has released its lock.
        if self.control.is_closed() {
            return Ok(());
        }
        unlocked.map(|_| ())
    }

    /// A session of the pool, or a new one.
    pub(crate) async fn session(&self) -> Result<Session> {
        self.check_hold()?;
        let idle = lock(&self.idle).pop();
        match idle {
            Some(session) if !session.is_closed() => Ok(session),
            _ => self.connector.connect().await,
        }
    }

    /// Gives a session back, for the next phase.
    pub(crate) fn give_back(&self, session: Session) {
        if !session.is_closed() {
            lock(&self.idle).push(session);
        }
    }

    /// Fails when the control session, and with it the run's lock, is gone.
    pub(in crate::postgres) fn check_hold(&self) -> Result<()> {
        if self.control.is_closed() {
            return Err(Error::new(
                Kind::TargetConnection,
                SessionFailure::HoldBroke,
                ServerRemedy::LookAtServerLog,
            ));
        }
        Ok(())
    }

    /// How many sessions rows, indexes and ANALYZE may use at once.
    pub(in crate::postgres) fn parallel(&self) -> usize {
        self.most_sessions.load(Ordering::Relaxed)
    }

    /// Waits before the `attempt`th retry of a statement, and says whether there is one.
    pub(in crate::postgres) async fn may_retry(&self, attempt: u32) -> bool {
        may_retry(attempt, self.settings.retry_attempts, self.settings.retry_delay).await
    }
}
