//! The archive reader against what pg_dump writes, with pg_restore and the database itself as the oracles.
//!
//! Needs a server: `bin/with-postgres cargo test`.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use pg_dump_archive::copy::{InsertRows, Pieces};
use pg_dump_archive::{Archive, ArchiveError, Block, Compression, Entry, EntryKind};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use support::server::{output, pg_major, program, psql, Shop};
use support::{read_all, Contents};

/// The tables with rows: name, and the columns that are not generated.
const TABLES: [(&str, &str); 9] = [
    (
        "public.users",
        "id, email, bio, born, mood, score, paid, active, tags, data, raw, flags",
    ),
    ("public.characters", "code, what"),
    ("public.huge", "id, body"),
    (
        r#""Odd ""schema"".".".""A Table""(""#,
        r#""the ""id""", "VALUES (""#,
    ),
    ("public.computed", "n, id, name"),
    ("public.nothing_in_it", "id"),
    ("public.no_columns", ""),
    ("public.events_2024", "at, what"),
    ("public.events_rest", "at, what"),
];

fn read(path: &Path) -> Contents {
    read_all(std::fs::File::open(path).unwrap()).unwrap()
}

/// `pg_restore -l`, line by line: the table of contents as PostgreSQL itself reads it.
fn assert_same_entries(path: &Path, contents: &Contents) {
    let list = String::from_utf8(output(Command::new(program("pg_restore")).arg("-l").arg(path))).unwrap();
    let value = |name: &str| {
        let line = list.lines().find(|line| line.contains(name)).unwrap();
        line.split_once(": ").unwrap().1.to_owned()
    };
    let header = &contents.header;
    assert!(list.contains(&format!(";     dbname: {}\n", header.database)));
    assert!(
        list.contains(&format!("Archive created at {}", header.created_at)),
        "{list}"
    );
    assert_eq!(value("Dump Version"), format!("{}-0", header.version));
    assert_eq!(value("Dumped from database version"), header.server_version);
    assert_eq!(value("Dumped by pg_dump version"), header.dump_version);
    assert_eq!(value("TOC Entries"), contents.entries.len().to_string());
    // Before PostgreSQL 16 a compression level stands here.
    let compression = value("Compression");
    let ours = format!("{:?}", header.compression).to_lowercase();
    assert!(
        compression == ours || (pg_major() < 16 && (compression == "0") == (ours == "none")),
        "{compression}"
    );

    let theirs: Vec<&str> = list.lines().filter(|line| !line.starts_with(';')).collect();
    let ours: Vec<String> = contents
        .entries
        .iter()
        .filter(|entry| !is_pg_restores_own(entry))
        .map(|entry| {
            let namespace = if entry.namespace.is_empty() {
                "-"
            } else {
                &entry.namespace
            };
            format!(
                "{}; {} {} {} {}",
                entry.dump_id, entry.oid, entry.kind, namespace, entry.tag
            )
        })
        .collect();
    assert_eq!(theirs.len(), ours.len(), "{list}\n{ours:#?}");
    for (theirs, ours) in theirs.iter().zip(&ours) {
        // Ours has neither the catalogue's oid nor the owner.
        let (id, rest) = theirs.split_once("; ").unwrap();
        let (_, rest) = rest.split_once(' ').unwrap();
        assert!(format!("{id}; {rest}").starts_with(ours), "{theirs}\n{ours}");
    }
}

/// What pg_restore neither lists nor takes as it stands: the settings of its session, and the database.
fn is_pg_restores_own(entry: &Entry) -> bool {
    matches!(
        entry.kind,
        EntryKind::Encoding | EntryKind::StdStrings | EntryKind::SearchPath | EntryKind::Database
    )
}

/// Each block stands in the script that pg_restore makes, byte for byte.
fn assert_same_data(path: &Path, contents: &Contents) {
    let script = output(Command::new(program("pg_restore")).args(["-f", "-"]).arg(path));
    for (dump_id, data) in &contents.data {
        let entry = contents
            .entries
            .iter()
            .find(|entry| entry.dump_id == *dump_id)
            .unwrap();
        let found = memchr::memmem::find(&script, data).is_some();
        assert!(
            found,
            "the data of {} {} is not in the script",
            entry.namespace, entry.tag
        );
    }
    for entry in &contents.entries {
        let is_sql = !is_pg_restores_own(entry) && entry.kind != EntryKind::BlobMetadata;
        let found = memchr::memmem::find(&script, entry.defn.as_bytes()).is_some();
        assert!(
            found || !is_sql,
            "{} {} is not in the script",
            entry.kind,
            entry.tag
        );
    }
}

/// What the database itself says that it holds.
struct Expected {
    /// For each of [`TABLES`] what COPY TO writes.
    rows: Vec<Vec<u8>>,
    objects: BTreeMap<u32, Vec<u8>>,
}

impl Expected {
    fn of(shop: &Shop) -> Self {
        let objects = psql(
            &shop.url,
            "SELECT oid, encode(lo_get(oid), 'hex') FROM pg_largeobject_metadata",
        );
        let object = |line: &str| {
            let (oid, hex) = line.split_once('|').unwrap();
            let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            (
                oid.parse().unwrap(),
                (0..hex.len()).step_by(2).map(byte).collect(),
            )
        };
        Self {
            rows: TABLES
                .iter()
                .map(|(table, columns)| shop.rows(table, columns))
                .collect(),
            objects: String::from_utf8(objects).unwrap().lines().map(object).collect(),
        }
    }

    /// The rows, cut into pieces of many sizes, and the large objects are the database's.
    fn assert_is(&self, contents: &Contents) {
        assert_eq!(self.objects.len(), 4);
        assert!(contents.objects == self.objects);
        for ((table, _), expected) in TABLES.iter().zip(&self.rows) {
            for size in [10, 1000, 256 * 1024] {
                let mut pieces = Pieces::new(contents.rows(tag(table)), size);
                assert!(
                    gather(|piece| pieces.next(piece)) == *expected,
                    "{table} in pieces of {size}"
                );
            }
        }
    }
}

/// The tag of a table's entry.
fn tag(table: &str) -> &str {
    table.strip_prefix("public.").unwrap_or(r#"."A Table"("#)
}

fn gather(mut next: impl FnMut(&mut Vec<u8>) -> std::io::Result<bool>) -> Vec<u8> {
    let (mut all, mut piece) = (Vec::new(), Vec::new());
    while next(&mut piece).unwrap() {
        assert!(piece.ends_with(b"\n"));
        all.extend_from_slice(&piece);
    }
    all
}

#[test]
fn every_compression_is_read_from_a_file_and_from_a_pipe() {
    let shop = Shop::open("compressions");
    let expected = Expected::of(&shop);
    let mut options = vec!["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    if pg_major() >= 16 {
        options.extend([
            "none",
            "gzip:9",
            "lz4",
            "lz4:9",
            "zstd",
            "zstd:12",
            "zstd:long",
            "zstd:level=1,long",
        ]);
    }
    for option in options {
        let path = shop.dump(&["-Z", option]);
        let contents = read(&path);
        assert_same_entries(&path, &contents);
        assert_same_data(&path, &contents);
        expected.assert_is(&contents);
        let sized = contents
            .entries
            .iter()
            .filter(|entry| entry.data_size.is_some())
            .count();
        assert_eq!(
            sized,
            contents.entries.iter().filter(|entry| entry.has_data).count() - 1,
            "{option}"
        );

        let path = shop.dump_to_pipe(&["-Z", option]);
        let piped = read(&path);
        assert_eq!(piped.data, contents.data, "{option}");
        assert_eq!(piped.objects, contents.objects, "{option}");
        assert!(piped.entries.iter().all(|entry| entry.data_size.is_none()));
        assert_same_entries(&path, &piped);
    }
}

#[test]
fn every_section_alone_is_read() {
    let shop = Shop::open("sections");
    for options in [
        &["--section=pre-data"][..],
        &["--section=data"],
        &["--section=post-data"],
        &["--section=pre-data", "--section=post-data"],
        &["--schema-only"],
        &["--data-only"],
        &["--no-blobs"],
        &["--exclude-table-data=users"],
        &["-t", "users"],
        &["--clean", "--create"],
        &["--load-via-partition-root"],
    ] {
        let path = shop.dump(options);
        let contents = read(&path);
        assert_same_entries(&path, &contents);
        assert_same_data(&path, &contents);
    }
}

#[test]
fn insert_statements_give_the_rows_that_copy_would() {
    let shop = Shop::open("inserts");
    for options in [
        &["--inserts"][..],
        &["--column-inserts"],
        &["--rows-per-insert=7"],
        &[
            "--column-inserts",
            "--rows-per-insert=1000",
            "--on-conflict-do-nothing",
        ],
        &["--inserts", "--on-conflict-do-nothing"],
        &["--inserts", "--quote-all-identifiers"],
    ] {
        let path = shop.dump(options);
        let contents = read(&path);
        assert_same_entries(&path, &contents);
        for (table, kept) in TABLES {
            let columns = columns_of(&shop, table);
            let expected = shop.rows(table, kept);
            for size in [10, 256 * 1024] {
                let mut rows = InsertRows::new(contents.rows(tag(table)), size, &columns);
                assert!(
                    gather(|piece| rows.next(piece)) == expected,
                    "{table} {options:?} in pieces of {size}"
                );
            }
        }
    }
}

#[test]
fn insert_statements_of_a_server_without_standard_strings_are_read() {
    let shop = Shop::open("backslashes");
    let database = shop.url.rsplit_once('/').unwrap().1;
    psql(
        &shop.url,
        &format!("ALTER DATABASE {database} SET standard_conforming_strings = off"),
    );
    let contents = read(&shop.dump(&["--inserts"]));
    let settings = contents
        .entries
        .iter()
        .find(|entry| entry.kind == EntryKind::StdStrings)
        .unwrap();
    assert_eq!(settings.defn, "SET standard_conforming_strings = 'off';\n");
    for (table, kept) in [TABLES[0], TABLES[1], TABLES[3]] {
        let columns = columns_of(&shop, table);
        let rows = InsertRows::new(contents.rows(tag(table)), 1000, &columns);
        let mut rows = rows.with_backslash_escapes();
        assert!(
            gather(|piece| rows.next(piece)) == shop.rows(table, kept),
            "{table}"
        );
    }
}

#[test]
fn large_objects_by_the_thousand_are_all_read() {
    let shop = Shop::open("objects");
    psql(
        &shop.url,
        "SELECT lo_from_bytea(n, n::text::bytea) FROM generate_series(100001, 102500) n",
    );
    let contents = read(&shop.dump(&[]));
    for oid in 100_001..=102_500 {
        assert_eq!(contents.objects[&oid], oid.to_string().as_bytes());
    }
    assert_eq!(contents.objects.len(), 2_504);
}

/// A table's columns in their order, each with whether it is generated.
fn columns_of(shop: &Shop, table: &str) -> Vec<(String, bool)> {
    let sql = format!(
        "SELECT attname || E'\\t' || (attgenerated <> '') FROM pg_attribute \
         WHERE attrelid = '{table}'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
    );
    let text = String::from_utf8(psql(&shop.url, &sql)).unwrap();
    let column = |line: &str| {
        let (name, generated) = line.rsplit_once('\t').unwrap();
        (name.to_owned(), generated == "true")
    };
    text.lines().map(column).collect()
}

#[test]
fn blocks_that_are_not_read_do_not_disturb_the_others() {
    let shop = Shop::open("skipping");
    let path = shop.dump(&[]);
    let whole = read(&path);
    for remainder in 0..3 {
        let mut archive = Archive::open(std::fs::File::open(&path).unwrap()).unwrap();
        let mut number = 0;
        while let Some(block) = archive.next_block().unwrap() {
            number += 1;
            if number % 3 != remainder {
                continue;
            }
            if let Block::Data(mut rows) = block {
                let mut data = Vec::new();
                std::io::Read::read_to_end(&mut rows, &mut data).unwrap();
                assert!(data == whole.data[&rows.dump_id()]);
            }
        }
        assert_eq!(
            number,
            whole.data.len()
                + whole
                    .entries
                    .iter()
                    .filter(|entry| entry.kind == EntryKind::Blobs)
                    .count()
        );
    }
}

#[test]
fn a_backup_in_another_encoding_is_read_when_its_names_are_plain() {
    let shop = Shop::open("latin");
    let path = shop.dump(&["--encoding=LATIN1", "-t", "computed"]);
    assert!(!read(&path).rows("computed").is_empty());
    psql(
        &shop.url,
        "CREATE SCHEMA accents; CREATE TABLE accents.\"été\" (id integer)",
    );
    let path = shop.dump(&["--encoding=LATIN1", "-n", "accents"]);
    match read_all(std::fs::File::open(&path).unwrap()).unwrap_err() {
        ArchiveError::UnsupportedEncoding { encoding } => assert_eq!(encoding.as_deref(), Some("LATIN1")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_newest_version_here_is_the_one_expected() {
    let shop = Shop::open("version");
    let header = read(&shop.dump(&["--schema-only"])).header;
    let minor = match pg_major() {
        ..=11 => 13,
        12..=15 => 14,
        16 => 15,
        _ => 16,
    };
    assert_eq!((header.version.major, header.version.minor), (1, minor));
    assert_eq!(header.compression, Compression::Gzip);
}

/// The tests above once more, under the server of an older version where there is one: its pg_dump writes an
/// older format.
#[test]
fn archives_of_an_older_pg_dump_are_read() {
    const OLDER: &str = "15";
    if pg_major() <= 15
        || !Path::new("/usr/lib/postgresql")
            .join(OLDER)
            .join("bin/pg_dump")
            .exists()
    {
        return;
    }
    let with_postgres = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bin/with-postgres");
    let mut again = Command::new(with_postgres);
    again
        .args(["--version", OLDER])
        .arg(std::env::current_exe().unwrap());
    let result = again.stdin(Stdio::null()).output().unwrap();
    assert!(
        result.status.success(),
        "{}",
        String::from_utf8_lossy(&result.stdout)
    );
}
