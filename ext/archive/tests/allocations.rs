//! The hot paths: turning rows into binary tuples, and writing them into an archive, allocates nothing, once the buffers have grown to what rows need.

#![allow(clippy::unwrap_used)]

use pg_dump_archive::copy::binary::{Form, Layout};
use pg_dump_archive::copy::Splitter;
use pg_dump_archive::{Compression, DumpId, Entry, EntryKind, Header, Section, Version, Writer};

#[test]
fn no_form_allocates_for_a_row() {
    let columns = [
        (Form::Text, "caf\u{e9}\\tau lait\\\\"),
        (Form::Jsonb, "{\"a\": \"\\\\n\"}"),
        (Form::Bytea, "\\\\x00ff5c"),
        (Form::Boolean, "t"),
        (Form::Int2, "-7"),
        (Form::Int4, "2147483647"),
        (Form::Int8, "-9223372036854775808"),
        (Form::Oid, "16384"),
        (Form::Float4, "-1.5e-07"),
        (Form::Float8, "3.141592653589793"),
        (Form::Numeric, "-12345678.90123"),
        (Form::Date, "2024-02-29"),
        (Form::Time, "23:59:59.25"),
        (Form::Timestamp, "0044-03-15 12:00:00.000001 BC"),
        (Form::TimestampTz, "2024-02-29 12:00:00.5+05:30"),
        (Form::Uuid, "01234567-89ab-cdef-0123-456789abcdef"),
        (Form::Date, "\\N"),
    ];
    let (forms, values): (Vec<Form>, Vec<&str>) = columns.into_iter().unzip();
    let layout = Layout::new(forms).unwrap();
    let mut rows = (values.join("\t") + "\n").repeat(500);
    let (mut splitter, mut tuples) = (Splitter::new(), Vec::new());
    assert!(layout.encode(rows.as_bytes(), &mut splitter, &mut tuples));
    let length = tuples.len();
    tuples.clear();
    let info =
        allocation_counter::measure(|| assert!(layout.encode(rows.as_bytes(), &mut splitter, &mut tuples)));
    assert_eq!((info.count_total, tuples.len()), (0, length));

    // Nor does a piece that is not fit for it, whose last row is not read.
    rows.push_str(&values.join("\t").replace("2024-02-29\t", "today\t"));
    rows.push('\n');
    tuples.clear();
    let info =
        allocation_counter::measure(|| assert!(!layout.encode(rows.as_bytes(), &mut splitter, &mut tuples)));
    assert_eq!((info.count_total, tuples.len()), (0, 0));
}

#[test]
fn writing_rows_into_an_archive_allocates_nothing_once_a_block_was_written() {
    let header = Header {
        version: Version {
            major: 1,
            minor: 16,
            revision: 0,
        },
        compression: Compression::None,
        created_at: "2024-12-31 12:34:56".to_owned(),
        database: "shop".to_owned(),
        server_version: "17.2".to_owned(),
        dump_version: "17.2".to_owned(),
    };
    let entries = [1, 2].map(|id| Entry {
        dump_id: DumpId(id),
        has_data: true,
        oid: 0,
        tag: "users".to_owned(),
        kind: EntryKind::TableData,
        section: Section::Data,
        defn: String::new(),
        copy_stmt: String::new(),
        namespace: "public".to_owned(),
        table_am: String::new(),
        dependencies: Vec::new(),
        data_size: None,
        further: None,
    });
    let piece = b"1\tada@example.com\tAda\n".repeat(6_000);
    for compression in [
        Compression::None,
        Compression::Gzip,
        Compression::Lz4,
        Compression::Zstd,
    ] {
        let mut archive = Writer::new(std::io::sink(), &header, compression, &entries).unwrap();
        let mut block = |id| {
            archive.begin_data(DumpId(id)).unwrap();
            for _ in 0..20 {
                archive.write(&piece).unwrap();
            }
            archive.end_block().unwrap();
        };
        block(1);
        let info = allocation_counter::measure(|| block(2));
        assert_eq!(info.count_total, 0, "{compression}");
    }
}
