//! The findings of a backup, a database or a schema, without restoring anything: what `rake scan`, `suggest` and
//! `coverage` say.
//!
//! The same plan is made as for a run, and the same detection judges; only nothing is done about it.

use super::{read_only, until_cancelled, Job};
use crate::detect::{rows, Detection, LoadScan};
use crate::error::{Doing, Error, Result};
use crate::event::{Event, Phase, Sink};
use crate::failure::Attempt;
use crate::finding::Finding;
use crate::plan::{Load, Plan};
use crate::planned;
use crate::postgres::url::ConnectionUrl;
use crate::rows::LoadRows;
use crate::settings::{Policy, Settings};
use crate::text::{Snippet, Text};
use crate::{postgres, source};
use pg_dump_archive::{Archive, Block, DataBlock};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// About how many bytes of rows are looked at together.
const PIECE: usize = 256 * 1024;

/// Where personal data is looked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ScanPlace {
    /// The backup that a run would use.
    #[default]
    Backup,
    /// The database at this URL.
    Database(SecretString),
    /// The names in this SQL, which creates a schema: what `pg_dump --schema-only` writes.
    Sql(String),
}

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct ScanReport {
    /// Where: the backup's origin, or `database`, or `schema`.
    pub origin: String,
    /// Tables that have rows, or can have.
    pub tables: usize,
    /// Every column that looks personal, by table.
    pub findings: Vec<Finding>,
    /// The rules for those that nothing covers; None: all are covered.
    pub rules: Option<Snippet>,
    /// What the person in charge should know.
    pub warnings: Vec<Text>,
}

/// Looks for personal data in a backup, a database or a schema, and says what no rule covers. Nothing is restored, and
/// nothing written anywhere.
///
/// # Errors
/// Those of source, archive and plan; when the database cannot be read.
pub fn scan<'a>(
    settings: &'a Settings,
    place: ScanPlace,
    events: &'a Sink,
    cancel: CancellationToken,
) -> Job<'a, ScanReport> {
    Box::pin(async move { until_cancelled(&cancel, look(settings, place, events)).await })
}

async fn look(settings: &Settings, place: ScanPlace, events: &Sink) -> Result<ScanReport> {
    let mut settings = settings.clone();
    settings.pii.scan = true;
    // What would be done about a column is the run's business.
    settings.pii.policy = Policy::Warn;
    match place {
        ScanPlace::Backup => backup(settings, events).await,
        ScanPlace::Database(url) => database(settings, url, events).await,
        ScanPlace::Sql(sql) => schema(&settings, &sql, events),
    }
}

async fn backup(settings: Settings, events: &Sink) -> Result<ScanReport> {
    events.send(Event::Phase { phase: Phase::Backup });
    let backup = source::open(
        &read_only(&settings.source),
        settings.target.stall_timeout,
        events,
    )
    .await?;
    events.send(Event::Phase { phase: Phase::Plan });
    let (archive, origin, events) = (backup.archive, backup.info.origin.clone(), events.clone());
    let read = tokio::task::spawn_blocking(move || {
        let mut archive = Archive::open(archive)?;
        let detection = detection(planned::from_archive(&archive, &settings, &events)?);
        read_rows(&mut archive, &detection)?;
        Ok(found(origin, &detection))
    });
    read.await.map_err(|_| Error::interrupted())?
}

/// Looks at the first rows of each table, or at all. What follows the last one is not read.
fn read_rows<R: Read>(archive: &mut Archive<R>, detection: &Detection) -> Result<()> {
    let plan = Arc::clone(detection.plan());
    let most = plan.personal.sample_rows.unwrap_or(u64::MAX);
    let wanted = plan.loads.values().filter(|load| detection.wants(load).is_some());
    let mut left = wanted.count();
    while left > 0 {
        let Some(block) = archive.next_block()? else { break };
        let Block::Data(block) = block else { continue };
        let load = plan.loads.get(&block.dump_id());
        let Some(load) = load.filter(|load| detection.wants(load).is_some()) else {
            continue;
        };
        left -= 1;
        if let Some(mut scan) = detection.first_look(load) {
            observe(load, block, most, &mut scan)?;
            detection.decide_by(load, &scan);
        }
    }
    Ok(())
}

fn observe<R: Read>(load: &Load, block: DataBlock<'_, R>, most: u64, scan: &mut LoadScan) -> Result<()> {
    let mut rows = LoadRows::new(load, block, PIECE);
    let (mut piece, mut left) = (Vec::new(), most);
    while left > 0 && rows.next(&mut piece)? {
        left -= scan.observe(&piece, left);
    }
    Ok(())
}

async fn database(settings: Settings, url: SecretString, events: &Sink) -> Result<ScanReport> {
    let url = ConnectionUrl::parse(url.expose_secret())?;
    let session = postgres::inspect::connect(url).await?;
    let begin = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY";
    session
        .batch_execute(begin)
        .await
        .map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::BeginningToRead), &error))?;
    let (plan, _) = planned::from_catalogue(&session, &settings, events).await?;
    let detection = detection(plan);
    rows::judge(&session, &detection).await?;
    session.close().await;
    Ok(found("database".into(), &detection))
}

fn schema(settings: &Settings, sql: &str, events: &Sink) -> Result<ScanReport> {
    let detection = detection(planned::from_sql(sql, settings, events)?);
    Ok(found("schema".into(), &detection))
}

fn detection(plan: Plan) -> Detection {
    Detection::new(&Arc::new(plan))
}

fn found(origin: String, detection: &Detection) -> ScanReport {
    let findings = detection.findings();
    let open: Vec<Finding> = findings
        .iter()
        .filter(|finding| finding.status.needs_a_rule())
        .cloned()
        .collect();
    let rules = (!open.is_empty()).then_some(Snippet::Rules(open));
    ScanReport {
        origin,
        tables: detection.plan().loads.len(),
        rules,
        findings,
        warnings: detection.plan().warnings.clone(),
    }
}
