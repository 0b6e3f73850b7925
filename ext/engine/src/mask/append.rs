//! Appending a few bytes: what stands between two fields, or a field that is always the same.
//!
//! Copying any number of bytes is a call, which costs more than the copy when they are few. A fixed number is one
//! instruction, and cutting off what was too much another.

use std::ops::Range;

/// Bytes that are copied without a call.
pub(super) const CHUNK: usize = 16;

/// Appends part of `from`.
#[inline]
pub(super) fn append(from: &[u8], part: Range<usize>, out: &mut Vec<u8>) {
    let length = part.len();
    match from[part.start..].first_chunk::<CHUNK>() {
        Some(chunk) if length <= CHUNK => append_start(chunk, length, out),
        _ => out.extend_from_slice(&from[part]),
    }
}

#[inline]
fn append_start(chunk: &[u8; CHUNK], length: usize, out: &mut Vec<u8>) {
    let before = out.len();
    out.extend_from_slice(chunk);
    out.truncate(before + length);
}

/// A COPY field that is always the same.
#[derive(Debug)]
pub(super) struct Fixed {
    field: Box<[u8]>,
    /// Its first bytes, and anything.
    chunk: [u8; CHUNK],
}

impl Fixed {
    pub(super) fn new(field: &[u8]) -> Self {
        let mut chunk = [0; CHUNK];
        let length = field.len().min(CHUNK);
        chunk[..length].copy_from_slice(&field[..length]);
        Self {
            field: field.into(),
            chunk,
        }
    }

    /// The field.
    pub(super) fn field(&self) -> &[u8] {
        &self.field
    }

    /// Appends it.
    #[inline]
    pub(super) fn append_to(&self, out: &mut Vec<u8>) {
        if self.field.len() <= CHUNK {
            append_start(&self.chunk, self.field.len(), out);
        } else {
            out.extend_from_slice(&self.field);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_part_is_appended_as_it_is() {
        let from: Vec<u8> = (0..60).collect();
        for start in 0..from.len() {
            for end in start..=from.len() {
                let mut out = b"before".to_vec();
                append(&from, start..end, &mut out);
                assert_eq!(out, [b"before", &from[start..end]].concat());
            }
        }
    }

    #[test]
    fn a_fixed_field_of_any_length_is_appended_as_it_is() {
        for length in 0..40 {
            let field = vec![b'x'; length];
            let mut out = b"before".to_vec();
            Fixed::new(&field).append_to(&mut out);
            assert_eq!(out, [b"before", &field[..]].concat());
        }
    }
}
