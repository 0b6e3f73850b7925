//! Masks that the stream makes and a condition restricts: each row brings its pseudonyms along in further columns,
//! and one UPDATE of the temporary table puts them in where the conditions say so.
//!
//! It is one UPDATE for all conditions of a table, and the first of the group's statements, so that each condition
//! sees what the row held in production. The values that it replaces are left in the further columns, where they are
//! counted; they go with the temporary table.

use super::check::unknown_names;
use super::names::Names;
use super::qualify::qualify;
use super::temporaries::Temporaries;
use super::{Choice, Prepared};
use crate::failure::SqlRuleFault;
use crate::plan::parse::parse_expression;
use crate::plan::rules::{ChosenColumns, Rules};
use crate::plan::schema::Schema;
use crate::plan::{quote_identifier, Load, Problems};
use masking::{Becomes, Keep, MaskedColumn, RowMask};
use pg_dump_archive::DumpId;
use sqlparser::ast::{Ident, VisitMut};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Where a set of pseudonyms is put in.
struct CoveredRows {
    /// A condition in SQL; None: everywhere.
    condition: Option<String>,
    choices: Vec<Choice>,
}

/// The UPDATE of a table's temporary one, when a rule with a condition covers it.
pub(super) fn prepare(
    table: usize,
    masks: &Rules<'_>,
    temporaries: &Temporaries<'_>,
    schema: &Schema,
    loads: &HashMap<DumpId, Load>,
    problems: &mut Problems,
) -> Option<Prepared> {
    let mut names = Names::new(schema, table, temporaries);
    let (mut covered, mut rules, mut explain) = (Vec::new(), Vec::new(), Vec::new());
    let from = source(table, temporaries, schema);
    let fitted = temporaries.loads(table, loads).first().copied();
    for chosen in masks.chosen(table) {
        let Some(rows) = covered_rows(&chosen, fitted, table, &mut names, schema, problems) else {
            continue;
        };
        let rule = &chosen.rule.name;
        let explained = (rows.condition.as_ref()).map(|condition| {
            (
                rule.clone(),
                format!("SELECT FROM ONLY {from} WHERE ({condition})"),
            )
        });
        explain.extend(explained);
        covered.push(rows);
        rules.push(rule.clone());
    }
    for fault in std::mem::take(&mut names.faults) {
        let rule = rules.join(" and ");
        problems.add(SqlRuleFault::InRule { rule, fault });
    }
    covered.retain(|one| !one.choices.is_empty());
    if covered.is_empty() {
        return None;
    }
    Some(Prepared {
        rule: rules.join(" and "),
        entry: None,
        own: table,
        sql: update(&from, &covered),
        columns: Vec::new(),
        checked: Vec::new(),
        choices: covered.into_iter().flat_map(|one| one.choices).collect(),
        explain,
        deletes: false,
        named: names.named,
        // It is the first of its group's statements, and chooses among the table's own values.
        sees: BTreeSet::new(),
        reads: names.reads,
    })
}

/// Where a rule puts its pseudonyms in; None where its condition is not one.
fn covered_rows(
    chosen: &ChosenColumns<'_>,
    fitted: Option<&Load>,
    table: usize,
    names: &mut Names<'_>,
    schema: &Schema,
    problems: &mut Problems,
) -> Option<CoveredRows> {
    if chosen.condition.is_some() {
        for name in &chosen.rule.reads {
            names.add_read(name);
        }
    }
    let condition = match chosen.condition {
        None => None,
        Some(text) => Some(condition(
            text,
            &chosen.rule.name,
            table,
            names,
            schema,
            problems,
        )?),
    };
    let fitted = fitted.and_then(|load| load.conditional.as_ref());
    Some(CoveredRows {
        choices: choices_of(chosen, fitted, table, schema),
        condition,
    })
}

/// What a rule puts into a table's columns, as far as masks have been fitted to them.
fn choices_of(
    chosen: &ChosenColumns<'_>,
    fitted: Option<&Arc<RowMask>>,
    table: usize,
    schema: &Schema,
) -> Vec<Choice> {
    let choices = chosen.columns.iter().filter_map(|column| {
        let masked = fitted?.columns().iter().find(|masked| masked.name == *column)?;
        Some(choice(chosen, masked, pseudonym(table, column, schema)))
    });
    choices.collect()
}

/// What is put into a column, and which of its values stay.
fn choice(chosen: &ChosenColumns<'_>, masked: &MaskedColumn, pseudonym: String) -> Choice {
    let keep = chosen
        .rule
        .keep
        .get(&masked.name)
        .map(|patterns| Keep::new(patterns));
    Choice {
        column: masked.name.clone(),
        pseudonym,
        mask: match chosen.condition {
            Some(_) => Becomes::Conditional {
                mask: Box::new(masked.becomes.clone()),
            },
            None => masked.becomes.clone(),
        },
        form: masked.form_sql.clone(),
        keep: keep.map(|keep| keep.sql(&quote_identifier(&masked.name))),
    }
}

/// `pg_temp."users"`, under the real table's name.
fn source(table: usize, temporaries: &Temporaries<'_>, schema: &Schema) -> String {
    let (name, temporary) = (&schema.tables[table].name.name, temporaries.name(table));
    let source = format!("pg_temp.{}", quote_identifier(temporary));
    if name == temporary {
        source
    } else {
        format!("{source} AS {}", quote_identifier(name))
    }
}

fn condition(
    text: &str,
    rule: &str,
    table: usize,
    names: &mut Names<'_>,
    schema: &Schema,
    problems: &mut Problems,
) -> Option<String> {
    let mut condition = match parse_expression(text) {
        Ok(condition) => condition,
        Err(why) => {
            problems.add(SqlRuleFault::ConditionUnread {
                rule: rule.to_owned(),
                trouble: why.into(),
            });
            return None;
        }
    };
    // What the rule's own table is called may be the name of one that this one inherits from.
    let mut tables = schema.ancestors(table);
    tables.push(table);
    for fault in unknown_names(&condition, table, &BTreeSet::new(), schema) {
        let rule = rule.to_owned();
        problems.add(SqlRuleFault::InCondition { rule, fault });
    }
    let qualifier = Ident::with_quote('"', schema.tables[table].name.name.as_str());
    qualify(&mut condition, &tables, &qualifier, schema);
    let _ = VisitMut::visit(&mut condition, names);
    Some(condition.to_string())
}

/// `UPDATE ONLY pg_temp."users" SET "email" = …`. Each further column is left with the value that was replaced, or
/// with NULL where none was.
fn update(from: &str, covered: &[CoveredRows]) -> String {
    let mut conditions: Vec<&str> = covered
        .iter()
        .filter_map(|one| one.condition.as_deref())
        .collect();
    conditions.dedup();
    let everywhere = covered.iter().any(|one| one.condition.is_none());
    let is_one = !everywhere && conditions.len() == 1;
    let mut sets = Vec::new();
    for one in covered {
        for choice in &one.choices {
            let (column, pseudonym) = (
                quote_identifier(&choice.column),
                quote_identifier(&choice.pseudonym),
            );
            sets.push(match &one.condition {
                Some(condition) if !is_one => format!(
                    "{column} = CASE WHEN ({condition}) THEN {pseudonym} ELSE {column} END, \
                     {pseudonym} = CASE WHEN ({condition}) THEN {column} END"
                ),
                _ => format!("{column} = {pseudonym}, {pseudonym} = {column}"),
            });
        }
    }
    let restricted = if everywhere {
        String::new()
    } else {
        format!(" WHERE ({})", conditions.join(") OR ("))
    };
    format!("UPDATE ONLY {from} SET {}{restricted}", sets.join(", "))
}

/// The further column that a column's pseudonyms come in.
fn pseudonym(table: usize, column: &str, schema: &Schema) -> String {
    let mut columns = schema.tables[table].columns.iter();
    let place = columns.position(|known| known.name == column).unwrap_or(0);
    format!("scalingo_staging_sync_{table}_{place}")
}
