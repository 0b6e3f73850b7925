//! From rows of COPY text to those of the key tables: a row's place in its block, then the columns that decide.

use super::keys::KeyTable;
use super::why::Sought;
use pg_dump_archive::copy::Splitter;
use pg_dump_archive::DumpId;
use std::io::Write as _;

/// How many bits of a place are the row's own number; those above are its block's.
const ROW_BITS: u32 = 40;

/// The place of a block's row in its relation.
pub(super) fn place(block: usize, row: u64) -> i64 {
    // Neither a block nor a backup has so many that it matters.
    ((block as i64) << ROW_BITS) | (row & ((1 << ROW_BITS) - 1)) as i64
}

/// The block and the row that a place is of.
pub(super) fn placed(place: i64) -> (usize, u64) {
    let place = place as u64;
    ((place >> ROW_BITS) as usize, place & ((1 << ROW_BITS) - 1))
}

/// Looks for a row among those of blocks.
pub(crate) struct Search<'a> {
    sought: &'a Sought,
    /// Where its key is in rows of the block that is being looked at.
    position: Option<usize>,
    splitter: Splitter,
}

impl<'a> Search<'a> {
    pub(crate) fn of(sought: &'a Sought) -> Self {
        Self {
            sought,
            position: None,
            splitter: Splitter::new(),
        }
    }

    /// The rows of a block follow.
    pub(crate) fn begin(&mut self, load: DumpId) {
        self.position = self.sought.blocks.get(&load).copied();
    }

    /// Whether it is among some whole rows.
    pub(crate) fn finds_it(&mut self, piece: &[u8]) -> bool {
        let Some(position) = self.position else {
            return false;
        };
        let mut rows = self.splitter.rows(piece);
        while let Some(row) = rows.next_row() {
            if position < row.fields() && row.field(position) == self.sought.id {
                return true;
            }
        }
        false
    }
}

/// Cuts what decides out of a block's rows.
pub(super) struct Cutter<'a> {
    block: usize,
    /// The block's number is one of the columns.
    says_block: bool,
    positions: &'a [usize],
    splitter: Splitter,
    /// A row that is sought: where its key is, and what it is.
    pub(super) sought: Option<(usize, &'a [u8])>,
    /// Its number, once it was seen.
    pub(super) found: Option<u64>,
    /// How many rows it has seen.
    pub(super) rows: u64,
}

impl<'a> Cutter<'a> {
    pub(super) fn new(table: &KeyTable, block: usize, positions: &'a [usize]) -> Self {
        Self {
            block,
            says_block: table.says_block,
            positions,
            splitter: Splitter::new(),
            sought: None,
            found: None,
            rows: 0,
        }
    }

    /// Appends, for each row of `piece`, one of the key table's to `out`. False when a row is not whole.
    pub(super) fn cut(&mut self, piece: &[u8], out: &mut Vec<u8>) -> bool {
        let mut rows = self.splitter.rows(piece);
        while let Some(row) = rows.next_row() {
            // Writing to a buffer cannot fail.
            let _ = write!(out, "{}", place(self.block, self.rows));
            if self.says_block {
                let _ = write!(out, "\t{}", self.block);
            }
            for &position in self.positions {
                if position >= row.fields() {
                    return false;
                }
                out.push(b'\t');
                out.extend_from_slice(row.field(position));
            }
            out.push(b'\n');
            if let Some((position, id)) = self.sought {
                if position < row.fields() && row.field(position) == id {
                    self.found = Some(self.rows);
                }
            }
            self.rows += 1;
        }
        rows.end() == piece.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_says_its_block_and_its_row() {
        for (block, row) in [(0, 0), (3, 7), (2000, (1 << ROW_BITS) - 1)] {
            assert_eq!(placed(place(block, row)), (block, row));
        }
    }

    #[test]
    fn a_row_is_found_by_its_key_in_the_blocks_that_may_hold_it() {
        let sought = Sought {
            table: crate::plan::TableName::new("public", "users"),
            blocks: [(DumpId(7), 1)].into_iter().collect(),
            id: b"12".to_vec(),
            read_as: None,
        };
        let mut search = Search::of(&sought);
        search.begin(DumpId(6));
        assert!(!search.finds_it(b"x\t12\n"));
        search.begin(DumpId(7));
        assert!(!search.finds_it(b"12\tx\ny\t112\n"));
        assert!(search.finds_it(b"y\t112\nz\t12\n"));
    }

    #[test]
    fn what_decides_is_cut_out_as_it_is_written() {
        let mut cutter = Cutter {
            block: 1,
            says_block: true,
            positions: &[2, 0],
            splitter: Splitter::new(),
            sought: Some((0, b"8")),
            found: None,
            rows: 0,
        };
        let mut out = Vec::new();
        assert!(cutter.cut(b"7\tx\ta\\tb\n8\ty\t\\N\n", &mut out));
        let (first, second) = (place(1, 0), place(1, 1));
        assert_eq!(
            String::from_utf8_lossy(&out),
            format!("{first}\t1\ta\\tb\t7\n{second}\t1\t\\N\t8\n")
        );
        assert_eq!((cutter.rows, cutter.found), (2, Some(1)));
        assert!(!cutter.cut(b"9\tz\n", &mut out));
    }
}
