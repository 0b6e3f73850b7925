//! What a column's name, its table's and its type show.

mod beside;
mod classes;
mod encrypted;
mod features;
mod model;
mod name;
mod outside;
mod packed;
mod phrases;
mod queue;
mod rules;
mod table;

pub use beside::{address_digest, genders, DigestName};
pub use encrypted::{encrypts, is_blind_index, is_ciphertext};
pub(crate) use features::{of_values as values_features, Emit, ValueSummary};
pub use model::terms;
pub(crate) use model::{confidence, odds_with_values};
pub use outside::outside;
pub use phrases::{key_kind, Subject};
pub use queue::queue;
pub use table::TableContext;

use super::sql_type::TypeClass;
use super::words::words;
use super::{Heading, PiiKind, Reason, PERSONAL};
use name::Name;
use rules::{by_rules, finding};
use std::collections::{HashMap, HashSet};

/// A column as the table of contents names it.
#[derive(Debug, Clone, Copy)]
pub struct ColumnName<'a> {
    /// The table's name, with or without its schema.
    pub table: &'a str,
    /// The column's name.
    pub column: &'a str,
    /// The type as pg_dump writes it.
    pub sql_type: &'a str,
}

/// What a name shows.
#[derive(Debug, Clone, PartialEq)]
pub struct NameFinding {
    /// What the column seems to hold.
    pub kind: PiiKind,
    /// How sure that is, from 0 to 1; from [`super::PERSONAL`] on the column counts as personal.
    pub confidence: f32,
    /// Why.
    pub reason: Reason,
}

/// What Rails declares about personal data, handed over by the Ruby side.
#[derive(Debug, Clone, Default)]
pub struct RailsHints {
    /// The names that Rails keeps out of its logs, matched as Rails does: anywhere in the name.
    pub filter_parameters: Vec<String>,
    /// Tables (without their schema) and columns of attributes declared with `encrypts`.
    pub encrypted: HashSet<(String, String)>,
    /// The columns that the caller's own patterns match, each with its heading. They replace what is known here about
    /// names; None if the caller has no patterns.
    pub matched: Option<HashMap<(String, String), Heading>>,
}

/// What a column's name shows; `None` when it shows nothing, or something else.
///
/// Weak findings are returned too: compare the confidence with [`super::PERSONAL`], or ask [`super::verdict()`].
pub fn by_name(column: &ColumnName<'_>, context: &TableContext) -> Option<NameFinding> {
    weigh(column, context).finding
}

/// What a column's name shows, and what led to it.
#[derive(Debug, Default)]
pub(crate) struct Weighed {
    /// What the rules and the model say together.
    pub(crate) finding: Option<NameFinding>,
    /// What the rules say alone.
    pub(crate) rule: Option<NameFinding>,
    /// The model's odds, as a logarithm; None where it was not asked.
    pub(crate) odds: Option<f32>,
}

/// Asks the rules, then the model.
pub(crate) fn weigh(column: &ColumnName<'_>, context: &TableContext) -> Weighed {
    let class = TypeClass::of(column.sql_type);
    if context.framework || class == TypeClass::Other {
        return Weighed::default();
    }
    let words = words(column.column);
    let name = Name {
        column,
        context,
        class,
        words: &words,
    };
    if let Some(matched) = &context.hints.matched {
        return Weighed {
            finding: by_patterns(&name, matched),
            ..Weighed::default()
        };
    }
    if name.is_own() && !name.is_declared() {
        return Weighed::default();
    }
    let rule = by_rules(&name);
    if name.is_number_of_something() || name.is_declared() {
        return Weighed {
            finding: rule.clone(),
            rule,
            odds: None,
        };
    }
    let odds = model::odds(&name, rule.as_ref());
    Weighed {
        finding: together(&name, rule.as_ref(), odds),
        rule,
        odds: Some(odds),
    }
}

/// The features that the model looks at in a column's name, and their sum.
pub(crate) fn features_of(column: &ColumnName<'_>, context: &TableContext, emit: &mut Emit<'_>) -> i32 {
    let words = words(column.column);
    let name = Name {
        column,
        context,
        class: TypeClass::of(column.sql_type),
        words: &words,
    };
    let rule = by_rules(&name);
    features::of_name(&name, rule.as_ref(), emit);
    model::sum(&name, rule.as_ref())
}

/// The caller's patterns say which columns are personal; the rules only say of which kind.
fn by_patterns(name: &Name<'_>, matched: &HashMap<(String, String), Heading>) -> Option<NameFinding> {
    let heading = *matched.get(&name.key())?;
    let kind = by_rules(name)
        .map(|finding| finding.kind)
        .filter(|kind| kind.heading() == heading);
    finding(
        kind.unwrap_or(heading.usual_kind()),
        0.95,
        Reason::MatchedByPattern,
    )
}

/// Odds under which the model overrules the rules, and those that are as good as certain.
const OVERRULED: f32 = -0.5;
const OVERRULED_WHOLLY: f32 = -1.5;

/// What the rules and the model say together: the model adds what the rules do not know, and takes away what it is sure
/// is not personal.
fn together(name: &Name<'_>, rule: Option<&NameFinding>, odds: f32) -> Option<NameFinding> {
    let by_rule = rule.map_or(0.0, |rule| rule.confidence);
    if by_rule >= PERSONAL {
        let mut found = rule?.clone();
        let limit = if by_rule >= 0.85 {
            OVERRULED_WHOLLY
        } else {
            OVERRULED
        };
        // What gems write into such tables is known, not guessed.
        let copy = name.context.copies && found.kind == PiiKind::Payload;
        if odds < limit && !copy {
            found.confidence = model::confidence(odds);
        }
        return Some(found);
    }
    if odds < 0.0 {
        return rule.cloned();
    }
    let kind = model::kind(name, rule);
    // What a rule suspects says more than the model's kinds, where they agree.
    let kind = rule.map_or(kind, |rule| match rule.kind.heading() == kind.heading() {
        true => rule.kind,
        false => kind,
    });
    finding(kind, model::confidence(odds).min(0.95), model::reason(name, rule))
}

#[cfg(test)]
mod tests;
