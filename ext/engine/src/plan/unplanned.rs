//! Why there is no plan, and what of the configuration was understood all the same: of that the server can say in the same
//! round what it refuses.

use super::keep::Keep;
use super::part::{Part, Relation};
use super::{Plan, Statement};
use crate::error::Error;
use pg_dump_archive::{Entry, EntryKind};

/// A configuration that makes no plan.
#[derive(Debug, Clone)]
pub struct Unplanned {
    /// Why.
    pub error: Error,
    /// What the server may be asked about; None where nothing was understood.
    pub unsettled: Option<Box<Unsettled>>,
}

/// What only the server can say something against.
#[derive(Debug, Clone, Default)]
pub struct Unsettled {
    /// Tables that are to stay as they are in the target.
    pub keep: Keep,
    /// The rules of a subset, without those that are known to be wrong.
    pub part: Option<Part>,
    /// Tables with rules that have no effect, likewise.
    pub idle: Vec<Relation>,
    /// The bare names of production's own functions, which the target may lack.
    pub functions: Vec<String>,
}

impl From<Error> for Unplanned {
    fn from(error: Error) -> Self {
        Self {
            error,
            unsettled: None,
        }
    }
}

impl From<Unplanned> for Error {
    fn from(unplanned: Unplanned) -> Self {
        unplanned.error
    }
}

const FUNCTIONS: [EntryKind; 3] = [EntryKind::Function, EntryKind::Aggregate, EntryKind::Procedure];

impl Plan {
    /// What only the server can say something against.
    pub(crate) fn unsettled(&self) -> Unsettled {
        Unsettled {
            keep: self.keep.clone(),
            part: self.part.clone(),
            idle: self.idle.clone(),
            functions: self.functions(),
        }
    }

    /// The bare names of production's own functions.
    pub(crate) fn functions(&self) -> Vec<String> {
        let made = self.schema.iter().filter(|one| FUNCTIONS.contains(&one.kind));
        made.filter_map(|one: &Statement| bare(&one.name)).collect()
    }
}

/// The same, of the entries that are restored.
pub(super) fn functions<'e>(kept: impl Iterator<Item = &'e Entry>) -> Vec<String> {
    let made = kept.filter(|entry| FUNCTIONS.contains(&entry.kind));
    made.filter_map(|entry| bare(&entry.tag)).collect()
}

/// `public.is_even(bigint)` → `is_even`.
fn bare(name: &str) -> Option<String> {
    let name = name.split('(').next().unwrap_or_default();
    name.rsplit('.').next().map(str::to_lowercase)
}
