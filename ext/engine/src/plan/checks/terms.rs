//! What a CHECK compares: the column, what is computed of it, and constants, each with what it is compared as.

use super::reader::CheckReader;
use crate::plan::parse::arguments;
use jiff::civil::DateTime;
use jiff::{Span, Timestamp};
use masking::{Term, Type};
use sqlparser::ast::{BinaryOperator, DataType, Expr, Function, TrimWhereField, UnaryOperator, Value};

/// What a term is compared as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// `citext` takes no case for another one.
    Text {
        ignores_case: bool,
    },
    Number,
    Moment,
}

const TEXT: Class = Class::Text { ignores_case: false };

/// A term and its class. A constant in quotes is text until it is compared with something else.
pub(super) type Typed = (Term, Class);

impl CheckReader<'_> {
    /// The first characters of a text.
    fn left(&self, text: &Expr, length: &Expr) -> Option<Typed> {
        let (Term::FixedNumber(length), _) = self.term(length)? else {
            return None;
        };
        // A negative number counts from the end.
        let is_plain = (0.0..=1024.0).contains(&length);
        is_plain.then(|| self.of_text(text, |term| Term::Left(term, length as usize)))?
    }

    pub(super) fn term(&self, expression: &Expr) -> Option<Typed> {
        Some(match expression {
            Expr::Nested(inner) => self.term(inner)?,
            _ if self.is_column(expression) => self.column_itself()?,
            Expr::Value(value) => constant(&value.value)?,
            Expr::UnaryOp {
                op: UnaryOperator::Minus,
                expr,
            } => match self.term(expr)? {
                (Term::FixedNumber(number), class) => (Term::FixedNumber(-number), class),
                _ => return None,
            },
            Expr::Cast { expr, data_type, .. } => self.cast(expr, data_type)?,
            Expr::Trim {
                trim_where,
                trim_what: None,
                expr,
                trim_characters: None,
            } => {
                let (start, end) = (
                    !matches!(trim_where, Some(TrimWhereField::Trailing)),
                    !matches!(trim_where, Some(TrimWhereField::Leading)),
                );
                self.of_text(expr, |term| Term::Trim(term, start, end))?
            }
            Expr::Substring {
                expr,
                substring_from: Some(from),
                substring_for: Some(length),
                ..
            } if is_one(from) => self.left(expr, length)?,
            Expr::Position { expr, r#in } => {
                let (needle, _) = self.text(expr)?;
                let (haystack, _) = self.text(r#in)?;
                (
                    Term::Position(Box::new(needle), Box::new(haystack)),
                    Class::Number,
                )
            }
            Expr::Function(function) => return self.call(function),
            Expr::BinaryOp { left, op, right } => return self.moved(left, op, right),
            _ => return None,
        })
    }

    /// The column's own value.
    fn column_itself(&self) -> Option<Typed> {
        Some(match self.kind {
            Type::Text { ignores_case, .. } => (
                Term::Text,
                Class::Text {
                    ignores_case: *ignores_case,
                },
            ),
            Type::Enum(_) => (Term::Text, TEXT),
            Type::Integer(_) | Type::Numeric { .. } | Type::Real | Type::Double => {
                (Term::Number, Class::Number)
            }
            Type::Date | Type::Timestamp | Type::TimestampTz => (Term::Moment, Class::Moment),
            _ => return None,
        })
    }

    pub(super) fn text(&self, expression: &Expr) -> Option<Typed> {
        self.term(expression)
            .filter(|(_, class)| matches!(class, Class::Text { .. }))
    }

    fn of_text(&self, expression: &Expr, wrap: impl FnOnce(Box<Term>) -> Term) -> Option<Typed> {
        let (term, class) = self.text(expression)?;
        Some((wrap(Box::new(term)), class))
    }

    fn cast(&self, inner: &Expr, data_type: &DataType) -> Option<Typed> {
        let name = data_type.to_string().to_lowercase();
        // Types of extensions and of the team's own come with their schema.
        let name = name.rsplit('.').next().unwrap_or_default();
        let is = |names: &[&str]| names.iter().any(|known| name.starts_with(known));
        if is(&[
            "text",
            "character varying",
            "varchar",
            "bpchar",
            "character",
            "name",
        ]) {
            if self.is_column(inner) {
                // Any value is text in COPY as it is when cast, but for a boolean.
                return (*self.kind != Type::Boolean).then_some((Term::Text, TEXT));
            }
            return self.text(inner).map(|(term, _)| (term, TEXT));
        }
        let (term, class) = self.term(inner)?;
        if is(&["citext"]) {
            let is_text = matches!(class, Class::Text { .. });
            return is_text.then_some((term, Class::Text { ignores_case: true }));
        }
        if is(&[
            "int", "bigint", "smallint", "numeric", "decimal", "double", "real", "float",
        ]) {
            return as_class((term, class), Class::Number);
        }
        if is(&["date", "timestamp"]) {
            let (term, class) = as_class((term, class), Class::Moment)?;
            let is_day = name == "date" && !matches!(term, Term::FixedMoment(_));
            return Some((if is_day { Term::Day(Box::new(term)) } else { term }, class));
        }
        // A label of an enum, or what a type of the team's own reads from text.
        matches!(term, Term::FixedText(_)).then_some((term, class))
    }

    fn call(&self, function: &Function) -> Option<Typed> {
        let now = Timestamp::now().as_second();
        if is_called(
            function,
            &[
                "now",
                "current_timestamp",
                "localtimestamp",
                "statement_timestamp",
                "clock_timestamp",
            ],
        ) {
            return Some((Term::FixedMoment(now), Class::Moment));
        }
        if is_called(function, &["current_date"]) {
            return Some((Term::FixedMoment(now - now.rem_euclid(86_400)), Class::Moment));
        }
        let arguments = arguments(function)?;
        let argument = match arguments[..] {
            [argument] => argument,
            [haystack, needle] if is_called(function, &["strpos"]) => {
                let (needle, haystack) = (self.text(needle)?.0, self.text(haystack)?.0);
                return Some((
                    Term::Position(Box::new(needle), Box::new(haystack)),
                    Class::Number,
                ));
            }
            [text, length] if is_called(function, &["left"]) => return self.left(text, length),
            [text, from, length] if is_called(function, &["substr", "substring"]) && is_one(from) => {
                return self.left(text, length);
            }
            _ => return None,
        };
        let name = function.name.0.last()?.to_string().to_lowercase();
        match name.trim_matches('"') {
            "jsonb_typeof" | "json_typeof" if self.is_column(argument) => {
                Some((Term::DocumentType(Box::new(Term::Text)), TEXT))
            }
            "lower" => self.of_text(argument, Term::Lower),
            "upper" => self.of_text(argument, Term::Upper),
            "btrim" => self.of_text(argument, |term| Term::Trim(term, true, true)),
            "ltrim" => self.of_text(argument, |term| Term::Trim(term, true, false)),
            "rtrim" => self.of_text(argument, |term| Term::Trim(term, false, true)),
            "length" | "char_length" | "character_length" => {
                let (term, _) = self.of_text(argument, Term::Length)?;
                Some((term, Class::Number))
            }
            "octet_length" => {
                let (term, _) = self.of_text(argument, Term::Bytes)?;
                Some((term, Class::Number))
            }
            _ => None,
        }
    }

    /// A fixed moment and an interval of years, months, days or hours.
    fn moved(&self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Option<Typed> {
        let (Term::FixedMoment(seconds), _) = self.term(left)? else {
            return None;
        };
        let is_back = match op {
            BinaryOperator::Minus => true,
            BinaryOperator::Plus => false,
            _ => return None,
        };
        let moment: DateTime = Timestamp::from_second(seconds)
            .ok()?
            .to_zoned(jiff::tz::TimeZone::UTC)
            .datetime();
        let span = interval(right)?;
        let moved = if is_back {
            moment.checked_sub(span)
        } else {
            moment.checked_add(span)
        };
        let moved = moved.ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some((Term::FixedMoment(moved.timestamp().as_second()), Class::Moment))
    }
}

pub(super) fn is_called(function: &Function, names: &[&str]) -> bool {
    let name = function.name.0.last();
    let name = name.map(|part| part.to_string().trim_matches('"').to_lowercase());
    name.is_some_and(|name| names.contains(&name.as_str()))
}

fn constant(value: &Value) -> Option<Typed> {
    match value {
        Value::Number(number, _) => Some((Term::FixedNumber(number.parse().ok()?), Class::Number)),
        Value::SingleQuotedString(text) => Some((Term::FixedText(text.clone()), TEXT)),
        _ => None,
    }
}

fn is_one(expression: &Expr) -> bool {
    matches!(expression, Expr::Value(value) if matches!(&value.value, Value::Number(number, _) if number == "1"))
}

/// A term in another class: a constant in quotes is what it is compared with.
pub(super) fn as_class((term, class): Typed, wanted: Class) -> Option<Typed> {
    match (term, wanted) {
        (term, wanted) if class == wanted => Some((term, wanted)),
        (Term::FixedText(text), Class::Number) => Some((Term::FixedNumber(text.parse().ok()?), wanted)),
        (Term::FixedText(text), Class::Moment) => {
            Some((Term::FixedMoment(masking::seconds_of(text.as_bytes())?), wanted))
        }
        _ => None,
    }
}

/// `'18 years'::interval`, `'1 mon 2 days'::interval`.
fn interval(expression: &Expr) -> Option<Span> {
    let text = match expression {
        Expr::Nested(inner) => return interval(inner),
        Expr::Cast { expr, data_type, .. }
            if data_type.to_string().to_lowercase().starts_with("interval") =>
        {
            match &**expr {
                Expr::Value(value) => match &value.value {
                    Value::SingleQuotedString(text) => text,
                    _ => return None,
                },
                _ => return None,
            }
        }
        _ => return None,
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut span = Span::new();
    for pair in words.chunks(2) {
        let [number, unit] = pair else {
            return None;
        };
        let number: i64 = number.parse().ok()?;
        span = match unit.trim_end_matches('s') {
            "year" => span.try_years(number),
            "mon" | "month" => span.try_months(number),
            "week" => span.try_weeks(number),
            "day" => span.try_days(number),
            "hour" => span.try_hours(number),
            _ => return None,
        }
        .ok()?;
    }
    Some(span)
}
