//! The sentences for what the leak check found.

use crate::text::{Snippet, Text};
use leak_check::{Class, Findings, Leak};

/// Leaks that a sentence names; the report has them all.
const NAMED: usize = 10;

/// One line for people: `public.comments.body holds 3 e-mail addresses of masked columns: `, and the entry.
pub(super) fn sentence(leak: &Leak) -> Text {
    Text::from(words(leak)).suggesting(Snippet::Entry(leak.entry.clone()))
}

fn words(leak: &Leak) -> String {
    let Leak {
        table, column, count, ..
    } = leak;
    let what = class_in_words(leak.class, *count);
    if leak.certain {
        return format!("{table}.{column} holds {count} {what} of masked columns: ");
    }
    let why = if leak.class.proves() {
        format!("chance alone would give {:.1}", leak.expected_by_chance)
    } else {
        "people share names".to_owned()
    };
    format!("{table}.{column} may hold {count} {what} of masked columns ({why}): ")
}

/// What is proven, in one text with a line per column; None when nothing is.
pub(super) fn failure(findings: &Findings) -> Option<Text> {
    let lines: Vec<Text> = findings.certain().map(sentence).collect();
    let count = lines.len();
    let more = match count {
        0 => return None,
        _ if count > NAMED => format!("\n… and {} more, in the report.", count - NAMED),
        _ => String::new(),
    };
    let named = Text::joined(&lines[..count.min(NAMED)], "\n- ");
    Some(
        Text::from("Values that were masked survived in other columns:\n- ")
            .and(named)
            .and(format!("{more}\n")),
    )
}

fn class_in_words(class: Class, count: u64) -> &'static str {
    let (one, many) = match class {
        Class::Email => ("e-mail address", "e-mail addresses"),
        Class::Phone => ("telephone number", "telephone numbers"),
        Class::Iban => ("IBAN", "IBANs"),
        Class::Card => ("card number", "card numbers"),
        Class::Identity | Class::ShortIdentity => ("identity number", "identity numbers"),
        Class::Name => ("full name", "full names"),
        Class::Digest => ("unsalted hash of a value", "unsalted hashes of values"),
    };
    if count == 1 {
        one
    } else {
        many
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use personal_data::{RuleEntry, Suggestion};

    fn entry() -> RuleEntry {
        RuleEntry {
            table: "comments".into(),
            column: "body".into(),
            mask: Suggestion::plain("scrub"),
        }
    }

    #[test]
    fn the_failure_names_columns_and_what_to_paste() {
        let leak = Leak {
            table: "public.comments".into(),
            column: "body".into(),
            kind: "email".into(),
            count: 3,
            expected_by_chance: 0.0,
            certain: true,
            entry: entry(),
            class: Class::Email,
        };
        let findings = Findings {
            leaks: vec![leak],
            ..Findings::default()
        };
        let failure = failure(&findings).unwrap_or_default();
        assert!(
            failure.contains("public.comments.body holds 3 e-mail addresses of masked columns"),
            "{failure}"
        );
        assert_eq!(failure.snippets().collect::<Vec<_>>(), [&Snippet::Entry(entry())]);
        assert_eq!(super::failure(&Findings::default()), None);
    }
}
