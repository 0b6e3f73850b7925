//! What a table's own rule says of its rows: waiting rows move in, and those that it does not keep are marked, or stay out.

use super::keys::{named, KeyTable, Types};
use crate::error::{Doing, Error, Kind, Result};
use crate::failure::{Attempt, JobFailure, JobRemedy};
use crate::plan::part::{at_a_row_remedy, table_shown, Cap, PartRule, Relation};
use crate::postgres::{discreet, Session};

/// The column by which a condition's rows are distinguished.
const ROW: &str = "scalingo_staging_sync_row";

/// Moves a table's waiting rows in, once all of them are there. `is_within`: within a transaction, which goes on.
///
/// # Errors
/// When the condition meets a value that it cannot work with, or the server refuses otherwise.
pub(super) async fn move_in(
    session: &Session,
    (table, relation): (&KeyTable, &Relation),
    types: &Types,
    encoding: &str,
    is_within: bool,
) -> Result<()> {
    let plainly = async |sql: &str| {
        let done = session.batch_execute(sql).await;
        done.map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::ChoosingRows), &error))
    };
    let (begin, end) = match is_within {
        false => ("BEGIN", "COMMIT"),
        true => (
            "SAVEPOINT moving_in",
            "RELEASE SAVEPOINT moving_in; SET LOCAL search_path = ''",
        ),
    };
    plainly(begin).await?;
    discreet::prepare_to_choose(session).await?;
    // The condition is the team's own, so it reads as it would in the team's own sessions.
    plainly("SET LOCAL search_path TO DEFAULT").await?;
    let before = others_read(session).await?;
    discreet::execute(session, &sql(table, relation, types, encoding))
        .await
        .map_err(|error| refusal(relation, &error))?;
    refuse_others(session, relation, &before).await?;
    plainly(&format!("{end}; DROP TABLE {}", table.waiting())).await
}

/// Fails where functions that a condition calls have read tables of the database's own, whose rows are not the backup's.
/// `before`: what this session had read until then.
async fn refuse_others(session: &Session, relation: &Relation, before: &[(String, i64)]) -> Result<()> {
    let after = others_read(session).await?;
    let Some((read, _)) = after.into_iter().find(|one| !before.contains(one)) else {
        return Ok(());
    };
    let table = table_shown(&relation.table);
    Err(Error::new(
        Kind::Plan,
        JobFailure::SubsetReadsOthers { table, read },
        JobRemedy::ReadOwnColumns,
    ))
}

/// The tables of the database's own that this session has read, and how often. The server counts them for a while beyond the
/// transaction.
async fn others_read(session: &Session) -> Result<Vec<(String, i64)>> {
    let asked = "SELECT schemaname || '.' || relname, seq_scan + coalesce(idx_scan, 0) FROM pg_catalog.pg_stat_xact_user_tables \
                 WHERE seq_scan + coalesce(idx_scan, 0) > 0 AND schemaname !~ '^(pg_temp|pg_toast|scalingo_staging_sync)' \
                 ORDER BY 1";
    let doing = |error| Error::from_server(Doing::WithoutRows(&Attempt::ChoosingRows), &error);
    let rows = session.query(asked, &[]).await.map_err(doing)?;
    let read = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    read.collect::<std::result::Result<_, _>>().map_err(doing)
}

/// Why rows did not move in.
fn refusal(relation: &Relation, error: &tokio_postgres::Error) -> Error {
    let doing = Attempt::ApplyingSubsetRule {
        table: table_shown(&relation.table),
    };
    let refused = Error::from_server(Doing::Discreet(&doing), error);
    match (&relation.rule, error.code()) {
        (PartRule::Own { .. }, Some(code)) if refused.kind == Kind::Restore => Error {
            remedy: at_a_row_remedy(code.code()).into(),
            ..refused
        },
        _ => refused,
    }
}

/// Whether a condition keeps none of a table's rows, which have moved in.
///
/// # Errors
/// When the server refuses.
pub(super) async fn keeps_none(session: &Session, table: &KeyTable, relation: &Relation) -> Result<bool> {
    let PartRule::Own {
        condition: Some(_), ..
    } = &relation.rule
    else {
        return Ok(false);
    };
    let stays = if table.says_stays() { " WHERE stays" } else { "" };
    let sql = format!("SELECT NOT EXISTS (SELECT FROM {}{stays})", table.sql());
    let doing = |error| Error::from_server(Doing::WithoutRows(&Attempt::ChoosingRows), &error);
    let row = session.query_one(&sql, &[]).await.map_err(doing)?;
    row.try_get(0).map_err(doing)
}

fn sql(table: &KeyTable, relation: &Relation, types: &Types, encoding: &str) -> String {
    let keys = relation.columns.iter().enumerate();
    let keys = keys.filter(|(_, column)| column.is_key);
    let mut values: Vec<String> = vec!["w.place".to_owned()];
    if table.says_block {
        values.push("w.block".to_owned());
    }
    values.extend(keys.map(|(at, _)| types.compared(relation, at, encoding)));
    let mut into = table.columns(relation);
    let from = match &relation.rule {
        PartRule::Own { condition, cap } => {
            let own = kept(
                table,
                relation,
                types,
                encoding,
                condition.as_deref(),
                cap.as_ref(),
            );
            let join = if table.retains { "LEFT JOIN" } else { "JOIN" };
            if table.retains {
                into.push("stays".to_owned());
                values.push(format!("own.{ROW} IS NOT NULL"));
            }
            // What the team's own condition and the types' own functions do beside is undone.
            let own = discreet::chosen(&own);
            format!(
                "{} w {join} {own} AS own ({ROW}) ON own.{ROW} = w.place",
                table.waiting()
            )
        }
        _ => format!("{} w", table.waiting()),
    };
    format!(
        "INSERT INTO {} ({}) SELECT {} FROM {from}",
        table.sql(),
        into.join(", "),
        values.join(", ")
    )
}

/// The places of the rows that a rule keeps.
fn kept(
    table: &KeyTable,
    relation: &Relation,
    types: &Types,
    encoding: &str,
    condition: Option<&str>,
    cap: Option<&Cap>,
) -> String {
    let columns = relation.columns.iter().enumerate();
    let columns: Vec<String> = columns
        .map(|(at, column)| {
            let value = types.read(relation, at, encoding);
            format!(", {value} AS {}", named(&column.name))
        })
        .collect();
    let condition = condition.map_or_else(String::new, |condition| format!(" WHERE ({condition}\n)"));
    let order = cap.map_or_else(String::new, ordered);
    format!(
        "SELECT {ROW} FROM (SELECT w.place AS {ROW}{} FROM {} w) AS {}{condition}{order}",
        columns.concat(),
        table.waiting(),
        named(&relation.table.name)
    )
}

/// The rows that come first in a cap's order.
fn ordered(cap: &Cap) -> String {
    let direction = if cap.descending { "DESC" } else { "ASC" };
    let names = cap.order.iter().map(|name| named(name));
    let parts: Vec<String> = names
        .chain([ROW.to_owned()])
        .map(|name| format!("{name} {direction} NULLS LAST"))
        .collect();
    format!(" ORDER BY {} LIMIT {}", parts.join(", "), cap.rows)
}
