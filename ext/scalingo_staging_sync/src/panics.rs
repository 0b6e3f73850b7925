//! A panic of the engine must not print what it was working on.
//!
//! Rust's default hook writes the panic's message to standard error, and a message such as that of a failed
//! slice quotes the text it failed on, which can be a row. The hook installed here says where the engine's
//! threads panicked and nothing else; panics of other threads go to the hook that was there before.

use std::panic::PanicHookInfo;
use std::sync::{Mutex, PoisonError};

/// What the names of the engine's threads begin with.
pub(crate) const THREAD_NAME: &str = "staging-sync";

/// Where the last panic happened, for the exception's message.
static LAST: Mutex<Option<String>> = Mutex::new(None);

/// Installs the hook, once, when the library is loaded.
pub(crate) fn install_hook() {
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic: &PanicHookInfo<'_>| {
        if std::thread::current()
            .name()
            .is_some_and(|name| name.starts_with(THREAD_NAME))
        {
            let place = panic
                .location()
                .map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
            *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
        } else {
            previous(panic);
        }
    }));
}

/// Takes the place of the last panic, such as `ext/archive/src/copy/mod.rs:12:5`.
pub(crate) fn take_place() -> String {
    LAST.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
        .unwrap_or_else(|| "an unknown place".to_owned())
}
