//! From the archive's bytes to the loader's items: one blocking thread that reads, plans, and cuts rows.
//!
//! The reader runs ahead of the loader only as far as the bounded channel lets it, so back-pressure reaches
//! the download's socket, and memory does not grow with the data.

mod objects;

pub(crate) use objects::Referred;

use crate::detect::{Detection, SAMPLE_BYTES};
use crate::error::reading_failed;
use crate::error::{Error, Kind, Result};
use crate::event::Sink;
use crate::part::{Looked, Selection, Sieve};
use crate::plan::{Load, Plan};
use crate::planned;
use crate::postgres::{Buffers, Decision, Item};
use crate::rows::LoadRows;
use crate::settings::Settings;
use pg_dump_archive::copy::Splitter;
use pg_dump_archive::{Archive, Block, DataBlock, DumpId, Entry, Header, LargeObjectsBlock};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::io::{Read, Write as _};
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
    /// What distinguishes the archive from any other.
    pub identity: Identity,
    /// What will happen to each entry.
    pub plan: Arc<Plan>,
    /// What names and values show of personal data; complete when the items have ended.
    pub detection: Arc<Detection>,
    /// Rows and large objects, in file order. An error is the last item. Rows that have to be chosen first are not among
    /// them.
    pub items: mpsc::Receiver<Result<Item>>,
    /// The table of contents with all that a copy of the archive needs, where it was opened for one; else nothing.
    pub entries: Vec<Entry>,
    /// The rows that are looked at for the choice, where there is one.
    pub looked: Option<mpsc::Receiver<Looked>>,
    /// The first look for a choice waits for this: for word that nothing is loaded yet and only what decides is looked at, or
    /// for its being dropped; then what needs no choice is loaded by the way.
    pub first_look: Option<oneshot::Sender<()>>,
    /// The large objects that rows refer to, where only those come: in the second look.
    pub referred: Option<Arc<Referred>>,
}

/// What distinguishes one archive from another: its header, and a digest of its table of contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    header: Header,
    contents: [u8; 32],
}

impl Identity {
    fn of<R: Read>(archive: &Archive<R>) -> Self {
        let mut digest = Sha256::new();
        let mut line = Vec::new();
        for entry in archive.entries() {
            let Entry {
                dump_id,
                tag,
                namespace,
                kind,
                copy_stmt,
                defn,
                ..
            } = entry;
            line.clear();
            // Writing to a buffer cannot fail.
            let _ = write!(
                line,
                "{dump_id}\0{kind}\0{namespace}\0{tag}\0{copy_stmt}\0{defn}\0"
            );
            digest.update(&line);
        }
        Self {
            header: archive.header().clone(),
            contents: digest.finalize().into(),
        }
    }
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
    let (look, looked) = mpsc::channel(QUEUED);
    let (first_look, kind_of_look) = oneshot::channel();
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
        let identity = Identity::of(&archive);
        archive.forget_statements();
        let detection = Arc::new(Detection::new(&plan));
        let referred = (!to_copy).then(|| Referred::of(&plan)).flatten();
        let known = (
            archive.header().clone(),
            identity,
            Arc::clone(&plan),
            Arc::clone(&detection),
            entries,
            referred.clone(),
        );
        if opened.send(Ok(known)).is_err() {
            return;
        }
        let look = plan.part.is_some().then_some(look);
        let only_looks = look.is_some() && kind_of_look.blocking_recv().is_ok();
        Reader {
            loads: !only_looks,
            look,
            plan,
            detection,
            items,
            buffers,
            wanted: None,
            selection: None,
            decides: true,
            reads_objects: referred.is_none(),
            referred,
        }
        .run(&mut archive);
    });
    let (header, identity, plan, detection, entries, referred) = on_open
        .await
        .map_err(|_| Error::internal("The archive's reader ended before its table of contents."))??;
    Ok(Opened {
        header,
        identity,
        looked: plan.part.is_some().then_some(looked),
        plan,
        detection,
        items: receiver,
        entries,
        first_look: Some(first_look),
        referred,
    })
}

/// An archive that is read again, for some of its rows.
pub(crate) struct Again {
    /// The one that was read before.
    pub(crate) identity: Identity,
    pub(crate) plan: Arc<Plan>,
    pub(crate) detection: Arc<Detection>,
    /// Which of its rows, if some were chosen.
    pub(crate) selection: Option<Arc<Selection>>,
    /// Its rows were never judged; else they were, and what was decided stands.
    pub(crate) decides: bool,
    /// The large objects that rows refer to, where they come by it and not all do.
    pub(crate) referred: Option<Arc<Referred>>,
}

/// Reads an archive for a second time. `wanted`: the loads whose rows come; reading stops after the last of them.
/// None: all, and large objects.
///
/// # Errors
/// [`Kind::Archive`] when it is another archive than the one before; besides, those of [`Archive::open`] and of the
/// download underneath.
pub(crate) async fn open_again(
    archive: Box<dyn Read + Send>,
    again: Again,
    wanted: Option<HashSet<DumpId>>,
    buffers: Buffers,
) -> Result<mpsc::Receiver<Result<Item>>> {
    let (items, receiver) = mpsc::channel(QUEUED);
    let (opened, on_open) = oneshot::channel();
    tokio::task::spawn_blocking(move || {
        let mut archive = match Archive::open(archive) {
            Ok(archive) => archive,
            Err(error) => return drop(opened.send(Err(error.into()))),
        };
        if Identity::of(&archive) != again.identity {
            return drop(opened.send(Err(Error::new(
                Kind::Archive,
                "The backup is not the one that was read before: it has been replaced meanwhile.",
                "Run it again, and leave the file alone while it lasts.",
            ))));
        }
        archive.forget_statements();
        if opened.send(Ok(())).is_err() || wanted.as_ref().is_some_and(HashSet::is_empty) {
            return;
        }
        Reader {
            plan: again.plan,
            detection: again.detection,
            items,
            buffers,
            wanted,
            look: None,
            loads: true,
            selection: again.selection,
            decides: again.decides,
            reads_objects: again.decides,
            referred: again.referred,
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
    /// Where rows go that are looked at for the choice.
    look: Option<mpsc::Sender<Looked>>,
    /// Rows go on to be loaded; else they are only looked at.
    loads: bool,
    /// The choice, once it was made.
    selection: Option<Arc<Selection>>,
    /// Rows are judged; else they were before.
    decides: bool,
    /// Large objects come in this look.
    reads_objects: bool,
    /// Those that rows refer to, where not all come.
    referred: Option<Arc<Referred>>,
}

impl Reader {
    /// Reads to the end; an error is the last item.
    fn run<R: Read>(mut self, archive: &mut Archive<R>) {
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
                    if let Some(load) = plan.loads.get(&id).filter(|_| self.wants(id)) {
                        self.read_table(load, block)?;
                    } else if let Some(load) = plan.extension_rows.get(&id).filter(|_| self.wanted.is_none())
                    {
                        self.read_as_they_are(load, block)?;
                    }
                    self.has_read(id);
                }
                Block::LargeObjects(block) => {
                    let id = block.dump_id();
                    let objects = &self.plan.large_objects.blocks;
                    if self.loads && self.reads_objects && self.wants(id) && objects.contains(&id) {
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
            Some(referred) if self.loads && self.reads_objects => {
                self.send(Item::LargeObjectsKept(referred.oids()))
            }
            _ => Ok(()),
        }
    }

    fn has_read(&mut self, id: DumpId) {
        if let Some(wanted) = &mut self.wanted {
            wanted.remove(&id);
        }
    }

    fn wants(&self, id: DumpId) -> bool {
        let looks = || self.plan.part.as_ref().is_some_and(|part| part.looks_at(id));
        let is_wanted = self.wanted.as_ref().is_none_or(|wanted| wanted.contains(&id));
        is_wanted && (self.loads || looks())
    }

    fn read_table<R: Read>(&mut self, load: &Load, block: DataBlock<'_, R>) -> Result<(), Stop> {
        let rows = LoadRows::new(load, block, PIECE);
        let part = self.plan.part.as_ref().filter(|_| self.look.is_some());
        let (looks, waits) = part.map_or((false, false), |part| {
            (part.looks_at(load.dump_id), part.waits(load.dump_id))
        });
        if looks {
            self.look(|| Looked::Start(load.dump_id))?;
        }
        if waits || !self.loads {
            self.look_at_pieces(rows)?;
        } else {
            self.send(Item::TableStart(load.dump_id))?;
            self.send_pieces(load, rows, looks)?;
            self.send(Item::TableEnd)?;
            if let Some(referred) = &self.referred {
                referred.passed(load.dump_id);
            }
        }
        if looks {
            self.look(|| Looked::End)?;
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

    fn send_pieces<R: Read>(
        &mut self,
        load: &Load,
        mut rows: LoadRows<'_, R>,
        looks: bool,
    ) -> Result<(), Stop> {
        let selection = self.selection.clone();
        let mut sieve = selection
            .as_ref()
            .and_then(|chosen| chosen.of(load.dump_id))
            .map(|chosen| chosen.sieve());
        let look = self.look.clone().filter(|_| looks);
        let objects = self.plan.large_objects.columns.get(&load.dump_id);
        let objects = objects.and_then(|columns| Some((columns.clone(), self.referred.clone()?)));
        let mut splitter = Splitter::new();
        let mut next = |buffers: &Buffers| -> Result<Option<Vec<u8>>> {
            let Some(piece) = sifted(&mut rows, sieve.as_mut(), buffers)? else {
                return Ok(None);
            };
            if let Some((columns, referred)) = &objects {
                referred.note(&piece, columns, &mut splitter);
            }
            if let Some(look) = &look {
                let mut copy = buffers.take();
                copy.extend_from_slice(&piece);
                // Where the reader of the look has gone, the choice has failed, and says so.
                let _ = look.blocking_send(Looked::Rows(copy));
            }
            Ok(Some(piece))
        };
        let mut first = Vec::new();
        if !self.decides {
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
                if looks {
                    // Others are chosen by rows that do not come.
                    while let Some(piece) = next(&self.buffers)? {
                        self.buffers.give(piece);
                    }
                }
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

    fn look(&self, looked: impl FnOnce() -> Looked) -> Result<(), Stop> {
        match &self.look {
            Some(look) => look.blocking_send(looked()).map_err(|_| Stop::Unwanted),
            None => Ok(()),
        }
    }
}

/// The next piece of rows that come, those that a sieve lets through where there is one.
fn sifted<R: Read>(
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
        sieve.sift(&piece, &mut chosen);
        if !chosen.is_empty() {
            buffers.give(piece);
            return Ok(Some(chosen));
        }
        buffers.give(chosen);
    }
    buffers.give(piece);
    Ok(None)
}
