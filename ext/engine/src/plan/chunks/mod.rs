//! TimescaleDB's hypertables, as an archive has them: each as a plain table without rows, its rows in tables of the
//! extension's making (chunks), and what makes it a hypertable in the extension's catalogue, which nothing but its own
//! restore may write.
//!
//! How each is divided is read from its chunks' CHECKs, which say where a chunk begins and ends: so the table of contents
//! alone is enough for the plan.

mod bounds;
mod read;

use super::TableName;
pub(super) use bounds::{Dimension, Slices};
use pg_dump_archive::{DumpId, Entry};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// What the archive says of hypertables.
#[derive(Debug, Default)]
pub(super) struct Hypertables {
    pub(super) tables: BTreeMap<TableName, Hypertable>,
    /// The hypertable of each chunk.
    chunks: HashMap<TableName, TableName>,
    /// Entries of what the extension makes together with a hypertable.
    makes: HashSet<DumpId>,
    /// Tables that hold compressed rows, each with the columns of the rows in it.
    pub(super) compressed: Vec<(TableName, BTreeSet<String>)>,
    /// Views that read a continuous aggregate.
    pub(super) aggregates: Vec<TableName>,
}

/// A hypertable.
#[derive(Debug)]
pub(super) struct Hypertable {
    /// The entry of what keeps rows out of the table itself. Its number stands for the statement that makes the hypertable.
    pub(super) blocker: DumpId,
    /// How it is divided, as far as its chunks say.
    pub(super) dimensions: Vec<Dimension>,
}

impl Hypertables {
    /// The hypertable that an entry's rows belong to; None where the entry is not of a chunk.
    pub(super) fn of_chunk(&self, entry: &Entry) -> Option<&TableName> {
        self.chunks.get(&TableName::of(entry))
    }

    /// Whether a table is one.
    pub(super) fn has(&self, table: &TableName) -> bool {
        self.tables.contains_key(table)
    }

    /// Whether the extension makes what an entry creates, when it makes a hypertable.
    pub(super) fn makes(&self, entry: &Entry) -> bool {
        self.makes.contains(&entry.dump_id)
    }
}

impl Hypertable {
    /// Whether the chunks say how it is divided.
    pub(super) fn is_known(&self) -> bool {
        self.dimensions.iter().any(Dimension::is_range)
    }
}
