//! Unique indexes that see a part of a value: an address's domain, the first letters of a name, one key of a document.
//! Pseudonyms that differ may be alike there, so the mask is tried on values that differ there.

use super::parse::parse_expression;
use super::schema::{KeyPart, Schema};
use masking::{Mask, Pseudonyms, RowMask, TableFacts, Type};
use pg_dump_archive::{copy, DumpId};
use reading::Reading;
use std::collections::HashSet;

mod reading;

/// So many values show what a mask makes of a part.
const SAMPLES: usize = 100;

/// A part of a keyed digest is distinct from this length on, as a whole pseudonym is.
const DISTINCT: usize = 14;

/// What a unique index sees of a column.
#[derive(Debug, Clone)]
pub(super) struct SeenPart {
    /// The index's or the constraint's entry.
    index: DumpId,
    sql: String,
    /// None: it is not understood.
    reading: Option<Reading>,
}

/// What unique indexes of a table, and of those that it is a partition of, see of a column where they do not compare it
/// itself. A generated column stands for what it is computed from.
pub(super) fn of_column(schema: &Schema, table: usize, column: &str) -> Vec<SeenPart> {
    let mut found = Vec::new();
    for table in std::iter::once(table).chain(schema.partition_ancestors(table)) {
        let table = &schema.tables[table];
        for unique in &table.uniques {
            for part in &unique.parts {
                let sql = match part {
                    KeyPart::Expression(expression) if expression.names.iter().any(|name| name == column) => {
                        Some(&expression.sql)
                    }
                    KeyPart::Expression(_) => None,
                    KeyPart::Column(name) => table
                        .column(name)
                        .filter(|known| known.generated.iter().flatten().any(|name| name == column))
                        .and_then(|known| known.generated_as.as_ref()),
                };
                found.extend(sql.map(|sql| SeenPart {
                    index: unique.dump_id,
                    sql: sql.trim().to_owned(),
                    reading: read(sql, column),
                }));
            }
        }
    }
    found
}

fn read(sql: &str, column: &str) -> Option<Reading> {
    Reading::of(&parse_expression(sql).ok()?, column)
}

/// Whether a part of a key is a value within a document, and not the document.
pub(super) fn is_within_document(part: &KeyPart, column: &str, kind: &Type) -> bool {
    let KeyPart::Expression(expression) = part else {
        return false;
    };
    matches!(kind, Type::Json | Type::Jsonb)
        && read(&expression.sql, column).is_some_and(|reading| reading.path().is_some())
}

impl SeenPart {
    pub(super) fn sql(&self) -> &str {
        &self.sql
    }

    /// The entry of the index or the constraint.
    pub(super) fn index(&self) -> DumpId {
        self.index
    }

    /// Whether it is known what is seen.
    pub(super) fn is_understood(&self) -> bool {
        self.reading.is_some()
    }

    /// Whether values that differ may be one here.
    pub(super) fn is_less_than_the_value(&self) -> bool {
        self.reading.as_ref().is_some_and(Reading::is_a_part)
    }

    /// Whether what a mask writes differs here where originals do, as far as trying shows. In doubt it does.
    pub(super) fn is_kept_apart(
        &self,
        (table, position): (&TableFacts, usize),
        mask: &Mask,
        pseudonyms: &Pseudonyms,
    ) -> bool {
        let Some(reading) = self.reading.as_ref().filter(|reading| reading.is_a_part()) else {
            return true;
        };
        let Ok(mask) = RowMask::new(table, &[(position, mask.clone())], pseudonyms) else {
            return true;
        };
        let mask = std::sync::Arc::new(mask);
        let families = [letters(), digits()].into_iter();
        families
            .map(|family| {
                family
                    .iter()
                    .map(|value| reading.within(value))
                    .collect::<Vec<_>>()
            })
            .filter(|family| are_distinct(&parts_of(reading, family)))
            .all(|family| {
                let originals = parts_of(reading, &family);
                match masked(&mask, table.columns.len(), position, &family) {
                    Some(values) => are_apart(&originals, &parts_of_masked(reading, &values)),
                    None => true,
                }
            })
    }
}

/// Addresses of few letters: of each the beginning, the end and what stands between its dots is its own.
fn letters() -> Vec<String> {
    let letter = |number: usize| char::from(b'a' + (number % 26) as u8);
    let own = |number: usize| format!("{}{}", letter(number / 26 + 7), letter(number));
    let values = (0..SAMPLES).map(own);
    values.map(|own| format!("{own}.{own}@{own}.{own}")).collect()
}

/// Numbers as telephone numbers are, of which the beginning and the end are their own.
fn digits() -> Vec<String> {
    (0..SAMPLES)
        .map(|number| format!("{number:02}").repeat(5))
        .collect()
}

fn parts_of(reading: &Reading, values: &[String]) -> Vec<Option<String>> {
    values.iter().map(|value| reading.apply(value)).collect()
}

fn parts_of_masked(reading: &Reading, values: &[Option<String>]) -> Vec<Option<String>> {
    let values = values.iter();
    values.map(|value| reading.apply(value.as_deref()?)).collect()
}

fn are_distinct(parts: &[Option<String>]) -> bool {
    let distinct: HashSet<&String> = parts.iter().flatten().collect();
    distinct.len() == parts.len()
}

/// Each is what it was, or NULL, or so long and so different from all others as a pseudonym is.
fn are_apart(originals: &[Option<String>], masked: &[Option<String>]) -> bool {
    if originals == masked {
        return true;
    }
    let filled: Vec<Option<String>> = masked.iter().filter(|part| part.is_some()).cloned().collect();
    are_distinct(&filled)
        && filled
            .iter()
            .flatten()
            .all(|part| part.chars().count() >= DISTINCT)
}

/// What becomes of values in a column of a table; None where the mask cannot be tried.
fn masked(
    mask: &std::sync::Arc<RowMask>,
    width: usize,
    position: usize,
    values: &[String],
) -> Option<Vec<Option<String>>> {
    let mut rows = Vec::new();
    for value in values {
        for place in 0..width {
            match place == position {
                true => copy::encode(Some(value.as_bytes()), &mut rows),
                false => rows.push(b'1'),
            }
            rows.push(if place + 1 == width { b'\n' } else { b'\t' });
        }
    }
    let mut out = Vec::new();
    mask.masker().mask_piece(&rows, &mut out).ok()?;
    let rows = out.split(|byte| *byte == b'\n').take(values.len());
    let fields = rows.map(|row| row.split(|byte| *byte == b'\t').nth(position));
    let mut decoded = Vec::new();
    let values = fields.map(|field| {
        let value = copy::decode(field?, &mut decoded)?;
        Some(String::from_utf8_lossy(value).into_owned())
    });
    Some(values.collect())
}
