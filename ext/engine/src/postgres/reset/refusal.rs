//! Statements of the reset, and a refusal of one.

use crate::error::{Doing, Error};
use crate::failure::{Attempt, TargetRemedy};
use crate::plan::Statement;
use crate::postgres::inspect::extensions::{self, Need};
use crate::postgres::session::connect::Session;
use crate::postgres::session::is_passing;

/// A statement that was refused, and how.
pub(super) struct Refused {
    pub(super) error: Error,
    /// 53200: out of shared memory, which is the lock table's.
    pub(super) out_of_locks: bool,
    /// Worth another try as it is.
    pub(super) passing: bool,
    /// A lock was not had, or a statement not done, in time.
    pub(super) too_late: bool,
}

impl Refused {
    pub(super) fn new(doing: &Attempt, error: &tokio_postgres::Error) -> Self {
        Self {
            out_of_locks: error.code().is_some_and(|code| code.code() == "53200"),
            // A lock timeout is not tried again: `lock_timeout` says how long to wait.
            passing: is_passing(error) && error.code().is_none_or(|code| code.code() != "55P03"),
            too_late: error
                .code()
                .is_some_and(|code| matches!(code.code(), "55P03" | "57014" | "40P01")),
            error: Error::from_server(Doing::WithoutRows(doing), error),
        }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self {
            error,
            out_of_locks: false,
            passing: false,
            too_late: false,
        }
    }
}

pub(super) async fn run(session: &Session, doing: &Attempt, sql: &str) -> Result<(), Refused> {
    session
        .batch_execute(sql)
        .await
        .map_err(|error| Refused::new(doing, &error))
}

pub(super) fn statement_refused(
    statement: &Statement,
    need: Option<Need>,
    error: &tokio_postgres::Error,
) -> Refused {
    if let Some(need) = need {
        return extension_refused(&statement.name, need, error);
    }
    let mut refused = Refused::new(
        &Attempt::Creating {
            object: format!("{} {}", statement.kind, statement.name),
        },
        error,
    );
    // Duplicate table, object, function, schema.
    let taken = error
        .code()
        .is_some_and(|code| matches!(code.code(), "42P07" | "42710" | "42723" | "42P06"));
    if taken {
        refused.error.remedy = TargetRemedy::NameIsTaken.into();
    }
    refused
}

pub(super) fn extension_refused(name: &str, need: Need, error: &tokio_postgres::Error) -> Refused {
    match extensions::refused(name, need, error) {
        Some(error) => error.into(),
        None => Refused::new(
            &Attempt::CreatingExtension {
                extension: name.to_string(),
            },
            error,
        ),
    }
}
