//! `template`: text with other columns' values in it.

use crate::action::Other;
use crate::bytes::cut;
use crate::entry::{CatalogueEntry, Example, Fitted, Fitting};
use crate::error::Unfit;
use crate::misfit::{Expected, Misfit};
use crate::pseudonym::{Pseudonym, Work};
use crate::sql::escape_pattern;
use crate::types::Type;
use pg_dump_archive::copy::Row;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    options: &[("template", "the text, such as `user-{id}@x.test`, required")],
    example: Example::of_text("ada").with(r#"{"template": "user-{id}@x.test"}"#),
    ..CatalogueEntry::new(
        "template",
        "text with other columns' values in it, as they are after masking",
        fit,
    )
};

/// A part of a template.
#[derive(Debug)]
enum Piece {
    Text(Box<str>),
    Column(Other),
}

#[derive(Debug)]
struct Template {
    pieces: Vec<Piece>,
    limit: usize,
    is_distinct: bool,
}

impl Pseudonym for Template {
    fn write(&self, _: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let start = out.len();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Column(other) => {
                    out.extend_from_slice(other.value(row, work).unwrap_or_default());
                }
            }
        }
        if !self.is_distinct && self.limit < usize::MAX {
            cut(out, start, self.limit);
        }
    }

    fn has_form(&self, value: &[u8]) -> bool {
        let first = match self.pieces.first() {
            Some(Piece::Text(text)) => text.as_bytes(),
            _ => b"",
        };
        let length = first.len().min(value.len());
        value[..length] == first[..length]
    }

    fn fits(&self, written: &[u8]) -> bool {
        self.limit == usize::MAX || String::from_utf8_lossy(written).chars().count() <= self.limit
    }
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    let limit = fitting.text()?.limit;
    let Some(given) = fitting.string("template")? else {
        return Err(fitting.wrong_option("template", Expected::Template));
    };
    let pieces = pieces(fitting, given)?;
    let is_distinct = fitting.column.unique.distinct;
    if is_distinct {
        check_distinct(fitting, &pieces, limit)?;
    }
    let pattern: String = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => escape_pattern(text),
            Piece::Column(_) => ".*".into(),
        })
        .collect();
    let mut form = fitting.matches(&format!("^{pattern}$"));
    if !is_distinct && limit < usize::MAX {
        // A value that was cut at the column's end.
        form = format!(
            "{form} OR pg_catalog.char_length({}::pg_catalog.text) = {limit}",
            fitting.sql()
        );
    }
    let reads = pieces.iter().filter_map(|piece| match piece {
        Piece::Column(other) => Some(other.column),
        Piece::Text(_) => None,
    });
    let reads = reads.collect();
    let template = Template {
        pieces,
        limit,
        is_distinct,
    };
    Ok(Fitted {
        reads,
        ..fitting.fitted(template, form)
    })
}

/// The template in its pieces: text, and columns in braces.
fn pieces(fitting: &Fitting<'_>, template: &str) -> Result<Vec<Piece>, Box<Unfit>> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let Some(length) = rest[open..].find('}') else {
            return Err(fitting.wrong_option("template", Expected::Braces));
        };
        if open > 0 {
            pieces.push(Piece::Text(rest[..open].into()));
        }
        pieces.push(Piece::Column(column(fitting, &rest[open + 1..open + length])?));
        rest = &rest[open + length + 1..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.into()));
    }
    Ok(pieces)
}

/// A column that a template names.
fn column(fitting: &Fitting<'_>, name: &str) -> Result<Other, Box<Unfit>> {
    let table = fitting.ground.table;
    let Some(place) = table.position(name) else {
        return Err(fitting.unfit(Misfit::TemplateColumn {
            other: name.to_owned(),
            table: table.name.clone(),
        }));
    };
    let mut masks = fitting.ground.masks.iter();
    let is_template =
        place == fitting.position || masks.any(|(position, mask)| *position == place && mask.is(MASK.name));
    if is_template {
        let other = name.to_owned();
        return Err(fitting.unfit(Misfit::TemplateOfTemplate { other }));
    }
    fitting.other(place)
}

/// Whether what it writes differs from row to row, and has room.
fn check_distinct(fitting: &Fitting<'_>, pieces: &[Piece], limit: usize) -> Result<(), Box<Unfit>> {
    let table = fitting.ground.table;
    let is_distinct_key = |other: &Other| {
        let is_key = table.key == [other.column] && table.key_is_enforced;
        is_key && (other.action.is_none() || table.columns[other.column].unique.distinct)
    };
    let names_the_key = pieces
        .iter()
        .any(|piece| matches!(piece, Piece::Column(other) if is_distinct_key(other)));
    if !names_the_key {
        return Err(fitting.unfit(Misfit::TemplateWithoutKey));
    }
    let least: usize = pieces.iter().map(|piece| least_room(fitting, piece)).sum();
    if least > limit {
        return Err(fitting.unfit(Misfit::TemplateRoom {
            column_type: fitting.column_type(),
            length: least,
        }));
    }
    Ok(())
}

/// The characters that a piece needs, where it is known: ten digits are all that an integer has, and as many as a
/// bigint ever needs; the worker watches the rest.
fn least_room(fitting: &Fitting<'_>, piece: &Piece) -> usize {
    match piece {
        Piece::Text(text) => text.chars().count(),
        Piece::Column(other) => match fitting.ground.table.columns[other.column].kind {
            Type::Integer(2) => 5,
            Type::Integer(_) => 10,
            Type::Uuid => 36,
            _ => 0,
        },
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::misfit::Misfit;
    use crate::testing::{case, column, fitted, on_text, pseudonyms, table, Case, UNIQUE};
    use crate::types::Type;
    use crate::{Mask, RowMask};
    use serde_json::json;
    use std::sync::Arc;

    pub(crate) const CASES: &[Case] = &[case("template", "[a-z]{1,9}", |_, new| {
        new.starts_with("user-") && new.ends_with("@x.test")
    })
    .with(r#"{"template": "user-{id}@x.test"}"#)];

    #[test]
    fn columns_stand_where_the_template_names_them() {
        assert_eq!(
            on_text("template", json!({"template": "user-{id}@x.test"}), "x"),
            "user-0@x.test"
        );
    }

    #[test]
    fn what_becomes_something_else_in_each_row_stands_in_the_template_of_that_row() {
        let facts = table(vec![
            column("id", Type::Integer(8)),
            column("born", Type::Date),
            column("label", Type::TEXT),
        ]);
        let named =
            |name: &str, options: serde_json::Value| Mask::named(name, options.as_object().unwrap()).unwrap();
        let masks = [
            (1, named("date", json!({}))),
            (2, named("template", json!({"template": "born {born}"}))),
        ];
        let mask = Arc::new(RowMask::new(&facts, &masks, &pseudonyms()).unwrap());
        let (mut masker, mut out) = (mask.masker(), Vec::new());
        let rows: String = (0..20).map(|id| format!("{id}\t1815-12-10\tx\n")).collect();
        masker.mask_piece(rows.as_bytes(), &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        let mut days = std::collections::HashSet::new();
        for line in out.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            assert_eq!(fields[2], format!("born {}", fields[1]));
            days.insert(fields[1].to_owned());
        }
        assert!(days.len() > 10, "{days:?}");
    }

    #[test]
    fn under_a_unique_index_a_template_names_the_primary_key() {
        let problem = fitted("template", json!({"template": "{person}"}), Type::TEXT, UNIQUE).unwrap_err();
        assert_eq!(problem.misfit, Misfit::TemplateWithoutKey);
    }
}
