//! `keep_tables`: tables whose rows in the target stay over the reset, in the definition that the backup has.

mod kind;

pub use kind::KindThere;

use super::exclude::{no_table, tables_like};
use super::names::NamePattern;
use super::schema::{ForeignKey, Schema, Table, TypeName};
use super::{Diagnostics, TableName};
use crate::alike::NAMED;
use crate::failure::{AlsoSaid, CannotStay, KeptDifference, NameFault, OptionFault, Tie};
use crate::settings::Settings;
use std::collections::{BTreeMap, HashSet};

/// What stays over the reset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keep {
    /// The tables.
    pub tables: Vec<KeptTable>,
    /// Foreign keys of theirs and to them. They are added NOT VALID, and validated once it is known that every row has its
    /// counterpart.
    pub keys: Vec<KeptKey>,
}

/// A table that stays, as the backup defines it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptTable {
    /// Its name.
    pub table: TableName,
    /// The columns that rows are written to.
    pub columns: Vec<KeptColumn>,
}

/// A column of the backup's definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Option<TypeName>,
    /// It takes no NULL.
    pub not_null: bool,
    /// It has a DEFAULT, or makes its value itself.
    pub has_default: bool,
    /// It is computed from others.
    pub generated: bool,
}

/// A column that the table has in the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnThere {
    /// Its name.
    pub name: String,
    /// Its type, as the server writes it.
    pub kind: String,
    /// It takes no NULL.
    pub not_null: bool,
}

/// A foreign key of a kept table, or to one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptKey {
    /// Its name.
    pub name: String,
    /// The table that refers.
    pub from: TableName,
    /// Its columns.
    pub columns: Vec<String>,
    /// The table that it refers to.
    pub to: TableName,
    /// The columns there.
    pub referenced: Vec<String>,
    /// The columns that become NULL where the counterpart is missing; none where that cannot be, or the table is not kept.
    pub nullable: Vec<String>,
}

impl Keep {
    /// Whether a table stays.
    pub fn holds(&self, table: &TableName) -> bool {
        self.tables.iter().any(|kept| kept.table == *table)
    }
}

impl KeptTable {
    /// Why rows that are there cannot stay.
    pub fn differences(&self, there: &[ColumnThere]) -> Vec<KeptDifference> {
        let mut found = Vec::new();
        let named = |name: &str| there.iter().find(|column| column.name == name);
        for known in &self.columns {
            let column = || known.name.clone();
            match named(&known.name) {
                None if known.not_null && !known.has_default && !known.generated => {
                    found.push(KeptDifference::NewColumn { column: column() });
                }
                Some(here) if known.kind != TypeName::parse(&here.kind) => {
                    found.push(KeptDifference::OtherType { column: column() });
                }
                Some(here) if known.not_null && !here.not_null => {
                    found.push(KeptDifference::TakesNull { column: column() });
                }
                _ => {}
            }
        }
        let gone = there
            .iter()
            .filter(|column| self.columns.iter().all(|known| known.name != column.name));
        found.extend(gone.map(|column| KeptDifference::LostColumn {
            column: column.name.clone(),
        }));
        found
    }
}

/// Reads what the option names.
pub(super) fn read(settings: &Settings, schema: &Schema) -> (Keep, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let named = named(&settings.keep_tables, schema, &mut diagnostics);
    let mut refused = Refused::default();
    refuse_families(&named, schema, &mut refused, &mut diagnostics);
    refuse_others(settings, &named, schema, &mut refused, &mut diagnostics);
    refused.say(&mut diagnostics);
    let tables: Vec<usize> = named
        .into_keys()
        .filter(|at| tie(&schema.tables[*at]).is_none())
        .collect();
    let kept = tables.iter().map(|at| kept_table(&schema.tables[*at]));
    let keep = Keep {
        tables: kept.collect(),
        keys: keys(schema, &tables),
    };
    (keep, diagnostics)
}

/// The tables that are named, each with the pattern that names it, where no entry names it by itself.
type Named<'s> = BTreeMap<usize, Option<&'s str>>;

fn named<'s>(patterns: &'s [String], schema: &Schema, diagnostics: &mut Diagnostics) -> Named<'s> {
    let mut tables: Named<'s> = BTreeMap::new();
    for text in patterns {
        let Some(pattern) = NamePattern::parse(text) else {
            diagnostics.problems.add(NameFault::NotAPattern {
                place: "keep_tables".to_owned(),
                text: text.clone(),
            });
            continue;
        };
        let found = tables_like(&pattern, schema);
        if found.is_empty() {
            diagnostics.problems.add(OptionFault::KeepsNothing {
                fault: no_table(text, &pattern, schema),
            });
        }
        let by = pattern.has_star().then_some(text.as_str());
        for at in found {
            let known = tables.entry(at).or_insert(by);
            *known = known.and(by);
        }
    }
    tables
}

/// Tables that cannot stay and are named by a pattern: what is wrong with each, by the pattern.
#[derive(Default)]
struct Refused<'s>(BTreeMap<&'s str, BTreeMap<usize, CannotStay>>);

impl<'s> Refused<'s> {
    fn add(&mut self, pattern: &'s str, at: usize, what: CannotStay) {
        self.0.entry(pattern).or_default().entry(at).or_insert(what);
    }

    /// One fault for each pattern.
    fn say(self, diagnostics: &mut Diagnostics) {
        for (pattern, tables) in self.0 {
            let pattern = pattern.to_owned();
            let more = tables.len().saturating_sub(NAMED);
            let tables = tables.into_values().take(NAMED).collect();
            diagnostics.problems.add(match more {
                0 => OptionFault::KeepsByPattern { pattern, tables },
                more => OptionFault::KeepsManyByPattern {
                    pattern,
                    tables,
                    more,
                },
            });
        }
    }
}

/// What ties a table's rows to those of other tables.
fn tie(table: &Table) -> Option<Tie> {
    if table.partition_key.is_some() {
        Some(Tie::Partitioned)
    } else if table.partition_of.is_some() {
        Some(Tie::Partition)
    } else if !table.inherits.is_empty() {
        Some(Tie::Inherits)
    } else if !table.children.is_empty() {
        Some(Tie::HasHeirs)
    } else {
        None
    }
}

fn refuse_families<'s>(
    tables: &Named<'s>,
    schema: &Schema,
    refused: &mut Refused<'s>,
    diagnostics: &mut Diagnostics,
) {
    for (at, by) in tables {
        let known = &schema.tables[*at];
        let table = known.name.to_string();
        match (tie(known), by) {
            (None, _) => {}
            (Some(tie), Some(pattern)) => refused.add(pattern, *at, CannotStay::Tied { table, tie }),
            (Some(tie), None) => diagnostics.problems.add(OptionFault::KeepsTied { table, tie }),
        }
    }
}

/// A kept table's rows are staging's own: nothing else may be said of production's.
fn refuse_others<'s>(
    settings: &Settings,
    tables: &Named<'s>,
    schema: &Schema,
    refused: &mut Refused<'s>,
    diagnostics: &mut Diagnostics,
) {
    let masking = &settings.masking;
    let masks = masking.rules.iter().map(|rule| (AlsoSaid::Masked, &rule.table));
    let sql = masking
        .sql_rules
        .iter()
        .map(|rule| (AlsoSaid::InSql, &rule.table));
    let named = |option: &str| AlsoSaid::Named {
        option: option.to_owned(),
    };
    let parts = settings.subset.iter().flat_map(|subset| &subset.tables);
    let parts = parts.map(|rule| (named(&rule.option), &rule.table));
    let others = settings
        .exclude_tables
        .iter()
        .map(|name| (named("exclude_tables"), name));
    let mut seen = HashSet::new();
    for (also, name) in masks.chain(sql).chain(parts).chain(others) {
        let Some(pattern) = NamePattern::parse(name) else {
            continue;
        };
        for at in tables_like(&pattern, schema) {
            let table = schema.tables[at].name.to_string();
            let Some(by) = tables.get(&at).filter(|_| seen.insert((also.clone(), at))) else {
                continue;
            };
            let also = also.clone();
            match by {
                Some(pattern) => refused.add(pattern, at, CannotStay::AndMore { table, also }),
                None => diagnostics
                    .problems
                    .add(OptionFault::KeepsAndMore { table, also }),
            }
        }
    }
}

fn kept_table(table: &Table) -> KeptTable {
    let columns = table.columns.iter().map(|column| KeptColumn {
        name: column.name.clone(),
        kind: column.column_type.as_deref().cloned(),
        not_null: column.not_null,
        has_default: column.has_default,
        generated: column.generated.is_some(),
    });
    KeptTable {
        table: table.name.clone(),
        columns: columns.collect(),
    }
}

fn keys(schema: &Schema, tables: &[usize]) -> Vec<KeptKey> {
    let mut found = Vec::new();
    for (at, table) in schema.tables.iter().enumerate() {
        for key in table.foreign_keys.iter().filter(|key| !key.not_valid) {
            let leads_to_one = schema
                .table(&key.references)
                .is_some_and(|to| tables.contains(&to));
            if tables.contains(&at) || leads_to_one {
                found.push(kept_key(table, key, tables.contains(&at)));
            }
        }
    }
    found
}

fn kept_key(table: &Table, key: &ForeignKey, is_kept: bool) -> KeptKey {
    let can_be = |name: &&String| table.column(name).is_some_and(|column| !column.not_null);
    let nullable: Vec<String> = key.columns.iter().filter(can_be).cloned().collect();
    let is_all = nullable.len() == key.columns.len();
    KeptKey {
        name: key.name.clone(),
        from: table.name.clone(),
        columns: key.columns.clone(),
        to: key.references.clone(),
        referenced: key.referenced_columns.clone(),
        nullable: match is_kept && (is_all || !key.match_full) {
            true => nullable,
            false => Vec::new(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> Option<TypeName> {
        TypeName::parse(text)
    }

    fn column(name: &str, text: &str, not_null: bool) -> KeptColumn {
        KeptColumn {
            name: name.to_owned(),
            kind: kind(text),
            not_null,
            has_default: false,
            generated: false,
        }
    }

    fn there(name: &str, kind: &str, not_null: bool) -> ColumnThere {
        ColumnThere {
            name: name.to_owned(),
            kind: kind.to_owned(),
            not_null,
        }
    }

    fn differences(columns: &[KeptColumn], here: &[ColumnThere]) -> Vec<KeptDifference> {
        let table = KeptTable {
            table: TableName::default(),
            columns: columns.to_vec(),
        };
        table.differences(here)
    }

    #[test]
    fn a_column_may_be_new_if_it_takes_null_or_has_a_default() {
        let id = column("id", "bigint", true);
        let here = [there("id", "bigint", true)];
        assert!(differences(&[id.clone(), column("note", "text", false)], &here).is_empty());
        let with_default = KeptColumn {
            has_default: true,
            ..column("note", "text", true)
        };
        assert!(differences(&[id.clone(), with_default], &here).is_empty());
        assert_eq!(
            differences(&[id, column("note", "text", true)], &here),
            [KeptDifference::NewColumn {
                column: "note".to_owned()
            }]
        );
    }

    #[test]
    fn types_nulls_and_lost_columns_are_differences() {
        let columns = [
            column("id", "bigint", true),
            column("name", "character varying(40)", true),
        ];
        let here = [
            there("id", "integer", true),
            there("name", "character varying(40)", false),
            there("old", "text", false),
        ];
        assert_eq!(
            differences(&columns, &here),
            [
                KeptDifference::OtherType {
                    column: "id".to_owned()
                },
                KeptDifference::TakesNull {
                    column: "name".to_owned()
                },
                KeptDifference::LostColumn {
                    column: "old".to_owned()
                },
            ]
        );
        let same = [
            there("id", "bigint", true),
            there("name", "character varying(40)", true),
        ];
        assert!(differences(&columns, &same).is_empty());
    }
}
