//! The masks of a load, compiled.

use super::{Covered, Rules};
use crate::error::unfit_of_rule;
use crate::failure::RuleFault;
use crate::plan::{Load, Problems};
use crate::text::Text;
use masking::{Mask, Pseudonyms, RowMask};
use std::collections::HashSet;
use std::sync::Arc;

impl Rules<'_> {
    /// Compiles the masks of a load: what replaces values on their way, and what goes along for SQL to choose from.
    /// None where no rule asks for it.
    pub(in crate::plan) fn row_masks(
        &self,
        load: &Load,
        pseudonyms: &Pseudonyms,
        problems: &mut Problems,
    ) -> (Option<Arc<RowMask>>, Option<Arc<RowMask>>) {
        let table = self.schema.table(&load.table);
        let Some((table, covered)) = table.and_then(|table| Some((table, self.covered.get(&table)?))) else {
            self.check_partitions(load, &Covered::new(), problems);
            return (None, None);
        };
        let masks = self.masks_of_load(load, table, covered, problems);
        self.check_loaded(load, covered, problems);
        if masks.is_empty() {
            return (None, None);
        }
        match RowMask::new(&self.facts(table, load), &masks, pseudonyms) {
            Ok(mask) => {
                let (chosen, sent) = mask.split(|column| {
                    let rule = covered.get(&column.name).map(|(_, rule)| *rule);
                    rule.is_some_and(|rule| self.is_chosen(table, &column.name, rule))
                });
                (sent.map(Arc::new), chosen.map(Arc::new))
            }
            Err(found) => {
                for unfit in &found {
                    let rule = covered.get(&unfit.column).map(|(_, rule)| self.rules[*rule].0);
                    let fault = match rule {
                        Some(rule) => unfit_of_rule(rule.name.clone(), unfit).into(),
                        None => Text::from(unfit),
                    };
                    problems.add_about(fault, unfit.into());
                }
                (None, None)
            }
        }
    }

    /// The places of a load's masked columns, and their masks.
    fn masks_of_load(
        &self,
        load: &Load,
        table: usize,
        covered: &Covered,
        problems: &mut Problems,
    ) -> Vec<(usize, Mask)> {
        let has_type: HashSet<&str> = self.schema.tables[table]
            .columns
            .iter()
            .filter(|column| column.column_type.is_some())
            .map(|column| column.name.as_str())
            .collect();
        let mut masks = Vec::new();
        for (position, column) in load.columns.iter().enumerate() {
            let Some((mask, rule)) = covered.get(column.as_str()) else {
                continue;
            };
            if has_type.contains(column.as_str()) {
                masks.push((position, mask.clone()));
            } else {
                problems.add(RuleFault::TypeUnread {
                    rule: self.rules[*rule].0.name.clone(),
                    column: format!("{}.{column}", load.table),
                });
            }
        }
        masks
    }

    /// Rows that go by way of a partitioned table end where their values say, not where their entry does.
    fn check_partitions(&self, load: &Load, covered: &Covered, problems: &mut Problems) {
        let Some(into) = self.schema.table(&load.copy_into) else {
            return;
        };
        for partition in self.schema.partitions(into) {
            let more = self.covered.get(&partition).and_then(|rules| {
                let mut more = rules.iter().filter(|(column, _)| !covered.contains_key(*column));
                more.next()
            });
            if let Some((column, (_, rule))) = more {
                problems.add(RuleFault::OnePartition {
                    rule: self.rules[*rule].0.name.clone(),
                    table: load.table.to_string(),
                    column: column.clone(),
                    root: load.copy_into.to_string(),
                });
            }
        }
    }

    /// A covered column that is neither in the data nor computed from it would go by unmasked.
    fn check_loaded(&self, load: &Load, covered: &Covered, problems: &mut Problems) {
        let Some(table) = self.schema.table(&load.table) else {
            return;
        };
        self.check_partitions(load, covered, problems);
        let in_data: HashSet<&str> = load.columns.iter().map(String::as_str).collect();
        for column in &self.schema.tables[table].columns {
            let is_covered = covered.contains_key(column.name.as_str());
            if is_covered && column.generated.is_none() && !in_data.contains(column.name.as_str()) {
                problems.add(RuleFault::NotInData {
                    column: format!("{}.{}", load.table, column.name),
                });
            }
        }
    }
}
