//! A mask of the catalogue with its options, and what fits it to a column.

use super::{Entry, MASKS};
use crate::copy;
use crate::mask::action::{Action, DoesNotFit, Row, Scratch};
use crate::mask::compile::{Fitted, ANY_VALUE};
use crate::mask::key::Function;
use crate::mask::sql::{quote_identifier, quote_literal};
use crate::mask::types::Type;
use crate::mask::{Column, Mask, Pseudonyms, Table, Uniqueness};
use crate::near::did_you_mean;
use regex::bytes::CaptureLocations;
use serde_json::{Map, Value};
use std::sync::Arc;

/// A mask of the catalogue with the options that the configuration gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    pub(in crate::mask) entry: &'static Entry,
    pub(in crate::mask) options: Map<String, Value>,
}

impl Recipe {
    /// Whether it is the mask of this name.
    pub fn is(&self, name: &str) -> bool {
        self.entry.name == name
    }

    /// The mask `name` with these options.
    ///
    /// # Errors
    /// The end of a sentence: there is no such mask, or it does not take such an option.
    pub fn named(name: &str, options: &Map<String, Value>) -> Result<Mask, String> {
        let Some(entry) = MASKS.iter().find(|entry| entry.name == name) else {
            return Err(unknown(name));
        };
        check_options(entry, options)?;
        // Without options it is the strategies' own.
        if name == "email" && !options.contains_key("keep_domain") {
            return Ok(Mask::Email);
        }
        Ok(Mask::Catalogue(Arc::new(Recipe {
            entry,
            options: options.clone(),
        })))
    }
}

/// Names every option that the mask does not take, and what was probably meant.
fn check_options(entry: &Entry, options: &Map<String, Value>) -> Result<(), String> {
    let known = || entry.options.iter().map(|(name, _)| *name);
    let wrong: Vec<String> = options
        .keys()
        .filter(|option| !known().any(|name| name == *option))
        .map(|option| format!("\"{option}\".{}", did_you_mean(option, known(), "")))
        .collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let known: Vec<&str> = known().collect();
    let takes = if known.is_empty() {
        "It takes no option.".to_owned()
    } else {
        format!("It takes {}.", known.join(", "))
    };
    Err(format!(
        "the mask :{} does not take the option {} {takes}",
        entry.name,
        wrong.join(" Nor ")
    ))
}

fn unknown(name: &str) -> String {
    if let Some((_, why)) = super::NOT_BUILT.iter().find(|(known, _)| *known == name) {
        return format!("the mask :{name} is not one of this version: {why}");
    }
    let known: Vec<&str> = MASKS.iter().map(|entry| entry.name).collect();
    let hint = did_you_mean(name, known.iter().copied(), ":");
    format!("there is no mask :{name}.{hint} There are {}.", known.join(", "))
}

/// Buffers that live as long as the worker.
#[derive(Debug, Default)]
pub(in crate::mask) struct Work {
    pub(super) first: Vec<u8>,
    pub(super) second: Vec<u8>,
    pub(super) third: Vec<u8>,
    /// Where the paths into a document stand.
    pub(super) states: Vec<u64>,
    /// Where a pattern was found in free text.
    pub(super) places: Option<CaptureLocations>,
    /// For a mask of another column, whose pseudonym goes into this one's.
    pub(super) other: Option<Box<Scratch>>,
    /// For a mask within a mask.
    deeper: Option<Box<Work>>,
}

impl Work {
    /// Buffers for a mask within a mask.
    pub(super) fn deeper(&mut self) -> &mut Work {
        self.deeper.get_or_insert_default()
    }
}

/// A mask fitted to one column.
pub(in crate::mask) trait Pseudonym: std::fmt::Debug + Send + Sync {
    /// Appends the pseudonym of a value that is neither NULL nor empty.
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>);

    /// Whether a value that is not empty has the form that the mask writes.
    fn has_form(&self, value: &[u8]) -> bool;

    /// Appends a value between the original and what was written for it, or as far on its other side, the nearer the
    /// higher `step` is; false when there is none. For CHECKs on how large a value is.
    fn write_nearer(&self, _original: &[u8], _written: &[u8], _step: u32, _out: &mut Vec<u8>) -> bool {
        false
    }

    /// Whether what was written would do for this column; a mask that may write too much says so here.
    fn fits(&self, _written: &[u8]) -> bool {
        true
    }
}

/// A [`Pseudonym`] between a COPY field and a COPY field.
#[derive(Debug)]
pub(in crate::mask) struct Custom {
    pub(in crate::mask) pseudonym: Box<dyn Pseudonym>,
    /// The column is `character(n)`, whose trailing blanks do not count.
    pub(in crate::mask) padded: bool,
}

/// The buffers of a [`Custom`].
#[derive(Debug, Default)]
pub(in crate::mask) struct CustomScratch {
    decoded: Vec<u8>,
    written: Vec<u8>,
    work: Work,
}

impl Custom {
    /// Appends the pseudonym of a field that is not NULL. Empty stays empty.
    pub(in crate::mask) fn write(
        &self,
        row: &Row<'_>,
        raw: &[u8],
        scratch: &mut CustomScratch,
        out: &mut Vec<u8>,
    ) -> Result<(), DoesNotFit> {
        let value = copy::decode(raw, &mut scratch.decoded).unwrap_or_default();
        let value = if self.padded {
            value.trim_ascii_end()
        } else {
            value
        };
        if value.is_empty() {
            return Ok(());
        }
        scratch.written.clear();
        self.pseudonym
            .write(value, row, &mut scratch.work, &mut scratch.written);
        if !self.pseudonym.fits(&scratch.written) {
            return Err(DoesNotFit::Long);
        }
        copy::encode(Some(&scratch.written), out);
        Ok(())
    }

    /// Whether a written field has the mask's form.
    pub(in crate::mask) fn has_form(&self, field: &[u8], scratch: &mut CustomScratch) -> bool {
        match copy::decode(field, &mut scratch.decoded) {
            None => false,
            Some(value) => value.is_empty() || self.pseudonym.has_form(value),
        }
    }
}

/// What a mask has to know to fit itself to a column.
pub(in crate::mask) struct Fitting<'a> {
    pub(in crate::mask) table: &'a Table,
    pub(in crate::mask) column: &'a Column,
    pub(in crate::mask) masks: &'a [(usize, Mask)],
    pub(in crate::mask) pseudonyms: &'a Pseudonyms,
    pub(in crate::mask) name: &'static str,
    pub(in crate::mask) options: &'a Map<String, Value>,
}

/// A text column.
#[derive(Debug, Clone, Copy)]
pub(in crate::mask) struct Text {
    /// The most characters that it holds.
    pub(in crate::mask) limit: usize,
    /// It is under an index that takes no case for another one.
    pub(in crate::mask) ignores_case: bool,
}

impl Fitting<'_> {
    /// The two sentences of a problem.
    pub(super) fn problem(&self, what: &str, fix: &str) -> String {
        format!("{}.{} {what} {fix}", self.table.name, self.column.name)
    }

    pub(super) fn wrong_type(&self, types: &str) -> String {
        self.problem(
            &format!(
                "is {}, and the mask :{} is for {types}.",
                self.column.kind.describe(),
                self.name
            ),
            "Take another mask, such as :null or :static, or exclude the table.",
        )
    }

    pub(super) fn wrong_option(&self, option: &str, expected: &str) -> String {
        self.problem(
            &format!(
                "has the mask :{} with an option \"{option}\" that is not {expected}.",
                self.name
            ),
            "Correct the option.",
        )
    }

    pub(super) fn text(&self) -> Result<Text, String> {
        match self.column.kind {
            Type::Text {
                limit, ignores_case, ..
            } => Ok(Text {
                limit: limit.unwrap_or(usize::MAX),
                ignores_case: !self.column.unique.tells_case_apart
                    && (ignores_case || self.column.unique.distinct),
            }),
            _ => Err(self.wrong_type("text columns")),
        }
    }

    /// A text column of at least this many characters.
    pub(super) fn text_of(&self, length: usize) -> Result<Text, String> {
        let text = self.text()?;
        if text.limit < length {
            return Err(self.problem(
                &format!(
                    "is {}, and what the mask :{} writes has up to {length} characters.",
                    self.column.kind.describe(),
                    self.name
                ),
                "Take another mask, or widen the column in production.",
            ));
        }
        Ok(text)
    }

    /// The mask repeats itself, so it is not for a column under a unique index.
    pub(super) fn may_repeat(&self) -> Result<(), String> {
        if self.column.unique.distinct {
            return Err(self.problem(
                &format!(
                    "is under a unique index, and the mask :{} gives different values the same pseudonym.",
                    self.name
                ),
                "Take a mask that keeps values distinct, such as :hash, :token or :email, or drop the index in production.",
            ));
        }
        Ok(())
    }

    pub(super) fn function(&self, kind: &str) -> Function {
        self.pseudonyms.key.function(kind)
    }

    pub(super) fn flag(&self, option: &str) -> Result<bool, String> {
        match self.options.get(option) {
            None => Ok(false),
            Some(Value::Bool(value)) => Ok(*value),
            Some(_) => Err(self.wrong_option(option, "true or false")),
        }
    }

    pub(super) fn number(
        &self,
        option: &str,
        default: u64,
        range: std::ops::RangeInclusive<u64>,
    ) -> Result<u64, String> {
        match self.options.get(option) {
            None => Ok(default),
            Some(value) => value
                .as_u64()
                .filter(|number| range.contains(number))
                .ok_or_else(|| {
                    self.wrong_option(
                        option,
                        &format!("a whole number from {} to {}", range.start(), range.end()),
                    )
                }),
        }
    }

    pub(super) fn string(&self, option: &str) -> Result<Option<&str>, String> {
        match self.options.get(option) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
            Some(_) => Err(self.wrong_option(option, "a string that is not empty")),
        }
    }

    /// The column's name in quotes.
    pub(super) fn sql(&self) -> String {
        quote_identifier(&self.column.name)
    }

    /// A condition that the column, as text, matches a regular expression.
    pub(super) fn matches(&self, pattern: &str) -> String {
        format!("{}::pg_catalog.text ~ {}", self.sql(), quote_literal(pattern))
    }

    /// The mask as it runs on this column. `form`: the condition that its values meet, or [`ANY_VALUE`].
    pub(super) fn fitted(&self, pseudonym: impl Pseudonym + 'static, form: String) -> Fitted {
        let is_text = matches!(self.column.kind, Type::Text { .. });
        let form = if is_text && form != ANY_VALUE {
            format!("{}::pg_catalog.text = '' OR {form}", self.sql())
        } else {
            form
        };
        Fitted {
            action: Action::Custom(Custom {
                pseudonym: Box::new(pseudonym),
                padded: matches!(self.column.kind, Type::Text { padded: true, .. }),
            }),
            description: self.name.to_owned(),
            form,
            known_password: None,
        }
    }

    /// A mask for values within a value that are text, numbers and dates alike, such as those of a JSON document.
    pub(super) fn within(&self, mask: &Mask) -> Result<Box<dyn Pseudonym>, String> {
        let mut problem = String::new();
        // A number or a date within a document is text there, too.
        for kind in [
            Type::TEXT,
            Type::Numeric { digits: None },
            Type::Date,
            Type::Timestamp,
        ] {
            match self.for_type(mask, kind) {
                Ok(pseudonym) => return Ok(pseudonym),
                Err(found) if problem.is_empty() => problem = found,
                Err(_) => {}
            }
        }
        Err(problem)
    }

    /// A mask for values of one type within a value, such as the elements of an array.
    pub(super) fn for_type(&self, mask: &Mask, kind: Type) -> Result<Box<dyn Pseudonym>, String> {
        let none = Map::new();
        let (entry, options) = match mask {
            Mask::Catalogue(recipe) => (recipe.entry, &recipe.options),
            _ => (&super::EMAIL, &none),
        };
        let column = Column {
            name: self.column.name.clone(),
            kind,
            not_null: false,
            unique: Uniqueness::default(),
        };
        let fitting = Fitting {
            table: self.table,
            column: &column,
            masks: self.masks,
            pseudonyms: self.pseudonyms,
            name: entry.name,
            options,
        };
        match (entry.build)(&fitting)?.action {
            Action::Custom(custom) => Ok(custom.pseudonym),
            Action::Fixed(fixed) => {
                let mut scratch = Vec::new();
                let text = copy::decode(fixed.bytes(), &mut scratch).unwrap_or_default();
                Ok(Box::new(Constant(text.into())))
            }
            _ => Err(self.problem(
                &format!(
                    "has the mask :{}, which does not go within another value.",
                    entry.name
                ),
                "Take another mask there.",
            )),
        }
    }
}

/// Always the same text, within a value.
#[derive(Debug)]
struct Constant(Box<[u8]>);

impl Pseudonym for Constant {
    fn write(&self, _: &[u8], _: &Row<'_>, _: &mut Work, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }

    fn has_form(&self, value: &[u8]) -> bool {
        value == &*self.0
    }
}

/// Whether a mask can be written for values within a value, and for what the configuration calls it.
pub(super) fn from_value(value: &Value) -> Result<Mask, String> {
    match value {
        Value::String(name) => Recipe::named(name, &Map::new()),
        Value::Object(map) => {
            let mut options = map.clone();
            match options.remove("mask") {
                Some(Value::String(name)) => Recipe::named(&name, &options),
                _ => Err("a mask is a name, or a map with \"mask\" and its options.".into()),
            }
        }
        _ => Err("a mask is a name, or a map with \"mask\" and its options.".into()),
    }
}
