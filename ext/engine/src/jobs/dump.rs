//! A production backup in, a masked archive out, for those who must not read production's: the same source, plan, masks and
//! checks as a run's, and no database but one to compute in what only SQL can say (`workspace`).
//!
//! The archive lies beside its name until it is proven: masked forms and the leak check while it is written, and once more
//! what the archive alone shows when it is read to its end. Of a stream, such as standard output, nothing can be
//! taken back: what is found at the end fails the job, and its reader has the rows.

mod proof;
mod report;
mod rows;
mod sql;

use super::choice;
use super::hold::CLOSING;
use super::run::Again;
use super::{until_cancelled, Job};
use crate::detect::Detection;
use crate::error::{file_trouble, Error, Kind, Result};
use crate::event::{Event, Phase, Sink};
use crate::failure::{SinkFailure, SinkRemedy};
use crate::leak_report;
use crate::notice::Mismatch;
use crate::part::Selection;
use crate::plan::schema::Schema;
use crate::plan::Plan;
use crate::postgres::workspace::Workspace;
use crate::postgres::{Buffers, Item, RowStage, Stages};
use crate::report::{ArchiveReport, Recorder, Report};
use crate::settings::{Destination, Dump, DumpCompression, Settings, TargetSettings};
use crate::sink::{self, Draft, Tables, Written};
use crate::source::{self, BackupInfo};
use crate::stream;
use leak_check::{LeakCheck, LookTime};
use pg_dump_archive::{Compression, Entry, Header, Writer};
use rows::{Rows, Ruled};
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Buffers that are kept: those between the reader and the archive, and what the masks write.
const BUFFERS: usize = 8;

/// Writes the backup into an archive, masked.
///
/// `cancel` ends it within a second; nothing of the archive stays then.
///
/// # Errors
/// Those of source, archive and plan; [`Kind::Plan`] for rules in SQL, which need a database; [`Kind::PersonalData`] and
/// [`Kind::Verification`] when what was written must not leave; [`Kind::Configuration`] when it cannot be written.
pub fn dump<'a>(
    settings: &'a Settings,
    to: &'a Dump,
    events: &'a Sink,
    cancel: CancellationToken,
) -> Job<'a, Report> {
    Box::pin(async move {
        settings.check()?;
        let recorder = Recorder::start(events);
        let alone = Settings {
            alone: true,
            ..settings.clone()
        };
        let dumping = Dumping {
            settings: &alone,
            workspace: to.workspace.as_ref(),
            compression: compression(to.compression),
            events: recorder.sink(),
            recorder: &recorder,
            cancel,
        };
        match &to.to {
            Destination::File(path) => {
                let draft = Draft::begin(path)?;
                let file = draft.file()?;
                let report = dumping.into_file(file).await?;
                draft.publish()?;
                Ok(report)
            }
            Destination::Stream(path) => dumping.into_stream(stream(path)?).await,
        }
    })
}

/// What is open already. Nothing that is in it is written over.
fn stream(path: &Path) -> Result<File> {
    let opened = File::options().append(true).open(path);
    opened.map_err(|error| {
        Error::new(
            Kind::Configuration,
            SinkFailure::StreamUnwritten {
                trouble: file_trouble(&error),
            },
            SinkRemedy::LeadElsewhere,
        )
    })
}

fn compression(wanted: DumpCompression) -> Compression {
    match wanted {
        DumpCompression::Gzip => Compression::Gzip,
        DumpCompression::Zstd => Compression::Zstd,
        DumpCompression::Lz4 => Compression::Lz4,
        DumpCompression::None => Compression::None,
    }
}

struct Dumping<'a> {
    settings: &'a Settings,
    workspace: Option<&'a TargetSettings>,
    compression: Compression,
    recorder: &'a Recorder,
    events: Sink,
    cancel: CancellationToken,
}

/// What is known when the rows begin to come.
struct Begun {
    info: BackupInfo,
    digest: Arc<OnceLock<String>>,
    header: Header,
    detection: Arc<Detection>,
    leaks: Option<Arc<LeakCheck>>,
    tables: Tables,
    plan: Arc<Plan>,
    buffers: Buffers,
    stages: Stages,
    /// Which rows come, where not all do.
    selection: Option<Arc<Selection>>,
}

/// What is left to be written.
struct Rest {
    entries: Vec<Entry>,
    items: mpsc::Receiver<Result<Item>>,
    workspace: Option<Arc<Workspace>>,
}

/// What was written, in which version, and what rules in SQL found wrong.
struct Done {
    written: Written,
    version: String,
    warnings: Vec<Mismatch>,
}

/// How an archive ends.
type Finish = fn(Writer<File>) -> Result<File, pg_dump_archive::WriteError>;

impl Dumping<'_> {
    /// Into a file, which is read again.
    async fn into_file(self, file: File) -> Result<Report> {
        let (begun, rest) = until_cancelled(&self.cancel, self.begin()).await?;
        let again = file.try_clone().map_err(|error| sink::unreadable(&error))?;
        let done = self.write(&begun, rest, file, Writer::finish_seekable).await?;
        let plan = begun.detection.carried_out();
        self.enter(Phase::Verify);
        let found = self.judge(&begun, &plan)?;
        let (checked, done) = self.check(again, Arc::clone(&plan), done).await?;
        self.refuse_problems(&checked)?;
        let archive = ArchiveReport {
            size: checked.size,
            sha256: Some(checked.sha256.clone()),
            ..self.archive_of(&begun, &done, &plan)
        };
        let verified = self.settings.masking.verify && checked.problems.is_empty();
        Ok(self.conclude(&begun, &plan, done, found, (archive, verified)))
    }

    /// Into what cannot be read again.
    async fn into_stream(self, output: File) -> Result<Report> {
        let (begun, rest) = until_cancelled(&self.cancel, self.begin()).await?;
        let done = self.write(&begun, rest, output, Writer::finish).await?;
        let plan = begun.detection.carried_out();
        self.enter(Phase::Verify);
        let found = self.judge(&begun, &plan)?;
        let columns = done.written.loads.iter().flat_map(|load| &load.masked);
        let violations: u64 = columns.map(|column| column.violations).sum();
        let archive = self.archive_of(&begun, &done, &plan);
        let verified = self.settings.masking.verify && violations == 0;
        Ok(self.conclude(&begun, &plan, done, found, (archive, verified)))
    }

    fn enter(&self, phase: Phase) {
        self.events.send(Event::Phase { phase });
    }

    /// The backup, its plan, and where the plan's SQL is computed. Everything that is wrong with them is found here.
    async fn begin(&self) -> Result<(Begun, Rest)> {
        let (settings, events, buffers) = (self.settings, &self.events, Buffers::new(BUFFERS));
        self.enter(Phase::Backup);
        let backup = source::open(&settings.source, settings.target.stall_timeout, events).await?;
        self.enter(Phase::Plan);
        let opened = stream::open_to_copy(backup.archive, settings, buffers.clone(), events).await;
        let mut opened = match opened {
            Ok(opened) => opened,
            Err(unplanned) => return Err(sql::unplanned(self.workspace, unplanned).await),
        };
        sink::refuse_compression(&opened.header, self.compression)?;
        if opened.plan.part.is_some() {
            choice::refuse_pipe(&backup.info)?;
        }
        let known = choice::Known {
            settings,
            backup: &backup.info,
            events,
        };
        let selection = sql::selection(self.workspace, &mut opened, &buffers, known).await?;
        // Without a choice the first look waits for what becomes of this, and writes everything by the way.
        drop(opened.first_look.take());
        let items = match &selection {
            None => opened.items,
            Some(selection) => {
                let again = Again {
                    settings,
                    events,
                    backup: &backup.info,
                    identity: opened.identity,
                    plan: &opened.plan,
                    detection: &opened.detection,
                    buffers: buffers.clone(),
                    selection: OnceLock::from(Arc::clone(selection)),
                    // The table of contents names all large objects before it is known which are referred to.
                    referred: None,
                };
                again.read(None, true).await?
            }
        };
        let (plan, detection, entries) = (opened.plan, opened.detection, opened.entries);
        let schema = Schema::read(&entries);
        let workspace = sql::workspace(self.workspace, &plan, &schema, &buffers).await?;
        self.send_plan(&plan);
        self.enter(Phase::Rows);
        let leaks = leak_report::check(settings, &plan);
        let mut stages: Stages = vec![Arc::clone(&detection) as Arc<dyn RowStage>];
        stages.extend(leak_report::stages(leaks.as_ref(), LookTime::Sent));
        let tables = Tables::read(&plan, &schema);
        let rest = Rest {
            entries: sink::entries(&plan, entries),
            items,
            workspace,
        };
        let begun = Begun {
            info: backup.info,
            digest: backup.digest,
            header: opened.header,
            detection,
            leaks,
            tables,
            plan,
            buffers,
            stages,
            selection,
        };
        Ok((begun, rest))
    }

    fn send_plan(&self, plan: &Plan) {
        for warning in &plan.warnings {
            self.events.warn(warning);
        }
        self.events.send(Event::Planned {
            tables: plan.loads.len() as u64,
            steps: 0,
            last_rows: Default::default(),
        });
    }

    /// Writes what comes. When it is cancelled it waits for the writer, which must not write on.
    async fn write(&self, begun: &Begun, rest: Rest, out: File, finish: Finish) -> Result<Done> {
        let Rest {
            entries,
            mut items,
            workspace,
        } = rest;
        let (handle, cancel) = (Handle::current(), self.cancel.clone());
        let (events, compression, header) = (self.events.clone(), self.compression, begun.header.clone());
        let (plan, stages, buffers) = (
            Arc::clone(&begun.plan),
            begun.stages.clone(),
            begun.buffers.clone(),
        );
        let ruled = workspace.map(|workspace| Ruled {
            workspace,
            plan: Arc::clone(&begun.plan),
            stages: begun.stages.clone(),
            leaks: begun.leaks.clone(),
        });
        let writing = move || {
            let of = (&header, compression, entries.as_slice());
            let archive = sink::ArchiveSink::begin(out, of, plan, (stages, buffers, events))?;
            // Thousands of them take megabytes.
            drop(entries);
            let version = archive.version().to_string();
            let mut rows = Rows::new(archive, ruled, handle.clone(), cancel.clone());
            while let Some(item) =
                handle.block_on(until_cancelled(&cancel, async { Ok(items.recv().await) }))?
            {
                rows.take(item?)?;
            }
            let warnings = rows.finish_ruled()?;
            Ok(Done {
                written: rows.archive.end(finish)?,
                version,
                warnings,
            })
        };
        let done = blocking(&self.cancel, writing).await?;
        for warning in &done.warnings {
            self.events.warn(warning);
        }
        Ok(done)
    }
}

/// Work that may block, on a thread of its own. Cancelled work ends by itself, unless it waits for a reader that takes
/// nothing more: then it is left behind.
async fn blocking<T: Send + 'static>(
    cancel: &CancellationToken,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::select! {
        done = tokio::task::spawn_blocking(work) => {
            done.map_err(|_| Error::internal("A part of the dump stopped unexpectedly."))?
        }
        () = async {
            cancel.cancelled().await;
            tokio::time::sleep(CLOSING).await;
        } => Err(Error::interrupted()),
    }
}
