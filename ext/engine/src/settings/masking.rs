//! What is masked, and how.

use super::default_true;
use secrecy::SecretString;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What is masked, and how it is checked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Masking {
    /// The key under which pseudonyms are made.
    pub secret: SecretString,
    /// The password that accounts get whose hash is masked by itself; None: one that no one knows.
    #[serde(default)]
    pub staging_password: Option<SecretString>,
    /// The countries whose telephone numbers are written without their code, by their two letters; the app's own first.
    #[serde(default)]
    pub countries: Vec<String>,
    /// The domain of pseudonymous e-mail addresses.
    #[serde(default = "default_email_domain")]
    pub email_domain: String,
    /// How the app encrypts columns.
    #[serde(default)]
    pub encrypted: Vec<EncryptedColumn>,
    /// The rules, in the order of the configuration.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// The rules that only SQL can express, in the order of the configuration.
    #[serde(default)]
    pub sql_rules: Vec<SqlRule>,
    /// Permit a run without any rule.
    #[serde(default)]
    pub allow_unmasked_copy: bool,
    /// Check each masked value, and count rows and masked forms in the target afterwards.
    #[serde(default = "default_true")]
    pub verify: bool,
    /// A failed check fails the run; else it is a warning.
    #[serde(default = "default_true")]
    pub fail_on_verification_error: bool,
    /// One transaction for all tables when a database that is already there is masked. In a run from a backup: a
    /// failing rule in SQL ends the run and leaves every table with such a rule empty; else only its own tables.
    #[serde(default = "default_true")]
    pub rollback_on_error: bool,
}

/// A column that the app encrypts, and how what it reads there can be made: with a key, or beforehand; else not at all.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncryptedColumn {
    /// The table, without its schema.
    pub table: String,
    /// The column.
    pub column: String,
    /// The key of this environment with which Active Record encrypts it, in hexadecimal digits.
    #[serde(default)]
    pub key: Option<SecretString>,
    /// Its values are in lower case before they are encrypted.
    #[serde(default)]
    pub downcase: bool,
    /// Ciphertexts that the app has made of pseudonyms.
    #[serde(default)]
    pub values: Vec<String>,
}

/// One entry of `anonymization_tables`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What messages call it: the entry as the caller writes one.
    pub name: String,
    /// `table` or `schema.table`, quoted or not.
    pub table: String,
    /// The name of a documented strategy, such as `user_anonymization`. Not beside `columns`.
    #[serde(default)]
    pub strategy: Option<String>,
    /// Columns and their masks. Not beside `strategy`.
    #[serde(default)]
    pub columns: BTreeMap<String, MaskName>,
    /// Per column, patterns with `*` of values that stay as they are.
    #[serde(default)]
    pub keep: BTreeMap<String, Vec<String>>,
    /// A SQL condition that restricts it to some rows.
    #[serde(default)]
    pub condition: Option<String>,
    /// Tables that the condition reads where the parser cannot see it: inside functions.
    #[serde(default)]
    pub reads: Vec<String>,
    /// The table's name in notifications.
    #[serde(default)]
    pub translation: Option<String>,
}

/// An entry that only SQL can express: a `query`, a custom strategy, or the expressions of `anonymization_rules`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SqlRule {
    /// What messages call it: the entry as the caller writes one.
    pub name: String,
    /// `table` or `schema.table`, quoted or not.
    pub table: String,
    /// One or more statements, UPDATE or DELETE.
    #[serde(default)]
    pub query: Option<String>,
    /// Without a query: pairs of a column and the SQL expression that it becomes.
    #[serde(default)]
    pub columns: Vec<(String, String)>,
    /// Restricts each statement to some rows.
    #[serde(default)]
    pub condition: Option<String>,
    /// How a table that an expression names goes with this one, where no single foreign key says so.
    #[serde(default)]
    pub join: Option<String>,
    /// Tables that are read where the parser cannot see it: inside functions.
    #[serde(default)]
    pub reads: Vec<String>,
    /// The table's name in notifications.
    #[serde(default)]
    pub translation: Option<String>,
}

/// A mask of the catalogue, as a rule names it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum MaskName {
    /// Its name alone.
    Plain(String),
    /// Its name and its options.
    WithOptions {
        /// Its name.
        mask: String,
        /// Its options.
        #[serde(flatten)]
        options: serde_json::Map<String, serde_json::Value>,
    },
}

fn default_email_domain() -> String {
    "demo.example.com".into()
}
