//! What a load gives back: each table, what was masked of it, what was left out.

use crate::error::Error;
use crate::plan::TableName;
use crate::postgres::schedule::questions::Answers;
use crate::postgres::sql_rules::SqlChange;
use crate::text::Text;
use masking::ColumnCounts;
use pg_dump_archive::DumpId;
use std::collections::HashSet;

/// What was loaded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoadReport {
    /// Each load of the plan, in the order they were finished.
    pub loads: Vec<LoadedTable>,
    /// Large objects, empty ones included.
    pub large_objects: u64,
    /// Steps that were run, those left out not counted.
    pub steps: u64,
    /// What was left out. Each was also an event.
    pub warnings: Vec<Text>,
    /// Tables that are empty because a rule in SQL failed, with `rollback_on_error` off, and why.
    pub failed: Vec<(Vec<TableName>, Error)>,
    /// Tables whose rows were not loaded, because a column looks personal and nothing covers it.
    pub withheld: Vec<TableName>,
    /// Tables like `withheld`, but found after their rows were loaded; the rows are still there.
    pub late: Vec<TableName>,
    /// Answers to questions about tables that could be looked at while others still loaded.
    pub answers: Answers,
    /// Tables that have the planner's statistics already.
    pub analyzed: HashSet<TableName>,
}

/// What was loaded of one data block.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedTable {
    /// The TABLE DATA entry.
    pub dump_id: DumpId,
    /// The table that the rows belong to.
    pub table: TableName,
    /// Rows, as the server counted them and we did.
    pub rows: u64,
    /// Bytes of COPY text sent.
    pub bytes: u64,
    /// What happened to each masked column, in the order of the mask's columns; empty without a mask.
    pub masked: Vec<ColumnCounts>,
    /// What rules in SQL did; where partitions went together, it stands with the first of them.
    pub sql: Vec<SqlChange>,
    /// Seconds from the block's start to its last commit.
    pub seconds: f64,
}
