//! The reset in several transactions, where one would take more locks than the server has.

use super::refusal::Refused;
use crate::error::Result;
use crate::postgres::Target;
use std::ops::Range;

/// Objects dropped, or statements run, per transaction when it is done in steps.
pub(super) const PER_STEP: usize = 100;

/// Work cut into transactions, into smaller ones while the lock table is too small even for these.
pub(super) struct Batches {
    all: usize,
    start: usize,
    end: usize,
    size: usize,
    attempt: u32,
}

impl Batches {
    pub(super) fn of(all: usize) -> Self {
        Self {
            all,
            start: 0,
            end: 0,
            size: PER_STEP,
            attempt: 0,
        }
    }

    /// What to do next.
    pub(super) fn next(&mut self) -> Option<Range<usize>> {
        self.end = self.all.min(self.start + self.size);
        (self.start < self.all).then_some(self.start..self.end)
    }

    /// Notes how it went. What failed for want of locks, or for a reason that passes, is next again.
    pub(super) async fn done(&mut self, target: &Target, outcome: Result<(), Refused>) -> Result<()> {
        match outcome {
            Ok(()) => {
                self.start = self.end;
                self.attempt = 0;
            }
            Err(refused) if refused.out_of_locks && self.end - self.start > 1 => {
                self.size = (self.end - self.start) / 2;
            }
            Err(refused) => {
                self.attempt += 1;
                if !refused.passing || !target.may_retry(self.attempt).await {
                    return Err(refused.error);
                }
            }
        }
        Ok(())
    }
}
