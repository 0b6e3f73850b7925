//! PostgreSQL's COPY text format, both ways, for any byte and without an allocation per row.
//!
//! Rows end in a newline, fields are separated by tabs, `\N` alone is NULL, and a backslash escapes the rest
//! (PostgreSQL's documentation, "COPY", "Text Format"). A raw newline byte is therefore always the end of a row.

/// The raw fields of one row.
#[derive(Debug, Clone)]
pub struct Fields<'a>(std::slice::Split<'a, u8, fn(&u8) -> bool>);

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];
    fn next(&mut self) -> Option<&'a [u8]> {
        self.0.next()
    }
}

/// The raw (still escaped) fields of one row without its newline.
pub fn fields(row: &[u8]) -> Fields<'_> {
    fn is_tab(byte: &u8) -> bool {
        *byte == b'\t'
    }
    Fields(row.split(is_tab))
}

/// A field's value, or None for `\N`. Borrows `raw` when it has no backslash.
pub fn decode<'a>(raw: &'a [u8], scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    if raw == b"\\N" {
        return None;
    }
    if !raw.contains(&b'\\') {
        return Some(raw);
    }
    scratch.clear();
    let mut bytes = raw.iter();
    while let Some(&byte) = bytes.next() {
        let byte = if byte == b'\\' {
            match bytes.next() {
                Some(b't') => b'\t',
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b'b') => 8,
                Some(b'f') => 12,
                Some(b'v') => 11,
                Some(&other) => other,
                None => b'\\',
            }
        } else {
            byte
        };
        scratch.push(byte);
    }
    Some(scratch)
}

/// Appends a value as a field.
pub fn encode(value: Option<&[u8]>, out: &mut Vec<u8>) {
    let Some(value) = value else {
        out.extend_from_slice(b"\\N");
        return;
    };
    for &byte in value {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            other => out.push(other),
        }
    }
}
