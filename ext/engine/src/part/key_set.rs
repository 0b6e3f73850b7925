//! A set of keys in memory: numbers or UUIDs.

use roaring::RoaringTreemap;

/// Which keys a set holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Uuid,
}

/// The keys. Numbers in sequence take a bit each; UUIDs sixteen bytes.
#[derive(Debug)]
pub(super) enum Keys {
    Numbers(RoaringTreemap),
    /// In ascending order, once all of them are there.
    Uuids(Vec<u128>),
}

/// About what a bitmap takes beside its containers, and a container beside what it holds.
const OVERHEAD: u64 = 64;

/// What a container of bits takes: one for each of 65,536 numbers. The crate's own figure of their bytes is one of bits.
const BITSET: u64 = 8_192;

/// An object of the allocator's, at least.
const LEAST: u64 = 16;

impl Keys {
    pub(super) fn new(kind: Kind) -> Self {
        match kind {
            Kind::Number => Self::Numbers(RoaringTreemap::new()),
            Kind::Uuid => Self::Uuids(Vec::new()),
        }
    }

    /// About how many bytes of memory it takes.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Uuids(all) => 16 * all.len() as u64,
            Self::Numbers(all) => all.bitmaps().fold(0, |sum, (_, bitmap)| {
                let known = bitmap.statistics();
                let held = known.n_bytes_array_containers + u64::from(known.n_bitset_containers) * BITSET;
                sum + OVERHEAD + u64::from(known.n_containers) * (OVERHEAD + LEAST) + held
            }),
        }
    }

    pub(super) fn add_number(&mut self, number: i64) {
        if let Self::Numbers(all) = self {
            all.insert(number as u64);
        }
    }

    pub(super) fn add_uuid(&mut self, uuid: u128) {
        if let Self::Uuids(all) = self {
            all.push(uuid);
        }
    }

    /// All keys are there.
    pub(super) fn close(&mut self) {
        if let Self::Uuids(all) = self {
            all.sort_unstable();
            all.shrink_to_fit();
        }
    }

    /// The keys that `others` does not have.
    pub(super) fn without(self, others: &Self) -> Self {
        match (self, others) {
            (Self::Numbers(all), Self::Numbers(others)) => Self::Numbers(all - others),
            (Self::Uuids(mut all), Self::Uuids(others)) => {
                all.retain(|uuid| others.binary_search(uuid).is_err());
                Self::Uuids(all)
            }
            (all, _) => all,
        }
    }

    /// Whether it holds the key that a field of COPY text writes, which is not NULL. None where that is no such key.
    #[inline]
    pub(super) fn holds(&self, field: &[u8]) -> Option<bool> {
        match self {
            Self::Numbers(all) => Some(all.contains(number(field)? as u64)),
            Self::Uuids(all) => Some(all.binary_search(&uuid(field)?).is_ok()),
        }
    }
}

fn number(field: &[u8]) -> Option<i64> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

/// A UUID as PostgreSQL writes it.
fn uuid(field: &[u8]) -> Option<u128> {
    let field: &[u8; 36] = field.try_into().ok()?;
    let mut value = 0;
    for (at, byte) in field.iter().enumerate() {
        if matches!(at, 8 | 13 | 18 | 23) {
            if *byte != b'-' {
                return None;
            }
            continue;
        }
        value = value << 4 | u128::from(char::from(*byte).to_digit(16)?);
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_copy_writes_them_and_nothing_else_is() {
        let mut numbers = Keys::new(Kind::Number);
        for number in [7, -1, i64::MIN] {
            numbers.add_number(number);
        }
        let holds = |field: &str| numbers.holds(field.as_bytes());
        assert_eq!(
            ["7", "-1", "-9223372036854775808", "8"].map(holds),
            [Some(true), Some(true), Some(true), Some(false)]
        );
        assert_eq!(["", "\\N", "7.0", "9223372036854775808"].map(holds), [None; 4]);

        let mut uuids = Keys::new(Kind::Uuid);
        uuids.add_uuid(0xffff_0000_0000_4000_8000_0000_0000_0001);
        uuids.add_uuid(3);
        uuids.close();
        let holds = |field: &str| uuids.holds(field.as_bytes());
        assert_eq!(holds("ffff0000-0000-4000-8000-000000000001"), Some(true));
        assert_eq!(holds("00000000-0000-0000-0000-000000000003"), Some(true));
        assert_eq!(holds("00000000-0000-0000-0000-000000000004"), Some(false));
        assert_eq!(holds("00000000-0000-0000-0000-00000000000g"), None);
        assert_eq!(holds("00000000+0000-0000-0000-000000000003"), None);
        assert_eq!(holds("3"), None);
    }

    #[test]
    fn keys_in_sequence_take_a_bit_each_and_scattered_ones_are_weighed_as_they_are() {
        let of = |step: i64| {
            let mut keys = Keys::new(Kind::Number);
            (0..100_000).for_each(|number| keys.add_number(number * step));
            keys.bytes()
        };
        assert!(of(1) < 20_000, "{}", of(1));
        assert!(of(1 << 33) > 10_000_000, "{}", of(1 << 33));
    }

    #[test]
    fn what_is_left_without_others_is_what_they_do_not_have() {
        let of = |kind, all: &[u128]| {
            let mut keys = Keys::new(kind);
            for one in all {
                keys.add_uuid(*one);
                keys.add_number(*one as i64);
            }
            keys.close();
            keys
        };
        let field = |kind, key: u128| match kind {
            Kind::Number => key.to_string(),
            Kind::Uuid => format!("00000000-0000-0000-0000-{key:012x}"),
        };
        for kind in [Kind::Number, Kind::Uuid] {
            let left = of(kind, &[3, 1, 2]).without(&of(kind, &[2]));
            let holds = [1, 2, 3].map(|key| left.holds(field(kind, key).as_bytes()));
            assert_eq!(holds, [Some(true), Some(false), Some(true)], "{kind:?}");
        }
    }
}
