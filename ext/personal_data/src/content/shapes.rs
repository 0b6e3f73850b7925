//! Shapes of whole values.

use super::tally::Seen;
use crate::PiiKind;

/// An address of type inet; those of private networks are machines'.
pub(super) fn inet(value: &[u8], seen: &mut Seen) {
    let host = value.split(|b| *b == b'/').next().unwrap_or(value);
    let Some(address) = std::str::from_utf8(host)
        .ok()
        .and_then(|host| host.parse::<std::net::IpAddr>().ok())
    else {
        return;
    };
    let private = match address {
        std::net::IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_unspecified(),
        std::net::IpAddr::V6(v6) => v6.is_loopback() || v6.is_unspecified(),
    };
    if !private {
        seen.whole(PiiKind::IpAddress);
    }
}

/// What stands for a value that is not there.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    [
        &b"[FILTERED]"[..],
        b"null",
        b"true",
        b"false",
        b"nil",
        b"none",
        b"n/a",
    ]
    .iter()
    .any(|p| value.eq_ignore_ascii_case(p))
}

pub(super) fn is_gender(value: &[u8]) -> bool {
    if !(2..=6).contains(&value.len()) {
        return false;
    }
    let words: [&[u8]; 14] = [
        b"male", b"female", b"homme", b"femme", b"man", b"woman", b"mr", b"mrs", b"ms", b"m.", b"mme",
        b"mlle", b"herr", b"frau",
    ];
    words.iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// A French plate of the system in force since 2009: AB-123-CD.
pub(super) fn is_plate(value: &[u8]) -> bool {
    value.len() == 9
        && value.iter().enumerate().all(|(place, byte)| match place {
            2 | 6 => *byte == b'-',
            3..=5 => byte.is_ascii_digit(),
            _ => byte.is_ascii_uppercase(),
        })
}
