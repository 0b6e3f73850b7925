//! The findings of a backup, a database or a schema, without restoring anything: what `rake scan`, `suggest` and
//! `coverage` tell.
//!
//! The same plan is made as for a run, and the same detection judges; only nothing is done about it.

use crate::archive::{reading_failed, Archive, Block, DataBlock, DumpId, Entry, EntryKind, Section};
use crate::copy::{InsertRows, Pieces};
use crate::detect::{rows, with_matches, Detection, Scan};
use crate::error::{Doing, Error, Result};
use crate::event::{Event, Phase, Sink};
use crate::mask::{quote_identifier, Key};
use crate::pii::{rules_to_paste, Finding};
use crate::plan::schema::Schema;
use crate::plan::{self, Load, RowFormat};
use crate::settings::{Policy, Settings, Target};
use crate::target::describe;
use crate::{preview, source, target};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::sync::Arc;

/// About how many bytes of rows are looked at together.
const PIECE: usize = 256 * 1024;

/// Where personal data is looked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Place {
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
pub struct Found {
    /// Where: the backup's origin, or `database`, or `schema`.
    pub origin: String,
    /// Tables that have rows, or can have.
    pub tables: usize,
    /// Every column that looks personal, by table.
    pub findings: Vec<Finding>,
    /// The entries for `config.anonymization_tables` that cover those that nothing covers, as Ruby; None: all are
    /// covered.
    pub rules: Option<String>,
    /// What the person in charge should know.
    pub warnings: Vec<String>,
}

/// Looks for personal data. Nothing is written anywhere.
///
/// # Errors
/// Those of source, archive and plan; when the database cannot be read.
pub(crate) async fn scan(settings: &Settings, place: Place, events: &Sink) -> Result<Found> {
    let mut settings = settings.clone();
    settings.pii.scan = true;
    // What would be done about a column is the run's business.
    settings.pii.policy = Policy::Warn;
    match place {
        Place::Backup => backup(settings, events).await,
        Place::Database(url) => database(settings, url, events).await,
        Place::Sql(sql) => schema(&settings, &sql, events),
    }
}

async fn backup(settings: Settings, events: &Sink) -> Result<Found> {
    events.send(Event::Phase { phase: Phase::Backup });
    let backup = source::open(&preview::as_it_is(&settings.source), events).await?;
    events.send(Event::Phase { phase: Phase::Plan });
    let (archive, origin, events) = (backup.archive, backup.info.origin.clone(), events.clone());
    let read = tokio::task::spawn_blocking(move || {
        let mut archive = Archive::open(archive)?;
        let (header, entries) = (archive.header().clone(), archive.entries().to_vec());
        let detection = planned(&header, &entries, &settings, &events)?;
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

fn observe<R: Read>(load: &Load, block: DataBlock<'_, R>, most: u64, scan: &mut Scan) -> Result<()> {
    let mut look = |next: &mut dyn FnMut(&mut Vec<u8>) -> std::io::Result<bool>| -> Result<()> {
        let (mut piece, mut left) = (Vec::new(), most);
        while left > 0 && next(&mut piece).map_err(|error| reading_failed(&load.table.to_string(), error))? {
            left -= scan.observe(&piece, left);
        }
        Ok(())
    };
    match &load.format {
        RowFormat::Copy => {
            let mut pieces = Pieces::new(block, PIECE);
            look(&mut |piece| pieces.next(piece))
        }
        RowFormat::Inserts { table_columns } => {
            let mut pieces = InsertRows::new(block, PIECE, table_columns);
            look(&mut |piece| pieces.next(piece))
        }
    }
}

async fn database(settings: Settings, url: SecretString, events: &Sink) -> Result<Found> {
    let place = Target {
        url,
        ..settings.target.clone()
    };
    let session = target::connect_to_look(&place).await?;
    let begin = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY";
    session
        .batch_execute(begin)
        .await
        .map_err(|error| Error::from_server(Doing::WithoutRows("beginning to read the database"), &error))?;
    let (header, entries) = describe::describe(&session).await?;
    let detection = planned(&header, &entries, &settings, events)?;
    rows::judge(&session, &detection).await?;
    session.close().await;
    Ok(found("database".into(), &detection))
}

fn schema(settings: &Settings, sql: &str, events: &Sink) -> Result<Found> {
    let entries = entries(sql)?;
    let detection = planned(&describe::header(), &entries, settings, events)?;
    Ok(found("schema".into(), &detection))
}

fn planned(
    header: &crate::archive::Header,
    entries: &[Entry],
    settings: &Settings,
    events: &Sink,
) -> Result<Detection> {
    let settings = with_matches(settings, entries, events)?;
    let key = Key::new(&settings.masking.secret);
    let plan = plan::plan(header, entries, &settings, &key)?;
    Ok(Detection::new(&Arc::new(plan)))
}

fn found(origin: String, detection: &Detection) -> Found {
    let findings = detection.findings();
    let open: Vec<&Finding> = findings
        .iter()
        .filter(|finding| finding.status.needs_a_rule())
        .collect();
    let rules = (!open.is_empty()).then(|| rules_to_paste(open));
    Found {
        origin,
        tables: detection.plan().loads.len(),
        rules,
        findings,
        warnings: detection.plan().warnings.clone(),
    }
}

/// A schema's SQL as a table of contents: all of it in one entry, and the data of each table, of which there is none.
fn entries(sql: &str) -> Result<Vec<Entry>> {
    // psql's own commands, which pg_dump 17.6 and later write around a dump, are no SQL.
    let sql: String = sql
        .lines()
        .filter(|line| !line.starts_with('\\'))
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut entries = vec![entry(1, EntryKind::Table, "public", "schema", &sql)];
    let schema = Schema::read(&entries);
    for table in schema
        .tables
        .iter()
        .filter(|table| !table.foreign && table.partition_key.is_none())
    {
        let columns: Vec<String> = table
            .columns
            .iter()
            .filter(|column| column.generated.is_none())
            .map(|column| quote_identifier(&column.name))
            .collect();
        for kind in [EntryKind::Table, EntryKind::TableData] {
            let number = i32::try_from(entries.len() + 1)
                .map_err(|_| Error::internal("The schema has more tables than can be numbered."))?;
            let mut entry = entry(number, kind.clone(), &table.name.schema, &table.name.name, "");
            if kind == EntryKind::TableData {
                entry.copy_stmt = format!("COPY {} ({}) FROM stdin;", table.name.sql(), columns.join(", "));
            }
            entries.push(entry);
        }
    }
    Ok(entries)
}

fn entry(number: i32, kind: EntryKind, namespace: &str, tag: &str, defn: &str) -> Entry {
    Entry {
        dump_id: DumpId(number),
        has_data: kind == EntryKind::TableData,
        oid: 0,
        tag: tag.to_owned(),
        section: if kind == EntryKind::TableData {
            Section::Data
        } else {
            Section::PreData
        },
        kind,
        defn: defn.to_owned(),
        copy_stmt: String::new(),
        namespace: namespace.to_owned(),
        table_am: String::new(),
        dependencies: Vec::new(),
        data_size: None,
    }
}
