//! The values of a URL's parameters, as libpq reads them.

use super::refused;
use crate::error::{Error, Kind, Result};
use crate::failure::{SessionFailure, SessionRemedy};
use std::time::Duration;

/// libpq: 0, negative and absent mean no limit (ours then, since a run may not hang for ever), and 1 means 2.
pub(super) fn connect_timeout(name: &str, value: &str) -> Result<Option<Duration>> {
    let seconds: i64 = value.trim().parse().map_err(|_| bad_value(name))?;
    Ok(u64::try_from(seconds)
        .ok()
        .filter(|seconds| *seconds > 0)
        .map(|seconds| Duration::from_secs(seconds.max(2))))
}

pub(super) fn seconds_into(place: &mut Duration, name: &str, value: &str) -> Result<()> {
    match number(name, value)? {
        0 => {}
        seconds => *place = Duration::from_secs(seconds),
    }
    Ok(())
}

pub(super) fn number(name: &str, value: &str) -> Result<u64> {
    value.trim().parse().map_err(|_| bad_value(name))
}

pub(super) fn choice<T: Copy>(name: &str, value: &str, known: &[(&str, T)]) -> Result<T> {
    known
        .iter()
        .find(|(word, _)| *word == value)
        .map(|(_, meaning)| *meaning)
        .ok_or_else(|| {
            let words = known.iter().map(|(word, _)| (*word).to_owned()).collect();
            Error::new(
                Kind::Configuration,
                SessionFailure::ValueNotHonoured {
                    parameter: printable(name).to_owned(),
                },
                SessionRemedy::PossibleValues { words },
            )
        })
}

pub(super) fn printable(name: &str) -> &str {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.len() < 40;
    if plain {
        name
    } else {
        "(unreadable)"
    }
}

pub(super) fn bad_value(name: &str) -> Error {
    refused(SessionFailure::ValueUnread {
        parameter: printable(name).to_owned(),
    })
}
