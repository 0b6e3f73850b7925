//! Masks that always write the same.

use crate::action::Writes;
use crate::becomes::Becomes;
use crate::entry::{Fitted, Fitting};
use crate::pseudonym::{Pseudonym, Work};
use crate::types::Type;
use pg_dump_archive::copy::Row;

/// Always the same text, but for what is empty.
#[derive(Debug)]
struct Always(Box<[u8]>);

impl Pseudonym for Always {
    fn write(&self, _: &[u8], _: &Row<'_>, _: &mut Work, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }

    fn has_form(&self, value: &[u8]) -> bool {
        value == &*self.0
    }
}

/// Always the same value. A text column's empty values stay empty.
pub(crate) fn fit(fitting: &Fitting<'_>, value: &str, form: String) -> Fitted {
    if matches!(fitting.column.kind, Type::Text { .. }) {
        return fitting.fitted(Always(value.as_bytes().into()), form);
    }
    Fitted::new(Writes::value(value), Becomes::Mask { mask: fitting.name() }, form)
}
