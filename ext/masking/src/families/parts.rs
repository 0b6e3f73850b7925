//! What texts of words are made of, and how one is recognised.

use super::sorted_words::SortedWords;
use crate::fitting::DISTINCT_HEX;
use std::borrow::Cow;

/// A piece of what is written.
#[derive(Debug, Clone)]
pub(crate) enum TextPart {
    /// One of a list of words.
    Word(SortedWords),
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
            TextPart::Word(words) => strip_word(words, text, then),
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

/// The longest word first. Of sorted words, those that a text begins with also begin the last one that does not come behind it,
/// so one search finds as much as they can have of the text.
fn strip_word<'t>(words: &SortedWords, text: &'t [u8], then: &dyn Fn(&'t [u8]) -> bool) -> bool {
    let mut within = text;
    loop {
        let Some(word) = words.last_up_to(within) else {
            return false;
        };
        let alike = word.bytes().zip(within).take_while(|(a, b)| a == *b).count();
        within = match (word.len(), alike) {
            (_, 0) => return false,
            (length, alike) if length > alike => &text[..alike],
            (_, alike) if then(&text[alike..]) => return true,
            (_, alike) => &text[..alike - 1],
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of a text behind each word that it begins with.
    fn left(words: &[&'static str], text: &str) -> Vec<String> {
        let words = SortedWords::new(words.iter().map(|word| Cow::Borrowed(*word)).collect());
        let left = std::cell::RefCell::new(Vec::new());
        TextPart::Word(words).strip(text.as_bytes(), &|rest| {
            left.borrow_mut().push(String::from_utf8_lossy(rest).into_owned());
            false
        });
        left.into_inner()
    }

    #[test]
    fn every_word_that_a_text_begins_with_is_tried() {
        let words = ["An", "Anna", "Annabel", "Anne", "Anton", "B", "Zoe", "Ö"];
        for (text, expected) in [
            ("Annabel", vec!["", "bel", "nabel"]),
            ("Annabelle", vec!["le", "belle", "nabelle"]),
            ("Annz", vec!["nz"]),
            ("Antonia", vec!["ia", "tonia"]),
            ("Bo", vec!["o"]),
            ("Ör", vec!["r"]),
            ("A", vec![]),
            ("", vec![]),
            ("zoe", vec![]),
            ("Zo", vec![]),
        ] {
            assert_eq!(left(&words, text), expected, "{text}");
        }
        assert!(left(&[], "An").is_empty());
    }

    #[test]
    fn it_finds_what_a_look_at_each_length_finds() {
        let words = ["a", "aa", "aab", "ab", "abba", "b", "ba", "bab"];
        for number in 0..4u32.pow(6) {
            let letters = (0..6).map(|place| ["a", "b", "c", ""][(number / 4u32.pow(place) % 4) as usize]);
            let text: String = letters.collect();
            let expected: Vec<&str> = (1..=text.len())
                .rev()
                .filter(|length| words.contains(&&text[..*length]))
                .map(|length| &text[length..])
                .collect();
            assert_eq!(left(&words, &text), expected, "{text}");
        }
    }
}
