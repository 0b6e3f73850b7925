//! What a CHECK constraint asks of one column's value, as far as it is simple, and whether a value meets it.
//!
//! The plan makes a [`Condition`] of the CHECK's SQL; the worker asks it about each pseudonym. It is three-valued, as
//! SQL is: a CHECK is violated by false alone.

use super::moment::seconds_of;
use regex::Regex;
use std::borrow::Cow;
use std::cmp::Ordering;

/// A CHECK constraint, or the part of one that concerns a single column.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// The constraint's name.
    pub name: String,
    /// What it asks.
    pub condition: Condition,
}

/// A condition on one value.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Each of these.
    All(Vec<Condition>),
    /// One of these.
    Any(Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
    /// The value is NULL.
    IsNull,
    /// One term stands so to another.
    Compare(Term, Comparison, Term),
    /// A term matches a regular expression.
    Matches(Term, Pattern),
}

/// How two terms stand to one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `=`, where case does not count.
    SameLetters,
    /// `<`
    Less,
    /// `<=`
    AtMost,
}

/// What is compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Term {
    /// The value as text.
    Text,
    /// The value as a number.
    Number,
    /// The value as a moment, in seconds since 1970.
    Moment,
    /// The midnight before a moment.
    Day(Box<Term>),
    /// A text.
    FixedText(String),
    /// A number.
    FixedNumber(f64),
    /// A moment.
    FixedMoment(i64),
    /// In small letters.
    Lower(Box<Term>),
    /// In capitals.
    Upper(Box<Term>),
    /// Without the blanks at its beginning and its end, as the two flags say.
    Trim(Box<Term>, bool, bool),
    /// Its first characters, so many.
    Left(Box<Term>, usize),
    /// How many characters a text has.
    Length(Box<Term>),
    /// How many bytes a text has.
    Bytes(Box<Term>),
    /// What kind of document a text is: `object`, `array`, `string`, `number`, `boolean`, `null`.
    DocumentType(Box<Term>),
    /// The place of a text in another one, from 1; 0 when it is not there.
    Position(Box<Term>, Box<Term>),
}

/// A regular expression, compared by its text.
#[derive(Debug, Clone)]
pub struct Pattern(pub Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

/// What a term comes to.
enum Operand<'v> {
    Text(Cow<'v, str>),
    Number(f64),
    Moment(i64),
}

impl Operand<'_> {
    fn order(&self, other: &Operand<'_>) -> Option<Ordering> {
        match (self, other) {
            (Operand::Text(a), Operand::Text(b)) => Some(a.cmp(b)),
            (Operand::Number(a), Operand::Number(b)) => a.partial_cmp(b),
            (Operand::Moment(a), Operand::Moment(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

impl Condition {
    /// Whether a value does not violate the condition; None is NULL. What cannot be looked at, such as text in
    /// another encoding than UTF-8, does not.
    pub fn admits(&self, value: Option<&[u8]>) -> bool {
        match value.map(std::str::from_utf8) {
            Some(Err(_)) => true,
            Some(Ok(text)) => self.test(Some(text)) != Some(false),
            None => self.test(None) != Some(false),
        }
    }

    fn test(&self, value: Option<&str>) -> Option<bool> {
        match self {
            Condition::All(parts) => {
                let mut all = Some(true);
                for part in parts {
                    match part.test(value) {
                        Some(false) => return Some(false),
                        Some(true) => {}
                        None => all = None,
                    }
                }
                all
            }
            Condition::Any(parts) => {
                let mut any = Some(false);
                for part in parts {
                    match part.test(value) {
                        Some(true) => return Some(true),
                        Some(false) => {}
                        None => any = None,
                    }
                }
                any
            }
            Condition::Not(part) => part.test(value).map(|found| !found),
            Condition::IsNull => Some(value.is_none()),
            Condition::Compare(left, relation, right) => {
                let (left, right) = (left.of(value?)?, right.of(value?)?);
                if let (Comparison::SameLetters, Operand::Text(left), Operand::Text(right)) =
                    (relation, &left, &right)
                {
                    return Some(left.to_lowercase() == right.to_lowercase());
                }
                let order = left.order(&right)?;
                Some(match relation {
                    Comparison::Equal | Comparison::SameLetters => order.is_eq(),
                    Comparison::Less => order.is_lt(),
                    Comparison::AtMost => order.is_le(),
                })
            }
            Condition::Matches(term, pattern) => match term.of(value?)? {
                Operand::Text(text) => Some(pattern.0.is_match(&text)),
                _ => None,
            },
        }
    }
}

impl Term {
    fn of<'v>(&'v self, value: &'v str) -> Option<Operand<'v>> {
        let text = |term: &'v Term| match term.of(value) {
            Some(Operand::Text(text)) => Some(text),
            _ => None,
        };
        Some(match self {
            Term::Text => Operand::Text(Cow::Borrowed(value)),
            Term::Number => Operand::Number(value.parse().ok()?),
            Term::Moment => Operand::Moment(seconds_of(value.as_bytes())?),
            Term::Day(term) => match term.of(value)? {
                Operand::Moment(seconds) => Operand::Moment(seconds - seconds.rem_euclid(86_400)),
                _ => return None,
            },
            Term::FixedText(text) => Operand::Text(Cow::Borrowed(text)),
            Term::FixedNumber(number) => Operand::Number(*number),
            Term::FixedMoment(seconds) => Operand::Moment(*seconds),
            Term::Lower(term) => Operand::Text(lower(text(term)?)),
            Term::Upper(term) => Operand::Text(upper(text(term)?)),
            Term::Trim(term, start, end) => Operand::Text(trimmed(text(term)?, *start, *end)),
            Term::Left(term, most) => Operand::Text(match text(term)? {
                text if text.len() <= *most => text,
                text => text.chars().take(*most).collect::<String>().into(),
            }),
            Term::Length(term) => Operand::Number(text(term)?.chars().count() as f64),
            Term::Bytes(term) => Operand::Number(text(term)?.len() as f64),
            Term::DocumentType(term) => Operand::Text(document_type(&text(term)?).into()),
            Term::Position(needle, haystack) => {
                let (needle, haystack) = (text(needle)?, text(haystack)?);
                let at = haystack.find(&*needle);
                Operand::Number(at.map_or(0, |at| haystack[..at].chars().count() + 1) as f64)
            }
        })
    }
}

/// A text in small letters; itself where it is already.
fn lower(text: Cow<'_, str>) -> Cow<'_, str> {
    let mut bytes = text.bytes();
    match bytes.all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        true => text,
        false => text.to_lowercase().into(),
    }
}

/// A text in capitals; itself where it is already.
fn upper(text: Cow<'_, str>) -> Cow<'_, str> {
    let mut bytes = text.bytes();
    match bytes.all(|byte| byte.is_ascii() && !byte.is_ascii_lowercase()) {
        true => text,
        false => text.to_uppercase().into(),
    }
}

/// A text without the blanks at its start, at its end, or at both.
fn trimmed(text: Cow<'_, str>, start: bool, end: bool) -> Cow<'_, str> {
    let mut rest = &*text;
    if start {
        rest = rest.trim_start_matches(' ');
    }
    if end {
        rest = rest.trim_end_matches(' ');
    }
    match rest.len() == text.len() {
        true => text,
        false => rest.to_owned().into(),
    }
}

/// What `json_typeof` says of a document.
fn document_type(document: &str) -> &'static str {
    match document.trim_start().as_bytes() {
        [b'{', ..] => "object",
        [b'[', ..] => "array",
        [b'"', ..] => "string",
        [b't' | b'f', ..] => "boolean",
        [b'n', ..] => "null",
        _ => "number",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length_at_most(most: f64) -> Condition {
        Condition::Compare(
            Term::Length(Box::new(Term::Text)),
            Comparison::AtMost,
            Term::FixedNumber(most),
        )
    }

    #[test]
    fn only_false_violates_and_null_is_unknown_to_all_but_is_null() {
        let short = length_at_most(3.0);
        assert!(short.admits(Some("éàü".as_bytes())) && !short.admits(Some(b"long")) && short.admits(None));
        let known = Condition::Not(Box::new(Condition::IsNull));
        assert!(known.admits(Some(b"")) && !known.admits(None));
        let both = Condition::All(vec![short.clone(), known.clone()]);
        assert!(both.admits(Some(b"abc")) && !both.admits(None) && !both.admits(Some(b"long")));
        let either = Condition::Any(vec![short, Condition::IsNull]);
        assert!(either.admits(None) && !either.admits(Some(b"long")));
    }

    #[test]
    fn a_document_has_a_type() {
        let is_object = Condition::Compare(
            Term::DocumentType(Box::new(Term::Text)),
            Comparison::Equal,
            Term::FixedText("object".into()),
        );
        assert!(is_object.admits(Some(b" {}")) && is_object.admits(None));
        assert!(!is_object.admits(Some(b"[]")) && !is_object.admits(Some(b"null")));
    }

    #[test]
    fn moments_numbers_and_texts_are_compared_each_in_its_way() {
        let at_most = |left, right| Condition::Compare(left, Comparison::AtMost, right);
        let day = at_most(Term::Moment, Term::FixedMoment(0));
        assert!(day.admits(Some(b"1970-01-01")) && !day.admits(Some(b"1970-01-02")));
        assert!(day.admits(Some(b"-infinity")) && !day.admits(Some(b"infinity")));
        assert!(
            day.admits(Some(b"1970-01-01 01:30:00+02")) && !day.admits(Some(b"1970-01-01 00:00:00-00:30"))
        );
        let number = at_most(Term::FixedNumber(-1.5), Term::Number);
        assert!(number.admits(Some(b"-1.50")) && !number.admits(Some(b"-2")));
        let small = Condition::Compare(Term::Lower(Box::new(Term::Text)), Comparison::Equal, Term::Text);
        assert!(small.admits(Some("é@x".as_bytes())) && !small.admits(Some("É@x".as_bytes())));
    }
}
