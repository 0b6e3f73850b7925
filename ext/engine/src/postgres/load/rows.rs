//! The rows of one table: the pieces that go to its lanes, and what has to happen when the last is stored.

use super::{Decision, LoadedTable, Restore};
use crate::error::{About, Error, Kind, Result};
use crate::event::Event;
use crate::failure::{JobRemedy, TargetFailure};
use crate::plan::TaskId;
use crate::postgres::load::lane::Queue;
use crate::postgres::sql_rules::SqlChange;
use masking::{ColumnCounts, Counts};
use pg_dump_archive::DumpId;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// From so many bytes in its first piece on, a table is worth a transaction that empties it first: that costs some
/// files more, which thousands of small tables would pay for nothing.
pub(super) const LARGE: u64 = 64 * 1024;

/// Between two words on how far a table is.
const PROGRESS_EVERY: Duration = Duration::from_millis(250);

/// How far a load is.
pub(super) struct Progress {
    pub(super) since: Instant,
    /// When its progress was last reported.
    pub(super) reported: Instant,
    pub(super) lanes: usize,
    /// Its one lane empties the table first and freezes the rows.
    pub(super) freezes: bool,
    /// All of its rows have arrived.
    pub(super) ended: bool,
    pub(super) rows_sent: u64,
    pub(super) rows_stored: u64,
    pub(super) bytes: u64,
    pub(super) counts: Counts,
    /// Why rows of it are missing: a connection was lost. What still arrives is passed over.
    pub(super) lost: Option<Error>,
}

/// The load whose rows arrive.
pub(super) struct Current {
    pub(super) id: DumpId,
    /// Its first piece, until it is known whether there is another.
    pub(super) held: Option<Vec<u8>>,
    /// From its first piece on that is not held.
    pub(super) queue: Option<(mpsc::Sender<Vec<u8>>, Queue)>,
    pub(super) bytes: u64,
}

impl<'a> Restore<'a> {
    pub(super) fn start_table(&mut self, id: DumpId) -> Result<()> {
        let load = self.load(id)?;
        if self.current.is_some() || self.tables.contains_key(&id) {
            return Err(Error::internal(format!(
                "The rows of {} arrived at the wrong moment.",
                load.table
            )));
        }
        self.current = Some(Current {
            id,
            held: None,
            queue: None,
            bytes: 0,
        });
        let now = Instant::now();
        let progress = Progress {
            since: now,
            reported: now,
            lanes: 0,
            freezes: false,
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

    pub(super) fn decided(&mut self, decision: Decision) -> Result<()> {
        let Some(id) = self.current.as_ref().map(|current| current.id) else {
            return Err(Error::internal("Rows were decided about outside of a table."));
        };
        if matches!(decision, Decision::Withhold) {
            let table = self.load(id)?.copy_into.clone();
            self.report.withheld.push(table);
        }
        self.decided.insert(id, decision);
        Ok(())
    }

    pub(super) async fn rows(&mut self, piece: Vec<u8>) -> Result<()> {
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
        let piece = match (&current.queue, current.held.take()) {
            (None, None) => match self.hold(&mut current, piece)? {
                Some(piece) => piece,
                None => {
                    self.current = Some(current);
                    return Ok(());
                }
            },
            (_, Some(first)) => {
                self.send_piece(&mut current, first).await?;
                piece
            }
            (Some(_), None) => piece,
        };
        self.send_piece(&mut current, piece).await?;
        self.report_progress(&current)?;
        self.current = Some(current);
        Ok(())
    }

    /// Sends a piece of the load whose rows arrive by its lanes.
    async fn send_piece(&mut self, current: &mut Current, piece: Vec<u8>) -> Result<()> {
        if self.passes_over(current.id) {
            self.target.buffers.give(piece);
            return Ok(());
        }
        let length = piece.len() as u64;
        let sender = match &current.queue {
            Some((sender, _)) => sender.clone(),
            None => {
                // The first piece of the table: it needs a session. Small ones need not wait until it is done.
                self.send_together().await?;
                let session = match self.load(current.id)?.sql_group {
                    Some(group) => self.group_session(group).await?,
                    None => Some(self.free_session().await?),
                };
                let Some(session) = session else {
                    self.target.buffers.give(piece);
                    return Ok(());
                };
                let (sender, receiver) = mpsc::channel(1);
                let queue = Queue::new(tokio::sync::Mutex::new(receiver));
                let is_large = length >= LARGE;
                self.start_lane(current.id, &queue, session, is_large)?;
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
            self.grow(current)?;
            self.send_when_possible(current.id, &sender, piece).await?;
        }
        current.bytes += length;
        Ok(())
    }

    /// Says now and then how far a table is.
    pub(super) fn report_progress(&mut self, current: &Current) -> Result<()> {
        let load = self.load(current.id)?;
        if let Some(progress) = self.tables.get_mut(&current.id) {
            if progress.reported.elapsed() >= PROGRESS_EVERY {
                progress.reported = Instant::now();
                self.target.events.send(Event::TableProgress {
                    table: load.table.to_string(),
                    rows: progress.rows_sent,
                    bytes: current.bytes,
                });
            }
        }
        Ok(())
    }

    /// Sends a piece of a load when a lane takes it, and meanwhile minds what else gets done.
    pub(super) async fn send_when_possible(
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
    pub(super) async fn failure(&mut self) -> Error {
        while let Some(done) = self.tasks.join_next().await {
            if let Err(error) = self.finished(done) {
                return error;
            }
        }
        Error::internal("A connection stopped taking rows without saying why.")
    }

    pub(super) async fn end_table(&mut self) -> Result<()> {
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
        match current.held {
            Some(rows) => self.add_small(current.id, rows).await,
            None => self.table_done_if_so(current.id),
        }
    }

    pub(super) fn table_done_if_so(&mut self, id: DumpId) -> Result<()> {
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
                TargetFailure::CountsDiffer {
                    table: load.table.to_string(),
                    count: progress.rows_sent,
                    masked: if masks { progress.counts.rows } else { 0 },
                    stored: progress.rows_stored,
                },
                JobRemedy::AgainOrReport,
            )
            .about(About::table(&load.table).rows(progress.rows_sent)));
        }
        let settled: Vec<Decision> = self.stages.iter().map(|stage| stage.settle(load)).collect();
        if settled
            .iter()
            .any(|decision| matches!(decision, Decision::Withhold))
        {
            self.report.late.push(load.copy_into.clone());
        }
        match load.sql_group {
            Some(group) => self.arrived(group),
            None => self.table_loaded(id, None),
        }
    }

    /// Reports a load that is committed. `behind_sql`: rows that are left of it, and what rules in SQL did.
    pub(super) fn table_loaded(
        &mut self,
        id: DumpId,
        behind_sql: Option<(u64, Vec<SqlChange>)>,
    ) -> Result<()> {
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
        self.graph.data_done(TaskId::Entry(id));
        let failed = &self.report.failed;
        let shrinks = self.plan.sql_rules.shrinking.contains(&load.copy_into);
        if !shrinks && !failed.iter().any(|(tables, _)| tables.contains(&load.copy_into)) {
            self.checks.loaded(load);
        }
        Ok(())
    }
}

pub(super) fn add_counts(sum: &mut Counts, more: &Counts) {
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
