//! Whether the masks in force go together: foreign keys, partition keys, generated columns, values that stay.

use super::{Covered, Rules};
use crate::failure::RuleFault;
use crate::notice::Notice;
use crate::plan::schema::ForeignKey;
use crate::plan::{checks, Diagnostics, Load, Problems, TableName, Warnings};
use masking::{Mask, Type};
use pg_dump_archive::DumpId;
use std::collections::{BTreeSet, HashMap, HashSet};

impl Rules<'_> {
    /// Masks that would break a foreign key or a partition key, and generated columns that would show what is
    /// masked beside them.
    pub(in crate::plan) fn check_keys(
        &self,
        excluded: &HashSet<usize>,
        is_restored: impl Fn(DumpId) -> bool,
    ) -> Diagnostics {
        let mut diagnostics = Diagnostics::default();
        let Diagnostics { problems, warnings } = &mut diagnostics;
        for (index, table) in self.schema.tables.iter().enumerate() {
            for key in table.foreign_keys.iter().filter(|key| is_restored(key.dump_id)) {
                if let Some(references) = self.schema.table(&key.references) {
                    self.check_foreign_key(index, key, references, excluded, problems);
                }
            }
        }
        let mut seen = HashSet::new();
        for (&index, masks) in &self.covered {
            let family = self.schema.partition_ancestors(index).into_iter().chain([index]);
            for table in family {
                let parted_by = self.schema.tables[table].partition_key.iter().flatten();
                for column in parted_by.filter(|column| masks.contains_key(column.as_str())) {
                    let rule = masks[column.as_str()].1;
                    if seen.insert((rule, table, column)) {
                        problems.add(RuleFault::MasksPartitionKey {
                            rule: self.rules[rule].0.name.clone(),
                            column: column.clone(),
                            table: self.schema.tables[table].name.to_string(),
                        });
                    }
                }
            }
            self.check_generated(index, masks, problems, warnings);
            self.warn_of_search_columns(index, masks, warnings);
            self.warn_of_meetings(index, masks, warnings);
            self.warn_of_checks(index, masks, warnings);
        }
        diagnostics
    }

    /// A tsvector that a trigger fills is dumped as data, and holds the words of the columns it was made from.
    fn warn_of_search_columns(&self, index: usize, masks: &Covered, warnings: &mut Warnings) {
        let table = &self.schema.tables[index];
        for column in &table.columns {
            let kind = column
                .column_type
                .as_ref()
                .map(|name| self.schema.resolve(name, &table.name.schema).0);
            let is_copied = column.generated.is_none() && !masks.contains_key(column.name.as_str());
            if is_copied && kind == Some(Type::TsVector) {
                warnings.push(Notice::VectorNotMasked {
                    column: self.column_of(index, &column.name),
                });
            }
        }
    }

    /// CHECKs on masked columns that are not understood: that cannot be known before the rows have come.
    fn warn_of_checks(&self, index: usize, masks: &Covered, warnings: &mut Warnings) {
        let mut columns: Vec<_> = masks.iter().collect();
        columns.sort_unstable_by_key(|(column, _)| *column);
        for (column, (mask, rule)) in columns {
            let found = checks::of_column(self.schema, index, column);
            let nulls = found.refusing_null.iter().filter(|_| mask.may_be_null());
            let values = found.unknown.iter().filter(|_| !mask.is_null());
            for name in nulls.chain(values).collect::<BTreeSet<_>>() {
                warnings.push(Notice::CheckAsksMore {
                    rule: self.rules[*rule].0.name.clone(),
                    check: name.clone(),
                    table: self.schema.tables[index].name.to_string(),
                    column: column.clone(),
                });
            }
        }
    }

    /// Under a unique index pseudonyms are distinct among themselves. Values that stay as they are may still meet one
    /// where both are drawn from the same few; that cannot be known before the rows have come.
    fn warn_of_meetings(&self, index: usize, masks: &Covered, warnings: &mut Warnings) {
        let mut columns: Vec<_> = masks.iter().collect();
        columns.sort_unstable_by_key(|(column, _)| *column);
        for (column, (mask, rule)) in columns {
            let rule = self.rules[*rule].0;
            let some_stay = rule.condition.is_some() || rule.keep.contains_key(column);
            if some_stay && !mask.is_wide() && self.is_distinct(index, column) {
                warnings.push(Notice::MayMeet {
                    rule: rule.name.clone(),
                    column: self.column_of(index, column),
                });
            }
        }
    }

    fn is_distinct(&self, table: usize, column: &str) -> bool {
        let known = &self.schema.tables[table];
        let kind = known.columns.iter().find(|known| known.name == column);
        let Some(kind) = kind.and_then(|known| known.column_type.as_ref()) else {
            return false;
        };
        let kind = self.schema.resolve(kind, &known.name.schema);
        let unique = self.uniqueness(table, &HashMap::from([(column, 0)]), &[kind]);
        unique.first().is_some_and(|unique| unique.distinct)
    }

    fn check_foreign_key(
        &self,
        table: usize,
        key: &ForeignKey,
        references: usize,
        excluded: &HashSet<usize>,
        problems: &mut Problems,
    ) {
        let loaded = |table: usize| -> Vec<usize> {
            let all = std::iter::once(table).chain(self.schema.partitions(table));
            all.filter(|table| !excluded.contains(table)).collect()
        };
        let (here, there) = (loaded(table), loaded(references));
        if here.is_empty() || there.is_empty() {
            return;
        }
        for (column, referenced) in key.columns.iter().zip(&key.referenced_columns) {
            let (name, from) = (key.name.clone(), self.column_of(table, column));
            let to = format!("{}.{referenced}", key.references);
            let mut masks: Vec<Option<&Mask>> = here.iter().map(|table| self.mask(*table, column)).collect();
            masks.extend(there.iter().map(|table| self.mask(*table, referenced)));
            let first = masks[0];
            let covering = || {
                let here = here
                    .iter()
                    .filter_map(|table| self.covered.get(table)?.get(column));
                let there = there
                    .iter()
                    .filter_map(|table| self.covered.get(table)?.get(referenced));
                here.chain(there).map(|(_, rule)| *rule)
            };
            // Which rows a condition covers is known for one side only.
            let conditional = covering().find(|rule| self.rules[*rule].0.condition.is_some());
            if let Some(rule) = conditional {
                problems.add(RuleFault::KeyUnderCondition {
                    rule: self.rules[rule].0.name.clone(),
                    key: name,
                    from,
                    to,
                });
                continue;
            }
            let same = masks.iter().all(|mask| *mask == first);
            if same && first.is_none_or(|mask| mask.is_function_of_value()) {
                continue;
            }
            let rule = covering().next().map(|rule| self.rules[rule].0.name.clone());
            problems.add(RuleFault::KeyNoLongerMatches {
                rule: rule.unwrap_or_default(),
                key: name,
                from,
                to,
            });
        }
    }

    /// A generated column is computed again from what is masked; one that reads nothing masked keeps raw values.
    fn check_generated(
        &self,
        index: usize,
        masks: &Covered,
        problems: &mut Problems,
        warnings: &mut Warnings,
    ) {
        let table = &self.schema.tables[index];
        for column in &table.columns {
            let (Some(read), Some((_, rule))) = (&column.generated, masks.get(column.name.as_str())) else {
                continue;
            };
            let sources = table
                .columns
                .iter()
                .filter(|source| source.generated.is_none() && read.contains(&source.name));
            let (masked, raw): (Vec<_>, Vec<_>) =
                sources.partition(|source| masks.contains_key(source.name.as_str()));
            let read: Vec<String> = raw.into_iter().map(|source| source.name.clone()).collect();
            let column = self.column_of(index, &column.name);
            if masked.is_empty() {
                problems.add(RuleFault::GeneratedStaysRaw {
                    rule: self.rules[*rule].0.name.clone(),
                    column,
                    read,
                });
            } else if !read.is_empty() {
                warnings.push(Notice::AlsoReadsRaw { column, read });
            }
        }
    }

    /// Rules whose tables all go by without rows have no effect.
    pub(in crate::plan) fn idle(&self, loads: &HashMap<DumpId, Load>) -> Vec<Notice> {
        let loaded: HashSet<&TableName> = loads.values().map(|load| &load.table).collect();
        let mut warnings = Vec::new();
        for (number, (rule, _)) in self.rules.iter().enumerate() {
            let mut tables = self
                .covered
                .iter()
                .filter(|(_, masks)| masks.values().any(|(_, by)| *by == number))
                .map(|(table, _)| &self.schema.tables[*table].name)
                .peekable();
            if tables.peek().is_some() && !tables.any(|name| loaded.contains(name)) {
                warnings.push(Notice::RuleIdle {
                    rule: rule.name.clone(),
                });
            }
        }
        warnings
    }
}
