//! What is said of a column that looks personal: what showed it, what stands between it and staging, and how it can be masked.

use phrases::{AsField, Field, Record};
use serde::Serialize;
use serde_json::{Map, Value};

/// What showed that a column is personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FoundBy {
    /// Its name, its table's and its type.
    Name,
    /// Its values.
    Content,
    /// Name and values together.
    Both,
}

/// What stands between a personal column and staging. A later one weighs more where partitions differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The caller has declared that it is not personal.
    Ignored,
    /// A rule covers it, or its rows are not loaded.
    Covered,
    /// No rule covers it, and it was masked automatically, as the policy asks.
    Masked,
    /// Nothing covers it, and its table was left empty.
    Withheld,
    /// Nothing covers it: its values are in staging as they are in production, or would be.
    Uncovered,
}

impl Status {
    /// Whether the column needs a rule, or a declaration that it is not personal.
    pub fn needs_a_rule(self) -> bool {
        matches!(self, Status::Withheld | Status::Uncovered)
    }
}

/// A mask of the catalogue with its options.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    /// Its name.
    pub mask: &'static str,
    /// Its options.
    pub options: Map<String, Value>,
}

impl Suggestion {
    /// A mask without options.
    pub fn plain(mask: &'static str) -> Self {
        Self {
            mask,
            options: Map::new(),
        }
    }

    /// A mask with one option.
    pub fn with(mask: &'static str, option: &str, value: impl Into<Value>) -> Self {
        Self {
            mask,
            options: Map::from_iter([(option.to_owned(), value.into())]),
        }
    }
}

/// The entry of a rule that masks one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleEntry {
    /// The table, as rules name it.
    pub table: String,
    /// The column.
    pub column: String,
    /// How it is masked.
    pub mask: Suggestion,
}

impl AsField for Suggestion {
    fn as_field(&self) -> Field<'_> {
        let record = Record::default().with("mask", &self.mask);
        Field::Record(record.with("options", &self.options))
    }
}

impl AsField for RuleEntry {
    fn as_field(&self) -> Field<'_> {
        let record = Record::default().with("table", &self.table);
        Field::Record(record.with("column", &self.column).with("mask", &self.mask))
    }
}

/// A figure for people, without the digits that say nothing.
pub fn rounded(figure: f32, parts: f64) -> f64 {
    (f64::from(figure) * parts).round() / parts
}
