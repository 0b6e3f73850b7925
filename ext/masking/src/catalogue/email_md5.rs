//! `email_md5`: the MD5 of the row's new address, or, where the row has none, a keyed digest of the old MD5. For the
//! strategies.

use super::email;
use crate::action::Other;
use crate::becomes::Becomes;
use crate::entry::{CatalogueEntry, Fitted, Fitting};
use crate::error::Unfit;
use crate::families::distinct::DistinctForm;
use crate::key::Function;
use crate::misfit::Held;
use crate::pseudonym::{Pseudonym, Work};
use crate::sql::{plain_text, quote_identifier};
use crate::types::Type;
use md5::{Digest, Md5};
use pg_dump_archive::copy::{self, Row};

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    own_form: |_| true,
    is_wide: true,
    ..CatalogueEntry::new("email_md5", "the MD5 of the row's new e-mail address", fit)
};

#[derive(Debug)]
struct EmailMd5 {
    /// The row's address.
    email: Option<Other>,
    function: Function,
    form: DistinctForm,
}

impl Pseudonym for EmailMd5 {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let address = self.email.as_ref().and_then(|email| email.value(row, work));
        match address {
            Some(address) => self.form.write(&Md5::digest(address), out),
            None => {
                let value = copy::decode(value, &mut work.first).unwrap_or_default();
                self.form
                    .write(&self.function.digest_within(value, row.piece), out);
            }
        }
    }

    fn has_form(&self, value: &[u8]) -> bool {
        self.form.is_of(value)
    }

    fn reads_value(&self) -> bool {
        false
    }

    fn is_plain(&self) -> bool {
        true
    }
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    let form = match fitting.column.kind {
        Type::Text { limit, .. } => DistinctForm::Hex(limit.unwrap_or(32).min(32)),
        Type::Uuid => DistinctForm::PlainUuid,
        _ => return Err(fitting.cannot_hold(Held::Md5)),
    };
    if fitting.column.unique.distinct && !form.is_wide() {
        return Err(fitting.too_small_to_be_distinct());
    }
    let table = fitting.ground.table;
    let is_address = |place: &usize| {
        let mut masks = fitting.ground.masks.iter();
        masks.any(|(at, mask)| at == place && mask.is(email::MASK.name))
    };
    let place = table.position("email").filter(is_address);
    let email = place.map(|place| fitting.other(place)).transpose()?;
    let condition = match (place, &form) {
        (Some(place), DistinctForm::Hex(length)) => {
            let address = quote_identifier(&table.columns[place].name);
            let md5 = format!("pg_catalog.md5({address}::pg_catalog.text)");
            let md5 = if *length < 32 {
                format!("pg_catalog.left({md5}, {length})")
            } else {
                md5
            };
            format!(
                "CASE WHEN {address} IS NULL THEN {} ELSE {} = {md5} END",
                form.sql(fitting),
                plain_text(&fitting.sql())
            )
        }
        _ => form.sql(fitting),
    };
    let md5 = EmailMd5 {
        email,
        function: fitting.function("email_md5"),
        form,
    };
    let fitted = Fitted::pseudonym(md5, Becomes::EmailMd5, condition);
    Ok(Fitted {
        reads: place.into_iter().collect(),
        ..fitted.also_of_empty()
    })
}
