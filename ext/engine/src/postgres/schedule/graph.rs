//! What may run next: the plan's steps, by what they wait for and by the tables that they lock. Pure bookkeeping,
//! without a database.

mod tables;
#[cfg(test)]
mod tests;

use crate::plan::{Step, TableName, TaskId};
use crate::postgres::schedule::keys::unique::UniqueKey;
use pg_dump_archive::EntryKind;
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};

/// The steps of a plan, and how far they are.
pub(crate) struct Graph<'p> {
    steps: &'p [Step],
    /// Per task: loads, blocks and steps that are not done.
    outstanding: HashMap<TaskId, usize>,
    /// Per step: ids that it still waits for.
    waiting: Vec<usize>,
    /// Per task: steps that wait for it.
    waiters: HashMap<TaskId, Vec<usize>>,
    /// The longest chains first, then the plan's order.
    ready: BTreeSet<(Reverse<u64>, usize)>,
    /// Steps that are ready except that they come last.
    held: Vec<usize>,
    /// Steps that do not come last and are not done.
    first_left: usize,
    left: usize,
    sizes: HashMap<&'p TableName, Size>,
    in_use: HashMap<&'p TableName, Use>,
    /// Per table: steps on it that do not come last and are not done.
    left_on: HashMap<&'p TableName, usize>,
    /// Foreign keys of large tables that wait for nothing but tables, or for one key that is being built.
    imminent: HashSet<usize>,
    /// Per table: imminent foreign keys that want it for themselves.
    wanted: HashMap<&'p TableName, usize>,
    /// Keys that nothing waits for, whose indexes can be built beside others.
    beside: HashMap<usize, UniqueKey>,
    /// Those whose indexes are built.
    built: HashSet<usize>,
    /// Running steps that have let go of all exclusive locks but one, and that one.
    relaxed: HashMap<usize, TableName>,
}

/// What a table holds.
#[derive(Default)]
struct Size {
    bytes: u64,
    rows: u64,
}

/// A foreign key on more than this is not kept waiting by other steps: see [`Graph::start_if`].
const LARGE: u64 = 4 * 1024 * 1024;

/// Running steps on a table.
#[derive(Default)]
struct Use {
    exclusive: usize,
    shared: usize,
    /// By queries alone, which also keys that are checked are: only what shuts readers out waits for them.
    read: usize,
}

impl<'p> Graph<'p> {
    /// A graph of `steps`, which may wait for one another and for `data`: loads and blocks of large
    /// objects. What a step waits for besides is done already.
    pub(crate) fn new(steps: &'p [Step], data: impl IntoIterator<Item = TaskId>) -> Self {
        let mut outstanding: HashMap<TaskId, usize> = HashMap::new();
        for id in data.into_iter().chain(steps.iter().map(|step| step.id)) {
            *outstanding.entry(id).or_default() += 1;
        }
        let mut graph = Self {
            steps,
            waiting: vec![0; steps.len()],
            waiters: HashMap::new(),
            ready: BTreeSet::new(),
            held: Vec::new(),
            first_left: steps.iter().filter(|step| !step.last).count(),
            left: steps.len(),
            sizes: HashMap::new(),
            in_use: HashMap::new(),
            left_on: HashMap::new(),
            imminent: HashSet::new(),
            wanted: HashMap::new(),
            beside: HashMap::new(),
            built: HashSet::new(),
            relaxed: HashMap::new(),
            outstanding,
        };
        for step in steps.iter().filter(|step| !step.last) {
            for table in step.locks.iter().chain(&step.shared) {
                *graph.left_on.entry(table).or_default() += 1;
            }
        }
        for (index, step) in steps.iter().enumerate() {
            let mut ids: Vec<TaskId> = step.waits_for.clone();
            ids.sort_unstable();
            ids.dedup();
            ids.retain(|id| *id != step.id && graph.outstanding.contains_key(id));
            graph.waiting[index] = ids.len();
            for id in &ids {
                graph.waiters.entry(*id).or_default().push(index);
            }
            if ids.is_empty() {
                graph.release(index);
            }
        }
        let unawaited = |step: &Step| !graph.waiters.contains_key(&step.id);
        let keys = steps.iter().enumerate();
        let keys = keys.filter(|(_, step)| unawaited(step));
        graph.beside = keys
            .filter_map(|(index, step)| Some((index, UniqueKey::of(step)?)))
            .collect();
        graph
    }

    /// Notes what a table holds, so that what takes longest starts first.
    pub(crate) fn size(&mut self, table: &'p TableName, bytes: u64, rows: u64) {
        let size = self.sizes.entry(table).or_default();
        size.bytes += bytes;
        size.rows += rows;
    }

    /// Notes that a load or a block is done.
    pub(crate) fn data_done(&mut self, id: TaskId) {
        let Some(count) = self.outstanding.get_mut(&id) else {
            return;
        };
        *count -= 1;
        if *count > 0 {
            return;
        }
        self.outstanding.remove(&id);
        for index in self.waiters.remove(&id).unwrap_or_default() {
            self.waiting[index] -= 1;
            if self.waiting[index] == 0 {
                self.release(index);
            }
        }
    }

    fn release(&mut self, index: usize) {
        let step = &self.steps[index];
        if step.last && self.first_left > 0 {
            self.held.push(index);
        } else {
            self.ready.insert((Reverse(self.chain(index)), index));
        }
    }

    /// What a step costs together with the dearest of those that wait for it.
    fn chain(&self, index: usize) -> u64 {
        let waiters = self.waiters.get(&self.steps[index].id);
        let behind = waiters.into_iter().flatten().map(|waiter| self.cost(*waiter));
        self.cost(index).saturating_add(behind.max().unwrap_or(0))
    }

    fn cost(&self, index: usize) -> u64 {
        if self.is_built(index) {
            return 0;
        }
        let step = &self.steps[index];
        let tables = step.locks.iter().chain(&step.shared);
        let sizes = tables.filter_map(|table| self.sizes.get(table));
        sizes
            .map(|size| size.bytes / 64 + size.rows.saturating_mul(step.weight.into()))
            .fold(0, u64::saturating_add)
    }

    /// A step that may run now and that `suits` accepts, the longest chains first; it counts as running from here on.
    ///
    /// A large foreign key needs its tables to itself for a moment, and then shares them while its rows are checked.
    /// So that it does not wait until the last index is built and is then checked alone, nothing starts before it on a
    /// table that alone keeps it waiting, as long as others are `busy`, and it goes before all else.
    pub(crate) fn start_if(&mut self, busy: bool, suits: impl Fn(&Step) -> bool) -> Option<usize> {
        self.start_where(busy, |graph, index| suits(&graph.steps[index]))
    }

    /// As [`Graph::start_if`], for steps that [are small](Graph::is_small_step).
    pub(crate) fn start_small_if(&mut self, busy: bool, suits: impl Fn(&Step) -> bool) -> Option<usize> {
        self.start_where(busy, |graph, index| {
            graph.is_small_step(index) && suits(&graph.steps[index])
        })
    }

    fn start_where(&mut self, busy: bool, suits: impl Fn(&Self, usize) -> bool) -> Option<usize> {
        let may_start = |(_, index): &&(Reverse<u64>, usize)| {
            suits(self, *index) && self.is_free(*index) && !(busy && self.is_held_up(*index))
        };
        // Thousands of steps may be ready, and mostly no key is.
        let keys = (!self.imminent.is_empty()).then(|| self.ready.iter());
        let keys = keys.into_iter().flatten();
        let keys = keys.filter(|(_, index)| self.imminent.contains(index));
        let entry = *keys.chain(&self.ready).find(may_start)?;
        self.ready.remove(&entry);
        let step = &self.steps[entry.1];
        self.watch_for_keys(entry.1);
        let is_beside = self.builds_beside(entry.1);
        for table in &step.locks {
            let now = self.in_use.entry(table).or_default();
            *(if is_beside {
                &mut now.shared
            } else {
                &mut now.exclusive
            }) += 1;
        }
        for table in &step.shared {
            self.in_use.entry(table).or_default().shared += 1;
        }
        Some(entry.1)
    }

    /// Whether a key's step, when it is started, builds its index beside others: a large one that nothing waits for. It
    /// is [`Graph::built`] then, and started once more to take the index as the constraint's.
    pub(crate) fn builds_beside(&self, index: usize) -> bool {
        self.beside.contains_key(&index) && !self.is_built(index) && self.bytes(&self.steps[index]) >= LARGE
    }

    /// Notes that a key's index is built: its step is ready again, now for its tables to itself.
    pub(crate) fn built(&mut self, index: usize) {
        for table in &self.steps[index].locks {
            if let Some(now) = self.in_use.get_mut(table) {
                now.shared -= 1;
            }
        }
        self.built.insert(index);
        self.release(index);
    }

    /// What a step says where it is a key that is built beside others: how to build its index, and how to take it as the
    /// constraint's once that is done.
    pub(crate) fn key_sql(&self, index: usize) -> Option<&str> {
        let key = self.beside.get(&index)?;
        if self.is_built(index) {
            return Some(&key.adopt);
        }
        self.builds_beside(index).then_some(key.build.as_str())
    }

    /// Whether a key's index is built already.
    fn is_built(&self, index: usize) -> bool {
        self.built.contains(&index)
    }

    fn is_free(&self, index: usize) -> bool {
        let step = &self.steps[index];
        if self.builds_beside(index) {
            return step.locks.iter().all(|table| self.is_shareable(table));
        }
        // ADD FOREIGN KEY takes SHARE ROW EXCLUSIVE, which goes together with the ROW SHARE of keys being checked
        // and with SELECT (PostgreSQL's documentation, "Explicit Locking").
        let beside_readers = step.kind == EntryKind::ForeignKey;
        let unused = |table| {
            self.in_use
                .get(table)
                .is_none_or(|now| now.exclusive == 0 && now.shared == 0 && (beside_readers || now.read == 0))
        };
        step.locks.iter().all(unused) && step.shared.iter().all(|table| self.is_shareable(table))
    }

    /// Whether a foreign key is to have one of a step's tables first.
    fn is_held_up(&self, index: usize) -> bool {
        let step = &self.steps[index];
        let mut tables = step.locks.iter().chain(&step.shared);
        !self.imminent.contains(&index) && tables.any(|table| self.is_wanted(table))
    }

    fn is_wanted(&self, table: &TableName) -> bool {
        let is_wanted = self.wanted.get(table).is_some_and(|keys| *keys > 0);
        is_wanted && self.imminent.iter().any(|key| self.waits_for_one(*key, table))
    }

    /// Whether a foreign key is kept waiting by this table alone, once the key stands that it refers to. While an index
    /// is built on another of its tables, nothing needs to keep off this one.
    fn waits_for_one(&self, key: usize, table: &TableName) -> bool {
        let locks = &self.steps[key].locks;
        let is_built_on = |table: &TableName| self.in_use.get(table).is_some_and(|now| now.shared > 0);
        let mut others = locks.iter().filter(|other| *other != table);
        locks.contains(table) && (self.waiting[key] > 0 || !others.any(is_built_on))
    }

    /// A step starts: it is awaited no more, and large foreign keys that wait for it alone are imminent.
    fn watch_for_keys(&mut self, index: usize) {
        if self.imminent.remove(&index) {
            for table in &self.steps[index].locks {
                if let Some(keys) = self.wanted.get_mut(table) {
                    *keys -= 1;
                }
            }
        }
        let waiters = self.waiters.get(&self.steps[index].id);
        let keys = waiters.into_iter().flatten().copied().filter(|waiter| {
            let step = &self.steps[*waiter];
            self.waiting[*waiter] == 1 && step.kind == EntryKind::ForeignKey && self.bytes(step) >= LARGE
        });
        for key in keys.collect::<Vec<usize>>() {
            if self.imminent.insert(key) {
                for table in &self.steps[key].locks {
                    *self.wanted.entry(table).or_default() += 1;
                }
            }
        }
    }

    /// Whether a step waits for nothing but a session, or a table.
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// How many steps wait for nothing but a session, or a table.
    pub(crate) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Notes that a step that was started is done, or given up.
    pub(crate) fn step_done(&mut self, index: usize) {
        let step = &self.steps[index];
        let is_beside = self.builds_beside(index);
        let kept = self.relaxed.remove(&index);
        for table in &step.locks {
            if let Some(now) = self.in_use.get_mut(table) {
                match &kept {
                    Some(kept) if kept != table => now.read -= 1,
                    _ if is_beside => now.shared -= 1,
                    _ => now.exclusive -= 1,
                }
            }
        }
        for table in &step.shared {
            if let Some(now) = self.in_use.get_mut(table) {
                now.shared -= 1;
            }
        }
        self.left -= 1;
        if !step.last {
            for table in step.locks.iter().chain(&step.shared) {
                if let Some(left) = self.left_on.get_mut(table) {
                    *left -= 1;
                }
            }
            self.first_left -= 1;
            if self.first_left == 0 {
                for held in std::mem::take(&mut self.held) {
                    self.release(held);
                }
            }
        }
        self.data_done(step.id);
    }

    /// Steps that are not done.
    pub(crate) fn left(&self) -> usize {
        self.left
    }

    /// The name of a step that waits, for the message on a plan that waits for itself.
    pub(crate) fn stuck(&self) -> Option<&'p Step> {
        let waits = |index: &usize| self.waiting[*index] > 0 || self.held.contains(index);
        (0..self.steps.len()).find(waits).map(|index| &self.steps[index])
    }
}
