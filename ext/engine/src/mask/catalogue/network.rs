//! `ip` and `url`.

use super::recipe::{Fitting, Pseudonym, Work};
use super::shape::Token;
use crate::mask::action::Row;
use crate::mask::compile::Fitted;
use crate::mask::key::Function;
use crate::mask::permutation::Strings;
use crate::mask::types::Type;
use aes::cipher::{BlockEncrypt, KeyInit};
use aes::{Aes128, Block};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

#[derive(Debug)]
struct Ip {
    nibbles: Strings,
    prefixes: Prefixes,
    keep_prefix: bool,
    is_cidr: bool,
    other: Token,
}

/// A permutation under which two addresses share as many leading bits after as before (Crypto-PAn): each bit is
/// turned or not by what the key says of the bits before it; the last is always turned.
struct Prefixes(Aes128);

impl std::fmt::Debug for Prefixes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Prefixes")
    }
}

impl Prefixes {
    /// Turns the first `length` of the `width` bits of `address`.
    fn apply(&self, address: u128, width: u32, length: u32) -> u128 {
        let mut found = address;
        for bit in 0..length {
            let turn = 1u128 << (width - 1 - bit);
            if bit + 1 == length {
                return found ^ turn;
            }
            // The bits before this one, and how many there are, in one block.
            let before = if bit == 0 { 0 } else { address >> (width - bit) };
            let mut block = Block::from((before << 1 | 1).to_be_bytes());
            block[0] ^= (width == 32) as u8 * 0x80;
            self.0.encrypt_block(&mut block);
            if block[0] & 1 == 1 {
                found ^= turn;
            }
        }
        found
    }
}

impl Ip {
    fn address(&self, address: IpAddr, length: Option<u32>) -> IpAddr {
        let (bits, width) = match address {
            IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
            IpAddr::V6(address) => (address.to_bits(), 128),
        };
        let bits = match length {
            None if !self.keep_prefix => {
                let mut nibbles = [0u8; 32];
                let count = width as usize / 4;
                for (place, nibble) in nibbles[..count].iter_mut().rev().enumerate() {
                    *nibble = (bits >> (place * 4) & 0xf) as u8;
                }
                self.nibbles.apply(&mut nibbles[..count], b"", |_| true);
                nibbles[..count]
                    .iter()
                    .fold(0, |bits, nibble| bits << 4 | u128::from(*nibble))
            }
            length => self
                .prefixes
                .apply(bits, width, length.unwrap_or(width).min(width)),
        };
        match address {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(bits as u32)),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(bits)),
        }
    }
}

impl Pseudonym for Ip {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let text = std::str::from_utf8(value).unwrap_or_default();
        let (address, mask) = match text.split_once('/') {
            Some((address, mask)) => (address, Some(mask)),
            None => (text, None),
        };
        let length = mask.map(str::parse::<u32>);
        let (Ok(address), None | Some(Ok(_))) = (address.parse::<IpAddr>(), &length) else {
            return self.other.write(value, row, work, out);
        };
        // Of a network, the bits behind its prefix stay zero.
        let length = length.and_then(Result::ok).filter(|_| self.is_cidr);
        let address = self.address(address, length);
        // Writing into a Vec does not fail.
        let _ = write!(out, "{address}");
        if let Some(mask) = mask {
            out.push(b'/');
            out.extend_from_slice(mask.as_bytes());
        }
    }

    fn has_form(&self, value: &[u8]) -> bool {
        value.is_ascii()
    }
}

pub(super) fn ip(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    match fitting.column.kind {
        Type::Text { .. } => {
            fitting.text_of(if fitting.column.unique.distinct { 43 } else { 39 })?;
        }
        Type::Inet | Type::Cidr => {}
        _ => return Err(fitting.wrong_type("inet, cidr and text columns")),
    }
    let function = fitting.function("ip");
    let mut key = [0; 16];
    key.copy_from_slice(&function.digest(b"prefixes")[..16]);
    let mask = Ip {
        nibbles: Strings::new(&function, 16),
        prefixes: Prefixes(Aes128::new(&key.into())),
        keep_prefix: fitting.flag("keep_prefix")?,
        is_cidr: fitting.column.kind == Type::Cidr,
        other: Token::new(fitting.function("token"), false),
    };
    Ok(fitting.fitted(mask, fitting.matches("^[\\u0001-\\u007f]*$")))
}

/// `url`: the scheme, a host made of the host, a path made of the whole.
#[derive(Debug)]
pub(super) struct Url {
    function: Function,
}

/// What stands between the pseudonyms of host and path.
const DOMAIN: &[u8] = b".example.com/";

impl Pseudonym for Url {
    fn write(&self, value: &[u8], _: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let (scheme, rest) = match memchr::memmem::find(value, b"://") {
            Some(at) => (&value[..at], &value[at + 3..]),
            None => (&b""[..], value),
        };
        let scheme = [&b"http"[..], b"https", b"ftp"]
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(scheme))
            .unwrap_or(b"https");
        let host = rest
            .split(|byte| matches!(byte, b'/' | b'?' | b'#'))
            .next()
            .unwrap_or(rest);
        out.extend_from_slice(scheme);
        out.extend_from_slice(b"://h");
        work.first.clear();
        work.first.extend(host.iter().map(u8::to_ascii_lowercase));
        super::write_hex(&self.function.digest(&work.first), 8, out);
        out.extend_from_slice(DOMAIN);
        super::write_hex(&self.function.digest(value), 20, out);
    }

    fn has_form(&self, value: &[u8]) -> bool {
        let text = String::from_utf8_lossy(value);
        let Some((scheme, rest)) = text.split_once("://h") else {
            return false;
        };
        let is_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        matches!(scheme, "http" | "https" | "ftp")
            && rest.split_once(".example.com/").is_some_and(|(host, path)| {
                host.len() == 8 && path.len() == 20 && is_hex(host) && is_hex(path)
            })
    }
}

pub(super) fn url(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    fitting.text_of(50)?;
    let mask = Url {
        function: fitting.function("url"),
    };
    let form = fitting.matches("^(https?|ftp)://h[0-9a-f]{8}\\.example\\.com/[0-9a-f]{20}$");
    Ok(fitting.fitted(mask, form))
}
