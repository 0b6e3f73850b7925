//! The whole job: a production backup in, a masked staging database out.

use super::hold::{on_target, History};
use super::Job;
use crate::detect::Detection;
use crate::error::{Error, Result};
use crate::event::{Event, Phase, Sink};
use crate::leak::{LeakCheck, LookTime};
use crate::plan::{personal, Plan, StepKind};
use crate::postgres;
use crate::postgres::{Buffers, Item, LoadReport, Questions, RowStage, Stages, Target, Watching};
use crate::report::{self, Recorder, Report};
use crate::settings::Settings;
use crate::source::{self, BackupInfo};
use crate::stream::{self, Opened};
use crate::{identity, leak_report, passwords, verify};
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
/// Every [`Kind`](crate::error::Kind). Up to and including the schema's transaction the target is as it was.
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
        let (backup, opened) = self.open().await?;
        self.send_plan(&opened.plan).await;

        self.enter(Phase::Schema);
        let job = self.history.of_backup(&backup.info);
        self.target.reset_and_create(&opened.plan, job).await?;

        self.enter(Phase::Rows);
        let leaks = leak_report::check(self.settings, &opened.plan);
        let Opened {
            header,
            plan,
            detection,
            items,
            ..
        } = opened;
        let again = Again {
            settings: self.settings,
            events: &self.events,
            backup: &backup.info,
            header: &header,
            plan: &plan,
            detection: &detection,
            buffers: self.target.buffers(),
        };
        let mut stages: Stages = vec![Arc::clone(&detection) as Arc<dyn RowStage>];
        stages.extend(leak_report::stages(leaks.as_ref(), LookTime::Sent));
        let watching = Watching {
            questions: self.questions(&plan),
            stages,
        };
        let loaded = postgres::restore_from(self.target, Arc::clone(&plan), watching, items, &again).await?;
        let plan = &detection.carried_out();
        self.empty_late(&loaded, &detection).await?;

        self.enter(Phase::Verify);
        let rest = self.conclude(plan, &loaded, &detection, leaks.as_ref()).await?;
        Ok(Report {
            backup: Some(report::BackupReport::new(
                &backup.info,
                backup.digest.get(),
                &header,
            )),
            excluded: plan.excluded.iter().map(ToString::to_string).collect(),
            left_out: report::left_out(plan)
                .into_iter()
                .chain(report::refused(&self.target.left_out()))
                .collect(),
            large_objects: loaded.large_objects,
            steps: loaded.steps,
            ..rest
        })
    }

    fn enter(&self, phase: Phase) {
        self.events.send(Event::Phase { phase });
    }

    /// The backup, and the plan for it. Whatever is wrong with them is found here.
    async fn open(&self) -> Result<(Origin, Opened)> {
        let (settings, target, events) = (self.settings, self.target, &self.events);
        self.enter(Phase::Backup);
        let backup = source::open(&settings.source, events).await?;
        identity::refuse_addon(target.url(), &backup.info)?;
        self.history.of_backup(&backup.info);

        self.enter(Phase::Plan);
        let opened = stream::open(backup.archive, settings, target.buffers(), events).await?;
        for warning in &opened.plan.warnings {
            events.warn(warning);
        }
        identity::refuse_source(target.url(), &settings.source, &opened.header.database)?;
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
    ) -> Result<Report> {
        let target = self.target;
        let strict = self.settings.masking.fail_on_verification_error;
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
        target.mark_end().await?;

        let verified = verified && !leak_report.leaks();
        Ok(leak_report.into_report(Report {
            tables: self.recorder.placed(report::tables(plan, loaded)),
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

/// The same backup once more, for tables whose session broke before anything of theirs was committed.
struct Again<'a> {
    settings: &'a Settings,
    events: &'a Sink,
    backup: &'a BackupInfo,
    header: &'a Header,
    plan: &'a Arc<Plan>,
    detection: &'a Arc<Detection>,
    buffers: Buffers,
}

impl postgres::Replay for Again<'_> {
    async fn open(&self, loads: HashSet<DumpId>) -> Result<mpsc::Receiver<Result<Item>>> {
        let backup = source::open_again(&self.settings.source, self.backup, self.events).await?;
        let (plan, detection) = (Arc::clone(self.plan), Arc::clone(self.detection));
        let buffers = self.buffers.clone();
        stream::open_again(backup.archive, self.header, plan, detection, loads, buffers).await
    }
}

/// What to say where rules in SQL failed and the others went on.
fn left_empty(loaded: &LoadReport) -> Option<Error> {
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
