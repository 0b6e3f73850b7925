//! Which tables can be checked and analyzed already while others still load: a large table's rows are looked at as soon as
//! they are all in, beside the index builds, and the planner's statistics are made when its steps are done, which is when
//! a small table's rows are looked at, too. Pure bookkeeping; the questions are verification's own, and so is judging the answers.

use crate::plan::{Load, TableName};
use std::collections::{HashMap, VecDeque};

/// Per table, conditions that every row of it should meet.
pub type Questions = HashMap<TableName, Vec<String>>;

/// What was found in a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The conditions that were asked about.
    pub conditions: Vec<String>,
    /// Rows, then for each condition the rows that do not meet it.
    pub numbers: Vec<u64>,
}

/// Per table, what was found.
pub type Answers = HashMap<TableName, Answer>;

/// Questions that have not been asked, and tables without statistics.
#[derive(Default)]
pub(in crate::postgres) struct Checks<'p> {
    questions: Questions,
    /// Per table: loads that go into it and are not done.
    outstanding: HashMap<&'p TableName, usize>,
    /// Tables whose rows are all loaded and that have a question to answer.
    ready: VecDeque<&'p TableName>,
    /// Tables whose rows are all in, and that have no statistics.
    unanalyzed: VecDeque<&'p TableName>,
}

impl<'p> Checks<'p> {
    /// Questions about tables that `loads` fill.
    pub(in crate::postgres) fn new(questions: Questions, loads: impl IntoIterator<Item = &'p Load>) -> Self {
        let mut checks = Self {
            questions,
            ..Self::default()
        };
        for load in loads {
            *checks.outstanding.entry(&load.copy_into).or_default() += 1;
        }
        checks
    }

    /// Notes that a load is committed, and that nothing will change its rows any more.
    pub(in crate::postgres) fn loaded(&mut self, load: &'p Load) {
        let Some(count) = self.outstanding.get_mut(&load.copy_into) else {
            return;
        };
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.outstanding.remove(&load.copy_into);
            if self.questions.contains_key(&load.copy_into) {
                self.ready.push_back(&load.copy_into);
            }
            self.unanalyzed.push_back(&load.copy_into);
        }
    }

    /// The next table that `may_look` accepts, with its conditions.
    pub(in crate::postgres) fn next(
        &mut self,
        may_look: impl Fn(&TableName) -> bool,
    ) -> Option<(&'p TableName, Vec<String>)> {
        let at = self.ready.iter().position(|table| may_look(table))?;
        let table = self.ready.remove(at)?;
        let conditions = self.questions.remove(table)?;
        Some((table, conditions))
    }

    /// The conditions of a table that waits to be looked at; it waits no longer.
    pub(in crate::postgres) fn question(&mut self, table: &TableName) -> Option<Vec<String>> {
        let at = self.ready.iter().position(|ready| *ready == table)?;
        self.ready.remove(at);
        self.questions.remove(table)
    }

    /// How many tables have no statistics.
    pub(in crate::postgres) fn unanalyzed(&self) -> usize {
        self.unanalyzed.len()
    }

    /// The next table that `is_settled` accepts, to be analyzed.
    pub(in crate::postgres) fn next_to_analyze(
        &mut self,
        is_settled: impl Fn(&TableName) -> bool,
    ) -> Option<&'p TableName> {
        let at = self.unanalyzed.iter().position(|table| is_settled(table))?;
        self.unanalyzed.remove(at)
    }
}
