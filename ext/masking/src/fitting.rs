//! What masks ask while they fit themselves to a column: its type, its room, their options; and what does not fit.

use super::action::Writes;
use super::becomes::Becomes;
use super::entry::{Fitted, Fitting, Mask, Options};
use super::equal::{Equal, Fold};
use super::error::Unfit;
use super::key::Function;
use super::misfit::{Distinct, Expected, ForTypes, Held, InvalidMask, Misfit};
use super::pseudonym::Pseudonym;
use super::sql::{plain_text, quote_identifier, quote_literal};
use super::table::{ColumnFacts, Uniqueness};
use super::types::Type;
use serde_json::Value;
use std::ops::RangeInclusive;

/// The fewest bits of a keyed digest that are taken for distinct under a unique index: among ten million rows,
/// two of 2^56 values meet with a probability below one in a thousand, and then an index fails, nothing leaks.
const DISTINCT_BITS: usize = 56;
/// Hex digits for that many bits.
pub(super) const DISTINCT_HEX: usize = DISTINCT_BITS / 4;
/// Decimal digits for that many bits.
pub(super) const DISTINCT_DIGITS: usize = 17;

/// A text column.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextColumn {
    /// The most characters that it holds.
    pub(super) limit: usize,
    /// What does not count in its values: case, where it is under an index that takes no case for another one, and
    /// what its collation leaves out of account.
    pub(super) fold: Fold,
}

impl Fitting<'_> {
    /// The mask does not fit.
    pub(super) fn unfit(&self, misfit: Misfit) -> Box<Unfit> {
        Box::new(Unfit {
            table: self.ground.table.name.clone(),
            column: self.column.name.clone(),
            misfit,
        })
    }

    /// The name of the column's type.
    pub(super) fn column_type(&self) -> String {
        self.column.kind.describe()
    }

    pub(super) fn wrong_type(&self, types: ForTypes) -> Box<Unfit> {
        self.unfit(Misfit::OtherType {
            column_type: self.column_type(),
            mask: self.name(),
            types,
        })
    }

    /// For what a strategy gives a column, which no rule can name alone.
    pub(super) fn cannot_hold(&self, value: Held) -> Box<Unfit> {
        let column_type = self.column_type();
        self.unfit(Misfit::CannotHold { column_type, value })
    }

    /// The mask that is named within this one is none.
    pub(super) fn inner(&self, invalid: InvalidMask) -> Box<Unfit> {
        let mask = self.name();
        self.unfit(Misfit::Inner { mask, invalid })
    }

    /// The column is under a unique index and too small.
    pub(super) fn too_small_to_be_distinct(&self) -> Box<Unfit> {
        let column_type = self.column_type();
        self.unfit(Misfit::TooSmall { column_type })
    }

    pub(super) fn wrong_option(&self, option: &str, expected: Expected) -> Box<Unfit> {
        self.unfit(Misfit::Option {
            mask: self.name(),
            option: option.to_owned(),
            expected,
        })
    }

    pub(super) fn text(&self) -> Result<TextColumn, Box<Unfit>> {
        match self.column.kind {
            Type::Text {
                limit, ignores_case, ..
            } => Ok(TextColumn {
                limit: limit.unwrap_or(usize::MAX),
                fold: self.fold(
                    !self.column.unique.tells_case_apart && (ignores_case || self.column.unique.distinct),
                ),
            }),
            _ => Err(self.wrong_type(ForTypes::Text)),
        }
    }

    /// What does not count in values of the column, and case if `lower` says so.
    pub(super) fn fold(&self, lower: bool) -> Fold {
        let unique = &self.column.unique;
        // Another index may compare more than the column's collation.
        let equal = match unique.equal {
            Equal::WithoutCase | Equal::WithoutAccents if unique.tells_case_apart => Equal::Bytes,
            equal => equal,
        };
        Fold::new(lower, equal)
    }

    /// A text column of at least this many characters.
    pub(super) fn text_of(&self, length: usize) -> Result<TextColumn, Box<Unfit>> {
        let text = self.text()?;
        if text.limit < length {
            return Err(self.too_short(length));
        }
        Ok(text)
    }

    /// The column is shorter than what the mask writes.
    pub(super) fn too_short(&self, length: usize) -> Box<Unfit> {
        self.unfit(Misfit::Room {
            column_type: self.column_type(),
            mask: self.name(),
            length,
        })
    }

    /// The mask repeats itself, so it is not for a column under a unique index.
    pub(super) fn may_repeat(&self) -> Result<(), Box<Unfit>> {
        if self.column.unique.distinct {
            return Err(self.unfit(Misfit::Repeats {
                mask: self.name(),
                advice: self.what_keeps_distinct(),
            }));
        }
        Ok(())
    }

    /// What to do about a mask that repeats itself: masks that fit this column and do not.
    pub(super) fn what_keeps_distinct(&self) -> Distinct {
        const CANDIDATES: [&str; 4] = ["hash", "token", "email", "uuid"];
        let catalogue = self.ground.catalogue;
        let fits = |name: &&str| {
            let mask = catalogue.mask(name, &Options::new()).ok();
            mask.is_some_and(|mask| {
                let fitting = Fitting { mask: &mask, ..*self };
                (mask.entry.fit)(&fitting).is_ok()
            })
        };
        // One that repeats itself is none of them.
        let candidates = CANDIDATES.iter().filter(|name| **name != self.name());
        let mut fitting: Vec<&'static str> = candidates.copied().filter(|name| fits(name)).take(3).collect();
        match (fitting.pop(), fitting) {
            (None, _) => Distinct::None,
            (Some(mask), others) if others.is_empty() => Distinct::One { mask },
            (Some(last), others) => Distinct::Several {
                masks: others.iter().map(|name| format!(":{name}")).collect(),
                last,
            },
        }
    }

    /// The mask's name.
    pub(super) fn name(&self) -> &'static str {
        self.mask.entry.name
    }

    /// The keyed function for one kind of pseudonym.
    pub(super) fn function(&self, kind: &str) -> Function {
        self.ground.pseudonyms.key.function(kind)
    }

    /// An option as the rule gives it.
    pub(super) fn option(&self, option: &str) -> Option<&Value> {
        self.mask.options.get(option)
    }

    pub(super) fn flag(&self, option: &str) -> Result<bool, Box<Unfit>> {
        match self.option(option) {
            None => Ok(false),
            Some(Value::Bool(value)) => Ok(*value),
            Some(_) => Err(self.wrong_option(option, Expected::Flag)),
        }
    }

    pub(super) fn number(
        &self,
        option: &str,
        default: u64,
        range: RangeInclusive<u64>,
    ) -> Result<u64, Box<Unfit>> {
        match self.option(option) {
            None => Ok(default),
            Some(value) => value
                .as_u64()
                .filter(|number| range.contains(number))
                .ok_or_else(|| {
                    let (least, most) = (*range.start(), *range.end());
                    self.wrong_option(option, Expected::Number { least, most })
                }),
        }
    }

    pub(super) fn string(&self, option: &str) -> Result<Option<&str>, Box<Unfit>> {
        match self.option(option) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
            Some(_) => Err(self.wrong_option(option, Expected::Text)),
        }
    }

    /// The column's name in quotes.
    pub(super) fn sql(&self) -> String {
        quote_identifier(&self.column.name)
    }

    /// A condition that the column, as text, matches a regular expression.
    pub(super) fn matches(&self, pattern: &str) -> String {
        format!("{} ~ {}", plain_text(&self.sql()), quote_literal(pattern))
    }

    /// A condition that the column, as text, is this.
    pub(super) fn equals(&self, text: &str) -> String {
        format!("{} = {}", plain_text(&self.sql()), quote_literal(text))
    }

    /// A condition that the column, as text, is ASCII.
    pub(super) fn is_ascii(&self) -> String {
        self.matches("^[\\u0001-\\u007f]*$")
    }

    /// A condition that the column's text has this many bytes: hex digits, then `rest`, which begins with none and is
    /// ASCII. Eight times as fast as a regular expression, because bytes are compared, not characters.
    pub(super) fn is_hex_before(&self, length: usize, rest: &str) -> String {
        let text = format!("{}::pg_catalog.text", self.sql());
        format!(
            "pg_catalog.octet_length({text}) = {length} AND \
             pg_catalog.ltrim(pg_catalog.textsend({text}), '0123456789abcdef'::pg_catalog.bytea) = {}::pg_catalog.bytea",
            quote_literal(rest)
        )
    }

    /// The mask as it runs on this column.
    pub(super) fn fitted(&self, pseudonym: impl Pseudonym + 'static, form: impl Into<String>) -> Fitted {
        Fitted::pseudonym(pseudonym, Becomes::Mask { mask: self.name() }, form)
    }

    /// A mask that an option names, in any way that rules can name one.
    pub(super) fn named(&self, value: &Value) -> Result<Mask, InvalidMask> {
        let catalogue = self.ground.catalogue;
        match value {
            Value::String(name) => catalogue.mask(name, &Options::new()),
            Value::Object(map) => {
                let mut options = map.clone();
                match options.remove("mask") {
                    Some(Value::String(name)) => catalogue.mask(&name, &options),
                    _ => Err(InvalidMask::Form),
                }
            }
            _ => Err(InvalidMask::Form),
        }
    }

    /// A mask for values within a value that are text, numbers and dates alike, such as those of a JSON document.
    pub(super) fn within(&self, mask: &Mask) -> Result<Writes, Box<Unfit>> {
        let unfit = match self.for_type(mask, Type::TEXT) {
            Ok(writes) => return Ok(writes),
            Err(unfit) => unfit,
        };
        // A number or a date within a document is text there, too.
        let others = [Type::Numeric { digits: None }, Type::Date, Type::Timestamp];
        let mut fits = others
            .into_iter()
            .filter_map(|kind| self.for_type(mask, kind).ok());
        fits.next().ok_or(unfit)
    }

    /// A mask for values of one type within a value, such as the elements of an array.
    pub(super) fn for_type(&self, mask: &Mask, kind: Type) -> Result<Writes, Box<Unfit>> {
        let column = ColumnFacts {
            name: self.column.name.clone(),
            kind,
            not_null: false,
            unique: Uniqueness::default(),
        };
        let fitting = Fitting {
            ground: self.ground,
            column: &column,
            position: self.position,
            mask,
        };
        (mask.entry.fit)(&fitting).map(|fitted| fitted.writes)
    }
}
