//! Raw rows that wait beside their temporary table, because the server might quote what it reads of them: they move in
//! by one statement whose errors are caught.

use crate::error::{Doing, Error, Result};
use crate::failure::Attempt;
use crate::plan::sql_rules::{SqlGroup, SqlTable};
use crate::postgres::session::connect::Session;
use crate::postgres::sql_rules::discreet;
use tokio_postgres::types::Type;

/// Of a waiting table, the columns and how each is read, as lists. A column that is not of its own type holds the bytes
/// of its text, which are read as COPY reads them: by the type's input function, with the column's modifier. Those that
/// return no type of their own (of arrays, enums, domains, ranges) can only be called by a cast; the modifier is applied
/// when the value is assigned then.
const COLUMNS: &str = "SELECT \
    string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum), \
    string_agg(CASE \
      WHEN s.atttypid = a.atttypid AND NOT $3 THEN quote_ident(a.attname) \
      WHEN p.prorettype = a.atttypid THEN format('%s(pg_catalog.textout(pg_catalog.convert_from(%I, %L))%s)', \
        p.oid::regproc, a.attname, $4, \
        CASE WHEN p.pronargs > 1 \
          THEN format(', %s::pg_catalog.oid, %s', CASE t.typelem WHEN 0 THEN t.oid ELSE t.typelem END, a.atttypmod) \
          ELSE '' END) \
      ELSE format('pg_catalog.convert_from(%I, %L)::%s', a.attname, $4, format_type(a.atttypid, -1)) END, \
      ', ' ORDER BY a.attnum) \
  FROM pg_attribute s \
  JOIN pg_attribute a ON a.attrelid = $2::text::regclass AND a.attname = s.attname AND a.attnum > 0 \
  JOIN pg_type t ON t.oid = a.atttypid JOIN pg_proc p ON p.oid = t.typinput \
  WHERE s.attrelid = $1::text::regclass AND s.attnum > 0";

/// Moves what waits into a group's temporary tables.
///
/// # Errors
/// When a value cannot be read, or the server refuses otherwise.
pub(super) async fn move_in(session: &Session, group: &SqlGroup, encoding: &str) -> Result<()> {
    let waiting: Vec<(&SqlTable, String, bool)> = group
        .tables
        .iter()
        .flat_map(|table| {
            [
                (table, table.waiting(), false),
                (table, table.waiting_as_bytes(), true),
            ]
        })
        .collect();
    let names: Vec<&str> = waiting.iter().map(|(_, name, _)| name.as_str()).collect();
    let refused = |error: tokio_postgres::Error| {
        Error::from_server(Doing::WithoutRows(&Attempt::LookingForWaitingRows), &error)
    };
    let there = session
        .query_typed(
            "SELECT relname::text FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relname::text = ANY ($1)",
            &[(&names, Type::TEXT_ARRAY)],
        )
        .await
        .map_err(refused)?;
    let there = there.iter().map(|row| row.try_get(0));
    let there: Vec<String> = there.collect::<Result<_, _>>().map_err(refused)?;
    for (table, name, as_bytes) in waiting {
        if there.contains(&name) {
            move_from(session, table, &format!("pg_temp.{name}"), as_bytes, encoding).await?;
        }
    }
    Ok(())
}

async fn move_from(
    session: &Session,
    table: &SqlTable,
    waiting: &str,
    as_bytes: bool,
    encoding: &str,
) -> Result<()> {
    let doing = Attempt::ReadingRows {
        table: table.table.to_string(),
    };
    let refused = |error| Error::from_server(Doing::WithoutRows(&doing), &error);
    let row = session
        .query_typed(
            COLUMNS,
            &[
                (&waiting, Type::TEXT),
                (&table.temporary(), Type::TEXT),
                (&as_bytes, Type::BOOL),
                (&encoding, Type::TEXT),
            ],
        )
        .await
        .map_err(refused)?;
    let Some(row) = row.first() else {
        return Ok(());
    };
    let names: String = row.try_get(0).map_err(refused)?;
    let values: String = row.try_get(1).map_err(refused)?;
    let sql = format!(
        "INSERT INTO {} ({names}) SELECT {values} FROM {waiting}",
        table.temporary()
    );
    discreet::execute(session, &sql)
        .await
        .map_err(|error| Error::from_server(Doing::Discreet(&doing), &error))?;
    // They would take room beside the others until the transaction's end.
    session
        .batch_execute(&format!("TRUNCATE {waiting}"))
        .await
        .map_err(refused)
}
