//! Cuts COPY text into rows and fields, sixty-four bytes at a time.
//!
//! Fields are short: a search that begins anew behind each separator spends more on beginning than on searching. So the
//! places of all separators of a window are written down first, without a branch for each (as in Langdale and Lemire,
//! "Parsing Gigabytes of JSON per Second", 2019), and rows are parts of that list.

use fearless_simd::{dispatch, prelude::*, u8x64, Level};

/// Bytes that are looked at together.
const BLOCK: usize = 64;

/// Bytes whose separators are written down together: few enough for the list to stay in the processor's nearest cache.
const WINDOW: usize = 4096;

/// Places that are written down together, whether there are so many or not.
const SLOTS: usize = 8;

/// More fields than any row of PostgreSQL has (`MaxTupleAttributeNumber` in `src/include/access/htup_details.h` is
/// 1,664). A damaged row may have a billion; from here on only the last ones are known.
const MOST_FIELDS: usize = 2048;

/// Cuts pieces of COPY text into rows and fields. It keeps buffers, so that no row costs an allocation.
#[derive(Debug, Default)]
pub struct Splitter {
    /// Where fields begin: the rows' one after the other, so that a row's end is the next one's beginning. What stands
    /// behind those is room.
    starts: Vec<usize>,
    /// Which of the starts are behind a newline; what stands behind those is room.
    ends: Vec<usize>,
}

impl Splitter {
    /// One without a buffer yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The rows of a piece.
    ///
    /// ```
    /// use pg_dump_archive::copy::Splitter;
    /// let mut splitter = Splitter::new();
    /// let mut rows = splitter.rows(b"1\tAda\n2\t");
    /// let row = rows.next_row().unwrap();
    /// assert_eq!((row.fields(), row.field(1)), (2, &b"Ada"[..]));
    /// assert!(rows.next_row().is_none());
    /// assert_eq!(rows.end(), 6);
    /// ```
    pub fn rows<'s>(&'s mut self, piece: &'s [u8]) -> Rows<'s> {
        let Self { starts, ends } = self;
        starts.resize(starts.len().max(1), 0);
        starts[0] = 0;
        Rows {
            piece,
            looked: 0,
            starts,
            known: 1,
            ends,
            ended: 0,
            given: 0,
            start: 0,
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
    /// How much of it was looked at.
    looked: usize,
    /// The splitter's, and how many of them are known.
    starts: &'s mut Vec<usize>,
    known: usize,
    /// The splitter's, how many of them are known, and how many of those were given.
    ends: &'s mut Vec<usize>,
    ended: usize,
    given: usize,
    /// Which of the starts is the next row's.
    start: usize,
}

impl Rows<'_> {
    /// The next row; None where no whole one is left.
    #[inline]
    pub fn next_row(&mut self) -> Option<Row<'_>> {
        if self.given == self.ended && !self.look() {
            return None;
        }
        let end = self.ends[self.given];
        let starts = &self.starts[self.start..=end];
        self.given += 1;
        self.start = end;
        Some(Row {
            piece: self.piece,
            starts,
        })
    }

    /// Where the rows end that were given.
    pub fn end(&self) -> usize {
        self.starts[self.start]
    }

    /// Looks at what follows, until there is a whole row; false when there is none.
    fn look(&mut self) -> bool {
        self.starts.copy_within(self.start..self.known, 0);
        self.known -= self.start;
        (self.start, self.given, self.ended) = (0, 0, 0);
        while self.ended == 0 {
            let rest = &self.piece[self.looked..];
            if rest.is_empty() {
                return false;
            }
            let window = &rest[..rest.len().min(WINDOW)];
            self.known = self.known.min(MOST_FIELDS);
            let room = self.known + WINDOW + SLOTS;
            self.starts.resize(self.starts.len().max(room), 0);
            self.ends.resize(WINDOW + 1, 0);
            let (place, starts, ends) = (self.looked, &mut *self.starts, &mut *self.ends);
            (self.known, self.ended) =
                dispatch!(Level::new(), simd => write_down(simd, window, place, starts, self.known, ends));
            self.looked += window.len();
        }
        true
    }
}

/// Writes down where the fields behind a window's separators begin, and which of them are behind a newline. The window
/// begins at `place`; returns how many starts are known then, and how many newlines there were.
#[inline(always)]
fn write_down<S: Simd>(
    simd: S,
    window: &[u8],
    place: usize,
    starts: &mut [usize],
    known: usize,
    ends: &mut [usize],
) -> (usize, usize) {
    let (mut known, mut ended, mut first) = (known, 0, place + 1);
    for part in window.chunks(BLOCK) {
        let (mut separators, mut newlines) = match part.first_chunk() {
            Some(block) => separators(simd, block),
            None => {
                let mut block = [0; BLOCK];
                block[..part.len()].copy_from_slice(part);
                separators(simd, &block)
            }
        };
        // Whether a block has a newline cannot be foreseen, so one is written down in any case; few have another.
        loop {
            let before = separators & (newlines & newlines.wrapping_neg()).wrapping_sub(1);
            if let Some(end) = ends.get_mut(ended) {
                *end = known + before.count_ones() as usize;
            }
            ended += usize::from(newlines != 0);
            newlines &= newlines.wrapping_sub(1);
            if newlines == 0 {
                break;
            }
        }
        let count = separators.count_ones() as usize;
        let mut slots = &mut starts[known..];
        known += count;
        while let Some((some, others)) = slots.split_first_chunk_mut::<SLOTS>() {
            for slot in some {
                *slot = first + separators.trailing_zeros() as usize;
                separators &= separators.wrapping_sub(1);
            }
            if separators == 0 {
                break;
            }
            slots = others;
        }
        first += BLOCK;
    }
    (known, ended)
}

/// A bit for each byte that is a tab or a newline, and one for each that is a newline.
#[inline(always)]
fn separators<S: Simd>(simd: S, block: &[u8; BLOCK]) -> (u64, u64) {
    let bytes = u8x64::simd_from(simd, *block);
    let newlines = bytes.simd_eq(b'\n').to_bitmask();
    (newlines | bytes.simd_eq(b'\t').to_bitmask(), newlines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The rows' fields, and where the rows end.
    fn split(splitter: &mut Splitter, piece: &[u8]) -> (Vec<Vec<Vec<u8>>>, usize) {
        let mut found = splitter.rows(piece);
        let mut rows = Vec::new();
        while let Some(row) = found.next_row() {
            rows.push((0..row.fields()).map(|at| row.field(at).to_vec()).collect());
        }
        (rows, found.end())
    }

    /// The same, byte by byte.
    fn expected(piece: &[u8]) -> (Vec<Vec<Vec<u8>>>, usize) {
        let end = memchr::memrchr(b'\n', piece).map_or(0, |newline| newline + 1);
        let fields = |row: &[u8]| -> Vec<Vec<u8>> {
            row[..row.len() - 1]
                .split(|byte| *byte == b'\t')
                .map(<[u8]>::to_vec)
                .collect()
        };
        (
            piece[..end]
                .split_inclusive(|byte| *byte == b'\n')
                .map(fields)
                .collect(),
            end,
        )
    }

    #[test]
    fn every_byte_but_tab_and_newline_is_passed_over_wherever_it_stands() {
        let mut splitter = Splitter::new();
        for byte in 0..=u8::MAX {
            for place in 0..BLOCK {
                let mut piece = [b'a'; BLOCK + 1];
                piece[BLOCK] = b'\n';
                piece[place] = byte;
                assert_eq!(
                    split(&mut splitter, &piece),
                    expected(&piece),
                    "{byte} at {place}"
                );
            }
        }
    }

    #[test]
    fn a_piece_without_a_whole_row_has_none() {
        let mut splitter = Splitter::new();
        for piece in [&b""[..], b"1", b"1\t", &[b'\t'; 3 * WINDOW]] {
            assert_eq!(split(&mut splitter, piece), (vec![], 0));
        }
    }

    #[test]
    fn a_row_longer_than_a_window_is_whole() {
        let long = [b'a'; WINDOW + 7];
        let piece = [b"1\t", &long[..], b"\t2\n3\t", &long, b"\t4\n"].concat();
        assert_eq!(split(&mut Splitter::new(), &piece), expected(&piece));
    }

    #[test]
    fn a_row_of_a_million_fields_has_too_many_and_takes_little_memory() {
        let piece = [&[b'\t'; 1_000_000][..], b"\n7\t8\n"].concat();
        let mut splitter = Splitter::new();
        let mut rows = splitter.rows(&piece);
        assert!(rows.next_row().is_some_and(|row| row.fields() >= MOST_FIELDS));
        assert!(rows.next_row().is_some_and(|row| row.field(1) == b"8"));
        assert!(splitter.starts.capacity() < 4 * WINDOW);
    }

    proptest! {
        #[test]
        fn rows_and_fields_are_those_of_a_search_byte_by_byte(
            pieces in proptest::collection::vec(
                proptest::collection::vec(prop_oneof![Just(b'\t'), Just(b'\n'), any::<u8>(), Just(b'a')], 0..9000),
                1..3,
            )
        ) {
            let mut splitter = Splitter::new();
            for piece in pieces {
                prop_assert_eq!(split(&mut splitter, &piece), expected(&piece));
            }
        }
    }
}
