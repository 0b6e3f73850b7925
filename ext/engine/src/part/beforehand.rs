//! Before the target is touched: what the server says of the rules.
//!
//! The backup's own schema does not stand yet. What rules need of it, such as an enum or a function, is made in the
//! transaction in which they are asked about, and goes with it.

use super::keys::{named, Types};
use crate::error::{Doing, Error, Kind, Result};
use crate::failure::{Attempt, JobRemedy, ServerFailure, ServerRemedy};
use crate::plan::part::{calls, table_shown, Needs, Part, Question, Relation};
use crate::plan::Statement;
use crate::postgres::made::{make, Unmade};
use crate::postgres::Session;
use crate::text::{text, Text};
use pg_dump_archive::EntryKind;
use std::collections::HashMap;
use tokio_postgres::error::SqlState;

/// What the server says of a part's rules.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// Rules that it accepts.
    pub accepted: u64,
    /// The refusals.
    pub problems: Vec<Error>,
    /// What is lacking for others, which was not or cannot be made beforehand.
    lacking: Vec<Error>,
    /// The server does not know a type or a function.
    is_lost: bool,
}

impl Asked {
    /// Fails for what the server refuses.
    ///
    /// # Errors
    /// All refusals as one.
    fn check(&self) -> Result<()> {
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
        Err(Error::new(Kind::Plan, what, JobRemedy::CorrectThis))
    }
}

/// Asks the server about the rules of a part, where there is one, and about those of `idle` tables, which have no effect.
/// `needs`: what they need of the backup's own. Leaves nothing behind.
///
/// # Errors
/// When the connection breaks.
pub(crate) async fn ask(
    session: &Session,
    (part, idle): (Option<&Part>, &[Relation]),
    needs: &Needs,
) -> Result<Asked> {
    let relations = part.map_or(&[][..], |part| &part.relations[..]);
    Ok(answers(session, (relations, idle), needs).await?.asked)
}

/// What is known of a part before any row is looked at.
pub(super) struct Known {
    /// The types of each relation's columns.
    pub(super) types: Vec<Types>,
    /// They, or the rules, need what the target lacks.
    pub(super) is_made: bool,
}

/// Has the server check the rules of a part, and says which types its columns are read as.
///
/// # Errors
/// [`Kind::Plan`] for rules that the server refuses, all at once.
pub(super) async fn known(session: &Session, part: &Part, needs: &Needs) -> Result<Known> {
    let answers = answers(session, (&part.relations[..], &[]), needs).await?;
    answers.asked.check()?;
    Ok(Known {
        types: answers.types,
        is_made: answers.is_made,
    })
}

struct Answers {
    asked: Asked,
    types: Vec<Types>,
    is_made: bool,
}

/// The server's answers with what the database has, where nothing of the backup's own is named and they leave nothing open;
/// else with what rules need of it.
async fn answers(session: &Session, of: (&[Relation], &[Relation]), needs: &Needs) -> Result<Answers> {
    if needs.named.is_empty() {
        let answers = round(session, of, None).await?;
        if !answers.asked.is_lost || needs.extensions.is_empty() {
            return Ok(answers);
        }
    }
    round(session, of, Some(needs)).await
}

async fn round(
    session: &Session,
    (relations, idle): (&[Relation], &[Relation]),
    needs: Option<&Needs>,
) -> Result<Answers> {
    let control = |sql: &'static str| async move { session.batch_execute(sql).await.map_err(doing) };
    control("BEGIN").await?;
    let unmade = match needs {
        Some(needs) => make(session, needs.all()).await?,
        None => Vec::new(),
    };
    let questions = Questions {
        session,
        needs,
        unmade,
    };
    let (mut asked, mut all) = (Asked::default(), Vec::with_capacity(relations.len()));
    for relation in relations {
        all.push(questions.ask(relation, &mut asked).await?);
    }
    let mut of_idle = Asked::default();
    for relation in idle {
        questions.ask(relation, &mut of_idle).await?;
    }
    // What cannot be known of a rule without effect keeps nothing waiting.
    asked.problems.extend(of_idle.problems);
    asked.problems.append(&mut asked.lacking);
    asked.is_lost |= of_idle.is_lost;
    control("ROLLBACK").await?;
    Ok(Answers {
        asked,
        types: all,
        is_made: needs.is_some(),
    })
}

/// What is asked in one transaction.
struct Questions<'a> {
    session: &'a Session,
    needs: Option<&'a Needs>,
    unmade: Vec<Unmade>,
}

fn doing(error: tokio_postgres::Error) -> Error {
    Error::from_server(Doing::WithoutRows(&Attempt::AskingAboutSubset), &error)
}

/// Whether the server does not know something by its name.
fn is_lost(error: &tokio_postgres::Error) -> bool {
    matches!(
        error.code().map(SqlState::code),
        Some("42883" | "42704" | "3F000")
    )
}

impl Questions<'_> {
    /// Asks about a relation's types and rule.
    async fn ask(&self, relation: &Relation, asked: &mut Asked) -> Result<Types> {
        let questions = relation.questions();
        let (mut types, mut lacking) = (HashMap::new(), Vec::new());
        for column in &relation.columns {
            let kind = column.kind.as_ref();
            let is_there = match kind {
                Some(kind) => self.is_there(&kind.sql).await?,
                None => false,
            };
            match kind {
                Some(kind) if is_there => drop(types.insert(column.name.clone(), kind.sql())),
                _ if column.is_read() || !questions.is_empty() => {
                    let name = kind.map_or("?", |kind| kind.sql.as_str());
                    lacking.push(self.lacks_type(relation, &column.name, name));
                }
                _ => {}
            }
        }
        let types = Types::from(types);
        if lacking.is_empty() {
            self.ask_of_rule(relation, &types, asked).await?;
        }
        asked.is_lost |= !lacking.is_empty();
        asked.lacking.extend(lacking);
        Ok(types)
    }

    async fn is_there(&self, sql: &str) -> Result<bool> {
        let asked = "SELECT pg_catalog.to_regtype($1) IS NOT NULL";
        let row = self.session.query_one(asked, &[&sql]).await.map_err(doing)?;
        row.try_get(0).map_err(doing)
    }

    fn lacks_type(&self, relation: &Relation, column: &str, name: &str) -> Error {
        let lacks = ServerFailure::SubsetLacksType {
            table: table_shown(&relation.table),
            column: column.to_owned(),
            name: name.replace('"', ""),
        };
        let what = self.and_unmade(lacks.into(), &self.unmade_of(name));
        Error::new(Kind::Plan, what, ServerRemedy::MakeBeforehand)
    }

    /// Asks about a relation's rule, of a row without values.
    async fn ask_of_rule(&self, relation: &Relation, types: &Types, asked: &mut Asked) -> Result<()> {
        let columns: Vec<String> = relation
            .columns
            .iter()
            .map(|column| format!("NULL::{} AS {}", types.of(&column.name), named(&column.name)))
            .collect();
        // Behind an OFFSET nothing is computed of the missing values: a function may refuse these, and the table have none.
        let rows = format!("(SELECT {} OFFSET 0)", columns.join(", "));
        let questions = relation.questions_of(&rows);
        if questions.is_empty() {
            return Ok(());
        }
        if self.unmade.is_empty() && self.explain(&questions).await?.is_none() {
            asked.accepted += 1;
            return Ok(());
        }
        let before = asked.problems.len() + asked.lacking.len();
        for question in &questions {
            match self.explain(std::slice::from_ref(question)).await? {
                None => asked.lacking.extend(self.calls_another(relation, question)),
                Some(error) => self.refuse(relation, &rows, (question, error), asked).await?,
            }
        }
        asked.accepted += u64::from(asked.problems.len() + asked.lacking.len() == before);
        Ok(())
    }

    /// Says why a question is refused: for each part of a condition that is so by itself, or else for the whole.
    async fn refuse(
        &self,
        relation: &Relation,
        rows: &str,
        (question, error): (&Question, tokio_postgres::Error),
        asked: &mut Asked,
    ) -> Result<()> {
        let mut refused = vec![(question.clone(), error)];
        while let Some((question, error)) = refused.pop() {
            let mut parts = Vec::new();
            for part in relation.parts_of(&question, rows) {
                let answer = self.explain(std::slice::from_ref(&part)).await?;
                parts.extend(answer.map(|error| (part, error)));
            }
            if !parts.is_empty() {
                refused.extend(parts.into_iter().rev());
                continue;
            }
            let is_lost = is_lost(&error);
            asked.is_lost |= is_lost;
            let unmade = match is_lost {
                true => self.unmade_of(&question.sql),
                false => Vec::new(),
            };
            let into = match unmade.is_empty() {
                true => &mut asked.problems,
                false => &mut asked.lacking,
            };
            into.push(self.refusal(relation, &question, &error, &unmade));
        }
        Ok(())
    }

    /// Asks; why the first that is refused is, where one is. The condition is the team's own, so it reads as it would in the
    /// team's own sessions, and what the server computes to plan it may write nothing.
    async fn explain(&self, questions: &[Question]) -> Result<Option<tokio_postgres::Error>> {
        let control = |sql: &'static str| async move { self.session.batch_execute(sql).await.map_err(doing) };
        control("SAVEPOINT asking; SET TRANSACTION READ ONLY; SET LOCAL search_path TO DEFAULT; SET LOCAL TimeZone = 'UTC'").await?;
        let asked: Vec<String> = questions.iter().map(Question::asked).collect();
        let answer = self.session.batch_execute(&asked.join("; ")).await;
        match answer {
            Err(error) if error.as_db_error().is_none() => Err(doing(error)),
            answer => {
                control("ROLLBACK TO SAVEPOINT asking; RELEASE SAVEPOINT asking").await?;
                Ok(answer.err())
            }
        }
    }

    /// What a text needs of the backup's own and could not be made, and why.
    fn unmade_of(&self, text: &str) -> Vec<(&Statement, &Unmade)> {
        let needed = self
            .needs
            .map(|needs| needs.of_condition(text))
            .unwrap_or_default();
        let unmade = |one: &Statement| self.unmade.iter().find(|known| known.statement == one.dump_id);
        let needed = needed.into_iter();
        needed.filter_map(|one| Some((one, unmade(one)?))).collect()
    }

    fn and_unmade(&self, what: Text, unmade: &[(&Statement, &Unmade)]) -> Text {
        let all = unmade.iter().map(|(statement, unmade)| {
            Text::from(ServerFailure::NotMadeBeforehand {
                object: format!("{} {}", statement.kind, statement.name),
                answer: unmade.why.clone(),
            })
        });
        all.fold(what, |what, one| what.and(" ").and(one))
    }

    fn refusal(
        &self,
        relation: &Relation,
        question: &Question,
        error: &tokio_postgres::Error,
        unmade: &[(&Statement, &Unmade)],
    ) -> Error {
        let refused = question.refusal(relation, error);
        if unmade.is_empty() {
            let code = error.code().map_or("", |code| code.code());
            return Error::new(Kind::Plan, refused.what, question.about.remedy(code));
        }
        let what = self.and_unmade(refused.what, unmade);
        Error::new(Kind::Plan, what, ServerRemedy::MakeBeforehand)
    }

    /// A condition that the server accepts, but calls the database's own function where it means the backup's.
    fn calls_another(&self, relation: &Relation, question: &Question) -> Option<Error> {
        let condition = question.condition.as_deref()?;
        let is_called = |one: &Statement| one.kind == EntryKind::Function && calls(condition, one);
        let unmade = self.unmade_of(&question.sql);
        let called: Vec<_> = unmade.into_iter().filter(|(one, _)| is_called(one)).collect();
        if called.is_empty() {
            return None;
        }
        let of = ServerFailure::SubsetCallsAnother {
            rule: question.about.attempt(relation),
        };
        let what = self.and_unmade(of.into(), &called);
        Some(Error::new(Kind::Plan, what, ServerRemedy::MakeBeforehand))
    }
}
