//! What the server's catalogue says of some tables, asked about all of them at once.

use crate::error::{Doing, Error, Result};
use crate::failure::Attempt;
use crate::plan::TableName;
use crate::postgres::session::connect::Session;
use tokio_postgres::types::Type;

/// Whether `pg_class c` is a hypertable of TimescaleDB's: its rows lie in tables that inherit from it.
pub(in crate::postgres) const HYPERTABLE: &str =
    "EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = 'ts_insert_blocker')";

/// Whether a condition on `pg_class c` holds for each of the tables, in their order. `one` and `several`: what for, of one table and
/// of several.
///
/// # Errors
/// Naming the table, when one is not there.
pub(in crate::postgres) async fn each_is<'t>(
    session: &Session,
    (one, several): (fn(String) -> Attempt, Attempt),
    condition: &str,
    tables: impl IntoIterator<Item = &'t TableName>,
) -> Result<Vec<bool>> {
    let tables: Vec<&TableName> = tables.into_iter().collect();
    let names: Vec<String> = tables.iter().map(|table| table.sql()).collect();
    let refused = |error: &tokio_postgres::Error| {
        let doing = match tables[..] {
            [table] => one(table.to_string()),
            _ => several.clone(),
        };
        Error::from_server(Doing::WithoutRows(&doing), error)
    };
    let sql = format!(
        "SELECT {condition} FROM unnest($1) WITH ORDINALITY AS asked (name, place) \
         JOIN pg_class c ON c.oid = asked.name::regclass ORDER BY asked.place"
    );
    // Its parameter's type being said, it takes one message.
    let rows = session.query_typed(&sql, &[(&names, Type::TEXT_ARRAY)]).await;
    let rows = rows.map_err(|error| refused(&error))?;
    let held = rows.iter().map(|row| row.try_get(0));
    held.collect::<Result<Vec<bool>, _>>()
        .map_err(|error| refused(&error))
}
