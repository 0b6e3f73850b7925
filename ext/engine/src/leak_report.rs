//! The leak check of a job: what it looks for, and what its end says. What is proven fails the job.

use crate::error::{Error, Kind, Result};
use crate::event::Sink;
use crate::leak::{self, Channel, Findings, LeakCheck};
use crate::plan::{Plan, TableName};
use crate::postgres::load::read_back::read_back;
use crate::postgres::Target;
use crate::report::Report;
use crate::settings::Settings;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The leak check of a job; None where it is off.
pub(crate) fn check(settings: &Settings, plan: &Plan) -> Option<Arc<LeakCheck>> {
    let wanted = settings.leak_check;
    wanted
        .enabled
        .then(|| LeakCheck::new(&plan.leaks, wanted.names, leak::Bounds::default()))
}

/// What the leak check has to say in the report.
#[derive(Debug, Default)]
pub(crate) struct LeakReport {
    findings: Option<Findings>,
    channels: Vec<Channel>,
}

impl LeakReport {
    /// Whether an original is proven to have survived.
    pub(crate) fn leaks(&self) -> bool {
        self.findings
            .iter()
            .any(|findings| findings.certain().next().is_some())
    }

    /// The text of the failure, where there is one.
    pub(crate) fn failure(&self) -> Option<String> {
        self.findings.as_ref().and_then(Findings::failure)
    }

    /// Puts it into a report.
    pub(crate) fn into_report(self, report: Report) -> Report {
        let (leaks, leak_check) = match self.findings {
            Some(Findings { leaks, summary }) => (leaks, Some(summary)),
            None => (Vec::new(), None),
        };
        Report {
            leaks,
            leak_check,
            channels: self.channels,
            ..report
        }
    }
}

/// Looks at the tables that rules in SQL took rows from or left values in, judges, and tells. `plan`: as it was carried out.
///
/// With `strict`, tables in which originals are proven to have survived are emptied, and so are those whose foreign keys
/// point at them; then that is the error. Without it, each is a warning. What is only possible is a warning always.
///
/// # Errors
/// [`Kind::Verification`], or what the server refuses.
pub(crate) async fn conclude(
    target: &Target,
    plan: &Plan,
    check: Option<&Arc<LeakCheck>>,
    strict: bool,
) -> Result<LeakReport> {
    if let Some(check) = check {
        let session = target.session().await?;
        for load in plan.loads.values() {
            if let Some(moment) = check.reads_back(load.dump_id) {
                read_back(&session, load, load.mask.as_deref(), check, moment).await?;
            }
        }
        target.give_back(session);
    }
    let told = tell(plan, check, None, target.events());
    let Some(failure) = told.failure().filter(|_| strict) else {
        warn(&told, target.events());
        return Ok(told);
    };
    let leaking: BTreeSet<&str> = told
        .findings
        .iter()
        .flat_map(Findings::certain)
        .map(|leak| leak.table.as_str())
        .collect();
    let tables: BTreeSet<&TableName> = (plan.loads.values())
        .filter(|load| leaking.contains(load.table.to_string().as_str()))
        .map(|load| &load.copy_into)
        .collect();
    for table in tables {
        target.empty(table).await?;
    }
    Err(refusal(
        failure,
        "These tables and those that refer to them were emptied.",
    ))
}

/// The error of a proven leak.
pub(crate) fn refusal(failure: String, state: &str) -> Error {
    Error::new(
        Kind::Verification,
        failure,
        format!(
            "{state} Add the entries to config.anonymization_tables, or name a column in config.pii_ignore if what it \
             holds is meant to be there, and run it again."
        ),
    )
}

/// What was found, with the channels that only the rows could tell of, and `further` ones.
pub(crate) fn tell(
    plan: &Plan,
    check: Option<&Arc<LeakCheck>>,
    further: Option<Channel>,
    events: &Sink,
) -> LeakReport {
    let mut channels = plan.known_channels();
    channels.extend(further);
    let unscanned = check.map(|check| check.unscanned()).unwrap_or_default();
    channels.extend(unscanned.into_iter().map(|(place, count)| {
        Channel::bytea_unscanned(&format!("{}.{}", place.table, place.column), count, &place.entry)
    }));
    for warning in leak::warnings(&channels) {
        events.warn(warning);
    }
    LeakReport {
        findings: check.map(|check| check.findings()),
        channels,
    }
}

/// Every leak as a warning.
pub(crate) fn warn(told: &LeakReport, events: &Sink) {
    for leak in told.findings.iter().flat_map(|findings| &findings.leaks) {
        events.warn(leak.sentence());
    }
}
