//! The thread that reads the archive's blocks, and what it hands on of each.

use super::Referred;
use crate::detect::{Detection, SAMPLE_BYTES};
use crate::error::{unread, Error, Kind, Result};
use crate::failure::{JobFailure, JobRemedy};
use crate::part::{Chosen, Looked, Selection, Sieve};
use crate::plan::{Load, Plan, TableName};
use crate::postgres::{Buffers, Decision, Item};
use crate::rows::LoadRows;
use pg_dump_archive::copy::Splitter;
use pg_dump_archive::{Archive, Block, DataBlock, DumpId, LargeObjectsBlock};
use std::collections::HashSet;
use std::io::Read;
use std::sync::Arc;
use tokio::sync::mpsc;

/// About how many bytes of rows travel together. 64 KiB measured 8% slower, 1 MiB no faster.
const PIECE: usize = 128 * 1024;

/// Why the reader stops before the archive's end.
enum Stop {
    /// Its items are no longer taken: the run has ended otherwise.
    Unwanted,
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Stop::Failed(error.into())
    }
}

/// Reads an archive's blocks.
pub(super) struct Reader {
    pub(super) plan: Arc<Plan>,
    pub(super) detection: Arc<Detection>,
    pub(super) items: mpsc::Sender<Result<Item>>,
    pub(super) buffers: Buffers,
    /// The loads that are still to be read, where not everything is.
    pub(super) wanted: Option<HashSet<DumpId>>,
    /// Blocks that the look need not look at.
    pub(super) passed_over: HashSet<DumpId>,
    /// Where rows go that are looked at for the choice, where they are and do not go on to be loaded.
    pub(super) look: Option<mpsc::Sender<Looked>>,
    /// The choice, once it was made.
    pub(super) selection: Option<Arc<Selection>>,
    /// Rows are judged; else they were before.
    pub(super) decides: bool,
    /// Large objects come in this look.
    pub(super) reads_objects: bool,
    /// Those that rows refer to, where not all come.
    pub(super) referred: Option<Arc<Referred>>,
}

impl Reader {
    /// Reads to the end; an error is the last item.
    pub(super) fn run<R: Read>(mut self, archive: &mut Archive<R>) {
        match self.read(archive) {
            Ok(()) => {
                let _ = self.look(|| Looked::Finished);
            }
            Err(Stop::Unwanted) => {}
            Err(Stop::Failed(error)) => {
                let _ = self.items.blocking_send(Err(error));
            }
        }
    }

    fn read<R: Read>(&mut self, archive: &mut Archive<R>) -> Result<(), Stop> {
        while let Some(block) = archive.next_block()? {
            match block {
                Block::Data(block) => {
                    let id = block.dump_id();
                    let plan = Arc::clone(&self.plan);
                    if let Some(load) = self.rows(&plan, id).filter(|_| self.wants(id)) {
                        self.read_table(load, block)?;
                    } else if let Some(load) = plan.extension_rows.get(&id).filter(|_| self.wants_rest()) {
                        self.read_as_they_are(load, block)?;
                    }
                    self.has_read(id);
                }
                Block::LargeObjects(block) => {
                    let id = block.dump_id();
                    let objects = &self.plan.large_objects.blocks;
                    if self.reads_objects && self.wants(id) && objects.contains(&id) {
                        self.read_large_objects(block)?;
                    }
                    self.has_read(id);
                }
            }
            if self.wanted.as_ref().is_some_and(HashSet::is_empty) {
                break;
            }
        }
        match &self.referred {
            Some(referred) if self.reads_objects => self.send(Item::LargeObjectsKept(referred.oids())),
            _ => Ok(()),
        }
    }

    /// How a block's rows are read: those that come, and in the look for the choice those that only decide.
    fn rows<'p>(&self, plan: &'p Plan, id: DumpId) -> Option<&'p Load> {
        let decides = || plan.only_looked_at.get(&id).filter(|_| self.look.is_some());
        plan.loads.get(&id).or_else(decides)
    }

    fn has_read(&mut self, id: DumpId) {
        if let Some(wanted) = &mut self.wanted {
            wanted.remove(&id);
        }
    }

    fn wants(&self, id: DumpId) -> bool {
        let looks = || {
            let part = self.plan.part.as_ref();
            part.is_some_and(|part| part.looks_at(id)) && !self.passed_over.contains(&id)
        };
        let is_wanted = self.wanted.as_ref().is_none_or(|wanted| wanted.contains(&id));
        is_wanted && (self.look.is_none() || looks())
    }

    /// Whether what no load says comes in this look.
    fn wants_rest(&self) -> bool {
        self.look.is_none() && self.wanted.is_none()
    }

    fn read_table<R: Read>(&mut self, load: &Load, block: DataBlock<'_, R>) -> Result<(), Stop> {
        let rows = LoadRows::new(load, block, PIECE);
        if self.look.is_some() {
            self.look(|| Looked::Start(load.dump_id))?;
            self.look_at_pieces(rows)?;
            return self.look(|| Looked::End);
        }
        self.send(Item::TableStart(load.dump_id))?;
        self.send_pieces(load, rows)?;
        self.send(Item::TableEnd)?;
        if let Some(referred) = &self.referred {
            referred.passed(load.dump_id);
        }
        Ok(())
    }

    /// Rows that nothing decides about and nothing chooses from.
    fn read_as_they_are<R: Read>(&mut self, load: &Load, block: DataBlock<'_, R>) -> Result<(), Stop> {
        let mut rows = LoadRows::new(load, block, PIECE);
        self.send(Item::TableStart(load.dump_id))?;
        loop {
            let mut piece = self.buffers.take();
            if !rows.next(&mut piece)? {
                self.buffers.give(piece);
                break;
            }
            self.send(Item::Rows(piece))?;
        }
        self.send(Item::TableEnd)
    }

    /// Hands rows on that are only looked at.
    fn look_at_pieces<R: Read>(&mut self, mut rows: LoadRows<'_, R>) -> Result<(), Stop> {
        loop {
            let mut piece = self.buffers.take();
            if !rows.next(&mut piece)? {
                self.buffers.give(piece);
                return Ok(());
            }
            self.look(|| Looked::Rows(piece))?;
        }
    }

    fn send_pieces<R: Read>(&mut self, load: &Load, mut rows: LoadRows<'_, R>) -> Result<(), Stop> {
        let selection = self.selection.clone();
        let chosen = selection.as_ref().and_then(|chosen| chosen.of(load.dump_id));
        let counts = chosen.is_some_and(Chosen::counts_as_they_pass);
        let mut sieve = chosen.map(Chosen::sieve);
        let objects = self.plan.large_objects.columns.get(&load.dump_id);
        let objects = objects.and_then(|columns| Some((columns.clone(), self.referred.clone()?)));
        let mut splitter = Splitter::new();
        let mut next = |buffers: &Buffers| -> Result<Option<Vec<u8>>> {
            let Some(piece) = sifted(load, &mut rows, sieve.as_mut(), buffers)? else {
                return Ok(None);
            };
            if let Some((columns, referred)) = &objects {
                referred.note(&piece, columns, &mut splitter);
            }
            Ok(Some(piece))
        };
        if let Some(first) = self.judged(load, counts, &mut next)? {
            for piece in first {
                self.send(Item::Rows(piece))?;
            }
            while let Some(piece) = next(&self.buffers)? {
                self.send(Item::Rows(piece))?;
            }
        }
        if let Some(sieve) = sieve {
            sieve.end();
        }
        Ok(())
    }

    /// Judges a load by its first rows, and returns them; None where its rows do not come. `all`: they have to pass in any
    /// case, to be counted.
    fn judged(
        &mut self,
        load: &Load,
        all: bool,
        next: &mut impl FnMut(&Buffers) -> Result<Option<Vec<u8>>>,
    ) -> Result<Option<Vec<Vec<u8>>>, Stop> {
        if !self.decides {
            // What was decided the first time stands.
            return Ok((!self.detection.withholds(load)).then(Vec::new));
        }
        let Some(most) = self.detection.wants(load) else {
            return Ok(Some(Vec::new()));
        };
        let mut first = Vec::new();
        self.first_rows(most, &mut first, next)?;
        let decision = self.detection.decide(load, first.iter().map(Vec::as_slice));
        let withheld = matches!(decision, Decision::Withhold);
        self.send(Item::Decided(decision))?;
        if !withheld {
            return Ok(Some(first));
        }
        first.into_iter().for_each(|piece| self.buffers.give(piece));
        if all {
            while let Some(piece) = next(&self.buffers)? {
                self.buffers.give(piece);
            }
        }
        Ok(None)
    }

    /// Holds back about as many rows as a decision wants, and no more bytes than [`SAMPLE_BYTES`] allows.
    fn first_rows(
        &self,
        most: u64,
        first: &mut Vec<Vec<u8>>,
        next: &mut impl FnMut(&Buffers) -> Result<Option<Vec<u8>>>,
    ) -> Result<()> {
        let (mut rows, mut bytes) = (0, 0);
        while rows < most && bytes < SAMPLE_BYTES {
            let Some(piece) = next(&self.buffers)? else { break };
            rows += memchr::memchr_iter(b'\n', &piece).count() as u64;
            bytes += piece.len();
            first.push(piece);
        }
        Ok(())
    }

    fn read_large_objects<R: Read>(&mut self, mut block: LargeObjectsBlock<'_, R>) -> Result<(), Stop> {
        self.send(Item::LargeObjects(block.dump_id()))?;
        while let Some(mut object) = block.next_object()? {
            let comes = self.referred.as_ref().is_none_or(|one| one.keeps(object.oid()));
            if !comes {
                continue;
            }
            self.send(Item::LargeObjectStart(object.oid()))?;
            loop {
                let mut piece = self.buffers.take();
                piece.clear();
                let read = (&mut object)
                    .take(PIECE as u64)
                    .read_to_end(&mut piece)
                    .map_err(unread)?;
                if read == 0 {
                    self.buffers.give(piece);
                    break;
                }
                self.send(Item::LargeObjectData(piece))?;
            }
            self.send(Item::LargeObjectEnd)?;
        }
        Ok(())
    }

    fn send(&mut self, item: Item) -> Result<(), Stop> {
        self.items.blocking_send(Ok(item)).map_err(|_| Stop::Unwanted)
    }

    fn look(&self, looked: impl FnOnce() -> Looked) -> Result<(), Stop> {
        match &self.look {
            Some(look) => look.blocking_send(looked()).map_err(|_| Stop::Unwanted),
            None => Ok(()),
        }
    }
}

/// The next piece of rows that come, those that a sieve lets through where there is one.
fn sifted<R: Read>(
    load: &Load,
    rows: &mut LoadRows<'_, R>,
    mut sieve: Option<&mut Sieve<'_>>,
    buffers: &Buffers,
) -> Result<Option<Vec<u8>>> {
    let mut piece = buffers.take();
    while rows.next(&mut piece)? {
        let Some(sieve) = &mut sieve else {
            return Ok(Some(piece));
        };
        let mut chosen = buffers.take();
        if !sieve.sift(&piece, &mut chosen) {
            return Err(not_as_copy_writes(&load.table));
        }
        if !chosen.is_empty() {
            buffers.give(piece);
            return Ok(Some(chosen));
        }
        buffers.give(chosen);
    }
    buffers.give(piece);
    Ok(None)
}

fn not_as_copy_writes(table: &TableName) -> Error {
    Error::new(
        Kind::Archive,
        JobFailure::RowsNotCopy {
            table: table.to_string(),
        },
        JobRemedy::TakeAnotherOrReport,
    )
}
