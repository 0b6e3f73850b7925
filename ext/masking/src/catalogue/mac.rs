//! `mac`.

use crate::bytes::hex_value;
use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::equal::Fold;
use crate::error::Unfit;
use crate::families::shape::{TokenMask, HEX_LOWER, HEX_UPPER};
use crate::misfit::ForTypes;
use crate::permutation::Strings;
use crate::pseudonym::{Pseudonym, Work};
use crate::types::Type;
use pg_dump_archive::copy::Row;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    example: Example::of_text("00:1b:63:84:45:e6"),
    joins: true,
    ..CatalogueEntry::new("mac", "other hex digits in the same places", fit)
};

/// `mac`: every hex digit becomes another.
#[derive(Debug)]
struct Mac {
    digits: Strings,
    other: TokenMask,
}

impl Pseudonym for Mac {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let is_separator = |byte: &u8| matches!(byte, b':' | b'-' | b'.');
        let digits = value.iter().filter(|byte| byte.is_ascii_hexdigit()).count();
        let known = value
            .iter()
            .all(|byte| byte.is_ascii_hexdigit() || is_separator(byte));
        if !known || !matches!(digits, 12 | 16) {
            return self.other.write(value, row, work, out);
        }
        let letters = if value.iter().any(u8::is_ascii_uppercase) {
            HEX_UPPER
        } else {
            HEX_LOWER
        };
        work.first.clear();
        let hex = value.iter().filter(|byte| byte.is_ascii_hexdigit());
        work.first.extend(hex.map(|byte| hex_value(*byte)));
        self.digits.apply(&mut work.first, b"", |_| true);
        let mut numerals = work.first.iter();
        for byte in value {
            let written = if byte.is_ascii_hexdigit() {
                numerals
                    .next()
                    .map_or(b'0', |numeral| letters[usize::from(*numeral)])
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
    if !matches!(
        fitting.column.kind,
        Type::MacAddr | Type::MacAddr8 | Type::Text { .. }
    ) {
        return Err(fitting.wrong_type(ForTypes::MacAndText));
    }
    let mask = Mac {
        digits: Strings::new(&fitting.function("mac"), 16),
        other: TokenMask::new(fitting.function("token"), Fold::default()),
    };
    Ok(fitting.fitted(mask, fitting.is_ascii()))
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{case, plain, Case};

    pub(crate) const CASES: &[Case] = &[case("mac", "[0-9a-f]{2}(:[0-9a-f]{2}){5}", |_, new| {
        new.split(':').count() == 6
            && new
                .split(':')
                .all(|byte| byte.len() == 2 && u8::from_str_radix(byte, 16).is_ok())
    })];

    #[test]
    fn an_address_keeps_its_length() {
        assert_eq!(plain("mac", "00:1b:63:84:45:e6").len(), 17);
    }
}
