//! From the archive's bytes to the loader's items: one blocking thread that reads, plans, and cuts rows.
//!
//! The reader runs ahead of the loader only as far as the bounded channel lets it, so back-pressure reaches
//! the download's socket, and memory does not grow with the data.

use crate::detect::{Detection, SAMPLE_BYTES};
use crate::error::reading_failed;
use crate::error::{Error, Kind, Result};
use crate::event::Sink;
use crate::plan::{Load, Plan};
use crate::planned;
use crate::postgres::{Buffers, Decision, Item};
use crate::rows::LoadRows;
use crate::settings::Settings;
use pg_dump_archive::{Archive, Block, DataBlock, DumpId, Entry, Header, LargeObjectsBlock};
use std::collections::HashSet;
use std::io::Read;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// About how many bytes of rows travel together. 64 KiB measured 8% slower, 1 MiB no faster.
const PIECE: usize = 128 * 1024;

/// Pieces between the reader and the lanes, beyond those that the lanes hold.
const QUEUED: usize = 4;

/// What the reader knows once it has read the table of contents.
pub(crate) struct Opened {
    /// The archive's header.
    pub header: Header,
    /// What will happen to each entry.
    pub plan: Arc<Plan>,
    /// What names and values show of personal data; complete when the items have ended.
    pub detection: Arc<Detection>,
    /// Rows and large objects, in file order. An error is the last item.
    pub items: mpsc::Receiver<Result<Item>>,
    /// The table of contents with all that a copy of the archive needs, where it was opened for one; else nothing.
    pub entries: Vec<Entry>,
}

/// Reads the table of contents and plans; then goes on reading in the background.
///
/// # Errors
/// What [`Archive::open`] and [`planned`] find wrong, uncovered personal columns where the policy says so, and
/// errors of the download underneath.
pub(crate) async fn open(
    archive: Box<dyn Read + Send>,
    settings: &Settings,
    buffers: Buffers,
    events: &Sink,
) -> Result<Opened> {
    begin(archive, settings, buffers, events, false).await
}

/// As [`open`], with [`Opened::entries`].
///
/// # Errors
/// As [`open`].
pub(crate) async fn open_to_copy(
    archive: Box<dyn Read + Send>,
    settings: &Settings,
    buffers: Buffers,
    events: &Sink,
) -> Result<Opened> {
    begin(archive, settings, buffers, events, true).await
}

async fn begin(
    archive: Box<dyn Read + Send>,
    settings: &Settings,
    buffers: Buffers,
    events: &Sink,
    to_copy: bool,
) -> Result<Opened> {
    let (opened, on_open) = oneshot::channel();
    let (items, receiver) = mpsc::channel(QUEUED);
    let (settings, events) = (settings.clone(), events.clone());
    tokio::task::spawn_blocking(move || {
        let archive = match to_copy {
            true => Archive::open_to_copy(archive),
            false => Archive::open(archive),
        };
        let mut archive = match archive {
            Ok(archive) => archive,
            Err(error) => return drop(opened.send(Err(error.into()))),
        };
        let plan = planned::from_archive(&archive, &settings, &events).and_then(planned::admitted);
        let plan = match plan {
            Ok(plan) => Arc::new(plan),
            Err(error) => return drop(opened.send(Err(error))),
        };
        let entries = match to_copy {
            true => archive.entries().to_vec(),
            false => Vec::new(),
        };
        archive.forget_statements();
        let detection = Arc::new(Detection::new(&plan));
        let known = (
            archive.header().clone(),
            Arc::clone(&plan),
            Arc::clone(&detection),
            entries,
        );
        if opened.send(Ok(known)).is_err() {
            return;
        }
        Reader {
            plan,
            detection,
            items,
            buffers,
            wanted: None,
        }
        .run(&mut archive);
    });
    let (header, plan, detection, entries) = on_open
        .await
        .map_err(|_| Error::internal("The archive's reader ended before its table of contents."))??;
    Ok(Opened {
        header,
        plan,
        detection,
        items: receiver,
        entries,
    })
}

/// Reads an archive that was read before, for the rows of some of its loads alone; stops behind the last of them.
/// `detection` has judged them then.
///
/// # Errors
/// [`Kind::Archive`] when it is another archive than the one that `header` and `plan` are of; besides, those of
/// [`Archive::open`] and of the download underneath.
pub(crate) async fn open_again(
    archive: Box<dyn Read + Send>,
    header: &Header,
    plan: Arc<Plan>,
    detection: Arc<Detection>,
    wanted: HashSet<DumpId>,
    buffers: Buffers,
) -> Result<mpsc::Receiver<Result<Item>>> {
    let (items, receiver) = mpsc::channel(QUEUED);
    let header = header.clone();
    let (opened, on_open) = oneshot::channel();
    tokio::task::spawn_blocking(move || {
        let mut archive = match Archive::open(archive) {
            Ok(archive) => archive,
            Err(error) => return drop(opened.send(Err(error.into()))),
        };
        if *archive.header() != header {
            return drop(opened.send(Err(Error::new(
                Kind::Archive,
                "The backup is not the one that was read before: it has been replaced meanwhile.",
                "Run it again, and leave the file alone while it lasts.",
            ))));
        }
        if opened.send(Ok(())).is_err() {
            return;
        }
        Reader {
            plan,
            detection,
            items,
            buffers,
            wanted: Some(wanted),
        }
        .run(&mut archive);
    });
    on_open
        .await
        .map_err(|_| Error::internal("The archive's reader ended before its table of contents."))??;
    Ok(receiver)
}

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

struct Reader {
    plan: Arc<Plan>,
    detection: Arc<Detection>,
    items: mpsc::Sender<Result<Item>>,
    buffers: Buffers,
    /// The loads that are still to be read, where not everything is.
    wanted: Option<HashSet<DumpId>>,
}

impl Reader {
    /// Reads to the end; an error is the last item.
    fn run<R: Read>(mut self, archive: &mut Archive<R>) {
        if let Err(Stop::Failed(error)) = self.read(archive) {
            let _ = self.items.blocking_send(Err(error));
        }
    }

    fn read<R: Read>(&mut self, archive: &mut Archive<R>) -> Result<(), Stop> {
        while let Some(block) = archive.next_block()? {
            match block {
                Block::Data(block) => {
                    let id = block.dump_id();
                    if let Some(load) = self.plan.loads.get(&id).filter(|_| self.wants(id)).cloned() {
                        self.read_table(&load, block)?;
                    }
                    let left = self.wanted.as_mut().map(|wanted| {
                        wanted.remove(&id);
                        wanted.len()
                    });
                    if left == Some(0) {
                        return Ok(());
                    }
                }
                Block::LargeObjects(block) => {
                    let objects = &self.plan.large_objects.blocks;
                    if self.wanted.is_none() && objects.contains(&block.dump_id()) {
                        self.read_large_objects(block)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn wants(&self, id: DumpId) -> bool {
        self.wanted.as_ref().is_none_or(|wanted| wanted.contains(&id))
    }

    fn read_table<R: Read>(&mut self, load: &Load, block: DataBlock<'_, R>) -> Result<(), Stop> {
        self.send(Item::TableStart(load.dump_id))?;
        self.send_pieces(load, LoadRows::new(load, block, PIECE))?;
        self.send(Item::TableEnd)
    }

    fn send_pieces<R: Read>(&mut self, load: &Load, mut rows: LoadRows<'_, R>) -> Result<(), Stop> {
        let mut next = |buffers: &Buffers| -> Result<Option<Vec<u8>>> {
            let mut piece = buffers.take();
            if rows.next(&mut piece)? {
                return Ok(Some(piece));
            }
            buffers.give(piece);
            Ok(None)
        };
        let mut first = Vec::new();
        if self.wanted.is_some() {
            // What was decided the first time stands.
            if self.detection.withholds(load) {
                return Ok(());
            }
        } else if let Some(most) = self.detection.wants(load) {
            self.first_rows(most, &mut first, &mut next)?;
            let decision = self.detection.decide(load, first.iter().map(Vec::as_slice));
            let withheld = matches!(decision, Decision::Withhold);
            self.send(Item::Decided(decision))?;
            if withheld {
                first.into_iter().for_each(|piece| self.buffers.give(piece));
                return Ok(());
            }
        }
        for piece in first {
            self.send(Item::Rows(piece))?;
        }
        while let Some(piece) = next(&self.buffers)? {
            self.send(Item::Rows(piece))?;
        }
        Ok(())
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
            self.send(Item::LargeObjectStart(object.oid()))?;
            loop {
                let mut piece = self.buffers.take();
                piece.clear();
                let read = (&mut object)
                    .take(PIECE as u64)
                    .read_to_end(&mut piece)
                    .map_err(|error| reading_failed("a large object", error))?;
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
}
