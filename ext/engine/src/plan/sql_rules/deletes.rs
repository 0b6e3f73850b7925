//! Where DELETE rules lead, and the ON DELETE actions of the keys that point there.

use super::temporaries::heirs;
use super::{Prepared, SqlRules};
use crate::archive::EntryKind;
use crate::plan::schema::{OnDelete, Schema};
use crate::plan::{quote_identifier, Step, TaskId};
use std::collections::HashSet;

/// Where DELETE rules lead: tables that lose rows by ON DELETE CASCADE, and keys that would be left hanging.
pub(super) fn follow_deletes(
    prepared: &[Prepared],
    schema: &Schema,
    found: &mut SqlRules,
    warnings: &mut Vec<String>,
) {
    let mut queue: Vec<usize> = prepared
        .iter()
        .filter(|one| one.deletes)
        .flat_map(|one| std::iter::once(one.own).chain(heirs(one.own, schema)))
        .collect();
    let mut seen: HashSet<usize> = queue.iter().copied().collect();
    while let Some(table) = queue.pop() {
        let name = &schema.tables[table].name;
        found.losing.insert(name.clone());
        for ancestor in schema.partition_ancestors(table) {
            if seen.insert(ancestor) {
                queue.push(ancestor);
            }
        }
        for (child, referring) in schema.tables.iter().enumerate() {
            for key in referring
                .foreign_keys
                .iter()
                .filter(|key| key.references == *name)
            {
                match key.on_delete {
                    OnDelete::Cascade => {
                        found.shrinking.insert(referring.name.clone());
                        for partition in schema.partitions(child) {
                            found.shrinking.insert(schema.tables[partition].name.clone());
                        }
                        if seen.insert(child) {
                            queue.push(child);
                        }
                    }
                    OnDelete::Nothing => warnings.push(format!(
                        "A rule deletes rows of {name}, and the foreign key {} of {} has no ON DELETE action: if rows \
                         of it still refer to deleted ones, the key is added NOT VALID.",
                        key.name, referring.name
                    )),
                    OnDelete::SetNull | OnDelete::SetDefault => {}
                }
            }
        }
    }
}

impl SqlRules {
    /// Foreign keys to tables that lose rows first apply their own ON DELETE action.
    pub(in crate::plan) fn with_delete_actions(&self, schema: &Schema, mut steps: Vec<Step>) -> Vec<Step> {
        if self.losing.is_empty() {
            return steps;
        }
        for step in steps.iter_mut().filter(|step| step.kind == EntryKind::ForeignKey) {
            let key = schema.tables.iter().find_map(|table| {
                let key = table
                    .foreign_keys
                    .iter()
                    .find(|key| TaskId::Entry(key.dump_id) == step.id)?;
                Some((table, key))
            });
            let Some((table, key)) = key.filter(|(_, key)| self.losing.contains(&key.references)) else {
                continue;
            };
            let pairs: Vec<String> = key
                .columns
                .iter()
                .zip(&key.referenced_columns)
                .map(|(here, there)| {
                    format!(
                        "there.{} = here.{}",
                        quote_identifier(there),
                        quote_identifier(here)
                    )
                })
                .collect();
            let filled: Vec<String> = key
                .columns
                .iter()
                .map(|column| format!("here.{} IS NOT NULL", quote_identifier(column)))
                .collect();
            let orphans = format!(
                "{} AND NOT EXISTS (SELECT FROM {} there WHERE {})",
                filled.join(" AND "),
                key.references.sql(),
                pairs.join(" AND ")
            );
            let clean = match key.on_delete {
                OnDelete::Cascade => format!("DELETE FROM {} here WHERE {orphans};\n", table.name.sql()),
                OnDelete::SetNull => {
                    let nulls: Vec<String> = key
                        .columns
                        .iter()
                        .map(|column| format!("{} = NULL", quote_identifier(column)))
                        .collect();
                    format!(
                        "UPDATE {} here SET {} WHERE {orphans};\n",
                        table.name.sql(),
                        nulls.join(", ")
                    )
                }
                OnDelete::SetDefault => {
                    let defaults: Vec<String> = key
                        .columns
                        .iter()
                        .map(|column| format!("{} = DEFAULT", quote_identifier(column)))
                        .collect();
                    format!(
                        "UPDATE {} here SET {} WHERE {orphans};\n",
                        table.name.sql(),
                        defaults.join(", ")
                    )
                }
                OnDelete::Nothing => continue,
            };
            step.sql.insert_str(0, &clean);
        }
        steps
    }
}
