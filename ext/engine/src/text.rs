//! What the engine says: phrases, findings and suggested rules as data, and what stands between them. How these are worded is
//! the caller's business.

use crate::finding::Finding;
use crate::phrase::Phrase;
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use std::fmt;
use std::ops::{Deref, Range};

/// What stands in the words as data: what is suggested for the configuration, and what is worded elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Snippet {
    /// The rules for these columns, each with why; a column without a mask that fits is named, too.
    Rules(Vec<Finding>),
    /// A column with what it looks like and why, in one line.
    Finding(Box<Finding>),
    /// A phrase: a kind and fields.
    Phrase(Phrase),
}

/// Words, with data at places in them. It reads as its words.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Text {
    words: String,
    /// Each in place of these bytes of `words`, in order.
    snippets: Vec<(Range<usize>, Snippet)>,
}

/// A text of parts, each words or a phrase: `text!(LeakFailure::Survived, "\n- ", named)`.
macro_rules! text {
    ($($part:expr),+ $(,)?) => {{
        let mut text = $crate::text::Text::default();
        $(text.push($part);)+
        text
    }};
}
pub(crate) use text;

impl From<Snippet> for Text {
    fn from(snippet: Snippet) -> Self {
        let words = match &snippet {
            Snippet::Finding(finding) => format!("{}.{}: {}", finding.table, finding.column, finding.kind),
            Snippet::Phrase(phrase) => serde_json::to_string(phrase).unwrap_or_default(),
            Snippet::Rules(_) => String::new(),
        };
        Text::of(snippet, words)
    }
}

impl<P: Into<Phrase>> From<P> for Text {
    fn from(phrase: P) -> Self {
        Snippet::Phrase(phrase.into()).into()
    }
}

impl Text {
    /// A snippet that reads as these words.
    fn of(snippet: Snippet, words: String) -> Self {
        let snippets = vec![(0..words.len(), snippet)];
        Self { words, snippets }
    }

    /// Adds a suggestion at the end.
    #[must_use]
    pub(crate) fn suggesting(mut self, snippet: Snippet) -> Self {
        let end = self.words.len();
        self.snippets.push((end..end, snippet));
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
        let moved = further.snippets.into_iter();
        self.snippets
            .extend(moved.map(|(at, snippet)| (begin + at.start..begin + at.end, snippet)));
    }

    /// The phrase that it is, if it is one and nothing else.
    pub fn phrase(&self) -> Option<&Phrase> {
        match self.snippets.as_slice() {
            [(at, Snippet::Phrase(phrase))] if *at == (0..self.words.len()) => Some(phrase),
            _ => None,
        }
    }

    /// It without white space at its end.
    #[must_use]
    pub(crate) fn without_end(mut self) -> Self {
        let snippets = self.snippets.last().map_or(0, |(at, _)| at.end);
        self.words.truncate(snippets.max(self.words.trim_end().len()));
        self
    }

    /// Whether it is, or begins with, a phrase of this kind.
    pub fn is(&self, kind: &str) -> bool {
        let begins = |(at, snippet): &(Range<usize>, Snippet)| match snippet {
            Snippet::Phrase(phrase) if at.start == 0 => phrase.kind() == kind,
            _ => false,
        };
        self.snippets.first().is_some_and(begins)
    }

    /// Texts, with words between them.
    pub fn joined(texts: impl IntoIterator<Item = impl Into<Text>>, between: &str) -> Self {
        let mut joined = Self::default();
        for (number, text) in texts.into_iter().enumerate() {
            if number > 0 {
                joined.push(between);
            }
            joined.push(text);
        }
        joined
    }

    /// What stands in it as data, in its order.
    pub fn snippets(&self) -> impl Iterator<Item = &Snippet> {
        self.snippets.iter().map(|(_, snippet)| snippet)
    }
}

impl From<String> for Text {
    fn from(words: String) -> Self {
        Self {
            words,
            snippets: Vec::new(),
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

/// A string where all is words; else the words and the snippets, in their order.
impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.snippets.is_empty() {
            return serializer.serialize_str(&self.words);
        }
        let mut parts = serializer.serialize_seq(None)?;
        let mut begin = 0;
        for (at, snippet) in &self.snippets {
            parts.serialize_element(self.words.get(begin..at.start).unwrap_or_default())?;
            parts.serialize_element(snippet)?;
            begin = at.end;
        }
        parts.serialize_element(self.words.get(begin..).unwrap_or_default())?;
        parts.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::JobRemedy;
    use serde_json::json;

    /// A phrase as it is serialised.
    const AGAIN: &str = r#"{"kind":"again"}"#;

    #[test]
    fn words_alone_are_a_string() {
        assert_eq!(serde_json::to_value(Text::from("a é")).ok(), Some(json!("a é")));
    }

    #[test]
    fn a_phrase_reads_as_its_data() {
        let text = text!("é: ", JobRemedy::Again, " \n");
        assert_eq!(text, format!("é: {AGAIN} \n").as_str());
        assert_eq!(
            serde_json::to_value(text).ok(),
            Some(json!(["é: ", { "phrase": { "kind": "again" } }, " \n"]))
        );
    }

    #[test]
    fn white_space_at_the_end_goes_and_what_is_data_stays() {
        assert_eq!(
            text!("a ", JobRemedy::Again, " \n").without_end(),
            text!("a ", JobRemedy::Again)
        );
        assert_eq!(Text::from("a \n").without_end(), "a");
    }

    #[test]
    fn suggestions_stay_where_they_were_when_texts_are_put_together() {
        let one = Text::from("é: ").suggesting(Snippet::Rules(Vec::new())).and(".");
        let both = Text::from("Two. ").and(Text::joined([&one, &one], " "));
        assert_eq!(both, "Two. é: . é: .");
        assert_eq!(
            serde_json::to_value(both).ok(),
            Some(json!(["Two. é: ", { "rules": [] }, ". é: ", { "rules": [] }, "."]))
        );
    }
}
