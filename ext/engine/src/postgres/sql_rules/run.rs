//! A group of rules in SQL is run: its statements on the rows that were copied, and its transaction's end.

use super::changes::Finished;
use super::failure::{discreetly, plainly, RuleFailure};
use super::{statement, temporary, waiting};
use crate::error::{Doing, Error, Kind, Result};
use crate::failure::{Attempt, JobRemedy, ServerFailure, TargetFailure};
use crate::plan::sql_rules::{SqlGroup, SqlRules};
use crate::plan::{quote_identifier, Plan};
use crate::postgres::session::connect::{Session, SharedConnector};
use crate::postgres::session::may_retry;
use crate::text::text;
use std::time::{Duration, Instant};

/// How long a server may take to end a session whose COMMIT got no answer.
const COMMITTING: Duration = Duration::from_secs(60);

/// How long after one look at it comes the next.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Runs a group's statements on the rows that were copied, moves the finished ones, and commits. After a failure
/// the transaction is rolled back: the real tables are empty. `connector` opens the session that asks what became of
/// a transaction whose commit got no answer.
///
/// # Errors
/// The outer one when the connection is of no more use, and nothing is committed; the inner one is the group's own
/// failure.
pub(crate) async fn run(
    session: &Session,
    connector: &SharedConnector,
    plan: &Plan,
    number: usize,
    attempts: u32,
    delay: f64,
) -> Result<Result<Finished>> {
    let outcome = run_within(session, plan, number, attempts, delay).await;
    if let Err(error) = outcome {
        if error.kind == Kind::TargetConnection {
            return Err(error);
        }
        return match session.batch_execute("ROLLBACK").await {
            Ok(()) => Ok(Err(error)),
            Err(error) => Err(ending(&error)),
        };
    }
    let transaction: String = session
        .query_one("SELECT pg_catalog.pg_current_xact_id()::text", &[])
        .await
        .and_then(|row| row.try_get(0))
        .map_err(|error| ending(&error))?;
    let Err(error) = session.batch_execute("COMMIT").await else {
        return Ok(outcome);
    };
    let error = ending(&error);
    if error.kind == Kind::TargetConnection && was_committed(connector, &transaction).await? {
        return Ok(outcome);
    }
    Err(error)
}

fn ending(error: &tokio_postgres::Error) -> Error {
    Error::from_server(Doing::WithRows(&Attempt::EndingRulesTransaction), error)
}

/// What the server says of a transaction whose COMMIT got no answer, once it has ended.
async fn was_committed(connector: &SharedConnector, transaction: &str) -> Result<bool> {
    let session = connector.connect().await?;
    let since = Instant::now();
    loop {
        let status: Option<String> = session
            .query_one(
                "SELECT pg_catalog.pg_xact_status($1::text::xid8)",
                &[&transaction],
            )
            .await
            .and_then(|row| row.try_get(0))
            .map_err(|error| ending(&error))?;
        match status.as_deref() {
            Some("committed") => return Ok(true),
            Some("in progress") if since.elapsed() < COMMITTING => tokio::time::sleep(LOOK_AGAIN).await,
            Some("in progress") => {
                return Err(Error::new(
                    Kind::Restore,
                    TargetFailure::CommitUnanswered,
                    JobRemedy::Again,
                ))
            }
            _ => return Ok(false),
        }
    }
}

/// Runs a group's statements on the rows that were copied, and moves the finished ones, within the transaction that
/// [`temporary::prepare`] prepared. What a retry can cure (deadlock, serialization, lock timeout) is tried again from a
/// savepoint, up to `attempts` times, the first after `delay` seconds.
///
/// # Errors
/// The statement's, after the last attempt.
pub(crate) async fn run_within(
    session: &Session,
    plan: &Plan,
    number: usize,
    attempts: u32,
    delay: f64,
) -> Result<Finished> {
    run_here(session, plan, number, (attempts, delay), After::Move).await
}

/// As [`run_within`], but the finished rows stay in the temporary tables.
///
/// # Errors
/// The statement's, after the last attempt.
pub(crate) async fn run_and_stay(
    session: &Session,
    plan: &Plan,
    number: usize,
    attempts: (u32, f64),
) -> Result<Finished> {
    run_here(session, plan, number, attempts, After::Stay).await
}

/// What becomes of a group's finished rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    /// They move into the real tables.
    Move,
    /// They stay where they are.
    Stay,
}

async fn run_here(
    session: &Session,
    plan: &Plan,
    number: usize,
    (attempts, delay): (u32, f64),
    after: After,
) -> Result<Finished> {
    let Some(group) = plan.sql_rules.groups.get(number) else {
        return Err(Error::internal("A group of rules in SQL is not there."));
    };
    waiting::move_in(session, group, &plan.encoding).await?;
    let mut attempt = 0;
    loop {
        let mut failure = match try_once(session, group, &plan.sql_rules, attempt > 0, after).await {
            Ok(finished) => return Ok(finished),
            Err(failure) => failure,
        };
        attempt += 1;
        if failure.passing && may_retry(attempt, attempts, delay).await {
            continue;
        }
        if failure.passing && attempts > 0 {
            let tried = ServerFailure::Tried { count: attempt };
            failure.error.what.push(text!(" ", tried));
        }
        return Err(failure.error);
    }
}

async fn try_once(
    session: &Session,
    group: &SqlGroup,
    rules: &SqlRules,
    again: bool,
    after: After,
) -> Result<Finished, RuleFailure> {
    let begin = if again {
        "ROLLBACK TO SAVEPOINT copied"
    } else {
        "SAVEPOINT copied"
    };
    plainly(session, &Attempt::PreparingRules, begin).await?;
    create_indexes(session, group).await?;
    // The statements are the team's own, so they run as the team's own sessions would run them.
    plainly(
        session,
        &Attempt::PreparingRules,
        "SET LOCAL search_path TO DEFAULT",
    )
    .await?;
    let mut finished = Finished::default();
    for statement in &group.statements {
        let Some(table) = group.tables.get(statement.table) else {
            return Err(Error::internal("A rule in SQL has no table.").into());
        };
        let changed = statement::run(session, table, statement, rules, &mut finished.warnings).await?;
        finished.changed.push(changed);
    }
    plainly(session, &Attempt::EndingRules, "SET LOCAL search_path TO ''").await?;
    if after == After::Move {
        for table in &group.tables {
            finished.rows.push(temporary::move_rows(session, table).await?);
        }
    }
    Ok(finished)
}

/// Creates what lets the statements find their rows.
async fn create_indexes(session: &Session, group: &SqlGroup) -> Result<(), RuleFailure> {
    for table in &group.tables {
        for columns in &table.indexes {
            let columns: Vec<String> = columns.iter().map(|name| quote_identifier(name)).collect();
            let sql = format!("CREATE INDEX ON {} ({})", table.temporary(), columns.join(", "));
            let doing = Attempt::IndexingTemporary {
                table: table.table.to_string(),
            };
            discreetly(session, &doing, &sql).await?;
        }
    }
    Ok(())
}
