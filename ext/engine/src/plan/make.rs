//! The plan's passes, one after the other: each gives its result and what it has to say, and changes nothing that another
//! has made.

mod fitting;
mod passes;
mod search_path;

use super::diagnostics::Diagnostics;
use super::part::Needs;
use super::schema::Schema;
use super::unplanned::{Unplanned, Unsettled};
use super::{agree, cycles, decide, search, Plan, Statement};
use crate::error::Error;
use crate::failure::PlanFailure;
use crate::notice::Notice;
use crate::settings::Settings;
use passes::{Masked, Order, Passes, Scope};
use pg_dump_archive::{Entry, EntryKind, Header, Section};

/// A table of contents, and what it says of tables and keys.
#[derive(Debug)]
pub struct PlanInput<'a> {
    header: &'a Header,
    entries: &'a [Entry],
    schema: Schema,
    /// An entry is one statement, as pg_dump writes it.
    is_archive: bool,
}

impl<'a> PlanInput<'a> {
    /// Reads what the entries say of tables.
    pub fn read(header: &'a Header, entries: &'a [Entry]) -> Self {
        Self {
            header,
            entries,
            schema: Schema::read(entries),
            is_archive: true,
        }
    }

    /// As [`PlanInput::read`], of entries that no archive holds, where one may be a whole file of SQL.
    pub fn read_sql(header: &'a Header, entries: &'a [Entry]) -> Self {
        Self {
            is_archive: false,
            ..Self::read(header, entries)
        }
    }

    /// The tables and their keys.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Whether the statements write a schema before every name that is not PostgreSQL's own.
    fn names_its_schemas(&self) -> bool {
        let version = self.header.version;
        version.minor >= 13
            || version.major > 1
            || self
                .entries
                .iter()
                .any(|entry| entry.kind == EntryKind::SearchPath)
    }
}

/// Makes the plan: what happens to each entry of a table of contents, under these settings.
///
/// Pure: it reads nothing but its arguments. `key` makes the pseudonyms, see [`masking::Key`].
///
/// # Errors
/// One [`Kind::Plan`](crate::error::Kind::Plan) error with everything that is wrong, a line each: rules that fit no
/// table or no column, names that match nothing, columns that cannot hold their pseudonyms, an archive without a schema.
pub fn plan(contents: &PlanInput<'_>, settings: &Settings, key: &masking::Key) -> Result<Plan, Error> {
    attempt(contents, settings, key).map_err(Error::from)
}

/// As [`plan()`]; beside the error stands what the server can be asked all the same.
///
/// # Errors
/// As [`plan()`].
pub fn attempt(contents: &PlanInput<'_>, settings: &Settings, key: &masking::Key) -> Result<Plan, Unplanned> {
    let (entries, schema) = (contents.entries, &contents.schema);
    let mut diagnostics = check_contents(entries);
    let by_id = entries
        .iter()
        .enumerate()
        .map(|(index, entry)| (entry.dump_id, index))
        .collect();
    let decisions = diagnostics.take(decide::decide(entries, &by_id, &schema.hypertables, settings));
    if contents.is_archive {
        agree::check(entries, &decisions, schema)?;
    }
    let passes = Passes {
        entries,
        schema,
        settings,
        key,
        by_id: &by_id,
        decisions: &decisions,
        names_its_schemas: contents.names_its_schemas(),
    };
    let scope = diagnostics.take(passes.scope());
    let mut masked = diagnostics.take(passes.masked(&scope));
    let (steps, left_out) = diagnostics.take(passes.steps(&scope, &masked));
    let fits = diagnostics.problems.check();
    fits.map_err(|error| passes.unplanned(error, &scope, &masked))?;

    let search = search::SearchInputs {
        entries,
        schema,
        rules: &scope.rules,
        sql_rules: &masked.sql_rules,
        personal: &masked.personal,
        key,
    };
    let (loads, early) = diagnostics.take(search.empty(std::mem::take(&mut masked.loads)));
    masked.loads = loads;
    let fits = diagnostics.problems.check();
    fits.map_err(|error| passes.unplanned(error, &scope, &masked))?;
    cycles::check(&steps)?;
    let (steps, early) = search::create_early(steps, &early);
    let order = Order {
        statements: (passes.statements().chain(passes.hypertables()).chain(early)).collect(),
        steps,
        left_out: passes.left_out().chain(left_out).collect(),
    };
    Ok(passes.plan(scope, masked, order, diagnostics.warnings.0))
}

impl Passes<'_> {
    /// No plan, and what was understood of a part and of tables that stay.
    fn unplanned(&self, error: Error, scope: &Scope<'_>, masked: &Masked) -> Unplanned {
        let statements: Vec<Statement> = self.statements().collect();
        let of_part = masked.part.iter().flat_map(|part| &part.relations);
        let unsettled = Unsettled {
            keep: scope.keep.clone(),
            part: masked.part.clone(),
            idle: masked.idle.clone(),
            needs: Needs::of(&statements, of_part.chain(&masked.idle)),
        };
        Unplanned {
            error,
            unsettled: Some(Box::new(unsettled)),
        }
    }
}

/// An archive needs a schema; one without rows is fine, but hardly what was meant.
fn check_contents(entries: &[Entry]) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    let has = |kind: EntryKind| entries.iter().any(|entry| entry.kind == kind);
    // An extension's own tables come with it.
    let has_schema = entries.iter().any(|entry| {
        entry.section == Section::PreData && matches!(entry.kind, EntryKind::Table | EntryKind::Extension)
    });
    if has(EntryKind::TableData) && !has_schema {
        diagnostics.problems.add(PlanFailure::NoTables);
    }
    if !has(EntryKind::TableData) && !has(EntryKind::Blobs) {
        diagnostics.warnings.push(Notice::NoRows);
    }
    diagnostics
}
