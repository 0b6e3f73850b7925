//! An entry, turned into the statements that run on its temporary table.

use super::check::assignments;
use super::expressions::update_of;
use super::names::Names;
use super::parse::{parse_error, parse_expression, target, Target};
use super::qualify::qualify;
use super::{describe, Prepared};
use crate::plan::rules::Rules;
use crate::plan::schema::Schema;
use crate::plan::{quote_identifier, Problems};
use crate::settings::SqlRule;
use sqlparser::ast::{Statement, VisitMut};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use std::collections::BTreeSet;

/// Parses an entry's statements, puts its condition in, and points its names at the right tables.
pub(super) fn prepare<'s>(
    rule: &'s SqlRule,
    own: usize,
    schema: &Schema,
    masks: &Rules<'_>,
    ruled: &BTreeSet<usize>,
    prepared: &mut Vec<Prepared<'s>>,
    problems: &mut Problems,
) {
    let told = describe(rule);
    let condition = match rule.condition.as_deref().map(parse_expression).transpose() {
        Ok(condition) => condition,
        Err(why) => return problems.add(format!("{told}: its condition is not an SQL condition ({why}).")),
    };
    let Some(statements) = statements(rule, own, schema, masks, &told, problems) else {
        return;
    };
    for mut statement in statements {
        let qualifier = match target(&mut statement) {
            Some(target) => target.qualifier(),
            None => {
                problems.add(format!(
                    "{told}: a rule is an UPDATE or a DELETE, and this is neither. Write one of them."
                ));
                continue;
            }
        };
        if let Some(condition) = &condition {
            let mut condition = condition.clone();
            qualify(&mut condition, own, &qualifier, schema);
            if let Some(mut target) = target(&mut statement) {
                target.add_condition(condition);
            }
        }
        let (columns, checked) = match target(&mut statement) {
            Some(Target::Update(update)) => assignments(update, own, schema, &told, problems),
            _ => (Vec::new(), Vec::new()),
        };
        let deletes = matches!(target(&mut statement), Some(Target::Delete(_)));
        let mut names = Names::new(schema, own, ruled);
        let _ = VisitMut::visit(&mut statement, &mut names);
        for name in &rule.reads {
            names.add_read(name);
        }
        for problem in names.problems {
            problems.add(format!("{told}: {problem}"));
        }
        prepared.push(Prepared {
            rule,
            own,
            sql: statement.to_string(),
            columns,
            checked,
            deletes,
            conditional: rule.query.is_none() && rule.strategy.is_some(),
            named: names.named,
            reads: names.reads,
        });
    }
}

/// The statements of an entry: its own, or the UPDATE that its expressions make.
pub(super) fn statements(
    rule: &SqlRule,
    own: usize,
    schema: &Schema,
    masks: &Rules<'_>,
    told: &str,
    problems: &mut Problems,
) -> Option<Vec<Statement>> {
    let sql = match &rule.query {
        Some(query) => query.clone(),
        None if rule.strategy.is_some() => choose(rule, own, schema, masks)?,
        None => update_of(rule, own, schema, told, problems)?,
    };
    match Parser::parse_sql(&PostgreSqlDialect {}, &sql) {
        Ok(statements) if statements.is_empty() => {
            problems.add(format!("{told}: its SQL is empty. Write an UPDATE or a DELETE."));
            None
        }
        Ok(statements) => Some(statements),
        Err(error) => {
            problems.add(format!(
                "{told}: its SQL cannot be read ({}).",
                parse_error(&error)
            ));
            None
        }
    }
}

/// `UPDATE "public"."users" SET "email" = "scalingo_staging_sync_3"`: a strategy's pseudonyms, put in their places.
pub(super) fn choose(rule: &SqlRule, own: usize, schema: &Schema, masks: &Rules<'_>) -> Option<String> {
    let columns = masks.conditional(own);
    let mut sets: Vec<String> = columns
        .iter()
        .filter(|(mask, column)| {
            mask.table == rule.table
                && mask.strategy == rule.strategy
                && mask.condition == rule.condition
                && is_stored(own, column, schema)
        })
        .map(|(_, column)| {
            let pseudonym = pseudonym(own, column, schema);
            format!("{} = {}", quote_identifier(column), quote_identifier(&pseudonym))
        })
        .collect();
    sets.sort();
    (!sets.is_empty()).then(|| format!("UPDATE {} SET {}", schema.tables[own].name.sql(), sets.join(", ")))
}

pub(super) fn is_stored(table: usize, column: &str, schema: &Schema) -> bool {
    let mut columns = schema.tables[table].columns.iter();
    columns.any(|known| known.name == column && known.generated.is_none())
}

/// The further column that a column's pseudonyms come in.
pub(super) fn pseudonym(table: usize, column: &str, schema: &Schema) -> String {
    let mut columns = schema.tables[table].columns.iter();
    let place = columns.position(|known| known.name == column).unwrap_or(0);
    format!("scalingo_staging_sync_{place}")
}
