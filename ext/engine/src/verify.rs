//! Proof, after the load: every row that was sent is in the target, and every masked column holds nothing but
//! values of its mask's form, counted by SQL in the target itself.
//!
//! It finds what is wrong; what a mask may produce is the mask's own knowledge ([`MaskedColumn::form_sql`]).
//!
//! [`MaskedColumn::form_sql`]: masking::MaskedColumn::form_sql

use crate::error::{About, Error, Kind, Result};
use crate::failure::JobRemedy;
use crate::notice::Mismatch;
use crate::plan::{Load, Plan, TableName};
use crate::postgres::{LoadReport, Questions, Target};
use crate::text::Text;
use masking::MaskedColumn;
use std::collections::{BTreeMap, HashMap};

/// What was checked, and what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verification {
    /// Each table that rows were sent to, in the order of its name.
    pub tables: Vec<VerifiedTable>,
    /// What is wrong. Empty: all is well.
    pub problems: Vec<Mismatch>,
}

/// One table that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedTable {
    /// The table that COPY named.
    pub table: TableName,
    /// Rows in it now.
    pub rows: u64,
    /// Masked columns that were checked by SQL.
    pub columns: u64,
    /// Values that have not their mask's form.
    pub violations: u64,
}

/// What has to be true of a table.
#[derive(Default)]
struct Expected<'p> {
    rows: u64,
    columns: Vec<&'p MaskedColumn>,
    /// Values that the mask itself found wrong while it wrote them.
    violations_seen: u64,
}

/// What has to be asked about the tables of a plan, for [`restore_from`](crate::postgres::restore_from): those
/// whose rows nothing takes away later.
pub fn questions(plan: &Plan) -> Questions {
    let mut questions = Questions::new();
    for (table, columns) in masked_columns(plan) {
        if !plan.sql_rules.shrinking.contains(table) {
            let conditions = columns.iter().map(|column| column.form_sql.clone());
            questions.insert(table.clone(), conditions.collect());
        }
    }
    questions
}

/// The masked columns of each table that rows go into. Several partitions' rows may go in by their root, each with the
/// same mask.
fn masked_columns(plan: &Plan) -> BTreeMap<&TableName, Vec<&MaskedColumn>> {
    let mut loads: Vec<&Load> = plan.loads.values().collect();
    loads.sort_unstable_by_key(|load| load.dump_id);
    let mut tables: BTreeMap<&TableName, Vec<&MaskedColumn>> = BTreeMap::new();
    for load in loads {
        let columns = tables.entry(&load.copy_into).or_default();
        for column in load.mask.iter().flat_map(|mask| mask.columns()) {
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
    }
    tables
}

/// Checks each table that was loaded: its rows counted against those sent, and for a masked column each value
/// against its mask's form. All tables are counted, since a table just loaded is in memory and a count is what
/// shows that nothing else wrote meanwhile. What `report` has answers about already is not asked again.
///
/// A table with a value that has not its mask's form is emptied, and so are tables whose foreign keys point at
/// it and materialized views that read it, before anything is reported. With `fail_on_error` any problem is then
/// an error, else a warning event.
///
/// # Errors
/// [`Kind::Verification`], with the problems found; or what went wrong in looking for them.
pub async fn verify(
    target: &Target,
    plan: &Plan,
    report: &LoadReport,
    fail_on_error: bool,
) -> Result<Verification> {
    let expected = expectations(plan, report);
    let (mut questions, mut answers) = (Vec::new(), HashMap::new());
    for (table, expected) in &expected {
        let conditions = expected.columns.iter().map(|column| column.form_sql.clone());
        let conditions: Vec<String> = conditions.collect();
        // Which columns are masked may have been decided on while the rows loaded.
        match report.answers.get(*table) {
            Some(answer) if answer.conditions == conditions => {
                answers.insert((*table).clone(), answer.numbers.clone());
            }
            _ => questions.push(((*table).clone(), conditions)),
        }
    }
    answers.extend(target.count(questions).await?);
    let (mut verification, mut abouts) = (Verification::default(), Vec::new());
    for (table, expected) in &expected {
        let answer = answers.remove(*table).unwrap_or_default();
        let may_shrink = plan.sql_rules.shrinking.contains(*table);
        let problems = judge(table, expected, &answer, may_shrink);
        let violations = answer.iter().skip(1).sum::<u64>();
        if violations + expected.violations_seen > 0 {
            target.empty(table).await?;
        }
        for (problem, about) in problems {
            verification.problems.push(problem);
            abouts.push(about);
        }
        verification.tables.push(VerifiedTable {
            table: (*table).clone(),
            rows: answer.first().copied().unwrap_or(0),
            columns: expected.columns.len() as u64,
            violations: violations.max(expected.violations_seen),
        });
    }
    if verification.problems.is_empty() {
        return Ok(verification);
    }
    if fail_on_error {
        return Err(failure(&verification.problems, &abouts));
    }
    for problem in &verification.problems {
        target.events().warn(problem);
    }
    Ok(verification)
}

fn failure(problems: &[Mismatch], abouts: &[About]) -> Error {
    let about = match abouts {
        [only] => only.clone(),
        _ => About::default(),
    };
    let what = Text::joined(problems, " ");
    Error::new(Kind::Verification, what, JobRemedy::LeaveTableOut).about(about)
}

fn expectations<'p>(plan: &'p Plan, report: &LoadReport) -> BTreeMap<&'p TableName, Expected<'p>> {
    let mut columns = masked_columns(plan);
    let mut tables: BTreeMap<&TableName, Expected<'_>> = BTreeMap::new();
    for loaded in &report.loads {
        let Some(load) = plan.loads.get(&loaded.dump_id) else {
            continue;
        };
        let expected = tables.entry(&load.copy_into).or_default();
        expected.rows += loaded.rows;
        expected.violations_seen += loaded.masked.iter().map(|column| column.violations).sum::<u64>();
        if let Some(columns) = columns.remove(&load.copy_into) {
            expected.columns = columns;
        }
    }
    tables
}

/// What is wrong with a table, each with what it is about. `may_shrink`: rows of it may have gone with those that a rule
/// deleted elsewhere.
fn judge(
    table: &TableName,
    expected: &Expected<'_>,
    answer: &[u64],
    may_shrink: bool,
) -> Vec<(Mismatch, About)> {
    let mut problems = Vec::new();
    let rows = answer.first().copied().unwrap_or(0);
    if rows > expected.rows || (rows < expected.rows && !may_shrink) {
        let problem = Mismatch::RowsDiffer {
            table: table.to_string(),
            count: rows,
            sent: expected.rows,
        };
        problems.push((problem, About::table(table).rows(rows)));
    }
    for (column, violations) in expected.columns.iter().zip(answer.iter().skip(1)) {
        if *violations > 0 {
            let problem = Mismatch::FormLost {
                column: format!("{table}.{}", column.name),
                count: *violations,
                mask: column.becomes.clone(),
            };
            let about = About::table(table).column(&column.name).rows(*violations);
            problems.push((problem, about));
        }
    }
    if problems.is_empty() && expected.violations_seen > 0 {
        let count = expected.violations_seen;
        let problem = Mismatch::FormLostInWriting {
            table: table.to_string(),
            count,
        };
        problems.push((problem, About::table(table).rows(count)));
    }
    problems
}
