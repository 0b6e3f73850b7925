//! What the caller hands over: one struct, checked for shape by serde and for sense by [`Settings::check`].
//!
//! The Ruby layer builds it from `ScalingoStagingSync.configuration`; nothing in the engine reads the
//! environment. Secrets are [`SecretString`]s, whose `Debug` prints nothing of them.

mod extract;
mod masking;
mod personal;
mod source;
mod subset;

pub use extract::{Extract, Extracted, Stretch};
pub use masking::{EncryptedColumn, MaskName, Masking, Rule, SqlRule};
pub use personal::{Admitted, DetectionSettings, Ignored, LeakCheckSettings, Policy};
pub use source::{BaseUrls, Scalingo, Source};
pub use subset::{DeclaredReference, Keep, Others, Subset, TableRule};

use crate::error::{Error, Kind, Result};
use crate::failure::{JobFailure, JobRemedy};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
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
    /// What the person in charge calls `include_tables`, where they come from elsewhere, such as a variable.
    #[serde(default)]
    pub include_tables_from: Option<String>,
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
    /// Faults of the configuration that the caller has found, and without which it is given here: a dry run lists them with
    /// those that it finds itself.
    #[serde(default)]
    pub faults: Vec<String>,
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
    /// No database is filled, as in a dump: no table of the backup is where rules in SQL run, so that the rows of those that
    /// they read come along. A dry run then finds out what a dump would refuse, and the target is where it computes.
    #[serde(default)]
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
    /// Whether the server is so far away that bytes count more than its work. None: each session measures it.
    #[serde(default)]
    pub is_far: Option<bool>,
}

fn default_true() -> bool {
    true
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
                JobFailure::NoRules,
                JobRemedy::AddRules,
            ));
        }
        if !(1..=8).contains(&self.target.parallel_connections) {
            return Err(Error::new(
                Kind::Configuration,
                JobFailure::ConnectionsOutOfRange {
                    connections: self.target.parallel_connections,
                },
                JobRemedy::SetConnections,
            ));
        }
        if self.masking.secret.expose_secret().len() < 16 {
            return Err(Error::new(
                Kind::Configuration,
                JobFailure::SecretTooShort,
                JobRemedy::SetSecret,
            ));
        }
        Ok(())
    }
}
