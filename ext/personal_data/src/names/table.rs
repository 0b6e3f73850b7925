//! What a table is about, by its name and its columns.

use super::classes::{self, Class};
use super::phrases::{
    best_match, contains_phrase, remainder, strong_kind, sure, Subject, ASSESSED, CARE, CARE_TABLES, MONEY,
    PERSONS, THINGS, WRITINGS,
};
use super::RailsHints;
use crate::words::words;
use crate::{PiiKind, PERSONAL};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

/// What the columns of a table have in common: made once per table.
#[derive(Debug, Clone)]
pub struct TableContext {
    pub(super) subject: Subject,
    /// Rails' and extensions' own tables: no person's data.
    pub(super) framework: bool,
    /// About care: patients, prescriptions.
    pub(super) care: bool,
    /// About money: accounts, debts, income, one row each.
    pub(super) money: bool,
    /// About marks: a student's or an employee's.
    pub(super) assessed: bool,
    /// Holds copies of records or requests: audits, logs, jobs.
    pub(super) copies: bool,
    /// Has a column for given names, so `nom` is the family name.
    pub(super) has_given_name: bool,
    /// Holds accounts at other services, each by its `provider` and `uid`.
    pub(super) signs_in: bool,
    /// The nouns of its keys to other tables: `patient` for `patient_id`, each once.
    pub(super) keys: Vec<String>,
    pub(super) words: Vec<String>,
    /// The classes of its name's words.
    pub(super) classes: Vec<Class>,
    /// In how many columns' names a word of which class is.
    pub(super) classes_beside: BTreeMap<Class, usize>,
    /// How many columns it has.
    pub(super) columns: usize,
    /// How many of them are of which kind by their names.
    kinds: BTreeMap<PiiKind, usize>,
    pub(super) hints: Arc<RailsHints>,
}

impl TableContext {
    /// The context of a table, from its name and those of all its columns.
    pub fn new<'a>(table: &str, columns: impl IntoIterator<Item = &'a str>) -> TableContext {
        let table = bare(table);
        let words = words(table);
        let columns: Vec<Vec<String>> = columns.into_iter().map(self::words).collect();
        let kinds: HashSet<PiiKind> = columns.iter().filter_map(|column| strong_kind(column)).collect();
        let decisive = [
            PiiKind::FirstName,
            PiiKind::LastName,
            PiiKind::BirthDate,
            PiiKind::PasswordHash,
            PiiKind::Nir,
            PiiKind::Ssn,
            PiiKind::Gender,
        ];
        let person = decisive.iter().filter(|kind| kinds.contains(kind)).count() >= 2;
        let subject = if person {
            Subject::Person
        } else {
            subject_by_name(&words)
        };
        let mut counts = BTreeMap::new();
        for kind in columns.iter().filter_map(|column| kind_there(column, subject)) {
            *counts.entry(kind).or_default() += 1;
        }
        let mut classes_beside = BTreeMap::new();
        for column in &columns {
            for class in classes::of_words(column.iter().map(String::as_str)) {
                *classes_beside.entry(class).or_default() += 1;
            }
        }
        TableContext {
            subject,
            framework: is_framework(table),
            care: contains_phrase(&words, &CARE) && subject_by_name(&words) != Subject::Thing
                || refers_to(&columns, CARED_FOR)
                || contains_phrase(&words, &CARE_TABLES)
                || counts.get(&PiiKind::Health).is_some_and(|count| *count >= SOME),
            money: contains_phrase(&words, &MONEY)
                || counts.get(&PiiKind::Income).is_some_and(|count| *count >= SOME),
            assessed: refers_to(&columns, &ASSESSED.iter().map(String::as_str).collect::<Vec<_>>()),
            copies: words.iter().any(|word| COPIES.contains(&word.as_str())),
            has_given_name: kinds.contains(&PiiKind::FirstName),
            signs_in: ["provider", "uid"].iter().all(|name| {
                columns
                    .iter()
                    .any(|column| column.len() == 1 && column[0] == *name)
            }),
            keys: keys(&columns),
            classes: classes::of_words(words.iter().map(String::as_str)),
            classes_beside,
            words,
            columns: columns.len(),
            kinds: counts,
            hints: Arc::default(),
        }
    }

    /// The same context with what Rails declares, which all tables share.
    pub fn with_hints(mut self, hints: impl Into<Arc<RailsHints>>) -> TableContext {
        self.hints = hints.into();
        self
    }

    /// The kinds of the columns beside the one of these words, and how many are of each.
    pub(super) fn beside(&self, words: &[String]) -> Vec<(PiiKind, usize)> {
        let own = kind_there(words, self.subject);
        let others = self.kinds.iter().map(|(kind, count)| {
            let itself = usize::from(own == Some(*kind));
            (*kind, count.saturating_sub(itself))
        });
        others.filter(|(_, count)| *count > 0).collect()
    }

    /// What the table is about.
    pub fn subject(&self) -> Subject {
        self.subject
    }

    /// Whether the table is Rails' own or an extension's, and left out of detection.
    pub fn is_framework(&self) -> bool {
        self.framework
    }
}

/// Columns of a kind from which on a table is about it.
const SOME: usize = 2;

/// Whom a table about care refers to.
const CARED_FOR: &[&str] = &[
    "patient",
    "consultation",
    "encounter",
    "paciente",
    "paziente",
    "pazienti",
    "patienten",
    "consulta",
    "visita medica",
    "dossier medical",
    "medical record",
    "treatment",
    "pregnancy",
    "grossesse",
    "beneficiaire soin",
];

/// The kind that the lexicon takes a column for in a table about this.
fn kind_there(words: &[String], subject: Subject) -> Option<PiiKind> {
    let found = best_match(words, subject)?;
    let doubt = remainder(words, &found)?;
    (sure(found.rule, subject) * doubt >= PERSONAL).then_some(found.rule.kind)
}

/// A table's name without its schema and quotes.
pub(super) fn bare(table: &str) -> &str {
    table.rsplit('.').next().unwrap_or(table).trim_matches('"')
}

/// Tables of Rails and of extensions that hold no person's data.
const FRAMEWORK: &[&str] = &[
    "schema_migrations",
    "ar_internal_metadata",
    "spatial_ref_sys",
    "data_migrations",
    "active_storage_variant_records",
    "flipper_features",
    "flipper_gates",
    "solid_queue_processes",
    "solid_queue_semaphores",
    "good_job_settings",
    "geometry_columns",
    "geography_columns",
    "pg_stat_statements",
    "pghero_query_stats",
    "pghero_space_stats",
];

fn is_framework(table: &str) -> bool {
    FRAMEWORK.contains(&table)
}

/// Words of tables that hold copies of records or of requests.
const COPIES: &[&str] = &[
    "audit",
    "log",
    "logs",
    "event",
    "session",
    "version",
    "history",
    "activity",
    "webhook",
    "delivery",
    "job",
    "request",
    "import",
    "export",
    "journal",
    "historique",
    "evenement",
    "trace",
    "queue",
    "payload",
    "message",
    "outbox",
    "inbox",
    "snapshot",
];

/// The noun of a key to another table: `patient` of `patient_id`.
pub(super) fn key_noun(column: &[String]) -> Option<&String> {
    match column {
        [.., noun, id] if id == "id" => Some(noun),
        _ => None,
    }
}

fn keys(columns: &[Vec<String>]) -> Vec<String> {
    let nouns: BTreeSet<&String> = columns.iter().filter_map(|column| key_noun(column)).collect();
    nouns.into_iter().cloned().collect()
}

/// Whether a table has a foreign key to one of these: `patient_id`.
fn refers_to(columns: &[Vec<String>], nouns: &[&str]) -> bool {
    (columns.iter().filter_map(|column| key_noun(column))).any(|noun| nouns.contains(&noun.as_str()))
}

/// What a table is about by its name: English puts the noun last, French first.
fn subject_by_name(words: &[String]) -> Subject {
    let group_of = |phrase: &[String]| {
        let phrase = phrase.join(" ");
        if PERSONS.contains(&phrase) {
            Some(Subject::Person)
        } else if WRITINGS.contains(&phrase) {
            Some(Subject::Writing)
        } else if THINGS.contains(&phrase) {
            Some(Subject::Thing)
        } else {
            None
        }
    };
    let count = words.len();
    let whole = group_of(words);
    let last = (0..count).find_map(|start| group_of(&words[start..]));
    let first = || (1..=count).rev().find_map(|end| group_of(&words[..end]));
    // "listes de clients": what follows a French preposition only says whose.
    let french = words
        .iter()
        .any(|word| matches!(word.as_str(), "de" | "du" | "des" | "d"));
    let found = if french {
        first().or(last)
    } else {
        last.or_else(first)
    };
    whole.or(found).unwrap_or(Subject::Unknown)
}
