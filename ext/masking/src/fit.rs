//! Fits a mask to a column, and puts around it what all masks have in common: NULL, empty values, `keep`, CHECKs.

use super::action::{refused, Action, DoesNotFit, Other, Writes};
use super::becomes::Becomes;
use super::condition::Check;
use super::encrypted;
use super::entry::{FitContext, Fitted, Fitting, Mask, ANY_VALUE};
use super::error::Unfit;
use super::misfit::Misfit;
use super::pseudonym::{Blanks, Scratch};
use super::sql::{plain_text, quote_identifier};
use super::starts::{samples, TRIAL_VALUES};
use super::table::{ColumnFacts, TableFacts};
use super::types::Type;
use pg_dump_archive::copy::{self, Row};
use std::sync::Arc;

/// One masked column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskedColumn {
    /// Its name.
    pub name: String,
    /// Its place among the block's columns.
    pub position: usize,
    /// What its values become, for the report.
    pub becomes: Becomes,
    /// A SQL condition that every value of it in the target meets: `"email" IS NULL OR "email"::text ~ '…'`;
    /// `TRUE` where SQL cannot decide. Put it in parentheses where it is combined with another.
    pub form_sql: String,
    /// Where the mask gives accounts a password that is known: a SQL condition on those that have it.
    pub known_password: Option<String>,
}

/// A mask on a column: what to say of it, what to do, and the places of the columns whose pseudonyms go into its own.
pub(super) type OnColumn = (MaskedColumn, Action, Vec<usize>);

/// Fits `mask` to the column at `position`, under its CHECKs.
pub(super) fn fit(ground: FitContext<'_>, position: usize, mask: &Mask) -> Result<OnColumn, Box<Unfit>> {
    let table = ground.table;
    let Some(column) = table.columns.get(position) else {
        return Err(Box::new(Unfit {
            table: table.name.clone(),
            column: format!("column number {position}"),
            misfit: Misfit::Column,
        }));
    };
    let fitting = Fitting {
        ground,
        column,
        position,
        mask,
    };
    let fitted = encrypted::fit(&fitting)?;
    let masked = MaskedColumn {
        name: column.name.clone(),
        position,
        form_sql: form_sql(column, mask, &fitted),
        becomes: fitted.becomes,
        known_password: fitted.known_password,
    };
    let action = Action {
        column: position,
        writes: fitted.writes,
        keep: mask.keep.clone(),
        checks: table.checks.get(&position).map(Arc::clone),
        blanks: Blanks {
            are_padding: matches!(column.kind, Type::Text { padded: true, .. }),
            empty_stays: !fitted.replaces_empty,
        },
        is_shared: false,
    };
    if let Some(check) = never_met(&action, mask, table) {
        return Err(fitting.unfit(Misfit::Check {
            check: check.to_owned(),
        }));
    }
    Ok((masked, action, fitted.reads))
}

/// The condition that every value of the column meets: those that the mask writes, and those that stay.
fn form_sql(column: &ColumnFacts, mask: &Mask, fitted: &Fitted) -> String {
    if fitted.form == ANY_VALUE {
        return fitted.form.clone();
    }
    let sql = quote_identifier(&column.name);
    let mut form = if fitted.writes.is_null() {
        fitted.form.clone()
    } else {
        format!("{sql} IS NULL OR {}", fitted.form)
    };
    let is_text = matches!(column.kind, Type::Text { .. });
    if is_text && !fitted.replaces_empty && matches!(fitted.writes, Writes::Pseudonym(_)) {
        form.push_str(&format!(" OR {} = ''", plain_text(&sql)));
    }
    if let Some(keep) = &mask.keep {
        form.push_str(&format!(" OR {}", keep.sql(&sql)));
    }
    form
}

/// The name of a CHECK that takes nothing of what a mask writes, as far as that can be known without rows.
fn never_met<'a>(action: &'a Action, mask: &Mask, table: &TableFacts) -> Option<&'a str> {
    let checks: &[Check] = action.checks.as_deref()?;
    let place = match &action.writes {
        Writes::Fixed(fixed) => refused(checks, fixed.bytes(), &mut Vec::new())?,
        Writes::Pseudonym(_) if mask.has_own_form() => with_a_row(table, |row| {
            let mut refuses = None;
            for value in TRIAL_VALUES {
                let (mut scratch, mut out) = (Scratch::default(), Vec::new());
                match action.write(row, value.as_bytes(), &mut scratch, &mut out) {
                    Err(DoesNotFit::Check(place)) => refuses = Some(place),
                    _ => return None,
                }
            }
            refuses
        })?,
        Writes::Pseudonym(_) => return None,
    };
    checks.get(place).map(|check| check.name.as_str())
}

/// A row of a table, for masks that read others of its columns.
fn with_a_row<T>(table: &TableFacts, look: impl FnOnce(&Row<'_>) -> T) -> T {
    let piece = b"1\t".repeat(table.columns.len());
    let starts: Vec<usize> = (0..=table.columns.len()).map(|place| place * 2).collect();
    look(&Row {
        piece: &piece,
        starts: &starts,
    })
}

/// So many values show what a mask does under CHECKs.
const SAMPLES: usize = 24;

/// Whether the CHECKs of a column of text take what a mask makes of values that they take.
pub(super) fn meets(table: &TableFacts, action: &Action) -> bool {
    let (Some(checks), Some(column)) = (&action.checks, table.columns.get(action.column)) else {
        return true;
    };
    if let Writes::Fixed(fixed) = &action.writes {
        return refused(checks, fixed.bytes(), &mut Vec::new()).is_none();
    }
    let Type::Text { limit, .. } = column.kind else {
        return true;
    };
    let fits = |value: &String| limit.is_none_or(|limit| value.chars().count() <= limit);
    let samples: Vec<String> = samples(checks).into_iter().filter(fits).take(SAMPLES).collect();
    !samples.is_empty()
        && with_a_row(table, |row| {
            samples.iter().all(|value| {
                let (mut field, mut scratch, mut out) = (Vec::new(), Scratch::default(), Vec::new());
                copy::encode(Some(value.as_bytes()), &mut field);
                action.write(row, &field, &mut scratch, &mut out).is_ok()
            })
        })
}

impl Fitting<'_> {
    /// Another column of the table, as it is after masking.
    pub(super) fn other(&self, place: usize) -> Result<Other, Box<Unfit>> {
        let masks = self.ground.masks.iter();
        let action = match masks.map(|(at, mask)| (*at, mask)).find(|(at, _)| *at == place) {
            None => None,
            Some((_, mask)) => {
                let (_, action, _) = fit(self.ground, place, mask)?;
                Some(Box::new(action))
            }
        };
        Ok(Other {
            column: place,
            action,
        })
    }
}
