//! Ruby hashes in, engine structs out, and back.

use magnus::{Error, Ruby, Value};
use serde::{de::DeserializeOwned, Serialize};
use staging_sync_engine::error::{Error as EngineError, Kind};
use staging_sync_engine::failure::{JobFailure, JobRemedy};

/// Reads one settings hash into the engine's struct.
///
/// # Errors
/// `ConfigurationError`, without serde's own words: they can quote the offending value, which may be a secret.
pub(crate) fn settings<T: DeserializeOwned>(ruby: &Ruby, hash: Value) -> Result<T, Error> {
    serde_magnus::deserialize(ruby, hash).map_err(|error| {
        let message = error.to_string();
        let named = ["missing field", "unknown field", "unknown variant"]
            .iter()
            .find(|prefix| message.contains(**prefix))
            .and_then(|prefix| message.split(prefix).nth(1).map(|rest| format!("{prefix}{rest}")));
        let what = match named {
            Some(trouble) => JobFailure::SettingsDiffer { trouble },
            None => JobFailure::SettingOfOtherType,
        };
        let error = EngineError::new(Kind::Configuration, what, JobRemedy::SameVersion);
        crate::errors::to_ruby(ruby, &error)
    })
}

/// An engine's struct as a Ruby hash with symbol keys.
///
/// # Errors
/// Only when Ruby cannot allocate.
pub(crate) fn to_hash(ruby: &Ruby, value: &impl Serialize) -> Result<Value, Error> {
    serde_magnus::serialize(ruby, value)
}
