//! What may run next: the plan's steps, by what they wait for and by the tables that they lock. Pure bookkeeping,
//! without a database.

use crate::archive::DumpId;
use crate::plan::{Step, TableName};
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

/// The steps of a plan, and how far they are.
pub(crate) struct Graph<'p> {
    steps: &'p [Step],
    /// Per dump id: loads, blocks and steps of that id that are not done.
    outstanding: HashMap<DumpId, usize>,
    /// Per step: ids that it still waits for.
    waiting: Vec<usize>,
    /// Per dump id: steps that wait for it.
    waiters: HashMap<DumpId, Vec<usize>>,
    /// Largest tables first, then the plan's order.
    ready: BTreeSet<(Reverse<u64>, usize)>,
    /// Steps that are ready except that they come last.
    held: Vec<usize>,
    /// Steps that do not come last and are not done.
    first_left: usize,
    left: usize,
    sizes: HashMap<&'p TableName, u64>,
    in_use: HashMap<&'p TableName, Use>,
    /// Running steps that have let go of all exclusive locks but one, and that one.
    relaxed: HashMap<usize, TableName>,
}

/// Running steps on a table.
#[derive(Default)]
struct Use {
    exclusive: usize,
    shared: usize,
}

impl<'p> Graph<'p> {
    /// A graph of `steps`, which may wait for one another and for `data`: the dump ids of loads and of blocks of
    /// large objects. What a step waits for besides is done already.
    pub(crate) fn new(steps: &'p [Step], data: impl IntoIterator<Item = DumpId>) -> Self {
        let mut outstanding: HashMap<DumpId, usize> = HashMap::new();
        for id in data.into_iter().chain(steps.iter().map(|step| step.dump_id)) {
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
            relaxed: HashMap::new(),
            outstanding,
        };
        for (index, step) in steps.iter().enumerate() {
            let mut ids: Vec<DumpId> = step.waits_for.clone();
            ids.sort_unstable();
            ids.dedup();
            ids.retain(|id| *id != step.dump_id && graph.outstanding.contains_key(id));
            graph.waiting[index] = ids.len();
            for id in &ids {
                graph.waiters.entry(*id).or_default().push(index);
            }
            if ids.is_empty() {
                graph.release(index);
            }
        }
        graph
    }

    /// Notes how many bytes a table holds, so that what takes longest starts first.
    pub(crate) fn size(&mut self, table: &'p TableName, bytes: u64) {
        *self.sizes.entry(table).or_default() += bytes;
    }

    /// Notes that a load or a block is done.
    pub(crate) fn data_done(&mut self, id: DumpId) {
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
            let bytes = self.bytes(step);
            self.ready.insert((Reverse(bytes), index));
        }
    }

    /// A step that may run now and that `suits` accepts, largest tables first; it counts as running from here on.
    pub(crate) fn start_if(&mut self, suits: impl Fn(&Step) -> bool) -> Option<usize> {
        let may_start = |(_, index): &&(Reverse<u64>, usize)| {
            let step = &self.steps[*index];
            suits(step) && self.is_free(step)
        };
        let entry = *self.ready.iter().find(may_start)?;
        self.ready.remove(&entry);
        let step = &self.steps[entry.1];
        for table in &step.locks {
            self.in_use.entry(table).or_default().exclusive += 1;
        }
        for table in &step.shared {
            self.in_use.entry(table).or_default().shared += 1;
        }
        Some(entry.1)
    }

    fn is_free(&self, step: &Step) -> bool {
        let unused = |table| {
            self.in_use
                .get(table)
                .is_none_or(|now| now.exclusive == 0 && now.shared == 0)
        };
        step.locks.iter().all(unused) && step.shared.iter().all(|table| self.is_shareable(table))
    }

    /// Whether a step waits for nothing but a session, or a table.
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// How many bytes the tables of a step hold.
    pub(crate) fn bytes(&self, step: &Step) -> u64 {
        let tables = step.locks.iter().chain(&step.shared);
        tables.filter_map(|table| self.sizes.get(table)).sum()
    }

    /// Notes that a running step shares the tables that it had to itself from here on, except `kept`.
    pub(crate) fn relax(&mut self, index: usize, kept: &TableName) {
        for table in self.steps[index].locks.iter().filter(|table| *table != kept) {
            let now = self.in_use.entry(table).or_default();
            now.exclusive -= 1;
            now.shared += 1;
        }
        self.relaxed.insert(index, kept.clone());
    }

    /// Whether a table can be shared with what runs on it now.
    pub(crate) fn is_shareable(&self, table: &TableName) -> bool {
        self.in_use.get(table).is_none_or(|now| now.exclusive == 0)
    }

    /// Notes that something besides the steps reads a table.
    pub(crate) fn share(&mut self, table: &'p TableName) {
        self.in_use.entry(table).or_default().shared += 1;
    }

    /// Notes that it no longer does.
    pub(crate) fn unshare(&mut self, table: &TableName) {
        if let Some(now) = self.in_use.get_mut(table) {
            now.shared -= 1;
        }
    }

    /// Notes that a step that was started is done.
    pub(crate) fn step_done(&mut self, index: usize) {
        let step = &self.steps[index];
        let kept = self.relaxed.remove(&index);
        for table in &step.locks {
            if let Some(now) = self.in_use.get_mut(table) {
                match &kept {
                    Some(kept) if kept != table => now.shared -= 1,
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
            self.first_left -= 1;
            if self.first_left == 0 {
                for held in std::mem::take(&mut self.held) {
                    self.release(held);
                }
            }
        }
        self.data_done(step.dump_id);
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
    use crate::plan::Refusal;

    fn table(name: &str) -> TableName {
        TableName {
            schema: "public".into(),
            name: name.into(),
        }
    }

    fn step(dump_id: DumpId, waits_for: &[DumpId], locks: &[&str], shared: &[&str]) -> Step {
        Step {
            dump_id,
            kind: "INDEX".into(),
            name: format!("step {dump_id}"),
            sql: String::new(),
            waits_for: waits_for.to_vec(),
            locks: locks.iter().map(|name| table(name)).collect(),
            shared: shared.iter().map(|name| table(name)).collect(),
            last: false,
            refusal: Refusal::Fatal,
        }
    }

    #[test]
    fn a_step_waits_for_every_load_that_it_names() {
        let steps = [step(10, &[1, 2], &["a"], &[])];
        let mut graph = Graph::new(&steps, [1, 2]);
        assert_eq!(graph.start_if(|_| true), None);
        graph.data_done(1);
        assert_eq!(graph.start_if(|_| true), None);
        graph.data_done(2);
        assert_eq!(graph.start_if(|_| true), Some(0));
        assert_eq!(graph.start_if(|_| true), None);
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
                graph.start_if(|_| true),
                graph.start_if(|_| true),
                graph.start_if(|_| true)
            ),
            (Some(0), Some(1), None)
        );
        graph.step_done(0);
        assert_eq!(graph.start_if(|_| true), None);
        graph.step_done(1);
        assert_eq!(
            (graph.start_if(|_| true), graph.start_if(|_| true)),
            (Some(2), None)
        );
        graph.step_done(2);
        assert_eq!(graph.start_if(|_| true), Some(3));
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
            (graph.start_if(|_| true), graph.start_if(|_| true)),
            (Some(0), None)
        );
        graph.relax(0, &table("orders"));
        assert!(graph.is_shareable(&table("users")) && !graph.is_shareable(&table("orders")));
        // What wants users to itself still waits, and so does what shares orders.
        assert_eq!(graph.start_if(|_| true), None);
        graph.step_done(0);
        assert_eq!(
            (graph.start_if(|_| true), graph.start_if(|_| true)),
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
            (graph.start_if(|_| true), graph.start_if(|_| true)),
            (Some(1), None)
        );
        graph.step_done(1);
        graph.unshare(&a);
        assert_eq!(graph.start_if(|_| true), Some(0));
    }

    #[test]
    fn the_largest_table_goes_first() {
        let steps = [step(10, &[1], &[], &["small"]), step(11, &[2], &[], &["large"])];
        let (small, large) = (table("small"), table("large"));
        let mut graph = Graph::new(&steps, [1, 2]);
        graph.size(&small, 10);
        graph.size(&large, 1_000);
        graph.data_done(1);
        graph.data_done(2);
        assert_eq!(
            (graph.start_if(|_| true), graph.start_if(|_| true)),
            (Some(1), Some(0))
        );
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
        let mut graph = Graph::new(&steps, [1]);
        assert_eq!(graph.start_if(|_| true), None);
        graph.data_done(1);
        assert_eq!(
            (graph.start_if(|_| true), graph.start_if(|_| true)),
            (Some(2), None)
        );
        graph.step_done(2);
        assert_eq!(
            (graph.start_if(|_| true), graph.start_if(|_| true)),
            (Some(1), None)
        );
        graph.step_done(1);
        assert_eq!(graph.start_if(|_| true), Some(0));
        graph.step_done(0);
        assert_eq!(graph.left(), 0);
    }

    #[test]
    fn steps_that_wait_for_one_another_are_named() {
        let steps = [step(10, &[11], &[], &[]), step(11, &[10], &[], &[])];
        let mut graph = Graph::new(&steps, []);
        assert_eq!(graph.start_if(|_| true), None);
        assert_eq!(graph.stuck().map(|step| step.dump_id), Some(10));
    }
}
