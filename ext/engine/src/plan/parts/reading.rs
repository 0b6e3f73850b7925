//! An expression of an index as a function of one column's value.

use crate::plan::parse::arguments;
use sqlparser::ast::{BinaryOperator, Expr, Function, UnaryOperator, Value};

/// What is seen of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    /// All of it.
    Whole,
    /// The text at these keys of a document.
    Path(Vec<String>),
    /// So many characters from the beginning; less than nothing: all but so many at the end.
    Left(Box<Reading>, i64),
    /// The same from the end.
    Right(Box<Reading>, i64),
    /// From this character on, counted from 1, so many.
    Substring(Box<Reading>, i64, Option<i64>),
    /// What stands between one separator and the next, counted from 1, or from the end below nothing.
    Split(Box<Reading>, String, i64),
}

/// Functions whose values differ where their arguments do, or nearly always.
const WHOLE: &[&str] = &[
    "lower",
    "upper",
    "initcap",
    "casefold",
    "btrim",
    "ltrim",
    "rtrim",
    "trim",
    "coalesce",
    "nullif",
    "concat",
    "concat_ws",
    "md5",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "digest",
    "encode",
    "hashtext",
    "unaccent",
    "f_unaccent",
    "immutable_unaccent",
    "normalize",
    "reverse",
    "replace",
    "translate",
    "convert_to",
    "textsend",
    "citext",
    "quote_literal",
];

impl Reading {
    /// Reads an expression over a column; None where it is not understood.
    pub(super) fn of(expression: &Expr, column: &str) -> Option<Self> {
        let is_column = |name: &str, quoted: bool| match quoted {
            true => name == column,
            false => name.to_lowercase() == column,
        };
        let read = |inner: &Expr| Self::of(inner, column);
        match expression {
            Expr::Identifier(name) => {
                is_column(&name.value, name.quote_style.is_some()).then_some(Self::Whole)
            }
            Expr::Nested(inner) | Expr::Cast { expr: inner, .. } | Expr::Collate { expr: inner, .. } => {
                read(inner)
            }
            Expr::Trim { expr, .. } => read(expr),
            Expr::Substring {
                expr,
                substring_from,
                substring_for,
                ..
            } => {
                let from = match substring_from {
                    Some(from) => number(from)?,
                    None => 1,
                };
                let length = match substring_for {
                    Some(length) => Some(number(length)?),
                    None => None,
                };
                Some(Self::Substring(Box::new(read(expr)?), from, length))
            }
            Expr::BinaryOp { left, op, right } => match op {
                BinaryOperator::Arrow | BinaryOperator::LongArrow => read(left)?.at(vec![text(right)?]),
                BinaryOperator::HashArrow | BinaryOperator::HashLongArrow => {
                    read(left)?.at(keys(&text(right)?)?)
                }
                BinaryOperator::StringConcat => read(left).or_else(|| read(right)),
                _ => None,
            },
            Expr::Function(function) => Self::of_call(function, read),
            _ => None,
        }
    }

    fn of_call(function: &Function, read: impl Fn(&Expr) -> Option<Self>) -> Option<Self> {
        let name = function
            .name
            .0
            .last()?
            .to_string()
            .trim_matches('"')
            .to_lowercase();
        let arguments = arguments(function)?;
        let first = || read(arguments.first()?).map(Box::new);
        Some(match (name.as_str(), &arguments[..]) {
            ("left", [_, length]) => Self::Left(first()?, number(length)?),
            ("right", [_, length]) => Self::Right(first()?, number(length)?),
            ("substr" | "substring", [_, from]) => Self::Substring(first()?, number(from)?, None),
            ("substr" | "substring", [_, from, length]) => {
                Self::Substring(first()?, number(from)?, Some(number(length)?))
            }
            ("split_part", [_, separator, place]) => Self::Split(first()?, text(separator)?, number(place)?),
            ("jsonb_extract_path_text" | "json_extract_path_text", [_, path @ ..]) => {
                let path: Option<Vec<String>> = path.iter().map(|key| text(key)).collect();
                first()?.at(path?)?
            }
            (name, arguments) if WHOLE.contains(&name) => arguments.iter().find_map(|one| read(one))?,
            _ => return None,
        })
    }

    /// What is at further keys. Elements of lists are not looked at.
    fn at(self, further: Vec<String>) -> Option<Self> {
        let is_key =
            |key: &String| !key.is_empty() && key.parse::<i64>().is_err() && !key.contains(['"', '\\']);
        if !further.iter().all(is_key) {
            return None;
        }
        match self {
            Self::Whole => Some(Self::Path(further)),
            Self::Path(mut path) => {
                path.extend(further);
                Some(Self::Path(path))
            }
            _ => None,
        }
    }

    /// Whether it is less than the value.
    pub(super) fn is_a_part(&self) -> bool {
        *self != Self::Whole
    }

    /// The keys of the value within a document, if it is of one.
    pub(super) fn path(&self) -> Option<&[String]> {
        match self {
            Self::Whole => None,
            Self::Path(path) => Some(path),
            Self::Left(inner, _)
            | Self::Right(inner, _)
            | Self::Substring(inner, ..)
            | Self::Split(inner, ..) => inner.path(),
        }
    }

    /// A value for the column in which this reading finds `value`.
    pub(super) fn within(&self, value: &str) -> String {
        match self.path() {
            None => value.to_owned(),
            Some(path) => path.iter().rfold(format!("\"{value}\""), |within, key| {
                format!("{{\"{key}\": {within}}}")
            }),
        }
    }

    /// What it sees of a value; None where that is NULL.
    pub(super) fn apply(&self, value: &str) -> Option<String> {
        let characters = |inner: &Self| Some(inner.apply(value)?.chars().collect::<Vec<char>>());
        Some(match self {
            Self::Whole => value.to_owned(),
            Self::Path(path) => {
                let document: serde_json::Value = serde_json::from_str(value).ok()?;
                let found = path.iter().try_fold(&document, |within, key| within.get(key))?;
                match found {
                    serde_json::Value::Null => return None,
                    serde_json::Value::String(text) => text.clone(),
                    other => other.to_string(),
                }
            }
            Self::Left(inner, length) => {
                let text = characters(inner)?;
                text[..from_one_end(*length, text.len())].iter().collect()
            }
            Self::Right(inner, length) => {
                let text = characters(inner)?;
                text[text.len() - from_one_end(*length, text.len())..]
                    .iter()
                    .collect()
            }
            Self::Substring(inner, from, length) => {
                let text = characters(inner)?;
                let end = length.map_or(i64::MAX, |length| from.saturating_add(length));
                let within = |at: &i64| *at >= *from && *at < end;
                let places = (1i64..).zip(&text).filter(|(at, _)| within(at));
                places.map(|(_, letter)| letter).collect()
            }
            Self::Split(inner, separator, place) => {
                let text = inner.apply(value)?;
                let pieces: Vec<&str> = match separator.is_empty() {
                    true => vec![&text],
                    false => text.split(separator.as_str()).collect(),
                };
                let at = match usize::try_from(*place) {
                    Ok(place) => place.checked_sub(1),
                    Err(_) => pieces
                        .len()
                        .checked_sub(usize::try_from(place.unsigned_abs()).ok()?),
                };
                at.and_then(|at| pieces.get(at))
                    .copied()
                    .unwrap_or_default()
                    .to_owned()
            }
        })
    }
}

/// How many of so many characters `left` and `right` take.
fn from_one_end(length: i64, all: usize) -> usize {
    match usize::try_from(length) {
        Ok(length) => length.min(all),
        Err(_) => all.saturating_sub(usize::try_from(length.unsigned_abs()).unwrap_or(usize::MAX)),
    }
}

fn number(expression: &Expr) -> Option<i64> {
    match expression {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => number(inner),
        Expr::UnaryOp {
            op: UnaryOperator::Minus,
            expr,
        } => number(expr).map(|number| -number),
        Expr::Value(value) => match &value.value {
            Value::Number(number, _) => number.parse().ok(),
            Value::SingleQuotedString(text) => text.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

fn text(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => text(inner),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// `{a,b}`.
fn keys(array: &str) -> Option<Vec<String>> {
    let within = array.strip_prefix('{')?.strip_suffix('}')?;
    let keys = within.split(',').map(|key| key.trim().to_owned());
    Some(keys.collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::plan::parse::parse_expression;

    fn seen(sql: &str, value: &str) -> Option<String> {
        Reading::of(&parse_expression(sql).unwrap(), "email")?.apply(value)
    }

    #[test]
    fn parts_are_seen_as_postgresql_sees_them() {
        for (sql, part) in [
            ("split_part((email)::text, '@'::text, 2)", "corp.example"),
            ("split_part(email, '@'::text, '-1'::integer)", "corp.example"),
            ("split_part(email, '#'::text, 2)", ""),
            ("\"left\"(lower((email)::text), 3)", "nor"),
            ("\"left\"(email, '-4'::integer)", "nora@corp.exa"),
            ("\"right\"(email, 3)", "ple"),
            ("SUBSTRING(email FROM 2 FOR 3)", "ora"),
            ("\"substring\"(email, 2, 3)", "ora"),
            ("substr(email, 6)", "corp.example"),
            (
                "COALESCE(split_part(email, '@'::text, 2), ''::text)",
                "corp.example",
            ),
        ] {
            assert_eq!(seen(sql, "nora@corp.example").as_deref(), Some(part), "{sql}");
        }
    }

    #[test]
    fn a_key_of_a_document_is_a_part_of_it() {
        let document = r#"{"email": "a@b.c", "at": {"home": "x"}, "none": null}"#;
        assert_eq!(
            seen("(email ->> 'email'::text)", document).as_deref(),
            Some("a@b.c")
        );
        assert_eq!(
            seen("((email -> 'at'::text) ->> 'home'::text)", document).as_deref(),
            Some("x")
        );
        assert_eq!(
            seen("lower((email #>> '{at,home}'::text[]))", document).as_deref(),
            Some("x")
        );
        assert_eq!(seen("(email ->> 'none'::text)", document), None);
        assert_eq!(
            Reading::of(&parse_expression("(email -> 0)").unwrap(), "email"),
            None
        );
    }

    #[test]
    fn what_is_not_understood_is_none() {
        for sql in [
            "own_function(email)",
            "(email ~ 'x')",
            "other",
            "regexp_replace(email, 'a', 'b')",
        ] {
            assert_eq!(
                Reading::of(&parse_expression(sql).unwrap(), "email"),
                None,
                "{sql}"
            );
        }
    }
}
