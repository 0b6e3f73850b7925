//! One lane: a session that takes pieces of a table's rows, masks them and sends them on in COPY.
//!
//! Lanes of one table share a queue, so that each takes the next piece when it is ready for one.

use crate::error::Result;
use crate::postgres::buffers::Buffers;
use crate::postgres::load::copy::{Copying, Way};
use crate::postgres::load::passage::{unreadable, Passage};
use crate::postgres::load::stage::Stages;
use crate::postgres::session::connect::Session;
use masking::{Counts, RowMask};
use pg_dump_archive::DumpId;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, Mutex};

/// A lane that waits for rows this long says something.
const SILENCE: Duration = Duration::from_secs(120);

/// The queue that the lanes of one table share. A lane holds the lock only while it waits for its next piece, and one lane at a
/// time can get that, so the others would wait without the lock, too; a crate of queues with several receivers would come for
/// this alone. All locks and queues together take a third of a percent of a run's CPU time (perf, while bench/run loads).
pub(crate) type Queue = Arc<Mutex<mpsc::Receiver<Vec<u8>>>>;

/// What a lane works on.
pub(crate) struct Lane {
    pub(crate) load: DumpId,
    /// The table's name, for messages.
    pub(crate) table: String,
    /// How its rows may go to the server, the best way first.
    pub(crate) ways: Vec<Way>,
    /// What begins the transaction that fills the table and empties it first, where one does so that its rows are frozen.
    pub(crate) emptied_first: Option<String>,
    pub(crate) mask: Option<Arc<RowMask>>,
    /// What goes along in further fields, for SQL to choose from.
    pub(crate) conditional: Option<Arc<RowMask>>,
    /// What empties columns that hold words of masked ones.
    pub(crate) emptied: Option<Arc<RowMask>>,
    /// What looks at the rows.
    pub(crate) stages: Stages,
    pub(crate) queue: Queue,
    pub(crate) buffers: Buffers,
}

/// What a lane has done.
#[derive(Debug, Default)]
pub(crate) struct LaneReport {
    /// Rows that PostgreSQL says it stored.
    pub(crate) stored: u64,
    /// Bytes of the rows, as COPY text.
    pub(crate) bytes: u64,
    /// What the mask did.
    pub(crate) counts: Counts,
}

impl Lane {
    /// Takes pieces until the queue is closed and empty; what was sent is committed then.
    ///
    /// # Errors
    /// Naming the table, when the server refuses a row or the mask cannot read one.
    pub(crate) async fn run(self, session: &Session) -> Result<LaneReport> {
        let mut copying = Copying::new(session, &self).await?;
        let mut conditional = self.conditional.as_ref().map(|mask| mask.masker());
        let mut passage = Passage::new(
            (self.load, &self.table),
            self.mask.as_ref(),
            self.emptied.as_ref(),
            &self.stages,
            &self.buffers,
        );
        let mut report = LaneReport::default();
        loop {
            let patience = copying.patience().unwrap_or(SILENCE);
            let next = tokio::time::timeout(patience, async { self.queue.lock().await.recv().await }).await;
            let piece = match next {
                Ok(Some(piece)) => piece,
                Ok(None) => break,
                Err(_) => {
                    if !copying.finish().await? {
                        session.ping().await?;
                    }
                    continue;
                }
            };
            let pseudonyms = match &mut conditional {
                None => None,
                Some(masker) => {
                    let mut masked = self.buffers.take();
                    masker
                        .mask_piece(&piece, &mut masked)
                        .map_err(|error| unreadable(&self.table, error.into()))?;
                    Some(masked)
                }
            };
            let bytes = passage.rows(piece)?;
            let bytes = match (pseudonyms, &self.conditional) {
                (Some(pseudonyms), Some(mask)) => {
                    let mut joined = self.buffers.take();
                    append_fields(&bytes, &pseudonyms, mask, &mut joined);
                    self.buffers.give(bytes);
                    self.buffers.give(pseudonyms);
                    joined
                }
                _ => bytes,
            };
            report.bytes += bytes.len() as u64;
            copying.send(bytes).await?;
        }
        copying.commit().await?;
        report.stored = copying.stored();
        report.counts = passage.end();
        Ok(report)
    }
}

/// Appends to each row the fields that `mask` has masked in `masked`, which are the same rows.
fn append_fields(rows: &[u8], masked: &[u8], mask: &RowMask, out: &mut Vec<u8>) {
    let mut masked = masked.split_inclusive(|byte| *byte == b'\n');
    for row in rows.split_inclusive(|byte| *byte == b'\n') {
        out.extend_from_slice(row.strip_suffix(b"\n").unwrap_or(row));
        let other = masked.next().unwrap_or_default();
        let mut fields = other
            .strip_suffix(b"\n")
            .unwrap_or(other)
            .split(|byte| *byte == b'\t');
        let mut at = 0;
        // The columns are in the order of their positions.
        for column in mask.columns() {
            let field = fields.nth(column.position.saturating_sub(at)).unwrap_or_default();
            at = column.position + 1;
            out.push(b'\t');
            out.extend_from_slice(field);
        }
        out.push(b'\n');
    }
}
