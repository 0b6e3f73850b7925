//! Masks of text that say nothing of the original: lorem ipsum, constants, digests, templates.

use super::recipe::{Fitting, Pseudonym, Work};
use crate::copy;
use crate::mask::action::{Action, Row, Scratch};
use crate::mask::append::Fixed;
use crate::mask::compile::{compile, Fitted};
use crate::mask::key::Function;
use crate::mask::sql::quote_literal;
use crate::mask::types::Type;
use crate::mask::Mask;

const LOREM: &[u8] = b"lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore magna aliqua ut enim ad minim veniam quis nostrud exercitation ullamco laboris nisi ut aliquip ex ea commodo consequat ";

/// `text`: as many characters of lorem ipsum, from a place that the key and the value choose.
#[derive(Debug)]
struct Lorem {
    function: Function,
}

impl Pseudonym for Lorem {
    fn write(&self, value: &[u8], _: &Row<'_>, _: &mut Work, out: &mut Vec<u8>) {
        let length = match std::str::from_utf8(value) {
            Ok(text) => text.chars().count(),
            Err(_) => value.len(),
        };
        let digest = self.function.digest(value);
        let mut from = usize::from(digest[0]) % LOREM.len();
        // From a word's beginning.
        while from > 0 && LOREM[from - 1] != b' ' {
            from -= 1;
        }
        let start = out.len();
        out.extend(LOREM.iter().cycle().skip(from).take(length));
        // Trailing blanks do not count in character(n), and look odd elsewhere.
        if let Some(last) = out[start..].last_mut().filter(|last| **last == b' ') {
            *last = b's';
        }
        if &out[start..] == value {
            if let Some(last) = out.last_mut() {
                *last = if *last == b'e' { b'a' } else { b'e' };
            }
        }
    }

    fn has_form(&self, value: &[u8]) -> bool {
        value
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || *byte == b' ')
    }
}

pub(super) fn text(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    fitting.text()?;
    fitting.may_repeat()?;
    let mask = Lorem {
        function: fitting.function("text"),
    };
    Ok(fitting.fitted(mask, fitting.matches("^[a-z ]*$")))
}

/// `hash`: hex digits of a keyed SHA-256.
#[derive(Debug)]
struct Hash {
    function: Function,
    fold_case: bool,
    length: usize,
    is_bytea: bool,
}

impl Pseudonym for Hash {
    fn write(&self, value: &[u8], _: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let digest = if self.fold_case {
            super::fold_case(value, &mut work.first);
            self.function.digest(&work.first)
        } else {
            self.function.digest(value)
        };
        if self.is_bytea {
            out.extend_from_slice(b"\\x");
        }
        super::write_hex(&digest, self.length, out);
    }

    fn has_form(&self, value: &[u8]) -> bool {
        let prefix = if self.is_bytea { &b"\\x"[..] } else { b"" };
        value.strip_prefix(prefix).is_some_and(|digits| {
            digits.len() == self.length
                && digits
                    .iter()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        })
    }
}

pub(super) fn hash(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    if fitting.column.kind == Type::Bytea {
        let mask = Hash {
            function: fitting.function("hash"),
            fold_case: false,
            length: 64,
            is_bytea: true,
        };
        let form = format!("pg_catalog.octet_length({}) IN (0, 32)", fitting.sql());
        return Ok(fitting.fitted(mask, form));
    }
    let least = if fitting.column.unique.distinct { 14 } else { 1 };
    let wanted = fitting.number("length", 0, least..=64)? as usize;
    let limit = fitting.text()?.limit;
    let length = if wanted > 0 {
        wanted
    } else {
        limit.clamp(least as usize, 64)
    };
    let text = fitting.text_of(length)?;
    let mask = Hash {
        function: fitting.function("hash"),
        fold_case: text.ignores_case,
        length,
        is_bytea: false,
    };
    Ok(fitting.fitted(mask, fitting.matches(&format!("^[0-9a-f]{{{length}}}$"))))
}

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
pub(super) fn fixed(fitting: &Fitting<'_>, value: &str, form: String) -> Fitted {
    if matches!(fitting.column.kind, Type::Text { .. }) {
        return fitting.fitted(Always(value.as_bytes().into()), form);
    }
    let mut field = Vec::new();
    copy::encode(Some(value.as_bytes()), &mut field);
    Fitted {
        action: Action::Fixed(Fixed::new(&field)),
        description: fitting.name.to_owned(),
        form,
        known_password: None,
    }
}

pub(super) fn equals(fitting: &Fitting<'_>, value: &str) -> String {
    format!("{}::pg_catalog.text = {}", fitting.sql(), quote_literal(value))
}

pub(super) fn null(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    if fitting.column.not_null {
        return Err(fitting.problem(
            "is NOT NULL, and the mask :null writes NULL.",
            "Take :static with a value, or another mask.",
        ));
    }
    if fitting.column.unique.distinct && fitting.column.unique.counts_nulls {
        return Err(fitting.problem(
            "is under a unique index that takes two NULLs for the same.",
            "Take a mask that keeps values distinct, such as :hash.",
        ));
    }
    Ok(Fitted {
        action: Action::Fixed(Fixed::new(b"\\N")),
        description: "NULL".into(),
        form: format!("{} IS NULL", fitting.sql()),
        known_password: None,
    })
}

pub(super) fn redact(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    fitting.may_repeat()?;
    let limit = fitting.text()?.limit;
    let text: String = "[REDACTED]".chars().take(limit).collect();
    Ok(fixed(fitting, &text, equals(fitting, &text)))
}

/// A part of a template.
#[derive(Debug)]
enum Piece {
    Text(Box<[u8]>),
    /// Another column, as it is after masking.
    Column(usize, Option<Box<Action>>),
}

/// `template`: text with other columns' values in it.
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
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Column(place, action) => {
                    let raw = row.field(*place);
                    if raw == b"\\N" {
                        continue;
                    }
                    let mut field = std::mem::take(&mut work.second);
                    field.clear();
                    match action {
                        None => field.extend_from_slice(raw),
                        // What does not fit its own column ends the run there.
                        Some(action) => {
                            let scratch = work.other.get_or_insert_with(|| Box::new(Scratch::default()));
                            if action.write(row, raw, scratch, &mut field).is_err() {
                                field.clear();
                            }
                        }
                    }
                    out.extend_from_slice(copy::decode(&field, &mut work.first).unwrap_or_default());
                    work.second = field;
                }
            }
        }
        if !self.is_distinct && self.limit < usize::MAX {
            super::cut(out, start, self.limit);
        }
    }

    fn has_form(&self, value: &[u8]) -> bool {
        let first = match self.pieces.first() {
            Some(Piece::Text(text)) => &text[..],
            _ => b"",
        };
        let length = first.len().min(value.len());
        value[..length] == first[..length]
    }

    fn fits(&self, written: &[u8]) -> bool {
        self.limit == usize::MAX || String::from_utf8_lossy(written).chars().count() <= self.limit
    }
}

pub(super) fn template(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    let limit = fitting.text()?.limit;
    let Some(given) = fitting.string("template")? else {
        return Err(fitting.wrong_option("template", "given, such as \"user-{id}@x.test\""));
    };
    let mut pieces = Vec::new();
    let mut rest = given;
    let mut names_a_distinct_column = false;
    while let Some(open) = rest.find('{') {
        let Some(length) = rest[open..].find('}') else {
            return Err(fitting.wrong_option("template", "text in which each { has its }"));
        };
        if open > 0 {
            pieces.push(Piece::Text(rest.as_bytes()[..open].into()));
        }
        let name = &rest[open + 1..open + length];
        rest = &rest[open + length + 1..];
        let Some(place) = fitting
            .table
            .columns
            .iter()
            .position(|column| column.name == name)
        else {
            return Err(fitting.problem(
                &format!(
                    "has a template that names the column {name}, which {} does not have.",
                    fitting.table.name
                ),
                "Correct the template.",
            ));
        };
        let mask = fitting
            .masks
            .iter()
            .find(|(position, _)| *position == place)
            .map(|(_, mask)| mask);
        if place_of(fitting) == Some(place) || mask.is_some_and(is_template) {
            return Err(fitting.problem(
                &format!("has a template that names {name}, which is a template itself."),
                "Name columns that are none.",
            ));
        }
        let action = match mask {
            None => None,
            Some(mask) => {
                let (_, action) = compile(fitting.table, place, mask, fitting.masks, fitting.pseudonyms)?;
                Some(Box::new(action))
            }
        };
        let is_key = fitting.table.key == [place] && fitting.table.key_is_enforced;
        names_a_distinct_column |=
            is_key && (action.is_none() || fitting.table.columns[place].unique.distinct);
        pieces.push(Piece::Column(place, action));
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.as_bytes().into()));
    }
    if fitting.column.unique.distinct && !names_a_distinct_column {
        return Err(fitting.problem(
            "is under a unique index, and its template does not name the primary key.",
            "Put the primary key's column into the template, such as {id}.",
        ));
    }
    let least = pieces
        .iter()
        .map(|piece| least_room(fitting, piece))
        .sum::<usize>();
    if fitting.column.unique.distinct && least > limit {
        return Err(fitting.problem(
            &format!(
                "is {} under a unique index, and its template needs room for {least} characters.",
                fitting.column.kind.describe()
            ),
            "Shorten the template, or widen the column in production.",
        ));
    }
    let pattern: String = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => super::escape_pattern(&String::from_utf8_lossy(text)),
            Piece::Column(..) => ".*".into(),
        })
        .collect();
    let is_distinct = fitting.column.unique.distinct;
    let mut form = fitting.matches(&format!("^{pattern}$"));
    if !is_distinct && limit < usize::MAX {
        // A value that was cut at the column's end.
        form = format!(
            "{form} OR pg_catalog.char_length({}::pg_catalog.text) = {limit}",
            fitting.sql()
        );
    }
    let template = Template {
        pieces,
        limit,
        is_distinct,
    };
    Ok(fitting.fitted(template, form))
}

/// The characters that a piece needs, where it is known: ten digits are all that an integer has, and as many as a
/// bigint ever needs; the worker watches the rest.
fn least_room(fitting: &Fitting<'_>, piece: &Piece) -> usize {
    match piece {
        Piece::Text(text) => String::from_utf8_lossy(text).chars().count(),
        Piece::Column(place, _) => match fitting.table.columns[*place].kind {
            Type::Integer(2) => 5,
            Type::Integer(_) => 10,
            Type::Uuid => 36,
            _ => 0,
        },
    }
}

fn place_of(fitting: &Fitting<'_>) -> Option<usize> {
    fitting
        .table
        .columns
        .iter()
        .position(|column| column.name == fitting.column.name)
}

fn is_template(mask: &Mask) -> bool {
    match mask {
        Mask::Catalogue(recipe) => recipe.entry.name == "template",
        Mask::Keeping { mask, .. } => is_template(mask),
        _ => false,
    }
}
