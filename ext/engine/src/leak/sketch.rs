//! A set of hashes in a fixed number of bytes that may say yes to one it has not: a blocked Bloom filter.
//!
//! Own code rather than a crate's, because the error rate is a figure of the report: it is computed from the bits that
//! are set, block by block, and so is what it is and not what a formula hopes. It is kept with every addition. A block
//! is a cache line, so a question costs one access to memory (Putze, Sanders, Singler: "Cache-, Hash- and
//! Space-Efficient Bloom Filters", 2007), and each of its words holds one bit of a value, so that no bit waits for
//! another (Apache Parquet's "split block" filter, in its format's BloomFilter.md).

/// Words of 64 bits in a block, and bits set per value: six would be best for a full filter (ten bits per value), and
/// cost many times as many errors in one that is nearly empty.
const WORDS: usize = 8;

/// The filter.
pub(super) struct Sketch {
    blocks: Box<[[u64; WORDS]]>,
    /// How many bits of each block are set.
    set: Box<[u16]>,
    /// What a block with so many bits set says to a hash that was never added: the probability of a yes. Its words have
    /// about as many each.
    chances: Box<[f64]>,
    /// The sum of the blocks' chances.
    chance: f64,
}

impl Sketch {
    /// An empty filter of about so many bytes.
    pub(super) fn new(bytes: usize) -> Self {
        let blocks = (bytes / 64).max(1);
        let bits = WORDS * 64;
        let chances = (0..=bits).map(|set| (set as f64 / bits as f64).powi(WORDS as i32));
        Self {
            blocks: vec![[0; WORDS]; blocks].into_boxed_slice(),
            set: vec![0; blocks].into_boxed_slice(),
            chances: chances.collect(),
            chance: 0.0,
        }
    }

    /// Adds a hash. Returns whether the filter took it for known already.
    pub(super) fn insert(&mut self, hash: u64) -> bool {
        let place = self.block(hash);
        let block = &mut self.blocks[place];
        let mut new = 0;
        for (word, bit) in block.iter_mut().zip(bits(hash)) {
            new += u16::from(*word & bit == 0);
            *word |= bit;
        }
        let set = &mut self.set[place];
        self.chance -= self.chances[usize::from(*set)];
        *set += new;
        self.chance += self.chances[usize::from(*set)];
        new == 0
    }

    /// Fetches from memory what the hashes will need. Asked for one behind the other they wait for it in turn, each as
    /// long as a hundred instructions take; side by side they wait once.
    pub(super) fn fetch(&self, hashes: impl Iterator<Item = u64>) {
        let fetched = hashes.fold(0, |sum, hash| {
            let place = self.block(hash);
            sum ^ self.blocks[place][0] ^ u64::from(self.set[place])
        });
        std::hint::black_box(fetched);
    }

    /// Whether it may hold a hash. A yes is wrong with the probability [`Sketch::rate`], a no never.
    pub(super) fn may_hold(&self, hash: u64) -> bool {
        let block = &self.blocks[self.block(hash)];
        block.iter().zip(bits(hash)).all(|(word, bit)| word & bit != 0)
    }

    /// With what probability it says yes to a hash that was never added.
    pub(super) fn rate(&self) -> f64 {
        self.chance / self.blocks.len() as f64
    }

    /// The upper half of a mixed hash chooses the block.
    fn block(&self, hash: u64) -> usize {
        let high = mix(hash) >> 32;
        ((high * self.blocks.len() as u64) >> 32) as usize
    }
}

/// The bit of a hash in each word of its block: six bits of a further mixture for each.
fn bits(hash: u64) -> [u64; WORDS] {
    let mixture = mix(hash ^ 0x9e37_79b9_7f4a_7c15);
    std::array::from_fn(|word| 1 << (mixture >> (word * 6) & 63))
}

/// Spreads a hash's bits anew (the finalizer of SplitMix64, Steele et al. 2014).
pub(super) fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_rate_is_what_it_says() {
        let mut sketch = Sketch::new(64 * 1024);
        for number in 0..50_000u64 {
            sketch.insert(mix(number));
        }
        assert!(
            (0..50_000u64).all(|number| sketch.may_hold(mix(number))),
            "a no is never wrong"
        );
        let asked = 400_000;
        let wrong = (0..asked)
            .filter(|number| sketch.may_hold(mix(1 << 40 | number)))
            .count();
        let expected = sketch.rate() * asked as f64;
        let difference = (wrong as f64 - expected).abs();
        assert!(
            expected > 1_000.0 && difference < expected * 0.1,
            "{wrong} of {expected} expected"
        );
    }

    #[test]
    fn what_was_added_is_known() {
        let mut sketch = Sketch::new(1024);
        assert!(!sketch.may_hold(7) && !sketch.insert(7) && sketch.insert(7) && sketch.may_hold(7));
    }
}
