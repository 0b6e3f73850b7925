//! Statements over raw rows, which must leave nothing of them in the server's log.
//!
//! The server writes an error that ends a statement into its log, and the error may quote a value: of a cast that
//! failed, of a row that no constraint let pass. An error that PL/pgSQL catches is not written. So each such statement
//! runs within a function of the session's own that catches what it meets, and raises in its place an error of the same
//! code that names objects alone, and those only if the catalogs have them (what a function of the database's own names
//! may be anything). What ends a session is not caught; it quotes no value, since no statement here holds one.

use crate::error::{Doing, Error, Kind, Result};
use crate::failure::{TargetFailure, TargetRemedy};
use crate::postgres::session::connect::Session;
use tokio_postgres::error::SqlState;

/// The function: runs a statement, and returns the numbers that it selects, or how many rows it changed.
const FUNCTION: &str = "pg_temp.scalingo_staging_sync_discreetly";

/// What makes the function, and silences what functions of the database's own say aloud over raw rows, where the role
/// may. The rest of the transaction has nothing to say either but how it ended, which we are given.
const CREATE: &str = r"
CREATE OR REPLACE FUNCTION pg_temp.scalingo_staging_sync_discreetly(statement_text text, selects boolean)
RETURNS bigint[] LANGUAGE plpgsql AS $discreet$
DECLARE
  numbers bigint[];
  changed bigint;
  of_code text; of_schema text; of_table text; of_column text; of_constraint text; of_type text;
BEGIN
  IF selects THEN
    EXECUTE statement_text INTO numbers;
  ELSE
    EXECUTE statement_text;
    GET DIAGNOSTICS changed = ROW_COUNT;
    numbers := ARRAY[changed];
  END IF;
  RETURN numbers;
EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
  GET STACKED DIAGNOSTICS of_code = RETURNED_SQLSTATE, of_schema = SCHEMA_NAME, of_table = TABLE_NAME,
    of_column = COLUMN_NAME, of_constraint = CONSTRAINT_NAME, of_type = PG_DATATYPE_NAME;
  RAISE EXCEPTION USING
    ERRCODE = of_code,
    MESSAGE = 'a statement over rows failed; what the server said of it is withheld',
    SCHEMA = CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname::text = of_schema) THEN of_schema ELSE '' END,
    TABLE = CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_class WHERE relname::text = of_table) THEN of_table ELSE '' END,
    COLUMN = CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attname::text = of_column) THEN of_column ELSE '' END,
    CONSTRAINT = CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conname::text = of_constraint
                                   UNION ALL SELECT FROM pg_catalog.pg_class WHERE relname::text = of_constraint)
                      THEN of_constraint ELSE '' END,
    DATATYPE = CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_type WHERE typname::text = of_type) THEN of_type ELSE '' END;
END $discreet$;
DO $quiet$ BEGIN
  PERFORM pg_catalog.set_config('log_min_messages', 'fatal', true);
EXCEPTION WHEN OTHERS THEN
  NULL;
END $quiet$";

/// Prepares a transaction for such statements.
///
/// # Errors
/// When the database has no PL/pgSQL, or the server refuses.
pub(crate) async fn prepare(session: &Session) -> Result<()> {
    let Err(error) = session.batch_execute(CREATE).await else {
        return Ok(());
    };
    if error.code() == Some(&SqlState::UNDEFINED_OBJECT) {
        return Err(Error::new(
            Kind::Restore,
            TargetFailure::NoPlpgsql,
            TargetRemedy::CreatePlpgsql,
        ));
    }
    Err(Error::from_server(
        Doing::WithoutRows("preparing rules in SQL"),
        &error,
    ))
}

/// Runs a statement, and returns how many rows it changed.
///
/// # Errors
/// The server's, which [`Doing::Discreet`] says.
pub(crate) async fn execute(session: &Session, sql: &str) -> Result<u64, tokio_postgres::Error> {
    let numbers = run(session, sql, false).await?;
    Ok(numbers.first().copied().unwrap_or(0))
}

/// Runs a query that selects one row of one array, as [`array()`] writes it, and returns the numbers in it.
///
/// # Errors
/// As [`execute`].
pub(in crate::postgres) async fn ask(
    session: &Session,
    sql: &str,
) -> Result<Vec<u64>, tokio_postgres::Error> {
    run(session, sql, true).await
}

/// Numbers as one value, for [`ask`].
pub(in crate::postgres) fn array(numbers: &[String]) -> String {
    format!("ARRAY[{}]::pg_catalog.int8[]", numbers.join(", "))
}

async fn run(session: &Session, sql: &str, selects: bool) -> Result<Vec<u64>, tokio_postgres::Error> {
    let row = session
        .query_one(&format!("SELECT {FUNCTION}($1, $2)"), &[&sql, &selects])
        .await?;
    let numbers: Vec<i64> = row.try_get(0)?;
    Ok(numbers
        .into_iter()
        .map(|number| u64::try_from(number).unwrap_or(0))
        .collect())
}
