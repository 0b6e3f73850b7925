//! Statements of rules in SQL, and a failure of one.

use super::discreet;
use crate::error::{Doing, Error};
use crate::failure::Attempt;
use crate::postgres::session::connect::Session;
use crate::postgres::session::is_passing;

/// A failure, and whether it is worth another try.
pub(super) struct RuleFailure {
    pub(super) error: Error,
    pub(super) passing: bool,
}

impl RuleFailure {
    pub(super) fn new(doing: Doing<'_>, error: &tokio_postgres::Error) -> Self {
        Self {
            passing: is_passing(error),
            error: Error::from_server(doing, error),
        }
    }
}

impl From<Error> for RuleFailure {
    fn from(error: Error) -> Self {
        Self {
            error,
            passing: false,
        }
    }
}

/// Runs a statement that no row is near.
pub(super) async fn plainly(session: &Session, doing: &Attempt, sql: &str) -> Result<(), RuleFailure> {
    session
        .batch_execute(sql)
        .await
        .map_err(|error| RuleFailure::new(Doing::WithoutRows(doing), &error))
}

/// Runs a statement over raw rows, and returns how many it changed.
pub(super) async fn discreetly(session: &Session, doing: &Attempt, sql: &str) -> Result<u64, RuleFailure> {
    discreet::execute(session, sql)
        .await
        .map_err(|error| RuleFailure::new(Doing::Discreet(doing), &error))
}
