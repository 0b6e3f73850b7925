//! What SQL puts in after the rows have come: pseudonyms of rules with a condition, and of columns that conditions read.

use super::{ChosenColumns, Rules};
use crate::plan::{parse, Load};
use masking::Mask;
use std::collections::{BTreeMap, HashSet};

impl<'a> Rules<'a> {
    /// The masks of a load's columns, by the columns' places, and the places of those that SQL puts in.
    pub(in crate::plan) fn in_force(&self, load: &Load) -> (Vec<(usize, Mask)>, HashSet<usize>) {
        let (mut masks, mut chosen) = (Vec::new(), HashSet::new());
        let table = self.schema.table(&load.table);
        let Some((table, covered)) = table.and_then(|table| Some((table, self.covered.get(&table)?))) else {
            return (masks, chosen);
        };
        for (position, column) in load.columns.iter().enumerate() {
            let Some((mask, rule)) = covered.get(column.as_str()) else {
                continue;
            };
            masks.push((position, mask.clone()));
            if self.is_chosen(table, column, *rule) {
                chosen.insert(position);
            }
        }
        (masks, chosen)
    }

    /// The tables that rules with a condition name.
    pub(in crate::plan) fn conditional_tables(&self) -> impl Iterator<Item = usize> + '_ {
        self.conditional.values().flatten().copied()
    }

    /// The columns of a table that SQL puts pseudonyms into, in the order of the rules.
    pub(in crate::plan) fn chosen(&self, table: usize) -> Vec<ChosenColumns<'_>> {
        let mut by_rule: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for (column, (_, rule)) in self.covered.get(&table).into_iter().flatten() {
            if self.is_chosen(table, column, *rule) {
                by_rule.entry(*rule).or_default().push(column);
            }
        }
        let chosen = by_rule.into_iter().map(|(rule, mut columns)| {
            columns.sort_unstable();
            let rule = self.rules[rule].0;
            ChosenColumns {
                rule,
                condition: rule.condition.as_deref(),
                columns,
            }
        });
        chosen.collect()
    }

    pub(super) fn is_chosen(&self, table: usize, column: &str, rule: usize) -> bool {
        self.rules[rule].0.condition.is_some() || self.lifted.contains(&(table, column.to_owned()))
    }

    /// A condition means what the row held in production, so a column that it reads is masked after it was read.
    pub(super) fn lift_what_conditions_read(&mut self) {
        for rule in self.conditional.keys() {
            let read = self.rules[*rule].0.condition.as_deref().map(parse::identifiers);
            let Some(Ok(read)) = read else {
                continue;
            };
            for (table, covered) in &self.covered {
                if !covered.values().any(|(_, by)| by == rule) {
                    continue;
                }
                // Partitions share their root's temporary table, and with it the root's further columns.
                let has_rule = |table: &usize| {
                    let of_table = self.covered.get(table);
                    of_table.is_some_and(|covered| covered.values().any(|(_, by)| by == rule))
                };
                let roots = self.schema.partition_ancestors(*table).into_iter().rev();
                let head = roots.chain([*table]).find(has_rule).unwrap_or(*table);
                for (column, (_, by)) in covered.iter().filter(|(column, _)| read.contains(*column)) {
                    let at_head = self.covered.get(&head).and_then(|covered| covered.get(column));
                    if at_head.is_some_and(|(_, rule)| rule == by) {
                        self.lifted.insert((*table, column.clone()));
                    }
                }
            }
        }
    }
}
