//! `ip`.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::equal::Fold;
use crate::error::Unfit;
use crate::families::shape::TokenMask;
use crate::misfit::ForTypes;
use crate::permutation::Strings;
use crate::pseudonym::{Pseudonym, Work};
use crate::types::Type;
use aes::cipher::{BlockEncrypt, KeyInit};
use aes::{Aes128, Block};
use pg_dump_archive::copy::Row;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    options: &[(
        "keep_prefix",
        "true: addresses that share a prefix share one as long",
    )],
    example: Example::of_text("192.0.2.17"),
    joins: true,
    ..CatalogueEntry::new("ip", "an address of the same version", fit)
};

#[derive(Debug)]
struct Ip {
    nibbles: Strings,
    prefixes: Prefixes,
    keep_prefix: bool,
    is_cidr: bool,
    other: TokenMask,
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

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    match fitting.column.kind {
        Type::Text { .. } => {
            fitting.text_of(if fitting.column.unique.distinct { 43 } else { 39 })?;
        }
        Type::Inet | Type::Cidr => {}
        _ => return Err(fitting.wrong_type(ForTypes::Networks)),
    }
    let function = fitting.function("ip");
    let mut key = [0; 16];
    key.copy_from_slice(&function.digest(b"prefixes")[..16]);
    let mask = Ip {
        nibbles: Strings::new(&function, 16),
        prefixes: Prefixes(Aes128::new(&key.into())),
        keep_prefix: fitting.flag("keep_prefix")?,
        is_cidr: fitting.column.kind == Type::Cidr,
        other: TokenMask::new(fitting.function("token"), Fold::default()),
    };
    Ok(fitting.fitted(mask, fitting.is_ascii()))
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::testing::{case, of_kind, on_text, plain, Case};
    use crate::types::Type;
    use serde_json::json;
    use std::net::IpAddr;

    pub(crate) const CASES: &[Case] = &[
        case(
            "ip",
            "[1-9][0-9]?\\.[1-9][0-9]?\\.[1-9][0-9]?\\.[1-9][0-9]?",
            |_, new| matches!(new.parse(), Ok(IpAddr::V4(_))),
        ),
        case("ip", "2001:db8:[1-9a-f]{1,4}::[1-9a-f]{1,4}", |_, new| {
            matches!(new.parse(), Ok(IpAddr::V6(_)))
        }),
    ];

    #[test]
    fn addresses_of_the_network_stay_addresses_of_their_version() {
        assert!(plain("ip", "192.0.2.17").parse::<std::net::Ipv4Addr>().is_ok());
        assert!(plain("ip", "2001:db8::17").parse::<std::net::Ipv6Addr>().is_ok());
        let network = of_kind("ip", Type::Cidr, "192.0.2.0/24");
        assert!(network.ends_with(".0/24") && network != "192.0.2.0/24");
    }

    #[test]
    fn addresses_that_share_a_prefix_share_one_where_that_is_asked_for() {
        let keep = json!({"keep_prefix": true});
        let (a, b) = (
            on_text("ip", keep.clone(), "192.0.2.17"),
            on_text("ip", keep, "192.0.2.18"),
        );
        assert_eq!(a.rsplit_once('.').unwrap().0, b.rsplit_once('.').unwrap().0);
    }
}
