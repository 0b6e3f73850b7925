//! The whole schema, tried in the target where the caller asks for it.

use super::DryRun;
use crate::error::Result;
use crate::event::Sink;
use crate::notice::Notice;
use crate::phrase::Phrase;
use crate::plan::Plan;
use crate::postgres::{Target, Tried};
use crate::settings::Settings;
use crate::text::Text;

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
            Tried::NotTried(why) => self.warnings.push(Notice::SchemaUntried { why }.into()),
            Tried::Without(missing) => {
                for one in &missing {
                    let (object, why) = (format!("{} {}", one.kind, one.name), one.why.clone());
                    // The trial knows better than the catalogue, whose warning goes.
                    self.warnings.retain(|known| !foretells(known, &object));
                    self.warnings.push(Notice::WouldBeLeftOut { object, why }.into());
                }
                self.left_out.extend(missing);
            }
        }
    }
}

/// Whether a warning says that this object would be left out.
fn foretells(warning: &Text, object: &str) -> bool {
    let notice = warning.phrase().and_then(Phrase::downcast_ref);
    matches!(notice, Some(Notice::WouldBeLeftOut { object: known, .. }) if known == object)
}
