//! One entry of the configuration by itself: its masks, and what is wrong with them before any table is looked at.

use crate::plan::{Problems, TableName};
use crate::settings::{MaskName, Rule};
use crate::text::{text, Setting};
use masking::{Keep, Mask};
use near::did_you_mean;
use std::sync::Arc;

/// The columns and masks of a rule.
pub(super) fn masks_of(rule: &Rule, problems: &mut Problems) -> Vec<(String, Mask)> {
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
                    Err(problem) => problems.add(format!("{}: {column}: {problem}", rule.name)),
                }
            }
        }
        (Some(_), false) => problems.add(format!(
            "{}: it has a strategy and columns. Make two entries of it, or keep one of them.",
            rule.name
        )),
        (None, true) => problems.add(format!(
            "{}: it has neither a strategy nor columns. Say what is masked.",
            rule.name
        )),
    }
    for (column, patterns) in &rule.keep {
        let is_named = rule.columns.contains_key(column) || masks.iter().any(|(name, _)| name == column);
        if !is_named {
            problems.add(format!(
                "{}: keep names the column {column}, which the rule does not mask. Remove it there.",
                rule.name
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
                rule.name
            ));
        }
        let keep = Arc::new(Keep::new(patterns));
        for (_, mask) in masks.iter_mut().filter(|(name, _)| name == column) {
            *mask = mask.clone().keeping(Arc::clone(&keep));
        }
    }
    masks
}

pub(super) fn no_such_column<'n>(
    table: &TableName,
    column: &str,
    known: impl Iterator<Item = &'n str>,
) -> String {
    format!(
        "the table {table} has no column {column}.{} Correct the name, or remove it.",
        did_you_mean(column, known, "")
    )
}

pub(super) fn unknown_strategy(rule: &Rule, name: &str) -> String {
    let known: Vec<&str> = masking::STRATEGIES.iter().map(|strategy| strategy.name).collect();
    let hint = did_you_mean(name, known.iter().copied(), ":");
    format!(
        "{}: there is no such strategy.{hint} There are {}.",
        rule.name,
        known.join(", ")
    )
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
        problems.add(text!(
            Setting::AnonymizedEmailDomain,
            format!(
                " is \"{domain}\", which is not a domain. Set it to one such as \
             demo.example.com (letters, digits, hyphens and dots; an international one in its xn-- form)."
            )
        ));
    }
}
