//! What the learned model looks at, as parts of a feature's name and its value in twentieths.
//!
//! There is no second implementation: `bench/pii --features` prints what stands here, and `bench/corpus/learn.py` learns
//! from that.

use super::classes::{self, Class};
use super::name::Name;
use super::phrases::{every_match, Subject, NOT_AFTER, NOT_BEFORE, PERSONS, THINGS, WRITINGS};
use super::table::key_noun;
use super::NameFinding;
use crate::kind::ContentFinding;
use crate::sql_type::TypeClass;
use crate::{PiiKind, PERSONAL};

/// One: the value of a feature that is simply there.
pub(crate) const ONE: i32 = 20;
const MOST: i32 = 14;
const HALF: i32 = 10;

/// Takes a feature: its name in parts, and its value.
pub(crate) type Emit<'e> = dyn FnMut(&[&str], i32) + 'e;

/// How a column's type is called in features.
pub(crate) fn type_tag(class: TypeClass, sql_type: &str) -> &'static str {
    match class {
        TypeClass::Text if sql_type == "text" => "long",
        TypeClass::Text => "short",
        TypeClass::Json | TypeClass::Hstore | TypeClass::Xml => "json",
        TypeClass::TextArray => "list",
        TypeClass::Bytea => "bytes",
        TypeClass::Integer => "whole",
        TypeClass::Decimal => "decimal",
        TypeClass::Boolean => "boolean",
        TypeClass::Date => "date",
        TypeClass::Timestamp => "time",
        TypeClass::Uuid => "uuid",
        TypeClass::Inet | TypeClass::Mac => "inet",
        TypeClass::Geo => "geo",
        TypeClass::Other => "other",
    }
}

pub(super) fn subject_tag(subject: Subject) -> &'static str {
    match subject {
        Subject::Person => "persons",
        Subject::Writing => "writings",
        Subject::Unknown => "anything",
        Subject::Thing => "things",
    }
}

/// Features of a column's name, its table, its type, its neighbours, and of what the rules say of it.
pub(super) fn of_name(name: &Name<'_>, rule: Option<&NameFinding>, emit: &mut Emit<'_>) {
    let kind = type_tag(name.class, name.column.sql_type);
    let own: Vec<&str> = (name.words.iter().map(String::as_str))
        .filter(|word| !word.bytes().all(|b| b.is_ascii_digit()))
        .collect();
    of_words(&own, kind, emit);
    of_table(name, &own, kind, emit);
    of_lexicon(name, kind, rule, emit);
    of_neighbours(name, &own, kind, emit);
    of_keys(name, &own, kind, emit);
    of_classes(name, &own, kind, emit);
}

fn of_words(own: &[&str], kind: &str, emit: &mut Emit<'_>) {
    emit(&["type=", kind], ONE);
    emit(&["whole=", &own.join("_")], ONE);
    for word in own {
        emit(&["word=", word], ONE);
        emit(&["word=", word, ":", kind], MOST);
        of_parts(word, emit);
    }
    for pair in own.windows(2) {
        emit(&["pair=", pair[0], "_", pair[1]], ONE);
    }
    if let (Some(first), Some(last)) = (own.first(), own.last()) {
        emit(&["first=", first], ONE);
        emit(&["last=", last], ONE);
        emit(&["last=", last, ":", kind], MOST);
    }
}

/// Three to five letters in a row, with the word's ends.
fn of_parts(word: &str, emit: &mut Emit<'_>) {
    let marked = format!("^{word}$");
    let ends: Vec<usize> = (marked.char_indices().map(|(at, _)| at))
        .chain([marked.len()])
        .collect();
    for length in 3..=5 {
        for window in ends.windows(length + 1) {
            emit(&["part=", &marked[window[0]..window[length]]], HALF);
        }
    }
}

fn of_table(name: &Name<'_>, own: &[&str], kind: &str, emit: &mut Emit<'_>) {
    let context = name.context;
    let subject = subject_tag(context.subject);
    for word in &context.words {
        emit(&["table=", word], MOST);
        emit(&["table=", word, ":", kind], HALF);
    }
    emit(&["of ", subject], ONE);
    emit(&["of ", subject, ":", kind], MOST);
    if let Some(last) = own.last() {
        emit(&["last=", last, " of ", subject], MOST);
        if let Some(table) = context.words.last() {
            emit(&["last=", last, " in ", table], MOST);
        }
    }
    let is = [
        (context.care, "care"),
        (context.money, "money"),
        (context.assessed, "marks"),
        (context.copies, "copies"),
    ];
    for (_, what) in is.iter().filter(|(is, _)| *is) {
        emit(&["about ", what], ONE);
        emit(&["about ", what, ":", kind], MOST);
        if let Some(last) = own.last() {
            emit(&["last=", last, " about ", what], MOST);
        }
    }
    for found in every_match(&context.words) {
        let of = found.rule.kind.as_str();
        emit(&["table of ", of], MOST);
        emit(&["table of ", of, ":", kind], MOST);
    }
}

/// What the rules say, and what the lexicon knows of parts of the name anywhere in it.
fn of_lexicon(name: &Name<'_>, kind: &str, rule: Option<&NameFinding>, emit: &mut Emit<'_>) {
    let sure = rule.map_or(0.0, |rule| rule.confidence);
    emit(&["sure"], (sure * 40.0).round() as i32);
    for (least, text) in [(0.3, "0.3"), (0.5, "0.5"), (0.7, "0.7"), (0.85, "0.85")] {
        if sure >= least {
            emit(&["sure>=", text], ONE);
        }
    }
    if let Some(rule) = rule {
        emit(&["rule=", rule.kind.as_str()], ONE);
        emit(&["rule=", rule.kind.as_str(), ":", kind], MOST);
        if rule.confidence >= PERSONAL {
            emit(&["found=", rule.kind.as_str()], ONE);
        }
    }
    let subject = subject_tag(name.context.subject);
    for found in every_match(name.words) {
        let of = found.rule.kind.as_str();
        emit(&["says ", of], ONE);
        emit(&["says ", of, ":", kind], MOST);
        emit(&["says ", of, " of ", subject], MOST);
        if found.end == name.words.len() {
            emit(&["ends in ", of], ONE);
        }
        if found.start == 0 {
            emit(&["begins with ", of], ONE);
        }
    }
    let lists = [
        (&*PERSONS, "a person"),
        (&*THINGS, "a thing"),
        (&*WRITINGS, "a writing"),
        (&*NOT_AFTER, "a fact"),
    ];
    for (list, what) in lists {
        if name.words.last().is_some_and(|word| list.contains(word)) {
            emit(&["ends in ", what], ONE);
            emit(&["ends in ", what, ":", kind], MOST);
        } else if name.words.iter().any(|word| list.contains(word)) {
            emit(&["names ", what], ONE);
            emit(&["names ", what, ":", kind], MOST);
        }
    }
    if name.words.first().is_some_and(|word| NOT_BEFORE.contains(word)) {
        emit(&["asks"], ONE);
    }
}

fn of_neighbours(name: &Name<'_>, own: &[&str], kind: &str, emit: &mut Emit<'_>) {
    let beside = name.context.beside(name.words);
    let mut personal = 0;
    for (neighbour, count) in &beside {
        personal += count;
        emit(&["beside ", neighbour.as_str()], HALF);
        emit(&["beside ", neighbour.as_str(), ":", kind], HALF);
    }
    for (least, text) in [(1, "1"), (2, "2"), (4, "4"), (8, "8")] {
        if personal >= least {
            emit(&["beside>=", text], MOST);
            emit(&["beside>=", text, ":", kind], MOST);
        }
    }
    if let Some(last) = own.last().filter(|_| personal >= 2) {
        emit(&["last=", last, " of a person"], MOST);
    }
    let columns = name.context.columns.max(2) - 1;
    emit(&["share"], (personal * 20 / columns) as i32);
}

/// The tables that this one refers to: what has a key to a patient says something of one.
fn of_keys(name: &Name<'_>, own: &[&str], kind: &str, emit: &mut Emit<'_>) {
    let itself = key_noun(name.words);
    let others = || name.context.keys.iter().filter(|noun| Some(*noun) != itself);
    for noun in others() {
        emit(&["key=", noun], MOST);
        emit(&["key=", noun, ":", kind], HALF);
    }
    let persons = others().filter(|noun| PERSONS.contains(noun.as_str())).count();
    let count = match persons {
        0 => return emit(&["no key to a person:", kind], HALF),
        1 => "one key",
        _ => "keys",
    };
    emit(&["a key to a person"], ONE);
    emit(&["a key to a person:", kind], MOST);
    emit(&[count, " to a person:", kind], MOST);
    if let Some(last) = own.last() {
        emit(&["last=", last, " with a key to a person"], MOST);
    }
}

/// What the words mean, roughly: a word that no schema of the training had still says what its class does.
fn of_classes(name: &Name<'_>, own: &[&str], kind: &str, emit: &mut Emit<'_>) {
    let all = classes::of_words(own.iter().copied());
    let last = own.last().map(|word| classes::of_word(word)).unwrap_or_default();
    for class in &all {
        emit(&["class=", class], ONE);
        emit(&["class=", class, ":", kind], MOST);
    }
    if all.is_empty() {
        emit(&["no class"], HALF);
    }
    of_last_class(name, own, &last, kind, emit);
    of_classes_around(name, &all, &last, kind, emit);
}

fn of_last_class(name: &Name<'_>, own: &[&str], last: &[Class], kind: &str, emit: &mut Emit<'_>) {
    let subject = subject_tag(name.context.subject);
    let first = match own {
        [first, _, ..] => classes::of_word(first),
        _ => Vec::new(),
    };
    for class in last {
        emit(&["last class=", class], ONE);
        emit(&["last class=", class, ":", kind], MOST);
        emit(&["last class=", class, " of ", subject], MOST);
        if own.len() == 1 {
            emit(&["only class=", class], MOST);
        }
        for before in &first {
            emit(&["classes=", before, ", ", class], MOST);
        }
    }
    for class in &first {
        emit(&["first class=", class], ONE);
    }
    if last.is_empty() {
        emit(&["no last class"], HALF);
        emit(&["no last class:", kind], HALF);
    }
}

/// The classes of the table's words, of the columns beside and of what the table's keys point to.
fn of_classes_around(name: &Name<'_>, all: &[Class], last: &[Class], kind: &str, emit: &mut Emit<'_>) {
    let context = name.context;
    for class in &context.classes {
        emit(&["table class=", class], MOST);
        emit(&["table class=", class, ":", kind], HALF);
        for of in last {
            emit(&["last class=", of, " in ", class], HALF);
        }
    }
    let others = context.columns.max(2) - 1;
    for (class, count) in &context.classes_beside {
        let count = count.saturating_sub(usize::from(all.contains(class)));
        let share = ONE.min((count * 60 / others) as i32);
        if share == 0 {
            continue;
        }
        emit(&["beside class=", class], share);
        emit(&["beside class=", class, ":", kind], share * MOST / ONE);
    }
    let itself = key_noun(name.words);
    let keys = (context.keys.iter()).filter(|noun| Some(*noun) != itself);
    for class in classes::of_words(keys.map(String::as_str)) {
        emit(&["key class=", class], MOST);
    }
}

/// What a column's values show, for the second sum.
pub(crate) struct ValueSummary<'s> {
    /// What the names' sum says, as the logarithm of its odds.
    pub(crate) odds: f32,
    pub(crate) rule: Option<&'s NameFinding>,
    pub(crate) content: &'s [ContentFinding],
    pub(crate) class: TypeClass,
    pub(crate) sql_type: &'s str,
    pub(crate) subject: Subject,
    /// Enough values were seen of a kind that could not hide, and none is of it.
    pub(crate) silent: bool,
}

/// Features of what a column's values show, beside what its name does.
pub(crate) fn of_values(seen: &ValueSummary<'_>, emit: &mut Emit<'_>) {
    let kind = type_tag(seen.class, seen.sql_type);
    let named = match seen.rule.map_or(0.0, |rule| rule.confidence) {
        named if named >= 0.7 => "yes",
        named if named >= PERSONAL => "likely",
        named if named > 0.0 => "perhaps",
        _ => "no",
    };
    let top = seen.content.first().filter(|found| found.confidence >= 0.3);
    emit(&["odds"], (seen.odds.clamp(-8.0, 8.0) * 20.0).round() as i32);
    emit(&["seen type=", kind], ONE);
    emit(&["seen by name ", named], ONE);
    let Some(top) = top else {
        emit(&["seen nothing"], ONE);
        emit(&["seen nothing:", kind], MOST);
        emit(&["seen nothing, by name ", named], MOST);
        if let Some(rule) = seen.rule {
            emit(&["seen nothing, rule=", rule.kind.as_str()], MOST);
        }
        if seen.silent {
            emit(&["silent"], ONE);
        }
        return;
    };
    let of = top.kind.as_str();
    let place = if top.inside_text { " inside" } else { "" };
    for (least, text) in [
        (0.3, "0.3"),
        (0.5, "0.5"),
        (0.7, "0.7"),
        (0.85, "0.85"),
        (0.95, "0.95"),
    ] {
        if top.confidence >= least {
            emit(&["seen ", of, place, ">=", text], ONE);
        }
    }
    if top.confidence < PERSONAL {
        return;
    }
    emit(&["seen>=0.5"], ONE);
    emit(&["seen ", of, place, ":", kind], MOST);
    emit(&["seen ", of, place, " of ", subject_tag(seen.subject)], MOST);
    emit(&["seen ", of, place, " by name ", named], ONE);
    emit(&["seen by name ", named, " of ", subject_tag(seen.subject)], MOST);
    if let Some(rule) = seen.rule {
        if rule.kind.heading() == top.kind.heading() {
            emit(&["seen, agrees"], ONE);
            emit(&["seen, agrees ", of], MOST);
        }
    }
    let others = (seen.content.iter().skip(1)).filter(|found| found.confidence >= PERSONAL);
    for other in others.take(3) {
        emit(&["seen also ", other.kind.as_str()], HALF);
    }
}

/// A kind's place among those that reading people name columns by: see `bench/corpus/LABELLING.md`.
pub(super) fn kind_of_label(label: &str, class: TypeClass) -> Option<PiiKind> {
    let kinds: &[PiiKind] = match label {
        "email" => &[PiiKind::Email],
        "phone" => &[PiiKind::Phone],
        "address" => &[PiiKind::StreetAddress, PiiKind::PostalCode],
        "name" => &[PiiKind::Name],
        "username" => &[PiiKind::Username],
        "id" => &[PiiKind::ExternalId],
        "birth" => &[PiiKind::BirthDate],
        "attribute" => &[PiiKind::SensitiveTrait, PiiKind::Education],
        "health" => &[PiiKind::Health],
        "text" => &[PiiKind::FreeText],
        "payload" => &[PiiKind::Payload],
        "secret" => &[PiiKind::Secret],
        "network" => &[PiiKind::DeviceId, PiiKind::IpAddress],
        "location" => &[PiiKind::Geolocation],
        "financial" if class.is_text() => &[PiiKind::BankAccount],
        "financial" => &[PiiKind::Income],
        "file" => &[PiiKind::FileName],
        "url" => &[PiiKind::SocialProfile],
        _ => &[],
    };
    kinds.iter().copied().find(|kind| class.can_hold(*kind))
}
