//! Masking a database that is already there: `DatabaseAnonymizerService#anonymize!`.
//!
//! Each ruled table goes by way of a temporary one. Its rows stream out over one connection, are masked on the way,
//! and stream into the temporary table over another; rules in SQL run there, as in a run from a backup; then the
//! table is truncated, which gives it new files, and filled. An UPDATE in place would leave every raw row readable in
//! the table's files until a VACUUM. Foreign keys that touch the table are taken off and put back, because PostgreSQL
//! does not truncate a referenced table; user triggers are silent meanwhile. Materialized views, which hold copies,
//! are filled anew at the end.
//!
//! Rules are resolved by the planner, from the same description of tables that a backup gives.

mod keys;

use crate::archive::DumpId;
use crate::detect::{rows, with_matches, Detection};
use crate::error::{Error, Kind, Result};
use crate::event::{Event, Phase, Sink};
use crate::leak::{Channel, LeakCheck, Moment};
use crate::mask::Key;
use crate::plan::sql_rules::{SqlGroup, GROUP_KIND};
use crate::plan::{self, quote_identifier, Load, Plan, TableName};
use crate::report::{self, Recorder, Report};
use crate::settings::Settings;
use crate::survivors::{self, Told};
use crate::target::{describe, in_place, read_back, sql_rules, Session, Target};
use backon::{ExponentialBuilder, Retryable};
use keys::Cleanings;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Masks every ruled table of the target.
///
/// With `rollback_on_error` all tables are one transaction. Without it each table is one, and so is each group of
/// tables whose rules in SQL name one another; those that fail stay as they were, and the error at the end lists
/// them.
///
/// # Errors
/// [`Kind::Plan`] before anything is touched; otherwise what the server refused, with the target unchanged
/// or, without `rollback_on_error`, with the failed tables named.
pub(crate) async fn anonymize(settings: &Settings, target: &Target, recorder: &Recorder) -> Result<Report> {
    let events = recorder.sink();
    events.send(Event::Phase { phase: Phase::Plan });
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
    for warning in &plan.warnings {
        events.warn(warning);
    }
    let job = Job {
        target,
        reader: &reader,
        writer: &writer,
        events: &events,
        settings,
        leaks: crate::leak_check(settings, &plan),
        cleanings: keys::cleanings(&plan, &entries),
        plan: &plan,
    };
    job.explain().await?;

    let parts = parts(&plan);
    events.send(Event::Planned {
        tables: parts.iter().map(|part| job.tables_of(part).len() as u64).sum(),
        steps: 0,
        last_rows: target.last_rows().await,
    });
    events.send(Event::Phase { phase: Phase::Rows });
    let tables = if settings.masking.rollback_on_error {
        let whole = Part {
            plain: parts.iter().flat_map(|part| part.plain.clone()).collect(),
            groups: parts.iter().flat_map(|part| part.groups.clone()).collect(),
        };
        job.retrying(async || job.in_transaction(&whole).await).await?
    } else {
        job.one_by_one(&parts).await?
    };

    events.send(Event::Phase { phase: Phase::Verify });
    job.refresh_materialized_views().await?;
    target.analyze().await?;
    let verified = settings.masking.verify && job.verify().await?;
    if let Some(warning) = plan::personal::warning(&findings) {
        events.warn(warning);
    }
    let told = job.survivors().await?;
    let verified = verified && !told.leaks();
    Ok(told.into_report(Report {
        tables,
        findings,
        verified,
        ..recorder.finish()
    }))
}

/// What is masked in one transaction.
#[derive(Default)]
struct Part<'p> {
    /// Tables whose masks are functions of the row.
    plain: Vec<&'p Load>,
    /// Groups of rules in SQL, by number.
    groups: Vec<usize>,
}

/// The least that can be a transaction each: first the tables without rules in SQL, by name, so that the rules find
/// what they read masked; then the groups, in the plan's order.
fn parts(plan: &Plan) -> Vec<Part<'_>> {
    let mut plain: Vec<&Load> = plan
        .loads
        .values()
        .filter(|load| load.mask.is_some() && load.sql_group.is_none())
        .collect();
    plain.sort_by(|a, b| a.table.cmp(&b.table));
    let plain = plain.into_iter().map(|load| Part {
        plain: vec![load],
        groups: Vec::new(),
    });
    let groups = (0..plan.sql_rules.groups.len()).map(|number| Part {
        plain: Vec::new(),
        groups: vec![number],
    });
    plain.chain(groups).collect()
}

fn quoted_list(columns: &[String]) -> String {
    let quoted: Vec<String> = columns.iter().map(|name| quote_identifier(name)).collect();
    quoted.join(", ")
}

/// The triggers that make the search vectors of a table anew while its rows go in.
fn awake_triggers(load: &Load) -> Vec<String> {
    let vectors = load.vectors_under(load.mask.as_deref());
    vectors.map_or_else(Vec::new, |vectors| vectors.triggers.clone())
}

/// A table's masked rows in a temporary table.
struct Copy {
    /// The temporary table, for SQL.
    name: String,
    told: report::Table,
}

/// A failure, and whether the whole transaction is worth another try.
struct Failure {
    error: Error,
    again: bool,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            again: error.kind == Kind::LockTimeout,
            error,
        }
    }
}

/// Two connections and what they work with.
struct Job<'a> {
    target: &'a Target,
    reader: &'a Session,
    writer: &'a Session,
    events: &'a Sink,
    settings: &'a Settings,
    plan: &'a Plan,
    cleanings: Cleanings,
    leaks: Option<Arc<LeakCheck>>,
}

impl Job<'_> {
    /// Asks the server whether it accepts every rule in SQL, and leaves nothing behind.
    async fn explain(&self) -> Result<()> {
        if self.plan.sql_rules.groups.is_empty() {
            return Ok(());
        }
        self.begin().await?;
        let explained = sql_rules::explain(self.writer, self.plan).await;
        // After a failure the connection may be gone, and what is told is why.
        let ended = self.execute("ending the check of rules in SQL", "ROLLBACK").await;
        explained.and(ended)
    }

    async fn one_by_one(&self, parts: &[Part<'_>]) -> Result<Vec<report::Table>> {
        let mut tables = Vec::new();
        let mut failed: Vec<(Vec<TableName>, Error)> = Vec::new();
        for part in parts {
            let result = match self.reads_raw(part, &failed) {
                Some(error) => Err(error),
                None => self.retrying(async || self.in_transaction(part).await).await,
            };
            match result {
                Ok(masked) => tables.extend(masked),
                Err(error) if error.kind == Kind::TargetConnection => return Err(error),
                Err(error) => failed.push((self.tables_of(part), error)),
            }
        }
        let Some((_, first)) = failed.first() else {
            return Ok(tables);
        };
        let names: Vec<String> = failed
            .iter()
            .flat_map(|(tables, _)| tables)
            .map(ToString::to_string)
            .collect();
        let all: usize = parts.iter().map(|part| self.tables_of(part).len()).sum();
        Err(Error::new(
            first.kind,
            format!(
                "{} of {all} tables could not be masked and hold what they held: {}. The first error was: {}",
                names.len(),
                names.join(", "),
                first.what
            ),
            first.remedy.clone(),
        ))
    }

    /// Why a group may not run: it reads a table that should have been masked before.
    fn reads_raw(&self, part: &Part<'_>, failed: &[(Vec<TableName>, Error)]) -> Option<Error> {
        let raw: HashSet<&TableName> = failed.iter().flat_map(|(tables, _)| tables).collect();
        let mut read = part.groups.iter().flat_map(|number| self.reads(*number));
        let found = read.find_map(|step| step.locks.iter().find(|table| raw.contains(table)))?;
        Some(Error::new(
            Kind::Restore,
            format!("Its rules in SQL read {found}, which could not be masked."),
            "Correct what failed there and run it again.",
        ))
    }

    /// The steps that gather statistics on what a group reads.
    fn reads(&self, number: usize) -> impl Iterator<Item = &plan::Step> {
        let id = self.group(number).map(|group| group.dump_id);
        let own = self.plan.steps.iter();
        let waits_for: HashSet<_> = own
            .filter(|step| step.kind == GROUP_KIND && Some(step.dump_id) == id)
            .flat_map(|step| step.waits_for.iter().copied())
            .collect();
        let steps = self.plan.steps.iter();
        steps.filter(move |step| step.kind == "ANALYZE" && waits_for.contains(&step.dump_id))
    }

    fn group(&self, number: usize) -> Option<&SqlGroup> {
        self.plan.sql_rules.groups.get(number)
    }

    fn group_loads(&self, number: usize) -> Vec<&Load> {
        let tables = self.group(number).into_iter().flat_map(|group| &group.tables);
        tables
            .flat_map(|table| &table.loads)
            .filter_map(|id| self.plan.loads.get(id))
            .collect()
    }

    /// Every table whose rows are replaced.
    fn tables_of(&self, part: &Part<'_>) -> Vec<TableName> {
        let groups = part.groups.iter().flat_map(|number| self.group_loads(*number));
        let loads = part.plain.iter().copied().chain(groups);
        loads.map(|load| load.table.clone()).collect()
    }

    /// Retries what a retry can mend: deadlocks, serialization failures and lock timeouts, with exponential
    /// backoff and jitter. What was tried again from a savepoint within the work is not tried again.
    async fn retrying<T>(&self, work: impl AsyncFn() -> Result<T, Failure>) -> Result<T> {
        let target = &self.settings.target;
        let backoff = ExponentialBuilder::default()
            .with_min_delay(Duration::from_secs_f64(target.retry_delay.max(0.0)))
            .with_max_times(target.retry_attempts as usize)
            .with_jitter();
        (|| work())
            .retry(backoff)
            .when(|failure: &Failure| failure.again)
            .await
            .map_err(|failure| failure.error)
    }

    async fn begin(&self) -> Result<()> {
        let milliseconds = (self.settings.target.lock_timeout * 1000.0) as u64;
        let sql = format!("BEGIN; SET LOCAL lock_timeout = {milliseconds}");
        self.execute("beginning a transaction", &sql).await
    }

    async fn in_transaction(&self, part: &Part<'_>) -> Result<Vec<report::Table>, Failure> {
        self.begin().await?;
        match self.mask_within(part).await {
            Ok(tables) => {
                self.execute("committing masked rows", "COMMIT").await?;
                Ok(tables)
            }
            Err(failure) => {
                // The connection may be what failed; then there is nothing to roll back.
                let _ = self.writer.batch_execute("ROLLBACK").await;
                Err(failure)
            }
        }
    }

    async fn mask_within(&self, part: &Part<'_>) -> Result<Vec<report::Table>, Failure> {
        let tables = self.tables_of(part);
        // Readers may go on, writers wait: a row written now would be lost with the truncation.
        for table in &tables {
            let lock = format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", table.sql());
            self.execute(&format!("locking {table}"), &lock).await?;
        }
        // All copies come before the first change: what is changed here is locked against the reader too.
        let mut copies = Vec::new();
        for (number, load) in part.plain.iter().enumerate() {
            let name = format!("scalingo_staging_sync_copy_{number}");
            copies.push(self.copy_masked(load, name).await?);
        }
        let mut told = Vec::new();
        for number in &part.groups {
            told.push(self.copy_group(*number).await?);
        }
        let keys = self.take_off_foreign_keys(&tables).await?;
        for (load, copy) in part.plain.iter().zip(&copies) {
            self.replace_rows(load, copy).await?;
        }
        let mut masked: Vec<report::Table> = copies.into_iter().map(|copy| copy.told).collect();
        for (number, told) in part.groups.iter().zip(told) {
            masked.extend(self.run_group(*number, told).await?);
        }
        self.put_back_foreign_keys(&keys).await?;
        Ok(masked)
    }

    /// Fills a temporary table with the table's rows, masked.
    async fn copy_masked(&self, load: &Load, name: String) -> Result<Copy> {
        let sql = format!(
            "CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA",
            quoted_list(&load.columns),
            load.table.sql()
        );
        self.execute("creating a temporary copy", &sql).await?;
        let name = format!("pg_temp.{name}");
        let told = self.copy(load, load.copy_sql_into(&name, &[], "UTF8")).await?;
        self.tell(&told);
        Ok(Copy { name, told })
    }

    /// Streams a table's rows through its masks, by this COPY statement.
    async fn copy(&self, load: &Load, into: String) -> Result<report::Table> {
        let started = Instant::now();
        let table = load.table.to_string();
        self.events.send(Event::TableStarted { table });
        let (buffers, leaks) = (self.target.buffers(), self.leaks.clone());
        let done = in_place::copy(self.reader, self.writer, load, into, buffers, leaks).await?;
        let seconds = started.elapsed().as_secs_f64();
        let counts = &done.counts.columns;
        Ok(report::Table::new(load, done.stored, done.bytes, seconds, counts))
    }

    fn tell(&self, told: &report::Table) {
        self.events.send(Event::TableLoaded {
            table: told.table.clone(),
            rows: told.rows,
            bytes: told.bytes,
            masked: told.masked(),
            seconds: told.seconds,
        });
    }

    /// Empties the table, which gives it new files, and fills it from its copy.
    async fn replace_rows(&self, load: &Load, copy: &Copy) -> Result<()> {
        let (table, name) = (load.table.sql(), &load.table);
        let columns = quoted_list(&load.columns);
        let awake = awake_triggers(load);
        let triggers = self.silence_triggers(&load.table, &awake).await?;
        self.empty(name).await?;
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

    async fn empty(&self, table: &TableName) -> Result<()> {
        let sql = format!("TRUNCATE ONLY {}", table.sql());
        self.execute(&format!("emptying {table}"), &sql).await
    }

    /// Creates a group's temporary tables and fills them.
    async fn copy_group(&self, number: usize) -> Result<HashMap<DumpId, report::Table>> {
        let Some(group) = self.group(number) else {
            return Err(Error::internal("A group of rules in SQL is not there."));
        };
        sql_rules::create_temporaries(self.writer, group).await?;
        let mut told = HashMap::new();
        for table in &group.tables {
            for id in &table.loads {
                if let Some(load) = self.plan.loads.get(id) {
                    told.insert(*id, self.copy(load, table.copy_sql(load, "UTF8")).await?);
                }
            }
        }
        Ok(told)
    }

    /// Empties a group's tables, runs its statements on the temporary ones, and moves the finished rows.
    async fn run_group(
        &self,
        number: usize,
        mut told: HashMap<DumpId, report::Table>,
    ) -> Result<Vec<report::Table>, Failure> {
        let Some(group) = self.group(number) else {
            return Err(Error::internal("A group of rules in SQL is not there.").into());
        };
        for step in self.reads(number) {
            let doing = format!("gathering statistics on {}", step.name);
            self.execute(&doing, &step.sql).await?;
        }
        let loads = self.group_loads(number);
        // Rows go in by a partitioned table, and its triggers and rules are others than its partitions'.
        let mut silent: Vec<&TableName> = group.tables.iter().map(|table| &table.into).collect();
        silent.extend(loads.iter().map(|load| &load.table));
        silent.sort();
        silent.dedup();
        let mut triggers = String::new();
        for table in silent {
            let here = loads.iter().filter(|load| load.table == *table);
            let awake: Vec<String> = here.flat_map(|load| awake_triggers(load)).collect();
            triggers.push_str(&self.silence_triggers(table, &awake).await?);
        }
        for load in &loads {
            self.empty(&load.table).await?;
        }
        let (attempts, delay) = (
            self.settings.target.retry_attempts,
            self.settings.target.retry_delay,
        );
        let run = sql_rules::run_within(self.writer, self.plan, number, attempts, delay).await;
        let finished = run.map_err(|error| Failure { error, again: false })?;
        self.execute("restoring the triggers of tables with rules in SQL", &triggers)
            .await?;
        for warning in &finished.warnings {
            self.events.warn(warning);
        }
        let stored: HashMap<_, _> = told.iter().map(|(id, table)| (*id, table.rows)).collect();
        let done = finished.by_load(group, |id| stored.get(&id).copied().unwrap_or(0));
        let mut tables = Vec::new();
        for (id, rows, changes) in done {
            if let Some(mut table) = told.remove(&id) {
                table.rows = rows;
                table.add_changes(&changes);
                self.tell(&table);
                tables.push(table);
            }
        }
        Ok(tables)
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
    async fn survivors(&self) -> Result<Told> {
        let plan = self.plan;
        if let Some(check) = &self.leaks {
            for load in plan.loads.values() {
                read_back(self.reader, load, load.mask.as_deref(), check, Moment::ReadBack).await?;
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
    async fn verify(&self) -> Result<bool> {
        let mut sound = true;
        for load in self.plan.loads.values() {
            for column in load.mask.iter().flat_map(|mask| mask.columns()) {
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
