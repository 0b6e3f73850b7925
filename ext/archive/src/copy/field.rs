//! One row's fields, and one field's bytes.

use memchr::memchr;

/// The fields of one row, raw: still escaped, `\N` for NULL.
///
/// `row` is without its newline. An empty row has one empty field, as in COPY; only who knows that the
/// table has no column knows that there is none.
///
/// ```
/// use pg_dump_archive::copy::fields;
/// let row: Vec<&[u8]> = fields(b"1\tAda\\tLovelace\t\\N").collect();
/// assert_eq!(row, [b"1".as_slice(), b"Ada\\tLovelace", b"\\N"]);
/// ```
pub fn fields(row: &[u8]) -> Fields<'_> {
    Fields { rest: Some(row) }
}

/// The iterator of [`fields`].
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    /// What is not yet given; None after the last field.
    rest: Option<&'a [u8]>,
}

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        match memchr(b'\t', rest) {
            Some(tab) => {
                self.rest = Some(&rest[tab + 1..]);
                Some(&rest[..tab])
            }
            None => {
                self.rest = None;
                Some(rest)
            }
        }
    }
}

impl std::iter::FusedIterator for Fields<'_> {}

/// The value of a raw field, None for NULL.
///
/// It borrows from `raw` when nothing is escaped and from `scratch` (cleared first) otherwise. The escapes are those
/// of COPY FROM: `\b \f \n \r \t \v`, one to three octal digits, `\x` and one or two hexadecimal ones; a
/// backslash before anything else stands for that byte, and one at the end for nothing.
///
/// ```
/// use pg_dump_archive::copy::decode;
/// let mut scratch = Vec::new();
/// assert_eq!(decode(b"Ada\\tLovelace", &mut scratch), Some(b"Ada\tLovelace".as_slice()));
/// assert_eq!(decode(b"\\N", &mut scratch), None);
/// assert_eq!(decode(b"\\\\N", &mut scratch), Some(b"\\N".as_slice()));
/// ```
#[inline]
pub fn decode<'a>(raw: &'a [u8], scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    if raw == b"\\N" {
        return None;
    }
    match memchr(b'\\', raw) {
        None => Some(raw),
        Some(first) => {
            unescape(raw, first, scratch);
            Some(scratch)
        }
    }
}

/// Unescapes `raw`, whose first backslash is at `first`.
fn unescape(raw: &[u8], first: usize, scratch: &mut Vec<u8>) {
    scratch.clear();
    scratch.reserve(raw.len());
    scratch.extend_from_slice(&raw[..first]);
    let mut rest = &raw[first + 1..];
    loop {
        // `rest` begins behind a backslash.
        let Some((&escaped, after)) = rest.split_first() else {
            return;
        };
        rest = after;
        let byte = match escaped {
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 0x0b,
            b'0'..=b'7' => digits(u32::from(escaped - b'0'), 8, 2, &mut rest),
            b'x' if rest.first().is_some_and(u8::is_ascii_hexdigit) => digits(0, 16, 2, &mut rest),
            other => other,
        };
        scratch.push(byte);
        match memchr(b'\\', rest) {
            None => return scratch.extend_from_slice(rest),
            Some(next) => {
                scratch.extend_from_slice(&rest[..next]);
                rest = &rest[next + 1..];
            }
        }
    }
}

/// Takes up to `most` digits from `rest`; what does not fit a byte is cut off, as COPY FROM does (`\777`).
fn digits(mut value: u32, base: u32, most: usize, rest: &mut &[u8]) -> u8 {
    for _ in 0..most {
        let Some(digit) = rest.first().and_then(|&byte| char::from(byte).to_digit(base)) else {
            break;
        };
        value = value * base + digit;
        *rest = &rest[1..];
    }
    (value & 0xff) as u8
}

/// Appends a value to `out` as COPY TO writes it (`CopyAttributeOutText` in PostgreSQL's source): `\N` for
/// NULL; backslash, tab, newline, carriage return, backspace, form feed and vertical tab escaped.
///
/// ```
/// use pg_dump_archive::copy::encode;
/// let mut row = Vec::new();
/// encode(Some(b"Ada\tLovelace"), &mut row);
/// row.push(b'\t');
/// encode(None, &mut row);
/// assert_eq!(row, b"Ada\\tLovelace\t\\N");
/// ```
#[inline]
pub fn encode(value: Option<&[u8]>, out: &mut Vec<u8>) {
    match value {
        None => out.extend_from_slice(b"\\N"),
        Some(mut rest) => {
            while let Some(at) = rest.iter().position(|&byte| needs_escape(byte)) {
                out.extend_from_slice(&rest[..at]);
                out.extend_from_slice(&[b'\\', escape_letter(rest[at])]);
                rest = &rest[at + 1..];
            }
            out.extend_from_slice(rest);
        }
    }
}

/// Writes the value that stands in `out` from `start` on as a field. `scratch` is for values that need an escape, which
/// few do.
///
/// ```
/// use pg_dump_archive::copy::encode_from;
/// let mut row = b"7\tAda\tLovelace".to_vec();
/// encode_from(2, &mut Vec::new(), &mut row);
/// assert_eq!(row, b"7\tAda\\tLovelace");
/// ```
#[inline]
pub fn encode_from(start: usize, scratch: &mut Vec<u8>, out: &mut Vec<u8>) {
    // All of it is looked at, since that needs no branch for each byte.
    let is_plain = !out[start..]
        .iter()
        .fold(false, |any, &byte| any | needs_escape(byte));
    if !is_plain {
        scratch.clear();
        scratch.extend_from_slice(&out[start..]);
        out.truncate(start);
        encode(Some(scratch), out);
    }
}

/// Whether COPY text cannot hold this byte as it is.
#[inline]
pub(super) fn needs_escape(byte: u8) -> bool {
    // Backspace, tab, newline, vertical tab, form feed and carriage return stand together.
    matches!(byte, 0x08..=0x0d | b'\\')
}

/// What follows the backslash for a byte that needs one.
fn escape_letter(byte: u8) -> u8 {
    match byte {
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0b => b'v',
        0x0c => b'f',
        b'\r' => b'r',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(raw: &[u8]) -> Option<Vec<u8>> {
        let mut scratch = b"what was there before".to_vec();
        decode(raw, &mut scratch).map(<[u8]>::to_vec)
    }

    fn encoded(value: Option<&[u8]>) -> Vec<u8> {
        let mut out = Vec::new();
        encode(value, &mut out);
        out
    }

    #[test]
    fn every_escape_of_copy_is_decoded() {
        for (raw, value) in [
            (&b"\\b\\f\\n\\r\\t\\v"[..], &b"\x08\x0c\n\r\t\x0b"[..]),
            (b"\\1\\12\\123\\1234", b"\x01\x0aSS4"),
            (b"\\377\\777\\8\\08", b"\xff\xff8\x008"),
            (b"\\x4\\x41\\x412\\xfF\\xg\\x", b"\x04AA2\xffxgx"),
            (b"\\\\\\.\\a\\'", b"\\.a'"),
            (b"a\\", b"a"),
            (b"\\\\N", b"\\N"),
            (b"a\\N", b"aN"),
            (b"", b""),
        ] {
            assert_eq!(decoded(raw).as_deref(), Some(value), "{}", raw.escape_ascii());
        }
    }

    #[test]
    fn only_a_whole_field_of_backslash_n_is_null() {
        assert_eq!(decoded(b"\\N"), None);
        assert_eq!(encoded(None), b"\\N");
        assert_eq!(encoded(Some(b"\\N")), b"\\\\N");
        assert_eq!(encoded(Some(b"")), b"");
    }

    #[test]
    fn a_field_without_a_backslash_is_borrowed() {
        let raw = b"plain";
        let mut scratch = Vec::new();
        let value = decode(raw, &mut scratch).map(<[u8]>::as_ptr);
        assert_eq!(value, Some(raw.as_ptr()));
    }

    #[test]
    fn a_row_has_one_field_more_than_tabs() {
        assert_eq!(fields(b"").collect::<Vec<_>>(), [b""]);
        assert_eq!(fields(b"\t\t").count(), 3);
        assert_eq!(
            fields(b"a\t\\N\tb c").collect::<Vec<_>>(),
            [&b"a"[..], b"\\N", b"b c"]
        );
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded_to_the_same_bytes(value in proptest::option::of(any::<Vec<u8>>())) {
            let raw = encoded(value.as_deref());
            prop_assert!(!raw.iter().any(|&byte| (0x08..=0x0d).contains(&byte)));
            prop_assert_eq!(decoded(&raw), value);
        }

        #[test]
        fn any_bytes_decode_to_no_more_than_they_are(raw in any::<Vec<u8>>()) {
            if let Some(value) = decoded(&raw) {
                prop_assert!(value.len() <= raw.len());
            }
        }

        #[test]
        fn encoded_values_joined_by_tabs_are_the_fields_of_a_row(
            values in proptest::collection::vec(proptest::option::of(any::<Vec<u8>>()), 1..8)
        ) {
            let raw: Vec<Vec<u8>> = values.iter().map(|value| encoded(value.as_deref())).collect();
            let row = raw.join(&b'\t');
            let read: Vec<Option<Vec<u8>>> = fields(&row).map(decoded).collect();
            prop_assert_eq!(read, values);
        }
    }
}
