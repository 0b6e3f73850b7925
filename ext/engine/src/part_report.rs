//! What a plan and a finished choice say of a part of production: for each table which rows come, by which way, how many of
//! how many, and how many of them only because others need them.

use crate::notice::Notice;
use crate::part::Selection;
use crate::plan::part::{Part, PartRule, Reference};
use crate::plan::{Plan, TableName};
use crate::postgres::PartCounts;
use pg_dump_archive::DumpId;
use serde::Serialize;
use std::collections::BTreeMap;

/// Which rows of a table come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TablePart {
    /// `schema.table`; a partitioned table as a whole.
    pub table: String,
    /// Rows that others need come in any case.
    pub referenced: bool,
    /// The condition that they have to meet.
    pub condition: Option<String>,
    /// How many they may be.
    pub rows: Option<u64>,
    /// The columns by which the first of them are found.
    pub order_by: Vec<String>,
    /// The largest come first.
    pub descending: bool,
    /// By which of its columns a row goes with another that goes, and the tables of those.
    pub through: Vec<Through>,
    /// Tables whose rows bring back rows of this one, beyond its own rule.
    pub needed_by: Vec<String>,
    /// How many come, where that is known.
    pub counts: Option<PartCounts>,
    /// They are of the last run, which may have been of another backup.
    pub of_last_run: bool,
    /// The table comes without its rows: they decide which rows of these tables come. None otherwise.
    pub decides: Vec<String>,
}

/// A reference by which rows go with others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Through {
    /// `orders.user_id`.
    pub reference: String,
    /// The references behind it, as far as the next table with a rule of its own.
    pub then: Vec<String>,
    /// The table that they lead to.
    pub table: String,
    /// It becomes NULL instead.
    pub nullified: bool,
}

/// Which of a load's rows would come, where not all of them come as they are. How many is known by a choice that was made,
/// else from the last run.
pub(crate) fn planned(
    plan: &Plan,
    load: DumpId,
    chosen: Option<&Selection>,
    last: Option<&BTreeMap<String, PartCounts>>,
) -> Option<TablePart> {
    let part = plan.part.as_ref().filter(|part| part.waits(load))?;
    let at = part.relation(load)?;
    let exact = chosen.map(|selection| counts(part, at, selection));
    let name = part.relations[at].table.to_string();
    let of_last_run = last.and_then(|last| last.get(&name)).copied();
    Some(TablePart {
        counts: exact.or(of_last_run),
        of_last_run: exact.is_none() && of_last_run.is_some(),
        ..of_relation(part, at)
    })
}

/// What a table's rows decide, where it comes without them.
pub(crate) fn without_rows(plan: &Plan, table: &TableName) -> Option<TablePart> {
    let part = plan.part.as_ref()?;
    let load = plan.only_looked_at.values().find(|load| load.table == *table)?;
    Some(of_relation(part, part.relation(load.dump_id)?))
}

/// Each table that may lose rows, with the counts of a choice, and each whose rows only decide about others.
pub(crate) fn reports(plan: &Plan, selection: Option<&Selection>) -> Vec<TablePart> {
    let (Some(part), Some(selection)) = (&plan.part, selection) else {
        return Vec::new();
    };
    let restricted = part.relations.iter().enumerate().filter(|(_, relation)| {
        let mut blocks = relation.blocks.iter();
        blocks.any(|block| part.waits(block.load))
    });
    let reports = restricted.map(|(at, relation)| TablePart {
        counts: (!relation.is_excluded).then(|| counts(part, at, selection)),
        ..of_relation(part, at)
    });
    reports.collect()
}

/// Conditions that keep no row of a table that has some, though others keep theirs: hardly what was meant, unless the
/// configuration says that nothing may come.
pub(crate) fn warnings(plan: &Plan, selection: Option<&Selection>) -> Vec<Notice> {
    let (Some(part), Some(selection)) = (&plan.part, selection) else {
        return Vec::new();
    };
    let unmet = selection.unmet().iter().filter(|_| !part.allow_empty);
    let totals = unmet.map(|at| (*at, counts(part, *at, selection).total));
    let warning = |(at, count): (usize, u64)| Notice::NoneKept {
        table: part.relations[at].table.to_string(),
        count,
    };
    totals.filter(|(_, total)| *total > 0).map(warning).collect()
}

/// How many rows of a relation a choice keeps.
fn counts(part: &Part, at: usize, selection: &Selection) -> PartCounts {
    let blocks = part.relations[at].blocks.iter();
    let chosen = blocks.filter_map(|block| selection.of(block.load));
    chosen.fold(
        PartCounts {
            added: selection.added(at),
            ..PartCounts::default()
        },
        |sum, chosen| PartCounts {
            kept: sum.kept + chosen.kept(),
            total: sum.total + chosen.total(),
            ..sum
        },
    )
}

fn of_relation(part: &Part, at: usize) -> TablePart {
    let mut shown = TablePart {
        table: part.relations[at].table.to_string(),
        ..TablePart::default()
    };
    match &part.relations[at].rule {
        PartRule::Own { condition, cap } => {
            shown.condition.clone_from(condition);
            if let Some(cap) = cap {
                (shown.rows, shown.descending) = (Some(cap.rows), cap.descending);
                shown.order_by.clone_from(&cap.order);
            }
        }
        PartRule::Referenced => shown.referenced = true,
        PartRule::Follows | PartRule::All => {}
    }
    for reference in part.references.iter().filter(|reference| reference.from == at) {
        let way = if reference.binds() {
            way(part, reference.to)
        } else {
            Vec::new()
        };
        let end = way.last().map_or(reference.to, |last| last.to);
        let through = Through {
            reference: reference.name.clone(),
            then: way.iter().map(|one| one.name.clone()).collect(),
            table: part.relations[end].table.to_string(),
            nullified: !reference.binds(),
        };
        // Of partitions there may be several.
        if !shown.through.contains(&through) {
            shown.through.push(through);
        }
    }
    let needed = part.references.iter().filter(|one| one.to == at && one.binds());
    let wholes = needed.filter(|one| part.relations[one.from].rule == PartRule::All);
    for reference in wholes {
        let table = part.relations[reference.from].table.to_string();
        if !shown.needed_by.contains(&table) {
            shown.needed_by.push(table);
        }
    }
    if part.relations[at].is_excluded {
        shown.decides = decided(part, at);
    }
    shown
}

/// The tables that come and whose rows go with those of a table that does not, directly or by way of others that do not.
fn decided(part: &Part, at: usize) -> Vec<String> {
    let (mut found, mut tables, mut next) = (vec![at], Vec::new(), 0);
    while let Some(to) = found.get(next).copied() {
        for reference in part.references.iter().filter(|one| one.to == to) {
            let from = &part.relations[reference.from];
            let name = from.table.to_string();
            match from.is_excluded {
                true if !found.contains(&reference.from) => found.push(reference.from),
                false if !tables.contains(&name) => tables.push(name),
                _ => {}
            }
        }
        next += 1;
    }
    tables
}

/// The shortest way from a relation to one with a rule of its own; none where it has one, or there is none.
fn way(part: &Part, from: usize) -> Vec<&Reference> {
    let is_ruled = |at: usize| {
        matches!(
            part.relations[at].rule,
            PartRule::Own { .. } | PartRule::Referenced
        )
    };
    let mut ways: Vec<(usize, Vec<&Reference>)> = vec![(from, Vec::new())];
    let mut seen = vec![false; part.relations.len()];
    seen[from] = true;
    let mut next = 0;
    while let Some((at, way)) = ways.get(next).cloned() {
        if is_ruled(at) {
            return way;
        }
        for reference in part.references.iter().filter(|one| one.from == at && one.binds()) {
            if !std::mem::replace(&mut seen[reference.to], true) {
                ways.push((reference.to, way.iter().copied().chain([reference]).collect()));
            }
        }
        next += 1;
    }
    Vec::new()
}
