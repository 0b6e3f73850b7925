//! CHECK constraints: what they ask of one column, as a [`Condition`] that each pseudonym is held against.
//!
//! Understood is what such constraints mostly are (comparisons, lists, regular expressions, LIKE, lengths, case, trims,
//! ranges of numbers and dates, AND, OR, NOT) as pg_dump writes it. Each part of a conjunction stands for itself.

mod null;
mod pattern;
mod reader;
mod terms;

use super::parse::parse_expression;
use super::schema::{CheckConstraint, Schema};
use masking::{Check, Condition, Type};
use reader::CheckReader;
use sqlparser::ast::{BinaryOperator, Expr};

/// What the CHECKs of a column come to.
#[derive(Debug, Default)]
pub(super) struct ColumnChecks {
    /// Those that are understood.
    pub(super) checks: Vec<Check>,
    /// The names of those that are not, wholly or in part.
    pub(super) unknown: Vec<String>,
    /// The names of those among them, and of those that only ask whether it is NULL, that may refuse NULL.
    pub(super) refusing_null: Vec<String>,
}

/// What the CHECKs of a table, of those it is a part of, and of a column's domains ask of that column.
pub(super) fn of_column(schema: &Schema, table: usize, column: &str) -> ColumnChecks {
    let mut found = ColumnChecks::default();
    let known = &schema.tables[table];
    let Some(of_table) = known.columns.iter().find(|known| known.name == column) else {
        return found;
    };
    let Some(column_type) = &of_table.column_type else {
        return found;
    };
    let home = &known.name.schema;
    let kind = schema.resolve(column_type, home).0;
    let tables = std::iter::once(table).chain(schema.ancestors(table));
    let constraints = tables.flat_map(|table| &schema.tables[table].checks);
    let mut seen: Vec<&CheckConstraint> = Vec::new();
    for constraint in constraints.filter(|check| check.identifiers.iter().any(|name| name == column)) {
        // A partition repeats what it inherits.
        if !seen.contains(&constraint) {
            seen.push(constraint);
            found.add(constraint, column, &kind);
        }
    }
    for constraint in schema.domain_checks(column_type, home) {
        found.add(constraint, "value", &kind);
    }
    found
}

impl ColumnChecks {
    fn add(&mut self, constraint: &CheckConstraint, column: &str, kind: &Type) {
        let reader = CheckReader { column, kind };
        let Ok(expression) = parse_expression(&constraint.sql) else {
            self.refusing_null.push(constraint.name.clone());
            return self.unknown.push(constraint.name.clone());
        };
        let mut conditions = Vec::new();
        let (mut is_known, mut may_refuse_null) = (true, false);
        for part in conjuncts(&expression) {
            match reader.condition(part) {
                Some(condition) => conditions.push(condition),
                None if !reader.names_column(part) => {}
                None => {
                    may_refuse_null |= reader.may_refuse_null(part);
                    // Most masks leave NULL alone, and what is not NULL they make no NULL.
                    is_known &= reader.asks_for_null_only(part);
                }
            }
        }
        if may_refuse_null {
            self.refusing_null.push(constraint.name.clone());
        }
        if !conditions.is_empty() {
            self.checks.push(Check {
                name: constraint.name.clone(),
                condition: Condition::All(conditions),
            });
        }
        if !is_known {
            self.unknown.push(constraint.name.clone());
        }
    }
}

fn conjuncts(expression: &Expr) -> Vec<&Expr> {
    match expression {
        Expr::Nested(inner) => conjuncts(inner),
        Expr::BinaryOp {
            left,
            op: BinaryOperator::And,
            right,
        } => [conjuncts(left), conjuncts(right)].concat(),
        other => vec![other],
    }
}
