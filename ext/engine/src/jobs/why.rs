//! Why a row of a subset comes, or why it does not, for a person at a terminal: it names keys of production's rows.

mod named;

use super::{choice, until_cancelled, Job};
use crate::event::Sink;
use crate::part::{Reason, What};
use crate::plan::schema::Schema;
use crate::plan::Plan;
use crate::postgres::url::ConnectionUrl;
use crate::settings::Settings;
use named::Named;
use tokio_util::sync::CancellationToken;

/// Says it of the row of a table, `named` as `table` or `schema.table`, with this primary key: of the row itself, then of
/// the row that this leads to, and so on. Reads the whole backup, and touches nothing.
///
/// # Errors
/// Those of source, archive, plan and target; [`Kind::Plan`](crate::error::Kind::Plan) when there is no such table, or no row
/// of it can be named.
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
            let seek = |plan: &Plan, schema: &Schema| {
                Named {
                    plan,
                    schema,
                    named,
                    id,
                }
                .seek()
            };
            let (table, reasons) = choice::why(settings, &url, events, seek).await?;
            Ok(reasons.unwrap_or_else(|| vec![Reason::of(What::Unknown, table)]))
        })
        .await
    })
}
