//! From the configuration and the table of contents to the part: which tables may lose rows, and what has to be looked at
//! for that.

mod left_out;

use super::compare::{compared, nature};
use super::groups::Groups;
use super::names::{column_shown, table_shown};
use super::references::{declared, Declared, Origin};
use super::rules::{asked_about, rules, Ruled};
use super::sources::Sources;
use super::value::value_type;
use super::{missing, Compared, Missing, Part, PartBlock, PartColumn, PartRule, Reference, Relation};
use crate::failure::SubsetFault;
use crate::notice::Notice;
use crate::plan::schema::{Column, Schema, Table};
use crate::plan::{Diagnostics, Load, Problems};
use crate::settings::{Others, Subset};
use pg_dump_archive::DumpId;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// What a configuration says of a part.
#[derive(Debug, Default)]
pub(in crate::plan) struct Read {
    /// The part; None where every row stays.
    pub(in crate::plan) part: Option<Part>,
    /// Tables with rules that have no effect: the server is asked about these all the same.
    pub(in crate::plan) idle: Vec<Relation>,
}

/// Reads it. `loads`: those of rows that come, and those that would be of rows that stay out. `excluded`: the tables whose rows
/// do; `are_meant`: every name by which they were left out is one.
pub(in crate::plan) fn read(
    subset: &Subset,
    schema: &Schema,
    loads: (&HashMap<DumpId, Load>, &HashMap<DumpId, Load>),
    (excluded, are_meant): (&HashSet<usize>, bool),
) -> (Read, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let sources = Sources::new(schema, loads, excluded);
    let rules = rules(subset, schema, |table| sources.rows(table), &mut diagnostics);
    let references = declared(subset, schema, &mut diagnostics.problems);
    let ruled = rules.ruled.iter();
    let ruled = ruled.filter(|(table, ruled)| ruled.is_checked || sources.come(**table));
    for (table, ruled) in ruled.chain(rules.idle.iter().map(|(table, ruled)| (table, ruled))) {
        missing::check(*table, ruled, &references, schema, &mut diagnostics);
    }
    if subset.tables.is_empty() && subset.references.iter().any(|one| !one.reflected) {
        diagnostics.warnings.push(Notice::ReferencesIdle);
    }
    let reader = Reader {
        subset,
        schema,
        sources: &sources,
        rules: &rules.ruled,
        declared: &references.found,
    };
    let mut followed = reader.followed();
    let deciding = reader.deciding(&followed);
    let has_effect = |table| sources.come(table) || deciding.contains(&table);
    let keeping = reader.keeping(&followed);
    followed.retain(|one| has_effect(one.from) && has_effect(one.to));
    let part = reader.part(followed, &deciding, are_meant, &mut diagnostics.problems);
    rules.warn_of_idle(
        schema,
        |table| has_effect(table) || keeping.contains(&table),
        &mut diagnostics.warnings,
    );
    let left_out = rules.ruled.iter();
    let left_out = left_out.filter(|(table, ruled)| ruled.is_checked && !has_effect(**table));
    let idle = (rules.idle.iter().map(|(table, ruled)| (table, ruled)))
        .chain(left_out)
        .map(|(table, ruled)| asked_about(*table, ruled, schema));
    let read = Read {
        part,
        idle: idle.collect(),
    };
    (read, diagnostics)
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
    /// `deciding`: the tables whose rows stay out and decide about others.
    fn part(
        &self,
        followed: Vec<Followed<'_>>,
        deciding: &BTreeSet<usize>,
        are_meant: bool,
        problems: &mut Problems,
    ) -> Option<Part> {
        let losing = self.losing(&followed, deciding);
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
        order.sort_by_key(|table| self.sources.of(*table).first().map(|(_, load)| load.dump_id));
        let place: HashMap<usize, usize> = order.iter().enumerate().map(|(at, table)| (*table, at)).collect();
        let columns = self.columns(&order, &followed);
        followed
            .iter()
            .for_each(|one| self.refuse_generated(one, problems));
        let relations = order.iter().map(|table| Relation {
            table: self.schema.tables[*table].name.clone(),
            blocks: self.blocks(*table, &columns[table]),
            columns: columns[table].clone(),
            rule: self.rule(*table),
            is_excluded: !self.sources.come(*table),
        });
        let references = followed
            .iter()
            .flat_map(|one| self.references(one, &place, &columns));
        if are_meant {
            self.refuse_nothing(problems);
        }
        Some(Part {
            relations: relations.collect(),
            references: references.collect(),
            allow_empty: self.subset.tables.iter().any(|rule| rule.allow_empty),
        })
    }

    /// A part of which each table only waits to be referred to has no row at all, whatever the backup holds.
    fn refuse_nothing(&self, problems: &mut Problems) {
        let mut tables = self.sources.coming();
        let is_meant = self.subset.tables.iter().any(|rule| rule.allow_empty);
        if !is_meant && tables.all(|table| self.rule(table) == PartRule::Referenced) {
            problems.add(SubsetFault::OnlyReferenced);
        }
    }

    fn rule(&self, table: usize) -> PartRule {
        match (self.rules.get(&table), self.subset.others) {
            // What stays out waits for nothing.
            (Some(ruled), _) if ruled.rule == PartRule::Referenced && !self.sources.come(table) => {
                PartRule::Follows
            }
            (Some(ruled), _) => ruled.rule.clone(),
            (None, Others::Follow) => PartRule::Follows,
            (None, Others::Whole) => PartRule::All,
        }
    }

    /// Whether a reference is of no account: one of rows that stay out makes nothing NULL, one of rows that come in any case to
    /// such brings nothing along, and what a backup does not hold chooses neither.
    fn is_idle(&self, declared: &Declared, (from, to): (usize, usize), missing: &Missing) -> bool {
        if self.sources.come(from) && self.sources.come(to) {
            return false;
        }
        let stays = match self.sources.come(from) {
            true => *missing == Missing::Drop && self.rule(from) == PartRule::All,
            false => *missing != Missing::Drop,
        };
        stays || !self.generated(declared, (from, to)).is_empty()
    }

    /// The references between tables that are looked at, each with what becomes of a row whose counterpart goes.
    fn followed(&self) -> Vec<Followed<'a>> {
        let mut followed = Vec::new();
        for declared in self.declared {
            let (from, to) = (
                self.schema.topmost(declared.from),
                self.schema.topmost(declared.to),
            );
            let is_known = |table| !self.sources.of(table).is_empty();
            if !is_known(from) || !is_known(to) {
                continue;
            }
            let is_to_be_null = self.rules.get(&from).is_some_and(|ruled| {
                let mut named = ruled.nullify.iter();
                ruled.nullify_all || named.any(|name| declared.columns.contains(name))
            });
            let columns = match is_to_be_null {
                true => declared.nullable(self.schema, self.declared),
                false => Vec::new(),
            };
            let missing = match columns.is_empty() {
                true => Missing::Drop,
                false => Missing::Nullify(columns),
            };
            if self.is_idle(declared, (from, to), &missing) {
                continue;
            }
            followed.push(Followed {
                declared,
                from,
                to,
                missing,
            });
        }
        followed
    }

    /// The columns of a reference whose values a backup does not hold.
    fn generated<'d>(
        &self,
        declared: &'d Declared,
        (from, to): (usize, usize),
    ) -> Vec<(&'a Table, &'d String)> {
        let kind = declared.only_where.iter().map(|(column, _)| column);
        let own = declared.columns.iter().chain(kind).map(|name| (from, name));
        let others = declared.referenced.iter().map(|name| (to, name));
        let all = own
            .chain(others)
            .map(|(table, name)| (&self.schema.tables[table], name));
        let is_generated = |column: &Column| column.generated.is_some();
        all.filter(|(table, name)| table.column(name).is_some_and(is_generated))
            .collect()
    }

    /// Rows cannot be chosen by values that a backup does not hold.
    fn refuse_generated(&self, one: &Followed<'_>, problems: &mut Problems) {
        let declared = one.declared;
        for (table, name) in self.generated(declared, (one.from, one.to)) {
            let from = self.schema.tables[declared.from].name.in_rules();
            let shown = table_shown(&table.name);
            let column = format!("{shown}.{}", column_shown(name));
            problems.add(match declared.origin {
                Origin::Models => SubsetFault::GeneratedByModels {
                    column,
                    entry: format!("{from}.{}", declared.columns.join(",")),
                },
                Origin::Key | Origin::Configuration => SubsetFault::GeneratedKey { column, table: shown },
            });
        }
    }

    /// Tables that may lose rows.
    fn losing(&self, followed: &[Followed<'_>], deciding: &BTreeSet<usize>) -> BTreeSet<usize> {
        let tables = self.sources.coming().chain(deciding.iter().copied());
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
    fn columns(&self, tables: &[usize], followed: &[Followed<'_>]) -> HashMap<usize, Vec<PartColumn>> {
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
        tables.iter().map(of).collect()
    }

    fn blocks(&self, table: usize, columns: &[PartColumn]) -> Vec<PartBlock> {
        let position =
            |load: &Load, column: &PartColumn| load.columns.iter().position(|name| *name == column.name);
        let blocks = self.sources.of(table).iter();
        let blocks = blocks.map(|(_, load)| PartBlock {
            load: load.dump_id,
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
        let may_be_null = self.may_be_null(declared);
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
                    enforced: declared.enforced && to_block.is_none() && !self.sources.has_gaps(one.to),
                    missing: one.missing.clone(),
                    may_be_null: may_be_null.clone(),
                });
            }
        }
        found
    }

    /// The column by which a rule may have a reference become NULL: `on_missing` is refused where it means another that cannot.
    fn may_be_null(&self, declared: &Declared) -> Option<String> {
        let table = self.schema.topmost(declared.from);
        let can_be = |one: &Declared| !one.nullable(self.schema, self.declared).is_empty();
        let all_can_be = |name: &&String| {
            let others = self.declared.iter();
            let mut others =
                others.filter(|one| one.columns.contains(name) && self.schema.topmost(one.from) == table);
            others.all(can_be)
        };
        let nullable = declared.nullable(self.schema, self.declared);
        let mut own = nullable.iter().filter(|name| declared.columns.contains(name));
        own.find(all_can_be).cloned()
    }

    /// The blocks of a partition; none in particular where it is the whole table.
    fn blocks_under(&self, table: usize, root: usize) -> Vec<Option<usize>> {
        if table == root {
            return vec![None];
        }
        let under: HashSet<usize> = self.schema.partitions(table).into_iter().chain([table]).collect();
        let blocks = self.sources.of(root).iter().enumerate();
        blocks
            .filter(|(_, (of, _))| under.contains(of))
            .map(|(at, _)| Some(at))
            .collect()
    }
}
