//! Masks of values with values within: `json`, `hstore`, `array`.
//!
//! Each copies the document through and replaces what a mask is for, so that nothing else of it changes: neither the
//! order of keys, nor the digits of a number.

use super::recipe::{from_value, Fitting, Pseudonym, Work};
use crate::mask::action::Row;
use crate::mask::compile::Fitted;
use crate::mask::types::Type;
use serde_json::{json, Value};

/// What a value within a document becomes.
#[derive(Debug)]
enum Inner {
    Null,
    Pseudonym(Box<dyn Pseudonym>),
}

impl Inner {
    fn new(fitting: &Fitting<'_>, value: &Value) -> Result<Self, String> {
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

/// The entries of an option that is a map from places to masks.
fn places(fitting: &Fitting<'_>, option: &str) -> Result<Vec<(String, Inner)>, String> {
    match fitting.options.get(option) {
        None => Ok(Vec::new()),
        Some(Value::Object(map)) => map
            .iter()
            .map(|(place, mask)| Ok((place.clone(), Inner::new(fitting, mask)?)))
            .collect(),
        Some(_) => Err(fitting.wrong_option(option, "a map to masks")),
    }
}

fn scrub(fitting: &Fitting<'_>) -> Result<Option<Inner>, String> {
    if fitting.flag("scrub")? {
        Inner::new(fitting, &json!("scrub")).map(Some)
    } else {
        Ok(None)
    }
}

/// A step of a path.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Key(Box<[u8]>),
    Item(usize),
    /// `.*` and `[*]`.
    Any,
    /// `..`: what follows may be at any depth.
    Deep,
}

/// `$.a['b'][0][*]..c`, at most 60 steps.
fn parse_path(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (step, after) = if let Some(quoted) = inner.strip_prefix('\'') {
                let (key, after) = quoted.split_once("']")?;
                (Step::Key(key.as_bytes().into()), after)
            } else {
                let (index, after) = inner.split_once(']')?;
                let step = if index == "*" {
                    Step::Any
                } else {
                    Step::Item(index.parse().ok()?)
                };
                (step, after)
            };
            steps.push(step);
            rest = after;
            continue;
        }
        let mut name = rest.strip_prefix('.')?;
        if let Some(deeper) = name.strip_prefix('.') {
            steps.push(Step::Deep);
            name = deeper;
            if name.starts_with('[') {
                rest = name;
                continue;
            }
        }
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let key = &name[..end];
        if key.is_empty() {
            return None;
        }
        steps.push(if key == "*" {
            Step::Any
        } else {
            Step::Key(key.as_bytes().into())
        });
        rest = &name[end..];
    }
    (!steps.is_empty() && steps.len() <= 60 && steps.last() != Some(&Step::Deep)).then_some(steps)
}

/// Deeper documents are cut: what lies deeper becomes null.
const DEEPEST: usize = 500;

#[derive(Debug)]
struct Json {
    paths: Vec<(Vec<Step>, Inner)>,
    scrub: Option<Inner>,
}

/// One pass over one document.
struct Walk<'a> {
    json: &'a Json,
    input: &'a [u8],
    at: usize,
    row: &'a Row<'a>,
    /// Per depth and path: the steps that lead here, a bit for each count of them.
    states: Vec<u64>,
    work: &'a mut Work,
}

/// What is wrong with a document.
struct NotJson;

impl<'a> Walk<'a> {
    fn peek(&self) -> u8 {
        self.input.get(self.at).copied().unwrap_or(0)
    }

    fn copy_blanks(&mut self, out: &mut Vec<u8>) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            out.push(self.peek());
            self.at += 1;
        }
    }

    /// The bytes of a string between its quotes, as they are.
    fn string(&mut self) -> Result<&'a [u8], NotJson> {
        if self.peek() != b'"' {
            return Err(NotJson);
        }
        let start = self.at + 1;
        let mut at = start;
        loop {
            match self.input.get(at) {
                None => return Err(NotJson),
                Some(b'"') => break,
                Some(b'\\') => at += 2,
                Some(_) => at += 1,
            }
        }
        self.at = at + 1;
        self.input.get(start..at).ok_or(NotJson)
    }

    /// Passes over a value without looking into it.
    fn skip(&mut self) -> Result<(), NotJson> {
        let mut depth = 0usize;
        loop {
            match self.peek() {
                b'"' => {
                    self.string()?;
                }
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1).ok_or(NotJson)?;
                    self.at += 1;
                }
                0 if self.at >= self.input.len() => return Err(NotJson),
                _ => self.at += 1,
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Writes the value here. `mask` is the one for everything above it, if there is one.
    fn value(&mut self, depth: usize, mask: Option<usize>, out: &mut Vec<u8>) -> Result<(), NotJson> {
        self.copy_blanks(out);
        let count = self.json.paths.len();
        let states = &self.states[depth * count..];
        let found = self
            .json
            .paths
            .iter()
            .zip(states)
            .position(|((steps, _), state)| state >> steps.len() & 1 == 1);
        let mask = found.or(mask);
        match self.peek() {
            open @ (b'{' | b'[') if depth >= DEEPEST => {
                let _ = open;
                self.skip()?;
                out.extend_from_slice(b"null");
            }
            b'{' => self.container(true, depth, mask, out)?,
            b'[' => self.container(false, depth, mask, out)?,
            _ => self.scalar(mask, out)?,
        }
        Ok(())
    }

    fn container(
        &mut self,
        is_object: bool,
        depth: usize,
        mask: Option<usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), NotJson> {
        let close = if is_object { b'}' } else { b']' };
        out.push(self.peek());
        self.at += 1;
        let mut index = 0;
        loop {
            self.copy_blanks(out);
            match self.peek() {
                byte if byte == close => {
                    out.push(close);
                    self.at += 1;
                    return Ok(());
                }
                b',' if index > 0 => {
                    out.push(b',');
                    self.at += 1;
                    self.copy_blanks(out);
                }
                _ if index == 0 => {}
                _ => return Err(NotJson),
            }
            let mut key = Vec::new();
            if is_object {
                let raw = self.string()?;
                out.push(b'"');
                out.extend_from_slice(raw);
                out.push(b'"');
                if raw.contains(&b'\\') {
                    unescape(raw, &mut key);
                } else {
                    key.extend_from_slice(raw);
                }
                self.copy_blanks(out);
                if self.peek() != b':' {
                    return Err(NotJson);
                }
                out.push(b':');
                self.at += 1;
            }
            self.step(depth, is_object.then_some(&key[..]), index);
            self.value(depth + 1, mask, out)?;
            index += 1;
        }
    }

    /// Which steps of each path lead to a key or an item.
    fn step(&mut self, depth: usize, key: Option<&[u8]>, index: usize) {
        let count = self.json.paths.len();
        self.states.truncate((depth + 1) * count);
        let takes = |step: &Step| match (step, key) {
            (Step::Any, _) => true,
            (Step::Key(known), Some(key)) => **known == *key,
            (Step::Item(known), None) => *known == index,
            _ => false,
        };
        for (number, (steps, _)) in self.json.paths.iter().enumerate() {
            let state = self.states[depth * count + number];
            let mut next = 0;
            for (place, step) in steps
                .iter()
                .enumerate()
                .filter(|(place, _)| state >> place & 1 == 1)
            {
                if *step == Step::Deep {
                    next |= 1 << place;
                    if steps.get(place + 1).is_some_and(takes) {
                        next |= 1 << (place + 2);
                    }
                } else if takes(step) {
                    next |= 1 << (place + 1);
                }
            }
            self.states.push(next);
        }
    }

    fn scalar(&mut self, mask: Option<usize>, out: &mut Vec<u8>) -> Result<(), NotJson> {
        let mut decoded = std::mem::take(&mut self.work.first);
        decoded.clear();
        let is_string = self.peek() == b'"';
        let start = self.at;
        if is_string {
            unescape(self.string()?, &mut decoded);
        } else {
            while !matches!(self.peek(), b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r' | 0) {
                self.at += 1;
            }
            decoded.extend_from_slice(&self.input[start..self.at]);
            if !matches!(&decoded[..], b"null" | b"true" | b"false") && !is_number(&decoded) {
                return Err(NotJson);
            }
        }
        let raw = &self.input[start..self.at];
        let inner = match mask {
            Some(mask) => self.json.paths.get(mask).map(|(_, inner)| inner),
            None => self.json.scrub.as_ref().filter(|_| is_string),
        };
        let is_null = !is_string && decoded == b"null";
        match inner {
            Some(Inner::Null) => out.extend_from_slice(b"null"),
            Some(Inner::Pseudonym(pseudonym)) if !decoded.is_empty() && !is_null => {
                let mut written = std::mem::take(&mut self.work.second);
                written.clear();
                pseudonym.write(&decoded, self.row, self.work.deeper(), &mut written);
                if !is_string && is_number(&written) {
                    out.extend_from_slice(&written);
                } else {
                    out.push(b'"');
                    escape(&written, out);
                    out.push(b'"');
                }
                self.work.second = written;
            }
            _ => out.extend_from_slice(raw),
        }
        self.work.first = decoded;
        Ok(())
    }
}

/// Whether text is a number of JSON, however large (RFC 8259, section 6).
fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(rest);
    if whole == 0 || whole > 1 && rest[0] == b'0' {
        return false;
    }
    let mut rest = &rest[whole..];
    if let Some(behind) = rest.strip_prefix(b".") {
        let places = digits(behind);
        if places == 0 {
            return false;
        }
        rest = &behind[places..];
    }
    match rest.split_first() {
        None => true,
        Some((b'e' | b'E', exponent)) => {
            let exponent = match exponent.first() {
                Some(b'+' | b'-') => &exponent[1..],
                _ => exponent,
            };
            !exponent.is_empty() && digits(exponent) == exponent.len()
        }
        Some(_) => false,
    }
}

/// The text of a JSON string. A half of a surrogate pair alone becomes U+FFFD.
fn unescape(raw: &[u8], text: &mut Vec<u8>) {
    let unit = |at: usize| {
        let digits = raw.get(at..at + 4)?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let mut at = 0;
    while let Some(byte) = raw.get(at) {
        if *byte != b'\\' {
            text.push(*byte);
            at += 1;
            continue;
        }
        let escaped = raw.get(at + 1).copied().unwrap_or(b'\\');
        at += 2;
        match escaped {
            b'b' => text.push(8),
            b'f' => text.push(12),
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b't' => text.push(b'\t'),
            b'u' => {
                let mut code = unit(at).unwrap_or(0xfffd);
                at += 4;
                if (0xd800..0xdc00).contains(&code) && raw.get(at..at + 2) == Some(b"\\u") {
                    if let Some(low) = unit(at + 2).filter(|low| (0xdc00..0xe000).contains(low)) {
                        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                        at += 6;
                    }
                }
                let c = char::from_u32(code).unwrap_or('\u{fffd}');
                text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            other => text.push(other),
        }
    }
}

fn escape(text: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..=0x1f => {
                out.extend_from_slice(b"\\u00");
                super::write_hex(&[*byte], 2, out);
            }
            _ => out.push(*byte),
        }
    }
}

impl Pseudonym for Json {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let start = out.len();
        let mut walk = Walk {
            json: self,
            input: value,
            at: 0,
            row,
            states: vec![1; self.paths.len()],
            work,
        };
        let walked = walk.value(0, None, out);
        walk.copy_blanks(out);
        if walked.is_err() || walk.at != value.len() {
            // Only a text column holds what is no JSON.
            out.truncate(start);
            out.extend_from_slice(b"null");
        }
    }

    fn has_form(&self, value: &[u8]) -> bool {
        serde_json::from_slice::<serde::de::IgnoredAny>(value).is_ok() || value.len() > 64 * 1024
    }
}

pub(super) fn json(fitting: &Fitting<'_>) -> Result<Fitted, String> {
    match fitting.column.kind {
        Type::Json | Type::Jsonb | Type::Text { limit: None, .. } => {}
        _ => return Err(fitting.wrong_type("json, jsonb and text columns without a limit")),
    }
    fitting.may_repeat()?;
    let mut paths = Vec::new();
    for (path, inner) in places(fitting, "paths")? {
        let Some(steps) = parse_path(&path) else {
            return Err(fitting.problem(
                &format!("has the mask :json with a path \"{path}\" that cannot be read."),
                "Write paths such as $.contact.email, $.items[*].name or $..phone.",
            ));
        };
        paths.push((steps, inner));
    }
    let scrub = scrub(fitting)?;
    if paths.is_empty() && scrub.is_none() {
        return Err(fitting.wrong_option("paths", "given, and neither is scrub: true"));
    }
    let form = format!("{} IS NOT NULL", fitting.sql());
    Ok(fitting.fitted(Json { paths, scrub }, form))
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
    fn pairs(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) -> Option<()> {
        let (mut key, mut decoded, mut written) = (Vec::new(), Vec::new(), Vec::new());
        let mut rest = value;
        loop {
            rest = quoted(rest, &mut key)?;
            write_quoted(&key, out);
            rest = rest.strip_prefix(b"=>")?;
            out.extend_from_slice(b"=>");
            let by_key = self
                .keys
                .iter()
                .find(|(known, _)| known.as_bytes() == key || known == "*")
                .map(|(_, inner)| inner);
            if let Some(after) = rest.strip_prefix(b"NULL") {
                out.extend_from_slice(b"NULL");
                rest = after;
            } else {
                rest = quoted(rest, &mut decoded)?;
                match by_key.or(self.scrub.as_ref()) {
                    Some(Inner::Null) => out.extend_from_slice(b"NULL"),
                    Some(Inner::Pseudonym(pseudonym)) if !decoded.is_empty() => {
                        written.clear();
                        pseudonym.write(&decoded, row, work.deeper(), &mut written);
                        write_quoted(&written, out);
                    }
                    _ => write_quoted(&decoded, out),
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
        if self.pairs(value, row, work, out).is_none() {
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
    let mut keys = places(fitting, "keys")?;
    // A key by its name wins over `*`.
    keys.sort_by_key(|(key, _)| key == "*");
    let scrub = scrub(fitting)?;
    if keys.is_empty() && scrub.is_none() {
        return Err(fitting.wrong_option("keys", "given, and neither is scrub: true"));
    }
    let form = format!("{} IS NOT NULL", fitting.sql());
    Ok(fitting.fitted(Hstore { keys, scrub }, form))
}

#[derive(Debug)]
struct Array {
    of: Inner,
}

impl Array {
    fn elements(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) -> Option<()> {
        // `[2:3]={…}`: bounds other than from 1.
        let mut rest = match value.first() {
            Some(b'[') => {
                let at = value.iter().position(|byte| *byte == b'=')?;
                out.extend_from_slice(&value[..=at]);
                &value[at + 1..]
            }
            _ => value,
        };
        let (mut decoded, mut written) = (Vec::new(), Vec::new());
        while let Some(byte) = rest.first() {
            if matches!(byte, b'{' | b'}' | b',') {
                out.push(*byte);
                rest = &rest[1..];
                continue;
            }
            let mut is_null = false;
            if *byte == b'"' {
                rest = quoted(rest, &mut decoded)?;
            } else {
                let end = rest
                    .iter()
                    .position(|byte| matches!(byte, b',' | b'}'))
                    .unwrap_or(rest.len());
                decoded.clear();
                decoded.extend_from_slice(&rest[..end]);
                is_null = decoded == b"NULL";
                rest = &rest[end..];
            }
            match &self.of {
                _ if is_null => out.extend_from_slice(b"NULL"),
                Inner::Null => out.extend_from_slice(b"NULL"),
                Inner::Pseudonym(pseudonym) => {
                    written.clear();
                    if !decoded.is_empty() {
                        pseudonym.write(&decoded, row, work.deeper(), &mut written);
                    }
                    write_quoted(&written, out);
                }
            }
        }
        Some(())
    }
}

impl Pseudonym for Array {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let start = out.len();
        if self.elements(value, row, work, out).is_none() {
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
    Ok(fitting.fitted(array, format!("{} IS NOT NULL", fitting.sql())))
}
