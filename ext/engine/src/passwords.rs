//! Who has a password that is known: counted in the target when the rows are there.

use crate::error::Result;
use crate::plan::{Plan, TableName};
use crate::postgres::{LoadedTable, Target};
use crate::report::KnownPassword;
use std::collections::BTreeMap;

/// Counts the accounts of each column whose mask gives a known password. `plan`: as it was carried out.
///
/// # Errors
/// When the server refuses to count.
pub(crate) async fn count(target: &Target, plan: &Plan) -> Result<Vec<KnownPassword>> {
    let columns = columns(plan);
    let asked = columns.iter().map(|(table, columns)| {
        let conditions = columns.iter().map(|(_, has_it)| format!("({has_it}) IS TRUE"));
        ((*table).clone(), conditions.collect())
    });
    let mut known = Vec::new();
    for (table, numbers) in target.count(asked.collect()).await? {
        let (Some(columns), Some((rows, without))) = (columns.get(&table), numbers.split_first()) else {
            continue;
        };
        for ((column, _), without) in columns.iter().zip(without) {
            known.push(KnownPassword {
                table: table.to_string(),
                column: (*column).to_owned(),
                accounts: rows.saturating_sub(*without),
            });
        }
    }
    known.retain(|one| one.accounts > 0);
    known.sort_by(|a, b| (&a.table, &a.column).cmp(&(&b.table, &b.column)));
    Ok(known)
}

/// The accounts of each column whose mask gives a known password, where rows go into no database that could count them:
/// those whose password was replaced. `plan`: as it was carried out.
pub(crate) fn replaced(plan: &Plan, loads: &[LoadedTable]) -> Vec<KnownPassword> {
    let mut accounts: BTreeMap<(String, &str), u64> = BTreeMap::new();
    for written in loads {
        let mask = plan
            .loads
            .get(&written.dump_id)
            .and_then(|load| load.mask.as_ref());
        let columns = mask.into_iter().flat_map(|mask| mask.columns());
        for (column, counts) in columns.zip(&written.masked) {
            if column.known_password.is_some() && counts.masked > 0 {
                *accounts
                    .entry((written.table.to_string(), &column.name))
                    .or_default() += counts.masked;
            }
        }
    }
    let known = accounts
        .into_iter()
        .map(|((table, column), accounts)| KnownPassword {
            table,
            column: column.to_owned(),
            accounts,
        });
    known.collect()
}

/// The columns that rows go into with such a mask, each with the condition on those that have the password.
fn columns(plan: &Plan) -> BTreeMap<&TableName, Vec<(&str, &str)>> {
    let mut found: BTreeMap<&TableName, Vec<(&str, &str)>> = BTreeMap::new();
    for load in plan.loads.values() {
        let masks = load.mask.iter().chain(&load.conditional);
        for column in masks.flat_map(|mask| mask.columns()) {
            let Some(has_it) = &column.known_password else {
                continue;
            };
            let of_table = found.entry(&load.copy_into).or_default();
            let one = (column.name.as_str(), has_it.as_str());
            if !of_table.contains(&one) {
                of_table.push(one);
            }
        }
    }
    found
}
