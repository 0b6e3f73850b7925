//! What the keys and the values of a document say they are: as the names of columns and their values do.

use masking::LeafJudge;
use personal_data::people::{self, Whole};
use personal_data::{key_kind, PiiKind};

/// For masks of documents.
pub(in crate::plan) const JUDGE: LeafJudge = LeafJudge {
    of_key,
    of_text,
    masks,
};

fn of_key(key: &str) -> Option<&'static str> {
    key_kind(key).map(PiiKind::suggested_mask)
}

/// What `scrub` knows by its form it replaces; of the rest only a whole name is as plain.
fn of_text(text: &[u8]) -> Option<&'static str> {
    (people::whole(text) == Some(Whole::Full)).then(|| PiiKind::Name.suggested_mask())
}

fn masks() -> Vec<&'static str> {
    let mut masks: Vec<&'static str> = PiiKind::ALL.iter().map(|kind| kind.suggested_mask()).collect();
    masks.sort_unstable();
    masks.dedup();
    masks
}
