//! The whole job: a production backup in, a masked staging database out.

use super::hold::{on_target, History};
use super::{choice, room, Job};
use crate::detect::Detection;
use crate::error::{Error, Kind, Result};
use crate::event::{Event, Phase, Sink};
use crate::failure::{JobFailure, JobRemedy};
use crate::part::Selection;
use crate::plan::{personal, Plan, StepKind};
use crate::postgres;
use crate::postgres::{Buffers, Item, LoadReport, Questions, RowStage, Stages, Target, Watching};
use crate::report::{self, Recorder, Report};
use crate::settings::Settings;
use crate::source::{self, BackupInfo};
use crate::stream::{self, Identity, Opened, Referred};
use crate::text::text;
use crate::{identity, leak_report, part_report, passwords, verify};
use leak_check::{LeakCheck, LookTime};
use pg_dump_archive::{DumpId, Header};
use std::collections::HashSet;
use std::sync::{Arc, OnceLock};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Copies the backup into the target, masked.
///
/// `cancel` ends it within a second, with its connections closed; the target is then marked incomplete if it
/// had been reset.
///
/// # Errors
/// Every [`Kind`]. Up to and including the schema's transaction the target is as it was.
pub fn run<'a>(settings: &'a Settings, events: &'a Sink, cancel: CancellationToken) -> Job<'a, Report> {
    Box::pin(async move {
        settings.check()?;
        let recorder = Recorder::start(events);
        on_target(settings, &recorder, "run", &cancel, async |target, history| {
            let run = Run {
                settings,
                target,
                history,
                recorder: &recorder,
                events: recorder.sink(),
            };
            run.sync().await
        })
        .await
    })
}

struct Run<'a> {
    settings: &'a Settings,
    target: &'a Target,
    history: &'a History,
    recorder: &'a Recorder,
    events: Sink,
}

impl Run<'_> {
    /// From the backup to the marker that says how the target is left.
    async fn sync(&self) -> Result<Report> {
        let (backup, mut opened) = self.open().await?;
        self.send_plan(&opened.plan).await;
        choice::refuse(self.target.session(), &opened.plan).await?;
        let known = choice::Known {
            settings: self.settings,
            backup: &backup.info,
            events: &self.events,
        };
        let chosen = choice::beforehand(self.target, &mut opened, known).await?;
        let Opened {
            header,
            identity,
            plan,
            detection,
            items,
            referred,
            ..
        } = opened;
        let again = Again {
            settings: self.settings,
            events: &self.events,
            backup: &backup.info,
            identity,
            plan: &plan,
            detection: &detection,
            buffers: self.target.buffers(),
            selection: OnceLock::new(),
            referred,
        };
        // It is opened before the target is touched: a backup that has changed meanwhile costs nothing.
        let items = match chosen {
            None => items,
            Some(selection) => {
                let _ = again.selection.set(Arc::new(selection));
                again.read(None, true).await?
            }
        };

        self.enter(Phase::Schema);
        let job = self.history.of_backup(&backup.info);
        self.target.reset_and_create(&plan, job).await?;

        self.enter(Phase::Rows);
        let leaks = leak_report::check(self.settings, &plan);
        let watching = self.watching(&plan, &detection, leaks.as_ref());
        let loaded = postgres::restore_from(self.target, Arc::clone(&plan), watching, items, &again).await?;
        let plan = &detection.carried_out();
        self.empty_late(&loaded, &detection).await?;

        self.enter(Phase::Verify);
        let selection = again.selection.get().map(Arc::as_ref);
        let rest = self
            .conclude(plan, &loaded, &detection, leaks.as_ref(), selection)
            .await?;
        Ok(self.report(plan, &loaded, (&backup, &header), rest))
    }

    fn report(
        &self,
        plan: &Plan,
        loaded: &LoadReport,
        (backup, header): (&Origin, &Header),
        rest: Report,
    ) -> Report {
        let left_out = plan.left_out.iter().cloned();
        let kept = plan.keep.tables.iter();
        Report {
            backup: Some(report::BackupReport::new(
                &backup.info,
                backup.digest.get(),
                header,
            )),
            excluded: plan.excluded.iter().map(ToString::to_string).collect(),
            kept: kept.map(|one| one.table.to_string()).collect(),
            left_out: left_out.chain(self.target.left_out()).collect(),
            large_objects: loaded.large_objects,
            steps: loaded.steps,
            ..rest
        }
    }

    fn enter(&self, phase: Phase) {
        self.events.send(Event::Phase { phase });
    }

    /// The backup and its plan. Everything that is wrong with them is found here.
    async fn open(&self) -> Result<(Origin, Opened)> {
        let (settings, target, events) = (self.settings, self.target, &self.events);
        self.enter(Phase::Backup);
        let backup = source::open(&settings.source, settings.target.stall_timeout, events).await?;
        identity::refuse_addon(target.url(), &backup.info)?;
        self.history.of_backup(&backup.info);

        self.enter(Phase::Plan);
        let opened = match stream::open(backup.archive, settings, target.buffers(), events).await {
            Ok(opened) => opened,
            Err(unplanned) => return Err(choice::unplanned(target.session(), unplanned).await),
        };
        for warning in &opened.plan.warnings {
            events.warn(warning);
        }
        if let Some(warning) = room::warning(&opened.plan) {
            events.warn(warning);
        }
        identity::refuse_source(target.url(), &settings.source, &opened.header.database)?;
        if opened.plan.part.is_some() {
            choice::refuse_pipe(&backup.info)?;
        }
        let origin = Origin {
            info: backup.info,
            digest: backup.digest,
        };
        Ok((origin, opened))
    }

    /// Says what lies ahead, for the display of progress.
    async fn send_plan(&self, plan: &Plan) {
        let steps = plan.steps.iter();
        let steps = steps.filter(|step| step.kind != StepKind::SqlRules);
        self.events.send(Event::Planned {
            tables: plan.loads.len() as u64,
            steps: steps.count() as u64,
            last_rows: self.target.last_rows().await,
        });
    }

    /// What is looked at while rows are loaded.
    fn watching(&self, plan: &Plan, detection: &Arc<Detection>, leaks: Option<&Arc<LeakCheck>>) -> Watching {
        let mut stages: Stages = vec![Arc::clone(detection) as Arc<dyn RowStage>];
        stages.extend(leak_report::stages(leaks, LookTime::Sent));
        Watching {
            questions: self.questions(plan),
            stages,
        }
    }

    /// What is asked of each table while others still load.
    fn questions(&self, plan: &Plan) -> Questions {
        if self.settings.masking.verify {
            verify::questions(plan)
        } else {
            Questions::new()
        }
    }

    /// Empties the tables in which personal data was found too late to mask it, and fails for them.
    async fn empty_late(&self, loaded: &LoadReport, detection: &Detection) -> Result<()> {
        for table in &loaded.late {
            self.target.empty(table).await?;
        }
        if loaded.late.is_empty() {
            Ok(())
        } else {
            Err(detection.refusal().unwrap_or_else(Error::interrupted))
        }
    }

    /// Verifies, looks for originals that survived, and marks the target complete.
    async fn conclude(
        &self,
        plan: &Plan,
        loaded: &LoadReport,
        detection: &Detection,
        leaks: Option<&Arc<LeakCheck>>,
        selection: Option<&Selection>,
    ) -> Result<Report> {
        let target = self.target;
        let strict = self.settings.masking.fail_on_verification_error;
        for warning in part_report::warnings(plan, selection) {
            self.events.warn(warning);
        }
        target.settle_kept(plan).await?;
        target.analyze_others(&loaded.analyzed).await?;
        let verified = if self.settings.masking.verify {
            let found = verify::verify(target, plan, loaded, strict).await?;
            found.problems.is_empty()
        } else {
            false
        };
        if let Some(error) = left_empty(loaded).or_else(|| detection.refusal()) {
            return Err(error);
        }
        let findings = detection.findings();
        if let Some(warning) = personal::warning(&findings) {
            self.events.warn(warning);
        }
        let leak_report = leak_report::conclude(target, plan, leaks, strict).await?;
        let known_passwords = passwords::count(target, plan).await?;
        target.force_row_security(&plan.forced).await?;
        target.mark_end().await?;

        let verified = verified && !leak_report.leaks();
        Ok(leak_report.into_report(Report {
            tables: self.recorder.placed(report::tables(plan, loaded, selection)),
            part: part_report::reports(plan, selection),
            findings,
            known_passwords,
            verified,
            ..self.recorder.finish()
        }))
    }
}

/// What is left to say of a backup once its archive is being read.
struct Origin {
    info: BackupInfo,
    digest: Arc<OnceLock<String>>,
}

/// The same backup once more: for rows that are chosen by then, and for tables whose session broke before anything of
/// theirs was committed.
pub(super) struct Again<'a> {
    pub(super) settings: &'a Settings,
    pub(super) events: &'a Sink,
    pub(super) backup: &'a BackupInfo,
    pub(super) identity: Identity,
    pub(super) plan: &'a Arc<Plan>,
    pub(super) detection: &'a Arc<Detection>,
    pub(super) buffers: Buffers,
    /// Which rows come, where not all do.
    pub(super) selection: OnceLock<Arc<Selection>>,
    /// Which large objects come, where not all do.
    pub(super) referred: Option<Arc<Referred>>,
}

impl Again<'_> {
    /// Reads some loads' rows once more, or everything. `decides`: they were never judged.
    pub(super) async fn read(
        &self,
        loads: Option<HashSet<DumpId>>,
        decides: bool,
    ) -> Result<mpsc::Receiver<Result<Item>>> {
        let backup = source::open_again(
            &self.settings.source,
            self.backup,
            self.settings.target.stall_timeout,
            self.events,
        )
        .await?;
        if (&backup.info.id, backup.info.size) != (&self.backup.id, self.backup.size) {
            return Err(Error::new(
                Kind::Archive,
                JobFailure::BackupResized,
                JobRemedy::Again,
            ));
        }
        let again = stream::Again {
            identity: self.identity.clone(),
            plan: Arc::clone(self.plan),
            detection: Arc::clone(self.detection),
            selection: self.selection.get().cloned(),
            decides,
            referred: self.referred.clone().filter(|_| decides),
        };
        stream::open_again(backup.archive, again, loads, self.buffers.clone()).await
    }
}

impl postgres::Replay for Again<'_> {
    async fn open(&self, loads: HashSet<DumpId>) -> Result<mpsc::Receiver<Result<Item>>> {
        self.read(Some(loads), false).await
    }
}

/// What to say where rules in SQL failed and the others went on.
fn left_empty(loaded: &LoadReport) -> Option<Error> {
    let (_, first) = loaded.failed.first()?;
    let tables = loaded.failed.iter().flat_map(|(tables, _)| tables);
    let tables = tables.map(ToString::to_string).collect();
    Some(Error::new(
        first.kind,
        text!(JobFailure::RulesLeftEmpty { tables }, " ", &first.what),
        JobRemedy::CorrectRuleAndRun,
    ))
}
