//! Groups of rules in SQL: each runs its statements when all that it reads is there.

use super::{retry, Done, Restore};
use crate::error::{Error, Kind, Result};
use crate::failure::{TargetFailure, TargetRemedy};
use crate::plan::{StepKind, TableName, TaskId};
use crate::postgres::session::connect::Session;
use crate::postgres::sql_rules;
use crate::postgres::sql_rules::Finished;
use crate::text::text;
use std::sync::Arc;

/// A group of tables with rules in SQL, and how far it has come.
#[derive(Default)]
pub(super) struct Group {
    /// It has had a transaction.
    pub(super) begun: bool,
    /// It has one now.
    pub(super) open: bool,
    /// Its session, while nothing is done on it.
    pub(super) session: Option<Session>,
    /// The step that stands for its statements, once it was started.
    pub(super) step: Option<usize>,
    /// Whether its rows can go on.
    pub(super) state: retry::State,
    /// How often its session was lost.
    pub(super) losses: u32,
}

impl Restore<'_> {
    /// Starts the groups of rules in SQL that are ready. They have their sessions already.
    pub(super) fn start_groups(&mut self) -> Result<()> {
        while let Some(index) = self.graph.start_if(false, |step| step.kind == StepKind::SqlRules) {
            let Some(TaskId::SqlGroup(number)) = self.plan.steps.get(index).map(|step| step.id) else {
                return Err(Error::internal(
                    "A step stands for rules in SQL that are not there.",
                ));
            };
            if let Some(group) = self.groups.get_mut(number) {
                group.step = Some(index);
            }
            self.run_group(index, number)?;
        }
        Ok(())
    }

    /// Runs a group's statements, all of its rows having arrived.
    pub(super) fn run_group(&mut self, index: usize, number: usize) -> Result<()> {
        let Some(group) = self.groups.get_mut(number) else {
            return Err(Error::internal("Rules in SQL begin that are not there."));
        };
        if let retry::State::Failed(error) = std::mem::take(&mut group.state) {
            return self.group_done(index, number, Err(error));
        }
        let Some(session) = group.session.take() else {
            // No row has come for it.
            return self.group_done(index, number, Ok(Finished::default()));
        };
        let (plan, connector) = (Arc::clone(self.plan), Arc::clone(&self.target.connector));
        let (attempts, delay) = (
            self.target.settings.retry_attempts,
            self.target.settings.retry_delay,
        );
        self.tasks.spawn(async move {
            match sql_rules::run(&session, &connector, &plan, number, attempts, delay).await {
                Ok(outcome) => Ok(Done::Group {
                    index,
                    group: number,
                    session,
                    outcome,
                }),
                Err(error) if error.kind == Kind::TargetConnection => Ok(Done::Lost { group: number, error }),
                Err(error) => Err(error),
            }
        });
        Ok(())
    }

    /// A group has ended: its rows are committed, or its tables are empty.
    pub(super) fn group_done(
        &mut self,
        index: usize,
        number: usize,
        outcome: Result<Finished>,
    ) -> Result<()> {
        let plan = Arc::clone(self.plan);
        let Some(group) = plan.sql_rules.groups.get(number) else {
            return Err(Error::internal("Rules in SQL ended that are not there."));
        };
        let names: Vec<TableName> = group.tables.iter().map(|table| table.into.clone()).collect();
        let finished = match outcome {
            Ok(finished) => finished,
            Err(mut error) => {
                error.remedy = match plan.sql_rules.rollback_on_error {
                    true => TargetRemedy::TablesAreEmpty.into(),
                    false => error.remedy,
                };
                if plan.sql_rules.rollback_on_error {
                    return Err(error);
                }
                let tables = group.tables.iter().map(|table| table.table.to_string()).collect();
                let empty = TargetFailure::LeftEmpty { tables };
                self.target.events.warn(text!(empty, " ", &error.what));
                self.report.failed.push((names, error));
                Finished::default()
            }
        };
        for warning in &finished.warnings {
            self.target.events.warn(warning);
            self.report.warnings.push(warning.into());
        }
        let stored = |id| self.tables.get(&id).map_or(0, |progress| progress.rows_stored);
        for (id, rows, changes) in finished.by_load(group, stored) {
            self.table_loaded(id, Some((rows, changes)))?;
        }
        self.graph.step_done(index);
        Ok(())
    }
}
