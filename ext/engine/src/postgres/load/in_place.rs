//! Rows that are in the target already, streamed through their masks into a temporary table: out over one session,
//! in over another, by the same lane that a backup's rows take.

use crate::error::{Doing, Error, Result};
use crate::failure::Attempt;
use crate::plan::{quote_identifier, Load};
use crate::postgres::buffers::Buffers;
use crate::postgres::load::copy::Way;
use crate::postgres::load::lane::{Lane, LaneReport, Queue};
use crate::postgres::load::stage::Stages;
use crate::postgres::session::connect::Session;
use std::sync::Arc;
use tokio::sync::mpsc;

/// About how many bytes of rows are masked and sent together.
const PIECE: usize = 256 * 1024;

/// Reads a table's rows over `reader` and sends them, masked, over `writer`, by one of these ways. `stages`
/// look at what passes.
///
/// # Errors
/// What either side refuses, naming the table.
pub(crate) async fn copy(
    reader: &Session,
    writer: &Session,
    load: &Load,
    ways: Vec<Way>,
    buffers: Buffers,
    stages: Stages,
) -> Result<LaneReport> {
    let (sender, receiver) = mpsc::channel(1);
    let vectors = load.vectors_under(load.mask.as_deref());
    let lane = Lane {
        load: load.dump_id,
        table: load.table.to_string(),
        ways,
        // They go to a temporary table, in a transaction of the caller's.
        emptied_first: None,
        mask: load.mask.clone(),
        conditional: load.conditional.clone(),
        emptied: vectors.map(|vectors| Arc::clone(&vectors.mask)),
        stages,
        queue: Queue::new(tokio::sync::Mutex::new(receiver)),
        buffers: buffers.clone(),
    };
    let ((), report) = tokio::try_join!(read(reader, load, sender, &buffers), lane.run(writer))?;
    Ok(report)
}

/// Sends a table's own rows, without its heirs', in pieces of whole rows.
async fn read(reader: &Session, load: &Load, sender: mpsc::Sender<Vec<u8>>, buffers: &Buffers) -> Result<()> {
    let doing = Attempt::Reading {
        table: load.table.to_string(),
    };
    let refused = |error: tokio_postgres::Error| Error::from_server(Doing::WithRows(&doing), &error);
    let columns: Vec<String> = load.columns.iter().map(|name| quote_identifier(name)).collect();
    let sql = format!(
        "COPY (SELECT {} FROM ONLY {}) TO STDOUT",
        columns.join(", "),
        load.table.sql()
    );
    let mut out = reader.copy_out(&sql).await.map_err(refused)?;
    loop {
        let mut piece = buffers.take();
        if !out.next_piece(PIECE, &mut piece).await.map_err(refused)? {
            buffers.give(piece);
            return Ok(());
        }
        if sender.send(piece).await.is_err() {
            // The lane has ended, and says why.
            return Ok(());
        }
    }
}
