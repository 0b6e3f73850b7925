//! The dry run: what a run would do, without doing it.
//!
//! The beginning of the real backup is downloaded, up to the end of its table of contents, and planned with the
//! real rules; then the target is looked at in a read-only transaction. No new backup is asked for, nothing is
//! kept on disk, nothing is locked, unless the whole schema is to be tried ([`Settings::try_schema`]).

mod asked;
mod trial;

use super::{read_only, until_cancelled, Job};
use crate::channel::Channel;
use crate::error::{About, Error, Kind, Result};
use crate::event::{Event, Phase, Sink};
use crate::notice::Notice;
use crate::part::Selection;
use crate::part_report::{self, TablePart};
use crate::plan::sql_rules::SqlStatement;
use crate::plan::{LeftOut, Load, Plan, Unplanned};
use crate::planned;
use crate::postgres::url::ConnectionUrl;
use crate::postgres::{Inspection, ServerCheck};
use crate::report;
use crate::settings::{Settings, Source};
use crate::source::{self, BackupInfo};
use crate::text::Text;
use masking::Becomes;
use pg_dump_archive::{Archive, DumpId, EntryKind, Header};
use serde::Serialize;
use std::collections::HashMap;
use std::io::Read;
use tokio_util::sync::CancellationToken;

/// What a run would do.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DryRun {
    /// Whether it would go through, as far as can be known without doing it.
    pub would_succeed: bool,
    /// What would end it.
    pub problems: Vec<Problem>,
    /// What the person in charge should know.
    pub warnings: Vec<Text>,
    /// The backup it would read; None when none is available.
    pub backup: Option<report::BackupReport>,
    /// Each table, by name.
    pub tables: Vec<PlannedTable>,
    /// Every column that looks personal by its name, as [`report::Report::findings`] has them.
    pub findings: Vec<report::Finding>,
    /// What holds personal data outside of columns, as far as the table of contents shows, and what a run would do with it.
    pub channels: Vec<Channel>,
    /// Foreign keys that would be added NOT VALID, because rows they point at are excluded.
    pub not_valid: Vec<String>,
    /// What else would be left out, and why.
    pub left_out: Vec<LeftOut>,
    /// The target; None when it could not be looked at.
    pub target: Option<Inspection>,
    /// What the server says of rules in SQL; None where it was not asked.
    pub server_check: Option<ServerCheck>,
}

/// One thing that would end a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Problem {
    /// What kind of failure it would be.
    pub kind: Kind,
    /// What would happen.
    pub what: Text,
    /// What to do about it.
    pub remedy: Text,
    /// What it is about.
    pub about: About,
    /// Each fault by itself, where it is everything that is wrong with the configuration, or that the server refuses of it;
    /// else none.
    pub faults: Vec<Text>,
}

/// What would happen to a table's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TableAction {
    /// Copied with some columns masked.
    Mask,
    /// Copied as they are.
    Copy,
    /// Left out: the table is created without them.
    WithoutRows,
    /// Those of the target stay.
    Keep,
}

/// One table of the backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedTable {
    /// `schema.table`.
    pub table: String,
    /// What would happen to its rows.
    pub action: TableAction,
    /// Its masked columns, and what each would become.
    pub columns: Vec<PlannedColumn>,
    /// The statements of rules in SQL, in their order, as they would run on a temporary copy of its rows.
    pub sql: Vec<Sql>,
    /// Which of its rows would come, or which of others they decide about where they do not; None: every one, or nothing.
    pub part: Option<TablePart>,
    /// Its rows as of the last run.
    pub last_rows: Option<u64>,
    /// The size of its rows in the backup, compressed, where the archive says.
    pub compressed_bytes: Option<u64>,
}

/// A column that would be masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedColumn {
    /// Its name.
    pub name: String,
    /// What it would become.
    pub mask: Becomes,
}

/// A statement of a rule in SQL. The parser has read it; the server has not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sql {
    /// The rule, in the words of the configuration.
    pub rule: String,
    /// The columns that it sets; none for a DELETE.
    pub columns: Vec<String>,
    /// The statement.
    pub sql: String,
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        Self {
            kind: error.kind,
            what: error.what.clone(),
            remedy: error.remedy.clone(),
            about: (*error.about).clone(),
            faults: error.about.faults.clone(),
        }
    }
}

/// Says what a run with these settings would do.
///
/// # Errors
/// [`Kind::Interrupted`] and [`Kind::Internal`] only: all other failures would end a run, too, and are returned as
/// one of the [`DryRun::problems`].
pub fn dry_run<'a>(settings: &'a Settings, events: &'a Sink, cancel: CancellationToken) -> Job<'a, DryRun> {
    Box::pin(async move { until_cancelled(&cancel, preview(settings, events)).await })
}

async fn preview(settings: &Settings, events: &Sink) -> Result<DryRun> {
    let mut dry = DryRun::default();
    let mut problems: Vec<Error> = settings.check().err().into_iter().collect();
    let mut wrong: Vec<Error> = settings.faults.iter().map(asked::known).collect();
    let url = take(ConnectionUrl::of(&settings.target), &mut problems)?;

    events.send(Event::Phase { phase: Phase::Backup });
    let contents = take(contents(settings, events).await, &mut problems)?;
    let (mut plan, mut unsettled, mut sizes) = (None, None, HashMap::new());
    if let Some(contents) = contents {
        dry.note_backup(settings, &contents);
        problems.extend(
            url.iter()
                .flat_map(|url| asked::same_database(settings, url, &contents)),
        );
        sizes = contents.sizes;
        match contents.plan {
            Ok(made) => plan = Some(made),
            Err(unplanned) => {
                unsettled = unplanned.unsettled;
                take::<()>(Err(unplanned.error), &mut wrong)?;
            }
        }
    }
    let place = problems.len();
    problems.extend(plan.as_ref().and_then(|plan| plan.personal.refusal()));
    let look = match url.clone() {
        Some(url) => {
            dry.look_at(url, settings, plan.as_ref(), events, &mut problems)
                .await?
        }
        None => None,
    };
    let (mut selection, mut faults) = (None, Vec::new());
    let url = url.filter(|_| look.is_some() || settings.alone);
    if !wrong.is_empty() {
        let unsettled = unsettled.or_else(|| plan.as_ref().map(|plan| Box::new(plan.unsettled())));
        let wrong = asked::wrong(wrong, unsettled.as_deref(), url, &mut problems).await?;
        faults = wrong.faults();
        problems.insert(place, wrong);
    } else if let (Some(plan), Some(url)) = (&plan, url) {
        // This needs both: a plan, and a target that answers.
        selection = dry.ask_target(settings, events, plan, url, &mut problems).await?;
    }
    if let Some(plan) = &plan {
        dry.note_plan(plan);
        let unmet = part_report::warnings(plan, selection.as_ref());
        dry.warnings.extend(unmet.into_iter().map(Text::from));
        dry.tables = tables(plan, &sizes, look.as_ref(), selection.as_ref());
    }
    dry.target = look;
    dry.problems = problems.iter().map(Problem::from).collect();
    if let Some(wrong) = dry.problems.get_mut(place).filter(|_| !faults.is_empty()) {
        wrong.faults = faults;
    }
    dry.would_succeed = dry.problems.is_empty();
    Ok(dry)
}

/// A part of the dry run, or None where it fails as a run would, which is a problem to report. A defect or an interrupt
/// ends the dry run itself.
fn take<T>(part: Result<T>, problems: &mut Vec<Error>) -> Result<Option<T>> {
    match part {
        Ok(part) => Ok(Some(part)),
        Err(error) if matches!(error.kind, Kind::Interrupted | Kind::Internal) => Err(error),
        Err(error) => {
            problems.push(error);
            Ok(None)
        }
    }
}

struct BackupContents {
    info: BackupInfo,
    header: Header,
    plan: Result<Plan, Unplanned>,
    sizes: HashMap<DumpId, u64>,
}

/// Reads the table of contents and plans. The download stops when this is done.
async fn contents(settings: &Settings, events: &Sink) -> Result<BackupContents> {
    let backup = source::open(
        &read_only(&settings.source),
        settings.target.stall_timeout,
        events,
    )
    .await?;
    events.send(Event::Phase { phase: Phase::Plan });
    let (info, archive) = (backup.info, backup.archive);
    let (settings, events) = (settings.clone(), events.clone());
    let read = tokio::task::spawn_blocking(move || read(info, archive, &settings, &events));
    read.await.map_err(|_| Error::interrupted())?
}

fn read(
    info: BackupInfo,
    archive: Box<dyn Read + Send>,
    settings: &Settings,
    events: &Sink,
) -> Result<BackupContents> {
    let archive = Archive::open(archive)?;
    let sizes = archive.entries().iter();
    Ok(BackupContents {
        info,
        header: archive.header().clone(),
        plan: planned::from_archive(&archive, settings, events),
        sizes: sizes
            .filter_map(|entry| Some((entry.dump_id, entry.data_size?)))
            .collect(),
    })
}

/// Says when a run would ask for a fresh backup, which a dry run does not.
fn age_warning(settings: &Settings, info: &BackupInfo) -> Option<Notice> {
    let Source::Scalingo(scalingo) = &settings.source else {
        return None;
    };
    let most = scalingo.backup_max_age?;
    let created: jiff::Timestamp = info.created_at.as_deref()?.parse().ok()?;
    let age = jiff::Timestamp::now().duration_since(created).as_secs();
    (u64::try_from(age).unwrap_or(0) >= most).then_some(Notice::BackupTooOld)
}

fn tables(
    plan: &Plan,
    sizes: &HashMap<DumpId, u64>,
    look: Option<&Inspection>,
    chosen: Option<&Selection>,
) -> Vec<PlannedTable> {
    let loaded = plan.loads.values().map(|load| {
        let (columns, sql) = (columns(plan, load), sql(plan, load));
        PlannedTable {
            action: if columns.is_empty() && sql.is_empty() {
                TableAction::Copy
            } else {
                TableAction::Mask
            },
            last_rows: look.and_then(|look| look.last_rows.get(&load.table.to_string()).copied()),
            table: load.table.to_string(),
            part: part_report::planned(plan, load.dump_id, chosen, look.map(|look| &look.last_part)),
            columns,
            sql,
            compressed_bytes: sizes.get(&load.dump_id).copied(),
        }
    });
    let excluded = plan.excluded.iter().map(|table| PlannedTable {
        table: table.to_string(),
        action: TableAction::WithoutRows,
        columns: Vec::new(),
        sql: Vec::new(),
        part: part_report::without_rows(plan, table),
        last_rows: None,
        compressed_bytes: None,
    });
    let kept = plan.keep.tables.iter().map(|kept| PlannedTable {
        table: kept.table.to_string(),
        action: TableAction::Keep,
        columns: Vec::new(),
        sql: Vec::new(),
        part: None,
        last_rows: None,
        compressed_bytes: None,
    });
    let mut tables: Vec<PlannedTable> = loaded.chain(excluded).chain(kept).collect();
    tables.sort_by(|a, b| a.table.cmp(&b.table));
    // A hypertable's rows come as several loads.
    tables.dedup_by(|more, first| {
        let is_same = more.table == first.table;
        if is_same {
            first.compressed_bytes = first
                .compressed_bytes
                .zip(more.compressed_bytes)
                .map(|(one, other)| one + other);
        }
        is_same
    });
    tables
}

fn columns(plan: &Plan, load: &Load) -> Vec<PlannedColumn> {
    let masked = load.mask.iter().flat_map(|mask| mask.columns());
    let sent = masked.map(|column| PlannedColumn {
        name: column.name.clone(),
        mask: column.becomes.clone(),
    });
    let choices = statements(plan, load).flat_map(|statement| &statement.choices);
    let chosen = choices.map(|choice| PlannedColumn {
        name: choice.column.clone(),
        mask: choice.mask.clone(),
    });
    sent.chain(chosen).collect()
}

/// The statements that change a load's rows.
fn sql(plan: &Plan, load: &Load) -> Vec<Sql> {
    let found = statements(plan, load).map(|statement| Sql {
        rule: statement.rule.clone(),
        columns: (statement.columns.iter())
            .chain(statement.choices.iter().map(|choice| &choice.column))
            .cloned()
            .collect(),
        sql: statement.sql.clone(),
    });
    found.collect()
}

fn statements<'p>(plan: &'p Plan, load: &'p Load) -> impl Iterator<Item = &'p SqlStatement> {
    let group = load.sql_group.and_then(|group| plan.sql_rules.groups.get(group));
    group.into_iter().flat_map(move |group| {
        let place = (group.tables.iter()).position(|table| table.loads.contains(&load.dump_id));
        let mine = move |statement: &&SqlStatement| Some(statement.table) == place;
        group.statements.iter().filter(mine)
    })
}

/// Keys of tables that stay are validated at the end, if they hold.
fn not_valid(plan: &Plan) -> Vec<String> {
    let of_kept = |sql: &str| {
        let mut keys = plan.keep.keys.iter();
        keys.any(|key| sql.contains(&key.name) && sql.contains(&key.from.name))
    };
    let keys = plan.steps.iter().filter(|step| {
        step.kind == EntryKind::ForeignKey && step.sql.trim_end().trim_end_matches(';').ends_with("NOT VALID")
    });
    keys.filter(|step| !of_kept(&step.sql))
        .map(|step| step.name.clone())
        .collect()
}
