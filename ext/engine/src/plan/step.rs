//! A step after the rows, and the ids under which steps wait for one another and for rows.

use super::{Refusal, TableName};
use pg_dump_archive::{DumpId, EntryKind};
use std::fmt;

/// What can be waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TaskId {
    /// An entry's rows in their table, its large objects, or its step.
    Entry(DumpId),
    /// The rows of a TABLE DATA entry in their temporary table, where rules in SQL change them.
    Arrival(DumpId),
    /// Statistics on the table at this place in the schema.
    Analyze(usize),
    /// The group of rules in SQL with this number.
    SqlGroup(usize),
}

impl From<DumpId> for TaskId {
    fn from(entry: DumpId) -> Self {
        Self::Entry(entry)
    }
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepKind {
    /// It creates, or fills, what an entry of this kind is.
    Entry(EntryKind),
    /// It gathers statistics that rules in SQL need.
    Analyze,
    /// It runs a group of rules in SQL.
    SqlRules,
}

impl From<EntryKind> for StepKind {
    fn from(kind: EntryKind) -> Self {
        Self::Entry(kind)
    }
}

impl PartialEq<EntryKind> for StepKind {
    fn eq(&self, other: &EntryKind) -> bool {
        matches!(self, Self::Entry(kind) if kind == other)
    }
}

impl fmt::Display for StepKind {
    /// pg_dump's word, or one like it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Entry(kind) => kind.as_str(),
            Self::Analyze => "ANALYZE",
            Self::SqlRules => "SQL RULES",
        })
    }
}

/// A statement that runs after the rows it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What others wait for when they wait for it.
    pub id: TaskId,
    /// What it does.
    pub kind: StepKind,
    /// Its name, for messages.
    pub name: String,
    /// The SQL.
    pub sql: String,
    /// Loads and steps that must be done first. Only those of this plan.
    pub waits_for: Vec<TaskId>,
    /// Tables that it locks so that no other step on them may run at the same time.
    pub locks: Vec<TableName>,
    /// Tables that it locks so that no step that has them in `locks` may run at the same time; two steps that
    /// share a table may (two indexes of one table).
    pub shared: Vec<TableName>,
    /// Runs after all others that are not last: event triggers and materialized views' contents.
    pub last: bool,
    /// What it costs per row of its table, where an index on an integer costs 2; 0 when rows do not matter.
    pub weight: u32,
    /// What a refusal by the server means.
    pub refusal: Refusal,
    /// The entries without which it is pointless, in the archive's words and, of a foreign key, the key it refers to.
    pub needs: Vec<DumpId>,
    /// Of a key or an index: what its values are made of.
    pub made_of: Vec<MadeOf>,
    /// Which rows it does not take, where a query finds them.
    pub finds: Option<Refuses>,
}

/// The rows that a key does not take. What it is made of is in [`Step::made_of`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refuses {
    /// Those that refer to a row that is not there.
    Orphans,
    /// Those of which there are several; with NULLs, or without.
    Duplicates {
        /// Two NULLs are the same to it.
        with_nulls: bool,
    },
}

/// Columns of a table and of its partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeOf {
    /// The partitions, and last the table.
    pub tables: Vec<TableName>,
    /// The columns; None where any may be.
    pub columns: Option<Vec<String>>,
}

impl Step {
    /// A step that waits for nothing, locks nothing, and must succeed.
    pub fn new(id: TaskId, kind: StepKind, name: String, sql: String) -> Self {
        Self {
            id,
            kind,
            name,
            sql,
            waits_for: Vec::new(),
            locks: Vec::new(),
            shared: Vec::new(),
            last: false,
            weight: 0,
            refusal: Refusal::Fatal,
            needs: Vec::new(),
            made_of: Vec::new(),
            finds: None,
        }
    }

    /// A step of a kind that waits for nothing and locks nothing.
    #[cfg(test)]
    pub(crate) fn bare(kind: EntryKind, sql: &str) -> Self {
        Self::new(TaskId::Entry(DumpId(1)), kind.into(), "one".into(), sql.into())
    }
}
