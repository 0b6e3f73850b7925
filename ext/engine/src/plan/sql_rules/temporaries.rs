//! Which tables have a temporary namesake, and how those hang together.
//!
//! A ruled table has one, and so has every table that inherits from it: among themselves they inherit as the real ones
//! do, so that a statement covers what it would cover there, with ONLY and without. Partitions' rows go to their
//! root's, unless a partition has rules of its own; then its temporary table inherits from the root's.

use crate::plan::schema::Schema;
use crate::plan::Load;
use pg_dump_archive::DumpId;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The temporary tables of a plan, by the real one.
pub(super) struct Temporaries<'a> {
    schema: &'a Schema,
    names: BTreeMap<usize, String>,
}

impl<'a> Temporaries<'a> {
    /// For tables that rules name.
    pub(super) fn new(schema: &'a Schema, ruled: &BTreeSet<usize>) -> Self {
        let mut tables = ruled.clone();
        for &table in ruled {
            tables.extend(heirs(table, schema));
        }
        // Functions that a rule calls find a temporary table by the real one's name, the first of several.
        let mut taken = BTreeSet::new();
        let name = |table: usize| {
            let name = &schema.tables[table].name.name;
            if taken.insert(name) {
                name.clone()
            } else {
                format!("scalingo_staging_sync_table_{table}")
            }
        };
        let names: Vec<String> = tables.iter().copied().map(name).collect();
        Self {
            schema,
            names: tables.into_iter().zip(names).collect(),
        }
    }

    /// Every table that has one.
    pub(super) fn tables(&self) -> impl Iterator<Item = usize> + '_ {
        self.names.keys().copied()
    }

    /// Whether a table has one.
    pub(super) fn contains(&self, table: usize) -> bool {
        self.names.contains_key(&table)
    }

    /// The name of a table's, without its schema.
    pub(super) fn name(&self, table: usize) -> &str {
        self.names.get(&table).map_or("", String::as_str)
    }

    /// A table with all that hang together with it by inheritance or as partitions, and have one.
    pub(super) fn family(&self, table: usize) -> BTreeSet<usize> {
        let mut family = BTreeSet::from([table]);
        let mut queue = vec![table];
        while let Some(table) = queue.pop() {
            let relatives = self.schema.ancestors(table).into_iter();
            for relative in relatives.chain(self.schema.descendants(table)) {
                if self.contains(relative) && family.insert(relative) {
                    queue.push(relative);
                }
            }
        }
        family
    }

    /// The tables whose temporary ones a table's inherits from: the nearest above it.
    pub(super) fn parents(&self, table: usize) -> Vec<usize> {
        let mut found = BTreeSet::new();
        let mut queue = self.schema.parents(table);
        while let Some(parent) = queue.pop() {
            if self.contains(parent) {
                found.insert(parent);
            } else {
                queue.extend(self.schema.parents(parent));
            }
        }
        found.into_iter().collect()
    }

    /// The loads whose rows go into a table's, in the archive's order.
    pub(super) fn loads<'l>(&self, table: usize, loads: &'l HashMap<DumpId, Load>) -> Vec<&'l Load> {
        let mut mine: Vec<&Load> = loads
            .values()
            .filter(|load| self.home(load) == Some(table))
            .collect();
        mine.sort_by_key(|load| load.dump_id);
        mine
    }

    /// A table with rules that rows of a load can end in although they pass no temporary table: they go by way of a
    /// partitioned one.
    pub(super) fn bypassed(&self, load: &Load) -> Option<usize> {
        let into = self.schema.table(&load.copy_into)?;
        let partitions = self.schema.partitions(into).into_iter();
        let mut ruled = partitions.filter(|table| self.contains(*table));
        ruled.next().filter(|_| self.home(load).is_none())
    }

    /// The table whose temporary one takes a load's rows: its own or that of what it is a partition of.
    fn home(&self, load: &Load) -> Option<usize> {
        let table = self.schema.table(&load.table)?;
        let mut homes = [table].into_iter().chain(self.schema.partition_ancestors(table));
        homes.find(|home| self.contains(*home))
    }
}

/// All tables that inherit from a table, its partitions not counted.
pub(super) fn heirs(table: usize, schema: &Schema) -> Vec<usize> {
    let partitions: BTreeSet<usize> = schema.partitions(table).into_iter().collect();
    let mut heirs = schema.descendants(table);
    heirs.retain(|heir| !partitions.contains(heir));
    heirs
}
