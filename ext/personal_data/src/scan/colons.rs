//! From `:` to `:`: IPv6 and hardware addresses.

use super::{is_word, Visitor};
use crate::PiiKind;
use memchr::memchr_iter;
use std::net::Ipv6Addr;

/// IPv6 and hardware addresses.
pub(super) fn colons(text: &[u8], found: &mut Visitor<'_>) {
    let mut done = 0;
    let is_part = |b: &u8| b.is_ascii_hexdigit() || matches!(b, b':' | b'.');
    for colon in memchr_iter(b':', text) {
        if colon < done {
            continue;
        }
        let start = colon
            - text[..colon]
                .iter()
                .rev()
                .take(45)
                .take_while(|b| is_part(b))
                .count();
        let end = colon + text[colon..].iter().take(45).take_while(|b| is_part(b)).count();
        done = end;
        let bounded =
            (start == 0 || !is_word(text[start - 1])) && !text.get(end).is_some_and(|b| is_word(*b));
        let token = &text[start..end];
        let token = token
            .strip_suffix(b".")
            .or(token.strip_suffix(b":"))
            .unwrap_or(token);
        if !bounded || token.len() < 7 {
            continue;
        }
        let range = start..start + token.len();
        if is_mac(token) {
            found(PiiKind::MacAddress, range);
        } else if is_ipv6(token) {
            found(PiiKind::IpAddress, range);
        }
    }
}

/// Six pairs of hexadecimal digits with colons or dashes; neither the null address nor the broadcast address.
pub(crate) fn is_mac(token: &[u8]) -> bool {
    token.len() == 17
        && token.iter().enumerate().all(|(place, byte)| match place % 3 {
            2 => *byte == token[2] && matches!(byte, b':' | b'-'),
            _ => byte.is_ascii_hexdigit(),
        })
        && !token.iter().all(|b| matches!(b, b'0' | b':' | b'-'))
}

/// An IPv6 address with at least three groups, so that neither a time nor `::1` is one.
fn is_ipv6(token: &[u8]) -> bool {
    let groups = token
        .split(|b| *b == b':')
        .filter(|group| !group.is_empty())
        .count();
    groups >= 3 && std::str::from_utf8(token).is_ok_and(|token| token.parse::<Ipv6Addr>().is_ok())
}
