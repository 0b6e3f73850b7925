//! One statement of a rule in SQL, and the look whether a row that it changed still holds what it held.

use super::changes::Changed;
use super::failure::{discreetly, plainly, RuleFailure};
use super::temporary::ROW;
use super::{choices, discreet};
use crate::error::{Doing, Error, Kind};
use crate::failure::{Attempt, TargetRemedy};
use crate::notice::Mismatch;
use crate::plan::quote_identifier;
use crate::plan::sql_rules::{SqlRules, SqlStatement, SqlTable};
use crate::postgres::session::connect::Session;
use crate::text::Text;
use masking::ColumnCounts;

/// Where a statement's rows are noted before it runs: their places, and hashes of what they hold.
const BEFORE: &str = "pg_temp.scalingo_staging_sync_before";

/// Runs one statement and looks whether a row that it changed still holds what it held. Returns what it did.
pub(super) async fn run(
    session: &Session,
    table: &SqlTable,
    statement: &SqlStatement,
    rules: &SqlRules,
    warnings: &mut Vec<Mismatch>,
) -> Result<Changed, RuleFailure> {
    if !statement.choices.is_empty() {
        return choices::choose(session, table, statement, rules, warnings).await;
    }
    let check = rules.verify && !statement.checked.is_empty();
    if check {
        note_before(session, table, statement).await?;
    }
    let doing = Attempt::RuleOnTable {
        rule: statement.rule.clone(),
        table: table.table.to_string(),
    };
    let before = rows_before(session, table, statement).await?;
    let changed = discreetly(session, &doing, &statement.sql).await?;
    if check {
        let problems = unchanged(session, table, statement).await?;
        if !problems.is_empty() && rules.fail_on_violation {
            return Err(Error::new(
                Kind::Verification,
                Text::joined(&problems, " "),
                TargetRemedy::CorrectExpression,
            )
            .into());
        }
        warnings.extend(problems);
    }
    let counts = ColumnCounts {
        masked: changed,
        kept: before.saturating_sub(changed),
        ..ColumnCounts::default()
    };
    Ok(Changed {
        rows: changed,
        columns: vec![counts; statement.columns.len()],
    })
}

/// Notes where each row is, and what it holds in the columns that are to change.
async fn note_before(
    session: &Session,
    table: &SqlTable,
    statement: &SqlStatement,
) -> Result<(), RuleFailure> {
    let hashes: Vec<String> = statement
        .checked
        .iter()
        .enumerate()
        .map(|(place, column)| format!(", {} AS hash_{place}", hash("t", column)))
        .collect();
    let sql = format!(
        "CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT t.tableoid AS home, t.{ROW} AS number, t.ctid AS place{} FROM {} t",
        BEFORE.trim_start_matches("pg_temp."),
        hashes.concat(),
        table.temporary()
    );
    let looking = Attempt::LookingBeforeRule {
        table: table.table.to_string(),
        rule: statement.rule.clone(),
    };
    discreetly(session, &looking, &sql).await?;
    Ok(())
}

/// What holds after the statement what it held before. An UPDATE puts a row's new version elsewhere, so a row at its
/// old place is one that it did not cover.
async fn unchanged(
    session: &Session,
    table: &SqlTable,
    statement: &SqlStatement,
) -> Result<Vec<Mismatch>, RuleFailure> {
    let counts: Vec<String> = (0..statement.checked.len())
        .zip(&statement.checked)
        .map(|(place, column)| format!("count(*) FILTER (WHERE b.hash_{place} = {})", hash("t", column)))
        .collect();
    let sql = format!(
        "SELECT {} FROM {} t JOIN {BEFORE} b ON b.number = t.{ROW} AND b.home = t.tableoid WHERE b.place <> t.ctid",
        discreet::array(&counts),
        table.temporary()
    );
    let looking = Attempt::LookingAfterRule {
        table: table.table.to_string(),
        rule: statement.rule.clone(),
    };
    let counts = discreet::ask(session, &sql)
        .await
        .map_err(|error| RuleFailure::new(Doing::Discreet(&looking), &error))?;
    plainly(session, &looking, &format!("DROP TABLE {BEFORE}")).await?;
    let found = counts
        .into_iter()
        .zip(&statement.checked)
        .filter(|(count, _)| *count > 0);
    Ok(found
        .map(|(count, column)| Mismatch::LeftByRule {
            rule: statement.rule.clone(),
            table: table.table.to_string(),
            column: column.clone(),
            count,
        })
        .collect())
}

/// The rows that an UPDATE could cover.
async fn rows_before(
    session: &Session,
    table: &SqlTable,
    statement: &SqlStatement,
) -> Result<u64, RuleFailure> {
    if statement.columns.is_empty() {
        return Ok(0);
    }
    let sql = format!("SELECT count(*) FROM {}", table.temporary());
    let looking = Attempt::CountingRows {
        table: table.table.to_string(),
    };
    let refused = |error: tokio_postgres::Error| RuleFailure::new(Doing::WithRows(&looking), &error);
    let row = session.query_one(&sql, &[]).await.map_err(refused)?;
    let count: i64 = row.try_get(0).map_err(refused)?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// A column's value as a number that two different values do not share; NULL where there is nothing to compare.
fn hash(alias: &str, column: &str) -> String {
    let text = format!("{alias}.{}::text", quote_identifier(column));
    format!("pg_catalog.hashtextextended(nullif({text}, '') COLLATE \"C\", 0)")
}
