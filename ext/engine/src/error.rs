//! What can go wrong, as the caller sees it.
//!
//! Every failure of a run is one [`Error`]: a [`Kind`], which the Ruby binding turns into a documented
//! exception class, one sentence of what happened and one of what to do. Modules may keep finer error
//! types of their own; what leaves the engine is this one.
//!
//! Neither sentence may hold a secret or a value of a row. Two helpers keep that promise where text comes
//! from elsewhere: [`Error::from_server`] quotes a PostgreSQL error without the parts that can carry row
//! data, and nothing here ever prints a URL.

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
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {remedy}")]
pub struct Error {
    /// Which documented Ruby class this becomes.
    pub kind: Kind,
    /// What happened, one sentence.
    pub what: String,
    /// What to do, one sentence.
    pub remedy: String,
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
    pub fn new(kind: Kind, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            kind,
            what: what.into(),
            remedy: remedy.into(),
        }
    }

    /// A defect of the gem's own: something that was thought impossible.
    pub fn internal(what: impl Into<String>) -> Self {
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

    /// A PostgreSQL error, told by `doing` ("creating the index users_email"), quoted without its DETAIL,
    /// CONTEXT and HINT fields, because those can carry row data (for instance `Key (email)=(…)`).
    ///
    /// Of the server's report the SQLSTATE, the primary message and the names of schema, table, column and
    /// constraint are kept. A primary message that can quote a value (`invalid input syntax for type integer:
    /// "…"`) is cut at the colon before it; one about data (class 22) also loses what it has in quotes, and one
    /// that a function of the backup raised itself (class P0) is not quoted at all. Fields: PostgreSQL's
    /// documentation, "Error and Notice Message Fields"; classes: "PostgreSQL Error Codes".
    pub fn from_server(doing: &str, error: &tokio_postgres::Error) -> Self {
        let Some(report) = error.as_db_error() else {
            return Self::new(
                Kind::TargetConnection,
                format!("The connection to the target database broke while {doing}."),
                "Run it again; if it happens again, look at the database's own log.",
            );
        };
        let kind = match report.code().code() {
            "42501" => Kind::Privilege,
            "55P03" | "40P01" | "40001" => Kind::LockTimeout,
            // Class 08, the server going down or ending this session, and its time limits on idle ones.
            code if code.starts_with("08") => Kind::TargetConnection,
            "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25P04" => Kind::TargetConnection,
            _ => Kind::Restore,
        };
        let mut what = format!(
            "PostgreSQL refused {doing}: {} (SQLSTATE {}",
            without_values(report.code().code(), report.message()),
            report.code().code()
        );
        for (name, value) in [
            ("table", report.table()),
            ("column", report.column()),
            ("constraint", report.constraint()),
        ] {
            if let Some(value) = value {
                what.push_str(&format!(", {name} {value}"));
            }
        }
        what.push_str(").");
        let remedy = match kind {
            Kind::Privilege => "Grant the target's role the missing right, or leave the object out.",
            Kind::LockTimeout => "Run it again when the other session is gone, or raise config.lock_timeout.",
            Kind::TargetConnection => "Run it again; if it happens again, look at the database's own log.",
            _ => "The target is marked incomplete; mend the cause and run it again.",
        };
        Self::new(kind, what, remedy)
    }
}

/// The primary message without values. Names of objects come in double quotes too, so quotes are emptied only
/// in class 22, whose messages speak of data; what follows a colon is cut in all (`… type date: "…"`).
fn without_values(code: &str, message: &str) -> String {
    if code.starts_with("P0") {
        return "a function raised an exception".into();
    }
    let message = message.split(": ").next().unwrap_or(message);
    // 22P04 is COPY's complaint about the shape of a row, and what it quotes is a column's name.
    if !code.starts_with("22") || code == "22P04" {
        return message.into();
    }
    let parts = message.split('"').enumerate();
    let kept: Vec<&str> = parts
        .map(|(place, part)| if place % 2 == 1 { "…" } else { part })
        .collect();
    kept.join("\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_value_is_cut_from_a_server_message() {
        assert_eq!(
            without_values(
                "22P02",
                "invalid input syntax for type integer: \"ada@lovelace.example\""
            ),
            "invalid input syntax for type integer"
        );
        assert_eq!(
            without_values("22003", "value \"33612345678\" is out of range for type integer"),
            "value \"…\" is out of range for type integer"
        );
        assert_eq!(
            without_values("P0001", "no such person as Ada"),
            "a function raised an exception"
        );
        assert_eq!(
            without_values("42P07", "relation \"users\" already exists"),
            "relation \"users\" already exists"
        );
    }
}
