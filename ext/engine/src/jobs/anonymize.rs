//! Masking a database that is already there: `DatabaseAnonymizerService#anonymize!`.
//!
//! Each ruled table goes by way of a temporary one. Its rows stream out over one connection, are masked on the way,
//! and stream into the temporary table over another; rules in SQL run there, as in a run from a backup; then the
//! table is truncated, which gives it new files, and filled. An UPDATE in place would leave every raw row readable in
//! the table's files until a VACUUM. Foreign keys that touch the table are taken off and put back, because PostgreSQL
//! does not truncate a referenced table; user triggers are silent meanwhile. Materialized views, which hold copies,
//! are filled anew at the end.
//!
//! Tables of queued work are emptied (`config.quiesce`), after what refers to them was masked.
//!
//! Rules are resolved by the planner, from the same description of tables that a backup gives.

mod after;
mod copies;
mod keys;

use super::hold::on_target;
use super::Job;
use crate::detect::{rows, Detection};
use crate::error::{Doing, Error, Kind, Result};
use crate::event::{Event, Phase, Sink};
use crate::failure::Attempt;
use crate::failure::{JobFailure, JobRemedy};
use crate::plan::sql_rules::SqlGroup;
use crate::plan::{self, Load, Plan, StepKind, TableName, TaskId};
use crate::postgres::sql_rules;
use crate::postgres::{Session, Target};
use crate::report::{self, Recorder, Report};
use crate::settings::Settings;
use crate::text::text;
use crate::{leak_report, passwords, planned};
use backon::{ExponentialBuilder, Retryable};
use keys::Cleanings;
use leak_check::LeakCheck;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Masks the rows that the target already holds, with the rules of a run; the source is not read.
///
/// With `rollback_on_error` all tables are one transaction. Without it each table is one, and so is each group of
/// tables whose rules in SQL name one another; those that fail stay as they were, and the error at the end lists
/// them.
///
/// # Errors
/// [`Kind::Plan`] before anything is touched; otherwise what the server refused, with the target unchanged
/// or, without `rollback_on_error`, with the failed tables named.
pub fn anonymize<'a>(settings: &'a Settings, events: &'a Sink, cancel: CancellationToken) -> Job<'a, Report> {
    Box::pin(async move {
        settings.check()?;
        let recorder = Recorder::start(events);
        on_target(settings, &recorder, "anonymize", &cancel, async |target, _| {
            mask(settings, target, &recorder).await
        })
        .await
    })
}

async fn mask(settings: &Settings, target: &Target, recorder: &Recorder) -> Result<Report> {
    let events = recorder.sink();
    events.send(Event::Phase { phase: Phase::Plan });
    target.lift_row_security().await?;
    let reader = target.session().await?;
    let writer = target.session().await?;
    // What a run would not have loaded is here all the same, and has to be masked.
    let settings = &Settings {
        exclude_tables: Vec::new(),
        ..settings.clone()
    };
    let (plan, entries) = planned::from_catalogue(&reader, settings, &events).await?;
    let detection = Detection::new(&Arc::new(planned::admitted(plan)?));
    rows::judge(&reader, &detection).await?;
    let findings = detection.findings();
    if let Some(error) = detection.refusal_untouched() {
        return Err(error);
    }
    let plan = detection.carried_out();
    plan.warnings.iter().for_each(|warning| events.warn(warning));
    let job = Masking {
        target,
        reader: &reader,
        writer: &writer,
        events: &events,
        settings,
        leaks: leak_report::check(settings, &plan),
        cleanings: keys::cleanings(&plan, &entries),
        plan: &plan,
    };
    job.explain().await?;

    let tables = job.mask_all().await?;

    events.send(Event::Phase { phase: Phase::Verify });
    job.refresh_materialized_views().await?;
    target.analyze().await?;
    let verified = settings.masking.verify && job.verify().await?;
    if let Some(warning) = plan::personal::warning(&findings) {
        events.warn(warning);
    }
    let leak_report = job.look_for_leaks().await?;
    let known_passwords = passwords::count(target, &plan).await?;
    let verified = verified && !leak_report.leaks();
    Ok(leak_report.into_report(Report {
        tables,
        excluded: plan.queues.iter().map(ToString::to_string).collect(),
        findings,
        known_passwords,
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
    /// Tables that are emptied.
    queues: Vec<&'p TableName>,
}

impl Part<'_> {
    /// All of them in one.
    fn of_all(parts: &[Self]) -> Self {
        Self {
            plain: parts.iter().flat_map(|part| part.plain.clone()).collect(),
            groups: parts.iter().flat_map(|part| part.groups.clone()).collect(),
            queues: parts.iter().flat_map(|part| part.queues.clone()).collect(),
        }
    }
}

/// The least that can be a transaction each: first the tables without rules in SQL, by name, so that the rules find
/// what they read masked; then the groups, in the plan's order; last what is only emptied.
fn parts(plan: &Plan) -> Vec<Part<'_>> {
    let mut plain: Vec<&Load> = plan
        .loads
        .values()
        .filter(|load| load.mask.is_some() && load.sql_group.is_none())
        .collect();
    plain.sort_by(|a, b| a.table.cmp(&b.table));
    let plain = plain.into_iter().map(|load| Part {
        plain: vec![load],
        ..Part::default()
    });
    let groups = (0..plan.sql_rules.groups.len()).map(|number| Part {
        groups: vec![number],
        ..Part::default()
    });
    let queues = (!plan.queues.is_empty()).then(|| Part {
        queues: plan.queues.iter().collect(),
        ..Part::default()
    });
    plain.chain(groups).chain(queues).collect()
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
struct Masking<'a> {
    target: &'a Target,
    reader: &'a Session,
    writer: &'a Session,
    events: &'a Sink,
    settings: &'a Settings,
    plan: &'a Plan,
    cleanings: Cleanings,
    leaks: Option<Arc<LeakCheck>>,
}

impl Masking<'_> {
    /// Masks every table, in one transaction or in as many as there are parts.
    async fn mask_all(&self) -> Result<Vec<report::TableReport>> {
        let parts = parts(self.plan);
        self.events.send(Event::Planned {
            tables: parts.iter().map(|part| self.tables_of(part).len() as u64).sum(),
            steps: 0,
            last_rows: self.target.last_rows().await,
        });
        self.events.send(Event::Phase { phase: Phase::Rows });
        if self.settings.masking.rollback_on_error {
            let whole = Part::of_all(&parts);
            self.retrying(async || self.in_transaction(&whole).await).await
        } else {
            self.one_by_one(&parts).await
        }
    }

    /// Asks the server whether it accepts every rule in SQL, and leaves nothing behind.
    async fn explain(&self) -> Result<()> {
        if self.plan.sql_rules.groups.is_empty() {
            return Ok(());
        }
        self.begin().await?;
        let explained = sql_rules::explain(self.writer, self.plan).await;
        // After a failure the connection may be gone, and the reason is what to report.
        let ended = self
            .execute(Doing::WithoutRows(&Attempt::EndingRuleCheck), "ROLLBACK")
            .await;
        explained.and(ended)
    }

    async fn one_by_one(&self, parts: &[Part<'_>]) -> Result<Vec<report::TableReport>> {
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
        let tables: Vec<String> = failed
            .iter()
            .flat_map(|(tables, _)| tables)
            .map(ToString::to_string)
            .collect();
        let all: usize = parts.iter().map(|part| self.tables_of(part).len()).sum();
        Err(Error::new(
            first.kind,
            text!(
                JobFailure::NotMasked {
                    count: tables.len(),
                    tables,
                    all
                },
                " ",
                &first.what
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
            JobFailure::ReadsRaw {
                table: found.to_string(),
            },
            JobRemedy::CorrectWhatFailed,
        ))
    }

    /// The steps that gather statistics on what a group reads.
    fn reads(&self, number: usize) -> impl Iterator<Item = &plan::Step> {
        let own = self.plan.steps.iter();
        let waits_for: HashSet<_> = own
            .filter(|step| step.id == TaskId::SqlGroup(number))
            .flat_map(|step| step.waits_for.iter().copied())
            .collect();
        let steps = self.plan.steps.iter();
        steps.filter(move |step| step.kind == StepKind::Analyze && waits_for.contains(&step.id))
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
        let queues = part.queues.iter().copied();
        loads.map(|load| &load.table).chain(queues).cloned().collect()
    }

    /// Retries what a retry can cure: deadlocks, serialization failures and lock timeouts, with exponential
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
        self.execute(Doing::WithoutRows(&Attempt::BeginningTransaction), &sql)
            .await
    }

    async fn in_transaction(&self, part: &Part<'_>) -> Result<Vec<report::TableReport>, Failure> {
        self.begin().await?;
        match self.mask_within(part).await {
            Ok(tables) => {
                self.execute(Doing::WithRows(&Attempt::CommittingMasked), "COMMIT")
                    .await?;
                Ok(tables)
            }
            Err(failure) => {
                // The connection may be what failed; then there is nothing to roll back.
                let _ = self.writer.batch_execute("ROLLBACK").await;
                Err(failure)
            }
        }
    }

    async fn mask_within(&self, part: &Part<'_>) -> Result<Vec<report::TableReport>, Failure> {
        let tables = self.tables_of(part);
        // Readers may go on, writers wait: a row written now would be lost with the truncation.
        for table in &tables {
            let lock = format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", table.sql());
            self.execute(
                Doing::WithoutRows(&Attempt::Locking {
                    table: table.to_string(),
                }),
                &lock,
            )
            .await?;
        }
        // All copies come before the first change: what is changed here is locked against the reader too.
        let mut copies = Vec::new();
        for (number, load) in part.plain.iter().enumerate() {
            let name = format!("scalingo_staging_sync_copy_{number}");
            copies.push(self.copy_masked(load, name).await?);
        }
        let mut reports = Vec::new();
        for number in &part.groups {
            reports.push(self.copy_group(*number).await?);
        }
        let keys = self.take_off_foreign_keys(&tables).await?;
        for (load, copy) in part.plain.iter().zip(&copies) {
            self.replace_rows(load, copy).await?;
        }
        for table in &part.queues {
            self.empty_silently(table).await?;
        }
        let mut masked: Vec<report::TableReport> = copies.into_iter().map(|copy| copy.report).collect();
        for (number, loaded) in part.groups.iter().zip(reports) {
            masked.extend(self.run_group(*number, loaded).await?);
        }
        self.put_back_foreign_keys(&keys).await?;
        Ok(masked)
    }

    async fn execute(&self, doing: Doing<'_>, sql: &str) -> Result<()> {
        self.writer
            .batch_execute(sql)
            .await
            .map_err(|error| Error::from_server(doing, &error))
    }
}
