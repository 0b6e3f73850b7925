//! Statements whose tables name one another share a group: one session, one transaction.

use super::quiet::Quiet;
use super::temporaries::Temporaries;
use super::{Prepared, SqlGroup, SqlRules, SqlStatement, SqlTable};
use crate::notice::Notice;
use crate::plan::binary::Binary;
use crate::plan::Load;
use crate::plan::Warnings;
use crate::settings::Settings;
use pg_dump_archive::DumpId;
use std::collections::{BTreeSet, HashMap};

/// Puts statements whose tables name one another into groups.
pub(super) fn group(
    prepared: &[Prepared],
    temporaries: &Temporaries<'_>,
    settings: &Settings,
    binary: &Binary<'_>,
    loads: &HashMap<DumpId, Load>,
    found: &mut SqlRules,
    warnings: &mut Warnings,
) {
    let mut sets: Vec<BTreeSet<usize>> = Vec::new();
    for one in prepared {
        let (mut joined, apart): (Vec<_>, Vec<_>) =
            sets.into_iter().partition(|set| !set.is_disjoint(&one.named));
        sets = apart;
        joined.push(one.named.clone());
        sets.push(joined.into_iter().flatten().collect());
    }
    sets.sort();
    let mut groups: Vec<SqlGroup> = sets
        .into_iter()
        .map(|set| make_group(&set, prepared, temporaries, binary, loads, warnings))
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
        first.others.extend(last.others);
        first
            .statements
            .extend(last.statements.into_iter().map(|mut one| {
                one.table += offset;
                one
            }));
    }
    found.groups = groups;
}

fn make_group(
    set: &BTreeSet<usize>,
    prepared: &[Prepared],
    temporaries: &Temporaries<'_>,
    binary: &Binary<'_>,
    loads: &HashMap<DumpId, Load>,
    warnings: &mut Warnings,
) -> SqlGroup {
    let schema = binary.schema;
    let prepared: Vec<&Prepared> = prepared.iter().filter(|one| set.contains(&one.own)).collect();
    // A temporary table is created after those that it inherits from.
    let mut own: Vec<usize> = set.iter().copied().collect();
    own.sort_by_key(|table| (schema.ancestors(*table).len(), *table));
    let tables: Vec<SqlTable> = own
        .iter()
        .map(|table| make_table(*table, &prepared, temporaries, binary, loads, own.len() > 1))
        .collect();
    for one in &prepared {
        let family = temporaries.family(one.own);
        let has_rows = |place: &usize| own.get(*place).is_some_and(|table| family.contains(table));
        if (0..tables.len())
            .filter(has_rows)
            .all(|place| tables[place].loads.is_empty())
        {
            let table = schema.tables[one.own].name.to_string();
            warnings.push(Notice::RuleWithoutRows { table });
        }
    }
    let mut reads: BTreeSet<usize> = BTreeSet::new();
    let mut statements = Vec::new();
    for one in prepared {
        reads.extend(&one.reads);
        statements.push(SqlStatement {
            rule: one.rule.clone(),
            table: own.iter().position(|table| *table == one.own).unwrap_or(0),
            sql: one.sql.clone(),
            columns: one.columns.clone(),
            checked: one.checked.clone(),
            choices: one.choices.clone(),
            explain: one.explain.clone(),
        });
    }
    let all_loads: usize = tables.iter().map(|table| table.loads.len()).sum();
    SqlGroup {
        lasting: !reads.is_empty() || all_loads > 1,
        tables,
        statements,
        others: reads
            .iter()
            .map(|table| schema.tables[*table].name.clone())
            .collect(),
        reads,
    }
}

/// `indexed`: statements on other tables of its group may look its rows up.
fn make_table(
    table: usize,
    prepared: &[&Prepared],
    temporaries: &Temporaries<'_>,
    binary: &Binary<'_>,
    loads: &HashMap<DumpId, Load>,
    indexed: bool,
) -> SqlTable {
    let schema = binary.schema;
    let known = &schema.tables[table];
    let mine = temporaries.loads(table, loads);
    // A partition's rows go by way of the root, where those of others do.
    let mut roots = schema.partition_ancestors(table).into_iter().rev();
    let root = roots.find(|root| temporaries.contains(*root));
    let into = match (root, mine.first()) {
        (Some(root), _) => schema.tables[root].name.clone(),
        (None, Some(load)) if known.partition_key.is_none() => load.copy_into.clone(),
        (None, _) => known.name.clone(),
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
    let choices = prepared
        .iter()
        .filter(|one| one.own == table)
        .flat_map(|one| &one.choices);
    SqlTable {
        table: known.name.clone(),
        into,
        loads: mine.iter().map(|load| load.dump_id).collect(),
        columns: mine.first().map(|load| load.columns.clone()).unwrap_or_default(),
        indexes: if indexed { indexes } else { Vec::new() },
        pseudonyms: choices
            .map(|choice| (choice.column.clone(), choice.pseudonym.clone()))
            .collect(),
        name: temporaries.name(table).to_owned(),
        inherits: temporaries
            .parents(table)
            .into_iter()
            .map(|parent| temporaries.name(parent).to_owned())
            .collect(),
        quiet: Quiet {
            forms: binary.quiet_forms(known),
            computes: known.columns.iter().any(|column| column.generated.is_some()),
            number: table,
        },
    }
}
