//! Statements whose tables name one another share a group: one session, one transaction.

use super::prepare::pseudonym;
use super::{describe, family_names, Prepared, SqlGroup, SqlRules, SqlStatement, SqlTable};
use crate::archive::DumpId;
use crate::plan::schema::Schema;
use crate::plan::Load;
use crate::settings::Settings;
use std::collections::{BTreeSet, HashMap};

/// Ids of steps that are no entries of the archive, whose own ids are positive.
const GROUP_IDS: DumpId = -1_000_000_000;

/// Puts statements whose tables name one another into groups, and marks the loads that they wait for.
pub(super) fn group(
    prepared: Vec<Prepared<'_>>,
    settings: &Settings,
    schema: &Schema,
    loads: &mut HashMap<DumpId, Load>,
    found: &mut SqlRules,
    warnings: &mut Vec<String>,
) {
    let mut sets: Vec<BTreeSet<usize>> = Vec::new();
    for one in &prepared {
        let (mut joined, apart): (Vec<_>, Vec<_>) =
            sets.into_iter().partition(|set| !set.is_disjoint(&one.named));
        sets = apart;
        joined.push(one.named.clone());
        sets.push(joined.into_iter().flatten().collect());
    }
    sets.sort();
    let mut groups: Vec<SqlGroup> = sets
        .into_iter()
        .map(|set| make_group(&set, &prepared, schema, loads, warnings))
        .collect();
    // Sessions that last are beside those of config.parallel_connections, so there are at most as many.
    let most = settings.target.parallel_connections.max(1);
    while groups.iter().filter(|group| group.lasting).count() > most {
        let Some(at) = groups.iter().rposition(|group| group.lasting) else {
            break;
        };
        let last = groups.remove(at);
        let Some(first) = groups.iter_mut().find(|group| group.lasting) else {
            break;
        };
        let offset = first.tables.len();
        first.tables.extend(last.tables);
        first.reads.extend(last.reads);
        first
            .statements
            .extend(last.statements.into_iter().map(|mut one| {
                one.table += offset;
                one
            }));
    }
    for (number, group) in groups.iter_mut().enumerate() {
        group.dump_id = GROUP_IDS - DumpId::try_from(number).unwrap_or(DumpId::MAX / 8);
        for table in &group.tables {
            for id in &table.loads {
                if let Some(load) = loads.get_mut(id) {
                    load.sql_group = Some(number);
                    load.copy_into = table.into.clone();
                }
            }
        }
    }
    found.groups = groups;
}

pub(super) fn make_group(
    set: &BTreeSet<usize>,
    prepared: &[Prepared<'_>],
    schema: &Schema,
    loads: &HashMap<DumpId, Load>,
    warnings: &mut Vec<String>,
) -> SqlGroup {
    let own: Vec<usize> = set.iter().copied().collect();
    let mut tables = Vec::new();
    let mut forms: HashMap<(usize, String), String> = HashMap::new();
    for &table in &own {
        let known = &schema.tables[table];
        let family = family_names(table, schema);
        let mut mine: Vec<&Load> = loads
            .values()
            .filter(|load| family.contains(&load.table))
            .collect();
        mine.sort_by_key(|load| load.dump_id);
        if mine.is_empty() {
            warnings.push(format!(
                "{} has a rule in SQL, but no rows of it are loaded.",
                known.name
            ));
        }
        let into = match mine.first() {
            Some(load) if known.partition_key.is_none() => load.copy_into.clone(),
            _ => known.name.clone(),
        };
        let mut indexes: Vec<Vec<String>> = known
            .uniques
            .iter()
            .filter_map(|unique| unique.columns())
            .map(|columns| columns.into_iter().map(str::to_owned).collect())
            .chain(known.foreign_keys.iter().map(|key| key.columns.clone()))
            .collect();
        indexes.sort();
        indexes.dedup();
        tables.push(SqlTable {
            table: known.name.clone(),
            into,
            loads: mine.iter().map(|load| load.dump_id).collect(),
            columns: mine.first().map(|load| load.columns.clone()).unwrap_or_default(),
            indexes: if own.len() > 1 { indexes } else { Vec::new() },
            pseudonyms: mine
                .first()
                .and_then(|load| load.conditional.as_ref())
                .into_iter()
                .flat_map(|mask| mask.columns())
                .map(|masked| (masked.name.clone(), pseudonym(table, &masked.name, schema)))
                .collect(),
        });
        forms.extend(
            mine.first()
                .and_then(|load| load.conditional.clone())
                .into_iter()
                .flat_map(|mask| {
                    let forms = mask
                        .columns()
                        .iter()
                        .map(|masked| ((table, masked.name.clone()), masked.form_sql.clone()));
                    forms.collect::<Vec<_>>()
                }),
        );
    }
    let mut reads = BTreeSet::new();
    let mut statements = Vec::new();
    for one in prepared.iter().filter(|one| set.contains(&one.own)) {
        reads.extend(&one.reads);
        statements.push(SqlStatement {
            rule: describe(one.rule),
            table: own.iter().position(|table| *table == one.own).unwrap_or(0),
            sql: one.sql.clone(),
            columns: one.columns.clone(),
            // A pseudonym may be what was there before, such as a city.
            checked: if one.conditional {
                Vec::new()
            } else {
                one.checked.clone()
            },
            forms: if one.conditional {
                let form =
                    |column: &String| Some((column.clone(), forms.get(&(one.own, column.clone()))?.clone()));
                one.columns.iter().filter_map(form).collect()
            } else {
                Vec::new()
            },
        });
    }
    let all_loads: usize = tables.iter().map(|table| table.loads.len()).sum();
    SqlGroup {
        dump_id: 0,
        lasting: !reads.is_empty() || all_loads > 1,
        tables,
        statements,
        reads,
    }
}
