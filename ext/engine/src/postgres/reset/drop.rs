//! Dropping what the target's role owns, object by object.

use crate::error::{Doing, Error, Result};
use crate::failure::Attempt;
use crate::postgres::inspect::inventory::{self, Owned};
use crate::postgres::session::connect::Session;

/// Objects named by one DROP, and tables by one LOCK TABLE.
pub(super) const PER_STATEMENT: usize = 200;

/// Large objects unlinked per transaction.
const PER_UNLINK: i64 = 1_000;

/// `DROP TABLE IF EXISTS a, b CASCADE`, for each run of objects of one kind.
pub(super) fn drop_statements(objects: &[Owned]) -> Vec<String> {
    let mut statements = Vec::new();
    let mut rest = objects;
    while let Some(first) = rest.first() {
        let most = match inventory::drops_several(first.kind) && !first.alone {
            true => PER_STATEMENT,
            false => 1,
        };
        let together = |one: &&Owned| one.kind == first.kind && one.alone == first.alone;
        let length = rest.iter().take(most).take_while(together).count();
        let (now, later) = rest.split_at(length);
        let names: Vec<&str> = now.iter().map(|one| one.identity.as_str()).collect();
        // IF EXISTS, since an object may have gone along with an earlier one.
        statements.push(format!(
            "DROP {} IF EXISTS {} CASCADE",
            first.kind,
            names.join(", ")
        ));
        rest = later;
    }
    statements
}

/// Unlinks the role's large objects, some per transaction, until none is left.
pub(super) async fn unlink_in_batches(session: &Session) -> Result<()> {
    let sql = "SELECT count(lo_unlink(oid)) FROM ( \
                 SELECT l.oid FROM pg_largeobject_metadata l JOIN pg_roles r ON r.oid = lomowner \
                 WHERE r.rolname = current_user LIMIT $1) AS batch";
    loop {
        let row = session.query_one(sql, &[&PER_UNLINK]).await;
        let unlinked: i64 = row.and_then(|row| row.try_get(0)).map_err(|error| {
            Error::from_server(Doing::WithoutRows(&Attempt::UnlinkingLargeObjects), &error)
        })?;
        if unlinked < PER_UNLINK {
            return Ok(());
        }
    }
}
