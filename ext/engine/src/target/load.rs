//! Rows, large objects, and the plan's steps as soon as what they wait for is done, over a fixed number of sessions.
//!
//! One task decides (this one); others work: a lane per COPY, a writer of large objects, a step each. All of them
//! live in one [`JoinSet`], so that dropping the future of [`restore`] ends every session that works for it.

use super::connect::Session;
use super::graph::Graph;
use super::lane::{Lane, LaneReport, Queue};
use super::large_objects::{self, Part, Writer};
use super::reset::left_out;
use super::{is_passing, is_refusal, Target};
use crate::archive::DumpId;
use crate::error::{Error, Kind, Result};
use crate::event::Event;
use crate::mask::{ColumnCounts, Counts};
use crate::plan::{Load, Plan, Refusal, Step, TableName};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};

/// A table gets a further lane for each so many bytes of it, while those it has are busy.
const BYTES_PER_LANE: u64 = 4 * 1024 * 1024;

/// How often it is made sure that the run still holds the target.
const CHECK: Duration = Duration::from_secs(5);

/// Idle sessions say something after this long, so that no proxy takes them for dead.
const SILENCE: Duration = Duration::from_secs(120);

/// What the archive's data consists of, in its order.
#[derive(Debug)]
pub enum Item {
    /// The rows of a TABLE DATA entry that is in [`Plan::loads`] follow.
    TableStart(DumpId),
    /// Whole rows of COPY text, raw, each ended by a newline, without the closing `\.`. Take the buffer from
    /// [`Target::buffers`]. Some 256 KiB are a good size.
    Rows(Vec<u8>),
    /// There are no more rows of this entry.
    TableEnd,
    /// The contents of the large object with this oid follow.
    LargeObjectStart(u32),
    /// Bytes of it, however cut.
    LargeObjectData(Vec<u8>),
    /// There are no more bytes of it.
    LargeObjectEnd,
}

/// What was loaded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoadReport {
    /// Each load of the plan, in the order they were finished.
    pub loads: Vec<LoadedTable>,
    /// Large objects, empty ones included.
    pub large_objects: u64,
    /// Steps that were run, those left out not counted.
    pub steps: u64,
    /// What was left out. Each was also an event.
    pub warnings: Vec<String>,
}

/// What was loaded of one data block.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedTable {
    /// The TABLE DATA entry.
    pub dump_id: DumpId,
    /// The table that the rows belong to.
    pub table: TableName,
    /// Rows, as the server counted them and we did.
    pub rows: u64,
    /// Bytes of COPY text sent.
    pub bytes: u64,
    /// What happened to each masked column, in the order of the mask's columns; empty without a mask.
    pub masked: Vec<ColumnCounts>,
    /// Seconds from the block's start to its last commit.
    pub seconds: f64,
}

/// Loads rows and large objects, and runs the plan's steps as soon as what they wait for is done.
///
/// The stream ends when the sender of `items` is dropped; an `Err` among the items ends everything with that
/// error. Rows are masked and sent over [`parallel_connections`](crate::settings::Target::parallel_connections)
/// sessions, a large table over several of them; while the stream lasts, steps leave at least one session to the
/// rows, so with a single one they come after it. Must be called within a tokio runtime; masking happens on its
/// worker threads.
///
/// # Errors
/// The first failure stops everything: [`Kind::Restore`] and its kin, naming the object that PostgreSQL refused;
/// [`Kind::Archive`] when the stream ends without a table that the plan expects; [`Kind::TargetConnection`] when
/// a session breaks.
pub async fn restore(
    target: &Target,
    plan: Arc<Plan>,
    items: mpsc::Receiver<Result<Item, Error>>,
) -> Result<LoadReport> {
    target.check_hold()?;
    let mut sessions = Vec::with_capacity(target.parallel());
    for _ in 0..target.parallel() {
        sessions.push(target.session().await?);
    }
    let data = plan.loads.keys().chain(&plan.large_objects.blocks).copied();
    let restore = Restore {
        target,
        graph: Graph::new(&plan.steps, data),
        plan: &plan,
        free: sessions,
        tasks: JoinSet::new(),
        steps_running: 0,
        streaming: true,
        tables: HashMap::new(),
        current: None,
        large_objects: None,
        writers: 0,
        written: HashSet::new(),
        last_word: Instant::now(),
        report: LoadReport::default(),
    };
    restore.run(items).await
}

/// A restore under way.
struct Restore<'a> {
    target: &'a Target,
    plan: &'a Arc<Plan>,
    graph: Graph<'a>,
    /// Sessions that nobody uses right now.
    free: Vec<Session>,
    tasks: JoinSet<Result<Done>>,
    steps_running: usize,
    streaming: bool,
    /// Loads that have begun.
    tables: HashMap<DumpId, Progress>,
    /// The load whose rows arrive.
    current: Option<Current>,
    /// The way to the writer of large objects.
    large_objects: Option<mpsc::Sender<Part>>,
    /// Writers of large objects that have not ended.
    writers: usize,
    /// Oids of large objects that are there.
    written: HashSet<u32>,
    /// When idle sessions last said something.
    last_word: Instant,
    report: LoadReport,
}

/// How far a load is.
struct Progress {
    since: Instant,
    lanes: usize,
    /// All of its rows have arrived.
    ended: bool,
    rows_sent: u64,
    rows_stored: u64,
    bytes: u64,
    counts: Counts,
}

/// The load whose rows arrive.
struct Current {
    id: DumpId,
    /// From its first piece on.
    queue: Option<(mpsc::Sender<Vec<u8>>, Queue)>,
    bytes: u64,
}

/// A piece of work that is done, and the session that is free again.
enum Done {
    Lane {
        load: DumpId,
        session: Session,
        report: LaneReport,
    },
    Step {
        index: usize,
        session: Session,
        seconds: f64,
        left_out: Option<String>,
    },
    LargeObjects {
        session: Session,
        oids: Vec<u32>,
    },
}

impl<'a> Restore<'a> {
    async fn run(mut self, mut items: mpsc::Receiver<Result<Item, Error>>) -> Result<LoadReport> {
        let mut check = tokio::time::interval(CHECK);
        check.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            self.start_steps();
            if !self.streaming && self.tasks.is_empty() {
                break;
            }
            tokio::select! {
                Some(done) = self.tasks.join_next() => self.finished(done)?,
                item = items.recv(), if self.streaming => match item {
                    Some(item) => self.take(item?).await?,
                    None => self.end_of_stream().await?,
                },
                _ = check.tick() => self.keep_alive().await?,
            }
        }
        if let Some(step) = self.graph.stuck().filter(|_| self.graph.left() > 0) {
            return Err(Error::internal(format!(
                "{} {} waits for something that never happens.",
                step.kind, step.name
            )));
        }
        for session in self.free {
            self.target.give_back(session);
        }
        Ok(self.report)
    }

    async fn take(&mut self, item: Item) -> Result<()> {
        match item {
            Item::TableStart(id) => {
                self.large_objects = None;
                self.start_table(id)
            }
            Item::Rows(piece) => self.rows(piece).await,
            Item::TableEnd => self.end_table(),
            Item::LargeObjectStart(oid) => self.large_object(Part::Start(oid)).await,
            Item::LargeObjectData(data) => self.large_object(Part::Data(data)).await,
            Item::LargeObjectEnd => self.large_object(Part::End).await,
        }
    }

    fn load(&self, id: DumpId) -> Result<&'a Load> {
        self.plan.loads.get(&id).ok_or_else(|| {
            Error::internal(format!(
                "Rows of entry {id} arrived, which the plan does not load."
            ))
        })
    }

    fn start_table(&mut self, id: DumpId) -> Result<()> {
        let load = self.load(id)?;
        if self.current.is_some() || self.tables.contains_key(&id) {
            return Err(Error::internal(format!(
                "The rows of {} arrived at the wrong moment.",
                load.table
            )));
        }
        self.current = Some(Current {
            id,
            queue: None,
            bytes: 0,
        });
        let progress = Progress {
            since: Instant::now(),
            lanes: 0,
            ended: false,
            rows_sent: 0,
            rows_stored: 0,
            bytes: 0,
            counts: Counts::default(),
        };
        self.tables.insert(id, progress);
        self.target.events.send(Event::TableStarted {
            table: load.table.to_string(),
        });
        Ok(())
    }

    async fn rows(&mut self, piece: Vec<u8>) -> Result<()> {
        let Some(mut current) = self.current.take() else {
            return Err(Error::internal("Rows arrived outside of a table."));
        };
        if let Some(progress) = self.tables.get_mut(&current.id) {
            progress.rows_sent += memchr::memchr_iter(b'\n', &piece).count() as u64;
        }
        let length = piece.len() as u64;
        let sender = match &current.queue {
            Some((sender, _)) => sender.clone(),
            None => {
                // The first piece of the table: a session must be had for it.
                let session = self.free_session().await?;
                let (sender, receiver) = mpsc::channel(1);
                let queue = Queue::new(tokio::sync::Mutex::new(receiver));
                self.start_lane(current.id, &queue, session)?;
                current.queue = Some((sender.clone(), queue));
                sender
            }
        };
        let full = match sender.try_send(piece) {
            Ok(()) => None,
            Err(mpsc::error::TrySendError::Full(piece) | mpsc::error::TrySendError::Closed(piece)) => {
                Some(piece)
            }
        };
        if let Some(piece) = full {
            self.grow(&current)?;
            self.send_when_possible(&sender, piece).await?;
        }
        current.bytes += length;
        self.current = Some(current);
        Ok(())
    }

    /// Gives a table whose lanes are busy a further one, if it is large and a session is free.
    fn grow(&mut self, current: &Current) -> Result<()> {
        let lanes = self
            .tables
            .get(&current.id)
            .map_or(0, |progress| progress.lanes as u64);
        if current.bytes <= lanes * BYTES_PER_LANE {
            return Ok(());
        }
        if let (Some((_, queue)), Some(session)) = (&current.queue, self.free.pop()) {
            self.start_lane(current.id, queue, session)?;
        }
        Ok(())
    }

    /// Sends a piece when a lane takes it, and meanwhile minds what else gets done.
    async fn send_when_possible(&mut self, sender: &mpsc::Sender<Vec<u8>>, piece: Vec<u8>) -> Result<()> {
        loop {
            tokio::select! {
                permit = sender.reserve() => match permit {
                    Ok(permit) => {
                        permit.send(piece);
                        return Ok(());
                    }
                    // Every lane has ended, which they only do for a failure: it is among the tasks.
                    Err(_) => return Err(self.failure().await),
                },
                Some(done) = self.tasks.join_next() => {
                    self.finished(done)?;
                    self.start_steps();
                }
            }
        }
    }

    /// The failure of a task that has ended before its time.
    async fn failure(&mut self) -> Error {
        while let Some(done) = self.tasks.join_next().await {
            if let Err(error) = self.finished(done) {
                return error;
            }
        }
        Error::internal("A connection stopped taking rows without saying why.")
    }

    /// A session that nobody uses, waiting for one if need be.
    async fn free_session(&mut self) -> Result<Session> {
        loop {
            if let Some(session) = self.free.pop() {
                return Ok(session);
            }
            match self.tasks.join_next().await {
                Some(done) => self.finished(done)?,
                None => return Err(Error::internal("There is no connection to load rows over.")),
            }
        }
    }

    fn start_lane(&mut self, id: DumpId, queue: &Queue, session: Session) -> Result<()> {
        let load = self.load(id)?;
        let lane = Lane {
            load: id,
            table: load.table.to_string(),
            sql: load.copy_sql(&self.plan.encoding),
            mask: load.mask.clone(),
            queue: Arc::clone(queue),
            buffers: self.target.buffers(),
        };
        if let Some(progress) = self.tables.get_mut(&id) {
            progress.lanes += 1;
        }
        self.tasks.spawn(async move {
            let load = lane.load;
            let report = lane.run(&session).await?;
            Ok(Done::Lane {
                load,
                session,
                report,
            })
        });
        Ok(())
    }

    fn end_table(&mut self) -> Result<()> {
        // The queue's sender is dropped here: its lanes end when they have taken what is in it.
        let Some(current) = self.current.take() else {
            return Err(Error::internal("A table ended that had not begun."));
        };
        if let Some(progress) = self.tables.get_mut(&current.id) {
            progress.ended = true;
        }
        self.table_done_if_so(current.id)
    }

    fn table_done_if_so(&mut self, id: DumpId) -> Result<()> {
        let Some(progress) = self
            .tables
            .get(&id)
            .filter(|progress| progress.ended && progress.lanes == 0)
        else {
            return Ok(());
        };
        let load = self.load(id)?;
        let masks = load.mask.is_some() && progress.rows_sent > 0;
        if progress.rows_stored != progress.rows_sent || (masks && progress.counts.rows != progress.rows_sent)
        {
            return Err(Error::new(
                Kind::Verification,
                format!(
                    "{} rows of {} arrived, {} were masked and {} stored.",
                    progress.rows_sent,
                    load.table,
                    if masks { progress.counts.rows } else { 0 },
                    progress.rows_stored
                ),
                "The target is marked incomplete. Run it again; if it happens again, please report it.",
            ));
        }
        let seconds = progress.since.elapsed().as_secs_f64();
        let columns = load.mask.as_ref().map_or(0, |mask| mask.columns().len());
        let mut masked = progress.counts.columns.clone();
        masked.resize(columns, ColumnCounts::default());
        self.target.events.send(Event::TableLoaded {
            table: load.table.to_string(),
            rows: progress.rows_stored,
            bytes: progress.bytes,
            masked: masked.iter().map(|column| column.masked).sum(),
            seconds,
        });
        self.report.loads.push(LoadedTable {
            dump_id: id,
            table: load.table.clone(),
            rows: progress.rows_stored,
            bytes: progress.bytes,
            masked,
            seconds,
        });
        self.graph.size(&load.table, progress.bytes);
        self.graph.data_done(id);
        Ok(())
    }

    async fn large_object(&mut self, part: Part) -> Result<()> {
        let sender = match &self.large_objects {
            Some(sender) => sender.clone(),
            None => {
                let session = self.free_session().await?;
                let buffers = self.target.buffers();
                let (sender, mut receiver) = mpsc::channel(4);
                self.tasks.spawn(async move {
                    let oids = Writer::new(&session, buffers).run(&mut receiver).await?;
                    Ok(Done::LargeObjects { session, oids })
                });
                self.writers += 1;
                self.large_objects = Some(sender.clone());
                sender
            }
        };
        loop {
            tokio::select! {
                permit = sender.reserve() => match permit {
                    Ok(permit) => {
                        permit.send(part);
                        return Ok(());
                    }
                    Err(_) => return Err(self.failure().await),
                },
                Some(done) = self.tasks.join_next() => {
                    self.finished(done)?;
                    self.start_steps();
                }
            }
        }
    }

    /// The sender is gone: everything has arrived.
    async fn end_of_stream(&mut self) -> Result<()> {
        self.large_objects = None;
        let missing = self
            .plan
            .loads
            .values()
            .find(|load| self.tables.get(&load.dump_id).is_none_or(|one| !one.ended));
        if let Some(load) = missing {
            return Err(Error::new(
                Kind::Archive,
                format!("The backup ended before all rows of {} had come.", load.table),
                "Fetch the backup again, or take another one.",
            ));
        }
        self.finish_large_objects().await?;
        self.streaming = false;
        for id in &self.plan.large_objects.blocks {
            self.graph.data_done(*id);
        }
        Ok(())
    }

    /// Creates the large objects that have no contents, once it is known which ones have some.
    async fn finish_large_objects(&mut self) -> Result<()> {
        while self.writers > 0 {
            match self.tasks.join_next().await {
                Some(done) => self.finished(done)?,
                None => return Err(Error::internal("The writer of large objects is gone.")),
            }
            self.start_steps();
        }
        let oids = &self.plan.large_objects.oids;
        if oids.iter().all(|oid| self.written.contains(oid)) {
            return Ok(());
        }
        let session = self.free_session().await?;
        let created = large_objects::create_empty(&session, oids, &self.written).await;
        self.free.push(session);
        self.report.large_objects += created?;
        Ok(())
    }

    /// Starts steps while there are some to start and sessions to run them on.
    fn start_steps(&mut self) {
        let most = if self.streaming {
            self.target.parallel() - 1
        } else {
            self.target.parallel()
        };
        while self.steps_running < most {
            let Some(session) = self.free.pop() else { return };
            let Some(index) = self.graph.start() else {
                self.free.push(session);
                return;
            };
            self.steps_running += 1;
            let plan = Arc::clone(self.plan);
            let (attempts, delay) = (
                self.target.settings.retry_attempts,
                self.target.settings.retry_delay,
            );
            self.tasks.spawn(async move {
                let since = Instant::now();
                let Some(step) = plan.steps.get(index) else {
                    return Err(Error::internal("A step is not there."));
                };
                let left_out = run_step(&session, step, attempts, delay).await?;
                let seconds = since.elapsed().as_secs_f64();
                Ok(Done::Step {
                    index,
                    session,
                    seconds,
                    left_out,
                })
            });
        }
    }

    fn finished(&mut self, done: Result<Result<Done>, JoinError>) -> Result<()> {
        let done = done.map_err(|_| Error::internal("A part of the load stopped unexpectedly."))??;
        match done {
            Done::Lane {
                load,
                session,
                report,
            } => {
                self.free.push(session);
                if let Some(progress) = self.tables.get_mut(&load) {
                    progress.lanes -= 1;
                    progress.rows_stored += report.stored;
                    progress.bytes += report.bytes;
                    add_counts(&mut progress.counts, &report.counts);
                }
                self.table_done_if_so(load)
            }
            Done::LargeObjects { session, oids } => {
                self.free.push(session);
                self.writers -= 1;
                self.report.large_objects += oids.len() as u64;
                self.written.extend(oids);
                Ok(())
            }
            Done::Step {
                index,
                session,
                seconds,
                left_out,
            } => {
                self.free.push(session);
                self.steps_running -= 1;
                self.graph.step_done(index);
                match left_out {
                    Some(warning) => {
                        self.target.events.warn(&warning);
                        self.report.warnings.push(warning);
                    }
                    None => {
                        self.report.steps += 1;
                        if let Some(step) = self.plan.steps.get(index) {
                            let (kind, name) = (step.kind.clone(), step.name.clone());
                            self.target.events.send(Event::StepDone { kind, name, seconds });
                        }
                    }
                }
                Ok(())
            }
        }
    }

    async fn keep_alive(&mut self) -> Result<()> {
        self.target.check_hold()?;
        if self.last_word.elapsed() >= SILENCE {
            self.last_word = Instant::now();
            for session in &self.free {
                session.ping().await?;
            }
        }
        Ok(())
    }
}

fn add_counts(sum: &mut Counts, more: &Counts) {
    sum.rows += more.rows;
    if sum.columns.len() < more.columns.len() {
        sum.columns.resize(more.columns.len(), ColumnCounts::default());
    }
    for (sum, more) in sum.columns.iter_mut().zip(&more.columns) {
        sum.masked += more.masked;
        sum.kept += more.kept;
        sum.nulls += more.nulls;
        sum.violations += more.violations;
    }
}

/// Runs a step, again if it met a deadlock. Returns a warning if it was left out.
async fn run_step(session: &Session, step: &Step, attempts: u32, delay: f64) -> Result<Option<String>> {
    let mut attempt = 0;
    loop {
        let Err(error) = session.batch_execute(&step.sql).await else {
            return Ok(None);
        };
        if step.refusal == Refusal::LeftOut && is_refusal(&error) {
            return Ok(Some(left_out(&step.kind, &step.name, &error)));
        }
        attempt += 1;
        if !is_passing(&error) || !super::may_retry(attempt, attempts, delay).await {
            return Err(Error::from_server(
                &format!("restoring {} {}", step.kind, step.name),
                &error,
            ));
        }
    }
}
