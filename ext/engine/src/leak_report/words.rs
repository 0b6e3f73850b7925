//! What the leak check found, as data.

use crate::failure::LeakFailure;
use crate::notice::{Notice, Originals};
use crate::text::{text, Text};
use leak_check::{Class, Findings, Leak};

/// Leaks that a sentence names; the report has them all.
const NAMED: usize = 10;

/// What is said of one, with the entry that would mask it.
pub(super) fn notice(leak: &Leak) -> Notice {
    let column = format!("{}.{}", leak.table, leak.column);
    let (originals, rule) = (originals(leak.class, leak.count), leak.entry.clone());
    if leak.certain {
        return Notice::Leaked {
            column,
            originals,
            rule,
        };
    }
    if leak.class.proves() {
        return Notice::MaybeLeaked {
            column,
            originals,
            chance: format!("{:.1}", leak.expected_by_chance),
            rule,
        };
    }
    Notice::MaybeNamesLeaked {
        column,
        originals,
        rule,
    }
}

/// What is proven, in one text with a line per column; None when nothing is.
pub(super) fn failure(findings: &Findings) -> Option<Text> {
    let lines: Vec<Text> = findings.certain().map(|leak| notice(leak).into()).collect();
    let count = lines.len();
    if count == 0 {
        return None;
    }
    let named = Text::joined(&lines[..count.min(NAMED)], "\n- ");
    let mut failure = text!(LeakFailure::Survived, "\n- ", named);
    if let Some(count) = count.checked_sub(NAMED).filter(|more| *more > 0) {
        failure.push(text!("\n", LeakFailure::More { count }));
    }
    Some(failure.and("\n"))
}

fn originals(class: Class, count: u64) -> Originals {
    match class {
        Class::Email => Originals::Emails { count },
        Class::Phone => Originals::Phones { count },
        Class::Iban => Originals::Ibans { count },
        Class::Card => Originals::Cards { count },
        Class::Identity | Class::ShortIdentity => Originals::Identities { count },
        Class::Name => Originals::Names { count },
        Class::Digest => Originals::Digests { count },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Snippet;
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
        let leaked = Notice::Leaked {
            column: "public.comments.body".into(),
            originals: Originals::Emails { count: 3 },
            rule: entry(),
        };
        let said: Vec<Snippet> = failure.snippets().cloned().collect();
        assert_eq!(
            said,
            [
                Snippet::Phrase(LeakFailure::Survived.into()),
                Snippet::Phrase(leaked.into())
            ]
        );
        assert_eq!(super::failure(&Findings::default()), None);
    }
}
