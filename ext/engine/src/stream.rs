//! From the archive's bytes to the loader's items: one blocking thread that reads, plans, and cuts rows.
//!
//! The reader runs ahead of the loader only as far as the bounded channel lets it, so back-pressure reaches
//! the download's socket, and memory does not grow with the data.

mod identity;
mod objects;
mod reader;

pub(crate) use identity::Identity;
pub(crate) use objects::Referred;

use crate::detect::Detection;
use crate::error::{Error, Kind, Result};
use crate::event::Sink;
use crate::failure::{JobFailure, JobRemedy};
use crate::part::{Looked, Selection};
use crate::plan::{Plan, Unplanned};
use crate::planned;
use crate::postgres::{Buffers, Item};
use crate::settings::Settings;
use pg_dump_archive::{Archive, DumpId, Entry, Header};
use reader::Reader;
use std::collections::HashSet;
use std::io::Read;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

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
    /// Rows and large objects, in file order. An error is the last item. Where rows are chosen, nothing else is among them.
    pub items: mpsc::Receiver<Result<Item>>,
    /// The table of contents with all that a copy of the archive needs, where it was opened for one; else nothing.
    pub entries: Vec<Entry>,
    /// The rows that are looked at for the choice, where there is one.
    pub looked: Option<mpsc::Receiver<Looked>>,
    /// The look for a choice waits for this: which blocks it need not look at.
    pub first_look: Option<oneshot::Sender<HashSet<DumpId>>>,
    /// The large objects that rows refer to, where only those come: in the second look.
    pub referred: Option<Arc<Referred>>,
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
) -> Result<Opened, Unplanned> {
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
) -> Result<Opened, Unplanned> {
    begin(archive, settings, buffers, events, true).await
}

async fn begin(
    archive: Box<dyn Read + Send>,
    settings: &Settings,
    buffers: Buffers,
    events: &Sink,
    to_copy: bool,
) -> Result<Opened, Unplanned> {
    let (planned, on_planned) = oneshot::channel();
    let (items, receiver) = mpsc::channel(QUEUED);
    let (look, looked) = mpsc::channel(QUEUED);
    let (first_look, on_first_look) = oneshot::channel();
    let (settings, events) = (settings.clone(), events.clone());
    tokio::task::spawn_blocking(move || {
        let (mut archive, known) = match plan(archive, &settings, &events, to_copy) {
            Ok(both) => both,
            Err(error) => return drop(planned.send(Err(error))),
        };
        let (plan, detection) = (Arc::clone(&known.plan), Arc::clone(&known.detection));
        if planned.send(Ok(known)).is_err() {
            return;
        }
        let look = plan.part.is_some().then_some(look);
        let passed_over = match look {
            None => HashSet::new(),
            Some(_) => match on_first_look.blocking_recv() {
                Ok(passed_over) => passed_over,
                // No choice is made.
                Err(_) => return,
            },
        };
        Reader {
            passed_over,
            look,
            plan,
            detection,
            items,
            buffers,
            wanted: None,
            selection: None,
            decides: true,
            reads_objects: true,
            referred: None,
        }
        .run(&mut archive);
    });
    let known = on_planned
        .await
        .map_err(|_| Error::internal("The archive's reader ended before its table of contents."))??;
    Ok(Opened {
        header: known.header,
        identity: known.identity,
        looked: known.plan.part.is_some().then_some(looked),
        plan: known.plan,
        detection: known.detection,
        items: receiver,
        entries: known.entries,
        first_look: Some(first_look),
        referred: known.referred,
    })
}

/// What the table of contents comes to; see [`Opened`].
struct TableOfContents {
    header: Header,
    identity: Identity,
    plan: Arc<Plan>,
    detection: Arc<Detection>,
    entries: Vec<Entry>,
    referred: Option<Arc<Referred>>,
}

/// Reads the table of contents and plans.
fn plan(
    archive: Box<dyn Read + Send>,
    settings: &Settings,
    events: &Sink,
    to_copy: bool,
) -> Result<(Archive<Box<dyn Read + Send>>, TableOfContents), Unplanned> {
    let mut archive = match to_copy {
        true => Archive::open_to_copy(archive),
        false => Archive::open(archive),
    }
    .map_err(Error::from)?;
    let plan = planned::admitted(planned::from_archive(&archive, settings, events)?)?;
    let plan = Arc::new(plan);
    let entries = match to_copy {
        true => archive.entries().to_vec(),
        false => Vec::new(),
    };
    let identity = Identity::of(&archive);
    archive.forget_statements();
    let known = TableOfContents {
        header: archive.header().clone(),
        identity,
        detection: Arc::new(Detection::new(&plan)),
        entries,
        referred: (!to_copy).then(|| Referred::of(&plan)).flatten(),
        plan,
    };
    Ok((archive, known))
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
            return drop(opened.send(Err(replaced())));
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
            passed_over: HashSet::new(),
            look: None,
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

/// What is said where the backup is another one than before.
pub(crate) fn replaced() -> Error {
    Error::new(
        Kind::Archive,
        JobFailure::BackupReplaced,
        JobRemedy::LeaveFileAlone,
    )
}
