//! A production backup in, a masked archive out, for those who must not read production's: the same source, plan, masks and
//! checks as a run's, and no database.
//!
//! The archive lies beside its name until it is proven: masked forms and the leak check while it is written, and once more
//! what the archive alone shows when it is read to its end. Of a stream, such as standard output, nothing can be
//! taken back: what is found at the end fails the job, and its reader has the rows.

use super::hold::CLOSING;
use super::{until_cancelled, Job};
use crate::detect::Detection;
use crate::error::{Error, Kind, Result};
use crate::event::{Event, Phase, Sink};
use crate::leak::{LeakCheck, LookTime};
use crate::leak_report::{self, LeakReport};
use crate::passwords;
use crate::plan::{personal, Plan};
use crate::postgres::{new_run_id, Buffers, Item, LoadReport, RowStage, Stages};
use crate::report::{self, ArchiveReport, ArchivedTable, Recorder, Report};
use crate::settings::{Destination, Dump, DumpCompression, Settings};
use crate::sink::{self, Checked, Draft, Expected, Tables, Written};
use crate::source::{self, BackupInfo};
use crate::stream::{self, Opened};
use crate::text::{text, Setting};
use pg_dump_archive::{Compression, Entry, Header, Writer};
use std::fs::File;
use std::io::Seek;
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
        let dumping = Dumping {
            settings,
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
            format!("The output cannot be written: {}.", error.kind()),
            "Lead it into a file or a pipe, or name a file.",
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
}

/// What is left to be written.
struct Rest {
    header: Header,
    entries: Vec<Entry>,
    plan: Arc<Plan>,
    stages: Stages,
    buffers: Buffers,
    items: mpsc::Receiver<Result<Item>>,
}

/// How an archive ends.
type Finish = fn(Writer<File>) -> Result<File, pg_dump_archive::WriteError>;

impl Dumping<'_> {
    /// Into a file, which is read again.
    async fn into_file(self, file: File) -> Result<Report> {
        let (begun, rest) = until_cancelled(&self.cancel, self.begin()).await?;
        let again = file.try_clone().map_err(|error| sink::unreadable(&error))?;
        let (written, version) = self.write(rest, file, Writer::finish_seekable).await?;
        let plan = begun.detection.carried_out();
        self.enter(Phase::Verify);
        let found = self.judge(&begun, &plan)?;
        let (checked, written) = self.check(again, Arc::clone(&plan), written).await?;
        self.refuse_problems(&checked)?;
        let archive = ArchiveReport {
            size: checked.size,
            sha256: Some(checked.sha256.clone()),
            format_version: version,
            compression: self.compression.to_string(),
            ..ArchiveReport::default()
        };
        let verified = self.settings.masking.verify && checked.problems.is_empty();
        Ok(self.conclude(&begun, &plan, written, found, (archive, verified)))
    }

    /// Into what cannot be read again.
    async fn into_stream(self, output: File) -> Result<Report> {
        let (begun, rest) = until_cancelled(&self.cancel, self.begin()).await?;
        let (written, version) = self.write(rest, output, Writer::finish).await?;
        let plan = begun.detection.carried_out();
        self.enter(Phase::Verify);
        let found = self.judge(&begun, &plan)?;
        let columns = written.loads.iter().flat_map(|load| &load.masked);
        let violations: u64 = columns.map(|column| column.violations).sum();
        let archive = ArchiveReport {
            size: written.size,
            sha256: None,
            format_version: version,
            compression: self.compression.to_string(),
            ..ArchiveReport::default()
        };
        let verified = self.settings.masking.verify && violations == 0;
        Ok(self.conclude(&begun, &plan, written, found, (archive, verified)))
    }

    fn enter(&self, phase: Phase) {
        self.events.send(Event::Phase { phase });
    }

    /// The backup, and the plan for it. Whatever is wrong with them is found here.
    async fn begin(&self) -> Result<(Begun, Rest)> {
        let (settings, events, buffers) = (self.settings, &self.events, Buffers::new(BUFFERS));
        self.enter(Phase::Backup);
        let backup = source::open(&settings.source, settings.target.stall_timeout, events).await?;
        self.enter(Phase::Plan);
        let opened = stream::open_to_copy(backup.archive, settings, buffers.clone(), events).await?;
        let Opened {
            header,
            plan,
            detection,
            items,
            entries,
            ..
        } = opened;
        refuse_sql(&plan)?;
        refuse_part(&plan)?;
        sink::refuse_compression(&header, self.compression)?;
        for warning in &plan.warnings {
            events.warn(warning);
        }
        events.send(Event::Planned {
            tables: plan.loads.len() as u64,
            steps: 0,
            last_rows: Default::default(),
        });
        self.enter(Phase::Rows);
        let leaks = leak_report::check(settings, &plan);
        let mut stages: Stages = vec![Arc::clone(&detection) as Arc<dyn RowStage>];
        stages.extend(leak_report::stages(leaks.as_ref(), LookTime::Sent));
        let tables = Tables::read(&plan, &entries);
        let rest = Rest {
            header: header.clone(),
            entries: sink::entries(&plan, entries),
            plan,
            stages,
            buffers,
            items,
        };
        let begun = Begun {
            info: backup.info,
            digest: backup.digest,
            header,
            detection,
            leaks,
            tables,
        };
        Ok((begun, rest))
    }

    /// Writes everything that comes. When it is cancelled it waits for the writer, which must not write on.
    async fn write(&self, rest: Rest, out: File, finish: Finish) -> Result<(Written, String)> {
        let (handle, cancel) = (Handle::current(), self.cancel.clone());
        let (events, compression) = (self.events.clone(), self.compression);
        let writing = move || {
            let Rest {
                header,
                entries,
                plan,
                stages,
                buffers,
                mut items,
            } = rest;
            let of = (&header, compression, entries.as_slice());
            let mut archive = sink::ArchiveSink::begin(out, of, plan, (stages, buffers, events))?;
            // Thousands of them take megabytes.
            drop(entries);
            let version = archive.version().to_string();
            while let Some(item) =
                handle.block_on(until_cancelled(&cancel, async { Ok(items.recv().await) }))?
            {
                archive.take(item?)?;
            }
            Ok((archive.end(finish)?, version))
        };
        blocking(&self.cancel, writing).await
    }

    /// What names and values say of personal data, and the leak check: refused, or said.
    fn judge(&self, begun: &Begun, plan: &Plan) -> Result<LeakReport> {
        if let Some(error) = begun.detection.refusal_untouched() {
            return Err(error);
        }
        if let Some(warning) = personal::warning(&begun.detection.findings()) {
            self.events.warn(warning);
        }
        let found = leak_report::collect(plan, begun.leaks.as_ref(), None, &self.events);
        let strict = self.settings.masking.fail_on_verification_error;
        match found.failure().filter(|_| strict) {
            Some(failure) => Err(leak_report::refusal(failure, "The archive was not kept.")),
            None => {
                leak_report::warn(&found, &self.events);
                Ok(found)
            }
        }
    }

    /// Reads the archive again. Gives back what was written.
    async fn check(&self, mut file: File, plan: Arc<Plan>, written: Written) -> Result<(Checked, Written)> {
        let (cancel, forms) = (self.cancel.clone(), self.settings.masking.verify);
        let checking = move || {
            file.rewind().map_err(|error| sink::unreadable(&error))?;
            let expected = Expected {
                plan: &plan,
                loads: &written.loads,
                large_objects: written.large_objects,
                forms,
            };
            let checked = sink::check(file, &expected, &cancel)?;
            Ok((checked, written))
        };
        blocking(&self.cancel, checking).await
    }

    fn refuse_problems(&self, checked: &Checked) -> Result<()> {
        if checked.problems.is_empty() {
            return Ok(());
        }
        if self.settings.masking.fail_on_verification_error {
            return Err(Error::new(
                Kind::Verification,
                checked.problems.join(" "),
                text!(
                    "The archive was not kept. Please report this; until it is corrected, leave the table out by ",
                    Setting::ExcludeTables,
                    "."
                ),
            ));
        }
        for problem in &checked.problems {
            self.events.warn(problem);
        }
        Ok(())
    }

    fn conclude(
        &self,
        begun: &Begun,
        plan: &Plan,
        written: Written,
        found: LeakReport,
        (archive, verified): (ArchiveReport, bool),
    ) -> Report {
        let Written {
            loads,
            places,
            large_objects,
            ..
        } = written;
        let tables = loads.iter().filter_map(|done| {
            let load = plan.loads.get(&done.dump_id)?;
            let place = places.get(&done.dump_id)?;
            Some(ArchivedTable {
                table: load.table.to_string(),
                columns: load.columns.clone(),
                primary_key: begun.tables.key(load.dump_id),
                offset: place.offset,
                length: place.length,
            })
        });
        let archive = ArchiveReport {
            tables: tables.collect(),
            order: begun.tables.order().to_vec(),
            ..archive
        };
        let known_passwords = passwords::replaced(plan, &loads);
        let loaded = LoadReport {
            loads,
            ..LoadReport::default()
        };
        let verified = verified && !found.leaks();
        found.into_report(Report {
            run_id: new_run_id(),
            backup: Some(report::BackupReport::new(
                &begun.info,
                begun.digest.get(),
                &begun.header,
            )),
            tables: self.recorder.placed(report::tables(plan, &loaded, None)),
            excluded: plan.excluded.iter().map(ToString::to_string).collect(),
            left_out: report::left_out(plan),
            findings: begun.detection.findings(),
            known_passwords,
            large_objects,
            archive: Some(archive),
            verified,
            ..self.recorder.finish()
        })
    }
}

/// Which rows a part consists of is found out in a database.
fn refuse_part(plan: &Plan) -> Result<()> {
    if plan.part.is_none() {
        return Ok(());
    }
    Err(Error::new(
        Kind::Plan,
        text!(
            Setting::Subset,
            " and ",
            Setting::Limits,
            " choose rows in a target database, and a dump is made without one."
        ),
        text!(
            "Leave whole tables out by ",
            Setting::ExcludeTables,
            " instead, or fill a staging database by a run and make the archive of that with pg_dump."
        ),
    ))
}

/// Refuses rules that only SQL can express.
fn refuse_sql(plan: &Plan) -> Result<()> {
    let groups = plan.sql_rules.groups.iter().flat_map(|group| &group.tables);
    let mut tables: Vec<String> = groups.map(|table| table.table.to_string()).collect();
    if tables.is_empty() {
        return Ok(());
    }
    tables.sort_unstable();
    Err(Error::new(
        Kind::Plan,
        format!(
            "The rules for {} are in SQL or have a condition, which takes a database, and a dump is made without one.",
            tables.join(", ")
        ),
        text!(
            "Give these tables masks by column, without a condition, leave their rows out by ",
            Setting::ExcludeTables,
            ", or fill a staging database by a run and make the archive of that with pg_dump."
        ),
    ))
}

/// Work that may block, on a thread for it. Work that is cancelled ends by itself, unless it waits for a reader that takes
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
