//! Archives kept on disk: written whole or not at all, readable by this user only, found again on the next run.
//!
//! A kept archive is two files in the directory: `<app>.<addon>.<backup>.tar.gz`, the bytes as they were
//! downloaded, and `….json`, which says what they are. The second is written first, and the archive gets its name
//! only when it is complete. There is at most one for each app and addon: it is production's data, raw, so what is
//! superseded goes.

use super::shown::shown;
use crate::error::{Error, Kind, Result};
use crate::event::Sink;
use crate::failure::{BackupFailure, BackupRemedy};
use crate::notice::Notice;
use serde::{Deserialize, Serialize};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// Temporary files begin with this, and with a dot so that they are not taken for archives.
const PARTIAL: &str = ".scalingo-staging-sync-";
/// A temporary file that nothing was written to for so long belongs to a run that was killed.
const LEFT_OVER: Duration = Duration::from_secs(24 * 3600);
/// The most that is read of a description.
const DESCRIPTION: u64 = 64 * 1024;

/// What a kept archive is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Description {
    /// The region whose app it comes from.
    pub region: String,
    /// The app.
    pub app: String,
    /// The addon.
    pub addon: String,
    /// The addon's database, as Scalingo names it.
    #[serde(default)]
    pub database: Option<String>,
    /// The backup's id.
    pub id: String,
    /// The backup's name, or its id.
    pub name: String,
    /// When the backup was made.
    pub created_at: Option<jiff::Timestamp>,
    /// The size that the API states.
    pub size: Option<u64>,
    /// The file's length in bytes.
    #[serde(default)]
    pub bytes: u64,
    /// The file's SHA-256.
    #[serde(default)]
    pub sha256: String,
}

impl Description {
    fn stem(&self) -> String {
        [&self.app, &self.addon, &self.id]
            .map(|part| file_name_part(part))
            .join(".")
    }

    fn same_database(&self, other: &Self) -> bool {
        (&self.region, &self.app, &self.addon) == (&other.region, &other.app, &other.addon)
    }
}

/// An archive that lies in the directory, whole as far as its length shows.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    /// What it is.
    pub description: Description,
    /// Where it is.
    pub path: PathBuf,
}

/// The archives kept in `directory`; none when there is no such directory. Blocks.
pub(super) fn find(directory: &Path) -> Vec<Kept> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| read_description(&entry.path()))
        .collect()
}

fn read_description(path: &Path) -> Option<Kept> {
    if path.extension()? != "json" || !path.file_stem()?.to_str()?.contains('.') {
        return None;
    }
    let mut text = String::new();
    File::open(path)
        .ok()?
        .take(DESCRIPTION)
        .read_to_string(&mut text)
        .ok()?;
    let description: Description = serde_json::from_str(&text).ok()?;
    let path = path.with_extension("tar.gz");
    let metadata = std::fs::symlink_metadata(&path).ok()?;
    (metadata.is_file() && metadata.len() == description.bytes).then_some(Kept { description, path })
}

/// Fails early, before anything is asked for and waited for, when `directory` cannot be written to.
///
/// # Errors
/// [`Kind::Configuration`].
pub(super) async fn check(directory: &Path) -> Result<()> {
    let directory = directory.to_owned();
    tokio::task::spawn_blocking(move || Partial::create(&directory, "check").map(drop))
        .await
        .map_err(|_| Error::interrupted())?
}

/// A file that is being written under a temporary name, mode 0600. Dropped before [`Partial::finish`], it is gone.
#[derive(Debug)]
pub(super) struct Partial {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
    /// It has its name: there is nothing to remove any more.
    finished: bool,
}

impl Partial {
    /// Begins `directory/file_name`, and makes the directory (mode 0700) if it is missing. Blocks.
    pub(super) fn create(directory: &Path, file_name: &str) -> Result<Self> {
        Self::try_create(directory, file_name).map_err(|error| {
            let unwritable = BackupFailure::DirectoryUnwritable {
                directory: shown(directory).into_owned(),
                trouble: error.to_string(),
            };
            Error::new(
                Kind::Configuration,
                unwritable,
                BackupRemedy::GiveWritableDirectory,
            )
        })
    }

    fn try_create(directory: &Path, file_name: &str) -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        remove_left_overs(directory);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let nanos = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| since.subsec_nanos());
        let temporary = directory.join(format!("{PARTIAL}{}-{count}-{nanos}.part", std::process::id()));
        // create_new: neither a file nor a link that another program put there is written to.
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)?;
        Ok(Self {
            file,
            temporary,
            path: directory.join(file_name),
            finished: false,
        })
    }

    /// Writes on. Blocks.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Gives it its name, once the bytes are on the disk. Blocks.
    pub(super) fn finish(mut self) -> io::Result<PathBuf> {
        self.file.sync_all()?;
        std::fs::rename(&self.temporary, &self.path)?;
        self.finished = true;
        Ok(self.path.clone())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.finished {
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}

/// A run that was killed by SIGKILL could not remove its temporary file; the next one does.
fn remove_left_overs(directory: &Path) {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let ours = name
            .to_str()
            .is_some_and(|name| name.starts_with(PARTIAL) && name.ends_with(".part"));
        let idle = entry
            .metadata()
            .and_then(|metadata| metadata.modified())
            .map(|then| then.elapsed());
        if ours && matches!(idle, Ok(Ok(idle)) if idle > LEFT_OVER) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Writes a copy of what is read through it. Whether it is worth keeping is for [`KeptCopy::keep`] to say.
///
/// The copy is a convenience: when the disk refuses it, there is a warning and the run goes on without.
pub(super) struct Tee<R> {
    inner: R,
    copying: KeptCopy,
}

/// The copy that a [`Tee`] makes. When both are gone and it was not kept, so is the copy.
#[derive(Clone)]
pub(super) struct KeptCopy(Arc<Mutex<Option<Copy>>>);

struct Copy {
    partial: Partial,
    directory: PathBuf,
    description: Description,
    digest: Arc<OnceLock<String>>,
    events: Sink,
}

impl<R: Read> Tee<R> {
    /// Copies what `inner` yields into `directory`. `inner` sets `digest` before it says that it is at its end.
    ///
    /// # Errors
    /// [`Kind::Configuration`] when nothing can be written there.
    pub(super) fn new(
        inner: R,
        directory: &Path,
        description: Description,
        digest: Arc<OnceLock<String>>,
        events: Sink,
    ) -> Result<Self> {
        let partial = Partial::create(directory, &format!("{}.tar.gz", description.stem()))?;
        let directory = directory.to_owned();
        let copy = Copy {
            partial,
            directory,
            description,
            digest,
            events,
        };
        Ok(Self {
            inner,
            copying: KeptCopy(Arc::new(Mutex::new(Some(copy)))),
        })
    }

    /// The copy, to be kept when all has been read and found sound.
    pub(super) fn copying(&self) -> KeptCopy {
        self.copying.clone()
    }
}

impl<R: Read> Read for Tee<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(into)?;
        self.copying.write(&into[..length]);
        Ok(length)
    }
}

impl KeptCopy {
    fn slot(&self) -> MutexGuard<'_, Option<Copy>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, bytes: &[u8]) {
        let mut slot = self.slot();
        if let Some(mut copy) = slot.take() {
            match copy.partial.write(bytes) {
                Ok(()) => {
                    copy.description.bytes += bytes.len() as u64;
                    *slot = Some(copy);
                }
                Err(error) => copy.events.warn(not_kept(&copy.directory, &error)),
            }
        }
    }

    /// Keeps the copy, and removes those that it supersedes. Only once the digest is known: all has been read then.
    /// Blocks.
    pub(super) fn keep(self) {
        if let Some(copy) = self.slot().take() {
            let (events, directory) = (copy.events.clone(), copy.directory.clone());
            if let Err(error) = copy.keep() {
                events.warn(not_kept(&directory, &error));
            }
        }
    }
}

impl Copy {
    fn keep(mut self) -> io::Result<()> {
        let Some(digest) = self.digest.get() else {
            return Ok(());
        };
        self.description.sha256.clone_from(digest);
        let text = serde_json::to_vec_pretty(&self.description)?;
        let mut description =
            Partial::try_create(&self.directory, &format!("{}.json", self.description.stem()))?;
        description.write(&text)?;
        description.finish()?;
        self.partial.finish()?;
        for kept in find(&self.directory) {
            if kept.description.same_database(&self.description) && kept.description.id != self.description.id
            {
                let _ = std::fs::remove_file(&kept.path);
                let _ = std::fs::remove_file(kept.path.with_extension("").with_extension("json"));
            }
        }
        Ok(())
    }
}

fn not_kept(directory: &Path, error: &io::Error) -> Notice {
    Notice::NotKept {
        directory: shown(directory).into_owned(),
        trouble: error.to_string(),
    }
}

/// A foreign word as part of a file's name: letters, digits, `-` and `_` stay, all else becomes `_`; never empty,
/// at most 80 characters.
pub(super) fn file_name_part(word: &str) -> String {
    let name: String = word
        .chars()
        .take(80)
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        })
        .collect();
    if name.is_empty() {
        "backup".into()
    } else {
        name
    }
}

#[cfg(test)]
mod tests;
