//! The tables of a plan's steps: how large they are, and what has them to itself or shares them.

use super::Graph;
use crate::plan::{Step, StepKind, TableName};
use pg_dump_archive::EntryKind;

/// What is done with a table of no more than this takes about as long as a message to the server and back.
pub(super) const SMALL: u64 = 64 * 1024;

impl<'p> Graph<'p> {
    /// Whether a step does nothing but what is over at once: an index, a key or a trigger of tables that are small.
    pub(crate) fn is_small_step(&self, index: usize) -> bool {
        let step = &self.steps[index];
        let is_quick = matches!(
            step.kind,
            StepKind::Entry(
                EntryKind::Constraint | EntryKind::Index | EntryKind::ForeignKey | EntryKind::Trigger
            )
        );
        let mut tables = step.locks.iter().chain(&step.shared).peekable();
        !step.last && is_quick && tables.peek().is_some() && tables.all(|table| self.is_small(table))
    }

    /// Whether a table is known to be small. What is not loaded by its own name may be the root of a large one.
    pub(crate) fn is_small(&self, table: &TableName) -> bool {
        self.sizes.get(table).is_some_and(|size| size.bytes <= SMALL)
    }

    /// How many bytes the tables of a step hold.
    pub(crate) fn bytes(&self, step: &Step) -> u64 {
        let tables = step.locks.iter().chain(&step.shared);
        let sizes = tables.filter_map(|table| self.sizes.get(table));
        sizes.map(|size| size.bytes).sum()
    }

    /// Notes that a running step only reads the tables that it had to itself from here on, except `kept`.
    pub(crate) fn relax(&mut self, index: usize, kept: &TableName) {
        for table in self.steps[index].locks.iter().filter(|table| *table != kept) {
            let now = self.in_use.entry(table).or_default();
            now.exclusive -= 1;
            now.read += 1;
        }
        self.relaxed.insert(index, kept.clone());
    }

    /// Whether a table can be shared with what runs on it now.
    pub(super) fn is_shareable(&self, table: &TableName) -> bool {
        self.in_use.get(table).is_none_or(|now| now.exclusive == 0)
    }

    /// Whether something besides the steps may read a table now.
    pub(crate) fn may_read(&self, table: &TableName) -> bool {
        self.is_shareable(table) && !self.is_wanted(table)
    }

    /// Whether every step on a table is done, except those that come last, and nothing runs on it.
    pub(crate) fn is_settled(&self, table: &TableName) -> bool {
        let in_use = self.in_use.get(table);
        self.left_on.get(table).is_none_or(|left| *left == 0)
            && in_use.is_none_or(|now| now.exclusive == 0 && now.shared == 0 && now.read == 0)
    }

    /// Notes that something besides the steps reads a table.
    pub(crate) fn share(&mut self, table: &'p TableName) {
        self.in_use.entry(table).or_default().read += 1;
    }

    /// Notes that it no longer does.
    pub(crate) fn unshare(&mut self, table: &TableName) {
        if let Some(now) = self.in_use.get_mut(table) {
            now.read -= 1;
        }
    }

    /// Notes that something besides the steps has a table to itself.
    pub(crate) fn occupy(&mut self, table: &'p TableName) {
        self.in_use.entry(table).or_default().exclusive += 1;
    }

    /// Notes that it no longer has.
    pub(crate) fn vacate(&mut self, table: &TableName) {
        if let Some(now) = self.in_use.get_mut(table) {
            now.exclusive -= 1;
        }
    }
}
