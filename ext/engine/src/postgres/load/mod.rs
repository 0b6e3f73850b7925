//! Rows, large objects, and the plan's steps as soon as what they wait for is done, over a fixed number of sessions.
//!
//! One task decides (this one); others work: a lane per COPY, a writer of large objects, a step each. All of them
//! live in one [`JoinSet`], so that dropping the future of [`restore`] ends every session that works for it.

use crate::error::{About, Error, Kind, Result};
use crate::event::{Event, Phase};
use crate::plan::{Load, Plan, TableName, TaskId};
use crate::postgres::load::lane::LaneReport;
use crate::postgres::load::large_objects::LargeObjectPart;
use crate::postgres::schedule::graph::Graph;
use crate::postgres::schedule::keys::foreign::TwoPart;
use crate::postgres::schedule::questions::{Answer, Checks, Questions};
use crate::postgres::session::connect::Session;
use crate::postgres::sql_rules::Finished;
use crate::postgres::Target;
use pg_dump_archive::DumpId;
use roaring::RoaringBitmap;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};

pub(crate) mod copy;
mod cut;
mod extension_rows;
mod groups;
pub(crate) mod in_place;
pub(in crate::postgres) mod lane;
pub(in crate::postgres) mod large_objects;
mod objects;
pub(crate) mod passage;
mod report;
mod retry;
mod rows;
mod sessions;
pub(crate) mod stage;
mod steps;

pub(crate) use copy::Way;
pub(crate) use cut::cut_rows;
pub use report::{LoadReport, LoadedTable};
pub use retry::{Never, Replay};
pub use stage::{Decision, Look, RowStage, Stages};

use extension_rows::Arriving;
use groups::Group;
use rows::{add_counts, Current, Progress};
use steps::StepDone;

/// How often it is made sure that the run still holds the target.
const CHECK: Duration = Duration::from_secs(5);

/// What the archive's data consists of, in its order.
#[derive(Debug)]
pub enum Item {
    /// The rows of a TABLE DATA entry that is in [`Plan::loads`] follow.
    TableStart(DumpId),
    /// What was decided about the rows that follow, from a look at them.
    Decided(Decision),
    /// Whole rows of COPY text, raw, each ended by a newline, without the closing `\.`. Take the buffer from
    /// [`Target::buffers`]. Some 256 KiB are a good size.
    Rows(Vec<u8>),
    /// There are no more rows of this entry.
    TableEnd,
    /// The large objects of this entry follow.
    LargeObjects(DumpId),
    /// The contents of the large object with this oid follow.
    LargeObjectStart(u32),
    /// Some of its bytes, cut anywhere.
    LargeObjectData(Vec<u8>),
    /// It has no more bytes.
    LargeObjectEnd,
    /// Of those that the table of contents names, only these come; the others are not created either.
    LargeObjectsKept(RoaringBitmap),
}

/// Loads rows and large objects, and runs the plan's steps as soon as what they wait for is done.
///
/// The stream ends when the sender of `items` is dropped; an `Err` among the items ends everything with that
/// error. Rows are masked and sent over [`parallel_connections`](crate::settings::TargetSettings::parallel_connections)
/// sessions: a large table over one that freezes its rows, or, where they cannot be frozen, over several; while the stream lasts, steps leave at least one session to the
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
    /// What looks at the rows as they pass.
    pub stages: Stages,
}

/// As [`restore`], from a source that can be streamed again. When a session that rows were sent over is lost, `again`
/// is asked for the rows of its tables once the stream has ended. Of tables with rules in SQL nothing was committed;
/// any other is emptied first.
///
/// # Errors
/// As [`restore`]. A session that is lost more often than
/// [`retry_attempts`](crate::settings::TargetSettings::retry_attempts) is a failure as any other.
pub async fn restore_from(
    target: &Target,
    plan: Arc<Plan>,
    watching: Watching,
    items: mpsc::Receiver<Result<Item, Error>>,
    again: &impl Replay,
) -> Result<LoadReport> {
    target.check_hold()?;
    let mut sessions = Vec::with_capacity(target.parallel());
    for _ in 0..target.parallel() {
        sessions.push(target.session().await?);
    }
    let data = plan.loads.keys().chain(&plan.large_objects.blocks);
    let data = data.chain(plan.extension_rows.keys());
    let behind_sql = plan.loads.values().filter(|load| load.sql_group.is_some());
    let arrivals = behind_sql.map(|load| TaskId::Arrival(load.dump_id));
    let data = data.copied().map(TaskId::Entry).chain(arrivals);
    let mut restore = Restore {
        target,
        graph: Graph::new(&plan.steps, data),
        checks: Checks::new(watching.questions, plan.loads.values()),
        plan: &plan,
        stages: watching.stages,
        free: sessions,
        tasks: JoinSet::new(),
        steps_running: 0,
        build_seconds: HashMap::new(),
        streaming: true,
        first_pass: true,
        most_passes: if again.is_possible() {
            target.settings.retry_attempts
        } else {
            0
        },
        to_replace: 0,
        tables: HashMap::new(),
        decided: HashMap::new(),
        current: None,
        large_objects: None,
        objects_kept: None,
        of_extension: None,
        extensions_seen: HashSet::new(),
        extension_writers: 0,
        writers: 0,
        written: HashSet::new(),
        last_word: Instant::now(),
        report: LoadReport::default(),
        groups: plan.sql_rules.groups.iter().map(|_| Group::default()).collect(),
        losses: HashMap::new(),
        under_path: HashSet::new(),
        may_come_again: again.is_possible(),
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
    // Its sessions end here, and their statements with them.
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
            error.what.push(format!(
                " {table} could not be emptied afterwards; what it holds is masked. {}",
                further.what
            ));
        }
    }
    error
}

/// A restore under way.
struct Restore<'a> {
    target: &'a Target,
    plan: &'a Arc<Plan>,
    stages: Stages,
    graph: Graph<'a>,
    checks: Checks<'a>,
    /// Idle sessions.
    free: Vec<Session>,
    tasks: JoinSet<Result<Done>>,
    steps_running: usize,
    /// What building the indexes of keys took that are not taken as constraints yet, by step.
    build_seconds: HashMap<usize, f64>,
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
    decided: HashMap<DumpId, Decision>,
    /// The load whose rows arrive.
    current: Option<Current>,
    /// The way to the writer of large objects.
    large_objects: Option<mpsc::Sender<LargeObjectPart>>,
    /// The extension's table whose rows arrive.
    of_extension: Option<Arriving>,
    /// Extensions' tables that have arrived, with rows or without.
    extensions_seen: HashSet<DumpId>,
    /// Writers of such rows that have not ended.
    extension_writers: usize,
    /// Writers of large objects that have not ended.
    writers: usize,
    /// Oids of large objects that come, where not all do.
    objects_kept: Option<RoaringBitmap>,
    /// Oids of large objects that are there.
    written: HashSet<u32>,
    /// When idle sessions last said something.
    last_word: Instant,
    report: LoadReport,
    /// The plan's groups of rules in SQL.
    groups: Vec<Group>,
    /// How often a load's connections were lost, of those without rules in SQL.
    losses: HashMap<DumpId, u32>,
    /// Loads that were refused once, and whose rows come again behind all others, under production's `search_path`.
    under_path: HashSet<DumpId>,
    /// Rows can be streamed a second time.
    may_come_again: bool,
}

/// A piece of work that is done, and the session that is free again.
enum Done {
    Lane {
        load: DumpId,
        session: Session,
        report: LaneReport,
    },
    Steps {
        session: Session,
        steps: Vec<StepDone>,
    },
    LargeObjects {
        session: Session,
        oids: Vec<u32>,
    },
    /// Rows of an extension's table are there, or why they are not.
    ExtensionRows {
        id: DumpId,
        session: Session,
        refusal: Option<Error>,
    },
    Group {
        index: usize,
        group: usize,
        session: Session,
        outcome: Result<Finished>,
    },
    /// A key's index is built, and is to be taken as the constraint's.
    Built {
        index: usize,
        session: Session,
        seconds: f64,
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
        answers: Vec<(TableName, Option<Answer>)>,
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
        /// Each with whether it could be.
        tables: Vec<(TableName, bool)>,
        /// Of those that were looked at, too.
        answers: Vec<(TableName, Option<Answer>)>,
    },
}

impl<'a> Restore<'a> {
    async fn run(
        &mut self,
        mut items: mpsc::Receiver<Result<Item, Error>>,
        again: &impl Replay,
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
                match self.start_extension_rows(id) {
                    true => Ok(()),
                    false => self.start_table(id),
                }
            }
            Item::Decided(decision) => self.decided(decision),
            Item::Rows(piece) if self.of_extension.is_some() => self.extension_rows(piece).await,
            Item::Rows(piece) => self.rows(piece).await,
            Item::TableEnd if self.end_extension_rows() => Ok(()),
            Item::TableEnd => self.end_table(),
            Item::LargeObjects(_) => Ok(()),
            Item::LargeObjectStart(oid) => self.large_object(LargeObjectPart::Start(oid)).await,
            Item::LargeObjectData(data) => self.large_object(LargeObjectPart::Data(data)).await,
            Item::LargeObjectEnd => self.large_object(LargeObjectPart::End).await,
            Item::LargeObjectsKept(oids) => {
                self.objects_kept = Some(oids);
                Ok(())
            }
        }
    }

    fn load(&self, id: DumpId) -> Result<&'a Load> {
        self.plan.loads.get(&id).ok_or_else(|| {
            Error::internal(format!(
                "Rows of entry {id} arrived, which the plan does not load."
            ))
        })
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
            )
            .about(About::table(&load.table)));
        }
        if std::mem::take(&mut self.first_pass) {
            self.finish_large_objects().await?;
            self.target.events.send(Event::Phase { phase: Phase::Keys });
            for id in &self.plan.large_objects.blocks {
                self.graph.data_done(TaskId::Entry(*id));
            }
            for id in self
                .plan
                .extension_rows
                .keys()
                .filter(|id| !self.extensions_seen.contains(id))
            {
                self.graph.data_done(TaskId::Entry(*id));
            }
        }
        self.streaming = false;
        self.settle()
    }

    fn finished(&mut self, done: Result<Result<Done>, JoinError>) -> Result<()> {
        let done = done.map_err(|_| Error::internal("A part of the load stopped unexpectedly."))??;
        match done {
            Done::Lane {
                load,
                session,
                report,
            } => self.lane_done(load, session, &report),
            Done::ExtensionRows { id, session, refusal } => {
                self.extension_rows_done(id, session, refusal);
                Ok(())
            }
            Done::Group {
                index,
                group,
                session,
                outcome,
            } => {
                self.free_group_session(group, session);
                self.group_done(index, group, outcome)
            }
            Done::Built {
                index,
                session,
                seconds,
            } => {
                self.free.push(session);
                self.steps_running -= 1;
                self.build_seconds.insert(index, seconds);
                self.graph.built(index);
                Ok(())
            }
            Done::Declared {
                index,
                session,
                key,
                since,
            } => self.validate(index, session, key, since),
            Done::Check { session, answers } => {
                self.free.push(session);
                self.steps_running -= 1;
                for (table, _) in &answers {
                    self.graph.unshare(table);
                }
                self.note(answers);
                Ok(())
            }
            Done::Lost { group, error } => self.lose(group, error),
            Done::LostLane { load, error } => self.lose_lane(load, error),
            Done::Analyze {
                session,
                tables,
                answers,
            } => {
                self.note(answers);
                self.free.push(session);
                self.steps_running -= 1;
                for (table, done) in tables {
                    self.graph.vacate(&table);
                    if done {
                        self.report.analyzed.insert(table);
                    }
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
            Done::Steps { session, steps } => {
                self.free.push(session);
                self.steps_running -= 1;
                for done in steps {
                    self.step_done(done);
                }
                Ok(())
            }
        }
    }
    fn lane_done(&mut self, load: DumpId, session: Session, report: &LaneReport) -> Result<()> {
        let group = self.load(load)?.sql_group;
        match group.and_then(|group| self.groups.get_mut(group)) {
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

    /// A group's session goes where it came from: one that lasts is beside those of the load.
    fn free_group_session(&mut self, group: usize, session: Session) {
        let group = self.plan.sql_rules.groups.get(group);
        if group.is_some_and(|group| group.lasting) {
            self.target.give_back(session);
        } else if session.is_closed() {
            self.to_replace += 1;
        } else {
            self.free.push(session);
        }
    }
}
