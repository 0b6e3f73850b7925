//! A set of hashes in a fixed number of bytes that may say yes to one it has not: a blocked Bloom filter.
//!
//! Own code rather than a crate's, because the error rate is a figure of the report: it is computed from the bits that
//! are set, block by block, and so is what it is and not what a formula hopes. It is kept with every addition. A block
//! is a cache line, so a question costs one access to memory (Putze, Sanders, Singler: "Cache-, Hash- and
//! Space-Efficient Bloom Filters", 2007), and each of its words holds a bit of every value, so that these do not wait
//! for one another (Apache Parquet's "split block" filter, in its format's BloomFilter.md).

/// Words of 64 bits in a block.
const WORDS: usize = 8;
/// Bits per value beside one in each word.
const MORE: usize = 2;
/// Bits set per value: six would be best for a full filter (ten bits per value), and cost fifty times as many errors in
/// one with a hundred; ten cost a third more in the full one.
const PROBES: usize = WORDS + MORE;

/// The filter.
pub(crate) struct Sketch {
    blocks: Box<[[u64; WORDS]]>,
    /// How many bits of each block are set.
    set: Box<[u16]>,
    /// What a block with so many bits set says to a hash that was never added: the probability of a yes.
    chances: Box<[f64]>,
    /// The sum of the blocks' chances.
    chance: f64,
}

impl Sketch {
    /// An empty filter of about so many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        let blocks = (bytes / 64).max(1);
        let bits = WORDS * 64;
        let chances = (0..=bits).map(|set| (set as f64 / bits as f64).powi(PROBES as i32));
        Self {
            blocks: vec![[0; WORDS]; blocks].into_boxed_slice(),
            set: vec![0; blocks].into_boxed_slice(),
            chances: chances.collect(),
            chance: 0.0,
        }
    }

    /// Adds a hash. Returns whether the filter took it for known already.
    pub(crate) fn insert(&mut self, hash: u64) -> bool {
        let Probes {
            block: place,
            bits,
            more,
        } = self.probes(hash);
        let block = &mut self.blocks[place];
        let mut new = 0;
        let mut set = |word: &mut u64, bit: u64| {
            new += u16::from(*word & bit == 0);
            *word |= bit;
        };
        for (word, bit) in block.iter_mut().zip(bits) {
            set(word, bit);
        }
        for (word, bit) in more {
            set(&mut block[word], bit);
        }
        let set = &mut self.set[place];
        self.chance -= self.chances[usize::from(*set)];
        *set += new;
        self.chance += self.chances[usize::from(*set)];
        new == 0
    }

    /// Fetches from memory what the hashes will need. Asked for one behind the other they wait for it in turn, each as
    /// long as a hundred instructions take; side by side they wait once.
    pub(crate) fn fetch(&self, hashes: impl Iterator<Item = u64>) {
        let fetched = hashes.fold(0, |sum, hash| {
            let place = self.place(mix(hash));
            sum ^ self.blocks[place][0] ^ u64::from(self.set[place])
        });
        std::hint::black_box(fetched);
    }

    /// Whether it may hold a hash. A yes is wrong with the probability [`Sketch::rate`], a no never.
    pub(crate) fn may_hold(&self, hash: u64) -> bool {
        let Probes { block, bits, more } = self.probes(hash);
        let block = &self.blocks[block];
        block.iter().zip(bits).all(|(word, bit)| word & bit != 0)
            && more.iter().all(|(word, bit)| block[*word] & bit != 0)
    }

    /// With what probability it says yes to a hash that was never added.
    pub(crate) fn rate(&self) -> f64 {
        self.chance / self.blocks.len() as f64
    }

    /// Where a hash's bits are.
    fn probes(&self, hash: u64) -> Probes {
        let first = mix(hash);
        let second = mix(hash ^ 0x9e37_79b9_7f4a_7c15);
        let more = [first & 511, first >> 9 & 511];
        Probes {
            block: self.place(first),
            bits: std::array::from_fn(|word| 1 << (second >> (word * 6) & 63)),
            more: more.map(|place| ((place >> 6) as usize, 1 << (place & 63))),
        }
    }

    /// The upper half of a mixture chooses the block.
    fn place(&self, mixture: u64) -> usize {
        (((mixture >> 32) * self.blocks.len() as u64) >> 32) as usize
    }
}

/// The bits of one hash.
struct Probes {
    block: usize,
    /// One in each word.
    bits: [u64; WORDS],
    /// Two more, each with its word.
    more: [(usize, u64); MORE],
}

/// Spreads a hash's bits anew (the finalizer of SplitMix64, Steele et al. 2014).
pub(crate) fn mix(mut hash: u64) -> u64 {
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
