//! What COPY TO does not write is not guessed at: such a table goes as text, where the server judges it.

use super::*;

fn none_read(form: Form, texts: &[&str]) {
    for text in texts {
        assert_eq!(field(form, text), None, "{form:?} {text:?}");
    }
}

#[test]
fn escapes_and_bytes_of_another_spelling_are_not_read() {
    none_read(Form::Text, &["\\x41", "\\101", "\\a", "a\\"][..]);
    none_read(Form::Jsonb, &["\\q"]);
    none_read(
        Form::Bytea,
        &["", "a", "\\\\x0", "\\\\xzz", "\\\\000", "\\x00", "\\\\X00"],
    );
}

#[test]
fn booleans_and_whole_numbers_of_another_spelling_or_out_of_range_are_not_read() {
    none_read(Form::Boolean, &["", "true", "T", "1"]);
    none_read(
        Form::Int2,
        &["32768", "-32769", "", "-", "+1", " 1", "1 ", "1_0", "0x1", "1.0"],
    );
    none_read(Form::Int4, &["2147483648", "-2147483649", "4294967296", "a"]);
    none_read(
        Form::Int8,
        &[
            "9223372036854775808",
            "-9223372036854775809",
            "99999999999999999999",
            "+1000000000000000000",
        ],
    );
    none_read(Form::Oid, &["-1", "4294967296"]);
}

#[test]
fn fractions_of_another_spelling_or_out_of_range_are_not_read() {
    none_read(
        Form::Float4,
        &[
            "1e39", "1e-60", "inf", "nan", "infinity", "+1", ".5", "", "-", "1,5", "1E5", "0x1p1",
        ],
    );
    none_read(
        Form::Float8,
        &["1e309", "1e-400", "-1e-400", "1e", "1.5.", "--1", "NAN", " 1"],
    );
    none_read(
        Form::Numeric,
        &[
            "", "-", ".5", "5.", "1e5", "+1", " 1", "1 ", "1a", "1.a", "1.2.3", "nan", "-NaN", "inf",
        ],
    );
}

#[test]
fn dates_of_another_spelling_or_none_of_the_calendar_are_not_read() {
    none_read(
        Form::Date,
        &[
            "",
            "2023-02-29",
            "1900-02-29",
            "2024-13-01",
            "2024-00-01",
            "2024-01-00",
            "2024-04-31",
            "0000-01-01",
            "24-01-01",
            "2024/01/01",
            "01-02-2024",
            "2024-1-1",
            "2024-01-01 ",
            "2024-01-01 00:00:00",
            "today",
            "5874899-01-01",
            "4715-01-01 BC",
            "99999999-01-01",
            "2024-01-01 bc",
            "-2024-01-01",
            "Infinity",
        ],
    );
}

#[test]
fn times_of_another_spelling_or_out_of_range_are_not_read() {
    none_read(
        Form::Time,
        &[
            "24:00:01",
            "24:00:00.0",
            "12:60:00",
            "12:00:60",
            "12:00",
            "12:00:00+00",
            "12:00:00.",
        ],
    );
    none_read(
        Form::Timestamp,
        &[
            "2024-01-01",
            "2024-01-01T00:00:00",
            "2024-01-01 24:00:00",
            "2024-01-01 00:00:00+00",
            "2024-01-01 00:00:00.1234567",
            "2024-01-01 00:00:00.",
            "294279-01-01 00:00:00",
            "now",
        ],
    );
    none_read(
        Form::TimestampTz,
        &[
            "2024-01-01 00:00:00",
            "2024-01-01 00:00:00 UTC",
            "2024-01-01 00:00:00Z",
            "2024-01-01 00:00:00+16",
            "2024-01-01 00:00:00+5",
            "2024-01-01 00:00:00+0530",
            "2024-01-01 00:00:00+05:60",
            "infinity+00",
        ],
    );
}

#[test]
fn uuids_of_another_spelling_are_not_read() {
    none_read(
        Form::Uuid,
        &[
            "",
            "00112233445566778899aabbccddeeff",
            "{00112233-4455-6677-8899-aabbccddeeff}",
            "00112233-4455-6677-8899-aabbccddeefg",
            "0011223-34455-6677-8899-aabbccddeeff",
        ],
    );
}

#[test]
fn an_escaped_backslash_is_read_in_text_alone() {
    for form in EVERY
        .into_iter()
        .filter(|form| *form != Form::Text && *form != Form::Jsonb)
    {
        assert_eq!(field(form, "1\\\\"), None, "{form:?}");
    }
}
