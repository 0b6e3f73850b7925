//! What runs after the rows, what it waits for, and which tables it locks.

mod keys;
mod locks;
mod waits;

use super::decide::{Decisions, Fate};
use super::entries::display_name;
use super::schema::{ForeignKey, Schema, Table};
use super::weight::weight;
use super::{Diagnostics, LeftOut, Load, Refusal, Step};
use crate::alike::Alike;
use keys::{warnings_of_keys, Outcome};
use locks::Locks;
use pg_dump_archive::{DumpId, Entry, EntryKind, Section};
use std::collections::{HashMap, HashSet};

/// What steps are made from.
pub(super) struct Steps<'a> {
    pub(super) entries: &'a [Entry],
    pub(super) by_id: &'a HashMap<DumpId, usize>,
    pub(super) schema: &'a Schema,
    pub(super) decisions: &'a Decisions,
    pub(super) excluded: &'a HashSet<usize>,
    /// Tables whose rows in the target stay.
    kept: &'a HashSet<usize>,
    /// Foreign keys whose rows refer to nothing any more.
    given_up: &'a HashSet<DumpId>,
    /// Loads by table.
    loads: HashMap<usize, Vec<DumpId>>,
    /// Loads through a partition root, by that root.
    loads_through: HashMap<usize, Vec<DumpId>>,
    /// Steps, by dump id.
    planned: HashSet<DumpId>,
    /// The table of each index and of each constraint.
    pub(super) table_of_index: HashMap<DumpId, usize>,
    pub(super) foreign_keys: HashMap<DumpId, (usize, &'a ForeignKey)>,
}

/// What is made: steps, and what is left out after all.
type Made = (Vec<Step>, Vec<LeftOut>);

/// Whether an entry is a step: everything after pre-data that is neither rows nor large objects nor a sequence's value.
fn is_step(entry: &Entry) -> bool {
    matches!(entry.section, Section::Data | Section::PostData)
        && !matches!(
            entry.kind,
            EntryKind::TableData
                | EntryKind::Blob
                | EntryKind::Blobs
                | EntryKind::BlobMetadata
                | EntryKind::SequenceSet
        )
}

impl<'a> Steps<'a> {
    pub(super) fn new(
        entries: &'a [Entry],
        by_id: &'a HashMap<DumpId, usize>,
        schema: &'a Schema,
        decisions: &'a Decisions,
        (excluded, given_up, kept): (&'a HashSet<usize>, &'a HashSet<DumpId>, &'a HashSet<usize>),
        loads: &HashMap<DumpId, Load>,
    ) -> Self {
        let mut steps = Steps {
            entries,
            by_id,
            schema,
            decisions,
            excluded,
            kept,
            given_up,
            loads: HashMap::new(),
            loads_through: HashMap::new(),
            planned: HashSet::new(),
            table_of_index: HashMap::new(),
            foreign_keys: HashMap::new(),
        };
        for load in loads.values() {
            if let Some(table) = schema.table(&load.table) {
                steps.loads.entry(table).or_default().push(load.dump_id);
            }
            if load.copy_into != load.table {
                if let Some(root) = schema.table(&load.copy_into) {
                    steps.loads_through.entry(root).or_default().push(load.dump_id);
                }
            }
        }
        for (index, table) in schema.tables.iter().enumerate() {
            for key in &table.foreign_keys {
                steps.foreign_keys.insert(key.dump_id, (index, key));
            }
        }
        steps
    }

    /// Makes every step.
    pub(super) fn make(mut self, sql: impl Fn(&Entry) -> String) -> (Made, Diagnostics) {
        let mut not_valid = Alike::default();
        let mut keys_left_out = Alike::default();
        let mut left_out = Vec::new();
        let mut made = Vec::new();
        for (entry, fate) in self.entries.iter().zip(&self.decisions.fates) {
            if !is_step(entry) || !fate.is_kept() {
                continue;
            }
            let sql = match self.statement(entry, sql(entry)) {
                Outcome::AsItIs(sql) => sql,
                Outcome::Changed { sql, about, warning } => {
                    not_valid.add(about, warning);
                    sql
                }
                Outcome::LeftOut { why, about, warning } => {
                    keys_left_out.add(about, warning);
                    left_out.push(LeftOut {
                        kind: entry.kind.clone(),
                        name: display_name(entry),
                        why: vec![why],
                        refused: false,
                    });
                    continue;
                }
                Outcome::Pointless => continue,
            };
            let locks = self.locks(entry);
            self.planned.insert(entry.dump_id);
            made.push((entry, fate, sql, locks));
        }
        // What a step waits for is known when all are.
        let steps = made
            .into_iter()
            .map(|(entry, fate, sql, locks)| self.step(entry, fate, sql, &locks));
        let diagnostics = Diagnostics {
            warnings: warnings_of_keys(not_valid, keys_left_out),
            ..Diagnostics::default()
        };
        ((steps.collect(), left_out), diagnostics)
    }

    fn step(&self, entry: &Entry, fate: &Fate, sql: String, locks: &Locks) -> Step {
        let is_event_trigger = entry.kind == EntryKind::EventTrigger;
        Step {
            waits_for: self.waits_for(entry, locks),
            locks: self.names(&locks.exclusive, &locks.exclusive_others),
            shared: self.names(&locks.shared, &[]),
            last: is_event_trigger || entry.kind == EntryKind::MaterializedViewData,
            weight: weight(entry, self.table(entry)),
            refusal: if is_event_trigger || *fate == Fate::KeepIfAllowed {
                Refusal::LeftOut
            } else {
                Refusal::Fatal
            },
            needs: self.needs(entry),
            made_of: self.made_of(entry),
            finds: self.refuses(entry),
            ..Step::new(
                entry.dump_id.into(),
                entry.kind.clone().into(),
                display_name(entry),
                sql,
            )
        }
    }

    /// The table of an index or of a constraint.
    pub(super) fn table(&self, entry: &Entry) -> Option<&'a Table> {
        let table = self.table_of_index.get(&entry.dump_id)?;
        self.schema.tables.get(*table)
    }

    /// A table with its partitions, which is what a foreign key is about.
    pub(super) fn with_partitions(&self, table: usize) -> Vec<usize> {
        let mut tables = self.schema.partitions(table);
        tables.push(table);
        tables
    }
}
