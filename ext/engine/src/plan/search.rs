//! `tsvector` columns: each holds the words of the columns that it is made from, so beside a masked one it is a copy.
//!
//! Such a column is emptied as rows pass. Where a trigger makes it from the row alone, that trigger is created before
//! the rows instead of after them, and PostgreSQL fills the column from the masked values as they are inserted: no
//! second write, no raw word. A generated column is not in the data at all.

mod triggers;

use super::personal::Personal;
use super::rules::Rules;
use super::schema::{Column, Schema};
use super::sql_rules::SqlRules;
use super::{Diagnostics, Load, Refusal, Statement, Step, StepKind, TaskId};
use crate::channel::Channel;
use crate::settings::Policy;
use masking::{Key, Mask, Pseudonyms, RowMask, Type, Unfit, Uniqueness};
use personal_data::Status;
use pg_dump_archive::{DumpId, Entry};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use triggers::{trigger_of, triggers, Trigger};

/// The tsvector columns of a load that are emptied, because they may hold words of its masked columns.
#[derive(Debug, Clone)]
pub struct SearchVectors {
    /// What empties them.
    pub mask: Arc<RowMask>,
    /// What becomes of each.
    pub channels: Vec<Channel>,
    /// The triggers that make them anew as rows are inserted, by name.
    pub triggers: Vec<String>,
    /// Whether anything of the load is masked for sure. Where not, the values of its first rows may put a mask in force
    /// (`config.pii_policy = :mask`).
    masked: bool,
}

impl Load {
    /// What is emptied when the rows are masked with `mask`: the load's own, or one that values have put in force.
    pub(crate) fn vectors_under(&self, mask: Option<&RowMask>) -> Option<&SearchVectors> {
        let vectors = self.vectors.as_deref()?;
        (vectors.masked || mask.is_some()).then_some(vectors)
    }
}

/// What is known when search vectors are looked at.
pub(super) struct SearchInputs<'a> {
    pub(super) entries: &'a [Entry],
    pub(super) schema: &'a Schema,
    pub(super) rules: &'a Rules<'a>,
    pub(super) sql_rules: &'a SqlRules,
    pub(super) personal: &'a Personal,
    pub(super) key: &'a Key,
}

/// Loads whose search vectors are emptied, and the triggers that are created before the rows.
type Emptied = (HashMap<DumpId, Load>, HashSet<DumpId>);

impl SearchInputs<'_> {
    /// Decides about every tsvector column. What cannot be emptied is a problem.
    pub(super) fn empty(&self, loads: HashMap<DumpId, Load>) -> (Emptied, Diagnostics) {
        let triggers = triggers(self.entries, self.schema);
        let mut diagnostics = Diagnostics::default();
        let mut early = HashSet::new();
        let mut loads = loads;
        let mut ids: Vec<DumpId> = loads.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            let Some(load) = loads.get_mut(&id) else { continue };
            let (vectors, moved) = diagnostics.take(self.vectors_of(load, &triggers));
            early.extend(moved);
            load.vectors = vectors.map(Arc::new);
        }
        ((loads, early), diagnostics)
    }

    /// What is emptied of a load, and the triggers that fill it anew.
    fn vectors_of(
        &self,
        load: &Load,
        triggers: &[Trigger],
    ) -> ((Option<SearchVectors>, Vec<DumpId>), Diagnostics) {
        let mut diagnostics = Diagnostics::default();
        let nothing = (None, Vec::new());
        let Some(table) = self.schema.table(&load.table) else {
            return (nothing, diagnostics);
        };
        let mut masked = self.masked_columns(load);
        let is_masked = !masked.is_empty();
        masked.extend(self.maskable_columns(load));
        if masked.is_empty() {
            return (nothing, diagnostics);
        }
        let (mut positions, mut moved) = (Vec::new(), Vec::new());
        let (mut channels, mut names) = (Vec::new(), Vec::new());
        for (position, column) in vectors(load, self.schema, table, self.rules) {
            let trigger = trigger_of(triggers, self.schema, table, &column.name);
            let reads_masked = |sources: &Vec<String>| sources.iter().any(|source| masked.contains(source));
            if trigger
                .and_then(|trigger| trigger.sources.as_ref())
                .is_some_and(|sources| !reads_masked(sources))
            {
                continue;
            }
            positions.push(position);
            let name = format!("{}.{}", load.table, column.name);
            channels.push(match trigger {
                Some(trigger) => {
                    moved.push(trigger.dump_id);
                    names.push(trigger.name.clone());
                    Channel::rebuilt(&name, &trigger.name)
                }
                None => Channel::emptied(&name),
            });
        }
        if positions.is_empty() {
            return (nothing, diagnostics);
        }
        let mask = match emptying(load, &positions, self.schema, table, self.key) {
            Ok(mask) => Arc::new(mask),
            Err(sentences) => {
                sentences
                    .into_iter()
                    .for_each(|unfit| diagnostics.problems.add_about(&unfit, (&unfit).into()));
                return ((None, moved), diagnostics);
            }
        };
        let vectors = SearchVectors {
            mask,
            channels,
            triggers: names,
            masked: is_masked,
        };
        ((Some(vectors), moved), diagnostics)
    }

    /// The columns of a load that rules mask, in flight or by SQL.
    fn masked_columns(&self, load: &Load) -> HashSet<String> {
        let masks = load.mask.iter().chain(&load.conditional);
        let mut masked: HashSet<String> = masks
            .flat_map(|mask| mask.columns())
            .map(|column| column.name.clone())
            .collect();
        if let Some(group) = load.sql_group.and_then(|group| self.sql_rules.groups.get(group)) {
            let own = |place: usize| {
                group
                    .tables
                    .get(place)
                    .is_some_and(|table| table.loads.contains(&load.dump_id))
            };
            let statements = group.statements.iter().filter(|statement| own(statement.table));
            masked.extend(statements.flat_map(|statement| statement.columns.iter().cloned()));
        }
        masked
    }

    /// The columns of a load that values may yet put a mask on.
    fn maskable_columns(&self, load: &Load) -> Vec<String> {
        let watch = self.personal.watches.get(&load.dump_id);
        let watch = watch.filter(|_| self.personal.policy == Policy::Mask);
        let columns = watch.into_iter().flat_map(|watch| &watch.columns);
        let open = columns.filter(|column| column.standing.status == Status::Uncovered);
        open.map(|column| column.name.to_string()).collect()
    }
}

/// The tsvector columns of a load that no rule names, with their places.
fn vectors<'s>(load: &Load, schema: &'s Schema, table: usize, rules: &Rules<'_>) -> Vec<(usize, &'s Column)> {
    let known = &schema.tables[table];
    let is_vector = |column: &&Column| {
        let written = column.column_type.as_ref();
        written.is_some_and(|written| schema.resolve(written, &known.name.schema).0 == Type::TsVector)
    };
    let found = load.columns.iter().enumerate().filter_map(|(position, name)| {
        let column = known
            .columns
            .iter()
            .find(|column| column.name == *name)
            .filter(is_vector)?;
        rules.mask(table, name).is_none().then_some((position, column))
    });
    found.collect()
}

/// What empties some columns of a load: NULL, or '' where they are NOT NULL.
fn emptying(
    load: &Load,
    positions: &[usize],
    schema: &Schema,
    table: usize,
    key: &Key,
) -> Result<RowMask, Vec<Unfit>> {
    let known = &schema.tables[table];
    let columns = load
        .columns
        .iter()
        .enumerate()
        .map(|(position, name)| masking::ColumnFacts {
            name: name.clone(),
            kind: if positions.contains(&position) {
                Type::TsVector
            } else {
                Type::TEXT
            },
            not_null: known
                .columns
                .iter()
                .any(|column| column.name == *name && column.not_null),
            unique: Uniqueness::default(),
        });
    let table = masking::TableFacts {
        name: load.table.to_string(),
        columns: columns.collect(),
        key: Vec::new(),
        key_is_enforced: false,
        checks: HashMap::new(),
        genders: Default::default(),
    };
    let neutral = |position: &usize| (*position, Mask::neutral());
    let masks: Vec<(usize, Mask)> = positions.iter().map(neutral).collect();
    let pseudonyms = Pseudonyms {
        key: key.clone(),
        email_domain: String::new(),
        utf8: true,
        staging_password: None,
        helpers: Default::default(),
    };
    RowMask::new(&table, &masks, &pseudonyms)
}

/// Parts steps from those that become statements before the rows.
pub(super) fn create_early(steps: Vec<Step>, early: &HashSet<DumpId>) -> (Vec<Step>, Vec<Statement>) {
    let entry_of = |id: &TaskId| match id {
        TaskId::Entry(id) => Some(*id),
        _ => None,
    };
    if early.is_empty() {
        return (steps, Vec::new());
    }
    let is_early = |id: &TaskId| entry_of(id).is_some_and(|id| early.contains(&id));
    let (mut late, mut statements) = (Vec::with_capacity(steps.len()), Vec::new());
    for mut step in steps {
        match (entry_of(&step.id), step.kind) {
            (Some(dump_id), StepKind::Entry(kind)) if early.contains(&dump_id) => {
                statements.push(Statement {
                    dump_id,
                    kind,
                    name: step.name,
                    sql: step.sql,
                    needs: step.waits_for.iter().filter_map(entry_of).collect(),
                    refusal: Refusal::Fatal,
                })
            }
            (_, kind) => {
                step.waits_for.retain(|id| !is_early(id));
                late.push(Step { kind, ..step });
            }
        }
    }
    (late, statements)
}
