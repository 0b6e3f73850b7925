//! Expressions of SQL about one column, as conditions; None for what is not understood.

use super::pattern::{is_the_same_here, regex_of_like};
use super::terms::{as_class, is_called, Class, Typed};
use crate::plan::parse::arguments;
use crate::plan::walk;
use masking::{Comparison, Condition, Pattern, Term, Type};
use regex::RegexBuilder;
use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};

/// Operators by the names that `OPERATOR(schema.name)` gives them.
const OPERATORS: [(&str, BinaryOperator); 10] = [
    ("=", BinaryOperator::Eq),
    ("<>", BinaryOperator::NotEq),
    ("~", BinaryOperator::PGRegexMatch),
    ("~*", BinaryOperator::PGRegexIMatch),
    ("!~", BinaryOperator::PGRegexNotMatch),
    ("!~*", BinaryOperator::PGRegexNotIMatch),
    ("~~", BinaryOperator::PGLikeMatch),
    ("~~*", BinaryOperator::PGILikeMatch),
    ("!~~", BinaryOperator::PGNotLikeMatch),
    ("!~~*", BinaryOperator::PGNotILikeMatch),
];

/// Reads expressions about one column.
pub(super) struct CheckReader<'a> {
    pub(super) column: &'a str,
    pub(super) kind: &'a Type,
}

impl CheckReader<'_> {
    pub(super) fn is_column(&self, expression: &Expr) -> bool {
        match expression {
            Expr::Nested(inner) => self.is_column(inner),
            Expr::Identifier(name) if name.quote_style.is_some() => name.value == self.column,
            Expr::Identifier(name) => name.value.to_lowercase() == self.column,
            _ => false,
        }
    }

    pub(super) fn names_column(&self, expression: &Expr) -> bool {
        walk::any(expression, |inner| self.is_column(inner))
    }

    /// Whether the column stands only where it is asked whether it is NULL, which no mask changes that writes no NULL.
    pub(super) fn asks_for_null_only(&self, expression: &Expr) -> bool {
        match expression {
            Expr::Nested(inner) | Expr::UnaryOp { expr: inner, .. } => self.asks_for_null_only(inner),
            Expr::IsNull(inner) | Expr::IsNotNull(inner) => {
                self.is_column(inner) || !self.names_column(expression)
            }
            Expr::Function(function) if is_called(function, &["num_nonnulls", "num_nulls"]) => true,
            Expr::BinaryOp { left, right, .. } => {
                self.asks_for_null_only(left) && self.asks_for_null_only(right)
            }
            other => !self.names_column(other),
        }
    }

    pub(super) fn condition(&self, expression: &Expr) -> Option<Condition> {
        Some(match expression {
            Expr::Nested(inner) => self.condition(inner)?,
            Expr::Function(function) if is_called(function, &["starts_with"]) => {
                let [text, start] = arguments(function)?[..] else {
                    return None;
                };
                return self.begins(text, start);
            }
            Expr::BinaryOp { left, op, right } => return self.operation(left, op, right),
            Expr::UnaryOp {
                op: UnaryOperator::Not,
                expr,
            } => not(self.condition(expr)?),
            Expr::IsNull(inner) if self.is_column(inner) => Condition::IsNull,
            Expr::IsNotNull(inner) if self.is_column(inner) => not(Condition::IsNull),
            Expr::Between {
                expr,
                negated,
                low,
                high,
            } => {
                let between = Condition::All(vec![
                    self.operation(expr, &BinaryOperator::GtEq, low)?,
                    self.operation(expr, &BinaryOperator::LtEq, high)?,
                ]);
                negate(between, *negated)
            }
            Expr::InList { expr, list, negated } => negate(self.one_of(expr, list)?, *negated),
            Expr::AnyOp {
                left,
                compare_op: BinaryOperator::Eq,
                right,
                ..
            } => self.one_of(left, elements(right)?)?,
            Expr::AllOp {
                left,
                compare_op: BinaryOperator::NotEq,
                right,
            } => not(self.one_of(left, elements(right)?)?),
            Expr::AnyOp {
                left,
                compare_op,
                right,
                ..
            } => {
                let each = elements(right)?.iter();
                Condition::Any(
                    each.map(|element| self.operation(left, compare_op, element))
                        .collect::<Option<_>>()?,
                )
            }
            _ => return None,
        })
    }

    fn one_of(&self, term: &Expr, list: &[Expr]) -> Option<Condition> {
        let each = list
            .iter()
            .map(|element| self.operation(term, &BinaryOperator::Eq, element));
        each.collect::<Option<_>>().map(Condition::Any)
    }

    fn operation(&self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Option<Condition> {
        use BinaryOperator::*;
        match op {
            And => {
                return Some(Condition::All(vec![
                    self.condition(left)?,
                    self.condition(right)?,
                ]))
            }
            Or => {
                return Some(Condition::Any(vec![
                    self.condition(left)?,
                    self.condition(right)?,
                ]))
            }
            // An operator of an extension: `OPERATOR(public.~*)`, which pg_dump writes for citext.
            PGCustomBinaryOperator(names) => {
                let (_, op) = OPERATORS
                    .iter()
                    .find(|(name, _)| names.last().is_some_and(|last| last == name))?;
                return self.operation(left, op, right);
            }
            _ => {}
        }
        if let PGStartsWith = op {
            return self.begins(left, right);
        }
        let (left, right) = (self.term(left)?, self.term(right)?);
        match Likeness::of(op) {
            Some(likeness) => likeness.condition(left, right),
            None => compare(left, op, right),
        }
    }

    /// A text begins with another one.
    fn begins(&self, text: &Expr, start: &Expr) -> Option<Condition> {
        let (Term::FixedText(start), _) = self.term(start)? else {
            return None;
        };
        let regex = RegexBuilder::new(&format!("^{}", regex::escape(&start)))
            .build()
            .ok()?;
        Some(Condition::Matches(self.text(text)?.0, Pattern(regex)))
    }
}

/// An operator that holds a text against a pattern.
struct Likeness {
    /// The pattern is LIKE's; else it is a regular expression.
    is_like: bool,
    is_negated: bool,
    ignores_case: bool,
}

impl Likeness {
    fn of(op: &BinaryOperator) -> Option<Self> {
        use BinaryOperator::*;
        let (is_like, is_negated, ignores_case) = match op {
            PGRegexMatch => (false, false, false),
            PGRegexIMatch => (false, false, true),
            PGRegexNotMatch => (false, true, false),
            PGRegexNotIMatch => (false, true, true),
            PGLikeMatch => (true, false, false),
            PGILikeMatch => (true, false, true),
            PGNotLikeMatch => (true, true, false),
            PGNotILikeMatch => (true, true, true),
            _ => return None,
        };
        Some(Self {
            is_like,
            is_negated,
            ignores_case,
        })
    }

    fn condition(&self, text: Typed, pattern: Typed) -> Option<Condition> {
        let (
            term,
            Class::Text {
                ignores_case: of_type,
            },
        ) = text
        else {
            return None;
        };
        let (Term::FixedText(pattern), _) = pattern else {
            return None;
        };
        let pattern = if self.is_like {
            regex_of_like(&pattern)
        } else {
            is_the_same_here(&pattern).then_some(pattern)?
        };
        let regex = RegexBuilder::new(&pattern)
            .case_insensitive(self.ignores_case || of_type)
            .dot_matches_new_line(true)
            .build()
            .ok()?;
        Some(negate(Condition::Matches(term, Pattern(regex)), self.is_negated))
    }
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

fn negate(condition: Condition, is_negated: bool) -> Condition {
    if is_negated {
        not(condition)
    } else {
        condition
    }
}

/// The elements of `ARRAY[…]`, with or without a cast.
fn elements(expression: &Expr) -> Option<&[Expr]> {
    match expression {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => elements(inner),
        Expr::Array(array) => Some(&array.elem),
        _ => None,
    }
}

fn compare(left: Typed, op: &BinaryOperator, right: Typed) -> Option<Condition> {
    use BinaryOperator::*;
    let is_fixed = |typed: &Typed| matches!(typed.0, Term::FixedText(_));
    let class = if is_fixed(&left) { right.1 } else { left.1 };
    let is_text = |class| matches!(class, Class::Text { .. });
    let ignores_case = [left.1, right.1].contains(&Class::Text { ignores_case: true });
    let ((left, _), (right, _)) = if is_text(class) {
        (is_text(left.1) && is_text(right.1)).then_some((left, right))?
    } else {
        (as_class(left, class)?, as_class(right, class)?)
    };
    let equal = if ignores_case {
        Comparison::SameLetters
    } else {
        Comparison::Equal
    };
    Some(match op {
        Eq => Condition::Compare(left, equal, right),
        NotEq => not(Condition::Compare(left, equal, right)),
        // The order of texts is the collation's.
        _ if is_text(class) => return None,
        Lt => Condition::Compare(left, Comparison::Less, right),
        LtEq => Condition::Compare(left, Comparison::AtMost, right),
        Gt => Condition::Compare(right, Comparison::Less, left),
        GtEq => Condition::Compare(right, Comparison::AtMost, left),
        _ => return None,
    })
}
