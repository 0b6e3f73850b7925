//! The gender that a column of the row says, as it stands there after masking: first names are chosen to go with it.

use super::sorted_words::SortedWords;
use super::word_lists::{EITHER, MEN, WOMEN};
use super::words::TextPart;
use crate::action::Other;
use crate::entry::{Fitting, Mask};
use crate::pseudonym::Work;
use crate::types::Type;
use pg_dump_archive::copy::Row;
use std::borrow::Cow;

/// What a first name can go with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gender {
    Female,
    Male,
}

/// The words for each, in small letters and without a full stop: what people are, and how they are addressed.
const FEMALE: &[&str] = &[
    "f",
    "female",
    "fem",
    "woman",
    "girl",
    "feminine",
    "mrs",
    "ms",
    "miss",
    "lady",
    "she",
    "she/her",
    "femme",
    "fille",
    "feminin",
    "féminin",
    "mme",
    "madame",
    "mlle",
    "mademoiselle",
    "elle",
    "w",
    "weiblich",
    "frau",
    "fr",
    "femenino",
    "mujer",
    "sra",
    "señora",
    "senora",
    "srta",
    "señorita",
    "senorita",
    "femminile",
    "femmina",
    "donna",
    "signora",
    "sig.ra",
    "v",
    "vrouw",
    "vrouwelijk",
    "mevrouw",
    "mevr",
    "mw",
    "feminino",
    "mulher",
    "senhora",
    "dona",
];
const MALE: &[&str] = &[
    "m",
    "male",
    "masc",
    "man",
    "boy",
    "masculine",
    "mr",
    "mister",
    "sir",
    "he",
    "he/him",
    "h",
    "homme",
    "garçon",
    "garcon",
    "masculin",
    "monsieur",
    "il",
    "männlich",
    "maennlich",
    "mann",
    "herr",
    "hr",
    "masculino",
    "hombre",
    "varón",
    "varon",
    "sr",
    "señor",
    "senor",
    "maschile",
    "maschio",
    "uomo",
    "signor",
    "sig",
    "mannelijk",
    "heer",
    "dhr",
    "homem",
    "senhor",
];

/// How the values of a column are to be read.
#[derive(Debug, Clone, Copy)]
struct Reading {
    /// `H` is a man and `M` a woman, as in Spanish.
    m_is_female: bool,
    /// 1 is a man and 2 a woman (ISO 5218).
    has_numbers: bool,
}

impl Reading {
    /// Of a column that has these values; none: they are not known.
    fn of(values: &[&str]) -> Self {
        let has = |value: &str| values.iter().any(|known| known.eq_ignore_ascii_case(value));
        Self {
            m_is_female: has("h") && has("m"),
            has_numbers: has("2") || !has("0"),
        }
    }

    fn gender(self, value: &[u8]) -> Option<Gender> {
        let value = value.trim_ascii();
        let value = value.strip_suffix(b".").unwrap_or(value);
        let is = |word: &&str| value.eq_ignore_ascii_case(word.as_bytes());
        match value {
            b"1" if self.has_numbers => Some(Gender::Male),
            b"2" if self.has_numbers => Some(Gender::Female),
            b"m" | b"M" if self.m_is_female => Some(Gender::Female),
            _ if FEMALE.iter().any(is) => Some(Gender::Female),
            _ if MALE.iter().any(is) => Some(Gender::Male),
            _ => None,
        }
    }
}

/// The column that says of what gender the person is whose name is written.
#[derive(Debug)]
pub(crate) struct GenderColumn {
    other: Other,
    reading: Reading,
}

impl GenderColumn {
    /// What it says in a row.
    pub(crate) fn of(&self, row: &Row<'_>, work: &mut Work) -> Option<Gender> {
        let value = self.other.value(row, work)?;
        self.reading.gender(value)
    }

    /// Its place.
    pub(crate) fn place(&self) -> usize {
        self.other.column
    }
}

impl Fitting<'_> {
    /// The column that says of what gender the person is whose name this one holds; None where there is none, and where its
    /// mask leaves nothing of it.
    pub(crate) fn gender(&self) -> Option<GenderColumn> {
        let table = self.ground.table;
        let place = *table.genders.get(&self.position)?;
        let column = table.columns.get(place).filter(|_| place != self.position)?;
        if !matches!(column.kind, Type::Text { .. } | Type::Enum(_) | Type::Integer(_)) {
            return None;
        }
        let mut masks = self.ground.masks.iter();
        let mask = masks.find(|(at, _)| *at == place).map(|(_, mask)| mask);
        // Others leave nothing that says a gender.
        let says = |mask: &Mask| {
            ["category", "static", "constant"]
                .iter()
                .any(|name| mask.is(name))
        };
        if !mask.is_none_or(says) {
            return None;
        }
        let learned = mask.and_then(|mask| mask.learned.as_ref());
        let learned = learned.into_iter().flat_map(|learned| learned.values());
        let labels: &[String] = match &column.kind {
            Type::Enum(labels) => labels,
            _ => &[],
        };
        let values: Vec<&str> = (learned.map(|(value, _)| value.as_str()))
            .chain(labels.iter().map(String::as_str))
            .collect();
        // What is wrong with its mask is said of itself.
        let other = self.other(place).ok()?;
        Some(GenderColumn {
            other,
            reading: Reading::of(&values),
        })
    }
}

/// First names that fit, each with those of either gender that stand for it.
pub(crate) fn first_names(limit: usize) -> TextPart {
    let fit = |words: &[&'static str]| {
        let fit = words.iter().filter(|word| word.len() <= limit);
        fit.map(|word| Cow::Borrowed(*word)).collect::<Vec<_>>()
    };
    let (women, men, either) = (fit(WOMEN), fit(MEN), fit(EITHER));
    let all = [women.clone(), men.clone(), either].concat();
    TextPart::Word(SortedWords::new(all).gendered(&women, &men))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::{column, pseudonyms, table, text};
    use crate::{Learned, RowMask};
    use serde_json::{json, Map, Value};
    use std::collections::HashMap;
    use std::sync::Arc;

    const NAME: &str = "name";

    fn mask(name: &str, options: Value) -> Mask {
        let none = Map::new();
        Mask::named(name, options.as_object().unwrap_or(&none)).unwrap()
    }

    /// What becomes of rows of a gender, a first name and a full name.
    fn written(kind: Type, of_gender: Option<Mask>, rows: &[(&str, &str)]) -> Vec<[String; 3]> {
        let mut facts = table(vec![
            column("id", crate::testing::bigint()),
            column("gender", kind),
            column("first_name", text()),
            column("full_name", text()),
        ]);
        facts.genders = HashMap::from([(2, 1), (3, 1)]);
        let mut masks = vec![(2, mask("first_name", Value::Null)), (3, mask(NAME, Value::Null))];
        masks.extend(of_gender.map(|mask| (1, mask)));
        let mask = Arc::new(RowMask::new(&facts, &masks, &pseudonyms()).unwrap());
        let line = |(id, (gender, first)): (usize, &(&str, &str))| {
            format!("{id}\t{gender}\t{first}\t{first} Lovelace\n")
        };
        let piece: String = rows.iter().enumerate().map(line).collect();
        let (mut masker, mut out) = (mask.masker(), Vec::new());
        masker.mask_piece(piece.as_bytes(), &mut out).unwrap();
        let counts = masker.counts();
        assert!(counts.columns.iter().all(|column| column.violations == 0));
        let fields = |line: &str| {
            let fields: Vec<String> = line.split('\t').map(str::to_owned).collect();
            [fields[1].clone(), fields[2].clone(), fields[3].clone()]
        };
        String::from_utf8(out).unwrap().lines().map(fields).collect()
    }

    fn goes_with(name: &str, gender: Gender) -> bool {
        let other = match gender {
            Gender::Female => MEN,
            Gender::Male => WOMEN,
        };
        !other.contains(&name)
    }

    fn originals() -> Vec<String> {
        let chosen = WOMEN.iter().chain(MEN).map(|name| (*name).to_owned());
        chosen
            .chain((0..200).map(|number| format!("Ada{number}")))
            .collect()
    }

    #[test]
    fn first_and_full_names_go_with_the_gender_that_the_row_says() {
        let says = [
            ("F", Some(Gender::Female)),
            ("Mme", Some(Gender::Female)),
            ("Frau", Some(Gender::Female)),
            ("2", Some(Gender::Female)),
            ("M.", Some(Gender::Male)),
            ("HERR", Some(Gender::Male)),
            ("1", Some(Gender::Male)),
            (" male ", Some(Gender::Male)),
            ("non-binary", None),
            ("\\N", None),
            ("", None),
        ];
        for (value, gender) in says {
            let originals = originals();
            let rows: Vec<(&str, &str)> = originals.iter().map(|name| (value, name.as_str())).collect();
            let new = written(text(), None, &rows);
            for ((_, old), [_, first, full]) in rows.iter().zip(&new) {
                assert_ne!(old, first);
                assert_eq!(full.split(' ').next(), Some(first.as_str()), "{value}");
                assert!(
                    gender.is_none_or(|gender| goes_with(first, gender)),
                    "{value}: {first}"
                );
            }
            let women = new
                .iter()
                .filter(|[_, first, _]| !goes_with(first, Gender::Male))
                .count();
            assert!(
                gender.is_some() || women * 4 > new.len() && women * 4 < new.len() * 3,
                "{value}"
            );
        }
    }

    #[test]
    fn the_gender_is_the_one_that_stands_in_the_row_after_masking() {
        let drawn = || mask("category", json!({"values": ["F", "M"]}));
        let originals = originals();
        let rows: Vec<(&str, &str)> = originals.iter().map(|name| ("F", name.as_str())).collect();
        let new = written(text(), Some(drawn()), &rows);
        let men = new.iter().filter(|[gender, ..]| gender == "M").count();
        assert!(men * 4 > new.len() && men * 4 < new.len() * 3);
        for [gender, first, full] in &new {
            let gender = if gender == "M" {
                Gender::Male
            } else {
                Gender::Female
            };
            assert!(goes_with(first, gender), "{gender:?}: {first}");
            assert!(full.starts_with(first.as_str()));
        }
        let none = written(text(), Some(mask("null", Value::Null)), &rows);
        assert!(none.iter().any(|[_, first, _]| MEN.contains(&first.as_str())));
    }

    #[test]
    fn a_name_that_goes_with_the_gender_is_the_one_of_tables_without_a_gender() {
        let mut originals = originals();
        originals.retain(|name| name.starts_with("Ada"));
        let with = |gender| {
            let rows: Vec<(&str, &str)> = originals.iter().map(|name| (gender, name.as_str())).collect();
            written(text(), None, &rows)
        };
        let (any, female) = (with(""), with("F"));
        for ([_, any, _], [_, female, _]) in any.iter().zip(&female) {
            assert!(
                !goes_with(any, Gender::Female) || any == female,
                "{any} became {female}"
            );
        }
        let alike = any
            .iter()
            .zip(&female)
            .filter(|(any, female)| any[1] == female[1])
            .count();
        assert!(alike * 5 > any.len() * 2);
    }

    #[test]
    fn values_are_read_by_those_beside_them() {
        let learned = |values: &[&str]| {
            let values = values.iter().map(|value| ((*value).to_owned(), 5)).collect();
            mask("category", Value::Null).learned(Learned::new(values))
        };
        let originals = originals();
        let rows: Vec<(&str, &str)> = originals.iter().map(|name| ("x", name.as_str())).collect();
        for [gender, first, _] in written(text(), Some(learned(&["H", "M"])), &rows) {
            let gender = if gender == "M" {
                Gender::Female
            } else {
                Gender::Male
            };
            assert!(goes_with(&first, gender), "{gender:?}: {first}");
        }
        // 0 and 1 are not those of ISO 5218.
        let coded = written(Type::Integer(4), Some(learned(&["0", "1"])), &rows);
        let ones = coded.iter().filter(|[gender, ..]| gender == "1");
        assert!(ones.clone().any(|[_, first, _]| !goes_with(first, Gender::Male)));
        for [gender, first, _] in written(Type::Integer(4), Some(learned(&["0", "1", "2"])), &rows) {
            let expected = [None, Some(Gender::Male), Some(Gender::Female)][gender.parse::<usize>().unwrap()];
            assert!(
                expected.is_none_or(|gender| goes_with(&first, gender)),
                "{gender}: {first}"
            );
        }
        let flags: Vec<(&str, &str)> = originals.iter().map(|name| ("f", name.as_str())).collect();
        let new = written(Type::Boolean, None, &flags);
        assert!(new.iter().any(|[_, first, _]| MEN.contains(&first.as_str())));
    }

    #[test]
    fn a_short_column_has_names_of_either_gender_or_of_any() {
        for limit in 2..12 {
            let TextPart::Word(words) = first_names(limit) else {
                continue;
            };
            for gender in [Gender::Female, Gender::Male] {
                let chosen: std::collections::HashSet<usize> = (0..words.len())
                    .map(|place| words.going_with(place, Some(gender)))
                    .collect();
                let fit = chosen.iter().all(|place| goes_with(&words[*place], gender));
                assert!(words.len() < 2 || chosen.len() > 1, "{limit}");
                assert!(limit < 4 || fit, "{limit}");
            }
        }
    }
}
