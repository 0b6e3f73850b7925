//! The engine's errors as the documented Ruby exceptions.
//!
//! Which class one becomes, and its words, is decided in Ruby (`lib/scalingo_staging_sync/messages/engine_words.rb`).

use crate::words;
use magnus::{prelude::*, Exception, ExceptionClass, RModule, Ruby};
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
/// Falls back to the parent of them all, with the words as they are, when it cannot be made.
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
        Err(_) => magnus::Error::new(parent(ruby), error.to_string()),
    }
}

/// `ScalingoStagingSync::Error`; `RuntimeError` only where not even that is loaded.
fn parent(ruby: &Ruby) -> ExceptionClass {
    let own = ruby.class_object().const_get::<_, RModule>("ScalingoStagingSync");
    let parent = own.and_then(|own| own.const_get::<_, ExceptionClass>("Error"));
    parent.unwrap_or_else(|_| ruby.exception_runtime_error())
}
