//! Open-addressing tables of 64-bit hashes, which grow eightfold up to a bound.
//!
//! The hashes are spread already, so their own bits are the place. Nothing but hashes, columns and counts is held.

/// Slots of a table that has just been made.
const FIRST: usize = 1 << 10;

/// How often larger a table becomes when it is full. What it leaves behind is too small for its next size, and an
/// allocator may not give it back: doubling would leave as much behind as the table has in the end.
const GROWTH: usize = 8;

/// Whether so many entries fill so many slots as far as they may.
fn is_full(entries: usize, slots: usize) -> bool {
    entries * 4 >= slots * 3
}

/// A set of hashes.
pub(crate) struct HashTable {
    /// 0: nothing. A hash of 0 is taken for 1.
    slots: Vec<u64>,
    len: usize,
    most: usize,
}

impl HashTable {
    /// An empty set that grows to at most so many slots, a power of two, of eight bytes.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            slots: vec![0; FIRST.min(most)],
            len: 0,
            most,
        }
    }

    /// Adds a hash. Returns whether it is new. It must not be full.
    pub(crate) fn insert(&mut self, hash: u64) -> bool {
        if is_full(self.len + 1, self.slots.len()) && self.slots.len() < self.most {
            let slots = (self.slots.len() * GROWTH).min(self.most);
            self.rebuild(slots, |_| true);
        }
        let hash = hash.max(1);
        let place = self.place(hash);
        let is_new = self.slots[place] == 0;
        if is_new {
            self.slots[place] = hash;
            self.len += 1;
        }
        is_new
    }

    pub(crate) fn contains(&self, hash: u64) -> bool {
        self.slots[self.place(hash.max(1))] != 0
    }

    /// Whether the next one would be beyond its bound.
    pub(crate) fn is_full(&self) -> bool {
        is_full(self.len + 1, self.most)
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        std::mem::size_of_val(&self.slots[..])
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.slots.iter().copied().filter(|slot| *slot != 0)
    }

    fn place(&self, hash: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while self.slots[at] != 0 && self.slots[at] != hash {
            at = (at + 1) & mask;
        }
        at
    }

    /// Drops what a condition does not keep.
    pub(crate) fn retain(&mut self, keep: impl Fn(u64) -> bool) {
        let slots = self.slots.len().min(self.most);
        self.rebuild(slots, keep);
    }

    /// Lowers the bound to so many slots, a power of two; what is dropped next must make room for it.
    pub(crate) fn lower(&mut self, most: usize) {
        self.most = self.most.min(most);
    }

    /// Whether so many entries leave a quarter of the room below the bound free.
    pub(crate) fn has_room_for(&self, entries: usize) -> bool {
        entries * 4 <= self.most / 4 * 3 * 3
    }

    fn rebuild(&mut self, slots: usize, keep: impl Fn(u64) -> bool) {
        let old = std::mem::replace(&mut self.slots, vec![0; slots]);
        self.len = 0;
        for hash in old.into_iter().filter(|slot| *slot != 0 && keep(*slot)) {
            let place = self.place(hash);
            self.slots[place] = hash;
            self.len += 1;
        }
    }
}

/// One value in one column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sighting {
    pub(crate) hash: u64,
    /// The place, as [`super::sets`] numbers them.
    pub(crate) place: u32,
    /// How often, at least once; 0: an empty slot. The highest bit: it is known to be an original.
    count: u32,
}

/// The bit of [`Sighting::count`] that marks an original.
const ORIGINAL: u32 = 1 << 31;

impl Sighting {
    pub(crate) fn count(&self) -> u64 {
        u64::from(self.count & !ORIGINAL)
    }

    pub(crate) fn is_original(&self) -> bool {
        self.count & ORIGINAL != 0
    }

    pub(crate) fn mark(&mut self) {
        self.count |= ORIGINAL;
    }
}

/// Counts of values by column.
pub(crate) struct SightingTable {
    slots: Vec<Sighting>,
    len: usize,
    most: usize,
}

impl SightingTable {
    /// An empty one that grows to at most so many slots, a power of two, of sixteen bytes.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            slots: vec![Sighting::default(); FIRST.min(most)],
            len: 0,
            most,
        }
    }

    /// Counts a value in a column. Returns whether it is new there. It must not be full.
    pub(crate) fn count(&mut self, hash: u64, place: u32) -> bool {
        if is_full(self.len + 1, self.slots.len()) && self.slots.len() < self.most {
            let slots = (self.slots.len() * GROWTH).min(self.most);
            self.rebuild(slots, |_| true);
        }
        let at = self.slot(hash, place);
        let slot = &mut self.slots[at];
        let is_new = slot.count == 0;
        if is_new {
            *slot = Sighting {
                hash,
                place,
                count: 1,
            };
            self.len += 1;
        } else if slot.count & !ORIGINAL < ORIGINAL - 1 {
            slot.count += 1;
        }
        is_new
    }

    pub(crate) fn is_full(&self) -> bool {
        is_full(self.len + 1, self.most)
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        std::mem::size_of_val(&self.slots[..])
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Sighting> {
        self.slots.iter().filter(|slot| slot.count != 0)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Sighting> {
        self.slots.iter_mut().filter(|slot| slot.count != 0)
    }

    /// Drops what a condition does not keep.
    pub(crate) fn retain(&mut self, keep: impl Fn(&Sighting) -> bool) {
        let slots = self.slots.len().min(self.most);
        self.rebuild(slots, keep);
    }

    /// Lowers the bound to so many slots, a power of two; what is dropped next must make room for it.
    pub(crate) fn lower(&mut self, most: usize) {
        self.most = self.most.min(most);
    }

    /// Whether so many entries leave a quarter of the room below the bound free.
    pub(crate) fn has_room_for(&self, entries: usize) -> bool {
        entries * 4 <= self.most / 4 * 3 * 3
    }

    fn rebuild(&mut self, slots: usize, keep: impl Fn(&Sighting) -> bool) {
        let old = std::mem::replace(&mut self.slots, vec![Sighting::default(); slots]);
        self.len = 0;
        for sighting in old.into_iter().filter(|slot| slot.count != 0 && keep(slot)) {
            let at = self.slot(sighting.hash, sighting.place);
            self.slots[at] = sighting;
            self.len += 1;
        }
    }

    fn slot(&self, hash: u64, place: u32) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = in_place(hash, place) as usize & mask;
        while self.slots[at].count != 0 && (self.slots[at].hash, self.slots[at].place) != (hash, place) {
            at = (at + 1) & mask;
        }
        at
    }
}

/// One hash of a value and a column.
pub(crate) fn in_place(hash: u64, place: u32) -> u64 {
    super::sketch::mix(hash ^ u64::from(place + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sketch::mix;

    #[test]
    fn a_set_holds_what_was_added_while_it_grows_and_knows_when_it_is_full() {
        let mut table = HashTable::new(1 << 12);
        let mut added = 0;
        while !table.is_full() {
            assert!(table.insert(mix(added)));
            added += 1;
        }
        assert_eq!(added, (3 << 10) - 1, "three quarters of its slots");
        assert!((0..added).all(|number| table.contains(mix(number))) && !table.contains(mix(added)));
        assert_eq!(table.iter().count(), table.len());
        assert!(!table.insert(mix(0)));
    }

    #[test]
    fn a_value_is_counted_by_column() {
        let mut table = SightingTable::new(1 << 12);
        for number in 0..1_000 {
            assert!(
                table.count(mix(number), 1) && table.count(mix(number), 2) && !table.count(mix(number), 2)
            );
        }
        assert_eq!(
            table
                .iter()
                .filter(|one| one.place == 2 && one.count() == 2)
                .count(),
            1_000
        );
        table.retain(|one| one.place == 1);
        assert_eq!(table.iter().count(), 1_000);
    }
}
