//! `json`: a document in which the values at some paths are masked.

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting, ANY_VALUE};
use crate::error::{Misfit, Unfit};
use crate::families::document::{places, scrub, Inner};
use crate::families::json_syntax::{end_of_value, escape, is_number, unescape, DEEPEST};
use crate::families::leaves::{Bare, Leaves, LEAVES};
use crate::pseudonym::{Pseudonym, Work};
use crate::types::Type;
use pg_dump_archive::copy::Row;

pub(crate) static MASK: CatalogueEntry = CatalogueEntry {
    options: &[
        (
            "paths",
            "from paths such as `$.contact.email`, `$.items[*].name` or `$..phone` to masks",
        ),
        ("scrub", "true: each other string is scrubbed"),
        LEAVES,
    ],
    example: Example::of(r#"{"contact": {"email": "ada@example.org"}}"#, || Type::Jsonb)
        .with(r#"{"paths": {"$.contact.email": "email"}}"#),
    ..CatalogueEntry::new(
        "json",
        "a document in which the values at some paths are masked, or each by what it is; keys, structure and other values stay",
        fit,
    )
};

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

#[derive(Debug)]
struct Json {
    paths: Vec<(Vec<Step>, Inner)>,
    scrub: Option<Inner>,
    leaves: Option<Leaves>,
}

impl Json {
    /// What becomes of a value; None: it stays. The places of the masks of keys follow those of the paths.
    fn inner(&self, mask: Option<usize>, text: &[u8], is_string: bool) -> Becomes<'_> {
        let becomes = |inner| Becomes::Masked(inner);
        let by_key = match mask.map(|mask| (mask, self.paths.get(mask))) {
            Some((_, Some((_, inner)))) => return becomes(inner),
            Some((mask, None)) => Some(mask - self.paths.len()),
            None => None,
        };
        match (&self.leaves, by_key) {
            (Some(leaves), by_key) if is_string => becomes(leaves.of_text(by_key, text)),
            (Some(leaves), Some(by_key)) => match leaves.of_bare(by_key, is_number(text)) {
                Bare::Stays => Becomes::Itself,
                Bare::Null => Becomes::Null,
                Bare::Masked(inner) => becomes(inner),
            },
            _ => self
                .scrub
                .as_ref()
                .filter(|_| is_string)
                .map_or(Becomes::Itself, becomes),
        }
    }
}

/// What becomes of a value of a document.
enum Becomes<'m> {
    Itself,
    Null,
    Masked(&'m Inner),
}

/// One pass over one document.
struct Walk<'a> {
    json: &'a Json,
    input: &'a [u8],
    at: usize,
    row: &'a Row<'a>,
    /// Per depth and path: the steps that lead here, a bit for each count of them.
    states: Vec<u64>,
    /// The key that was read last.
    key: Vec<u8>,
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
            let mut own = mask;
            if is_object {
                let raw = self.string()?;
                out.push(b'"');
                out.extend_from_slice(raw);
                out.push(b'"');
                self.key.clear();
                unescape(raw, &mut self.key);
                self.copy_blanks(out);
                if self.peek() != b':' {
                    return Err(NotJson);
                }
                out.push(b':');
                self.at += 1;
                own = self.by_key(mask);
            }
            self.step(depth, is_object, index);
            self.value(depth + 1, own, out)?;
            index += 1;
        }
    }

    /// The mask of the key that was read last, unless a path has one for all that it leads to.
    fn by_key(&mut self, mask: Option<usize>) -> Option<usize> {
        let paths = self.json.paths.len();
        let leaves = self.json.leaves.as_ref();
        let own = leaves.filter(|_| mask.is_none_or(|mask| mask >= paths));
        let own = own.and_then(|leaves| leaves.of_key(&self.key, self.work));
        own.map(|place| paths + place).or(mask)
    }

    /// Which steps of each path lead to a key or an item.
    fn step(&mut self, depth: usize, is_object: bool, index: usize) {
        let count = self.json.paths.len();
        self.states.truncate((depth + 1) * count);
        let takes = |step: &Step| match step {
            Step::Any => true,
            Step::Key(known) => is_object && **known == *self.key,
            Step::Item(known) => !is_object && *known == index,
            Step::Deep => false,
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
                self.work.first = decoded;
                return Err(NotJson);
            }
        }
        let raw = &self.input[start..self.at];
        let is_null = !is_string && decoded == b"null";
        match self.json.inner(mask, &decoded, is_string) {
            Becomes::Null => out.extend_from_slice(b"null"),
            Becomes::Masked(inner) if inner.is_null() => out.extend_from_slice(b"null"),
            Becomes::Masked(inner) if !decoded.is_empty() && !is_null => {
                let mut written = std::mem::take(&mut self.work.second);
                written.clear();
                inner.write(&decoded, self.row, self.work, &mut written);
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

impl Pseudonym for Json {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let start = out.len();
        let mut states = std::mem::take(&mut work.states);
        states.clear();
        states.resize(self.paths.len(), 1);
        let mut walk = Walk {
            json: self,
            input: value,
            at: 0,
            row,
            states,
            key: std::mem::take(&mut work.third),
            work,
        };
        let walked = walk.value(0, None, out);
        walk.copy_blanks(out);
        if walked.is_err() || walk.at != value.len() {
            // Only a text column holds what is no JSON.
            out.truncate(start);
            out.extend_from_slice(b"null");
        }
        let Walk {
            states, key, work, ..
        } = walk;
        (work.states, work.third) = (states, key);
    }

    fn has_form(&self, value: &[u8]) -> bool {
        end_of_value(value, 0, 0).is_some_and(|at| at == value.len())
    }
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    match fitting.column.kind {
        Type::Json | Type::Jsonb | Type::Text { limit: None, .. } => {}
        _ => return Err(fitting.wrong_type("json, jsonb and text columns without a limit")),
    }
    fitting.may_repeat()?;
    let paths = places(fitting, "paths", |path| {
        parse_path(path).ok_or_else(|| {
            fitting.unfit(
                Misfit::Option("paths".to_owned()),
                format!("has the mask :json with a path \"{path}\" that cannot be read."),
                "Write paths such as $.contact.email, $.items[*].name or $..phone.",
            )
        })
    })?;
    let (scrub, leaves) = (scrub(fitting)?, Leaves::new(fitting)?);
    if paths.is_empty() && scrub.is_none() && leaves.is_none() {
        return Err(fitting.wrong_option("paths", "given, and neither is scrub: true or leaves: true"));
    }
    let json = Json { paths, scrub, leaves };
    Ok(fitting.fitted(json, ANY_VALUE))
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::table::Uniqueness;
    use crate::testing::{case, fitted, plain, run, Case};
    use crate::types::Type;
    use serde_json::json;
    use serde_json::Value;

    pub(crate) const CASES: &[Case] = &[case(
        "json",
        "\\{\"a\": \\{\"email\": \"[a-z]{1,6}@[a-z]{1,6}\\.fr\"\\}, \"n\": [1-9][0-9]{0,9}\\}",
        |old, new| {
            let (old, new): (Value, Value) = (
                serde_json::from_str(old).unwrap(),
                serde_json::from_str(new).unwrap(),
            );
            old["n"] == new["n"] && new["a"]["email"].as_str().unwrap().ends_with("@demo.example.com")
        },
    )
    .with(r#"{"paths": {"$.a.email": "email"}}"#)
    .on(|| Type::Jsonb)
    .repeats()];

    #[test]
    fn a_document_is_masked_where_the_paths_say_and_nowhere_else() {
        let options = json!({"paths": {"$.contact.email": "email", "$.items[*].name": "redact", "$..phone": "phone", "$['odd key']": "null"}});
        let mask = fitted("json", options, Type::Jsonb, Uniqueness::default()).unwrap();
        let document = r#"{"id": 1.10, "contact": {"email": "a\u0064a@example.org", "phone": "0612345678", "x": "y"}, "items": [{"name": "one", "n": null}, {"name": null}], "odd key": {"a": 1}, "email": "kept"}"#;
        let email = plain("email", "ada@example.org");
        let phone = plain("phone", "0612345678");
        assert_eq!(
            run(&mask, &[document]),
            [format!(
                r#"{{"id": 1.10, "contact": {{"email": "{email}", "phone": "{phone}", "x": "y"}}, "items": [{{"name": "[REDACTED]", "n": null}}, {{"name": null}}], "odd key": {{"a": null}}, "email": "kept"}}"#
            )]
        );
    }

    #[test]
    fn each_value_is_masked_by_what_its_key_or_itself_says_and_the_rest_stays() {
        let mask = fitted(
            "json",
            json!({"leaves": true}),
            Type::Jsonb,
            Uniqueness::default(),
        )
        .unwrap();
        let document = r#"{"theme": "dark", "columns": [1, 2], "email": true, "user": {"first_name": "Ada", "age": 36, "passport": 77, "phone": {"mobile": "0612345678", "verified": false}}, "by": "Ada Lovelace", "note": "ask bob@example.org", "age": null}"#;
        let written: Value = serde_json::from_str(&run(&mask, &[document])[0]).unwrap();
        assert_eq!(written["theme"], "dark");
        assert_eq!(written["columns"], json!([1, 2]));
        assert_eq!(
            (&written["email"], &written["user"]["phone"]["verified"]),
            (&json!(true), &json!(false))
        );
        assert_eq!(written["user"]["first_name"], plain("first_name", "Ada").as_str());
        assert_eq!(
            (&written["user"]["age"], &written["user"]["passport"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(
            written["user"]["phone"]["mobile"],
            plain("phone", "0612345678").as_str()
        );
        assert_eq!(written["by"], plain("name", "Ada Lovelace").as_str());
        assert_eq!(
            written["note"],
            format!("ask {}", plain("email", "bob@example.org")).as_str()
        );
    }

    #[test]
    fn what_a_path_says_wins_over_a_key() {
        let options = json!({"leaves": true, "paths": {"$.user": "redact"}});
        let mask = fitted("json", options, Type::Jsonb, Uniqueness::default()).unwrap();
        let written = run(
            &mask,
            &[r#"{"user": {"first_name": "Ada"}, "first_name": "Bob"}"#],
        );
        let bob = plain("first_name", "Bob");
        assert_eq!(
            written,
            [format!(
                r#"{{"user": {{"first_name": "[REDACTED]"}}, "first_name": "{bob}"}}"#
            )]
        );
    }

    #[test]
    fn each_string_is_scrubbed_where_that_is_asked_for_and_what_lies_too_deep_is_gone() {
        let mask = fitted("json", json!({"scrub": true}), Type::Json, Uniqueness::default()).unwrap();
        let email = plain("email", "ada@example.org");
        assert_eq!(
            run(&mask, &[r#"["ada@example.org", 5]"#]),
            [format!(r#"["{email}", 5]"#)]
        );
        let deep = format!("{}\"ada@example.org\"{}", "[".repeat(5000), "]".repeat(5000));
        assert!(!run(&mask, &[&deep])[0].contains("ada"));
    }
}
