//! Which rows come: chosen before the target is touched, in a first look at the backup.

use super::read_only;
use crate::error::{Doing, Error, Kind, Result};
use crate::event::{Event, Phase, Sink};
use crate::failure::{Attempt, BackupRemedy, JobFailure};
use crate::part::{self, Asked, Breadth, Choice, Chooser, Looked, Reason, Search, Selection, Sought, What};
use crate::plan::part::Part;
use crate::plan::schema::Schema;
use crate::plan::{Plan, Unplanned, Unsettled};
use crate::postgres::inspect::connect;
use crate::postgres::url::ConnectionUrl;
use crate::postgres::{look_at_kept, refused_in, Buffers, Item, Session, Target};
use crate::settings::Settings;
use crate::source::{self, BackupInfo};
use crate::stream::{self, Identity, Opened};
use pg_dump_archive::DumpId;
use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Pieces of rows on their way in a look without lanes.
const BUFFERS: usize = 8;

/// Chooses over a session of the target's own. None where every row comes.
pub(super) async fn beforehand(
    target: &Target,
    opened: &mut Opened,
    backup: Known<'_>,
) -> Result<Option<Selection>> {
    if opened.plan.part.is_none() {
        return Ok(None);
    }
    let session = target.session().await?;
    let chosen = elsewhere((session, target.buffers()), opened, backup).await?;
    Ok(Some(chosen))
}

/// Asks the server what it has against a plan, before any row is looked at: about the rules of its part, and about tables
/// that are to stay.
///
/// # Errors
/// Everything that it refuses, as one.
pub(super) async fn refuse(session: impl Future<Output = Result<Session>>, plan: &Plan) -> Result<()> {
    let refusals = also_refused(session, &plan.unsettled()).await?;
    refused(refusals).map_or(Ok(()), Err)
}

/// What the server has against a configuration, as one list.
pub(super) fn refused(refusals: impl IntoIterator<Item = Error>) -> Option<Error> {
    Error::together(refusals.into_iter().collect(), refused_in)
}

/// Why there is no plan, with what the server refuses besides: of the configuration everything is said at once. What the
/// server cannot be asked stays for the next time.
pub(super) async fn unplanned(session: impl Future<Output = Result<Session>>, unplanned: Unplanned) -> Error {
    let further = match &unplanned.unsettled {
        Some(unsettled) => also_refused(session, unsettled).await.unwrap_or_default(),
        None => Vec::new(),
    };
    as_one(vec![unplanned.error], further)
}

/// What the server refuses of a part, and of tables that are to stay.
///
/// # Errors
/// When it cannot be asked.
pub(super) async fn also_refused(
    session: impl Future<Output = Result<Session>>,
    unsettled: &Unsettled,
) -> Result<Vec<Error>> {
    if unsettled.part.is_none() && unsettled.idle.is_empty() && unsettled.keep.tables.is_empty() {
        return Ok(Vec::new());
    }
    let session = session.await?;
    let of = (unsettled.part.as_ref(), unsettled.idle.as_slice());
    let asked = part::ask(&session, of, &unsettled.needs).await?;
    let (differing, _) = look_at_kept(&session, &unsettled.keep).await?;
    session.close().await;
    Ok(asked.problems.into_iter().chain(differing).collect())
}

/// What is wrong with a configuration, and what the server refuses of it, as one list.
pub(super) fn as_one(mut wrong: Vec<Error>, refused: Vec<Error>) -> Error {
    wrong.extend(refused);
    let head = |count| JobFailure::WrongInPlaces { count };
    Error::together(wrong, head)
        .unwrap_or_else(|| Error::internal("Nothing is wrong with the configuration."))
}

/// A backup that can be read again.
#[derive(Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) settings: &'a Settings,
    pub(super) backup: &'a BackupInfo,
    pub(super) events: &'a Sink,
}

/// The choice over a session of a database that need not have anything of the backup's.
pub(super) async fn elsewhere(
    (session, buffers): (Session, Buffers),
    opened: &mut Opened,
    backup: Known<'_>,
) -> Result<Selection> {
    let plan = Arc::clone(&opened.plan);
    let chooser = Chooser::begin(session, buffers.clone(), &plan, Breadth::Needed).await?;
    backup.events.send(Event::Phase { phase: Phase::Choice });
    match first_look(chooser, opened).await? {
        Choice::Made(selection) => Ok(selection),
        Choice::TooManyKeys(session) => backup.look_at_all(session, buffers, &opened.identity).await,
    }
}

impl Known<'_> {
    /// The choice by a look at all rows that decide, from the backup's beginning.
    async fn look_at_all(self, session: Session, buffers: Buffers, identity: &Identity) -> Result<Selection> {
        let emptied = session.batch_execute("DISCARD TEMP").await;
        emptied.map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::ChoosingRows), &error))?;
        let mut opened = self.reopen(identity, &buffers).await?;
        everything(session, buffers, &mut opened, self.events).await
    }

    /// The backup from its beginning.
    async fn reopen(self, identity: &Identity, buffers: &Buffers) -> Result<Opened> {
        let stall_timeout = self.settings.target.stall_timeout;
        let again =
            source::open_again(&self.settings.source, self.backup, stall_timeout, self.events).await?;
        let opened = stream::open(again.archive, self.settings, buffers.clone(), self.events).await?;
        match opened.identity == *identity {
            true => Ok(opened),
            false => Err(stream::replaced()),
        }
    }

    /// The rows of the blocks that may hold the one that is sought.
    async fn rows(self, sought: &Sought, opened: Opened, buffers: Buffers) -> Result<Items> {
        let Opened {
            plan,
            detection,
            identity,
            ..
        } = opened;
        let stall_timeout = self.settings.target.stall_timeout;
        let archive =
            source::open_again(&self.settings.source, self.backup, stall_timeout, self.events).await?;
        let again = stream::Again {
            identity,
            plan,
            detection,
            selection: None,
            decides: false,
            referred: None,
        };
        let wanted = sought.blocks.keys().copied().collect();
        stream::open_again(archive.archive, again, Some(wanted), buffers).await
    }

    /// Whether the backup has a row, of a table whose rows all come.
    async fn holds(self, sought: &Sought, opened: Opened, buffers: Buffers) -> Result<bool> {
        let mut items = self.rows(sought, opened, buffers.clone()).await?;
        let mut search = Search::of(sought);
        while let Some(item) = items.recv().await {
            match item? {
                Item::TableStart(load) => search.begin(load),
                Item::Rows(piece) => {
                    if search.finds_it(&piece) {
                        return Ok(true);
                    }
                    buffers.give(piece);
                }
                _ => {}
            }
        }
        Ok(false)
    }

    /// How the backup writes the key of the row that is sought, by a look at all keys of its table. `part`: these.
    async fn spelt(
        self,
        (sought, part): (&Sought, &Part),
        opened: Opened,
        (url, buffers): (&ConnectionUrl, Buffers),
    ) -> Result<Spelt> {
        let plan = Arc::clone(&opened.plan);
        let session = connect(url.clone()).await?;
        let chooser = match Chooser::to_spell(session, buffers.clone(), (&plan, part)).await {
            Err(error) if error.kind == Kind::Plan => return Ok(Spelt::Unasked),
            chooser => chooser?,
        };
        let items = self.rows(sought, opened, buffers).await?;
        let (sender, looked) = mpsc::channel(BUFFERS);
        let (handed_on, spelt) = tokio::join!(hand_on(items, sender), chooser.spelt(sought, looked));
        handed_on?;
        Ok(spelt?.map_or(Spelt::Nowhere, Spelt::As))
    }
}

type Items = mpsc::Receiver<Result<Item>>;

/// How a backup writes a key.
enum Spelt {
    As(Vec<u8>),
    /// No row has it.
    Nowhere,
    /// The target does not know its type.
    Unasked,
}

/// Hands rows on as those of a first look, for as long as these are taken.
async fn hand_on(mut items: Items, looked: mpsc::Sender<Looked>) -> Result<()> {
    while let Some(item) = items.recv().await {
        let one = match item? {
            Item::TableStart(load) => Looked::Start(load),
            Item::Rows(piece) => Looked::Rows(piece),
            Item::TableEnd => Looked::End,
            _ => continue,
        };
        if looked.send(one).await.is_err() {
            return Ok(());
        }
    }
    // Where it is not taken, who took the rows says why.
    let _ = looked.send(Looked::Finished).await;
    Ok(())
}

/// The choice by a look at all rows that decide.
async fn everything(
    session: Session,
    buffers: Buffers,
    opened: &mut Opened,
    events: &Sink,
) -> Result<Selection> {
    let plan = Arc::clone(&opened.plan);
    let chooser = Chooser::begin(session, buffers, &plan, Breadth::All).await?;
    events.send(Event::Phase { phase: Phase::Choice });
    match first_look(chooser, opened).await? {
        Choice::Made(selection) => Ok(selection),
        Choice::TooManyKeys(_) => Err(Error::internal("A look at all rows needs no keys.")),
    }
}

/// What a dry run finds out about a part.
#[derive(Debug, Default)]
pub(super) struct Previewed {
    /// What the server says of its rules.
    pub(super) asked: Asked,
    /// The choice, where it was asked for and could be made.
    pub(super) selection: Option<Selection>,
}

/// Asks the server about the rules of a part; with `settings.exact`, makes the choice as a run would make it, too. Changes
/// nothing.
pub(super) async fn preview(
    settings: &Settings,
    plan: &Plan,
    url: &ConnectionUrl,
    events: &Sink,
) -> Result<Previewed> {
    let mut previewed = Previewed::default();
    if plan.part.is_none() && plan.idle.is_empty() {
        return Ok(previewed);
    }
    let session = connect(url.clone()).await?;
    let of = (plan.part.as_ref(), plan.idle.as_slice());
    previewed.asked = part::ask(&session, of, &plan.needs()).await?;
    if settings.exact && plan.part.is_some() && previewed.asked.problems.is_empty() {
        previewed.selection = Some(exact(settings, session, events).await?);
    } else {
        session.close().await;
    }
    Ok(previewed)
}

/// The choice that a run would make.
async fn exact(settings: &Settings, session: Session, events: &Sink) -> Result<Selection> {
    let (mut opened, _, buffers) = open(settings, events, false).await?;
    // A dry run counts what stays of each table, and makes no second look that would.
    everything(session, buffers, &mut opened, events).await
}

/// The backup, to be looked at and not loaded. `to_copy`: with [`Opened::entries`].
async fn open(settings: &Settings, events: &Sink, to_copy: bool) -> Result<(Opened, BackupInfo, Buffers)> {
    let source = read_only(&settings.source);
    let backup = source::open(&source, settings.target.stall_timeout, events).await?;
    refuse_pipe(&backup.info)?;
    let buffers = Buffers::new(BUFFERS);
    let opened = match to_copy {
        true => stream::open_to_copy(backup.archive, settings, buffers.clone(), events).await?,
        false => stream::open(backup.archive, settings, buffers.clone(), events).await?,
    };
    Ok((opened, backup.info, buffers))
}

/// Why a row comes, or why it does not, behind the name of its table; None where the backup has no such row. `seek` finds it
/// in the plan; where it says something itself, nothing is read.
pub(super) async fn why(
    settings: &Settings,
    url: &ConnectionUrl,
    events: &Sink,
    seek: impl Fn(&Plan, &Schema) -> Result<Result<Sought, Reason>>,
) -> Result<(String, Option<Vec<Reason>>)> {
    let (mut opened, backup, buffers) = open(settings, events, true).await?;
    let plan = Arc::clone(&opened.plan);
    let mut sought = match seek(&plan, &Schema::read(&std::mem::take(&mut opened.entries)))? {
        Ok(sought) => sought,
        Err(reason) => return Ok((reason.table.clone(), Some(vec![reason]))),
    };
    let table = sought.table.to_string();
    let whole = || vec![Reason::of(What::Whole, table.clone())];
    let known = Known {
        settings,
        backup: &backup,
        events,
    };
    let in_part = |part: &Part| sought.blocks.keys().any(|load| part.looks_at(*load));
    let is_in_part = plan.part.as_ref().is_some_and(in_part);
    if let Some(part) = sought.part() {
        let identity = opened.identity.clone();
        match known
            .spelt((&sought, &part), opened, (url, buffers.clone()))
            .await?
        {
            Spelt::Nowhere => return Ok((table, None)),
            Spelt::As(_) if !is_in_part => return Ok((table.clone(), Some(whole()))),
            Spelt::As(id) => sought.id = id,
            Spelt::Unasked => {}
        }
        opened = known.reopen(&identity, &buffers).await?;
    }
    if !is_in_part {
        let is_there = known.holds(&sought, opened, buffers).await?;
        return Ok((table.clone(), is_there.then(whole)));
    }
    let session = connect(url.clone()).await?;
    let chooser = Chooser::begin(session, buffers, &plan, Breadth::All).await?;
    events.send(Event::Phase { phase: Phase::Choice });
    let (begin, looked) = begin(&mut opened)?;
    let _ = begin.send(chooser.passed_over());
    let reasons = readable(chooser.why(sought, looked).await, &mut opened.items).await?;
    Ok((table, reasons))
}

/// Makes the choice in a look that loads nothing.
async fn first_look(chooser: Chooser<'_>, opened: &mut Opened) -> Result<Choice> {
    let (begin, looked) = begin(opened)?;
    let _ = begin.send(chooser.passed_over());
    readable(chooser.choose(looked).await, &mut opened.items).await
}

/// What the first look takes.
type FirstLook = (oneshot::Sender<HashSet<DumpId>>, mpsc::Receiver<Looked>);

fn begin(opened: &mut Opened) -> Result<FirstLook> {
    let both = opened.first_look.take().zip(opened.looked.take());
    both.ok_or_else(|| Error::internal("The first look had begun already."))
}

/// What a look came to. It may have been left alone because the backup cannot be read, which the reader says.
async fn readable<T>(came_to: Result<T>, items: &mut mpsc::Receiver<Result<Item>>) -> Result<T> {
    match came_to {
        Err(error) if error.kind == Kind::Interrupted => match items.recv().await {
            Some(Err(unreadable)) => Err(unreadable),
            _ => Err(error),
        },
        came_to => came_to,
    }
}

/// A part is chosen in a first look at the backup and loaded in a second.
pub(super) fn refuse_pipe(backup: &BackupInfo) -> Result<()> {
    if !backup.file || backup.size.is_some() {
        return Ok(());
    }
    Err(Error::new(
        Kind::Configuration,
        JobFailure::SubsetReadsTwice,
        BackupRemedy::GiveFile,
    ))
}
