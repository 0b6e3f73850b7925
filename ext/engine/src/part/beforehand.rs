//! Before the target is touched: whether the rules can be applied with what it has by now, and what the server says of
//! them.
//!
//! The backup's own schema does not stand yet. Types of PostgreSQL's and of extensions that are there serve as they are; an
//! enum that is missing, or has other labels, is made anew among the session's temporary objects, where it is found first.

use super::keys::{named, Types};
use crate::error::{Doing, Error, Kind, Result};
use crate::failure::{Attempt, ServerFailure, ServerRemedy};
use crate::plan::part::{Part, PartRule, Question, Relation, ValueType};
use crate::plan::{quote_identifier, TableName};
use crate::postgres::Session;
use crate::text::{text, Text};
use std::collections::HashMap;

/// What the server says of a part's rules.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// Rules that it accepts.
    pub accepted: u64,
    /// The refusals.
    pub problems: Vec<Error>,
    /// Why it cannot be asked about the others yet.
    pub unanswered: Vec<String>,
}

impl Asked {
    /// Fails for what the server refuses.
    ///
    /// # Errors
    /// All refusals as one.
    pub(super) fn check(&self) -> Result<()> {
        let what = match &self.problems[..] {
            [] => return Ok(()),
            [one] => return Err(one.clone()),
            several => {
                let faults: Vec<Text> = several.iter().flat_map(Error::faults).collect();
                let count = several.len();
                text!(
                    ServerFailure::SubsetRefused { count },
                    "\n- ",
                    Text::joined(&faults, "\n- "),
                    "\n"
                )
            }
        };
        Err(Error::new(Kind::Plan, what, ServerRemedy::CorrectRule))
    }
}

/// Asks the server about the rules of a part, where there is one, and about those of `idle` tables, which have no effect.
/// `functions`: production's own. Leaves nothing behind but enums among the session's temporary objects.
///
/// # Errors
/// When the connection breaks.
pub(crate) async fn ask(
    session: &Session,
    (part, idle): (Option<&Part>, &[Relation]),
    functions: Vec<String>,
) -> Result<Asked> {
    let mut asked = Asked::default();
    if let Some(part) = part {
        types(session, functions.clone(), part, &mut asked).await?;
    }
    let mut beforehand = Beforehand::new(session, functions);
    // What cannot be known of a rule without effect keeps nothing waiting.
    let mut of_idle = Asked::default();
    for relation in idle {
        if let Some(types) = beforehand.types(relation).await? {
            beforehand.ask(relation, &types, &mut of_idle).await?;
        }
    }
    asked.problems.extend(of_idle.problems);
    Ok(asked)
}

/// The types of each relation's columns, if the server knows them all. Also has the server check the rules.
pub(super) async fn types(
    session: &Session,
    functions: Vec<String>,
    part: &Part,
    asked: &mut Asked,
) -> Result<Option<Vec<Types>>> {
    let mut beforehand = Beforehand::new(session, functions);
    let mut found = Vec::with_capacity(part.relations.len());
    for relation in &part.relations {
        match beforehand.types(relation).await? {
            Some(types) => {
                beforehand.ask(relation, &types, asked).await?;
                found.push(types);
            }
            None if matches!(relation.rule, PartRule::Own { .. }) => asked.unanswered.push(format!(
                "the subset's rule for {}: it reads a type that is not in the target as it is in the backup.",
                relation.table
            )),
            None => asked.unanswered.push(format!(
                "{}: its keys are of a type that is not in the target.",
                relation.table
            )),
        }
    }
    Ok((found.len() == part.relations.len() && asked.unanswered.is_empty()).then_some(found))
}

struct Beforehand<'a> {
    session: &'a Session,
    functions: Vec<String>,
    /// What is read as which type, by the types that were looked at.
    made: HashMap<TableName, String>,
}

fn doing(error: tokio_postgres::Error) -> Error {
    Error::from_server(Doing::WithoutRows(&Attempt::AskingAboutSubset), &error)
}

impl<'a> Beforehand<'a> {
    fn new(session: &'a Session, functions: Vec<String>) -> Self {
        Self {
            session,
            functions,
            made: HashMap::new(),
        }
    }

    /// None if the server does not know one of them.
    async fn types(&mut self, relation: &Relation) -> Result<Option<Types>> {
        let is_asked = !relation.questions().is_empty();
        let mut types = HashMap::new();
        for column in &relation.columns {
            let found = match &column.kind {
                ValueType::Given(sql) => self.is_there(sql).await?.then(|| sql.clone()),
                ValueType::Collated { sql, collation } => {
                    let there = self.is_there(sql).await?;
                    there.then(|| format!("{sql} COLLATE {}", collation.sql()))
                }
                ValueType::Enum { name, labels } => Some(self.as_enum(name, labels).await?),
                ValueType::Made => None,
            };
            match found {
                Some(sql) => drop(types.insert(column.name.clone(), sql)),
                None if column.is_read() || is_asked => return Ok(None),
                None => {}
            }
        }
        Ok(Some(Types::from(types)))
    }

    async fn is_there(&self, sql: &str) -> Result<bool> {
        let asked = "SELECT pg_catalog.to_regtype($1) IS NOT NULL";
        let row = self.session.query_one(asked, &[&sql]).await.map_err(doing)?;
        row.try_get(0).map_err(doing)
    }

    async fn as_enum(&mut self, name: &TableName, labels: &[String]) -> Result<String> {
        if let Some(known) = self.made.get(name) {
            return Ok(known.clone());
        }
        let sql = "SELECT coalesce((SELECT array_agg(enumlabel::text ORDER BY enumsortorder) FROM pg_catalog.pg_enum \
                   WHERE enumtypid = pg_catalog.to_regtype($1)), '{}'::text[])";
        let row = self.session.query_one(sql, &[&name.sql()]).await.map_err(doing)?;
        let there: Vec<String> = row.try_get(0).map_err(doing)?;
        let sql = if there == labels {
            name.sql()
        } else {
            let labels: Vec<String> = labels
                .iter()
                .map(|label| format!("'{}'", label.replace('\'', "''")))
                .collect();
            let own = format!("pg_temp.{}", quote_identifier(&name.name));
            let create = format!(
                "DROP TYPE IF EXISTS {own}; CREATE TYPE {own} AS ENUM ({})",
                labels.join(", ")
            );
            self.session.batch_execute(&create).await.map_err(doing)?;
            own
        };
        self.made.insert(name.clone(), sql.clone());
        Ok(sql)
    }

    /// Asks about a relation's rule, of a row without values.
    async fn ask(&self, relation: &Relation, types: &Types, asked: &mut Asked) -> Result<()> {
        let columns: Vec<String> = relation
            .columns
            .iter()
            .map(|column| format!("NULL::{} AS {}", types.of(&column.name), named(&column.name)))
            .collect();
        let rows = format!("(SELECT {})", columns.join(", "));
        let questions = relation.questions_of(&rows);
        if questions.is_empty() {
            return Ok(());
        }
        if self.explain(&questions).await?.is_none() {
            asked.accepted += 1;
            return Ok(());
        }
        let (mut refused, mut unanswered) = (Vec::new(), false);
        for question in &questions {
            match self.explain(std::slice::from_ref(question)).await? {
                None => {}
                Some(error) if self.is_inconclusive(&error, &question.sql) => unanswered = true,
                Some(error) => refused.extend(self.refusals(relation, &rows, (question, error)).await?),
            }
        }
        if unanswered {
            asked.unanswered.push(format!(
                "the subset's rule for {}: it needs something that is not in the target as it is in the backup.",
                relation.table
            ));
        }
        asked.problems.extend(refused);
        Ok(())
    }

    /// Why a question is refused: for each part of a condition that is so by itself, or else for the whole.
    async fn refusals(
        &self,
        relation: &Relation,
        rows: &str,
        (question, error): (&Question, tokio_postgres::Error),
    ) -> Result<Vec<Error>> {
        let mut refused = vec![(question.clone(), error)];
        let mut found = Vec::new();
        while let Some((question, error)) = refused.pop() {
            let mut parts = Vec::new();
            for part in relation.parts_of(&question, rows) {
                match self.explain(std::slice::from_ref(&part)).await? {
                    Some(error) if !self.is_inconclusive(&error, &part.sql) => parts.push((part, error)),
                    _ => {}
                }
            }
            match parts.is_empty() {
                true => found.push(refusal(relation, &question, &error)),
                false => refused.extend(parts.into_iter().rev()),
            }
        }
        Ok(found)
    }

    /// Asks; why the first that is refused is, where one is. The condition is the team's own, so it reads as it would in the
    /// team's own sessions, and what the server computes to plan it may write nothing.
    async fn explain(&self, questions: &[Question]) -> Result<Option<tokio_postgres::Error>> {
        let control = |sql: &'static str| async move { self.session.batch_execute(sql).await.map_err(doing) };
        control("BEGIN READ ONLY; SET LOCAL search_path TO DEFAULT").await?;
        let asked: Vec<String> = questions.iter().map(Question::asked).collect();
        let answer = self.session.batch_execute(&asked.join("; ")).await;
        control("ROLLBACK").await?;
        match answer {
            Err(error) if error.as_db_error().is_none() => Err(doing(error)),
            answer => Ok(answer.err()),
        }
    }

    /// Whether the target may refuse only because it lacks one of production's functions, types or schemas.
    fn is_inconclusive(&self, error: &tokio_postgres::Error, question: &str) -> bool {
        let question = question.to_lowercase();
        let names_one = || self.functions.iter().any(|name| question.contains(name));
        match error.code().map_or("", |code| code.code()) {
            "42883" => names_one(),
            "42704" | "3F000" => true,
            _ => false,
        }
    }
}

fn refusal(relation: &Relation, question: &Question, error: &tokio_postgres::Error) -> Error {
    let (rule, sql) = (question.about.of(relation), question.asked());
    let refused = Error::from_server(
        Doing::Rule {
            rule: &rule,
            sql: &sql,
        },
        error,
    );
    let code = error.code().map_or("", |code| code.code());
    Error::new(Kind::Plan, refused.what, question.about.remedy(code))
}
