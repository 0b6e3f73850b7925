//! Columns that could not be masked by themselves if their values turned out to be personal: a CHECK asks more than any mask
//! of the catalogue is known to meet. A run would find that out when its rows come.

use super::automatic::Shown;
use super::Personal;
use crate::alike::{Alike, Many};
use crate::notice::Notice;
use crate::settings::Policy;
use crate::text::Text;
use personal_data::{PiiKind, Status};

/// What values mostly turn out to be.
const LIKELY: [PiiKind; 3] = [PiiKind::Email, PiiKind::Phone, PiiKind::Name];

impl Personal {
    /// A warning on each, where the policy is to mask.
    pub(crate) fn unmeetable(&self) -> Vec<Text> {
        let mut found = Alike::default();
        if !self.scan || self.policy != Policy::Mask {
            return Vec::new();
        }
        let mut watches: Vec<_> = self.watches.iter().collect();
        watches.sort_by_key(|(load, _)| **load);
        for (_, watch) in watches {
            for column in &watch.columns {
                let open = column.standing.status == Status::Uncovered && column.blocked.is_none();
                let Some(check) = column.check().filter(|_| open) else {
                    continue;
                };
                let fits = |kind: &PiiKind| watch.automatic(column, *kind, Shown::SCRUBBED).is_some();
                if !LIKELY.iter().any(fits) {
                    let name = format!("{}.{}", column.home, column.name);
                    let check = check.to_owned();
                    found.add(name.clone(), Notice::NoMaskMeetsCheck { column: name, check });
                }
            }
        }
        found.into_warnings(|Many { count, names, more }| Notice::NoMaskMeetsChecks { count, names, more })
    }
}
