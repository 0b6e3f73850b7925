//! Where a backup comes from: the Scalingo API and its download, a pre-signed link, or a local file; gzip and tar decoded on
//! the fly.
//!
//! The way of the bytes, each step a [`Read`] over the one before it:
//!
//! ```text
//! download   a task fetches the packed bytes and feeds a bounded channel   (or file: a file on this machine)
//! keep       a copy of the packed bytes goes to disk, if that was asked for
//! unpack     gzip and tar come off; pg_dump's custom format comes out
//! ```
//!
//! It is not a reader of pg_dump's format: beyond recognising it by its first bytes, that is `archive`.
//! Only `scalingo` knows what Scalingo's API looks like.

mod download;
mod file;
mod http;
mod keep;
mod link;
mod patience;
mod scalingo;
mod shown;
mod unpack;

pub(crate) use file::hex;

use crate::error::{Error, Kind, Result};
use crate::event::{Event, Sink};
use crate::failure::{BackupFailure, BackupRemedy, BackupSubject};
use crate::settings;
use shown::shown;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::task::AbortHandle;

#[doc(hidden)]
pub use patience::Patience;

/// A backup that is ready to be read.
pub struct Backup {
    /// What is known about it before its first byte.
    pub info: BackupInfo,
    /// pg_dump's custom format, from its magic `PGDMP` on. Large reads are best: nothing is buffered here.
    ///
    /// Read it on a thread that may block (`tokio::task::spawn_blocking`, or one of your own), never in async
    /// code. Dropping it stops the download. An error that it returns carries the engine's own, which
    /// [`error_from_io`] gives back.
    pub archive: Box<dyn Read + Send>,
    /// SHA-256 of the packed bytes, as they were downloaded or lie in the file, in lower-case hexadecimal.
    ///
    /// Set when `archive` has been read to its end: it then reads what follows the archive in the packed
    /// bytes too, so that the digest is that of the whole file. Unset before, and after a failure.
    pub digest: Arc<OnceLock<String>>,
}

impl std::fmt::Debug for Backup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backup")
            .field("info", &self.info)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

/// What is known of a backup before its first byte is read.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct BackupInfo {
    /// Scalingo's id of it, or the file's name.
    pub id: String,
    /// When it was made, RFC 3339 in UTC, where known.
    pub created_at: Option<String>,
    /// Its size in bytes, packed, where known.
    pub size: Option<u64>,
    /// Where it comes from: "Scalingo app my-app, addon ad-…" or "the file shop.dump". Never a URL.
    pub origin: String,
    /// Whether it is a file, or a link to one, that the user gave, so that nothing is known of its app.
    pub file: bool,
    /// The database at Scalingo, by the name that its host bears, where known.
    #[serde(skip)]
    pub database: Option<String>,
}

/// A backup found, still packed.
struct PackedBackup {
    info: BackupInfo,
    /// What to call it in a file's name.
    name: String,
    packed: Box<dyn Read + Send>,
    digest: Arc<OnceLock<String>>,
    /// A copy made along the way, to be kept if the archive turns out sound.
    copying: Option<keep::KeptCopy>,
    /// The task that downloads it.
    download: Option<AbortHandle>,
}

/// Finds the backup, asks for a fresh one if that is configured, and opens it as a stream.
///
/// `source` says where it is; `events` hears of [`Event::BackupPending`], [`Event::BackupChosen`] and, while the
/// archive is read, [`Event::Downloaded`] and [`Event::DownloadResumed`]. `stall_timeout`: seconds, as in
/// [`TargetSettings`](settings::TargetSettings::stall_timeout). Must be called within a tokio runtime,
/// which then carries the download for as long as the archive is read.
///
/// # Errors
/// [`Kind::Configuration`] for a file or directory that is not there or cannot be used; [`Kind::Authentication`],
/// [`Kind::AddonNotFound`], [`Kind::BackupNotFound`] and [`Kind::Api`] from Scalingo. What goes wrong later comes
/// from the archive's `read`: [`Kind::Download`], [`Kind::Archive`], [`Kind::UnsupportedArchive`], and
/// [`Kind::Interrupted`] when the runtime ended first.
pub async fn open(source: &settings::Source, stall_timeout: f64, events: &Sink) -> Result<Backup> {
    open_with(source, events, &Patience::with(stall_timeout)).await
}

/// [`open`] with other delays, for tests.
///
/// # Errors
/// As [`open`].
#[doc(hidden)]
pub async fn open_with(source: &settings::Source, events: &Sink, patience: &Patience) -> Result<Backup> {
    let found = match source {
        settings::Source::Scalingo(scalingo) => scalingo::find(scalingo, patience, events).await?,
        settings::Source::File(path) => file::find(path).await?,
        settings::Source::Link(link) => link::find(link, patience, events).await?,
    };
    Ok(announce(found, events))
}

/// Opens the backup that [`open`] has found, `known`, once more, from its beginning: a file is read again, and
/// Scalingo is asked for a new link to that same backup, even if there is a newer one by now. No fresh backup is
/// asked for, and no copy is kept that was not kept before.
///
/// # Errors
/// As [`open`]; [`Kind::Configuration`] for a file that can be read once only, such as a pipe, and
/// [`Kind::BackupNotFound`] when Scalingo has deleted the backup meanwhile.
pub(crate) async fn open_again(
    source: &settings::Source,
    known: &BackupInfo,
    stall_timeout: f64,
    events: &Sink,
) -> Result<Backup> {
    open_again_with(source, known, events, &Patience::with(stall_timeout)).await
}

/// [`open_again`] with other delays, for tests.
///
/// # Errors
/// As [`open_again`].
#[doc(hidden)]
pub(crate) async fn open_again_with(
    source: &settings::Source,
    known: &BackupInfo,
    events: &Sink,
    patience: &Patience,
) -> Result<Backup> {
    let found = match source {
        settings::Source::Scalingo(scalingo) => {
            scalingo::find_again(scalingo, &known.id, patience, events).await?
        }
        settings::Source::File(path) => file::find_again(path).await?,
        settings::Source::Link(link) => link::find_again(link, known, patience, events).await?,
    };
    Ok(unpacked(found))
}

/// Fetches the backup to `directory` and returns the path of `<backup's name>.pgsql` there: the unpacked archive in
/// pg_dump's custom format, readable by this user only (mode 0600).
///
/// It is written under a temporary name and renamed when it is complete, so a file of that name is always whole.
/// The directory is made if it is missing. Dropping the future stops it and leaves nothing.
///
/// # Errors
/// As [`open`] and its archive's `read`; [`Kind::Configuration`] when the directory cannot be written to, and
/// [`Kind::Download`] when the disk refuses part of the archive.
pub async fn fetch(source: &settings::Scalingo, directory: &Path, events: &Sink) -> Result<PathBuf> {
    fetch_with(source, directory, events, &Patience::with(source.stall_timeout)).await
}

/// [`fetch`] with other delays, for tests.
///
/// # Errors
/// As [`fetch`].
#[doc(hidden)]
pub async fn fetch_with(
    source: &settings::Scalingo,
    directory: &Path,
    events: &Sink,
    patience: &Patience,
) -> Result<PathBuf> {
    keep::check(directory).await?;
    let found = scalingo::find(source, patience, events).await?;
    let file_name = format!("{}.pgsql", keep::file_name_part(&found.name));
    let stop = StopOnDrop {
        stopped: Arc::default(),
        download: found.download.clone(),
    };
    let stopped = Arc::clone(&stop.stopped);
    let archive = announce(found, events).archive;
    let directory = directory.to_owned();
    tokio::task::spawn_blocking(move || write_archive(archive, &directory, &file_name, &stopped))
        .await
        .map_err(|_| Error::interrupted())?
}

/// The engine's error inside an error of `Backup::archive`, however often readers in between have wrapped it.
///
/// ```
/// use staging_sync_engine::{error::{Error, Kind}, source::error_from_io};
/// let error = std::io::Error::other(Error::new(Kind::Download, "The download broke off.", "Run it again."));
/// assert_eq!(error_from_io(&error).map(|error| error.kind), Some(Kind::Download));
/// assert_eq!(error_from_io(&std::io::ErrorKind::UnexpectedEof.into()), None);
/// ```
pub fn error_from_io(error: &io::Error) -> Option<Error> {
    find_inside::<Error>(error).cloned()
}

/// The error of type `E` that `error` carries or is caused by, however deep.
fn find_inside<'a, E: std::error::Error + 'static>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        // An io::Error's own `source` steps over the error it carries.
        next = match error.downcast_ref::<io::Error>() {
            Some(error) => error
                .get_ref()
                .map(|inner| inner as &(dyn std::error::Error + 'static)),
            None => error.source(),
        };
    }
    None
}

/// Says which backup it will be, and puts the unpacking on top of it.
fn announce(found: PackedBackup, events: &Sink) -> Backup {
    events.send(Event::BackupChosen {
        id: found.info.id.clone(),
        created_at: found.info.created_at.clone(),
        size: found.info.size,
    });
    unpacked(found)
}

fn unpacked(found: PackedBackup) -> Backup {
    let PackedBackup {
        info,
        packed,
        digest,
        copying,
        download,
        ..
    } = found;
    let (id, origin) = (info.id.clone(), info.origin.clone());
    let subject = match info.file && download.is_none() {
        true => BackupSubject::BackupFile { name: id },
        false => BackupSubject::BackupFrom { id, origin },
    };
    let archive = Box::new(unpack::Unpacked::new(packed, subject).keeping(copying));
    Backup {
        info,
        archive,
        digest,
    }
}

/// Makes a blocking thread stop when the future that waits for it is dropped, and ends the download that the
/// thread may be waiting for.
struct StopOnDrop {
    stopped: Arc<AtomicBool>,
    download: Option<AbortHandle>,
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        if let Some(download) = &self.download {
            download.abort();
        }
    }
}

/// Writes the unpacked archive to `directory/file_name`; blocks.
fn write_archive(
    mut archive: Box<dyn Read + Send>,
    directory: &Path,
    file_name: &str,
    stopped: &AtomicBool,
) -> Result<PathBuf> {
    let mut partial = keep::Partial::create(directory, file_name)?;
    let mut buffer = vec![0; 256 * 1024];
    loop {
        if stopped.load(Ordering::Relaxed) {
            return Err(Error::interrupted());
        }
        let length = archive.read(&mut buffer).map_err(|error| {
            error_from_io(&error)
                .unwrap_or_else(|| Error::internal("Reading the backup failed without a reason."))
        })?;
        if length == 0 {
            break;
        }
        partial
            .write(&buffer[..length])
            .map_err(|error| disk_refused(directory, &error))?;
    }
    partial.finish().map_err(|error| disk_refused(directory, &error))
}

fn disk_refused(directory: &Path, error: &io::Error) -> Error {
    let unwritten = BackupFailure::FetchedUnwritten {
        directory: shown(directory).into_owned(),
        trouble: error.to_string(),
    };
    Error::new(Kind::Download, unwritten, BackupRemedy::MakeRoom)
}

#[cfg(test)]
mod tests;
