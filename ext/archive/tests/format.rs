//! The archive reader against archives of every version, written by the tests' own writer.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use pg_dump_archive::{Archive, ArchiveError, Block, Compression, DumpId, EntryKind, Section, Version};
use std::io::{self, Read};
use support::{read_all, squeeze, Data, Drops, Item, Squeeze, Writer, SQUEEZES};

/// The data of an [`Item`] that holds rows.
fn rows_of(item: &Item) -> &[u8] {
    match item.data.as_ref().unwrap() {
        Data::Rows(rows) => rows,
        Data::Objects(_) => panic!("large objects"),
    }
}

#[test]
fn every_version_is_read_in_every_compression_it_knows() {
    for minor in 12..=16 {
        for squeeze in SQUEEZES {
            if minor < 15 && matches!(squeeze, Squeeze::Lz4 | Squeeze::Zstd) {
                continue;
            }
            let writer = Writer::sample(minor, squeeze);
            let contents = read_all(&writer.build()[..]).unwrap();
            assert_eq!(contents.header.version.minor, minor);
            assert_eq!(contents.header.created_at, "2024-12-31 12:34:56");
            assert_eq!(contents.header.database, "shop");
            assert_eq!(contents.header.server_version, "17.2");
            assert_eq!(contents.header.dump_version, "16.4");
            assert_eq!(
                contents.rows("users"),
                rows_of(&writer.items[2]),
                "1.{minor} {squeeze:?}"
            );
            assert_eq!(contents.rows("nobody"), b"\\.\n\n\n");
            assert_eq!(contents.objects[&16_402], b"a large object");
            assert_eq!(contents.objects[&3_000_000_000], b"");
            assert_eq!(contents.objects[&16_404], b"another");
        }
    }
}

#[test]
fn integers_and_offsets_are_of_the_size_the_header_gives() {
    for (int_size, offset_size) in [(4, 8), (8, 8), (4, 4), (5, 3)] {
        let writer = Writer {
            int_size,
            offset_size,
            ..Writer::sample(16, Squeeze::Gzip)
        };
        let contents = read_all(&writer.build()[..]).unwrap();
        assert_eq!(
            contents.rows("users"),
            rows_of(&writer.items[2]),
            "{int_size} {offset_size}"
        );
    }
    for (int_size, offset_size) in [(0, 8), (9, 8), (4, 0), (4, 9), (255, 255)] {
        let mut archive = Writer::sample(16, Squeeze::Gzip).build();
        archive[8] = int_size;
        archive[9] = offset_size;
        assert!(
            matches!(read_all(&archive[..]), Err(ArchiveError::Corrupt { .. })),
            "{int_size} {offset_size}"
        );
    }
}

#[test]
fn a_reader_that_gives_one_byte_at_a_time_is_enough() {
    for squeeze in SQUEEZES {
        for chunk in [1, 7, 4096] {
            let writer = Writer {
                chunk,
                ..Writer::sample(16, squeeze)
            };
            let contents = read_all(Drops(&writer.build()[..])).unwrap();
            assert_eq!(contents.rows("users"), rows_of(&writer.items[2]));
        }
    }
}

#[test]
fn entries_hold_what_the_table_of_contents_says() {
    let archive = Archive::open(io::Cursor::new(Writer::sample(16, Squeeze::Gzip).build())).unwrap();
    assert_eq!(archive.header().compression, Compression::Gzip);
    let table = archive.entry(DumpId(101)).unwrap();
    assert_eq!(
        (&table.kind, table.tag.as_str(), table.oid),
        (&EntryKind::Table, "users", 16_385)
    );
    assert_eq!(table.defn, "CREATE TABLE public.users (id integer);\n");
    assert_eq!(
        (table.namespace.as_str(), table.table_am.as_str()),
        ("public", "heap")
    );
    assert_eq!((table.section, table.has_data), (Section::PreData, false));
    let rows = archive.entry(DumpId(1)).unwrap();
    assert_eq!((rows.section, rows.has_data), (Section::Data, true));
    assert_eq!(rows.copy_stmt, "COPY public.users (id) FROM stdin;\n");
    assert_eq!(rows.dependencies, [DumpId(101)]);
    assert!(archive.entry(DumpId(999)).is_none());
}

#[test]
fn the_size_of_data_is_the_distance_to_the_next_block_where_offsets_are_there() {
    let mut writer = Writer::sample(16, Squeeze::None);
    let archive = Archive::open(io::Cursor::new(writer.build())).unwrap();
    // Type byte, dump id, chunks of at most 16 bytes with their lengths, the closing 0.
    let users = rows_of(&writer.items[2]).len() as u64;
    assert_eq!(
        archive.entry(DumpId(1)).unwrap().data_size,
        Some(1 + 5 + users + 5 * users.div_ceil(16) + 5)
    );
    assert!(archive.entry(DumpId(2)).unwrap().data_size.is_some());
    assert_eq!(archive.entry(DumpId(3)).unwrap().data_size, None);
    assert_eq!(archive.entry(DumpId(101)).unwrap().data_size, None);
    writer.offsets = false;
    let archive = Archive::open(io::Cursor::new(writer.build())).unwrap();
    assert!(archive.entries().iter().all(|entry| entry.data_size.is_none()));
    assert!(archive.entry(DumpId(1)).unwrap().has_data);
}

#[test]
fn a_block_that_is_not_read_is_passed_over_without_being_decompressed() {
    for squeeze in [Squeeze::Gzip, Squeeze::Lz4, Squeeze::Zstd] {
        let writer = Writer::sample(16, squeeze);
        let mut archive = writer.build();
        // The chunks of `users` and of the first large object become nonsense.
        for text in [
            &b"1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n\\.\n\n\n"[..],
            b"a large object",
        ] {
            let start = support::squeeze(squeeze, text)[..8].to_vec();
            let at = archive.windows(8).position(|window| window == start).unwrap();
            archive[at..at + 8].fill(0xaa);
        }
        let mut reader = Archive::open(&archive[..]).unwrap();
        let mut seen = Vec::new();
        while let Some(block) = reader.next_block().unwrap() {
            match block {
                Block::Data(rows) => seen.push(rows.dump_id()),
                Block::LargeObjects(mut objects) => {
                    assert_eq!(objects.next_object().unwrap().unwrap().oid(), 16_402);
                    seen.push(objects.dump_id());
                }
            }
        }
        assert_eq!(seen, [DumpId(1), DumpId(2), DumpId(3)]);
        assert!(
            matches!(read_all(&archive[..]), Err(ArchiveError::Compression { .. })),
            "{squeeze:?}"
        );
    }
}

#[test]
fn what_is_forgotten_once_it_is_planned_is_not_needed_to_read_the_blocks() {
    let writer = Writer::sample(16, Squeeze::Gzip);
    let built = writer.build();
    let mut reader = Archive::open(&built[..]).unwrap();
    reader.forget_statements();
    let left: Vec<DumpId> = reader.entries().iter().map(|entry| entry.dump_id).collect();
    assert_eq!(left, [DumpId(1), DumpId(2), DumpId(3)]);
    assert!(reader.entries().iter().all(|entry| entry.copy_stmt.is_empty()));
    let mut seen = Vec::new();
    while let Some(block) = reader.next_block().unwrap() {
        match block {
            Block::Data(rows) => seen.push(rows.dump_id()),
            Block::LargeObjects(objects) => seen.push(objects.dump_id()),
        }
    }
    assert_eq!(seen, left);
    let mut lacking = writer.clone();
    lacking.items[3].data = None;
    let lacking = lacking.build();
    let mut reader = Archive::open(&lacking[..]).unwrap();
    reader.forget_statements();
    while let Ok(Some(_)) = reader.next_block() {}
    assert!(matches!(
        reader.next_block(),
        Err(ArchiveError::Truncated { place }) if place.contains("public.nobody")
    ));
}

#[test]
fn a_block_read_in_part_leaves_the_next_one_whole() {
    for squeeze in SQUEEZES {
        let long: Vec<u8> = (0..200_000u32)
            .flat_map(|n| (n.wrapping_mul(2_654_435_761) >> 7).to_le_bytes())
            .collect();
        let mut writer = Writer {
            chunk: 1000,
            ..Writer::sample(16, squeeze)
        };
        writer.items.insert(2, Item::table_data(9, "long", &long));
        writer
            .items
            .insert(5, Item::objects(10, &[(5, &long), (6, b"short"), (7, &long)]));
        let archive = writer.build();
        let mut reader = Archive::open(&archive[..]).unwrap();
        let mut whole = Vec::new();
        while let Some(block) = reader.next_block().unwrap() {
            match block {
                Block::Data(mut rows) if rows.dump_id() == DumpId(9) => {
                    rows.read_exact(&mut [0; 100]).unwrap()
                }
                Block::Data(mut rows) => drop(rows.read_to_end(&mut whole).unwrap()),
                Block::LargeObjects(mut objects) if objects.dump_id() == DumpId(10) => {
                    objects
                        .next_object()
                        .unwrap()
                        .unwrap()
                        .read_exact(&mut [0; 100])
                        .unwrap();
                    objects
                        .next_object()
                        .unwrap()
                        .unwrap()
                        .read_to_end(&mut whole)
                        .unwrap();
                    objects
                        .next_object()
                        .unwrap()
                        .unwrap()
                        .read_exact(&mut [0; 1])
                        .unwrap();
                }
                Block::LargeObjects(mut objects) => {
                    while let Some(mut object) = objects.next_object().unwrap() {
                        object.read_to_end(&mut whole).unwrap();
                    }
                    assert!(objects.next_object().unwrap().is_none());
                }
            }
        }
        let expected = [rows_of(&writer.items[3]), b"\\.\n\n\nshorta large objectanother"].concat();
        assert_eq!(whole, expected, "{squeeze:?}");
        assert!(reader.next_block().unwrap().is_none());
    }
}

#[test]
fn many_small_blocks_share_one_decompressor() {
    for squeeze in SQUEEZES {
        let mut writer = Writer::sample(16, squeeze);
        writer.items = (1..=2_000)
            .map(|id| Item::table_data(id, &format!("t{id}"), format!("{id}\n\\.\n").as_bytes()))
            .collect();
        let contents = read_all(&writer.build()[..]).unwrap();
        for id in 1..=2_000 {
            assert_eq!(contents.data[&DumpId(id)], format!("{id}\n\\.\n").as_bytes());
        }
    }
}

#[test]
fn what_is_no_archive_of_this_kind_is_refused_by_name() {
    let refusal = |archive: &[u8]| Archive::open(archive).map(|_| ()).unwrap_err();
    let sample = Writer::sample(16, Squeeze::Gzip);

    assert!(matches!(
        refusal(b"-- PostgreSQL database dump\n"),
        ArchiveError::NotAnArchive
    ));
    assert!(matches!(
        refusal(b""),
        ArchiveError::Truncated { .. } | ArchiveError::NotAnArchive
    ));

    for (major, minor) in [(1, 17), (2, 0), (1, 11), (0, 16)] {
        let mut archive = sample.build();
        archive[5..7].copy_from_slice(&[major, minor]);
        match refusal(&archive) {
            ArchiveError::UnsupportedVersion { version } => {
                assert_eq!((version.major, version.minor), (major, minor));
                assert_eq!(version > Version::NEWEST, (major, minor) >= (1, 17));
            }
            other => panic!("{other:?}"),
        }
    }

    for (format, name) in [(3, "tar"), (5, "directory")] {
        let other = Writer {
            format,
            ..sample.clone()
        };
        match refusal(&other.build()) {
            ArchiveError::UnsupportedFormat { format } => assert_eq!(format, name),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_encoding_that_is_not_read_is_named() {
    let with_encoding = |name: &str, tag: &[u8]| -> Result<(), ArchiveError> {
        let mut writer = Writer::sample(16, Squeeze::Gzip);
        writer.items[0].defn = Some(format!("SET client_encoding = '{name}';\n").into_bytes());
        // The entry that is not UTF-8 comes before the one that names the encoding.
        writer.items.insert(
            0,
            Item {
                tag: tag.to_vec(),
                ..Item::new(50, "TABLE", "", 2)
            },
        );
        Archive::open(&writer.build()[..]).map(|_| ())
    };
    with_encoding("LATIN1", b"ascii").unwrap();
    with_encoding("UTF8", "é".as_bytes()).unwrap();
    for (name, tag) in [
        ("LATIN1", &b"\xe9"[..]),
        ("SQL_ASCII", b"\xff\xfe"),
        ("SJIS", b"ascii"),
        ("GBK", b"ascii"),
    ] {
        match with_encoding(name, tag).unwrap_err() {
            ArchiveError::UnsupportedEncoding { encoding } => assert_eq!(encoding.as_deref(), Some(name)),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn data_that_the_table_of_contents_announces_and_the_archive_lacks_is_named() {
    let writer = Writer::sample(16, Squeeze::Gzip);
    for (missing, name) in [(2, "public.users"), (3, "public.nobody"), (4, "large objects")] {
        let mut lacking = writer.clone();
        lacking.items[missing].data = None;
        match read_all(&lacking.build()[..]) {
            Err(ArchiveError::Truncated { place }) => assert!(place.contains(name), "{place}"),
            other => panic!("{other:?}"),
        }
    }
    // Nothing was announced here, so nothing is missing.
    let mut without = writer;
    without.items.truncate(2);
    assert!(read_all(&without.build()[..]).unwrap().data.is_empty());
}

#[test]
fn what_follows_the_last_block_or_belongs_to_no_entry_is_refused() {
    let writer = Writer::sample(16, Squeeze::Gzip);
    let mut unknown = writer.clone();
    let mut block_of_nobody = Vec::new();
    block_of_nobody.push(1);
    unknown.integer(77, &mut block_of_nobody);
    unknown.raw_chunks(b"", &mut block_of_nobody);
    let mut block_again = Vec::new();
    block_again.push(1);
    unknown.integer(2, &mut block_again);
    unknown.raw_chunks(b"", &mut block_again);
    for tail in [&b"\0"[..], b"garbage", b"\x01", &block_of_nobody, &block_again] {
        let archive = [&writer.build()[..], tail].concat();
        let error = read_all(&archive[..]).unwrap_err();
        assert!(
            matches!(
                error,
                ArchiveError::Corrupt { .. } | ArchiveError::Truncated { .. }
            ),
            "{} {error}",
            tail.escape_ascii()
        );
    }
    unknown.items[3].dump_id = unknown.items[2].dump_id;
    assert!(matches!(
        read_all(&unknown.build()[..]),
        Err(ArchiveError::Corrupt { .. })
    ));
}

#[test]
fn a_compressed_stream_and_its_chunks_end_together_or_the_table_is_named() {
    for kind in [Squeeze::Gzip, Squeeze::Lz4, Squeeze::Zstd] {
        let rows: Vec<u8> = (0..300_000u32)
            .flat_map(|n| format!("{}\n", n.wrapping_mul(2_654_435_761)).into_bytes())
            .collect();
        let stream = squeeze(kind, &rows);
        let cut_at = |length: usize| stream[..length].to_vec();
        let mut longer = stream.clone();
        longer.push(0);
        let mut damaged = stream.clone();
        let middle = damaged.len() / 2;
        damaged[middle..middle + 100].fill(0xff);
        let twice = [&stream[..], &stream[..]].concat();
        let mut streams = vec![longer, twice];
        // pg_dump writes LZ4 frames without checksums, so a byte changed in a literal cannot be seen.
        if kind != Squeeze::Lz4 {
            streams.push(damaged);
        }
        streams.extend(
            [
                1,
                3,
                4,
                6,
                7,
                8,
                11,
                100,
                stream.len() / 3,
                stream.len() - 4,
                stream.len() - 1,
            ]
            .map(cut_at),
        );
        for stream in streams {
            // Written uncompressed, so that the chunks hold these very bytes, and then called compressed.
            let mut writer = Writer {
                chunk: 30_000,
                ..Writer::sample(16, Squeeze::None)
            };
            writer.items = vec![Item::table_data(1, "users", &stream)];
            let mut archive = writer.build();
            archive[11] = kind as u8;
            match read_all(&archive[..]) {
                Err(ArchiveError::Compression { place, .. }) => assert_eq!(place, "the rows of public.users"),
                Err(other) => panic!("{kind:?}, {} bytes: {other}", stream.len()),
                Ok(_) => panic!("{kind:?}, {} bytes were taken for sound", stream.len()),
            }
        }
    }
}

#[test]
fn impossible_lengths_are_refused_before_they_are_believed() {
    let writer = Writer::sample(16, Squeeze::None);
    let archive = writer.build();
    let tag = archive.windows(5).position(|window| window == b"users").unwrap();
    let count = archive.windows(4).position(|window| window == b"16.4").unwrap() + 4;
    let first_chunk = archive.windows(3).position(|window| window == b"1\n2").unwrap() - 5;
    for (at, place) in [
        (tag - 5, "entry 2 of 5"),
        (count, "table of contents"),
        (first_chunk, "public.users"),
    ] {
        for length in [
            [1, 2, 0, 0, 0],
            [0, 0xff, 0xff, 0xff, 0x7f],
            [0, 0xff, 0xff, 0xff, 0xff],
            [7, 0, 0, 0, 0],
        ] {
            let mut damaged = archive.clone();
            damaged[at..at + 5].copy_from_slice(&length);
            let error = read_all(&damaged[..]).unwrap_err();
            assert!(
                matches!(
                    error,
                    ArchiveError::Corrupt { .. } | ArchiveError::Truncated { .. }
                ),
                "{error:?}"
            );
            assert!(error.to_string().contains(place), "{error}");
        }
    }
}

#[test]
fn an_error_of_the_reader_underneath_comes_back_as_it_was() {
    #[derive(Debug, thiserror::Error)]
    #[error("the download broke after {0} bytes")]
    struct Own(usize);
    struct Broken(usize);
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other(Own(self.0)))
        }
    }
    for squeeze in SQUEEZES {
        let archive = Writer::sample(16, squeeze).build();
        for length in 0..archive.len() {
            let reader = Read::chain(&archive[..length], Broken(length));
            match read_all(reader).unwrap_err() {
                ArchiveError::Io(error) => {
                    assert_eq!(error.downcast::<Own>().unwrap().0, length, "{squeeze:?}")
                }
                other => panic!("{squeeze:?} {length} {other:?}"),
            }
        }
    }
}
