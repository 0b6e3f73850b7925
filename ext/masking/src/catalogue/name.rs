//! `name`: a first and a last name, which are those that `first_name` and `last_name` make of the value's own words, so that
//! a person has the same name in every column.

use super::{first_name, last_name};
use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::equal::Fold;
use crate::error::Unfit;
use crate::families::gender::{first_names, GenderColumn};
use crate::families::word_lists::LAST_NAMES;
use crate::families::words::{self, list, room, TextPart, Words};
use crate::pseudonym::{Pseudonym, Work};
use pg_dump_archive::copy::Row;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    example: Example::of_text("Ada Lovelace"),
    own_form: |_| true,
    ..CatalogueEntry::new(
        "name",
        "a first and a last name, as `:first_name` and `:last_name` make them of its words",
        fit,
    )
};

/// What stands before a name without being part of it, in small letters and without a full stop.
const TITLES: [&[u8]; 20] = [
    b"mr", b"mrs", b"ms", b"miss", b"dr", b"prof", b"m", b"mme", b"mlle", b"me", b"herr", b"frau", b"sr",
    b"sra", b"srta", b"sig", b"dott", b"dhr", b"mevr", b"mw",
];

#[derive(Debug)]
struct FullName {
    first: Words,
    last: Words,
    /// What keeps names apart under a unique index.
    apart: Option<Words>,
    /// For a value of one word.
    whole: Words,
    fold: Fold,
    /// What the first name goes with.
    gender: Option<GenderColumn>,
}

impl Pseudonym for FullName {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let around = row.piece;
        let gender = self.gender.as_ref().and_then(|column| column.of(row, work));
        let Work {
            first: scratch,
            second: folded,
            ..
        } = work;
        // What is one value to its column must be cut at one place, and a collation may take other signs for commas.
        let cut = if value.is_ascii() || self.fold.is_plain(value) {
            value
        } else {
            self.fold.apply(value, folded);
            folded
        };
        let Some((first, last)) = first_and_last(cut) else {
            return self.whole.append(value, around, gender, scratch, out);
        };
        self.first.append(first, around, gender, scratch, out);
        out.push(b' ');
        self.last.append(last, around, None, scratch, out);
        if let Some(apart) = &self.apart {
            apart.append(value, around, None, scratch, out);
        }
    }

    fn has_form(&self, value: &[u8]) -> bool {
        self.whole.has_form(value)
    }
}

/// The words of a name: `Ada Lovelace`, `Dr. Ada Lovelace`, `Lovelace, Ada`. None: there is but one word.
fn first_and_last(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let comma = value.iter().position(|byte| *byte == b',');
    if let Some(comma) = comma {
        let (last, first) = (value[..comma].trim_ascii(), value[comma + 1..].trim_ascii());
        return (!last.is_empty() && !first.is_empty()).then_some((first, last));
    }
    let mut rest = value.trim_ascii();
    loop {
        let space = rest.iter().position(u8::is_ascii_whitespace)?;
        let (word, behind) = (&rest[..space], rest[space..].trim_ascii_start());
        if !is_title(word) {
            return Some((word, behind));
        }
        rest = behind;
    }
}

fn is_title(word: &[u8]) -> bool {
    let word = word.strip_suffix(b".").unwrap_or(word);
    TITLES.iter().any(|title| word.eq_ignore_ascii_case(title))
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    let half = room(fitting)?.saturating_sub(1) / 2;
    let (first, last) = (first_names(half), list(LAST_NAMES, half));
    let parts = vec![first.clone(), TextPart::Text(" ".into()), last.clone()];
    let (parts, fold) = words::fit_into(fitting, parts)?;
    let form = words::form(fitting, &parts);
    let gender = words::gender(fitting, &parts);
    let reads = gender.iter().map(GenderColumn::place).collect();
    let words = |mask, parts| Words::new(fitting.function(mask), fold, parts);
    let name = FullName {
        first: words(first_name::MASK.name, vec![first]),
        last: words(last_name::MASK.name, vec![last]),
        apart: (parts.len() > 3).then(|| words(MASK.name, parts[3..].to_vec())),
        whole: words(MASK.name, parts),
        fold,
        gender,
    };
    Ok(Fitted {
        reads,
        ..fitting.fitted(name, form)
    })
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::entry::Mask;
    use crate::testing::{case, column, masked, pseudonyms, table, text, Case, UNIQUE};
    use crate::{ColumnFacts, RowMask};
    use std::sync::Arc;

    pub(crate) const CASES: &[Case] = &[case("name", "[A-Z][a-zé]{1,9} [A-Z][a-z]{1,9}", |_, new| {
        new.split(' ').count() >= 2
    })];

    fn written(mask: &str, facts: ColumnFacts, values: &[&str]) -> Vec<String> {
        let table = table(vec![column("id", crate::testing::bigint()), facts]);
        let mask = Mask::named(mask, &Default::default()).unwrap();
        let mask = Arc::new(RowMask::new(&table, &[(1, mask)], &pseudonyms()).unwrap());
        masked(
            &mask,
            &values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>(),
        )
    }

    fn of_one(mask: &str, value: &str) -> String {
        written(mask, column("value", text()), &[value]).remove(0)
    }

    #[test]
    fn a_full_name_is_the_first_and_the_last_name_that_its_words_have_in_columns_of_their_own() {
        for (full, first, last) in [
            ("Ada Lovelace", "Ada", "Lovelace"),
            ("Dr. Ada Lovelace", "Ada", "Lovelace"),
            ("Herr Prof. Jan van der Berg", "Jan", "van der Berg"),
            ("Lovelace, Ada", "Ada", "Lovelace"),
            ("  Élise   Noël ", "Élise", "Noël"),
        ] {
            let expected = format!("{} {}", of_one("first_name", first), of_one("last_name", last));
            assert_eq!(of_one("name", full), expected, "{full}");
        }
    }

    #[test]
    fn one_word_becomes_two_and_a_title_alone_is_a_word() {
        for value in ["Ada", "Dr.", "Ada,", ", ", "Mme Mlle"] {
            assert_eq!(of_one("name", value).split(' ').count(), 2, "{value}");
        }
    }

    #[test]
    fn under_a_unique_index_full_names_of_the_same_words_stay_apart() {
        let unique = ColumnFacts {
            unique: UNIQUE,
            ..column("value", text())
        };
        let new = written("name", unique, &["Ada Lovelace", "Lovelace, Ada"]);
        let words = |name: &String| name.split(' ').take(2).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(&new[0]), words(&new[1]));
        assert_ne!(new[0], new[1]);
    }
}
