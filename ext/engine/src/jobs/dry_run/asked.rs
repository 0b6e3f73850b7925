//! What a dry run learns of the backup, of the plan, and of a target that answers.

use super::{age_warning, not_valid, take, trial, BackupContents, DryRun};
use crate::error::{About, Error, Kind, Result};
use crate::event::Sink;
use crate::failure::JobRemedy;
use crate::jobs::{choice, room};
use crate::part::Selection;
use crate::plan::{Plan, Unsettled};
use crate::postgres::inspect::connect;
use crate::postgres::url::ConnectionUrl;
use crate::postgres::Inspection;
use crate::settings::Settings;
use crate::text::Text;
use crate::{identity, postgres, report};

impl DryRun {
    pub(super) fn note_backup(&mut self, settings: &Settings, contents: &BackupContents) {
        self.backup = Some(report::BackupReport::new(&contents.info, None, &contents.header));
        self.warnings
            .extend(age_warning(settings, &contents.info).map(Text::from));
    }

    /// What the target has now; None where it cannot be looked at, or is not filled.
    pub(super) async fn look_at(
        &mut self,
        url: ConnectionUrl,
        settings: &Settings,
        plan: Option<&Plan>,
        events: &Sink,
        problems: &mut Vec<Error>,
    ) -> Result<Option<Inspection>> {
        if settings.alone {
            return Ok(None);
        }
        let looked = postgres::inspect(url, &settings.target, plan, events).await;
        let look = take(looked, problems)?;
        problems.extend(look.iter().flat_map(|look| &look.problems).cloned());
        let warnings = look.iter().flat_map(|look| &look.warnings);
        self.warnings.extend(warnings.cloned());
        Ok(look)
    }

    /// What only the target knows: of tables that stay, of rules, and of the schema where that is to be tried. Returns which
    /// rows would come, where that was asked for.
    pub(super) async fn ask_target(
        &mut self,
        settings: &Settings,
        events: &Sink,
        plan: &Plan,
        url: ConnectionUrl,
        problems: &mut Vec<Error>,
    ) -> Result<Option<Selection>> {
        let mut differing = Vec::new();
        if !plan.keep.tables.is_empty() {
            let session = connect(url.clone()).await?;
            let (other, absent) = postgres::look_at_kept(&session, &plan.keep).await?;
            session.close().await;
            differing = other;
            let absent = absent.iter().map(|table| postgres::nothing_to_keep(table));
            self.warnings.extend(absent.map(Text::from));
        }
        let chosen = choice::preview(settings, plan, &url, events).await;
        let choice::Previewed { asked, selection } = take(chosen, problems)?.unwrap_or_default();
        problems.extend(choice::refused(asked.problems.iter().cloned().chain(differing)));
        if settings.ask_server {
            self.server_check = take(postgres::ask(url, plan).await, problems)?;
            problems.extend(
                self.server_check
                    .iter()
                    .flat_map(|check| &check.problems)
                    .cloned(),
            );
        }
        if let Some(check) = &mut self.server_check {
            check.accepted += asked.accepted;
            check.refused += asked.problems.len() as u64;
        }
        if settings.try_schema && problems.is_empty() {
            let tried = take(trial::try_schema(settings, plan, events).await, problems)?;
            tried.into_iter().for_each(|tried| self.note_trial(tried));
        }
        Ok(selection)
    }

    pub(super) fn note_plan(&mut self, plan: &Plan) {
        self.warnings.extend(plan.warnings.iter().cloned());
        self.warnings.extend(room::warning(plan).map(Text::from));
        self.warnings.extend(plan.personal.unmeetable());
        self.findings.clone_from(&plan.personal.findings);
        self.channels = plan.known_channels();
        self.not_valid = not_valid(plan);
        self.left_out.extend(plan.left_out.iter().cloned());
    }
}

/// A fault that the caller has found, which says by itself what to do.
pub(super) fn known(fault: &String) -> Error {
    let about = About {
        faults: vec![fault.into()],
        ..About::default()
    };
    Error::new(Kind::Configuration, fault, JobRemedy::CorrectThere).about(about)
}

/// What is wrong with the configuration, and what the server at `url` refuses of it besides, as one list.
pub(super) async fn wrong(
    wrong: Vec<Error>,
    unsettled: Option<&Unsettled>,
    url: Option<ConnectionUrl>,
    problems: &mut Vec<Error>,
) -> Result<Error> {
    let refused = match (unsettled, url) {
        (Some(unsettled), Some(url)) => choice::also_refused(connect(url), unsettled).await,
        _ => Ok(Vec::new()),
    };
    Ok(choice::as_one(
        wrong,
        take(refused, problems)?.unwrap_or_default(),
    ))
}

/// Why a run would refuse this target for this backup.
pub(super) fn same_database(
    settings: &Settings,
    url: &ConnectionUrl,
    contents: &BackupContents,
) -> Vec<Error> {
    let dumped = &contents.header.database;
    let addon = identity::refuse_addon(url, &contents.info);
    let source = identity::refuse_source(url, &settings.source, dumped);
    addon.err().into_iter().chain(source.err()).collect()
}
