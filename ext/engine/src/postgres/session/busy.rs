//! What is said of a database that is in use: by another run, or by the app's own sessions.

use crate::error::{Error, Kind};
use crate::failure::{ServerProcess, SessionFailure, SessionRemedy};

/// Another run is under way, that of `holders` where they are known.
pub(in crate::postgres) fn another_run(holders: Vec<ServerProcess>) -> Error {
    let what = match holders.is_empty() {
        true => SessionFailure::AnotherRun,
        false => SessionFailure::AnotherRunOf { holders },
    };
    Error::new(Kind::TargetBusy, what, SessionRemedy::WaitForRun)
}

/// Sessions are in the way that may not be ended.
pub(in crate::postgres) fn other_sessions(which: SessionFailure) -> Error {
    Error::new(Kind::TargetBusy, which, SessionRemedy::StopApp)
}
