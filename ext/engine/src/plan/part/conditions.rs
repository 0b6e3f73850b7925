//! What can be known of a condition without the server: that it is one, and that it reads its own table's columns.

use super::rules::no_column;
use crate::plan::parse::{folded, has_query, parse_expression, Unreadable};
use crate::plan::schema::Table;
use crate::plan::walk;
use sqlparser::ast::{Expr, Ident};
use std::collections::{BTreeSet, HashSet};

const QUERY: &str = "its where has a query in it (SELECT, TABLE or VALUES), which a backup that streams by cannot answer. Write \
                     values as a list, such as \"id IN (12, 47)\", or give the other table its own rule: rows follow the tables \
                     that they refer to.";

/// Everything that is wrong with a condition; the columns that it reads are added to `reads`. `table`: None where it is not
/// known which is meant.
pub(super) fn problems(condition: &str, table: Option<&Table>, reads: &mut BTreeSet<String>) -> Vec<String> {
    let expression = match parse_expression(condition) {
        Ok(expression) => expression,
        // The parser does not know all forms of a query.
        Err(_) if has_query(condition) => return vec![QUERY.to_owned()],
        Err(why @ (Unreadable::Parser(_) | Unreadable::Tokenizer(_) | Unreadable::More(_))) => {
            return vec![format!(
                "its where is not an SQL condition ({why}). Write what would stand behind WHERE, such as \"id IN (12, 47)\"."
            )]
        }
    };
    let mut problems = Vec::new();
    if has_query(condition) {
        problems.push(QUERY.to_owned());
    }
    let Some(table) = table else {
        return problems;
    };
    let mut seen = HashSet::new();
    walk::expressions(&expression, |depth, part| {
        // What a SELECT names may be another table's.
        if depth > 0 {
            return;
        }
        match column(part, table) {
            None => {}
            Some(Err(problem)) => problems.push(problem),
            Some(Ok(column)) => {
                let name = folded(column);
                if seen.insert(name.clone()) {
                    match table.column(&name) {
                        Some(_) => drop(reads.insert(name)),
                        None => problems.push(no_column(table, &name)),
                    }
                }
            }
        }
    });
    problems
}

/// The column that a part of a condition names, or why it names none of the table's; None where it names no column.
fn column<'e>(part: &'e Expr, table: &Table) -> Option<Result<&'e Ident, String>> {
    let parts = match part {
        Expr::Identifier(column) => return Some(Ok(column)),
        Expr::CompoundIdentifier(parts) => parts,
        _ => return None,
    };
    match parts.as_slice() {
        [named, column] if folded(named) == table.name.name => Some(Ok(column)),
        _ => {
            let written: Vec<String> = parts.iter().map(ToString::to_string).collect();
            Some(Err(format!(
                "its where reads {}, and a condition can read columns of {} alone. Write a column's name, without a schema.",
                written.join("."),
                table.name
            )))
        }
    }
}
