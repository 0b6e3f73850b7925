//! A prefix and the digits of an id: the strategies' names and phone numbers.

use crate::append::{append, Fixed};
use crate::becomes::Becomes;
use crate::bytes::{first_u128, pad, write_digits};
use crate::entry::{Fitted, Fitting};
use crate::error::Unfit;
use crate::fitting::DISTINCT_DIGITS;
use crate::key::Function;
use crate::pseudonym::{Pseudonym, Work};
use crate::sql::{plain_text, quote_identifier, quote_literal};
use crate::types::Type;
use pg_dump_archive::copy::{self, Row};

/// How many digits an id has in a pseudonym that may repeat itself.
const ID_DIGITS: usize = 7;

/// The most digits of a keyed digest that a distinct pseudonym shows: 83 bits.
const KEYED_DIGITS: usize = 25;

/// What it looks like.
pub(crate) struct NumberedShape<'a> {
    pub(crate) prefix: &'a str,
    /// Digits are padded with zeros to this length.
    pub(crate) pad: usize,
    /// The whole is cut to this length, where it may repeat itself.
    pub(crate) limit: Option<usize>,
    /// The room for digits behind the prefix, where it may not.
    pub(crate) room: usize,
    /// The column that the id is looked for in before the primary key, where it may repeat itself.
    pub(crate) first: Option<usize>,
}

#[derive(Debug)]
struct Numbered {
    prefix: Fixed,
    /// Where the id comes from: the first that is not NULL.
    ids: Vec<IdSource>,
    function: Function,
    pad: usize,
    limit: Option<usize>,
    distinct: Option<DistinctIds>,
}

/// Where an id comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum IdSource {
    /// One column's value.
    Column(usize),
    /// All parts of a composite key.
    Key(Vec<usize>),
    /// The masked value itself.
    Own,
}

/// How ids stay distinct under a unique index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct DistinctIds {
    /// The id is an integer, whose digits are distinct by themselves; else a keyed digest is used.
    integer: bool,
    /// The most digits that fit.
    room: usize,
}

impl Numbered {
    #[inline(always)]
    fn write_id(&self, row: &Row<'_>, position: usize, scratch: &mut Vec<u8>, out: &mut Vec<u8>) {
        let (start, end) = row.range(position);
        let field = &row.piece[start..end];
        let (digits, negative) = match field.strip_prefix(b"-") {
            Some(rest) => (rest, true),
            None => (field, false),
        };
        let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        match self.distinct {
            // No number without a sign is written with a leading zero and more than seven digits, or, unpadded,
            // with a leading zero at all: the extra zero keeps -5 and 5 apart.
            Some(DistinctIds { integer: true, .. }) if is_number => {
                let length = digits.len().max(self.pad) + usize::from(negative);
                pad(length - digits.len(), out);
                out.extend_from_slice(digits);
            }
            None if is_number && !negative && digits.len() <= ID_DIGITS => {
                pad(self.pad.saturating_sub(digits.len()), out);
                append(row.piece, start..end, out);
            }
            _ => {
                let value = copy::decode(field, scratch).unwrap_or_default();
                self.write_keyed(self.function.digest(value), out);
            }
        }
    }

    fn write_keyed(&self, digest: [u8; 32], out: &mut Vec<u8>) {
        let length = self
            .distinct
            .map_or(ID_DIGITS, |distinct| distinct.room.min(KEYED_DIGITS));
        write_digits(first_u128(&digest), length, out);
    }

    fn digest_of_key(&self, row: &Row<'_>, positions: &[usize], scratch: &mut Vec<u8>) -> [u8; 32] {
        let mut parts = self.function.begin();
        for position in positions {
            parts.add(copy::decode(row.field(*position), scratch));
        }
        parts.finish()
    }
}

impl Pseudonym for Numbered {
    #[inline(always)]
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let start = out.len();
        self.prefix.append_to(out);
        for source in &self.ids {
            match source {
                IdSource::Column(position) => {
                    if row.field(*position) == b"\\N" {
                        continue;
                    }
                    self.write_id(row, *position, &mut work.first, out);
                }
                IdSource::Key(positions) => {
                    self.write_keyed(self.digest_of_key(row, positions, &mut work.first), out);
                }
                IdSource::Own => {
                    let value = copy::decode(value, &mut work.first).unwrap_or_default();
                    self.write_keyed(self.function.digest(value), out);
                }
            }
            break;
        }
        if let Some(limit) = self.limit {
            out.truncate(out.len().min(start + limit));
        }
    }

    #[inline(always)]
    fn has_form(&self, value: &[u8]) -> bool {
        let limit = self.limit.unwrap_or(usize::MAX);
        let prefix = self.prefix.bytes();
        if limit <= prefix.len() {
            return value == &prefix[..limit];
        }
        let Some((_, digits)) = value
            .split_at_checked(prefix.len())
            .filter(|(start, _)| self.prefix.is(start))
        else {
            return false;
        };
        let least = self.pad.max(1).min(limit - prefix.len());
        let most = match self.distinct {
            Some(distinct) => distinct.room,
            None => ID_DIGITS.min(limit - prefix.len()),
        };
        (least..=most).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
    }

    fn reads_value(&self) -> bool {
        false
    }

    fn is_plain(&self) -> bool {
        true
    }

    fn fits(&self, written: &[u8]) -> bool {
        let room = |distinct: DistinctIds| distinct.room.saturating_add(self.prefix.bytes().len());
        self.distinct
            .is_none_or(|distinct| written.len() <= room(distinct))
    }
}

/// Where `<id>` comes from: the primary key, a column `id`, or the value itself.
fn id(fitting: &Fitting<'_>) -> IdSource {
    let table = fitting.ground.table;
    match table.key.as_slice() {
        [] => table.position("id").map_or(IdSource::Own, IdSource::Column),
        [one] => IdSource::Column(*one),
        several => IdSource::Key(several.to_vec()),
    }
}

/// The source of an id that differs from row to row, and whether it is an integer.
fn distinct_id(fitting: &Fitting<'_>) -> (IdSource, bool) {
    let table = fitting.ground.table;
    if !table.key_is_enforced || table.key.is_empty() {
        return (IdSource::Own, false);
    }
    let source = id(fitting);
    let is_integer = match source {
        IdSource::Column(at) => matches!(table.columns[at].kind, Type::Integer(_)),
        _ => false,
    };
    (source, is_integer)
}

/// Fits it to a column that holds such text or such a number. Its form is the one of text.
pub(crate) fn fit(fitting: &Fitting<'_>, shape: &NumberedShape<'_>) -> Result<Fitted, Box<Unfit>> {
    let (last, distinct) = if fitting.column.unique.distinct {
        let (source, integer) = distinct_id(fitting);
        // Ten digits are all that an integer has, and as many as a bigint ever needs; the worker watches the rest.
        let needed = if integer { 10 } else { DISTINCT_DIGITS };
        if shape.room < needed {
            return Err(fitting.too_small_to_be_distinct());
        }
        let room = shape.room;
        (source, Some(DistinctIds { integer, room }))
    } else {
        (id(fitting), None)
    };
    let first = shape.first.filter(|_| distinct.is_none());
    let mut ids: Vec<IdSource> = first.map(IdSource::Column).into_iter().collect();
    ids.push(last);
    if !ids.contains(&IdSource::Own) {
        ids.push(IdSource::Own);
    }
    let form = form(fitting, shape, &ids, distinct.is_some());
    let numbered = Numbered {
        prefix: Fixed::new(shape.prefix.as_bytes()),
        ids,
        function: fitting.function("id"),
        pad: shape.pad,
        // What must not repeat itself is not cut.
        limit: shape.limit.filter(|_| distinct.is_none()),
        distinct,
    };
    Ok(Fitted::pseudonym(
        numbered,
        Becomes::Numbered {
            prefix: shape.prefix.to_owned(),
        },
        form,
    ))
}

/// The condition that a text column is such a pseudonym.
fn form(fitting: &Fitting<'_>, shape: &NumberedShape<'_>, ids: &[IdSource], is_distinct: bool) -> String {
    let (prefix, pad) = (shape.prefix, shape.pad);
    let pattern = match shape.limit {
        Some(limit) if limit <= prefix.len() => fitting.equals(&prefix[..limit]),
        _ if is_distinct => fitting.matches(&format!("^{prefix}[0-9]{{{},}}$", pad.max(1))),
        limit => {
            let most = limit.map_or(ID_DIGITS, |limit| (limit - prefix.len()).min(ID_DIGITS));
            fitting.matches(&format!("^{prefix}[0-9]{{{},{most}}}$", pad.clamp(1, most)))
        }
    };
    // The whole of such a pseudonym must fit, and seven digits always do where there is room for them.
    let fits = shape.limit.is_none_or(|limit| limit >= prefix.len() + ID_DIGITS);
    let usual = is_numbered_by(fitting, shape, ids).filter(|_| fits);
    usual.map_or(pattern.clone(), |usual| format!("{usual} OR {pattern}"))
}

/// A condition that the column is the prefix and the digits of the first column that `ids` name, at most seven, padded
/// with zeros. Those that meet it meet the pattern of a numbered pseudonym, and for nearly all rows it spares the
/// regular expression.
fn is_numbered_by(fitting: &Fitting<'_>, shape: &NumberedShape<'_>, ids: &[IdSource]) -> Option<String> {
    let IdSource::Column(position) = ids.first()? else {
        return None;
    };
    let column = fitting.ground.table.columns.get(*position)?;
    let mut masked = fitting.ground.masks.iter().map(|(masked, _)| masked);
    if masked.any(|masked| masked == position) || !matches!(column.kind, Type::Integer(_)) {
        return None;
    }
    let id = quote_identifier(&column.name);
    let digits = if shape.pad > 1 {
        format!("pg_catalog.lpad({id}::pg_catalog.text, {}, '0')", shape.pad)
    } else {
        format!("{id}::pg_catalog.text")
    };
    Some(format!(
        "{id} BETWEEN 0 AND 9999999 AND {} = {} || {digits}",
        plain_text(&fitting.sql()),
        quote_literal(shape.prefix)
    ))
}
