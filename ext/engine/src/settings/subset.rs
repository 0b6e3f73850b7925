//! Which part of production is copied.

use serde::Deserialize;

/// The part of production that is copied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subset {
    /// The rules, in the order of the configuration.
    pub tables: Vec<TableRule>,
    /// What a table without a rule gets.
    pub others: Others,
    /// References that no foreign key says.
    #[serde(default)]
    pub references: Vec<DeclaredReference>,
}

/// What a table without a rule gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Others {
    /// Its rows stay where what they refer to does.
    #[default]
    Follow,
    /// Every row stays, and what it refers to.
    Whole,
}

/// Which rows of a table are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableRule {
    /// `table` or `schema.table`, with `*`.
    pub table: String,
    /// The option that it is an entry of, for messages.
    pub option: String,
    /// Every row, or those that others refer to.
    #[serde(default)]
    pub keep: Option<Keep>,
    /// A SQL condition.
    #[serde(default, rename = "where")]
    pub condition: Option<String>,
    /// No more than so many rows.
    #[serde(default)]
    pub rows: Option<u64>,
    /// In the order of these columns; none: of the primary key.
    #[serde(default)]
    pub order_by: Vec<String>,
    /// The largest first.
    #[serde(default)]
    pub descending: bool,
    /// References to rows that go become NULL if their columns can be NULL.
    #[serde(default)]
    pub nullify_all: bool,
    /// References in these columns do.
    #[serde(default)]
    pub nullify: Vec<String>,
    /// That no row is kept at all is no error.
    #[serde(default)]
    pub allow_empty: bool,
}

/// Which rows of a table without a condition are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// Every one.
    All,
    /// Those that kept rows refer to.
    Referenced,
}

/// A reference that no foreign key says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredReference {
    /// The table that refers: `table` or `schema.table`.
    pub table: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// The table that it refers to.
    pub references: String,
    /// The columns there; none: the primary key.
    #[serde(default)]
    pub referenced_columns: Vec<String>,
    /// It refers only where this column has one of [`DeclaredReference::types`].
    #[serde(default)]
    pub type_column: Option<String>,
    /// The values.
    #[serde(default)]
    pub types: Vec<String>,
    /// The app's models say so, of their own schema: where the backup's is another, it says nothing. Of the table `*` it is
    /// said of every table with these columns.
    #[serde(default)]
    pub reflected: bool,
    /// These columns refer to nothing, even where the app's models say so.
    #[serde(default)]
    pub nothing: bool,
    /// Only its names could be read, or some of them: they are looked for, and more is not said of it.
    #[serde(default)]
    pub unread: bool,
}
