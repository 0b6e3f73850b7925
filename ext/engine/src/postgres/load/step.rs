//! A step as it runs: again after a deadlock, and differently from the plan where the server or the rows refuse it.

use crate::error::{Doing, Error, Result};
use crate::failure::Attempt;
use crate::left_out::Why;
use crate::notice::Notice;
use crate::plan::{Plan, Refusal, Step};
use crate::postgres::refused::{self, is_of_rows, is_of_the_object};
use crate::postgres::session::connect::Session;
use crate::postgres::session::{is_not_found, is_passing, may_retry};
use futures_util::future::join_all;
use pg_dump_archive::EntryKind;
use std::sync::Arc;
use std::time::Instant;
use tokio_postgres::error::SqlState;

/// A step that has run.
pub(super) struct StepDone {
    pub(super) index: usize,
    pub(super) seconds: f64,
    pub(super) outcome: StepOutcome,
}

/// What came of a step.
pub(super) enum StepOutcome {
    Done,
    /// It stands, though not as the archive has it: a warning.
    Otherwise(Notice),
    /// It is not there, for these reasons.
    LeftOut(Vec<Why>),
}

/// A step that is to be run.
pub(super) struct Todo {
    pub(super) index: usize,
    pub(super) step: Step,
    /// A foreign key that rows do not meet is added NOT VALID, where PostgreSQL can.
    pub(super) may_dangle: bool,
    /// It is made of values that were masked: rows that it does not take are the masks' doing.
    pub(super) of_masked: bool,
    pub(super) plan: Arc<Plan>,
    /// How often it is tried again after a failure that may pass, and how many seconds later.
    pub(super) attempts: u32,
    pub(super) delay: f64,
}

impl Todo {
    /// Runs the step, again if it met a deadlock.
    pub(super) async fn run(&self, session: &Session) -> Result<StepOutcome> {
        let first = session.batch_execute(&self.step.sql).await;
        self.settle(session, first).await
    }

    /// As [`Todo::run`], given the outcome of the first try.
    async fn settle(
        &self,
        session: &Session,
        first: Result<(), tokio_postgres::Error>,
    ) -> Result<StepOutcome> {
        let step = &self.step;
        let mut outcome = first;
        let mut attempt = 0;
        loop {
            let Err(error) = outcome else {
                return Ok(StepOutcome::Done);
            };
            if self.may_dangle && error.code() == Some(&SqlState::FOREIGN_KEY_VIOLATION) {
                return Ok(self.declare(session, Cause::Missing).await);
            }
            if self.may_go_without(&error) {
                return self.without(session, error).await;
            }
            attempt += 1;
            if !is_passing(&error) || !may_retry(attempt, self.attempts, self.delay).await {
                return Err(Error::from_server(
                    Doing::WithRows(&Attempt::Restoring {
                        object: format!("{} {}", step.kind, step.name),
                    }),
                    &error,
                ));
            }
            outcome = session.batch_execute(&step.sql).await;
        }
    }

    /// Whether the run goes on without the step as it is: not where rows meet it in production and masks made others
    /// of them.
    fn may_go_without(&self, error: &tokio_postgres::Error) -> bool {
        self.step.refusal == Refusal::LeftOut
            && is_of_the_object(error)
            && !(self.of_masked && is_of_rows(error))
    }

    /// Does what can be done instead of a step that was refused.
    async fn without(&self, session: &Session, error: tokio_postgres::Error) -> Result<StepOutcome> {
        let step = &self.step;
        let mut error = error;
        if is_not_found(&error) {
            let path = &self.plan.search_path;
            let sql = format!("SET LOCAL search_path = {path};\n{}", step.sql);
            match session.batch_execute(&sql).await {
                Ok(()) => return Ok(StepOutcome::Done),
                Err(again) => error = again,
            }
        }
        let can_be_declared = step.kind == EntryKind::ForeignKey || step.kind == EntryKind::CheckConstraint;
        if can_be_declared && is_of_rows(&error) {
            return Ok(self.declare(session, Cause::Production).await);
        }
        self.drop_shell(session).await?;
        let mut why = self.why(&error);
        if is_of_rows(&error) {
            why.extend(self.found(session).await);
        }
        Ok(StepOutcome::LeftOut(why))
    }

    /// A view that needs a key comes in two parts: without what it reads, the shell would be a view of NULLs.
    async fn drop_shell(&self, session: &Session) -> Result<()> {
        let step = &self.step;
        let Some(view) = step
            .name
            .strip_suffix(" _RETURN")
            .filter(|_| step.kind == EntryKind::Rule)
        else {
            return Ok(());
        };
        let view = self.step.locks.iter().find(|table| table.to_string() == view);
        let Some(view) = view else { return Ok(()) };
        let dropped = session
            .batch_execute(&format!("DROP VIEW IF EXISTS {} CASCADE", view.sql()))
            .await;
        dropped.map_err(|error| {
            Error::from_server(
                Doing::WithoutRows(&Attempt::DroppingView {
                    view: view.to_string(),
                }),
                &error,
            )
        })
    }

    fn why(&self, error: &tokio_postgres::Error) -> Vec<Why> {
        let step = &self.step;
        let doing = Attempt::Restoring {
            object: format!("{} {}", step.kind, step.name),
        };
        // These are created without a look at any row.
        let without_rows = [
            EntryKind::Policy,
            EntryKind::Trigger,
            EntryKind::EventTrigger,
            EntryKind::Rule,
        ];
        let doing = if without_rows.iter().any(|kind| step.kind == *kind) {
            Doing::WithoutRows(&doing)
        } else {
            Doing::WithRows(&doing)
        };
        refused::why(doing, error, &step.kind, &step.needs, &self.plan)
    }

    /// How many rows it does not take, and what finds them; nothing where no query does.
    async fn found(&self, session: &Session) -> Option<Why> {
        let query = self.step.finds()?;
        let sql = format!("SELECT count(*) FROM ({query}) found");
        let count: Option<i64> = session
            .query_one(&sql, &[])
            .await
            .ok()
            .and_then(|row| row.try_get(0).ok());
        Some(match count {
            Some(count) => Why::SuchRows {
                count: count.unsigned_abs(),
                query,
            },
            None => Why::SomeSuchRows { query },
        })
    }

    /// Adds a constraint that rows do not meet as NOT VALID, and says so.
    async fn declare(&self, session: &Session, cause: Cause) -> StepOutcome {
        let step = &self.step;
        let bare = step.sql.trim_end().trim_end_matches(';');
        let declared = match bare.contains("VALIDATE CONSTRAINT") {
            // It stands already.
            true => Ok(()),
            false => session.batch_execute(&format!("{bare} NOT VALID")).await,
        };
        let found = match cause {
            Cause::Missing => None,
            Cause::Production => self.found(session).await,
        };
        if let Err(error) = declared {
            return StepOutcome::LeftOut(self.why(&error).into_iter().chain(found).collect());
        }
        let cause = match cause {
            Cause::Missing => Why::RowsAreMissing,
            Cause::Production => Why::RowsDoNotMeetIt,
        };
        let why = std::iter::once(cause).chain(found).collect();
        let name = step.name.clone();
        StepOutcome::Otherwise(match step.kind == EntryKind::ForeignKey {
            true => Notice::KeyOfRowsNotValid { key: name, why },
            false => Notice::CheckOfRowsNotValid { check: name, why },
        })
    }
}

/// Why rows do not meet a constraint.
#[derive(Clone, Copy)]
enum Cause {
    /// Some that they refer to did not come.
    Missing,
    /// They do not in production.
    Production,
}

/// Runs steps one behind the other, each in a transaction of its own, all on their way at once.
pub(super) async fn run_together(session: &Session, steps: Vec<Todo>) -> Result<Vec<StepDone>> {
    let begun = Instant::now();
    let sent = steps.iter().map(async |todo| {
        let outcome = session.batch_execute(&todo.step.sql).await;
        (outcome, begun.elapsed().as_secs_f64())
    });
    let outcomes = join_all(sent).await;
    let mut done = Vec::with_capacity(steps.len());
    let mut since = 0.0;
    for (todo, (outcome, at)) in steps.into_iter().zip(outcomes) {
        let outcome = todo.settle(session, outcome).await?;
        done.push(StepDone {
            index: todo.index,
            seconds: at - since,
            outcome,
        });
        since = at;
    }
    Ok(done)
}
