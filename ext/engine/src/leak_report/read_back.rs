//! Shows the leak check what a table holds, where that is not what was sent: rules in SQL may have deleted rows.

use crate::error::{Doing, Error, Result};
use crate::failure::Attempt;
use crate::plan::Load;
use crate::postgres::Session;
use leak_check::{LeakCheck, LookTime};
use masking::{quote_identifier, RowMask};
use std::sync::Arc;

/// About how many bytes of rows are looked at together.
const PIECE: usize = 256 * 1024;

/// Reads the columns of a table that are watched at a moment ([`LookTime::ReadBack`] or [`LookTime::Kept`]), and looks at
/// what is written in them. `mask`: the one that the rows were masked with.
///
/// # Errors
/// What the server refuses.
pub(crate) async fn read_back(
    client: &Session,
    load: &Load,
    mask: Option<&RowMask>,
    check: &Arc<LeakCheck>,
    moment: LookTime,
) -> Result<()> {
    let watcher = check.watcher(load.dump_id, mask, moment);
    let Some(mut watcher) = watcher.filter(|watcher| watcher.looks_at_anything()) else {
        return Ok(());
    };
    let refused = |error: tokio_postgres::Error| {
        Error::from_server(
            Doing::WithRows(&Attempt::ReadingBack {
                table: load.table.to_string(),
            }),
            &error,
        )
    };
    let columns = load
        .columns
        .iter()
        .enumerate()
        .map(|(position, name)| match watcher.looks_at(position) {
            true => quote_identifier(name),
            false => "NULL".to_owned(),
        });
    let columns: Vec<String> = columns.collect();
    let sql = format!(
        "COPY (SELECT {} FROM ONLY {}) TO STDOUT",
        columns.join(", "),
        load.table.sql()
    );
    let mut rows = client.copy_out(&sql).await.map_err(refused)?;
    let mut piece = Vec::with_capacity(PIECE);
    while rows.next_piece(PIECE, &mut piece).await.map_err(refused)? {
        watcher.piece(&piece, &piece);
    }
    Ok(())
}
