//! FORCE ROW LEVEL SECURITY, while rows of a database that is already there are read: under it not even the owner sees
//! every row. What is lifted is noted in the gem's own schema first, so that it is put back also where a job is killed.

use super::state;
use crate::error::{Doing, Error, Result};
use crate::failure::Attempt;
use crate::plan::quote_literal;
use crate::postgres::session::connect::Session;
use crate::postgres::session::get;

fn doing(error: tokio_postgres::Error) -> Error {
    Error::from_server(Doing::WithoutRows(&Attempt::LiftingForcedSecurity), &error)
}

/// Tables whose policies hold for the role that works here, although it owns them. Others it may not change.
const FORCED: &str = "SELECT c.oid::regclass::text AS name \
    FROM pg_class c, pg_roles me WHERE me.rolname = current_user AND c.relforcerowsecurity AND c.relrowsecurity \
      AND NOT me.rolsuper AND NOT me.rolbypassrls AND pg_has_role(me.oid, c.relowner, 'USAGE') \
      AND c.relnamespace <> coalesce(to_regnamespace('scalingo_staging_sync')::oid, 0) ORDER BY c.oid";

/// Lets the owner see every row of each table, until [`put_back`]. Says whether any had to be lifted.
///
/// # Errors
/// When the server refuses, or a lock is not had in time.
pub(crate) async fn lift(session: &Session, lock_timeout: f64) -> Result<bool> {
    let rows = session.query(FORCED, &[]).await.map_err(doing)?;
    let tables = rows.iter().map(|row| get(row, "name"));
    let tables = tables.collect::<Result<Vec<String>>>()?;
    if tables.is_empty() {
        return Ok(false);
    }
    state::prepare(session).await?;
    let milliseconds = (lock_timeout * 1000.0) as u64;
    let mut sql = format!(
        "BEGIN; SET LOCAL lock_timeout = {milliseconds}; \
         CREATE TABLE IF NOT EXISTS scalingo_staging_sync.unforced (name text PRIMARY KEY)"
    );
    for table in &tables {
        sql.push_str(&format!(
            "; INSERT INTO scalingo_staging_sync.unforced VALUES ({}) ON CONFLICT DO NOTHING; \
             ALTER TABLE ONLY {table} NO FORCE ROW LEVEL SECURITY",
            quote_literal(table)
        ));
    }
    sql.push_str("; COMMIT");
    match session.batch_execute(&sql).await {
        Ok(()) => Ok(true),
        Err(error) => {
            let _ = session.batch_execute("ROLLBACK").await;
            Err(doing(error))
        }
    }
}

/// Puts back what was lifted, also by a job that was killed. Does nothing where nothing was.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn put_back(session: &Session) -> Result<()> {
    let there = "SELECT to_regclass('scalingo_staging_sync.unforced') IS NOT NULL \
                   AND has_table_privilege(to_regclass('scalingo_staging_sync.unforced'), 'SELECT')";
    let row = session.query_one(there, &[]).await.map_err(doing)?;
    if row.try_get(0).map_err(doing)? {
        // What a run has dropped meanwhile is passed over.
        let sql = "SELECT name FROM scalingo_staging_sync.unforced WHERE to_regclass(name) IS NOT NULL ORDER BY name";
        let mut all = String::new();
        for row in session.query(sql, &[]).await.map_err(doing)? {
            let table: String = get(&row, "name")?;
            all.push_str(&format!("ALTER TABLE ONLY {table} FORCE ROW LEVEL SECURITY; "));
        }
        all.push_str("DROP TABLE scalingo_staging_sync.unforced");
        // One message, one transaction.
        session.batch_execute(&all).await.map_err(doing)?;
    }
    Ok(())
}
