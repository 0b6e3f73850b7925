//! Ten rows of a table before and after its masks, for a person at a terminal.
//!
//! What it returns holds raw values: it goes to a terminal and nowhere else. The target is not touched.

use super::{read_only, until_cancelled, Job};
use crate::error::{About, Error, Kind, Result};
use crate::event::Sink;
use crate::failure::{JobFailure, JobRemedy};
use crate::plan::{names, Load, Plan};
use crate::planned;
use crate::rows::LoadRows;
use crate::settings::Settings;
use crate::source;
use crate::text::Text;
use pg_dump_archive::copy::{decode, fields};
use pg_dump_archive::{Archive, Block};
use serde::Serialize;
use std::io::Read;
use tokio_util::sync::CancellationToken;

/// Rows shown.
const ROWS: usize = 10;

/// Bytes of rows that are read to find them; a longer row still comes whole.
const PIECE: usize = 64 * 1024;

/// Rows of a table, raw and masked. Has no `Debug`, so that it cannot slip into a log.
#[derive(Clone, Serialize)]
#[allow(missing_debug_implementations)]
pub struct Sample {
    /// `schema.table`.
    pub table: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// Those that are masked.
    pub masked: Vec<String>,
    /// Rows as the backup has them; None is NULL.
    pub before: Vec<Vec<Option<String>>>,
    /// The same rows as staging would get them.
    pub after: Vec<Vec<Option<String>>>,
}

/// Ten rows of a table, `named` as `table` or `schema.table`, before and after its masks, for a person at a terminal.
/// Reads the backup as far as that table, and touches nothing.
///
/// # Errors
/// Those of source, archive and plan; [`Kind::Plan`] when there is no such table, or its rows are excluded.
pub fn sample<'a>(
    settings: &'a Settings,
    named: &'a str,
    events: &'a Sink,
    cancel: CancellationToken,
) -> Job<'a, Sample> {
    Box::pin(async move {
        settings.check()?;
        until_cancelled(&cancel, async {
            let backup = source::open(
                &read_only(&settings.source),
                settings.target.stall_timeout,
                events,
            )
            .await?;
            let (settings, named, events) = (settings.clone(), named.to_owned(), events.clone());
            let read = move || read(backup.archive, &settings, &named, &events);
            tokio::task::spawn_blocking(read)
                .await
                .map_err(|_| Error::interrupted())?
        })
        .await
    })
}

fn read(archive: Box<dyn Read + Send>, settings: &Settings, named: &str, events: &Sink) -> Result<Sample> {
    let mut archive = Archive::open(archive)?;
    let plan = planned::from_archive(&archive, settings, events)?;
    let load = find(&plan, named)?;
    let mut piece = Vec::new();
    while let Some(block) = archive.next_block()? {
        match block {
            Block::Data(block) if block.dump_id() == load.dump_id => {
                LoadRows::new(load, block, PIECE).next(&mut piece)?;
                break;
            }
            _ => {}
        }
    }
    shown(load, &piece)
}

fn find<'p>(plan: &'p Plan, named: &str) -> Result<&'p Load> {
    let mut loads = plan.loads.values().filter(|load| load.table.is_meant_by(named));
    let first = loads.next().ok_or_else(|| {
        Error::new(
            Kind::Plan,
            JobFailure::NoRowsOfTable {
                table: named.to_owned(),
            },
            instead(plan, named),
        )
        .about(About::table(named))
    })?;
    if loads.next().is_some() {
        return Err(Error::new(
            Kind::Plan,
            JobFailure::SeveralSchemas {
                table: named.to_owned(),
            },
            JobRemedy::NameSchema,
        )
        .about(About::table(named)));
    }
    Ok(first)
}

/// What to name in place of a table that is not there.
fn instead(plan: &Plan, named: &str) -> Text {
    if plan.excluded.iter().any(|table| table.is_meant_by(named)) {
        return JobRemedy::TakeOffList.into();
    }
    let planned = plan.loads.values().map(|load| &load.table);
    names::meant(named, planned).map_or_else(|| JobRemedy::NamePlannedTable.into(), Text::from)
}

fn shown(load: &Load, piece: &[u8]) -> Result<Sample> {
    let end = memchr::memchr_iter(b'\n', piece)
        .nth(ROWS - 1)
        .map_or(piece.len(), |at| at + 1);
    let raw = piece.get(..end).unwrap_or_default();
    let mut after = Vec::new();
    let masked = match &load.mask {
        Some(mask) => {
            mask.masker().mask_piece(raw, &mut after)?;
            mask.columns().iter().map(|column| column.name.clone()).collect()
        }
        None => {
            after.extend_from_slice(raw);
            Vec::new()
        }
    };
    Ok(Sample {
        table: load.table.to_string(),
        columns: load.columns.clone(),
        masked,
        before: rows(raw),
        after: rows(&after),
    })
}

fn rows(piece: &[u8]) -> Vec<Vec<Option<String>>> {
    let mut scratch = Vec::new();
    let lines = piece.split_inclusive(|byte| *byte == b'\n');
    let mut decoded = |line: &[u8]| {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let values = fields(line)
            .map(|raw| decode(raw, &mut scratch).map(|value| String::from_utf8_lossy(value).into_owned()));
        values.collect()
    };
    lines.map(&mut decoded).collect()
}
