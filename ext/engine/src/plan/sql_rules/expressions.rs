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
    let update = Update {
        own,
        join: join.as_ref(),
        schema,
        rule: rule_name,
    };
    let mut sets = Vec::new();
    for (column, text) in &rule.columns {
        let sql = update.value(column, text, problems);
        let column = quote_identifier(&actual_column(column, own, schema));
        sets.extend(sql.map(|sql| format!("{column} = {sql}")));
    }
    (!sets.is_empty()).then(|| format!("UPDATE {} SET {}", name.sql(), sets.join(", ")))
}

/// What the expressions of a rule have in common.
struct Update<'a> {
    own: usize,
    /// The rule's own join.
    join: Option<&'a Expr>,
    schema: &'a Schema,
    rule: &'a str,
}

impl Update<'_> {
    /// The SQL of what a column becomes. None where it cannot be read.
    fn value(&self, column: &str, text: &str, problems: &mut Problems) -> Option<String> {
        let (rule, column) = (self.rule.to_owned(), column.to_owned());
        let mut expression = match parse_expression(text) {
            Ok(expression) => expression,
            Err(why) => {
                let trouble = why.into();
                problems.add(SqlRuleFault::ExpressionUnread {
                    rule,
                    column,
                    trouble,
                });
                return None;
            }
        };
        let (own, schema) = (self.own, self.schema);
        let others = other_tables(&expression, own, schema);
        for fault in unknown_names(&expression, own, &others, schema) {
            let (rule, column) = (rule.clone(), column.clone());
            problems.add(SqlRuleFault::InExpression { rule, column, fault });
        }
        qualify(&mut expression, &[own], &self.qualifier(), schema);
        if others.is_empty() {
            return Some(expression.to_string());
        }
        let mut joined = String::new();
        for other in others {
            let there = &schema.tables[other].name;
            match self.on(other) {
                Ok(on) => joined.push_str(&format!(" LEFT JOIN {} ON {on}", there.sql())),
                Err(why) => problems.add(SqlRuleFault::NotJoined {
                    rule: rule.clone(),
                    column: column.clone(),
                    why,
                    here: schema.tables[own].name.name.clone(),
                    there: there.name.clone(),
                }),
            }
        }
        // A sub-select, not UPDATE … FROM: a row that the other table has nothing for is masked, too.
        Some(format!(
            "(SELECT {expression} FROM (SELECT 1) AS scalingo_staging_sync_one{joined})"
        ))
    }

    /// Which rows of another table belong to those of the rule's own.
    fn on(&self, other: usize) -> Result<String, NoJoin> {
        let Some(join) = self.join else {
            return the_join(self.own, other, self.schema);
        };
        let mut join = join.clone();
        qualify(&mut join, &[self.own], &self.qualifier(), self.schema);
        Ok(join.to_string())
    }

    fn qualifier(&self) -> Ident {
        Ident::with_quote('"', self.schema.tables[self.own].name.name.as_str())
    }
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
