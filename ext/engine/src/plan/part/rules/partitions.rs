//! Names of partitions, which have no rule of their own.

use super::super::names::table_shown;
use crate::alike::NAMED;
use crate::failure::PartFault;
use crate::plan::schema::Schema;
use std::collections::BTreeMap;

/// What is wrong with a name that partitions have and the tables that they belong to have not. Those that a pattern finds
/// with their table are part of it.
pub(super) fn partitions_alone(partitions: &[usize], found: &[usize], schema: &Schema) -> Vec<PartFault> {
    let mut alone: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for partition in partitions {
        let root = schema.topmost(*partition);
        if !found.contains(&root) {
            let name = table_shown(&schema.tables[*partition].name);
            alone.entry(root).or_default().push(name);
        }
    }
    let fault = |(root, mut tables): (usize, Vec<String>)| {
        tables.sort_unstable();
        let more = tables.len().saturating_sub(NAMED);
        tables.truncate(NAMED);
        let root = table_shown(&schema.tables[root].name);
        match (tables.as_slice(), more) {
            ([only], _) => PartFault::Partition {
                table: only.clone(),
                root,
            },
            (_, 0) => PartFault::Partitions { tables, root },
            _ => PartFault::ManyPartitions { tables, more, root },
        }
    };
    alone.into_iter().map(fault).collect()
}
