//! Passwords: `password` is one that you know, `unknown_password` one that no one knows, and `staging_password` is
//! `config.staging_password` for everyone but those whom a `keep` keeps.
//!
//! An unknown one needs no password at all: its digest is made from the key and the old value, so that there is none to
//! find. It stays in the old value's own format, with its parameters: bcrypt, argon2, scrypt, PBKDF2, crypt(3), Django's,
//! or hex digits.

use super::recipe::{Fitting, Pseudonym, Work};
use super::text::{equals, fixed};
use crate::mask::action::Row;
use crate::mask::compile::Fitted;
use crate::mask::keep::Keep;
use crate::mask::key::Function;
use crate::mask::Mask;
use secrecy::ExposeSecret;
use std::sync::{Arc, Mutex, PoisonError};

/// How bcrypt writes six bits.
const BCRYPT_DIGITS: &[u8; 64] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Salt and digest of a bcrypt hash, 16 and 23 bytes, as written.
const BCRYPT_BODY: usize = 22 + 31;

/// A bcrypt hash: `$2a$10$` and its body.
const BCRYPT: usize = 7 + BCRYPT_BODY;

/// Characters that a part of a hash has at least that is a salt or a digest; what is shorter is a parameter.
const SHORTEST_PART: usize = 8;

/// Characters of which a digest has at least, so that it carries enough bits for a unique index.
const SHORTEST_DIGEST: usize = 16;

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

pub(super) fn password(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    fitting.may_repeat()?;
    fitting.text_of(BCRYPT)?;
    let staging = fitting.pseudonyms.staging_password.as_ref();
    let password = match fitting.string("password")? {
        Some(password) => password,
        None => staging.map_or("password", |password| password.expose_secret()),
    };
    let hash = known(fitting, password)?;
    let mut fitted = fixed(fitting, &hash, equals(fitting, &hash));
    fitted.known_password = Some(equals(fitting, &hash));
    Ok(fitted)
}

pub(super) fn unknown_password(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    Ok(fitting.fitted(Unknown::new(fitting)?, form(fitting)))
}

pub(super) fn staging_password(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    fitting.may_repeat()?;
    fitting.text_of(BCRYPT)?;
    let Some(password) = &fitting.pseudonyms.staging_password else {
        return Err(fitting.problem(
            "has the mask :staging_password, and config.staging_password is not set.",
            "Set it, or take :unknown_password.",
        ));
    };
    let hash = known(fitting, password.expose_secret())?;
    let kept = fitting.masks.iter().filter_map(|(position, mask)| match mask {
        Mask::Keeping { keep, .. } => Some((*position, Arc::clone(keep))),
        _ => None,
    });
    let mask = Staging {
        kept: kept.collect(),
        unknown: Unknown::new(fitting)?,
        hash: hash.as_bytes().into(),
    };
    let mut fitted = fitting.fitted(mask, form(fitting));
    fitted.known_password = Some(equals(fitting, &hash));
    Ok(fitted)
}

/// The condition on what is written.
fn form(fitting: &Fitting<'_>) -> String {
    fitting.matches("^[\\u0001-\\u007f]*$")
}

/// The hash made last, under what it was made from: partitions and retries ask for the same one, and each takes a while.
static MADE: Mutex<Option<([u8; 32], u32, String)>> = Mutex::new(None);

/// The bcrypt hash of a password: one for all rows, with a salt made from the key, so that two runs write the same.
fn known(fitting: &Fitting<'_>, password: &str) -> Result<String, String> {
    let cost = fitting.number("cost", 10, 4..=14)? as u32;
    let digest = fitting.function("password").digest(password.as_bytes());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, _, hash)) = made.as_ref().filter(|made| (made.0, made.1) == (digest, cost)) {
        return Ok(hash.clone());
    }
    let mut salt = [0; 16];
    salt.copy_from_slice(&digest[..16]);
    let hash = bcrypt::hash_with_salt(password.as_bytes(), cost, salt)
        .map_err(|_| fitting.wrong_option("password", "a password of at most 72 bytes without a zero byte"))?
        .format_for_version(bcrypt::Version::TwoA);
    *made = Some((digest, cost, hash.clone()));
    Ok(hash)
}

/// `unknown_password`.
#[derive(Debug)]
struct Unknown {
    function: Function,
    limit: usize,
}

impl Unknown {
    fn new(fitting: &Fitting<'_>) -> Result<Self, String> {
        let limit = if fitting.column.unique.distinct {
            fitting.text_of(BCRYPT)?.limit
        } else {
            fitting.text()?.limit
        };
        Ok(Self {
            function: fitting.function("unknown password"),
            limit,
        })
    }
}

impl Pseudonym for Unknown {
    fn write(&self, value: &[u8], _: &Row<'_>, _: &mut Work, out: &mut Vec<u8>) {
        let mut bytes = Bytes::new(&self.function, value);
        if is_bcrypt(value) {
            out.extend_from_slice(&value[..value.len() - BCRYPT_BODY]);
            write_bcrypt_body(&mut bytes, out);
        } else if is_hex(value) && value.len() >= SHORTEST_DIGEST {
            write_like(value, &mut bytes, out);
        } else if has_digest(value) {
            for (place, part) in value.split(|byte| *byte == b'$').enumerate() {
                if place > 0 {
                    out.push(b'$');
                }
                if is_secret(part) {
                    write_like(part, &mut bytes, out);
                } else {
                    out.extend_from_slice(part);
                }
            }
        } else if self.limit >= BCRYPT {
            out.extend_from_slice(b"$2a$10$");
            write_bcrypt_body(&mut bytes, out);
        } else {
            out.extend((0..value.len().min(self.limit)).map(|_| bytes.pick(&BCRYPT_DIGITS[2..])));
        }
    }

    fn has_form(&self, value: &[u8]) -> bool {
        value.is_ascii()
    }
}

/// `staging_password`.
#[derive(Debug)]
struct Staging {
    /// The columns of the table whose rule keeps some values.
    kept: Vec<(usize, Arc<Keep>)>,
    unknown: Unknown,
    hash: Box<[u8]>,
}

impl Pseudonym for Staging {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let is_kept = self.kept.iter().any(|(position, keep)| {
            let field = row.field(*position);
            field != b"\\N" && keep.keeps(field, &mut work.first)
        });
        // Another kind of hash is read by another function, which takes no bcrypt.
        if is_kept || !is_bcrypt(value) {
            self.unknown.write(value, row, work, out);
        } else {
            out.extend_from_slice(&self.hash);
        }
    }

    fn has_form(&self, value: &[u8]) -> bool {
        value == &*self.hash || self.unknown.has_form(value)
    }
}

/// As many bytes as are asked for, made from the key and a value.
struct Bytes<'f> {
    function: &'f Function,
    block: [u8; 32],
    at: usize,
}

impl<'f> Bytes<'f> {
    fn new(function: &'f Function, value: &[u8]) -> Self {
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

    fn pick(&mut self, alphabet: &[u8]) -> u8 {
        alphabet[usize::from(self.next()) % alphabet.len()]
    }
}

/// Whether a value is a bcrypt hash, or ends in one, as Django's `bcrypt_sha256$$2b$12$…` does.
fn is_bcrypt(value: &[u8]) -> bool {
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
fn write_bcrypt_body(bytes: &mut Bytes<'_>, out: &mut Vec<u8>) {
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

fn is_hex(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_hexdigit)
}

/// Whether a value is a hash of several parts, one of which is long enough for a digest: `pbkdf2_sha256$…$salt$digest`.
fn has_digest(value: &[u8]) -> bool {
    let mut parts = value.split(|byte| *byte == b'$');
    value.is_ascii()
        && value.iter().filter(|byte| **byte == b'$').count() >= 2
        && parts.any(|part| is_secret(part) && part.len() >= SHORTEST_DIGEST)
}

/// Whether a part of a hash is its salt or its digest, and neither a parameter nor the name of a function.
fn is_secret(part: &[u8]) -> bool {
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
fn write_like(part: &[u8], bytes: &mut Bytes<'_>, out: &mut Vec<u8>) {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::mask::Key;

    fn unknown(value: &str) -> String {
        let mask = Unknown {
            function: Key::new(&"a key for tests".into()).function("unknown password"),
            limit: usize::MAX,
        };
        let mut out = Vec::new();
        let row = Row {
            piece: b"",
            starts: &[0],
        };
        mask.write(value.as_bytes(), &row, &mut Work::default(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_hash_stays_in_its_own_format_with_its_parameters() {
        for (value, kept) in [
            ("$2b$12$EXRkfkdmXn2gzds2SSitu.MW9.gAVqa9eLS1//RYtYCmB1eLHg.9q", "$2b$12$"),
            (
                "bcrypt_sha256$$2b$12$EXRkfkdmXn2gzds2SSitu.MW9.gAVqa9eLS1//RYtYCmB1eLHg.9q",
                "bcrypt_sha256$$2b$12$",
            ),
            (
                "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHRzb21lc2E$RdescudvJCsgt3ub+b/dWRWJTmaaJObG0W7XWvT5uYQ",
                "$argon2id$v=19$m=65536,t=2,p=1$",
            ),
            (
                "400$8$36$78f4ae6983f76119$37ec6ce55a2b928dc56ff9a7d0cdafbd7dbde49d9282c38a40b1434e88f24cf5",
                "400$8$36$",
            ),
            (
                "pbkdf2_sha256$260000$Zs7lV2cWbWNIbDLNJpq0dl$CwFXW6mAYnBzOgUyC7h2AWsYOZNsYxYFYQkVt6bwK1k=",
                "pbkdf2_sha256$260000$",
            ),
            ("argon2$argon2id$v=19$m=102400,t=2,p=8$c29tZXNhbHRzb21lc2E$RdescudvJCsgt3ub+b/dWRWJTmaaJObG", "argon2$argon2id$v=19$m=102400,t=2,p=8$"),
            ("5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8", ""),
        ] {
            let written = unknown(value);
            assert_eq!(written.len(), value.len(), "{value}");
            assert!(written.starts_with(kept), "{written}");
            assert_ne!(written, value);
            let places = |text: &str| text.matches('$').count();
            assert_eq!(places(&written), places(value), "{written}");
            let rest = |text: &str| text[kept.len()..].split('$').map(str::to_owned).collect::<Vec<_>>();
            for (new, old) in rest(&written).iter().zip(rest(value)) {
                assert!(new.len() < 8 || *new != old, "{written} has {old}");
            }
        }
    }

    #[test]
    fn what_has_no_format_becomes_bcrypt_and_never_a_known_password() {
        for value in ["hunter2", "!", "5ebe22", "$$$", "mot de passe"] {
            let written = unknown(value);
            assert!(is_bcrypt(written.as_bytes()), "{value}: {written}");
            for password in [value, "password", ""] {
                assert!(!bcrypt::verify(password, &written).unwrap(), "{value}");
            }
        }
    }

    #[test]
    fn a_bcrypt_hash_of_it_is_one_that_bcrypt_reads() {
        for number in 0..64 {
            let written = unknown(&format!("$2a$04${:0>53}", number));
            assert_eq!(
                bcrypt::verify("password", &written).ok(),
                Some(false),
                "{written}"
            );
        }
    }
}
