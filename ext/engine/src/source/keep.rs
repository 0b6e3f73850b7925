//! Archives kept on disk: written whole or not at all, readable by this user only, found again on the next run.
//!
//! A kept archive is two files in the directory: `<app>.<addon>.<backup>.tar.gz`, the bytes as they were
//! downloaded, and `….json`, which says what they are. The second is written first, and the archive gets its name
//! only when it is complete. There is at most one for each app and addon: it is production's data, raw, so what is
//! superseded goes.

use super::shown::shown;
use crate::error::{Error, Kind, Result};
use crate::event::Sink;
use crate::text::{text, Setting};
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
            Error::new(
                Kind::Configuration,
                format!(
                    "Nothing can be written to the directory {}: {error}.",
                    shown(directory)
                ),
                text!(
                    "Set ",
                    Setting::TempDir,
                    " to a directory that this user can write to."
                ),
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

fn not_kept(directory: &Path, error: &io::Error) -> String {
    format!(
        "The downloaded archive could not be kept in {}: {error}. The run goes on without a copy.",
        shown(directory)
    )
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
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn description(id: &str) -> Description {
        Description {
            region: "osc-fr1".into(),
            app: "shop".into(),
            addon: "ad-1".into(),
            database: None,
            id: id.into(),
            name: id.into(),
            created_at: None,
            size: None,
            bytes: 0,
            sha256: String::new(),
        }
    }

    fn keep(directory: &Path, id: &str, bytes: &[u8]) {
        let digest = Arc::new(OnceLock::from("d1".to_owned()));
        let mut tee = Tee::new(bytes, directory, description(id), digest, Sink::silent()).unwrap();
        io::copy(&mut tee, &mut io::sink()).unwrap();
        tee.copying().keep();
    }

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_kept_archive_is_found_again_with_what_is_known_of_it() {
        let directory = tempfile::tempdir().unwrap();
        keep(directory.path(), "b1", b"packed");
        let kept = find(directory.path());
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].description.bytes, 6);
        assert_eq!(kept[0].description.sha256, "d1");
        assert_eq!(std::fs::read(&kept[0].path).unwrap(), b"packed");
        assert_eq!(
            std::fs::metadata(&kept[0].path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn an_archive_that_nobody_kept_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let digest = Arc::new(OnceLock::new());
        let mut tee = Tee::new(
            &b"packed"[..],
            directory.path(),
            description("b1"),
            digest,
            Sink::silent(),
        )
        .unwrap();
        let mut buffer = [0; 3];
        tee.read_exact(&mut buffer).unwrap();
        assert_eq!(names(directory.path()).len(), 1);
        drop(tee);
        assert_eq!(names(directory.path()), [""; 0]);
    }

    #[test]
    fn a_newer_archive_of_the_same_database_takes_the_place_of_the_older_one() {
        let directory = tempfile::tempdir().unwrap();
        keep(directory.path(), "b1", b"old");
        keep(directory.path(), "b2", b"new");
        assert_eq!(
            names(directory.path()),
            ["shop.ad-1.b2.json", "shop.ad-1.b2.tar.gz"]
        );
    }

    #[test]
    fn an_archive_whose_length_is_not_as_noted_is_not_found() {
        let directory = tempfile::tempdir().unwrap();
        keep(directory.path(), "b1", b"packed");
        std::fs::write(directory.path().join("shop.ad-1.b1.tar.gz"), b"pack").unwrap();
        assert!(find(directory.path()).is_empty());
    }

    #[test]
    fn json_files_of_others_are_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("package.json"), b"{}").unwrap();
        std::fs::write(directory.path().join("a.b.json"), b"[1]").unwrap();
        assert!(find(directory.path()).is_empty());
    }

    #[test]
    fn a_foreign_name_cannot_leave_the_directory() {
        assert_eq!(file_name_part("../../etc/passwd"), "______etc_passwd");
        assert_eq!(file_name_part(""), "backup");
        assert_eq!(file_name_part("20251120_my-app"), "20251120_my-app");
    }

    #[test]
    fn temporary_files_of_killed_runs_go_after_a_day() {
        let directory = tempfile::tempdir().unwrap();
        let day_before_yesterday = std::time::SystemTime::now() - 2 * LEFT_OVER;
        for name in [".scalingo-staging-sync-1-0-0.part", "mine.part"] {
            let file = File::create(directory.path().join(name)).unwrap();
            file.set_modified(day_before_yesterday).unwrap();
        }
        File::create(directory.path().join(".scalingo-staging-sync-2-0-0.part")).unwrap();
        remove_left_overs(directory.path());
        assert_eq!(
            names(directory.path()),
            [".scalingo-staging-sync-2-0-0.part", "mine.part"]
        );
    }

    #[test]
    fn a_disk_that_refuses_costs_the_copy_and_not_the_run() {
        let directory = tempfile::tempdir().unwrap();
        let warned = Arc::new(std::sync::Mutex::new(Vec::new()));
        let heard = Arc::clone(&warned);
        let events = Sink::new(move |event| heard.lock().unwrap().push(event));
        let digest = Arc::new(OnceLock::from("d1".to_owned()));
        let mut tee = Tee::new(
            &b"packed"[..],
            directory.path(),
            description("b1"),
            digest,
            events,
        )
        .unwrap();
        // The directory is taken away under it, so that the copy cannot get its name.
        std::fs::remove_dir_all(directory.path()).unwrap();
        std::fs::write(directory.path(), b"now a file").unwrap();
        let mut bytes = Vec::new();
        tee.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, b"packed");
        tee.copying().keep();
        assert_eq!(warned.lock().unwrap().len(), 1);
        std::fs::remove_file(directory.path()).unwrap();
    }
}
