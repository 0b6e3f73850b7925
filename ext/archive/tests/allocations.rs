//! The hot path: turning rows into binary tuples allocates nothing, once the buffer has grown to what rows need.

#![allow(clippy::unwrap_used)]

use pg_dump_archive::copy::binary::{Form, Layout};
use pg_dump_archive::copy::Splitter;

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
