//! The search for personal data that no rule covers, and for what is left of masked values.

use serde::Deserialize;

/// How personal data that no rule covers is looked for, and what is done about it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetectionSettings {
    /// Look for it at all.
    #[serde(default)]
    pub scan: bool,
    /// What is done about a column that no rule covers.
    #[serde(default)]
    pub policy: Policy,
    /// How many rows of each table are looked at; None: all.
    #[serde(default)]
    pub sample_rows: Option<u64>,
    /// Columns that are known not to be personal.
    #[serde(default)]
    pub ignore: Vec<Ignored>,
    /// The strings of Rails' `config.filter_parameters`.
    #[serde(default)]
    pub filter_parameters: Vec<String>,
    /// Tables, without their schema, and columns of attributes declared with `encrypts`.
    #[serde(default)]
    pub encrypted: Vec<(String, String)>,
    /// The values that the app's models admit: their enums, and what `validates inclusion` lists.
    #[serde(default)]
    pub admitted: Vec<Admitted>,
    /// The caller has patterns of its own for names, which replace what is known here: it is asked which columns
    /// they match, see [`crate::event::Sink::ask`].
    #[serde(default)]
    pub own_patterns: bool,
    /// Its answer.
    #[serde(skip)]
    pub matched: Option<Vec<crate::event::Matched>>,
}

/// The values of a column that the app's models admit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admitted {
    /// The table, without its schema.
    pub table: String,
    /// The column.
    pub column: String,
    /// Its values as the database has them.
    pub values: Vec<String>,
}

/// What is done about a personal column that no rule covers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// It is reported, and copied unchanged.
    #[default]
    Warn,
    /// The run ends with what would cover it.
    Fail,
    /// It gets the mask of its kind.
    Mask,
}

/// Columns that are known not to be personal.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ignored {
    /// `table.column` or `schema.table.column`, with `*`.
    pub column: String,
    /// Why they are not.
    pub reason: String,
}

/// The leak check.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeakCheckSettings {
    /// Look at every row for originals of masked columns.
    #[serde(default)]
    pub enabled: bool,
    /// Follow full names, too.
    #[serde(default)]
    pub names: bool,
}
