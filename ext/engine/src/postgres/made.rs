//! What the backup makes, made in a transaction that is rolled back: what is asked of a database before the backup's schema
//! stands may need its types and functions.
//!
//! What is there serves as it is where it is the same. A function gives way to the backup's, and a type of another shape is
//! renamed before the backup's is made, so that the answer is of the backup alone, whatever a database had before. No
//! session beside this one sees any of it, none waits for it but one that changes the same function or type, and it waits
//! for none longer than a few seconds.

use crate::error::{reason, words_of, Doing, Error, Result};
use crate::failure::{Attempt, ServerAnswer};
use crate::plan::Statement;
use crate::postgres::session::connect::Session;
use pg_dump_archive::{DumpId, EntryKind};

/// What could not be made, and why.
#[derive(Debug, Clone)]
pub(crate) struct Unmade {
    /// Its entry.
    pub(crate) statement: DumpId,
    /// What the server says.
    pub(crate) why: ServerAnswer,
}

/// What makes one after the other, in one round trip, and returns the places of those that are refused. What PL/pgSQL
/// executes in a function can neither commit nor roll back. A name without its schema is looked for as the statement says.
const FUNCTIONS: &str = r"
CREATE OR REPLACE FUNCTION pg_temp.scalingo_staging_sync_shape(of_type regtype) RETURNS text LANGUAGE sql AS $shape$
  SELECT pg_catalog.concat_ws(E'\n',
    (SELECT string_agg(enumlabel::text, E'\n' ORDER BY enumsortorder) FROM pg_catalog.pg_enum WHERE enumtypid = t.oid),
    (SELECT string_agg(attname::text || ' ' || format_type(atttypid, atttypmod), E'\n' ORDER BY attnum)
     FROM pg_catalog.pg_attribute WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped),
    CASE typtype WHEN 'd' THEN concat_ws(' ', format_type(typbasetype, typtypmod), typcollation, typnotnull) END,
    (SELECT string_agg(pg_get_constraintdef(c.oid), E'\n' ORDER BY pg_get_constraintdef(c.oid))
     FROM pg_catalog.pg_constraint c WHERE contypid = t.oid))
  FROM pg_catalog.pg_type t WHERE t.oid = of_type
$shape$;
CREATE OR REPLACE FUNCTION pg_temp.scalingo_staging_sync_make(statements text[], functions text[], types text[])
RETURNS TABLE (place integer, code text, message text) LANGUAGE plpgsql
SET search_path = '' SET check_function_bodies = off SET lock_timeout = '5s' AS $make$
DECLARE
  was regtype;
  function_was regprocedure;
  shape_was text;
BEGIN
  FOR n IN 1 .. cardinality(statements) LOOP
    BEGIN
      BEGIN
        EXECUTE statements[n];
      EXCEPTION
        WHEN duplicate_object OR duplicate_function OR duplicate_schema OR duplicate_table OR unique_violation THEN
          was := to_regtype(types[n]);
          IF was IS NOT NULL THEN
            BEGIN
              shape_was := pg_temp.scalingo_staging_sync_shape(was);
              EXECUTE format('ALTER TYPE %s RENAME TO %I', was, 'scalingo_staging_sync_was_' || was::oid);
              EXECUTE statements[n];
              IF shape_was = pg_temp.scalingo_staging_sync_shape(to_regtype(types[n])) THEN
                RAISE EXCEPTION 'it is the same';
              END IF;
            EXCEPTION WHEN raise_exception THEN
              NULL;
            END;
          END IF;
        WHEN invalid_function_definition THEN
          function_was := to_regprocedure(functions[n]);
          IF function_was IS NULL THEN
            RAISE;
          END IF;
          EXECUTE format('ALTER FUNCTION %s RENAME TO %I', function_was, 'scalingo_staging_sync_was_' || function_was::oid);
          EXECUTE statements[n];
        WHEN insufficient_privilege THEN
          IF to_regprocedure(functions[n]) IS NULL THEN
            RAISE;
          END IF;
      END;
    EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
      GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
      place := n;
      RETURN NEXT;
    END;
  END LOOP;
END $make$";

fn doing(error: tokio_postgres::Error) -> Error {
    Error::from_server(Doing::WithoutRows(&Attempt::MakingNeeded), &error)
}

/// Makes what these statements make, in their order, in a transaction that has begun and has to be rolled back. Returns what
/// could not be made.
///
/// # Errors
/// When the connection breaks.
pub(crate) async fn make<'s>(
    session: &Session,
    statements: impl IntoIterator<Item = &'s Statement>,
) -> Result<Vec<Unmade>> {
    let statements: Vec<&Statement> = statements.into_iter().collect();
    if statements.is_empty() {
        return Ok(Vec::new());
    }
    let control = |sql: &'static str| async move { session.batch_execute(sql).await.map_err(doing) };
    control("SAVEPOINT making").await?;
    let unmade = |at: usize, why| {
        let statement = statements.get(at)?.dump_id;
        Some(Unmade { statement, why })
    };
    match made(session, &statements).await {
        Ok(refused) => {
            control("RELEASE SAVEPOINT making").await?;
            let refused = refused.into_iter();
            Ok(refused.filter_map(|(at, why)| unmade(at, why)).collect())
        }
        Err(error) if error.as_db_error().is_none() => Err(doing(error)),
        // The database has no PL/pgSQL, or the role may not make temporary objects.
        Err(error) => {
            control("ROLLBACK TO SAVEPOINT making").await?;
            let why = reason(Doing::WithoutRows(&Attempt::MakingNeeded), &error);
            let all = (0..statements.len()).filter_map(|at| unmade(at, why.clone()));
            Ok(all.collect())
        }
    }
}

/// The places of those that are refused, and why.
async fn made(
    session: &Session,
    statements: &[&Statement],
) -> Result<Vec<(usize, ServerAnswer)>, tokio_postgres::Error> {
    session.batch_execute(FUNCTIONS).await?;
    let sql: Vec<String> = statements.iter().map(|one| replacing(one)).collect();
    let functions: Vec<Option<&str>> = statements.iter().map(|one| signature(one)).collect();
    let types: Vec<Option<&str>> = statements.iter().map(|one| type_name(&one.sql)).collect();
    let asked = "SELECT place, code, message FROM pg_temp.scalingo_staging_sync_make($1, $2, $3)";
    let rows = session.query(asked, &[&sql, &functions, &types]).await?;
    let mut refused = Vec::with_capacity(rows.len());
    for row in rows {
        let (place, code, message): (i32, &str, &str) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let place = usize::try_from(place).unwrap_or_default().saturating_sub(1);
        refused.push((place, words_of(code, message)));
    }
    Ok(refused)
}

/// A statement that takes the place of a function that is there.
fn replacing(statement: &Statement) -> String {
    match statement.kind {
        EntryKind::Function => statement
            .sql
            .replacen("CREATE FUNCTION ", "CREATE OR REPLACE FUNCTION ", 1),
        _ => statement.sql.clone(),
    }
}

/// A function with the types of its arguments.
fn signature(statement: &Statement) -> Option<&str> {
    (statement.kind == EntryKind::Function).then_some(statement.name.as_str())
}

/// The name, as the statement writes it, of a type that can be renamed before another of its name is made: an enum, a
/// composite type or a domain. A range has another type beside it that would have to be renamed, too.
fn type_name(sql: &str) -> Option<&str> {
    let heads = [
        ("CREATE TYPE ", " AS ENUM ("),
        ("CREATE TYPE ", " AS ("),
        ("CREATE DOMAIN ", " AS "),
    ];
    heads.iter().find_map(|(head, end)| {
        let (_, rest) = sql.split_once(head)?;
        let (name, _) = rest.split_once(end)?;
        (!name.contains('\n')).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Refusal;

    #[test]
    fn a_function_takes_the_place_of_one_that_is_there() {
        let sql = "CREATE FUNCTION public.f(text) RETURNS text AS $$CREATE FUNCTION x$$;";
        let mut statement = Statement {
            dump_id: DumpId(1),
            kind: EntryKind::Function,
            name: "public.f(text)".into(),
            sql: sql.into(),
            needs: Vec::new(),
            refusal: Refusal::Fatal,
        };
        assert_eq!(
            replacing(&statement),
            sql.replacen("FUNCTION", "OR REPLACE FUNCTION", 1)
        );
        assert_eq!(signature(&statement), Some("public.f(text)"));
        statement.kind = EntryKind::Cast;
        assert_eq!(
            (replacing(&statement).as_str(), signature(&statement)),
            (sql, None)
        );
    }

    #[test]
    fn a_type_that_can_be_renamed_is_known_by_its_statement() {
        assert_eq!(
            type_name("CREATE TYPE public.mood AS ENUM (\n    'low AS (',\n);"),
            Some("public.mood")
        );
        assert_eq!(
            type_name("CREATE TYPE public.\"odd one\" AS (\n\ta integer\n);"),
            Some("public.\"odd one\"")
        );
        assert_eq!(
            type_name("CREATE DOMAIN public.short AS text\n\tCONSTRAINT c CHECK (true);"),
            Some("public.short")
        );
        assert_eq!(
            type_name("CREATE TYPE public.span AS RANGE (\n    subtype = date\n);"),
            None
        );
        assert_eq!(type_name("CREATE TYPE public.base;"), None);
        assert_eq!(
            type_name("CREATE FUNCTION f() RETURNS text AS $$ \nSELECT 1 AS (x) $$;"),
            None
        );
    }
}
