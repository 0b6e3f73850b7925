//! Damaged archives: always an error or a result, never a panic, never memory on a lie's word.
//!
//! A binary of its own, because one test looks at the process's peak memory.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use pg_dump_archive::ArchiveError;
use proptest::prelude::*;
use support::{read_all, Item, Squeeze, Writer, SQUEEZES};

/// The most memory that this process has had, in KiB; None where the system does not say.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn assert_modest(before: Option<u64>) {
    if let (Some(before), Some(after)) = (before, peak_memory()) {
        assert!(after - before < 64 * 1024, "{} KiB more", after - before);
    }
}

fn samples() -> Vec<Vec<u8>> {
    let mut samples: Vec<_> = SQUEEZES.map(|squeeze| Writer::sample(16, squeeze).build()).into();
    samples.push(
        Writer {
            offsets: false,
            ..Writer::sample(16, Squeeze::Gzip)
        }
        .build(),
    );
    samples.extend((12..=15).map(|minor| Writer::sample(minor, Squeeze::Gzip).build()));
    samples
}

#[test]
fn an_archive_cut_off_anywhere_is_an_error() {
    for archive in samples() {
        assert!(read_all(&archive[..]).is_ok());
        for length in 0..archive.len() {
            match read_all(&archive[..length]) {
                Err(ArchiveError::Truncated { .. }) => {}
                other => panic!("cut off at {length} of {}: {other:?}", archive.len()),
            }
        }
    }
}

#[test]
fn any_byte_changed_is_an_error_or_a_result() {
    let before = peak_memory();
    for archive in samples() {
        for at in 0..archive.len() {
            for mask in [0x01, 0x02, 0x40, 0x80, 0xff] {
                let mut damaged = archive.clone();
                damaged[at] ^= mask;
                let _ = read_all(&damaged[..]);
            }
        }
    }
    assert_modest(before);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn several_changes_are_an_error_or_a_result(
        squeeze in 0usize..4,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), 0usize..40), 0..3),
    ) {
        let rows: Vec<u8> = (0..3_000u32).flat_map(|n| format!("{n}\t{}\n", n % 7).into_bytes()).collect();
        let mut writer = Writer { chunk: 500, ..Writer::sample(16, SQUEEZES[squeeze]) };
        writer.items.push(Item::table_data(8, "more", &rows));
        let mut archive = writer.build();
        for (at, byte) in changes {
            let at = at.index(archive.len());
            archive[at] = byte;
        }
        for (at, length) in cuts {
            let at = at.index(archive.len());
            archive.drain(at..(at + length).min(archive.len()));
        }
        let _ = read_all(&archive[..]);
    }

    #[test]
    fn any_bytes_behind_the_magic_are_an_error_or_a_result(tail in any::<Vec<u8>>()) {
        let mut archive = b"PGDMP\x01\x10\x00\x04\x08\x01\x01".to_vec();
        archive.extend_from_slice(&tail);
        prop_assert!(read_all(&archive[..]).is_err());
    }
}
