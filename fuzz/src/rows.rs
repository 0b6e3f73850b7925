//! Rows: COPY text and binary, both ways, and INSERT statements.

use super::choose;
use pg_dump_archive::copy::binary::{Form, Layout};
use pg_dump_archive::copy::{decode, encode, fields, InsertRows, Pieces, Splitter};

const FORMS: [Form; 16] = [
    Form::Text,
    Form::Jsonb,
    Form::Bytea,
    Form::Boolean,
    Form::Int2,
    Form::Int4,
    Form::Int8,
    Form::Oid,
    Form::Float4,
    Form::Float8,
    Form::Numeric,
    Form::Date,
    Form::Time,
    Form::Timestamp,
    Form::TimestampTz,
    Form::Uuid,
];

/// Whole rows of what is no row perhaps. Both ways of finding fields agree, and a value that is written is read again.
pub fn copy_text(bytes: &[u8]) {
    let (size, bytes) = choose(bytes);
    let mut pieces = Pieces::new(bytes, size + 1);
    let (mut splitter, mut piece) = (Splitter::new(), Vec::new());
    let (mut scratch, mut again, mut written) = (Vec::new(), Vec::new(), Vec::new());
    while let Ok(true) = pieces.next(&mut piece) {
        assert_eq!(piece.last(), Some(&b'\n'), "a piece ends with a row");
        let mut rows = splitter.rows(&piece);
        let mut lines = piece.split(|byte| *byte == b'\n');
        while let Some(row) = rows.next_row() {
            let line = lines.next().unwrap_or_default();
            let raw: Vec<&[u8]> = fields(line).collect();
            assert_eq!(row.fields(), raw.len());
            for (at, raw) in raw.into_iter().enumerate() {
                assert_eq!(row.field(at), raw);
                let value = decode(raw, &mut scratch);
                written.clear();
                encode(value, &mut written);
                assert!(!written.contains(&b'\t') && !written.contains(&b'\n'));
                let value = value.map(<[u8]>::to_vec);
                assert_eq!(decode(&written, &mut again).map(<[u8]>::to_vec), value);
            }
        }
        assert_eq!(rows.end(), piece.len());
    }
}

/// Rows as tuples: all of them or nothing.
pub fn copy_binary(bytes: &[u8]) {
    let (count, mut rest) = choose(bytes);
    let mut forms = Vec::new();
    for _ in 0..1 + count % 4 {
        let (form, further) = choose(rest);
        forms.push(FORMS[form % FORMS.len()]);
        rest = further;
    }
    let columns = forms.len();
    let Some(layout) = Layout::new(forms) else {
        return;
    };
    let mut tuples = b"before".to_vec();
    if !layout.encode(rest, &mut Splitter::new(), &mut tuples) {
        assert_eq!(tuples, b"before");
        return;
    }
    // What was written can be walked through by its lengths.
    let mut left = &tuples[6..];
    while let Some((fields, further)) = left.split_first_chunk::<2>() {
        assert_eq!(usize::from(u16::from_be_bytes(*fields)), columns);
        left = further;
        for _ in 0..columns {
            let (length, further) = left.split_first_chunk::<4>().expect("a length");
            let length = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0);
            left = further.get(length..).expect("a field as long as it says");
        }
    }
    assert!(left.is_empty());
}

/// INSERT statements, whose rows have as many fields as the table has columns.
pub fn inserts(bytes: &[u8]) {
    let (choice, bytes) = choose(bytes);
    let column = |name: &str, generated| (name.to_owned(), generated);
    let columns = [
        column("id", false),
        column("E Mail", false),
        column("twice", choice & 1 == 1),
    ];
    let width = columns.iter().filter(|(_, generated)| !generated).count();
    let mut rows = InsertRows::new(bytes, 256, &columns);
    if choice & 2 == 2 {
        rows = rows.with_backslash_escapes();
    }
    let mut piece = Vec::new();
    while let Ok(true) = rows.next(&mut piece) {
        let whole = piece.strip_suffix(b"\n").expect("whole rows");
        for row in whole.split(|byte| *byte == b'\n') {
            assert_eq!(fields(row).count(), width);
        }
    }
}
