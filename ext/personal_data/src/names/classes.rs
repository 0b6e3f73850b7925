//! Classes of words: what a word means, roughly, so that the model knows something of words it was not taught.
//!
//! `classes.txt` has a class on each line and its words; what a class says of a column is learned as all else is.

use super::packed;
use crate::words::words;
use std::collections::HashMap;
use std::sync::LazyLock;

/// A class's name, as features and reasons have it: `illness`, `family_status`.
pub(super) type Class = &'static str;

/// Classes by whole words, and by how words begin and end.
#[derive(Default)]
struct Classes {
    whole: HashMap<String, Vec<Class>>,
    begins: HashMap<&'static str, Vec<Class>>,
    ends: HashMap<&'static str, Vec<Class>>,
}

static CLASSES: LazyLock<Classes> = LazyLock::new(|| read(packed::classes().leak()));

/// Lines of a class, a colon and its words; those that begin with `#` are for people.
fn read(text: &'static str) -> Classes {
    let mut classes = Classes::default();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((class, list)) = line.split_once(':') else {
            continue;
        };
        for word in list.split_whitespace() {
            let of = match (word.strip_suffix('-'), word.strip_prefix('-')) {
                (Some(beginning), _) => classes.begins.entry(beginning).or_default(),
                (_, Some(end)) => classes.ends.entry(end).or_default(),
                _ => classes.whole.entry(words(word).concat()).or_default(),
            };
            if !of.contains(&class) {
                of.push(class);
            }
        }
    }
    classes
}

/// Every class, each once.
pub(super) fn all() -> Vec<Class> {
    let lists = CLASSES
        .whole
        .values()
        .chain(CLASSES.begins.values())
        .chain(CLASSES.ends.values());
    let mut all: Vec<Class> = lists.flatten().copied().collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The classes of a word: those of the whole word, else of the longest beginning and the longest end that are known.
pub(super) fn of_word(word: &str) -> Vec<Class> {
    if let Some(known) = CLASSES.whole.get(word) {
        return known.clone();
    }
    let longest_first = || word.char_indices().rev().map(|(at, _)| at).filter(|at| *at > 0);
    let beginning = std::iter::once(word.len())
        .chain(longest_first())
        .find_map(|end| CLASSES.begins.get(&word[..end]));
    let ending = (word.char_indices().map(|(at, _)| at)).find_map(|start| CLASSES.ends.get(&word[start..]));
    let mut found: Vec<Class> = Vec::new();
    for class in beginning.into_iter().chain(ending).flatten() {
        if !found.contains(class) {
            found.push(class);
        }
    }
    found
}

/// The classes of words together, each once.
pub(super) fn of_words<'w>(words: impl IntoIterator<Item = &'w str>) -> Vec<Class> {
    let mut found: Vec<Class> = words.into_iter().flat_map(of_word).collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_a_class_in_every_language_and_inside_compounds() {
        for (word, class) in [
            ("asthma", "illness"),
            ("beneficiary", "people"),
            ("landlord", "people"),
            ("parroco", "staff"),
            ("quotite", "income"),
            ("schwerbehinderung", "disability"),
            ("zwangerschap", "pregnancy"),
            ("krankenversicherungsnummer", "numbers"),
            ("observacao", "text"),
        ] {
            assert!(of_word(word).contains(&class), "{word}: {:?}", of_word(word));
        }
        assert_eq!(of_word("xyzzy"), Vec::<Class>::new());
    }

    #[test]
    fn a_whole_word_counts_before_a_part_of_one() {
        let part = read("illness: can-\nswitches: can\nbody: -can");
        assert_eq!(part.whole["can"], ["switches"]);
        assert_eq!(of_word("can"), ["switches"]);
    }

    #[test]
    fn every_line_of_the_list_is_a_class_with_words_of_its_own() {
        let mut known = Vec::new();
        for line in include_str!("classes.txt").lines() {
            if line.starts_with('#') {
                continue;
            }
            let (class, list) = line.split_once(": ").unwrap_or_default();
            assert!(!known.contains(&class), "{class}");
            known.push(class);
            let listed: Vec<&str> = list.split(' ').collect();
            for (place, word) in listed.iter().enumerate() {
                assert!(!word.trim_matches('-').is_empty(), "{class}: {word:?}");
                assert!(!listed[..place].contains(word), "{class}: {word} twice");
                assert!(word.is_ascii() && word.to_lowercase() == *word, "{class}: {word}");
            }
        }
    }
}
