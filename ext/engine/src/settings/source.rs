//! Where the backup comes from.

use super::default_stall_timeout;
use secrecy::SecretString;
use serde::Deserialize;
use std::path::PathBuf;

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

fn default_poll_interval() -> f64 {
    5.0
}
