//! Tables whose rows came whole in one small piece: many of them go over one session together, one COPY behind the other
//! and without a word from the server in between. A round trip for each would take longer than the work.
//!
//! A table that is refused so goes once more by a lane of its own, which says why.

use super::copy::whole;
use super::rows::{Current, LARGE};
use super::{Done, Restore};
use crate::error::{Error, Kind, Result};
use crate::postgres::load::lane::{Lane, LaneReport, Queue};
use crate::postgres::load::passage::Passage;
use crate::postgres::load::stage::Stages;
use crate::postgres::session::connect::Session;
use pg_dump_archive::DumpId;
use tokio::sync::mpsc;

/// Rows, and tables, that go together: few enough that every session gets some, and that they take no memory to speak of.
const MOST_BYTES: usize = 128 * 1024;
const MOST_TABLES: usize = 100;

/// What came of one of several tables.
pub(super) enum Sent {
    /// Its rows are stored.
    Stored(LaneReport),
    /// The server does not take them so. They are masked, and looked at, and in the lane's queue.
    Refused(Box<Lane>, LaneReport),
    /// The connection was lost before it was known.
    Lost(Error),
}

/// Small tables that wait for others.
#[derive(Default)]
pub(super) struct Together {
    lanes: Vec<Lane>,
    bytes: usize,
    /// Those that were refused, until there is a session for each.
    refused: Vec<Lane>,
}

impl Together {
    /// Whether there are some that have not been sent.
    pub(super) fn are_waiting(&self) -> bool {
        !self.lanes.is_empty()
    }
}

/// A queue with one piece in it, which is closed.
fn queue_of(piece: Vec<u8>) -> Queue {
    let (sender, receiver) = mpsc::channel(1);
    // There is room for one.
    let _ = sender.try_send(piece);
    Queue::new(tokio::sync::Mutex::new(receiver))
}

impl Restore<'_> {
    /// Keeps the first piece of a table that may turn out to be small; gives it back where it is not to be.
    pub(super) fn hold(&mut self, current: &mut Current, piece: Vec<u8>) -> Result<Option<Vec<u8>>> {
        let load = self.load(current.id)?;
        let is_plain = load.sql_group.is_none() && load.conditional.is_none();
        // Of a partition root's rows none could be taken back, should the connection be lost.
        let is_alone = load.copy_into == load.table && !load.shared;
        // One that a connection was lost with goes alone, so that it is named, and takes no other with it, if it was its doing.
        let has_gone_well = !self.under_path.contains(&current.id) && !self.losses.contains_key(&current.id);
        let may_wait = is_plain && is_alone && has_gone_well;
        if !may_wait || piece.len() as u64 >= LARGE {
            return Ok(Some(piece));
        }
        // Its buffer is as large as the largest piece, and there are not many.
        current.held = Some(piece.as_slice().to_vec());
        self.target.buffers.give(piece);
        Ok(None)
    }

    /// All rows of a table have come, and these are they. They go with those of others, as soon as there are enough.
    pub(super) async fn add_small(&mut self, id: DumpId, rows: Vec<u8>) -> Result<()> {
        let bytes = rows.len();
        let lane = self.lane(id, &queue_of(rows), false)?;
        self.count_lane(id, false);
        self.together.lanes.push(lane);
        self.together.bytes += bytes;
        if self.together.bytes >= MOST_BYTES || self.together.lanes.len() >= MOST_TABLES {
            self.send_together().await?;
        }
        Ok(())
    }

    /// Sends the small tables that are there.
    pub(super) async fn send_together(&mut self) -> Result<()> {
        if !self.together.are_waiting() {
            return Ok(());
        }
        // Those that were refused hold their rows until they have had a session: there are never more than a few batches.
        loop {
            self.replace_lost().await?;
            self.start_refused()?;
            if self.together.refused.is_empty() {
                break;
            }
            match self.tasks.join_next().await {
                Some(done) => self.finished(done)?,
                None => return Err(Error::internal("There is no connection to load rows over.")),
            }
        }
        let session = self.free_session().await?;
        let lanes = std::mem::take(&mut self.together.lanes);
        self.together.bytes = 0;
        self.tasks.spawn(async move {
            let sent = run_together(&session, lanes).await?;
            Ok(Done::Together { session, sent })
        });
        Ok(())
    }

    /// Gives those that were refused a session each, as far as there are some.
    pub(super) fn start_refused(&mut self) -> Result<()> {
        while !self.together.refused.is_empty() {
            let Some(session) = self.free.pop() else { break };
            if let Some(lane) = self.together.refused.pop() {
                self.spawn_lane(lane, session, None)?;
            }
        }
        Ok(())
    }

    /// Notes what came of small tables.
    pub(super) fn together_done(&mut self, session: Session, sent: Vec<(DumpId, Sent)>) -> Result<()> {
        match sent.iter().any(|(_, sent)| matches!(sent, Sent::Lost(_))) {
            true => self.to_replace += 1,
            false => self.free.push(session),
        }
        for (id, sent) in sent {
            match sent {
                Sent::Stored(report) => self.lane_ended(id, &report)?,
                Sent::Refused(lane, report) => {
                    self.note_rows(id, &report);
                    self.together.refused.push(*lane);
                }
                Sent::Lost(error) => self.lose_rows(id, error)?,
            }
        }
        Ok(())
    }
}

/// A lane's rows as they are sent, and what was done to them.
struct Ready {
    lane: Lane,
    rows: Vec<u8>,
    report: LaneReport,
}

/// Masks rows as a lane does.
async fn ready(lane: Lane) -> Result<Ready> {
    let rows = lane.queue.lock().await.recv().await.unwrap_or_default();
    let mut passage = Passage::new(
        (lane.load, &lane.table),
        lane.mask.as_ref(),
        lane.emptied.as_ref(),
        &lane.stages,
        &lane.buffers,
    );
    let mut rows = passage.rows(rows)?;
    if rows.capacity() > 2 * rows.len() {
        // A buffer of the store is as large as the largest piece.
        let small = rows.as_slice().to_vec();
        lane.buffers.give(std::mem::replace(&mut rows, small));
    }
    let report = LaneReport {
        stored: 0,
        bytes: rows.len() as u64,
        counts: passage.end(),
    };
    Ok(Ready { lane, rows, report })
}

/// Sends the rows of several lanes.
async fn run_together(session: &Session, lanes: Vec<Lane>) -> Result<Vec<(DumpId, Sent)>> {
    let mut all = Vec::with_capacity(lanes.len());
    let mut copies = Vec::with_capacity(lanes.len());
    for lane in lanes {
        let ready = ready(lane).await?;
        copies.extend(whole(&ready.lane.ways, &ready.rows, session.is_far()));
        all.push(ready);
    }
    // Each has a COPY, unless there is no way at all into one of them.
    let stored = match copies.len() == all.len() && session.sends_ahead() {
        true => session.copy_ahead(&copies).await,
        false => Ok(vec![None; all.len()]),
    };
    let sent = match stored {
        Ok(stored) => all.into_iter().zip(stored).map(sent).collect(),
        Err(error) if error.kind == Kind::TargetConnection => {
            let lost = |ready: Ready| (ready.lane.load, Sent::Lost(error.clone()));
            all.into_iter().map(lost).collect()
        }
        Err(error) => return Err(error),
    };
    Ok(sent)
}

fn sent((ready, stored): (Ready, Option<u64>)) -> (DumpId, Sent) {
    let Ready { lane, rows, report } = ready;
    let id = lane.load;
    if let Some(stored) = stored {
        return (id, Sent::Stored(LaneReport { stored, ..report }));
    }
    let as_they_are = Lane {
        mask: None,
        emptied: None,
        stages: Stages::new(),
        queue: queue_of(rows),
        ..lane
    };
    // The lane counts them once more.
    (
        id,
        Sent::Refused(Box::new(as_they_are), LaneReport { bytes: 0, ..report }),
    )
}
