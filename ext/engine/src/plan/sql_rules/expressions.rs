//! `anonymization_rules`: SQL expressions by column, made into one UPDATE, with the joins that they need.

use super::check::unknown_names;
use super::names::find_table;
use super::qualify::qualify;
use crate::failure::{NoJoin, SqlRuleFault};
use crate::plan::parse::{folded, parse_expression};
use crate::plan::schema::{ForeignKey, Schema, Table, Unique};
use crate::plan::walk;
use crate::plan::{quote_identifier, Problems};
use crate::settings::SqlRule;
use sqlparser::ast::{Expr, Ident};
use std::collections::BTreeSet;

/// `UPDATE "public"."users" SET "email" = …`, from expressions per column.
pub(super) fn update_of(
    rule: &SqlRule,
    own: usize,
    schema: &Schema,
    rule_name: &str,
    problems: &mut Problems,
) -> Option<String> {
    let name = &schema.tables[own].name;
    let qualifier = Ident::with_quote('"', name.name.as_str());
    let join = match rule.join.as_deref().map(parse_expression).transpose() {
        Ok(join) => join,
        Err(why) => {
            problems.add(SqlRuleFault::JoinUnread {
                rule: rule_name.to_owned(),
                trouble: why.into(),
            });
            return None;
        }
    };
    let mut sets = Vec::new();
    let of_rule = || rule_name.to_owned();
    for (column, text) in &rule.columns {
        let mut expression = match parse_expression(text) {
            Ok(expression) => expression,
            Err(why) => {
                problems.add(SqlRuleFault::ExpressionUnread {
                    rule: of_rule(),
                    column: column.clone(),
                    trouble: why.into(),
                });
                continue;
            }
        };
        let others = other_tables(&expression, own, schema);
        for fault in unknown_names(&expression, own, &others, schema) {
            problems.add(SqlRuleFault::InExpression {
                rule: of_rule(),
                column: column.clone(),
                fault,
            });
        }
        qualify(&mut expression, &[own], &qualifier, schema);
        let mut sql = expression.to_string();
        if !others.is_empty() {
            let joined = others.into_iter().filter_map(|other| {
                let on = match &join {
                    Some(join) => Ok(joined_by(join, own, &qualifier, schema)),
                    None => the_join(own, other, schema),
                };
                let on = on.map_err(|why| {
                    problems.add(SqlRuleFault::NotJoined {
                        rule: of_rule(),
                        column: column.clone(),
                        why,
                        here: name.name.clone(),
                        there: schema.tables[other].name.name.clone(),
                    });
                });
                Some(format!(
                    " LEFT JOIN {} ON {}",
                    schema.tables[other].name.sql(),
                    on.ok()?
                ))
            });
            let joined: String = joined.collect();
            // A sub-select, not UPDATE … FROM: a row that the other table has nothing for is masked, too.
            sql = format!("(SELECT {sql} FROM (SELECT 1) AS scalingo_staging_sync_one{joined})");
        }
        let column = actual_column(column, own, schema);
        sets.push(format!("{} = {sql}", quote_identifier(&column)));
    }
    (!sets.is_empty()).then(|| format!("UPDATE {} SET {}", name.sql(), sets.join(", ")))
}

/// The rule's own join, of its own table.
fn joined_by(join: &Expr, own: usize, qualifier: &Ident, schema: &Schema) -> String {
    let mut join = join.clone();
    qualify(&mut join, &[own], qualifier, schema);
    join.to_string()
}

/// A column as the table has it: as written, or else in lower case.
pub(super) fn actual_column(column: &str, own: usize, schema: &Schema) -> String {
    let bare = column.trim_matches('"');
    let columns = &schema.tables[own].columns;
    if columns.iter().any(|known| known.name == bare) {
        bare.to_owned()
    } else {
        bare.to_lowercase()
    }
}

/// Tables that an expression names by `table.column`, outside of its sub-selects, other than its own.
pub(super) fn other_tables(expression: &Expr, own: usize, schema: &Schema) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    walk::expressions(expression, |depth, expression| {
        let (0, Expr::CompoundIdentifier(parts)) = (depth, expression) else {
            return;
        };
        let table = match parts.as_slice() {
            [table, _] => find_table(schema, own, None, &folded(table)),
            [named, table, _] => find_table(schema, own, Some(&folded(named)), &folded(table)),
            _ => None,
        };
        found.extend(table.filter(|table| *table != own));
    });
    found
}

/// The condition of the one foreign key from a table to another.
pub(super) fn the_join(own: usize, other: usize, schema: &Schema) -> Result<String, NoJoin> {
    let (here, there) = (&schema.tables[own], &schema.tables[other]);
    let forth = here
        .foreign_keys
        .iter()
        .filter(|key| key.references == there.name);
    let back = there
        .foreign_keys
        .iter()
        .filter(|key| key.references == here.name);
    let keys: Vec<_> = forth
        .map(|key| (key, true))
        .chain(back.map(|key| (key, false)))
        .collect();
    let names = || (here.name.to_string(), there.name.to_string());
    match keys.as_slice() {
        [] => {
            let (here, there) = names();
            Err(NoJoin::NoKey { here, there })
        }
        [(key, forth)] if *forth || is_one_to_one(key, there) => {
            let (mine, theirs) = match forth {
                true => (&key.columns, &key.referenced_columns),
                false => (&key.referenced_columns, &key.columns),
            };
            let pairs: Vec<String> = mine
                .iter()
                .zip(theirs)
                .map(|(mine, theirs)| {
                    format!(
                        "{}.{} = {}.{}",
                        quote_identifier(&there.name.name),
                        quote_identifier(theirs),
                        quote_identifier(&here.name.name),
                        quote_identifier(mine)
                    )
                })
                .collect();
            Ok(pairs.join(" AND "))
        }
        [_] => {
            let (here, there) = names();
            Err(NoJoin::ToMany { here, there })
        }
        several => {
            let (here, there) = names();
            Err(NoJoin::Several {
                count: several.len(),
                here,
                there,
            })
        }
    }
}

/// Whether a table has at most one row for each that its foreign key refers to: its columns hold those of a unique key.
fn is_one_to_one(key: &ForeignKey, table: &Table) -> bool {
    let mut uniques = table.uniques.iter().filter_map(Unique::columns);
    uniques.any(|columns| {
        columns
            .iter()
            .all(|column| key.columns.iter().any(|own| own == column))
    })
}
