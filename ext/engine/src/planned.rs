//! One door to a plan: a table of contents, what the caller's own patterns match in it, and the rules.
//!
//! A table of contents comes from an archive, from the catalogue of a database, or from SQL that creates a schema.

mod sql;

use crate::error::{Error, Result};
use crate::event::Sink;
use crate::plan::schema::Schema;
use crate::plan::{self, Plan, PlanInput, Unplanned};
use crate::postgres::inspect::catalogue;
use crate::postgres::Session;
use crate::settings::Settings;
use masking::Key;
use pg_dump_archive::{Archive, Entry};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::Read;

/// The plan for an archive that is open.
///
/// # Errors
/// What [`plan::attempt`] finds wrong; when the caller is being stopped.
pub(crate) fn from_archive<R: Read>(
    archive: &Archive<R>,
    settings: &Settings,
    events: &Sink,
) -> Result<Plan, Unplanned> {
    make(
        &PlanInput::read(archive.header(), archive.entries()),
        settings,
        events,
    )
}

/// The plan for the tables of the database behind `session`, and the entries that it was made from.
///
/// # Errors
/// When the database cannot be read; besides as [`from_archive`].
pub(crate) async fn from_catalogue(
    session: &Session,
    settings: &Settings,
    events: &Sink,
) -> Result<(Plan, Vec<Entry>)> {
    let (header, entries) = catalogue::describe(session).await?;
    let plan = make(&PlanInput::read(&header, &entries), settings, events)?;
    Ok((plan, entries))
}

/// The plan for the tables that `sql` creates, as `pg_dump --schema-only` writes it.
///
/// # Errors
/// As [`from_archive`].
pub(crate) fn from_sql(sql: &str, settings: &Settings, events: &Sink) -> Result<Plan> {
    let entries = sql::entries(sql)?;
    let header = catalogue::header();
    let contents = PlanInput::read_sql(&header, &entries);
    Ok(make(&contents, settings, events)?)
}

/// A plan whose policy for personal columns does not refuse what names say of them.
///
/// # Errors
/// The refusal.
pub(crate) fn admitted(plan: Plan) -> Result<Plan> {
    match plan.personal.refusal() {
        Some(error) => Err(error),
        None => Ok(plan),
    }
}

fn make(contents: &PlanInput<'_>, settings: &Settings, events: &Sink) -> Result<Plan, Unplanned> {
    let settings = with_matches(settings, contents.schema(), events)?;
    plan::attempt(contents, &settings, &Key::new(&settings.masking.secret))
}

/// Asks the caller which columns its own patterns match, where it has some.
///
/// # Errors
/// When it does not answer, because it is being stopped.
fn with_matches<'s>(settings: &'s Settings, schema: &Schema, events: &Sink) -> Result<Cow<'s, Settings>> {
    if !settings.pii.scan || !settings.pii.own_patterns || settings.pii.matched.is_some() {
        return Ok(Cow::Borrowed(settings));
    }
    let columns: BTreeSet<(String, String)> = schema
        .tables
        .iter()
        .flat_map(|table| {
            let columns = table.columns.iter();
            columns.map(|column| (table.name.name.clone(), column.name.clone()))
        })
        .collect();
    let matched = events
        .ask(columns.into_iter().collect())
        .ok_or_else(Error::interrupted)?;
    let mut settings = settings.clone();
    settings.pii.matched = Some(matched);
    Ok(Cow::Owned(settings))
}
