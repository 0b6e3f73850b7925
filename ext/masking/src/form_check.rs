//! Whether rows that were masked have the form of their masks, as far as the rows alone show.

use super::action::{Action, Writes};
use super::bytes::without_padding;
use super::fit::MaskedColumn;
use super::row_mask::RowMask;
use crate::error::MaskError;
use pg_dump_archive::copy::{self, Splitter};
use std::sync::Arc;

/// Looks at masked rows. It sees no originals, so a value that a rule keeps is one without form.
#[derive(Debug)]
pub struct FormCheck {
    mask: Arc<RowMask>,
    rows: u64,
    without_form: Vec<u64>,
    splitter: Splitter,
    decoded: Vec<u8>,
}

impl RowMask {
    /// A worker that looks at rows that were masked with this.
    pub fn form_check(self: &Arc<Self>) -> FormCheck {
        FormCheck {
            mask: Arc::clone(self),
            rows: 0,
            without_form: vec![0; self.columns.len()],
            splitter: Splitter::new(),
            decoded: Vec::new(),
        }
    }
}

impl FormCheck {
    /// Rows that were looked at.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The masked columns, in the order of the data.
    pub fn columns(&self) -> &[MaskedColumn] {
        self.mask.columns()
    }

    /// Per masked column, in the order of [`FormCheck::columns`]: values that are neither NULL nor of the mask's form.
    pub fn without_form(&self) -> &[u64] {
        &self.without_form
    }

    /// Looks at whole rows of COPY text, each ended by a newline.
    ///
    /// # Errors
    /// Rows that are not those of the table.
    pub fn look(&mut self, piece: &[u8]) -> Result<(), MaskError> {
        let Self {
            mask,
            rows,
            without_form,
            splitter,
            decoded,
        } = self;
        let mut all = splitter.rows(piece);
        while let Some(row) = all.next_row() {
            let found = row.fields();
            if found != mask.width {
                return Err(MaskError::Fields {
                    table: mask.table.clone(),
                    found,
                    columns: mask.width,
                });
            }
            *rows += 1;
            for (action, count) in mask.actions.iter().zip(&mut *without_form) {
                *count += u64::from(!action.has_form(row.field(action.column), decoded));
            }
        }
        match all.end() == piece.len() {
            true => Ok(()),
            false => Err(MaskError::Cut {
                table: mask.table.clone(),
            }),
        }
    }
}

impl Action {
    /// Whether a field is NULL, or has the form of what this writes.
    fn has_form(&self, field: &[u8], decoded: &mut Vec<u8>) -> bool {
        let Some(value) = copy::decode(field, decoded) else {
            return true;
        };
        match &self.writes {
            Writes::Fixed(fixed) => field == fixed.bytes(),
            Writes::Pseudonym(pseudonym) => {
                let bare = match self.blanks.are_padding {
                    true => without_padding(value),
                    false => value,
                };
                (bare.is_empty() && self.blanks.empty_stays)
                    || pseudonym.has_form(value)
                    || pseudonym.has_form(bare)
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::error::MaskError;
    use crate::row_mask::RowMask;
    use crate::table::Uniqueness;
    use crate::testing::{fitted, text};
    use crate::types::Type;
    use serde_json::json;
    use std::sync::Arc;

    fn mask(name: &str) -> Arc<RowMask> {
        fitted(name, json!({}), text(), Uniqueness::default()).unwrap()
    }

    fn without_form(mask: &Arc<RowMask>, rows: &[u8]) -> u64 {
        let mut check = mask.form_check();
        check.look(rows).unwrap();
        assert_eq!(
            check.rows(),
            rows.iter().filter(|byte| **byte == b'\n').count() as u64
        );
        check.without_form()[0]
    }

    #[test]
    fn originals_have_not_the_form_and_neither_has_what_should_be_empty() {
        let rows = b"1\t7\tada@example.org\n2\t7\tgrace@navy.mil\n3\t7\t\\N\n4\t7\t\n";
        assert_eq!(without_form(&mask("email"), rows), 2);
        assert_eq!(without_form(&mask("null"), rows), 3);
        assert_eq!(without_form(&mask("redact"), rows), 2);
    }

    #[test]
    fn padding_does_not_count() {
        let kind = Type::Text {
            limit: Some(40),
            padded: true,
            ignores_case: false,
        };
        let mask = fitted("email", json!({}), kind, Uniqueness::default()).unwrap();
        let mut written = Vec::new();
        mask.masker()
            .mask_piece(b"1\t7\tada@example.org\n", &mut written)
            .unwrap();
        written.splice(written.len() - 1.., *b"     \n");
        assert_eq!(without_form(&mask, &written), 0);
    }

    #[test]
    fn rows_that_are_not_the_tables_are_refused() {
        let refused = |rows: &[u8]| mask("email").form_check().look(rows).unwrap_err();
        assert!(matches!(refused(b"1\t7\n"), MaskError::Fields { found: 2, .. }));
        assert!(matches!(refused(b"1\t7\ta"), MaskError::Cut { .. }));
    }
}
