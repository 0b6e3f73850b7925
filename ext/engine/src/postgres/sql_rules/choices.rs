//! Putting the stream's pseudonyms in where conditions say so: one UPDATE of the temporary table, which also counts.

use super::changes::Changed;
use super::discreet::{self, array};
use super::failure::RuleFailure;
use crate::error::{Doing, Error, Kind, Result};
use crate::failure::{Attempt, JobRemedy};
use crate::plan::quote_identifier;
use crate::plan::sql_rules::{Choice, SqlRules, SqlStatement, SqlTable};
use crate::postgres::session::connect::Session;

use crate::notice::Mismatch;
use crate::text::Text;
use masking::ColumnCounts;

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
    warnings: &mut Vec<Mismatch>,
) -> Result<Changed, RuleFailure> {
    let doing = Attempt::RuleOnTable {
        rule: statement.rule.clone(),
        table: table.table.to_string(),
    };
    let refused = |error: tokio_postgres::Error| RuleFailure::new(Doing::Discreet(&doing), &error);
    let filled = filled_sql(table, &statement.choices);
    let filled = discreet::ask(session, &filled).await.map_err(refused)?;
    let done = choose_sql(statement, rules.verify);
    let done = discreet::ask(session, &done).await.map_err(refused)?;
    let count = |numbers: &[u64], place: usize| numbers.get(place).copied().unwrap_or(0);
    let rows = count(&filled, 0);
    let (mut columns, mut problems) = (Vec::new(), Vec::new());
    for (place, choice) in statement.choices.iter().enumerate() {
        let filled = count(&filled, 1 + place);
        let (replaced, kept, wrong) = (
            count(&done, 1 + 3 * place),
            count(&done, 2 + 3 * place),
            count(&done, 3 + 3 * place),
        );
        let masked = replaced.saturating_sub(kept);
        columns.push(ColumnCounts {
            masked,
            kept: filled.saturating_sub(masked),
            nulls: rows.saturating_sub(filled),
            violations: wrong,
        });
        if wrong > 0 {
            problems.push(Mismatch::FormLostByRule {
                rule: statement.rule.clone(),
                column: format!("{}.{}", table.table, choice.column),
                count: wrong,
            });
        }
    }
    if !problems.is_empty() && rules.fail_on_violation {
        let what = Text::joined(&problems, " ");
        return Err(Error::new(Kind::Verification, what, JobRemedy::LeaveTableOut).into());
    }
    warnings.extend(problems);
    Ok(Changed {
        rows: count(&done, 0),
        columns,
    })
}

/// Counts the rows, and those where each column holds something.
fn filled_sql(table: &SqlTable, choices: &[Choice]) -> String {
    let counts = choices
        .iter()
        .map(|choice| format!("count({})", quote_identifier(&choice.column)));
    let counts: Vec<String> = std::iter::once("count(*)".to_owned()).chain(counts).collect();
    format!("SELECT {} FROM ONLY {}", array(&counts), table.temporary())
}

/// The UPDATE, and of each column how many values it replaced, how many of those by themselves, and how many are wrong.
/// A further column holds what was replaced, or NULL.
fn choose_sql(statement: &SqlStatement, verify: bool) -> String {
    let (mut replaced_columns, mut counted) = (Vec::new(), vec!["count(*)".to_owned()]);
    for (place, choice) in statement.choices.iter().enumerate() {
        let (column, old) = (
            quote_identifier(&choice.column),
            quote_identifier(&choice.pseudonym),
        );
        let kept = choice.keep.as_ref().map_or("false".to_owned(), |keep| {
            format!("({old}::text COLLATE \"C\" = {column}::text AND ({keep})) IS TRUE")
        });
        let wrong = match verify {
            true => format!("({old} IS NOT NULL AND ({}) IS NOT TRUE)", choice.form),
            false => "false".to_owned(),
        };
        replaced_columns.push(format!(
            "{old} IS NOT NULL AS replaced_{place}, {kept} AS kept_{place}, {wrong} AS wrong_{place}"
        ));
        for what in ["replaced", "kept", "wrong"] {
            counted.push(format!("count(*) FILTER (WHERE {what}_{place})"));
        }
    }
    format!(
        "WITH done AS ({} RETURNING {}) SELECT {} FROM done",
        statement.sql,
        replaced_columns.join(", "),
        array(&counted)
    )
}
