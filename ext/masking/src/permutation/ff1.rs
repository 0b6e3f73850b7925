//! FF1 (NIST SP 800-38G) over strings of bits: a keyed permutation of the numbers below a power of two.
//!
//! The crate `fpe` makes a cipher, its state and a buffer anew in each of the ten rounds, which was a third of what a masked
//! archive costs. Over at most 127 bits a round is one block of AES and an addition. The tests compare the two.

use aes::cipher::consts::U16;
use aes::cipher::inout::InOutBuf;
use aes::cipher::{BlockBackend, BlockClosure, BlockEncrypt, BlockSizeUser, KeyInit};
use aes::Aes256Enc;

/// FF1's least domain is a million, which is 20 bits.
pub(super) const LEAST_BITS: u32 = 20;

/// Each half of a number has at most 64 bits.
pub(super) const MOST_BITS: u32 = 127;

/// How many numbers are decrypted at once: a processor works on several blocks in the time of one, and of so many one is nearly
/// always what is looked for.
pub(super) const RUN: usize = 4;

const ROUNDS: u32 = 10;

type Block = aes::Block;

/// A number's two halves.
type Halves = (u64, u64);

/// FF1 under one key, of numbers of one length.
pub(super) struct Ff1 {
    cipher: Aes256Enc,
    bits: u32,
    /// How many bits the first half has, which is FF1's `u`.
    first: u32,
    /// How many the second has, which is its `v`.
    second: u32,
}

/// What all rounds under one tweak have in common: the state of FF1's function before its last block, and the part of that
/// block that does not change.
#[derive(Clone, Copy)]
pub(super) struct Tweaked(u128);

impl Ff1 {
    /// For numbers of `bits` bits, from [`LEAST_BITS`] to [`MOST_BITS`]; others become the nearest of these.
    pub(super) fn new(key: &[u8; 32], bits: u32) -> Self {
        let bits = bits.clamp(LEAST_BITS, MOST_BITS);
        Self {
            cipher: Aes256Enc::new(key.into()),
            bits,
            first: bits / 2,
            second: bits - bits / 2,
        }
    }

    /// Another permutation for each `tweak`.
    pub(super) fn tweaked(&self, tweak: &[u8]) -> Tweaked {
        // The last block ends in the round's number and a half; zeros fill it up to them, before which the tweak stands.
        let end = 1 + self.half_bytes();
        let blocks = (tweak.len() + end).div_ceil(16);
        let block = |number: usize| {
            let part = tweak.get(number * 16..).unwrap_or_default();
            let mut block = [0; 16];
            for (to, from) in block.iter_mut().zip(part) {
                *to = *from;
            }
            u128::from_be_bytes(block)
        };
        let state = (0..blocks - 1).fold(self.encrypted(self.parameters(tweak.len())), |state, number| {
            self.encrypted(state ^ block(number))
        });
        Tweaked(state ^ block(blocks - 1))
    }

    /// Where the permutation takes `number`.
    pub(super) fn encrypt(&self, tweaked: Tweaked, number: u128) -> u128 {
        let mut halves = self.halves(number);
        self.cipher.encrypt_with_backend(Forwards {
            ff1: self,
            tweaked,
            halves: &mut halves,
        });
        self.number(halves)
    }

    /// Which numbers the permutation takes to `first` and to those after it; behind the last comes 0.
    pub(super) fn decrypt_run(&self, tweaked: Tweaked, first: u128) -> [u128; RUN] {
        let mut run = std::array::from_fn(|at| self.halves(first.wrapping_add(at as u128)));
        self.cipher.encrypt_with_backend(Backwards {
            ff1: self,
            tweaked,
            run: &mut run,
        });
        run.map(|halves| self.number(halves))
    }

    /// FF1's block `P`, for radix 2 and a tweak of so many bytes.
    fn parameters(&self, tweak: usize) -> u128 {
        let mut block = [1, 2, 1, 0, 0, 2, 10, self.first as u8, 0, 0, 0, 0, 0, 0, 0, 0];
        block[8..12].copy_from_slice(&self.bits.to_be_bytes());
        block[12..].copy_from_slice(&(tweak as u32).to_be_bytes());
        u128::from_be_bytes(block)
    }

    /// The last block that FF1's function takes in a round.
    fn block(&self, tweaked: Tweaked, round: u32, half: u64) -> Block {
        let changing = u128::from(round) << (8 * self.half_bytes()) | u128::from(half);
        (tweaked.0 ^ changing).to_be_bytes().into()
    }

    /// FF1's `y` of an encrypted block, as far as a half holds it: modulo a power of two the upper bits do not count.
    fn last_bits(&self, block: Block) -> u64 {
        let block = u128::from_be_bytes(block.into());
        // A round uses the block's first eight bytes, or twelve where a half has more than four.
        let used = if self.half_bytes() > 4 {
            block >> 32
        } else {
            block >> 64
        };
        used as u64
    }

    /// FF1's `b`: how many bytes hold the longer half.
    fn half_bytes(&self) -> usize {
        self.second.div_ceil(8) as usize
    }

    /// The bits of the half that a round changes.
    fn mask(&self, round: u32) -> u64 {
        let bits = if round.is_multiple_of(2) {
            self.first
        } else {
            self.second
        };
        u64::MAX >> (64 - bits)
    }

    fn halves(&self, number: u128) -> Halves {
        let first = (number >> self.second) as u64 & self.mask(0);
        (first, number as u64 & self.mask(1))
    }

    fn number(&self, (first, second): Halves) -> u128 {
        u128::from(first) << self.second | u128::from(second)
    }

    fn encrypted(&self, block: u128) -> u128 {
        let mut block = block.to_be_bytes().into();
        self.cipher.encrypt_block(&mut block);
        u128::from_be_bytes(block.into())
    }
}

// All ten rounds are one call of the cipher's backend: a call for each block would keep neither the key nor the block in
// registers, which costs a quarter more.

/// Encrypts one number.
struct Forwards<'a> {
    ff1: &'a Ff1,
    tweaked: Tweaked,
    halves: &'a mut Halves,
}

impl BlockSizeUser for Forwards<'_> {
    type BlockSize = U16;
}

impl BlockClosure for Forwards<'_> {
    #[inline(always)]
    fn call<B: BlockBackend<BlockSize = U16>>(self, backend: &mut B) {
        let Self { ff1, tweaked, halves } = self;
        let (mut a, mut b) = *halves;
        for round in 0..ROUNDS {
            let mut block = ff1.block(tweaked, round, b);
            backend.proc_block((&mut block).into());
            let c = a.wrapping_add(ff1.last_bits(block)) & ff1.mask(round);
            a = b;
            b = c;
        }
        *halves = (a, b);
    }
}

/// Decrypts a run of numbers side by side.
struct Backwards<'a> {
    ff1: &'a Ff1,
    tweaked: Tweaked,
    run: &'a mut [Halves; RUN],
}

impl BlockSizeUser for Backwards<'_> {
    type BlockSize = U16;
}

impl BlockClosure for Backwards<'_> {
    #[inline(always)]
    fn call<B: BlockBackend<BlockSize = U16>>(self, backend: &mut B) {
        let Self { ff1, tweaked, run } = self;
        for round in (0..ROUNDS).rev() {
            let mut blocks = run.map(|(a, _)| ff1.block(tweaked, round, a));
            let (whole, rest) = InOutBuf::from(blocks.as_mut_slice()).into_chunks::<B::ParBlocksSize>();
            for blocks in whole {
                backend.proc_par_blocks(blocks);
            }
            backend.proc_tail_blocks(rest);
            for ((a, b), block) in run.iter_mut().zip(blocks) {
                let c = b.wrapping_sub(ff1.last_bits(block)) & ff1.mask(round);
                *b = *a;
                *a = c;
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use aes::Aes256;
    use fpe::ff1::{FlexibleNumeralString, FF1};
    use proptest::prelude::*;

    /// What the crate `fpe` makes of it.
    fn expected(key: &[u8; 32], tweak: &[u8], number: u128, bits: u32) -> u128 {
        let digits: Vec<u16> = (0..bits).rev().map(|at| (number >> at & 1) as u16).collect();
        let encrypted: Vec<u16> = FF1::<Aes256>::new(key, 2)
            .unwrap()
            .encrypt(tweak, &FlexibleNumeralString::from(digits))
            .unwrap()
            .into();
        encrypted
            .into_iter()
            .fold(0, |number, bit| number << 1 | u128::from(bit))
    }

    proptest! {
        #[test]
        fn numbers_are_encrypted_as_the_crate_fpe_encrypts_strings_of_bits(
            key: [u8; 32],
            tweak in proptest::collection::vec(any::<u8>(), 0..70),
            number: u128,
            bits in LEAST_BITS..=MOST_BITS,
        ) {
            let number = number & (u128::MAX >> (128 - bits));
            let cipher = Ff1::new(&key, bits);
            let tweaked = cipher.tweaked(&tweak);
            let encrypted = cipher.encrypt(tweaked, number);
            prop_assert_eq!(encrypted, expected(&key, &tweak, number, bits));
            prop_assert_eq!(cipher.decrypt_run(tweaked, encrypted)[0], number);
            let run = cipher.decrypt_run(tweaked, encrypted.wrapping_sub(2));
            prop_assert_eq!(run[2], number);
        }
    }
}
