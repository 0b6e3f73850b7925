//! The choice by its definition, over rows in memory, a step after the other.

use super::{Field, Kept, Link, Row, World};
use staging_sync_engine::plan::part::{deciding, PartRule, Standing, Way};
use std::cmp::Ordering;
use std::collections::BTreeSet;

impl World {
    pub(super) fn row(&self, (table, block, row): Row) -> &[Field] {
        &self.tables[table].blocks[block][row]
    }

    fn all_rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for (at, table) in self.tables.iter().enumerate() {
            for (block, of) in table.blocks.iter().enumerate() {
                rows.extend((0..of.len()).map(|row| (at, block, row)));
            }
        }
        rows
    }

    /// The row that one refers to, if the backup holds it.
    fn counterpart(&self, link: &Link, row: Row) -> Option<Row> {
        let values = self.row(row);
        if link.from_block.is_some_and(|block| block != row.1) {
            return None;
        }
        if let Some((column, names)) = &link.only_where {
            values[*column].as_ref().filter(|value| names.contains(value))?;
        }
        let to = &self.tables[link.to];
        for (block, rows) in to.blocks.iter().enumerate() {
            if link.to_block.is_some_and(|only| only != block) {
                continue;
            }
            for (at, other) in rows.iter().enumerate() {
                let is_equal = link
                    .columns
                    .iter()
                    .all(|(from, to)| match (&values[*from], &other[*to]) {
                        (Some(one), Some(other)) => same(one, other),
                        _ => false,
                    });
                if is_equal {
                    return Some((link.to, block, at));
                }
            }
        }
        None
    }

    /// The rows that a table's own rule keeps.
    pub fn own(&self, at: usize) -> BTreeSet<Row> {
        let table = &self.tables[at];
        let mut rows: Vec<Row> = self.all_rows().into_iter().filter(|row| row.0 == at).collect();
        let PartRule::Own { cap, .. } = &table.rule else {
            return rows.into_iter().collect();
        };
        if let Some((column, than)) = table.less_than {
            rows.retain(|row| number(&self.row(*row)[column]).is_some_and(|number| number < than));
        }
        if let Some(cap) = cap {
            let order: Vec<usize> = cap.order.iter().map(|name| table.column(name)).collect();
            rows.sort_by(|a, b| {
                let by_column = order.iter().map(|column| {
                    let (a, b) = (number(&self.row(*a)[*column]), number(&self.row(*b)[*column]));
                    match (a, b) {
                        (None, None) => Ordering::Equal,
                        (None, _) => Ordering::Greater,
                        (_, None) => Ordering::Less,
                        (Some(a), Some(b)) if cap.descending => b.cmp(&a),
                        (Some(a), Some(b)) => a.cmp(&b),
                    }
                });
                let by_place = if cap.descending { b.cmp(a) } else { a.cmp(b) };
                by_column.fold(Ordering::Equal, Ordering::then).then(by_place)
            });
            rows.truncate(usize::try_from(cap.rows).unwrap());
        }
        rows.into_iter().collect()
    }

    /// Each row that refers to another, by its link.
    pub fn counterparts(&self) -> Vec<(usize, Row, Row)> {
        let mut counterparts: Vec<(usize, Row, Row)> = Vec::new();
        for (at, link) in self.links.iter().enumerate() {
            for row in self.all_rows().into_iter().filter(|row| row.0 == link.from) {
                counterparts.extend(self.counterpart(link, row).map(|other| (at, row, other)));
            }
        }
        counterparts
    }

    /// What stays downwards, to the greatest fixpoint.
    pub fn downwards(&self, counterparts: &[(usize, Row, Row)]) -> BTreeSet<Row> {
        let mut stays: BTreeSet<Row> = (0..self.tables.len()).flat_map(|at| self.own(at)).collect();
        let is_whole = |row: &Row| self.tables[row.0].rule == PartRule::All;
        while let Some((_, row, _)) = counterparts.iter().find(|(at, row, other)| {
            let binds = !self.links[*at].nullify;
            binds && stays.contains(row) && !is_whole(row) && !stays.contains(other)
        }) {
            stays.remove(row);
        }
        stays
    }

    /// The tables whose rows stay out and decide about others, as the plan has it.
    pub fn deciding(&self) -> BTreeSet<usize> {
        let standing = self.tables.iter().map(|table| Standing {
            rule: table.rule.clone(),
            comes: !table.is_excluded,
        });
        let ways = self.links.iter().map(|link| Way {
            from: link.from,
            to: link.to,
            binds: !link.nullify,
        });
        deciding(&standing.enumerate().collect(), &ways.collect::<Vec<_>>())
    }

    /// The choice as the definition has it, step by step.
    pub fn by_definition(&self) -> Kept {
        let is = |row: &Row, rule: &PartRule| self.tables[row.0].rule == *rule;
        let counterparts = self.counterparts();
        let binding = || counterparts.iter().filter(|(at, ..)| !self.links[*at].nullify);
        let down = self.downwards(&counterparts);
        // What stays out has done its part.
        let comes = |row: &Row| !self.tables[row.0].is_excluded;
        let mut stays: BTreeSet<Row> = down.iter().copied().filter(comes).collect();
        // Upwards, to the least.
        while let Some((.., other)) =
            binding().find(|(_, row, other)| stays.contains(row) && comes(other) && !stays.contains(other))
        {
            stays.insert(*other);
        }
        // What is there to be referred to shrinks.
        let is_referenced = |row: &Row| is(row, &PartRule::Referenced);
        let mut left: BTreeSet<Row> = stays.iter().copied().filter(|row| !is_referenced(row)).collect();
        while let Some((.., other)) = counterparts
            .iter()
            .find(|(_, row, other)| left.contains(row) && stays.contains(other) && !left.contains(other))
        {
            left.insert(*other);
        }
        let mut kept = Kept::default();
        for (at, table) in self.tables.iter().enumerate() {
            for block in 0..table.blocks.len() {
                let of_block = left.iter().filter(|row| (row.0, row.1) == (at, block));
                kept.rows.insert((at, block), of_block.map(|row| row.2).collect());
            }
        }
        for (at, row, other) in &counterparts {
            let is_there = match comes(other) {
                true => left.contains(other),
                false => down.contains(other),
            };
            if self.links[*at].nullify && left.contains(row) && !is_there {
                let place = self.links[*at].columns[0].0;
                kept.nulls.entry((place, row.0, row.1)).or_default().insert(row.2);
            }
        }
        kept
    }
}

fn number(field: &Field) -> Option<i64> {
    field.as_ref()?.parse().ok()
}

/// Whether two values are equal to PostgreSQL: numbers however they are written.
fn same(one: &str, other: &str) -> bool {
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match (one.parse::<f64>(), other.parse::<f64>()) {
        (Ok(a), Ok(b)) if is_number(one) && is_number(other) => (a - b).abs() < 1e-9,
        _ => one == other,
    }
}
