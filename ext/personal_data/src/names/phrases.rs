//! The lexicon, indexed by phrase, and the phrase in a column's words.

use crate::lexicon::{self, languages, WordRule};
use crate::words::words;
use crate::PiiKind;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// What a table is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Each row is a person, or the address of one.
    Person,
    /// Each row is something a person wrote, or a report about a person.
    Writing,
    /// Not known.
    Unknown,
    /// Each row is a thing, a place, an organisation or a setting.
    Thing,
}

/// Phrases by their words with a space between, and long ones also written together.
static PHRASES: LazyLock<HashMap<String, &'static WordRule>> = LazyLock::new(|| {
    let mut phrases: HashMap<String, &'static WordRule> = HashMap::new();
    for rule in lexicon::RULES {
        for phrase in rule.phrases.split(',') {
            let words = words(phrase);
            if words.len() > 1 {
                phrases.entry(words.concat()).or_insert(rule);
            }
            phrases.insert(words.join(" "), rule);
        }
    }
    for rule in lexicon::languages::RULES.iter().chain(lexicon::fields::RULES) {
        for phrase in rule.phrases.split(',') {
            let words = words(phrase);
            if words.len() > 1 {
                phrases.entry(words.concat()).or_insert(rule);
            }
            phrases.entry(words.join(" ")).or_insert(rule);
        }
    }
    phrases
});

pub(super) static PERSONS: LazyLock<HashSet<String>> =
    LazyLock::new(|| both(lexicon::PERSONS, languages::PERSONS));
pub(super) static THINGS: LazyLock<HashSet<String>> =
    LazyLock::new(|| both(lexicon::THINGS, languages::THINGS));
pub(super) static WRITINGS: LazyLock<HashSet<String>> =
    LazyLock::new(|| both(lexicon::WRITINGS, languages::WRITINGS));
pub(super) static CARE: LazyLock<HashSet<String>> =
    LazyLock::new(|| both(lexicon::CARE, lexicon::fields::CARE));
pub(super) static MONEY: LazyLock<HashSet<String>> = LazyLock::new(|| phrases(lexicon::fields::MONEY));
pub(super) static CARE_TABLES: LazyLock<HashSet<String>> =
    LazyLock::new(|| phrases("arret maladie, sick leave, vital, lab result, feuille de soin"));
pub(super) static CARE_COLUMNS: LazyLock<HashSet<String>> = LazyLock::new(|| phrases(lexicon::CARE_COLUMNS));
pub(super) static ASSESSED: LazyLock<HashSet<String>> = LazyLock::new(|| phrases(lexicon::ASSESSED));
pub(super) static MARKS: LazyLock<HashSet<String>> = LazyLock::new(|| phrases(lexicon::MARKS));
pub(super) static NOT_AFTER: LazyLock<HashSet<String>> =
    LazyLock::new(|| both(lexicon::NOT_AFTER, languages::NOT_AFTER));
pub(super) static NOT_BEFORE: LazyLock<HashSet<String>> = LazyLock::new(|| phrases(lexicon::NOT_BEFORE));
pub(super) static NAME_QUALIFIERS: LazyLock<HashSet<String>> =
    LazyLock::new(|| phrases(lexicon::NAME_QUALIFIERS));

fn both(list: &'static str, others: &'static str) -> HashSet<String> {
    &phrases(list) | &phrases(others)
}

fn phrases(list: &'static str) -> HashSet<String> {
    list.split(',').map(|phrase| words(phrase).join(" ")).collect()
}

/// Most words of a phrase.
const LONGEST: usize = 5;

/// A phrase of the lexicon inside a column's words.
pub(super) struct Match {
    pub(super) rule: &'static WordRule,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The longest phrase inside a column's words; of several, the surest, then the last.
pub(super) fn best_match(words: &[String], subject: Subject) -> Option<Match> {
    (1..=LONGEST.min(words.len())).rev().find_map(|length| {
        (0..=words.len() - length)
            .filter_map(|start| {
                let rule = PHRASES.get(words[start..start + length].join(" ").as_str())?;
                Some(Match {
                    rule,
                    start,
                    end: start + length,
                })
            })
            .max_by(|one, other| sure(one.rule, subject).total_cmp(&sure(other.rule, subject)))
    })
}

/// Every phrase inside a column's words, longer ones first; none inside another.
pub(super) fn every_match(words: &[String]) -> Vec<Match> {
    let mut found: Vec<Match> = Vec::new();
    for length in (1..=LONGEST.min(words.len())).rev() {
        for start in 0..=words.len() - length {
            let end = start + length;
            let inside = found.iter().any(|other| other.start <= start && end <= other.end);
            let rule = PHRASES.get(words[start..end].join(" ").as_str());
            found.extend(rule.filter(|_| !inside).map(|rule| Match { rule, start, end }));
        }
    }
    found
}

pub(super) fn sure(rule: &WordRule, subject: Subject) -> f32 {
    rule.sure[match subject {
        Subject::Person => 0,
        Subject::Writing => 1,
        Subject::Unknown => 2,
        Subject::Thing => 3,
    }]
}

/// The kind of a column whose words are clear without knowing the table.
pub(super) fn strong_kind(words: &[String]) -> Option<PiiKind> {
    let found = best_match(words, Subject::Unknown)?;
    (sure(found.rule, Subject::Unknown) >= 0.8 && remainder(words, &found).is_some())
        .then_some(found.rule.kind)
}

/// What a key of a JSON object, an hstore or a YAML document says about its value; only clear ones.
pub fn key_kind(key: &str) -> Option<PiiKind> {
    let kind = strong_kind(&words(key))?;
    let vague = matches!(
        kind,
        PiiKind::FreeText | PiiKind::Payload | PiiKind::Photo | PiiKind::Geolocation
    );
    (!vague).then_some(kind)
}

pub(super) fn contains_phrase(words: &[String], list: &HashSet<String>) -> bool {
    (1..=3.min(words.len())).any(|length| {
        words
            .windows(length)
            .any(|window| list.contains(&window.join(" ")))
    })
}

/// How much the words around a phrase leave of it, from 0 to 1; `None` when they make it something else.
pub(super) fn remainder(words: &[String], found: &Match) -> Option<f32> {
    let (before, after) = (&words[..found.start], &words[found.end..]);
    // A word that is a person's only in a table of persons has to be the whole name: "uid", not "calendar_uid".
    let whole = before.is_empty()
        && after
            .iter()
            .all(|word| is_number(word) || NEUTRAL_AFTER.contains(&word.as_str()));
    if found.rule.sure == lexicon::ONLY_PERSON && !whole {
        return None;
    }
    let technical = [
        "error", "warning", "log", "commit", "success", "welcome", "flash", "system", "status", "release",
        "version", "meta",
    ];
    if found.rule.kind == PiiKind::FreeText && before.iter().any(|word| technical.contains(&word.as_str())) {
        return None;
    }
    if after.iter().any(|word| NOT_AFTER.contains(word))
        || before.first().is_some_and(|word| NOT_BEFORE.contains(word))
    {
        return None;
    }
    let address = found.rule.kind == PiiKind::StreetAddress && found.end - found.start == 1;
    let elsewhere = [
        "contract", "wallet", "server", "host", "memory", "web", "http", "bitcoin", "eth", "smtp", "bind",
        "callback", "site", "url",
    ];
    if address
        && before
            .iter()
            .chain(after)
            .any(|word| elsewhere.contains(&word.as_str()))
    {
        return None;
    }
    let unknown_after = after
        .iter()
        .any(|word| !is_number(word) && !NEUTRAL_AFTER.contains(&word.as_str()));
    let role = matches!(
        found.rule.kind,
        PiiKind::Name | PiiKind::Photo | PiiKind::Biometric | PiiKind::Gender | PiiKind::Geolocation
    );
    Some(match (unknown_after, role) {
        (false, _) => 1.0,
        (true, true) => 0.55,
        (true, false) => 0.85,
    })
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_digit())
}

/// Words after a phrase that leave it what it is.
const NEUTRAL_AFTER: &[&str] = &[
    "number",
    "numero",
    "no",
    "num",
    "value",
    "valeur",
    "raw",
    "text",
    "field",
    "primary",
    "secondary",
    "home",
    "work",
    "pro",
    "perso",
    "personal",
    "personnel",
    "personnelle",
    "mobile",
    "fixe",
    "portable",
    "domicile",
    "travail",
    "urgence",
    "emergency",
    "complete",
    "complet",
    "full",
    "line",
    "ligne",
    "iv",
    "hash",
    "md",
    "sha",
    "digest",
    "encrypted",
    "ciphertext",
    "bidx",
    "cleartext",
    "normalized",
    "formatted",
    "e",
    "interne",
    "internal",
    "client",
    "livraison",
    "facturation",
    "billing",
    "shipping",
    "user",
    "patient",
    "url",
    "json",
    "xml",
    "html",
    "key",
    "identity",
    "filleul",
    "parent",
];
