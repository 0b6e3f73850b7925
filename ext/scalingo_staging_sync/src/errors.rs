//! The engine's errors as the documented Ruby exceptions.
//!
//! The classes are defined in Ruby (`lib/scalingo_staging_sync/errors.rb` and its neighbours) and looked up by
//! name when one is needed, so that autoloading finds them.

use magnus::{prelude::*, ExceptionClass, Ruby};
use staging_sync_engine::error::Error;

/// The Ruby exception for an engine's error: its documented class, with `what` and `remedy` as arguments.
///
/// Falls back to `RuntimeError` when the class cannot be found, which only a broken installation shows.
pub fn to_ruby(ruby: &Ruby, error: &Error) -> magnus::Error {
    let built = ruby
        .class_object()
        .const_get::<_, magnus::RModule>("ScalingoStagingSync")
        .and_then(|module| module.funcall::<_, _, ExceptionClass>("const_get", (error.kind.class_name(),)))
        .and_then(|class| class.funcall::<_, _, magnus::Exception>("new", (&*error.what, &*error.remedy)));
    match built {
        Ok(exception) => exception.into(),
        Err(_) => magnus::Error::new(ruby.exception_runtime_error(), error.to_string()),
    }
}
