//! What was lately seen of values, by a keyed hash: a column of states, paths or words repeats itself, and looking once
//! is enough. No value is kept.

use super::tally::Seen;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};

/// A memory of what values showed, of a fixed size. Each thread has one for all its columns.
pub struct Recent {
    /// The key of the hashes, drawn anew for each memory.
    seed: u64,
    slots: Box<[(u64, Seen)]>,
}

impl Default for Recent {
    fn default() -> Self {
        Self::new()
    }
}

impl Recent {
    /// Longer values seldom repeat.
    pub(crate) const LONGEST: usize = 256;
    /// How many are remembered; a power of two. Together 32 KiB.
    const SLOTS: usize = 1024;

    /// Remembers nothing yet.
    pub fn new() -> Self {
        Self {
            // Zero marks an empty slot, so no hash is zero.
            slots: vec![(0, Seen::default()); Recent::SLOTS].into_boxed_slice(),
            seed: RandomState::new().build_hasher().finish() | 1,
        }
    }

    /// The hash of a value of columns that are alike. Two values share one by chance once in 2^64.
    pub(super) fn hash(&self, column: impl Hash, value: &[u8]) -> u64 {
        let mut hasher = Folding(self.seed);
        column.hash(&mut hasher);
        hasher.write(value);
        hasher.write_u64(value.len() as u64);
        hasher.0 | 1
    }

    /// What a value of this hash showed, if it is remembered.
    pub(super) fn get(&self, hash: u64) -> Option<Seen> {
        let (known, seen) = self.slots[slot(hash)];
        (known == hash).then_some(seen)
    }

    /// Remembers it, in the place of another.
    pub(super) fn put(&mut self, hash: u64, seen: Seen) {
        self.slots[slot(hash)] = (hash, seen);
    }
}

/// The lowest bit is always set, so it says nothing.
fn slot(hash: u64) -> usize {
    (hash >> 1) as usize % Recent::SLOTS
}

/// Eight bytes at a time, each folded in by a multiplication to 128 bits whose halves are joined.
struct Folding(u64);

impl Folding {
    fn fold(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * 0x9E37_79B9_7F4A_7C15;
        self.0 = product as u64 ^ (product >> 64) as u64;
    }
}

impl Hasher for Folding {
    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            let mut eight = [0; 8];
            eight.copy_from_slice(word);
            self.fold(u64::from_le_bytes(eight));
        }
        let mut rest = [0; 8];
        rest[..words.remainder().len()].copy_from_slice(words.remainder());
        self.fold(u64::from_le_bytes(rest));
    }

    fn write_u64(&mut self, number: u64) {
        self.fold(number);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn similar_values_have_different_hashes() {
        let recent = Recent::new();
        let values = (0..100_000).map(|number| format!("client.{number}@example.com"));
        let hashes: HashSet<u64> = values.map(|value| recent.hash(1u8, value.as_bytes())).collect();
        assert_eq!(hashes.len(), 100_000);
        let slots: HashSet<usize> = hashes.iter().map(|hash| slot(*hash)).collect();
        assert_eq!(slots.len(), Recent::SLOTS, "every place is used");
    }

    #[test]
    fn a_value_of_another_sort_of_column_is_another() {
        let recent = Recent::new();
        assert_ne!(recent.hash(1u8, b"x"), recent.hash(2u8, b"x"));
        assert_ne!(recent.hash(1u8, b"x"), recent.hash(1u8, b"x\0"));
        assert_ne!(
            recent.hash(1u8, b"x"),
            Recent::new().hash(1u8, b"x"),
            "another key"
        );
    }

    #[test]
    fn what_was_put_is_got_and_nothing_else() {
        let mut recent = Recent::new();
        let hash = recent.hash(1u8, b"x");
        assert!(recent.get(hash).is_none());
        recent.put(hash, Seen::default());
        assert!(recent.get(hash).is_some() && recent.get(recent.hash(1u8, b"y")).is_none());
    }
}
