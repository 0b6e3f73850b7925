//! `exclude_tables` and `include_tables`: tables that are created but whose rows are not loaded.

use super::names::{meant, NamePattern};
use super::schema::Schema;
use super::Diagnostics;
use crate::alike::few_of;
use crate::failure::{Advice, NameFault, NoTable, OptionFault};
use crate::notice::Notice;
use std::collections::{BTreeSet, HashSet};

/// The tables whose rows are not loaded. A partitioned table covers its partitions, a parent its children.
pub(super) fn excluded(patterns: &[String], schema: &Schema) -> (HashSet<usize>, Diagnostics) {
    named("exclude_tables", patterns, schema)
}

/// The tables that `include_tables` does not name, where it names any: they come without rows, too. `option`: what messages
/// call it.
pub(super) fn not_included(
    option: &str,
    patterns: &[String],
    schema: &Schema,
) -> (HashSet<usize>, Diagnostics) {
    if patterns.is_empty() {
        return Default::default();
    }
    let (included, diagnostics) = named(option, patterns, schema);
    let others = (0..schema.tables.len()).filter(|table| !included.contains(table));
    (others.collect(), diagnostics)
}

/// The tables that other options keep from coming.
pub(super) struct Absent<'a> {
    /// By `exclude_tables`.
    pub(super) excluded: &'a HashSet<usize>,
    /// By `keep_tables`.
    pub(super) kept: &'a HashSet<usize>,
}

impl Absent<'_> {
    fn by(&self, table: usize) -> Option<&'static str> {
        let excludes = self.excluded.contains(&table).then_some("exclude_tables");
        excludes.or_else(|| self.kept.contains(&table).then_some("keep_tables"))
    }
}

/// What is said of tables that are to come by one option and not by another: an error where nothing comes at all, and a
/// warning where a table is named as it is, not by a pattern. `has_rows`: the tables of which the backup has any.
pub(super) fn contradictions(
    option: &str,
    patterns: &[String],
    schema: &Schema,
    absent: &Absent<'_>,
    has_rows: &HashSet<usize>,
) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    let (included, _) = named(option, patterns, schema);
    let included: BTreeSet<usize> = included.intersection(has_rows).copied().collect();
    let by: BTreeSet<&str> = included.iter().filter_map(|table| absent.by(*table)).collect();
    if !included.is_empty() && included.iter().all(|table| absent.by(*table).is_some()) {
        diagnostics.problems.add(OptionFault::NothingComes {
            option: option.to_owned(),
            tables: few_of(included.iter().map(|at| &schema.tables[*at].name)),
            count: by.len(),
            by: by.into_iter().map(str::to_owned).collect(),
        });
        return diagnostics;
    }
    let plain = patterns.iter().filter_map(|text| NamePattern::parse(text));
    for pattern in plain.filter(|pattern| !pattern.has_star()) {
        for table in tables_like(&pattern, schema) {
            if let Some(by) = absent.by(table) {
                diagnostics.warnings.push(Notice::NamedByBoth {
                    option: option.to_owned(),
                    table: schema.tables[table].name.to_string(),
                    by: by.to_owned(),
                });
            }
        }
    }
    diagnostics
}

/// The tables that an option's patterns name, with those below them.
fn named(option: &str, patterns: &[String], schema: &Schema) -> (HashSet<usize>, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let mut tables = HashSet::new();
    for text in patterns {
        let Some(pattern) = NamePattern::parse(text) else {
            diagnostics.problems.add(NameFault::NotAPattern {
                place: option.to_owned(),
                text: text.clone(),
            });
            continue;
        };
        let found = tables_like(&pattern, schema);
        if found.is_empty() {
            diagnostics.problems.add(NameFault::NoTable {
                place: option.to_owned(),
                fault: no_table(text, &pattern, schema),
            });
        }
        for table in found {
            tables.insert(table);
            tables.extend(schema.descendants(table));
        }
    }
    (tables, diagnostics)
}

/// The tables that a pattern names: as written, or else in lower case.
pub(super) fn tables_like(pattern: &NamePattern, schema: &Schema) -> Vec<usize> {
    let matching = |pattern: &NamePattern| -> Vec<usize> {
        let tables = schema.tables.iter().enumerate();
        tables
            .filter(|(_, table)| pattern.matches(&table.name))
            .map(|(index, _)| index)
            .collect()
    };
    let found = matching(pattern);
    if found.is_empty() {
        matching(&pattern.folded())
    } else {
        found
    }
}

/// Why a name names no table, and what it may have meant.
pub(super) fn no_table(text: &str, pattern: &NamePattern, schema: &Schema) -> NoTable {
    if let Some((name, kind)) = schema.views.iter().find(|(name, _)| pattern.matches(name)) {
        return NoTable::View {
            text: text.to_owned(),
            sort: kind.as_str().to_lowercase(),
            name: name.to_string(),
        };
    }
    let advice = meant(text, schema.tables.iter().map(|table| &table.name));
    NoTable::NoneMatches {
        text: text.to_owned(),
        advice: advice.unwrap_or(Advice::CorrectOrRemove),
    }
}
