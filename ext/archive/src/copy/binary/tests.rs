#![allow(clippy::unwrap_used, clippy::panic)]

mod unread;

use super::*;
use proptest::prelude::*;

/// A single column's value in binary, without its length; None for a NULL. `raw` is the field's text.
fn field(form: Form, raw: &str) -> Option<Option<Vec<u8>>> {
    let layout = Layout::new(vec![form]).unwrap();
    let mut out = b"before".to_vec();
    if !layout.encode(format!("{raw}\n").as_bytes(), &mut Splitter::new(), &mut out) {
        assert_eq!(out, b"before", "{form:?} {raw}");
        return None;
    }
    let tuple = out.strip_prefix(b"before\0\x01".as_slice()).unwrap();
    let (length, value) = tuple.split_first_chunk().unwrap();
    match i32::from_be_bytes(*length) {
        -1 => Some(None),
        length => {
            assert_eq!(length as usize, value.len(), "{form:?} {raw}");
            Some(Some(value.to_vec()))
        }
    }
}

fn value(form: Form, raw: &str) -> Vec<u8> {
    field(form, raw)
        .unwrap_or_else(|| panic!("{form:?} {raw}"))
        .unwrap()
}

fn eight(form: Form, raw: &str) -> i64 {
    i64::from_be_bytes(value(form, raw).try_into().unwrap())
}

fn four(form: Form, raw: &str) -> i32 {
    i32::from_be_bytes(value(form, raw).try_into().unwrap())
}

/// A numeric's parts: weight, sign, scale, digits.
fn numeric(raw: &str) -> (i16, u16, u16, Vec<u16>) {
    let bytes = value(Form::Numeric, raw);
    let words: Vec<u16> = bytes
        .chunks(2)
        .map(|pair| u16::from_be_bytes(pair.try_into().unwrap()))
        .collect();
    assert_eq!(usize::from(words[0]), words.len() - 4, "{raw}");
    (words[1] as i16, words[2], words[3], words[4..].to_vec())
}

const EVERY: [Form; 16] = [
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

const DAY: i64 = 86_400_000_000;

#[test]
fn the_header_is_the_signature_and_two_empty_words() {
    assert_eq!(HEADER.len(), 19);
    assert_eq!(&HEADER[..11], b"PGCOPY\n\xff\r\n\0");
    assert_eq!(TRAILER, (-1i16).to_be_bytes());
}

#[test]
fn a_null_of_any_form_has_no_bytes_and_a_text_of_backslash_n_has_two() {
    for form in EVERY {
        assert_eq!(field(form, "\\N"), Some(None), "{form:?}");
    }
    assert_eq!(value(Form::Text, "\\\\N"), b"\\N");
    assert_eq!(value(Form::Text, ""), b"");
}

#[test]
fn text_is_unescaped_and_documents_get_their_version() {
    assert_eq!(
        value(Form::Text, "a\\tb\\\\c\\n\\r\\b\\f\\v\u{1f600}"),
        "a\tb\\c\n\r\x08\x0c\x0b\u{1f600}".as_bytes()
    );
    assert_eq!(value(Form::Jsonb, "{\"a\": \"\\\\n\"}"), b"\x01{\"a\": \"\\n\"}");
    assert_eq!(value(Form::Jsonb, "1"), b"\x011");
    assert_eq!(value(Form::Bytea, "\\\\x00fFa0"), [0, 255, 160]);
    assert_eq!(value(Form::Bytea, "\\\\x"), b"");
}

#[test]
fn numbers_of_fixed_size_have_their_bytes() {
    assert_eq!(value(Form::Int2, "-32768"), [0x80, 0]);
    assert_eq!(four(Form::Int4, "-2147483648"), i32::MIN);
    assert_eq!(eight(Form::Int8, "9223372036854775807"), i64::MAX);
    assert_eq!(eight(Form::Int8, "-9223372036854775808"), i64::MIN);
    assert_eq!(value(Form::Oid, "4294967295"), [255; 4]);
    assert_eq!(value(Form::Boolean, "t"), [1]);
    assert_eq!(value(Form::Boolean, "f"), [0]);
    assert_eq!(value(Form::Float8, "-0"), [0x80, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(value(Form::Float8, "NaN"), [0x7f, 0xf8, 0, 0, 0, 0, 0, 0]);
    assert_eq!(value(Form::Float4, "-Infinity"), [0xff, 0x80, 0, 0]);
    assert_eq!(value(Form::Float4, "1e-45"), [0, 0, 0, 1]);
    assert_eq!(
        value(Form::Uuid, "00112233-4455-6677-8899-AABBccddeeff"),
        [0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff]
    );
}

#[test]
fn a_numeric_has_digits_to_base_ten_thousand_and_keeps_its_scale() {
    assert_eq!(numeric("0"), (0, 0, 0, vec![0]));
    assert_eq!(numeric("12345.6"), (1, 0, 1, vec![1, 2345, 6000]));
    assert_eq!(numeric("-0.00012"), (0, 0x4000, 5, vec![0, 1, 2000]));
    assert_eq!(numeric("10000"), (1, 0, 0, vec![1, 0]));
    assert_eq!(numeric("NaN"), (0, 0xc000, 0, vec![]));
    assert_eq!(numeric("Infinity"), (0, 0xd000, 0, vec![]));
    assert_eq!(numeric("-Infinity"), (0, 0xf000, 0, vec![]));
}

#[test]
fn days_and_moments_are_counted_from_the_year_2000() {
    assert_eq!(four(Form::Date, "2000-01-01"), 0);
    assert_eq!(four(Form::Date, "1999-12-31"), -1);
    assert_eq!(four(Form::Date, "2000-03-01"), 60);
    assert_eq!(
        four(Form::Date, "0001-12-31 BC"),
        four(Form::Date, "0001-01-01") - 1
    );
    // One leap year each: 1 BC and 4 AD.
    assert_eq!(
        four(Form::Date, "0001-01-01") - four(Form::Date, "0001-01-01 BC"),
        366
    );
    // The first and the last day that PostgreSQL has, from its source: Julian days 0 and 2147483494.
    assert_eq!(four(Form::Date, "4714-11-24 BC"), -2_451_545);
    assert_eq!(four(Form::Date, "5874897-12-31"), 2_147_483_493 - 2_451_545);
    assert_eq!(four(Form::Date, "infinity"), i32::MAX);
    assert_eq!(four(Form::Date, "-infinity"), i32::MIN);

    assert_eq!(eight(Form::Timestamp, "2000-01-02 00:00:01"), DAY + 1_000_000);
    assert_eq!(eight(Form::Timestamp, "1999-12-31 23:59:59.999999"), -1);
    assert_eq!(eight(Form::Timestamp, "2000-01-01 00:00:00.05"), 50_000);
    assert_eq!(
        eight(Form::Timestamp, "294276-12-31 23:59:59.999999"),
        9_223_371_331_199_999_999
    );
    assert_eq!(eight(Form::Timestamp, "infinity"), i64::MAX);
    assert_eq!(eight(Form::TimestampTz, "-infinity"), i64::MIN);
    assert_eq!(eight(Form::TimestampTz, "2000-01-01 05:30:00+05:30"), 0);
    assert_eq!(eight(Form::TimestampTz, "1999-12-31 20:30:00-03:30"), 0);
    assert_eq!(
        eight(Form::TimestampTz, "2000-01-01 00:09:21.5+00:09:21"),
        500_000
    );
    assert_eq!(eight(Form::TimestampTz, "2000-01-01 00:00:00-12"), DAY / 2);
    assert_eq!(
        eight(Form::TimestampTz, "0044-03-15 01:00:00+01 BC"),
        eight(Form::Timestamp, "0044-03-15 00:00:00 BC")
    );
    assert_eq!(eight(Form::Time, "23:59:59.000001"), DAY - 999_999);
    assert_eq!(eight(Form::Time, "24:00:00"), DAY);
}

#[test]
fn a_huge_numeric_goes_as_text() {
    assert!(field(Form::Numeric, &"9".repeat(4000)).is_some());
    assert!(field(Form::Numeric, &"9".repeat(4001)).is_none());
}

#[test]
fn rows_with_another_number_of_fields_or_without_an_end_are_not_read() {
    let layout = Layout::new(vec![Form::Text, Form::Int4]).unwrap();
    for rows in [
        "a\t1\nb\n",
        "a\t1\nb\t2\t3\n",
        "a\t1",
        "a\t1\nb",
        "\n",
        "a\t1\nb\t2",
    ] {
        let mut out = Vec::new();
        assert!(
            !layout.encode(rows.as_bytes(), &mut Splitter::new(), &mut out),
            "{rows:?}"
        );
        assert!(out.is_empty());
    }
    let mut out = Vec::new();
    assert!(layout.encode(b"", &mut Splitter::new(), &mut out) && out.is_empty());
    assert_eq!(Layout::new(vec![]), None);
    assert_eq!(Layout::new(vec![Form::Text; 40_000]), None);
}

/// A numeric's text, from its parts.
fn decimal(raw: &str) -> String {
    let (weight, sign, scale, digits) = numeric(raw);
    let (whole, fraction) = digits.split_at((weight + 1) as usize);
    let join = |digits: &[u16]| {
        digits
            .iter()
            .map(|digit| format!("{digit:04}"))
            .collect::<String>()
    };
    let whole = join(whole);
    let mut text = if sign == 0x4000 {
        "-".to_owned()
    } else {
        String::new()
    };
    text.push_str(match whole.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    });
    if scale > 0 {
        let fraction = join(fraction);
        assert!(fraction[usize::from(scale)..].bytes().all(|digit| digit == b'0'));
        text.push('.');
        text.push_str(&fraction[..usize::from(scale)]);
    }
    text
}

proptest! {
    #[test]
    fn integers_are_what_they_were(number in any::<i64>()) {
        prop_assert_eq!(eight(Form::Int8, &number.to_string()), number);
        let short = number as i32;
        prop_assert_eq!(four(Form::Int4, &short.to_string()), short);
    }

    #[test]
    fn floats_are_what_they_were(bits in any::<u64>()) {
        let double = f64::from_bits(bits);
        if double.is_finite() {
            prop_assert_eq!(value(Form::Float8, &format!("{double:e}")), double.to_be_bytes());
        }
        let real = f32::from_bits(bits as u32);
        if real.is_finite() {
            prop_assert_eq!(value(Form::Float4, &real.to_string()), real.to_be_bytes());
        }
    }

    #[test]
    fn numerics_are_what_they_were(text in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?") {
        prop_assert_eq!(decimal(&text), text);
    }

    #[test]
    fn moments_are_those_of_another_calendar(seconds in -60_000_000_000i64..250_000_000_000, micro in 0i64..1_000_000) {
        let moment = jiff::Timestamp::new(seconds, micro as i32 * 1000).unwrap();
        let civil = jiff::tz::Offset::UTC.to_datetime(moment);
        let (year, era) = match civil.year() {
            year if year > 0 => (i64::from(year), ""),
            year => (1 - i64::from(year), " BC"),
        };
        let day = format!("{year:04}-{:02}-{:02}", civil.month(), civil.day());
        let text = format!("{day} {:02}:{:02}:{:02}.{micro:06}{era}", civil.hour(), civil.minute(), civil.second());
        let since = (seconds - 946_684_800) * 1_000_000 + micro;
        prop_assert_eq!(eight(Form::Timestamp, &text), since);
        prop_assert_eq!(i64::from(four(Form::Date, &format!("{day}{era}"))), since.div_euclid(DAY));
    }

    #[test]
    fn text_is_what_it_was(values in proptest::collection::vec(proptest::option::of(any::<Vec<u8>>()), 1..6)) {
        let mut rows = Vec::new();
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                rows.push(b'\t');
            }
            crate::copy::encode(value.as_deref(), &mut rows);
        }
        rows.push(b'\n');
        let mut expected = (values.len() as i16).to_be_bytes().to_vec();
        for value in &values {
            match value {
                None => expected.extend([255; 4]),
                Some(value) => {
                    expected.extend((value.len() as i32).to_be_bytes());
                    expected.extend(value);
                }
            }
        }
        let mut out = Vec::new();
        prop_assert!(Layout::new(vec![Form::Text; values.len()]).unwrap().encode(&rows, &mut Splitter::new(), &mut out));
        prop_assert_eq!(out, expected);
    }

    #[test]
    fn no_text_makes_it_panic(raw in "[0-9a-z:.+ \\\\-]{0,30}( BC)?") {
        for form in EVERY {
            let _ = field(form, &raw);
        }
    }
}
