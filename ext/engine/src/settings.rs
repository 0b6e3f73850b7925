//! What the caller hands over: one struct, checked for shape by serde and for sense by [`Settings::check`].
//!
//! The Ruby layer builds it from `ScalingoStagingSync.configuration`; nothing in the engine reads the
//! environment. Secrets are [`SecretString`]s, whose `Debug` prints nothing of them.

mod extract;
mod subset;

pub use extract::{Extract, Extracted, Stretch};
pub use subset::{DeclaredReference, Keep, Others, Subset, TableRule};

use crate::error::{Error, Kind, Result};
use crate::text::{text, Setting};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Everything a run needs to know.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where the backup comes from.
    pub source: Source,
    /// Which database is filled, and how.
    pub target: TargetSettings,
    /// What is masked.
    pub masking: Masking,
    /// Tables whose rows are not loaded: `table`, `schema.table`, with `*`.
    #[serde(default)]
    pub exclude_tables: Vec<String>,
    /// Tables whose rows in the target stay over the reset: `table`, `schema.table`, with `*`.
    #[serde(default)]
    pub keep_tables: Vec<String>,
    /// Objects that are left out: patterns over kind and name, such as `INDEX users_*`.
    #[serde(default)]
    pub exclude_objects: Vec<String>,
    /// What becomes of a run when the server refuses an object that no row needs.
    #[serde(default)]
    pub on_object_error: OnObjectError,
    /// Where it is not empty: tables whose rows are loaded, and no others: `table`, `schema.table`, with `*`.
    #[serde(default)]
    pub include_tables: Vec<String>,
    /// Which part of production is copied; None: all of it.
    #[serde(default)]
    pub subset: Option<Subset>,
    /// Bring foreign servers and foreign tables in (never user mappings: they hold passwords).
    #[serde(default)]
    pub include_foreign_servers: bool,
    /// The search for personal data that no rule covers. Off where it is not there.
    #[serde(default)]
    pub pii: DetectionSettings,
    /// Leave the contents of all large objects out; they are created empty.
    #[serde(default)]
    pub exclude_large_objects: bool,
    /// The check that no original value of a masked column survived in another. Off where it is not there.
    #[serde(default)]
    pub leak_check: LeakCheckSettings,
    /// Keep staging from acting in production's name: what is queued comes without rows, and endpoints, other services'
    /// secrets and their like are masked, whatever the policy on personal data is.
    #[serde(default)]
    pub quiesce: bool,
    /// The service of this environment's that files lie in (`config.active_storage.service`), where it is known.
    #[serde(default)]
    pub storage_service: Option<String>,
    /// A dry run asks the server about rules in SQL, too, in a transaction that is rolled back.
    #[serde(default)]
    pub ask_server: bool,
    /// A dry run looks at the rows of a subset, too, and counts those that would be kept.
    #[serde(default)]
    pub exact: bool,
    /// A dry run tries the reset and the whole schema in the target, too, in a transaction that is rolled back. Its tables
    /// are locked meanwhile.
    #[serde(default)]
    pub try_schema: bool,
    /// A fingerprint of the rules, for the record of the run. It says nothing of the key.
    #[serde(default)]
    pub fingerprint: Option<String>,
    /// No table of the backup is where rules in SQL run: the rows of those that they read come along.
    #[serde(skip)]
    pub alone: bool,
}

/// Where a masked archive goes, and how.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dump {
    /// Where it goes.
    pub to: Destination,
    /// How its data blocks are compressed.
    pub compression: DumpCompression,
    /// Where rules in SQL, conditions and subsets are computed, in temporary tables; None: there is no such database.
    #[serde(default)]
    pub workspace: Option<TargetSettings>,
}

/// Where a masked archive goes.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// Into a file that gets this name when it is proven.
    File(PathBuf),
    /// Into what is open already and has this path, such as `/dev/fd/7`; what has gone there cannot be taken back.
    Stream(PathBuf),
}

/// How the data blocks of a masked archive are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DumpCompression {
    /// As pg_dump compresses by default.
    Gzip,
    /// Faster and smaller; for pg_restore 16 and later.
    Zstd,
    /// Faster still and larger; for pg_restore 16 and later.
    Lz4,
    /// Not at all.
    None,
}

/// What becomes of a run when the server refuses an object that no row needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnObjectError {
    /// It goes on without the object and what depends on it.
    #[default]
    LeaveOut,
    /// It ends.
    Fail,
}

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

/// Where the backup comes from.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Source {
    /// The newest backup of an app on Scalingo.
    Scalingo(Scalingo),
    /// An archive on this machine: `.tar.gz`, `.tar`, or pg_dump's custom format itself.
    File(PathBuf),
    /// A pre-signed link to such an archive, by HTTPS or on this machine. It is a secret.
    Link(SecretString),
}

/// How to reach an app's backups through Scalingo's API.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scalingo {
    /// The app whose database is copied.
    pub app: String,
    /// An API token, `tk-us-…`.
    pub api_token: SecretString,
    /// The region, such as `osc-fr1`.
    pub region: String,
    /// Which addon, where the app has several PostgreSQL ones.
    #[serde(default)]
    pub addon_id: Option<String>,
    /// Seconds. None: take the newest backup. Else ask for a fresh one when the newest is older; 0: always.
    #[serde(default)]
    pub backup_max_age: Option<u64>,
    /// Overrides of the base URLs, for tests and for regions to come.
    #[serde(default)]
    pub urls: BaseUrls,
    /// Keep the downloaded archive in this directory, and use it again while `backup_max_age` allows.
    #[serde(default)]
    pub keep_in: Option<PathBuf>,
    /// Download even when a kept archive would do.
    #[serde(default)]
    pub force_download: bool,
    /// Seconds that a download or an answer may take without getting on, where the backup is fetched and nothing else.
    #[serde(default = "default_stall_timeout")]
    pub stall_timeout: f64,
    /// Seconds between two looks at a backup that is being made. The API's documentation asks for 5 to 10.
    #[serde(default = "default_poll_interval")]
    pub poll_interval: f64,
}

/// Base URLs that replace those of the region.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseUrls {
    /// Instead of `https://auth.scalingo.com`.
    #[serde(default)]
    pub auth: Option<String>,
    /// Instead of `https://api.<region>.scalingo.com`.
    #[serde(default)]
    pub api: Option<String>,
    /// Instead of `https://db-api.<region>.scalingo.com`.
    #[serde(default)]
    pub database: Option<String>,
}

/// Which database is filled, and how.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetSettings {
    /// A libpq URL with the scheme postgres, postgresql or postgis.
    pub url: SecretString,
    /// Connections for rows and, afterwards, indexes: 1 to 8.
    pub parallel_connections: usize,
    /// Seconds that the reset waits for a lock.
    #[serde(default = "default_lock_timeout")]
    pub lock_timeout: f64,
    /// Seconds that anything may take without getting on: a session of the target's, a download, an answer of the API's.
    #[serde(default = "default_stall_timeout")]
    pub stall_timeout: f64,
    /// End other sessions of the same role in the target database.
    #[serde(default = "default_true")]
    pub terminate_connections: bool,
    /// The PostGIS extension must be there after the run.
    #[serde(default)]
    pub postgis: bool,
    /// How often a statement that met a deadlock or a lock timeout is tried again.
    #[serde(default = "default_retry_attempts")]
    pub retry_attempts: u32,
    /// Seconds before the first retry; doubled for each further one.
    #[serde(default = "default_retry_delay")]
    pub retry_delay: f64,
    /// The caller has more to do in this database: at its end the run leaves it marked incomplete, and itself noted
    /// as under way, for the caller to change.
    #[serde(default)]
    pub more_to_come: bool,
}

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
    /// `table` or `schema.table`, quoted or not.
    pub table: String,
    /// The custom strategy that made the query, for messages.
    #[serde(default)]
    pub strategy: Option<String>,
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

fn default_true() -> bool {
    true
}
fn default_poll_interval() -> f64 {
    5.0
}
fn default_lock_timeout() -> f64 {
    30.0
}
fn default_stall_timeout() -> f64 {
    300.0
}
fn default_retry_attempts() -> u32 {
    3
}
fn default_retry_delay() -> f64 {
    1.0
}
fn default_email_domain() -> String {
    "demo.example.com".into()
}

impl Settings {
    /// Refuses settings that contradict one another or would copy raw data unasked.
    ///
    /// # Errors
    /// [`Kind::Configuration`].
    pub fn check(&self) -> Result<()> {
        if self.masking.rules.is_empty()
            && self.masking.sql_rules.is_empty()
            && !self.masking.allow_unmasked_copy
            && !(self.pii.scan && self.pii.policy != Policy::Warn)
        {
            return Err(Error::new(
                Kind::Configuration,
                "No anonymization rule is configured, so production data would be copied as it is.",
                text!(
                    "Add entries to ",
                    Setting::AnonymizationTables,
                    ", or set ",
                    Setting::PiiPolicy.to("mask"),
                    ", which masks what looks \
                 personal; ",
                    Setting::AllowUnmaskedCopy.to(true),
                    " copies it as it is, if that is meant."
                ),
            ));
        }
        if !(1..=8).contains(&self.target.parallel_connections) {
            return Err(Error::new(
                Kind::Configuration,
                format!("parallel_connections is {}.", self.target.parallel_connections),
                text!("Set ", Setting::ParallelConnections, " to a number from 1 to 8."),
            ));
        }
        if self.masking.secret.expose_secret().len() < 16 {
            return Err(Error::new(
                Kind::Configuration,
                "The anonymization secret is missing or shorter than 16 bytes.",
                text!(
                    "Set ",
                    Setting::AnonymizationSecret,
                    ", or the app's secret_key_base from which it is derived."
                ),
            ));
        }
        Ok(())
    }
}
