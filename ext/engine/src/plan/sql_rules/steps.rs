//! What the rules add to the steps after the rows.

use super::{family_names, SqlGroup, SqlRules};
use crate::plan::schema::Schema;
use crate::plan::{Load, Step, StepKind, TableName, TaskId};
use pg_dump_archive::{DumpId, EntryKind};
use std::collections::{BTreeSet, HashMap};

impl SqlRules {
    /// What the rules need beside the steps of the archive: statistics on each table that they read once its keys are
    /// there, and the groups themselves.
    pub(in crate::plan) fn steps(
        &self,
        schema: &Schema,
        loads: &HashMap<DumpId, Load>,
        archived: &[Step],
    ) -> Vec<Step> {
        let read: BTreeSet<usize> = self.groups.iter().flat_map(|group| group.reads.clone()).collect();
        let analyzes = read
            .into_iter()
            .map(|table| analyze(table, schema, loads, archived));
        let groups = self.groups.iter().enumerate();
        let groups = groups.map(|(number, group)| run(number, group, schema));
        analyzes.chain(groups).collect()
    }
}

fn analyze(table: usize, schema: &Schema, loads: &HashMap<DumpId, Load>, archived: &[Step]) -> Step {
    let names = family_names(table, schema);
    let rows = loads.values().filter(|load| names.contains(&load.table));
    let keys = archived.iter().filter(|step| {
        let StepKind::Entry(kind) = &step.kind else {
            return false;
        };
        let is_key = matches!(
            kind,
            EntryKind::Index | EntryKind::Constraint | EntryKind::IndexAttach
        );
        let mut tables = step.locks.iter().chain(&step.shared);
        is_key && tables.any(|name| names.contains(name))
    });
    let waits_for = rows
        .map(|load| TaskId::Entry(load.dump_id))
        .chain(keys.map(|step| step.id))
        .collect();
    let name = &schema.tables[table].name;
    let sql = format!("ANALYZE {}", name.sql());
    Step {
        waits_for,
        locks: names.into_iter().collect(),
        ..Step::new(TaskId::Analyze(table), StepKind::Analyze, name.to_string(), sql)
    }
}

fn run(number: usize, group: &SqlGroup, schema: &Schema) -> Step {
    let names: Vec<String> = group.tables.iter().map(|table| table.table.to_string()).collect();
    let loads = group.tables.iter().flat_map(|table| &table.loads);
    let own = group.tables.iter().filter_map(|table| schema.table(&table.table));
    let families = |tables: &mut dyn Iterator<Item = usize>| -> Vec<TableName> {
        tables.flat_map(|table| family_names(table, schema)).collect()
    };
    Step {
        waits_for: loads
            .map(|load| TaskId::Arrival(*load))
            .chain(group.reads.iter().map(|table| TaskId::Analyze(*table)))
            .collect(),
        locks: families(&mut { own }),
        shared: families(&mut group.reads.iter().copied()),
        ..Step::new(
            TaskId::SqlGroup(number),
            StepKind::SqlRules,
            names.join(", "),
            String::new(),
        )
    }
}
