//! What a dump needs a database for: rules in SQL, conditions, and the choice of a part.

use crate::error::{Error, Kind, Result};
use crate::failure::{JobFailure, JobRemedy};
use crate::jobs::choice;
use crate::part::Selection;
use crate::plan::schema::Schema;
use crate::plan::{Plan, Unplanned};
use crate::postgres::workspace::{self, Workspace};
use crate::postgres::Buffers;
use crate::settings::TargetSettings;
use crate::stream::Opened;
use std::sync::Arc;

/// Why there is no plan, with what the workspace's server refuses besides.
pub(super) async fn unplanned(settings: Option<&TargetSettings>, unplanned: Unplanned) -> Error {
    match settings {
        Some(settings) => choice::unplanned(workspace::session(settings), unplanned).await,
        None => unplanned.error,
    }
}

/// The workspace for a plan's rules in SQL, where it has any.
pub(super) async fn workspace(
    settings: Option<&TargetSettings>,
    plan: &Arc<Plan>,
    schema: &Schema,
    buffers: &Buffers,
) -> Result<Option<Arc<Workspace>>> {
    if plan.sql_rules.groups.is_empty() {
        return Ok(None);
    }
    refuse_deletes(plan, schema)?;
    let settings = settings.ok_or_else(|| nowhere(ruled(plan)))?;
    let begun = Workspace::begin(settings, plan, buffers.clone()).await?;
    Ok(Some(Arc::new(begun)))
}

/// Which rows come, where not all do: chosen in a look at the backup that writes nothing.
pub(super) async fn selection(
    settings: Option<&TargetSettings>,
    opened: &mut Opened,
    buffers: &Buffers,
    known: choice::Known<'_>,
) -> Result<Option<Arc<Selection>>> {
    if let Some(settings) = settings {
        choice::refuse(workspace::session(settings), &opened.plan).await?;
    }
    if opened.plan.part.is_none() {
        return Ok(None);
    }
    let settings = settings.ok_or_else(|| nowhere(JobFailure::SubsetNowhere))?;
    let session = workspace::session(settings).await?;
    let chosen = choice::elsewhere((session, buffers.clone()), opened, known).await?;
    Ok(Some(Arc::new(chosen)))
}

fn ruled(plan: &Plan) -> JobFailure {
    let statements = plan.sql_rules.groups.iter();
    let tables = statements.flat_map(|group| {
        let ruled = group
            .statements
            .iter()
            .filter_map(|one| group.tables.get(one.table));
        ruled.map(|table| table.table.to_string())
    });
    let mut tables: Vec<String> = tables.collect();
    tables.sort_unstable();
    tables.dedup();
    JobFailure::RulesNowhere { tables }
}

fn nowhere(what: JobFailure) -> Error {
    Error::new(Kind::Plan, what, JobRemedy::SetWorkspace)
}

/// What becomes of rows that refer to deleted ones is found out in a target, key by key.
fn refuse_deletes(plan: &Plan, schema: &Schema) -> Result<()> {
    let losing = &plan.sql_rules.losing;
    let found = schema.tables.iter().find_map(|table| {
        let key = table
            .foreign_keys
            .iter()
            .find(|key| losing.contains(&key.references))?;
        Some((&table.name, &key.references))
    });
    let Some((table, references)) = found else {
        return Ok(());
    };
    Err(Error::new(
        Kind::Plan,
        JobFailure::DeletesInDump {
            table: references.to_string(),
            referring: table.to_string(),
        },
        JobRemedy::ChooseBySubset,
    ))
}
