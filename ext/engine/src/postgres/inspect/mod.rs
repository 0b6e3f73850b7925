//! What a dry run and a check see of a target. [`inspect()`] only reads, in a read-only transaction; [`examine`] tries
//! what a run needs, each in a transaction that is rolled back.

pub(in crate::postgres) mod ask;
pub(crate) mod catalogue;
pub(in crate::postgres) mod connections;
pub(in crate::postgres) mod count;
pub(in crate::postgres) mod examine;
pub(in crate::postgres) mod extensions;
mod foresight;
pub(in crate::postgres) mod inventory;
pub(in crate::postgres) mod relations;

use crate::error::{Doing, Error, Kind, Result};
use crate::event::Sink;
use crate::failure::SessionFailure;
use crate::failure::{Attempt, Right, RightFailure, RightRemedy};
use crate::plan::Plan;
use crate::postgres::session::connect::{Connector, Session};
use crate::postgres::session::url::ConnectionUrl;
use crate::postgres::session::{busy, facts, get, new_run_id, LOCK_KEY};
use crate::postgres::state::PartCounts;
use crate::settings;
use crate::text::Text;
use extensions::Extension;
use pg_dump_archive::EntryKind;
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};

/// So many tables are named, at most.
const NAMED: usize = 1000;

/// What is in a target, and what a run would do to it.
#[derive(Debug, Clone, Serialize)]
pub struct Inspection {
    /// The database's name.
    pub database: String,
    /// The role that would own what a run creates.
    pub role: String,
    /// The server's version.
    pub server_version: String,
    /// The database's size in bytes.
    pub size: u64,
    /// What the last run left: `untouched`, `incomplete`, `complete`.
    pub state: String,
    /// Objects that the reset would drop, counted by kind.
    pub drops: BTreeMap<String, u64>,
    /// The tables among them, up to 1,000.
    pub dropped_tables: Vec<String>,
    /// Tables that would be dropped and that the backup does not have, so that no run brings them back; up to 1,000.
    pub lost_tables: Vec<String>,
    /// Large objects that the reset would unlink.
    pub large_objects: u64,
    /// Sessions of the same role that a run would end.
    pub sessions: Vec<OtherSession>,
    /// Extensions of the backup, and the one that `config.postgis` asks for, that the target lacks.
    pub missing_extensions: Vec<Extension>,
    /// Rows of each table as of the last run that came to its end.
    #[serde(skip)]
    pub last_rows: BTreeMap<String, u64>,
    /// For tables that the run took in part: how many rows came, and how many the backup has.
    #[serde(skip)]
    pub last_part: BTreeMap<String, PartCounts>,
    /// What would end a run here.
    #[serde(skip)]
    pub problems: Vec<Error>,
    /// What a run would go on without, or more slowly.
    #[serde(skip)]
    pub warnings: Vec<Text>,
}

/// Another session of the target's role. Never what it runs: that can hold data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OtherSession {
    /// The server's process.
    pub pid: i32,
    /// What it calls itself.
    pub application_name: String,
    /// Since when it is connected, in UTC.
    pub since: String,
}

/// Looks at the target, and at what `plan` would do there. Changes nothing and takes no lock.
///
/// # Errors
/// When the target cannot be reached or read; what would end a run is in [`Inspection::problems`].
pub async fn inspect(
    url: ConnectionUrl,
    settings: &settings::TargetSettings,
    plan: Option<&Plan>,
    events: &Sink,
) -> Result<Inspection> {
    let session = connect(url).await?;
    let doing = |error| Error::from_server(Doing::WithoutRows(&Attempt::LookingAtTarget), &error);
    let facts = facts(&session, events).await?;
    session
        .batch_execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await
        .map_err(doing)?;
    let owned = inventory::take(&session).await?;
    let mut seen = base(&session).await?;
    for object in &owned.objects {
        *seen.drops.entry(object.kind.to_lowercase()).or_default() += 1;
    }
    seen.dropped_tables = owned.tables().take(NAMED).map(str::to_owned).collect();
    seen.large_objects = owned.large_objects;
    seen.sessions = other_sessions(&session).await?;
    if seen.state != "untouched" {
        (seen.last_rows, seen.last_part) = last_counts(&session).await?;
    }
    seen.problems
        .extend(inventory::refuse_losses(&session, &facts).await.err());
    if let Some(plan) = plan {
        seen.lost_tables = lost_tables(owned.tables(), plan);
        let oids = &plan.large_objects.oids;
        seen.problems
            .extend(inventory::refuse_taken_oids(&session, oids).await.err());
        seen.problems
            .extend(extensions::refuse_misplaced(&session, plan).await.err());
        match connections::shortage(&session, settings, plan).await? {
            Some(connections::Shortage::TooFew(error)) => seen.problems.push(error),
            Some(connections::Shortage::Slower(warning)) => seen.warnings.push(warning.into()),
            None => {}
        }
        foresight::look(&session, plan, &mut seen).await?;
    }
    seen.missing_extensions = extensions::missing(&session, plan, settings.postgis).await?;
    seen.problems
        .extend(seen.missing_extensions.iter().filter_map(Extension::problem));
    seen.problems.extend(missing_rights(&session).await?);
    if another_run(&session).await? {
        seen.problems.push(busy::another_run(Vec::new()));
    }
    if !settings.terminate_connections && !seen.sessions.is_empty() {
        seen.problems
            .push(busy::other_sessions(SessionFailure::SomeSessions));
    }
    session.batch_execute("ROLLBACK").await.map_err(doing)?;
    session.close().await;
    Ok(seen)
}

/// The tables that the plan does not make anew. PostgreSQL quotes names where it must and pg_dump never does.
fn lost_tables<'a>(dropped: impl Iterator<Item = &'a str>, plan: &Plan) -> Vec<String> {
    let bare = |name: &str| name.replace('"', "");
    let made: HashSet<String> = plan
        .schema
        .iter()
        .filter(|statement| matches!(statement.kind, EntryKind::Table))
        .map(|statement| bare(&statement.name))
        .collect();
    let lost = dropped.filter(|name| !made.contains(&bare(name)));
    lost.take(NAMED).map(str::to_owned).collect()
}

/// A session for looking alone.
pub(crate) async fn connect(url: ConnectionUrl) -> Result<Session> {
    let name = format!("scalingo-staging-sync {}", new_run_id());
    Connector::new(url, name, 1, &Sink::silent())?.connect().await
}

async fn base(session: &Session) -> Result<Inspection> {
    let doing = |error| Error::from_server(Doing::WithoutRows(&Attempt::LookingAtTarget), &error);
    let sql = "SELECT current_database()::text AS database, current_user::text AS role, \
                 current_setting('server_version') AS version, pg_database_size(current_database()) AS size, \
                 coalesce(has_table_privilege(to_regclass('scalingo_staging_sync.state'), 'SELECT'), false) AS stated";
    let row = session.query_one(sql, &[]).await.map_err(doing)?;
    let size: i64 = get(&row, "size")?;
    let mut seen = Inspection {
        database: get(&row, "database")?,
        role: get(&row, "role")?,
        server_version: get(&row, "version")?,
        size: u64::try_from(size).unwrap_or(0),
        state: "untouched".into(),
        drops: BTreeMap::new(),
        dropped_tables: Vec::new(),
        lost_tables: Vec::new(),
        large_objects: 0,
        sessions: Vec::new(),
        missing_extensions: Vec::new(),
        last_rows: BTreeMap::new(),
        last_part: BTreeMap::new(),
        problems: Vec::new(),
        warnings: Vec::new(),
    };
    if get(&row, "stated")? {
        let sql = "SELECT status FROM scalingo_staging_sync.state";
        if let Some(row) = session.query_opt(sql, &[]).await.map_err(doing)? {
            seen.state = get(&row, "status")?;
        }
    }
    Ok(seen)
}

async fn other_sessions(session: &Session) -> Result<Vec<OtherSession>> {
    let sql = "SELECT pid, coalesce(application_name, '') AS name, \
                 to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS since \
               FROM pg_stat_activity WHERE datname = current_database() AND usename = session_user \
                 AND backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY backend_start";
    let rows = session
        .query(sql, &[])
        .await
        .map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::LookingForOtherSessions), &error))?;
    let others = rows.iter().map(|row| {
        Ok(OtherSession {
            pid: get(row, "pid")?,
            application_name: get(row, "name")?,
            since: get(row, "since")?,
        })
    });
    others.collect()
}

/// Rows of each table as of the last run that came to its end.
pub(in crate::postgres) async fn last_rows(session: &Session) -> Result<BTreeMap<String, u64>> {
    Ok(last_counts(session).await?.0)
}

/// The same, and of how many, where only some came.
async fn last_counts(session: &Session) -> Result<(BTreeMap<String, u64>, BTreeMap<String, PartCounts>)> {
    let doing = |error| Error::from_server(Doing::WithoutRows(&Attempt::ReadingHistory), &error);
    let sql =
        "SELECT coalesce(has_table_privilege(to_regclass('scalingo_staging_sync.runs'), 'SELECT'), false)";
    let there: bool = session
        .query_one(sql, &[])
        .await
        .and_then(|row| row.try_get(0))
        .map_err(doing)?;
    if !there {
        return Ok(Default::default());
    }
    // The column may not be there yet.
    let sql = "SELECT table_rows::text AS counts, coalesce((to_jsonb(r) -> 'part_rows')::text, '{}') AS part \
               FROM scalingo_staging_sync.runs r WHERE status = 'complete' AND mode = 'run' ORDER BY started_at DESC LIMIT 1";
    let Some(row) = session.query_opt(sql, &[]).await.map_err(doing)? else {
        return Ok(Default::default());
    };
    let (counts, part): (String, String) = (get(&row, "counts")?, get(&row, "part")?);
    let read = serde_json::from_str(&counts).unwrap_or_default();
    Ok((read, serde_json::from_str(&part).unwrap_or_default()))
}

/// The rights without which every run ends, as the catalog has them; [`examine`] tries more.
async fn missing_rights(session: &Session) -> Result<Vec<Error>> {
    let sql = "SELECT has_database_privilege(current_database(), 'CREATE') \
                   OR to_regnamespace('scalingo_staging_sync') IS NOT NULL AS schemas, \
                 coalesce(has_schema_privilege(to_regnamespace('public')::oid, 'CREATE'), true) AS public";
    let row = session
        .query_one(sql, &[])
        .await
        .map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::LookingAtRights), &error))?;
    let rights: [(bool, Right, RightRemedy); 2] = [
        (
            get(&row, "schemas")?,
            Right::CreateSchemas,
            RightRemedy::GrantOnDatabase,
        ),
        (
            get(&row, "public")?,
            Right::CreateInPublic,
            RightRemedy::GrantOnPublic,
        ),
    ];
    let missing = rights.into_iter().filter(|(granted, ..)| !granted);
    let missing = missing
        .map(|(_, right, remedy)| Error::new(Kind::Privilege, RightFailure::Missing { right }, remedy));
    Ok(missing.collect())
}

async fn another_run(session: &Session) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 \
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
                 AND (classid::int8 << 32) | objid::int8 = $1)";
    session
        .query_one(sql, &[&LOCK_KEY])
        .await
        .and_then(|row| row.try_get(0))
        .map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::LookingForAnotherRun), &error))
}
