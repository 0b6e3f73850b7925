//! HMAC-SHA-256 of values that fit one block, which nearly all do.
//!
//! The hmac crate's hasher takes bytes as they come: it copies a state with a buffer for each value and asks itself how
//! full it is. Of a short value the two blocks are known beforehand, and a third of the time goes. The digest is the
//! same.

use sha2::block_api::compress256;

/// Bytes of a block of SHA-256.
const BLOCK: usize = 64;
/// What a block holds beside the bit that ends a message and the message's length.
const LONGEST: usize = BLOCK - 9;

/// The state before the first block (FIPS 180-4, 5.3.3).
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// The states behind the key's two blocks (RFC 2104, section 4).
#[derive(Clone)]
pub(super) struct ShortHmac {
    inner: [u32; 8],
    outer: [u32; 8],
}

impl ShortHmac {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let behind = |pad: u8| {
            let mut block = [pad; BLOCK];
            block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
            let mut state = INITIAL;
            compress256(&mut state, &[block]);
            state
        };
        Self {
            inner: behind(0x36),
            outer: behind(0x5c),
        }
    }

    /// The digest of a value; None when it is too long. `around` is bytes in which it may stand.
    #[inline]
    pub(super) fn digest(&self, value: &[u8], around: &[u8]) -> Option<[u8; 32]> {
        let block = block_of(value, around, |byte| byte)?;
        Some(self.digest_of_block(&block))
    }

    /// The digest of a value in lower case; None when it is too long or not all ASCII.
    #[inline]
    pub(super) fn digest_in_lower_case(&self, value: &[u8], around: &[u8]) -> Option<[u8; 32]> {
        if !value.is_ascii() {
            return None;
        }
        let block = block_of(value, around, |byte| byte.to_ascii_lowercase())?;
        Some(self.digest_of_block(&block))
    }

    /// The digest of a message that `block` ends.
    #[inline]
    fn digest_of_block(&self, block: &[u8; BLOCK]) -> [u8; 32] {
        let inner = last_block(self.inner, block);
        let mut block = OUTER;
        block[..inner.len()].copy_from_slice(&inner);
        last_block(self.outer, &block)
    }
}

/// The last block of a message whose first one is the key's, and whose rest is a value, each byte of it changed.
///
/// A processor that reads bytes soon after they were written in parts waits for them to reach its cache. So the block
/// is made in whole words, from 64 bytes that begin with the value, wherever so many stand behind it in `around`.
#[inline(always)]
fn block_of(value: &[u8], around: &[u8], change: impl Fn(u8) -> u8) -> Option<[u8; BLOCK]> {
    let ending = ENDINGS.get(value.len())?;
    let kept: &[u8; BLOCK] = KEPT[BLOCK - value.len()..].first_chunk()?;
    let mut copy = [0; BLOCK];
    let from = match beginning_with(value, around) {
        Some(chunk) => chunk,
        None => {
            copy[..value.len()].copy_from_slice(value);
            &copy
        }
    };
    let mut block = [0; BLOCK];
    for (at, byte) in block.iter_mut().enumerate() {
        *byte = change(from[at]) & kept[at] | ending[at];
    }
    Some(block)
}

/// The value and what stands behind it, if it stands in `around` and a block is left there.
#[inline(always)]
fn beginning_with<'a>(value: &[u8], around: &'a [u8]) -> Option<&'a [u8; BLOCK]> {
    let offset = value.as_ptr().addr().checked_sub(around.as_ptr().addr())?;
    around.get(offset..)?.first_chunk()
}

/// Ones for the bytes of a value, zeros behind them: the part that begins as many places before the middle.
const KEPT: [u8; 2 * BLOCK] = {
    let mut kept = [0; 2 * BLOCK];
    let mut at = 0;
    while at < BLOCK {
        kept[at] = 0xff;
        at += 1;
    }
    kept
};

/// What stands behind a value of so many bytes in its block, which ends a message of two blocks (FIPS 180-4, 5.1.1).
static ENDINGS: [[u8; BLOCK]; LONGEST + 1] = {
    let mut endings = [[0; BLOCK]; LONGEST + 1];
    let mut length = 0;
    while length <= LONGEST {
        endings[length] = ending(length);
        length += 1;
    }
    endings
};

/// The block of an inner digest, without it.
const OUTER: [u8; BLOCK] = ending(32);

const fn ending(length: usize) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    block[length] = 0x80;
    // A message of two blocks is shorter than 2^16 bits.
    let bits = (BLOCK + length) * 8;
    block[BLOCK - 2] = (bits >> 8) as u8;
    block[BLOCK - 1] = bits as u8;
    block
}

/// The digest of a message whose first block made `state`, and whose second and last one is `block`.
#[inline]
fn last_block(mut state: [u32; 8], block: &[u8; BLOCK]) -> [u8; 32] {
    compress256(&mut state, std::slice::from_ref(block));
    let mut digest = [0; 32];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::*;
    use hmac::{Hmac, KeyInit, Mac};
    use proptest::prelude::*;
    use sha2::Sha256;

    proptest! {
        #[test]
        fn a_digest_is_that_of_the_hmac_crate(
            key in any::<[u8; 32]>(),
            value in proptest::collection::vec(any::<u8>(), 0..=LONGEST + 3),
            before in proptest::collection::vec(any::<u8>(), 0..9),
            behind in proptest::collection::vec(any::<u8>(), 0..=BLOCK),
        ) {
            let mut block = [0; BLOCK];
            block[..key.len()].copy_from_slice(&key);
            let mut mac = Hmac::<Sha256>::new(&block.into());
            mac.update(&value);
            let expected: [u8; 32] = mac.finalize().into_bytes().into();
            let fits = value.len() <= LONGEST;
            let mac = ShortHmac::new(&key);
            prop_assert_eq!(mac.digest(&value, b""), fits.then_some(expected));
            let around = [&before[..], &value, &behind].concat();
            let inside = &around[before.len()..][..value.len()];
            prop_assert_eq!(mac.digest(inside, &around), fits.then_some(expected));
        }

        #[test]
        fn a_digest_in_lower_case_is_that_of_the_value_in_lower_case(value in "[ -~é]{0,60}") {
            let mac = ShortHmac::new(&[7; 32]);
            let is_taken = value.is_ascii() && value.len() <= LONGEST;
            let expected = mac.digest(value.to_ascii_lowercase().as_bytes(), b"");
            prop_assert_eq!(mac.digest_in_lower_case(value.as_bytes(), b""), expected.filter(|_| is_taken));
        }
    }
}
