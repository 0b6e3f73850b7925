//! The rules as the configuration has them, each with the table that it names.

use super::compare::{nature, Nature};
use super::{conditions, Cap, PartRule};
use crate::alike::first_of;
use crate::plan::exclude::{not_found, tables_like};
use crate::plan::names::NamePattern;
use crate::plan::schema::{Schema, Table, Unique};
use crate::plan::{Diagnostics, Problems};
use crate::settings::{Keep, Subset, TableRule};
use std::collections::{BTreeMap, BTreeSet};

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

/// The rules as they are understood.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// By the table whose rows they choose.
    pub(super) ruled: BTreeMap<usize, Ruled>,
    /// Rules that have no effect, each with its table: its rows do not come, or another rule counts.
    pub(super) idle: Vec<(usize, Ruled)>,
}

/// Reads the rules. `has_rows`: whether a table's rows come at all. A rule is checked where they do not, too: what is wrong
/// with it would else be found only once they come.
pub(super) fn rules(
    subset: &Subset,
    schema: &Schema,
    has_rows: impl Fn(usize) -> bool,
    diagnostics: &mut Diagnostics,
) -> Rules {
    let mut rules = Rules::default();
    for (table, entries) in named(subset, schema, &has_rows, diagnostics) {
        let merged = merged(&entries, &schema.tables[table], &mut diagnostics.problems);
        // Of rules that exclude one another each is read for what else is wrong with it, and the first counts.
        for rule in &merged {
            let read = read(*rule, table, schema, &mut diagnostics.problems);
            if has_rows(table) && !rules.ruled.contains_key(&table) {
                rules.ruled.insert(table, read);
            } else {
                rules.idle.push((table, read));
            }
        }
    }
    // What inherits from a table has its rule, each table by itself.
    for table in 0..schema.tables.len() {
        let nearest = || {
            schema
                .ancestors(table)
                .into_iter()
                .find_map(|above| rules.ruled.get(&above).cloned())
        };
        if schema.topmost(table) == table && has_rows(table) && !rules.ruled.contains_key(&table) {
            if let Some(inherited) = nearest() {
                rules.ruled.insert(table, inherited);
            }
        }
    }
    rules
}

/// The entries by the table that they name and are to be read for. Of an entry that names no table it is looked at what can
/// be known of it without one.
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
            without_a_table(entry, &mut diagnostics.problems);
            continue;
        };
        let found = tables_like(&pattern, schema);
        if found.is_empty() {
            diagnostics.problems.add(format!(
                "{}: {}",
                entry.option,
                not_found(&entry.table, &pattern, schema)
            ));
            without_a_table(entry, &mut diagnostics.problems);
        }
        let (partitions, found): (Vec<usize>, Vec<usize>) = found
            .into_iter()
            .partition(|table| schema.topmost(*table) != *table);
        for problem in partitions_alone(&partitions, &found, schema) {
            diagnostics.problems.add(format!("{written}: {problem}"));
        }
        for table in found.iter().filter(|table| !has_rows(**table)) {
            diagnostics.warnings.push(format!(
                "{written} has no effect: the rows of {} do not come at all.",
                schema.tables[*table].name
            ));
        }
        let roots = partitions.iter().map(|partition| schema.topmost(*partition));
        let mut tables: Vec<usize> = found.iter().copied().chain(roots).collect();
        tables.sort_unstable();
        tables.dedup();
        for table in read_for(entry, tables, schema, &has_rows) {
            named.entry(table).or_default().push(entry);
        }
    }
    named
}

/// The tables that an entry is read for: the one that it names, or those of several whose rows come. Where no rows do, it has
/// to fit one of them: a table may be left out because it does not.
fn read_for(
    entry: &TableRule,
    tables: Vec<usize>,
    schema: &Schema,
    has_rows: impl Fn(usize) -> bool,
) -> Vec<usize> {
    let coming: Vec<usize> = tables.iter().copied().filter(|table| has_rows(*table)).collect();
    if tables.len() <= 1 || coming.len() == tables.len() {
        return tables;
    }
    if !coming.is_empty() {
        return coming;
    }
    let fits = |table: &usize| {
        let mut problems = Problems::default();
        read(Merged::of(entry), *table, schema, &mut problems);
        problems.is_empty()
    };
    let fitting = tables.iter().copied().find(fits);
    fitting.or_else(|| tables.first().copied()).into_iter().collect()
}

/// What is wrong with a rule whatever its table is.
fn without_a_table(entry: &TableRule, problems: &mut Problems) {
    let condition = entry.condition.iter();
    for problem in condition.flat_map(|condition| conditions::problems(condition, None, &mut BTreeSet::new()))
    {
        problems.add(format!("{}: {problem}", written(entry)));
    }
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

/// What the configuration says of a table: which rows are wanted, and no more of them than so many. Both are one entry, or a
/// condition of `subset` and a cap of `limits`.
#[derive(Clone, Copy)]
struct Merged<'e> {
    rule: &'e TableRule,
    cap: &'e TableRule,
}

impl<'e> Merged<'e> {
    fn of(entry: &'e TableRule) -> Self {
        Self {
            rule: entry,
            cap: entry,
        }
    }
}

/// One table's entries as one: a condition of `subset` and a cap of `limits` go together, and nothing else does.
/// More than one, where that is wrong.
fn merged<'e>(entries: &[&'e TableRule], table: &Table, problems: &mut Problems) -> Vec<Merged<'e>> {
    match entries {
        [] => Vec::new(),
        [one] => vec![Merged::of(one)],
        [subset, limit] | [limit, subset]
            if subset.option == "subset"
                && limit.option == "limits"
                && subset.keep.is_none()
                && subset.rows.is_none() =>
        {
            vec![Merged {
                rule: subset,
                cap: limit,
            }]
        }
        [others @ .., last] => {
            let others: Vec<String> = others.iter().map(|entry| written(entry)).collect();
            problems.add(format!(
                "{} and {} are rules for the same table, {}. Keep one of them.",
                others.join(", "),
                written(last),
                table.name
            ));
            entries.iter().map(|entry| Merged::of(entry)).collect()
        }
    }
}

fn read(
    Merged { rule: entry, cap }: Merged<'_>,
    table: usize,
    schema: &Schema,
    problems: &mut Problems,
) -> Ruled {
    let known = &schema.tables[table];
    let mut reads = BTreeSet::new();
    // The server is asked about what is not known to be wrong.
    let mut condition = entry.condition.clone();
    if let Some(wrong) = &entry.condition {
        for problem in conditions::problems(wrong, Some(known), &mut reads) {
            problems.add(format!("{}: {problem}", written(entry)));
            condition = None;
        }
    }
    refuse_generated(&written(entry), reads.iter(), known, problems);
    let order = match order(cap, table, schema) {
        Ok(order) => order,
        Err(faults) => {
            let faults = faults.into_iter();
            faults.for_each(|fault| problems.add(format!("{}: {fault}", written(cap))));
            let is_known = |name: &&String| known.column(name).is_some();
            cap.order_by.iter().filter(is_known).cloned().collect()
        }
    };
    refuse_generated(&written(cap), order.iter(), known, problems);
    reads.extend(order.iter().cloned());
    let cap = cap.rows.map(|rows| Cap {
        rows,
        order,
        descending: cap.descending,
    });
    for name in &entry.nullify {
        if known.column(name).is_none() {
            problems.add(format!(
                "{}: on_missing: {}",
                written(entry),
                no_column(known, name)
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
        written: written(entry),
        reads,
        nullify_all: entry.nullify_all,
        nullify: entry.nullify.clone(),
    }
}

/// Says which columns' values a backup does not hold.
fn refuse_generated<'n>(
    written: &str,
    names: impl Iterator<Item = &'n String>,
    table: &Table,
    problems: &mut Problems,
) {
    let is_generated = |name: &&String| {
        table
            .column(name)
            .is_some_and(|column| column.generated.is_some())
    };
    for name in names.filter(is_generated) {
        problems.add(format!(
            "{written}: {name} is a generated column, which a backup does not hold. Use the columns that it is computed from."
        ));
    }
}

/// The columns of a cap's order: those that are named, then the primary key's, which breaks ties; or what is wrong with
/// them.
fn order(entry: &TableRule, table: usize, schema: &Schema) -> Result<Vec<String>, Vec<String>> {
    let known = &schema.tables[table];
    let key = known.uniques.iter().find(|unique| unique.primary);
    let key: Vec<String> = key
        .and_then(Unique::columns)
        .unwrap_or_default()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let unknown = entry.order_by.iter().filter(|name| known.column(name).is_none());
    let unknown: Vec<String> = unknown.map(|name| no_column(known, name)).collect();
    if !unknown.is_empty() {
        return Err(unknown);
    }
    if entry.rows.is_some() && entry.order_by.is_empty() && key.is_empty() {
        return Err(vec![without_key(entry, table, schema)]);
    }
    let mut order = entry.order_by.clone();
    let ties = key.into_iter().filter(|_| entry.rows.is_some());
    order.extend(ties.filter(|name| !entry.order_by.contains(name)));
    Ok(order)
}

/// What is said of a cap without an order on a table without a primary key, with a column that can be named.
fn without_key(entry: &TableRule, table: usize, schema: &Schema) -> String {
    let known = &schema.tables[table];
    let has_order = |name: &&str| {
        known
            .column(name)
            .is_some_and(|column| column.generated.is_none())
            && !matches!(nature(schema, table, name), Nature::Other(_))
    };
    let usual = ["created_at", "updated_at", "inserted_at"].into_iter();
    let all = known.columns.iter().map(|column| column.name.as_str());
    let remedy = match (usual.chain(all).find(has_order), entry.option.as_str()) {
        (Some(name), "limits") => format!("Name a column, such as order_by: {name:?}."),
        (Some(name), _) => format!("Name a column, such as by: {name:?}."),
        (None, "limits") => {
            "Remove the entry, and choose its rows by a condition (where) under subset.".to_owned()
        }
        (None, _) => "Choose its rows by a condition (where) instead.".to_owned(),
    };
    format!("{} has no primary key to order its rows by. {remedy}", known.name)
}

/// `public.users has no column emial. Did you mean email?`
pub(super) fn no_column(table: &Table, column: &str) -> String {
    let near = near::nearest(column, table.columns.iter().map(|known| known.name.as_str()));
    match near {
        Some(near) => format!("{} has no column {column}. Did you mean {near}?", table.name),
        None => format!("{} has no column {column}. Correct its name.", table.name),
    }
}
