//! The rows, masked, and large objects, written into an archive as they come. On a thread that may block.

use super::{unwritten, BlockPlace};
use crate::error::{Error, Kind, Result};
use crate::event::{self, Event};
use crate::failure::{JobFailure, JobRemedy};
use crate::plan::{Load, Plan};
use crate::postgres::{Buffers, Decision, Item, LoadedTable, Passage, SqlChange, Stages};
use masking::{ColumnCounts, RowMask};
use pg_dump_archive::{Compression, DumpId, Entry, Header, Version, WriteError, Writer};
use std::collections::HashMap;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The line that closes COPY text, and the blank ones that pg_dump writes after it.
const END_OF_ROWS: &[u8] = b"\\.\n\n\n";

/// Between two words on how far a table is.
const SAY_EVERY: Duration = Duration::from_millis(250);

/// An archive that takes a plan's items.
pub(crate) struct ArchiveSink<W: Write> {
    plan: Arc<Plan>,
    stages: Stages,
    buffers: Buffers,
    events: event::Sink,
    writer: Writer<W>,
    current: Option<CurrentBlock>,
    /// The block of large objects that is open.
    objects: Option<DumpId>,
    written: Written,
}

/// What was written.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// Each load, in the order in which they came.
    pub(crate) loads: Vec<LoadedTable>,
    /// Where their blocks lie.
    pub(crate) places: HashMap<DumpId, BlockPlace>,
    /// Large objects whose contents are in it.
    pub(crate) large_objects: u64,
    /// Bytes of the archive.
    pub(crate) size: u64,
}

/// What was done to a load's rows before they came here.
#[derive(Debug, Default)]
pub(crate) struct Finished {
    /// What became of each masked column.
    pub(crate) masked: Vec<ColumnCounts>,
    /// What rules in SQL did.
    pub(crate) sql: Vec<SqlChange>,
}

/// The load whose rows come.
struct CurrentBlock {
    load: DumpId,
    decision: Decision,
    /// From its first piece on.
    passage: Option<Passage>,
    /// Nothing more is done to its rows.
    finished: Option<Finished>,
    rows: u64,
    bytes_came: u64,
    bytes: u64,
    since: Instant,
    reported: Instant,
}

/// Refuses a compression that an archive of this version cannot have.
///
/// # Errors
/// [`Kind::Configuration`].
pub(crate) fn refuse_compression(header: &Header, compression: Compression) -> Result<()> {
    let none: [&Entry; 0] = [];
    Writer::new(std::io::sink(), header, compression, none)
        .map(drop)
        .map_err(unwritten)
}

impl<W: Write> ArchiveSink<W> {
    /// Begins an archive in `out` with these entries.
    ///
    /// # Errors
    /// [`Kind::Configuration`] when it cannot be written, or has not this compression.
    pub(crate) fn begin(
        out: W,
        (header, compression, entries): (&Header, Compression, &[Entry]),
        plan: Arc<Plan>,
        (stages, buffers, events): (Stages, Buffers, event::Sink),
    ) -> Result<Self> {
        Ok(Self {
            writer: Writer::new(out, header, compression, entries).map_err(unwritten)?,
            plan,
            stages,
            buffers,
            events,
            current: None,
            objects: None,
            written: Written::default(),
        })
    }

    /// The version of the archive.
    pub(crate) fn version(&self) -> Version {
        self.writer.version()
    }

    /// Takes the next item.
    ///
    /// # Errors
    /// When a row cannot be masked, or the archive cannot be written.
    pub(crate) fn take(&mut self, item: Item) -> Result<()> {
        match item {
            Item::TableStart(id) => self.start_table(id),
            Item::Decided(decision) => {
                self.current()?.decision = decision;
                Ok(())
            }
            Item::Rows(piece) => self.rows(piece),
            Item::TableEnd => self.end_table(),
            Item::LargeObjects(id) => self.start_objects(id),
            Item::LargeObjectStart(oid) => {
                self.written.large_objects += 1;
                self.write(|writer| writer.begin_object(oid))
            }
            Item::LargeObjectData(data) => {
                self.write(|writer| writer.write(&data))?;
                self.buffers.give(data);
                Ok(())
            }
            Item::LargeObjectEnd => self.write(Writer::end_object),
            // An archive's table of contents names all of them.
            Item::LargeObjectsKept(_) => Ok(()),
        }
    }

    /// Ends the archive, all items having come; `finish` is how.
    ///
    /// # Errors
    /// When something is missing, or it cannot be written.
    pub(crate) fn end(mut self, finish: impl FnOnce(Writer<W>) -> Result<W, WriteError>) -> Result<Written> {
        self.end_objects()?;
        self.written.size = self.writer.position();
        finish(self.writer).map_err(unwritten)?;
        Ok(self.written)
    }

    fn write(&mut self, what: impl FnOnce(&mut Writer<W>) -> Result<(), WriteError>) -> Result<()> {
        what(&mut self.writer).map_err(unwritten)
    }

    fn current(&mut self) -> Result<&mut CurrentBlock> {
        self.current
            .as_mut()
            .ok_or_else(|| Error::internal("Rows arrived outside of a table."))
    }

    fn start_table(&mut self, id: DumpId) -> Result<()> {
        self.end_objects()?;
        let load = load(&self.plan, id)?;
        self.events.send(Event::TableStarted {
            table: load.table.to_string(),
        });
        let now = Instant::now();
        self.current = Some(CurrentBlock {
            load: id,
            decision: Decision::AsPlanned,
            passage: None,
            finished: None,
            rows: 0,
            bytes_came: 0,
            bytes: 0,
            since: now,
            reported: now,
        });
        self.write(|writer| writer.begin_data(id))
    }

    /// Begins a load whose rows come as they are written.
    ///
    /// # Errors
    /// When the archive cannot be written.
    pub(crate) fn begin_finished(&mut self, id: DumpId, finished: Finished) -> Result<()> {
        self.start_table(id)?;
        self.current()?.finished = Some(finished);
        Ok(())
    }

    fn rows(&mut self, piece: Vec<u8>) -> Result<()> {
        let (plan, stages, buffers) = (Arc::clone(&self.plan), self.stages.clone(), self.buffers.clone());
        let current = self.current()?;
        let load = load(&plan, current.load)?;
        current.rows += memchr::memchr_iter(b'\n', &piece).count() as u64;
        current.bytes_came += piece.len() as u64;
        let rows = match (&current.finished, &mut current.passage) {
            (Some(_), _) => piece,
            (None, Some(passage)) => passage.rows(piece)?,
            (None, none) => none
                .insert(passage(load, &current.decision, &stages, &buffers))
                .rows(piece)?,
        };
        current.bytes += rows.len() as u64;
        let progress = (current.reported.elapsed() >= SAY_EVERY).then(|| {
            current.reported = Instant::now();
            Event::TableProgress {
                table: load.table.to_string(),
                rows: current.rows,
                bytes: current.bytes_came,
            }
        });
        self.write(|writer| writer.write(&rows))?;
        self.buffers.give(rows);
        if let Some(progress) = progress {
            self.events.send(progress);
        }
        Ok(())
    }

    fn end_table(&mut self) -> Result<()> {
        let current = self
            .current
            .take()
            .ok_or_else(|| Error::internal("The rows of a table ended that had not begun."))?;
        self.write(|writer| writer.write(END_OF_ROWS))?;
        let offset = self.writer.block_begins(current.load).unwrap_or_default();
        self.write(Writer::end_block)?;
        let length = self.writer.position() - offset;
        self.written
            .places
            .insert(current.load, BlockPlace { offset, length });
        let plan = Arc::clone(&self.plan);
        let load = load(&plan, current.load)?;
        let was_finished = current.finished.is_some();
        let done = self.loaded(load, current)?;
        for stage in self.stages.iter().filter(|_| !was_finished) {
            // A table whose rows must not stay, as is known only now, fails the dump at its end.
            stage.settle(load);
        }
        self.events.send(Event::TableLoaded {
            table: done.table.to_string(),
            rows: done.rows,
            bytes: done.bytes,
            masked: done.masked.iter().map(|column| column.masked).sum(),
            seconds: done.seconds,
        });
        self.written.loads.push(done);
        Ok(())
    }

    /// What became of the rows of a load.
    fn loaded(&self, load: &Load, current: CurrentBlock) -> Result<LoadedTable> {
        let columns = mask_of(load, &current.decision).map_or(0, |mask| mask.columns().len());
        let counts = current.passage.map(Passage::end).unwrap_or_default();
        if columns > 0 && current.finished.is_none() && counts.rows != current.rows {
            return Err(Error::new(
                Kind::Verification,
                JobFailure::NotAllMasked {
                    table: load.table.to_string(),
                    count: current.rows,
                    masked: counts.rows,
                },
                JobRemedy::AgainOrReport,
            ));
        }
        let Finished { mut masked, sql } = current.finished.unwrap_or(Finished {
            masked: counts.columns,
            sql: Vec::new(),
        });
        masked.resize(columns, ColumnCounts::default());
        Ok(LoadedTable {
            dump_id: load.dump_id,
            table: load.table.clone(),
            rows: current.rows,
            bytes: current.bytes,
            masked,
            sql,
            seconds: current.since.elapsed().as_secs_f64(),
        })
    }

    fn start_objects(&mut self, id: DumpId) -> Result<()> {
        self.end_objects()?;
        self.objects = Some(id);
        self.write(|writer| writer.begin_objects(id))
    }

    fn end_objects(&mut self) -> Result<()> {
        match self.objects.take() {
            Some(_) => self.write(Writer::end_block),
            None => Ok(()),
        }
    }
}

fn load(plan: &Plan, id: DumpId) -> Result<&Load> {
    plan.rows_of(id).ok_or_else(|| {
        Error::internal(format!(
            "Rows of entry {id} arrived, which the plan does not write."
        ))
    })
}

/// The mask of a load: the plan's, or the one that was decided on from its first rows.
fn mask_of<'l>(load: &'l Load, decision: &'l Decision) -> Option<&'l Arc<RowMask>> {
    match decision {
        Decision::Mask(mask) => Some(mask),
        _ => load.mask.as_ref(),
    }
}

fn passage(load: &Load, decision: &Decision, stages: &Stages, buffers: &Buffers) -> Passage {
    let mask = mask_of(load, decision);
    let vectors = load.vectors_under(mask.map(Arc::as_ref));
    Passage::new(
        (load.dump_id, &load.table.to_string()),
        mask,
        vectors.map(|vectors| &vectors.mask),
        stages,
        buffers,
    )
}
