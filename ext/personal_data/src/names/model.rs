//! A linear model, learned from labelled schemas: a sum of weights says whether a column is personal, and why.
//!
//! `weights.tsv` is made by `bench/corpus/learn.py`. Weights are whole sixteenths and values whole twentieths, so a sum
//! is the same everywhere.

use super::features::{self, kind_of_label, ValueSummary};
use super::name::Name;
use super::packed;
use super::NameFinding;
use crate::PiiKind;
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

/// What spoke most for a column, in words.
pub(super) fn reason(name: &Name<'_>, rule: Option<&NameFinding>) -> String {
    let mut strongest: Vec<(i32, String)> = Vec::new();
    features::of_name(name, rule, &mut |parts, value| {
        let weight = WEIGHTS.weight(parts) * value;
        if weight <= 0 {
            return;
        }
        if let Some(said) = said(&parts.concat()) {
            match strongest.iter_mut().find(|(_, known)| *known == said) {
                Some((sum, _)) => *sum += weight,
                None => strongest.push((weight, said)),
            }
        }
    });
    strongest.sort_by(|(one, text), (other, same)| other.cmp(one).then_with(|| text.cmp(same)));
    let said: Vec<String> = (strongest.into_iter().take(REASONS))
        .map(|(_, said)| said)
        .collect();
    if said.is_empty() {
        return "like columns that were personal elsewhere".into();
    }
    format!("because: {}", said.join(", "))
}

/// A feature as people read it; parts of words only bear out what words say.
fn said(feature: &str) -> Option<String> {
    let plain = feature.split_once(':').map_or(feature, |(plain, _)| plain);
    if let Some((what, value)) = plain.split_once('=') {
        let word = value.split([' ', ',']).next().unwrap_or(value).replace('_', " ");
        return match what {
            "class" | "last class" | "first class" | "only class" | "classes" => {
                Some(format!("a word for {word}"))
            }
            "table class" => Some(format!("in a table named for {word}")),
            "beside class" => Some(format!("beside words for {word}")),
            "key class" => Some(format!("refers to {word}")),
            "word" | "whole" | "first" | "last" | "pair" => Some(format!("\"{word}\"")),
            "table" => Some(format!("in \"{word}\"")),
            "key" => Some(format!("refers to \"{word}\"")),
            "beside>" => Some("beside personal columns".into()),
            _ => None,
        };
    }
    let (what, value) = plain.split_once(' ')?;
    let value = value.split(" of ").next()?.replace('_', " ");
    match what {
        "of" if value == "anything" => None,
        "of" => Some(format!("in a table of {value}")),
        "about" => Some(format!("in a table about {value}")),
        "beside" => Some(format!("beside {value}")),
        "says" => Some(format!("a word for {value}")),
        "names" => Some(format!("with {value} in its name")),
        "a" => Some("refers to a person".into()),
        _ => None,
    }
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
    fn features_are_said_in_words() {
        for (feature, words) in [
            ("word=payer:short", Some("\"payer\"")),
            ("last=id of a person", Some("\"id\"")),
            ("table=account", Some("in \"account\"")),
            ("beside birth_date:short", Some("beside birth date")),
            (
                "says street_address of persons",
                Some("a word for street address"),
            ),
            ("of persons:long", Some("in a table of persons")),
            ("key=patient:whole", Some("refers to \"patient\"")),
            ("a key to a person:long", Some("refers to a person")),
            (
                "last class=family_status of persons",
                Some("a word for family status"),
            ),
            ("classes=people, numbers", Some("a word for people")),
            ("table class=illness:long", Some("in a table named for illness")),
            ("part=^pay", None),
            ("sure>=0.5", None),
        ] {
            assert_eq!(said(feature).as_deref(), words, "{feature}");
        }
    }

    #[test]
    fn a_names_hash_does_not_depend_on_how_it_is_cut() {
        assert_eq!(hash_parts(&["word=", "name"]), hash_parts(&["word=name"]));
    }
}
