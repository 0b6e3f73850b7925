//! The choice: a bit for each row of a block that is kept, one for each reference that becomes NULL, and the sieve that
//! they make.

use pg_dump_archive::copy::Splitter;
use pg_dump_archive::DumpId;
use roaring::RoaringTreemap;
use std::collections::HashMap;

/// Which rows of which blocks are kept.
#[derive(Debug, Default)]
pub struct Selection {
    pub(super) blocks: HashMap<DumpId, Chosen>,
    /// For each table of the part, how many rows others have brought back.
    pub(super) added: Vec<u64>,
}

impl Selection {
    /// What was chosen of a block; None where nothing was chosen, and every row stays.
    pub fn of(&self, load: DumpId) -> Option<&Chosen> {
        self.blocks.get(&load)
    }

    /// How many rows of a relation are there because others need them, beyond what its own rule and references keep.
    pub fn added(&self, relation: usize) -> u64 {
        self.added.get(relation).copied().unwrap_or(0)
    }
}

/// What was chosen of a block.
#[derive(Debug, Default, Clone)]
pub struct Chosen {
    /// How many rows it has.
    pub total: u64,
    /// Those that stay; None: all.
    pub(super) kept: Option<RoaringTreemap>,
    /// References that become NULL: where their columns are, and in which rows.
    pub(super) nulls: Vec<(Vec<usize>, RoaringTreemap)>,
}

impl Chosen {
    /// How many rows stay.
    pub fn kept(&self) -> u64 {
        self.kept.as_ref().map_or(self.total, RoaringTreemap::len)
    }

    /// Whether a row stays, by its number in the block.
    pub fn keeps(&self, row: u64) -> bool {
        self.kept.as_ref().is_none_or(|kept| kept.contains(row))
    }

    /// The positions of fields that become NULL in a row.
    pub fn nulls(&self, row: u64) -> impl Iterator<Item = usize> + '_ {
        let of_row = self.nulls.iter().filter(move |(_, rows)| rows.contains(row));
        of_row.flat_map(|(positions, _)| positions.iter().copied())
    }

    /// A sieve for the block's rows, from the first on.
    pub fn sieve(&self) -> Sieve<'_> {
        Sieve {
            chosen: self,
            splitter: Splitter::new(),
            row: 0,
        }
    }
}

/// Lets the chosen rows of a block through.
#[derive(Debug)]
pub struct Sieve<'a> {
    chosen: &'a Chosen,
    splitter: Splitter,
    /// The number of the next row.
    row: u64,
}

impl Sieve<'_> {
    /// Appends the chosen ones of a piece's whole rows to `out`.
    pub fn sift(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        if self.chosen.nulls.is_empty() {
            return self.sift_lines(piece, out);
        }
        let mut rows = self.splitter.rows(piece);
        while let Some(row) = rows.next_row() {
            let number = self.row;
            self.row += 1;
            if !self.chosen.keeps(number) {
                continue;
            }
            if self.chosen.nulls(number).next().is_none() {
                let (start, end) = (row.starts[0], row.starts[row.fields()]);
                out.extend_from_slice(&piece[start..end]);
                continue;
            }
            for position in 0..row.fields() {
                if position > 0 {
                    out.push(b'\t');
                }
                match self.chosen.nulls(number).any(|null| null == position) {
                    true => out.extend_from_slice(b"\\N"),
                    false => out.extend_from_slice(row.field(position)),
                }
            }
            out.push(b'\n');
        }
    }

    /// The same where no field becomes NULL: rows that stay one behind the other are copied at once.
    fn sift_lines(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let (mut start, mut from) = (0, None);
        for newline in memchr::memchr_iter(b'\n', piece) {
            match (self.chosen.keeps(self.row), from) {
                (true, None) => from = Some(start),
                (false, Some(first)) => {
                    out.extend_from_slice(&piece[first..start]);
                    from = None;
                }
                _ => {}
            }
            self.row += 1;
            start = newline + 1;
        }
        if let Some(first) = from {
            out.extend_from_slice(&piece[first..start]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sifted(chosen: &Chosen, pieces: &[&str]) -> String {
        let (mut sieve, mut out) = (chosen.sieve(), Vec::new());
        for piece in pieces {
            sieve.sift(piece.as_bytes(), &mut out);
        }
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn chosen_rows_pass_wherever_pieces_are_cut() {
        let chosen = Chosen {
            total: 5,
            kept: Some([1, 2, 4].into_iter().collect()),
            nulls: Vec::new(),
        };
        assert_eq!(sifted(&chosen, &["a\nb\nc\nd\ne\n"]), "b\nc\ne\n");
        assert_eq!(sifted(&chosen, &["a\nb\n", "c\n", "d\ne\n"]), "b\nc\ne\n");
        assert_eq!(chosen.kept(), 3);
    }

    #[test]
    fn references_to_rows_that_go_become_null_and_other_fields_stay() {
        let chosen = Chosen {
            total: 3,
            kept: Some([0, 2].into_iter().collect()),
            nulls: vec![
                (vec![1], [2].into_iter().collect()),
                (vec![0, 2], [2].into_iter().collect()),
            ],
        };
        assert_eq!(
            sifted(&chosen, &["1\t2\t3\n4\t5\t6\n", "7\t8\t9\n"]),
            "1\t2\t3\n\\N\t\\N\t\\N\n"
        );
    }

    #[test]
    fn without_a_choice_every_row_stays() {
        let chosen = Chosen {
            total: 2,
            ..Chosen::default()
        };
        assert_eq!(sifted(&chosen, &["a\nb\n"]), "a\nb\n");
        assert_eq!(chosen.kept(), 2);
    }
}
