//! The plan's steps (indexes, keys, triggers and what depends on them): which starts on which session, and what is noted of one
//! that is done.

use super::step::{run_together, StepDone, StepOutcome, Todo};
use super::{Done, Restore};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::left_out::Why;
use crate::notice::Notice;
use crate::plan::{MadeOf, Plan, Refusal, Step, StepKind, TaskId};
use crate::postgres::load::stage::Decision;
use crate::postgres::schedule::keys::foreign::{TwoPart, WORTH_IT};
use crate::postgres::schedule::working_memory;
use crate::postgres::session::connect::Session;
use pg_dump_archive::EntryKind;
use std::sync::Arc;
use std::time::Instant;

/// What is small goes to the server so many at a time: a round trip each would take longer than the work.
const TOGETHER: usize = 100;

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
        self.start_refused()?;
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
            outcome: StepOutcome::LeftOut(vec![why]),
        });
        Ok(true)
    }

    /// Whether a step is made of values that were masked, or may have been.
    fn is_of_masked(&self, step: &Step) -> bool {
        step.made_of.iter().any(|part| self.masks_any(part))
    }

    fn masks_any(&self, part: &MadeOf) -> bool {
        let loads = part.tables.iter().filter_map(|table| self.loads_of.get(table));
        loads.flatten().any(|load| {
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
            Ok(Done::step(session, index, seconds, outcome))
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
                let object = format!("{} {}", step.kind, step.name);
                let warning = Notice::LeftOut {
                    object,
                    why: why.clone(),
                };
                if let (TaskId::Entry(id), StepKind::Entry(kind)) = (step.id, &step.kind) {
                    self.target.missing.add(id, kind.clone(), &step.name, why);
                }
                self.lose_views(step);
                Some(warning)
            }
        };
        if let Some(warning) = warning {
            self.warn(&warning);
            return;
        }
        self.report.steps += 1;
        let (kind, name) = (step.kind.to_string(), step.name.clone());
        let seconds = seconds + self.build_seconds.get(&index).unwrap_or(&0.0);
        self.target.events.send(Event::StepDone { kind, name, seconds });
    }

    /// Warns, and keeps the warning.
    pub(super) fn warn(&mut self, warning: &Notice) {
        self.target.events.warn(warning);
        self.report.warnings.push(warning.into());
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
                missing.add(one.dump_id, one.kind.clone(), &one.name, vec![why]);
            } else if is_shell {
                missing.add(one.dump_id, one.kind.clone(), view, vec![Why::ReadsLeftOut]);
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
            Ok(Done::step(session, index, seconds, outcome))
        });
        Ok(())
    }
}

/// How many of so many small things one of so many sessions takes at once, so that the others have something to do, too.
pub(super) fn together(ready: usize, sessions: usize) -> usize {
    (ready / sessions).clamp(1, TOGETHER)
}
