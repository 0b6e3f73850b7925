//! PostgreSQL, the target: connecting, resetting, the schema, rows, and the graph of indexes and keys.
//!
//! ```text
//! url, tls, connect   sessions, as libpq would open them
//! guard               other sessions of the same role are kept out while a run lasts
//! state               the gem's own schema: what a run leaves behind about itself
//! reset, stock        emptying the target and creating the schema, in one transaction where it fits
//! load, lane, large_objects, graph   rows in COPY streams, and what follows as soon as it can
//! sql_rules           rules that run as SQL in temporary tables before their rows are moved
//! discreet, waiting   statements over raw rows, whose errors the server does not log; rows that wait for such a one
//! in_place            rows that are there already, streamed into temporary tables
//! extensions          those that a run needs: which the target lacks, and whether its role may create them
//! look                what a dry run and a check see of a target, without changing it
//! foreign_key         keys declared at once and checked beside other work
//! unique_key          primary and unique keys built beside a table's other indexes
//! working_memory      how much memory a B-tree's build or a key's check gets
//! analyze, count, check, relations   statistics for the planner; what verification asks, and when it can
//! ```
//!
//! It knows the plan and the masks, and nothing of archives or of where they come from.

mod analyze;
mod ask;
mod buffers;
mod check;
mod choices;
mod connect;
mod constraint;
mod copying;
mod count;
pub(crate) mod describe;
mod discreet;
mod extensions;
mod foreign_key;
mod graph;
mod guard;
pub(crate) mod in_place;
mod lane;
mod large_objects;
mod load;
mod look;
mod read_back;
mod relations;
mod reset;
pub(crate) mod sql_rules;
mod state;
mod stock;
pub mod tls;
mod unique_key;
pub mod url;
mod waiting;
mod working_memory;

pub use ask::{ask, ServerCheck};
pub use buffers::Buffers;
pub use check::{Answer, Answers, Questions};
pub use extensions::{Extension, Need};
pub use load::{
    restore, restore_from, Again, Item, LoadReport, LoadedTable, Never, SqlChange, SqlColumn, Watching,
};
pub(crate) use look::connect as connect_to_look;
pub use look::{examine, look, Examination, Look, OtherSession, Privilege};
pub(crate) use read_back::read_back;

use crate::error::{Doing, Error, Kind, Result};
use crate::event::Sink;
use crate::settings;
pub(crate) use connect::Session;
use connect::{Connector, SharedConnector};
pub(crate) use copying::{raw_ways, Way};
use futures_util::future::join_all;
use guard::Guard;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_postgres::Row;

/// The key of the advisory lock that a run holds in its target database: "scalngo" and 1, as bytes. It is a
/// constant, so that runs of any version of the gem exclude one another.
const LOCK_KEY: i64 = 0x7363_616c_6e67_6f01;

/// The oldest and the newest major version of the server that this was tested with.
const VERSIONS: std::ops::RangeInclusive<u32> = 14..=18;

/// A target database that this run holds: nobody else's run can start in it until [`Target::close`].
///
/// Dropping it ends every session at once. What [`Target::close`] would have put back is then put back in the
/// background if the runtime lives on for a moment, and otherwise by the next run.
pub struct Target {
    settings: settings::Target,
    events: Sink,
    connector: SharedConnector,
    control: Arc<Session>,
    guard: Guard,
    idle: Idle,
    facts: Facts,
    run_id: String,
    backup: Mutex<Backup>,
    buffers: Buffers,
    leftover: Leftover,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target")
            .field("run_id", &self.run_id)
            .finish_non_exhaustive()
    }
}

/// Sessions that nobody uses right now.
type Idle = Arc<Mutex<Vec<Session>>>;

/// What is being done, from which backup, for the record.
#[derive(Debug, Clone, Default)]
struct Backup {
    id: Option<String>,
    created_at: Option<String>,
    source: Option<String>,
    fingerprint: Option<String>,
    mode: &'static str,
}

/// What runs that were killed had left behind, and was cleared.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Leftover {
    /// Runs that were noted as under way.
    pub runs: u64,
    /// The role's new sessions were read-only.
    pub read_only_role: bool,
    /// Sessions, with their temporary tables.
    pub sessions: u64,
}

/// How a run ended, for the record.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome {
    /// Tables loaded.
    pub(crate) tables: Option<u64>,
    /// Rows loaded.
    pub(crate) rows: Option<u64>,
    /// Values replaced.
    pub(crate) masked: Option<u64>,
    /// Seconds from the run's beginning.
    pub(crate) seconds: Option<f64>,
    /// The class of the error that ended it, if one did.
    pub(crate) error_class: Option<String>,
    /// Rows by table.
    pub(crate) table_rows: std::collections::BTreeMap<String, u64>,
}

/// How long [`Target::close`] waits for a server that does not answer.
const CLOSING_LIMIT: Duration = Duration::from_secs(10);

/// How long noting a failed run may take: an interrupted one has to end within a second.
const NOTING: Duration = Duration::from_millis(200);

/// What the server says about itself and us.
#[derive(Debug, Clone)]
struct Facts {
    /// The role that owns what we create.
    role: String,
    /// Locks that the server's lock table holds for certain.
    lock_slots: u64,
}

impl Target {
    /// Opens the control session, checks the server and takes the run's lock. Nothing is changed yet, except
    /// that what a killed run left switched on (see [`Target::close`]) is put back.
    ///
    /// # Errors
    /// [`Kind::Configuration`] for a URL that cannot be read; [`Kind::TargetConnection`] when the target cannot
    /// be reached, does not let us in, is a standby or too old; [`Kind::TargetBusy`] when another run holds the
    /// lock, or when `terminate_connections` is off and other sessions of the role are in the database.
    pub async fn open(settings: &settings::Target, events: &Sink) -> Result<Self> {
        let url = url::ConnectionUrl::of(settings)?;
        let run_id = new_run_id();
        let name = format!("scalingo-staging-sync {run_id}");
        let sessions = settings.parallel_connections.max(1);
        let connector = Arc::new(Connector::new(url, name, sessions)?);
        let control = Arc::new(connector.connect().await?);
        let facts = facts(&control, events).await?;
        take_lock(&control).await?;
        let leftover = state::undo_leftover(&control).await?;
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
            backup: Mutex::new(Backup {
                mode: "run",
                ..Backup::default()
            }),
        })
    }

    /// The run's name: a time (UTC) and a few random digits. Sessions are called `scalingo-staging-sync <run id>`.
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// What the target's URL says.
    pub(crate) fn url(&self) -> &url::ConnectionUrl {
        self.connector.url()
    }

    /// Buffers for pieces of rows. Whoever fills [`Item::Rows`] takes them here; they come back by themselves.
    pub fn buffers(&self) -> Buffers {
        self.buffers.clone()
    }

    /// Notes which backup is being restored, for the record in the gem's own schema: Scalingo's id of it or the
    /// file's name, and when it was made, where known. Written by [`Target::reset_and_create`].
    pub fn note_backup(&self, id: &str, created_at: Option<&str>) {
        let mut noted = lock(&self.backup);
        noted.id = Some(id.to_owned());
        noted.created_at = created_at.map(str::to_owned);
    }

    /// Notes what is being done (`run`, `anonymize`) and the fingerprint of the rules, for the record.
    pub fn note_job(&self, mode: &'static str, fingerprint: Option<&str>) {
        let mut noted = lock(&self.backup);
        noted.mode = mode;
        noted.fingerprint = fingerprint.map(str::to_owned);
    }

    /// Notes where the backup comes from, for the record.
    pub fn note_source(&self, origin: &str) {
        lock(&self.backup).source = Some(origin.to_owned());
    }

    /// Notes how the run ended in the gem's history, where that is there. A record that cannot be written fails
    /// nothing.
    pub(crate) async fn record(&self, outcome: &Outcome) {
        let backup = self.noted_backup();
        let written = state::record_end(
            &self.control,
            &self.run_id,
            &backup,
            outcome,
            self.settings.more_to_come,
        );
        let written = tokio::time::timeout(NOTING, written).await;
        if outcome.error_class.is_none() && !matches!(written, Ok(Ok(()))) {
            self.events
                .warn("The run could not be noted in the gem's history of runs.");
        }
    }

    /// Ends what sessions killed runs have left, and says what was cleared, [`Target::open`] included.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn clear_leftovers(&self) -> Result<Leftover> {
        let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                   WHERE datname = current_database() AND usename = session_user \
                     AND application_name LIKE 'scalingo-staging-sync %' AND application_name <> $1";
        let row = self
            .control
            .query_one(sql, &[&self.connector.application_name()])
            .await;
        let sessions: i64 = row.and_then(|row| row.try_get(0)).map_err(|error| {
            Error::from_server(Doing::WithoutRows("ending sessions of killed runs"), &error)
        })?;
        Ok(Leftover {
            sessions: u64::try_from(sessions).unwrap_or(0),
            ..self.leftover.clone()
        })
    }

    /// Rows of each table as of the last run that came to its end. Only progress is measured by them, so what cannot
    /// be read is as if it were not there.
    pub(crate) async fn last_rows(&self) -> std::collections::BTreeMap<String, u64> {
        look::last_rows(&self.control).await.unwrap_or_default()
    }

    /// The size of the target database in bytes.
    pub(crate) async fn size(&self) -> Result<u64> {
        let sql = "SELECT pg_database_size(current_database())";
        let row = self.control.query_one(sql, &[]).await;
        let size: i64 = row.and_then(|row| row.try_get(0)).map_err(|error| {
            Error::from_server(Doing::WithoutRows("asking for the target's size"), &error)
        })?;
        Ok(u64::try_from(size).unwrap_or(0))
    }

    fn noted_backup(&self) -> Backup {
        lock(&self.backup).clone()
    }

    /// Notes in the gem's own schema that the target is complete, or durably leaves it incomplete where the caller
    /// has [more to do](settings::Target::more_to_come): the run's very last step before [`Target::close`].
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
                "The target's server did not answer while the run's connections were being closed.",
                "Until the next run, or `rake scalingo_staging_sync:cleanup`, the app's new sessions may be read-only.",
            ))
        })
    }

    async fn put_back(&self) -> Result<()> {
        let idle = std::mem::take(&mut *lock(&self.idle));
        join_all(idle.into_iter().map(Session::close)).await;
        let lifted = self.guard.lift().await;
        let unlocked = self
            .control
            .execute("SELECT pg_advisory_unlock_all()", &[])
            .await
            .map_err(|error| Error::from_server(Doing::WithoutRows("releasing the run's lock"), &error));
        self.guard.stop();
        lifted?;
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
    fn check_hold(&self) -> Result<()> {
        if self.control.is_closed() {
            return Err(Error::new(
                Kind::TargetConnection,
                "The connection that holds the target for this run broke.",
                "Run it again; if it happens again, look at the database's own log.",
            ));
        }
        Ok(())
    }

    /// How many sessions rows, indexes and ANALYZE may use at once.
    fn parallel(&self) -> usize {
        self.settings.parallel_connections.max(1)
    }

    /// Waits before the `attempt`th retry of a statement, and says whether there is one.
    async fn may_retry(&self, attempt: u32) -> bool {
        may_retry(attempt, self.settings.retry_attempts, self.settings.retry_delay).await
    }
}

/// Locks a mutex; one that a panicking thread held is as good as any, since each holds a plain value.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits before the `attempt`th of `attempts` retries, twice as long as before the one before, and says whether
/// there is one. `delay`: seconds before the first.
async fn may_retry(attempt: u32, attempts: u32, delay: f64) -> bool {
    if attempt > attempts {
        return false;
    }
    let doubled = f64::from(2u32.saturating_pow(attempt.saturating_sub(1).min(10)));
    // Up to a quarter more, so that two that met do not meet again.
    let jitter = 1.0 + (RandomState::new().hash_one(attempt) % 256) as f64 / 1024.0;
    let seconds = (delay.max(0.0) * doubled * jitter).min(60.0);
    tokio::time::sleep(Duration::try_from_secs_f64(seconds).unwrap_or_default()).await;
    true
}

/// A failure that may pass when the statement is tried again: deadlock, serialization, lock timeout.
fn is_passing(error: &tokio_postgres::Error) -> bool {
    error
        .code()
        .is_some_and(|code| matches!(code.code(), "40P01" | "40001" | "55P03"))
}

/// Whether the server refused something that it may lack the files or the role the right for: insufficient
/// privilege, undefined file, feature not supported, invalid parameter value.
fn is_refusal(error: &tokio_postgres::Error) -> bool {
    error
        .code()
        .is_some_and(|code| matches!(code.code(), "42501" | "58P01" | "0A000" | "22023"))
}

fn new_run_id() -> String {
    // RandomState is seeded at random; eight digits tell two runs of one second apart.
    let random = RandomState::new().hash_one(std::process::id()) & 0xffff_ffff;
    format!(
        "{}-{random:08x}",
        jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S")
    )
}

async fn facts(control: &Session, events: &Sink) -> Result<Facts> {
    let sql = "SELECT current_setting('server_version_num')::int4 AS version, pg_is_in_recovery() AS standby, \
                 current_user::text AS role, \
                 current_setting('max_locks_per_transaction')::int8 \
                   * (current_setting('max_connections')::int8 + current_setting('max_prepared_transactions')::int8) \
                   AS lock_slots";
    let row = control
        .query_one(sql, &[])
        .await
        .map_err(|error| Error::from_server(Doing::WithoutRows("looking at the server"), &error))?;
    let version: i32 = get(&row, "version")?;
    let major = u32::try_from(version / 10_000).unwrap_or(0);
    if major < *VERSIONS.start() {
        return Err(Error::new(
            Kind::TargetConnection,
            format!("The target runs PostgreSQL {major}, which is too old."),
            format!("Upgrade it to PostgreSQL {} or newer.", VERSIONS.start()),
        ));
    }
    if major > *VERSIONS.end() {
        events.warn(format!(
            "The target runs PostgreSQL {major}, which this version of the gem was not tested with."
        ));
    }
    if get(&row, "standby")? {
        return Err(Error::new(
            Kind::TargetConnection,
            "The target is a standby server, which cannot be written to.",
            "Let DATABASE_URL point at the primary server.",
        ));
    }
    let lock_slots: i64 = get(&row, "lock_slots")?;
    Ok(Facts {
        role: get(&row, "role")?,
        lock_slots: u64::try_from(lock_slots).unwrap_or(6_400),
    })
}

async fn take_lock(control: &Session) -> Result<()> {
    let doing = "taking the run's lock";
    // A run that was stopped a moment ago may take the server a moment to notice.
    for attempt in 0..3 {
        if attempt > 0 {
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
        let row = control
            .query_one("SELECT pg_try_advisory_lock($1)", &[&LOCK_KEY])
            .await;
        if row
            .and_then(|row| row.try_get(0))
            .map_err(|error| Error::from_server(Doing::WithoutRows(doing), &error))?
        {
            return Ok(());
        }
    }
    // How pg_locks shows a key of 64 bits: PostgreSQL's documentation, "pg_locks".
    let sql = "SELECT coalesce(string_agg(format('process %s%s%s', l.pid, \
                   ', ' || nullif(a.application_name, ''), \
                   ', since ' || to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC'), '; '), \
                 'it has just ended') \
               FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid \
               WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
                 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
                 AND (l.classid::int8 << 32) | l.objid::int8 = $1";
    let row = control.query_one(sql, &[&LOCK_KEY]).await;
    let holder: String = row
        .and_then(|row| row.try_get(0))
        .map_err(|error| Error::from_server(Doing::WithoutRows(doing), &error))?;
    Err(Error::new(
        Kind::TargetBusy,
        format!("Another run is under way in this database ({holder})."),
        "Wait until it has ended, or end it, and run again.",
    ))
}

/// A column of a row that we asked for ourselves.
fn get<'a, T: tokio_postgres::types::FromSql<'a>>(row: &'a Row, column: &str) -> Result<T> {
    row.try_get(column)
        .map_err(|_| Error::internal(format!("The server's answer lacks {column}.")))
}
