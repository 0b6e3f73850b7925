//! Every expression in a piece of SQL, with how deep in sub-selects it stands.

use sqlparser::ast::{Expr, Query, Visit, Visitor};
use std::ops::ControlFlow;

/// Calls `each` for every expression in `sql`, the outer ones first, with the number of queries around it: 0 for what
/// stands in no sub-select.
pub(super) fn expressions(sql: &impl Visit, each: impl FnMut(usize, &Expr)) {
    struct Walk<F> {
        depth: usize,
        each: F,
    }
    impl<F: FnMut(usize, &Expr)> Visitor for Walk<F> {
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
            (self.each)(self.depth, expression);
            ControlFlow::Continue(())
        }
    }
    let _ = sql.visit(&mut Walk { depth: 0, each });
}
