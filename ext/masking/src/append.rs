//! Appending a few bytes: what stands between two fields, or text that is always the same.
//!
//! Copying any number of bytes is a call, which costs more than the copy when they are few. A fixed number is an
//! instruction or two, and cutting off what was too much another.

use std::ops::Range;

/// Bytes that are copied without a call.
pub(super) const CHUNK: usize = 32;

/// Appends part of `from`.
#[inline(always)]
pub(super) fn append(from: &[u8], part: Range<usize>, out: &mut Vec<u8>) {
    let length = part.len();
    match from[part.start..].first_chunk::<CHUNK>() {
        Some(chunk) if length <= CHUNK => append_start(chunk, length, out),
        _ => out.extend_from_slice(&from[part]),
    }
}

/// Appends the first bytes of a chunk, at most all of them.
#[inline]
pub(super) fn append_start(chunk: &[u8; CHUNK], length: usize, out: &mut Vec<u8>) {
    let before = out.len();
    out.extend_from_slice(chunk);
    out.truncate(before + length);
}

/// Bytes that are always the same.
#[derive(Debug)]
pub(super) struct Fixed {
    bytes: Box<[u8]>,
    /// The first of them, and anything.
    chunk: [u8; CHUNK],
}

impl Fixed {
    pub(super) fn new(bytes: &[u8]) -> Self {
        let mut chunk = [0; CHUNK];
        let length = bytes.len().min(CHUNK);
        chunk[..length].copy_from_slice(&bytes[..length]);
        Self {
            bytes: bytes.into(),
            chunk,
        }
    }

    /// All of them.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether bytes are these. They were often written just now: a comparison in wide loads would wait for the stores.
    #[inline]
    pub(super) fn is(&self, bytes: &[u8]) -> bool {
        let ((words, rest), (own_words, own_rest)) = (bytes.as_chunks::<8>(), self.bytes.as_chunks::<8>());
        bytes.len() == self.bytes.len()
            && words.iter().zip(own_words).all(|(word, own)| word == own)
            && rest.iter().zip(own_rest).all(|(byte, own)| byte == own)
    }

    /// Appends them.
    #[inline]
    pub(super) fn append_to(&self, out: &mut Vec<u8>) {
        if self.bytes.len() <= CHUNK {
            append_start(&self.chunk, self.bytes.len(), out);
        } else {
            out.extend_from_slice(&self.bytes);
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
    fn bytes_are_the_fixed_ones_when_each_of_them_is() {
        for length in 0..40 {
            let bytes: Vec<u8> = (0..length).collect();
            let fixed = Fixed::new(&bytes);
            assert!(fixed.is(&bytes));
            assert!(!fixed.is(&[&bytes[..], b"x"].concat()));
            for place in 0..bytes.len() {
                let mut other = bytes.clone();
                other[place] ^= 1;
                assert!(!fixed.is(&other) && !fixed.is(&bytes[..place]));
            }
        }
    }

    #[test]
    fn fixed_bytes_of_any_number_are_appended_as_they_are() {
        for length in 0..40 {
            let bytes = vec![b'x'; length];
            let mut out = b"before".to_vec();
            Fixed::new(&bytes).append_to(&mut out);
            assert_eq!(out, [b"before", &bytes[..]].concat());
        }
    }
}
