//! `neutral`: NULL, or a value that says nothing where the column is NOT NULL; a keyed value under a unique index. For
//! the strategies, and for columns that no mask of the catalogue fits.

use crate::action::Writes;
use crate::becomes::Becomes;
use crate::entry::{CatalogueEntry, Fitted, Fitting, Mask, Nulls, Options};
use crate::error::Unfit;
use crate::families::distinct;
use crate::misfit::Misfit;
use crate::types::Test;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    is_wide: true,
    nulls: Nulls::WhereTaken,
    ..CatalogueEntry::new("neutral", "NULL, or a value that says nothing", fit)
};

impl Mask {
    /// NULL, or a value that says nothing where the column is NOT NULL; it fits nearly every column.
    pub fn neutral() -> Self {
        Mask::new(&MASK, Options::new())
    }
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    let column = fitting.column;
    if column.unique.distinct && (column.not_null || column.unique.counts_nulls) {
        return distinct::fit(fitting);
    }
    if !column.not_null {
        let form = format!("{} IS NULL", fitting.sql());
        return Ok(Fitted::new(Writes::null(), Becomes::Null, form));
    }
    let Some(neutral) = column.kind.neutral() else {
        let column_type = fitting.column_type();
        return Err(fitting.unfit(Misfit::NoNeutral { column_type }));
    };
    let form = match &neutral.test {
        Test::Text(text) => fitting.equals(text),
        Test::Equals(sql) => format!("{} = {sql}", fitting.sql()),
    };
    let becomes = Becomes::Neutral {
        value: neutral.value.to_string(),
    };
    Ok(Fitted::new(Writes::value(&neutral.value), becomes, form))
}
