//! The two sets of a run, originals and sightings, and where they meet.
//!
//! Both are exact up to a bound. Past it two things take over, each for what the other cannot do. A *sample* stays
//! exact: only hashes that begin with enough zeros are kept, on both sides the same, so that a value in both samples is
//! proven, and a leak of many values is found with certainty. And every hash goes into a *sketch* ([`Sketch`]), which
//! misses nothing: what is added to one side is looked for in the other side's sketch at once, in either order.
//! What only a sketch says is possible; the number of those to expect by chance is the sum of the sketch's error rates
//! over the questions asked.
//!
//! Digests have sets of their own, because they are many per original: past a bound only the sample is kept.

use crate::class::Class;
use crate::sketch::Sketch;
use crate::table::{in_place, HashTable, Sighting, SightingTable};
use crate::tally::{place, Tallies};

/// How many hashes a sketch is asked about together.
const TOGETHER: usize = 64;

/// How much memory the sets may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Slots of eight bytes for originals; a power of two, three quarters of which are used.
    pub originals: usize,
    /// Slots of sixteen bytes for sightings.
    pub sightings: usize,
    /// What part of those slots a sample has, a power of two: past its bound a set needs no more to prove a leak of
    /// many values, and the sketch beside it takes memory, too.
    pub sample: usize,
    /// Bytes of each sketch.
    pub sketch: usize,
    /// Slots of eight bytes for digests of originals; half as many bytes go to sightings of digests, and as many to
    /// originals that rules in SQL keep.
    pub digests: usize,
}

impl Default for Bounds {
    /// 4 MiB each for originals and sightings, or, past those, 1 MiB each for a sample and 6 MiB for a sketch, and
    /// 2.5 MiB for digests and what is kept: 16.5 MiB, and 4 more while a sample is made. Exact for 393 000 originals
    /// and 196 000 values elsewhere; a sketch of a million values errs about four times in ten million questions, one
    /// of two million in 100 000, and one of five million once in eighty.
    fn default() -> Self {
        Self {
            originals: 1 << 19,
            sightings: 1 << 18,
            sample: 4,
            sketch: 6 << 20,
            digests: 1 << 17,
        }
    }
}

/// A sample's share: a hash takes part when it begins with so many zeros. All do at 0, half of them at 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Share(u32);

impl Share {
    fn holds(self, hash: u64) -> bool {
        hash.leading_zeros() >= self.0
    }

    fn halved(self) -> Self {
        Self(self.0 + 1)
    }

    /// The largest smaller share that fits. `hashes`: all that take part now.
    fn fitting<I: Iterator<Item = u64>>(self, hashes: impl Fn() -> I, fits: impl Fn(usize) -> bool) -> Self {
        let mut share = self.halved();
        while !fits(hashes().filter(|hash| share.holds(*hash)).count()) {
            share = share.halved();
        }
        share
    }
}

/// The sets of a run.
pub(crate) struct Sets {
    bounds: Bounds,
    originals: HashTable,
    originals_share: Share,
    /// Every original, once the table is a sample.
    originals_sketch: Option<Sketch>,
    sightings: SightingTable,
    sightings_share: Share,
    /// Every sighting, once the table is a sample.
    sightings_sketch: Option<Sketch>,
    digests: HashTable,
    digest_sightings: SightingTable,
    digest_share: Share,
    /// Originals, and digests of them, that rules in SQL have left in their own columns: those are meant to be there.
    kept: HashTable,
    /// Not all of them are in it.
    kept_beyond: bool,
    /// Different originals by class.
    counts: [u64; Class::COUNT],
    /// By place, which is a column and a class.
    tallies: Tallies,
}

impl std::fmt::Debug for Sets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sets")
    }
}

impl Sets {
    pub(crate) fn new(bounds: Bounds, columns: usize) -> Self {
        Self {
            originals: HashTable::new(bounds.originals),
            originals_share: Share::default(),
            originals_sketch: None,
            sightings: SightingTable::new(bounds.sightings),
            sightings_share: Share::default(),
            sightings_sketch: None,
            digests: HashTable::new(bounds.digests),
            digest_sightings: SightingTable::new(bounds.digests / 4),
            digest_share: Share::default(),
            kept: HashTable::new(bounds.digests),
            kept_beyond: false,
            counts: [0; Class::COUNT],
            tallies: Tallies::new(columns),
            bounds,
        }
    }

    /// Adds originals.
    pub(crate) fn originals_found(&mut self, found: &[(Class, u64)]) {
        for some in found.chunks(TOGETHER) {
            if let Some(sketch) = &self.originals_sketch {
                sketch.fetch(some.iter().map(|(_, hash)| *hash));
            }
            for (class, hash) in some {
                self.original(*class, *hash);
            }
        }
    }

    /// Adds an original.
    fn original(&mut self, class: Class, hash: u64) {
        if self.originals.is_full() {
            self.thin_originals();
        }
        let was_known = self
            .originals_sketch
            .as_mut()
            .is_some_and(|sketch| sketch.insert(hash));
        let is_new = match self.originals_share.holds(hash) {
            true => self.originals.insert(hash),
            false => !was_known,
        };
        if !is_new {
            return;
        }
        self.counts[class.index()] += 1;
        let Some(sketch) = &self.sightings_sketch else {
            return;
        };
        // There are few.
        for (place, tally) in self.tallies.seen_of(class) {
            tally.expected += sketch.rate();
            tally.possible += u64::from(sketch.may_hold(in_place(hash, place)));
        }
    }

    /// Adds the digest of an original.
    pub(crate) fn digest(&mut self, hash: u64) {
        if self.digests.is_full() {
            self.thin_digests();
        }
        if self.digest_share.holds(hash) && self.digests.insert(hash) {
            self.counts[Class::Digest.index()] += 1;
        }
    }

    /// Notes, when everything has passed, that a value still stands in its own column. `digests`: also those of it.
    pub(crate) fn kept(&mut self, hash: u64, digests: &[u64]) {
        let is_original = match self.originals_share.holds(hash) {
            true => self.originals.contains(hash),
            false => (self.originals_sketch.as_ref()).is_some_and(|sketch| sketch.may_hold(hash)),
        };
        if !is_original {
            return;
        }
        for hash in std::iter::once(hash).chain(digests.iter().copied()) {
            if self.kept.is_full() {
                self.kept_beyond = true;
                return;
            }
            self.kept.insert(hash);
        }
    }

    /// Counts a candidate in a column.
    pub(crate) fn sighting(&mut self, column: u32, class: Class, hash: u64) {
        let place = place(column, class);
        self.tallies.count(place).seen += 1;
        if class == Class::Digest {
            if self.digest_sightings.is_full() {
                self.thin_digests();
            }
            if self.digest_share.holds(hash) {
                self.digest_sightings.count(hash, place);
            }
            return;
        }
        if self.sightings.is_full() {
            self.thin_sightings();
        }
        let is_sampled = self.sightings_share.holds(hash);
        let is_new = is_sampled && self.sightings.count(hash, place);
        let tally = self.tallies.count(place);
        let Some(sketch) = &mut self.sightings_sketch else {
            tally.distinct += u64::from(is_new);
            return;
        };
        let is_new = !sketch.insert(in_place(hash, place));
        tally.distinct += u64::from(is_new);
        if self.originals_share.holds(hash) {
            let is_original = self.originals.contains(hash);
            tally.possible += u64::from(is_original);
            // One that is in the sample is counted at the end.
            if is_original && !is_sampled {
                tally.certain += 1;
                tally.values += u64::from(is_new);
            }
        } else if let Some(originals) = &self.originals_sketch {
            tally.expected += originals.rate();
            tally.possible += u64::from(originals.may_hold(hash));
        }
    }

    /// Compares what has not been compared as it came.
    pub(crate) fn finish(&mut self) {
        // What was reported as it came may be among what is kept.
        if self.sightings_sketch.is_some() && self.kept.iter().next().is_some() {
            self.doubt();
        }
        let sightings = std::mem::replace(&mut self.sightings, SightingTable::new(1));
        for one in sightings.iter().filter(|one| !self.kept.contains(one.hash)) {
            let tally = self.tallies.count(one.place);
            if one.is_original() || self.originals.contains(one.hash) {
                tally.certain += one.count();
                tally.values += 1;
            } else if let (None, Some(sketch)) = (&self.sightings_sketch, &self.originals_sketch) {
                if !self.originals_share.holds(one.hash) {
                    tally.expected += sketch.rate() * one.count() as f64;
                    tally.possible += u64::from(sketch.may_hold(one.hash)) * one.count();
                }
            }
        }
        let digests = std::mem::replace(&mut self.digest_sightings, SightingTable::new(1));
        let is_leak = |one: &&Sighting| self.digests.contains(one.hash) && !self.kept.contains(one.hash);
        for one in digests.iter().filter(is_leak) {
            let tally = self.tallies.count(one.place);
            tally.certain += one.count();
            tally.values += 1;
        }
        if self.kept_beyond {
            self.doubt();
        }
    }

    /// What is known of every place.
    pub(crate) fn tallies(&self) -> &Tallies {
        &self.tallies
    }

    /// Makes everything that is certain possible only.
    fn doubt(&mut self) {
        for tally in self.tallies.all_mut() {
            tally.possible = tally.possible.max(tally.certain);
            (tally.certain, tally.values) = (0, 0);
        }
    }

    /// How many different originals of a class there are, as far as known.
    pub(crate) fn originals(&self, class: Class) -> u64 {
        self.counts[class.index()]
    }

    /// Whether every digest took part.
    pub(crate) fn has_all_digests(&self) -> bool {
        self.digest_share == Share::default()
    }

    /// The sketches' error rate, where there are any.
    pub(crate) fn rate(&self) -> Option<f64> {
        let sketches = [&self.originals_sketch, &self.sightings_sketch];
        sketches.into_iter().flatten().map(Sketch::rate).reduce(f64::max)
    }

    /// Halves the share of digests that take part.
    fn thin_digests(&mut self) {
        let share = self.digest_share.halved();
        self.digest_share = share;
        self.digests.retain(|hash| share.holds(hash));
        self.digest_sightings.retain(|one| share.holds(one.hash));
    }

    /// Makes the sample of originals smaller. Sightings of those that leave it keep the mark of it.
    fn thin_originals(&mut self) {
        if self.originals_sketch.is_none() {
            let mut sketch = Sketch::new(self.bounds.sketch);
            self.originals.iter().for_each(|hash| {
                sketch.insert(hash);
            });
            self.originals_sketch = Some(sketch);
            self.originals.lower(self.bounds.originals / self.bounds.sample);
        }
        let fits = |entries| self.originals.has_room_for(entries);
        let share = self.originals_share.fitting(|| self.originals.iter(), fits);
        for one in self.sightings.iter_mut() {
            if !share.holds(one.hash) && self.originals.contains(one.hash) {
                one.mark();
            }
        }
        self.originals_share = share;
        self.originals.retain(|hash| share.holds(hash));
    }

    /// Makes the sample of sightings smaller. Those that leave it and are known to be originals are reported first.
    fn thin_sightings(&mut self) {
        if self.sightings_sketch.is_none() {
            let mut sketch = Sketch::new(self.bounds.sketch);
            for one in self.sightings.iter() {
                sketch.insert(in_place(one.hash, one.place));
                let tally = self.tallies.count(one.place);
                if one.is_original() || self.originals.contains(one.hash) {
                    tally.possible += one.count();
                } else if let Some(originals) = self
                    .originals_sketch
                    .as_ref()
                    .filter(|_| !self.originals_share.holds(one.hash))
                {
                    tally.expected += originals.rate() * one.count() as f64;
                    tally.possible += u64::from(originals.may_hold(one.hash)) * one.count();
                }
            }
            self.sightings_sketch = Some(sketch);
            self.sightings.lower(self.bounds.sightings / self.bounds.sample);
        }
        let hashes = || self.sightings.iter().map(|one| one.hash);
        let share = self
            .sightings_share
            .fitting(hashes, |entries| self.sightings.has_room_for(entries));
        for one in self.sightings.iter().filter(|one| !share.holds(one.hash)) {
            if one.is_original() || self.originals.contains(one.hash) {
                let tally = self.tallies.count(one.place);
                tally.certain += one.count();
                tally.values += 1;
            }
        }
        self.sightings_share = share;
        self.sightings.retain(|one| share.holds(one.hash));
    }
}

#[cfg(test)]
mod tests;
