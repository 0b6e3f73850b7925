//! What the server would not create, why, and what would fix it. The archive says what depends on it.

use crate::error::{reason, Doing};
use crate::left_out::{LeftOut, Why};
use crate::plan::Plan;
use crate::postgres::session::{is_not_found, is_refusal, lock};
use pg_dump_archive::{DumpId, EntryKind};
use std::collections::BTreeMap;
use std::sync::Mutex;
use tokio_postgres::error::SqlState;

/// What a run goes on without, by its entry.
#[derive(Debug, Default)]
pub(in crate::postgres) struct Missing(Mutex<BTreeMap<DumpId, LeftOut>>);

impl Missing {
    pub(in crate::postgres) fn add(&self, id: DumpId, kind: EntryKind, name: &str, why: Vec<Why>) {
        let left_out = LeftOut {
            // An extension among them is one that nothing else in the backup needs, so that staging lacks none of
            // production's objects: it does not count.
            refused: kind != EntryKind::Extension,
            kind,
            name: name.to_owned(),
            why,
        };
        lock(&self.0).insert(id, left_out);
    }

    /// It is there after all.
    pub(in crate::postgres) fn found(&self, id: DumpId) {
        lock(&self.0).remove(&id);
    }

    /// Nothing is created yet, or all of it was rolled back.
    pub(in crate::postgres) fn clear(&self) {
        lock(&self.0).clear();
    }

    /// Why something that needs these entries is left out, if one of them is missing.
    pub(in crate::postgres) fn needed_by(&self, needs: &[DumpId]) -> Option<Why> {
        let missing = lock(&self.0);
        let gone = needs.iter().find_map(|id| missing.get(id))?;
        let object = format!("{} {}", gone.kind, gone.name);
        Some(Why::NeedsLeftOut { object })
    }

    /// Everything, in the archive's order of numbers.
    pub(in crate::postgres) fn all(&self) -> Vec<LeftOut> {
        lock(&self.0).values().cloned().collect()
    }
}

/// Whether the server refused the object, and not the session, the moment or the machine: whatever it says about names,
/// rights, values, what it supports, and, as extensions do for want of a better code, about itself.
pub(in crate::postgres) fn is_of_the_object(error: &tokio_postgres::Error) -> bool {
    let code = error.code().map(SqlState::code);
    is_refusal(error)
        || code.is_some_and(|code| {
            [
                "0", "2", "38", "39", "3F", "42", "44", "54", "55000", "P0", "F0", "HV", "XX",
            ]
            .iter()
            .any(|class| code.starts_with(class))
                && !["00", "01", "02", "08", "25", "26", "28"]
                    .iter()
                    .any(|class| code.starts_with(class))
        })
}

/// Whether production's own rows are what is refused: an integrity constraint.
pub(in crate::postgres) fn is_of_rows(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| code.code().starts_with("23"))
}

/// Why something is left out, with the cure in production where there is one. `needs`: the entries that it depends on.
pub(in crate::postgres) fn why(
    doing: Doing<'_>,
    error: &tokio_postgres::Error,
    kind: &impl PartialEq<EntryKind>,
    needs: &[DumpId],
    plan: &Plan,
) -> Vec<Why> {
    let extension = *kind == EntryKind::Extension;
    let why = match error.code().map(SqlState::code) {
        Some("42501") => Why::MayNotCreate,
        Some("42704") if extension => Why::ExtensionLacking,
        _ if extension => Why::ServerLacksIt,
        _ => Why::Refused {
            answer: reason(doing, error),
        },
    };
    let cure = is_not_found(error).then(|| cure(needs, plan)).flatten();
    std::iter::once(why).chain(cure).collect()
}

/// A function that names others without their schema finds them once it says where they are.
fn cure(needs: &[DumpId], plan: &Plan) -> Option<Why> {
    let mut schema = plan.schema.iter();
    let function = schema.find(|one| one.kind == EntryKind::Function && needs.contains(&one.dump_id))?;
    Some(Why::SearchPathCures {
        function: function.name.clone(),
        path: plan.search_path.clone(),
    })
}
