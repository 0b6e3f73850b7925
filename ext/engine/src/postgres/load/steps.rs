//! The plan's steps (indexes, keys, triggers and what depends on them), and what the verification and ANALYZE can do
//! beside them.

use super::{Done, Restore};
use crate::error::{Doing, Error, Result};
use crate::event::Event;
use crate::plan::{MadeOf, Plan, Refusal, Step, StepKind, TableName, TaskId};
use crate::postgres::inspect::count;
use crate::postgres::load::stage::Decision;
use crate::postgres::refused::{self, is_of_rows, is_of_the_object};
use crate::postgres::schedule::analyze;
use crate::postgres::schedule::keys::foreign::{TwoPart, WORTH_IT};
use crate::postgres::schedule::questions::Answer;
use crate::postgres::schedule::working_memory;
use crate::postgres::session::connect::Session;
use crate::postgres::session::{is_not_found, is_passing, may_retry};
use futures_util::future::join_all;
use pg_dump_archive::EntryKind;
use std::sync::Arc;
use std::time::Instant;
use tokio_postgres::error::SqlState;

/// What is small goes to the server so many at a time: a round trip each would take longer than the work.
const TOGETHER: usize = 24;

impl<'a> Restore<'a> {
    /// Whether a foreign key's rows may refer to some that a rule in SQL took away, or that never came.
    pub(super) fn may_dangle(&self, step: &Step) -> bool {
        let losing = &self.plan.sql_rules.losing;
        let failed = &self.report.failed;
        let withheld = &self.report.withheld;
        step.kind == EntryKind::ForeignKey
            && (step.locks.iter()).any(|table| {
                losing.contains(table)
                    || withheld.contains(table)
                    || failed.iter().any(|(tables, _)| tables.contains(table))
            })
    }

    /// Starts steps while there are some to start and sessions to run them on.
    pub(super) fn start_steps(&mut self) -> Result<()> {
        self.start_groups()?;
        let most = if self.streaming {
            self.target.parallel() - 1
        } else {
            self.target.parallel()
        };
        while self.steps_running < most {
            let Some(session) = self.free.pop() else { break };
            let busy = 2 * self.free.len() < self.target.parallel();
            let Some(index) = self.graph.start_if(busy, |step| step.kind != StepKind::SqlRules) else {
                self.free.push(session);
                break;
            };
            if self.passes_over_step(index)? {
                self.free.push(session);
                continue;
            }
            self.steps_running += 1;
            let at_once = together(1 + self.graph.ready(), self.target.parallel());
            if at_once > 1 && self.graph.is_small_step(index) {
                self.start_together(index, at_once, busy, session)?;
            } else {
                self.start_alone(index, session)?;
            }
        }
        self.start_checks(most);
        self.start_analyzes(most);
        Ok(())
    }

    /// Leaves a step out that needs something that is missing. Says whether it did.
    fn passes_over_step(&mut self, index: usize) -> Result<bool> {
        let step = self.step(index)?;
        let missing = self.target.missing.needed_by(&step.needs);
        // What fills the shell of a view is tried all the same: the shell goes when that is refused.
        let may_go = step.refusal == Refusal::LeftOut && step.kind != EntryKind::Rule;
        let Some(why) = missing.filter(|_| may_go) else {
            return Ok(false);
        };
        self.step_done(StepDone {
            index,
            seconds: 0.0,
            outcome: StepOutcome::LeftOut(why),
        });
        Ok(true)
    }

    /// Whether a step is made of values that were masked, or may have been.
    fn is_of_masked(&self, step: &Step) -> bool {
        step.made_of.iter().any(|part| self.masks_any(part))
    }

    fn masks_any(&self, part: &MadeOf) -> bool {
        let loads = self.plan.loads.values();
        let mut loads = loads.filter(|load| part.tables.contains(&load.table));
        loads.any(|load| {
            let mask = match self.decided.get(&load.dump_id) {
                Some(Decision::Mask(mask)) => Some(mask),
                _ => load.mask.as_ref(),
            };
            let masks = [mask, load.conditional.as_ref()].into_iter().flatten();
            let mut masked = masks.flat_map(|mask| mask.columns());
            let is_named = |name: &String| part.columns.as_ref().is_none_or(|names| names.contains(name));
            load.sql_group.is_some() || masked.any(|column| is_named(&column.name))
        })
    }

    /// Starts a step on a session of its own.
    fn start_alone(&mut self, index: usize, session: Session) -> Result<()> {
        let step = self.step(index)?;
        let key = (self.graph.bytes(step) >= WORTH_IT).then(|| TwoPart::of(step));
        let key = key.flatten();
        let alone = !self.streaming && self.steps_running == 1 && !self.graph.has_ready();
        let builds = self.graph.builds_beside(index);
        let todo = self.todo(index, self.sql(index)?, alone)?;
        self.tasks.spawn(async move {
            let since = Instant::now();
            if let Some(key) = key {
                // What it meets otherwise, it meets again below, where it is reported.
                if let Ok(true) = key.declare(&session).await {
                    return Ok(Done::Declared {
                        index,
                        session,
                        key,
                        since,
                    });
                }
            }
            let outcome = todo.run(&session).await?;
            let seconds = since.elapsed().as_secs_f64();
            if builds && matches!(outcome, StepOutcome::Done) {
                return Ok(Done::Built {
                    index,
                    session,
                    seconds,
                });
            }
            Ok(Done::Steps {
                session,
                steps: vec![StepDone {
                    index,
                    seconds,
                    outcome,
                }],
            })
        });
        Ok(())
    }

    /// Starts a small step, and with it others, `at_once` in all if there are so many.
    fn start_together(&mut self, first: usize, at_once: usize, busy: bool, session: Session) -> Result<()> {
        // No memory needs to be set for them: nothing of them is large enough for workers beside.
        let mut steps = vec![self.todo(first, self.sql(first)?, true)?];
        while steps.len() < at_once {
            let Some(index) = self
                .graph
                .start_small_if(busy, |step| step.kind != StepKind::SqlRules)
            else {
                break;
            };
            if !self.passes_over_step(index)? {
                steps.push(self.todo(index, self.sql(index)?, true)?);
            }
        }
        self.tasks.spawn(async move {
            let steps = run_together(&session, steps).await?;
            Ok(Done::Steps { session, steps })
        });
        Ok(())
    }

    fn step(&self, index: usize) -> Result<&'a Step> {
        let plan: &'a Plan = self.plan;
        let step = plan.steps.get(index);
        step.ok_or_else(|| Error::internal("A step is not there."))
    }

    /// What a step says to the server.
    fn sql(&self, index: usize) -> Result<String> {
        let own = &self.step(index)?.sql;
        Ok(self.graph.key_sql(index).unwrap_or(own).to_owned())
    }

    /// A step that says this. `alone`: it keeps the server's own settings.
    fn todo(&self, index: usize, sql: String, alone: bool) -> Result<Todo> {
        let step = self.step(index)?;
        let may_dangle = self.may_dangle(step);
        let of_masked = self.is_of_masked(step);
        let mut step = Step { sql, ..step.clone() };
        step.sql = working_memory::sql(&step, self.graph.bytes(&step), alone);
        Ok(Todo {
            index,
            step,
            may_dangle,
            of_masked,
            plan: Arc::clone(self.plan),
            attempts: self.target.settings.retry_attempts,
            delay: self.target.settings.retry_delay,
        })
    }

    /// A step is done.
    pub(super) fn step_done(&mut self, done: StepDone) {
        let StepDone {
            index,
            seconds,
            outcome,
        } = done;
        self.graph.step_done(index);
        let Some(step) = self.plan.steps.get(index) else {
            return;
        };
        let warning = match outcome {
            StepOutcome::Done => None,
            StepOutcome::Otherwise(warning) => Some(warning),
            StepOutcome::LeftOut(why) => {
                let warning = refused::warning(&step.kind, &step.name, &why);
                if let (TaskId::Entry(id), StepKind::Entry(kind)) = (step.id, &step.kind) {
                    self.target.missing.add(id, kind.clone(), &step.name, why);
                }
                self.lose_views(step);
                Some(warning)
            }
        };
        if let Some(warning) = warning {
            self.target.events.warn(&warning);
            self.report.warnings.push(warning);
            return;
        }
        self.report.steps += 1;
        let (kind, name) = (step.kind.to_string(), step.name.clone());
        let seconds = seconds + self.build_seconds.get(&index).unwrap_or(&0.0);
        self.target.events.send(Event::StepDone { kind, name, seconds });
    }

    /// Notes what went with the shell of a view.
    fn lose_views(&mut self, body: &Step) {
        let Some(view) = body.name.strip_suffix(" _RETURN") else {
            return;
        };
        let plan = Arc::clone(self.plan);
        let missing = &self.target.missing;
        for one in &plan.schema {
            let why = missing.needed_by(&one.needs);
            let is_shell = one.kind == EntryKind::View && one.name == view;
            if let Some(why) = why.filter(|_| !is_shell && one.refusal == Refusal::LeftOut) {
                missing.add(one.dump_id, one.kind.clone(), &one.name, why);
            } else if is_shell {
                missing.add(
                    one.dump_id,
                    one.kind.clone(),
                    view,
                    "what it reads is left out".into(),
                );
            }
        }
    }

    /// Checks the rows of a foreign key that was declared, while others may use the tables that it refers to.
    pub(super) fn validate(
        &mut self,
        index: usize,
        session: Session,
        key: TwoPart,
        since: Instant,
    ) -> Result<()> {
        self.graph.relax(index, &key.table);
        let todo = self.todo(index, key.validate, false)?;
        self.tasks.spawn(async move {
            let outcome = todo.run(&session).await?;
            let seconds = since.elapsed().as_secs_f64();
            Ok(Done::Steps {
                session,
                steps: vec![StepDone {
                    index,
                    seconds,
                    outcome,
                }],
            })
        });
        Ok(())
    }

    /// Looks at large tables whose rows are in, where nothing more urgent wants a session. Small ones are looked at when
    /// they are analyzed: what takes time of them is that a session gets to know the table.
    pub(super) fn start_checks(&mut self, most: usize) {
        while self.steps_running < most {
            let Some(session) = self.free.pop() else { break };
            let graph = &self.graph;
            let may_look = |table: &TableName| !graph.is_small(table) && graph.may_read(table);
            let Some((table, conditions)) = self.checks.next(may_look) else {
                self.free.push(session);
                break;
            };
            self.graph.share(table);
            self.steps_running += 1;
            let question = (table.clone(), conditions);
            self.tasks.spawn(async move {
                let answers = answers(&session, vec![question]).await?;
                Ok(Done::Check { session, answers })
            });
        }
    }

    /// Keeps answers for the verification.
    pub(super) fn note(&mut self, answers: Vec<(TableName, Option<Answer>)>) {
        for (table, answer) in answers {
            if let Some(answer) = answer {
                self.report.answers.insert(table, answer);
            }
        }
    }

    /// Makes statistics for tables whose steps are done, where nothing else wants a session.
    pub(super) fn start_analyzes(&mut self, most: usize) {
        while self.steps_running < most {
            let Some(session) = self.free.pop() else { break };
            let at_once = together(self.checks.unanalyzed(), self.target.parallel());
            let graph = &self.graph;
            let Some(first) = self.checks.next_to_analyze(|table| graph.is_settled(table)) else {
                self.free.push(session);
                break;
            };
            let is_small = graph.is_small(first);
            let mut tables = vec![first];
            while is_small && tables.len() < at_once {
                let next = self
                    .checks
                    .next_to_analyze(|table| graph.is_small(table) && graph.is_settled(table));
                let Some(next) = next else { break };
                tables.push(next);
            }
            for table in &tables {
                self.graph.occupy(table);
            }
            self.steps_running += 1;
            let tables: Vec<TableName> = tables.into_iter().cloned().collect();
            let questions = tables
                .iter()
                .filter_map(|table| Some((table.clone(), self.checks.question(table)?)))
                .collect();
            self.tasks.spawn(async move {
                let answers = answers(&session, questions).await?;
                let done = analyze::analyze_beside_others(&session, &tables).await?;
                Ok(Done::Analyze {
                    session,
                    tables: tables.into_iter().zip(done).collect(),
                    answers,
                })
            });
        }
    }
}

/// Asks about tables. None: that one must be asked when nothing else runs.
async fn answers(
    session: &Session,
    questions: Vec<(TableName, Vec<String>)>,
) -> Result<Vec<(TableName, Option<Answer>)>> {
    if questions.is_empty() {
        return Ok(Vec::new());
    }
    let numbers = count::ask_beside_others(session, &questions).await?;
    let answers = questions.into_iter().zip(numbers);
    let answers = answers.map(|((table, conditions), numbers)| {
        let answer = numbers.map(|numbers| Answer { conditions, numbers });
        (table, answer)
    });
    Ok(answers.collect())
}

/// How many of so many small things one of so many sessions takes at once, so that the others have something to do, too.
fn together(ready: usize, sessions: usize) -> usize {
    (ready / sessions).clamp(1, TOGETHER)
}

/// A step that has run.
pub(super) struct StepDone {
    index: usize,
    seconds: f64,
    outcome: StepOutcome,
}

/// What came of a step.
enum StepOutcome {
    Done,
    /// It stands, though not as the archive has it: a warning.
    Otherwise(String),
    /// It is not there, for this reason.
    LeftOut(String),
}

/// A step that is to be run.
struct Todo {
    index: usize,
    step: Step,
    /// A foreign key that rows do not meet is added NOT VALID, where PostgreSQL can.
    may_dangle: bool,
    /// It is made of values that were masked: rows that it does not take are the masks' doing.
    of_masked: bool,
    plan: Arc<Plan>,
    /// How often it is tried again after a failure that may pass, and how many seconds later.
    attempts: u32,
    delay: f64,
}

impl Todo {
    /// Runs the step, again if it met a deadlock.
    async fn run(&self, session: &Session) -> Result<StepOutcome> {
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
                    Doing::WithRows(&format!("restoring {} {}", step.kind, step.name)),
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
            why.push_str(&self.found(session).await);
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
            Error::from_server(Doing::WithoutRows(&format!("dropping the view {view}")), &error)
        })
    }

    fn why(&self, error: &tokio_postgres::Error) -> String {
        let step = &self.step;
        let doing = format!("restoring {} {}", step.kind, step.name);
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
    async fn found(&self, session: &Session) -> String {
        let Some(query) = &self.step.finds else {
            return String::new();
        };
        let sql = format!("SELECT count(*) FROM ({query}) found");
        let count: Option<i64> = session
            .query_one(&sql, &[])
            .await
            .ok()
            .and_then(|row| row.try_get(0).ok());
        match count {
            Some(1) => format!("; 1 such row: {query}"),
            Some(count) => format!("; {count} such rows: {query}"),
            None => format!("; such rows: {query}"),
        }
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
            Cause::Missing => String::new(),
            Cause::Production => self.found(session).await,
        };
        let kind = if step.kind == EntryKind::ForeignKey {
            "foreign key"
        } else {
            "CHECK"
        };
        match (declared, cause) {
            (Ok(()), Cause::Missing) => StepOutcome::Otherwise(format!(
                "The {kind} {} is added NOT VALID: rows refer to some that a rule in SQL deleted or that are \
                 missing because one failed or they look personal.",
                step.name
            )),
            (Ok(()), Cause::Production) => StepOutcome::Otherwise(format!(
                "The {kind} {} is added NOT VALID: rows of production do not meet it{found}.",
                step.name
            )),
            (Err(error), _) => StepOutcome::LeftOut(format!("{}{found}", self.why(&error))),
        }
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
async fn run_together(session: &Session, steps: Vec<Todo>) -> Result<Vec<StepDone>> {
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
