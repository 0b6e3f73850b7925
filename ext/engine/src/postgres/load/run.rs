//! A restore under way: the task that decides, with all that it knows.

use super::done::Done;
use super::extension_rows::Arriving;
use super::groups::Group;
use super::rows::{Current, Progress};
use super::together::Together;
use super::{Item, Watching};
use crate::error::{About, Error, Kind, Result};
use crate::event::{Event, Phase};
use crate::failure::{JobFailure, JobRemedy};
use crate::plan::{Load, Plan, TableName, TaskId};
use crate::postgres::load::large_objects::LargeObjectPart;
use crate::postgres::load::{Decision, LoadReport, Replay, Stages};
use crate::postgres::schedule::graph::Graph;
use crate::postgres::schedule::questions::Checks;
use crate::postgres::session::connect::Session;
use crate::postgres::Target;
use pg_dump_archive::DumpId;
use roaring::RoaringBitmap;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// How often it is made sure that the run still holds the target.
const CHECK: Duration = Duration::from_secs(5);

/// Small tables wait so long for further ones while nothing happens.
const LULL: Duration = Duration::from_millis(50);

/// A restore under way.
pub(super) struct Restore<'a> {
    pub(super) target: &'a Target,
    pub(super) plan: &'a Arc<Plan>,
    /// The plan's loads by their tables.
    pub(super) loads_of: HashMap<&'a TableName, Vec<&'a Load>>,
    pub(super) stages: Stages,
    pub(super) graph: Graph<'a>,
    pub(super) checks: Checks<'a>,
    /// Idle sessions.
    pub(super) free: Vec<Session>,
    pub(super) tasks: JoinSet<Result<Done>>,
    pub(super) steps_running: usize,
    /// What building the indexes of keys took that are not taken as constraints yet, by step.
    pub(super) build_seconds: HashMap<usize, f64>,
    pub(super) streaming: bool,
    /// The stream is the whole backup, not some tables' rows once more.
    pub(super) first_pass: bool,
    /// How often a table's rows may come again.
    pub(super) most_passes: u32,
    /// Sessions that were lost and belong to the free ones.
    pub(super) to_replace: usize,
    /// Loads that have begun.
    pub(super) tables: HashMap<DumpId, Progress>,
    /// What was decided about loads from a look at their rows.
    pub(super) decided: HashMap<DumpId, Decision>,
    /// The load whose rows arrive.
    pub(super) current: Option<Current>,
    /// Small tables that wait for others, to go together.
    pub(super) together: Together,
    /// The way to the writer of large objects.
    pub(super) large_objects: Option<mpsc::Sender<LargeObjectPart>>,
    /// The extension's table whose rows arrive.
    pub(super) of_extension: Option<Arriving>,
    /// Extensions' tables that have arrived, with rows or without.
    pub(super) extensions_seen: HashSet<DumpId>,
    /// Writers of such rows that have not ended.
    pub(super) extension_writers: usize,
    /// Writers of large objects that have not ended.
    pub(super) writers: usize,
    /// Oids of large objects that come, where not all do.
    pub(super) objects_kept: Option<RoaringBitmap>,
    /// Oids of large objects that are there.
    pub(super) written: HashSet<u32>,
    /// When idle sessions last said something.
    pub(super) last_word: Instant,
    pub(super) report: LoadReport,
    /// The plan's groups of rules in SQL.
    pub(super) groups: Vec<Group>,
    /// How often a load's connections were lost, of those without rules in SQL.
    pub(super) losses: HashMap<DumpId, u32>,
    /// Loads that were refused once, and whose rows come again behind all others, under production's `search_path`.
    pub(super) under_path: HashSet<DumpId>,
    /// Rows can be streamed a second time.
    pub(super) may_come_again: bool,
}

impl<'a> Restore<'a> {
    /// Nothing has begun. `may_come_again`: rows can be streamed a second time.
    pub(super) fn new(
        target: &'a Target,
        plan: &'a Arc<Plan>,
        watching: Watching,
        free: Vec<Session>,
        may_come_again: bool,
    ) -> Self {
        let data = plan.loads.keys().chain(&plan.large_objects.blocks);
        let data = data.chain(plan.extension_rows.keys());
        let behind_sql = plan.loads.values().filter(|load| load.sql_group.is_some());
        let arrivals = behind_sql.map(|load| TaskId::Arrival(load.dump_id));
        let data = data.copied().map(TaskId::Entry).chain(arrivals);
        let mut loads_of: HashMap<&TableName, Vec<&Load>> = HashMap::with_capacity(plan.loads.len());
        for load in plan.loads.values() {
            loads_of.entry(&load.table).or_default().push(load);
        }
        Self {
            target,
            graph: Graph::new(&plan.steps, data),
            checks: Checks::new(watching.questions, plan.loads.values()),
            plan,
            loads_of,
            stages: watching.stages,
            free,
            tasks: JoinSet::new(),
            steps_running: 0,
            build_seconds: HashMap::new(),
            streaming: true,
            first_pass: true,
            most_passes: if may_come_again {
                target.settings.retry_attempts
            } else {
                0
            },
            to_replace: 0,
            tables: HashMap::new(),
            decided: HashMap::new(),
            current: None,
            together: Together::default(),
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
            may_come_again,
        }
    }

    /// The tables of groups that have begun: one may have been committed a moment ago without our knowing.
    pub(super) fn begun(&self) -> Vec<TableName> {
        let groups = self.groups.iter().zip(&self.plan.sql_rules.groups);
        let begun = groups.filter(|(group, _)| group.begun);
        begun
            .flat_map(|(_, group)| group.tables.iter().map(|table| table.into.clone()))
            .collect()
    }

    /// Takes what the archive holds, until all of it is loaded and every step is done.
    pub(super) async fn run(
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
                () = tokio::time::sleep(LULL), if self.together.are_waiting() => self.send_together().await?,
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
            Item::TableEnd => self.end_table().await,
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

    pub(super) fn load(&self, id: DumpId) -> Result<&'a Load> {
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
                JobFailure::RowsEndedEarly {
                    table: load.table.to_string(),
                },
                JobRemedy::FetchOrTakeAnother,
            )
            .about(About::table(&load.table)));
        }
        self.send_together().await?;
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
}
