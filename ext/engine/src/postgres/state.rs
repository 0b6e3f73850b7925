//! The gem's own schema in the target: one row about its state and one per run, which outlive the reset.
//!
//! It says whether what is in the database is a whole, masked copy, and what a run has changed about the role
//! and must put back. The reset never touches it.

use crate::error::{Doing, Error, Kind, Result};
use crate::failure::{Attempt, TargetFailure, TargetRemedy};
use crate::plan::{quote_identifier, quote_literal};
use crate::postgres::session::connect::Session;
use crate::postgres::session::get;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is being done, from which backup, for the gem's history of runs.
#[derive(Debug, Clone, Default)]
pub struct JobRecord {
    /// The job: `run`, `anonymize`.
    pub mode: &'static str,
    /// The fingerprint of the rules.
    pub fingerprint: Option<String>,
    /// Where the backup comes from.
    pub source: Option<String>,
    /// Scalingo's id of the backup, or the file's name.
    pub backup_id: Option<String>,
    /// When the backup was made, where known.
    pub backup_created_at: Option<String>,
}

/// What runs that were killed had left behind, and was cleared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
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
pub(crate) struct RunOutcome {
    /// Tables loaded.
    pub(crate) tables: Option<u64>,
    /// Rows loaded.
    pub(crate) rows: Option<u64>,
    /// Values replaced.
    pub(crate) masked: Option<u64>,
    /// Objects that the target refused, and what depends on them.
    pub(crate) left_out: Option<u64>,
    /// Seconds from the run's beginning.
    pub(crate) seconds: Option<f64>,
    /// The kind of the error that ended it, if one did.
    pub(crate) error: Option<Kind>,
    /// Rows by table.
    pub(crate) table_rows: BTreeMap<String, u64>,
    /// For tables taken in part: how many rows came, and how many the backup has.
    pub(crate) part_rows: BTreeMap<String, PartCounts>,
}

/// How many rows of a table come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartCounts {
    /// So many.
    pub kept: u64,
    /// Of so many in the backup.
    pub total: u64,
    /// Of those that come, so many only because rows that stay in any case need them.
    pub added: u64,
}

/// The gem's own schema.
pub(crate) const SCHEMA: &str = "scalingo_staging_sync";

/// Status of the target: `untouched` until the first reset, `incomplete` from a reset to the end of its run and of
/// what its caller has to do after it, `complete` then.
const CREATE: &str = "CREATE TABLE scalingo_staging_sync.state ( \
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), \
    status text NOT NULL DEFAULT 'untouched' CHECK (status IN ('untouched', 'incomplete', 'complete')), \
    run_id text, started_at timestamptz, finished_at timestamptz, backup_id text, backup_created_at text, \
    gem_version text, \
    role_kept_out text, previous_read_only text); \
  COMMENT ON TABLE scalingo_staging_sync.state IS \
    'What scalingo-staging-sync last did to this database. Kept by its reset.'; \
  INSERT INTO scalingo_staging_sync.state DEFAULT VALUES";

/// One row per run: the history.
const CREATE_RUNS: &str = "CREATE TABLE IF NOT EXISTS scalingo_staging_sync.runs ( \
    run_id text PRIMARY KEY, mode text NOT NULL, \
    status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'complete', 'failed')), \
    started_at timestamptz NOT NULL DEFAULT now(), finished_at timestamptz, \
    source text, backup_id text, backup_created_at text, \
    tables bigint, rows bigint, masked_values bigint, findings bigint, seconds double precision, \
    gem_version text, rules_fingerprint text, error_class text, table_rows jsonb NOT NULL DEFAULT '{}', \
    changed boolean NOT NULL DEFAULT false, left_out bigint, part_rows jsonb NOT NULL DEFAULT '{}'); \
  COMMENT ON TABLE scalingo_staging_sync.runs IS \
    'Every run of scalingo-staging-sync into this database: names and counts. Kept by its reset.'";

/// The column that says whether a run began to replace the data, for a history that was begun without it.
const ADD_CHANGED: &str =
    "ALTER TABLE scalingo_staging_sync.runs ADD COLUMN changed boolean NOT NULL DEFAULT false; \
  UPDATE scalingo_staging_sync.runs SET changed = true WHERE status = 'complete'";

/// The column that counts what a run went on without.
const ADD_LEFT_OUT: &str = "ALTER TABLE scalingo_staging_sync.runs ADD COLUMN left_out bigint";

/// The column that says how many rows of how many a subset kept.
const ADD_PART_ROWS: &str =
    "ALTER TABLE scalingo_staging_sync.runs ADD COLUMN part_rows jsonb NOT NULL DEFAULT '{}'";

/// What the role's setting becomes while a run lasts; see `guard`.
const KEEP_WRITERS_OUT: &str = "default_transaction_read_only";

fn doing(error: tokio_postgres::Error) -> Error {
    Error::from_server(Doing::WithoutRows(&Attempt::KeepingOwnSchema), &error)
}

/// Creates the schema, its table and its row where they are not there.
///
/// # Errors
/// [`Kind::Privilege`] when the role may not create schemas in the database, or another role owns this one.
pub(crate) async fn prepare(session: &Session) -> Result<()> {
    let row = session
        .query_one(
            "SELECT to_regnamespace($1::text) IS NOT NULL AS schema, to_regclass($1::text || '.state') IS NOT NULL AS state, \
               EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass($1::text || '.runs')) AND NOT EXISTS \
                 (SELECT FROM pg_attribute WHERE attrelid = to_regclass($1::text || '.runs') AND attname = 'changed') AS older, \
               EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass($1::text || '.runs')) AND NOT EXISTS \
                 (SELECT FROM pg_attribute WHERE attrelid = to_regclass($1::text || '.runs') AND attname = 'left_out') AS old, \
               EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass($1::text || '.runs')) AND NOT EXISTS \
                 (SELECT FROM pg_attribute WHERE attrelid = to_regclass($1::text || '.runs') AND attname = 'part_rows') AS whole, \
               coalesce((SELECT pg_get_userbyid(nspowner)::text FROM pg_namespace WHERE nspname = $1), '') AS owner, \
               current_user::text AS role",
            &[&SCHEMA],
        )
        .await
        .map_err(doing)?;
    let (schema, table): (bool, bool) = (get(&row, "schema")?, get(&row, "state")?);
    let add = if get(&row, "older")? { ADD_CHANGED } else { "" };
    let add_left_out = if get(&row, "old")? { ADD_LEFT_OUT } else { "" };
    let add_part_rows = if get(&row, "whole")? { ADD_PART_ROWS } else { "" };
    let (owner, role): (String, String) = (get(&row, "owner")?, get(&row, "role")?);
    // Several statements in one message are one transaction (PostgreSQL's documentation, "Message Flow").
    let sql = match (schema, table) {
        (true, true) => {
            format!("UPDATE scalingo_staging_sync.state SET status = status; {CREATE_RUNS}; {add}; {add_left_out}; {add_part_rows}")
        }
        (true, false) => format!("{CREATE}; {CREATE_RUNS}"),
        (false, _) => format!("CREATE SCHEMA {SCHEMA}; {CREATE}; {CREATE_RUNS}"),
    };
    let created = session.batch_execute(&sql).await;
    let Err(error) = created else { return Ok(()) };
    let error = doing(error);
    if error.kind != Kind::Privilege {
        return Err(error);
    }
    Err(if schema && owner != role {
        Error::new(
            Kind::Privilege,
            TargetFailure::SchemaOfOther {
                schema: SCHEMA.to_owned(),
                owner: owner.clone(),
                role,
            },
            TargetRemedy::ConnectAsOwner {
                owner,
                schema: SCHEMA.to_owned(),
            },
        )
    } else {
        Error::new(
            Kind::Privilege,
            TargetFailure::SchemaNotCreated {
                schema: SCHEMA.to_owned(),
                role,
            },
            TargetRemedy::GrantCreate,
        )
    })
}

/// Creates the schema where it is not there, without its tables: for a trial that is rolled back.
///
/// # Errors
/// When the role may not create schemas in the database.
pub(crate) async fn make_room(session: &Session) -> Result<()> {
    // `IF NOT EXISTS` asks for the right even where the schema is there.
    let sql = "SELECT pg_catalog.to_regnamespace($1) IS NULL AS missing";
    let row = session.query_one(sql, &[&SCHEMA]).await.map_err(doing)?;
    if get(&row, "missing")? {
        let sql = format!("CREATE SCHEMA {SCHEMA}");
        session.batch_execute(&sql).await.map_err(doing)?;
    }
    Ok(())
}

/// The statement that marks the target as incomplete: part of the reset's transaction.
pub(crate) async fn mark_incomplete(session: &Session, run_id: &str, job: &JobRecord) -> Result<()> {
    let sql = "WITH run AS (UPDATE scalingo_staging_sync.runs SET changed = true WHERE run_id = $1) \
               UPDATE scalingo_staging_sync.state SET status = 'incomplete', started_at = now(), \
               finished_at = NULL, run_id = $1, backup_id = $2, backup_created_at = $3, gem_version = $4";
    let version = env!("CARGO_PKG_VERSION");
    session
        .execute(sql, &[&run_id, &job.backup_id, &job.backup_created_at, &version])
        .await
        .map_err(doing)?;
    Ok(())
}

/// Marks the target as complete; where the caller has more to do in it, leaves it incomplete, as durably.
pub(crate) async fn mark_end(session: &Session, run_id: &str, more_to_come: bool) -> Result<()> {
    let becomes = if more_to_come {
        "status = status"
    } else {
        "status = 'complete', finished_at = now()"
    };
    // Durably: other commits of the run may be lost in a crash of the server until it next writes them out,
    // and this one's place in the log comes after theirs.
    let sql = format!(
        "SET synchronous_commit = on; UPDATE scalingo_staging_sync.state SET {becomes} \
         WHERE status = 'incomplete' AND run_id = '{run_id}'"
    );
    let outcome = session.simple_query(&sql).await.map_err(doing)?;
    let updated = outcome
        .iter()
        .any(|message| matches!(message, tokio_postgres::SimpleQueryMessage::CommandComplete(1)));
    if !updated {
        return Err(Error::internal(
            "A run came to its end without having reset the target.",
        ));
    }
    Ok(())
}

/// Notes that a run has begun. The table must be there.
pub(crate) async fn record_start(session: &Session, run_id: &str, job: &JobRecord) -> Result<()> {
    record(session, run_id, job, &RunOutcome::default(), "running").await
}

/// Notes how a run ended, where the history is there: a run that ends before it has prepared the gem's schema
/// leaves no trace in a database that has none. One that did not fail goes on where the caller has more to do.
pub(crate) async fn record_end(
    session: &Session,
    run_id: &str,
    job: &JobRecord,
    outcome: &RunOutcome,
    more_to_come: bool,
) -> Result<()> {
    if !may_write(session, "runs", "SELECT, INSERT, UPDATE").await? {
        return Ok(());
    }
    let status = match (&outcome.error, more_to_come) {
        (Some(_), _) => "failed",
        (None, true) => "running",
        (None, false) => "complete",
    };
    record(session, run_id, job, outcome, status).await?;
    // The row was made when the target was first touched, which may be long after the run began.
    let sql = "UPDATE scalingo_staging_sync.runs SET started_at = \
                 least(started_at, clock_timestamp() - make_interval(secs => coalesce(seconds, 0))), \
                 finished_at = CASE WHEN status <> 'running' THEN clock_timestamp() END \
               WHERE run_id = $1";
    session.execute(sql, &[&run_id]).await.map_err(doing)?;
    Ok(())
}

async fn record(
    session: &Session,
    run_id: &str,
    job: &JobRecord,
    outcome: &RunOutcome,
    status: &str,
) -> Result<()> {
    let sql = "INSERT INTO scalingo_staging_sync.runs AS r \
                 (run_id, mode, status, source, backup_id, backup_created_at, gem_version, rules_fingerprint, \
                  tables, rows, masked_values, seconds, error_class, table_rows, left_out, part_rows) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14::text::jsonb, $15, $16::text::jsonb) \
               ON CONFLICT (run_id) DO UPDATE SET status = excluded.status, \
                 source = excluded.source, backup_id = excluded.backup_id, \
                 backup_created_at = excluded.backup_created_at, tables = excluded.tables, rows = excluded.rows, \
                 masked_values = excluded.masked_values, seconds = excluded.seconds, \
                 error_class = excluded.error_class, table_rows = excluded.table_rows, left_out = excluded.left_out, \
                 part_rows = excluded.part_rows";
    let unwritten = |_| Error::internal("The counts of rows could not be written as JSON.");
    let table_rows = serde_json::to_string(&outcome.table_rows).map_err(unwritten)?;
    let part_rows = serde_json::to_string(&outcome.part_rows).map_err(unwritten)?;
    let number = |count: Option<u64>| count.map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    let version = env!("CARGO_PKG_VERSION");
    session
        .execute(
            sql,
            &[
                &run_id,
                &job.mode,
                &status,
                &job.source,
                &job.backup_id,
                &job.backup_created_at,
                &version,
                &job.fingerprint,
                &number(outcome.tables),
                &number(outcome.rows),
                &number(outcome.masked),
                &outcome.seconds,
                &outcome.error.map(Kind::name),
                &table_rows,
                &number(outcome.left_out),
                &part_rows,
            ],
        )
        .await
        .map_err(doing)?;
    Ok(())
}

/// Whether a table of the gem's own schema is there and the role has these rights on it.
async fn may_write(session: &Session, table: &str, rights: &str) -> Result<bool> {
    let sql = "SELECT coalesce(has_table_privilege(to_regclass($1), $2), false)";
    session
        .query_one(sql, &[&format!("{SCHEMA}.{table}"), &rights])
        .await
        .and_then(|row| row.try_get(0))
        .map_err(doing)
}

/// Makes new sessions of the role read-only by default, after noting what was set before. One transaction.
///
/// Every role may change its own settings (PostgreSQL's documentation, "ALTER ROLE"); where a platform forbids
/// it all the same, the answer is `false` and nothing is changed.
pub(crate) async fn keep_writers_out(session: &Session) -> Result<bool> {
    let alter = alter_role(session, None, &format!("SET {KEEP_WRITERS_OUT} = on")).await?;
    let sql = format!(
        "UPDATE scalingo_staging_sync.state SET role_kept_out = session_user, previous_read_only = ( \
           SELECT split_part(setting, '=', 2) FROM pg_db_role_setting, unnest(setconfig) AS setting \
           WHERE setrole = (SELECT oid FROM pg_roles WHERE rolname = session_user) \
             AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()) \
             AND split_part(setting, '=', 1) = '{KEEP_WRITERS_OUT}') \
         WHERE role_kept_out IS NULL; {alter}"
    );
    match session.batch_execute(&sql).await {
        Ok(()) => Ok(true),
        Err(error) if error.as_db_error().is_some() => Ok(false),
        Err(error) => Err(doing(error)),
    }
}

/// Puts the role's setting back. One transaction; does nothing, and says so, when nothing is to be put back.
pub(crate) async fn let_writers_in(session: &Session) -> Result<bool> {
    let sql = "SELECT previous_read_only, role_kept_out FROM scalingo_staging_sync.state \
               WHERE role_kept_out IS NOT NULL";
    let Some(row) = session.query_opt(sql, &[]).await.map_err(doing)? else {
        return Ok(false);
    };
    let previous: Option<String> = row.try_get(0).map_err(doing)?;
    // Not necessarily the role that we are now.
    let role: String = row.try_get(1).map_err(doing)?;
    let change = match previous {
        None => format!("RESET {KEEP_WRITERS_OUT}"),
        Some(value) => format!("SET {KEEP_WRITERS_OUT} = {}", quote_literal(&value)),
    };
    let alter = alter_role(session, Some(&role), &change).await?;
    let sql = format!(
        "{alter}; UPDATE scalingo_staging_sync.state SET role_kept_out = NULL, previous_read_only = NULL"
    );
    session
        .batch_execute(&sql)
        .await
        .map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::LettingOthersWrite), &error))?;
    Ok(true)
}

/// `ALTER ROLE "ada" IN DATABASE "staging" …` for a role, or for the one that this session logged in as.
async fn alter_role(session: &Session, role: Option<&str>, change: &str) -> Result<String> {
    let sql = "SELECT session_user::text, current_database()::text";
    let row = session.query_one(sql, &[]).await.map_err(doing)?;
    let login: &str = row.try_get(0).map_err(doing)?;
    let database: &str = row.try_get(1).map_err(doing)?;
    let (role, database) = (
        quote_identifier(role.unwrap_or(login)),
        quote_identifier(database),
    );
    Ok(format!("ALTER ROLE {role} IN DATABASE {database} {change}"))
}

/// Puts back what a killed run left switched on, and notes that it was killed. To be called with the run's lock
/// held, so that no other run can be under way.
pub(crate) async fn undo_leftover(session: &Session) -> Result<Leftover> {
    let mut left = Leftover::default();
    if may_write(session, "state", "SELECT, UPDATE").await? {
        left.read_only_role = let_writers_in(session).await?;
    }
    if may_write(session, "runs", "SELECT, UPDATE").await? {
        let sql = "UPDATE scalingo_staging_sync.runs SET status = 'failed', error_class = 'killed', \
                   finished_at = now() WHERE status = 'running'";
        left.runs = session.execute(sql, &[]).await.map_err(doing)?;
    }
    Ok(left)
}
