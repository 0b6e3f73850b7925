//! What the rules say of a name: the first that knows it.

use super::encrypted::{digest, encrypted};
use super::name::Name;
use super::phrases::{
    best_match, remainder, sure, Subject, CARE_COLUMNS, MARKS, NAME_QUALIFIERS, NOT_AFTER, PERSONS,
};
use super::NameFinding;
use crate::sql_type::{bound, TypeClass};
use crate::{PiiKind, Reason};

/// What audits, logs and queues call copies of records, in columns of a type that can hold one.
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

/// What the first rule says that knows the name.
pub(super) fn by_rules(name: &Name<'_>) -> Option<NameFinding> {
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

pub(super) fn finding(kind: PiiKind, confidence: f32, reason: Reason) -> Option<NameFinding> {
    Some(NameFinding {
        kind,
        confidence,
        reason,
    })
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
    finding(found.rule.kind, 0.9, Reason::TableSaysOfWhat)
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
                Reason::NameOfRow,
            )
        }
        // The word next to it says whose: "driver_name", "nom_du_client", "tiers_nom".
        _ if person(before.last()) || person(after.iter().find(|word| !is_article(word))) => {
            finding(PiiKind::Name, 0.88, Reason::NameOfPerson)
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
        .then(|| finding(PiiKind::Health, 0.8, Reason::InTableOfCare))
        .flatten()
}

/// In a table that refers to a student or an employee, a mark is theirs.
fn marks(name: &Name<'_>) -> Option<NameFinding> {
    let known = MARKS.contains(&name.without_number().join(" "));
    let short = !matches!(name.class, TypeClass::Text) || name.column.sql_type != "text";
    let rows_are_marks = name.context.subject != Subject::Thing;
    (name.context.assessed && known && short && rows_are_marks)
        .then(|| finding(PiiKind::Education, 0.7, Reason::MarkOfPerson))
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
        .then(|| finding(PiiKind::Payload, 0.8, Reason::CopyOfRecord))
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
    finding(found.rule.kind, confidence, Reason::Named { name: matched })
        .filter(|finding| finding.confidence >= 0.25)
}

/// Names that Rails keeps out of its logs, and types that speak for themselves.
fn declared_or_typed(name: &Name<'_>) -> Option<NameFinding> {
    let lower = name.column.column.to_ascii_lowercase();
    let mut filters = name
        .context
        .hints
        .filter_parameters
        .iter()
        .map(|filter| filter.to_ascii_lowercase());
    if name.class.is_text() && filters.any(|filter| !filter.is_empty() && lower.contains(&filter)) {
        return finding(PiiKind::Secret, 0.6, Reason::FilteredFromLogs);
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
        (TypeClass::Inet, _) if !of_machine => finding(PiiKind::IpAddress, 0.75, Reason::TypeInet),
        (TypeClass::Mac, _) if !of_machine => finding(PiiKind::MacAddress, 0.75, Reason::TypeMacaddr),
        (TypeClass::Geo, Subject::Person) => finding(PiiKind::Geolocation, 0.8, Reason::PlaceOfPerson),
        (TypeClass::Geo, Subject::Unknown | Subject::Writing) => {
            finding(PiiKind::Geolocation, 0.55, Reason::Place)
        }
        _ => None,
    }
}
