//! Loads, fitted to their tables and masked by the rules.

use crate::failure::PlanFailure;
use crate::plan::binary::Binary;
use crate::plan::decide::{Decisions, Fate};
use crate::plan::diagnostics::Diagnostics;
use crate::plan::entries::display_name;
use crate::plan::rules::Rules;
use crate::plan::schema::Schema;
use crate::plan::{load, Load, TableName};
use pg_dump_archive::{DumpId, Entry, EntryKind};
use std::collections::{HashMap, HashSet};

/// What loads are fitted to.
pub(super) struct Fitting<'a> {
    pub(super) schema: &'a Schema,
    pub(super) excluded: &'a HashSet<usize>,
    pub(super) binary: &'a Binary<'a>,
    pub(super) rules: &'a Rules<'a>,
    pub(super) pseudonyms: &'a masking::Pseudonyms,
}

impl Fitting<'_> {
    /// The loads of the data blocks that are restored, masked by the rules, and the tables whose rows stay out.
    pub(super) fn loads(
        &self,
        entries: &[Entry],
        decisions: &Decisions,
    ) -> ((HashMap<DumpId, Load>, Vec<TableName>), Diagnostics) {
        let mut diagnostics = Diagnostics::default();
        let mut loads = HashMap::new();
        let mut without_rows = Vec::new();
        let kept = entries
            .iter()
            .zip(&decisions.fates)
            .filter(|(_, fate)| fate.is_kept());
        for (entry, _) in kept.filter(|(entry, fate)| is_table_data(entry) && **fate == Fate::Keep) {
            let table = self.schema.table_of_rows(entry);
            if table.is_some_and(|table| self.excluded.contains(&table)) {
                // Of a hypertable, once: of its own entry.
                if self.schema.hypertables.of_chunk(entry).is_none() {
                    without_rows.push(TableName::of(entry));
                }
                continue;
            }
            match load::read(entry, self.schema) {
                Some(load) => {
                    loads.insert(entry.dump_id, diagnostics.take(self.masked(load)));
                }
                None => diagnostics.problems.add(PlanFailure::TableUnread {
                    table: display_name(entry),
                }),
            }
        }
        ((loads, without_rows), diagnostics)
    }

    /// What would be the loads of rows that stay out, but for those of tables whose rows in the target stay.
    pub(super) fn left_out(
        &self,
        entries: &[Entry],
        decisions: &Decisions,
        kept: &HashSet<usize>,
    ) -> HashMap<DumpId, Load> {
        let stays_out = |table: usize| self.excluded.contains(&table) && !kept.contains(&table);
        let entries = entries.iter().zip(&decisions.fates);
        let rows = entries.filter(|(entry, fate)| is_table_data(entry) && **fate == Fate::Keep);
        let left_out = rows.filter(|(entry, _)| self.schema.table_of_rows(entry).is_some_and(stays_out));
        let loads = left_out.filter_map(|(entry, _)| load::read(entry, self.schema));
        loads.map(|load| (load.dump_id, load)).collect()
    }

    pub(super) fn masked(&self, load: Load) -> (Load, Diagnostics) {
        let mut diagnostics = Diagnostics::default();
        let (sent, chosen) = self
            .rules
            .row_masks(&load, self.pseudonyms, &mut diagnostics.problems);
        let layout = self.binary.layout(&load);
        let load = load.rebuilt().binary(layout).mask(sent).conditional(chosen);
        (load.build(), diagnostics)
    }
}

pub(super) fn is_table_data(entry: &Entry) -> bool {
    entry.kind == EntryKind::TableData
}
