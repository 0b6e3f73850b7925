//! Name and values together: whether a column is personal, and of what kind.

use super::content::ColumnDetector;
use super::kind::ContentFinding;
use super::names::{
    confidence, features_of, odds_with_values, values_features, weigh, ColumnName, Emit, NameFinding,
    Subject, TableContext, ValueSummary, Weighed,
};
use super::sql_type::TypeClass;
use super::words::words;
use super::{PiiKind, PERSONAL};

/// A column that is personal: of what kind, how sure, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// What the column holds; [`PiiKind::suggested_mask`] says what to do about it.
    pub kind: PiiKind,
    /// How sure that is, from [`PERSONAL`] to 1.
    pub confidence: f32,
    /// What its name shows, if anything.
    pub name: Option<NameFinding>,
    /// What its values show, the surest first.
    pub content: Vec<ContentFinding>,
}

/// Values that have to be seen before their silence counts against a name.
const ENOUGH: u64 = 20;

/// Words for values that stand for others without their form: `email_md5`, `phone_ciphertext`. They still show a
/// person, or can be guessed back.
const DISGUISES: &[&str] = &[
    "md",
    "sha",
    "hash",
    "hashed",
    "digest",
    "hmac",
    "bidx",
    "encrypted",
    "crypted",
    "ciphertext",
    "hache",
    "chiffre",
];

/// Decides on a column. Without a detector (before any row was seen) its name decides alone.
///
/// `None` when the column does not seem personal.
pub fn verdict(
    column: &ColumnName<'_>,
    context: &TableContext,
    values: Option<&ColumnDetector>,
) -> Option<Verdict> {
    if context.is_framework() {
        return None;
    }
    let weighed = weigh(column, context);
    let content = values.map_or(Vec::new(), |values| believed(values, context));
    let mut name = weighed.finding.clone();
    let mut contradicted = false;
    if let (Some(name), Some(values)) = (&mut name, values) {
        contradicted = contradicts(name.kind, column, values, &content);
        if contradicted {
            name.confidence *= 0.5;
        }
    }
    let by_name = name.as_ref().map_or(0.0, |name| name.confidence);
    let seen = content.first().map_or(0.0, |finding| finding.confidence);
    let agrees = matches!((&name, content.first()), (Some(name), Some(finding)) if name.kind.heading() == finding.kind.heading());
    let sure = if agrees {
        1.0 - (1.0 - by_name) * (1.0 - seen)
    } else {
        by_name.max(seen)
    };
    let weighs = values.filter(|values| values.values() > 0 && !contradicted && !speaks_for_itself(&content));
    let confidence = match (weighs, weighed.odds) {
        (Some(values), Some(odds)) => {
            let odds = odds_with_values(&seen_in(column, context, values, &weighed, &content, odds));
            model_and(by_name, sure, confidence(odds))
        }
        _ => sure,
    };
    if confidence < PERSONAL {
        return None;
    }
    let kind = kind(column, name.as_ref(), &content)?;
    Some(Verdict {
        kind,
        confidence,
        name,
        content,
    })
}

/// What values show, as far as it is believed in this table; the surest first.
fn believed(values: &ColumnDetector, context: &TableContext) -> Vec<ContentFinding> {
    let mut content = values.findings();
    for finding in &mut content {
        finding.confidence *= trust(finding.kind, context.subject());
    }
    content.sort_by(|one, other| other.confidence.total_cmp(&one.confidence));
    content
}

/// Values add to what a name shows, and never take from it: a run decides by names before it has seen a row, and must not
/// find what a scan of the same backup did not. What values alone show has to convince the model too.
fn model_and(by_name: f32, sure: f32, model: f32) -> f32 {
    if by_name >= PERSONAL || model >= PERSONAL {
        sure.max(model)
    } else {
        model
    }
}

/// Whether values leave no doubt, however the column is called.
fn speaks_for_itself(content: &[ContentFinding]) -> bool {
    content.first().is_some_and(|found| found.confidence >= 0.85)
}

fn seen_in<'s>(
    column: &ColumnName<'s>,
    context: &TableContext,
    values: &ColumnDetector,
    weighed: &'s Weighed,
    content: &'s [ContentFinding],
    odds: f32,
) -> ValueSummary<'s> {
    let silent = (weighed.rule.as_ref()).is_some_and(|rule| contradicts(rule.kind, column, values, content));
    ValueSummary {
        odds,
        rule: weighed.rule.as_ref(),
        content,
        class: TypeClass::of(column.sql_type),
        sql_type: column.sql_type,
        subject: context.subject(),
        silent,
    }
}

/// What the model looks at in a column, for `bench/corpus/learn.py`: features, each with its value in twentieths.
#[derive(Debug, Default)]
pub struct Features {
    /// Of its name, type, table and neighbours.
    pub name: Vec<(String, i32)>,
    /// Of its values, as if the sum by name were zero.
    pub values: Vec<(String, i32)>,
    /// The first ones' sum.
    pub sum: i32,
}

/// What the model looks at in a column of these values.
pub fn features(column: &ColumnName<'_>, context: &TableContext, values: &ColumnDetector) -> Features {
    let mut looked = Features::default();
    let emit: &mut Emit<'_> = &mut |parts, value| looked.name.push((parts.concat(), value));
    looked.sum = features_of(column, context, emit);
    let weighed = weigh(column, context);
    let content = believed(values, context);
    let emit: &mut Emit<'_> = &mut |parts, value| looked.values.push((parts.concat(), value));
    values_features(&seen_in(column, context, values, &weighed, &content, 0.0), emit);
    looked
}

/// How much of a content finding is believed in a table about something: things are named after people too.
fn trust(kind: PiiKind, subject: Subject) -> f32 {
    match (subject, kind) {
        (Subject::Thing, PiiKind::FirstName | PiiKind::LastName) => 0.5,
        (Subject::Thing, PiiKind::Name) => 0.6,
        (Subject::Unknown | Subject::Writing, PiiKind::FirstName | PiiKind::LastName) => 0.85,
        _ => 1.0,
    }
}

/// Whether enough values were seen of a kind that could not hide, and none of them is of it.
fn contradicts(
    kind: PiiKind,
    column: &ColumnName<'_>,
    values: &ColumnDetector,
    content: &[ContentFinding],
) -> bool {
    let visible = match kind {
        PiiKind::Email | PiiKind::IpAddress | PiiKind::MacAddress | PiiKind::Iban => true,
        // Numbers of a country not thought of are still numbers.
        PiiKind::Phone => !values.has_numbers(),
        _ => false,
    };
    visible
        && !words(column.column)
            .iter()
            .any(|word| DISGUISES.contains(&word.as_str()))
        && TypeClass::of(column.sql_type) == TypeClass::Text
        && values.values() >= ENOUGH
        && !content.iter().any(|finding| finding.confidence >= 0.4)
}

/// The kind that name and values agree on best.
fn kind(column: &ColumnName<'_>, name: Option<&NameFinding>, content: &[ContentFinding]) -> Option<PiiKind> {
    let top = content.first().filter(|finding| finding.confidence >= PERSONAL);
    let named = name
        .filter(|name| name.confidence >= PERSONAL)
        .map(|name| name.kind);
    match (named, top) {
        (Some(named), None) => Some(named),
        // Nearly every value is wholly of another kind: the name was of something else ("contact": an e-mail).
        (Some(named), Some(top)) => {
            let otherwise = !top.inside_text
                && top.confidence >= 0.85
                && top.share >= 0.6
                && named.heading() != top.kind.heading();
            let names_more = matches!(
                named,
                PiiKind::Secret | PiiKind::Password | PiiKind::PasswordHash | PiiKind::Token
            );
            Some(if otherwise && !names_more { top.kind } else { named })
        }
        (None, Some(top)) if top.inside_text => {
            let object = matches!(
                TypeClass::of(column.sql_type),
                TypeClass::Json | TypeClass::Hstore | TypeClass::Xml | TypeClass::Bytea
            );
            Some(if object {
                PiiKind::Payload
            } else {
                PiiKind::FreeText
            })
        }
        (None, Some(top)) => Some(top.kind),
        (None, None) => name
            .map(|name| name.kind)
            .or(content.first().map(|finding| finding.kind)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(table: &str, column: &str, values: &[&str]) -> Option<PiiKind> {
        let context = TableContext::new(table, [column]);
        let mut detector = ColumnDetector::new(column, "text");
        values
            .iter()
            .for_each(|value| detector.observe(value.as_bytes(), &mut super::super::Scanner::new()));
        let column = ColumnName {
            table,
            column,
            sql_type: "text",
        };
        verdict(&column, &context, Some(&detector)).map(|verdict| verdict.kind)
    }

    #[test]
    fn values_find_what_names_hide() {
        assert_eq!(
            decide("imports", "col_a", &["a@example.com"; 5]),
            Some(PiiKind::Email)
        );
        assert_eq!(
            decide("imports", "col_a", &["see a@example.com"; 5]),
            Some(PiiKind::FreeText)
        );
        assert_eq!(decide("imports", "col_a", &["red"; 30]), None);
    }

    #[test]
    fn values_can_clear_a_name() {
        assert_eq!(decide("things", "email", &["yes"; 30]), None);
        assert_eq!(
            decide("things", "email", &["yes"; 3]),
            Some(PiiKind::Email),
            "too few to judge"
        );
    }

    #[test]
    fn values_in_disguise_do_not_clear_a_name() {
        for column in ["email_md5", "emailSha256", "email_ciphertext"] {
            let values = ["9e26471d35a78862c17e467d87cddedf"; 30];
            assert_eq!(decide("users", column, &values), Some(PiiKind::Email), "{column}");
        }
    }

    #[test]
    fn a_name_decides_alone_before_any_row() {
        let context = TableContext::new("users", ["email"]);
        let column = ColumnName {
            table: "users",
            column: "email",
            sql_type: "text",
        };
        assert_eq!(
            verdict(&column, &context, None).map(|v| v.kind),
            Some(PiiKind::Email)
        );
    }
}
