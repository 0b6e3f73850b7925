//! Archives that are written here, read again here and by pg_restore.
//!
//! Needs a server: `bin/with-postgres cargo test`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use pg_dump_archive::{
    Archive, Block, Compression, DumpId, Entry, EntryKind, Header, Section, Version, WriteError, Writer,
};
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use support::server::{output, program, psql, setting, Shop};
use support::{read_all, Contents, Squeeze, SQUEEZES};

const COMPRESSIONS: [Compression; 4] = [
    Compression::None,
    Compression::Gzip,
    Compression::Lz4,
    Compression::Zstd,
];

/// A copy of an archive, its blocks passed on in parts of `part` bytes.
fn copied<W: std::io::Write>(
    from: impl Read,
    to: W,
    compression: Compression,
    part: usize,
) -> Result<Writer<W>, WriteError> {
    let mut archive = Archive::open_to_copy(from).unwrap();
    let mut copy = Writer::new(to, archive.header(), compression, archive.entries())?;
    let mut bytes = vec![0; part];
    while let Some(block) = archive.next_block().unwrap() {
        match block {
            Block::Data(mut rows) => {
                copy.begin_data(rows.dump_id())?;
                pass(&mut rows, &mut bytes, &mut copy)?;
            }
            Block::LargeObjects(mut objects) => {
                copy.begin_objects(objects.dump_id())?;
                while let Some(mut object) = objects.next_object().unwrap() {
                    copy.begin_object(object.oid())?;
                    pass(&mut object, &mut bytes, &mut copy)?;
                    copy.end_object()?;
                }
            }
        }
        copy.end_block()?;
    }
    Ok(copy)
}

fn pass<W: std::io::Write>(
    from: &mut impl Read,
    bytes: &mut [u8],
    copy: &mut Writer<W>,
) -> Result<(), WriteError> {
    loop {
        match from.read(bytes).unwrap() {
            0 => return Ok(()),
            count => copy.write(&bytes[..count])?,
        }
    }
}

/// Everything that both say of themselves, but for what says where blocks lie.
fn assert_same(copy: &[u8], original: &[u8], compression: Compression) {
    let whole = |archive: &[u8]| {
        let archive = Archive::open_to_copy(archive).unwrap();
        let there = |id: &DumpId| archive.entry(*id).is_some();
        let bare = |entry: &Entry| Entry {
            data_size: None,
            dependencies: entry.dependencies.iter().copied().filter(there).collect(),
            ..entry.clone()
        };
        (
            archive.header().clone(),
            archive.entries().iter().map(bare).collect::<Vec<_>>(),
        )
    };
    let ((header, entries), (original_header, original_entries)) = (whole(copy), whole(original));
    assert_eq!(
        header,
        Header {
            version: Version {
                minor: original_header.version.minor.max(14),
                ..original_header.version
            },
            compression,
            ..original_header
        }
    );
    assert_eq!(entries, original_entries);
    let (copy, original) = (read_all(copy).unwrap(), read_all(original).unwrap());
    assert!(copy.data == original.data && copy.objects == original.objects);
}

fn sample(minor: u8) -> Vec<u8> {
    support::Writer::sample(minor, Squeeze::Gzip).build()
}

#[test]
fn a_copy_says_what_the_archive_says_in_every_version_and_compression() {
    for minor in 12..=16 {
        for squeeze in SQUEEZES {
            if minor < 15 && !matches!(squeeze, Squeeze::None | Squeeze::Gzip) {
                continue;
            }
            let original = support::Writer::sample(minor, squeeze).build();
            for compression in COMPRESSIONS {
                for part in [1, 7, 100_000] {
                    let copy = copied(&original[..], Vec::new(), compression, part);
                    if minor < 15 && !matches!(compression, Compression::None | Compression::Gzip) {
                        let error = copy.err().unwrap();
                        assert!(matches!(error, WriteError::Compression { .. }), "{error}");
                        continue;
                    }
                    assert_same(&copy.unwrap().finish().unwrap(), &original, compression);
                }
            }
        }
    }
}

#[test]
fn offsets_are_filled_in_where_the_output_can_seek() {
    let original = sample(16);
    let known = |archive: &[u8]| {
        let archive = Archive::open(archive).unwrap();
        archive
            .entries()
            .iter()
            .filter(|entry| entry.data_size.is_some())
            .count()
    };
    let copy = || copied(&original[..], Cursor::new(Vec::new()), Compression::Gzip, 100).unwrap();
    assert_eq!(known(&copy().finish().unwrap().into_inner()), 0);
    let writer = copy();
    let (position, begins) = (writer.position(), writer.block_begins(DumpId(1)).unwrap());
    let archive = writer.finish_seekable().unwrap();
    assert_eq!(archive.position(), position);
    let archive = archive.into_inner();
    assert_eq!(archive.len() as u64, position);
    assert_eq!(archive[begins as usize], 1);
    // Of the last block, nothing follows that would say how long it is.
    assert_eq!(known(&archive), 2);
    assert_same(&archive, &original, Compression::Gzip);
}

/// Chunks that are full, rows larger than one, and what does not compress.
#[test]
fn large_blocks_come_whole_in_every_compression() {
    let mut noise = 1_u64;
    let mut random = || {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (noise >> 56) as u8
    };
    let rows =
        |length: usize, next: &mut dyn FnMut() -> u8| -> Vec<u8> { (0..length).map(|_| next()).collect() };
    for length in [0, 1, 65_535, 65_536, 65_537, 700_000] {
        for data in [rows(length, &mut random), rows(length, &mut || b'a')] {
            let mut writer = support::Writer::sample(16, Squeeze::None);
            writer.items[2].data = Some(support::Data::Rows(data.clone()));
            writer.items[4].data = Some(support::Data::Objects(vec![(7, data.clone()), (8, data.clone())]));
            let original = writer.build();
            for compression in COMPRESSIONS {
                for part in [4_000, 65_536, 1_000_000] {
                    let copy = copied(&original[..], Vec::new(), compression, part).unwrap();
                    let copy = read_all(&copy.finish().unwrap()[..]).unwrap();
                    assert!(copy.rows("users") == data, "{compression} {length} {part}");
                    assert!(copy.objects[&7] == data && copy.objects[&8] == data);
                }
            }
        }
    }
}

#[test]
fn entries_that_are_left_out_are_in_no_list_of_dependencies() {
    let archive = Archive::open_to_copy(Cursor::new(sample(16))).unwrap();
    let kept = archive
        .entries()
        .iter()
        .filter(|entry| entry.kind != EntryKind::Table);
    let mut copy = Writer::new(Vec::new(), archive.header(), Compression::None, kept).unwrap();
    for id in [DumpId(2), DumpId(1)] {
        copy.begin_data(id).unwrap();
        copy.write(b"\\.\n\n\n").unwrap();
        copy.end_block().unwrap();
    }
    copy.begin_objects(DumpId(3)).unwrap();
    copy.end_block().unwrap();
    let copy: Contents = read_all(&copy.finish().unwrap()[..]).unwrap();
    assert_eq!(copy.entries.len(), 4);
    assert!(copy.entries.iter().all(|entry| entry.dependencies.is_empty()));
    assert_eq!(copy.data.len(), 2);
}

#[test]
fn calls_that_do_not_follow_one_another_are_refused() {
    let archive = Archive::open_to_copy(Cursor::new(sample(16))).unwrap();
    let begin = || Writer::new(Vec::new(), archive.header(), Compression::Gzip, archive.entries()).unwrap();
    let order =
        |result: Result<(), WriteError>| assert!(matches!(result, Err(WriteError::Order(_))), "{result:?}");
    let no_data =
        |result: Result<(), WriteError>| assert!(matches!(result, Err(WriteError::NoData(_))), "{result:?}");
    order(begin().write(b"rows"));
    order(begin().end_block());
    order(begin().end_object());
    order(begin().begin_object(1));
    no_data(begin().begin_data(DumpId(101)));
    no_data(begin().begin_data(DumpId(999)));

    let mut copy = begin();
    copy.begin_data(DumpId(1)).unwrap();
    order(copy.begin_data(DumpId(2)));
    order(copy.begin_object(1));
    copy.end_block().unwrap();
    no_data(copy.begin_data(DumpId(1)));
    copy.begin_objects(DumpId(3)).unwrap();
    order(copy.begin_object(0));
    order(copy.write(b"rows"));
    copy.begin_object(7).unwrap();
    order(copy.end_block());

    assert!(matches!(begin().finish(), Err(WriteError::Missing(DumpId(1)))));
    let mut copy = begin();
    copy.begin_data(DumpId(1)).unwrap();
    assert!(matches!(copy.finish(), Err(WriteError::Order(_))));
}

#[test]
fn an_error_of_the_writer_underneath_comes_through() {
    struct Full(usize);
    impl std::io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self
                .0
                .checked_sub(bytes.len())
                .ok_or(std::io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let original = sample(16);
    let length = copied(&original[..], Vec::new(), Compression::None, 100)
        .unwrap()
        .finish()
        .unwrap()
        .len();
    for room in [0, length - 1] {
        let error = copied(&original[..], Full(room), Compression::None, 100)
            .and_then(Writer::finish)
            .err()
            .unwrap();
        assert!(matches!(error, WriteError::Io(_)), "{error}");
    }
}

#[test]
fn a_header_with_an_impossible_time_is_refused() {
    let archive = Archive::open(Cursor::new(sample(16))).unwrap();
    for time in ["", "2024-12-31", "2024-12-31 12:34:56:78", "yesterday"] {
        let header = Header {
            created_at: time.to_owned(),
            ..archive.header().clone()
        };
        let refused = Writer::new(Vec::new(), &header, Compression::Gzip, archive.entries());
        assert!(matches!(refused.err(), Some(WriteError::Header)), "{time}");
    }
}

/// What pg_restore prints.
fn pg_restore(options: &[&str], archive: &Path) -> String {
    let mut command = Command::new(program("pg_restore"));
    String::from_utf8_lossy(&output(command.args(options).arg(archive))).into_owned()
}

/// The list without the lines on the file: how many entries and which compression.
fn list(archive: &Path) -> String {
    let list = pg_restore(&["-l"], archive);
    let lines = list.lines().filter(|line| !line.contains("Compression:"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Lines that differ from one call to the next.
fn script(archive: &Path, options: &[&str]) -> String {
    let script = pg_restore(&[options, &["-f", "-"]].concat(), archive);
    let lines = script.lines().filter(|line| !line.contains("restrict "));
    lines.collect::<Vec<_>>().join("\n")
}

/// Those that this PostgreSQL was built with.
fn compressions() -> Vec<Compression> {
    let has = |compression: &Compression| {
        if matches!(compression, Compression::None | Compression::Gzip) {
            return true;
        }
        let mut command = Command::new(program("pg_dump"));
        command.args(["-Fc", "-Z", &compression.to_string(), &setting("TEST_PG_URL")]);
        command.output().unwrap().status.success()
    };
    COMPRESSIONS.into_iter().filter(has).collect()
}

fn write_copies(original: &Path, compression: Compression, directory: &Path) -> (PathBuf, PathBuf) {
    let (seekable, piped) = (directory.join("seekable.dump"), directory.join("piped.dump"));
    let read = || std::fs::File::open(original).unwrap();
    copied(
        read(),
        std::fs::File::create(&seekable).unwrap(),
        compression,
        10_000,
    )
    .unwrap()
    .finish_seekable()
    .unwrap();
    copied(
        read(),
        std::fs::File::create(&piped).unwrap(),
        compression,
        10_000,
    )
    .unwrap()
    .finish()
    .unwrap();
    (seekable, piped)
}

#[test]
fn pg_restore_makes_the_same_script_of_a_copy() {
    let shop = Shop::open("copies");
    for options in [
        &[][..],
        &["--schema-only"],
        &["--data-only"],
        &["--inserts"],
        &["--clean", "--create"],
    ] {
        let original = shop.dump(options);
        for compression in compressions() {
            let (seekable, piped) = write_copies(&original, compression, shop.directory.path());
            for copy in [&seekable, &piped] {
                assert_eq!(list(copy), list(&original), "{compression} {options:?}");
                for how in [&[][..], &["--clean", "--if-exists"], &["--data-only"]] {
                    let (copied, expected) = (script(copy, how), script(&original, how));
                    if let Some((left, right)) = copied
                        .lines()
                        .zip(expected.lines())
                        .find(|(left, right)| left != right)
                    {
                        panic!("{compression} {options:?} {how:?}: {left:.200} {right:.200}");
                    }
                    assert_eq!(copied.len(), expected.len(), "{compression} {options:?} {how:?}");
                }
            }
        }
    }
}

/// A new database into which `fill` restores; its dump, as SQL.
fn restored(name: &str, fill: impl FnOnce(&str)) -> String {
    let server = setting("TEST_PG_URL");
    let database = format!("written_{name}_{}", std::process::id());
    psql(&server, &format!("CREATE DATABASE {database}"));
    let (host, _) = server.rsplit_once('/').unwrap();
    let url = format!("{host}/{database}");
    fill(&url);
    let dump = output(Command::new(program("pg_dump")).arg(&url));
    psql(&server, &format!("DROP DATABASE {database}"));
    let dump = String::from_utf8_lossy(&dump).into_owned();
    let lines = dump.lines().filter(|line| !line.contains("restrict "));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_copy_restores_alone_in_parallel_from_a_pipe_and_in_part() {
    let shop = Shop::open("restores");
    let original = shop.dump(&[]);
    let restore = |options: &'static [&'static str], archive: PathBuf| {
        move |url: &str| drop(pg_restore(&[&["-e", "-d", url], options].concat(), &archive))
    };
    let expected = restored("original", restore(&[], original.clone()));
    let some: &[&str] = &["-t", "users", "-t", "computed"];
    let expected_some = restored("original_some", |url| {
        psql(url, "CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'tab\tbed')");
        restore(some, original.clone())(url);
    });
    for compression in compressions() {
        let (seekable, piped) = write_copies(&original, compression, shop.directory.path());
        for (kind, copy) in [("seekable", &seekable), ("piped", &piped)] {
            for (how, options) in [("one", &[][..]), ("four", &["-j4"])] {
                let name = format!("{kind}_{how}_{compression}");
                assert!(
                    restored(&name, restore(options, copy.clone())) == expected,
                    "{name}"
                );
            }
            let name = format!("{kind}_some_{compression}");
            let found = restored(&name, |url| {
                psql(url, "CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'tab\tbed')");
                restore(some, copy.clone())(url);
            });
            assert!(found == expected_some, "{name}");
            let name = format!("{kind}_stdin_{compression}");
            let found = restored(&name, |url| {
                let mut command = Command::new(program("pg_restore"));
                let command = command.args(["-e", "-d", url]);
                let archive = std::fs::File::open(copy).unwrap();
                assert!(command.stdin(Stdio::from(archive)).status().unwrap().success());
            });
            assert!(found == expected, "{name}");
        }
    }
}

#[test]
fn sections_stay_what_they_are() {
    let archive = Archive::open_to_copy(Cursor::new(sample(16))).unwrap();
    let sections: Vec<Section> = archive.entries().iter().map(|entry| entry.section).collect();
    let copy = copied(&sample(16)[..], Vec::new(), Compression::Gzip, 100).unwrap();
    let copy = read_all(&copy.finish().unwrap()[..]).unwrap();
    assert_eq!(
        copy.entries.iter().map(|entry| entry.section).collect::<Vec<_>>(),
        sections
    );
}
