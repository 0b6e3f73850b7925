//! What the engine says where it also suggests something: words, and between them what to write in the configuration, as
//! data. How that is written is the caller's business.

use personal_data::{Entry, Finding, Suggestion};
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use std::fmt;
use std::ops::Deref;

/// What to write in the configuration.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Suggested {
    /// The entry of a rule that masks one column, in one line.
    Entry(Entry),
    /// The rules for these columns, each with why; a column without a mask that fits is named, too.
    Rules(Vec<Finding>),
    /// A column as `pii_ignore` names it.
    Ignore(String),
    /// A mask.
    Mask(Suggestion),
}

/// Words, with suggestions at places in them. It reads as its words.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Text {
    words: String,
    /// Each before the byte of `words` at this place, in order.
    suggested: Vec<(usize, Suggested)>,
}

impl Text {
    /// Adds a suggestion at the end.
    #[must_use]
    pub fn suggesting(mut self, suggested: Suggested) -> Self {
        self.suggested.push((self.words.len(), suggested));
        self
    }

    /// Adds another text at the end.
    #[must_use]
    pub fn and(mut self, further: impl Into<Text>) -> Self {
        self.push(further);
        self
    }

    /// Adds another text at the end.
    pub fn push(&mut self, further: impl Into<Text>) {
        let (begin, further) = (self.words.len(), further.into());
        self.words.push_str(&further.words);
        let moved = further.suggested.into_iter();
        self.suggested
            .extend(moved.map(|(at, suggested)| (begin + at, suggested)));
    }

    /// Texts, with words between them.
    pub fn joined<'t>(texts: impl IntoIterator<Item = &'t Text>, between: &str) -> Self {
        let mut joined = Self::default();
        for (number, text) in texts.into_iter().enumerate() {
            if number > 0 {
                joined.push(between);
            }
            joined.push(text);
        }
        joined
    }

    /// What is suggested, in its order.
    pub fn suggested(&self) -> impl Iterator<Item = &Suggested> {
        self.suggested.iter().map(|(_, suggested)| suggested)
    }
}

impl From<String> for Text {
    fn from(words: String) -> Self {
        Self {
            words,
            suggested: Vec::new(),
        }
    }
}

impl From<&str> for Text {
    fn from(words: &str) -> Self {
        words.to_owned().into()
    }
}

impl From<&String> for Text {
    fn from(words: &String) -> Self {
        words.as_str().into()
    }
}

impl From<&Text> for Text {
    fn from(text: &Text) -> Self {
        text.clone()
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.words
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, words: &str) -> bool {
        self.words == words
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, words: &&str) -> bool {
        self.words == *words
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

/// A string where nothing is suggested; else the words and the suggestions, in their order.
impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.suggested.is_empty() {
            return serializer.serialize_str(&self.words);
        }
        let mut parts = serializer.serialize_seq(None)?;
        let mut begin = 0;
        for (at, suggested) in &self.suggested {
            parts.serialize_element(self.words.get(begin..*at).unwrap_or_default())?;
            parts.serialize_element(suggested)?;
            begin = *at;
        }
        parts.serialize_element(self.words.get(begin..).unwrap_or_default())?;
        parts.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ignore(name: &str) -> Suggested {
        Suggested::Ignore(name.into())
    }

    #[test]
    fn words_alone_are_a_string() {
        assert_eq!(serde_json::to_value(Text::from("a é")).ok(), Some(json!("a é")));
    }

    #[test]
    fn suggestions_stay_where_they_were_when_texts_are_put_together() {
        let one = Text::from("é: ").suggesting(ignore("a.b")).and(".");
        let both = Text::from("Two. ").and(Text::joined([&one, &one], " "));
        assert_eq!(both, "Two. é: . é: .");
        assert_eq!(
            serde_json::to_value(both).ok(),
            Some(json!(["Two. é: ", { "ignore": "a.b" }, ". é: ", { "ignore": "a.b" }, "."]))
        );
    }
}
