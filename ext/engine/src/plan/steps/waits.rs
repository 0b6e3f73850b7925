//! What a step waits for.

use super::locks::Locks;
use super::Steps;
use crate::plan::decide::Fate;
use crate::plan::schema::ForeignKey;
use crate::plan::sql::{lex, Cursor};
use crate::plan::TaskId;
use pg_dump_archive::{DumpId, Entry, EntryKind};
use std::collections::{BTreeSet, HashSet};

impl Steps<'_> {
    pub(super) fn waits_for(&self, entry: &Entry, locks: &Locks) -> Vec<TaskId> {
        let mut waits = BTreeSet::new();
        for id in &entry.dependencies {
            if self.planned.contains(id) {
                waits.insert(*id);
            }
        }
        // Loads among the dependencies belong to tables, which are looked up below all the same.
        let loads_named = entry
            .dependencies
            .iter()
            .filter_map(|id| self.by_id.get(id))
            .map(|at| &self.entries[*at]);
        let loaded = loads_named
            .filter(|entry| entry.kind == EntryKind::TableData)
            .filter_map(|entry| self.schema.table_of_rows(entry));
        let mut tables: Vec<usize> = loaded.chain(self.tables_needed(entry)).collect();
        if entry.kind == EntryKind::MaterializedViewData {
            tables.extend(self.tables_read(entry));
        }
        tables.extend(&locks.shared);
        if locks.blocks_rows {
            // Loading a leaf also locks what it is a partition of, so that a step that shuts others out of a
            // partitioned table would wait within the server for rows that wait for the step.
            tables.extend(locks.exclusive.iter().flat_map(|table| self.family(*table)));
        } else {
            tables.extend(&locks.exclusive);
        }
        tables.sort_unstable();
        tables.dedup();
        for table in &tables {
            waits.extend(self.loads.get(table).into_iter().flatten());
        }
        if !self.loads_through.is_empty() {
            for table in tables {
                for root in std::iter::once(table).chain(self.schema.partition_ancestors(table)) {
                    waits.extend(self.loads_through.get(&root).into_iter().flatten());
                }
            }
        }
        if let Some((_, key)) = self.foreign_keys.get(&entry.dump_id) {
            waits.extend(self.keys_referenced(key));
        }
        if may_read_extensions(entry) {
            waits.extend(self.extension_rows());
        }
        waits.remove(&entry.dump_id);
        waits.into_iter().map(TaskId::Entry).collect()
    }

    /// Rows of extensions' own tables that come.
    fn extension_rows(&self) -> impl Iterator<Item = DumpId> + '_ {
        let all = self.entries.iter().zip(&self.decisions.fates);
        // Those of other tables are needed.
        let these =
            all.filter(|(entry, fate)| entry.kind == EntryKind::TableData && **fate == Fate::KeepIfAllowed);
        these.map(|(entry, _)| entry.dump_id)
    }

    /// The steps that make the key that a foreign key refers to.
    pub(in crate::plan) fn keys_referenced(&self, key: &ForeignKey) -> Vec<DumpId> {
        let Some(references) = self.schema.table(&key.references) else {
            return Vec::new();
        };
        let wanted: BTreeSet<&str> = key.referenced_columns.iter().map(String::as_str).collect();
        let uniques = self.schema.tables[references].uniques.iter();
        uniques
            .filter(|unique| {
                unique
                    .columns()
                    .is_some_and(|columns| columns.into_iter().collect::<BTreeSet<_>>() == wanted)
            })
            .map(|unique| unique.dump_id)
            .filter(|id| self.planned.contains(id))
            .collect()
    }

    /// The tables that a materialized view reads, also by way of other views.
    fn tables_read(&self, entry: &Entry) -> Vec<usize> {
        let mut tables = Vec::new();
        let mut seen = HashSet::new();
        let mut queue = vec![entry];
        while let Some(entry) = queue.pop() {
            tables.extend(self.tables_needed(entry));
            for at in entry.dependencies.iter().filter_map(|id| self.by_id.get(id)) {
                if is_view(&self.entries[*at]) && seen.insert(*at) {
                    queue.push(&self.entries[*at]);
                }
            }
        }
        tables
    }
}

/// Whether an entry is a view, or what fills one.
fn is_view(entry: &Entry) -> bool {
    matches!(
        entry.kind,
        EntryKind::View | EntryKind::MaterializedView | EntryKind::MaterializedViewData
    )
}

/// Whether functions of extensions run while this is made: they may read their extension's own rows.
fn may_read_extensions(entry: &Entry) -> bool {
    match entry.kind {
        EntryKind::MaterializedViewData | EntryKind::CheckConstraint => true,
        EntryKind::Index => {
            let tokens = lex(&entry.defn);
            let mut cursor = Cursor::new(&tokens);
            let parts = cursor.skip_past("USING") && cursor.advance().is_some();
            let parts = parts.then(|| cursor.parenthesized()).flatten();
            let has_expression = parts.is_some_and(|parts| parts.iter().any(|token| token.is_symbol('(')));
            has_expression || cursor.skip_past("WHERE")
        }
        _ => false,
    }
}
