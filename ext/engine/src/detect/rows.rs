//! Rows of a database that is already there, for [`Detection`] to judge.

use super::{Detection, LoadScan};
use crate::error::{Doing, Error, Result};
use crate::failure::Attempt;
use crate::plan::Load;
use crate::postgres::Session;
use masking::quote_identifier;

/// About how many bytes of rows are looked at together.
const PIECE: usize = 256 * 1024;

/// Looks at the rows of every table, as many of each as the settings say, and judges each table. Nothing is written.
///
/// # Errors
/// When the server refuses to read a table.
pub(crate) async fn judge(client: &Session, detection: &Detection) -> Result<()> {
    let plan = detection.plan();
    let mut loads: Vec<&Load> = plan
        .loads
        .values()
        .filter(|load| detection.wants(load).is_some())
        .collect();
    loads.sort_by(|a, b| a.table.cmp(&b.table));
    for load in loads {
        let most = plan.personal.sample_rows;
        let Some(mut scan) = detection.first_look(load) else {
            continue;
        };
        read(client, load, most, &mut scan).await?;
        detection.decide_by(load, &scan);
    }
    Ok(())
}

async fn read(client: &Session, load: &Load, most: Option<u64>, scan: &mut LoadScan) -> Result<()> {
    let doing = Attempt::Reading {
        table: load.table.to_string(),
    };
    let refused = |error: tokio_postgres::Error| Error::from_server(Doing::WithRows(&doing), &error);
    let columns: Vec<String> = load.columns.iter().map(|name| quote_identifier(name)).collect();
    let limit = most.map(|most| format!(" LIMIT {most}")).unwrap_or_default();
    let sql = format!(
        "COPY (SELECT {} FROM ONLY {}{limit}) TO STDOUT",
        columns.join(", "),
        load.table.sql()
    );
    let mut out = client.copy_out(&sql).await.map_err(refused)?;
    let mut piece = Vec::with_capacity(PIECE);
    while out.next_piece(PIECE, &mut piece).await.map_err(refused)? {
        scan.observe(&piece, u64::MAX);
    }
    Ok(())
}
