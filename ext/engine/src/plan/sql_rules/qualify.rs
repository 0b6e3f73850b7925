//! Prefixing a table's own columns with its name, so that no other table's are meant.

use crate::plan::parse::folded;
use crate::plan::schema::Schema;
use crate::plan::TableName;
use sqlparser::ast::{Expr, Ident, Query, VisitMut, VisitorMut};
use std::collections::HashSet;
use std::ops::ControlFlow;

/// Prefixes a table's own columns with `qualifier`, outside of sub-selects, whose names are theirs. `tables` are those
/// that the table may be called by; the last one is the table itself.
pub(super) fn qualify(expression: &mut Expr, tables: &[usize], qualifier: &Ident, schema: &Schema) {
    let Some(own) = tables.last() else { return };
    let names = tables.iter().map(|table| &schema.tables[*table].name).collect();
    prefix(expression, *own, names, qualifier, schema);
}

/// The same where a statement reads other tables beside its own: names that say which table they mean stay.
pub(super) fn qualify_bare(expression: &mut Expr, own: usize, qualifier: &Ident, schema: &Schema) {
    prefix(expression, own, Vec::new(), qualifier, schema);
}

fn prefix(expression: &mut Expr, own: usize, names: Vec<&TableName>, qualifier: &Ident, schema: &Schema) {
    struct Qualifier<'a> {
        depth: usize,
        columns: HashSet<&'a str>,
        names: Vec<&'a TableName>,
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
                    [table, column] if self.names.iter().any(|name| folded(table) == name.name) => {
                        Some(column.clone())
                    }
                    [schema, table, column]
                        if self
                            .names
                            .iter()
                            .any(|name| folded(schema) == name.schema && folded(table) == name.name) =>
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
    let columns = schema.tables[own].columns.iter();
    let mut visitor = Qualifier {
        depth: 0,
        columns: columns.map(|column| column.name.as_str()).collect(),
        names,
        qualifier,
    };
    let _ = VisitMut::visit(expression, &mut visitor);
}
