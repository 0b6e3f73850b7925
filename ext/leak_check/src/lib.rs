//! The leak check: did an original value of a masked column survive somewhere else?
//!
//! While rows pass, the keyed hash of every original that identifies a person goes into one set, and that of every
//! candidate in what is written to other columns into another, with its column. Where the two meet, an original
//! survived. One pass, every row, no value kept, a bound on memory.
//!
//! ```text
//! watch      the plan's word on each column: original, written, or of no interest
//! find       the candidates in a field, quickly
//! class      the kinds that are followed, and their keyed hash
//! punycode   hosts in punycode, as they are read
//! sets       both sets and where they meet, built on table (exact) and sketch (bounded, with an error rate)
//! verdict    what is certain, and what is possible
//! ```
//!
//! [`LeakCheck`] is one run's; a [`Watcher`] is one lane's worker on it.

mod class;
mod find;
mod punycode;
mod sets;
mod sketch;
mod table;
mod tally;
mod verdict;
mod watch;
mod watcher;

pub use class::Class;
pub use sets::Bounds;
pub use verdict::{Findings, Leak, Summary};
pub use watch::{ColumnPlace, LeakWatch, Remedy, Role, ScanMode, WatchedColumn, Watches};
pub use watcher::{LookTime, Watcher};

use class::Hasher;
use masking::RowMask;
use pg_dump_archive::DumpId;
use sets::Sets;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Originals whose digests are all computed; of those beyond, every second, then every fourth …
const ALL_DIGESTS: u64 = 16_384;

/// The leak check of one run.
#[derive(Debug)]
pub struct LeakCheck {
    hasher: Hasher,
    /// One lock for all sets, because what comes into one is looked for in the others at once. A watcher finds without it, and
    /// takes it once for all that it found in a piece of rows: a tenth of a percent of a run's CPU time (perf, while bench/run
    /// loads).
    sets: Mutex<Sets>,
    watches: HashMap<DumpId, Arc<LeakWatch>>,
    columns: Arc<[ColumnPlace]>,
    names: bool,
    /// Digests are computed of originals whose hash ends in so many zeros.
    digest_level: AtomicU32,
    /// Values of bytea columns that hold something else than text, by column.
    unscanned: Mutex<Vec<u64>>,
}

impl LeakCheck {
    /// A check of the columns in `watches`. `names`: full names are followed, too.
    pub fn new(watches: &Watches, names: bool, bounds: Bounds) -> Arc<Self> {
        Arc::new(Self {
            hasher: Hasher::new(),
            sets: Mutex::new(Sets::new(bounds, watches.columns.len())),
            watches: watches.loads.clone(),
            columns: Arc::clone(&watches.columns),
            names,
            digest_level: AtomicU32::new(0),
            unscanned: Mutex::new(vec![0; watches.columns.len()]),
        })
    }

    /// A worker on the rows of one data block under the mask that is in force; None where nothing is watched there.
    pub fn watcher(
        self: &Arc<Self>,
        load: DumpId,
        mask: Option<&RowMask>,
        moment: LookTime,
    ) -> Option<Watcher> {
        let watch = self.watches.get(&load)?.under(mask);
        Some(Watcher::new(Arc::clone(self), watch, moment))
    }

    /// What a data block's rows are to be read back for when all is done, if they are.
    pub fn reads_back(&self, load: DumpId) -> Option<LookTime> {
        let watch = self.watches.get(&load)?;
        let mut columns = watch.columns.iter();
        match watch.read_back {
            true => Some(LookTime::ReadBack),
            false => columns
                .any(|column| column.role == Role::MaskedLater)
                .then_some(LookTime::Kept),
        }
    }

    /// What was found. Called once, when everything has passed.
    pub fn findings(&self) -> Findings {
        verdict::findings(&mut self.sets(), &self.columns)
    }

    /// The columns of type bytea with values that are no text, and how many: those are not looked at.
    pub fn unscanned(&self) -> Vec<(&ColumnPlace, u64)> {
        let unscanned = self.unscanned.lock().unwrap_or_else(PoisonError::into_inner);
        let columns = self.columns.iter().zip(unscanned.iter().copied());
        columns.filter(|(_, count)| *count > 0).collect()
    }

    fn sets(&self) -> MutexGuard<'_, Sets> {
        self.sets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn digest_level(&self) -> u32 {
        self.digest_level.load(Ordering::Relaxed)
    }

    fn set_digest_level(&self, originals: u64) {
        let level = (originals / ALL_DIGESTS)
            .checked_ilog2()
            .map_or(0, |level| level + 1);
        self.digest_level.store(level, Ordering::Relaxed);
    }

    fn add_unscanned(&self, counts: &mut Vec<(u32, u64)>) {
        let mut unscanned = self.unscanned.lock().unwrap_or_else(PoisonError::into_inner);
        for (column, count) in counts.drain(..) {
            if let Some(sum) = unscanned.get_mut(column as usize) {
                *sum += count;
            }
        }
    }
}
