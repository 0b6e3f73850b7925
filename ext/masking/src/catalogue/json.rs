//! `json`: a document in which the values at some paths are masked.

mod path;
mod walk;

use crate::entry::{CatalogueEntry, Example, Fitted, Fitting, ANY_VALUE};
use crate::error::Unfit;
use crate::families::document::{places, scrub, Inner};
use crate::families::json_syntax::{end_of_value, is_number};
use crate::families::leaves::{Bare, Leaves, LEAVES};
use crate::misfit::{Expected, ForTypes, Misfit};
use crate::pseudonym::{Pseudonym, Work};
use crate::types::Type;
use path::Step;
use pg_dump_archive::copy::Row;
use walk::Walk;

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

impl Pseudonym for Json {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let start = out.len();
        if !Walk::masked(self, value, row, work, out) {
            // Only a text column holds what is no JSON.
            out.truncate(start);
            out.extend_from_slice(b"null");
        }
    }

    fn has_form(&self, value: &[u8]) -> bool {
        end_of_value(value, 0, 0).is_some_and(|at| at == value.len())
    }
}

fn fit(fitting: &Fitting<'_>) -> Result<Fitted, Box<Unfit>> {
    match fitting.column.kind {
        Type::Json | Type::Jsonb | Type::Text { limit: None, .. } => {}
        _ => return Err(fitting.wrong_type(ForTypes::Documents)),
    }
    fitting.may_repeat()?;
    let paths = places(fitting, "paths", |path| {
        path::parse(path).ok_or_else(|| {
            fitting.unfit(Misfit::Path {
                path: path.to_owned(),
            })
        })
    })?;
    let (scrub, leaves) = (scrub(fitting)?, Leaves::new(fitting)?);
    if paths.is_empty() && scrub.is_none() && leaves.is_none() {
        return Err(fitting.wrong_option("paths", Expected::OrScrub));
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
