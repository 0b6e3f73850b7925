//! Items on their way into the archive: straight, or by way of rules in SQL in a workspace. On a thread that may block.

use crate::error::{Error, Result};
use crate::jobs::until_cancelled;
use crate::notice::Mismatch;
use crate::plan::sql_rules::SqlTable;
use crate::plan::{Load, Plan};
use crate::postgres::workspace::Workspace;
use crate::postgres::{Decision, Item, LaneReport, Stages};
use crate::sink::{ArchiveSink, Finished};
use leak_check::LeakCheck;
use masking::RowMask;
use pg_dump_archive::DumpId;
use std::collections::HashMap;
use std::fs::File;
use std::future::Future;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Where rows pass through rules in SQL, and what looks at them.
pub(super) struct Ruled {
    pub(super) workspace: Arc<Workspace>,
    pub(super) plan: Arc<Plan>,
    pub(super) stages: Stages,
    pub(super) leaks: Option<Arc<LeakCheck>>,
}

/// An archive, and before it the workspace where there is one.
pub(super) struct Rows {
    pub(super) archive: ArchiveSink<File>,
    ruled: Option<Ruled>,
    handle: Handle,
    cancel: CancellationToken,
    passing: Option<Passing>,
    /// What became of the loads that have passed.
    passed: HashMap<DumpId, LaneReport>,
}

/// What takes a load's rows there, and what it comes to.
struct Lane {
    rows: mpsc::Sender<Vec<u8>>,
    report: JoinHandle<Result<LaneReport>>,
}

/// A load whose rows pass through the workspace.
struct Passing {
    load: DumpId,
    decision: Decision,
    /// From its first row on.
    lane: Option<Lane>,
}

impl Rows {
    pub(super) fn new(
        archive: ArchiveSink<File>,
        ruled: Option<Ruled>,
        handle: Handle,
        cancel: CancellationToken,
    ) -> Self {
        Self {
            archive,
            ruled,
            handle,
            cancel,
            passing: None,
            passed: HashMap::new(),
        }
    }

    /// Takes the next item.
    pub(super) fn take(&mut self, item: Item) -> Result<()> {
        if let Item::TableStart(load) = item {
            if self.is_ruled(load) {
                self.passing = Some(Passing {
                    load,
                    decision: Decision::AsPlanned,
                    lane: None,
                });
                return Ok(());
            }
        }
        let Some(passing) = &mut self.passing else {
            return self.archive.take(item);
        };
        match item {
            Item::Decided(decision) => {
                passing.decision = decision;
                Ok(())
            }
            Item::Rows(piece) => self.pass(piece),
            Item::TableEnd => self.end_passing(),
            _ => Err(Error::internal("Something else came among the rows of a table.")),
        }
    }

    fn is_ruled(&self, load: DumpId) -> bool {
        let plan = self.ruled.as_ref().map(|ruled| &ruled.plan);
        let load = plan.and_then(|plan| plan.loads.get(&load));
        load.is_some_and(|load| load.sql_group.is_some())
    }

    fn ruled(&self) -> Result<&Ruled> {
        let ruled = self.ruled.as_ref();
        ruled.ok_or_else(|| {
            Error::internal("Rows have to pass through rules in SQL, and there is no workspace.")
        })
    }

    fn pass(&mut self, piece: Vec<u8>) -> Result<()> {
        let handle = self.handle.clone();
        let lane = match self.passing.as_mut().and_then(|passing| passing.lane.take()) {
            Some(lane) => lane,
            None => self.begin_lane(&handle)?,
        };
        let taken = lane.rows.blocking_send(piece).is_ok();
        match &mut self.passing {
            Some(passing) => passing.lane = Some(lane),
            None => return Err(Error::internal("Rows arrived outside of a table.")),
        }
        match taken {
            true => Ok(()),
            // The lane has ended, and says why.
            false => self.end_passing(),
        }
    }

    fn begin_lane(&self, handle: &Handle) -> Result<Lane> {
        let ruled = self.ruled()?;
        let passing = self.passing.as_ref();
        let passing = passing.ok_or_else(|| Error::internal("Rows arrived outside of a table."))?;
        let load = load(&ruled.plan, passing.load)?.clone();
        let mask = mask_of(&load, &passing.decision);
        let (workspace, stages) = (Arc::clone(&ruled.workspace), ruled.stages.clone());
        let (rows, receiver) = mpsc::channel(1);
        let report = handle.spawn(async move { workspace.take(&load, mask, stages, receiver).await });
        Ok(Lane { rows, report })
    }

    fn end_passing(&mut self) -> Result<()> {
        let Some(Passing { load: id, lane, .. }) = self.passing.take() else {
            return Err(Error::internal("The rows of a table ended that had not begun."));
        };
        let report = match lane {
            None => LaneReport::default(),
            Some(Lane { rows, report }) => {
                drop(rows);
                self.wait(joined(report))?
            }
        };
        let ruled = self.ruled()?;
        for stage in &ruled.stages {
            // A table whose rows must not stay, as is known only now, fails the dump at its end.
            stage.settle(load(&ruled.plan, id)?);
        }
        self.passed.insert(id, report);
        Ok(())
    }

    /// Runs the rules in SQL, all rows having come, and writes what they leave. Gives back what they found wrong.
    pub(super) fn finish_ruled(&mut self) -> Result<Vec<Mismatch>> {
        let Some(ruled) = &self.ruled else {
            return Ok(Vec::new());
        };
        let plan = Arc::clone(&ruled.plan);
        let mut warnings = Vec::new();
        for (number, group) in plan.sql_rules.groups.iter().enumerate() {
            let workspace = Arc::clone(&self.ruled()?.workspace);
            let mut finished = self.wait(async move { workspace.run(number).await })?;
            warnings.append(&mut finished.warnings);
            let mut changes: HashMap<DumpId, _> = finished
                .by_load(group, |_| 0)
                .into_iter()
                .map(|(id, _, changes)| (id, changes))
                .collect();
            for (place, table) in group.tables.iter().enumerate() {
                for (at, id) in table.loads.iter().enumerate() {
                    let masked = self.passed.remove(id).unwrap_or_default().counts.columns;
                    let sql = changes.remove(id).unwrap_or_default();
                    self.archive.begin_finished(*id, Finished { masked, sql })?;
                    if at == 0 {
                        self.write_finished(&plan, (number, place), table)?;
                    }
                    self.archive.take(Item::TableEnd)?;
                }
            }
        }
        Ok(warnings)
    }

    /// Writes a table's finished rows, and shows the leak check those that it has not seen.
    fn write_finished(
        &mut self,
        plan: &Plan,
        (group, place): (usize, usize),
        table: &SqlTable,
    ) -> Result<()> {
        let ruled = self.ruled()?;
        let mut watchers = Vec::new();
        for id in &table.loads {
            let load = load(plan, *id)?;
            let check = ruled.leaks.as_ref();
            let watcher = check.and_then(|check| {
                let moment = check.reads_back(*id)?;
                check.watcher(*id, load.mask.as_deref(), moment)
            });
            // Partitions' rows come together, and one look at them is enough.
            watchers.extend(watcher.filter(|watcher| watcher.looks_at_anything()));
            watchers.truncate(1);
        }
        let (sender, mut rows) = mpsc::channel(1);
        let workspace = Arc::clone(&ruled.workspace);
        let reading = self
            .handle
            .spawn(async move { workspace.send(group, place, sender).await });
        while let Some(piece) = self.wait(async { Ok(rows.recv().await) })? {
            for watcher in &mut watchers {
                watcher.piece(&piece, &piece);
            }
            self.archive.take(Item::Rows(piece))?;
        }
        self.wait(joined(reading))
    }

    fn wait<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.handle.block_on(until_cancelled(&self.cancel, work))
    }
}

fn load(plan: &Plan, id: DumpId) -> Result<&Load> {
    let load = plan.loads.get(&id);
    load.ok_or_else(|| {
        Error::internal(format!(
            "Rows of entry {id} arrived, which the plan does not write."
        ))
    })
}

/// The mask of a load: the plan's, or the one that was decided on from its first rows.
fn mask_of(load: &Load, decision: &Decision) -> Option<Arc<RowMask>> {
    match decision {
        Decision::Mask(mask) => Some(Arc::clone(mask)),
        _ => load.mask.clone(),
    }
}

async fn joined<T>(task: JoinHandle<Result<T>>) -> Result<T> {
    task.await
        .map_err(|_| Error::internal("A part of the dump stopped unexpectedly."))?
}
