//! The rules as the configuration has them, each with the table that it names.

use super::{Cap, PartRule};
use crate::alike::first_of;
use crate::plan::exclude::{not_found, tables_like};
use crate::plan::names::NamePattern;
use crate::plan::parse::{parse_expression, Unreadable};
use crate::plan::schema::{Schema, Table, Unique};
use crate::plan::{walk, Diagnostics, Problems};
use crate::settings::{Keep, Subset, TableRule};
use sqlparser::ast::{Expr, Ident};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// What the configuration says of one table.
#[derive(Debug, Clone)]
pub(super) struct Ruled {
    pub(super) rule: PartRule,
    /// The entry, for messages: `subset: "orders"`.
    pub(super) written: String,
    /// Columns that its condition and its order read.
    pub(super) reads: BTreeSet<String>,
    pub(super) nullify_all: bool,
    pub(super) nullify: Vec<String>,
}

/// The rules by table. `has_rows`: whether a table's rows come at all.
pub(super) fn ruled(
    subset: &Subset,
    schema: &Schema,
    has_rows: impl Fn(usize) -> bool,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<usize, Ruled> {
    let named = named(subset, schema, &has_rows, diagnostics);
    let mut ruled: BTreeMap<usize, Ruled> = BTreeMap::new();
    for (table, entries) in named {
        let rules = merged(&entries, &mut diagnostics.problems);
        // Of rules that exclude one another each is read for what else is wrong with it, and the first counts.
        for rule in &rules {
            let read = read(rule, table, schema, &mut diagnostics.problems);
            ruled.entry(table).or_insert(read);
        }
    }
    // What inherits from a table has its rule, each table by itself.
    for table in 0..schema.tables.len() {
        let nearest = || {
            schema
                .ancestors(table)
                .into_iter()
                .find_map(|above| ruled.get(&above).cloned())
        };
        if schema.topmost(table) == table && has_rows(table) && !ruled.contains_key(&table) {
            if let Some(inherited) = nearest() {
                ruled.insert(table, inherited);
            }
        }
    }
    ruled
}

/// The entries by the table that they name.
fn named<'s>(
    subset: &'s Subset,
    schema: &Schema,
    has_rows: impl Fn(usize) -> bool,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<usize, Vec<&'s TableRule>> {
    let mut named: BTreeMap<usize, Vec<&TableRule>> = BTreeMap::new();
    for entry in &subset.tables {
        let written = written(entry);
        let Some(pattern) = NamePattern::parse(&entry.table) else {
            diagnostics.problems.add(format!(
                "{written} is not a table's name. Write table, schema.table or a pattern with *, with double quotes around \
                 a name that has dots in it."
            ));
            continue;
        };
        let found = tables_like(&pattern, schema);
        if found.is_empty() {
            diagnostics.problems.add(format!(
                "{}: {}",
                entry.option,
                not_found(&entry.table, &pattern, schema)
            ));
        }
        let (partitions, found): (Vec<usize>, Vec<usize>) = found
            .into_iter()
            .partition(|table| schema.topmost(*table) != *table);
        for problem in partitions_alone(&partitions, &found, schema) {
            diagnostics.problems.add(format!("{written}: {problem}"));
        }
        for table in found {
            if !has_rows(table) {
                diagnostics.warnings.push(format!(
                    "{written} has no effect: the rows of {} do not come at all.",
                    schema.tables[table].name
                ));
            } else {
                named.entry(table).or_default().push(entry);
            }
        }
    }
    named
}

/// What is wrong with a name that partitions have and the tables that they belong to have not. Those that a pattern finds
/// with their table are part of it.
fn partitions_alone(partitions: &[usize], found: &[usize], schema: &Schema) -> Vec<String> {
    let mut alone: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for partition in partitions {
        let root = schema.topmost(*partition);
        if !found.contains(&root) {
            let name = schema.tables[*partition].name.to_string();
            alone.entry(root).or_default().push(name);
        }
    }
    let problem = |(root, mut names): (usize, Vec<String>)| {
        names.sort_unstable();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (is, of) = match names.len() {
            1 => ("is a partition", String::new()),
            _ => ("are partitions", format!(" of {}", schema.tables[root].name)),
        };
        format!(
            "{} {is}{of}, and rows are chosen from the whole. Name {} instead.",
            first_of(&names),
            schema.tables[root].name
        )
    };
    alone.into_iter().map(problem).collect()
}

/// An entry, for messages.
fn written(entry: &TableRule) -> String {
    format!("{}: \"{}\"", entry.option, entry.table)
}

/// One table's entries as one: a condition of `subset` and a cap of `limits` go together, and nothing else does.
/// More than one, where that is wrong.
fn merged(entries: &[&TableRule], problems: &mut Problems) -> Vec<TableRule> {
    match entries {
        [one] => vec![(*one).clone()],
        [subset, limit] | [limit, subset]
            if subset.option == "subset"
                && limit.option == "limits"
                && subset.keep.is_none()
                && subset.rows.is_none() =>
        {
            vec![TableRule {
                rows: limit.rows,
                order_by: limit.order_by.clone(),
                descending: limit.descending,
                ..(*subset).clone()
            }]
        }
        [first, second, ..] => {
            problems.add(format!(
                "{} and {} are rules for the same table. Leave one of them.",
                written(first),
                written(second)
            ));
            entries.iter().map(|entry| (*entry).clone()).collect()
        }
        [] => Vec::new(),
    }
}

fn read(entry: &TableRule, table: usize, schema: &Schema, problems: &mut Problems) -> Ruled {
    let written = written(entry);
    let known = &schema.tables[table];
    let mut reads = BTreeSet::new();
    // The server is asked about what is not known to be wrong.
    let mut condition = entry.condition.clone();
    if let Some(wrong) = &entry.condition {
        for problem in condition_problems(wrong, known, &mut reads) {
            problems.add(format!("{written}: {problem}"));
            condition = None;
        }
    }
    let cap = entry.rows.map(|rows| {
        let order = match order(entry, known) {
            Ok(order) => order,
            Err(problem) => {
                problems.add(format!("{written}: {problem}"));
                Vec::new()
            }
        };
        reads.extend(order.iter().cloned());
        Cap {
            rows,
            order,
            descending: entry.descending,
        }
    });
    for name in &entry.nullify {
        if known.column(name).is_none() {
            problems.add(format!("{written}: on_missing: {}", no_column(known, name)));
        }
    }
    for name in &reads {
        if known
            .column(name)
            .is_some_and(|column| column.generated.is_some())
        {
            problems.add(format!(
                "{written}: {name} is a generated column, which a backup does not hold. Use the columns that it is computed \
                 from."
            ));
        }
    }
    let rule = match entry.keep {
        Some(Keep::All) => PartRule::All,
        Some(Keep::Referenced) => PartRule::Referenced,
        None if entry.condition.is_none() && cap.is_none() => PartRule::Follows,
        None => PartRule::Own { condition, cap },
    };
    Ruled {
        rule,
        written,
        reads,
        nullify_all: entry.nullify_all,
        nullify: entry.nullify.clone(),
    }
}

/// The columns of a cap's order: those that are named, then the primary key's, which breaks ties.
fn order(entry: &TableRule, table: &Table) -> Result<Vec<String>, String> {
    let key = table.uniques.iter().find(|unique| unique.primary);
    let key: Vec<String> = key
        .and_then(Unique::columns)
        .unwrap_or_default()
        .into_iter()
        .map(str::to_owned)
        .collect();
    if let Some(unknown) = entry.order_by.iter().find(|name| table.column(name).is_none()) {
        return Err(no_column(table, unknown));
    }
    if entry.order_by.is_empty() && key.is_empty() {
        return Err(format!(
            "{} has no primary key to order its rows by. Name a column: {}.",
            table.name,
            if entry.option == "limits" {
                "order_by: \"created_at\""
            } else {
                "by: :created_at"
            }
        ));
    }
    let mut order = entry.order_by.clone();
    order.extend(key.into_iter().filter(|name| !entry.order_by.contains(name)));
    Ok(order)
}

/// What is wrong with a condition; the columns that it reads are added to `reads`.
fn condition_problems(condition: &str, table: &Table, reads: &mut BTreeSet<String>) -> Vec<String> {
    let expression = match parse_expression(condition) {
        Ok(expression) => expression,
        Err(why @ (Unreadable::Parser(_) | Unreadable::Tokenizer(_) | Unreadable::More(_))) => {
            return vec![format!("its where is not an SQL condition ({why}).")]
        }
    };
    let mut problems = Vec::new();
    let mut seen = HashSet::new();
    let asks_elsewhere = |expression: &Expr| {
        matches!(
            expression,
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. }
        )
    };
    if walk::any(&expression, |expression| asks_elsewhere(expression)) {
        return vec![
            "its where reads other rows by a SELECT, which a backup that streams by cannot answer. Give the other table \
             its own rule: rows follow the tables that they refer to."
                .to_owned(),
        ];
    }
    walk::expressions(&expression, |_, part| {
        let column = match part {
            Expr::Identifier(column) => column,
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [named, column] if folded(named) == table.name.name => column,
                _ => {
                    let written: Vec<String> = parts.iter().map(ToString::to_string).collect();
                    problems.push(format!(
                        "its where reads {}, and a condition can read columns of {} alone. Write a column's name, without \
                         a schema.",
                        written.join("."),
                        table.name
                    ));
                    return;
                }
            },
            _ => return,
        };
        let column = folded(column);
        if !seen.insert(column.clone()) {
            return;
        }
        match table.column(&column) {
            Some(_) => drop(reads.insert(column)),
            None => problems.push(no_column(table, &column)),
        }
    });
    problems
}

/// A name as the server reads it.
fn folded(ident: &Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_lowercase(),
    }
}

/// `public.users has no column emial. Did you mean email?`
pub(super) fn no_column(table: &Table, column: &str) -> String {
    let near = near::nearest(column, table.columns.iter().map(|known| known.name.as_str()));
    match near {
        Some(near) => format!("{} has no column {column}. Did you mean {near}?", table.name),
        None => format!("{} has no column {column}. Correct its name.", table.name),
    }
}
