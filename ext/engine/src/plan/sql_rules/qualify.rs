//! Prefixing a table's own columns with its name, so that no other table's are meant.

use super::parse::folded;
use crate::plan::schema::Schema;
use crate::plan::TableName;
use sqlparser::ast::{Expr, Ident, Query, VisitMut, VisitorMut};
use std::collections::HashSet;
use std::ops::ControlFlow;

/// Prefixes a table's own columns with its name, outside of sub-selects, whose names are theirs.
pub(super) fn qualify(expression: &mut Expr, own: usize, qualifier: &Ident, schema: &Schema) {
    struct Qualifier<'a> {
        depth: usize,
        columns: HashSet<&'a str>,
        name: &'a TableName,
        qualifier: &'a Ident,
    }
    impl VisitorMut for Qualifier<'_> {
        type Break = ();
        fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
            self.depth += 1;
            ControlFlow::Continue(())
        }
        fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
            self.depth -= 1;
            ControlFlow::Continue(())
        }
        fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
            let qualified = match expression {
                Expr::Identifier(column)
                    if self.depth == 0 && self.columns.contains(folded(column).as_str()) =>
                {
                    Some(column.clone())
                }
                Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                    [table, column] if folded(table) == self.name.name => Some(column.clone()),
                    [schema, table, column]
                        if folded(schema) == self.name.schema && folded(table) == self.name.name =>
                    {
                        Some(column.clone())
                    }
                    _ => None,
                },
                _ => None,
            };
            if let Some(column) = qualified {
                *expression = Expr::CompoundIdentifier(vec![self.qualifier.clone(), column]);
            }
            ControlFlow::Continue(())
        }
    }
    let table = &schema.tables[own];
    let mut visitor = Qualifier {
        depth: 0,
        columns: table.columns.iter().map(|column| column.name.as_str()).collect(),
        name: &table.name,
        qualifier,
    };
    let _ = VisitMut::visit(expression, &mut visitor);
}
