//! Where a table's rows are in the backup, and whether they come.

use super::rules::Rows;
use crate::plan::schema::Schema;
use crate::plan::Load;
use pg_dump_archive::DumpId;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The loads of each table that is no partition, each with the table that it is of.
type Blocks<'a> = BTreeMap<usize, Vec<(usize, &'a Load)>>;

/// Where rows come from.
pub(super) struct Sources<'a> {
    coming: Blocks<'a>,
    /// Of tables of which no row comes.
    staying: Blocks<'a>,
    /// Tables of which some partitions stay empty, or all.
    excluded: HashSet<usize>,
}

impl<'a> Sources<'a> {
    /// `loads`: those of rows that come, and those that would be of rows that stay out.
    pub(super) fn new(
        schema: &Schema,
        (coming, staying): (&'a HashMap<DumpId, Load>, &'a HashMap<DumpId, Load>),
        excluded: &HashSet<usize>,
    ) -> Self {
        let coming = blocks(schema, coming);
        let mut staying = blocks(schema, staying);
        staying.retain(|table, _| !coming.contains_key(table));
        Self {
            coming,
            staying,
            excluded: excluded.iter().map(|table| schema.topmost(*table)).collect(),
        }
    }

    /// A table's blocks, whether or not their rows come.
    pub(super) fn of(&self, table: usize) -> &[(usize, &'a Load)] {
        let blocks = self.coming.get(&table).or_else(|| self.staying.get(&table));
        blocks.map_or(&[], Vec::as_slice)
    }

    /// Whether a table's rows come.
    pub(super) fn come(&self, table: usize) -> bool {
        self.coming.contains_key(&table)
    }

    pub(super) fn rows(&self, table: usize) -> Rows {
        match (self.come(table), self.staying.contains_key(&table)) {
            (true, _) => Rows::Come,
            (false, true) => Rows::StayOut,
            (false, false) => Rows::Absent,
        }
    }

    /// The tables whose rows come.
    pub(super) fn coming(&self) -> impl Iterator<Item = usize> + '_ {
        self.coming.keys().copied()
    }

    /// The tables that have blocks.
    pub(super) fn known(&self) -> impl Iterator<Item = usize> + '_ {
        self.coming().chain(self.staying.keys().copied())
    }

    /// Whether rows of a table may be in the backup and not in its blocks: those of partitions that stay empty beside others.
    pub(super) fn has_gaps(&self, table: usize) -> bool {
        self.come(table) && self.excluded.contains(&table)
    }
}

fn blocks<'a>(schema: &Schema, loads: &'a HashMap<DumpId, Load>) -> Blocks<'a> {
    let mut sorted: Vec<&Load> = loads.values().collect();
    sorted.sort_by_key(|load| load.dump_id);
    let mut blocks = Blocks::new();
    for load in sorted {
        if let Some(table) = schema.table(&load.table) {
            let of_table = blocks.entry(schema.topmost(table)).or_default();
            of_table.push((table, load));
        }
    }
    blocks
}
