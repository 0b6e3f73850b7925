//! The table of contents and the rules, turned into what happens to each entry. Pure: no database, no network.
//!
//! Everything that can be known before the target is touched is decided here, and everything that is wrong
//! is told together.

use crate::archive::DumpId;
use crate::mask::RowMask;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What a run will do, whole.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The encoding of the archive's rows, such as `UTF8`.
    pub encoding: String,
    /// The statements that create the schema, in the archive's order.
    pub schema: Vec<Statement>,
    /// How the rows of each TABLE DATA block are loaded. A data block that is not here is passed over.
    pub loads: HashMap<DumpId, Load>,
    /// Large objects named by the table of contents, and the data blocks that hold their contents.
    pub large_objects: LargeObjects,
    /// What comes after rows: sequence values, indexes, keys, triggers, materialized views.
    pub steps: Vec<Step>,
    /// What is left out, and why.
    pub left_out: Vec<LeftOut>,
    /// What the person in charge should know.
    pub warnings: Vec<String>,
}

/// A table's name as the server knows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableName {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
}

impl TableName {
    /// Quoted for SQL: `"public"."users"`.
    pub fn sql(&self) -> String {
        format!("{}.{}", quote_identifier(&self.schema), quote_identifier(&self.name))
    }
}

impl std::fmt::Display for TableName {
    /// For people: `public.users`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

/// An identifier in double quotes, quotes within it doubled (PostgreSQL's documentation, "Lexical Structure").
pub fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A statement that creates part of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The entry it comes from.
    pub dump_id: DumpId,
    /// pg_dump's word for its kind, such as `TABLE`.
    pub kind: String,
    /// Its name, for messages.
    pub name: String,
    /// The SQL.
    pub sql: String,
    /// What a refusal by the server means.
    pub refusal: Refusal,
}

/// What it means when the server refuses a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The run ends.
    Fatal,
    /// Nothing in the plan depends on it, and the role may lack the right or the server the files
    /// (an extension, an event trigger): it is left out with a warning.
    LeftOut,
}

/// How the rows of one data block reach the target.
#[derive(Debug, Clone)]
pub struct Load {
    /// The TABLE DATA entry.
    pub dump_id: DumpId,
    /// The table that the rows belong to.
    pub table: TableName,
    /// The table that COPY names: the table itself, or its partition root (`--load-via-partition-root`).
    pub copy_into: TableName,
    /// The columns in the order of the data. None is a generated column.
    pub columns: Vec<String>,
    /// How the block writes its rows.
    pub format: RowFormat,
    /// What is masked, or None when every byte stays.
    pub mask: Option<Arc<RowMask>>,
}

impl Load {
    /// `COPY "public"."users" ("id", "email") FROM STDIN WITH (ENCODING 'UTF8')`.
    ///
    /// A table without columns has no column list; PostgreSQL refuses an empty one.
    pub fn copy_sql(&self, encoding: &str) -> String {
        let columns: Vec<String> = self.columns.iter().map(|name| quote_identifier(name)).collect();
        let list = if columns.is_empty() { String::new() } else { format!(" ({})", columns.join(", ")) };
        format!(
            "COPY {}{list} FROM STDIN WITH (ENCODING '{}')",
            self.copy_into.sql(),
            encoding.replace('\'', "''")
        )
    }
}

/// How a data block writes its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowFormat {
    /// COPY text.
    Copy,
    /// INSERT statements (`pg_dump --inserts`, `--column-inserts`, `--rows-per-insert`).
    Inserts {
        /// The columns of a statement without a column list, with whether each is generated: the whole
        /// table's, in its order. Generated ones hold `DEFAULT` and are dropped.
        table_columns: Vec<(String, bool)>,
    },
}

/// Large objects named by the table of contents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LargeObjects {
    /// Every oid of BLOB and BLOB METADATA entries.
    pub oids: Vec<u32>,
    /// The BLOBS entries, whose data blocks hold the contents.
    pub blocks: HashSet<DumpId>,
}

/// A statement that runs after the rows it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The entry it comes from.
    pub dump_id: DumpId,
    /// pg_dump's word for its kind, such as `INDEX`.
    pub kind: String,
    /// Its name, for messages.
    pub name: String,
    /// The SQL.
    pub sql: String,
    /// Loads and steps (by dump id) that must be done first. Only ids of this plan.
    pub waits_for: Vec<DumpId>,
    /// Tables that it locks so that no other step on them may run at the same time.
    pub locks: Vec<TableName>,
    /// Tables that it only takes a share lock on (CREATE INDEX does): several such steps may run on one table
    /// at the same time, but none beside a step that has it in `locks`.
    pub shared: Vec<TableName>,
    /// Runs after all others that are not last: event triggers and materialized views' contents.
    pub last: bool,
    /// What a refusal by the server means.
    pub refusal: Refusal,
}

/// An entry that is not restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// pg_dump's word for its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Why, in a few words.
    pub why: String,
}
