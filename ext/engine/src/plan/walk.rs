//! Every expression in a piece of SQL, with how deep in sub-selects it stands.

use sqlparser::ast::{Expr, Query, Visit, Visitor};
use std::ops::ControlFlow;

/// What looks at an expression. It is no type parameter of the walk, because each type of visitor is a copy of the walk
/// through every kind of statement there is, some 70 KB.
type Each<'a> = &'a mut dyn FnMut(usize, &Expr) -> ControlFlow<()>;

/// Calls `each` for every expression in `sql`, the outer ones first, with the number of queries around it: 0 for what
/// stands in no sub-select.
pub(super) fn expressions(sql: &impl Visit, mut each: impl FnMut(usize, &Expr)) {
    walk(sql, &mut |depth, expression| {
        each(depth, expression);
        ControlFlow::Continue(())
    });
}

/// Whether `test` holds for any expression in `sql`.
pub(super) fn any(sql: &impl Visit, mut test: impl FnMut(&Expr) -> bool) -> bool {
    let mut found = false;
    walk(sql, &mut |_, expression| {
        found = test(expression);
        if found {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    found
}

fn walk(sql: &impl Visit, each: Each<'_>) {
    let _ = sql.visit(&mut Walk { depth: 0, each });
}

struct Walk<'a> {
    depth: usize,
    each: Each<'a>,
}

impl Visitor for Walk<'_> {
    type Break = ();
    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }
    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }
    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        (self.each)(self.depth, expression)
    }
}
