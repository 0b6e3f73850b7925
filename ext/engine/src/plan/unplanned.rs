//! Why there is no plan, and what of the configuration was understood all the same: of that the server can say in the same
//! round what it refuses.

use super::keep::Keep;
use super::part::{Needs, Part, Relation};
use super::Plan;
use crate::error::Error;

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
    /// What these rules need of the backup's own, which the target may lack.
    pub needs: Needs,
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

impl Plan {
    /// What only the server can say something against.
    pub(crate) fn unsettled(&self) -> Unsettled {
        Unsettled {
            keep: self.keep.clone(),
            part: self.part.clone(),
            idle: self.idle.clone(),
            needs: self.needs(),
        }
    }

    /// What the rules of a subset need of the backup's own.
    pub(crate) fn needs(&self) -> Needs {
        let of_part = self.part.iter().flat_map(|part| &part.relations);
        Needs::of(&self.schema, of_part.chain(&self.idle))
    }
}
