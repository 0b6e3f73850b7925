//! Hashes of passwords: which formats there are, one of a password that is known, and how another digest is written in a
//! hash's own format, with its parameters: bcrypt, argon2, scrypt, PBKDF2, crypt(3), Django's, or hex digits.

use crate::entry::Fitting;
use crate::error::Unfit;
use crate::key::Function;
use crate::misfit::Expected;
use std::sync::{Mutex, PoisonError};

/// How bcrypt writes six bits.
pub(crate) const BCRYPT_DIGITS: &[u8; 64] =
    b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Salt and digest of a bcrypt hash, 16 and 23 bytes, as written.
pub(crate) const BCRYPT_BODY: usize = 22 + 31;

/// A bcrypt hash: `$2a$10$` and its body.
pub(crate) const BCRYPT: usize = 7 + BCRYPT_BODY;

/// Characters that a part of a hash has at least that is a salt or a digest; what is shorter is a parameter.
const SHORTEST_PART: usize = 8;

/// Characters of which a digest has at least, so that it carries enough bits for a unique index.
pub(crate) const SHORTEST_DIGEST: usize = 16;

/// Names of hash functions, which begin a hash.
const FUNCTIONS: [&[u8]; 7] = [
    b"argon2",
    b"pbkdf2",
    b"scrypt",
    b"bcrypt",
    b"sha",
    b"md5",
    b"yescrypt",
];

/// The hash made last, under what it was made from: partitions and retries ask for the same one, and each takes a while.
static MADE: Mutex<Option<([u8; 32], u32, String)>> = Mutex::new(None);

/// The bcrypt hash of a password: one for all rows, with a salt made from the key, so that two runs write the same.
pub(crate) fn known(fitting: &Fitting<'_>, password: &str) -> Result<String, Box<Unfit>> {
    let cost = fitting.number("cost", 10, 4..=14)? as u32;
    let digest = fitting.function("password").digest(password.as_bytes());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, _, hash)) = made.as_ref().filter(|made| (made.0, made.1) == (digest, cost)) {
        return Ok(hash.clone());
    }
    let mut salt = [0; 16];
    salt.copy_from_slice(&digest[..16]);
    let hash = bcrypt::hash_with_salt(password.as_bytes(), cost, salt)
        .map_err(|_| fitting.wrong_option("password", Expected::Password))?
        .format_for_version(bcrypt::Version::TwoA);
    *made = Some((digest, cost, hash.clone()));
    Ok(hash)
}

/// As many bytes as are asked for, made from the key and a value.
pub(crate) struct Bytes<'f> {
    function: &'f Function,
    block: [u8; 32],
    at: usize,
}

impl<'f> Bytes<'f> {
    pub(crate) fn new(function: &'f Function, value: &[u8]) -> Self {
        Self {
            function,
            block: function.digest(value),
            at: 0,
        }
    }

    fn next(&mut self) -> u8 {
        if self.at == self.block.len() {
            self.block = self.function.digest(&self.block);
            self.at = 0;
        }
        self.at += 1;
        self.block[self.at - 1]
    }

    pub(crate) fn pick(&mut self, alphabet: &[u8]) -> u8 {
        alphabet[usize::from(self.next()) % alphabet.len()]
    }
}

/// Whether a value is a bcrypt hash, or ends in one, as Django's `bcrypt_sha256$$2b$12$…` does.
pub(crate) fn is_bcrypt(value: &[u8]) -> bool {
    let Some((head, body)) = value.split_last_chunk::<BCRYPT_BODY>() else {
        return false;
    };
    let Some((_, start)) = head.split_last_chunk::<7>() else {
        return false;
    };
    let [b'$', b'2', b'a' | b'b' | b'x' | b'y', b'$', tens, ones, b'$'] = start else {
        return false;
    };
    tens.is_ascii_digit() && ones.is_ascii_digit() && body.iter().all(|byte| BCRYPT_DIGITS.contains(byte))
}

/// A salt and a digest that any reader of bcrypt takes: the bits that are left of their last characters are zero.
pub(crate) fn write_bcrypt_body(bytes: &mut Bytes<'_>, out: &mut Vec<u8>) {
    for length in [16, 23] {
        let (mut bits, mut count) = (0u32, 0);
        for _ in 0..length {
            bits = bits << 8 | u32::from(bytes.next());
            count += 8;
            while count >= 6 {
                count -= 6;
                out.push(BCRYPT_DIGITS[(bits >> count & 0x3f) as usize]);
            }
        }
        if count > 0 {
            out.push(BCRYPT_DIGITS[(bits << (6 - count) & 0x3f) as usize]);
        }
    }
}

pub(crate) fn is_hex(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_hexdigit)
}

/// Whether a value is a hash of several parts, one of which is long enough for a digest: `pbkdf2_sha256$…$salt$digest`.
pub(crate) fn has_digest(value: &[u8]) -> bool {
    let mut parts = value.split(|byte| *byte == b'$');
    value.is_ascii()
        && value.iter().filter(|byte| **byte == b'$').count() >= 2
        && parts.any(|part| is_secret(part) && part.len() >= SHORTEST_DIGEST)
}

/// Whether a part of a hash is its salt or its digest, and neither a parameter nor the name of a function.
pub(crate) fn is_secret(part: &[u8]) -> bool {
    let body = part.trim_ascii_end();
    let unpadded = &body[..body
        .iter()
        .rposition(|byte| *byte != b'=')
        .map_or(0, |last| last + 1)];
    let is_parameter = unpadded.iter().any(|byte| matches!(byte, b'=' | b',' | b':'))
        || unpadded.iter().all(u8::is_ascii_digit);
    let is_name = unpadded.len() <= 20
        && FUNCTIONS.iter().any(|name| unpadded.starts_with(name))
        && !unpadded.iter().any(u8::is_ascii_uppercase);
    part.len() >= SHORTEST_PART && !is_parameter && !is_name
}

/// Other letters and digits of the same alphabet; what is neither stays where it is.
pub(crate) fn write_like(part: &[u8], bytes: &mut Bytes<'_>, out: &mut Vec<u8>) {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let has = |test: fn(&u8) -> bool| part.iter().any(test);
    let alphabet: &[u8] = match (
        is_hex(part),
        has(u8::is_ascii_lowercase),
        has(u8::is_ascii_uppercase),
    ) {
        (true, _, false) => b"0123456789abcdef",
        (true, false, true) => b"0123456789ABCDEF",
        _ => LETTERS,
    };
    let start = out.len();
    let other = |byte: &u8| match byte.is_ascii_alphanumeric() {
        true => bytes.pick(alphabet),
        false => *byte,
    };
    out.extend(part.iter().map(other));
    // The last character of base64 that is not whole threes of bytes has bits left, which a strict reader wants zero.
    let unpadded = part
        .iter()
        .rposition(|byte| *byte != b'=')
        .map_or(0, |last| last + 1);
    if !is_hex(part) && unpadded % 4 > 1 {
        out[start + unpadded - 1] = b'A';
    }
}
