//! Foreign keys between kept tables and those that were replaced, once all rows are there: a row of a kept table whose
//! counterpart is missing refers to nothing from now on where it may; a key that then holds of every row is validated.

use crate::error::{Doing, Error, Result};
use crate::failure::Attempt;
use crate::notice::Notice;
use crate::plan::keep::KeptKey;
use crate::plan::{quote_identifier, Plan};
use crate::postgres::session::connect::Session;
use crate::postgres::Target;

fn doing(error: tokio_postgres::Error) -> Error {
    Error::from_server(Doing::WithRows(&Attempt::CheckingKeptKeys), &error)
}

impl Target {
    /// Sees to every such key.
    ///
    /// # Errors
    /// When the server refuses.
    pub(crate) async fn settle_kept(&self, plan: &Plan) -> Result<()> {
        for key in &plan.keep.keys {
            if is_open(&self.control, key).await? {
                self.settle(key).await?;
            }
        }
        Ok(())
    }

    async fn settle(&self, key: &KeptKey) -> Result<()> {
        let session = &self.control;
        let (from, child, missing) = (key.from.sql(), &key.from, missing(key));
        if !key.nullable.is_empty() {
            let sets: Vec<String> = key
                .nullable
                .iter()
                .map(|name| format!("{} = NULL", quote_identifier(name)))
                .collect();
            // The app's own triggers have nothing to do with this.
            let sql = format!(
                "BEGIN; ALTER TABLE {from} DISABLE TRIGGER USER; UPDATE ONLY {from} c SET {} WHERE {missing}",
                sets.join(", ")
            );
            let count = changed(session, &sql).await?;
            let end = format!("ALTER TABLE {from} ENABLE TRIGGER USER; COMMIT");
            session.batch_execute(&end).await.map_err(doing)?;
            if count > 0 {
                self.events.warn(Notice::KeptNullified {
                    table: child.to_string(),
                    count,
                    missing: key.to.to_string(),
                    columns: key.nullable.clone(),
                });
            }
        }
        let sql = format!("SELECT count(*) FROM ONLY {from} c WHERE {missing}");
        let row = session.query_one(&sql, &[]).await.map_err(doing)?;
        let count: i64 = row.try_get(0).map_err(doing)?;
        if count > 0 {
            self.events.warn(Notice::KeptKeyNotValid {
                table: child.to_string(),
                count: count.unsigned_abs(),
                missing: key.to.to_string(),
                key: key.name.clone(),
            });
            return Ok(());
        }
        let sql = format!(
            "ALTER TABLE {from} VALIDATE CONSTRAINT {}",
            quote_identifier(&key.name)
        );
        session.batch_execute(&sql).await.map_err(doing)?;
        Ok(())
    }
}

/// Whether a key is there and NOT VALID.
async fn is_open(session: &Session, key: &KeptKey) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE contype = 'f' AND NOT convalidated \
               AND conrelid = pg_catalog.to_regclass($1) AND conname::text = $2)";
    let row = session
        .query_one(sql, &[&key.from.sql(), &key.name])
        .await
        .map_err(doing)?;
    row.try_get(0).map_err(doing)
}

/// Whether the row `c` refers to one that is not there.
fn missing(key: &KeptKey) -> String {
    let refers = key
        .columns
        .iter()
        .map(|name| format!("c.{} IS NOT NULL", quote_identifier(name)));
    let same = key
        .columns
        .iter()
        .zip(&key.referenced)
        .map(|(from, to)| format!("p.{} = c.{}", quote_identifier(to), quote_identifier(from)));
    format!(
        "{} AND NOT EXISTS (SELECT FROM {} p WHERE {})",
        refers.collect::<Vec<_>>().join(" AND "),
        key.to.sql(),
        same.collect::<Vec<_>>().join(" AND ")
    )
}

async fn changed(session: &Session, sql: &str) -> Result<u64> {
    use tokio_postgres::SimpleQueryMessage::CommandComplete;
    let answers = session.simple_query(sql).await.map_err(doing)?;
    let counts = answers.iter().filter_map(|answer| match answer {
        CommandComplete(rows) => Some(*rows),
        _ => None,
    });
    Ok(counts.last().unwrap_or(0))
}
