//! Sessions: how they are opened, what the server says about itself, and the run's lock.

pub(crate) mod ahead;
mod answers;
pub(in crate::postgres) mod busy;
pub(in crate::postgres) mod connect;
mod opened;
pub(in crate::postgres) mod processes;
mod settings;
mod startup;
mod talk;
pub mod tls;
mod unreachable;
pub mod url;
mod watch;

use crate::error::{Doing, Error, Kind, Result};
use crate::event::Sink;
use crate::failure::Attempt;
use crate::failure::{SessionFailure, SessionRemedy};
use crate::notice::Notice;
use connect::Session;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_postgres::Row;

/// Sessions that no work uses right now.
pub(in crate::postgres) type Idle = Arc<Mutex<Vec<Session>>>;

/// The key of the advisory lock that a run holds in its target database: "scalngo" and 1, as bytes. It is a
/// constant, so that runs of any version of the gem exclude one another.
pub(in crate::postgres) const LOCK_KEY: i64 = 0x7363_616c_6e67_6f01;

/// The oldest and the newest major version of the server that this was tested with.
const VERSIONS: std::ops::RangeInclusive<u32> = 14..=18;

/// What the server says about itself and us.
#[derive(Debug, Clone)]
pub(in crate::postgres) struct Facts {
    /// The role that owns what we create.
    pub(in crate::postgres) role: String,
    /// Locks that the server's lock table holds for certain.
    pub(in crate::postgres) lock_slots: u64,
    /// Whether the database has PL/pgSQL, as it has unless it was dropped.
    pub(in crate::postgres) plpgsql: bool,
}

/// Locks a mutex; one that a panicking thread held is as good as any, since each holds a plain value.
pub(in crate::postgres) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits before the `attempt`th of `attempts` retries, twice as long as before the one before, and says whether
/// there is one. `delay`: seconds before the first.
pub(in crate::postgres) async fn may_retry(attempt: u32, attempts: u32, delay: f64) -> bool {
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
pub(in crate::postgres) fn is_passing(error: &tokio_postgres::Error) -> bool {
    error
        .code()
        .is_some_and(|code| matches!(code.code(), "40P01" | "40001" | "55P03"))
}

/// Whether the server refused something that it may lack the files or the role the right for: insufficient
/// privilege, undefined file, feature not supported, invalid parameter value.
pub(in crate::postgres) fn is_refusal(error: &tokio_postgres::Error) -> bool {
    error
        .code()
        .is_some_and(|code| matches!(code.code(), "42501" | "58P01" | "0A000" | "22023"))
}

/// Whether something was not found that another `search_path` may find.
pub(in crate::postgres) fn is_not_found(error: &tokio_postgres::Error) -> bool {
    error
        .code()
        .is_some_and(|code| names_what_is_not_there(code.code()))
}

/// Whether a code of PostgreSQL's says that a function, a table, a type, a column or a schema is not there.
pub(in crate::postgres) fn names_what_is_not_there(sqlstate: &str) -> bool {
    matches!(sqlstate, "42883" | "42P01" | "42704" | "42703" | "3F000")
}

/// A run's name: a time (UTC) and a few random digits.
pub(crate) fn new_run_id() -> String {
    // RandomState is seeded at random; eight digits distinguish two runs of one second.
    let random = RandomState::new().hash_one(std::process::id()) & 0xffff_ffff;
    format!(
        "{}-{random:08x}",
        jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S")
    )
}

pub(in crate::postgres) async fn facts(control: &Session, events: &Sink) -> Result<Facts> {
    let sql = "SELECT current_setting('server_version_num')::int4 AS version, pg_is_in_recovery() AS standby, \
                 current_user::text AS role, \
                 current_setting('max_locks_per_transaction')::int8 \
                   * (current_setting('max_connections')::int8 + current_setting('max_prepared_transactions')::int8) \
                   AS lock_slots, \
                 EXISTS (SELECT FROM pg_language WHERE lanname = 'plpgsql') AS plpgsql";
    let row = control
        .query_one(sql, &[])
        .await
        .map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::LookingAtServer), &error))?;
    let version: i32 = get(&row, "version")?;
    let major = u32::try_from(version / 10_000).unwrap_or(0);
    if major < *VERSIONS.start() {
        return Err(Error::new(
            Kind::TargetConnection,
            SessionFailure::TooOld {
                version: major.to_string(),
            },
            SessionRemedy::Upgrade {
                version: VERSIONS.start().to_string(),
            },
        ));
    }
    if major > *VERSIONS.end() {
        let version = major.to_string();
        events.warn(Notice::NewerPostgresql { version });
    }
    if get(&row, "standby")? {
        return Err(Error::new(
            Kind::TargetConnection,
            SessionFailure::Standby,
            SessionRemedy::PointAtPrimary,
        ));
    }
    let lock_slots: i64 = get(&row, "lock_slots")?;
    Ok(Facts {
        role: get(&row, "role")?,
        lock_slots: u64::try_from(lock_slots).unwrap_or(6_400),
        plpgsql: get(&row, "plpgsql")?,
    })
}

pub(in crate::postgres) async fn take_lock(control: &Session) -> Result<()> {
    let doing = &Attempt::TakingLock;
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
    let sql = "SELECT array_agg(l.pid) AS pids, array_agg(a.application_name) AS programs, \
                 array_agg(to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS \"UTC\"')) AS connected \
               FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid \
               WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
                 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
                 AND (l.classid::int8 << 32) | l.objid::int8 = $1";
    let row = control.query_one(sql, &[&LOCK_KEY]).await;
    let holders = row
        .and_then(|row| processes::processes(&row))
        .map_err(|error| Error::from_server(Doing::WithoutRows(doing), &error))?;
    Err(busy::another_run(holders))
}

/// A column of a row that we asked for ourselves.
pub(in crate::postgres) fn get<'a, T: tokio_postgres::types::FromSql<'a>>(
    row: &'a Row,
    column: &str,
) -> Result<T> {
    row.try_get(column)
        .map_err(|_| Error::internal(format!("The server's answer lacks {column}.")))
}
