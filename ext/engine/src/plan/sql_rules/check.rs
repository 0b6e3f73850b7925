//! What is wrong with a rule that can be known from the table of contents alone.

use super::names::find_table;
use super::temporaries::Temporaries;
use super::Prepared;
use crate::failure::{Advice, NameFault, RuleFault, SqlFault, SqlRuleFault};
use crate::plan::exclude::{no_table, tables_like};
use crate::plan::names::NamePattern;
use crate::plan::parse::folded;
use crate::plan::rules::Rules;
use crate::plan::schema::{Schema, Table};
use crate::plan::walk;
use crate::plan::{Load, Problems, TableName};
use crate::settings::SqlRule;
use near::nearest;
use pg_dump_archive::DumpId;
use sqlparser::ast::{AssignmentTarget, Expr, ObjectNamePart, Update, Value};
use std::collections::{BTreeSet, HashMap};

/// The one table that an entry is for.
pub(super) fn own_table(rule: &SqlRule, schema: &Schema, problems: &mut Problems) -> Option<usize> {
    let Some(pattern) = NamePattern::parse(&rule.table) else {
        problems.add(NameFault::NotAName {
            place: rule.name.clone(),
            text: rule.table.clone(),
        });
        return None;
    };
    let tables = tables_like(&pattern, schema);
    let own = match tables.as_slice() {
        [] => {
            problems.add(NameFault::NoTable {
                place: rule.name.clone(),
                fault: no_table(&rule.table, &pattern, schema),
            });
            return None;
        }
        [one] => *one,
        several => {
            let names = several.iter().take(5);
            let names = names.map(|table| schema.tables[*table].name.to_string());
            problems.add(SqlRuleFault::SeveralTables {
                rule: rule.name.clone(),
                tables: names.collect(),
            });
            return None;
        }
    };
    Some(own)
}

/// Rows that go by way of a partitioned table may end in a partition that has a rule, and come from one that has none.
pub(super) fn check_ways(
    temporaries: &Temporaries<'_>,
    schema: &Schema,
    loads: &HashMap<DumpId, Load>,
    problems: &mut Problems,
) {
    let ways = loads.values().map(|load| (load, temporaries.bypassed(load)));
    let missed: BTreeSet<(&TableName, &TableName)> = ways
        .filter_map(|(load, table)| Some((&load.copy_into, &schema.tables[table?].name)))
        .collect();
    for (into, table) in missed {
        problems.add(SqlRuleFault::PartitionMissed {
            root: into.to_string(),
            table: table.to_string(),
        });
    }
}

/// Two rules that set the same column, in SQL or in flight.
pub(super) fn check_columns(
    prepared: &[Prepared],
    schema: &Schema,
    masks: &Rules<'_>,
    problems: &mut Problems,
) {
    let mut taken: HashMap<(usize, &str), (usize, &str)> = HashMap::new();
    // Masks, with a condition or without, are checked against one another elsewhere.
    for one in prepared {
        let Some(entry) = one.entry else { continue };
        let name = &schema.tables[one.own].name;
        let mut tables = vec![one.own];
        tables.extend(schema.descendants(one.own));
        tables.extend(schema.ancestors(one.own));
        for column in &one.columns {
            let others = tables
                .iter()
                .filter_map(|table| taken.get(&(*table, column.as_str())));
            let mut others = others
                .filter(|(other, _)| *other != entry)
                .map(|(_, rule)| (*rule).to_owned());
            let other = others
                .next()
                .or_else(|| tables.iter().find_map(|table| masks.rule_of(*table, column)));
            if let Some(other) = other {
                problems.add(RuleFault::BothMask {
                    rule: one.rule.clone(),
                    other,
                    column: format!("{name}.{column}"),
                });
            }
        }
        for column in &one.columns {
            taken.insert((one.own, column), (entry, &one.rule));
        }
    }
}

/// Words that the server reads as a value, not as a column's name, and columns that every table has.
const NO_COLUMNS: &[&str] = &[
    "cmax",
    "cmin",
    "ctid",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "localtime",
    "localtimestamp",
    "session_user",
    "system_user",
    "tableoid",
    "user",
    "xmax",
    "xmin",
];

/// What is wrong with the names in an expression over a row of a table, outside of sub-selects: columns that neither it
/// nor one of `others`, the tables it is joined with, has.
pub(super) fn unknown_names(
    expression: &Expr,
    own: usize,
    others: &BTreeSet<usize>,
    schema: &Schema,
) -> Vec<SqlFault> {
    let joined: Vec<usize> = std::iter::once(own).chain(others.iter().copied()).collect();
    let mut found = Vec::new();
    walk::expressions(expression, |depth, expression| {
        if depth > 0 {
            return;
        }
        let (tables, column) = match expression {
            Expr::Identifier(column) => (joined.clone(), column),
            Expr::CompoundIdentifier(parts) => {
                let (table, column) = match parts.as_slice() {
                    [table, column] => (find_table(schema, own, None, &folded(table)), column),
                    [named, table, column] => {
                        let table = find_table(schema, own, Some(&folded(named)), &folded(table));
                        (table, column)
                    }
                    _ => return,
                };
                let Some(table) = table else { return };
                (vec![table], column)
            }
            _ => return,
        };
        let column = folded(column);
        let has = |table: &usize| {
            let table = &schema.tables[*table];
            table.name.name == column || table.columns.iter().any(|known| known.name == column)
        };
        if !tables.iter().any(has) && !NO_COLUMNS.contains(&column.as_str()) {
            found.push(no_column(&schema.tables[tables[0]], &column));
        }
    });
    found
}

fn no_column(table: &Table, column: &str) -> SqlFault {
    let near = nearest(column, table.columns.iter().map(|known| known.name.as_str()));
    let meant = near.map(|name| Advice::Meant {
        name: name.to_owned(),
    });
    SqlFault::NoColumn {
        table: table.name.to_string(),
        column: column.to_owned(),
        advice: meant.unwrap_or(Advice::CorrectIts),
    }
}

/// The columns that an UPDATE sets, and those of them that it does not set to a constant.
pub(super) fn assignments(
    update: &Update,
    own: usize,
    schema: &Schema,
    rule_name: &str,
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
                problems.add(SqlRuleFault::InRule {
                    rule: rule_name.to_owned(),
                    fault: no_column(table, &column),
                });
                continue;
            };
            let named = || (rule_name.to_owned(), format!("{}.{column}", table.name));
            let roots = schema.partition_ancestors(own);
            let mut parted_by = roots
                .iter()
                .filter_map(|root| schema.tables[*root].partition_key.as_ref());
            if parted_by.any(|key| key.contains(&column)) {
                let (rule, column) = named();
                problems.add(SqlRuleFault::SetsPartitionKey { rule, column });
            }
            if known.generated.is_some() {
                let (rule, column) = named();
                problems.add(SqlRuleFault::SetsGenerated { rule, column });
            }
            if single && known.not_null && is_null(&assignment.value) {
                let (rule, column) = named();
                problems.add(SqlRuleFault::SetsNull { rule, column });
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
    walk::any(expression, |part| match part {
        Expr::Identifier(ident) => {
            ident.quote_style.is_some() || !ident.value.eq_ignore_ascii_case("default")
        }
        Expr::CompoundIdentifier(_)
        | Expr::CompoundFieldAccess { .. }
        | Expr::Subquery(_)
        | Expr::Exists { .. }
        | Expr::InSubquery { .. } => true,
        _ => false,
    })
}
