//! What is cut out of rows, by a lane like theirs: into a temporary table, in binary.

use crate::error::Result;
use crate::postgres::buffers::Buffers;
use crate::postgres::load::copy::Way;
use crate::postgres::load::lane::{Lane, Queue};
use crate::postgres::session::connect::Session;
use pg_dump_archive::DumpId;
use tokio::sync::mpsc;

/// Sends pieces of whole rows until there are no more; returns how many rows were stored.
///
/// # Errors
/// What the server refuses, naming the table that the rows come from.
pub(crate) async fn cut_rows(
    session: &Session,
    load: DumpId,
    table: String,
    way: Way,
    pieces: mpsc::Receiver<Vec<u8>>,
    buffers: Buffers,
) -> Result<u64> {
    let lane = Lane {
        load,
        table,
        ways: vec![way],
        emptied_first: None,
        mask: None,
        conditional: None,
        emptied: None,
        stages: Vec::new(),
        queue: Queue::new(tokio::sync::Mutex::new(pieces)),
        buffers,
    };
    Ok(lane.run(session).await?.stored)
}
