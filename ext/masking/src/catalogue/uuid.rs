//! `uuid`.

use crate::bytes::hex_value;
use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::equal::Fold;
use crate::error::Unfit;
use crate::families::shape::{TokenMask, HEX_LOWER};
use crate::misfit::ForTypes;
use crate::permutation::Strings;
use crate::pseudonym::{Pseudonym, Work};
use crate::types::Type;
use pg_dump_archive::copy::Row;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    example: Example::of_text("3f333df6-90a4-4fda-8dd3-9485d27cee36"),
    joins: true,
    is_wide: true,
    ..CatalogueEntry::new("uuid", "a UUID of the same version and variant", fit)
};

/// `uuid`: every hex digit but the version and the variant becomes another.
#[derive(Debug)]
struct Uuid {
    digits: Strings,
    /// For what is no UUID.
    other: TokenMask,
}

/// The places of a UUID's hex digits that are not fixed.
fn is_free(place: usize) -> bool {
    !matches!(place, 8 | 13 | 14 | 18 | 19 | 23)
}

fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value.iter().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

impl Pseudonym for Uuid {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        work.second.clear();
        work.second.extend(value.iter().map(u8::to_ascii_lowercase));
        if !is_uuid(&work.second) {
            return self.other.write(value, row, work, out);
        }
        work.first.clear();
        for (place, byte) in work.second.iter().enumerate() {
            if is_free(place) {
                work.first.push(hex_value(*byte));
            }
        }
        // The fixed digits choose the order.
        let tweak = [work.second[14], work.second[19]];
        self.digits.apply(&mut work.first, &tweak, |_| true);
        let mut numerals = work.first.iter();
        for (place, byte) in work.second.iter().enumerate() {
            let written = if is_free(place) {
                numerals
                    .next()
                    .map_or(b'0', |numeral| HEX_LOWER[usize::from(*numeral)])
            } else {
                *byte
            };
            out.push(written);
        }
    }

    fn has_form(&self, value: &[u8]) -> bool {
        value.is_ascii()
    }
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    if !matches!(fitting.column.kind, Type::Uuid | Type::Text { .. }) {
        return Err(fitting.wrong_type(ForTypes::UuidAndText));
    }
    let mask = Uuid {
        digits: Strings::new(&fitting.function("uuid"), 16),
        other: TokenMask::new(fitting.function("token"), Fold::default()),
    };
    Ok(fitting.fitted(mask, fitting.is_ascii()))
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{case, plain, Case};

    pub(crate) const CASES: &[Case] = &[case(
        "uuid",
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        |old, new| {
            let groups: Vec<usize> = new.split('-').map(str::len).collect();
            groups == [8, 4, 4, 4, 12] && new[14..15] == old[14..15] && new[19..20] == old[19..20]
        },
    )];

    #[test]
    fn a_uuid_keeps_version_and_variant_and_is_the_same_in_either_case() {
        let uuid = plain("uuid", "3f333df6-90a4-4fda-8dd3-9485d27cee36");
        assert!(uuid.as_bytes()[14] == b'4' && uuid.as_bytes()[19] == b'8');
        assert_eq!(plain("uuid", "3F333DF6-90A4-4FDA-8DD3-9485D27CEE36"), uuid);
    }
}
