//! Statements over raw rows, which must leave nothing of them in the server's log.
//!
//! The server writes an error that ends a statement into its log, and the error may quote a value: of a cast that
//! failed, of a row that no constraint let pass. An error that PL/pgSQL catches is not written. So each such statement
//! runs within a function of the session's own that catches what it meets, and raises in its place an error of the same
//! code that names objects alone, and those only if the catalogs have them (what a function of the database's own names
//! may be anything). What ends a session is not caught; it quotes no value, since no statement here holds one.

use crate::error::{Doing, Error, Kind, Result};
use crate::failure::{Attempt, TargetFailure, TargetRemedy};
use crate::plan::quote_literal;
use crate::postgres::session::connect::Session;
use tokio_postgres::error::SqlState;

/// The function: runs a statement, and returns the numbers that it selects, or how many rows it changed.
const FUNCTION: &str = "pg_temp.scalingo_staging_sync_discreetly";

/// The function that returns the numbers of a query's rows, and undoes what the query has written beside.
const CHOOSING: &str = "pg_temp.scalingo_staging_sync_chosen";

/// What makes it. What a block of PL/pgSQL has returned stays when its subtransaction is rolled back.
const CREATE_CHOOSING: &str = r"
CREATE OR REPLACE FUNCTION pg_temp.scalingo_staging_sync_chosen(query_text text)
RETURNS SETOF bigint LANGUAGE plpgsql ROWS 100000 AS $chosen$
DECLARE
  is_done boolean := false;
BEGIN
  BEGIN
    RETURN QUERY EXECUTE query_text;
    is_done := true;
    RAISE EXCEPTION 'undo';
  EXCEPTION WHEN raise_exception THEN
    IF NOT is_done THEN
      RAISE;
    END IF;
  END;
END $chosen$";

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
        Doing::WithoutRows(&Attempt::PreparingRules),
        &error,
    ))
}

/// Prepares such a transaction for queries that may write nothing, whatever functions they call.
///
/// # Errors
/// As [`prepare`].
pub(crate) async fn prepare_to_choose(session: &Session) -> Result<()> {
    prepare(session).await?;
    let sql = format!("{CREATE_CHOOSING}; SET TRANSACTION READ ONLY");
    let prepared = session.batch_execute(&sql).await;
    prepared.map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::PreparingConditions), &error))
}

/// The rows of a query that selects one number each, for the FROM of a statement that is run here.
pub(crate) fn chosen(query: &str) -> String {
    // Whatever standard_conforming_strings is there.
    let quoted = quote_literal(&query.replace('\\', "\\\\"));
    format!("{CHOOSING}(E{quoted})")
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
