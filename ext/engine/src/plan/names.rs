//! Names of tables as people write them in the configuration, and what they may have meant.

use super::{quote_identifier, TableName};
use crate::failure::Advice;
use std::collections::HashSet;
use std::sync::Arc;

/// A name or pattern from the configuration: `users`, `audit.*`, `public."Weird Name"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamePattern {
    schema: Option<Vec<Piece>>,
    name: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// Any characters, also none.
    Any,
}

impl NamePattern {
    /// Reads a name. `*` outside quotes stands for any characters, a dot outside quotes separates schema and
    /// table. None when it is empty, has more than two parts, or a quote that is not closed.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts: Vec<Vec<Piece>> = vec![Vec::new()];
        let mut quoted = false;
        let mut chars = text.trim().chars().peekable();
        while let Some(c) = chars.next() {
            let last = parts.last_mut()?;
            match c {
                '"' if quoted && chars.peek() == Some(&'"') => {
                    chars.next();
                    push(last, '"');
                }
                '"' => quoted = !quoted,
                '.' if !quoted => parts.push(Vec::new()),
                '*' if !quoted => last.push(Piece::Any),
                c => push(last, c),
            }
        }
        if quoted || parts.iter().any(Vec::is_empty) {
            return None;
        }
        let name = parts.pop()?;
        let schema = parts.pop();
        parts.is_empty().then_some(Self { schema, name })
    }

    /// Whether a table's name fits. Without a schema, any schema does.
    pub(crate) fn matches(&self, table: &TableName) -> bool {
        fits(&self.name, &table.name)
            && self
                .schema
                .as_ref()
                .is_none_or(|schema| fits(schema, &table.schema))
    }

    /// Whether a `*` in it stands for any characters.
    pub(crate) fn has_star(&self) -> bool {
        let mut pieces = self.schema.iter().flatten().chain(&self.name);
        pieces.any(|piece| *piece == Piece::Any)
    }

    /// The same in lower case, as PostgreSQL would read it without quotes.
    pub(crate) fn folded(&self) -> Self {
        let fold = |pieces: &Vec<Piece>| {
            let piece = |piece: &Piece| match piece {
                Piece::Text(text) => Piece::Text(text.to_lowercase()),
                Piece::Any => Piece::Any,
            };
            pieces.iter().map(piece).collect::<Vec<_>>()
        };
        Self {
            schema: self.schema.as_ref().map(fold),
            name: fold(&self.name),
        }
    }
}

/// Names that many columns share, each kept once.
#[derive(Debug, Default)]
pub(super) struct SharedNames(HashSet<Arc<str>>);

impl SharedNames {
    /// The name, which is the same one for all that ask for it.
    pub(super) fn of(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = name.into();
        self.0.insert(Arc::clone(&name));
        name
    }
}

impl TableName {
    /// As [`NamePattern::parse`] reads it: without `public`, and in quotes what would not stand for itself.
    pub(crate) fn in_rules(&self) -> String {
        match self.schema.as_str() {
            "public" => literal(&self.name),
            _ => self.written(),
        }
    }

    /// The same with its schema, whichever that is.
    pub(crate) fn written(&self) -> String {
        format!("{}.{}", literal(&self.schema), literal(&self.name))
    }

    /// Whether a person means this table: with or without its schema, with or without quotes.
    pub(crate) fn is_meant_by(&self, text: &str) -> bool {
        let bare = text.replace('"', "");
        self.to_string() == bare || self.name == bare || self.written() == text || literal(&self.name) == text
    }
}

/// A name as part of a pattern that matches it alone.
pub(super) fn literal(name: &str) -> String {
    if name.contains(['.', '*', '"']) || name.trim() != name {
        quote_identifier(name)
    } else {
        name.to_owned()
    }
}

fn push(pieces: &mut Vec<Piece>, c: char) {
    match pieces.last_mut() {
        Some(Piece::Text(text)) => text.push(c),
        _ => pieces.push(Piece::Text(c.to_string())),
    }
}

/// Whether a text fits a pattern in which only `*` is special.
pub(super) fn fits_text(pattern: &str, text: &str) -> bool {
    let mut pieces = Vec::new();
    for c in pattern.chars() {
        match c {
            '*' => pieces.push(Piece::Any),
            c => push(&mut pieces, c),
        }
    }
    fits(&pieces, text)
}

fn fits(pieces: &[Piece], name: &str) -> bool {
    let mut rest = name;
    let mut any = false;
    for (at, piece) in pieces.iter().enumerate() {
        let text = match piece {
            Piece::Any => {
                any = true;
                continue;
            }
            Piece::Text(text) => text.as_str(),
        };
        let is_last = at + 1 == pieces.len();
        let found = match (any, is_last) {
            (true, true) => rest.ends_with(text).then(|| rest.len() - text.len()),
            (true, false) => rest.find(text),
            (false, _) => rest.starts_with(text).then_some(0),
        };
        let Some(found) = found else {
            return false;
        };
        rest = &rest[found + text.len()..];
        any = false;
    }
    any || rest.is_empty()
}

/// A suggestion for a name that does not exist: up to three of `candidates` that look like `text`.
pub(crate) fn meant<'a>(text: &str, candidates: impl Iterator<Item = &'a TableName>) -> Option<Advice> {
    let wanted = text.replace(['"', '*'], "").to_lowercase();
    let bare = wanted.rsplit('.').next().unwrap_or_default();
    let mut scored: Vec<(f64, String)> = candidates
        .map(|table| {
            let name = table.name.to_lowercase();
            let whole = format!("{}.{name}", table.schema.to_lowercase());
            let score = if name.contains('.') {
                // The dot may be the name's own.
                near::likeness(&wanted, &name).max(near::likeness(&wanted, &whole))
            } else if wanted.contains('.') {
                // A right name in a wrong schema is near, too.
                near::likeness(&wanted, &whole).max(near::likeness(bare, &name) - 0.05)
            } else {
                near::likeness(bare, &name)
            };
            (score, table.written())
        })
        .filter(|(score, _)| *score > near::ALIKE)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let quoted = |name: String| match name.contains('"') {
        true => format!("'{name}'"),
        false => format!("\"{name}\""),
    };
    let names = scored.into_iter().take(3).map(|(_, name)| quoted(name));
    let mut names: Vec<String> = names.collect();
    let last = names.pop()?;
    Some(match names.is_empty() {
        true => Advice::Meant { name: last },
        false => Advice::MeantOneOf { names, last },
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn table(schema: &str, name: &str) -> TableName {
        TableName::new(schema, name)
    }

    fn matches(pattern: &str, schema: &str, name: &str) -> bool {
        NamePattern::parse(pattern).unwrap().matches(&table(schema, name))
    }

    #[test]
    fn a_bare_name_means_any_schema() {
        assert!(matches("users", "public", "users"));
        assert!(matches("users", "audit", "users"));
        assert!(!matches("users", "public", "users_old"));
        assert!(!matches("audit.users", "public", "users"));
    }

    #[test]
    fn a_star_stands_for_any_characters_but_not_across_the_dot() {
        assert!(matches("audit.*", "audit", "log"));
        assert!(!matches("audit.*", "audits", "log"));
        assert!(matches("*_log*", "public", "my_logs"));
        assert!(matches("a*b*c", "public", "abbc"));
        assert!(matches("*log", "public", "loglog"));
        assert!(!matches("log*x", "public", "log"));
        assert!(matches("*.users", "odd", "users"));
        assert!(matches("*", "odd", "users"));
        let has_star = |pattern: &str| NamePattern::parse(pattern).unwrap().has_star();
        assert!(has_star("a*") && has_star("*.users") && !has_star("\"a*\".b"));
    }

    #[test]
    fn quotes_make_dots_stars_and_case_literal() {
        assert!(matches(
            "\"Weird.Na*me \"\"q\"\"\"",
            "public",
            "Weird.Na*me \"q\""
        ));
        assert!(!matches("\"a*\"", "public", "ab"));
        assert!(matches("public.\"Weird Name\"", "public", "Weird Name"));
    }

    #[test]
    fn a_name_written_for_a_rule_is_read_as_that_table_alone() {
        for (schema, name) in [
            ("public", "users"),
            ("audit", "Log"),
            ("public", "dot.ted"),
            ("public", "quo\"te"),
            ("sch.ema", "tab le"),
            ("odd", " \"*.\" "),
            ("public", "sta*r"),
        ] {
            let written = table(schema, name).in_rules();
            assert!(matches(&written, schema, name), "{written}");
            assert!(!matches(&written, schema, "other"), "{written}");
        }
        assert_eq!(table("public", "users").in_rules(), "users");
        assert_eq!(table("sch.ema", "tab.le").in_rules(), "\"sch.ema\".\"tab.le\"");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in ["", "  ", "a.", ".b", "a.b.c", "\"a", "\"\""] {
            assert_eq!(NamePattern::parse(text), None, "{text}");
        }
    }

    #[test]
    fn names_that_were_meant_are_the_most_alike_first() {
        let tables = [
            table("public", "users"),
            table("public", "orders"),
            table("audit", "user_events"),
        ];
        let first = |text: &str| meant(text, tables.iter());
        assert_eq!(
            first("user"),
            Some(Advice::MeantOneOf {
                names: vec!["\"public.users\"".into()],
                last: "\"audit.user_events\"".into(),
            })
        );
        let is_users = |advice: Option<Advice>| format!("{advice:?}").contains("public.users");
        assert!(is_users(first("audit.users")));
        assert_eq!(first("zzz"), None);
    }

    #[test]
    fn a_near_miss_is_written_as_the_options_take_it() {
        for (schema, name, text, written) in [
            ("public", "we.ird", "we.ird", "public.\"we.ird\""),
            ("public", "quo\"te", "quote", "public.\"quo\"\"te\""),
            ("sch.ema", "tables", "table", "\"sch.ema\".tables"),
        ] {
            let tables = [table(schema, name)];
            let advice = Advice::Meant {
                name: format!("'{written}'"),
            };
            assert_eq!(meant(text, tables.iter()), Some(advice));
            assert!(matches(written, schema, name), "{written}");
            assert!(tables[0].is_meant_by(written), "{written}");
        }
    }
}
