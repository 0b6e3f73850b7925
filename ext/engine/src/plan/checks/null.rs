//! Whether a CHECK may refuse a row whose column is NULL: most expressions come to NULL with it, which a CHECK lets pass.

use super::reader::CheckReader;
use super::terms::is_called;
use crate::plan::parse::arguments;
use sqlparser::ast::{BinaryOperator, Expr, Function, UnaryOperator};

/// What an expression can come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Outcomes {
    yes: bool,
    no: bool,
    null: bool,
}

const ANY: Outcomes = Outcomes {
    yes: true,
    no: true,
    null: true,
};
const YES: Outcomes = Outcomes {
    yes: true,
    no: false,
    null: false,
};
const NO: Outcomes = Outcomes {
    yes: false,
    no: true,
    null: false,
};
const NULL: Outcomes = Outcomes {
    yes: false,
    no: false,
    null: true,
};

impl Outcomes {
    fn not(self) -> Self {
        Self {
            yes: self.no,
            no: self.yes,
            null: self.null,
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            yes: self.yes && other.yes,
            no: self.no || other.no,
            null: self.null && (other.yes || other.null) || other.null && (self.yes || self.null),
        }
    }

    fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }
}

/// Functions that come to NULL when an argument of theirs is.
const STRICT: &[&str] = &[
    "abs",
    "ascii",
    "array_length",
    "array_position",
    "bit_length",
    "btrim",
    "cardinality",
    "ceil",
    "char_length",
    "character_length",
    "date_part",
    "date_trunc",
    "floor",
    "initcap",
    "json_typeof",
    "jsonb_typeof",
    "left",
    "length",
    "like_escape",
    "lower",
    "lpad",
    "ltrim",
    "md5",
    "mod",
    "octet_length",
    "position",
    "regexp_count",
    "regexp_like",
    "regexp_match",
    "regexp_replace",
    "regexp_split_to_array",
    "repeat",
    "replace",
    "reverse",
    "right",
    "round",
    "rpad",
    "rtrim",
    "split_part",
    "starts_with",
    "strpos",
    "substr",
    "substring",
    "translate",
    "trunc",
    "upper",
];

impl CheckReader<'_> {
    /// Whether a condition can be false for a row whose column is NULL.
    pub(super) fn may_refuse_null(&self, expression: &Expr) -> bool {
        self.outcomes(expression).no
    }

    fn outcomes(&self, expression: &Expr) -> Outcomes {
        match expression {
            Expr::Nested(inner) => self.outcomes(inner),
            Expr::UnaryOp {
                op: UnaryOperator::Not,
                expr,
            } => self.outcomes(expr).not(),
            Expr::BinaryOp {
                left,
                op: BinaryOperator::And,
                right,
            } => self.outcomes(left).and(self.outcomes(right)),
            Expr::BinaryOp {
                left,
                op: BinaryOperator::Or,
                right,
            } => self.outcomes(left).or(self.outcomes(right)),
            Expr::IsNull(inner) if self.is_null(inner) => YES,
            Expr::IsNotNull(inner) if self.is_null(inner) => NO,
            other if self.is_null(other) => NULL,
            _ => ANY,
        }
    }

    /// Whether an expression is NULL where the column is.
    fn is_null(&self, expression: &Expr) -> bool {
        use BinaryOperator::{And, Or};
        match expression {
            _ if self.is_column(expression) => true,
            Expr::Nested(inner)
            | Expr::Cast { expr: inner, .. }
            | Expr::Collate { expr: inner, .. }
            | Expr::UnaryOp { expr: inner, .. }
            | Expr::Extract { expr: inner, .. }
            | Expr::Trim { expr: inner, .. } => self.is_null(inner),
            Expr::BinaryOp { op: And | Or, .. } => self.outcomes(expression) == NULL,
            Expr::BinaryOp { left, right, .. } => self.is_null(left) || self.is_null(right),
            Expr::AnyOp { left, .. } | Expr::AllOp { left, .. } => self.is_null(left),
            Expr::InList { expr, .. } => self.is_null(expr),
            Expr::Like { expr, pattern, .. }
            | Expr::ILike { expr, pattern, .. }
            | Expr::SimilarTo { expr, pattern, .. } => self.is_null(expr) || self.is_null(pattern),
            Expr::Between { expr, .. } => self.is_null(expr),
            Expr::Position { expr, r#in } => self.is_null(expr) || self.is_null(r#in),
            Expr::Substring { expr, .. } => self.is_null(expr),
            Expr::Function(function) => self.is_strict_of_null(function),
            _ => false,
        }
    }

    fn is_strict_of_null(&self, function: &Function) -> bool {
        let of_null = || arguments(function).is_some_and(|given| given.iter().any(|one| self.is_null(one)));
        is_called(function, STRICT) && of_null()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::plan::parse::parse_expression;
    use masking::Type;

    fn may_refuse(sql: &str) -> bool {
        let reader = CheckReader {
            column: "url",
            kind: &Type::TEXT,
        };
        reader.may_refuse_null(&parse_expression(sql).unwrap())
    }

    #[test]
    fn what_comes_to_null_with_the_column_lets_null_pass() {
        for sql in [
            "(POSITION((host) IN (url)) > 0)",
            "(strpos(url, host) = 1)",
            "((kind <> 'http'::text) OR (url ~~ 'http://%'::text))",
            "((url IS NULL) OR (host IS NOT NULL))",
            "(NOT (url ~ host))",
            "((url)::text = ANY (ARRAY['a'::text, host]))",
            "(((url IS NULL) OR valid_url(url)) AND (length(url) > n))",
        ] {
            assert!(!may_refuse(sql), "{sql}");
        }
    }

    #[test]
    fn what_may_be_false_without_the_column_may_refuse_null() {
        for sql in [
            "((status <> 'running'::text) OR (url IS NOT NULL))",
            "(num_nonnulls(url, host) = 1)",
            "((url IS NULL) <> (host IS NULL))",
            "valid_url(url)",
            "(COALESCE(url, host) <> ''::text)",
            "((url IS NULL) = active)",
            "(url IS DISTINCT FROM host)",
            "((url ~ host) AND (host IS NOT NULL))",
        ] {
            assert!(may_refuse(sql), "{sql}");
        }
    }
}
