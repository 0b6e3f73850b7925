//! The masking rules, fitted to the tables of the archive.

use super::exclude::{not_found, tables_like};
use super::names::Pattern;
use super::schema::{Part, Schema, Unique};
use super::{checks, sql_rules, Load, Problems, TableName};
use crate::mask::{self, catalogue, Check, Keep, Mask, Pseudonyms, Recipe, RowMask, Type, Uniqueness};
use crate::near::did_you_mean;
use crate::settings::{MaskName, Rule, Settings};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// The masked columns of a table: each one's mask, and the rule that it comes from.
type Covered = HashMap<String, (Mask, usize)>;

/// The rules and the tables that they cover.
pub(super) struct Rules<'a> {
    schema: &'a Schema,
    rules: Vec<(&'a Rule, Vec<(String, Mask)>)>,
    /// Per covered table: column → mask and rule.
    covered: BTreeMap<usize, Covered>,
    /// Columns by their topmost table whose case a unique index, there or across a foreign key, tells apart.
    exact: HashSet<(usize, String)>,
    /// The tables that each rule with a condition names, by the rule's number.
    conditional: BTreeMap<usize, Vec<usize>>,
    /// Columns whose rule has no condition but which another rule's condition reads: SQL puts their pseudonyms in,
    /// too, once the conditions have seen what the row held.
    lifted: HashSet<(usize, String)>,
}

/// The columns of a table that SQL puts pseudonyms into, for one rule.
pub(super) struct Chosen<'a> {
    /// The rule.
    pub(super) rule: &'a Rule,
    /// Where it applies; None: everywhere.
    pub(super) condition: Option<&'a str>,
    /// Its columns, in the order of their names.
    pub(super) columns: Vec<&'a str>,
}

impl<'a> Rules<'a> {
    /// Finds the tables of each rule.
    pub(super) fn read(settings: &'a Settings, schema: &'a Schema, problems: &mut Problems) -> Self {
        let mut found = Rules {
            schema,
            rules: Vec::new(),
            covered: BTreeMap::new(),
            exact: HashSet::new(),
            conditional: BTreeMap::new(),
            lifted: HashSet::new(),
        };
        check_domain(&settings.masking.email_domain, problems);
        let mut told = HashSet::new();
        for rule in &settings.masking.rules {
            let masks = masks_of(rule, problems);
            let Some(pattern) = Pattern::parse(&rule.table) else {
                problems.add(format!(
                    "{}: \"{}\" is not a table's name. Write table or schema.table, with double quotes around a \
                     name that has dots in it.",
                    describe(rule),
                    rule.table
                ));
                continue;
            };
            let tables = tables_like(&pattern, schema);
            if tables.is_empty() {
                problems.add(format!(
                    "{}: {}",
                    describe(rule),
                    not_found(&rule.table, &pattern, schema)
                ));
            }
            let number = found.rules.len();
            found.rules.push((rule, masks));
            if rule.condition.is_some() {
                found.conditional.insert(number, tables.clone());
            }
            for table in tables {
                found.cover(table, number, &mut told, problems);
            }
        }
        if !found.rules.is_empty() {
            found.find_exact_columns();
            found.lift_what_conditions_read();
        }
        found
    }

    /// Adds a rule to a table, its partitions and its children.
    fn cover(
        &mut self,
        table: usize,
        rule: usize,
        told: &mut HashSet<(usize, usize, String)>,
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
                found.insert(column.as_str());
                let of_table = self.covered.entry(covered).or_default();
                let other = of_table.entry(column.clone()).or_insert((mask.clone(), rule)).1;
                // A rule meets itself where a table inherits from two that it covers.
                if other != rule && told.insert((other, rule, column.clone())) {
                    problems.add(format!(
                        "{} and {} both mask the column {}.{column}. Remove one of them.",
                        describe(self.rules[other].0),
                        describe(settings),
                        self.schema.tables[covered].name
                    ));
                }
            }
        }
        let named = &self.schema.tables[table];
        if settings.strategy.is_none() {
            for (column, _) in masks
                .iter()
                .filter(|(column, _)| !found.contains(column.as_str()))
            {
                problems.add(format!(
                    "{}: {}",
                    describe(settings),
                    no_such_column(
                        &named.name,
                        column,
                        named.columns.iter().map(|column| column.name.as_str())
                    )
                ));
            }
        } else if found.is_empty() && !masks.is_empty() {
            let looked_for: Vec<&str> = masks.iter().map(|(name, _)| name.as_str()).collect();
            problems.add(format!(
                "{}: the table {} has none of the columns that this strategy masks: {}. Correct the table or the \
                 strategy, or remove the rule.",
                describe(settings),
                named.name,
                looked_for.join(", ")
            ));
        }
        for column in settings.keep.keys() {
            let is_masked = masks.iter().any(|(name, _)| name == column);
            if is_masked && !found.contains(column.as_str()) && settings.strategy.is_some() {
                problems.add(format!(
                    "{}: {}",
                    describe(settings),
                    no_such_column(
                        &named.name,
                        column,
                        named.columns.iter().map(|column| column.name.as_str())
                    )
                ));
            }
        }
    }

    /// The rule that masks a column in flight, for messages.
    pub(super) fn rule_of(&self, table: usize, column: &str) -> Option<String> {
        let (_, rule) = self.covered.get(&table)?.get(column)?;
        Some(describe(self.rules[*rule].0))
    }

    pub(super) fn mask(&self, table: usize, column: &str) -> Option<&Mask> {
        Some(&self.covered.get(&table)?.get(column)?.0)
    }

    /// The masks of a load's columns, by the columns' places, and the places of those that SQL puts in.
    pub(super) fn in_force(&self, load: &Load) -> (Vec<(usize, Mask)>, HashSet<usize>) {
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
    pub(super) fn conditional_tables(&self) -> impl Iterator<Item = usize> + '_ {
        self.conditional.values().flatten().copied()
    }

    /// The columns of a table that SQL puts pseudonyms into, in the order of the rules.
    pub(super) fn chosen(&self, table: usize) -> Vec<Chosen<'_>> {
        let mut by_rule: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for (column, (_, rule)) in self.covered.get(&table).into_iter().flatten() {
            if self.is_chosen(table, column, *rule) {
                by_rule.entry(*rule).or_default().push(column);
            }
        }
        let chosen = by_rule.into_iter().map(|(rule, mut columns)| {
            columns.sort_unstable();
            let rule = self.rules[rule].0;
            Chosen {
                rule,
                condition: rule.condition.as_deref(),
                columns,
            }
        });
        chosen.collect()
    }

    fn is_chosen(&self, table: usize, column: &str, rule: usize) -> bool {
        self.rules[rule].0.condition.is_some() || self.lifted.contains(&(table, column.to_owned()))
    }

    /// A condition means what the row held in production, so a column that it reads is masked after it was read.
    fn lift_what_conditions_read(&mut self) {
        for rule in self.conditional.keys() {
            let read = self.rules[*rule]
                .0
                .condition
                .as_deref()
                .map(sql_rules::identifiers);
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

    /// Compiles the masks of a load: what replaces values on their way, and what goes along for SQL to choose from.
    /// None where no rule asks for it.
    pub(super) fn row_masks(
        &self,
        load: &Load,
        pseudonyms: &Pseudonyms,
        problems: &mut Problems,
    ) -> (Option<Arc<RowMask>>, Option<Arc<RowMask>>) {
        let table = self.schema.table(&load.table);
        let Some((table, covered)) = table.and_then(|table| Some((table, self.covered.get(&table)?))) else {
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
                for problem in found {
                    let named: BTreeMap<usize, ()> = covered
                        .iter()
                        .filter(|(column, _)| problem.starts_with(&format!("{}.{column} ", load.table)))
                        .map(|(_, (_, rule))| (*rule, ()))
                        .collect();
                    let rule = named
                        .keys()
                        .next()
                        .map(|rule| describe(self.rules[*rule].0))
                        .unwrap_or_default();
                    problems.add(format!("{rule}: {problem}"));
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
                problems.add(format!(
                    "{}: the type of the column {}.{column} is not to be read from the backup, so it cannot be \
                     masked. Please report this with the table's definition.",
                    describe(self.rules[*rule].0),
                    load.table
                ));
            }
        }
        masks
    }

    /// A covered column that is neither in the data nor computed from it would go by unmasked.
    fn check_loaded(&self, load: &Load, covered: &Covered, problems: &mut Problems) {
        let Some(table) = self.schema.table(&load.table) else {
            return;
        };
        let in_data: HashSet<&str> = load.columns.iter().map(String::as_str).collect();
        for column in &self.schema.tables[table].columns {
            let is_covered = covered.contains_key(column.name.as_str());
            if is_covered && column.generated.is_none() && !in_data.contains(column.name.as_str()) {
                problems.add(format!(
                    "The column {}.{} is to be masked, but its data block does not name it. The backup is damaged: \
                     take another one.",
                    load.table, column.name
                ));
            }
        }
    }

    /// What masking has to know of a table and the columns of its data.
    pub(super) fn facts(&self, index: usize, load: &Load) -> mask::Table {
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
            uniqueness[*place].tells_case_apart |= self
                .exact
                .contains(&(self.schema.topmost(index), (*name).to_owned()));
        }
        // The MD5 of an address is as distinct as the address it is made from.
        if let (Some(email), Some(md5)) = (places.get("email"), places.get("email_md5")) {
            uniqueness[*email].tells_case_apart |=
                uniqueness[*md5].distinct && self.mask(index, "email_md5") == Some(&Mask::EmailMd5);
        }
        let columns = load
            .columns
            .iter()
            .zip(types)
            .zip(uniqueness)
            .map(|((name, (kind, domain_not_null)), unique)| mask::Column {
                name: name.clone(),
                not_null: domain_not_null || known.get(name.as_str()).is_some_and(|column| column.not_null),
                kind,
                unique,
            })
            .collect();
        let (key, key_is_enforced) = self.key(index, &places);
        mask::Table {
            name: load.table.to_string(),
            columns,
            key,
            key_is_enforced,
            checks: self.checks(index, &load.columns),
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

    /// CHECKs on masked columns that are not understood: nobody can know before the rows have come.
    fn warn_of_checks(&self, index: usize, masks: &Covered, warnings: &mut Vec<String>) {
        let mut columns: Vec<_> = masks.iter().collect();
        columns.sort_unstable_by_key(|(column, _)| *column);
        for (column, (mask, rule)) in columns {
            let found = checks::of_column(self.schema, index, column);
            let writes_null =
                matches!(mask, Mask::Null) || matches!(mask, Mask::Catalogue(recipe) if recipe.is("null"));
            let nulls = found.about_null.iter().filter(|_| writes_null);
            for name in found.unknown.iter().chain(nulls) {
                warnings.push(format!(
                    "{}: the CHECK \"{name}\" of {} asks more of {column} than could be understood. Should it refuse a \
                     pseudonym, the run fails when the rows are loaded.",
                    describe(self.rules[*rule].0),
                    self.schema.tables[index].name
                ));
            }
        }
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
    fn uniqueness(
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
    fn columns_of(&self, table: usize, part: &Part) -> Vec<(String, SeenAs)> {
        let columns = &self.schema.tables[table].columns;
        let identifiers = match part {
            Part::Expression(identifiers) => identifiers,
            Part::Column(name) => match columns.iter().find(|column| column.name == *name) {
                Some(super::schema::Column {
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

    /// Both sides of a foreign key must see the same pseudonym: where one side's unique index tells case apart,
    /// the other side does, too.
    fn find_exact_columns(&mut self) {
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

    /// Masks that would break a foreign key or a partition key, and generated columns that would show what is
    /// masked beside them.
    pub(super) fn check_keys(
        &self,
        excluded: &HashSet<usize>,
        is_restored: impl Fn(i32) -> bool,
        problems: &mut Problems,
        warnings: &mut Vec<String>,
    ) {
        if self.covered.is_empty() {
            return;
        }
        for (index, table) in self.schema.tables.iter().enumerate() {
            for key in table.foreign_keys.iter().filter(|key| is_restored(key.dump_id)) {
                if let Some(references) = self.schema.table(&key.references) {
                    self.check_foreign_key(index, key, references, excluded, problems);
                }
            }
        }
        let mut told = HashSet::new();
        for (&index, masks) in &self.covered {
            let family = self.schema.partition_ancestors(index).into_iter().chain([index]);
            for table in family {
                let parted_by = self.schema.tables[table].partition_key.iter().flatten();
                for column in parted_by.filter(|column| masks.contains_key(column.as_str())) {
                    let rule = masks[column.as_str()].1;
                    if told.insert((rule, table, column)) {
                        problems.add(format!(
                            "{}: the column {column} is part of the partition key of {}, so masking it would move \
                             rows to other partitions. Take the table out of this strategy, or exclude it.",
                            describe(self.rules[rule].0),
                            self.schema.tables[table].name
                        ));
                    }
                }
            }
            self.check_generated(index, masks, problems, warnings);
            self.warn_of_search_columns(index, masks, warnings);
            self.warn_of_meetings(index, masks, warnings);
            self.warn_of_checks(index, masks, warnings);
        }
    }

    /// A tsvector that a trigger fills is dumped as data, and holds the words of the columns it was made from.
    fn warn_of_search_columns(&self, index: usize, masks: &Covered, warnings: &mut Vec<String>) {
        let table = &self.schema.tables[index];
        for column in &table.columns {
            let kind = column
                .column_type
                .as_ref()
                .map(|name| self.schema.resolve(name, &table.name.schema).0);
            let is_copied = column.generated.is_none() && !masks.contains_key(column.name.as_str());
            if is_copied && kind == Some(Type::TsVector) {
                warnings.push(format!(
                    "{}.{} is a tsvector that no rule masks: words of masked columns may lie in it.",
                    table.name, column.name
                ));
            }
        }
    }

    /// Under a unique index pseudonyms are distinct among themselves. Values that stay as they are may still meet one
    /// where both are drawn from the same few; nobody can know before the rows have come.
    fn warn_of_meetings(&self, index: usize, masks: &Covered, warnings: &mut Vec<String>) {
        let mut columns: Vec<_> = masks.iter().collect();
        columns.sort_unstable_by_key(|(column, _)| *column);
        for (column, (mask, rule)) in columns {
            let rule = self.rules[*rule].0;
            let some_stay = rule.condition.is_some() || rule.keep.contains_key(column);
            if some_stay && !is_wide(mask, rule, column) && self.is_distinct(index, column) {
                warnings.push(format!(
                    "{}: {}.{column} is under a unique index, and some of its values stay as they are. Should one be \
                     another's pseudonym, the index cannot be made and the run fails; then mask it without a condition \
                     and without keep.",
                    describe(rule),
                    self.schema.tables[index].name
                ));
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
        key: &super::schema::ForeignKey,
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
                problems.add(format!(
                    "{}: the foreign key {} joins {}.{column} to {}.{referenced}, and under a condition only some of \
                     their values would be masked, so that they would no longer match. Mask both columns without a \
                     condition, or neither.",
                    describe(self.rules[rule].0),
                    key.name,
                    self.schema.tables[table].name,
                    key.references
                ));
                continue;
            }
            let same = masks.iter().all(|mask| *mask == first);
            if same && first.is_none_or(|mask| mask.is_function_of_value()) {
                continue;
            }
            let rule = covering().next().map(|rule| describe(self.rules[rule].0));
            problems.add(format!(
                "{}: the foreign key {} joins {}.{column} to {}.{referenced}, which would no longer match once they \
                 are masked. Mask both with the same mask of those that keep foreign keys (such as :email, :uuid \
                 or :token), or mask neither.",
                rule.unwrap_or_default(),
                key.name,
                self.schema.tables[table].name,
                key.references
            ));
        }
    }

    /// A generated column is computed again from what is masked; one that reads nothing masked keeps raw values.
    fn check_generated(
        &self,
        index: usize,
        masks: &Covered,
        problems: &mut Problems,
        warnings: &mut Vec<String>,
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
            let raw: Vec<&str> = raw.into_iter().map(|source| source.name.as_str()).collect();
            if masked.is_empty() {
                problems.add(format!(
                    "{}: {}.{} is a generated column that reads no masked column, so its values would stay raw. \
                     Exclude the table, or mask what it reads ({}).",
                    describe(self.rules[*rule].0),
                    table.name,
                    column.name,
                    raw.join(", ")
                ));
            } else if !raw.is_empty() {
                warnings.push(format!(
                    "{}.{} is a generated column that also reads columns that no rule masks: {}.",
                    table.name,
                    column.name,
                    raw.join(", ")
                ));
            }
        }
    }

    /// Rules whose tables all go by without rows have no effect.
    pub(super) fn warn_of_idle(&self, loaded: &HashSet<TableName>, warnings: &mut Vec<String>) {
        for (number, (rule, _)) in self.rules.iter().enumerate() {
            let mut tables = self
                .covered
                .iter()
                .filter(|(_, masks)| masks.values().any(|(_, by)| *by == number))
                .map(|(table, _)| &self.schema.tables[*table].name)
                .peekable();
            if tables.peek().is_some() && !tables.any(|name| loaded.contains(name)) {
                warnings.push(format!(
                    "{} has no effect: no rows of its table are loaded.",
                    describe(rule)
                ));
            }
        }
    }
}

/// Whether a mask's pseudonyms are so many, or so unlike what production holds, that none meets a raw value by chance.
fn is_wide(mask: &Mask, rule: &Rule, column: &str) -> bool {
    let mask = match mask {
        Mask::Keeping { mask, .. } => mask,
        mask => mask,
    };
    let name = rule.columns.get(column).map(|name| match name {
        MaskName::Plain(name) => name.as_str(),
        MaskName::WithOptions { mask, .. } => mask.as_str(),
    });
    matches!(mask, Mask::Email | Mask::EmailMd5 | Mask::Null)
        || matches!(name, Some("email" | "uuid" | "hash" | "null"))
}

/// How a part of a key sees a column.
#[derive(Debug, Clone, Copy, Default)]
struct SeenAs {
    ignores_case: bool,
    counts_nulls: bool,
}

impl SeenAs {
    /// Through an expression, by the functions in it. In doubt case is told apart, which keeps values distinct.
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

/// The columns and masks of a rule.
fn masks_of(rule: &Rule, problems: &mut Problems) -> Vec<(String, Mask)> {
    let mut masks: Vec<(String, Mask)> = Vec::new();
    match (&rule.strategy, rule.columns.is_empty()) {
        (Some(name), true) => match catalogue::strategy(name) {
            Some(strategy) => masks.extend(
                strategy
                    .columns
                    .iter()
                    .map(|(column, mask)| ((*column).to_owned(), mask.clone())),
            ),
            None => problems.add(unknown_strategy(rule, name)),
        },
        (None, false) => {
            for (column, mask) in &rule.columns {
                let none = serde_json::Map::new();
                let (name, options) = match mask {
                    MaskName::Plain(name) => (name, &none),
                    MaskName::WithOptions { mask, options } => (mask, options),
                };
                match Recipe::named(name, options) {
                    Ok(mask) => masks.push((column.clone(), mask)),
                    Err(problem) => problems.add(format!("{}: {column}: {problem}", describe(rule))),
                }
            }
        }
        (Some(_), false) => problems.add(format!(
            "{}: it has a strategy and columns. Make two entries of it, or keep one of them.",
            describe(rule)
        )),
        (None, true) => problems.add(format!(
            "{}: it has neither a strategy nor columns. Say what is masked.",
            describe(rule)
        )),
    }
    for (column, patterns) in &rule.keep {
        let is_named = rule.columns.contains_key(column) || masks.iter().any(|(name, _)| name == column);
        if !is_named {
            problems.add(format!(
                "{}: keep names the column {column}, which the rule does not mask. Remove it there.",
                describe(rule)
            ));
        }
        if patterns.is_empty()
            || patterns
                .iter()
                .any(|pattern| pattern.bytes().all(|byte| byte == b'*'))
        {
            problems.add(format!(
                "{}: keep has a pattern for {column} that is empty or matches everything. Correct it, or remove the \
                 column from the rule.",
                describe(rule)
            ));
        }
        let keep = Arc::new(Keep::new(patterns));
        for (_, mask) in masks.iter_mut().filter(|(name, _)| name == column) {
            *mask = mask.clone().keeping(Arc::clone(&keep));
        }
    }
    masks
}

/// A rule, for messages.
pub(super) fn describe(rule: &Rule) -> String {
    match &rule.strategy {
        Some(strategy) => format!("Rule {{ table: \"{}\", strategy: :{strategy} }}", rule.table),
        None => {
            let columns: Vec<&str> = rule.columns.keys().map(String::as_str).collect();
            format!(
                "Rule {{ table: \"{}\", columns: {} }}",
                rule.table,
                columns.join(", ")
            )
        }
    }
}

fn no_such_column<'n>(table: &TableName, column: &str, known: impl Iterator<Item = &'n str>) -> String {
    format!(
        "the table {table} has no column {column}.{} Correct the name, or remove it.",
        did_you_mean(column, known, "")
    )
}

fn unknown_strategy(rule: &Rule, name: &str) -> String {
    let known: Vec<&str> = catalogue::STRATEGIES
        .iter()
        .map(|strategy| strategy.name)
        .collect();
    let hint = did_you_mean(name, known.iter().copied(), ":");
    format!(
        "{}: there is no such strategy.{hint} There are {}.",
        describe(rule),
        known.join(", ")
    )
}

/// The domain stands in SQL patterns and in rows of any encoding, so it is kept to what a host name may hold.
fn check_domain(domain: &str, problems: &mut Problems) {
    let is_host = !domain.is_empty()
        && domain.split('.').all(|label| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        });
    if !is_host {
        problems.add(format!(
            "config.anonymized_email_domain is \"{domain}\", which is not a domain. Set it to one such as \
             demo.example.com (letters, digits, hyphens and dots; an international one in its xn-- form)."
        ));
    }
}
