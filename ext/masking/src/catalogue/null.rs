//! `null`.

use crate::action::Writes;
use crate::becomes::Becomes;
use crate::entry::{CatalogueEntry, Example, Fitted, Fitting, Nulls};
use crate::error::Unfit;
use crate::misfit::Misfit;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    example: Example::of_text("secret"),
    is_wide: true,
    nulls: Nulls::Always,
    ..CatalogueEntry::new("null", "NULL", fit)
};

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    if fitting.column.not_null {
        return Err(fitting.unfit(Misfit::NotNull));
    }
    if fitting.column.unique.distinct && fitting.column.unique.counts_nulls {
        let advice = fitting.what_keeps_distinct();
        return Err(fitting.unfit(Misfit::NullsAlike { advice }));
    }
    let form = format!("{} IS NULL", fitting.sql());
    Ok(Fitted::new(Writes::null(), Becomes::Null, form))
}

#[cfg(test)]
pub(super) mod tests {
    use crate::testing::{case, plain, Case};

    pub(crate) const CASES: &[Case] = &[case("null", "[a-z]{1,9}", |_, new| new == "\\N")];

    #[test]
    fn every_value_becomes_null() {
        assert_eq!(plain("null", "x"), "\\N");
    }
}
