//! Foreign keys and triggers around tables that are emptied and filled: off before, as they were afterwards.

use super::Masking;
use crate::error::{Doing, Error, Result};
use crate::failure::Attempt;
use crate::notice::Notice;
use crate::plan::{Plan, TableName, TaskId};
use pg_dump_archive::{Entry, EntryKind};
use std::collections::BTreeMap;
use tokio_postgres::error::SqlState;

/// What a foreign key's own ON DELETE action does to rows whose partners a rule deletes, by schema and by table and
/// name (`users users_account_id_fkey`, as the table of contents has it).
pub(super) type Cleanings = BTreeMap<(String, String), String>;

/// The cleanings of a plan: its steps have them before the statement that adds the key.
pub(super) fn cleanings(plan: &Plan, entries: &[Entry]) -> Cleanings {
    let keys = entries.iter().filter(|entry| entry.kind == EntryKind::ForeignKey);
    keys.filter_map(|entry| {
        let step = plan
            .steps
            .iter()
            .find(|step| step.id == TaskId::Entry(entry.dump_id))?;
        let cleaning = step.sql.strip_suffix(&entry.defn)?;
        let name = (entry.namespace.clone(), entry.tag.clone());
        (!cleaning.is_empty()).then(|| (name, cleaning.to_owned()))
    })
    .collect()
}

/// A foreign key that is off.
pub(super) struct CatalogueKey {
    name: String,
    put_back: String,
    /// The table whose rows refer to others.
    table: TableName,
    /// The table that they refer to.
    references: TableName,
    cleaning: Option<String>,
}

impl Masking<'_> {
    /// Drops every foreign key that touches one of the tables or what they are partitions of.
    pub(super) async fn take_off_foreign_keys(&self, tables: &[TableName]) -> Result<Vec<CatalogueKey>> {
        let tables: Vec<String> = tables.iter().map(TableName::sql).collect();
        let rows = self
            .writer
            .query(
                "WITH RECURSIVE touched AS (
                   SELECT name::regclass::oid AS oid FROM unnest($1::text[]) AS name
                   UNION SELECT i.inhparent FROM pg_catalog.pg_inherits i JOIN touched t ON t.oid = i.inhrelid
                 )
                 SELECT k.conname::text,
                        format('ALTER TABLE %s DROP CONSTRAINT %I', k.conrelid::regclass, k.conname),
                        format('ALTER TABLE %s ADD CONSTRAINT %I %s', k.conrelid::regclass, k.conname,
                               pg_catalog.pg_get_constraintdef(k.oid)),
                        hn.nspname::text, h.relname::text, tn.nspname::text, t.relname::text
                 FROM pg_catalog.pg_constraint k
                 JOIN pg_catalog.pg_class h ON h.oid = k.conrelid
                 JOIN pg_catalog.pg_namespace hn ON hn.oid = h.relnamespace
                 JOIN pg_catalog.pg_class t ON t.oid = k.confrelid
                 JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
                 WHERE k.contype = 'f' AND k.conparentid = 0
                   AND (k.conrelid IN (SELECT oid FROM touched) OR k.confrelid IN (SELECT oid FROM touched))
                 ORDER BY k.oid",
                &[&tables],
            )
            .await
            .map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::ReadingForeignKeys), &error))?;
        let mut keys = Vec::new();
        for row in &rows {
            let name: String = row.get(0);
            let drop: String = row.get(1);
            self.execute(
                Doing::WithoutRows(&Attempt::TakingKeyOff {
                    key: name.to_string(),
                }),
                &drop,
            )
            .await?;
            let table = TableName::new(row.get::<_, String>(3), row.get::<_, String>(4));
            let tag = (table.schema.clone(), format!("{} {name}", table.name));
            keys.push(CatalogueKey {
                put_back: row.get(2),
                cleaning: self.cleanings.get(&tag).cloned(),
                references: TableName::new(row.get::<_, String>(5), row.get::<_, String>(6)),
                table,
                name,
            });
        }
        Ok(keys)
    }

    /// Applies the keys' own ON DELETE actions where a rule has deleted rows, and adds the keys again.
    pub(super) async fn put_back_foreign_keys(&self, keys: &[CatalogueKey]) -> Result<()> {
        self.follow_deletes(keys).await?;
        for key in keys {
            let loses = self.plan.sql_rules.losing.contains(&key.references);
            if loses || self.plan.queues.contains(&key.references) {
                self.put_back_or_not_valid(key).await?;
            } else {
                let doing = Attempt::PuttingKeyBack {
                    key: key.name.to_string(),
                };
                self.execute(Doing::WithRows(&doing), &key.put_back).await?;
            }
        }
        Ok(())
    }

    /// Deletes the rows that refer to deleted ones, until there is none, since a row that goes may be one that others
    /// refer to; then changes those that are to stay.
    async fn follow_deletes(&self, keys: &[CatalogueKey]) -> Result<()> {
        let cleanings: Vec<(&CatalogueKey, &String)> = keys
            .iter()
            .filter_map(|key| Some((key, key.cleaning.as_ref()?)))
            .collect();
        if cleanings.is_empty() {
            return Ok(());
        }
        let mut tables: Vec<&TableName> = cleanings.iter().map(|(key, _)| &key.table).collect();
        tables.sort();
        tables.dedup();
        let mut triggers = String::new();
        for table in tables {
            triggers.push_str(&self.silence_triggers(table, &[]).await?);
        }
        let (deletes, updates): (Vec<_>, Vec<_>) = cleanings
            .into_iter()
            .partition(|(_, sql)| sql.starts_with("DELETE"));
        loop {
            let mut deleted = 0;
            for (key, sql) in &deletes {
                deleted += self.clean(key, sql).await?;
            }
            if deleted == 0 {
                break;
            }
        }
        for (key, sql) in updates {
            self.clean(key, sql).await?;
        }
        // A key that is checked at the commit would keep its tables from being changed.
        self.execute(
            Doing::WithRows(&Attempt::CheckingForeignKeys),
            "SET CONSTRAINTS ALL IMMEDIATE",
        )
        .await?;
        self.execute(Doing::WithoutRows(&Attempt::RestoringTriggers), &triggers)
            .await
    }

    async fn clean(&self, key: &CatalogueKey, sql: &str) -> Result<u64> {
        let statement = sql.trim_end().trim_end_matches(';');
        self.writer.execute(statement, &[]).await.map_err(|error| {
            let doing = Attempt::FollowingKey {
                key: key.name.to_string(),
            };
            Error::from_server(Doing::WithRows(&doing), &error)
        })
    }

    /// A key to a table that has lost rows: where it has no ON DELETE action, rows may refer to what is gone.
    async fn put_back_or_not_valid(&self, key: &CatalogueKey) -> Result<()> {
        let doing = Attempt::PuttingKeyBack {
            key: key.name.to_string(),
        };
        self.execute(Doing::WithRows(&doing), "SAVEPOINT foreign_key")
            .await?;
        let Err(error) = self.writer.batch_execute(&key.put_back).await else {
            return self
                .execute(Doing::WithRows(&doing), "RELEASE SAVEPOINT foreign_key")
                .await;
        };
        if error.code() != Some(&SqlState::FOREIGN_KEY_VIOLATION) {
            return Err(Error::from_server(Doing::WithRows(&doing), &error));
        }
        self.execute(Doing::WithRows(&doing), "ROLLBACK TO SAVEPOINT foreign_key")
            .await?;
        let not_valid = format!("{} NOT VALID", key.put_back);
        self.execute(Doing::WithRows(&doing), &not_valid).await?;
        self.events.warn(Notice::KeyPutBackNotValid {
            key: key.name.clone(),
            table: key.table.to_string(),
        });
        Ok(())
    }

    /// Silences the table's user triggers and rules, and returns what puts each back as it was. Those in `awake` make
    /// search vectors anew, and go on.
    pub(super) async fn silence_triggers(&self, table: &TableName, awake: &[String]) -> Result<String> {
        let rows = self
            .writer
            .query(
                // Before PostgreSQL 15 a partition's copy of a user's trigger counts as internal.
                "WITH RECURSIVE line AS (
                   SELECT oid, tgparentid, tgisinternal FROM pg_catalog.pg_trigger WHERE tgrelid = $1::text::regclass
                   UNION ALL
                   SELECT l.oid, p.tgparentid, p.tgisinternal
                   FROM line l JOIN pg_catalog.pg_trigger p ON p.oid = l.tgparentid
                 )
                 SELECT 'TRIGGER', quote_ident(t.tgname), t.tgenabled::text
                 FROM pg_catalog.pg_trigger t
                 WHERE t.tgenabled <> 'D' AND t.oid IN (SELECT oid FROM line WHERE NOT tgisinternal)
                   AND t.tgname::text <> ALL ($2)
                 UNION ALL
                 SELECT 'RULE', quote_ident(r.rulename), r.ev_enabled::text
                 FROM pg_catalog.pg_rewrite r
                 WHERE r.ev_class = $1::text::regclass AND r.ev_type <> '1' AND r.ev_enabled <> 'D'",
                &[&table.sql(), &awake],
            )
            .await
            .map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::ReadingTriggers), &error))?;
        let mut silence = String::new();
        let mut put_back = String::new();
        for row in &rows {
            let (kind, name, enabled): (&str, &str, &str) = (row.get(0), row.get(1), row.get(2));
            let how = match enabled {
                "A" => "ENABLE ALWAYS",
                "R" => "ENABLE REPLICA",
                _ => "ENABLE",
            };
            let table = table.sql();
            silence.push_str(&format!("ALTER TABLE ONLY {table} DISABLE {kind} {name};"));
            put_back.push_str(&format!("ALTER TABLE ONLY {table} {how} {kind} {name};"));
        }
        self.execute(
            Doing::WithoutRows(&Attempt::SilencingTriggers {
                table: table.to_string(),
            }),
            &silence,
        )
        .await?;
        Ok(put_back)
    }
}
