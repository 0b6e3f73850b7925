//! The leak check of a job: what it looks for, and what its end says. What is proven fails the job.

pub(crate) mod read_back;
mod words;

use crate::channel::{self, Channel};
use crate::error::{Error, Kind, Result};
use crate::event::Sink;
use crate::failure::LeakRemedy;
use crate::plan::{Plan, TableName};
use crate::postgres::{Look, RowStage, Stages, Target};
use crate::report::Report;
use crate::settings::Settings;
use crate::text::Text;
use leak_check::{Bounds, Findings, LeakCheck, LookTime, Watcher};
use masking::RowMask;
use personal_data::Suggestion;
use pg_dump_archive::copy::Row;
use pg_dump_archive::DumpId;
use read_back::read_back;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// The leak check of a job; None where it is off.
pub(crate) fn check(settings: &Settings, plan: &Plan) -> Option<Arc<LeakCheck>> {
    let wanted = settings.leak_check;
    wanted
        .enabled
        .then(|| LeakCheck::new(&plan.leaks, wanted.names, Bounds::default()))
}

/// The leak check as a stage of the loader: it sees each row as it came and as it is sent.
#[derive(Debug)]
struct Watch {
    check: Arc<LeakCheck>,
    moment: LookTime,
}

/// The stages of a job whose rows are watched at this moment; none where the check is off.
pub(crate) fn stages(check: Option<&Arc<LeakCheck>>, moment: LookTime) -> Stages {
    let watch = check.map(|check| Watch {
        check: Arc::clone(check),
        moment,
    });
    watch
        .into_iter()
        .map(|watch| Arc::new(watch) as Arc<dyn RowStage>)
        .collect()
}

impl RowStage for Watch {
    fn look(self: Arc<Self>, load: DumpId, mask: Option<&RowMask>) -> Option<Box<dyn Look>> {
        let watcher = self.check.watcher(load, mask, self.moment)?;
        Some(Box::new(LaneWatcher(watcher)))
    }
}

struct LaneWatcher(Watcher);

impl Look for LaneWatcher {
    fn sees_what_is_sent(&self) -> bool {
        true
    }

    fn sent(&mut self, raw: Row<'_>, sent: Row<'_>) {
        self.0.row(raw, sent);
    }

    fn piece_sent(&mut self, raw: &[u8], sent: &[u8]) {
        self.0.piece(raw, sent);
    }

    fn end_of_piece(&mut self) {
        self.0.end_of_piece();
    }
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
    pub(crate) fn failure(&self) -> Option<Text> {
        self.findings.as_ref().and_then(words::failure)
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

/// Looks at the tables that rules in SQL took rows from or left values in, judges, and reports. `plan`: as it was carried out.
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
    let found = collect(plan, check, None, target.events());
    let Some(failure) = found.failure().filter(|_| strict) else {
        warn(&found, target.events());
        return Ok(found);
    };
    let leaking: BTreeSet<&str> = found
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
    Err(refusal(failure, LeakRemedy::TablesEmptied))
}

/// The error of a proven leak.
pub(crate) fn refusal(failure: Text, remedy: LeakRemedy) -> Error {
    Error::new(Kind::Verification, failure, remedy)
}

/// What was found, with the channels that only the rows could show, and `further` ones.
pub(crate) fn collect(
    plan: &Plan,
    check: Option<&Arc<LeakCheck>>,
    further: Option<Channel>,
    events: &Sink,
) -> LeakReport {
    let mut channels = plan.known_channels();
    channels.extend(further);
    let unscanned = check.map(|check| check.unscanned()).unwrap_or_default();
    channels.extend(unscanned.into_iter().map(|(place, count)| {
        Channel::bytea_unscanned(
            &format!("{}.{}", place.table, place.column),
            count,
            &place.entry(),
        )
    }));
    for warning in channel::warnings(&channels) {
        events.warn(warning);
    }
    LeakReport {
        findings: check.map(|check| with_remedies_that_differ(check.findings(), plan)),
        channels,
    }
}

/// What masks a column already is no remedy: it has left what was found.
fn with_remedies_that_differ(mut findings: Findings, plan: &Plan) -> Findings {
    let masked: HashSet<(String, &str)> = (plan.loads.values())
        .flat_map(|load| {
            let columns = load
                .mask
                .iter()
                .chain(&load.conditional)
                .flat_map(|mask| mask.columns());
            columns.map(|column| (load.table.to_string(), column.name.as_str()))
        })
        .collect();
    for leak in &mut findings.leaks {
        if masked.contains(&(leak.table.clone(), leak.column.as_str())) {
            leak.entry.mask = wholly(&leak.entry.mask);
        }
    }
    findings
}

/// A mask that leaves nothing, for what a mask has left something of. A document keeps its structure.
fn wholly(mask: &Suggestion) -> Suggestion {
    let every = |place: &str| serde_json::json!({ place: "null" });
    match mask.mask {
        "json" => Suggestion::with("json", "paths", every("$..*")),
        "hstore" => Suggestion::with("hstore", "keys", every("*")),
        "array" => Suggestion::with("array", "of", "text"),
        "hash" | "null" => mask.clone(),
        _ => Suggestion::plain("text"),
    }
}

/// Every leak as a warning.
pub(crate) fn warn(found: &LeakReport, events: &Sink) {
    for leak in found.findings.iter().flat_map(|findings| &findings.leaks) {
        events.warn(words::notice(leak));
    }
}
