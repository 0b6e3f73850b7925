//! Which tables can be checked already while others still load: a table's rows are looked at as soon as they are
//! all in, beside the index builds. Pure bookkeeping; the questions are verification's own, and so is judging the
//! answers.

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

/// Questions that have not been asked.
#[derive(Default)]
pub(super) struct Checks<'p> {
    questions: Questions,
    /// Per table: loads that go into it and are not done.
    outstanding: HashMap<&'p TableName, usize>,
    /// Tables whose rows are all in.
    ready: VecDeque<&'p TableName>,
}

impl<'p> Checks<'p> {
    /// Questions about tables that `loads` fill.
    pub(super) fn new(questions: Questions, loads: impl IntoIterator<Item = &'p Load>) -> Self {
        let mut checks = Self {
            questions,
            ..Self::default()
        };
        for load in loads {
            if checks.questions.contains_key(&load.copy_into) {
                *checks.outstanding.entry(&load.copy_into).or_default() += 1;
            }
        }
        checks
    }

    /// Notes that a load is committed.
    pub(super) fn loaded(&mut self, load: &'p Load) {
        let Some(count) = self.outstanding.get_mut(&load.copy_into) else {
            return;
        };
        *count = count.saturating_sub(1);
        if *count == 0 {
            self.outstanding.remove(&load.copy_into);
            self.ready.push_back(&load.copy_into);
        }
    }

    /// The next table that `may_look` accepts, with its conditions.
    pub(super) fn next(
        &mut self,
        may_look: impl Fn(&TableName) -> bool,
    ) -> Option<(&'p TableName, Vec<String>)> {
        let at = self.ready.iter().position(|table| may_look(table))?;
        let table = self.ready.remove(at)?;
        let conditions = self.questions.remove(table)?;
        Some((table, conditions))
    }
}
