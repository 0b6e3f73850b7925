//! What a caller knows that masks ask: what the keys and the values of a document say they are.

use super::envelope::EnvelopeKey;
use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What masks ask their caller.
#[derive(Debug, Clone, Default)]
pub struct Helpers {
    /// About the values of a document.
    pub leaves: Option<LeafJudge>,
    /// The countries whose telephone numbers are written without their code; the first is the app's own.
    pub countries: Arc<[String]>,
    /// How the app encrypts columns, by the table as messages name it and the column.
    pub encrypted: Arc<HashMap<(String, String), Encryption>>,
    /// What columns share.
    pub shared: Shared,
}

/// What masks have made that depends on nothing of their columns: a schema has thousands of those, and one does for all.
#[derive(Clone, Default)]
pub struct Shared(Arc<Mutex<HashMap<String, Made>>>);

type Made = Arc<dyn Any + Send + Sync>;

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

impl Shared {
    /// What was made under this name, or is made now.
    ///
    /// # Errors
    /// What `make` finds wrong.
    pub(super) fn get<T: Any + Send + Sync, E>(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        let made = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = made().get(name).cloned();
        if let Some(known) = known.and_then(|known| known.downcast().ok()) {
            return Ok(known);
        }
        let new = Arc::new(make()?);
        made().insert(name.to_owned(), Arc::clone(&new) as Made);
        Ok(new)
    }
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
