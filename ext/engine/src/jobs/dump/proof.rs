//! What an archive is kept for, or not: what was found while it was written, and what it shows when it is read again.

use super::{blocking, Begun, Done, Dumping};
use crate::error::{Error, Kind, Result};
use crate::failure::{JobRemedy, LeakRemedy};
use crate::leak_report::{self, LeakReport};
use crate::plan::{personal, Plan};
use crate::sink::{self, Checked, Expected};
use crate::text::Text;
use std::fs::File;
use std::io::Seek;
use std::sync::Arc;

impl Dumping<'_> {
    /// What names and values say of personal data, and the leak check: refused, or said.
    pub(super) fn judge(&self, begun: &Begun, plan: &Plan) -> Result<LeakReport> {
        if let Some(error) = begun.detection.refusal_untouched() {
            return Err(error);
        }
        if let Some(warning) = personal::warning(&begun.detection.findings()) {
            self.events.warn(warning);
        }
        let found = leak_report::collect(plan, begun.leaks.as_ref(), None, &self.events);
        let strict = self.settings.masking.fail_on_verification_error;
        match found.failure().filter(|_| strict) {
            Some(failure) => Err(leak_report::refusal(failure, LeakRemedy::ArchiveNotKept)),
            None => {
                leak_report::warn(&found, &self.events);
                Ok(found)
            }
        }
    }

    /// Reads the archive again. Gives back what was written.
    pub(super) async fn check(&self, mut file: File, plan: Arc<Plan>, done: Done) -> Result<(Checked, Done)> {
        let (cancel, forms) = (self.cancel.clone(), self.settings.masking.verify);
        let checking = move || {
            file.rewind().map_err(|error| sink::unreadable(&error))?;
            let expected = Expected {
                plan: &plan,
                loads: &done.written.loads,
                large_objects: done.written.large_objects,
                forms,
            };
            let checked = sink::check(file, &expected, &cancel)?;
            Ok((checked, done))
        };
        blocking(&self.cancel, checking).await
    }

    pub(super) fn refuse_problems(&self, checked: &Checked) -> Result<()> {
        if checked.problems.is_empty() {
            return Ok(());
        }
        if self.settings.masking.fail_on_verification_error {
            return Err(Error::new(
                Kind::Verification,
                Text::joined(&checked.problems, " "),
                JobRemedy::ArchiveNotKept,
            ));
        }
        for problem in &checked.problems {
            self.events.warn(problem);
        }
        Ok(())
    }
}
