//! Where fields and rows end: the places of tabs and newlines, sixty-four bytes at a time.

/// Bytes that are looked at together.
const BLOCK: usize = 64;

/// The places of the tabs and newlines of some COPY text, in order.
///
/// Fields are short: a search that begins anew behind each separator spends more on beginning than on searching. This
/// one looks at a block of bytes at once, which the compiler turns into vector instructions, and keeps a bit for each.
///
/// ```
/// use staging_sync_engine::copy::Separators;
/// let places: Vec<usize> = Separators::new(b"1\tAda\n2\tGrace\n").collect();
/// assert_eq!(places, [1, 5, 7, 13]);
/// ```
#[derive(Debug, Clone)]
pub struct Separators<'a> {
    /// What was not looked at yet.
    rest: &'a [u8],
    /// Where the block begins that was looked at last, and where the next one does.
    block: usize,
    next: usize,
    /// A bit for each of its bytes that is a separator and was not given yet.
    found: u64,
}

impl<'a> Separators<'a> {
    /// The separators of `text`.
    #[inline]
    pub fn new(text: &'a [u8]) -> Self {
        Self {
            rest: text,
            block: 0,
            next: 0,
            found: 0,
        }
    }

    /// Looks at the next block; false when there is none.
    #[inline]
    fn look(&mut self) -> bool {
        self.block = self.next;
        match self.rest.split_first_chunk::<BLOCK>() {
            Some((block, rest)) => {
                self.found = separators(block);
                self.rest = rest;
                self.next += BLOCK;
            }
            None if self.rest.is_empty() => return false,
            None => {
                let mut block = [0; BLOCK];
                block[..self.rest.len()].copy_from_slice(self.rest);
                self.found = separators(&block);
                self.next += self.rest.len();
                self.rest = &[];
            }
        }
        true
    }
}

/// A bit for each byte that is a tab or a newline.
#[inline]
fn separators(block: &[u8; BLOCK]) -> u64 {
    // With a byte of 0 or 1 in each of eight places, this product has them as the bits of its highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let mut flags = [0; BLOCK];
    for (flag, byte) in flags.iter_mut().zip(block) {
        *flag = u8::from(*byte == b'\t') | u8::from(*byte == b'\n');
    }
    let (words, _) = flags.as_chunks::<8>();
    words.iter().rev().fold(0, |bits, word| {
        bits << 8 | u64::from_le_bytes(*word).wrapping_mul(GATHER) >> 56
    })
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
        let place = self.block + self.found.trailing_zeros() as usize;
        self.found &= self.found - 1;
        Some(place)
    }
}

impl std::iter::FusedIterator for Separators<'_> {}

/// Cuts pieces of COPY text into rows and fields. It keeps a buffer, so that no row costs an allocation.
#[derive(Debug, Default)]
pub struct Splitter {
    starts: Vec<usize>,
}

impl Splitter {
    /// One without a buffer yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The rows of a piece.
    ///
    /// ```
    /// use staging_sync_engine::copy::Splitter;
    /// let mut splitter = Splitter::new();
    /// let mut rows = splitter.rows(b"1\tAda\n2\t");
    /// let row = rows.next_row().unwrap();
    /// assert_eq!((row.fields(), row.field(1)), (2, &b"Ada"[..]));
    /// assert!(rows.next_row().is_none());
    /// assert_eq!(rows.end(), 6);
    /// ```
    pub fn rows<'s>(&'s mut self, piece: &'s [u8]) -> Rows<'s> {
        Rows {
            piece,
            separators: Separators::new(piece),
            starts: &mut self.starts,
            end: 0,
        }
    }
}

/// One row of a piece. Its places are those in the piece.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The piece.
    pub piece: &'a [u8],
    /// Where the row's fields begin, and, as the last, where the row after it does: one more than there are fields.
    pub starts: &'a [usize],
}

impl<'a> Row<'a> {
    /// How many fields it has.
    #[inline]
    pub fn fields(&self) -> usize {
        self.starts.len() - 1
    }

    /// The bounds of a field, without the tab or newline that ends it. There must be one at this position.
    #[inline]
    pub fn range(&self, position: usize) -> (usize, usize) {
        (self.starts[position], self.starts[position + 1] - 1)
    }

    /// A field, raw. There must be one at this position.
    #[inline]
    pub fn field(&self, position: usize) -> &'a [u8] {
        let (start, end) = self.range(position);
        &self.piece[start..end]
    }
}

/// The rows of [`Splitter::rows`].
#[derive(Debug)]
pub struct Rows<'s> {
    piece: &'s [u8],
    separators: Separators<'s>,
    starts: &'s mut Vec<usize>,
    end: usize,
}

impl Rows<'_> {
    /// The next row; None where no whole one is left.
    #[inline]
    pub fn next_row(&mut self) -> Option<Row<'_>> {
        self.starts.clear();
        self.starts.push(self.end);
        for place in self.separators.by_ref() {
            self.starts.push(place + 1);
            if self.piece[place] == b'\n' {
                self.end = place + 1;
                return Some(Row {
                    piece: self.piece,
                    starts: self.starts,
                });
            }
        }
        None
    }

    /// Where the rows end that were given.
    pub fn end(&self) -> usize {
        self.end
    }
}

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
            for place in 0..BLOCK {
                let mut text = [b'a'; BLOCK];
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
            text in proptest::collection::vec(prop_oneof![Just(b'\t'), Just(b'\n'), any::<u8>()], 0..300)
        ) {
            let expected: Vec<usize> = memchr::memchr2_iter(b'\t', b'\n', &text).collect();
            prop_assert_eq!(found(&text), expected);
        }
    }
}
