//! What a caller knows that masks ask: what the keys and the values of a document say they are.

use std::sync::Arc;

/// What masks ask their caller.
#[derive(Debug, Clone, Default)]
pub struct Helpers {
    /// About the values of a document.
    pub leaves: Option<LeafJudge>,
    /// The countries whose telephone numbers are written without their code; the first is the app's own.
    pub countries: Arc<[String]>,
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
