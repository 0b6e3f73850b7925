//! Extensions that a run needs: which the target lacks, whether its role may create them, and what to do where it may
//! not. The reset and the inspection ask the same functions here, so that a dry run says what a run then does.
//!
//! That a server has an extension's files says nothing about who may create it (PostgreSQL's documentation, "Packaging
//! Related Objects into an Extension": `superuser`, `trusted`, `requires`).

use crate::error::{Doing, Error, Kind, Result};
use crate::failure::{Attempt, TargetFailure, TargetRemedy};
use crate::plan::{Plan, Refusal, Statement};
use crate::postgres::session::connect::Session;
use crate::postgres::session::{get, is_refusal};
use pg_dump_archive::EntryKind;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The one that `config.postgis` asks for.
const POSTGIS: &str = "postgis";

/// What needs an extension, so that a run ends without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// Other objects of the backup.
    Backup,
    /// The option `postgis`.
    Configuration,
}

/// An extension that the backup has, or the configuration asks for, and the target lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Extension {
    /// Its name.
    pub name: String,
    /// The server has its files.
    pub available: bool,
    /// The role may create it.
    pub allowed: bool,
    /// Extensions that it requires and that are not there, nor created by the run.
    pub lacks: Vec<String>,
    /// What needs it; without a need it would be left out with a warning.
    pub needed_by: Option<Need>,
}

/// What needs an extension that a statement of the plan creates.
pub(in crate::postgres) fn need(statement: &Statement, postgis: bool) -> Option<Need> {
    match statement.refusal {
        Refusal::Fatal => Some(Need::Backup),
        Refusal::LeftOut => (postgis && statement.name == POSTGIS).then_some(Need::Configuration),
    }
}

/// The extension that the run creates before the plan's statements, since none of them does.
pub(in crate::postgres) fn beside(plan: &Plan, postgis: bool) -> Option<&'static str> {
    let is_planned = of_plan(plan).any(|one| one.name == POSTGIS);
    (postgis && !is_planned).then_some(POSTGIS)
}

fn of_plan(plan: &Plan) -> impl Iterator<Item = &Statement> {
    plan.schema.iter().filter(|one| one.kind == EntryKind::Extension)
}

/// What the target lacks, as the server's control files and the role's rights have it. `plan`: None where the backup
/// could not be read.
pub(in crate::postgres) async fn missing(
    session: &Session,
    plan: Option<&Plan>,
    postgis: bool,
) -> Result<Vec<Extension>> {
    let mut wanted: BTreeMap<&str, Option<Need>> = BTreeMap::new();
    if postgis {
        wanted.insert(POSTGIS, Some(Need::Configuration));
    }
    for one in plan.into_iter().flat_map(of_plan) {
        wanted.insert(&one.name, need(one, postgis));
    }
    let names: Vec<&str> = wanted.keys().copied().collect();
    // Who has CREATE on the database may create a superuser's extension that is trusted, and everyone one that is not a
    // superuser's.
    let sql = "SELECT wanted.name, v.version IS NOT NULL AS available, \
                 me.rolsuper OR coalesce(NOT v.superuser \
                   OR v.trusted AND has_database_privilege(current_database(), 'CREATE'), false) AS allowed, \
                 ARRAY(SELECT unnest(v.requires)::text EXCEPT SELECT extname::text FROM pg_extension) AS lacks \
               FROM unnest($1::text[]) AS wanted (name) \
               CROSS JOIN (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) me \
               LEFT JOIN pg_available_extensions e ON e.name = wanted.name \
               LEFT JOIN pg_available_extension_versions v ON v.name = e.name AND v.version = e.default_version \
               WHERE NOT EXISTS (SELECT FROM pg_extension WHERE extname = wanted.name) \
               ORDER BY wanted.name";
    let rows = session
        .query(sql, &[&names])
        .await
        .map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::LookingForExtensions), &error))?;
    let mut missing = Vec::new();
    for row in &rows {
        let name: String = get(row, "name")?;
        missing.push(Extension {
            available: get(row, "available")?,
            allowed: get(row, "allowed")?,
            lacks: get(row, "lacks")?,
            needed_by: wanted.get(name.as_str()).copied().flatten(),
            name,
        });
    }
    fill_in_what_the_run_creates(&mut missing);
    Ok(missing)
}

/// Fails where the target has an extension that the backup's schema needs, but in another schema: it could not be created, and
/// what is in it would not be found.
///
/// # Errors
/// [`Kind::Plan`], naming the first such extension and how to move it.
pub(in crate::postgres) async fn refuse_misplaced(session: &Session, plan: &Plan) -> Result<()> {
    let needed = of_plan(plan).filter(|one| one.refusal == Refusal::Fatal);
    let wanted: BTreeMap<&str, String> = needed
        .filter_map(|one| Some((one.name.as_str(), one.home()?)))
        .collect();
    let names: Vec<&str> = wanted.keys().copied().collect();
    let sql = "SELECT extname::text AS name, nspname::text AS schema, extrelocatable AS relocatable \
               FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = ANY($1) ORDER BY extname";
    let there = session.query(sql, &[&names]).await;
    let there = there
        .map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::LookingForExtensions), &error))?;
    for row in &there {
        let (name, schema): (&str, &str) = (get(row, "name")?, get(row, "schema")?);
        if let Some(home) = wanted.get(name).filter(|home| *home != schema) {
            return Err(misplaced(name, schema, home, get(row, "relocatable")?));
        }
    }
    Ok(())
}

fn misplaced(name: &str, schema: &str, home: &str, is_relocatable: bool) -> Error {
    let (extension, wanted) = (
        crate::plan::quote_identifier(name),
        crate::plan::quote_identifier(home),
    );
    let cure = match is_relocatable {
        true => format!("ALTER EXTENSION {extension} SET SCHEMA {wanted}"),
        false => format!("DROP EXTENSION {extension}; CREATE EXTENSION {extension} SCHEMA {wanted}"),
    };
    Error::new(
        Kind::Plan,
        TargetFailure::ExtensionElsewhere {
            extension: name.to_owned(),
            schema: schema.to_owned(),
            home: home.to_owned(),
        },
        TargetRemedy::MoveExtension { cure },
    )
}

/// An extension does not lack one that the run creates, and that can be created itself.
fn fill_in_what_the_run_creates(missing: &mut [Extension]) {
    let mut created = BTreeSet::new();
    loop {
        let can_be = |one: &&Extension| one.can_be_created() && !created.contains(&one.name);
        let Some(name) = missing.iter().find(can_be).map(|one| one.name.clone()) else {
            return;
        };
        for extension in &mut *missing {
            extension.lacks.retain(|lacked| *lacked != name);
        }
        created.insert(name);
    }
}

impl Extension {
    fn can_be_created(&self) -> bool {
        self.available && self.allowed && self.lacks.is_empty()
    }

    /// Why a run would end, where it would.
    pub(in crate::postgres) fn problem(&self) -> Option<Error> {
        let need = self.needed_by.filter(|_| !self.can_be_created())?;
        // In the server's order: files, what is required, rights.
        Some(if !self.available {
            not_there(&self.name, need)
        } else if !self.lacks.is_empty() {
            requires_another(&self.name, need)
        } else {
            may_not_create(&self.name, need)
        })
    }
}

/// Why the server did not create an extension, where it lacks its files, the role the right, or another extension.
pub(in crate::postgres) fn refused(name: &str, need: Need, error: &tokio_postgres::Error) -> Option<Error> {
    if lacks_another(error) {
        return Some(requires_another(name, need));
    }
    match error.code()?.code() {
        "42501" => Some(may_not_create(name, need)),
        _ if is_refusal(error) => Some(not_there(name, need)),
        _ => None,
    }
}

/// Whether an extension that this one requires is not there: undefined_object.
pub(in crate::postgres) fn lacks_another(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| code.code() == "42704")
}

fn may_not_create(name: &str, need: Need) -> Error {
    let extension = name.to_owned();
    let what = match need {
        Need::Backup => TargetFailure::ExtensionForbidden { extension },
        Need::Configuration => TargetFailure::WantedExtensionForbidden { extension },
    };
    Error::new(Kind::Privilege, what, by_another_role(name, need))
}

fn requires_another(name: &str, need: Need) -> Error {
    let extension = name.to_owned();
    let what = match need {
        Need::Backup => TargetFailure::ExtensionRequires { extension },
        Need::Configuration => TargetFailure::WantedExtensionRequires { extension },
    };
    Error::new(Kind::Restore, what, by_another_role(name, need))
}

/// Where only the configuration asks for it, the app may do without it.
fn by_another_role(name: &str, need: Need) -> TargetRemedy {
    let extension = crate::plan::quote_identifier(name);
    match need {
        Need::Backup => TargetRemedy::CreateExtension { extension },
        Need::Configuration => TargetRemedy::CreateExtensionOrNot { extension },
    }
}

fn not_there(name: &str, need: Need) -> Error {
    let extension = || name.to_owned();
    let (what, remedy) = match need {
        Need::Backup => (
            TargetFailure::ExtensionAbsent {
                extension: extension(),
            },
            TargetRemedy::InstallExtension {
                extension: extension(),
            },
        ),
        Need::Configuration => (
            TargetFailure::WantedExtensionAbsent {
                extension: extension(),
            },
            TargetRemedy::InstallExtensionOrNot {
                extension: extension(),
            },
        ),
    };
    Error::new(Kind::Restore, what, remedy)
}
