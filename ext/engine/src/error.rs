//! What can go wrong, as the caller sees it.
//!
//! Every failure of a run is one [`Error`]: a [`Kind`], which the Ruby binding turns into a documented
//! exception class, one sentence of what happened and one of what to do. Modules may keep finer error
//! types of their own; what leaves the engine is this one.
//!
//! Neither sentence may hold a secret or a value of a row. Where text comes from elsewhere, [`Error::from_server`]
//! keeps that promise: it says what a PostgreSQL error means in words of our own, and quotes the server only where
//! [`Doing`] says that no row is near. Nothing here ever prints a URL.
//!
//! Neither says what is left in the target: who tells of an error asks the target itself, and says it once.

mod archive;
mod masking;
mod server;
mod sqlstate;

pub(crate) use archive::reading_failed;
pub use server::Doing;

use crate::text::Text;

/// Which documented Ruby class an [`Error`] becomes.
///
/// The names are those under `ScalingoStagingSync::`, so a reader finds the one from the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A setting is missing, contradictory, or needs something that is not there: `ConfigurationError`.
    Configuration,
    /// The target is the source itself: `Support::EnvironmentValidator::ProductionEnvironmentError`.
    Production,
    /// A rule does not fit the backup's tables and columns: `PlanError`.
    Plan,
    /// Columns look personal, no rule covers them, and the policy does not let them pass: `PersonalDataError`.
    PersonalData,
    /// Scalingo's API refused or failed: `Integrations::ScalingoApiClient::BackupError`.
    Api,
    /// Scalingo does not know the token: `Integrations::ScalingoApiClient::AuthenticationError`.
    Authentication,
    /// No PostgreSQL addon, or more than one: `Integrations::ScalingoApiClient::AddonNotFoundError`.
    AddonNotFound,
    /// No finished backup: `Integrations::ScalingoApiClient::BackupNotFoundError`.
    BackupNotFound,
    /// The archive did not arrive: `Integrations::ScalingoApiClient::DownloadError`.
    Download,
    /// The archive is not one, or is damaged: `ArchiveError`.
    Archive,
    /// The archive is sound but of a format or version that is not read: `UnsupportedArchiveError`.
    UnsupportedArchive,
    /// The target cannot be reached or does not let us in: `TargetConnectionError`.
    TargetConnection,
    /// The target's role lacks a right that the run needs: `PrivilegeError`.
    Privilege,
    /// Another run, or sessions that may not be ended, use the target: `TargetBusyError`.
    TargetBusy,
    /// A lock was not to be had, within `lock_timeout` or because of a deadlock, also after retries:
    /// `LockTimeoutError`.
    LockTimeout,
    /// PostgreSQL refused part of the restore: `RestoreError`.
    Restore,
    /// A masked value, or a count, is not what it has to be: `VerificationError`.
    Verification,
    /// The run was asked to stop: Ruby's `Interrupt` or `SignalException`.
    Interrupted,
    /// A defect of the gem's own: `InternalError`.
    Internal,
}

impl Kind {
    /// The class's name under `ScalingoStagingSync`, as `Module#const_get` takes it.
    pub fn class_name(self) -> &'static str {
        match self {
            Self::Configuration => "ConfigurationError",
            Self::Production => "Support::EnvironmentValidator::ProductionEnvironmentError",
            Self::Plan => "PlanError",
            Self::PersonalData => "PersonalDataError",
            Self::Api => "Integrations::ScalingoApiClient::BackupError",
            Self::Authentication => "Integrations::ScalingoApiClient::AuthenticationError",
            Self::AddonNotFound => "Integrations::ScalingoApiClient::AddonNotFoundError",
            Self::BackupNotFound => "Integrations::ScalingoApiClient::BackupNotFoundError",
            Self::Download => "Integrations::ScalingoApiClient::DownloadError",
            Self::Archive => "ArchiveError",
            Self::UnsupportedArchive => "UnsupportedArchiveError",
            Self::TargetConnection => "TargetConnectionError",
            Self::Privilege => "PrivilegeError",
            Self::TargetBusy => "TargetBusyError",
            Self::LockTimeout => "LockTimeoutError",
            Self::Restore => "RestoreError",
            Self::Verification => "VerificationError",
            // Never seen in Ruby: an interrupted call raises the interrupt itself.
            Self::Interrupted => "Error",
            Self::Internal => "InternalError",
        }
    }
}

/// A failed run: what happened and what to do about it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{what} {remedy}")]
pub struct Error {
    /// Which documented Ruby class this becomes.
    pub kind: Kind,
    /// What happened, one sentence.
    pub what: Text,
    /// What to do, one sentence.
    pub remedy: Text,
}

/// The engine's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error from its two sentences.
    ///
    /// ```
    /// use staging_sync_engine::error::{Error, Kind};
    /// let error = Error::new(Kind::Plan, "The table \"user\" is not in the backup.", "Did you mean \"users\"?");
    /// assert_eq!(error.to_string(), "The table \"user\" is not in the backup. Did you mean \"users\"?");
    /// ```
    pub fn new(kind: Kind, what: impl Into<Text>, remedy: impl Into<Text>) -> Self {
        Self {
            kind,
            what: what.into(),
            remedy: remedy.into(),
        }
    }

    /// A defect of the gem's own: something that was thought impossible.
    pub fn internal(what: impl Into<Text>) -> Self {
        Self::new(
            Kind::Internal,
            what,
            "This is a defect of scalingo-staging-sync: please report it with this sentence.",
        )
    }

    /// The run was asked to stop.
    pub fn interrupted() -> Self {
        Self::new(
            Kind::Interrupted,
            "The run was stopped before its end.",
            "Run it again: the next run starts clean.",
        )
    }
}
