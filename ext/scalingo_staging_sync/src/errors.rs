//! The engine's errors as the documented Ruby exceptions.
//!
//! The classes are defined in Ruby (`lib/scalingo_staging_sync/errors.rb` and its neighbours) and looked up by
//! name when one is needed, so that autoloading finds them.

use magnus::{prelude::*, ExceptionClass, Ruby};
use staging_sync_engine::error::{Error, Kind};

/// The Ruby exception for an engine's error: its documented class, with `what` and `remedy` as arguments.
///
/// Falls back to `RuntimeError` when the class cannot be found, which only a broken installation shows.
pub fn to_ruby(ruby: &Ruby, error: &Error) -> magnus::Error {
    let built = ruby
        .class_object()
        .const_get::<_, magnus::RModule>("ScalingoStagingSync")
        .and_then(|module| module.funcall::<_, _, ExceptionClass>("const_get", (class_name(error.kind),)))
        .and_then(|class| class.funcall::<_, _, magnus::Exception>("new", (&*error.what, &*error.remedy)));
    match built {
        Ok(exception) => exception.into(),
        Err(_) => magnus::Error::new(ruby.exception_runtime_error(), error.to_string()),
    }
}

/// The class's name under `ScalingoStagingSync`, as `Module#const_get` takes it.
fn class_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Configuration => "ConfigurationError",
        Kind::Plan => "PlanError",
        Kind::Api => "Integrations::ScalingoApiClient::BackupError",
        Kind::Authentication => "Integrations::ScalingoApiClient::AuthenticationError",
        Kind::AddonNotFound => "Integrations::ScalingoApiClient::AddonNotFoundError",
        Kind::BackupNotFound => "Integrations::ScalingoApiClient::BackupNotFoundError",
        Kind::Download => "Integrations::ScalingoApiClient::DownloadError",
        Kind::Archive => "ArchiveError",
        Kind::UnsupportedArchive => "UnsupportedArchiveError",
        Kind::TargetConnection => "TargetConnectionError",
        Kind::Privilege => "PrivilegeError",
        Kind::TargetBusy => "TargetBusyError",
        Kind::LockTimeout => "LockTimeoutError",
        Kind::Restore => "RestoreError",
        Kind::Verification => "VerificationError",
        // Never seen in Ruby: an interrupted call raises the interrupt itself.
        Kind::Interrupted => "Error",
        Kind::Internal => "InternalError",
    }
}
