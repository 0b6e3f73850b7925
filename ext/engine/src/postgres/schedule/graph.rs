//! What may run next: the plan's steps, by what they wait for and by the tables that they lock. Pure bookkeeping,
//! without a database.

use crate::plan::{Step, StepKind, TableName, TaskId};
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

/// A foreign key on more than this never waits: see [`Graph::start_if`].
const LARGE: u64 = 4 * 1024 * 1024;

/// What is done with a table of no more than this takes about as long as a message to the server and back.
const SMALL: u64 = 64 * 1024;

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
    fn is_shareable(&self, table: &TableName) -> bool {
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

    /// Notes that a step that was started is done.
    pub(crate) fn step_done(&mut self, index: usize) {
        let step = &self.steps[index];
        let kept = self.relaxed.remove(&index);
        for table in &step.locks {
            if let Some(now) = self.in_use.get_mut(table) {
                match &kept {
                    Some(kept) if kept != table => now.read -= 1,
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

#[cfg(test)]
mod tests {
    use super::*;
    use pg_dump_archive::DumpId;

    fn table(name: &str) -> TableName {
        TableName {
            schema: "public".into(),
            name: name.into(),
        }
    }

    fn task(id: i32) -> TaskId {
        TaskId::Entry(DumpId(id))
    }

    fn step(id: i32, waits_for: &[i32], locks: &[&str], shared: &[&str]) -> Step {
        Step {
            id: task(id),
            name: format!("step {id}"),
            waits_for: waits_for.iter().copied().map(task).collect(),
            locks: locks.iter().map(|name| table(name)).collect(),
            shared: shared.iter().map(|name| table(name)).collect(),
            ..Step::bare(EntryKind::Index, "")
        }
    }

    #[test]
    fn a_step_waits_for_every_load_that_it_names() {
        let steps = [step(10, &[1, 2], &["a"], &[])];
        let mut graph = Graph::new(&steps, [task(1), task(2)]);
        assert_eq!(graph.start_if(false, |_| true), None);
        graph.data_done(task(1));
        assert_eq!(graph.start_if(false, |_| true), None);
        graph.data_done(task(2));
        assert_eq!(graph.start_if(false, |_| true), Some(0));
        assert_eq!(graph.start_if(false, |_| true), None);
    }

    #[test]
    fn share_locks_go_together_and_exclusive_ones_alone() {
        let steps = [
            step(10, &[], &[], &["a"]),
            step(11, &[], &[], &["a"]),
            step(12, &[], &["a"], &[]),
            step(13, &[], &["a", "b"], &[]),
        ];
        let mut graph = Graph::new(&steps, []);
        assert_eq!(
            (
                graph.start_if(false, |_| true),
                graph.start_if(false, |_| true),
                graph.start_if(false, |_| true)
            ),
            (Some(0), Some(1), None)
        );
        graph.step_done(0);
        assert_eq!(graph.start_if(false, |_| true), None);
        graph.step_done(1);
        assert_eq!(
            (graph.start_if(false, |_| true), graph.start_if(false, |_| true)),
            (Some(2), None)
        );
        graph.step_done(2);
        assert_eq!(graph.start_if(false, |_| true), Some(3));
    }

    #[test]
    fn a_large_key_that_nothing_waits_for_is_built_beside_others_and_then_has_its_table_to_itself() {
        let mut steps = [
            step(10, &[1], &["orders"], &[]),
            step(11, &[1], &[], &["orders"]),
            step(12, &[1], &["users"], &[]),
            step(13, &[1, 12], &[], &["users"]),
        ];
        for (index, table) in [(0, "orders"), (2, "users")] {
            steps[index].kind = EntryKind::Constraint.into();
            steps[index].sql = format!("ALTER TABLE ONLY public.{table} ADD CONSTRAINT k PRIMARY KEY (id);");
        }
        let (orders, users) = (table("orders"), table("users"));
        let mut graph = Graph::new(&steps, [task(1)]);
        for table in [&orders, &users] {
            graph.size(table, LARGE, 0);
        }
        graph.data_done(task(1));
        assert_eq!([0, 2].map(|index| graph.builds_beside(index)), [true, false]);
        let started = [(); 4].map(|()| graph.start_if(false, |_| true));
        assert_eq!(started, [Some(2), Some(0), Some(1), None]);
        graph.built(0);
        assert_eq!(
            graph.start_if(false, |_| true),
            None,
            "the index is still being built"
        );
        graph.step_done(1);
        assert_eq!(graph.start_if(false, |_| true), Some(0));
        assert!(!graph.may_read(&orders) && !graph.is_settled(&orders));
        graph.step_done(0);
        assert!(graph.is_settled(&orders));
    }

    #[test]
    fn a_small_key_is_added_at_once() {
        let mut steps = [step(10, &[], &["orders"], &[])];
        steps[0].kind = EntryKind::Constraint.into();
        steps[0].sql = "ALTER TABLE ONLY public.orders ADD CONSTRAINT k PRIMARY KEY (id);".into();
        assert!(!Graph::new(&steps, []).builds_beside(0));
    }

    #[test]
    fn a_step_that_is_relaxed_keeps_one_table_and_shares_the_others() {
        let steps = [
            step(10, &[], &["orders", "users"], &[]),
            step(11, &[], &["payments", "users"], &[]),
            step(12, &[], &[], &["orders"]),
        ];
        let mut graph = Graph::new(&steps, []);
        assert_eq!(
            (graph.start_if(false, |_| true), graph.start_if(false, |_| true)),
            (Some(0), None)
        );
        graph.relax(0, &table("orders"));
        assert!(graph.may_read(&table("users")) && !graph.may_read(&table("orders")));
        // What wants users to itself still waits, and so does what shares orders.
        assert_eq!(graph.start_if(false, |_| true), None);
        graph.step_done(0);
        assert_eq!(
            (graph.start_if(false, |_| true), graph.start_if(false, |_| true)),
            (Some(1), Some(2))
        );
    }

    #[test]
    fn a_table_that_is_read_is_not_locked_exclusively() {
        let steps = [step(10, &[], &["a"], &[]), step(11, &[], &[], &["a"])];
        let a = table("a");
        let mut graph = Graph::new(&steps, []);
        graph.share(&a);
        assert_eq!(
            (graph.start_if(false, |_| true), graph.start_if(false, |_| true)),
            (Some(1), None)
        );
        graph.step_done(1);
        graph.unshare(&a);
        assert_eq!(graph.start_if(false, |_| true), Some(0));
    }

    #[test]
    fn the_largest_table_goes_first() {
        let steps = [step(10, &[1], &[], &["small"]), step(11, &[2], &[], &["large"])];
        let (small, large) = (table("small"), table("large"));
        let mut graph = Graph::new(&steps, [task(1), task(2)]);
        graph.size(&small, 10_000, 10);
        graph.size(&large, 1_000_000, 1_000);
        graph.data_done(task(1));
        graph.data_done(task(2));
        assert_eq!(
            (graph.start_if(false, |_| true), graph.start_if(false, |_| true)),
            (Some(1), Some(0))
        );
    }

    #[test]
    fn only_what_is_known_to_be_small_starts_together_with_others() {
        let mut steps = [
            step(10, &[], &[], &["large"]),
            step(11, &[], &[], &["root"]),
            step(12, &[], &["small", "large"], &[]),
            step(13, &[], &[], &[]),
            step(14, &[], &[], &["small"]),
            step(15, &[], &["small"], &[]),
            step(16, &[], &["small"], &[]),
        ];
        steps[5].kind = EntryKind::MaterializedViewData.into();
        let (small, large) = (table("small"), table("large"));
        let mut graph = Graph::new(&steps, []);
        graph.size(&small, SMALL, 1_000);
        graph.size(&large, SMALL + 1, 1_000);
        assert_eq!(graph.ready(), 7);
        assert_eq!(graph.start_small_if(false, |step| step.id == task(16)), Some(6));
        graph.step_done(6);
        assert_eq!(graph.start_small_if(false, |_| true), Some(4));
        graph.step_done(4);
        assert_eq!(graph.start_small_if(false, |_| true), None);
        assert!(graph.is_small(&small) && !graph.is_small(&large) && !graph.is_small(&table("root")));
    }

    #[test]
    fn what_is_dear_and_what_much_waits_for_goes_first() {
        let mut steps = [
            step(10, &[1], &[], &["a"]),
            step(11, &[1], &[], &["a"]),
            step(12, &[1], &[], &["a"]),
            step(13, &[12], &[], &["a"]),
        ];
        for (step, weight) in steps.iter_mut().zip([2, 8, 1, 9]) {
            step.weight = weight;
        }
        let a = table("a");
        let mut graph = Graph::new(&steps, [task(1)]);
        graph.size(&a, 64, 100);
        graph.data_done(task(1));
        let order = [(); 3].map(|()| graph.start_if(false, |_| true));
        assert_eq!(order, [Some(2), Some(1), Some(0)]);
    }

    /// A key of users, two indexes of it, and a foreign key from orders.
    fn foreign_key_behind_a_key() -> [Step; 4] {
        let mut steps = [
            step(10, &[1], &[], &["users"]),
            step(11, &[1], &[], &["users"]),
            step(12, &[2], &[], &["orders"]),
            step(13, &[1, 2, 10], &["orders", "users"], &[]),
        ];
        steps[0].weight = 2;
        steps[3].kind = EntryKind::ForeignKey.into();
        steps
    }

    #[test]
    fn a_large_foreign_key_gets_its_tables_as_soon_as_the_key_that_it_refers_to_is_built() {
        let steps = foreign_key_behind_a_key();
        let (users, orders) = (table("users"), table("orders"));
        let mut graph = Graph::new(&steps, [task(1), task(2)]);
        graph.size(&orders, LARGE, 1_000);
        graph.data_done(task(2));
        graph.size(&users, LARGE, 1_000);
        graph.data_done(task(1));
        assert_eq!(graph.start_if(true, |_| true), Some(0));
        assert_eq!(graph.start_if(true, |_| true), None, "the key comes first");
        assert!(!graph.may_read(&users));
        graph.step_done(0);
        assert_eq!(graph.start_if(true, |_| true), Some(3));
        graph.relax(3, &orders);
        assert_eq!(graph.start_if(true, |_| true), Some(1), "users are shared again");
    }

    #[test]
    fn every_large_foreign_key_to_a_table_is_declared_before_its_further_indexes_are_built() {
        let [key, mut index, _, first] = foreign_key_behind_a_key();
        index.weight = 100;
        let second = Step {
            id: task(14),
            locks: vec![table("payments"), table("users")],
            ..first.clone()
        };
        let steps = [key, index, first, second];
        let (users, orders) = (table("users"), table("orders"));
        let mut graph = Graph::new(&steps, [task(1), task(2)]);
        graph.size(&users, LARGE, 1_000);
        graph.size(&orders, LARGE, 1_000);
        graph.data_done(task(1));
        graph.data_done(task(2));
        let start = |graph: &mut Graph<'_>| graph.start_if(false, |step| step.id != task(11));
        assert_eq!(start(&mut graph), Some(0));
        graph.step_done(0);
        assert_eq!(graph.start_if(false, |_| true), Some(2));
        graph.relax(2, &orders);
        assert_eq!(graph.start_if(false, |_| true), Some(3));
        graph.relax(3, &table("payments"));
        assert_eq!(graph.start_if(false, |_| true), Some(1));
    }

    #[test]
    fn while_an_index_is_built_on_one_table_of_a_foreign_key_the_other_is_free_for_all() {
        let steps = foreign_key_behind_a_key();
        let (users, orders) = (table("users"), table("orders"));
        let mut graph = Graph::new(&steps, [task(1), task(2)]);
        graph.size(&users, LARGE, 0);
        graph.size(&orders, LARGE, 0);
        graph.data_done(task(2));
        assert_eq!(graph.start_if(true, |_| true), Some(2), "an index on orders");
        graph.data_done(task(1));
        assert_eq!(graph.start_if(true, |_| true), Some(0), "the key of users");
        graph.step_done(0);
        assert_eq!(graph.start_if(true, |_| true), Some(1), "an index on users");
        graph.step_done(2);
        assert_eq!(
            graph.start_if(true, |_| true),
            None,
            "orders is kept for the foreign key"
        );
        graph.step_done(1);
        assert_eq!(graph.start_if(true, |_| true), Some(3));
    }

    #[test]
    fn nothing_idles_for_a_foreign_key_and_a_small_one_holds_nobody_up() {
        let steps = foreign_key_behind_a_key();
        let (users, orders) = (table("users"), table("orders"));
        for (bytes, busy) in [(LARGE, false), (64, true)] {
            let mut graph = Graph::new(&steps, [task(1), task(2)]);
            graph.size(&users, bytes, 1_000);
            graph.size(&orders, bytes, 1_000);
            graph.data_done(task(1));
            graph.data_done(task(2));
            assert_eq!(graph.start_if(busy, |_| true), Some(0));
            assert!(graph.start_if(busy, |_| true).is_some());
        }
    }

    #[test]
    fn a_table_is_settled_when_its_steps_are_done_except_the_last_ones() {
        let mut steps = [step(10, &[], &[], &["a"]), step(11, &[], &[], &["a"])];
        steps[1].last = true;
        let (a, b) = (table("a"), table("b"));
        let mut graph = Graph::new(&steps, []);
        assert!(!graph.is_settled(&a) && graph.is_settled(&b));
        assert_eq!(graph.start_if(false, |_| true), Some(0));
        graph.step_done(0);
        assert!(graph.is_settled(&a));
        graph.occupy(&a);
        assert!(!graph.is_settled(&a) && !graph.may_read(&a));
        assert_eq!(graph.start_if(false, |_| true), None);
        graph.vacate(&a);
        assert_eq!(graph.start_if(false, |_| true), Some(1));
    }

    #[test]
    fn last_steps_wait_for_all_that_are_not_last_and_then_for_one_another() {
        let mut steps = [
            step(10, &[11], &[], &[]),
            step(11, &[], &[], &[]),
            step(12, &[1], &[], &[]),
        ];
        steps[0].last = true;
        steps[1].last = true;
        let mut graph = Graph::new(&steps, [task(1)]);
        assert_eq!(graph.start_if(false, |_| true), None);
        graph.data_done(task(1));
        assert_eq!(
            (graph.start_if(false, |_| true), graph.start_if(false, |_| true)),
            (Some(2), None)
        );
        graph.step_done(2);
        assert_eq!(
            (graph.start_if(false, |_| true), graph.start_if(false, |_| true)),
            (Some(1), None)
        );
        graph.step_done(1);
        assert_eq!(graph.start_if(false, |_| true), Some(0));
        graph.step_done(0);
        assert_eq!(graph.left(), 0);
    }

    #[test]
    fn steps_that_wait_for_one_another_are_named() {
        let steps = [step(10, &[11], &[], &[]), step(11, &[10], &[], &[])];
        let mut graph = Graph::new(&steps, []);
        assert_eq!(graph.start_if(false, |_| true), None);
        assert_eq!(graph.stuck().map(|step| step.id), Some(task(10)));
    }
}
