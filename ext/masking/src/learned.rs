//! What the first rows of a table have shown of a column whose mask draws among its own values.

use std::sync::Arc;

/// The values of a column, each with how often it was seen.
#[derive(Clone, PartialEq, Eq)]
pub struct Learned(Arc<[(String, u64)]>);

impl Learned {
    /// These values. Their order plays no part.
    pub fn new(mut values: Vec<(String, u64)>) -> Self {
        values.sort_unstable();
        Self(values.into())
    }

    pub(super) fn values(&self) -> &[(String, u64)] {
        &self.0
    }
}

impl std::fmt::Debug for Learned {
    /// The values are production's.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Learned")
    }
}
