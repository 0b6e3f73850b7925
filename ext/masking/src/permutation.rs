//! Keyed permutations without fixed points, of numbers and of strings over an alphabet: what keeps unique values
//! unique by construction.
//!
//! FF1 (NIST SP 800-38G) permutes a domain of a million values or more; a table shuffled under the key permutes a
//! small one. A permutation leaves some value as it is now and then, and a masked value must never be the raw one.
//! So a value goes one place further in an order that the key chooses: it is encrypted, one is added, and that is
//! decrypted. This is one long cycle, which visits every value before it comes back.

mod ff1;

use super::key::Function;
use ff1::Ff1;
use std::sync::OnceLock;

/// Domains up to this size are shuffled in a table: 128 KiB at most.
const TABLE: u128 = 1 << 15;

/// After so many runs a value is taken though its class is another one. A class is never so rare in practice, and
/// if it were, a unique index might fail; nothing would leak.
const MOST_RUNS: u32 = 1 << 18;

/// A keyed permutation of the numbers below `size`.
pub(super) struct Permutation {
    size: u128,
    kind: Method,
}

enum Method {
    Table {
        function: Box<Function>,
        next: OnceLock<Box<[u32]>>,
    },
    Ff1(Box<Ff1>),
}

impl std::fmt::Debug for Permutation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Permutation of {}", self.size)
    }
}

impl Permutation {
    /// A permutation of the numbers below `size`, which is at most 2^127. Each function and size has its own.
    pub(super) fn new(function: &Function, size: u128) -> Self {
        let size = size.clamp(1, 1 << 127);
        let mut parts = function.begin();
        parts.add(Some(b"permutation"));
        parts.add(Some(&size.to_be_bytes()));
        let key = parts.finish();
        let kind = if size > TABLE {
            Method::Ff1(Box::new(Ff1::new(&key, 128 - (size - 1).leading_zeros())))
        } else {
            Method::Table {
                function: Box::new(Function::from_key(&key)),
                next: OnceLock::new(),
            }
        };
        Self { size, kind }
    }

    /// Where `number` goes: the next number in the key's order that `accept` takes. Numbers of one class, among
    /// which `accept` takes all, are permuted among themselves. `tweak` chooses another order, where the domain is
    /// not a small one.
    pub(super) fn apply(&self, number: u128, tweak: &[u8], mut accept: impl FnMut(u128) -> bool) -> u128 {
        match &self.kind {
            Method::Table { function, next } => {
                let next = next.get_or_init(|| shuffled(function, self.size));
                let mut at = number;
                for _ in 0..=self.size {
                    at = usize::try_from(at)
                        .ok()
                        .and_then(|at| next.get(at))
                        .map_or(0, |next| u128::from(*next));
                    if accept(at) {
                        break;
                    }
                }
                at
            }
            Method::Ff1(cipher) => {
                let tweaked = cipher.tweaked(tweak);
                let mut place = cipher.encrypt(tweaked, number).wrapping_add(1);
                let mut found = 0;
                for _ in 0..MOST_RUNS {
                    for candidate in cipher.decrypt_run(tweaked, place) {
                        if candidate < self.size && accept(candidate) {
                            return candidate;
                        }
                        found = candidate;
                    }
                    place = place.wrapping_add(ff1::RUN as u128);
                }
                found % self.size
            }
        }
    }
}

/// Sattolo's shuffle: a single cycle, so that no number stays where it is.
fn shuffled(function: &Function, size: u128) -> Box<[u32]> {
    let size = u32::try_from(size).unwrap_or(0);
    let mut items: Vec<u32> = (0..size).collect();
    let mut block = [0u8; 32];
    for (round, last) in (1..items.len()).rev().enumerate() {
        let at = round % 4 * 8;
        if at == 0 {
            block = function.digest(&(round as u64).to_be_bytes());
        }
        let mut eight = [0; 8];
        eight.copy_from_slice(&block[at..at + 8]);
        let chosen = u64::from_be_bytes(eight) % last as u64;
        items.swap(last, chosen as usize);
    }
    items.into()
}

/// Keyed permutations of the strings over an alphabet, by their length.
#[derive(Debug)]
pub(super) struct Strings {
    radix: u8,
    function: Function,
    /// By length; a longer string is taken in blocks.
    by_length: Vec<OnceLock<Permutation>>,
}

impl Strings {
    /// For numerals below `radix`, which is from 2 to 64.
    pub(super) fn new(function: &Function, radix: u8) -> Self {
        let mut longest = 0;
        let mut size = 1u128;
        while let Some(next) = size
            .checked_mul(u128::from(radix))
            .filter(|next| *next <= 1 << 126)
        {
            size = next;
            longest += 1;
        }
        Self {
            radix,
            function: function.clone(),
            by_length: (0..=longest).map(|_| OnceLock::new()).collect(),
        }
    }

    fn permutation(&self, length: usize) -> &Permutation {
        self.by_length[length].get_or_init(|| {
            Permutation::new(
                &self.function,
                u128::from(self.radix).saturating_pow(length as u32),
            )
        })
    }

    /// Replaces the numerals by others of the same class, of which `accept` takes all. The blocks of a long string
    /// are chained, and `accept` sees the first alone.
    pub(super) fn apply(&self, numerals: &mut [u8], tweak: &[u8], mut accept: impl FnMut(&[u8]) -> bool) {
        let longest = self.by_length.len() - 1;
        let blocks = numerals.len().div_ceil(longest).max(1);
        let length = numerals.len().div_ceil(blocks).max(1);
        let mut chain = [0u8; 32];
        for (number, block) in numerals.chunks_mut(length).enumerate() {
            let tweak = if number == 0 { tweak } else { &chain[..8] };
            let permutation = self.permutation(block.len());
            let mut found = [0u8; 128];
            let found = &mut found[..block.len()];
            permutation.apply(self.number(block), tweak, |candidate| {
                self.write(candidate, found);
                number > 0 || accept(found)
            });
            block.copy_from_slice(found);
            if blocks > 1 {
                let mut parts = self.function.begin();
                parts.add(Some(&chain));
                parts.add(Some(block));
                chain = parts.finish();
            }
        }
    }

    fn number(&self, numerals: &[u8]) -> u128 {
        numerals.iter().fold(0, |number, numeral| {
            number * u128::from(self.radix) + u128::from(*numeral)
        })
    }

    fn write(&self, mut number: u128, numerals: &mut [u8]) {
        for numeral in numerals.iter_mut().rev() {
            *numeral = (number % u128::from(self.radix)) as u8;
            number /= u128::from(self.radix);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::key::Key;
    use super::*;
    use std::collections::HashSet;

    fn function() -> Function {
        Key::new(&"0123456789abcdef".into()).function("test")
    }

    #[test]
    fn every_number_goes_to_another_one_and_no_two_to_the_same() {
        for size in [2u128, 3, 10, 1000, 40_000] {
            let permutation = Permutation::new(&function(), size);
            let mut seen = HashSet::new();
            // Of the large one a part is enough, as FF1 is slow without optimisation.
            for number in 0..size.min(2000) {
                let found = permutation.apply(number, b"", |_| true);
                assert!(
                    found < size && found != number && seen.insert(found),
                    "{number} of {size}"
                );
            }
        }
    }

    #[test]
    fn a_class_is_permuted_within_itself() {
        let permutation = Permutation::new(&function(), 1000);
        let even: HashSet<u128> = (0..1000)
            .step_by(2)
            .map(|number| permutation.apply(number, b"", |found| found % 2 == 0))
            .collect();
        assert!(even.len() == 500 && even.iter().all(|number| number % 2 == 0));
    }

    #[test]
    fn long_strings_are_permuted_in_chained_blocks() {
        let strings = Strings::new(&function(), 10);
        let apply = |mut text: Vec<u8>| {
            strings.apply(&mut text, b"", |_| true);
            text
        };
        let one = apply(vec![1; 100]);
        let mut other = vec![1; 100];
        other[99] = 2;
        let other = apply(other);
        assert!(one != other && one != vec![1; 100] && one.iter().all(|digit| *digit < 10));
        assert_eq!(one, apply(vec![1; 100]));
        let mut first = vec![1; 100];
        first[0] = 2;
        assert_ne!(
            apply(first)[60..],
            one[60..],
            "each block depends on those before it"
        );
    }
}
