//! The engine of scalingo-staging-sync: a production backup in, a masked staging database out, as one stream.
//!
//! ```text
//! source    HTTPS download → gunzip → untar      (or a local file)
//! archive   pg_dump's custom format: table of contents, then data blocks
//! plan      table of contents + rules → what happens to each entry
//! copy      COPY text: rows, fields, escapes
//! detect    personal data that no rule covers, from the first rows (what it looks like: pii)
//! mask      rows in, masked rows out
//! leak      originals of masked columns that survive in others
//! target    PostgreSQL: reset, schema, rows, indexes and keys
//! verify    what was sent, counted and checked again in the target
//! ```
//!
//! [`run`] is the whole job, [`anonymize`] masks a database that is already there, [`fetch`] only downloads,
//! [`preview`](preview::preview) says what a run would do, and [`examine`] whether the target lets it.
//!
//! An arrow points down the list or to the ground floor (`settings`, `event`, `error`, `copy`, `near`), never up.
//! Nothing in this crate knows of Ruby or Rails, and nothing outside `source::scalingo` of Scalingo's API.

pub mod archive;
pub mod copy;
mod detect;
pub mod error;
pub mod event;
mod existing;
mod identity;
pub mod leak;
pub mod mask;
mod near;
mod passwords;
pub mod pii;
pub mod plan;
pub mod preview;
pub mod report;
pub mod sample;
pub mod scan;
pub mod settings;
pub mod source;
mod stream;
mod survivors;
pub mod target;
pub mod verify;

use error::{Error, Result};
use event::{Event, Phase, Sink};
use leak::LeakCheck;
use report::{Recorder, Report};
use settings::{Scalingo, Settings};
use std::collections::HashSet;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use target::Target;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What each job is: a future in a box, because the body of an `async fn` is compiled into the crate that awaits it, and
/// everything that it awaits along with it, once more than here.
pub type Job<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + 'a>>;

/// How long an interrupted run may take to leave the target in order: it has a second in all.
const CLOSING: Duration = Duration::from_millis(600);

/// Copies the backup into the target, masked: the whole job.
///
/// `cancel` ends it within a second, with its connections closed; the target is then marked incomplete if it
/// had been reset.
///
/// # Errors
/// Every [`error::Kind`]. Up to and including the schema's transaction the target is as it was.
pub fn run<'a>(settings: &'a Settings, events: &'a Sink, cancel: CancellationToken) -> Job<'a, Report> {
    Box::pin(async move {
        settings.check()?;
        let recorder = Recorder::start(events);
        on_target(settings, &recorder, "run", &cancel, async |target| {
            sync(settings, target, &recorder).await
        })
        .await
    })
}

/// Masks the rows that the target already holds, with the same rules; the source is not read.
///
/// # Errors
/// As [`run`], less those of source and archive. A table that fails is as it was.
pub fn anonymize<'a>(settings: &'a Settings, events: &'a Sink, cancel: CancellationToken) -> Job<'a, Report> {
    Box::pin(async move {
        settings.check()?;
        let recorder = Recorder::start(events);
        on_target(settings, &recorder, "anonymize", &cancel, async |target| {
            existing::anonymize(settings, target, &recorder).await
        })
        .await
    })
}

/// Downloads the backup that [`run`] would use and unpacks it into `directory`; returns the archive's path.
///
/// # Errors
/// Those of the source: [`error::Kind::Api`] and its neighbours.
pub fn fetch<'a>(
    settings: &'a Scalingo,
    directory: &'a Path,
    events: &'a Sink,
    cancel: CancellationToken,
) -> Job<'a, PathBuf> {
    Box::pin(async move { until_cancelled(&cancel, source::fetch(settings, directory, events)).await })
}

/// Ten rows of a table before and after its masks, for a person at a terminal. Reads the backup as far as that table,
/// and touches nothing.
///
/// # Errors
/// Those of source, archive and plan.
pub fn sample<'a>(
    settings: &'a Settings,
    table: &'a str,
    events: &'a Sink,
    cancel: CancellationToken,
) -> Job<'a, sample::Sample> {
    Box::pin(async move {
        settings.check()?;
        until_cancelled(&cancel, async {
            let backup = source::open(&preview::as_it_is(&settings.source), events).await?;
            sample::sample(settings, table, backup, events).await
        })
        .await
    })
}

/// Looks for personal data in a backup, a database or a schema, and says what no rule covers. Restores nothing.
///
/// # Errors
/// Those of source, archive and plan; when the database cannot be read.
pub fn scan<'a>(
    settings: &'a Settings,
    place: scan::Place,
    events: &'a Sink,
    cancel: CancellationToken,
) -> Job<'a, scan::Found> {
    Box::pin(async move { until_cancelled(&cancel, scan::scan(settings, place, events)).await })
}

/// Tries what a run needs of the target, each in a transaction that is rolled back.
///
/// # Errors
/// When the target cannot be reached.
pub fn examine<'a>(
    settings: &'a settings::Target,
    _events: &'a Sink,
    cancel: CancellationToken,
) -> Job<'a, target::Examination> {
    Box::pin(async move { until_cancelled(&cancel, target::examine(settings)).await })
}

/// Clears what killed runs have left in the target: sessions, the read-only setting, the note that they are under
/// way. The next run does the same by itself.
///
/// # Errors
/// [`error::Kind::TargetBusy`] while a run is under way; otherwise when the target cannot be reached.
pub fn cleanup<'a>(
    settings: &'a settings::Target,
    events: &'a Sink,
    cancel: CancellationToken,
) -> Job<'a, target::Leftover> {
    Box::pin(async move {
        let settings = settings::Target {
            // Sessions of others are nobody's leftovers and in nobody's way here.
            terminate_connections: true,
            ..settings.clone()
        };
        until_cancelled(&cancel, async {
            let target = Target::open(&settings, events).await?;
            let cleared = target.clear_leftovers().await;
            target.close().await?;
            cleared
        })
        .await
    })
}

/// The pipeline, from the backup to the marker that says how the target is left.
async fn sync(settings: &Settings, target: &Target, recorder: &Recorder) -> Result<Report> {
    let events = &recorder.sink();

    events.send(Event::Phase { phase: Phase::Backup });
    let backup = source::open(&settings.source, events).await?;
    identity::refuse_addon(settings, &backup.info)?;
    target.note_backup(&backup.info.id, backup.info.created_at.as_deref());
    target.note_source(&backup.info.origin);

    events.send(Event::Phase { phase: Phase::Plan });
    let key = mask::Key::new(&settings.masking.secret);
    let opened = stream::open(backup.archive, settings, key, target.buffers(), events).await?;
    for warning in &opened.plan.warnings {
        events.warn(warning);
    }

    identity::refuse_source(settings, &opened.header.database)?;
    tell_plan(&opened.plan, target, events).await;

    events.send(Event::Phase { phase: Phase::Schema });
    target.reset_and_create(&opened.plan).await?;

    events.send(Event::Phase { phase: Phase::Rows });
    let questions = if settings.masking.verify {
        verify::questions(&opened.plan)
    } else {
        target::Questions::new()
    };
    let leaks = leak_check(settings, &opened.plan);
    let again = Again {
        settings,
        events,
        backup: &backup.info,
        header: &opened.header,
        plan: &opened.plan,
        detection: &opened.detection,
        buffers: target.buffers(),
    };
    let watching = target::Watching {
        questions,
        leaks: leaks.clone(),
    };
    let plan = opened.plan.clone();
    let loaded = target::restore_from(target, plan, watching, opened.items, &again).await?;
    let detection = &opened.detection;
    let plan = &detection.carried_out();
    for table in &loaded.late {
        target.empty(table).await?;
    }
    if !loaded.late.is_empty() {
        return Err(detection.refusal().unwrap_or_else(Error::interrupted));
    }

    events.send(Event::Phase { phase: Phase::Verify });
    target.analyze_others(&loaded.analyzed).await?;
    let verified = if settings.masking.verify {
        let strict = settings.masking.fail_on_verification_error;
        let found = verify::verify(target, plan, &loaded, strict).await?;
        found.problems.is_empty()
    } else {
        false
    };
    if let Some(error) = left_empty(&loaded).or_else(|| detection.refusal()) {
        return Err(error);
    }
    let findings = detection.findings();
    if let Some(warning) = plan::personal::warning(&findings) {
        events.warn(warning);
    }
    let strict = settings.masking.fail_on_verification_error;
    let told = survivors::conclude(target, plan, leaks.as_ref(), strict).await?;
    let known_passwords = passwords::count(target, plan).await?;
    target.mark_end().await?;

    let verified = verified && !told.leaks();
    Ok(told.into_report(Report {
        backup: Some(report::Backup::new(
            &backup.info,
            backup.digest.get(),
            &opened.header,
        )),
        tables: recorder.placed(report::tables(plan, &loaded)),
        excluded: plan.excluded.iter().map(ToString::to_string).collect(),
        left_out: report::left_out(plan),
        findings,
        known_passwords,
        large_objects: loaded.large_objects,
        steps: loaded.steps,
        verified,
        ..recorder.finish()
    }))
}

/// The leak check of a run; None where it is off.
fn leak_check(settings: &Settings, plan: &plan::Plan) -> Option<Arc<LeakCheck>> {
    let wanted = settings.leak_check;
    wanted
        .enabled
        .then(|| LeakCheck::new(&plan.leaks, wanted.names, leak::Bounds::default()))
}

/// Says what lies ahead, for whoever draws or counts the progress.
async fn tell_plan(plan: &plan::Plan, target: &Target, events: &Sink) {
    let steps = plan.steps.iter();
    events.send(Event::Planned {
        tables: plan.loads.len() as u64,
        steps: steps.filter(|step| step.kind != plan::StepKind::SqlRules).count() as u64,
        last_rows: target.last_rows().await,
    });
}

/// The same backup once more, for tables whose session broke before anything of theirs was committed.
struct Again<'a> {
    settings: &'a Settings,
    events: &'a Sink,
    backup: &'a source::BackupInfo,
    header: &'a archive::Header,
    plan: &'a Arc<plan::Plan>,
    detection: &'a Arc<detect::Detection>,
    buffers: target::Buffers,
}

impl target::Again for Again<'_> {
    async fn open(&self, loads: HashSet<archive::DumpId>) -> Result<mpsc::Receiver<Result<target::Item>>> {
        let backup = source::open_again(&self.settings.source, self.backup, self.events).await?;
        let (plan, detection) = (Arc::clone(self.plan), Arc::clone(self.detection));
        let buffers = self.buffers.clone();
        stream::open_again(backup.archive, self.header, plan, detection, loads, buffers).await
    }
}

/// What to tell where rules in SQL failed and the others went on.
fn left_empty(loaded: &target::LoadReport) -> Option<Error> {
    let (_, first) = loaded.failed.first()?;
    let tables = loaded.failed.iter().flat_map(|(tables, _)| tables);
    let names: Vec<String> = tables.map(ToString::to_string).collect();
    Some(Error::new(
        first.kind,
        format!(
            "Rules in SQL failed, and these tables are empty: {}. The first error was: {}",
            names.join(", "),
            first.what
        ),
        "Correct the rule and run it again.",
    ))
}

/// Opens the target, works on it until done or cancelled, notes how it went, and leaves it in order either way.
async fn on_target(
    settings: &Settings,
    recorder: &Recorder,
    mode: &'static str,
    cancel: &CancellationToken,
    work: impl AsyncFnOnce(&Target) -> Result<Report>,
) -> Result<Report> {
    let events = recorder.sink();
    let target = until_cancelled(cancel, Target::open(&settings.target, &events)).await?;
    target.note_job(mode, settings.fingerprint.as_deref());
    let worked = until_cancelled(cancel, async {
        let size_before = target.size().await?;
        let report = work(&target).await?;
        Ok(Report {
            run_id: target.run_id().to_owned(),
            size_before,
            size_after: target.size().await?,
            ..report
        })
    });
    let result = worked.await;
    target.record(&report::outcome(&result, recorder.seconds())).await;
    let closed = close(&target, cancel).await;
    // What went wrong first is what has to be told.
    let result = result?;
    closed.map(|()| result)
}

/// Closes the target. A run that is stopped, also while it closes, waits for that no longer than [`CLOSING`]: what is
/// not put back by then, the next run puts back.
async fn close(target: &Target, cancel: &CancellationToken) -> Result<()> {
    tokio::select! {
        closed = target.close() => closed,
        () = async {
            cancel.cancelled().await;
            tokio::time::sleep(CLOSING).await;
        } => Ok(()),
    }
}

async fn until_cancelled<T>(cancel: &CancellationToken, work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Error::interrupted()),
        result = work => result,
    }
}
