//! What each fuzz target does with bytes: reads them as the gem reads those of others, and asserts what has to hold of
//! the result. A panic, a sanitizer's complaint, more than 512 MiB or ten seconds is a finding.

mod archives;
mod engine;
mod rows;
mod values;

pub use archives::{blocks, contents, decompress};
pub use engine::{answers, schema, sql_rules, unpack};
pub use rows::{copy_binary, copy_text, inserts};
pub use values::{detectors, masks};

/// The first byte as a choice, and the rest.
fn choose(bytes: &[u8]) -> (usize, &[u8]) {
    match bytes.split_first() {
        Some((first, rest)) => (usize::from(*first), rest),
        None => (0, bytes),
    }
}
