//! The whole schema, tried in the target where the caller asks for it.

use super::DryRun;
use crate::error::Result;
use crate::event::Sink;
use crate::plan::Plan;
use crate::postgres::{Target, Tried};
use crate::settings::Settings;

/// Tries the whole schema in the target, in a transaction that is rolled back.
pub(super) async fn try_schema(settings: &Settings, plan: &Plan, events: &Sink) -> Result<Tried> {
    let target = Target::open(&settings.target, events).await?;
    let tried = target.try_schema(plan).await;
    let closed = target.close().await;
    let tried = tried?;
    closed.map(|()| tried)
}

impl DryRun {
    /// Adds the outcome.
    pub(super) fn note_trial(&mut self, tried: Tried) {
        match tried {
            Tried::NotTried(why) => self
                .warnings
                .push(format!("The schema was not tried: {why}.").into()),
            Tried::Without(missing) => {
                for one in &missing {
                    // The trial knows better than the catalogue, whose warning goes.
                    let begins = format!("{} {} would be left out", one.kind, one.name);
                    self.warnings
                        .retain(|known| !known.to_string().starts_with(&begins));
                    self.warnings.push(format!("{begins}: {}.", one.why).into());
                }
                self.left_out.extend(missing);
            }
        }
    }
}
