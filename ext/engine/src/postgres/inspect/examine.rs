//! What a run needs of a target, tried in miniature, each in a transaction that is rolled back.

use super::connect;
use crate::error::{Doing, Error, Result};
use crate::event::Sink;
use crate::failure::{Attempt, Right, RightRemedy};
use crate::postgres::session::url::ConnectionUrl;
use crate::postgres::session::{facts, get};
use crate::settings;
use crate::text::Text;
use serde::Serialize;

/// What a run needs of a target, tried.
#[derive(Debug, Clone, Serialize)]
pub struct Examination {
    /// The database's name.
    pub database: String,
    /// The role.
    pub role: String,
    /// The server's version.
    pub server_version: String,
    /// The TLS version of the connection; None without TLS.
    pub tls: Option<String>,
    /// Each privilege.
    pub privileges: Vec<Privilege>,
}

/// One thing that a run does, tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Privilege {
    /// What was tried.
    pub name: Text,
    /// Whether it worked.
    pub granted: bool,
    /// A run can do without it.
    pub optional: bool,
    /// What to do where it did not work.
    pub remedy: Text,
}

/// A trial: of what, what it runs, whether a run can do without, and what to do when it fails.
type Trial = (Right, &'static str, bool, RightRemedy);

/// What a run does to a target, in miniature. Each is rolled back.
const TRIALS: &[Trial] = &[
    (
        Right::CreateSchema,
        "CREATE SCHEMA scalingo_staging_sync_trial",
        false,
        RightRemedy::GrantOnDatabase,
    ),
    (
        Right::CreateAllInPublic,
        "CREATE TABLE public.scalingo_staging_sync_trial (id serial PRIMARY KEY, parent int); \
         ALTER TABLE public.scalingo_staging_sync_trial ADD FOREIGN KEY (parent) REFERENCES public.scalingo_staging_sync_trial; \
         CREATE TYPE public.scalingo_staging_sync_trial_type AS ENUM ('a'); \
         CREATE FUNCTION public.scalingo_staging_sync_trial() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; \
         CREATE TRIGGER trial BEFORE INSERT ON public.scalingo_staging_sync_trial EXECUTE FUNCTION public.scalingo_staging_sync_trial()",
        false,
        RightRemedy::GrantUseOfPublic,
    ),
    (
        Right::WriteOwnSchema,
        "DO $$ BEGIN IF to_regclass('scalingo_staging_sync.state') IS NOT NULL THEN \
           EXECUTE 'UPDATE scalingo_staging_sync.state SET status = status'; END IF; END $$",
        false,
        RightRemedy::OwnSchemasOwner,
    ),
    (
        Right::CreateTemporary,
        "CREATE TEMPORARY TABLE scalingo_staging_sync_trial (id int) ON COMMIT DROP",
        false,
        RightRemedy::GrantTemporary,
    ),
    (
        Right::CreateLargeObjects,
        "SELECT lo_create(0)",
        true,
        RightRemedy::ForLargeObjects,
    ),
    (
        Right::EndSessions,
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE false",
        false,
        RightRemedy::LetTerminate,
    ),
    (
        Right::MakeReadOnly,
        "DO $$ BEGIN EXECUTE format('ALTER ROLE %I IN DATABASE %I SET default_transaction_read_only = on', \
           session_user, current_database()); END $$",
        true,
        RightRemedy::StopWorkers,
    ),
];

/// Tries what a run needs of a target, each in a transaction that is rolled back.
///
/// # Errors
/// When the target cannot be reached, or the connection breaks.
pub async fn examine(settings: &settings::TargetSettings) -> Result<Examination> {
    let url = ConnectionUrl::of(settings)?;
    let session = connect(url.clone()).await?;
    let doing = |error| Error::from_server(Doing::WithoutRows(&Attempt::TryingPrivileges), &error);
    facts(&session, &Sink::silent()).await?;
    let sql = "SELECT current_database()::text AS database, current_user::text AS role, \
                 current_setting('server_version') AS version, \
                 (SELECT CASE WHEN ssl THEN version END FROM pg_stat_ssl WHERE pid = pg_backend_pid()) AS tls";
    let row = session.query_one(sql, &[]).await.map_err(doing)?;
    let mut examination = Examination {
        database: get(&row, "database")?,
        role: get(&row, "role")?,
        server_version: get(&row, "version")?,
        tls: get(&row, "tls")?,
        privileges: Vec::new(),
    };
    for (name, sql, optional, remedy) in TRIALS {
        // One message, one transaction, which the server itself ends when a statement in it fails.
        let tried = session.batch_execute(&format!("BEGIN; {sql}")).await;
        session.batch_execute("ROLLBACK").await.map_err(doing)?;
        examination.privileges.push(Privilege {
            name: name.into(),
            granted: tried.is_ok(),
            optional: *optional,
            remedy: remedy.into(),
        });
    }
    let sessions = settings.parallel_connections.max(1) + 1;
    let opened = open_together(&url, sessions).await;
    examination.privileges.push(Privilege {
        name: Right::OpenConnections.into(),
        granted: opened,
        // The app's own sessions, which a run ends, count here.
        optional: true,
        remedy: RightRemedy::FewerOrStopApp.into(),
    });
    session.close().await;
    Ok(examination)
}

/// Whether the server lets the role have so many sessions at once, the one that is there already among them.
async fn open_together(url: &ConnectionUrl, sessions: usize) -> bool {
    let mut opened = Vec::with_capacity(sessions);
    while opened.len() + 1 < sessions {
        let Ok(session) = connect(url.clone()).await else {
            break;
        };
        opened.push(session);
    }
    let all = opened.len() + 1 == sessions;
    for session in opened {
        session.close().await;
    }
    all
}
