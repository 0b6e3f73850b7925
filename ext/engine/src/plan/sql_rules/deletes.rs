//! Where DELETE rules lead, and the ON DELETE actions of the keys that point there.

use super::temporaries::heirs;
use super::{Prepared, SqlRules};
use crate::notice::Notice;
use crate::plan::schema::{ForeignKey, OnDelete, Schema, Table};
use crate::plan::{quote_identifier, Step, TaskId, Warnings};
use pg_dump_archive::EntryKind;
use std::collections::HashSet;

/// Where DELETE rules lead: tables that lose rows by ON DELETE CASCADE, and keys that would be left hanging.
pub(super) fn follow_deletes(
    prepared: &[Prepared],
    schema: &Schema,
    found: &mut SqlRules,
    warnings: &mut Warnings,
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
                    OnDelete::Nothing => warnings.push(Notice::DeletesReferred {
                        table: name.to_string(),
                        key: key.name.clone(),
                        referring: referring.name.to_string(),
                    }),
                    OnDelete::SetNull | OnDelete::SetDefault => {}
                }
            }
        }
    }
}

impl SqlRules {
    /// The steps, in which foreign keys to tables that lose rows first apply their own ON DELETE action.
    pub(in crate::plan) fn with_delete_actions(&self, schema: &Schema, mut steps: Vec<Step>) -> Vec<Step> {
        if self.losing.is_empty() {
            return steps;
        }
        for step in steps.iter_mut().filter(|step| step.kind == EntryKind::ForeignKey) {
            let key = schema.tables.iter().find_map(|table| {
                let mut keys = table.foreign_keys.iter();
                let key = keys.find(|key| TaskId::Entry(key.dump_id) == step.id)?;
                Some((table, key))
            });
            let key = key.filter(|(_, key)| self.losing.contains(&key.references));
            if let Some(action) = key.and_then(|(table, key)| delete_action(table, key)) {
                step.sql.insert_str(0, &action);
            }
        }
        steps
    }
}

/// A foreign key's own ON DELETE action, for rows whose partners are gone.
fn delete_action(table: &Table, key: &ForeignKey) -> Option<String> {
    let pairs: Vec<String> = key
        .columns
        .iter()
        .zip(&key.referenced_columns)
        .map(|(here, there)| {
            let (here, there) = (quote_identifier(here), quote_identifier(there));
            format!("there.{there} = here.{here}")
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
    let update = |value: &str| {
        let sets: Vec<String> = key
            .columns
            .iter()
            .map(|column| format!("{} = {value}", quote_identifier(column)))
            .collect();
        let (table, sets) = (table.name.sql(), sets.join(", "));
        format!("UPDATE {table} here SET {sets} WHERE {orphans};\n")
    };
    Some(match key.on_delete {
        OnDelete::Cascade => format!("DELETE FROM {} here WHERE {orphans};\n", table.name.sql()),
        OnDelete::SetNull => update("NULL"),
        OnDelete::SetDefault => update("DEFAULT"),
        OnDelete::Nothing => return None,
    })
}
