//! A schema that is created in steps anyway, several of them at once: tables, sequences and what belongs to them, where
//! the archive says that none needs another that is not there yet.

use super::batches::{Batches, PER_STEP};
use crate::error::{Doing, Error, Result};
use crate::failure::Attempt;
use crate::plan::{Plan, Statement};
use crate::postgres::session::connect::Session;
use crate::postgres::Target;
use futures_util::stream::{FuturesUnordered, StreamExt};
use pg_dump_archive::{DumpId, EntryKind};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;

/// pg_dump's words for what needs nothing but what its entry names. Whatever else stands in the schema is created when
/// all before it is there, and before all behind it.
const KINDS: [EntryKind; 6] = [
    EntryKind::Table,
    EntryKind::Sequence,
    EntryKind::SequenceOwnedBy,
    EntryKind::Default,
    EntryKind::SequenceSet,
    EntryKind::Comment,
];

/// Statements of one transaction beyond [`PER_STEP`], so that a table's sequence is created with it.
const TAIL: usize = 20;

/// Locks that a statement takes at most: a table comes with a TOAST table and its index.
const LOCKS: u64 = 4;

/// Statements of one transaction.
#[derive(Debug, PartialEq, Eq)]
struct Chunk {
    range: Range<usize>,
    /// Earlier chunks that must be committed first.
    after: BTreeSet<usize>,
    /// Nothing else may run beside it.
    alone: bool,
}

/// Cuts a schema into chunks.
fn chunks(statements: &[&Statement]) -> Vec<Chunk> {
    let mut chunks: Vec<Chunk> = Vec::new();
    let mut part_of: HashMap<DumpId, usize> = HashMap::new();
    let mut last_alone = None;
    let mut start = 0;
    while let Some(first) = statements.get(start) {
        let alone = !is_independent(first);
        let length = length(&statements[start..], alone);
        let range = start..start + length;
        let mut after = BTreeSet::from_iter(last_alone);
        for statement in &statements[range.clone()] {
            after.extend(statement.needs.iter().filter_map(|id| part_of.get(id)).copied());
            part_of.insert(statement.dump_id, chunks.len());
        }
        // What needs it may stand before it in a damaged archive alone.
        after.retain(|chunk| *chunk < chunks.len());
        start = range.end;
        if alone {
            last_alone = Some(chunks.len());
        }
        chunks.push(Chunk { range, after, alone });
    }
    chunks
}

fn is_independent(statement: &Statement) -> bool {
    KINDS.contains(&statement.kind)
}

/// How many of the statements make the next chunk: about [`PER_STEP`], and no end where one needs what the one before
/// does or is.
fn length(statements: &[&Statement], alone: bool) -> usize {
    let mut own: HashSet<DumpId> = HashSet::new();
    let alike = statements
        .iter()
        .take_while(|one| is_independent(one) != alone)
        .take(PER_STEP + TAIL);
    let mut length = 0;
    for statement in alike {
        let belongs = statement.needs.iter().any(|id| own.contains(id));
        if length >= PER_STEP && (alone || !belongs) {
            break;
        }
        own.clear();
        own.insert(statement.dump_id);
        own.extend(&statement.needs);
        length += 1;
    }
    length
}

impl Target {
    /// Creates a schema in transactions of their own, over `session` and as many others as help. `prepare`: what the
    /// others execute first.
    pub(super) async fn create_in_chunks(
        &self,
        session: &Session,
        plan: &Plan,
        prepare: &str,
        statements: &[&Statement],
    ) -> Result<()> {
        let chunks = chunks(statements);
        let side_by_side = chunks.iter().filter(|chunk| !chunk.alone).count();
        let mut others = Vec::new();
        while others.len() + 1 < self.sessions_for(side_by_side) {
            let other = self.session().await?;
            let prepared = other.batch_execute(prepare).await;
            prepared
                .map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::PreparingSchema), &error))?;
            others.push(other);
        }
        let left = self
            .create_side_by_side((session, &others), plan, statements, &chunks)
            .await;
        for other in others {
            // They have the reset's settings.
            match other.batch_execute("SET lock_timeout = 0").await {
                Ok(()) => self.give_back(other),
                Err(_) => other.close().await,
            }
        }
        for chunk in left {
            self.create_in_batches(session, plan, &statements[chunks[chunk].range.clone()])
                .await?;
        }
        Ok(())
    }

    /// No more than there is something for, and than the server's lock table has room for.
    fn sessions_for(&self, chunks: usize) -> usize {
        let locks = LOCKS * (PER_STEP + TAIL) as u64;
        let room = self.facts.lock_slots * 7 / 10 / locks;
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        self.parallel().min(chunks).min(room)
    }

    /// Creates chunks as soon as those that they need are there, until one fails. Returns those that are not created, in
    /// their order, to be created one by one: what failed may have met another chunk, less room for locks than there
    /// seemed to be, or an archive that does not name all that it needs. What is really wrong is met once more then, and
    /// reported as it is.
    async fn create_side_by_side(
        &self,
        (session, others): (&Session, &[Session]),
        plan: &Plan,
        statements: &[&Statement],
        chunks: &[Chunk],
    ) -> Vec<usize> {
        let mut idle: Vec<&Session> = others.iter().chain([session]).collect();
        let mut left: BTreeSet<usize> = (0..chunks.len()).collect();
        let mut done: HashSet<usize> = HashSet::new();
        let mut running = FuturesUnordered::new();
        let mut goes_on = true;
        loop {
            while let Some(session) = idle.pop() {
                let next = goes_on.then(|| next(chunks, &left, &done, running.is_empty()));
                let Some(chunk) = next.flatten() else {
                    idle.push(session);
                    break;
                };
                left.remove(&chunk);
                let range = chunks[chunk].range.clone();
                running.push(async move {
                    let outcome = self.create_batch(session, plan, &statements[range]).await;
                    (chunk, session, outcome)
                });
            }
            let Some((chunk, session, outcome)) = running.next().await else {
                return left.into_iter().collect();
            };
            if outcome.is_ok() {
                done.insert(chunk);
            } else {
                left.insert(chunk);
                goes_on = false;
            }
            idle.push(session);
        }
    }

    /// Creates statements in transactions one after the other, as small as they have to be.
    async fn create_in_batches(
        &self,
        session: &Session,
        plan: &Plan,
        statements: &[&Statement],
    ) -> Result<()> {
        let mut batches = Batches::of(statements.len());
        while let Some(range) = batches.next() {
            let created = self.create_batch(session, plan, &statements[range]).await;
            batches.done(self, created).await?;
        }
        Ok(())
    }
}

/// The first chunk that may run now. `idle`: nothing else does.
fn next(chunks: &[Chunk], left: &BTreeSet<usize>, done: &HashSet<usize>, idle: bool) -> Option<usize> {
    let first = *left.first()?;
    if chunks[first].alone {
        // All before it are done when nothing runs.
        return idle.then_some(first);
    }
    let until = left.iter().take_while(|chunk| !chunks[**chunk].alone);
    let mut ready = until.filter(|chunk| chunks[**chunk].after.iter().all(|one| done.contains(one)));
    ready.next().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Refusal;

    fn statement(dump_id: i32, kind: EntryKind, needs: &[i32]) -> Statement {
        Statement {
            dump_id: DumpId(dump_id),
            kind,
            name: String::new(),
            sql: String::new(),
            needs: needs.iter().copied().map(DumpId).collect(),
            refusal: Refusal::Fatal,
        }
    }

    #[test]
    fn a_table_and_its_sequence_are_of_one_part_and_a_default_waits_for_it() {
        let mut all = Vec::new();
        for table in 0..40 {
            let id = 10 * table;
            all.push(statement(id, EntryKind::Table, &[]));
            all.push(statement(id + 1, EntryKind::Sequence, &[id]));
            all.push(statement(id + 2, EntryKind::SequenceOwnedBy, &[id, id + 1]));
        }
        all.extend(
            (0..40).map(|table| statement(10 * table + 3, EntryKind::Default, &[10 * table, 10 * table + 1])),
        );
        let all: Vec<&Statement> = all.iter().collect();
        let chunks = chunks(&all);
        let ranges: Vec<_> = chunks.iter().map(|chunk| chunk.range.clone()).collect();
        assert_eq!(ranges, [0..102, 102..160]);
        assert_eq!(chunks[1].after, BTreeSet::from([0]));
    }

    #[test]
    fn what_is_not_known_to_be_independent_has_all_before_it_and_nothing_beside_it() {
        let all = [
            statement(1, EntryKind::Table, &[]),
            statement(2, EntryKind::View, &[]),
            statement(3, EntryKind::Function, &[]),
            statement(4, EntryKind::Table, &[]),
        ];
        let all: Vec<&Statement> = all.iter().collect();
        let chunks = chunks(&all);
        let alone: Vec<_> = chunks
            .iter()
            .map(|chunk| (chunk.range.clone(), chunk.alone))
            .collect();
        assert_eq!(alone, [(0..1, false), (1..3, true), (3..4, false)]);

        let (mut left, mut done) = (BTreeSet::from([0, 1, 2]), HashSet::new());
        assert_eq!(next(&chunks, &left, &done, true), Some(0));
        left.remove(&0);
        assert_eq!(next(&chunks, &left, &done, false), None);
        done.insert(0);
        assert_eq!(next(&chunks, &left, &done, true), Some(1));
        left.remove(&1);
        assert_eq!(
            next(&chunks, &left, &done, false),
            None,
            "the view is being created"
        );
        done.insert(1);
        assert_eq!(next(&chunks, &left, &done, true), Some(2));
    }

    #[test]
    fn a_part_waits_for_those_it_needs_alone() {
        let chunk = |range, after: &[usize]| Chunk {
            range,
            after: after.iter().copied().collect(),
            alone: false,
        };
        let chunks = [chunk(0..1, &[]), chunk(1..2, &[0]), chunk(2..3, &[])];
        let left = BTreeSet::from([1, 2]);
        assert_eq!(next(&chunks, &left, &HashSet::new(), false), Some(2));
        assert_eq!(next(&chunks, &left, &HashSet::from([0]), false), Some(1));
    }
}
