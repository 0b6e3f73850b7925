//! Why a row of a subset comes, or why it does not, for a person at a terminal: it names keys of production's rows.

use super::{choice, until_cancelled, Job};
use crate::error::{About, Error, Kind, Result};
use crate::event::Sink;
use crate::failure::{JobFailure, JobRemedy};
use crate::part::{Reason, Sought, What};
use crate::plan::{names, Plan};
use crate::postgres::url::ConnectionUrl;
use crate::settings::Settings;
use tokio_util::sync::CancellationToken;

/// Says it of the row of a table, `named` as `table` or `schema.table`, with this primary key: of the row itself, then of
/// the row that this leads to, and so on. Reads the whole backup, and touches nothing.
///
/// # Errors
/// Those of source, archive, plan and target; [`Kind::Plan`] when there is no such table or no subset.
pub fn why<'a>(
    settings: &'a Settings,
    named: &'a str,
    id: &'a str,
    events: &'a Sink,
    cancel: CancellationToken,
) -> Job<'a, Vec<Reason>> {
    Box::pin(async move {
        settings.check()?;
        let url = ConnectionUrl::of(&settings.target)?;
        until_cancelled(&cancel, async {
            let seek = |plan: &Plan| seek(plan, named, id);
            let reasons = choice::why(settings, &url, events, seek).await?;
            Ok(reasons.unwrap_or_else(|| vec![of(What::Unknown, named.to_owned())]))
        })
        .await
    })
}

fn of(what: What, table: String) -> Reason {
    Reason {
        what,
        table,
        reference: None,
        other: None,
        key: None,
    }
}

/// The row, or what can be said of it without a look.
fn seek(plan: &Plan, named: &str, id: &str) -> Result<std::result::Result<Sought, Reason>> {
    let is_it = |table: &crate::plan::TableName| table.is_meant_by(named);
    let part = plan.part.as_ref();
    let relation = part.and_then(|part| part.relations.iter().find(|one| is_it(&one.table)));
    let Some(relation) = relation else {
        let load = plan.loads.values().find(|load| is_it(&load.table));
        return match load {
            Some(load) => Ok(Err(of(What::Whole, load.table.to_string()))),
            None => Err(unknown(plan, named)),
        };
    };
    let blocks = relation.blocks.iter();
    let blocks: Option<_> = blocks.map(|block| Some((block.load, block.key?))).collect();
    let Some(blocks) = blocks else {
        return Err(Error::new(
            Kind::Plan,
            JobFailure::NoKeyToName {
                table: relation.table.to_string(),
            },
            JobRemedy::AskOtherRow,
        ));
    };
    Ok(Ok(Sought {
        blocks,
        id: id.trim().as_bytes().to_vec(),
    }))
}

fn unknown(plan: &Plan, named: &str) -> Error {
    let misses = names::near_misses(named, plan.loads.values().map(|load| &load.table));
    let remedy = match misses.is_empty() {
        true => "Correct its name.".to_owned(),
        false => misses,
    };
    let what = JobFailure::NoRowsOfTable {
        table: named.to_owned(),
    };
    Error::new(Kind::Plan, what, remedy).about(About::table(named))
}
