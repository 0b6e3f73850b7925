//! `unknown_password`: one that no one knows.
//!
//! It needs no password at all: its digest is made from the key and the old value, so that there is none to find. It
//! stays in the old value's own format.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::password_hash::{
    has_digest, is_bcrypt, is_hex, is_secret, write_bcrypt_body, write_like, Bytes, BCRYPT, BCRYPT_BODY,
    BCRYPT_DIGITS, SHORTEST_DIGEST,
};
use crate::key::Function;
use crate::pseudonym::{Pseudonym, Work};
use pg_dump_archive::copy::Row;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    example: Example::of_text("$2a$12$EXRkfkdmXn2gzds2SSitu.MW9.gAVqa9eLS1//RYtYCmB1eLHg.9q"),
    joins: true,
    ..CatalogueEntry::new(
        "unknown_password",
        "a hash of the same format and cost of a password that no one knows; bcrypt's where the value is no hash",
        fit,
    )
};

#[derive(Debug)]
pub(super) struct Unknown {
    function: Function,
    limit: usize,
}

impl Unknown {
    pub(super) fn new(fitting: &Fitting<'_>) -> Result<Self, Box<Unfit>> {
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

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    Ok(fitting.fitted(Unknown::new(fitting)?, fitting.is_ascii()))
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing::{case, Case, A_BCRYPT_HASH};
    use crate::Key;

    pub(crate) const CASES: &[Case] = &[case("unknown_password", A_BCRYPT_HASH, |old, new| {
        bcrypt::verify("staging", new).is_ok() && new[..7] == old[..7] && new.len() == 60
    })];

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
