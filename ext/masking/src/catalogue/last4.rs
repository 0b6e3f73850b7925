//! `last4`.

use crate::bytes;
use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::shape::{self, Shape};
use crate::misfit::ForTypes;
use crate::permutation::Permutation;
use crate::pseudonym::{Pseudonym, Work};
use crate::types::Type;
use pg_dump_archive::copy::Row;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    example: Example::of_text("4242"),
    joins: true,
    ..CatalogueEntry::new("last4", "other digits in the same places", fit)
};

/// `last4` in a number: what has up to four digits stays among those, as it has no leading zeros.
#[derive(Debug)]
struct LastFour {
    four: Permutation,
    longer: Shape,
}

impl Pseudonym for LastFour {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        match bytes::parse::<u16>(value).filter(|number| *number < 10_000) {
            Some(number) => {
                let number = self.four.apply(u128::from(number), b"", |_| true);
                bytes::write_number(number, 1, out);
            }
            None => self.longer.write(value, row, work, out),
        }
    }

    fn has_form(&self, value: &[u8]) -> bool {
        bytes::parse::<i64>(value).is_some()
    }
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    let function = fitting.function("last4");
    match fitting.column.kind {
        Type::Text { .. } => shape::fit(fitting),
        Type::Integer(_) => {
            let digits = match fitting.column.kind {
                Type::Integer(2) => 32_767,
                _ => i64::MAX,
            };
            let mask = LastFour {
                four: Permutation::new(&function, 10_000),
                longer: Shape::new(function, shape::most(&fitting.column.kind)),
            };
            let form = format!("{} <= {digits}", fitting.sql());
            Ok(fitting.fitted(mask, form))
        }
        _ => Err(fitting.wrong_type(ForTypes::TextAndIntegers)),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{any, case, same_shape, Case};
    use crate::types::Type;

    pub(crate) const CASES: &[Case] = &[
        case("last4", "[0-9]{4}", same_shape),
        case("last4", "[1-9][0-9]{0,3}", any).on(|| Type::Integer(2)),
    ];
}
