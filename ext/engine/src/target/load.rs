//! Rows, large objects, and the plan's steps as soon as what they wait for is done, over a fixed number of sessions.
//!
//! One task decides (this one); others work: a lane per COPY, a writer of large objects, a step each. All of them
//! live in one [`JoinSet`], so that dropping the future of [`restore`] ends every session that works for it.

use super::analyze;
use super::check::{Answer, Answers, Checks, Questions};
use super::connect::Session;
use super::count;
use super::foreign_key::{TwoPart, WORTH_IT};
use super::graph::Graph;
use super::index_build;
use super::lane::{Lane, LaneReport, Queue};
use super::large_objects::{self, Part, Writer};
use super::reset::left_out;
use super::sql_rules::{self, Finished};
use super::{is_passing, is_refusal, Target};
use crate::archive::DumpId;
use crate::detect::{Decision, Detection};
use crate::error::{Error, Kind, Result};
use crate::event::{Event, Phase};
use crate::leak::{LeakCheck, Moment};
use crate::mask::{ColumnCounts, Counts, RowMask};
use crate::plan::sql_rules::{arrival, SqlTable, GROUP_KIND};
use crate::plan::{Load, Plan, Refusal, Step, TableName};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio_postgres::error::SqlState;

mod again;

pub use again::{Again, Never};

/// A table gets a further lane for each so many bytes of it, while those it has are busy.
const BYTES_PER_LANE: u64 = 4 * 1024 * 1024;

/// How often it is made sure that the run still holds the target.
const CHECK: Duration = Duration::from_secs(5);

/// Between two words on how far a table is.
const TELL: Duration = Duration::from_millis(250);

/// Idle sessions say something after this long, so that no proxy takes them for dead.
const SILENCE: Duration = Duration::from_secs(120);

/// What the archive's data consists of, in its order.
#[derive(Debug)]
pub enum Item {
    /// The rows of a TABLE DATA entry that is in [`Plan::loads`] follow.
    TableStart(DumpId),
    /// What was decided about the rows that follow, from a look at them.
    #[allow(private_interfaces)] // Only the reader makes one.
    Judged(Decision, Arc<Detection>),
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
    /// Tables that are empty because a rule in SQL failed, with `rollback_on_error` off, and why.
    pub failed: Vec<(Vec<TableName>, Error)>,
    /// Tables whose rows were not loaded, because a column looks personal and nothing covers it.
    pub withheld: Vec<TableName>,
    /// Tables of which that was found when their rows were in; they are still in.
    pub late: Vec<TableName>,
    /// Answers to questions about tables that could be looked at while others still loaded.
    pub answers: Answers,
    /// Tables that have the planner's statistics already.
    pub analyzed: HashSet<TableName>,
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
    /// What rules in SQL did; where partitions went together, it is told with the first of them.
    pub sql: Vec<SqlChange>,
    /// Seconds from the block's start to its last commit.
    pub seconds: f64,
}

/// What a rule in SQL did to a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlChange {
    /// The rule, in the words of the configuration.
    pub rule: String,
    /// The columns that it set; none for a DELETE.
    pub columns: Vec<SqlColumn>,
    /// Rows that it changed or deleted.
    pub rows: u64,
}

/// What a rule in SQL, or one with a condition, did to a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlColumn {
    /// Its name.
    pub name: String,
    /// What it became, in words: the mask, or the rule where that is SQL.
    pub mask: String,
    /// What became of its values. Of SQL, rows that it left alone count as kept.
    pub counts: ColumnCounts,
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
    restore_from(target, plan, Watching::default(), items, &Never).await
}

/// What is looked at beside the load.
#[derive(Debug, Default)]
pub struct Watching {
    /// Asked about each table as soon as its rows are in, beside the index builds. Those that could not be asked so are
    /// not among [`LoadReport::answers`].
    pub questions: Questions,
    /// Watches what passes for originals that survive.
    pub leaks: Option<Arc<LeakCheck>>,
}

/// As [`restore`], from a source that can be streamed again. When a session that rows were sent over is lost, `again`
/// is asked for the rows of its tables once the stream has ended. Of tables with rules in SQL nothing was committed;
/// any other is emptied first.
///
/// # Errors
/// As [`restore`]. A session that is lost more often than
/// [`retry_attempts`](crate::settings::Target::retry_attempts) is a failure as any other.
pub async fn restore_from(
    target: &Target,
    plan: Arc<Plan>,
    watching: Watching,
    items: mpsc::Receiver<Result<Item, Error>>,
    again: &impl Again,
) -> Result<LoadReport> {
    target.check_hold()?;
    let mut sessions = Vec::with_capacity(target.parallel());
    for _ in 0..target.parallel() {
        sessions.push(target.session().await?);
    }
    let data = plan.loads.keys().chain(&plan.large_objects.blocks).copied();
    let behind_sql = plan.loads.values().filter(|load| load.sql_group.is_some());
    let data = data.chain(behind_sql.map(|load| arrival(load.dump_id)));
    let mut restore = Restore {
        target,
        graph: Graph::new(&plan.steps, data),
        checks: Checks::new(watching.questions, plan.loads.values()),
        plan: &plan,
        leaks: watching.leaks,
        free: sessions,
        tasks: JoinSet::new(),
        steps_running: 0,
        streaming: true,
        first_pass: true,
        most_passes: if again.is_possible() {
            target.settings.retry_attempts
        } else {
            0
        },
        to_replace: 0,
        tables: HashMap::new(),
        judged: HashMap::new(),
        counted: HashSet::new(),
        current: None,
        large_objects: None,
        writers: 0,
        written: HashSet::new(),
        last_word: Instant::now(),
        report: LoadReport::default(),
        groups: plan.sql_rules.groups.iter().map(|_| Group::default()).collect(),
        losses: HashMap::new(),
    };
    let outcome = restore.run(items, again).await;
    // A group that has begun may have been committed a moment ago without our knowing.
    let begun = restore
        .groups
        .iter()
        .zip(&plan.sql_rules.groups)
        .filter(|(group, _)| group.begun);
    let filled: Vec<TableName> = begun
        .flat_map(|(_, group)| group.tables.iter().map(|table| table.into.clone()))
        .collect();
    let report = std::mem::take(&mut restore.report);
    // Its sessions end here, and with them whatever they were doing.
    drop(restore);
    match outcome {
        Ok(()) => Ok(report),
        Err(error) if plan.sql_rules.rollback_on_error => Err(empty_all(target, filled, error).await),
        Err(error) => Err(error),
    }
}

/// Empties the tables that rules in SQL have filled, for `rollback_on_error`.
async fn empty_all(target: &Target, filled: Vec<TableName>, mut error: Error) -> Error {
    for table in filled {
        if let Err(further) = target.empty(&table).await {
            error.what.push_str(&format!(
                " {table} could not be emptied afterwards; what it holds is masked. {}",
                further.what
            ));
        }
    }
    error
}

/// A group of tables with rules in SQL, as far as it is.
#[derive(Default)]
struct Group {
    /// It has had a transaction.
    begun: bool,
    /// It has one now.
    open: bool,
    /// Its session, while nothing is done on it.
    session: Option<Session>,
    /// The step that stands for its statements, once it was started.
    step: Option<usize>,
    /// Whether its rows can go on.
    state: again::State,
    /// How often its session was lost.
    losses: u32,
}

/// A restore under way.
struct Restore<'a> {
    target: &'a Target,
    plan: &'a Arc<Plan>,
    leaks: Option<Arc<LeakCheck>>,
    graph: Graph<'a>,
    checks: Checks<'a>,
    /// Sessions that nobody uses right now.
    free: Vec<Session>,
    tasks: JoinSet<Result<Done>>,
    steps_running: usize,
    streaming: bool,
    /// The stream is the whole backup, not some tables' rows once more.
    first_pass: bool,
    /// How often a table's rows may come again.
    most_passes: u32,
    /// Sessions that were lost and belong to the free ones.
    to_replace: usize,
    /// Loads that have begun.
    tables: HashMap<DumpId, Progress>,
    /// What was decided about loads from a look at their rows.
    judged: HashMap<DumpId, (Decision, Arc<Detection>)>,
    /// Loads whose lanes have looked at every row; they do not when the rows come again.
    counted: HashSet<DumpId>,
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
    /// The plan's groups of rules in SQL.
    groups: Vec<Group>,
    /// How often a load's connections were lost, of those without rules in SQL.
    losses: HashMap<DumpId, u32>,
}

/// How far a load is.
struct Progress {
    since: Instant,
    /// When it was last told how far it is.
    told: Instant,
    lanes: usize,
    /// All of its rows have arrived.
    ended: bool,
    rows_sent: u64,
    rows_stored: u64,
    bytes: u64,
    counts: Counts,
    /// Why rows of it are missing: a connection was lost. What still arrives is passed over.
    lost: Option<Error>,
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
    Group {
        index: usize,
        group: usize,
        session: Session,
        outcome: Result<Finished>,
    },
    /// A foreign key stands, and its rows are to be checked.
    Declared {
        index: usize,
        session: Session,
        key: TwoPart,
        since: Instant,
    },
    Check {
        session: Session,
        table: TableName,
        answer: Option<Answer>,
    },
    /// A group's session is gone, with all that was done on it.
    Lost {
        group: usize,
        error: Error,
    },
    /// A lane's session is gone, with some of the rows that it took.
    LostLane {
        load: DumpId,
        error: Error,
    },
    Analyze {
        session: Session,
        table: TableName,
        done: bool,
    },
}

impl<'a> Restore<'a> {
    async fn run(
        &mut self,
        mut items: mpsc::Receiver<Result<Item, Error>>,
        again: &impl Again,
    ) -> Result<()> {
        let mut check = tokio::time::interval(CHECK);
        check.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            self.replace_lost().await?;
            self.start_steps()?;
            if !self.streaming {
                if self.any_lost() {
                    if let Some(stream) = self.stream_again(again).await? {
                        items = stream;
                    }
                    continue;
                }
                if self.tasks.is_empty() {
                    break;
                }
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
        for session in self.free.drain(..) {
            self.target.give_back(session);
        }
        Ok(())
    }

    async fn take(&mut self, item: Item) -> Result<()> {
        match item {
            Item::TableStart(id) => {
                self.large_objects = None;
                self.start_table(id)
            }
            Item::Judged(decision, detection) => self.judged(decision, detection),
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
        let now = Instant::now();
        let progress = Progress {
            since: now,
            told: now,
            lanes: 0,
            ended: false,
            rows_sent: 0,
            rows_stored: 0,
            bytes: 0,
            counts: Counts::default(),
            lost: None,
        };
        self.tables.insert(id, progress);
        self.target.events.send(Event::TableStarted {
            table: load.table.to_string(),
        });
        Ok(())
    }

    fn judged(&mut self, decision: Decision, detection: Arc<Detection>) -> Result<()> {
        let Some(id) = self.current.as_ref().map(|current| current.id) else {
            return Err(Error::internal("Rows were judged outside of a table."));
        };
        if matches!(decision, Decision::Withhold) {
            let table = self.load(id)?.copy_into.clone();
            self.report.withheld.push(table);
        }
        self.judged.insert(id, (decision, detection));
        Ok(())
    }

    /// The mask of a load: the plan's, or the one that was decided on from its first rows.
    fn mask(&self, load: &Load) -> Option<Arc<RowMask>> {
        match self.judged.get(&load.dump_id) {
            Some((Decision::Mask(mask), _)) => Some(Arc::clone(mask)),
            _ => load.mask.clone(),
        }
    }

    async fn rows(&mut self, piece: Vec<u8>) -> Result<()> {
        let Some(mut current) = self.current.take() else {
            return Err(Error::internal("Rows arrived outside of a table."));
        };
        if self.passes_over(current.id) {
            self.target.buffers.give(piece);
            self.current = Some(current);
            return Ok(());
        }
        if let Some(progress) = self.tables.get_mut(&current.id) {
            progress.rows_sent += memchr::memchr_iter(b'\n', &piece).count() as u64;
        }
        let length = piece.len() as u64;
        let sender = match &current.queue {
            Some((sender, _)) => sender.clone(),
            None => {
                // The first piece of the table: a session must be had for it.
                let session = match self.load(current.id)?.sql_group {
                    Some(group) => self.group_session(group).await?,
                    None => Some(self.free_session().await?),
                };
                let Some(session) = session else {
                    self.target.buffers.give(piece);
                    self.current = Some(current);
                    return Ok(());
                };
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
            self.send_when_possible(current.id, &sender, piece).await?;
        }
        current.bytes += length;
        self.tell_progress(&current)?;
        self.current = Some(current);
        Ok(())
    }

    /// Says now and then how far a table is.
    fn tell_progress(&mut self, current: &Current) -> Result<()> {
        let load = self.load(current.id)?;
        if let Some(progress) = self.tables.get_mut(&current.id) {
            if progress.told.elapsed() >= TELL {
                progress.told = Instant::now();
                self.target.events.send(Event::TableProgress {
                    table: load.table.to_string(),
                    rows: progress.rows_sent,
                    bytes: current.bytes,
                });
            }
        }
        Ok(())
    }

    /// Gives a table whose lanes are busy a further one, if it is large and a session is free.
    fn grow(&mut self, current: &Current) -> Result<()> {
        // A temporary table is one session's.
        if self.load(current.id)?.sql_group.is_some() {
            return Ok(());
        }
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

    /// Sends a piece of a load when a lane takes it, and meanwhile minds what else gets done.
    async fn send_when_possible(
        &mut self,
        id: DumpId,
        sender: &mpsc::Sender<Vec<u8>>,
        piece: Vec<u8>,
    ) -> Result<()> {
        loop {
            tokio::select! {
                permit = sender.reserve() => match permit {
                    Ok(permit) => {
                        permit.send(piece);
                        return Ok(());
                    }
                    // Every lane has ended, which they only do for a failure: it is among the tasks.
                    Err(_) => return self.lanes_ended(id).await,
                },
                Some(done) = self.tasks.join_next() => {
                    self.finished(done)?;
                    if self.passes_over(id) {
                        // Its lane is gone, and no other may ever take the piece.
                        self.target.buffers.give(piece);
                        return Ok(());
                    }
                    self.start_steps()?;
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
            self.replace_lost().await?;
            if let Some(session) = self.free.pop() {
                return Ok(session);
            }
            match self.tasks.join_next().await {
                Some(done) => self.finished(done)?,
                None => return Err(Error::internal("There is no connection to load rows over.")),
            }
            // A group that is ready has one, and gives it back.
            self.start_groups()?;
        }
    }

    /// The session of a group of rules in SQL, when nothing is done on it; begins the group if need be. None when
    /// it is lost.
    async fn group_session(&mut self, number: usize) -> Result<Option<Session>> {
        let plan = Arc::clone(self.plan);
        let Some(group) = plan.sql_rules.groups.get(number) else {
            return Err(Error::internal(
                "Rows arrived for rules in SQL that are not there.",
            ));
        };
        let open = self.groups.get(number).is_some_and(|group| group.open);
        if !open {
            let session = if group.lasting {
                self.target.session().await?
            } else {
                self.free_session().await?
            };
            if let Some(state) = self.groups.get_mut(number) {
                (state.begun, state.open) = (true, true);
            }
            return match sql_rules::begin(&session, group, self.target.settings.lock_timeout).await {
                Ok(()) => Ok(Some(session)),
                Err(error) if error.kind == Kind::TargetConnection => {
                    self.lose(number, error)?;
                    Ok(None)
                }
                Err(error) => Err(error),
            };
        }
        loop {
            let state = self.groups.get_mut(number);
            if let Some(session) = state.and_then(|group| group.session.take()) {
                return Ok(Some(session));
            }
            if self.is_lost(number) {
                return Ok(None);
            }
            match self.tasks.join_next().await {
                Some(done) => self.finished(done)?,
                None => return Err(Error::internal("The session of rules in SQL is gone.")),
            }
        }
    }

    fn start_lane(&mut self, id: DumpId, queue: &Queue, session: Session) -> Result<()> {
        let load = self.load(id)?;
        let mask = self.mask(load);
        let vectors = load.vectors_under(mask.as_deref());
        let lane = Lane {
            load: id,
            table: load.table.to_string(),
            sql: match self.sql_table(load) {
                Some(table) => table.copy_sql(load, &self.plan.encoding),
                None => load.copy_sql(&self.plan.encoding),
            },
            emptied: vectors.map(|vectors| Arc::clone(&vectors.mask)),
            mask,
            conditional: load.conditional.clone(),
            detection: self
                .judged
                .get(&id)
                .filter(|_| !self.counted.contains(&id))
                .map(|(_, detection)| Arc::clone(detection)),
            leaks: self.leaks.clone(),
            moment: Moment::Sent,
            queue: Arc::clone(queue),
            buffers: self.target.buffers(),
        };
        if let Some(progress) = self.tables.get_mut(&id) {
            progress.lanes += 1;
        }
        let (group, alone) = (load.sql_group, load.copy_into == load.table);
        self.tasks.spawn(async move {
            let load = lane.load;
            match (lane.run(&session).await, group) {
                (Ok(report), _) => Ok(Done::Lane {
                    load,
                    session,
                    report,
                }),
                (Err(error), Some(group)) if error.kind == Kind::TargetConnection => {
                    Ok(Done::Lost { group, error })
                }
                // A partition root holds other loads' rows, too, so its own cannot be taken back.
                (Err(error), None) if alone && error.kind == Kind::TargetConnection => {
                    Ok(Done::LostLane { load, error })
                }
                (Err(error), _) => Err(error),
            }
        });
        Ok(())
    }

    /// The table whose temporary namesake takes a load's rows.
    fn sql_table(&self, load: &Load) -> Option<&'a SqlTable> {
        let group = self.plan.sql_rules.groups.get(load.sql_group?)?;
        group
            .tables
            .iter()
            .find(|table| table.loads.contains(&load.dump_id))
    }

    fn end_table(&mut self) -> Result<()> {
        // The queue's sender is dropped here: its lanes end when they have taken what is in it.
        let Some(current) = self.current.take() else {
            return Err(Error::internal("A table ended that had not begun."));
        };
        if let Some(progress) = self.tables.get_mut(&current.id) {
            progress.ended = true;
        }
        if self.passes_over(current.id) {
            return Ok(());
        }
        self.table_done_if_so(current.id)
    }

    fn table_done_if_so(&mut self, id: DumpId) -> Result<()> {
        let Some(progress) = self
            .tables
            .get(&id)
            .filter(|progress| progress.ended && progress.lanes == 0 && progress.lost.is_none())
        else {
            return Ok(());
        };
        let load = self.load(id)?;
        let masks = self.mask(load).is_some() && progress.rows_sent > 0;
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
        let judged_now = match self.judged.get(&id) {
            Some((_, detection)) if self.counted.insert(id) => Some(detection.judge_all(load)),
            _ => None,
        };
        if matches!(judged_now, Some(Decision::Withhold)) {
            self.report.late.push(load.copy_into.clone());
        }
        match load.sql_group {
            Some(group) => self.arrived(group),
            None => self.table_loaded(id, None),
        }
    }

    /// Tells of a load that is committed. `behind_sql`: rows that are left of it, and what rules in SQL did.
    fn table_loaded(&mut self, id: DumpId, behind_sql: Option<(u64, Vec<SqlChange>)>) -> Result<()> {
        let load = self.load(id)?;
        let Some(progress) = self.tables.get(&id) else {
            return Err(Error::internal("A load ended that had not begun."));
        };
        let (rows, sql) = behind_sql.unwrap_or((progress.rows_stored, Vec::new()));
        let seconds = progress.since.elapsed().as_secs_f64();
        let columns = self.mask(load).map_or(0, |mask| mask.columns().len());
        let mut masked = progress.counts.columns.clone();
        masked.resize(columns, ColumnCounts::default());
        self.target.events.send(Event::TableLoaded {
            table: load.table.to_string(),
            rows,
            bytes: progress.bytes,
            masked: masked.iter().map(|column| column.masked).sum::<u64>()
                + sql
                    .iter()
                    .flat_map(|change| &change.columns)
                    .map(|column| column.counts.masked)
                    .sum::<u64>(),
            seconds,
        });
        self.report.loads.push(LoadedTable {
            dump_id: id,
            table: load.table.clone(),
            rows,
            bytes: progress.bytes,
            masked,
            sql,
            seconds,
        });
        self.graph.size(&load.table, progress.bytes, rows);
        self.graph.data_done(id);
        let failed = &self.report.failed;
        let shrinks = self.plan.sql_rules.shrinking.contains(&load.copy_into);
        if !shrinks && !failed.iter().any(|(tables, _)| tables.contains(&load.copy_into)) {
            self.checks.loaded(load);
        }
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
                    self.start_steps()?;
                }
            }
        }
    }

    /// The sender is gone: everything has arrived.
    async fn end_of_stream(&mut self) -> Result<()> {
        self.large_objects = None;
        let missing = self.plan.loads.values().find(|load| {
            !self.passes_over(load.dump_id) && self.tables.get(&load.dump_id).is_none_or(|one| !one.ended)
        });
        if let Some(load) = missing {
            return Err(Error::new(
                Kind::Archive,
                format!("The backup ended before all rows of {} had come.", load.table),
                "Fetch the backup again, or take another one.",
            ));
        }
        if std::mem::take(&mut self.first_pass) {
            self.finish_large_objects().await?;
            self.target.events.send(Event::Phase { phase: Phase::Keys });
            for id in &self.plan.large_objects.blocks {
                self.graph.data_done(*id);
            }
        }
        self.streaming = false;
        self.settle()
    }

    /// Creates the large objects that have no contents, once it is known which ones have some.
    async fn finish_large_objects(&mut self) -> Result<()> {
        while self.writers > 0 {
            match self.tasks.join_next().await {
                Some(done) => self.finished(done)?,
                None => return Err(Error::internal("The writer of large objects is gone.")),
            }
            self.start_steps()?;
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

    /// Starts the groups of rules in SQL that are ready. They have their sessions already.
    fn start_groups(&mut self) -> Result<()> {
        while let Some(index) = self.graph.start_if(false, |step| step.kind == GROUP_KIND) {
            let id = self.plan.steps.get(index).map(|step| step.dump_id);
            let mut groups = self.plan.sql_rules.groups.iter();
            let Some(number) = groups.position(|group| Some(group.dump_id) == id) else {
                return Err(Error::internal(
                    "A step stands for rules in SQL that are not there.",
                ));
            };
            if let Some(group) = self.groups.get_mut(number) {
                group.step = Some(index);
            }
            self.run_group(index, number)?;
        }
        Ok(())
    }

    /// Runs a group's statements, all of its rows having arrived.
    fn run_group(&mut self, index: usize, number: usize) -> Result<()> {
        let Some(group) = self.groups.get_mut(number) else {
            return Err(Error::internal("Rules in SQL begin that are not there."));
        };
        if let again::State::Failed(error) = std::mem::take(&mut group.state) {
            return self.group_done(index, number, Err(error));
        }
        let Some(session) = group.session.take() else {
            // No row has come for it.
            return self.group_done(index, number, Ok(Finished::default()));
        };
        let (plan, connector) = (Arc::clone(self.plan), Arc::clone(&self.target.connector));
        let (attempts, delay) = (
            self.target.settings.retry_attempts,
            self.target.settings.retry_delay,
        );
        self.tasks.spawn(async move {
            match sql_rules::run(&session, &connector, &plan, number, attempts, delay).await {
                Ok(outcome) => Ok(Done::Group {
                    index,
                    group: number,
                    session,
                    outcome,
                }),
                Err(error) if error.kind == Kind::TargetConnection => Ok(Done::Lost { group: number, error }),
                Err(error) => Err(error),
            }
        });
        Ok(())
    }

    /// A group has ended: its rows are committed, or its tables are empty.
    fn group_done(&mut self, index: usize, number: usize, outcome: Result<Finished>) -> Result<()> {
        let plan = Arc::clone(self.plan);
        let Some(group) = plan.sql_rules.groups.get(number) else {
            return Err(Error::internal("Rules in SQL ended that are not there."));
        };
        let names: Vec<TableName> = group.tables.iter().map(|table| table.into.clone()).collect();
        let finished = match outcome {
            Ok(finished) => finished,
            Err(mut error) => {
                error.remedy = match plan.sql_rules.rollback_on_error {
                    true => {
                        "The tables with rules in SQL are empty and the target is marked incomplete; correct \
                             the rule and run it again."
                            .into()
                    }
                    false => error.remedy,
                };
                if plan.sql_rules.rollback_on_error {
                    return Err(error);
                }
                let told: Vec<String> = group.tables.iter().map(|table| table.table.to_string()).collect();
                self.target
                    .events
                    .warn(format!("{} is left empty: {}", told.join(", "), error.what));
                self.report.failed.push((names, error));
                Finished::default()
            }
        };
        for warning in &finished.warnings {
            self.target.events.warn(warning);
            self.report.warnings.push(warning.clone());
        }
        let stored = |id| self.tables.get(&id).map_or(0, |progress| progress.rows_stored);
        for (id, rows, changes) in finished.by_load(group, stored) {
            self.table_loaded(id, Some((rows, changes)))?;
        }
        self.graph.step_done(index);
        Ok(())
    }

    /// Whether a foreign key's rows may refer to some that a rule in SQL took away, or that never came.
    fn may_dangle(&self, step: &Step) -> bool {
        let losing = &self.plan.sql_rules.losing;
        let failed = &self.report.failed;
        let withheld = &self.report.withheld;
        step.kind == "FK CONSTRAINT"
            && (step.locks.iter()).any(|table| {
                losing.contains(table)
                    || withheld.contains(table)
                    || failed.iter().any(|(tables, _)| tables.contains(table))
            })
    }

    /// Starts steps while there are some to start and sessions to run them on.
    fn start_steps(&mut self) -> Result<()> {
        self.start_groups()?;
        let most = if self.streaming {
            self.target.parallel() - 1
        } else {
            self.target.parallel()
        };
        while self.steps_running < most {
            let Some(session) = self.free.pop() else { break };
            let busy = 2 * self.free.len() < self.target.parallel();
            let Some(index) = self.graph.start_if(busy, |step| step.kind != GROUP_KIND) else {
                self.free.push(session);
                break;
            };
            let may_dangle = self
                .plan
                .steps
                .get(index)
                .is_some_and(|step| self.may_dangle(step));
            self.steps_running += 1;
            let key = self
                .plan
                .steps
                .get(index)
                .filter(|step| self.graph.bytes(step) >= WORTH_IT)
                .and_then(TwoPart::of);
            let Some(step) = self.plan.steps.get(index) else {
                return Err(Error::internal("A step is not there."));
            };
            let alone = !self.streaming && self.steps_running == 1 && !self.graph.has_ready();
            let sql = index_build::sql(step, self.graph.bytes(step), alone);
            let step = Step { sql, ..step.clone() };
            let (attempts, delay) = (
                self.target.settings.retry_attempts,
                self.target.settings.retry_delay,
            );
            self.tasks.spawn(async move {
                let since = Instant::now();
                if let Some(key) = key {
                    // What it meets otherwise, it meets again below, where it is told.
                    if let Ok(true) = key.declare(&session).await {
                        return Ok(Done::Declared {
                            index,
                            session,
                            key,
                            since,
                        });
                    }
                }
                let left_out = run_step(&session, &step, may_dangle, attempts, delay).await?;
                let seconds = since.elapsed().as_secs_f64();
                Ok(Done::Step {
                    index,
                    session,
                    seconds,
                    left_out,
                })
            });
        }
        self.start_checks(most);
        self.start_analyzes(most);
        Ok(())
    }

    /// Checks the rows of a foreign key that was declared, while others may use the tables that it refers to.
    fn validate(&mut self, index: usize, session: Session, key: TwoPart, since: Instant) -> Result<()> {
        self.graph.relax(index, &key.table);
        let Some(step) = self.plan.steps.get(index) else {
            return Err(Error::internal("A step is not there."));
        };
        let may_dangle = self.may_dangle(step);
        let step = Step {
            sql: key.validate,
            ..step.clone()
        };
        let (attempts, delay) = (
            self.target.settings.retry_attempts,
            self.target.settings.retry_delay,
        );
        self.tasks.spawn(async move {
            let left_out = run_step(&session, &step, may_dangle, attempts, delay).await?;
            let seconds = since.elapsed().as_secs_f64();
            Ok(Done::Step {
                index,
                session,
                seconds,
                left_out,
            })
        });
        Ok(())
    }

    /// Looks at tables whose rows are in, where nothing more urgent wants a session.
    fn start_checks(&mut self, most: usize) {
        while self.steps_running < most {
            let Some(session) = self.free.pop() else { break };
            let graph = &self.graph;
            let Some((table, conditions)) = self.checks.next(|table| graph.may_read(table)) else {
                self.free.push(session);
                break;
            };
            self.graph.share(table);
            self.steps_running += 1;
            let table = table.clone();
            self.tasks.spawn(async move {
                let numbers = count::ask_beside_others(&session, &table, &conditions).await?;
                let answer = numbers.map(|numbers| Answer { conditions, numbers });
                Ok(Done::Check {
                    session,
                    table,
                    answer,
                })
            });
        }
    }

    /// Makes statistics for tables whose steps are done, where nothing else wants a session.
    fn start_analyzes(&mut self, most: usize) {
        while self.steps_running < most {
            let Some(session) = self.free.pop() else { break };
            let graph = &self.graph;
            let Some(table) = self.checks.next_to_analyze(|table| graph.is_settled(table)) else {
                self.free.push(session);
                break;
            };
            self.graph.occupy(table);
            self.steps_running += 1;
            let table = table.clone();
            self.tasks.spawn(async move {
                let done = analyze::analyze_beside_others(&session, &table).await?;
                Ok(Done::Analyze { session, table, done })
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
                match self
                    .load(load)?
                    .sql_group
                    .and_then(|group| self.groups.get_mut(group))
                {
                    Some(group) => group.session = Some(session),
                    None => self.free.push(session),
                }
                if let Some(progress) = self.tables.get_mut(&load) {
                    progress.lanes -= 1;
                    progress.rows_stored += report.stored;
                    progress.bytes += report.bytes;
                    add_counts(&mut progress.counts, &report.counts);
                }
                self.table_done_if_so(load)
            }
            Done::Group {
                index,
                group,
                session,
                outcome,
            } => {
                let lasting = self
                    .plan
                    .sql_rules
                    .groups
                    .get(group)
                    .is_some_and(|group| group.lasting);
                if lasting {
                    self.target.give_back(session);
                } else if session.is_closed() {
                    self.to_replace += 1;
                } else {
                    self.free.push(session);
                }
                self.group_done(index, group, outcome)
            }
            Done::Declared {
                index,
                session,
                key,
                since,
            } => self.validate(index, session, key, since),
            Done::Check {
                session,
                table,
                answer,
            } => {
                self.free.push(session);
                self.steps_running -= 1;
                self.graph.unshare(&table);
                if let Some(answer) = answer {
                    self.report.answers.insert(table, answer);
                }
                Ok(())
            }
            Done::Lost { group, error } => self.lose(group, error),
            Done::LostLane { load, error } => self.lose_lane(load, error),
            Done::Analyze { session, table, done } => {
                self.free.push(session);
                self.steps_running -= 1;
                self.graph.vacate(&table);
                if done {
                    self.report.analyzed.insert(table);
                }
                Ok(())
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
            for session in self.groups.iter().filter_map(|group| group.session.as_ref()) {
                // One that is lost is missed when it is needed.
                let _ = session.ping().await;
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

/// Runs a step, again if it met a deadlock. Returns a warning if it was left out, or added otherwise.
///
/// `may_dangle`: a foreign key that rows do not meet is added NOT VALID, where PostgreSQL can.
async fn run_step(
    session: &Session,
    step: &Step,
    may_dangle: bool,
    attempts: u32,
    delay: f64,
) -> Result<Option<String>> {
    let mut attempt = 0;
    loop {
        let Err(error) = session.batch_execute(&step.sql).await else {
            return Ok(None);
        };
        if step.refusal == Refusal::LeftOut && is_refusal(&error) {
            return Ok(Some(left_out(&step.kind, &step.name, &error)));
        }
        if may_dangle && error.code() == Some(&SqlState::FOREIGN_KEY_VIOLATION) {
            let bare = step.sql.trim_end().trim_end_matches(';');
            let declared = match bare.contains("VALIDATE CONSTRAINT") {
                // It stands already.
                true => Ok(()),
                false => session.batch_execute(&format!("{bare} NOT VALID")).await,
            };
            return Ok(Some(
                match declared {
                    Ok(()) => format!(
                        "The foreign key {} is added NOT VALID: rows refer to some that a rule in SQL deleted or that are \
                         missing because one failed or they look personal.",
                        step.name
                    ),
                    Err(error) => left_out(&step.kind, &step.name, &error),
                },
            ));
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
