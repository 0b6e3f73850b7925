//! Which tables a step locks.

use super::Steps;
use crate::plan::entries::is_body_of_view;
use crate::plan::sql::{lex, Cursor};
use crate::plan::TableName;
use pg_dump_archive::{Entry, EntryKind};
use std::collections::HashSet;

/// What a step locks.
#[derive(Debug, Default)]
pub(super) struct Locks {
    pub(super) exclusive: Vec<usize>,
    /// What is no table: a view.
    pub(super) exclusive_others: Vec<TableName>,
    pub(super) shared: Vec<usize>,
    /// The exclusive ones shut out COPY.
    pub(super) blocks_rows: bool,
}

impl Locks {
    fn tidy(&mut self) {
        self.exclusive.sort_unstable();
        self.exclusive.dedup();
        let exclusive: HashSet<usize> = self.exclusive.iter().copied().collect();
        self.shared.retain(|table| !exclusive.contains(table));
        self.shared.sort_unstable();
        self.shared.dedup();
    }
}

/// The table that a statement is about, and whether it leaves that table's children alone.
#[derive(Debug, Default)]
struct StatementTable {
    table: Option<TableName>,
    only: bool,
}

impl StatementTable {
    fn read(entry: &Entry) -> Self {
        let tokens = lex(&entry.defn);
        let mut cursor = Cursor::new(&tokens);
        let found = match &entry.kind {
            EntryKind::Index | EntryKind::Trigger | EntryKind::Policy => cursor.skip_past("ON"),
            EntryKind::Rule => cursor.skip_past("TO"),
            EntryKind::Statistics => cursor.skip_past("FROM"),
            EntryKind::IndexAttach | EntryKind::EventTrigger => false,
            _ => cursor.accept("ALTER TABLE") || cursor.accept("ALTER FOREIGN TABLE"),
        };
        if !found {
            return Self::default();
        }
        let _ = cursor.accept("IF EXISTS");
        let only = cursor.accept("ONLY");
        Self {
            table: cursor.qualified(&entry.namespace),
            only,
        }
    }
}

impl Steps<'_> {
    pub(super) fn locks(&mut self, entry: &Entry) -> Locks {
        let mut locks = Locks::default();
        let of = StatementTable::read(entry);
        let table = of.table.as_ref().and_then(|name| self.schema.table(name));
        if let Some(table) = table {
            self.table_of_index.insert(entry.dump_id, table);
        }
        match &entry.kind {
            EntryKind::Index => locks.shared.extend(table),
            EntryKind::IndexAttach => {
                locks.exclusive = self.tables_needed(entry);
                let indexes = entry
                    .dependencies
                    .iter()
                    .filter_map(|id| self.table_of_index.get(id));
                locks.exclusive.extend(indexes.copied());
                let parents: Vec<usize> = locks
                    .exclusive
                    .iter()
                    .flat_map(|table| self.schema.partition_ancestors(*table))
                    .collect();
                locks.exclusive.extend(parents);
            }
            EntryKind::ForeignKey if self.foreign_keys.contains_key(&entry.dump_id) => {
                let (table, key) = self.foreign_keys[&entry.dump_id];
                locks.exclusive = self.with_partitions(table);
                if let Some(references) = self.schema.table(&key.references) {
                    locks.exclusive.extend(self.with_partitions(references));
                }
                locks.blocks_rows = true;
            }
            EntryKind::EventTrigger => {}
            _ if is_body_of_view(entry) => {
                let view = entry.tag.trim_end_matches(" _RETURN").to_owned();
                locks
                    .exclusive_others
                    .push(TableName::new(&entry.namespace, view));
                locks.shared = self.tables_needed(entry);
            }
            EntryKind::MaterializedViewData | EntryKind::MaterializedView | EntryKind::View => {
                locks.exclusive_others.push(TableName::of(entry));
                locks.shared = self.tables_needed(entry);
            }
            _ => {
                match table {
                    Some(table) if of.only => locks.exclusive.push(table),
                    Some(table) => locks.exclusive = self.family(table),
                    None => locks.exclusive_others.extend(of.table),
                }
                locks.shared = self.tables_needed(entry);
                locks.blocks_rows = true;
            }
        }
        locks.tidy();
        locks
    }

    /// The tables that an entry depends on directly.
    pub(super) fn tables_needed(&self, entry: &Entry) -> Vec<usize> {
        let mut tables: Vec<usize> = entry
            .dependencies
            .iter()
            .filter_map(|id| {
                let entry = &self.entries[*self.by_id.get(id)?];
                let is_table = matches!(entry.kind, EntryKind::Table | EntryKind::ForeignTable);
                is_table
                    .then(|| self.schema.table(&TableName::of(entry)))
                    .flatten()
            })
            .collect();
        tables.sort_unstable();
        tables.dedup();
        tables
    }

    /// A table with its partitions and children.
    pub(super) fn family(&self, table: usize) -> Vec<usize> {
        let mut family = self.schema.descendants(table);
        family.push(table);
        family
    }

    pub(super) fn names(&self, tables: &[usize], others: &[TableName]) -> Vec<TableName> {
        tables
            .iter()
            .map(|table| self.schema.tables[*table].name.clone())
            .chain(others.iter().cloned())
            .collect()
    }
}
