//! What the server says of rules in SQL before any row comes.

use super::temporary::prepare;
use crate::error::{Doing, Error, Kind, Result};
use crate::failure::{Attempt, JobRemedy, ServerFailure, ServerRemedy};
use crate::plan::Plan;
use crate::postgres::session::connect::Session;
use crate::text::{text, Text};
use std::collections::HashSet;

/// What the server says of the conditions by which rows are chosen, where it refuses them.
async fn refused_of_part(session: &Session, plan: &Plan) -> Result<Vec<Error>> {
    let doing = |error| Error::from_server(Doing::WithoutRows(&Attempt::CheckingSubsetConditions), &error);
    let mut problems = Vec::new();
    let relations = plan.part.iter().flat_map(|part| &part.relations);
    let questions = relations.flat_map(|relation| {
        let questions = relation.questions().into_iter();
        questions.map(move |question| (relation, question))
    });
    for (relation, question) in questions {
        let begin =
            "SAVEPOINT condition; SET LOCAL transaction_read_only = on; SET LOCAL search_path TO DEFAULT";
        session.batch_execute(begin).await.map_err(doing)?;
        if let Err(error) = session.batch_execute(&question.asked()).await {
            let refusal = question.refusal(relation, &error);
            if refusal.kind == Kind::TargetConnection {
                return Err(refusal);
            }
            let code = error.code().map_or("", |code| code.code());
            problems.push(Error::new(Kind::Plan, refusal.what, question.about.remedy(code)));
        }
        let end = "ROLLBACK TO SAVEPOINT condition";
        session.batch_execute(end).await.map_err(doing)?;
    }
    Ok(problems)
}

/// Asks the server whether it accepts every rule, on empty temporary tables, within a transaction that has
/// created the schema. Leaves nothing behind.
///
/// # Errors
/// One that names every statement that the server refuses.
pub(crate) async fn explain(session: &Session, plan: &Plan) -> Result<()> {
    let mut problems: Vec<Text> = Vec::new();
    // A condition is asked about for each table of a family: what is wrong with it is said once.
    let mut seen: HashSet<(&str, String)> = HashSet::new();
    for group in &plan.sql_rules.groups {
        plainly(session, "SAVEPOINT rules_in_sql").await?;
        prepare(session, group).await?;
        plainly(session, "SET LOCAL search_path TO DEFAULT").await?;
        for (rule, sql) in group.statements.iter().flat_map(|statement| &statement.explain) {
            let Some((code, refusal)) = refused(session, rule, sql).await? else {
                continue;
            };
            if code.is_none_or(|code| seen.insert((rule, code))) {
                problems.push(refusal.what);
            }
        }
        plainly(session, "ROLLBACK TO SAVEPOINT rules_in_sql").await?;
    }
    let of_part = refused_of_part(session, plan).await?;
    let remedy = match (&problems[..], &of_part[..]) {
        ([], []) => return Ok(()),
        ([], [one]) => return Err(one.clone()),
        (_, []) => ServerRemedy::CorrectRule.into(),
        _ => Text::from(JobRemedy::CorrectThis),
    };
    problems.extend(of_part.iter().flat_map(Error::faults));
    Err(all_refused(&problems, remedy))
}

/// Asks about one statement: its SQLSTATE and the error, where the server refuses it.
async fn refused(session: &Session, rule: &str, sql: &str) -> Result<Option<(Option<String>, Error)>> {
    plainly(session, "SAVEPOINT rule_in_sql").await?;
    let asked = format!("EXPLAIN {sql}");
    let answer = session.batch_execute(&asked).await.err().map(|error| {
        let refusal = Error::from_server(Doing::Rule { rule, sql: &asked }, &error);
        (error.code().map(|code| code.code().to_owned()), refusal)
    });
    if let Some((_, refusal)) = &answer {
        if refusal.kind == Kind::TargetConnection {
            return Err(refusal.clone());
        }
    }
    plainly(session, "ROLLBACK TO SAVEPOINT rule_in_sql").await?;
    Ok(answer)
}

async fn plainly(session: &Session, sql: &str) -> Result<()> {
    let doing = Doing::WithoutRows(&Attempt::CheckingRules);
    session
        .batch_execute(sql)
        .await
        .map_err(|error| Error::from_server(doing, &error))
}

fn all_refused(problems: &[Text], remedy: Text) -> Error {
    let what = match problems {
        [one] => one.clone(),
        several => {
            let count = several.len();
            text!(
                ServerFailure::RulesRefused { count },
                "\n- ",
                Text::joined(several, "\n- "),
                "\n"
            )
        }
    };
    Error::new(Kind::Plan, what, remedy)
}
