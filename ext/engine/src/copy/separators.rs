//! Where fields and rows end: the places of tabs and newlines, eight bytes at a time.

/// A byte in each of a word's eight places.
const fn in_each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// The places of the tabs and newlines of some COPY text, in order.
///
/// Fields are short: a search that begins anew behind each separator spends more on beginning than on searching. This
/// one looks at a word's eight bytes at once and keeps what it has found.
///
/// ```
/// use staging_sync_engine::copy::Separators;
/// let places: Vec<usize> = Separators::new(b"1\tAda\n2\tGrace\n").collect();
/// assert_eq!(places, [1, 5, 7, 13]);
/// ```
#[derive(Debug, Clone)]
pub struct Separators<'a> {
    text: &'a [u8],
    /// Where the word that was looked at begins, and where the next one does.
    word: usize,
    next: usize,
    /// The highest bit of each of its bytes that is a separator and was not given yet.
    found: u64,
}

impl<'a> Separators<'a> {
    /// The separators of `text`.
    #[inline]
    pub fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            word: 0,
            next: 0,
            found: 0,
        }
    }

    /// Looks at the next word; false when there is none.
    #[inline]
    fn look(&mut self) -> bool {
        let rest = &self.text[self.next..];
        self.word = self.next;
        let bytes = match rest.first_chunk::<8>() {
            Some(bytes) => *bytes,
            None if rest.is_empty() => return false,
            None => {
                let mut bytes = [0; 8];
                bytes[..rest.len()].copy_from_slice(rest);
                bytes
            }
        };
        self.next += rest.len().min(8);
        self.found = separators(u64::from_le_bytes(bytes));
        true
    }
}

/// The highest bit of each byte that is a tab or a newline, and no other.
#[inline]
fn separators(word: u64) -> u64 {
    let low = word & in_each(0x7f);
    // The sum reaches a byte's highest bit unless the two are equal, and never the next byte.
    let differs = |from: u8| (low ^ in_each(from)) + in_each(0x7f);
    !(differs(b'\t') & differs(b'\n') | word) & in_each(0x80)
}

impl Iterator for Separators<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.found == 0 {
            if !self.look() {
                return None;
            }
        }
        let place = self.word + self.found.trailing_zeros() as usize / 8;
        self.found &= self.found - 1;
        Some(place)
    }
}

impl std::iter::FusedIterator for Separators<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(text: &[u8]) -> Vec<usize> {
        Separators::new(text).collect()
    }

    #[test]
    fn every_byte_but_tab_and_newline_is_passed_over_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            for place in 0..8 {
                let mut text = [b'a'; 8];
                text[place] = byte;
                let expected: &[usize] = match byte {
                    b'\t' | b'\n' => &[place],
                    _ => &[],
                };
                assert_eq!(found(&text), expected, "{byte} at {place}");
            }
        }
    }

    #[test]
    fn the_last_bytes_of_a_text_count_and_none_behind_them() {
        assert!(found(b"").is_empty());
        assert_eq!(found(b"\n"), [0]);
        assert_eq!(found(b"123456789\t"), [9]);
        let mut separators = Separators::new(b"a\t");
        assert_eq!(
            (separators.next(), separators.next(), separators.next()),
            (Some(1), None, None)
        );
    }

    proptest! {
        #[test]
        fn places_are_those_of_a_search_byte_by_byte(
            text in proptest::collection::vec(prop_oneof![Just(b'\t'), Just(b'\n'), any::<u8>()], 0..100)
        ) {
            let expected: Vec<usize> = memchr::memchr2_iter(b'\t', b'\n', &text).collect();
            prop_assert_eq!(found(&text), expected);
        }
    }
}
