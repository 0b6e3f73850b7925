//! What a table of contents has of hypertables.

use super::bounds::{checks, Dimension};
use super::{Hypertable, Hypertables};
use crate::plan::entries::{BLOCKER, TIMESCALEDB};
use crate::plan::sql::{lex, split, Cursor};
use crate::plan::TableName;
use pg_dump_archive::{DumpId, Entry, EntryKind};
use std::collections::{BTreeMap, BTreeSet, HashSet};

impl Hypertables {
    /// Reads a table of contents.
    pub(in crate::plan) fn read(entries: &[Entry]) -> Self {
        let mut found = Self::default();
        for entry in entries
            .iter()
            .filter(|entry| !entry.namespace.starts_with(TIMESCALEDB))
        {
            if let Some(table) = blocked(entry) {
                found.makes.insert(entry.dump_id);
                let hypertable = Hypertable {
                    blocker: entry.dump_id,
                    dimensions: Vec::new(),
                };
                found.tables.insert(table, hypertable);
            }
        }
        if !found.tables.is_empty() {
            found.read_chunks(entries);
            found.read_compressed(entries);
            found.read_aggregates(entries);
        }
        found
    }

    fn read_chunks(&mut self, entries: &[Entry]) {
        let mut chunks: BTreeMap<TableName, Vec<&Entry>> = BTreeMap::new();
        let mut ids: HashSet<DumpId> = HashSet::new();
        for entry in entries.iter().filter(|entry| entry.kind == EntryKind::Table) {
            let parents = parents(entry);
            let Some(table) = parents.iter().find(|table| self.tables.contains_key(table)) else {
                continue;
            };
            self.chunks.insert(TableName::of(entry), table.clone());
            ids.insert(entry.dump_id);
            chunks.entry(table.clone()).or_default().push(entry);
        }
        let belongs = |entry: &&Entry| {
            is_made_with_a_chunk(&entry.kind) && entry.dependencies.iter().any(|id| ids.contains(id))
        };
        let belonging = entries.iter().filter(belongs).map(|entry| entry.dump_id);
        let belonging: Vec<DumpId> = belonging.collect();
        self.makes.extend(belonging);
        self.makes.extend(ids);
        for (table, mut of_table) in chunks {
            // The newest first: an interval may have been changed.
            of_table.sort_by_key(|entry| std::cmp::Reverse(entry.oid));
            if let Some(hypertable) = self.tables.get_mut(&table) {
                of_table.iter().for_each(|chunk| hypertable.learn(chunk));
            }
        }
    }

    fn read_compressed(&mut self, entries: &[Entry]) {
        let compressed = |entry: &&Entry| {
            let is_own = entry.kind == EntryKind::Table && entry.namespace.starts_with(TIMESCALEDB);
            is_own && entry.tag.starts_with("compress_") && entry.tag.ends_with("_chunk")
        };
        let compressed = entries.iter().filter(compressed);
        self.compressed = compressed
            .map(|entry| (TableName::of(entry), columns(entry)))
            .collect();
    }

    fn read_aggregates(&mut self, entries: &[Entry]) {
        let aggregate = |entry: &&Entry| {
            let is_view = entry.kind == EntryKind::View && !entry.namespace.starts_with(TIMESCALEDB);
            is_view
                && entry
                    .defn
                    .contains("_timescaledb_internal._materialized_hypertable_")
        };
        self.aggregates = entries.iter().filter(aggregate).map(TableName::of).collect();
    }
}

impl Hypertable {
    /// Adds the dimensions that a chunk says, of those that are not known.
    fn learn(&mut self, chunk: &Entry) {
        let tokens = lex(&chunk.defn);
        let mut cursor = Cursor::new(&tokens);
        let items = (cursor.accept("CREATE TABLE") && cursor.qualified("").is_some())
            .then(|| cursor.parenthesized())
            .flatten();
        for dimension in checks(items.unwrap_or_default())
            .into_iter()
            .filter_map(Dimension::read)
        {
            if self
                .dimensions
                .iter()
                .all(|known| known.column != dimension.column)
            {
                self.dimensions.push(dimension);
            }
        }
    }
}

/// The table that a trigger of the extension's keeps rows out of.
fn blocked(entry: &Entry) -> Option<TableName> {
    let is_trigger = entry.kind == EntryKind::Trigger && entry.defn.contains(".insert_blocker()");
    let table = entry.tag.strip_suffix(BLOCKER).filter(|_| is_trigger)?;
    Some(TableName::new(&entry.namespace, table.strip_suffix(' ')?))
}

/// The tables that a table inherits from.
fn parents(entry: &Entry) -> Vec<TableName> {
    if !entry.defn.contains("INHERITS") {
        return Vec::new();
    }
    let tokens = lex(&entry.defn);
    let mut cursor = Cursor::new(&tokens);
    let parents = cursor
        .skip_past("INHERITS")
        .then(|| cursor.parenthesized())
        .flatten();
    let parents = split(parents.unwrap_or_default(), ',').into_iter();
    parents
        .filter_map(|parent| Cursor::new(parent).qualified(&entry.namespace))
        .collect()
}

fn is_made_with_a_chunk(kind: &EntryKind) -> bool {
    matches!(
        kind,
        EntryKind::Index
            | EntryKind::Constraint
            | EntryKind::ForeignKey
            | EntryKind::CheckConstraint
            | EntryKind::Trigger
            | EntryKind::Default
            | EntryKind::RowSecurity
            | EntryKind::Statistics
    )
}

/// The columns of the rows that a table holds compressed, without those of the compression.
fn columns(entry: &Entry) -> BTreeSet<String> {
    let tokens = lex(&entry.defn);
    let mut cursor = Cursor::new(&tokens);
    let items = (cursor.accept("CREATE TABLE") && cursor.qualified("").is_some())
        .then(|| cursor.parenthesized())
        .flatten();
    let items = split(items.unwrap_or_default(), ',').into_iter();
    let names = items.filter_map(|item| item.first()?.name());
    names
        .filter(|name| !name.starts_with("_ts_meta_") && name != "constraint")
        .collect()
}
