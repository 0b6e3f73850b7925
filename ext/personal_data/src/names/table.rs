//! What a table is about, by its name and its columns.

use super::phrases::{
    contains_phrase, strong_kind, Subject, ASSESSED, CARE, CARE_TABLES, PERSONS, THINGS, WRITINGS,
};
use super::RailsHints;
use crate::words::words;
use crate::Kind;
use std::collections::HashSet;
use std::sync::Arc;

/// What the columns of a table have in common: made once per table.
#[derive(Debug, Clone)]
pub struct TableContext {
    pub(super) subject: Subject,
    /// Rails' and extensions' own tables: nobody's data.
    pub(super) framework: bool,
    /// About care: patients, prescriptions.
    pub(super) care: bool,
    /// About marks: a student's or an employee's.
    pub(super) assessed: bool,
    /// Holds copies of records or requests: audits, logs, jobs.
    pub(super) copies: bool,
    /// Has a column for given names, so `nom` is the family name.
    pub(super) has_given_name: bool,
    /// Holds accounts at other services, each by its `provider` and `uid`.
    pub(super) signs_in: bool,
    pub(super) words: Vec<String>,
    pub(super) hints: Arc<RailsHints>,
}

impl TableContext {
    /// The context of a table, from its name and those of all its columns.
    pub fn new<'a>(table: &str, columns: impl IntoIterator<Item = &'a str>) -> TableContext {
        let table = bare(table);
        let words = words(table);
        let columns: Vec<Vec<String>> = columns.into_iter().map(self::words).collect();
        let kinds: HashSet<Kind> = columns.iter().filter_map(|column| strong_kind(column)).collect();
        let telling = [
            Kind::FirstName,
            Kind::LastName,
            Kind::BirthDate,
            Kind::PasswordHash,
            Kind::Nir,
            Kind::Ssn,
            Kind::Gender,
        ];
        let person = telling.iter().filter(|kind| kinds.contains(kind)).count() >= 2;
        TableContext {
            subject: if person { Subject::Person } else { subject(&words) },
            framework: is_framework(table),
            care: contains_phrase(&words, &CARE) && subject(&words) != Subject::Thing
                || refers_to(&columns, &["patient", "consultation", "encounter"])
                || contains_phrase(&words, &CARE_TABLES),
            assessed: refers_to(&columns, &ASSESSED.iter().map(String::as_str).collect::<Vec<_>>()),
            copies: words.iter().any(|word| COPIES.contains(&word.as_str())),
            has_given_name: kinds.contains(&Kind::FirstName),
            signs_in: ["provider", "uid"].iter().all(|name| {
                columns
                    .iter()
                    .any(|column| column.len() == 1 && column[0] == *name)
            }),
            words,
            hints: Arc::default(),
        }
    }

    /// The same context with what Rails declares, which all tables share.
    pub fn with_hints(mut self, hints: impl Into<Arc<RailsHints>>) -> TableContext {
        self.hints = hints.into();
        self
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

/// A table's name without its schema and quotes.
pub(super) fn bare(table: &str) -> &str {
    table.rsplit('.').next().unwrap_or(table).trim_matches('"')
}

/// Tables of Rails and of extensions that hold nobody's data.
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

/// Whether a table has a foreign key to one of these: `patient_id`.
fn refers_to(columns: &[Vec<String>], nouns: &[&str]) -> bool {
    columns.iter().any(|column| match column.as_slice() {
        [.., noun, id] => id == "id" && nouns.contains(&noun.as_str()),
        _ => false,
    })
}

/// What a table is about by its name: English puts the noun last, French first.
fn subject(words: &[String]) -> Subject {
    let tell = |phrase: &[String]| {
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
    let whole = tell(words);
    let last = (0..count).find_map(|start| tell(&words[start..]));
    let first = || (1..=count).rev().find_map(|end| tell(&words[..end]));
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
