//! The rules as the configuration has them, each with the table that it names.

mod left_out;
mod partitions;

use super::names::{column_shown, table_shown};
use super::own_entry::{column_advice, has_star, Place};
use super::{conditions, Cap, PartRule};
use crate::failure::{NameFault, PartFault, SubsetFault};
use crate::plan::exclude::{no_table, tables_like};
use crate::plan::names::NamePattern;
use crate::plan::schema::{Schema, Table, Unique};
use crate::plan::{Diagnostics, Problems};
use crate::settings::{Keep, Subset, TableRule};
pub(super) use left_out::asked_about;
use left_out::Entries;
use partitions::partitions_alone;
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
    /// Its entry is a pattern's, which need not fit each of its tables.
    pub(super) by_pattern: bool,
    /// It is the table's own, and everything that is wrong with it is reported.
    pub(super) is_checked: bool,
}

/// What becomes of a table's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    Come,
    /// The backup has them, and they stay out.
    StayOut,
    /// Nothing is known of them.
    Absent,
}

/// The rules as they are understood.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// By the table whose rows they choose; where these stay out, they may choose rows of others by it.
    pub(super) ruled: BTreeMap<usize, Ruled>,
    /// Rules that have no effect, each with its table: nothing is known of its rows, or another rule counts.
    pub(super) idle: Vec<(usize, Ruled)>,
    /// The entries, each with the tables that it names.
    named: Vec<(String, Vec<usize>)>,
    /// Tables that have the rule of another, from which they inherit.
    inherited: BTreeMap<usize, usize>,
}

/// Reads the rules. `rows`: what becomes of a table's rows. A rule is checked where they do not come, too: what is wrong with
/// it would else be found only once they do.
pub(super) fn rules(
    subset: &Subset,
    schema: &Schema,
    rows: impl Fn(usize) -> Rows,
    diagnostics: &mut Diagnostics,
) -> Rules {
    let mut rules = Rules::default();
    for (table, entries) in named(subset, schema, &rows, &mut rules.named, diagnostics) {
        if let Some(read) = entries.fitting(table, schema) {
            rules.ruled.insert(table, read);
            continue;
        }
        let merged = merged(&entries.checked, table, schema, &mut diagnostics.problems);
        // Of rules that exclude one another each is read for what else is wrong with it, and the first counts.
        for rule in &merged {
            let read = read(*rule, table, schema, &mut diagnostics.problems);
            if rows(table) != Rows::Absent && !rules.ruled.contains_key(&table) {
                rules.ruled.insert(table, read);
            } else {
                rules.idle.push((table, read));
            }
        }
    }
    // What inherits from a table has its rule, each table by itself.
    for table in 0..schema.tables.len() {
        let nearest = || {
            let mut above = schema.ancestors(table).into_iter();
            above.find_map(|above| Some((above, rules.ruled.get(&above).cloned()?)))
        };
        let is_whole = schema.topmost(table) == table && rows(table) != Rows::Absent;
        if is_whole && !rules.ruled.contains_key(&table) {
            if let Some((above, mut inherited)) = nearest() {
                inherited.is_checked = false;
                rules.ruled.insert(table, inherited);
                let first = rules.inherited.get(&above).copied().unwrap_or(above);
                rules.inherited.insert(table, first);
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
    rows: impl Fn(usize) -> Rows,
    known: &mut Vec<(String, Vec<usize>)>,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<usize, Entries<'s>> {
    let mut named: BTreeMap<usize, Entries<'_>> = BTreeMap::new();
    for entry in &subset.tables {
        let Some(pattern) = NamePattern::parse(&entry.table) else {
            diagnostics.problems.add(NameFault::NotAPattern {
                place: entry.option.clone(),
                text: entry.table.clone(),
            });
            without_a_table(entry, &mut diagnostics.problems);
            continue;
        };
        let tables = tables_of(entry, &pattern, schema, &mut diagnostics.problems);
        let checked = read_for(entry, &tables, schema, &rows);
        for &table in &tables {
            if checked.contains(&table) {
                named.entry(table).or_default().checked.push(entry);
            } else if rows(table) == Rows::StayOut {
                named.entry(table).or_default().beside.push(entry);
            }
        }
        known.push((written(entry), tables));
    }
    named
}

/// The tables that an entry stands for, with what is wrong with its name.
fn tables_of(
    entry: &TableRule,
    pattern: &NamePattern,
    schema: &Schema,
    problems: &mut Problems,
) -> Vec<usize> {
    let found = tables_like(pattern, schema);
    if found.is_empty() {
        problems.add(NameFault::NoTable {
            place: entry.option.clone(),
            fault: no_table(&entry.table, pattern, schema),
        });
        without_a_table(entry, problems);
    }
    let (partitions, found): (Vec<usize>, Vec<usize>) = found
        .into_iter()
        .partition(|table| schema.topmost(*table) != *table);
    for fault in partitions_alone(&partitions, &found, schema) {
        problems.add(in_entry(entry, fault));
    }
    let roots = partitions.iter().map(|partition| schema.topmost(*partition));
    let mut tables: Vec<usize> = found.iter().copied().chain(roots).collect();
    tables.sort_unstable();
    tables.dedup();
    tables
}

/// The tables that an entry is read for: the one that it names, or those of several whose rows come. Where no rows do, it has
/// to fit one of them: a table may be left out because it does not.
fn read_for(
    entry: &TableRule,
    tables: &[usize],
    schema: &Schema,
    rows: impl Fn(usize) -> Rows,
) -> Vec<usize> {
    let coming = tables.iter().copied().filter(|table| rows(*table) == Rows::Come);
    let coming: Vec<usize> = coming.collect();
    if tables.len() <= 1 || coming.len() == tables.len() {
        return tables.to_vec();
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
    let faults = condition.flat_map(|condition| conditions::problems(condition, None, &mut BTreeSet::new()));
    faults.for_each(|fault| problems.add(in_entry(entry, fault)));
}

/// An entry, for messages.
fn written(entry: &TableRule) -> String {
    format!("{}: \"{}\"", entry.option, entry.table)
}

fn in_entry(entry: &TableRule, fault: PartFault) -> SubsetFault {
    SubsetFault::In {
        entry: written(entry),
        fault,
    }
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

/// One table's entries as one: a condition of `subset` and a cap of `limits` go together, and else a name counts before a
/// pattern. More than one, where that is wrong.
fn merged<'e>(
    entries: &[&'e TableRule],
    table: usize,
    schema: &Schema,
    problems: &mut Problems,
) -> Vec<Merged<'e>> {
    match entries {
        [] => return Vec::new(),
        [one] => return vec![Merged::of(one)],
        [subset, limit] | [limit, subset]
            if subset.option == "subset"
                && limit.option == "limits"
                && subset.keep.is_none()
                && subset.rows.is_none() =>
        {
            return vec![Merged {
                rule: subset,
                cap: limit,
            }]
        }
        _ => {}
    }
    let (patterns, names): (Vec<_>, Vec<_>) = entries.iter().copied().partition(|entry| has_star(entry));
    if !patterns.is_empty() && !names.is_empty() {
        return merged(&names, table, schema, problems);
    }
    if let [others @ .., last] = entries {
        let (entries, last, at) = (
            others.iter().map(|one| written(one)).collect(),
            written(last),
            table,
        );
        let table = table_shown(&schema.tables[at].name);
        problems.add(match patterns.first() {
            None => SubsetFault::OneTable { entries, last, table },
            Some(entry) => SubsetFault::OneTableOfPatterns {
                entries,
                last,
                table,
                own: Place { entry, at, schema }.own(),
            },
        });
    }
    entries.iter().map(|entry| Merged::of(entry)).collect()
}

fn read(
    Merged { rule: entry, cap }: Merged<'_>,
    table: usize,
    schema: &Schema,
    problems: &mut Problems,
) -> Ruled {
    let known = &schema.tables[table];
    let place = |entry| Place {
        entry,
        at: table,
        schema,
    };
    let mut reads = BTreeSet::new();
    // The server is asked about what is not known to be wrong.
    let mut condition = entry.condition.clone();
    if let Some(wrong) = &entry.condition {
        for fault in conditions::problems(wrong, Some(&place(entry)), &mut reads) {
            problems.add(in_entry(entry, fault));
            condition = None;
        }
    }
    refuse_generated(entry, reads.iter(), known, problems);
    let order = match order(&place(cap)) {
        Ok(order) => order,
        Err(faults) => {
            let faults = faults.into_iter();
            faults.for_each(|fault| problems.add(in_entry(cap, fault)));
            let is_known = |name: &&String| known.column(name).is_some();
            cap.order_by.iter().filter(is_known).cloned().collect()
        }
    };
    refuse_generated(cap, order.iter(), known, problems);
    reads.extend(order.iter().cloned());
    let cap = cap.rows.map(|rows| Cap {
        rows,
        order,
        descending: cap.descending,
    });
    let lacking = entry.nullify.iter().filter(|name| known.column(name).is_none());
    for name in lacking.filter(|name| !place(entry).others_have(name)) {
        let fault = PartFault::NullsNoColumn {
            table: table_shown(&known.name),
            column: column_shown(name),
            advice: column_advice(known, name),
        };
        problems.add(in_entry(entry, fault));
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
        by_pattern: has_star(entry),
        is_checked: true,
    }
}

/// Says which columns' values a backup does not hold.
fn refuse_generated<'n>(
    entry: &TableRule,
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
        let column = column_shown(name);
        problems.add(in_entry(entry, PartFault::Generated { column }));
    }
}

/// The columns of a cap's order: those that are named, then the primary key's, which breaks ties; or what is wrong with
/// them.
fn order(place: &Place<'_>) -> Result<Vec<String>, Vec<PartFault>> {
    let (entry, known) = (place.entry, place.table());
    let key = known.uniques.iter().find(|unique| unique.primary);
    let key: Vec<String> = key
        .and_then(Unique::columns)
        .unwrap_or_default()
        .into_iter()
        .map(str::to_owned)
        .collect();
    let unknown = entry.order_by.iter().filter(|name| known.column(name).is_none());
    let unknown: Vec<PartFault> = unknown.map(|name| place.no_column(name)).collect();
    if !unknown.is_empty() {
        return Err(unknown);
    }
    if entry.rows.is_some() && entry.order_by.is_empty() && key.is_empty() {
        return Err(vec![place.no_order()]);
    }
    let mut order = entry.order_by.clone();
    let ties = key.into_iter().filter(|_| entry.rows.is_some());
    order.extend(ties.filter(|name| !entry.order_by.contains(name)));
    Ok(order)
}
