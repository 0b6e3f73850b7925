//! What is said of a database that is in use: by another run, or by the app's own sessions.

use crate::error::{Error, Kind};
use crate::failure::{SessionFailure, SessionRemedy};

/// Another run is under way, that of `holder` where it is known.
pub(in crate::postgres) fn another_run(holder: Option<&str>) -> Error {
    let what = match holder {
        Some(holder) => SessionFailure::AnotherRunOf {
            holder: holder.to_owned(),
        },
        None => SessionFailure::AnotherRun,
    };
    Error::new(Kind::TargetBusy, what, SessionRemedy::WaitForRun)
}

/// Sessions are in the way that may not be ended.
pub(in crate::postgres) fn other_sessions(which: SessionFailure) -> Error {
    Error::new(Kind::TargetBusy, which, SessionRemedy::StopApp)
}
