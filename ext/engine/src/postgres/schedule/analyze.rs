//! Statistics for the planner: without them the restored database would be slow until autovacuum came by.

use crate::error::{Doing, Error, Result};
use crate::failure::Attempt;
use crate::notice::Notice;
use crate::plan::TableName;
use crate::postgres::inspect::relations;
use crate::postgres::session::connect::Session;
use crate::postgres::session::{get, is_not_found};
use crate::postgres::Target;
use futures_util::future::try_join_all;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

/// Tables and materialized views of the current role, large ones first. Partitions come with their root.
const TABLES: &str = "SELECT n.nspname::text AS schema, c.relname::text AS name \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid = c.relowner \
    WHERE r.rolname = current_user AND c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND c.oid >= 16384 \
      AND c.relpersistence <> 't' AND n.nspname NOT IN ('scalingo_staging_sync', 'information_schema') \
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') \
    ORDER BY c.relkind = 'p' DESC, c.relpages DESC, c.oid";

impl Target {
    /// Runs ANALYZE on every table and materialized view of the role, over several connections.
    ///
    /// # Errors
    /// Naming the table, when the server refuses; [`Kind::TargetConnection`](crate::error::Kind) when a session
    /// breaks.
    pub async fn analyze(&self) -> Result<()> {
        self.analyze_others(&HashSet::new()).await
    }

    /// As [`Target::analyze`], without those that were analyzed already.
    ///
    /// # Errors
    /// As [`Target::analyze`].
    pub async fn analyze_others(&self, done: &HashSet<TableName>) -> Result<()> {
        let session = self.session().await?;
        let rows = session.query(TABLES, &[]).await.map_err(|error| {
            Error::from_server(Doing::WithoutRows(&Attempt::LookingForTablesToAnalyze), &error)
        })?;
        let tables = rows
            .iter()
            .map(|row| {
                Ok(TableName::new(
                    get::<String>(row, "schema")?,
                    get::<String>(row, "name")?,
                ))
            })
            .collect::<Result<Vec<TableName>>>()?;
        let tables: Vec<TableName> = tables.into_iter().filter(|table| !done.contains(table)).collect();
        let workers = self.parallel().min(tables.len());
        let left = Arc::new(Mutex::new(tables.into_iter()));
        let mut sessions = vec![session];
        while sessions.len() < workers {
            sessions.push(self.session().await?);
        }
        let mut tasks: JoinSet<Result<Session>> = JoinSet::new();
        for session in sessions {
            let (left, events) = (Arc::clone(&left), self.events.clone());
            tasks.spawn(async move {
                loop {
                    let next = left.lock().await.next();
                    let Some(table) = next else { return Ok(session) };
                    if !analyze(&session, &table).await? {
                        let table = table.to_string();
                        events.warn(Notice::NoStatistics { table });
                    }
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            let session = done.map_err(|_| Error::internal("ANALYZE stopped unexpectedly."))??;
            self.give_back(session);
        }
        Ok(())
    }
}

/// Runs ANALYZE on tables while others load, each in a transaction of its own and all on their way at once. False: one
/// must wait until all are there, because it has partitions or heirs, or is one's, or could not be.
pub(in crate::postgres) async fn analyze_beside_others(
    session: &Session,
    tables: &[TableName],
) -> Result<Vec<bool>> {
    let plain = "c.relkind = 'r' AND NOT c.relispartition AND NOT c.relhassubclass AND pg_has_role(c.relowner, 'USAGE')";
    let one = |table| Attempt::Analyzing { table };
    let plain = relations::each_is(session, (one, Attempt::AnalyzingTables), plain, tables).await?;
    let each = tables.iter().zip(plain).map(async |(table, plain)| {
        let analyzed: Result<bool> = Ok(plain && analyze(session, table).await?);
        analyzed
    });
    try_join_all(each).await
}

/// Whether a table has statistics now: it computes what its indexes do, whose functions may name others without their
/// schema.
async fn analyze(session: &Session, table: &TableName) -> Result<bool> {
    let sql = format!("ANALYZE {}", table.sql());
    let mut analyzed = session.batch_execute(&sql).await;
    if analyzed.as_ref().is_err_and(is_not_found) {
        let sql = format!("SET LOCAL search_path TO DEFAULT; {sql}");
        analyzed = session.batch_execute(&sql).await;
    }
    match analyzed {
        Ok(()) => Ok(true),
        Err(error) if is_not_found(&error) => Ok(false),
        Err(error) => Err(Error::from_server(
            Doing::WithRows(&Attempt::Analyzing {
                table: table.to_string(),
            }),
            &error,
        )),
    }
}
