//! A linear model, learned from labelled schemas: a sum of weights says whether a column is personal, and why.
//!
//! `weights.tsv` is made by `bench/corpus/learn.py`. Weights are whole sixteenths and values whole twentieths, so a sum
//! is the same everywhere.

use super::features::{self, kind_of_label, ValueSummary};
use super::name::Name;
use super::packed;
use super::NameFinding;
use crate::{Clue, PiiKind, Reason};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

/// Weights of being personal, by the hash of a feature's name; of kinds, by label.
struct Weights {
    personal: ByHash<i32>,
    kinds: ByHash<Vec<(u8, i32)>>,
    labels: Vec<String>,
}

type ByHash<T> = HashMap<u64, T, BuildHasherDefault<Ready>>;

/// Keys are hashes already.
#[derive(Default)]
struct Ready(u64);

impl Hasher for Ready {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash(self.0, bytes);
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

const SEED: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a, goes on from another's end.
fn hash(seed: u64, bytes: &[u8]) -> u64 {
    (bytes.iter()).fold(seed, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

fn hash_parts(parts: &[&str]) -> u64 {
    parts.iter().fold(SEED, |seed, part| hash(seed, part.as_bytes()))
}

static WEIGHTS: LazyLock<Weights> = LazyLock::new(|| read(&packed::weights()));

/// Lines of a feature and its weight; of a feature, a label and its weight; those that begin with `#` are for people.
fn read(text: &str) -> Weights {
    let mut weights = Weights {
        personal: ByHash::default(),
        kinds: ByHash::default(),
        labels: Vec::new(),
    };
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.split('\t');
        let feature = hash_parts(&[fields.next().unwrap_or_default()]);
        let (Some(second), third) = (fields.next(), fields.next()) else {
            continue;
        };
        match third.map(str::parse) {
            None => {
                weights.personal.insert(feature, second.parse().unwrap_or(0));
            }
            Some(weight) => {
                let labels = &mut weights.labels;
                let place = labels.iter().position(|label| *label == second);
                let place = place.unwrap_or_else(|| {
                    labels.push(second.to_owned());
                    labels.len() - 1
                });
                let of = weights.kinds.entry(feature).or_default();
                of.push((place as u8, weight.unwrap_or(0)));
            }
        }
    }
    weights
}

impl Weights {
    fn weight(&self, parts: &[&str]) -> i32 {
        self.personal.get(&hash_parts(parts)).copied().unwrap_or(0)
    }

    fn bias(&self, name: &str) -> i32 {
        self.weight(&[name]) * features::ONE
    }
}

/// What a sum of one is in sixteenths of twentieths.
const UNIT: f32 = 320.0;

/// The odds, as a logarithm, that a column is personal by its name.
pub(super) fn odds(name: &Name<'_>, rule: Option<&NameFinding>) -> f32 {
    sum(name, rule) as f32 / UNIT
}

/// The same before it is scaled: a whole number.
pub(super) fn sum(name: &Name<'_>, rule: Option<&NameFinding>) -> i32 {
    let mut sum = WEIGHTS.bias("bias");
    features::of_name(name, rule, &mut |parts, value| {
        sum += WEIGHTS.weight(parts) * value;
    });
    sum
}

/// The same by name and values together.
pub(crate) fn odds_with_values(seen: &ValueSummary<'_>) -> f32 {
    let mut sum = WEIGHTS.bias("seen bias");
    features::of_values(seen, &mut |parts, value| {
        sum += WEIGHTS.weight(parts) * value;
    });
    sum as f32 / UNIT
}

/// Odds as a confidence from 0 to 1.
pub(crate) fn confidence(odds: f32) -> f32 {
    1.0 / (1.0 + (-odds).exp())
}

/// The kind that words and type fit best, of those that the type can hold.
pub(super) fn kind(name: &Name<'_>, rule: Option<&NameFinding>) -> PiiKind {
    let mut sums = vec![0; WEIGHTS.labels.len()];
    let mut add = |parts: &[&str], value: i32| {
        for (place, weight) in WEIGHTS.kinds.get(&hash_parts(parts)).into_iter().flatten() {
            sums[usize::from(*place)] += weight * value;
        }
    };
    add(&["bias"], features::ONE);
    features::of_name(name, rule, &mut add);
    let fitting = WEIGHTS.labels.iter().zip(sums);
    fitting
        .filter_map(|(label, sum)| Some((kind_of_label(label, name.class)?, sum)))
        .max_by_key(|(_, sum)| *sum)
        .map_or(PiiKind::ExternalId, |(kind, _)| kind)
}

/// Features that a reason names.
const REASONS: usize = 3;

/// What spoke most for a column.
pub(super) fn reason(name: &Name<'_>, rule: Option<&NameFinding>) -> Reason {
    let mut strongest: Vec<(i32, Clue)> = Vec::new();
    features::of_name(name, rule, &mut |parts, value| {
        let weight = WEIGHTS.weight(parts) * value;
        if weight <= 0 {
            return;
        }
        if let Some(clue) = clue(&parts.concat()) {
            match strongest.iter_mut().find(|(_, known)| *known == clue) {
                Some((sum, _)) => *sum += weight,
                None => strongest.push((weight, clue)),
            }
        }
    });
    strongest.sort_by(|(one, clue), (other, same)| other.cmp(one).then_with(|| clue.cmp(same)));
    let clues: Vec<Clue> = (strongest.into_iter().take(REASONS))
        .map(|(_, clue)| clue)
        .collect();
    match clues.is_empty() {
        true => Reason::LikeOthers,
        false => Reason::Learned { clues },
    }
}

/// What a feature says to people; parts of words only bear out what words say.
fn clue(feature: &str) -> Option<Clue> {
    let plain = feature.split_once(':').map_or(feature, |(plain, _)| plain);
    if let Some((what, value)) = plain.split_once('=') {
        let value = value.split([' ', ',']).next().unwrap_or(value);
        let term = value.to_owned();
        let word = value.replace('_', " ");
        return match what {
            "class" | "last class" | "first class" | "only class" | "classes" => Some(Clue::WordFor { term }),
            "table class" => Some(Clue::InTableNamedFor { term }),
            "beside class" => Some(Clue::BesideWordsFor { term }),
            "key class" => Some(Clue::RefersTo { term }),
            "word" | "whole" | "first" | "last" | "pair" => Some(Clue::Word { word }),
            "table" => Some(Clue::InTable { word }),
            "key" => Some(Clue::RefersToNamed { word }),
            "beside>" => Some(Clue::BesidePersonal),
            _ => None,
        };
    }
    let (what, value) = plain.split_once(' ')?;
    let term = value.split(" of ").next()?.to_owned();
    match what {
        "of" if term == "anything" => None,
        "of" => Some(Clue::InTableOf { term }),
        "about" => Some(Clue::InTableAbout { term }),
        "beside" => Some(Clue::Beside { term }),
        "says" => Some(Clue::WordFor { term }),
        "names" => match value {
            "a person" => Some(Clue::WithPerson),
            "a thing" => Some(Clue::WithThing),
            "a writing" => Some(Clue::WithWriting),
            "a fact" => Some(Clue::WithFact),
            _ => None,
        },
        "a" => Some(Clue::RefersToPerson),
        _ => None,
    }
}

/// Every `term` of a [`Clue`]: classes of words, what tables hold and are about, kinds of personal data.
pub fn terms() -> impl Iterator<Item = &'static str> {
    let tables = [
        "persons", "things", "writings", "care", "money", "marks", "copies",
    ];
    let kinds = PiiKind::ALL.iter().map(|kind| kind.as_str());
    super::classes::all().into_iter().chain(tables).chain(kinds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_weight_has_a_hash_of_its_own() {
        let text = include_str!("weights.tsv");
        let names: HashSet<&str> = (text.lines().filter(|line| !line.starts_with('#')))
            .filter_map(|line| line.split('\t').next())
            .collect();
        let hashes: HashSet<u64> = names.iter().map(|name| hash_parts(&[name])).collect();
        assert_eq!(names.len(), hashes.len());
    }

    #[test]
    fn every_line_of_the_weights_is_read() {
        for line in include_str!("weights.tsv")
            .lines()
            .filter(|line| !line.starts_with('#'))
        {
            let fields: Vec<&str> = line.split('\t').collect();
            assert!(matches!(fields.len(), 2 | 3), "{line}");
            assert!(
                fields[fields.len() - 1]
                    .parse::<i32>()
                    .is_ok_and(|weight| weight != 0),
                "{line}"
            );
        }
        for label in &WEIGHTS.labels {
            assert!(
                kind_of_label(label, crate::sql_type::TypeClass::Text).is_some(),
                "{label}"
            );
        }
    }

    #[test]
    fn a_feature_is_a_clue_where_it_says_something() {
        let named = |text: &str| text.to_owned();
        for (feature, expected) in [
            ("word=payer:short", Some(Clue::Word { word: named("payer") })),
            (
                "whole=first_name",
                Some(Clue::Word {
                    word: named("first name"),
                }),
            ),
            ("last=id of a person", Some(Clue::Word { word: named("id") })),
            (
                "table=account",
                Some(Clue::InTable {
                    word: named("account"),
                }),
            ),
            (
                "beside birth_date:short",
                Some(Clue::Beside {
                    term: named("birth_date"),
                }),
            ),
            (
                "says street_address of persons",
                Some(Clue::WordFor {
                    term: named("street_address"),
                }),
            ),
            (
                "of persons:long",
                Some(Clue::InTableOf {
                    term: named("persons"),
                }),
            ),
            ("of anything", None),
            (
                "key=patient:whole",
                Some(Clue::RefersToNamed {
                    word: named("patient"),
                }),
            ),
            ("a key to a person:long", Some(Clue::RefersToPerson)),
            ("names a writing:long", Some(Clue::WithWriting)),
            (
                "classes=people, numbers",
                Some(Clue::WordFor {
                    term: named("people"),
                }),
            ),
            (
                "table class=illness:long",
                Some(Clue::InTableNamedFor {
                    term: named("illness"),
                }),
            ),
            ("part=^pay", None),
            ("sure>=0.5", None),
        ] {
            assert_eq!(clue(feature), expected, "{feature}");
        }
    }

    #[test]
    fn every_term_of_a_clue_is_listed() {
        let known: HashSet<&str> = terms().collect();
        let text = include_str!("weights.tsv");
        let mut seen = 0;
        for feature in text.lines().filter_map(|line| line.split('\t').next()) {
            let Some(said) = clue(feature) else { continue };
            let data = serde_json::to_value(&said).unwrap_or_default();
            let term = data.get("term").and_then(|term| term.as_str());
            assert!(term.is_none_or(|term| known.contains(term)), "{feature}");
            seen += usize::from(term.is_some());
        }
        assert!(seen > 100);
    }

    #[test]
    fn a_names_hash_does_not_depend_on_how_it_is_cut() {
        assert_eq!(hash_parts(&["word=", "name"]), hash_parts(&["word=name"]));
    }
}
