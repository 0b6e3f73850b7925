//! What the engine hands over, put into words by Ruby: `ScalingoStagingSync::Messages::EngineWords`.

use crate::convert;
use magnus::{prelude::*, Error, RModule, Ruby, Value};
use serde::Serialize;

/// The engine's data as a Ruby value, in words. `method`: what it is, `result`, `event` or `error`.
///
/// # Errors
/// Only when Ruby cannot allocate, or an installation is broken.
pub(crate) fn of(ruby: &Ruby, method: &str, data: &impl Serialize) -> Result<Value, Error> {
    let words = ruby
        .class_object()
        .const_get::<_, RModule>("ScalingoStagingSync")?
        .const_get::<_, RModule>("Messages")?
        .const_get::<_, RModule>("EngineWords")?;
    words.funcall(method, (convert::to_hash(ruby, data)?,))
}
