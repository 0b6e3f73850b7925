//! One entry of the configuration by itself: its masks, and what is wrong with them before any table is looked at.

use crate::failure::RuleFault;
use crate::plan::{Problems, TableName};
use crate::settings::{MaskName, Rule};
use masking::{Keep, Mask};
use near::nearest;
use std::sync::Arc;

/// The columns and masks of a rule.
pub(super) fn masks_of(rule: &Rule, problems: &mut Problems) -> Vec<(String, Mask)> {
    let of_rule = || rule.name.clone();
    let mut masks: Vec<(String, Mask)> = Vec::new();
    match (&rule.strategy, rule.columns.is_empty()) {
        (Some(name), true) => match masking::strategy(name) {
            Some(strategy) => {
                let named = strategy.masks();
                masks.extend(named.map(|(column, mask)| (column.to_owned(), mask)));
            }
            None => problems.add(unknown_strategy(rule, name)),
        },
        (None, false) => {
            for (column, mask) in &rule.columns {
                let none = serde_json::Map::new();
                let (name, options) = match mask {
                    MaskName::Plain(name) => (name, &none),
                    MaskName::WithOptions { mask, options } => (mask, options),
                };
                match Mask::named(name, options) {
                    Ok(mask) => masks.push((column.clone(), mask)),
                    Err(invalid) => problems.add(RuleFault::NoMask {
                        rule: of_rule(),
                        column: column.clone(),
                        invalid,
                    }),
                }
            }
        }
        (Some(_), false) => problems.add(RuleFault::StrategyAndColumns { rule: of_rule() }),
        (None, true) => problems.add(RuleFault::NothingMasked { rule: of_rule() }),
    }
    for (column, patterns) in &rule.keep {
        let is_named = rule.columns.contains_key(column) || masks.iter().any(|(name, _)| name == column);
        if !is_named {
            problems.add(RuleFault::KeepsUnmasked {
                rule: of_rule(),
                column: column.clone(),
            });
        }
        if patterns.is_empty()
            || patterns
                .iter()
                .any(|pattern| pattern.bytes().all(|byte| byte == b'*'))
        {
            problems.add(RuleFault::KeepsAll {
                rule: of_rule(),
                column: column.clone(),
            });
        }
        let keep = Arc::new(Keep::new(patterns));
        for (_, mask) in masks.iter_mut().filter(|(name, _)| name == column) {
            *mask = mask.clone().keeping(Arc::clone(&keep));
        }
    }
    masks
}

pub(super) fn no_such_column<'n>(
    rule: &Rule,
    table: &TableName,
    column: &str,
    known: impl Iterator<Item = &'n str>,
) -> RuleFault {
    let (rule, table) = (rule.name.clone(), table.to_string());
    let (meant, column) = (nearest(column, known), column.to_owned());
    match meant.map(str::to_owned) {
        Some(meant) => RuleFault::NoColumnMeant {
            rule,
            table,
            column,
            meant,
        },
        None => RuleFault::NoColumn { rule, table, column },
    }
}

fn unknown_strategy(rule: &Rule, name: &str) -> RuleFault {
    let known = || masking::STRATEGIES.iter().map(|strategy| strategy.name);
    let (rule, meant) = (rule.name.clone(), nearest(name, known()).map(str::to_owned));
    let known = known().map(str::to_owned).collect();
    match meant {
        Some(meant) => RuleFault::NoStrategyMeant { rule, meant, known },
        None => RuleFault::NoStrategy { rule, known },
    }
}

/// The domain stands in SQL patterns and in rows of any encoding, so it is kept to what a host name may hold.
pub(super) fn check_domain(domain: &str, problems: &mut Problems) {
    let is_host = !domain.is_empty()
        && domain.split('.').all(|label| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        });
    if !is_host {
        problems.add(RuleFault::NotADomain {
            domain: domain.to_owned(),
        });
    }
}
