//! The engine's errors as the documented Ruby exceptions.
//!
//! Which class one becomes, and its words, is decided in Ruby (`lib/scalingo_staging_sync/messages/engine_words.rb`).

use crate::words;
use magnus::{prelude::*, Exception, Ruby};
use serde::Serialize;
use staging_sync_engine::error::{About, Error, Kind};
use staging_sync_engine::text::Text;

/// What an exception is made of.
#[derive(Serialize)]
struct Facts<'e> {
    kind: Kind,
    what: &'e Text,
    remedy: &'e Text,
    about: &'e About,
}

/// The Ruby exception for an engine's error.
///
/// Falls back to `RuntimeError` when it cannot be made, which only a broken installation shows.
pub(crate) fn to_ruby(ruby: &Ruby, error: &Error) -> magnus::Error {
    let facts = Facts {
        kind: error.kind,
        what: &error.what,
        remedy: &error.remedy,
        about: &error.about,
    };
    let built = words::of(ruby, "error", &facts).and_then(Exception::try_convert);
    match built {
        Ok(exception) => exception.into(),
        Err(_) => magnus::Error::new(ruby.exception_runtime_error(), error.to_string()),
    }
}
