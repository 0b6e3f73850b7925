//! What is said of a database that is in use: by another run, or by the app's own sessions.

use crate::error::{Error, Kind};
use crate::text::{text, Setting, Text};

/// Another run holds the lock; `holder` says which, where that is known.
pub(in crate::postgres) fn another_run(holder: Option<&str>) -> Error {
    let holder = holder.map(|one| format!(" ({one})")).unwrap_or_default();
    Error::new(
        Kind::TargetBusy,
        format!("Another run is under way in this database{holder}."),
        "Wait until it has ended, or end it, and run again.",
    )
}

/// Other sessions of the role are there, such as `2 other sessions in the database (puma, sidekiq)`, and must not be ended.
pub(in crate::postgres) fn other_sessions(which: &str) -> Error {
    let what: Text = text!(
        format!("The target's role has {which}, and "),
        Setting::TerminateConnections,
        " is off."
    );
    Error::new(
        Kind::TargetBusy,
        what,
        text!(
            "Stop the app's web and worker processes first, or set ",
            Setting::TerminateConnections.to(true),
            "."
        ),
    )
}
