//! The tables that `build.rs` compresses.

use flate2::read::ZlibDecoder;
use std::io::Read;

/// `weights.tsv`.
pub(super) fn weights() -> String {
    unpacked(include_bytes!(concat!(env!("OUT_DIR"), "/weights.tsv")))
}

/// `classes.txt`.
pub(super) fn classes() -> String {
    unpacked(include_bytes!(concat!(env!("OUT_DIR"), "/classes.txt")))
}

/// Without its tables the library would find less and say nothing of it, so it ends where they cannot be read.
#[allow(clippy::expect_used)]
fn unpacked(bytes: &[u8]) -> String {
    let mut text = String::new();
    ZlibDecoder::new(bytes)
        .read_to_string(&mut text)
        .expect("build.rs has compressed this text");
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tables_are_those_of_the_source() {
        assert_eq!(super::weights(), include_str!("weights.tsv"));
        assert_eq!(super::classes(), include_str!("classes.txt"));
    }
}
