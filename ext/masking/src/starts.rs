//! How the values of a column have to begin by its CHECKs (`whsec_`, say), and values that the CHECKs take.

use super::condition::{Check, Comparison, Condition, Term};
use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// More beginnings than this are as good as none.
const MOST: usize = 16;

/// Values of many shapes, to try what a CHECK takes and what a mask writes.
pub(super) const TRIAL_VALUES: [&str; 9] = [
    "Ada Lovelace",
    "ada@example.org",
    "a",
    "12345",
    "Analytical Engines",
    "grace",
    "x-1",
    "42 rue X",
    "https://example.org/a/1",
];

/// The texts that values accepted by the checks begin with, in any case; none if that is not known.
/// Values that are named one by one in a CHECK count for nothing.
pub fn starts(checks: &[Check]) -> Vec<String> {
    all(checks.iter().map(|check| &check.condition)).unwrap_or_default()
}

/// Of the beginnings that several conditions ask for, the longest.
fn all<'c>(conditions: impl Iterator<Item = &'c Condition>) -> Option<Vec<String>> {
    let shortest = |starts: &Vec<String>| starts.iter().map(String::len).min();
    conditions.filter_map(of_condition).max_by_key(shortest)
}

fn of_condition(condition: &Condition) -> Option<Vec<String>> {
    let starts = match condition {
        Condition::All(parts) => all(parts.iter())?,
        Condition::Any(parts) => {
            let parts = parts.iter().filter(|part| !is_of_single_values(part));
            parts.map(of_condition).collect::<Option<Vec<_>>>()?.concat()
        }
        Condition::Matches(Term::Text, pattern) => of_pattern(pattern.0.as_str())?,
        Condition::Compare(Term::Left(term, _), Comparison::Equal, Term::FixedText(text))
        | Condition::Compare(Term::FixedText(text), Comparison::Equal, Term::Left(term, _))
            if **term == Term::Text =>
        {
            vec![text.clone()]
        }
        Condition::Compare(Term::Position(needle, of), Comparison::Equal, Term::FixedNumber(1.0)) => {
            match (&**needle, &**of) {
                (Term::FixedText(text), Term::Text) => vec![text.clone()],
                _ => return None,
            }
        }
        _ => return None,
    };
    let is_known = !starts.is_empty() && starts.len() <= MOST && !starts.iter().any(String::is_empty);
    is_known.then_some(starts)
}

/// Whether a condition is met by NULL or by a value that it names.
fn is_of_single_values(condition: &Condition) -> bool {
    match condition {
        Condition::IsNull => true,
        Condition::Compare(left, Comparison::Equal, right) => {
            matches!(
                (left, right),
                (Term::Text, Term::FixedText(_)) | (Term::FixedText(_), Term::Text)
            )
        }
        Condition::Any(parts) => parts.iter().all(is_of_single_values),
        _ => false,
    }
}

/// The values that the checks list one by one, where they list all that they take; NULL does not count.
pub fn listed(checks: &[Check]) -> Option<Vec<String>> {
    checks.iter().find_map(|check| list(&check.condition))
}

fn list(condition: &Condition) -> Option<Vec<String>> {
    match condition {
        Condition::All(parts) => parts.iter().find_map(list),
        Condition::Any(parts) => {
            let parts = parts.iter().filter(|part| **part != Condition::IsNull);
            let found: Vec<String> = parts.map(list).collect::<Option<Vec<_>>>()?.concat();
            (!found.is_empty()).then_some(found)
        }
        Condition::Compare(left, Comparison::Equal, right) => match (left, right) {
            (Term::Text, Term::FixedText(text)) | (Term::FixedText(text), Term::Text) => {
                Some(vec![text.clone()])
            }
            (Term::Number, Term::FixedNumber(number)) | (Term::FixedNumber(number), Term::Number) => {
                Some(vec![number.to_string()])
            }
            _ => None,
        },
        _ => None,
    }
}

fn of_pattern(pattern: &str) -> Option<Vec<String>> {
    let hir = regex_syntax::parse(pattern.strip_prefix("(?i)").unwrap_or(pattern)).ok()?;
    let is_at_start = hir.properties().look_set_prefix().contains(Look::Start);
    is_at_start.then(|| beginnings(&hir).0)
}

/// What the matches of a regular expression begin with, and whether each is a whole match.
fn beginnings(hir: &Hir) -> (Vec<String>, bool) {
    let unknown = || (vec![String::new()], false);
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => (vec![String::new()], true),
        HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
            Ok(text) => (vec![text.to_owned()], true),
            Err(_) => unknown(),
        },
        HirKind::Capture(capture) => beginnings(&capture.sub),
        HirKind::Alternation(parts) => {
            let parts: Vec<_> = parts.iter().map(beginnings).collect();
            let is_whole = parts.iter().all(|(_, is_whole)| *is_whole);
            (
                parts.into_iter().flat_map(|(starts, _)| starts).collect(),
                is_whole,
            )
        }
        HirKind::Concat(parts) => {
            let mut found = vec![String::new()];
            for part in parts {
                let (further, is_whole) = beginnings(part);
                if found.len() * further.len() > MOST {
                    return (found, false);
                }
                let join = |before: &String| {
                    let joined = further.iter().map(|further| format!("{before}{further}"));
                    joined.collect::<Vec<_>>()
                };
                found = found.iter().flat_map(join).collect();
                if !is_whole {
                    return (found, false);
                }
            }
            (found, true)
        }
        HirKind::Repetition(repeated) if (repeated.min, repeated.max) == (0, Some(1)) => {
            let (mut starts, is_whole) = beginnings(&repeated.sub);
            starts.push(String::new());
            (starts, is_whole)
        }
        HirKind::Class(_) | HirKind::Repetition(_) => unknown(),
    }
}

/// Values of several shapes that the checks take, for a look at what a mask makes of them.
pub(super) fn samples(checks: &[Check]) -> Vec<String> {
    let mut hints = Hints::default();
    checks.iter().for_each(|check| hints.read(&check.condition));
    let mut values: Vec<String> = hints.texts;
    for length in hints.lengths {
        values.push("a1b2c3d4".chars().cycle().take(length).collect());
    }
    let starts = starts(checks);
    let plain: Vec<String> = TRIAL_VALUES
        .iter()
        .map(|value| (*value).to_owned())
        .chain(values)
        .collect();
    let behind = starts.iter().flat_map(|start| {
        let fill = plain.iter().map(move |value| {
            // As long as the value itself where it has room for what it has to begin with.
            let rest: String = value.chars().skip(start.chars().count()).collect();
            [format!("{start}{value}"), format!("{start}{rest}")]
        });
        fill.flatten()
    });
    let lower = plain
        .iter()
        .map(|value| value.to_lowercase().replace([' ', '-'], ""));
    let upper = plain
        .iter()
        .map(|value| value.to_uppercase().replace([' ', '-'], ""));
    let mut found: Vec<String> = Vec::new();
    let all = hints
        .matches
        .into_iter()
        .chain(behind)
        .chain(plain.iter().cloned())
        .chain(lower)
        .chain(upper);
    for value in all.filter(|value| !value.is_empty()) {
        let is_taken = checks
            .iter()
            .all(|check| check.condition.admits(Some(value.as_bytes())));
        if is_taken && !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

/// What conditions say of the values that meet them.
#[derive(Default)]
struct Hints {
    /// Values that match a pattern.
    matches: Vec<String>,
    /// Texts that are compared with.
    texts: Vec<String>,
    /// Lengths that are compared with.
    lengths: Vec<usize>,
}

impl Hints {
    fn read(&mut self, condition: &Condition) {
        match condition {
            Condition::All(parts) | Condition::Any(parts) => parts.iter().for_each(|part| self.read(part)),
            Condition::Not(part) => self.read(part),
            Condition::IsNull => {}
            Condition::Matches(_, pattern) => {
                if let Ok(hir) = regex_syntax::parse(pattern.0.as_str()) {
                    self.matches.extend((0..4).map(|turn| {
                        let mut text = String::new();
                        write_match(&hir, turn, &mut text);
                        text
                    }));
                }
            }
            Condition::Compare(left, _, right) => {
                for term in [left, right] {
                    match term {
                        Term::FixedText(text) => self.texts.push(text.clone()),
                        Term::FixedNumber(number) if (1.0..=1024.0).contains(number) => {
                            self.lengths.extend([*number as usize, *number as usize + 1]);
                        }
                        _ => {}
                    }
                }
            }
        }
    }
}

/// Appends a text that matches, another one each turn.
fn write_match(hir: &Hir, turn: usize, out: &mut String) {
    const LIKELY: [char; 10] = ['a', '1', 'Z', 'f', '7', 'q', '0', 'b', '-', '_'];
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Capture(capture) => write_match(&capture.sub, turn, out),
        HirKind::Alternation(parts) => write_match(&parts[turn % parts.len()], turn, out),
        HirKind::Concat(parts) => parts.iter().for_each(|part| write_match(part, turn, out)),
        HirKind::Repetition(repeated) => {
            let most = repeated.max.unwrap_or(u32::MAX);
            let wanted = [9, 20, repeated.min, 40][turn % 4];
            for round in 0..wanted.clamp(repeated.min, most).min(1024) {
                write_match(&repeated.sub, turn + round as usize, out);
            }
        }
        HirKind::Class(Class::Unicode(class)) => {
            let holds = |c: &char| {
                class
                    .iter()
                    .any(|range| (range.start()..=range.end()).contains(c))
            };
            let mut likely = LIKELY.iter().cycle().skip(turn % LIKELY.len()).take(LIKELY.len());
            let first = || class.iter().next().map(|range| range.start());
            out.extend(likely.find(|c| holds(c)).copied().or_else(first));
        }
        HirKind::Class(Class::Bytes(_)) => {}
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Pattern;
    use regex::Regex;

    fn matching(pattern: &str) -> Condition {
        Condition::Matches(Term::Text, Pattern(Regex::new(pattern).unwrap()))
    }

    fn check(condition: Condition) -> [Check; 1] {
        [Check {
            name: "check".into(),
            condition,
        }]
    }

    #[test]
    fn a_pattern_that_holds_at_the_start_says_how_values_begin() {
        for (pattern, begin) in [
            ("^whsec_.*$", vec!["whsec_"]),
            ("^cus_[A-Za-z0-9]{14}$", vec!["cus_"]),
            (r"^https://hooks\.zapier\.com/", vec!["https://hooks.zapier.com/"]),
            ("^(cus|acct)_", vec!["cus_", "acct_"]),
            ("^https?://", vec!["https://", "http://"]),
            ("(?i)^ab[0-9]", vec!["ab"]),
            ("whsec_", vec![]),
            ("^a|b", vec![]),
            ("^[a-z]+@", vec![]),
        ] {
            assert_eq!(starts(&check(matching(pattern))), begin, "{pattern}");
        }
    }

    #[test]
    fn null_and_values_that_are_named_leave_the_beginning_of_the_others() {
        let named = Condition::Compare(Term::Text, Comparison::Equal, Term::FixedText("none".into()));
        let either = Condition::Any(vec![Condition::IsNull, named.clone(), matching("^cus_")]);
        assert_eq!(starts(&check(either)), ["cus_"]);
        assert!(starts(&check(Condition::Any(vec![named, matching("x")]))).is_empty());
        let both = Condition::All(vec![matching("^a"), matching("^abc")]);
        assert_eq!(starts(&check(both)), ["abc"]);
    }

    #[test]
    fn samples_are_values_that_the_checks_take() {
        for pattern in [
            "^cus_[A-Za-z0-9]{14}$",
            "^[A-Z]{2}[0-9]{3}$",
            r"^[^@\s]+@[^@\s]+\.(com|fr)$",
        ] {
            let checks = check(matching(pattern));
            let samples = samples(&checks);
            assert!(samples.len() > 1, "{pattern}: {samples:?}");
            assert!(samples
                .iter()
                .all(|sample| checks[0].condition.admits(Some(sample.as_bytes()))));
        }
        let long = Condition::Compare(
            Term::Length(Box::new(Term::Text)),
            Comparison::Equal,
            Term::FixedNumber(32.0),
        );
        assert!(!samples(&check(long)).is_empty());
        let never = Condition::All(vec![matching("^a"), matching("^b")]);
        assert!(samples(&check(never)).is_empty());
    }
}
