//! The choice: a bit for each row of a block that is kept, one for each reference that becomes NULL, and the sieve that
//! they make. Rows that decide by themselves have no bits: their keys are looked up as they pass.

use super::key_set::Keys;
use pg_dump_archive::copy::{Row, Splitter};
use pg_dump_archive::DumpId;
use roaring::{treemap, RoaringTreemap};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// Which rows of which blocks are kept.
#[derive(Debug, Default)]
pub struct Selection {
    pub(super) blocks: HashMap<DumpId, Chosen>,
    /// For each table of the part, how many rows others have brought back.
    pub(super) added: Vec<u64>,
    /// Tables of the part whose condition keeps no row.
    pub(super) unmet: Vec<usize>,
}

impl Selection {
    /// What was chosen of a block; None where nothing was chosen, and every row stays.
    pub fn of(&self, load: DumpId) -> Option<&Chosen> {
        self.blocks.get(&load)
    }

    /// The relations whose condition keeps none of their rows.
    pub fn unmet(&self) -> &[usize] {
        &self.unmet
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
    pub(super) total: u64,
    /// Those that stay; None: all.
    pub(super) kept: Option<RoaringTreemap>,
    /// References that become NULL: where their columns are, and in which rows.
    pub(super) nulls: Vec<(Vec<usize>, RoaringTreemap)>,
    /// Its rows decide by themselves; all else is empty then.
    pub(super) by_keys: Option<ByKeys>,
}

/// Rows that stay or go by what they refer to.
#[derive(Debug, Default, Clone)]
pub(super) struct ByKeys {
    pub(super) references: Vec<KeyReference>,
    /// How many rows there are and how many of them stay, once all have passed.
    counts: OnceLock<(u64, u64)>,
}

/// By what a row refers to another.
#[derive(Debug, Clone)]
pub(super) struct KeyReference {
    /// The field.
    pub(super) position: usize,
    pub(super) keys: Arc<Keys>,
    /// The keys are of rows that go; else of those that stay.
    pub(super) of_gone: bool,
    /// The fields that become NULL; none: the row goes.
    pub(super) nulls: Vec<usize>,
}

impl ByKeys {
    pub(super) fn new(references: Vec<KeyReference>) -> Self {
        Self {
            references,
            counts: OnceLock::new(),
        }
    }

    /// Whether a row stays; the fields of it that become NULL are added to `nulls`. None where the row is not as COPY
    /// writes it.
    fn keeps(&self, row: &Row<'_>, nulls: &mut Vec<usize>) -> Option<bool> {
        nulls.clear();
        for reference in &self.references {
            if reference.position >= row.fields() {
                return None;
            }
            let field = row.field(reference.position);
            if field == b"\\N" || reference.keys.holds(field)? != reference.of_gone {
                continue;
            }
            if reference.nulls.is_empty() {
                return Some(false);
            }
            nulls.extend_from_slice(&reference.nulls);
        }
        Some(true)
    }
}

impl Chosen {
    /// How many rows it has. Where they decide by themselves, that is known when they have passed.
    pub fn total(&self) -> u64 {
        self.counts().map_or(self.total, |(total, _)| total)
    }

    /// How many rows stay. Where they decide by themselves, that is known when they have passed.
    pub fn kept(&self) -> u64 {
        let chosen = || self.kept.as_ref().map_or(self.total, RoaringTreemap::len);
        self.counts().map_or_else(chosen, |(_, kept)| kept)
    }

    fn counts(&self) -> Option<(u64, u64)> {
        let by_keys = self.by_keys.as_ref()?;
        Some(by_keys.counts.get().copied().unwrap_or_default())
    }

    /// Whether its rows have to pass to the last for it to be known how many they are.
    pub fn counts_as_they_pass(&self) -> bool {
        self.by_keys.is_some()
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
        let mut ahead = self.kept.as_ref().map(RoaringTreemap::iter);
        Sieve {
            chosen: self,
            splitter: Splitter::new(),
            row: 0,
            kept: 0,
            next: ahead.as_mut().and_then(Iterator::next),
            ahead,
            nulls: Vec::new(),
        }
    }
}

/// Lets the chosen rows of a block through.
pub struct Sieve<'a> {
    chosen: &'a Chosen,
    splitter: Splitter,
    /// The number of the next row.
    row: u64,
    /// How many rows have been let through by their keys.
    kept: u64,
    /// The next row that stays and those behind it, where not all stay.
    next: Option<u64>,
    ahead: Option<treemap::Iter<'a>>,
    /// The fields of a row that become NULL.
    nulls: Vec<usize>,
}

impl Sieve<'_> {
    /// Appends the chosen ones of a piece's whole rows to `out`. False where a row is not as COPY writes it.
    #[must_use]
    pub fn sift(&mut self, piece: &[u8], out: &mut Vec<u8>) -> bool {
        if let Some(by_keys) = &self.chosen.by_keys {
            return self.sift_by_keys(by_keys, piece, out);
        }
        match self.chosen.nulls.is_empty() {
            true => self.sift_lines(piece, out),
            false => self.sift_fields(piece, out),
        }
        true
    }

    /// All rows have passed.
    pub fn end(self) {
        if let Some(by_keys) = &self.chosen.by_keys {
            // Rows that come again are as many.
            let _ = by_keys.counts.set((self.row, self.kept));
        }
    }

    /// Whether the next row stays.
    fn passes(&mut self) -> bool {
        let number = self.row;
        self.row += 1;
        let Some(ahead) = &mut self.ahead else { return true };
        let stays = self.next == Some(number);
        if stays {
            self.next = ahead.next();
        }
        stays
    }

    /// Rows whose keys say whether they stay.
    fn sift_by_keys(&mut self, by_keys: &ByKeys, piece: &[u8], out: &mut Vec<u8>) -> bool {
        let mut rows = self.splitter.rows(piece);
        // Where rows begin that stay one behind the other.
        let mut from = None;
        while let Some(row) = rows.next_row() {
            self.row += 1;
            let Some(stays) = by_keys.keeps(&row, &mut self.nulls) else {
                return false;
            };
            self.kept += u64::from(stays);
            let start = row.starts[0];
            let is_as_it_was = stays && self.nulls.is_empty();
            match (is_as_it_was, from) {
                (true, None) => from = Some(start),
                (false, Some(first)) => {
                    out.extend_from_slice(&piece[first..start]);
                    from = None;
                }
                _ => {}
            }
            if stays && !is_as_it_was {
                write_with_nulls(&row, &self.nulls, out);
            }
        }
        let end = rows.end();
        if let Some(first) = from {
            out.extend_from_slice(&piece[first..end]);
        }
        end == piece.len()
    }

    /// Rows of which some have fields that become NULL.
    fn sift_fields(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let mut splitter = std::mem::take(&mut self.splitter);
        let mut rows = splitter.rows(piece);
        while let Some(row) = rows.next_row() {
            let number = self.row;
            if !self.passes() {
                continue;
            }
            self.nulls.clear();
            self.nulls.extend(self.chosen.nulls(number));
            match self.nulls.is_empty() {
                true => out.extend_from_slice(&piece[row.starts[0]..row.starts[row.fields()]]),
                false => write_with_nulls(&row, &self.nulls, out),
            }
        }
        self.splitter = splitter;
    }

    /// The same where no field becomes NULL: rows that stay one behind the other are copied at once.
    fn sift_lines(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let (mut start, mut from) = (0, None);
        for newline in memchr::memchr_iter(b'\n', piece) {
            match (self.passes(), from) {
                (true, None) => from = Some(start),
                (false, Some(first)) => {
                    out.extend_from_slice(&piece[first..start]);
                    from = None;
                }
                _ => {}
            }
            start = newline + 1;
        }
        if let Some(first) = from {
            out.extend_from_slice(&piece[first..start]);
        }
    }
}

/// Writes a row with some of its fields NULL.
fn write_with_nulls(row: &Row<'_>, nulls: &[usize], out: &mut Vec<u8>) {
    for position in 0..row.fields() {
        if position > 0 {
            out.push(b'\t');
        }
        match nulls.contains(&position) {
            true => out.extend_from_slice(b"\\N"),
            false => out.extend_from_slice(row.field(position)),
        }
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::super::key_set::Kind;
    use super::*;

    fn sifted(chosen: &Chosen, pieces: &[&str]) -> String {
        let (mut sieve, mut out) = (chosen.sieve(), Vec::new());
        for piece in pieces {
            assert!(sieve.sift(piece.as_bytes(), &mut out));
        }
        sieve.end();
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn chosen_rows_pass_wherever_pieces_are_cut() {
        let chosen = Chosen {
            total: 5,
            kept: Some([1, 2, 4].into_iter().collect()),
            ..Chosen::default()
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
            ..Chosen::default()
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

    fn by_keys(references: &[(usize, &[i64], bool, &[usize])]) -> Chosen {
        let references = references.iter().map(|(position, keys, of_gone, nulls)| {
            let mut held = Keys::new(Kind::Number);
            keys.iter().for_each(|key| held.add_number(*key));
            KeyReference {
                position: *position,
                keys: Arc::new(held),
                of_gone: *of_gone,
                nulls: nulls.to_vec(),
            }
        });
        Chosen {
            by_keys: Some(ByKeys::new(references.collect())),
            ..Chosen::default()
        }
    }

    #[test]
    fn rows_that_tell_by_themselves_stay_with_the_rows_that_they_refer_to() {
        let chosen = by_keys(&[(1, &[7, 8], false, &[])]);
        let pieces = ["1\t7\n2\t8\n3\t9\n", "4\t\\N\n"];
        assert_eq!(sifted(&chosen, &pieces), "1\t7\n2\t8\n4\t\\N\n");
        assert_eq!((chosen.total(), chosen.kept()), (4, 3));
        assert!(!chosen.sieve().sift(b"1\n", &mut Vec::new()));
        assert!(!chosen.sieve().sift(b"1\tx\n", &mut Vec::new()));
    }

    #[test]
    fn a_value_that_no_constraint_checks_takes_its_row_along_only_where_its_counterpart_goes() {
        let chosen = by_keys(&[(0, &[1], true, &[])]);
        assert_eq!(sifted(&chosen, &["1\n2\n"]), "2\n");
    }

    #[test]
    fn rows_that_tell_by_themselves_lose_references_that_may_become_null() {
        let chosen = by_keys(&[(0, &[1], false, &[0]), (1, &[5], false, &[])]);
        assert_eq!(
            sifted(&chosen, &["1\t5\n2\t5\n2\t6\n1\t5\n"]),
            "1\t5\n\\N\t5\n1\t5\n"
        );
        assert_eq!((chosen.total(), chosen.kept()), (4, 3));
    }
}
