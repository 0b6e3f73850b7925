//! Masks of values with values within: what `json` (in its own file), `hstore` and `array` have in common, and the latter
//! two.
//!
//! Each copies the document through and replaces what a mask is for, so that nothing else of it changes: neither the
//! order of keys, nor the digits of a number.

use super::recipe::{from_value, Fitting, Pseudonym, Work};
use crate::mask::action::Row;
use crate::mask::compile::{Fitted, ANY_VALUE};
use crate::mask::types::Type;
use serde_json::{json, Value};

/// What a value within a document becomes.
#[derive(Debug)]
pub(super) enum Inner {
    Null,
    Pseudonym(Box<dyn Pseudonym>),
}

impl Inner {
    pub(super) fn new(fitting: &Fitting<'_>, value: &Value) -> Result<Self, String> {
        let problem = |problem: String| {
            fitting.problem(&format!("has the mask :{} in which {problem}", fitting.name), "")
        };
        let name = value
            .as_str()
            .or_else(|| value.get("mask").and_then(Value::as_str));
        if name == Some("null") {
            return Ok(Inner::Null);
        }
        let mask = from_value(value).map_err(problem)?;
        match &fitting.column.kind {
            Type::Array(of) => fitting.for_type(&mask, (**of).clone()),
            _ => fitting.within(&mask),
        }
        .map(Inner::Pseudonym)
    }
}

/// The entries of an option that is a map from places, which `read` reads, to masks.
///
/// # Errors
/// Everything that is wrong with any of them, each with its place.
pub(super) fn places<P>(
    fitting: &Fitting<'_>,
    option: &str,
    read: impl Fn(&str) -> Result<P, String>,
) -> Result<Vec<(P, Inner)>, String> {
    let map = match fitting.options.get(option) {
        None => return Ok(Vec::new()),
        Some(Value::Object(map)) => map,
        Some(_) => return Err(fitting.wrong_option(option, "a map to masks")),
    };
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for (place, mask) in map {
        match (read(place), Inner::new(fitting, mask)) {
            (Ok(read), Ok(mask)) => found.push((read, mask)),
            (read, mask) => {
                let wrong = [read.err(), mask.err()];
                problems.extend(
                    wrong
                        .into_iter()
                        .flatten()
                        .map(|wrong| format!("{place}: {wrong}")),
                );
            }
        }
    }
    if problems.is_empty() {
        Ok(found)
    } else {
        Err(problems.join(" "))
    }
}

pub(super) fn scrub(fitting: &Fitting<'_>) -> Result<Option<Inner>, String> {
    if fitting.flag("scrub")? {
        Inner::new(fitting, &json!("scrub")).map(Some)
    } else {
        Ok(None)
    }
}

/// The worker's buffers, taken while a mask within this one has the worker's next ones.
struct Buffers {
    key: Vec<u8>,
    decoded: Vec<u8>,
    written: Vec<u8>,
}

impl Buffers {
    fn of(work: &mut Work) -> Self {
        let take = std::mem::take::<Vec<u8>>;
        Self {
            key: take(&mut work.first),
            decoded: take(&mut work.second),
            written: take(&mut work.third),
        }
    }

    fn back(self, work: &mut Work) {
        (work.first, work.second, work.third) = (self.key, self.decoded, self.written);
    }
}

#[derive(Debug)]
struct Hstore {
    keys: Vec<(String, Inner)>,
    scrub: Option<Inner>,
}

/// A quoted string of an hstore or an array: `"`, with `\` before `"` and `\`. Returns what is behind it.
fn quoted<'v>(text: &'v [u8], decoded: &mut Vec<u8>) -> Option<&'v [u8]> {
    decoded.clear();
    let mut rest = text.strip_prefix(b"\"")?;
    loop {
        let (byte, after) = rest.split_first()?;
        rest = after;
        match byte {
            b'"' => return Some(rest),
            b'\\' => {
                let (byte, after) = rest.split_first()?;
                decoded.push(*byte);
                rest = after;
            }
            byte => decoded.push(*byte),
        }
    }
}

fn write_quoted(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

impl Hstore {
    fn pairs(
        &self,
        value: &[u8],
        row: &Row<'_>,
        (buffers, work): (&mut Buffers, &mut Work),
        out: &mut Vec<u8>,
    ) -> Option<()> {
        let Buffers {
            key,
            decoded,
            written,
        } = buffers;
        let mut rest = value;
        loop {
            rest = quoted(rest, key)?;
            write_quoted(key, out);
            rest = rest.strip_prefix(b"=>")?;
            out.extend_from_slice(b"=>");
            let by_key = self
                .keys
                .iter()
                .find(|(known, _)| known.as_bytes() == *key || known == "*")
                .map(|(_, inner)| inner);
            if let Some(after) = rest.strip_prefix(b"NULL") {
                out.extend_from_slice(b"NULL");
                rest = after;
            } else {
                rest = quoted(rest, decoded)?;
                match by_key.or(self.scrub.as_ref()) {
                    Some(Inner::Null) => out.extend_from_slice(b"NULL"),
                    Some(Inner::Pseudonym(pseudonym)) if !decoded.is_empty() => {
                        written.clear();
                        pseudonym.write(decoded, row, work.deeper(), written);
                        write_quoted(written, out);
                    }
                    _ => write_quoted(decoded, out),
                }
            }
            if rest.is_empty() {
                return Some(());
            }
            rest = rest.strip_prefix(b", ")?;
            out.extend_from_slice(b", ");
        }
    }
}

impl Pseudonym for Hstore {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let start = out.len();
        let mut buffers = Buffers::of(work);
        let read = self.pairs(value, row, (&mut buffers, work), out);
        buffers.back(work);
        if read.is_none() {
            // Nothing that the server writes; nothing of it goes on.
            out.truncate(start);
        }
    }

    fn has_form(&self, _: &[u8]) -> bool {
        true
    }
}

pub(super) fn hstore(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    if fitting.column.kind != Type::Hstore {
        return Err(fitting.wrong_type("hstore columns"));
    }
    fitting.may_repeat()?;
    let mut keys = places(fitting, "keys", |key| Ok(key.to_owned()))?;
    // A key by its name wins over `*`.
    keys.sort_by_key(|(key, _)| key == "*");
    let scrub = scrub(fitting)?;
    if keys.is_empty() && scrub.is_none() {
        return Err(fitting.wrong_option("keys", "given, and neither is scrub: true"));
    }
    Ok(fitting.fitted(Hstore { keys, scrub }, ANY_VALUE.into()))
}

#[derive(Debug)]
struct Array {
    of: Inner,
}

impl Array {
    fn elements(
        &self,
        value: &[u8],
        row: &Row<'_>,
        (buffers, work): (&mut Buffers, &mut Work),
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
        let Buffers { decoded, written, .. } = buffers;
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
            match &self.of {
                _ if is_null => out.extend_from_slice(b"NULL"),
                Inner::Null => out.extend_from_slice(b"NULL"),
                Inner::Pseudonym(pseudonym) => {
                    written.clear();
                    if !decoded.is_empty() {
                        pseudonym.write(decoded, row, work.deeper(), written);
                    }
                    write_quoted(written, out);
                }
            }
        }
        Some(())
    }
}

impl Pseudonym for Array {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let start = out.len();
        let mut buffers = Buffers::of(work);
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

pub(super) fn array(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    if !matches!(fitting.column.kind, Type::Array(_)) {
        return Err(fitting.wrong_type("arrays"));
    }
    fitting.may_repeat()?;
    let Some(of) = fitting.options.get("of") else {
        return Err(fitting.wrong_option("of", "given, such as of: :email"));
    };
    let array = Array {
        of: Inner::new(fitting, of)?,
    };
    Ok(fitting.fitted(array, ANY_VALUE.into()))
}
