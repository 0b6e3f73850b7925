//! What foreign keys and partition keys allow an automatic mask to do.

use crate::finding::Because;
use crate::plan::schema::Schema;
use masking::Mask;
use pg_dump_archive::DumpId;
use std::collections::{HashMap, HashSet};

/// A column by its topmost table.
pub(super) type Place = (usize, String);

/// The columns that foreign keys join.
pub(super) struct Keys {
    /// Per column: the constraint's name and the column on its other side.
    links: HashMap<Place, Vec<(String, Place)>>,
    /// The columns that refer to another one.
    refers: HashMap<Place, Place>,
}

impl Keys {
    /// Reads the foreign keys that are restored between tables that have rows.
    pub(super) fn read(
        schema: &Schema,
        excluded: &HashSet<usize>,
        is_restored: impl Fn(DumpId) -> bool,
    ) -> Self {
        let mut links: HashMap<Place, Vec<(String, Place)>> = HashMap::new();
        let mut refers = HashMap::new();
        for (index, table) in schema.tables.iter().enumerate() {
            for key in table.foreign_keys.iter().filter(|key| is_restored(key.dump_id)) {
                let Some(references) = schema.table(&key.references) else {
                    continue;
                };
                if excluded.contains(&index) || excluded.contains(&references) {
                    continue;
                }
                for (here, there) in key.columns.iter().zip(&key.referenced_columns) {
                    let here = (schema.topmost(index), here.clone());
                    let there = (schema.topmost(references), there.clone());
                    refers.insert(here.clone(), there.clone());
                    let of_here = links.entry(here.clone()).or_default();
                    of_here.push((key.name.clone(), there.clone()));
                    links.entry(there).or_default().push((key.name.clone(), here));
                }
            }
        }
        Self { links, refers }
    }

    /// Whether a foreign key joins the column to another one.
    pub(super) fn joined(&self, table: usize, column: &str) -> bool {
        self.links.contains_key(&(table, column.to_owned()))
    }

    /// The column that another one refers to, whose values it holds.
    pub(super) fn referenced(&self, place: &Place) -> Option<&Place> {
        self.refers.get(place)
    }

    /// Why a column of a foreign key cannot be masked by itself.
    pub(super) fn part_of(&self, place: &Place) -> Option<Because> {
        let (key, _) = self.links.get(place)?.first()?;
        Some(Because::InForeignKey { key: key.clone() })
    }

    /// Why the mask of a column would break a foreign key: its other side has not the same one.
    pub(super) fn broken(
        &self,
        schema: &Schema,
        place: &Place,
        masks: &HashMap<Place, Mask>,
    ) -> Option<Because> {
        let mask = masks.get(place)?;
        let (key, other) = self.links.get(place)?.iter().find(|(_, other)| {
            let theirs = masks.get(other);
            theirs != Some(mask) || !mask.is_function_of_value()
        })?;
        Some(Because::OtherSideDiffers {
            key: key.clone(),
            column: format!("{}.{}", schema.tables[other.0].name, other.1),
        })
    }
}

/// Why a column of a partition key cannot be masked.
pub(super) fn partition_key_of(schema: &Schema, table: usize, column: &str) -> Option<Because> {
    let family = schema.partition_ancestors(table).into_iter().chain([table]);
    let parted = family.into_iter().find(|table| {
        let mut key = schema.tables[*table].partition_key.iter().flatten();
        key.any(|part| part == column)
    })?;
    Some(Because::InPartitionKey {
        table: schema.tables[parted].name.to_string(),
    })
}
