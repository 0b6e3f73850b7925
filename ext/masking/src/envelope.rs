//! The envelope of Active Record Encryption: a value under AES-256-GCM in the JSON that Rails writes and reads.
//!
//! The nonce is made from the key and the value, as Rails makes that of a deterministic attribute: so one value always
//! becomes one ciphertext, and Rails finds it by its value where the attribute is deterministic.

use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use ring::aead::{Aad, LessSafeKey, Nonce, UnboundKey, AES_256_GCM, NONCE_LEN};
use ring::hmac;

/// How long the key is.
const KEY: usize = 32;
/// How long the tag is by which a value is known to be the one that was sealed.
const TAG: usize = 16;
const NONCE_DIGITS: usize = NONCE_LEN.div_ceil(3) * 4;
const TAG_DIGITS: usize = TAG.div_ceil(3) * 4;

const BEFORE: &[u8] = b"{\"p\":\"";
const BEFORE_NONCE: &[u8] = b"\",\"h\":{\"iv\":\"";
const BEFORE_TAG: &[u8] = b"\",\"at\":\"";
const AFTER: &[u8] = b"\"}}";

/// What an envelope adds to the digits of its value.
const AROUND: usize =
    BEFORE.len() + BEFORE_NONCE.len() + NONCE_DIGITS + BEFORE_TAG.len() + TAG_DIGITS + AFTER.len();

/// A regular expression of PostgreSQL's for an envelope that is written here.
pub(super) const FORM: &str =
    "^\\{\"p\":\"[A-Za-z0-9+/]*=*\",\"h\":\\{\"iv\":\"[A-Za-z0-9+/]{16}\",\"at\":\"[A-Za-z0-9+/]{22}==\"\\}\\}$";

/// So many bytes of a value go into an envelope of at most `length` bytes.
pub(super) fn room(length: usize) -> usize {
    length.saturating_sub(AROUND) / 4 * 3
}

/// Whether a text looks like an envelope, of any version and under any key.
pub(super) fn is_envelope(text: &str) -> bool {
    text.starts_with("{\"p\":\"") && text.contains("\"h\":{") && text.ends_with('}')
}

/// The key of an attribute.
pub struct EnvelopeKey {
    cipher: LessSafeKey,
    nonces: hmac::Key,
}

impl std::fmt::Debug for EnvelopeKey {
    /// Nothing of the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EnvelopeKey")
    }
}

impl EnvelopeKey {
    /// The key of these hexadecimal digits; None where they are not those of 32 bytes.
    pub fn from_hex(digits: &str) -> Option<Self> {
        let mut key = [0; KEY];
        if digits.len() != 2 * KEY || !digits.is_ascii() {
            return None;
        }
        for (place, byte) in key.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&digits[2 * place..2 * place + 2], 16).ok()?;
        }
        Some(Self {
            cipher: LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).ok()?),
            nonces: hmac::Key::new(hmac::HMAC_SHA256, &key),
        })
    }

    /// Appends the envelope of a value, which is encrypted where it stands.
    pub(super) fn seal(&self, value: &mut [u8], out: &mut Vec<u8>) {
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&hmac::sign(&self.nonces, value).as_ref()[..NONCE_LEN]);
        let sealed = Nonce::assume_unique_for_key(nonce);
        // It fails beyond 64 GiB only, and then the empty tag is none.
        let tag = self
            .cipher
            .seal_in_place_separate_tag(sealed, Aad::empty(), value);
        out.extend_from_slice(BEFORE);
        append_digits(value, out);
        out.extend_from_slice(BEFORE_NONCE);
        append_digits(&nonce, out);
        out.extend_from_slice(BEFORE_TAG);
        append_digits(tag.as_ref().map_or(&[], |tag| tag.as_ref()), out);
        out.extend_from_slice(AFTER);
    }

    /// What an envelope of this key holds, if it is one as they are written here.
    pub(super) fn open<'b>(&self, envelope: &[u8], buffer: &'b mut [u8]) -> Option<&'b [u8]> {
        let rest = envelope.strip_prefix(BEFORE)?.strip_suffix(AFTER)?;
        let (rest, tag) = rest.split_at_checked(rest.len().checked_sub(TAG_DIGITS)?)?;
        let rest = rest.strip_suffix(BEFORE_TAG)?;
        let (rest, nonce) = rest.split_at_checked(rest.len().checked_sub(NONCE_DIGITS)?)?;
        let value = rest.strip_suffix(BEFORE_NONCE)?;
        let length = STANDARD.decode_slice(value, buffer).ok()?;
        let tag = STANDARD.decode_slice(tag, buffer.get_mut(length..)?).ok()?;
        let mut bytes = [0; NONCE_DIGITS];
        let nonce = STANDARD.decode_slice(nonce, &mut bytes).ok()?;
        let nonce = Nonce::try_assume_unique_for_key(bytes.get(..nonce)?).ok()?;
        let sealed = buffer.get_mut(..length + tag)?;
        self.cipher
            .open_in_place(nonce, Aad::empty(), sealed)
            .ok()
            .map(|value| &*value)
    }
}

/// Appends bytes in base64.
fn append_digits(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    // There is room for exactly what is written.
    let written = STANDARD.encode_slice(bytes, &mut out[start..]).unwrap_or(0);
    out.truncate(start + written);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn key(byte: u8) -> EnvelopeKey {
        EnvelopeKey::from_hex(&format!("{byte:02x}").repeat(KEY)).unwrap()
    }

    fn sealed(key: &EnvelopeKey, value: &str) -> Vec<u8> {
        let mut out = Vec::new();
        key.seal(&mut value.as_bytes().to_vec(), &mut out);
        out
    }

    #[test]
    fn an_envelope_is_the_one_that_rails_writes_for_a_deterministic_attribute() {
        // ActiveRecord 7.2: Cipher::Aes256Gcm.new("k" * 32, deterministic: true), through its MessageSerializer.
        let expected = include_str!("envelope/rails.txt").trim_end();
        let found = String::from_utf8(sealed(&key(b'k'), "ada@demo.example.com")).unwrap();
        assert_eq!(found, expected);
    }

    #[test]
    fn an_envelope_opens_under_its_own_key_and_as_it_was_written_only() {
        for value in ["", "a", "ada@demo.example.com", &"é".repeat(300)] {
            let envelope = sealed(&key(1), value);
            let mut buffer = vec![0; envelope.len()];
            assert_eq!(key(1).open(&envelope, &mut buffer), Some(value.as_bytes()));
            assert_eq!(key(2).open(&envelope, &mut buffer), None);
            for place in 0..envelope.len() {
                let mut other = envelope.clone();
                other[place] = if other[place] == b'A' { b'B' } else { b'A' };
                assert_eq!(key(1).open(&other, &mut buffer), None, "{place}");
            }
        }
    }

    #[test]
    fn room_is_what_fits() {
        for length in [0, 60, 100, 255, 510] {
            let value = "x".repeat(room(length));
            assert!(
                value.is_empty() || sealed(&key(1), &value).len() <= length,
                "{length}"
            );
            assert!(
                length < 100 || sealed(&key(1), &format!("{value}xxx")).len() > length,
                "{length}"
            );
        }
    }

    #[test]
    fn a_key_that_is_none_is_refused() {
        for digits in ["", "0f", &"g".repeat(64), &"é".repeat(32), &"0".repeat(66)] {
            assert!(EnvelopeKey::from_hex(digits).is_none());
        }
    }
}
