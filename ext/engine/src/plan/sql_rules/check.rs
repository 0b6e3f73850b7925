//! What is wrong with a rule that can be told from the table of contents alone.

use super::describe;
use super::parse::folded;
use super::Prepared;
use crate::archive::DumpId;
use crate::plan::exclude::{not_found, tables_like};
use crate::plan::names::Pattern;
use crate::plan::rules::Rules;
use crate::plan::schema::Schema;
use crate::plan::{Load, Problems};
use crate::settings::SqlRule;
use sqlparser::ast::{visit_expressions, AssignmentTarget, Expr, ObjectNamePart, Update, Value};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;

/// The one table that an entry is for.
pub(super) fn own_table(
    rule: &SqlRule,
    schema: &Schema,
    loads: &HashMap<DumpId, Load>,
    problems: &mut Problems,
) -> Option<usize> {
    let told = describe(rule);
    let Some(pattern) = Pattern::parse(&rule.table) else {
        problems.add(format!(
            "{told}: \"{}\" is not a table's name. Write table or schema.table, with double quotes around a name \
             that has dots in it.",
            rule.table
        ));
        return None;
    };
    let tables = tables_like(&pattern, schema);
    let own = match tables.as_slice() {
        [] => {
            problems.add(format!("{told}: {}", not_found(&rule.table, &pattern, schema)));
            return None;
        }
        [one] => *one,
        several => {
            let names: Vec<String> = several
                .iter()
                .take(5)
                .map(|table| schema.tables[*table].name.to_string())
                .collect();
            problems.add(format!(
                "{told}: a rule in SQL is for one table, and this name means several ({}). Write schema.table, one \
                 entry for each.",
                names.join(", ")
            ));
            return None;
        }
    };
    let partitions: HashSet<usize> = schema.partitions(own).into_iter().collect();
    let heirs = schema
        .descendants(own)
        .into_iter()
        .filter(|table| !partitions.contains(table));
    let with_rows: Vec<String> = heirs
        .map(|table| &schema.tables[table].name)
        .filter(|name| loads.values().any(|load| load.table == **name))
        .map(ToString::to_string)
        .collect();
    if !with_rows.is_empty() {
        problems.add(format!(
            "{told}: other tables inherit from {} ({}), and a rule in SQL does not reach them yet. Use a strategy, or \
             exclude these tables.",
            schema.tables[own].name,
            with_rows.join(", ")
        ));
        return None;
    }
    Some(own)
}

/// A partition and what it is a partition of cannot both be ruled in SQL: their rows are in two temporary tables.
pub(super) fn check_families(ruled: &BTreeSet<usize>, schema: &Schema, problems: &mut Problems) {
    for &table in ruled {
        for ancestor in schema.partition_ancestors(table) {
            if ruled.contains(&ancestor) {
                problems.add(format!(
                    "{} is a partition of {}, and both have rules in SQL. Write one rule for {}.",
                    schema.tables[table].name, schema.tables[ancestor].name, schema.tables[ancestor].name
                ));
            }
        }
    }
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for &table in ruled {
        if let Some(other) = names.insert(&schema.tables[table].name.name, table) {
            problems.add(format!(
                "{} and {} have rules in SQL and the same name, which is not possible yet. Use a strategy for one of \
                 them, or exclude it.",
                schema.tables[other].name, schema.tables[table].name
            ));
        }
    }
}

/// Two rules that set the same column, in SQL or in flight.
pub(super) fn check_columns(
    prepared: &[Prepared<'_>],
    schema: &Schema,
    masks: &Rules<'_>,
    problems: &mut Problems,
) {
    let mut taken: HashMap<(usize, &str), &SqlRule> = HashMap::new();
    // Masks, with a condition or without, are checked against one another elsewhere.
    for one in prepared.iter().filter(|one| !one.conditional) {
        let name = &schema.tables[one.own].name;
        for column in &one.columns {
            let mut tables = schema.descendants(one.own);
            tables.push(one.own);
            tables.extend(schema.ancestors(one.own));
            let other = taken
                .insert((one.own, column), one.rule)
                .filter(|other| !std::ptr::eq(*other, one.rule))
                .map(describe)
                .or_else(|| tables.iter().find_map(|table| masks.rule_of(*table, column)));
            if let Some(other) = other {
                problems.add(format!(
                    "{other} and {} both mask the column {name}.{column}. Remove one of them.",
                    describe(one.rule)
                ));
            }
        }
    }
}

/// The columns that an UPDATE sets, and those of them that it does not set to a constant.
pub(super) fn assignments(
    update: &Update,
    own: usize,
    schema: &Schema,
    told: &str,
    problems: &mut Problems,
) -> (Vec<String>, Vec<String>) {
    let table = &schema.tables[own];
    let (mut columns, mut checked) = (Vec::new(), Vec::new());
    for assignment in &update.assignments {
        let (names, single) = match &assignment.target {
            AssignmentTarget::ColumnName(name) => (vec![name], true),
            AssignmentTarget::Tuple(names) => (names.iter().collect(), false),
        };
        let reads = !single || reads_anything(&assignment.value);
        for name in names {
            let Some(ObjectNamePart::Identifier(ident)) = name.0.first() else {
                continue;
            };
            let column = folded(ident);
            let Some(known) = table.columns.iter().find(|known| known.name == column) else {
                let near = table
                    .columns
                    .iter()
                    .map(|known| (strsim::jaro_winkler(&known.name, &column), &known.name))
                    .filter(|(score, _)| *score > 0.8)
                    .max_by(|a, b| a.0.total_cmp(&b.0));
                let hint = near.map_or_else(
                    || "Correct its name.".to_owned(),
                    |(_, name)| format!("Did you mean {name}?"),
                );
                problems.add(format!("{told}: {} has no column {column}. {hint}", table.name));
                continue;
            };
            if known.generated.is_some() {
                problems.add(format!(
                    "{told}: the column {}.{column} is generated from others. Mask those instead.",
                    table.name
                ));
            }
            if single && known.not_null && is_null(&assignment.value) {
                problems.add(format!(
                    "{told}: the column {}.{column} is NOT NULL, so it cannot become NULL. Set it to a neutral value.",
                    table.name
                ));
            }
            if reads {
                checked.push(column.clone());
            }
            columns.push(column);
        }
    }
    (columns, checked)
}

pub(super) fn is_null(expression: &Expr) -> bool {
    match expression {
        Expr::Value(value) => value.value == Value::Null,
        Expr::Nested(inner) => is_null(inner),
        Expr::Cast { expr, .. } => is_null(expr),
        _ => false,
    }
}

/// Whether an expression depends on a row. What does not can meet an old value by chance only.
pub(super) fn reads_anything(expression: &Expr) -> bool {
    visit_expressions(expression, |part| match part {
        Expr::Identifier(ident)
            if ident.quote_style.is_none() && ident.value.eq_ignore_ascii_case("default") =>
        {
            ControlFlow::Continue(())
        }
        Expr::Identifier(_)
        | Expr::CompoundIdentifier(_)
        | Expr::CompoundFieldAccess { .. }
        | Expr::Subquery(_)
        | Expr::Exists { .. }
        | Expr::InSubquery { .. } => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })
    .is_break()
}
