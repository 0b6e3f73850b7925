//! What the engine says as data: phrases, each a kind with fields, which the caller words in its languages.

use crate::finding::Because;
use crate::left_out::Why;
use crate::notice::Notice;
use personal_data::{terms, Clue, PiiKind, Reason};
use serde::Serialize;

/// A phrase of any enum of phrases, where it stands among words.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Phrase {
    /// Why a column looks personal or acts outside.
    Reason(Reason),
    /// What covers a column, lets it be, or keeps a mask from it.
    Because(Because),
    /// Why something does not come.
    Why(Why),
    /// A warning.
    Notice(Notice),
}

/// A phrase of one of the enums is a phrase.
macro_rules! from {
    ($($name:ident),+) => {
        $(
            impl From<$name> for Phrase {
                fn from(phrase: $name) -> Self {
                    Phrase::$name(phrase)
                }
            }

            impl From<&$name> for Phrase {
                fn from(phrase: &$name) -> Self {
                    Phrase::$name(phrase.clone())
                }
            }
        )+
    };
}

from!(Reason, Because, Why, Notice);

/// What a caller needs words for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Vocabulary {
    /// Every kind of phrase, with its fields. No two share a name.
    pub kinds: Vec<phrases::Kind>,
    /// What a field `term` may hold.
    pub terms: Vec<&'static str>,
    /// What a field `personal` may hold: the kinds of personal data.
    pub personal: Vec<PiiKind>,
}

impl Vocabulary {
    /// All of it.
    pub fn all() -> Self {
        let kinds = [
            Reason::KINDS,
            Clue::KINDS,
            Because::KINDS,
            Why::KINDS,
            Notice::KINDS,
        ];
        Self {
            kinds: kinds.into_iter().flatten().copied().collect(),
            terms: terms().collect(),
            personal: PiiKind::ALL.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_kinds_share_a_name() {
        let kinds = Vocabulary::all().kinds;
        let names: HashSet<&str> = kinds.iter().map(|one| one.kind).collect();
        assert_eq!(names.len(), kinds.len());
    }
}
