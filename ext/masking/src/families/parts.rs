//! What texts of words are made of, and how one is recognised.

use crate::fitting::DISTINCT_HEX;
use std::borrow::Cow;

/// A piece of what is written.
#[derive(Debug, Clone)]
pub(crate) enum TextPart {
    /// One of a sorted list of words.
    Word(Vec<Cow<'static, str>>),
    Text(Cow<'static, str>),
    /// A number from 1 to 199.
    Number,
    /// So many digits.
    Digits(usize),
    /// What keeps words apart under a unique index.
    Hex,
}

impl TextPart {
    /// The most characters that it writes.
    pub(crate) fn longest(&self) -> usize {
        match self {
            TextPart::Word(words) => words.iter().map(|word| word.chars().count()).max().unwrap_or(0),
            TextPart::Text(text) => text.chars().count(),
            TextPart::Number => 3,
            TextPart::Digits(count) => *count,
            TextPart::Hex => DISTINCT_HEX,
        }
    }

    /// A regular expression for what it writes.
    pub(crate) fn pattern(&self) -> String {
        let escape = |text: &str| regex::escape(text);
        match self {
            TextPart::Word(words) => {
                let words: Vec<String> = words.iter().map(|word| escape(word)).collect();
                format!("({})", words.join("|"))
            }
            TextPart::Text(text) => escape(text),
            TextPart::Number => "[0-9]{1,3}".into(),
            TextPart::Digits(count) => format!("[0-9]{{{count}}}"),
            TextPart::Hex => format!("[0-9a-f]{{{DISTINCT_HEX}}}"),
        }
    }

    /// What is left of `text` behind this part, for each way that it can begin with it.
    pub(crate) fn strip<'t>(&self, text: &'t [u8], then: &dyn Fn(&'t [u8]) -> bool) -> bool {
        match self {
            TextPart::Word(words) => (1..=text.len()).any(|length| {
                let (word, rest) = text.split_at(length);
                let found = words.binary_search_by(|known| known.as_bytes().cmp(word));
                found.is_ok() && then(rest)
            }),
            TextPart::Text(fixed) => text.strip_prefix(fixed.as_bytes()).is_some_and(then),
            TextPart::Digits(count) => {
                text.len() >= *count && text[..*count].iter().all(u8::is_ascii_digit) && then(&text[*count..])
            }
            TextPart::Number => (1..=3.min(text.len()))
                .any(|length| text[..length].iter().all(u8::is_ascii_digit) && then(&text[length..])),
            TextPart::Hex => {
                text.len() >= DISTINCT_HEX
                    && text[..DISTINCT_HEX]
                        .iter()
                        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
                    && then(&text[DISTINCT_HEX..])
            }
        }
    }
}
