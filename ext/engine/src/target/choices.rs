//! Putting the stream's pseudonyms in where conditions say so: one UPDATE of the temporary table, which also counts.

use super::connect::Session;
use super::sql_rules::{Changed, Failure};
use crate::error::{Error, Kind, Result};
use crate::mask::ColumnCounts;
use crate::plan::quote_identifier;
use crate::plan::sql_rules::{Choice, SqlRules, SqlStatement, SqlTable};
use tokio_postgres::Row;

/// Runs a statement that chooses, and looks whether each value that it put in has its mask's form.
///
/// Of each column it counts what was masked, what was kept, by `keep` or because no condition covered the row, and what
/// was NULL.
///
/// # Errors
/// When the server refuses, or a value has not its form and that is to fail the run.
pub(super) async fn choose(
    session: &Session,
    table: &SqlTable,
    statement: &SqlStatement,
    rules: &SqlRules,
    warnings: &mut Vec<String>,
) -> Result<Changed, Failure> {
    let doing = format!("{} on {}", statement.rule, table.table);
    let refused = |error: tokio_postgres::Error| Failure::new(&doing, &error);
    let filled = session
        .query_one(&filled_sql(table, &statement.choices), &[])
        .await
        .map_err(refused)?;
    let done = session
        .query_one(&choose_sql(statement, rules.verify), &[])
        .await
        .map_err(refused)?;
    let count = |row: &Row, place: usize| -> Result<u64, Failure> {
        let number: i64 = row.try_get(place).map_err(refused)?;
        Ok(u64::try_from(number).unwrap_or(0))
    };
    let rows = count(&filled, 0)?;
    let (mut columns, mut problems) = (Vec::new(), Vec::new());
    for (place, choice) in statement.choices.iter().enumerate() {
        let filled = count(&filled, 1 + place)?;
        let (replaced, kept, wrong) = (
            count(&done, 1 + 3 * place)?,
            count(&done, 2 + 3 * place)?,
            count(&done, 3 + 3 * place)?,
        );
        let masked = replaced.saturating_sub(kept);
        columns.push(ColumnCounts {
            masked,
            kept: filled.saturating_sub(masked),
            nulls: rows.saturating_sub(filled),
            violations: wrong,
        });
        if wrong > 0 {
            problems.push(format!(
                "{}: {wrong} values of {}.{} are not of the form of their mask.",
                statement.rule, table.table, choice.column
            ));
        }
    }
    if !problems.is_empty() && rules.fail_on_violation {
        let remedy = "Please report this; until it is mended, leave the table out by config.exclude_tables.";
        return Err(Error::new(Kind::Verification, problems.join(" "), remedy).into());
    }
    warnings.extend(problems);
    Ok(Changed {
        rows: count(&done, 0)?,
        columns,
    })
}

/// Counts the rows, and those where each column holds something.
fn filled_sql(table: &SqlTable, choices: &[Choice]) -> String {
    let counts: Vec<String> = choices
        .iter()
        .map(|choice| format!(", count({})", quote_identifier(&choice.column)))
        .collect();
    format!(
        "SELECT count(*){} FROM ONLY {}",
        counts.concat(),
        table.temporary()
    )
}

/// The UPDATE, and of each column how many values it replaced, how many of those by themselves, and how many are wrong.
/// A further column holds what was replaced, or NULL.
fn choose_sql(statement: &SqlStatement, verify: bool) -> String {
    let (mut told, mut counted) = (Vec::new(), Vec::new());
    for (place, choice) in statement.choices.iter().enumerate() {
        let (column, old) = (
            quote_identifier(&choice.column),
            quote_identifier(&choice.pseudonym),
        );
        let kept = choice.keep.as_ref().map_or("false".to_owned(), |keep| {
            format!("({old}::text = {column}::text AND ({keep})) IS TRUE")
        });
        let wrong = match verify {
            true => format!("({old} IS NOT NULL AND ({}) IS NOT TRUE)", choice.form),
            false => "false".to_owned(),
        };
        told.push(format!(
            "{old} IS NOT NULL AS replaced_{place}, {kept} AS kept_{place}, {wrong} AS wrong_{place}"
        ));
        for what in ["replaced", "kept", "wrong"] {
            counted.push(format!(", count(*) FILTER (WHERE {what}_{place})"));
        }
    }
    format!(
        "WITH done AS ({} RETURNING {}) SELECT count(*){} FROM done",
        statement.sql,
        told.join(", "),
        counted.concat()
    )
}
