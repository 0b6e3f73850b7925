//! What a column's name, its table's and its type show.

mod features;
mod model;
mod outside;
mod phrases;
mod queue;
mod table;

pub(crate) use features::{of_values as values_features, Emit, ValueSummary};
pub(crate) use model::{confidence, odds_with_values};
pub use outside::outside;
pub use phrases::{key_kind, Subject};
pub use queue::queue;
pub use table::TableContext;

use super::sql_type::{bound, TypeClass};
use super::words::words;
use super::{Heading, PiiKind, PERSONAL};
use phrases::{
    best_match, remainder, sure, CARE_COLUMNS, MARKS, NAME_QUALIFIERS, NOT_AFTER, PERSONS, THINGS, WRITINGS,
};
use std::collections::{HashMap, HashSet};
use table::bare;

/// A column as the table of contents names it.
#[derive(Debug, Clone, Copy)]
pub struct ColumnName<'a> {
    /// The table's name, with or without its schema.
    pub table: &'a str,
    /// The column's name.
    pub column: &'a str,
    /// The type as pg_dump writes it.
    pub sql_type: &'a str,
}

/// What a name shows.
#[derive(Debug, Clone, PartialEq)]
pub struct NameFinding {
    /// What the column seems to hold.
    pub kind: PiiKind,
    /// How sure that is, from 0 to 1; from [`super::PERSONAL`] on the column counts as personal.
    pub confidence: f32,
    /// Why, in a few words for the report.
    pub reason: String,
}

/// What Rails declares about personal data, handed over by the Ruby side.
#[derive(Debug, Clone, Default)]
pub struct RailsHints {
    /// The strings and symbols of `config.filter_parameters`, matched as Rails does: anywhere in the name.
    pub filter_parameters: Vec<String>,
    /// Tables (without their schema) and columns of attributes declared with `encrypts`.
    pub encrypted: HashSet<(String, String)>,
    /// Where `config.pii_detection_patterns` is set: the columns it matches and under which heading. It
    /// replaces what is known here about names; the expressions are Ruby's and were evaluated by Ruby.
    pub matched: Option<HashMap<(String, String), Heading>>,
}

/// What such tables call those copies, in columns of a type that can hold one.
const COPY_COLUMNS: &[&str] = &[
    "data",
    "object",
    "metadata",
    "property",
    "context",
    "extra",
    "detail",
    "change",
    "diff",
    "arg",
    "argument",
    "param",
    "body",
    "content",
    "before",
    "after",
    "old",
    "new",
    "blob",
    "contenu",
    "donnee",
    "info",
    "attribute",
    "record",
    "result",
    "parametre",
    "raw",
];

/// What a column's name shows; `None` when it shows nothing, or something else.
///
/// Weak findings are returned too: compare the confidence with [`super::PERSONAL`], or ask [`super::verdict()`].
pub fn by_name(column: &ColumnName<'_>, context: &TableContext) -> Option<NameFinding> {
    weigh(column, context).finding
}

/// What a column's name shows, and what led to it.
#[derive(Debug, Default)]
pub(crate) struct Weighed {
    /// What the rules and the model say together.
    pub(crate) finding: Option<NameFinding>,
    /// What the rules say alone.
    pub(crate) rule: Option<NameFinding>,
    /// The model's odds, as a logarithm; None where it was not asked.
    pub(crate) odds: Option<f32>,
}

/// Asks the rules, then the model.
pub(crate) fn weigh(column: &ColumnName<'_>, context: &TableContext) -> Weighed {
    let class = TypeClass::of(column.sql_type);
    if context.framework || class == TypeClass::Other {
        return Weighed::default();
    }
    let words = words(column.column);
    let name = Name {
        column,
        context,
        class,
        words: &words,
    };
    if let Some(matched) = &context.hints.matched {
        return Weighed {
            finding: by_patterns(&name, matched),
            ..Weighed::default()
        };
    }
    if name.is_own() && !name.is_declared() {
        return Weighed::default();
    }
    let rule = by_rules(&name);
    if name.is_number_of_something() || name.is_declared() {
        return Weighed {
            finding: rule.clone(),
            rule,
            odds: None,
        };
    }
    let odds = model::odds(&name, rule.as_ref());
    Weighed {
        finding: together(&name, rule.as_ref(), odds),
        rule,
        odds: Some(odds),
    }
}

/// The features that the model looks at in a column's name, and their sum.
pub(crate) fn features_of(column: &ColumnName<'_>, context: &TableContext, emit: &mut Emit<'_>) -> i32 {
    let words = words(column.column);
    let name = Name {
        column,
        context,
        class: TypeClass::of(column.sql_type),
        words: &words,
    };
    let rule = by_rules(&name);
    features::of_name(&name, rule.as_ref(), emit);
    model::sum(&name, rule.as_ref())
}

fn by_rules(name: &Name<'_>) -> Option<NameFinding> {
    let rules: [fn(&Name<'_>) -> Option<NameFinding>; 9] = [
        encrypted,
        digest,
        named_after_table,
        names,
        care,
        marks,
        copies,
        phrase,
        declared_or_typed,
    ];
    (rules.iter()).find_map(|rule| rule(name).filter(|finding| name.class.can_hold(finding.kind)))
}

/// What tables of an app are called, so that `<noun>_id` is a key.
fn is_of_this_app(noun: &String) -> bool {
    let lists = [&*PERSONS, &*THINGS, &*WRITINGS];
    lists.iter().any(|list| list.contains(noun)) || noun == "device"
}

/// `config.pii_detection_patterns` says which columns are personal; the rules only of which kind.
fn by_patterns(name: &Name<'_>, matched: &HashMap<(String, String), Heading>) -> Option<NameFinding> {
    let heading = *matched.get(&name.key())?;
    let kind = by_rules(name)
        .map(|finding| finding.kind)
        .filter(|kind| kind.heading() == heading);
    finding(
        kind.unwrap_or(heading.usual_kind()),
        0.95,
        "matched by pii_detection_patterns",
    )
}

/// Odds under which the model overrules the rules, and those that are as good as certain.
const OVERRULED: f32 = -0.5;
const OVERRULED_WHOLLY: f32 = -1.5;

/// What the rules and the model say together: the model adds what the rules do not know, and takes away what it is sure
/// is not personal.
fn together(name: &Name<'_>, rule: Option<&NameFinding>, odds: f32) -> Option<NameFinding> {
    let by_rule = rule.map_or(0.0, |rule| rule.confidence);
    if by_rule >= PERSONAL {
        let mut found = rule?.clone();
        let limit = if by_rule >= 0.85 {
            OVERRULED_WHOLLY
        } else {
            OVERRULED
        };
        // What gems write into such tables is known, not guessed.
        let copy = name.context.copies && found.kind == PiiKind::Payload;
        if odds < limit && !copy {
            found.confidence = model::confidence(odds);
        }
        return Some(found);
    }
    if odds < 0.0 {
        return rule.cloned();
    }
    let kind = model::kind(name, rule);
    // What a rule suspects says more than the model's kinds, where they agree.
    let kind = rule.map_or(kind, |rule| match rule.kind.heading() == kind.heading() {
        true => rule.kind,
        false => kind,
    });
    finding(kind, model::confidence(odds).min(0.95), model::reason(name, rule))
}

/// What the rules look at.
struct Name<'a> {
    column: &'a ColumnName<'a>,
    context: &'a TableContext,
    class: TypeClass,
    words: &'a [String],
}

impl Name<'_> {
    fn is(&self, words: &[&str]) -> bool {
        matches!(self.words, [only] if words.contains(&only.as_str()))
    }

    /// The table and the column as hints name them.
    fn key(&self) -> (String, String) {
        (
            bare(self.column.table).to_string(),
            self.column.column.to_string(),
        )
    }

    /// A key of this app, or when a row was written: no person's.
    fn is_own(&self) -> bool {
        if matches!(self.column.column, "created_at" | "updated_at") {
            return true;
        }
        let number = matches!(self.class, TypeClass::Integer | TypeClass::Uuid);
        match self.words {
            [] => true,
            [only] => number && only == "id",
            [.., of, id] => number && id == "id" && is_of_this_app(of) && !self.is_of_a_service(),
        }
    }

    /// `zendesk_user_id`: a phrase of its own, which says whose user.
    fn is_of_a_service(&self) -> bool {
        let found = best_match(self.words, self.context.subject);
        found.is_some_and(|found| found.end - found.start > 2 && found.end == self.words.len())
    }

    /// The number of something, which may be another's: the model has seen too few that were.
    fn is_number_of_something(&self) -> bool {
        let number = matches!(self.class, TypeClass::Integer | TypeClass::Uuid);
        number && self.words.last().is_some_and(|word| word == "id")
    }

    /// Rails declares what the column holds.
    fn is_declared(&self) -> bool {
        let lower = self.column.column.to_ascii_lowercase();
        let hints = &self.context.hints;
        let filtered = |filter: &String| !filter.is_empty() && lower.contains(&filter.to_ascii_lowercase());
        hints.encrypted.contains(&self.key()) || hints.filter_parameters.iter().any(filtered)
    }

    /// The words without digits at the end: `phone_2` is `phone`.
    fn without_number(&self) -> &[String] {
        let digits = self
            .words
            .iter()
            .rev()
            .take_while(|word| word.bytes().all(|b| b.is_ascii_digit()))
            .count();
        &self.words[..self.words.len() - digits]
    }
}

fn finding(kind: PiiKind, confidence: f32, reason: impl Into<String>) -> Option<NameFinding> {
    Some(NameFinding {
        kind,
        confidence,
        reason: reason.into(),
    })
}

/// Words of columns that hold what an app encrypts.
const ENCRYPTED: [&str; 6] = [
    "encrypted",
    "ciphertext",
    "bidx",
    "crypted",
    "chiffre",
    "chiffree",
];

/// Whether the app encrypts a column, as Rails declares it or its name says.
pub fn encrypts(column: &ColumnName<'_>, context: &TableContext) -> bool {
    let key = (bare(column.table).to_owned(), column.column.to_owned());
    context.hints.encrypted.contains(&key)
        || words(column.column)
            .iter()
            .any(|word| ENCRYPTED.contains(&word.as_str()))
}

/// Whether a column is called as Lockbox calls those of its ciphertext.
pub fn is_ciphertext(column: &str) -> bool {
    words(column).last().is_some_and(|word| word == "ciphertext")
}

/// Whether a column is called as that of a blind index, by which an encrypted value is found.
pub fn is_blind_index(column: &str) -> bool {
    words(column).last().is_some_and(|word| word == "bidx")
}

/// `encrypted_*`, `*_ciphertext`, `*_bidx`: Rails' encryption gems and what they encrypt.
fn encrypted(name: &Name<'_>) -> Option<NameFinding> {
    let marks = ENCRYPTED;
    let declared = name.context.hints.encrypted.contains(&name.key());
    let marked = name.words.iter().any(|word| marks.contains(&word.as_str()));
    let holds_text = name.class.is_text() || name.class == TypeClass::Bytea;
    if !(declared || marked && holds_text) {
        return None;
    }
    let rest: Vec<String> = name
        .words
        .iter()
        .filter(|word| !marks.contains(&word.as_str()))
        .cloned()
        .collect();
    let kind = match best_match(&rest, name.context.subject).map(|found| found.rule.kind) {
        Some(PiiKind::Password) => PiiKind::PasswordHash,
        Some(kind) => kind,
        None => PiiKind::Secret,
    };
    finding(
        kind,
        0.9,
        if declared {
            "declared with `encrypts`"
        } else {
            "an encrypted attribute"
        },
    )
}

/// `*_digest`: has_secure_password and has_secure_token.
fn digest(name: &Name<'_>) -> Option<NameFinding> {
    let (last, rest) = name.words.split_last()?;
    if last != "digest" || rest.is_empty() {
        return None;
    }
    match best_match(rest, name.context.subject).map(|found| found.rule.kind) {
        Some(PiiKind::Password) => finding(PiiKind::PasswordHash, 0.97, "the hash of a password"),
        Some(kind) if kind.heading() == Heading::Auth => finding(kind, 0.85, "the hash of a secret"),
        Some(kind) => finding(kind, 0.7, "the hash of a personal value"),
        None => None,
    }
}

/// `emails.address`, `phone_numbers.number`, `cartes_bancaires.numero`: the table says of what.
fn named_after_table(name: &Name<'_>) -> Option<NameFinding> {
    if !name.is(&["address", "adresse", "number", "numero", "value", "valeur", "no"]) {
        return None;
    }
    let found = best_match(&name.context.words, Subject::Unknown)?;
    let whole = found.start == 0 && found.end == name.context.words.len();
    let vague = matches!(
        found.rule.kind,
        PiiKind::StreetAddress | PiiKind::FreeText | PiiKind::Payload | PiiKind::Name
    );
    if !whole || vague || sure(found.rule, Subject::Unknown) < 0.8 {
        return None;
    }
    finding(found.rule.kind, 0.9, "the table's name says of what")
}

/// `name` and `nom`, alone and with a word that says whose.
fn names(name: &Name<'_>) -> Option<NameFinding> {
    let words = name.without_number();
    let place = words.iter().position(|word| word == "name" || word == "nom")?;
    if let Some(found) = best_match(words, name.context.subject) {
        // "first_name", "nom_naissance", "screen_name": phrases of their own; "email_name" too.
        if found.end - found.start > 1 {
            return None;
        }
    }
    let person = |word: Option<&String>| {
        word.is_some_and(|word| PERSONS.contains(word.as_str()) || NAME_QUALIFIERS.contains(word.as_str()))
    };
    let (before, after) = (&words[..place], &words[place + 1..]);
    if after.iter().any(|word| NOT_AFTER.contains(word)) {
        return None;
    }
    match (before.is_empty(), after.is_empty()) {
        (true, true) => {
            let confidence = match name.context.subject {
                Subject::Person => 0.9,
                Subject::Writing | Subject::Unknown => 0.3,
                Subject::Thing => return None,
            };
            let family = words[place] == "nom" && name.context.has_given_name;
            finding(
                if family { PiiKind::LastName } else { PiiKind::Name },
                confidence,
                "the name of a row of this table",
            )
        }
        // The word next to it says whose: "driver_name", "nom_du_client", "tiers_nom".
        _ if person(before.last()) || person(after.iter().find(|word| !is_article(word))) => {
            finding(PiiKind::Name, 0.88, "a person's name")
        }
        _ => None,
    }
}

fn is_article(word: &str) -> bool {
    matches!(word, "de" | "du" | "d" | "la" | "le" | "l" | "des")
}

/// In a table of care, measurements and reasons are a person's health.
fn care(name: &Name<'_>) -> Option<NameFinding> {
    let known = CARE_COLUMNS.contains(&name.without_number().join(" "));
    (name.context.care && known)
        .then(|| finding(PiiKind::Health, 0.8, "in a table of care"))
        .flatten()
}

/// In a table that refers to a student or an employee, a mark is theirs.
fn marks(name: &Name<'_>) -> Option<NameFinding> {
    let known = MARKS.contains(&name.without_number().join(" "));
    let short = !matches!(name.class, TypeClass::Text) || name.column.sql_type != "text";
    let rows_are_marks = name.context.subject != Subject::Thing;
    (name.context.assessed && known && short && rows_are_marks)
        .then(|| finding(PiiKind::Education, 0.7, "a person's mark"))
        .flatten()
}

/// Copies of records in audits, logs and jobs.
fn copies(name: &Name<'_>) -> Option<NameFinding> {
    let holds = match name.class {
        TypeClass::Json | TypeClass::Hstore | TypeClass::Bytea | TypeClass::Xml => true,
        TypeClass::Text => name.column.sql_type == "text",
        _ => false,
    };
    let (first, last) = (name.words.first()?, name.words.last()?);
    let known =
        COPY_COLUMNS.contains(&last.as_str()) || (COPY_COLUMNS.contains(&first.as_str()) && last == "change");
    let writing = name.context.subject == Subject::Writing && name.class == TypeClass::Text;
    (holds && known && name.context.copies && !writing && name.words.len() <= 2)
        .then(|| finding(PiiKind::Payload, 0.8, "a copy of records or requests"))
        .flatten()
}

/// A phrase of the lexicon, weighed by what stands around it.
fn phrase(name: &Name<'_>) -> Option<NameFinding> {
    let found = best_match(name.words, name.context.subject)?;
    let doubt = remainder(name.words, &found)?;
    let text = matches!(found.rule.kind, PiiKind::FreeText);
    let bounded = bound(name.column.sql_type).is_some_and(|length| length < 30);
    if text && (bounded || !(name.class.is_text() || name.class == TypeClass::Bytea)) {
        return None;
    }
    let confidence = sure(found.rule, name.context.subject) * doubt;
    let matched = name.words[found.start..found.end].join(" ");
    finding(found.rule.kind, confidence, format!("named \"{matched}\""))
        .filter(|finding| finding.confidence >= 0.25)
}

/// `config.filter_parameters`, and types that speak for themselves.
fn declared_or_typed(name: &Name<'_>) -> Option<NameFinding> {
    let lower = name.column.column.to_ascii_lowercase();
    let mut filters = name
        .context
        .hints
        .filter_parameters
        .iter()
        .map(|filter| filter.to_ascii_lowercase());
    if name.class.is_text() && filters.any(|filter| !filter.is_empty() && lower.contains(&filter)) {
        return finding(PiiKind::Secret, 0.6, "listed in filter_parameters");
    }
    let machine = [
        "server",
        "host",
        "node",
        "subnet",
        "gateway",
        "allowed",
        "range",
        "whitelist",
        "network",
        "cluster",
        "listen",
    ];
    let of_machine = name
        .words
        .iter()
        .chain(&name.context.words)
        .any(|word| machine.contains(&word.as_str()));
    match (name.class, name.context.subject) {
        (TypeClass::Inet, _) if !of_machine => finding(PiiKind::IpAddress, 0.75, "of type inet"),
        (TypeClass::Mac, _) if !of_machine => finding(PiiKind::MacAddress, 0.75, "of type macaddr"),
        (TypeClass::Geo, Subject::Person) => {
            finding(PiiKind::Geolocation, 0.8, "a place in a table of persons")
        }
        (TypeClass::Geo, Subject::Unknown | Subject::Writing) => {
            finding(PiiKind::Geolocation, 0.55, "a place")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
