//! Masks that write words of a list: names, addresses, companies, browsers.

use super::gender::{Gender, GenderColumn};
pub(crate) use super::parts::TextPart;
pub(crate) use super::sorted_words::SortedWords;
use super::words_form;
use crate::bytes;
use crate::entry::{Fitted, Fitting};
use crate::equal::Fold;
use crate::error::Unfit;
use crate::fitting::DISTINCT_HEX;
use crate::key::Function;
use crate::pseudonym::{Pseudonym, Work};
use pg_dump_archive::copy::Row;
use std::borrow::Cow;

/// At most so many words of a list are tried for one that is not the value: more than any list of first names has.
const TURNS: u64 = 128;

/// Words chosen by the key and the value.
#[derive(Debug)]
pub(crate) struct Words {
    function: Function,
    fold: Fold,
    parts: Vec<TextPart>,
    /// What first names go with.
    gender: Option<GenderColumn>,
}

impl Words {
    /// Words of these parts.
    pub(crate) fn new(function: Function, fold: Fold, parts: Vec<TextPart>) -> Self {
        Self {
            function,
            fold,
            parts,
            gender: None,
        }
    }

    /// Appends the words for a value that stands in `around`, never the value itself; first names go with `gender`.
    pub(crate) fn append(
        &self,
        value: &[u8],
        around: &[u8],
        gender: Option<Gender>,
        scratch: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) {
        let digest = self.function.digest_of(value, around, self.fold, scratch);
        let start = out.len();
        for turn in 0..TURNS {
            self.compose(&digest, turn, gender, out);
            if !out[start..].eq_ignore_ascii_case(value) {
                return;
            }
            out.truncate(start);
        }
    }

    fn compose(&self, digest: &[u8; 32], turn: u64, gender: Option<Gender>, out: &mut Vec<u8>) {
        let mut from = 0;
        for part in &self.parts {
            let mut eight = [0; 8];
            eight.copy_from_slice(&digest[from % 24..from % 24 + 8]);
            let number = u64::from_be_bytes(eight).wrapping_add(turn);
            match part {
                TextPart::Word(words) => {
                    let chosen = (number % words.len().max(1) as u64) as usize;
                    let chosen = words.going_with(chosen, gender);
                    out.extend_from_slice(words.get(chosen).map_or(b"", |word| word.as_bytes()));
                    from += 4;
                }
                TextPart::Text(text) => out.extend_from_slice(text.as_bytes()),
                TextPart::Number => {
                    let number = number % 199 + 1;
                    let digits =
                        [number / 100, number / 10 % 10, number % 10].map(|digit| b'0' + digit as u8);
                    let skipped = digits.iter().take_while(|digit| **digit == b'0').count();
                    out.extend_from_slice(&digits[skipped..]);
                    from += 4;
                }
                TextPart::Digits(count) => {
                    let size = 10u64.pow((*count).min(18) as u32);
                    bytes::write_number(u128::from(number % size), *count, out);
                    from += 4;
                }
                // The digits that make it distinct are of the digest's other half and the beginning.
                TextPart::Hex => bytes::write_hex(&digest[32 - DISTINCT_HEX / 2..], DISTINCT_HEX, out),
            }
        }
    }

    fn continues(&self, part: usize, rest: &[u8]) -> bool {
        match self.parts.get(part) {
            None => rest.is_empty(),
            Some(this) => this.strip(rest, &|rest| self.continues(part + 1, rest)),
        }
    }
}

impl Pseudonym for Words {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let gender = self.gender.as_ref().and_then(|column| column.of(row, work));
        self.append(value, row.piece, gender, &mut work.first, out);
    }

    fn has_form(&self, value: &[u8]) -> bool {
        self.continues(0, value)
    }
}

/// The words of a list that fit.
pub(crate) fn list(words: &[&'static str], limit: usize) -> TextPart {
    let words = words.iter().filter(|word| word.len() <= limit);
    TextPart::Word(SortedWords::new(words.map(|word| Cow::Borrowed(*word)).collect()))
}

/// Fits texts of these parts to a column; under a unique index they get one more that keeps them apart.
pub(crate) fn fit(fitting: &Fitting<'_>, parts: Vec<TextPart>) -> Result<Fitted, Box<Unfit>> {
    let (parts, fold) = fit_into(fitting, parts)?;
    let function = fitting.function(fitting.name());
    Ok(fit_parts(fitting, function, fold, parts))
}

/// These parts as a column can hold them, and what does not count in its values.
pub(crate) fn fit_into(
    fitting: &Fitting<'_>,
    mut parts: Vec<TextPart>,
) -> Result<(Vec<TextPart>, Fold), Box<Unfit>> {
    let is_distinct = parts.iter().any(|part| matches!(part, TextPart::Hex));
    if fitting.column.unique.distinct && !is_distinct {
        parts.extend([TextPart::Text(" ".into()), TextPart::Hex]);
    }
    let empty = |part: &TextPart| matches!(part, TextPart::Word(words) if words.len() < 2);
    let least = parts.iter().map(TextPart::longest).sum();
    let text = fitting.text_of(if parts.iter().any(empty) {
        usize::MAX
    } else {
        least
    })?;
    Ok((parts, text.fold))
}

/// The same for parts of which it is known that they fit.
pub(crate) fn fit_parts(
    fitting: &Fitting<'_>,
    function: Function,
    fold: Fold,
    parts: Vec<TextPart>,
) -> Fitted {
    let form = form(fitting, &parts);
    let gender = gender(fitting, &parts);
    let reads = gender.iter().map(GenderColumn::place).collect();
    let words = Words {
        gender,
        ..Words::new(function, fold, parts)
    };
    Fitted {
        reads,
        ..fitting.fitted(words, form)
    }
}

/// The column that says what first names among these parts go with.
pub(crate) fn gender(fitting: &Fitting<'_>, parts: &[TextPart]) -> Option<GenderColumn> {
    let has_forms = |part: &TextPart| matches!(part, TextPart::Word(words) if words.has_forms());
    (parts.iter().any(has_forms)).then(|| fitting.gender()).flatten()
}

/// Whether a value consists of these parts, in SQL.
pub(crate) fn form(fitting: &Fitting<'_>, parts: &[TextPart]) -> String {
    words_form::condition(&fitting.sql(), parts)
}

/// The characters that are left for words.
pub(crate) fn room(fitting: &Fitting<'_>) -> Result<usize, Box<Unfit>> {
    let limit = fitting.text()?.limit;
    let taken = if fitting.column.unique.distinct {
        DISTINCT_HEX + 1
    } else {
        0
    };
    Ok(limit.saturating_sub(taken))
}
