//! What the closure's SQL is made of: the tables beside the key tables, what joins a row to another, and how it is run.

use super::Closure;
use crate::error::{Doing, Error, Result};
use crate::failure::Attempt;
use crate::part::keys::{key, KeyTable};
use crate::plan::part::Reference;

impl Closure<'_> {
    /// Whether the row `c` refers to one that was there and is not.
    pub(super) fn is_orphan(&self, at: usize) -> String {
        let reference = &self.part.references[at];
        let refers = reference
            .columns
            .iter()
            .map(|(from, _)| format!("c.{} IS NOT NULL", key(*from)));
        let refers: Vec<String> = refers.chain(self.refers_at_all(reference)).collect();
        let known = if self.dangling[at] {
            format!(
                " AND NOT EXISTS (SELECT FROM {} d WHERE d.place = c.place)",
                dangling(at)
            )
        } else {
            String::new()
        };
        format!(
            "{} AND NOT EXISTS (SELECT FROM {} p WHERE {}){known}",
            refers.join(" AND "),
            self.keys(reference.to),
            self.joined(reference)
        )
    }

    /// What joins a row `c` to the row `p` that it refers to.
    pub(in crate::part) fn joined(&self, reference: &Reference) -> String {
        let equal = reference.columns.iter();
        let equal = equal.map(|(from, to)| format!("c.{} = p.{}", key(*from), key(*to)));
        let mut all: Vec<String> = equal.chain(self.refers_at_all(reference)).collect();
        if let Some(block) = reference.to_block {
            all.push(format!("p.block = {block}"));
        }
        all.join(" AND ")
    }

    /// What has to hold of `c` beside its reference's own columns.
    pub(in crate::part) fn refers_at_all(&self, reference: &Reference) -> Vec<String> {
        let mut all = Vec::new();
        if let Some((column, values)) = &reference.only_where {
            let values: Vec<String> = values.iter().map(|value| bytes(value)).collect();
            all.push(format!("c.{} IN ({})", key(*column), values.join(", ")));
        }
        if let Some(block) = reference.from_block {
            all.push(format!("c.block = {block}"));
        }
        all
    }

    pub(super) fn keys(&self, at: usize) -> String {
        self.tables[at].sql()
    }

    /// A table beside a key table, or the key table itself.
    pub(super) fn beside(&self, at: usize, purpose: &str) -> String {
        self.tables[at].beside(purpose)
    }

    pub(super) fn columns(&self, at: usize) -> String {
        self.tables[at].columns(&self.part.relations[at]).join(", ")
    }

    pub(super) fn columns_of(&self, alias: &str, at: usize) -> String {
        let columns = self.tables[at].columns(&self.part.relations[at]);
        let columns: Vec<String> = columns.iter().map(|column| format!("{alias}.{column}")).collect();
        columns.join(", ")
    }

    pub(super) async fn create_beside(&self, table: &KeyTable, purpose: &str) -> Result<()> {
        let Some(at) = self.tables.iter().position(|one| std::ptr::eq(one, table)) else {
            return Ok(());
        };
        let sql = format!(
            "CREATE TEMPORARY TABLE {} AS SELECT {}, 0 AS round FROM {} WITH NO DATA",
            table.beside(purpose).trim_start_matches("pg_temp."),
            self.columns(at),
            table.sql()
        );
        self.change(&sql).await.map(|_| ())
    }

    pub(super) async fn drop_beside(&self, at: usize, purpose: &str) -> Result<()> {
        self.change(&format!("DROP TABLE {}", self.beside(at, purpose)))
            .await
            .map(|_| ())
    }

    pub(super) async fn index(
        &self,
        at: usize,
        purpose: &str,
        columns: impl Iterator<Item = usize>,
    ) -> Result<()> {
        let columns: Vec<String> = columns.map(key).collect();
        let sql = format!(
            "CREATE INDEX ON {} ({})",
            self.beside(at, purpose),
            columns.join(", ")
        );
        self.change(&sql).await.map(|_| ())
    }

    /// Runs statements; returns how many rows the last has changed.
    pub(super) async fn change(&self, sql: &str) -> Result<u64> {
        use tokio_postgres::SimpleQueryMessage::CommandComplete;
        let refused = |error| Error::from_server(Doing::WithRows(&Attempt::ChoosingSubset), &error);
        let answers = self.session.simple_query(sql).await.map_err(refused)?;
        let counts = answers.iter().filter_map(|answer| match answer {
            CommandComplete(rows) => Some(*rows),
            _ => None,
        });
        Ok(counts.last().unwrap_or(0))
    }
}

/// The rows of a reference whose counterparts were never there.
pub(super) fn dangling(reference: usize) -> String {
    format!("pg_temp.scalingo_staging_sync_dangling_{reference}")
}

/// A text as its bytes.
fn bytes(value: &str) -> String {
    let digits: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("'\\x{digits}'::bytea")
}
