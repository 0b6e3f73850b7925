//! An entry, turned into the statements that run on its temporary table.

use super::check::{assignments, unknown_names};
use super::expressions::update_of;
use super::names::Names;
use super::order::sees;
use super::qualify::{qualify, qualify_bare};
use super::temporaries::Temporaries;
use super::Prepared;
use crate::failure::SqlRuleFault;
use crate::plan::parse::{parse_expression, parse_statements, target, Dml, NoStatements};
use crate::plan::schema::Schema;
use crate::plan::Problems;
use crate::settings::SqlRule;
use sqlparser::ast::{Expr, Ident, Statement, VisitMut};
use std::collections::BTreeSet;

/// Parses an entry's statements, puts its condition in, and points its names at the right tables.
pub(super) fn prepare(
    rule: &SqlRule,
    entry: usize,
    own: usize,
    schema: &Schema,
    temporaries: &Temporaries<'_>,
    prepared: &mut Vec<Prepared>,
    problems: &mut Problems,
) {
    let rule_name = &rule.name;
    let condition = match rule.condition.as_deref().map(parse_expression).transpose() {
        Ok(condition) => condition,
        Err(why) => {
            return problems.add(SqlRuleFault::ConditionUnread {
                rule: rule_name.clone(),
                trouble: why.into(),
            })
        }
    };
    let Some(statements) = statements(rule, own, schema, rule_name, problems) else {
        return;
    };
    for fault in condition
        .iter()
        .flat_map(|condition| unknown_names(condition, own, &BTreeSet::new(), schema))
    {
        let rule = rule_name.clone();
        problems.add(SqlRuleFault::InCondition { rule, fault });
    }
    for statement in statements {
        let found = one(
            rule,
            (entry, own),
            statement,
            condition.as_ref(),
            schema,
            temporaries,
            problems,
        );
        prepared.extend(found);
    }
}

/// One statement of an entry, which is a number and a table; None where it is neither an UPDATE nor a DELETE.
fn one(
    rule: &SqlRule,
    (entry, own): (usize, usize),
    mut statement: Statement,
    condition: Option<&Expr>,
    schema: &Schema,
    temporaries: &Temporaries<'_>,
    problems: &mut Problems,
) -> Option<Prepared> {
    let rule_name = &rule.name;
    let Some(qualifier) = target(&mut statement).map(|target| target.qualifier()) else {
        problems.add(SqlRuleFault::Neither {
            rule: rule_name.clone(),
        });
        return None;
    };
    let sees = sees(&statement, own, &qualifier, schema);
    restrict(&mut statement, condition, (own, &qualifier), schema);
    let (columns, checked) = match target(&mut statement) {
        Some(Dml::Update(update)) => assignments(update, own, schema, rule_name, problems),
        _ => (Vec::new(), Vec::new()),
    };
    let deletes = matches!(target(&mut statement), Some(Dml::Delete(_)));
    let mut names = Names::new(schema, own, temporaries);
    let _ = VisitMut::visit(&mut statement, &mut names);
    for name in &rule.reads {
        names.add_read(name);
    }
    for fault in names.faults {
        let rule = rule_name.clone();
        problems.add(SqlRuleFault::InRule { rule, fault });
    }
    let sql = statement.to_string();
    Some(Prepared {
        rule: rule_name.clone(),
        entry: Some(entry),
        own,
        explain: vec![(rule_name.clone(), sql.clone())],
        sql,
        columns,
        checked,
        choices: Vec::new(),
        deletes,
        named: names.named,
        sees,
        reads: names.reads,
    })
}

/// Qualifies the columns that a statement joins by, and adds the rule's condition to it.
fn restrict(
    statement: &mut Statement,
    condition: Option<&Expr>,
    (own, qualifier): (usize, &Ident),
    schema: &Schema,
) {
    let Some(mut target) = target(statement) else {
        return;
    };
    for expression in target.joined_expressions() {
        qualify_bare(expression, own, qualifier, schema);
    }
    if let Some(condition) = condition {
        let mut condition = condition.clone();
        qualify(&mut condition, &[own], qualifier, schema);
        target.add_condition(condition);
    }
}

/// The statements of an entry: its own, or the UPDATE that its expressions make.
pub(super) fn statements(
    rule: &SqlRule,
    own: usize,
    schema: &Schema,
    rule_name: &str,
    problems: &mut Problems,
) -> Option<Vec<Statement>> {
    let sql = match &rule.query {
        Some(query) => query.clone(),
        None => update_of(rule, own, schema, rule_name, problems)?,
    };
    match parse_statements(&sql) {
        Ok(statements) if statements.is_empty() => {
            problems.add(SqlRuleFault::Empty {
                rule: rule_name.to_owned(),
            });
            None
        }
        Ok(statements) => Some(statements),
        Err(NoStatements::Unreadable(error)) => {
            problems.add(SqlRuleFault::Unread {
                rule: rule_name.to_owned(),
                trouble: error.into(),
            });
            None
        }
        Err(NoStatements::Other) => {
            problems.add(SqlRuleFault::Neither {
                rule: rule_name.to_owned(),
            });
            None
        }
    }
}
