//! What a caller knows that masks ask: what the keys and the values of a document say they are.

use super::envelope::EnvelopeKey;
use std::collections::HashMap;
use std::sync::Arc;

/// What masks ask their caller.
#[derive(Debug, Clone, Default)]
pub struct Helpers {
    /// About the values of a document.
    pub leaves: Option<LeafJudge>,
    /// The countries whose telephone numbers are written without their code; the first is the app's own.
    pub countries: Arc<[String]>,
    /// How the app encrypts columns, by the table as messages name it and the column.
    pub encrypted: Arc<HashMap<(String, String), Encryption>>,
}

/// How a column's pseudonyms are encrypted, so that the app can read them.
#[derive(Debug, Clone)]
pub enum Encryption {
    /// Under this key, as Active Record does by itself.
    Key {
        /// Staging's key of the attribute.
        key: Arc<EnvelopeKey>,
        /// The attribute's values are in lower case.
        downcase: bool,
    },
    /// In a way that only the app knows: these it has encrypted beforehand.
    Prepared(Arc<[String]>),
    /// Not at all: nothing is known that the app could read.
    Unknown,
}

impl Helpers {
    /// How the app encrypts a column; None: it does not.
    pub fn encryption(&self, table: &str, column: &str) -> Option<&Encryption> {
        if self.encrypted.is_empty() {
            return None;
        }
        self.encrypted.get(&(table.to_owned(), column.to_owned()))
    }
}

/// Says which mask of the catalogue suits a value within a document. Both answers are among `masks`.
#[derive(Debug, Clone, Copy)]
pub struct LeafJudge {
    /// By the value's key.
    pub of_key: fn(&str) -> Option<&'static str>,
    /// By the value, which is a text, as a whole.
    pub of_text: fn(&[u8]) -> Option<&'static str>,
    /// All that the two can say.
    pub masks: fn() -> Vec<&'static str>,
}
