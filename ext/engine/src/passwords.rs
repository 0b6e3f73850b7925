//! Who has a password that is known: counted in the target when the rows are there.

use crate::error::Result;
use crate::plan::{Plan, TableName};
use crate::postgres::Target;
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
    let mut told = Vec::new();
    for (table, numbers) in target.count(asked.collect()).await? {
        let (Some(columns), Some((rows, without))) = (columns.get(&table), numbers.split_first()) else {
            continue;
        };
        for ((column, _), without) in columns.iter().zip(without) {
            told.push(KnownPassword {
                table: table.to_string(),
                column: (*column).to_owned(),
                accounts: rows.saturating_sub(*without),
            });
        }
    }
    told.retain(|one| one.accounts > 0);
    told.sort_by(|a, b| (&a.table, &a.column).cmp(&(&b.table, &b.column)));
    Ok(told)
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
