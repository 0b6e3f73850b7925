//! The key under which pseudonyms are made, and the keyed functions that make them.
//!
//! Each kind of pseudonym has a key of its own, derived from the secret by HMAC, so that the digits of a phone
//! number say nothing about those of an e-mail address.

mod short;

use super::equal::Fold;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use short::ShortHmac;

/// The caller's secret, as a key.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

impl Key {
    /// The key for a secret of any length (RFC 2104).
    pub fn new(secret: &SecretString) -> Self {
        Self(keyed(secret.expose_secret().as_bytes()))
    }

    /// The keyed function for one kind of pseudonym, such as `email`.
    pub fn function(&self, kind: &str) -> Function {
        let mut mac = self.0.clone();
        mac.update(b"scalingo-staging-sync/");
        mac.update(kind.as_bytes());
        Function::from_key(&mac.finalize().into_bytes().into())
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

/// HMAC-SHA-256 under one kind's key. Its keyed state is computed once and copied for each value.
#[derive(Clone)]
pub struct Function {
    mac: Hmac<Sha256>,
    short: ShortHmac,
}

impl Function {
    /// The function for a key that was derived from another one.
    pub(super) fn from_key(key: &[u8; 32]) -> Self {
        Self {
            mac: keyed(key),
            short: ShortHmac::new(key),
        }
    }

    /// The keyed digest of one value.
    pub fn digest(&self, value: &[u8]) -> [u8; 32] {
        self.digest_within(value, value)
    }

    /// As [`Function::digest`], of a value that stands in `around`, which is faster the more stands behind it there.
    pub(super) fn digest_within(&self, value: &[u8], around: &[u8]) -> [u8; 32] {
        self.short.digest(value, around).unwrap_or_else(|| {
            let mut mac = self.mac.clone();
            mac.update(value);
            mac.finalize().into_bytes().into()
        })
    }

    /// The keyed digest of one value or, if case or more does not count, of what stands for all that are then the same.
    /// `scratch` is for that. It is fastest for a value that stands in `around`.
    pub(super) fn digest_of(
        &self,
        value: &[u8],
        around: &[u8],
        fold: Fold,
        scratch: &mut Vec<u8>,
    ) -> [u8; 32] {
        if fold.is_plain(value) {
            return self.digest_within(value, around);
        }
        self.short.digest_in_lower_case(value, around).unwrap_or_else(|| {
            fold.apply(value, scratch);
            self.digest(scratch)
        })
    }

    /// Begins a digest of several parts.
    pub(crate) fn begin(&self) -> Parts {
        Parts(self.mac.clone())
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Function")
    }
}

/// A digest of several parts, each with its length, so that ("ab", "c") is not ("a", "bc").
pub(crate) struct Parts(Hmac<Sha256>);

impl Parts {
    /// Adds a part; None is NULL.
    pub(crate) fn add(&mut self, part: Option<&[u8]>) {
        match part {
            Some(bytes) => {
                self.0.update(&(bytes.len() as u64).to_be_bytes());
                self.0.update(bytes);
            }
            None => self.0.update(&u64::MAX.to_be_bytes()),
        }
    }

    /// The keyed digest of all parts.
    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into_bytes().into()
    }
}

/// The keyed state for a secret of any length: padded to a block, or hashed when longer than one (RFC 2104).
fn keyed(secret: &[u8]) -> Hmac<Sha256> {
    let mut block = [0u8; 64];
    if secret.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::digest(secret));
    } else {
        block[..secret.len()].copy_from_slice(secret);
    }
    Hmac::new(&block.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keyed_function_is_hmac_sha_256_of_a_key_derived_from_the_secret() {
        // python3: k = hmac.new(b'0123456789abcdef', b'scalingo-staging-sync/email', 'sha256').digest()
        //          hmac.new(k, b'ada@example.org', 'sha256').hexdigest()[:20]
        let digest = Key::new(&"0123456789abcdef".into())
            .function("email")
            .digest(b"ada@example.org");
        let hex: String = digest[..10].iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "2964e0824ed2f8034ecc");
    }

    #[test]
    fn kinds_secrets_and_values_each_change_the_digest() {
        let key = Key::new(&"0123456789abcdef".into());
        let digest = key.function("email").digest(b"a");
        assert_ne!(digest, key.function("id").digest(b"a"));
        assert_ne!(digest, key.function("email").digest(b"b"));
        assert_ne!(
            digest,
            Key::new(&"0123456789abcdeg".into())
                .function("email")
                .digest(b"a")
        );
        assert_eq!(digest, key.function("email").digest(b"a"));
    }

    #[test]
    fn debug_shows_nothing_of_the_key() {
        let key = Key::new(&"0123456789abcdef".into());
        assert_eq!(format!("{key:?} {:?}", key.function("email")), "Key Function");
    }
}
