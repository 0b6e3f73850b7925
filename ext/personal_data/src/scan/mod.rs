//! Candidates inside text: e-mail addresses, numbers with check digits, telephone numbers, addresses, secrets, names.
//!
//! Three walks over a text, each led by something rare: from `@` to `@`, from number to number, from `:` to `:`; one
//! regular expression of literal beginnings for secrets; one walk over capitals for names. A text that is
//! encoded (see `decode`) is walked in its decoded form, and the ranges lead back to the original.
//! Long texts are walked in windows, so that no buffer grows with a field.

mod colons;
mod emails;
mod groups;
mod numbers;
mod secrets;

pub(crate) use colons::is_mac;
pub use emails::address_at;
pub use numbers::{next_digit, number_at};

use super::decode::Decoded;
use super::{people, PiiKind};
use colons::colons;
use emails::emails;
use numbers::numbers;
use secrets::secrets;
use std::ops::Range;

/// Bytes that are walked at once.
const WINDOW: usize = 64 * 1024;
/// Bytes that two windows share: no candidate but a private key is longer.
const OVERLAP: usize = 2 * 1024;

/// Finds candidates, with buffers that are used again.
#[derive(Default)]
pub struct Scanner {
    decoded: Decoded,
    /// Lent to what has to decode something before it can be scanned.
    buffer: Vec<u8>,
}

impl Scanner {
    /// A scanner with empty buffers. They grow to a few windows' size at most.
    pub fn new() -> Scanner {
        Scanner::default()
    }

    /// Lends the spare buffer; [`Scanner::give_buffer`] brings it back.
    pub(crate) fn take_buffer(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    /// Takes the spare buffer back, to use it again.
    pub(crate) fn give_buffer(&mut self, buffer: Vec<u8>) {
        self.buffer = buffer;
    }

    /// Calls back with each candidate in a text: its kind and where it stands in `text`.
    ///
    /// Candidates come in no particular order and may overlap when two kinds fit the same characters. Those
    /// inside percent-encoding, JSON escapes and quoted-printable are found, and their ranges cover the encoded form.
    pub fn find(&mut self, text: &[u8], mut found: impl FnMut(PiiKind, Range<usize>)) {
        let mut start = 0;
        loop {
            let end = text.len().min(start + WINDOW);
            let last = end == text.len();
            // What begins in the part that the next window sees whole is left to it.
            let own = if last { end } else { end - OVERLAP };
            let seen_before = if start == 0 { 0 } else { start + OVERLAP / 2 };
            let mut report = |kind, range: Range<usize>| {
                let range = range.start + start..range.end + start;
                if range.start >= seen_before && (last || range.start < own + OVERLAP / 2) {
                    found(kind, range);
                }
            };
            let window = &text[start..end];
            match self.decoded.decode(window) {
                Some(decoded) => walk(decoded.bytes(), &mut |kind, range| {
                    report(kind, decoded.original(range))
                }),
                None => walk(window, &mut report),
            }
            if last {
                return;
            }
            start = own;
        }
    }
}

/// Finds candidates in a text; [`Scanner::find`] with buffers of its own.
///
/// `found` is called with the kind and the range of bytes in `text`. For many texts keep a [`Scanner`].
pub fn find_in_text(text: &[u8], found: impl FnMut(PiiKind, Range<usize>)) {
    Scanner::new().find(text, found);
}

/// Takes a candidate: its kind, and its range of bytes.
pub type Visitor<'a> = dyn FnMut(PiiKind, Range<usize>) + 'a;

/// All walks over one plain text.
fn walk(text: &[u8], found: &mut Visitor<'_>) {
    emails(text, found);
    numbers(text, found);
    colons(text, found);
    secrets(text, found);
    people::in_text(text, |range| found(PiiKind::Name, range));
}

/// Whether a byte goes on with a word, so that what stands beside it is part of one.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(PiiKind, String)> {
        let mut hits = Vec::new();
        find_in_text(text.as_bytes(), |kind, range| {
            hits.push((kind, text[range].to_string()))
        });
        hits
    }

    fn one(text: &str, kind: PiiKind, candidate: &str) {
        assert_eq!(found(text), [(kind, candidate.to_string())], "in {text}");
    }

    #[test]
    fn addresses_are_found_where_they_begin_and_end() {
        one(
            "Write to <alice.o'neil+shop@mail.example.co.uk>.",
            PiiKind::Email,
            "alice.o'neil+shop@mail.example.co.uk",
        );
        one(
            "mailto:bob@example.com?subject=x",
            PiiKind::Email,
            "bob@example.com",
        );
        one("'bob@example.com'", PiiKind::Email, "bob@example.com");
        for none in [
            "logo@2x.png",
            "@bob hello",
            "bob@localhost",
            "a @ b.com",
            "git@github.com:x/y",
            "no-reply@shop.example",
        ] {
            assert_eq!(found(none), [], "{none}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_a_password() {
        one(
            "postgres://app:s3cret@db.example.com/x",
            PiiKind::Password,
            "s3cret@db.example.com",
        );
    }

    #[test]
    fn telephone_numbers_are_found_as_people_write_them() {
        for number in [
            "06 12 34 56 78",
            "0612345678",
            "06.12.34.56.78",
            "+33 6 12 34 56 78",
            "+33 (0)6 12 34 56 78",
            "0033612345678",
            "(415) 555-2671",
            "415-555-2671",
            "+1 415 555 2671",
            "07700 900123",
            "0171/1234567",
            "+4915112345678",
        ] {
            one(&format!("Tel: {number}, thanks"), PiiKind::Phone, number);
        }
        one("le 12 06 12 34 56 78", PiiKind::Phone, "06 12 34 56 78");
    }

    #[test]
    fn dates_amounts_and_references_are_no_telephone_numbers() {
        for none in [
            "01/02/2024 10:30",
            "2024-01-17",
            "12.50 EUR",
            "ref 4410-22",
            "1700000000",
            "ISBN 0612345678",
            "3.14159265358979",
            "v0612345678",
        ] {
            assert_eq!(found(none), [], "{none}");
        }
    }

    #[test]
    fn numbers_with_check_digits_are_reported_by_them() {
        one(
            "carte 4111 1111 1111 1111 exp",
            PiiKind::Card,
            "4111 1111 1111 1111",
        );
        one(
            "IBAN FR14 2004 1010 0505 0001 3M02 606.",
            PiiKind::Iban,
            "FR14 2004 1010 0505 0001 3M02 606",
        );
        one("DE89370400440532013000", PiiKind::Iban, "DE89370400440532013000");
        one("NIR 2 55 08 14 168 025 38", PiiKind::Nir, "2 55 08 14 168 025 38");
        one("188012A00100157", PiiKind::Nir, "188012A00100157");
        one("SSN 078-05-1120", PiiKind::Ssn, "078-05-1120");
        one("SIRET 73282932000074", PiiKind::Siret, "73282932000074");
        one("RCS Paris 732 829 320", PiiKind::Siren, "732 829 320");
        assert_eq!(found("4111 1111 1111 1112 and 732 829 320"), []);
    }

    #[test]
    fn network_addresses_are_reported_from_versions_and_times() {
        one("from 81.2.69.142", PiiKind::IpAddress, "81.2.69.142");
        one("[2a01:e0a:1:2::f]", PiiKind::IpAddress, "2a01:e0a:1:2::f");
        one("mac 00:1a:2b:3c:4d:5e", PiiKind::MacAddress, "00:1a:2b:3c:4d:5e");
        for none in [
            "4.12.0.1",
            "12:34:56",
            "std::vec::Vec",
            "127.0.0.1",
            "1.2.3.4.5",
            "::1",
            "256.1.1.1",
        ] {
            assert_eq!(found(none), [], "{none}");
        }
    }

    #[test]
    fn secrets_are_reported_by_their_beginnings() {
        let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlMTIz";
        one(&format!("Bearer {jwt}"), PiiKind::Jwt, jwt);
        let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----";
        one(&format!("x\n{key}\n"), PiiKind::PrivateKey, key);
        let hash = format!(
            "$2a$12${}",
            "N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
        );
        one(&hash, PiiKind::PasswordHash, &hash);
        let key = format!("ghp_{}", "a1B2".repeat(9));
        one(&format!("token={key}"), PiiKind::ApiKey, &key);
    }

    #[test]
    fn secrets_are_found_wherever_they_stand() {
        let key = format!("AKIA{}", "A1B2".repeat(4));
        let slack = "xoxb-1234567890";
        for before in 0..40 {
            let padding = "a ".repeat(before);
            one(&format!("{padding}{key}"), PiiKind::ApiKey, &key);
            one(&format!("{padding}\"{slack}\" x"), PiiKind::ApiKey, slack);
            let pem = "-----BEGIN PRIVATE KEY-----";
            one(&format!("{padding}\n{pem}"), PiiKind::PrivateKey, pem);
        }
    }

    #[test]
    fn streets_and_people_are_found_in_sentences() {
        one(
            "J'habite 3 allée des Tilleuls, 75012 Paris",
            PiiKind::StreetAddress,
            "3 allée des Tilleuls",
        );
        one("Vu avec Marie DUPONT hier", PiiKind::Name, "Marie DUPONT");
    }

    #[test]
    fn encoded_texts_are_looked_through() {
        one(
            r#"{"body":"Hello\nalice@example.com"}"#,
            PiiKind::Email,
            "alice@example.com",
        );
        one(
            r#""{\"a\":\"\\nalice\\u0040example.com\"}""#,
            PiiKind::Email,
            r"alice\\u0040example.com",
        );
        one(
            "u=1&email=alice%40example.com&x=2",
            PiiKind::Email,
            "alice%40example.com",
        );
        one(
            "Bonjour =C3=A0 alice@exam=\nple.com",
            PiiKind::Email,
            "alice@exam=\nple.com",
        );
        one("tel%3A%2B33612345678", PiiKind::Phone, "%2B33612345678");
    }

    #[test]
    fn long_texts_give_each_candidate_once() {
        let mut text = String::new();
        for number in 0..20_000 {
            text.push_str(&format!("word user{number}@example.com "));
        }
        let mut seen = std::collections::HashSet::new();
        find_in_text(text.as_bytes(), |kind, range| {
            assert_eq!(kind, PiiKind::Email);
            assert!(seen.insert(text[range].to_string()));
        });
        assert_eq!(seen.len(), 20_000);
    }
}
