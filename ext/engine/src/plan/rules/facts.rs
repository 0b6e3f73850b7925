//! What masking has to know of a table: types, keys, what is unique and how, CHECKs.

use super::Rules;
use crate::plan::schema::{self, KeyPart, Unique};
use crate::plan::{checks, parts, Load};
use masking::{Check, Equal, Type, Uniqueness};
use personal_data::{address_digest, genders};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

impl Rules<'_> {
    /// What masking has to know of a table and the columns of its data.
    pub(in crate::plan) fn facts(&self, index: usize, load: &Load) -> masking::TableFacts {
        let table = &self.schema.tables[index];
        let home = &table.name.schema;
        let known: HashMap<&str, _> = table
            .columns
            .iter()
            .map(|column| (column.name.as_str(), column))
            .collect();
        let places: HashMap<&str, usize> = load
            .columns
            .iter()
            .enumerate()
            .map(|(place, name)| (name.as_str(), place))
            .collect();
        let types: Vec<(Type, bool)> = load
            .columns
            .iter()
            .map(|name| {
                match known
                    .get(name.as_str())
                    .and_then(|column| column.column_type.as_ref())
                {
                    Some(column_type) => self.schema.resolve(column_type, home),
                    None => (Type::Other("unknown".into()), false),
                }
            })
            .collect();
        let mut uniqueness = self.uniqueness(index, &places, &types);
        for (name, place) in &places {
            let column_type = known.get(name).and_then(|column| column.column_type.as_ref());
            uniqueness[*place].equal =
                column_type.map_or(Equal::Bytes, |column_type| self.schema.equal(column_type, home));
            uniqueness[*place].tells_case_apart |= self
                .exact
                .contains(&(self.schema.topmost(index), (*name).to_owned()));
        }
        let is_distinct: Vec<bool> = uniqueness.iter().map(|unique| unique.distinct).collect();
        let names: Vec<&str> = load.columns.iter().map(String::as_str).collect();
        // The digest of an address is as distinct as the address it is made from.
        for (place, name) in names.iter().enumerate().filter(|(place, _)| is_distinct[*place]) {
            let address = match self.mask(index, name) {
                Some(mask) => mask
                    .digested_address()
                    .and_then(|address| places.get(address))
                    .copied(),
                None => address_digest(&names, place).map(|(address, _)| address),
            };
            if let Some(address) = address {
                uniqueness[address].tells_case_apart = true;
            }
        }
        let columns = load
            .columns
            .iter()
            .zip(types)
            .zip(uniqueness)
            .map(|((name, (kind, domain_not_null)), unique)| masking::ColumnFacts {
                name: name.clone(),
                not_null: domain_not_null || known.get(name.as_str()).is_some_and(|column| column.not_null),
                kind,
                unique,
            })
            .collect();
        let (key, key_is_enforced) = self.key(index, &places);
        masking::TableFacts {
            name: load.table.to_string(),
            columns,
            key,
            key_is_enforced,
            checks: self.checks(index, &load.columns),
            genders: genders(&names).into_iter().collect(),
        }
    }

    /// What CHECK constraints ask of columns, by their places in the data.
    fn checks(&self, index: usize, columns: &[String]) -> HashMap<usize, Arc<[Check]>> {
        let found = columns.iter().enumerate().filter_map(|(place, column)| {
            let checks = checks::of_column(self.schema, index, column).checks;
            (!checks.is_empty()).then(|| (place, checks.into()))
        });
        found.collect()
    }

    /// The primary key's places in the data, of the table itself or of what it is a partition or child of, and
    /// whether the server enforces it here.
    fn key(&self, index: usize, places: &HashMap<&str, usize>) -> (Vec<usize>, bool) {
        let primary = |table: usize| {
            let uniques = &self.schema.tables[table].uniques;
            let columns = uniques
                .iter()
                .find(|unique| unique.primary)
                .and_then(Unique::columns)?;
            columns
                .into_iter()
                .map(|name| places.get(name).copied())
                .collect::<Option<Vec<usize>>>()
        };
        let enforced = std::iter::once(index)
            .chain(self.schema.partition_ancestors(index))
            .find_map(primary);
        match enforced {
            Some(key) => (key, true),
            None => (
                self.schema
                    .ancestors(index)
                    .into_iter()
                    .find_map(primary)
                    .unwrap_or_default(),
                false,
            ),
        }
    }

    /// What the unique indexes of a table, and of those it is a partition of, ask of each column of its data.
    pub(super) fn uniqueness(
        &self,
        index: usize,
        places: &HashMap<&str, usize>,
        types: &[(Type, bool)],
    ) -> Vec<Uniqueness> {
        let mut found = vec![Uniqueness::default(); types.len()];
        for table in std::iter::once(index).chain(self.schema.partition_ancestors(index)) {
            for unique in &self.schema.tables[table].uniques {
                for part in &unique.parts {
                    for (name, seen_as) in self.columns_of(table, part) {
                        if let Some(&place) = places.get(name.as_str()) {
                            // What is asked of a value within a document is asked of that alone.
                            if parts::is_within_document(part, &name, &types[place].0) {
                                continue;
                            }
                            let ignores_case = matches!(
                                types[place].0,
                                Type::Text {
                                    ignores_case: true,
                                    ..
                                }
                            ) || seen_as.ignores_case;
                            found[place].distinct = true;
                            found[place].tells_case_apart |= !ignores_case;
                            found[place].counts_nulls |= unique.nulls_not_distinct || seen_as.counts_nulls;
                        }
                    }
                }
            }
        }
        found
    }

    /// The columns that a part of a key is made from, and how it sees them. A generated column stands for those
    /// that it is computed from.
    fn columns_of(&self, table: usize, part: &KeyPart) -> Vec<(String, SeenAs)> {
        let columns = &self.schema.tables[table].columns;
        let identifiers = match part {
            KeyPart::Expression(expression) => &expression.names,
            KeyPart::Column(name) => match columns.iter().find(|column| column.name == *name) {
                Some(schema::Column {
                    generated: Some(identifiers),
                    ..
                }) => identifiers,
                _ => return vec![(name.clone(), SeenAs::default())],
            },
        };
        let seen_as = SeenAs::through(identifiers);
        let read: HashSet<&str> = identifiers.iter().map(String::as_str).collect();
        columns
            .iter()
            .filter(|column| read.contains(column.name.as_str()))
            .map(|column| (column.name.clone(), seen_as))
            .collect()
    }

    /// Both sides of a foreign key must see the same pseudonym: where one side's unique index distinguishes case,
    /// the other side does, too.
    pub(super) fn find_exact_columns(&mut self) {
        let mut linked: HashMap<(usize, String), Vec<(usize, String)>> = HashMap::new();
        for (index, table) in self.schema.tables.iter().enumerate() {
            for key in &table.foreign_keys {
                let Some(references) = self.schema.table(&key.references) else {
                    continue;
                };
                for (here, there) in key.columns.iter().zip(&key.referenced_columns) {
                    let here = (self.schema.topmost(index), here.clone());
                    let there = (self.schema.topmost(references), there.clone());
                    linked.entry(here.clone()).or_default().push(there.clone());
                    linked.entry(there).or_default().push(here);
                }
            }
        }
        let mut queue: Vec<(usize, String)> = linked
            .keys()
            .filter(|(table, column)| self.tells_case_apart(*table, column))
            .cloned()
            .collect();
        while let Some(place) = queue.pop() {
            if self.exact.insert(place.clone()) {
                queue.extend(linked.get(&place).into_iter().flatten().cloned());
            }
        }
    }

    fn tells_case_apart(&self, table: usize, column: &str) -> bool {
        let known = &self.schema.tables[table];
        let Some(kind) = known.columns.iter().find(|known| known.name == column) else {
            return false;
        };
        let kind = match &kind.column_type {
            Some(name) => self.schema.resolve(name, &known.name.schema),
            None => return false,
        };
        let places = HashMap::from([(column, 0)]);
        self.uniqueness(table, &places, &[kind])
            .first()
            .is_some_and(|unique| unique.tells_case_apart)
    }
}

/// How a part of a key sees a column.
#[derive(Debug, Clone, Copy, Default)]
struct SeenAs {
    ignores_case: bool,
    counts_nulls: bool,
}

impl SeenAs {
    /// Through an expression, by the functions in it. In doubt case is distinguished, which keeps values distinct.
    fn through(identifiers: &[String]) -> Self {
        let has = |names: &[&str]| identifiers.iter().any(|name| names.contains(&name.as_str()));
        SeenAs {
            ignores_case: has(&["lower", "upper", "initcap", "casefold", "citext"]),
            counts_nulls: has(&[
                "coalesce",
                "case",
                "concat",
                "concat_ws",
                "is",
                "format",
                "nullif",
                "row",
            ]),
        }
    }
}
