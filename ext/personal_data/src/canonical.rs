//! One form for all the ways to write the same value, so that an original and its copy elsewhere compare equal.

use super::decode::Decoded;
use super::PiiKind;

/// Writes the canonical form of a value or candidate of a kind into `canonical`, which is cleared first.
///
/// E-mail addresses and names in small letters; telephone numbers as their last nine digits, so that
/// `06 12 34 56 78` and `+33612345678` are one; other numbers without what stands between their characters, in
/// capitals. JSON escapes, percent-encoding and quoted-printable are undone first. Returns whether anything is left.
pub fn canonical(kind: PiiKind, value: &[u8], canonical: &mut Vec<u8>) -> bool {
    canonical.clear();
    let mut buffer = Decoded::default();
    let value = match buffer.decode(value) {
        Some(decoded) => decoded.bytes(),
        None => value,
    };
    // A candidate cut out of a quoted-printable body no longer shows the marks of one but its line break.
    let parts = value
        .trim_ascii()
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'));
    match kind {
        PiiKind::Email => canonical.extend(parts.filter(|b| *b != b'=').map(|b| b.to_ascii_lowercase())),
        PiiKind::Phone => {
            let end = value
                .iter()
                .rposition(u8::is_ascii_digit)
                .map_or(0, |last| last + 1);
            let digits = value[..end].iter().rev().filter(|b| b.is_ascii_digit()).take(9);
            canonical.extend(digits);
            canonical.reverse();
        }
        PiiKind::Name | PiiKind::FirstName | PiiKind::LastName => {
            let text = String::from_utf8_lossy(value).to_lowercase();
            for (place, word) in text.split_whitespace().enumerate() {
                if place > 0 {
                    canonical.push(b' ');
                }
                canonical.extend_from_slice(word.as_bytes());
            }
        }
        _ => canonical.extend(
            parts
                .filter(u8::is_ascii_alphanumeric)
                .map(|b| b.to_ascii_uppercase()),
        ),
    }
    !canonical.is_empty()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn form(kind: PiiKind, value: &str) -> String {
        let mut form = Vec::new();
        canonical(kind, value.as_bytes(), &mut form);
        String::from_utf8(form).unwrap()
    }

    #[test]
    fn every_way_to_write_a_value_is_one() {
        for number in [
            "0612345678",
            "06 12 34 56 78",
            "+33 (0)6 12 34 56 78",
            "0033612345678",
            "%2B33612345678",
        ] {
            assert_eq!(form(PiiKind::Phone, number), "612345678", "{number}");
        }
        for address in [
            "Alice@Example.com",
            "alice%40example.com",
            r"alice\u0040example.com",
            "alice@exam=\nple.com",
        ] {
            assert_eq!(form(PiiKind::Email, address), "alice@example.com", "{address}");
        }
        assert_eq!(form(PiiKind::Iban, "fr14 2004-1010"), "FR1420041010");
        assert_eq!(form(PiiKind::Name, " Élodie  DUPONT"), "élodie dupont");
        assert_eq!(form(PiiKind::Card, "--"), "");
    }
}
