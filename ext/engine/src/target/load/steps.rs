//! The plan's steps (indexes, keys, triggers and what depends on them), and what the verification and ANALYZE can do
//! beside them.

use super::{Done, Restore};
use crate::error::{Error, Result};
use crate::plan::sql_rules::GROUP_KIND;
use crate::plan::{Refusal, Step};
use crate::target::check::Answer;
use crate::target::connect::Session;
use crate::target::foreign_key::{TwoPart, WORTH_IT};
use crate::target::reset::left_out;
use crate::target::{analyze, count, is_passing, is_refusal, may_retry, working_memory};
use std::time::Instant;
use tokio_postgres::error::SqlState;

impl Restore<'_> {
    /// Whether a foreign key's rows may refer to some that a rule in SQL took away, or that never came.
    pub(super) fn may_dangle(&self, step: &Step) -> bool {
        let losing = &self.plan.sql_rules.losing;
        let failed = &self.report.failed;
        let withheld = &self.report.withheld;
        step.kind == "FK CONSTRAINT"
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
            let Some(index) = self.graph.start_if(busy, |step| step.kind != GROUP_KIND) else {
                self.free.push(session);
                break;
            };
            let may_dangle = self
                .plan
                .steps
                .get(index)
                .is_some_and(|step| self.may_dangle(step));
            self.steps_running += 1;
            let key = self
                .plan
                .steps
                .get(index)
                .filter(|step| self.graph.bytes(step) >= WORTH_IT)
                .and_then(TwoPart::of);
            let Some(step) = self.plan.steps.get(index) else {
                return Err(Error::internal("A step is not there."));
            };
            let alone = !self.streaming && self.steps_running == 1 && !self.graph.has_ready();
            let mut step = step.clone();
            let builds = self.graph.builds_beside(index);
            if let Some(sql) = self.graph.key_sql(index) {
                step.sql = sql.into();
            }
            step.sql = working_memory::sql(&step, self.graph.bytes(&step), alone);
            let (attempts, delay) = (
                self.target.settings.retry_attempts,
                self.target.settings.retry_delay,
            );
            self.tasks.spawn(async move {
                let since = Instant::now();
                if let Some(key) = key {
                    // What it meets otherwise, it meets again below, where it is told.
                    if let Ok(true) = key.declare(&session).await {
                        return Ok(Done::Declared {
                            index,
                            session,
                            key,
                            since,
                        });
                    }
                }
                let left_out = run_step(&session, &step, may_dangle, attempts, delay).await?;
                let seconds = since.elapsed().as_secs_f64();
                if builds {
                    return Ok(Done::Built {
                        index,
                        session,
                        seconds,
                    });
                }
                Ok(Done::Step {
                    index,
                    session,
                    seconds,
                    left_out,
                })
            });
        }
        self.start_checks(most);
        self.start_analyzes(most);
        Ok(())
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
        let Some(step) = self.plan.steps.get(index) else {
            return Err(Error::internal("A step is not there."));
        };
        let may_dangle = self.may_dangle(step);
        let mut step = Step {
            sql: key.validate,
            ..step.clone()
        };
        step.sql = working_memory::sql(&step, self.graph.bytes(&step), false);
        let (attempts, delay) = (
            self.target.settings.retry_attempts,
            self.target.settings.retry_delay,
        );
        self.tasks.spawn(async move {
            let left_out = run_step(&session, &step, may_dangle, attempts, delay).await?;
            let seconds = since.elapsed().as_secs_f64();
            Ok(Done::Step {
                index,
                session,
                seconds,
                left_out,
            })
        });
        Ok(())
    }

    /// Looks at tables whose rows are in, where nothing more urgent wants a session.
    pub(super) fn start_checks(&mut self, most: usize) {
        while self.steps_running < most {
            let Some(session) = self.free.pop() else { break };
            let graph = &self.graph;
            let Some((table, conditions)) = self.checks.next(|table| graph.may_read(table)) else {
                self.free.push(session);
                break;
            };
            self.graph.share(table);
            self.steps_running += 1;
            let table = table.clone();
            self.tasks.spawn(async move {
                let numbers = count::ask_beside_others(&session, &table, &conditions).await?;
                let answer = numbers.map(|numbers| Answer { conditions, numbers });
                Ok(Done::Check {
                    session,
                    table,
                    answer,
                })
            });
        }
    }

    /// Makes statistics for tables whose steps are done, where nothing else wants a session.
    pub(super) fn start_analyzes(&mut self, most: usize) {
        while self.steps_running < most {
            let Some(session) = self.free.pop() else { break };
            let graph = &self.graph;
            let Some(table) = self.checks.next_to_analyze(|table| graph.is_settled(table)) else {
                self.free.push(session);
                break;
            };
            self.graph.occupy(table);
            self.steps_running += 1;
            let table = table.clone();
            self.tasks.spawn(async move {
                let done = analyze::analyze_beside_others(&session, &table).await?;
                Ok(Done::Analyze { session, table, done })
            });
        }
    }
}

/// Runs a step, again if it met a deadlock. Returns a warning if it was left out, or added otherwise.
///
/// `may_dangle`: a foreign key that rows do not meet is added NOT VALID, where PostgreSQL can.
async fn run_step(
    session: &Session,
    step: &Step,
    may_dangle: bool,
    attempts: u32,
    delay: f64,
) -> Result<Option<String>> {
    let mut attempt = 0;
    loop {
        let Err(error) = session.batch_execute(&step.sql).await else {
            return Ok(None);
        };
        if step.refusal == Refusal::LeftOut && is_refusal(&error) {
            return Ok(Some(left_out(&step.kind, &step.name, &error)));
        }
        if may_dangle && error.code() == Some(&SqlState::FOREIGN_KEY_VIOLATION) {
            let bare = step.sql.trim_end().trim_end_matches(';');
            let declared = match bare.contains("VALIDATE CONSTRAINT") {
                // It stands already.
                true => Ok(()),
                false => session.batch_execute(&format!("{bare} NOT VALID")).await,
            };
            return Ok(Some(
                match declared {
                    Ok(()) => format!(
                        "The foreign key {} is added NOT VALID: rows refer to some that a rule in SQL deleted or that are \
                         missing because one failed or they look personal.",
                        step.name
                    ),
                    Err(error) => left_out(&step.kind, &step.name, &error),
                },
            ));
        }
        attempt += 1;
        if !is_passing(&error) || !may_retry(attempt, attempts, delay).await {
            return Err(Error::from_server(
                &format!("restoring {} {}", step.kind, step.name),
                &error,
            ));
        }
    }
}
