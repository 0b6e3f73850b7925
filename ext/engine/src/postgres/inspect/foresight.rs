//! What the target would refuse of a plan, as far as its catalogue shows: policies for roles that it has not, and what only
//! a superuser may make.

use super::Inspection;
use crate::alike::{Alike, Many};
use crate::error::{Doing, Error, Kind, Result};
use crate::failure::{Attempt, RightFailure, RightRemedy};
use crate::left_out::Why;
use crate::notice::Notice;
use crate::plan::sql::{lex, Cursor};
use crate::plan::{Plan, Refusal, StepKind};
use crate::postgres::session::connect::Session;
use crate::postgres::session::get;
use pg_dump_archive::EntryKind;
use std::collections::{BTreeMap, BTreeSet};

/// What only a superuser can create (PostgreSQL's documentation, "CREATE …").
const FOR_SUPERUSERS: &[EntryKind] = &[
    EntryKind::AccessMethod,
    EntryKind::EventTrigger,
    EntryKind::OperatorClass,
    EntryKind::OperatorFamily,
    EntryKind::ProceduralLanguage,
    EntryKind::TextSearchParser,
    EntryKind::TextSearchTemplate,
];

/// What a plan creates.
struct Object<'p> {
    kind: &'p EntryKind,
    name: &'p str,
    sql: &'p str,
    refusal: Refusal,
}

fn objects(plan: &Plan) -> impl Iterator<Item = Object<'_>> {
    let statements = plan.schema.iter().map(|one| Object {
        kind: &one.kind,
        name: &one.name,
        sql: &one.sql,
        refusal: one.refusal,
    });
    let steps = plan.steps.iter().filter_map(|one| match &one.kind {
        StepKind::Entry(kind) => Some(Object {
            kind,
            name: &one.name,
            sql: &one.sql,
            refusal: one.refusal,
        }),
        _ => None,
    });
    statements.chain(steps)
}

/// Adds it to what was seen: what a run would go on without is a warning, what would end it a problem.
///
/// # Errors
/// When the server refuses to say.
pub(super) async fn look(session: &Session, plan: &Plan, seen: &mut Inspection) -> Result<()> {
    let roles = roles_named(plan);
    let doing = |error| Error::from_server(Doing::WithoutRows(&Attempt::LookingForRoles), &error);
    let names: Vec<&str> = roles.values().flatten().map(String::as_str).collect();
    let sql = "SELECT r.rolsuper AS super, \
                 ARRAY(SELECT unnest($1::text[]) EXCEPT SELECT rolname::text FROM pg_roles) AS missing, \
                 ARRAY(SELECT lanname::text FROM pg_language WHERE NOT lanpltrusted) AS untrusted \
               FROM pg_roles r WHERE r.rolname = current_user";
    let row = session.query_one(sql, &[&names]).await.map_err(doing)?;
    let missing: Vec<String> = get(&row, "missing")?;
    let untrusted: Vec<String> = get(&row, "untrusted")?;
    let is_superuser: bool = get(&row, "super")?;
    let (missing, untrusted): (BTreeSet<String>, BTreeSet<String>) =
        (missing.into_iter().collect(), untrusted.into_iter().collect());

    let mut alike = Alike::default();
    for object in objects(plan) {
        let Object { kind, name, .. } = object;
        let gone = roles.get(name).filter(|_| *kind == EntryKind::Policy);
        let gone = gone.and_then(|roles| roles.iter().find(|role| missing.contains(*role)));
        if gone.is_none() && (is_superuser || !is_for_superusers(&object, &untrusted)) {
            continue;
        }
        let (refusal, object, role) = (object.refusal, format!("{kind} {name}"), gone.cloned());
        match refusal {
            Refusal::LeftOut => {
                let why = role.map_or(Why::OnlySuperuser, |role| Why::NoRole { role });
                let why = vec![why];
                alike.add(object.clone(), Notice::WouldBeLeftOut { object, why });
            }
            Refusal::Fatal => seen.problems.push(refused(object, role)),
        }
    }
    let together = |Many { count, names, more }| Notice::ManyWouldBeLeftOut { count, names, more };
    seen.warnings.extend(alike.into_warnings(together));
    Ok(())
}

/// What would end a run: an object that cannot be created, for want of a role or of a superuser's rights.
fn refused(object: String, role: Option<String>) -> Error {
    match role {
        Some(role) => {
            let remedy = RightRemedy::CreateRole { role: role.clone() };
            Error::new(
                Kind::Restore,
                RightFailure::PolicyWithoutRole { object, role },
                remedy,
            )
        }
        None => Error::new(
            Kind::Privilege,
            RightFailure::ForSuperusers { object },
            RightRemedy::SuperuserOrDrop,
        ),
    }
}

/// The roles that each policy is for, by the policy's name; none where it is for all.
fn roles_named(plan: &Plan) -> BTreeMap<&str, Vec<String>> {
    let policies = objects(plan).filter(|one| *one.kind == EntryKind::Policy);
    let mut found = BTreeMap::new();
    for policy in policies {
        let tokens = lex(policy.sql);
        let mut cursor = Cursor::new(&tokens);
        let mut roles = Vec::new();
        if cursor.skip_past("TO") {
            while let Some(role) = cursor.identifier() {
                roles.push(role);
                if !cursor.accept_symbol(',') {
                    break;
                }
            }
        }
        roles.retain(|role| {
            !["public", "current_user", "session_user", "current_role"].contains(&role.as_str())
        });
        found.insert(policy.name, roles);
    }
    found
}

fn is_for_superusers(object: &Object<'_>, untrusted: &BTreeSet<String>) -> bool {
    let tokens = lex(object.sql);
    let mut cursor = Cursor::new(&tokens);
    match object.kind {
        EntryKind::Function | EntryKind::Procedure => {
            let language = cursor
                .skip_past("LANGUAGE")
                .then(|| cursor.identifier())
                .flatten();
            language.is_some_and(|language| untrusted.contains(&language))
        }
        // A base type, by its functions; others are lists and records.
        EntryKind::Type => {
            let is_base =
                cursor.accept("CREATE TYPE") && cursor.qualified("").is_some() && !cursor.accept("AS");
            let options = is_base.then(|| cursor.parenthesized()).flatten();
            options.is_some_and(|options| options.iter().any(|token| token.is("INPUT")))
        }
        kind => FOR_SUPERUSERS.contains(kind),
    }
}
