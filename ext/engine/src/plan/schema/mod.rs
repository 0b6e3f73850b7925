//! The schema as the table of contents has it: tables and their columns, types, keys, and who inherits from whom.
//!
//! It reads the statements that pg_dump writes, not SQL at large. What it does not understand it passes over:
//! the column list of a data block, not this model, is the truth about the data.

mod clauses;
mod collations;
mod complete;
mod read;
mod types;

pub use types::{Base, TypeName};

use super::chunks::Hypertables;
use super::TableName;
use masking::Equal;
use pg_dump_archive::{DumpId, Entry, EntryKind};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use types::UserType;

/// Everything known about the archive's schema.
#[derive(Debug, Default)]
pub struct Schema {
    /// Tables, partitioned tables and foreign tables, in the archive's order.
    pub tables: Vec<Table>,
    by_name: HashMap<TableName, usize>,
    types: HashMap<TableName, UserType>,
    /// The types of columns, each once: many thousands of columns have a few dozen of them.
    written: HashSet<Arc<TypeName>>,
    /// Collations that take different texts for equal.
    equal: HashMap<TableName, Equal>,
    /// Views and materialized views, with their kind.
    pub views: HashMap<TableName, EntryKind>,
    /// TimescaleDB's, whose chunks are not among the tables.
    pub(super) hypertables: Hypertables,
}

/// A table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: TableName,
    /// A foreign table, whose rows are elsewhere.
    pub foreign: bool,
    /// The identifiers in the partition key, when it is partitioned.
    pub partition_key: Option<Vec<String>>,
    /// The table that it is a partition of.
    pub partition_of: Option<usize>,
    /// Tables that it inherits from.
    pub inherits: Vec<usize>,
    /// Its partitions and the tables that inherit from it.
    pub children: Vec<usize>,
    /// Its columns in order, inherited ones first.
    pub columns: Vec<Column>,
    /// Its primary key, unique constraints, unique indexes and exclusion constraints.
    pub uniques: Vec<Unique>,
    /// Its CHECK constraints that existing rows meet, without those that it inherits.
    pub checks: Vec<CheckConstraint>,
    /// Its foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
    /// As written in INHERITS and PARTITION OF, until they are resolved.
    parents: Vec<TableName>,
    of_type: Option<TableName>,
    /// It has columns that it does not name itself.
    borrows: bool,
}

impl Table {
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether all its columns are known: what it inherits may be an extension's.
    pub(crate) fn is_whole(&self) -> bool {
        !self.borrows
    }
}

/// A column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type as written, which many share; None in a typed table that does not repeat it.
    pub column_type: Option<Arc<TypeName>>,
    /// NOT NULL, by itself or as part of the primary key.
    pub not_null: bool,
    /// It has a DEFAULT.
    pub has_default: bool,
    /// `GENERATED ALWAYS AS (…) STORED` or `VIRTUAL`: the identifiers in its expression.
    pub generated: Option<Vec<String>>,
    /// The SQL of that expression.
    pub generated_as: Option<String>,
}

/// A CHECK constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckConstraint {
    /// Its name.
    pub name: String,
    /// Its expression; in a domain's, `VALUE` stands for the value.
    pub sql: String,
    /// The identifiers in it.
    pub identifiers: Vec<String>,
}

/// What makes rows distinct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unique {
    /// Its entry.
    pub dump_id: DumpId,
    /// The primary key.
    pub primary: bool,
    /// The parts of its key.
    pub parts: Vec<KeyPart>,
    /// NULLS NOT DISTINCT.
    pub nulls_not_distinct: bool,
}

impl Unique {
    /// The columns of its key, when it has no expression.
    pub fn columns(&self) -> Option<Vec<&str>> {
        let names = self.parts.iter().map(|part| match part {
            KeyPart::Column(name) => Some(name.as_str()),
            KeyPart::Expression(_) => None,
        });
        names.collect()
    }
}

/// One part of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPart {
    /// A column.
    Column(String),
    /// An expression.
    Expression(Expression),
}

/// An expression over columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expression {
    /// The identifiers in it.
    pub names: Vec<String>,
    /// Its SQL.
    pub sql: String,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// Its entry.
    pub dump_id: DumpId,
    /// The constraint's name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// The table that it refers to.
    pub references: TableName,
    /// The columns there.
    pub referenced_columns: Vec<String>,
    /// MATCH FULL: either all its columns are NULL or none is.
    pub match_full: bool,
    /// Existing rows are not checked.
    pub not_valid: bool,
    /// What happens to its rows when the one that they refer to is deleted.
    pub on_delete: OnDelete,
}

/// A foreign key's ON DELETE action.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnDelete {
    /// NO ACTION or RESTRICT: nothing may refer to a deleted row.
    #[default]
    Nothing,
    /// The referring rows are deleted, too.
    Cascade,
    /// They get NULL.
    SetNull,
    /// They get the default.
    SetDefault,
}

/// The tables that a table is a partition of or inherits from itself.
fn parents(table: &Table) -> Vec<usize> {
    let parents = table.partition_of.iter().chain(&table.inherits);
    parents.copied().collect()
}

impl Schema {
    /// Reads the schema from a table of contents.
    pub fn read(entries: &[Entry]) -> Self {
        let mut schema = Schema {
            hypertables: Hypertables::read(entries),
            ..Schema::default()
        };
        for entry in entries {
            if schema.hypertables.makes(entry) {
                continue;
            }
            schema.read_entry(entry);
        }
        schema.resolve_parents();
        schema.complete_columns();
        schema.complete_keys();
        schema
            .tables
            .iter_mut()
            .for_each(|table| table.columns.shrink_to_fit());
        schema
    }

    /// The table of this name.
    pub fn table(&self, name: &TableName) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The table that an entry's rows belong to: of a chunk, its hypertable.
    pub(super) fn table_of_rows(&self, entry: &Entry) -> Option<usize> {
        match self.hypertables.of_chunk(entry) {
            Some(hypertable) => self.table(hypertable),
            None => self.table(&TableName::of(entry)),
        }
    }

    /// All partitions of a table and tables that inherit from it, at any depth, without itself.
    pub(crate) fn descendants(&self, table: usize) -> Vec<usize> {
        self.walk(table, |table| table.children.clone())
    }

    /// All partitions of a table at any depth, without itself.
    pub fn partitions(&self, table: usize) -> Vec<usize> {
        self.walk(table, |table| {
            let is_partition = |child: &&usize| self.tables[**child].partition_of.is_some();
            table.children.iter().filter(is_partition).copied().collect()
        })
    }

    /// The tables that a table is a partition of or inherits from itself.
    pub(crate) fn parents(&self, table: usize) -> Vec<usize> {
        parents(&self.tables[table])
    }

    /// All tables that a table is a partition of or inherits from, at any depth, the nearest first.
    pub(crate) fn ancestors(&self, table: usize) -> Vec<usize> {
        self.walk(table, parents)
    }

    /// All tables that a table is a partition of, the nearest first.
    pub(crate) fn partition_ancestors(&self, table: usize) -> Vec<usize> {
        self.walk(table, |table| table.partition_of.into_iter().collect())
    }

    /// The root of the partition tree that a table belongs to; the table itself if it is no partition.
    pub(crate) fn topmost(&self, table: usize) -> usize {
        self.partition_ancestors(table).last().copied().unwrap_or(table)
    }

    fn walk(&self, from: usize, next: impl Fn(&Table) -> Vec<usize>) -> Vec<usize> {
        let mut found = next(&self.tables[from]);
        if found.is_empty() {
            return found;
        }
        let mut seen: HashSet<usize> = HashSet::from([from]);
        found.retain(|table| seen.insert(*table));
        let mut at = 0;
        while at < found.len() {
            for table in next(&self.tables[found[at]]) {
                if seen.insert(table) {
                    found.push(table);
                }
            }
            at += 1;
        }
        found
    }
}
