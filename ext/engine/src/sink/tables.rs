//! What the manifest says of tables beside their rows: their keys, and in which order they refer to one another.

use crate::plan::schema::Schema;
use crate::plan::{Load, Plan, TableName};
use pg_dump_archive::DumpId;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What the archive's schema says of the tables whose rows are in it.
pub(crate) struct Tables {
    keys: HashMap<DumpId, Vec<String>>,
    order: Vec<String>,
}

/// Where a block lies in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockPlace {
    /// Where it begins, in bytes from the archive's beginning.
    pub(crate) offset: u64,
    /// How long it is, in bytes.
    pub(crate) length: u64,
}

impl Tables {
    /// Reads the backup's schema.
    pub(crate) fn read(plan: &Plan, schema: &Schema) -> Self {
        let key = |load: &Load| {
            let table = schema.tables.get(schema.table(&load.table)?)?;
            let primary = table.uniques.iter().find(|unique| unique.primary)?;
            let columns = primary.columns()?;
            Some(columns.into_iter().map(str::to_owned).collect())
        };
        let keys = plan.loads.values();
        Self {
            keys: keys
                .map(|load| (load.dump_id, key(load).unwrap_or_default()))
                .collect(),
            order: order(plan, schema),
        }
    }

    /// Every table with rows, those that others refer to before them.
    pub(crate) fn order(&self) -> &[String] {
        &self.order
    }

    /// The columns of a table's primary key; none where it has none.
    pub(crate) fn key(&self, load: DumpId) -> Vec<String> {
        self.keys.get(&load).cloned().unwrap_or_default()
    }
}

/// Tables in the order of their names, each behind those that it refers to. Where they refer to one another in a circle, the
/// first of it by name comes first.
fn order(plan: &Plan, schema: &Schema) -> Vec<String> {
    let mut left: BTreeMap<&TableName, BTreeSet<&TableName>> = BTreeMap::new();
    for load in plan.loads.values() {
        let table = schema.table(&load.table).and_then(|at| schema.tables.get(at));
        let keys = table.into_iter().flat_map(|table| &table.foreign_keys);
        left.insert(&load.table, keys.map(|key| &key.references).collect());
    }
    let mut order = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let waits = |(table, others): &(&&TableName, &BTreeSet<&TableName>)| {
            others
                .iter()
                .any(|other| other != *table && left.contains_key(other))
        };
        let mut ready: Vec<&TableName> = left
            .iter()
            .filter(|one| !waits(one))
            .map(|(table, _)| *table)
            .collect();
        if ready.is_empty() {
            ready.extend(left.keys().next());
        }
        for table in ready {
            left.remove(table);
            order.push(table.to_string());
        }
    }
    order
}
