//! Masking a database that is already there: `DatabaseAnonymizerService#anonymize!`.
//!
//! Each ruled table goes by way of a temporary copy. Its rows stream out over one connection, are masked here,
//! and stream into a temporary table over another; then the table is truncated, which gives it new files, and
//! filled from the copy. An UPDATE in place would leave every raw row readable in the table's files until a
//! VACUUM. Foreign keys that touch the table are taken off and put back, because PostgreSQL does not truncate
//! a referenced table; user triggers are silent meanwhile. Materialized views, which hold copies, are filled
//! anew at the end.
//!
//! Rules are resolved by the planner, from the same description of tables that a backup gives.

use crate::detect::{rows, with_matches, Detection};
use crate::error::{Error, Kind, Result};
use crate::event::{Event, Phase, Sink};
use crate::leak::{Channel, LeakCheck, Moment};
use crate::mask::{Key, Masker, RowMask};
use crate::plan::{self, quote_identifier, Load, Plan};
use crate::report::{self, Recorder, Report};
use crate::settings::Settings;
use crate::survivors::{self, Told};
use crate::target::{describe, read_back, Target};
use backon::{ExponentialBuilder, Retryable};
use bytes::Bytes;
use futures_util::{SinkExt, TryStreamExt};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_postgres::{Client, CopyInSink};

/// About how many bytes of rows are masked and sent together.
const PIECE: usize = 256 * 1024;

/// Masks every ruled table of the target.
///
/// With `rollback_on_error` all tables are one transaction; without it each table is one, those that fail
/// stay as they were, and the error at the end lists them.
///
/// # Errors
/// [`Kind::Plan`] before anything is touched; otherwise what the server refused, with the target unchanged
/// or, without `rollback_on_error`, with the failed tables named.
pub(crate) async fn anonymize(settings: &Settings, target: &Target, recorder: &Recorder) -> Result<Report> {
    let events = recorder.sink();
    events.send(Event::Phase { phase: Phase::Plan });
    let masking = &settings.masking;
    let conditional = masking.rules.iter().find(|rule| rule.condition.is_some());
    let in_sql = masking.sql_rules.first().map(|rule| &rule.table);
    if let Some(table) = in_sql.or(conditional.map(|rule| &rule.table)) {
        return Err(Error::new(
            Kind::Configuration,
            format!(
                "{table} has a rule in SQL or a condition, and masking a database that is already there cannot run those yet."
            ),
            "Use the rake task run, which restores from a backup, or leave the rule out. Nothing was touched.",
        ));
    }
    let reader = target.session().await?;
    let writer = target.session().await?;
    let (header, entries) = describe::describe(&reader).await?;
    // What a run would not have loaded is here all the same, and has to be masked.
    let settings = &Settings {
        exclude_tables: Vec::new(),
        ..settings.clone()
    };
    let settings = &*with_matches(settings, &entries, &events)?;
    let plan = plan::plan(&header, &entries, settings, &Key::new(&settings.masking.secret))?;
    if let Some(error) = plan.personal.refusal() {
        return Err(error);
    }
    let detection = Detection::new(&Arc::new(plan));
    rows::judge(&reader, &detection).await?;
    let findings = detection.findings();
    if let Some(error) = detection.refusal_untouched() {
        return Err(error);
    }
    let plan = detection.carried_out();
    let loads = ruled_loads(&plan);

    events.send(Event::Planned {
        tables: loads.len() as u64,
        steps: 0,
        last_rows: target.last_rows().await,
    });
    events.send(Event::Phase { phase: Phase::Rows });
    let session = Session {
        reader: &reader,
        writer: &writer,
        events: &events,
        settings,
        leaks: crate::leak_check(settings, &plan),
    };
    let tables = if settings.masking.rollback_on_error {
        session.mask_together(&loads).await?
    } else {
        session.mask_one_by_one(&loads).await?
    };

    events.send(Event::Phase { phase: Phase::Verify });
    session.refresh_materialized_views().await?;
    target.analyze().await?;
    let verified = settings.masking.verify && session.verify(&loads).await?;
    if let Some(warning) = plan::personal::warning(&findings) {
        events.warn(warning);
    }
    let told = session.survivors(&plan).await?;
    let verified = verified && !told.leaks();
    Ok(told.into_report(Report {
        tables,
        findings,
        verified,
        ..recorder.finish()
    }))
}

/// A table that a rule is for, and its mask.
type Ruled<'p> = (&'p Load, &'p Arc<RowMask>);

/// The loads that mask something, by table name.
fn ruled_loads(plan: &Plan) -> Vec<Ruled<'_>> {
    let masked = plan
        .loads
        .values()
        .filter_map(|load| Some((load, load.mask.as_ref()?)));
    let mut loads: Vec<Ruled<'_>> = masked.collect();
    loads.sort_by(|(a, _), (b, _)| a.table.cmp(&b.table));
    loads
}

fn quoted_list(columns: &[String]) -> String {
    let quoted: Vec<String> = columns.iter().map(|name| quote_identifier(name)).collect();
    quoted.join(", ")
}

/// A table's masked rows in a temporary table.
struct Copy {
    /// The temporary table, for SQL.
    name: String,
    told: report::Table,
}

/// Two connections and what they work with.
struct Session<'a> {
    reader: &'a Client,
    writer: &'a Client,
    events: &'a Sink,
    settings: &'a Settings,
    leaks: Option<Arc<LeakCheck>>,
}

impl Session<'_> {
    async fn mask_together(&self, loads: &[Ruled<'_>]) -> Result<Vec<report::Table>> {
        self.retrying(async || self.in_transaction(loads).await).await
    }

    async fn mask_one_by_one(&self, loads: &[Ruled<'_>]) -> Result<Vec<report::Table>> {
        let mut tables = Vec::new();
        let mut failed: Vec<(String, Error)> = Vec::new();
        for ruled in loads {
            let load = ruled.0;
            match self.retrying(async || self.in_transaction(&[*ruled]).await).await {
                Ok(masked) => tables.extend(masked),
                Err(error) if error.kind == Kind::TargetConnection => return Err(error),
                Err(error) => failed.push((load.table.to_string(), error)),
            }
        }
        let Some((_, first)) = failed.first() else {
            return Ok(tables);
        };
        let names: Vec<&str> = failed.iter().map(|(table, _)| table.as_str()).collect();
        Err(Error::new(
            first.kind,
            format!(
                "{} of {} tables could not be masked and hold what they held: {}. The first error was: {}",
                failed.len(),
                loads.len(),
                names.join(", "),
                first.what
            ),
            first.remedy.clone(),
        ))
    }

    /// Retries what a retry can mend: deadlocks, serialization failures and lock timeouts, with exponential
    /// backoff and jitter.
    async fn retrying<T>(&self, work: impl AsyncFn() -> Result<T>) -> Result<T> {
        let target = &self.settings.target;
        let backoff = ExponentialBuilder::default()
            .with_min_delay(Duration::from_secs_f64(target.retry_delay.max(0.0)))
            .with_max_times(target.retry_attempts as usize)
            .with_jitter();
        (|| work())
            .retry(backoff)
            .when(|error: &Error| error.kind == Kind::LockTimeout)
            .await
    }

    async fn in_transaction(&self, loads: &[Ruled<'_>]) -> Result<Vec<report::Table>> {
        let lock_timeout = self.settings.target.lock_timeout;
        self.execute(
            "beginning a transaction",
            &format!(
                "BEGIN; SET LOCAL lock_timeout = {}",
                (lock_timeout * 1000.0) as u64
            ),
        )
        .await?;
        match self.mask_within(loads).await {
            Ok(tables) => {
                self.execute("committing masked rows", "COMMIT").await?;
                Ok(tables)
            }
            Err(error) => {
                // The connection may be what failed; then there is nothing to roll back.
                let _ = self.writer.batch_execute("ROLLBACK").await;
                Err(error)
            }
        }
    }

    async fn mask_within(&self, loads: &[Ruled<'_>]) -> Result<Vec<report::Table>> {
        // Readers may go on, writers wait: a row written now would be lost with the truncation.
        for (load, _) in loads {
            let lock = format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", load.table.sql());
            self.execute(&format!("locking {}", load.table), &lock).await?;
        }
        // All copies come before the first change: what is changed here is locked against the reader too.
        let mut copies = Vec::new();
        for (number, (load, mask)) in loads.iter().enumerate() {
            copies.push(
                self.copy_masked(load, mask, format!("scalingo_staging_sync_copy_{number}"))
                    .await?,
            );
        }
        let keys = self.take_off_foreign_keys(loads).await?;
        for ((load, _), copy) in loads.iter().zip(&copies) {
            self.replace_rows(load, copy).await?;
        }
        for (name, put_back) in &keys {
            self.execute(&format!("putting back the foreign key {name}"), put_back)
                .await?;
        }
        Ok(copies.into_iter().map(|copy| copy.told).collect())
    }

    /// Fills a temporary table with the table's rows, masked.
    async fn copy_masked(&self, load: &Load, mask: &Arc<RowMask>, name: String) -> Result<Copy> {
        let started = Instant::now();
        let table = load.table.to_string();
        self.events.send(Event::TableStarted { table: table.clone() });
        let sql = format!(
            "CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA",
            quoted_list(&load.columns),
            load.table.sql()
        );
        self.execute("creating a temporary copy", &sql).await?;
        let copy = format!("pg_temp.{name}");
        let mut masker = mask.masker();
        let bytes = self.stream_masked(load, mask, &mut masker, &copy).await?;
        let counts = masker.counts();
        let seconds = started.elapsed().as_secs_f64();
        let told = report::Table::new(load, counts.rows, bytes, seconds, &counts.columns);
        self.events.send(Event::TableLoaded {
            table,
            rows: told.rows,
            bytes,
            masked: told.masked(),
            seconds,
        });
        Ok(Copy { name: copy, told })
    }

    /// Empties the table, which gives it new files, and fills it from its copy.
    async fn replace_rows(&self, load: &Load, copy: &Copy) -> Result<()> {
        let (table, name) = (load.table.sql(), &load.table);
        let columns = quoted_list(&load.columns);
        let triggers = self.silence_triggers(load).await?;
        self.execute(&format!("emptying {name}"), &format!("TRUNCATE ONLY {table}"))
            .await?;
        let fill = format!(
            "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {}",
            copy.name
        );
        self.execute(&format!("filling {name} with masked rows"), &fill)
            .await?;
        self.execute(&format!("restoring the triggers of {name}"), &triggers)
            .await?;
        self.execute("dropping a temporary copy", &format!("DROP TABLE {}", copy.name))
            .await
    }

    /// Streams the table's rows through the mask into the temporary copy.
    async fn stream_masked(
        &self,
        load: &Load,
        mask: &RowMask,
        masker: &mut Masker,
        copy: &str,
    ) -> Result<u64> {
        let leaks = self.leaks.as_ref();
        let mut watcher = leaks.and_then(|leaks| leaks.watcher(load.dump_id, Some(mask), Moment::Masked));
        let vectors = load.vectors_under(Some(mask));
        let mut emptier = vectors.map(|vectors| vectors.mask.masker());
        let columns = quoted_list(&load.columns);
        let reading =
            |error: &tokio_postgres::Error| Error::from_server(&format!("reading {}", load.table), error);
        let writing = |error: &tokio_postgres::Error| {
            Error::from_server(&format!("copying masked rows of {}", load.table), error)
        };
        let out = self
            .reader
            .copy_out(&format!(
                "COPY (SELECT {columns} FROM ONLY {}) TO STDOUT",
                load.table.sql()
            ))
            .await
            .map_err(|error| reading(&error))?;
        let sink: CopyInSink<Bytes> = self
            .writer
            .copy_in(&format!("COPY {copy} ({columns}) FROM STDIN"))
            .await
            .map_err(|error| writing(&error))?;
        let mut out = std::pin::pin!(out);
        let mut sink = std::pin::pin!(sink);
        let mut piece = Vec::with_capacity(PIECE);
        let mut bytes = 0;
        loop {
            // PostgreSQL sends each row as one message, so a piece always ends at a row's end.
            let row = out.try_next().await.map_err(|error| reading(&error))?;
            let ended = row.is_none();
            if let Some(row) = row {
                piece.extend_from_slice(&row);
            }
            if piece.len() >= PIECE || (ended && !piece.is_empty()) {
                let mut masked = Vec::with_capacity(piece.len() + piece.len() / 8);
                masker.mask_piece(&piece, &mut masked)?;
                if let Some(emptier) = &mut emptier {
                    let mut emptied = Vec::with_capacity(masked.len());
                    emptier.mask_piece(&masked, &mut emptied)?;
                    masked = emptied;
                }
                if let Some(watcher) = &mut watcher {
                    watcher.piece(&piece, &masked);
                }
                bytes += masked.len() as u64;
                sink.send(Bytes::from(masked))
                    .await
                    .map_err(|error| writing(&error))?;
                piece.clear();
            }
            if ended {
                break;
            }
        }
        sink.finish().await.map_err(|error| writing(&error))?;
        Ok(bytes)
    }

    /// Drops every foreign key that touches one of the tables or what they are partitions of, and returns
    /// each one's name with the statement that puts it back.
    async fn take_off_foreign_keys(&self, loads: &[Ruled<'_>]) -> Result<Vec<(String, String)>> {
        let tables: Vec<String> = loads.iter().map(|(load, _)| load.table.sql()).collect();
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
                               pg_catalog.pg_get_constraintdef(k.oid))
                 FROM pg_catalog.pg_constraint k
                 WHERE k.contype = 'f' AND k.conparentid = 0
                   AND (k.conrelid IN (SELECT oid FROM touched) OR k.confrelid IN (SELECT oid FROM touched))
                 ORDER BY k.oid",
                &[&tables],
            )
            .await
            .map_err(|error| Error::from_server("reading the target's foreign keys", &error))?;
        let mut put_back = Vec::new();
        for row in &rows {
            let name: String = row.get(0);
            let drop: String = row.get(1);
            self.execute(&format!("taking off the foreign key {name}"), &drop)
                .await?;
            put_back.push((name, row.get(2)));
        }
        Ok(put_back)
    }

    /// Silences the table's user triggers and rules, and returns what puts each back as it was. A trigger that makes a
    /// search vector anew stays awake.
    async fn silence_triggers(&self, load: &Load) -> Result<String> {
        let table = &load.table;
        let vectors = load.vectors_under(load.mask.as_deref());
        let awake = vectors.map_or(&[][..], |vectors| &vectors.triggers);
        let rows = self
            .writer
            .query(
                "SELECT 'TRIGGER', quote_ident(t.tgname), t.tgenabled::text
                 FROM pg_catalog.pg_trigger t
                 WHERE t.tgrelid = $1::text::regclass AND NOT t.tgisinternal AND t.tgenabled <> 'D'
                   AND t.tgname::text <> ALL ($2)
                 UNION ALL
                 SELECT 'RULE', quote_ident(r.rulename), r.ev_enabled::text
                 FROM pg_catalog.pg_rewrite r
                 WHERE r.ev_class = $1::text::regclass AND r.ev_type <> '1' AND r.ev_enabled <> 'D'",
                &[&table.sql(), &awake],
            )
            .await
            .map_err(|error| Error::from_server("reading the target's triggers", &error))?;
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
        self.execute(&format!("silencing the triggers of {table}"), &silence)
            .await?;
        Ok(put_back)
    }

    /// The database's large objects, into which nobody looks.
    async fn large_objects(&self) -> Result<Option<Channel>> {
        let count = "SELECT count(*) FROM pg_catalog.pg_largeobject_metadata";
        let row = self.reader.query_one(count, &[]).await;
        let row = row.map_err(|error| Error::from_server("counting large objects", &error))?;
        let count: i64 = row
            .try_get(0)
            .map_err(|error| Error::from_server("counting large objects", &error))?;
        let count = u64::try_from(count).unwrap_or_default();
        Ok((count > 0).then(|| Channel::large_objects_unscanned(count)))
    }

    /// Reads every table for originals of the columns that were masked. Nothing is emptied here: the database was
    /// there before.
    async fn survivors(&self, plan: &Plan) -> Result<Told> {
        if let Some(check) = &self.leaks {
            for load in plan.loads.values() {
                read_back(self.reader, load, load.mask.as_deref(), check).await?;
            }
        }
        let objects = self.large_objects().await?;
        let told = survivors::tell(plan, self.leaks.as_ref(), objects, self.events);
        match told
            .failure()
            .filter(|_| self.settings.masking.fail_on_verification_error)
        {
            Some(failure) => Err(survivors::refusal(failure, "The masked columns are masked.")),
            None => {
                survivors::warn(&told, self.events);
                Ok(told)
            }
        }
    }

    /// Fills every populated materialized view anew, older ones first, since a view reads only older ones.
    async fn refresh_materialized_views(&self) -> Result<()> {
        let rows = self
            .writer
            .query(
                "SELECT c.oid::regclass::text FROM pg_catalog.pg_class c
                 WHERE c.relkind = 'm' AND c.relispopulated
                   AND pg_catalog.pg_has_role(c.relowner, 'USAGE') ORDER BY c.oid",
                &[],
            )
            .await
            .map_err(|error| Error::from_server("reading the target's materialized views", &error))?;
        for row in &rows {
            let view: &str = row.get(0);
            self.execute(
                &format!("filling {view} anew"),
                &format!("REFRESH MATERIALIZED VIEW {view}"),
            )
            .await?;
        }
        Ok(())
    }

    /// Whether every masked value has its mask's form, as SQL sees it.
    async fn verify(&self, loads: &[Ruled<'_>]) -> Result<bool> {
        let mut sound = true;
        for (load, mask) in loads {
            for column in mask.columns() {
                let row = self
                    .reader
                    .query_one(
                        &format!(
                            "SELECT count(*) FROM ONLY {} WHERE NOT coalesce({}, false)",
                            load.table.sql(),
                            column.form_sql
                        ),
                        &[],
                    )
                    .await
                    .map_err(|error| Error::from_server(&format!("checking {}", load.table), &error))?;
                let violations: i64 = row.get(0);
                if violations == 0 {
                    continue;
                }
                sound = false;
                let told = format!(
                    "{violations} rows of {}.{} do not have the form of their mask.",
                    load.table, column.name
                );
                if self.settings.masking.fail_on_verification_error {
                    return Err(Error::new(
                        Kind::Verification,
                        told,
                        "Look for a trigger or a default that writes this column, and run it again.",
                    ));
                }
                self.events.warn(told);
            }
        }
        Ok(sound)
    }

    async fn execute(&self, doing: &str, sql: &str) -> Result<()> {
        self.writer
            .batch_execute(sql)
            .await
            .map_err(|error| Error::from_server(doing, &error))
    }
}
