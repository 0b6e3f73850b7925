//! What the rules add to the steps after the rows.

use super::family_names;
use super::{arrival, SqlRules, GROUP_KIND};
use crate::archive::DumpId;
use crate::plan::schema::Schema;
use crate::plan::{Load, Refusal, Step};
use std::collections::{BTreeSet, HashMap};

/// Ids of steps that are no entries of the archive, whose own ids are positive.
const ANALYZE_IDS: DumpId = -1_500_000_000;

impl SqlRules {
    /// Adds to the steps what the rules need: statistics on each table that they read once its keys are there, and
    /// the groups themselves. Foreign keys to tables that lose rows first apply their own ON DELETE action.
    pub(in crate::plan) fn add_steps(
        &self,
        schema: &Schema,
        loads: &HashMap<DumpId, Load>,
        steps: &mut Vec<Step>,
    ) {
        self.apply_delete_actions(schema, steps);
        let read: BTreeSet<usize> = self.groups.iter().flat_map(|group| group.reads.clone()).collect();
        let mut added = Vec::new();
        for &table in &read {
            let names = family_names(table, schema);
            let rows = loads.values().filter(|load| names.contains(&load.table));
            let keys = steps.iter().filter(|step| {
                matches!(step.kind.as_str(), "INDEX" | "CONSTRAINT" | "INDEX ATTACH")
                    && step
                        .locks
                        .iter()
                        .chain(&step.shared)
                        .any(|name| names.contains(name))
            });
            let waits_for = rows
                .map(|load| load.dump_id)
                .chain(keys.map(|step| step.dump_id))
                .collect();
            let name = &schema.tables[table].name;
            added.push(Step {
                dump_id: analyze_id(table),
                kind: "ANALYZE".into(),
                name: name.to_string(),
                sql: format!("ANALYZE {}", name.sql()),
                waits_for,
                locks: names.into_iter().collect(),
                shared: Vec::new(),
                last: false,
                weight: 0,
                refusal: Refusal::Fatal,
            });
        }
        for group in &self.groups {
            let names: Vec<String> = group.tables.iter().map(|table| table.table.to_string()).collect();
            let ids = group.tables.iter().flat_map(|table| &table.loads);
            let own = group.tables.iter().filter_map(|table| schema.table(&table.table));
            added.push(Step {
                dump_id: group.dump_id,
                kind: GROUP_KIND.into(),
                name: names.join(", "),
                sql: String::new(),
                waits_for: ids
                    .map(|load| arrival(*load))
                    .chain(group.reads.iter().map(|table| analyze_id(*table)))
                    .collect(),
                locks: own.flat_map(|table| family_names(table, schema)).collect(),
                shared: group
                    .reads
                    .iter()
                    .flat_map(|table| family_names(*table, schema))
                    .collect(),
                last: false,
                weight: 0,
                refusal: Refusal::Fatal,
            });
        }
        steps.extend(added);
    }
}

fn analyze_id(table: usize) -> DumpId {
    ANALYZE_IDS - DumpId::try_from(table).unwrap_or(DumpId::MAX / 8)
}
