//! What becomes of a piece of work that is done.

use super::rows::add_counts;
use super::run::Restore;
use super::step::{StepDone, StepOutcome};
use super::together::Sent;
use crate::error::{Error, Result};
use crate::plan::TableName;
use crate::postgres::load::lane::LaneReport;
use crate::postgres::schedule::keys::foreign::TwoPart;
use crate::postgres::schedule::questions::Answer;
use crate::postgres::session::connect::Session;
use crate::postgres::sql_rules::Finished;
use pg_dump_archive::DumpId;
use std::time::Instant;
use tokio::task::JoinError;

/// A piece of work that is done, and the session that is free again.
pub(super) enum Done {
    Lane {
        load: DumpId,
        session: Session,
        report: LaneReport,
    },
    /// Small tables that went together.
    Together {
        session: Session,
        sent: Vec<(DumpId, Sent)>,
    },
    Steps {
        session: Session,
        steps: Vec<StepDone>,
    },
    LargeObjects {
        session: Session,
        oids: Vec<u32>,
    },
    /// Rows of an extension's table are there, or why they are not.
    ExtensionRows {
        id: DumpId,
        session: Session,
        refusal: Option<Error>,
    },
    Group {
        index: usize,
        group: usize,
        session: Session,
        outcome: Result<Finished>,
    },
    /// A key's index is built, and is to be taken as the constraint's.
    Built {
        index: usize,
        session: Session,
        seconds: f64,
    },
    /// A foreign key stands, and its rows are to be checked.
    Declared {
        index: usize,
        session: Session,
        key: TwoPart,
        since: Instant,
    },
    Check {
        session: Session,
        answers: Vec<(TableName, Option<Answer>)>,
    },
    /// A group's session is gone, with all that was done on it.
    Lost {
        group: usize,
        error: Error,
    },
    /// A lane's session is gone, with some of the rows that it took.
    LostLane {
        load: DumpId,
        error: Error,
    },
    Analyze {
        session: Session,
        /// Each with whether it could be.
        tables: Vec<(TableName, bool)>,
        /// Of those that were looked at, too.
        answers: Vec<(TableName, Option<Answer>)>,
    },
}

impl Done {
    /// One step has run.
    pub(super) fn step(session: Session, index: usize, seconds: f64, outcome: StepOutcome) -> Self {
        Self::Steps {
            session,
            steps: vec![StepDone {
                index,
                seconds,
                outcome,
            }],
        }
    }
}

impl Restore<'_> {
    /// Notes what is done, and gives its session back.
    pub(super) fn finished(&mut self, done: Result<Result<Done>, JoinError>) -> Result<()> {
        let done = done.map_err(|_| Error::internal("A part of the load stopped unexpectedly."))??;
        match done {
            Done::Lane {
                load,
                session,
                report,
            } => self.lane_done(load, session, &report),
            Done::Together { session, sent } => self.together_done(session, sent),
            Done::ExtensionRows { id, session, refusal } => {
                self.extension_rows_done(id, session, refusal);
                Ok(())
            }
            Done::Group {
                index,
                group,
                session,
                outcome,
            } => {
                self.free_group_session(group, session);
                self.group_done(index, group, outcome)
            }
            Done::Built {
                index,
                session,
                seconds,
            } => {
                self.step_session_free(session);
                self.built(index, seconds);
                Ok(())
            }
            Done::Declared {
                index,
                session,
                key,
                since,
            } => self.validate(index, session, key, since),
            Done::Check { session, answers } => {
                self.step_session_free(session);
                self.checked(answers);
                Ok(())
            }
            Done::Lost { group, error } => self.lose(group, error),
            Done::LostLane { load, error } => self.lose_lane(load, error),
            Done::Analyze {
                session,
                tables,
                answers,
            } => {
                self.step_session_free(session);
                self.note(answers);
                self.analyzed(tables);
                Ok(())
            }
            Done::LargeObjects { session, oids } => {
                self.free.push(session);
                self.large_objects_written(oids);
                Ok(())
            }
            Done::Steps { session, steps } => {
                self.step_session_free(session);
                steps.into_iter().for_each(|done| self.step_done(done));
                Ok(())
            }
        }
    }

    /// The session of what counts as a step is free again.
    fn step_session_free(&mut self, session: Session) {
        self.free.push(session);
        self.steps_running -= 1;
    }

    fn built(&mut self, index: usize, seconds: f64) {
        self.build_seconds.insert(index, seconds);
        self.graph.built(index);
    }

    fn checked(&mut self, answers: Vec<(TableName, Option<Answer>)>) {
        for (table, _) in &answers {
            self.graph.unshare(table);
        }
        self.note(answers);
    }

    fn analyzed(&mut self, tables: Vec<(TableName, bool)>) {
        for (table, done) in tables {
            self.graph.vacate(&table);
            if done {
                self.report.analyzed.insert(table);
            }
        }
    }

    fn large_objects_written(&mut self, oids: Vec<u32>) {
        self.writers -= 1;
        self.report.large_objects += oids.len() as u64;
        self.written.extend(oids);
    }

    fn lane_done(&mut self, load: DumpId, session: Session, report: &LaneReport) -> Result<()> {
        let group = self.load(load)?.sql_group;
        match group.and_then(|group| self.groups.get_mut(group)) {
            Some(group) => group.session = Some(session),
            None => self.free.push(session),
        }
        self.lane_ended(load, report)
    }

    /// A lane of a load has ended well.
    pub(super) fn lane_ended(&mut self, load: DumpId, report: &LaneReport) -> Result<()> {
        self.note_rows(load, report);
        if let Some(progress) = self.tables.get_mut(&load) {
            progress.lanes -= 1;
        }
        self.table_done_if_so(load)
    }

    /// Notes what was done to rows of a load.
    pub(super) fn note_rows(&mut self, load: DumpId, report: &LaneReport) {
        if let Some(progress) = self.tables.get_mut(&load) {
            progress.rows_stored += report.stored;
            progress.bytes += report.bytes;
            add_counts(&mut progress.counts, &report.counts);
        }
    }

    /// A group's session goes where it came from: one that lasts is beside those of the load.
    fn free_group_session(&mut self, group: usize, session: Session) {
        let group = self.plan.sql_rules.groups.get(group);
        if group.is_some_and(|group| group.lasting) {
            self.target.give_back(session);
        } else if session.is_closed() {
            self.to_replace += 1;
        } else {
            self.free.push(session);
        }
    }
}
