//! The masking rules, fitted to the tables of the archive.

mod chosen;
mod entry;
mod facts;
mod fitness;
mod row_masks;
mod unique_parts;

use super::exclude::{no_table, tables_like};
use super::names::NamePattern;
use super::schema::Schema;
use super::{Diagnostics, Problems};
use crate::failure::{NameFault, RuleFault};
use crate::settings::{Rule, Settings};
use entry::{check_domain, masks_of, no_such_column};
use masking::Mask;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The masked columns of a table: each one's mask, and the rule that it comes from.
type Covered = HashMap<String, (Mask, usize)>;

/// The rules and the tables that they cover.
pub(super) struct Rules<'a> {
    schema: &'a Schema,
    rules: Vec<(&'a Rule, Vec<(String, Mask)>)>,
    /// Per covered table: column → mask and rule.
    covered: BTreeMap<usize, Covered>,
    /// Columns by their topmost table whose case a unique index, there or across a foreign key, distinguishes.
    exact: HashSet<(usize, String)>,
    /// The tables that each rule with a condition names, by the rule's number.
    conditional: BTreeMap<usize, Vec<usize>>,
    /// Columns whose rule has no condition but which another rule's condition reads: SQL puts their pseudonyms in,
    /// too, once the conditions have seen what the row held.
    lifted: HashSet<(usize, String)>,
}

/// The columns of a table that SQL puts pseudonyms into, for one rule.
pub(super) struct ChosenColumns<'a> {
    /// The rule.
    pub(super) rule: &'a Rule,
    /// Where it applies; None: everywhere.
    pub(super) condition: Option<&'a str>,
    /// Its columns, in the order of their names.
    pub(super) columns: Vec<&'a str>,
}

impl<'a> Rules<'a> {
    /// Finds the tables of each rule.
    pub(super) fn read(settings: &'a Settings, schema: &'a Schema) -> (Self, Diagnostics) {
        let mut diagnostics = Diagnostics::default();
        let problems = &mut diagnostics.problems;
        let mut found = Rules {
            schema,
            rules: Vec::new(),
            covered: BTreeMap::new(),
            exact: HashSet::new(),
            conditional: BTreeMap::new(),
            lifted: HashSet::new(),
        };
        check_domain(&settings.masking.email_domain, problems);
        let mut seen = HashSet::new();
        for rule in &settings.masking.rules {
            let masks = masks_of(rule, problems);
            let Some(pattern) = NamePattern::parse(&rule.table) else {
                problems.add(NameFault::NotAName {
                    place: rule.name.clone(),
                    text: rule.table.clone(),
                });
                continue;
            };
            let tables = tables_like(&pattern, schema);
            if tables.is_empty() {
                problems.add(NameFault::NoTable {
                    place: rule.name.clone(),
                    fault: no_table(&rule.table, &pattern, schema),
                });
            }
            let number = found.rules.len();
            found.rules.push((rule, masks));
            if rule.condition.is_some() {
                found.conditional.insert(number, tables.clone());
            }
            for table in tables {
                found.cover(table, number, &mut seen, problems);
            }
        }
        if !found.rules.is_empty() {
            found.find_exact_columns();
            found.lift_what_conditions_read();
        }
        (found, diagnostics)
    }

    /// Adds a rule to a table, its partitions and its children.
    fn cover(
        &mut self,
        table: usize,
        rule: usize,
        seen: &mut HashSet<(usize, usize, String)>,
        problems: &mut Problems,
    ) {
        let (settings, masks) = &self.rules[rule];
        let mut tables = self.schema.descendants(table);
        tables.insert(0, table);
        let mut found = HashSet::new();
        for &covered in &tables {
            let columns: HashSet<&str> = self.schema.tables[covered]
                .columns
                .iter()
                .map(|column| column.name.as_str())
                .collect();
            for (column, mask) in masks.iter().filter(|(name, _)| columns.contains(name.as_str())) {
                found.insert(column.clone());
                let of_table = self.covered.entry(covered).or_default();
                let other = of_table.entry(column.clone()).or_insert((mask.clone(), rule)).1;
                // A rule meets itself where a table inherits from two that it covers.
                if other != rule && seen.insert((other, rule, column.clone())) {
                    problems.add(RuleFault::BothMask {
                        rule: settings.name.clone(),
                        other: self.rules[other].0.name.clone(),
                        column: self.column_of(covered, column),
                    });
                }
            }
        }
        self.report_missing(table, rule, &found, problems);
    }

    /// Says which columns of a rule none of its tables has.
    fn report_missing(&self, table: usize, rule: usize, found: &HashSet<String>, problems: &mut Problems) {
        let (settings, masks) = &self.rules[rule];
        let named = &self.schema.tables[table];
        let missing = |column: &str| {
            let known = named.columns.iter().map(|column| column.name.as_str());
            no_such_column(settings, &named.name, column, known)
        };
        if settings.strategy.is_none() {
            for (column, _) in masks.iter().filter(|(column, _)| !found.contains(column)) {
                problems.add(missing(column));
            }
        } else if found.is_empty() && !masks.is_empty() {
            problems.add(RuleFault::NoneOfItsColumns {
                rule: settings.name.clone(),
                table: named.name.to_string(),
                columns: masks.iter().map(|(name, _)| name.clone()).collect(),
            });
        }
        for column in settings.keep.keys() {
            let is_masked = masks.iter().any(|(name, _)| name == column);
            if is_masked && !found.contains(column) && settings.strategy.is_some() {
                problems.add(missing(column));
            }
        }
    }

    /// A column with its table before it, for messages.
    fn column_of(&self, table: usize, column: &str) -> String {
        format!("{}.{column}", self.schema.tables[table].name)
    }

    /// The rule that masks a column in flight, for messages.
    pub(super) fn rule_of(&self, table: usize, column: &str) -> Option<String> {
        let (_, rule) = self.covered.get(&table)?.get(column)?;
        Some(self.rules[*rule].0.name.clone())
    }

    /// Whether a rule with a condition covers a table.
    pub(super) fn is_conditional(&self, table: usize) -> bool {
        let masks = self
            .covered
            .get(&table)
            .into_iter()
            .flat_map(|masks| masks.values());
        masks
            .into_iter()
            .any(|(_, rule)| self.rules[*rule].0.condition.is_some())
    }

    /// A rule that masks any column of a table in flight, for messages.
    pub(super) fn rule_for(&self, table: usize) -> Option<String> {
        let rules = self.covered.get(&table)?.values().map(|(_, rule)| *rule);
        rules.min().map(|rule| self.rules[rule].0.name.clone())
    }

    pub(super) fn mask(&self, table: usize, column: &str) -> Option<&Mask> {
        Some(&self.covered.get(&table)?.get(column)?.0)
    }
}
