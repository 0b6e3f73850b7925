//! `array`.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting, ANY_VALUE};
use crate::error::Unfit;
use crate::families::document::{quoted, write_quoted, BorrowedBuffers, Inner};
use crate::misfit::{Expected, ForTypes};
use crate::pseudonym::{Pseudonym, Work};
use crate::types::Type;
use pg_dump_archive::copy::Row;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    options: &[("of", "the elements' mask, required")],
    example: Example::of("{ada@example.org}", || Type::Array(Box::new(Type::TEXT)))
        .with(r#"{"of": "email"}"#),
    ..CatalogueEntry::new(
        "array",
        "an array, each element masked as a column of its type",
        fit,
    )
};

#[derive(Debug)]
struct Array {
    of: Inner,
}

impl Array {
    fn elements(
        &self,
        value: &[u8],
        row: &Row<'_>,
        (buffers, work): (&mut BorrowedBuffers, &mut Work),
        out: &mut Vec<u8>,
    ) -> Option<()> {
        // `[2:3]={…}`: bounds other than from 1.
        let mut rest = match value.first() {
            Some(b'[') => {
                let at = value.iter().position(|byte| *byte == b'=')?;
                out.extend_from_slice(&value[..=at]);
                &value[at + 1..]
            }
            _ => value,
        };
        let BorrowedBuffers { decoded, written, .. } = buffers;
        while let Some(byte) = rest.first() {
            if matches!(byte, b'{' | b'}' | b',') {
                out.push(*byte);
                rest = &rest[1..];
                continue;
            }
            let mut is_null = false;
            if *byte == b'"' {
                rest = quoted(rest, decoded)?;
            } else {
                let end = rest
                    .iter()
                    .position(|byte| matches!(byte, b',' | b'}'))
                    .unwrap_or(rest.len());
                decoded.clear();
                decoded.extend_from_slice(&rest[..end]);
                is_null = *decoded == b"NULL";
                rest = &rest[end..];
            }
            if is_null || self.of.is_null() {
                out.extend_from_slice(b"NULL");
                continue;
            }
            written.clear();
            if !decoded.is_empty() {
                self.of.write(decoded, row, work, written);
            }
            write_quoted(written, out);
        }
        Some(())
    }
}

impl Pseudonym for Array {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let start = out.len();
        let mut buffers = BorrowedBuffers::of(work);
        let read = self.elements(value, row, (&mut buffers, work), out);
        buffers.back(work);
        if read.is_none() {
            out.truncate(start);
            out.extend_from_slice(b"{}");
        }
    }

    fn has_form(&self, value: &[u8]) -> bool {
        matches!(value.first(), Some(b'{' | b'['))
    }
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    if !matches!(fitting.column.kind, Type::Array(_)) {
        return Err(fitting.wrong_type(ForTypes::Arrays));
    }
    fitting.may_repeat()?;
    let Some(of) = fitting.option("of") else {
        return Err(fitting.wrong_option("of", Expected::ElementMask));
    };
    let array = Array {
        of: Inner::new(fitting, of)?,
    };
    Ok(fitting.fitted(array, ANY_VALUE))
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::table::Uniqueness;
    use crate::testing::{case, fitted, plain, run, Case};
    use crate::types::Type;
    use serde_json::json;

    pub(crate) const CASES: &[Case] = &[
        case("array", "\\{[a-z]{1,6}@[a-z]{1,6}\\.fr,NULL,\"\"\\}", |_, new| {
            new.ends_with("@demo.example.com\",NULL,\"\"}")
        })
        .with(r#"{"of": "email"}"#)
        .on(|| Type::Array(Box::new(Type::TEXT)))
        .repeats(),
        case(
            "array",
            "\\{[1-9][0-9]{0,5},NULL,-[1-9][0-9]{0,5}\\}",
            |old, new| old.split(',').count() == new.split(',').count(),
        )
        .with(r#"{"of": "number"}"#)
        .on(|| Type::Array(Box::new(Type::Integer(4))))
        .repeats(),
    ];

    #[test]
    fn each_element_is_masked_but_for_null_and_empty_ones() {
        let kind = Type::Array(Box::new(Type::TEXT));
        let mask = fitted("array", json!({"of": "email"}), kind, Uniqueness::default()).unwrap();
        let email = plain("email", "ada@example.org");
        assert_eq!(
            run(&mask, &[r#"{ada@example.org,"ada@example.org",NULL,""}"#]),
            [format!(r#"{{"{email}","{email}",NULL,""}}"#)]
        );
    }
}
