//! The lanes of a load: how many, under which mask, and by which way their rows go.

use super::rows::Current;
use super::{Decision, Done, Restore};
use crate::error::{Doing, Error, Kind, Result};
use crate::failure::Attempt;
use crate::plan::sql_rules::SqlTable;
use crate::plan::{Load, TableName};
use crate::postgres::load::copy::{raw_ways, Way};
use crate::postgres::load::lane::{Lane, LaneReport, Queue};
use crate::postgres::session::connect::Session;
use crate::postgres::session::names_what_is_not_there;
use masking::RowMask;
use pg_dump_archive::DumpId;
use std::sync::Arc;

/// A table gets another lane each time this many of its bytes have passed and its lanes are all busy.
const BYTES_PER_LANE: u64 = 4 * 1024 * 1024;

/// A CHECK refuses a row (PostgreSQL's documentation, "PostgreSQL Error Codes").
const CHECK_VIOLATION: &str = "23514";

/// What functions of extensions say about things they did not find.
const INTERNAL_ERROR: &str = "XX000";

impl<'a> Restore<'a> {
    /// The mask of a load: the plan's, or the one that was decided on from its first rows.
    pub(super) fn mask(&self, load: &Load) -> Option<Arc<RowMask>> {
        match self.decided.get(&load.dump_id) {
            Some(Decision::Mask(mask)) => Some(Arc::clone(mask)),
            _ => load.mask.clone(),
        }
    }

    /// Gives a table whose lanes are busy a further one, if it is large and a session is free.
    pub(super) fn grow(&mut self, current: &Current) -> Result<()> {
        // A temporary table is one session's, and so is one that is emptied and filled in one transaction.
        let progress = self.tables.get(&current.id);
        if self.load(current.id)?.sql_group.is_some() || progress.is_some_and(|one| one.freezes) {
            return Ok(());
        }
        let lanes = progress.map_or(0, |progress| progress.lanes as u64);
        if current.bytes <= lanes * BYTES_PER_LANE {
            return Ok(());
        }
        if let (Some((_, queue)), Some(session)) = (&current.queue, self.free.pop()) {
            self.start_lane(current.id, queue, session, false)?;
        }
        Ok(())
    }

    /// Starts a lane of a load. `is_large`: its rows are worth a transaction that empties the table first, so that they
    /// are frozen, where they can be.
    pub(super) fn start_lane(
        &mut self,
        id: DumpId,
        queue: &Queue,
        session: Session,
        is_large: bool,
    ) -> Result<()> {
        let lane = self.lane(id, queue, is_large)?;
        self.count_lane(id, lane.emptied_first.is_some());
        let path = self
            .under_path
            .contains(&id)
            .then(|| self.plan.search_path.clone());
        self.spawn_lane(lane, session, path)
    }

    /// Notes that a load has one lane more.
    pub(super) fn count_lane(&mut self, id: DumpId, freezes: bool) {
        if let Some(progress) = self.tables.get_mut(&id) {
            progress.lanes += 1;
            progress.freezes = freezes;
        }
    }

    /// A lane of a load, for the pieces in a queue.
    pub(super) fn lane(&self, id: DumpId, queue: &Queue, is_large: bool) -> Result<Lane> {
        let load = self.load(id)?;
        let freezes = is_large && load.freezable && load.sql_group.is_none() && load.conditional.is_none();
        let mask = self.mask(load);
        let vectors = load.vectors_under(mask.as_deref());
        Ok(Lane {
            load: id,
            table: load.table.to_string(),
            ways: self.ways(load, freezes),
            emptied_first: freezes.then(|| self.begin_with_none_of(&load.copy_into)),
            emptied: vectors.map(|vectors| Arc::clone(&vectors.mask)),
            mask,
            conditional: load.conditional.clone(),
            stages: self.stages.clone(),
            queue: Arc::clone(queue),
            buffers: self.target.buffers(),
        })
    }

    /// Runs a lane over a session, under a `search_path` where one is given.
    pub(super) fn spawn_lane(&mut self, lane: Lane, session: Session, path: Option<String>) -> Result<()> {
        let load = self.load(lane.load)?;
        let (group, alone) = (load.sql_group, load.copy_into == load.table && !load.shared);
        self.tasks.spawn(async move {
            let load = lane.load;
            match (run_lane(lane, &session, path).await, group) {
                (Ok(report), _) => Ok(Done::Lane {
                    load,
                    session,
                    report,
                }),
                (Err(error), Some(group)) if error.kind == Kind::TargetConnection => {
                    Ok(Done::Lost { group, error })
                }
                // A partition root, like a hypertable, holds other loads' rows, too, so its own cannot be taken back.
                (Err(error), None)
                    if alone && (error.kind == Kind::TargetConnection || may_pass_later(&error)) =>
                {
                    Ok(Done::LostLane { load, error })
                }
                (Err(error), _) => Err(error),
            }
        });
        Ok(())
    }

    /// How a load's rows may go.
    fn ways(&self, load: &Load, freezes: bool) -> Vec<Way> {
        if let Some(table) = self.sql_table(load) {
            return raw_ways(table, load, &self.plan.encoding);
        }
        let binary = load.binary.as_ref().map(|layout| Way::Binary {
            first: None,
            sql: load.copy_binary_sql(freezes),
            layout: Arc::clone(layout),
            needs_utf8: false,
        });
        let text = Way::Text(match freezes {
            true => load.copy_frozen_sql(&self.plan.encoding),
            false => load.copy_sql(&self.plan.encoding),
        });
        binary.into_iter().chain([text]).collect()
    }

    /// Begins a transaction and empties a table in it, without waiting for ever for one who reads it.
    pub(super) fn begin_with_none_of(&self, table: &TableName) -> String {
        let milliseconds = (self.target.settings.lock_timeout * 1000.0) as u64;
        format!(
            "BEGIN; SET LOCAL lock_timeout = {milliseconds}; TRUNCATE ONLY {}",
            table.sql()
        )
    }

    /// The table whose temporary namesake takes a load's rows.
    pub(super) fn sql_table(&self, load: &Load) -> Option<&'a SqlTable> {
        let group = self.plan.sql_rules.groups.get(load.sql_group?)?;
        group
            .tables
            .iter()
            .find(|table| table.loads.contains(&load.dump_id))
    }
}

/// Runs a lane, under production's `search_path` where that is given.
async fn run_lane(lane: Lane, session: &Session, path: Option<String>) -> Result<LaneReport> {
    let Some(path) = path else {
        return lane.run(session).await;
    };
    let set = async |value: &str| {
        let doing = Doing::WithoutRows(&Attempt::SettingSearchPath);
        let sql = format!("SET search_path = {value}");
        let done = session.batch_execute(&sql).await;
        done.map_err(|error| Error::from_server(doing, &error))
    };
    set(&path).await?;
    let report = lane.run(session).await?;
    set("''").await?;
    Ok(report)
}

/// Whether rows that were refused may pass when all others are there, and under production's own `search_path`: a CHECK or
/// a generated column calls a function that names another without its schema, or that reads a table which comes later,
/// perhaps an extension's own.
fn may_pass_later(error: &Error) -> bool {
    let sqlstate = error.about.sqlstate.as_deref();
    sqlstate.is_some_and(|code| {
        names_what_is_not_there(code) || [CHECK_VIOLATION, INTERNAL_ERROR].contains(&code)
    })
}
