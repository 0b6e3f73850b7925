//! From the configuration and the table of contents to the part: which tables may lose rows, and what has to be looked at
//! for that.

use super::compare::{compared, nature};
use super::references::{declared, Declared};
use super::rules::{ruled, Ruled};
use super::value::value_type;
use super::{Compared, Missing, Part, PartBlock, PartColumn, PartRule, Reference, Relation};
use crate::plan::schema::{Schema, Unique};
use crate::plan::{Diagnostics, Load, Problems};
use crate::settings::{Others, Subset};
use pg_dump_archive::DumpId;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Reads the part that a configuration asks for. None where every row stays.
pub(in crate::plan) fn read(
    subset: &Subset,
    schema: &Schema,
    loads: &HashMap<DumpId, Load>,
    excluded: &HashSet<usize>,
) -> (Option<Part>, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let sources = Sources::new(schema, loads, excluded);
    let has_rows = |table| sources.blocks.contains_key(&table);
    let rules = ruled(subset, schema, has_rows, &mut diagnostics);
    let declared = declared(subset, schema, &mut diagnostics.problems);
    let reader = Reader {
        subset,
        schema,
        sources: &sources,
        rules: &rules,
        declared: &declared,
    };
    let part = reader.part(&mut diagnostics.problems);
    (part, diagnostics)
}

/// Where rows come from: the loads of each table that is no partition, and which of its partitions stay empty.
struct Sources<'a> {
    blocks: BTreeMap<usize, Vec<(usize, &'a Load)>>,
    has_gaps: HashSet<usize>,
}

impl<'a> Sources<'a> {
    fn new(schema: &Schema, loads: &'a HashMap<DumpId, Load>, excluded: &HashSet<usize>) -> Self {
        let mut sorted: Vec<&Load> = loads.values().collect();
        sorted.sort_by_key(|load| load.dump_id);
        let mut blocks: BTreeMap<usize, Vec<(usize, &Load)>> = BTreeMap::new();
        for load in sorted {
            if let Some(table) = schema.table(&load.table) {
                blocks
                    .entry(schema.topmost(table))
                    .or_default()
                    .push((table, load));
            }
        }
        Self {
            blocks,
            has_gaps: excluded.iter().map(|table| schema.topmost(*table)).collect(),
        }
    }
}

struct Reader<'a> {
    subset: &'a Subset,
    schema: &'a Schema,
    sources: &'a Sources<'a>,
    rules: &'a BTreeMap<usize, Ruled>,
    declared: &'a [Declared],
}

/// A reference between tables that are no partitions, and what becomes of it.
struct Followed<'a> {
    declared: &'a Declared,
    from: usize,
    to: usize,
    missing: Missing,
}

impl<'a> Reader<'a> {
    fn part(&self, problems: &mut Problems) -> Option<Part> {
        let followed = self.followed(problems);
        let losing = self.losing(&followed);
        let mut involved: BTreeSet<usize> = losing.clone();
        let followed: Vec<Followed<'_>> = followed
            .into_iter()
            .filter(|one| losing.contains(&one.to))
            .collect();
        involved.extend(followed.iter().map(|one| one.from));
        if losing.is_empty() {
            return None;
        }
        let mut order: Vec<usize> = involved.into_iter().collect();
        order.sort_by_key(|table| self.sources.blocks[table].first().map(|(_, load)| load.dump_id));
        let place: HashMap<usize, usize> = order.iter().enumerate().map(|(at, table)| (*table, at)).collect();
        let columns = self.columns(&order, &followed, problems);
        let relations = order.iter().map(|table| Relation {
            table: self.schema.tables[*table].name.clone(),
            blocks: self.blocks(*table, &columns[table]),
            columns: columns[table].clone(),
            rule: self.rule(*table),
        });
        let references = followed
            .iter()
            .flat_map(|one| self.references(one, &place, &columns));
        self.refuse_nothing(problems);
        Some(Part {
            relations: relations.collect(),
            references: references.collect(),
            allow_empty: self.subset.tables.iter().any(|rule| rule.allow_empty),
        })
    }

    /// A part of which each table only waits to be referred to has no row at all, whatever the backup holds.
    fn refuse_nothing(&self, problems: &mut Problems) {
        let mut tables = self.sources.blocks.keys();
        let is_meant = self.subset.tables.iter().any(|rule| rule.allow_empty);
        if !is_meant && tables.all(|table| self.rule(*table) == PartRule::Referenced) {
            problems.add(
                "subset: every table whose rows come is :referenced, so no row comes that could refer to another. Give one of \
                 them a rule that keeps rows, or put allow_empty: true beside one.",
            );
        }
    }

    fn rule(&self, table: usize) -> PartRule {
        match (self.rules.get(&table), self.subset.others) {
            (Some(ruled), _) => ruled.rule.clone(),
            (None, Others::Follow) => PartRule::Follows,
            (None, Others::Whole) => PartRule::All,
        }
    }

    /// The references between tables whose rows come, each with what becomes of a row whose counterpart goes.
    fn followed(&self, problems: &mut Problems) -> Vec<Followed<'a>> {
        let mut used: HashSet<(usize, &str)> = HashSet::new();
        let mut followed = Vec::new();
        for declared in self.declared {
            let (from, to) = (
                self.schema.topmost(declared.from),
                self.schema.topmost(declared.to),
            );
            let has_rows = |table: &usize| self.sources.blocks.contains_key(table);
            let ruled = self.rules.get(&from);
            let named = ruled.map_or(&[][..], |ruled| &ruled.nullify);
            let named = named.iter().find(|name| declared.columns.contains(name));
            used.extend(named.map(|name| (from, name.as_str())));
            if !has_rows(&from) || !has_rows(&to) {
                continue;
            }
            let mut missing = Missing::Drop;
            if named.is_some() || ruled.is_some_and(|ruled| ruled.nullify_all) {
                let columns = declared.nullable(self.schema, self.declared);
                match (columns.is_empty(), named) {
                    (false, _) => missing = Missing::Nullify(columns),
                    (true, Some(name)) => problems.add(format!(
                        "{}: on_missing: {name} cannot become NULL in {}. Remove it; its rows go with those that they \
                         refer to.",
                        ruled.map_or("", |ruled| &ruled.written),
                        self.schema.tables[from].name
                    )),
                    (true, None) => {}
                }
            }
            followed.push(Followed {
                declared,
                from,
                to,
                missing,
            });
        }
        for (table, ruled) in self.rules {
            let known = &self.schema.tables[*table];
            let unused = ruled.nullify.iter().filter(|name| known.column(name).is_some());
            for name in unused.filter(|name| !used.contains(&(*table, name.as_str()))) {
                problems.add(format!(
                    "{}: on_missing: no reference of {} has the column {name}. Declare it in subset_references, or remove \
                     it.",
                    ruled.written, known.name
                ));
            }
        }
        followed
    }

    /// Tables that may lose rows.
    fn losing(&self, followed: &[Followed<'_>]) -> BTreeSet<usize> {
        let tables = self.sources.blocks.keys().copied();
        let mut losing: BTreeSet<usize> = tables
            .filter(|table| matches!(self.rule(*table), PartRule::Own { .. } | PartRule::Referenced))
            .collect();
        loop {
            let before = losing.len();
            for one in followed {
                let goes = one.missing == Missing::Drop && self.rule(one.from) != PartRule::All;
                if goes && losing.contains(&one.to) {
                    losing.insert(one.from);
                }
            }
            if losing.len() == before {
                return losing;
            }
        }
    }

    /// The columns of each table that are looked at, and how they are compared.
    fn columns(
        &self,
        tables: &[usize],
        followed: &[Followed<'_>],
        problems: &mut Problems,
    ) -> HashMap<usize, Vec<PartColumn>> {
        let mut keys: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
        let mut groups = Groups::default();
        for one in followed {
            for (column, other) in one.declared.columns.iter().zip(&one.declared.referenced) {
                keys.entry(one.from).or_default().insert(column.clone());
                keys.entry(one.to).or_default().insert(other.clone());
                groups.join((one.from, column.clone()), (one.to, other.clone()));
            }
            if let Some((column, _)) = &one.declared.only_where {
                keys.entry(one.from).or_default().insert(column.clone());
            }
        }
        let alike = groups.compared(self.schema);
        let of = |table: &usize| {
            let keys = keys.remove(table).unwrap_or_default();
            let reads = self
                .rules
                .get(table)
                .map(|ruled| ruled.reads.clone())
                .unwrap_or_default();
            let compared = |name: &String| {
                let alone = || compared(&[nature(self.schema, *table, name)])[0];
                let known = alike.get(&(*table, name.clone())).copied();
                match (known, keys.contains(name)) {
                    (Some(known), _) => known,
                    // A type's name is compared with those of the configuration.
                    (None, true) => Compared::Text,
                    (None, false) => alone(),
                }
            };
            let columns = keys.union(&reads).map(|name| PartColumn {
                compared: compared(name),
                is_key: keys.contains(name),
                kind: value_type(self.schema, *table, name),
                name: name.clone(),
            });
            (*table, columns.collect::<Vec<_>>())
        };
        let columns: HashMap<usize, Vec<PartColumn>> = tables.iter().map(of).collect();
        for (table, columns) in &columns {
            for column in columns.iter().filter(|column| column.is_key) {
                let known = self.schema.tables[*table].column(&column.name);
                if known.is_some_and(|known| known.generated.is_some()) {
                    problems.add(format!(
                        "subset: {}.{} is a generated column, which a backup does not hold, and rows are chosen by it. \
                         Leave {0} out by exclude_tables, or take all of production.",
                        self.schema.tables[*table].name, column.name
                    ));
                }
            }
        }
        columns
    }

    fn blocks(&self, table: usize, columns: &[PartColumn]) -> Vec<PartBlock> {
        let position =
            |load: &Load, column: &PartColumn| load.columns.iter().position(|name| *name == column.name);
        let blocks = self.sources.blocks.get(&table).into_iter().flatten();
        let uniques = &self.schema.tables[table].uniques;
        let key = uniques
            .iter()
            .find(|unique| unique.primary)
            .and_then(Unique::columns);
        let key = key.filter(|columns| columns.len() == 1);
        let key = |load: &Load| {
            let name = *key.as_ref()?.first()?;
            load.columns.iter().position(|column| column == name)
        };
        let blocks = blocks.map(|(_, load)| PartBlock {
            load: load.dump_id,
            key: key(load),
            positions: columns
                .iter()
                // A generated column is reported as a problem already.
                .map(|column| position(load, column).unwrap_or(usize::MAX))
                .collect(),
        });
        blocks.collect()
    }

    /// A reference as those of blocks: a key of a partition is of its rows alone, and one to a partition leads there alone.
    fn references(
        &self,
        one: &Followed<'_>,
        place: &HashMap<usize, usize>,
        columns: &HashMap<usize, Vec<PartColumn>>,
    ) -> Vec<Reference> {
        let at = |table: usize, name: &str| {
            columns[&table]
                .iter()
                .position(|column| column.name == name)
                .unwrap_or(0)
        };
        let declared = one.declared;
        let pairs = declared.columns.iter().zip(&declared.referenced);
        let pairs: Vec<(usize, usize)> = pairs
            .map(|(from, to)| (at(one.from, from), at(one.to, to)))
            .collect();
        let mut found = Vec::new();
        for from_block in self.blocks_under(declared.from, one.from) {
            let to_blocks = self.blocks_under(declared.to, one.to);
            for &to_block in &to_blocks {
                found.push(Reference {
                    name: declared.name.clone(),
                    from: place[&one.from],
                    to: place[&one.to],
                    columns: pairs.clone(),
                    only_where: (declared.only_where.as_ref())
                        .map(|(column, values)| (at(one.from, column), values.clone())),
                    from_block,
                    to_block,
                    // A row that one of several blocks does not hold may be in another.
                    enforced: declared.enforced
                        && to_block.is_none()
                        && !self.sources.has_gaps.contains(&one.to),
                    missing: one.missing.clone(),
                });
            }
        }
        found
    }

    /// The blocks of a partition; none in particular where it is the whole table.
    fn blocks_under(&self, table: usize, root: usize) -> Vec<Option<usize>> {
        if table == root {
            return vec![None];
        }
        let under: HashSet<usize> = self.schema.partitions(table).into_iter().chain([table]).collect();
        let blocks = self.sources.blocks.get(&root).into_iter().flatten().enumerate();
        blocks
            .filter(|(_, (of, _))| under.contains(of))
            .map(|(at, _)| Some(at))
            .collect()
    }
}

/// Columns that are compared with one another, directly or by way of others.
#[derive(Default)]
struct Groups {
    number: HashMap<(usize, String), usize>,
    members: Vec<Vec<(usize, String)>>,
}

impl Groups {
    fn join(&mut self, one: (usize, String), other: (usize, String)) {
        let (kept, gone) = (self.of(one), self.of(other));
        if kept == gone {
            return;
        }
        for member in std::mem::take(&mut self.members[gone]) {
            self.number.insert(member.clone(), kept);
            self.members[kept].push(member);
        }
    }

    fn of(&mut self, column: (usize, String)) -> usize {
        if let Some(number) = self.number.get(&column) {
            return *number;
        }
        self.number.insert(column.clone(), self.members.len());
        self.members.push(vec![column]);
        self.members.len() - 1
    }

    fn compared(&self, schema: &Schema) -> HashMap<(usize, String), Compared> {
        let mut found = HashMap::new();
        for members in &self.members {
            let natures: Vec<_> = members
                .iter()
                .map(|(table, column)| nature(schema, *table, column))
                .collect();
            found.extend(members.iter().cloned().zip(compared(&natures)));
        }
        found
    }
}
