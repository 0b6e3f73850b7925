//! What acts outside, in the plan: which columns do, what quiets each, and what cannot be quieted.

use super::judge::{Judge, JudgeInputs, Judged, Named};
use crate::finding::{Because, Unquieted};
use crate::notice::Notice;
use crate::plan::ignore::in_ignores;
use crate::plan::schema::{Column, ForeignKey, Table};
use crate::plan::{Diagnostics, Load};
use personal_data::{
    outside, ColumnName, Heading, NameFinding, PiiKind, Reason, Status, Suggestion, TableContext,
};
use pg_dump_archive::DumpId;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

/// The columns that refer to rows of queues that stay out and may hold NULL, by topmost table, with the foreign keys.
pub(super) fn references(
    inputs: &JudgeInputs<'_>,
    is_restored: impl Fn(DumpId) -> bool,
) -> HashMap<(usize, String), Vec<DumpId>> {
    let schema = inputs.schema;
    let mut found: HashMap<_, Vec<DumpId>> = HashMap::new();
    for (index, table) in schema.tables.iter().enumerate() {
        if inputs.excluded.contains(&index) {
            continue;
        }
        let gone = |key: &&ForeignKey| {
            let references = schema.table(&key.references);
            is_restored(key.dump_id)
                && references.is_some_and(|references| inputs.queues.has_no_rows(references))
        };
        for key in table.foreign_keys.iter().filter(gone) {
            if let Some(name) = referring(table, key) {
                let place = (schema.topmost(index), name.to_owned());
                found.entry(place).or_default().push(key.dump_id);
            }
        }
    }
    found
}

/// The column of a foreign key that is no longer there once it is NULL. Of several it is the last that may be NULL and that
/// no other key needs: a tenant's number, say, stands before the job's.
fn referring<'t>(table: &'t Table, key: &'t ForeignKey) -> Option<&'t str> {
    let is_nullable = |name: &&String| table.column(name).is_some_and(|column| !column.not_null);
    if let [name] = key.columns.as_slice() {
        return Some(name).filter(is_nullable).map(String::as_str);
    }
    let is_free = |name: &&String| {
        let mut others = table
            .foreign_keys
            .iter()
            .filter(|other| other.dump_id != key.dump_id);
        !others.any(|other| other.columns.contains(name))
    };
    let found = key.columns.iter().rev().filter(is_nullable).find(is_free);
    found.filter(|_| !key.match_full).map(String::as_str)
}

impl Judge<'_> {
    /// What a column has to do with the world outside.
    fn acts(&self, table: usize, name: &ColumnName<'_>, context: &TableContext) -> Option<NameFinding> {
        let place = (self.inputs.schema.topmost(table), name.column.to_owned());
        if self.references.contains_key(&place) {
            return Some(NameFinding {
                kind: PiiKind::QueuedWork,
                confidence: 1.0,
                reason: Reason::RefersToQueue,
            });
        }
        let found = outside(name, context)?;
        // What it refers to says more: an id of the app's own acts nowhere.
        let acts = self
            .keys
            .referenced(&place)
            .is_none_or(|there| self.acts_there(there));
        acts.then_some(found)
    }

    /// Whether the column that a foreign key refers to acts outside.
    fn acts_there(&self, (table, column): &(usize, String)) -> bool {
        let schema = self.inputs.schema;
        let known = &schema.tables[*table];
        let names = known.columns.iter().map(|column| column.name.as_str());
        let context = TableContext::new(&known.name.name, names);
        known.column(column).is_some_and(|column| {
            let sql_type = self.sql_type(*table, column);
            outside(&self.column_name(*table, column, &sql_type), &context).is_some()
        })
    }

    /// What a column that has to be quieted has to do with the world outside.
    pub(super) fn to_be_quieted(
        &self,
        table: usize,
        name: &ColumnName<'_>,
        context: &TableContext,
    ) -> Option<NameFinding> {
        let settings = self.inputs.settings;
        let found = self.acts(table, name, context).filter(|_| settings.quiesce)?;
        let known = found.kind != PiiKind::StorageService || settings.storage_service.is_some();
        known.then_some(found)
    }

    /// What a column that is let be has to do with the world outside, and why it is.
    pub(super) fn let_be(&mut self, table: usize, column: &Column) -> Option<(NameFinding, Because)> {
        let context = self.context(table);
        let sql_type = self.sql_type(table, column);
        let found = self.acts(table, &self.column_name(table, column, &sql_type), &context)?;
        let because = match self.inputs.settings.quiesce {
            true => Because::ServiceUnknown,
            false => Because::NotQuiesced,
        };
        Some((found, because))
    }

    /// The mask that comes before those of a column's kind.
    pub(super) fn first_choice(&self, named: &Named, table: usize, load: &Load) -> Option<Suggestion> {
        let settings = self.inputs.settings;
        match named.finding.kind {
            PiiKind::StorageService => settings.storage_service.as_ref().map(|service| Suggestion {
                mask: "static",
                options: Map::from_iter([("value".to_owned(), Value::from(service.as_str()))]),
            }),
            // Whom a condition or SQL leaves as they are is not known here.
            PiiKind::PasswordHash if settings.masking.staging_password.is_some() => {
                let knows_who_stays = load.sql_group.is_none() && !self.inputs.rules.is_conditional(table);
                knows_who_stays.then(|| Suggestion::plain("staging_password"))
            }
            // Another ciphertext would be none, and reading it an error; of a blind index nothing is found by it.
            _ if named.encrypted => Some(Suggestion::plain("null")),
            _ => None,
        }
    }

    /// What acts outside and could not be quieted ends the run; what is only left alone is a warning.
    pub(super) fn refuse_what_acts(
        &self,
        judged: &[(DumpId, Vec<Judged>)],
        loads: &HashMap<DumpId, Load>,
    ) -> Diagnostics {
        let mut diagnostics = Diagnostics::default();
        let mut seen = HashSet::new();
        for (id, columns) in judged {
            let Some(load) = loads.get(id) else { continue };
            for one in columns
                .iter()
                .filter(|one| one.standing.status == Status::Uncovered)
            {
                let column = &load.columns[one.position];
                let home = &self.inputs.schema.tables[self.home(one.table, column)].name;
                if !seen.insert((home, column)) {
                    continue;
                }
                let name = format!("{home}.{column}");
                match (&one.named, one.let_be.as_deref()) {
                    (Some(named), _) if one.always && named.kind.heading() == Heading::Outside => {
                        diagnostics.problems.add(Unquieted::ActsOutside {
                            column: name,
                            reason: named.reason.clone(),
                            because: one.standing.because.iter().map(|why| (**why).clone()).collect(),
                            entry: in_ignores(home, column),
                        });
                    }
                    (_, Some((_, Because::ServiceUnknown))) => {
                        diagnostics.warnings.push(Notice::MayNameStorage { column: name });
                    }
                    _ => {}
                }
            }
        }
        diagnostics
    }

    /// The foreign keys to queues that stay out whose columns become NULL.
    pub(super) fn given_up(
        &self,
        judged: &[(DumpId, Vec<Judged>)],
        loads: &HashMap<DumpId, Load>,
    ) -> HashSet<DumpId> {
        let masked = judged.iter().flat_map(|(id, columns)| {
            let load = loads.get(id);
            let masked = columns.iter().filter(|one| one.standing.status == Status::Masked);
            masked.filter_map(move |one| Some((one.table, load?.columns.get(one.position)?.clone())))
        });
        let masked = masked.filter_map(|(table, column)| {
            let place = (self.inputs.schema.topmost(table), column);
            self.references.get(&place)
        });
        masked.flatten().copied().collect()
    }
}
