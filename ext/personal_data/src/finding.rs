//! What is reported of a column that looks personal: in the report, in the dry run, by `scan` and by `suggest`.

use super::{PiiKind, Reason};
use serde::Serialize;
use serde_json::{Map, Value};

/// A column that looks personal, and what stands between it and staging.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// `schema.table`; of partitions their root, of inherited columns the table that they come from.
    pub table: String,
    /// The column.
    pub column: String,
    /// What it holds, such as `email`: [`PiiKind::as_str`].
    pub kind: &'static str,
    /// The heading that the report puts it under, such as `contact`.
    pub heading: &'static str,
    /// How sure that is, from 0.5 to 1, in hundredths.
    pub confidence: f64,
    /// What showed it.
    pub found_by: FoundBy,
    /// Why: by its name, by its values, or both.
    pub reason: Vec<Reason>,
    /// Values of the sample that are not NULL; 0 where only the name was looked at.
    pub values: u64,
    /// In how many of them it was seen.
    pub count: u64,
    /// In what share of them, from 0 to 1, in thousandths.
    pub share: f64,
    /// What stands between it and staging.
    pub status: Status,
    /// The rule that covers it, why it is ignored, or why it could not be masked by itself.
    pub because: Option<String>,
    /// The mask that was found to fit; where a rule covers the column, or none fits: None.
    pub mask: Option<Suggestion>,
    /// The entry of a rule that covers it; with [`Finding::mask`].
    pub rule: Option<RuleEntry>,
}

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

impl Finding {
    /// A finding about a column of which only its name is known.
    pub fn by_name(
        table: String,
        column: String,
        kind: PiiKind,
        confidence: f32,
        reasons: impl IntoIterator<Item = Reason>,
    ) -> Self {
        Self {
            table,
            column,
            kind: kind.as_str(),
            heading: kind.heading().as_str(),
            confidence: rounded(confidence, 100.0),
            found_by: FoundBy::Name,
            reason: reasons.into_iter().collect(),
            values: 0,
            count: 0,
            share: 0.0,
            status: Status::Uncovered,
            because: None,
            mask: None,
            rule: None,
        }
    }

    /// Notes the mask that fits. `table`: as rules name it.
    pub fn suggest(&mut self, mask: Suggestion, table: String) {
        self.rule = Some(RuleEntry {
            table,
            column: self.column.clone(),
            mask: mask.clone(),
        });
        self.mask = Some(mask);
    }
}

/// A figure for people, without the digits that say nothing.
pub fn rounded(figure: f32, parts: f64) -> f64 {
    (f64::from(figure) * parts).round() / parts
}
