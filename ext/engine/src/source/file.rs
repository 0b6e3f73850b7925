//! A backup in a file of this machine: one that the user gave, or one that was kept.

use super::shown::shown;
use super::{BackupInfo, PackedBackup};
use crate::error::{Error, Kind, Result};
use crate::failure::{BackupFailure, BackupRemedy};
use sha2::{Digest, Sha256};
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The backup in the file `path`.
pub(super) async fn find(path: &Path) -> Result<PackedBackup> {
    let (file, metadata) = open(path).await?;
    Ok(found(path, file, &metadata))
}

/// The backup in the file `path`, which was read before.
///
/// # Errors
/// [`Kind::Configuration`] when it is no regular file: what came through a pipe does not come twice.
pub(super) async fn find_again(path: &Path) -> Result<PackedBackup> {
    // Opening a pipe without a writer would wait for ever.
    let is_file = tokio::fs::metadata(path)
        .await
        .map_err(|error| unopened(path, &error))?
        .is_file();
    if !is_file {
        let path = shown(path).into_owned();
        return Err(Error::new(
            Kind::Configuration,
            BackupFailure::FileReadOnce { path },
            BackupRemedy::GiveRegularFile,
        ));
    }
    find(path).await
}

fn found(path: &Path, file: File, metadata: &Metadata) -> PackedBackup {
    let name = shown(Path::new(path.file_name().unwrap_or(path.as_os_str()))).into_owned();
    let size = metadata.is_file().then_some(metadata.len());
    let digest = Arc::new(OnceLock::new());
    let packed = Box::new(FileReader::new(file, path, None, Arc::clone(&digest)));
    let info = BackupInfo {
        id: name.clone(),
        created_at: None,
        size,
        origin: format!("the file {name}"),
        file: true,
        database: None,
    };
    PackedBackup {
        info,
        name,
        packed,
        digest,
        copying: None,
        download: None,
    }
}

/// Opens a file for reading. Anything but a directory will do, a pipe too; opening one waits for its writer, hence
/// the blocking thread.
pub(super) async fn open(path: &Path) -> Result<(File, Metadata)> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || {
        let opened = File::open(&path).and_then(|file| file.metadata().map(|metadata| (file, metadata)));
        match opened {
            Ok((_, metadata)) if metadata.is_dir() => Err(Error::new(
                Kind::Configuration,
                BackupFailure::FileIsDirectory {
                    path: shown(&path).into_owned(),
                },
                BackupRemedy::GiveOneFile,
            )),
            Ok(opened) => Ok(opened),
            Err(error) => Err(unopened(&path, &error)),
        }
    })
    .await
    .map_err(|_| Error::interrupted())?
}

fn unopened(path: &Path, error: &io::Error) -> Error {
    let path = shown(path).into_owned();
    let (what, remedy) = match error.kind() {
        io::ErrorKind::NotFound => (
            BackupFailure::FileMissing { path },
            BackupRemedy::GiveExistingFile,
        ),
        io::ErrorKind::PermissionDenied => (BackupFailure::FileForbidden { path }, BackupRemedy::LetUserRead),
        _ => {
            let trouble = error.to_string();
            (
                BackupFailure::FileUnopened { path, trouble },
                BackupRemedy::CheckBackupFile,
            )
        }
    };
    Error::new(Kind::Configuration, what, remedy)
}

/// Reads a file and computes its digest on the way.
pub(super) struct FileReader {
    file: File,
    path: PathBuf,
    /// What the digest must be, where that is known.
    expected: Option<String>,
    hasher: Option<Sha256>,
    digest: Arc<OnceLock<String>>,
}

impl FileReader {
    /// Reads `file`, which lies at `path`, and sets `digest` at its end; fails there when another was `expected`.
    pub(super) fn new(
        file: File,
        path: &Path,
        expected: Option<String>,
        digest: Arc<OnceLock<String>>,
    ) -> Self {
        Self {
            file,
            path: path.to_owned(),
            expected,
            hasher: Some(Sha256::new()),
            digest,
        }
    }

    fn end(&mut self) -> io::Result<()> {
        let Some(hasher) = self.hasher.take() else {
            return Ok(());
        };
        let found = hex(hasher);
        if self.expected.as_ref().is_some_and(|expected| *expected != found) {
            let path = shown(&self.path).into_owned();
            return Err(io::Error::other(Error::new(
                Kind::Archive,
                BackupFailure::KeptChanged { path },
                BackupRemedy::DownloadAnew,
            )));
        }
        let _ = self.digest.set(found);
        Ok(())
    }
}

impl Read for FileReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = match self.file.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                let unread = BackupFailure::FileUnread {
                    path: shown(&self.path).into_owned(),
                    trouble: error.to_string(),
                };
                return Err(io::Error::other(Error::new(
                    Kind::Archive,
                    unread,
                    BackupRemedy::CheckDisk,
                )));
            }
            Ok(length) => length,
        };
        if length == 0 && !into.is_empty() {
            self.end()?;
        } else if let Some(hasher) = &mut self.hasher {
            hasher.update(&into[..length]);
        }
        Ok(length)
    }
}

/// A digest in lower-case hexadecimal.
pub(crate) fn hex(hasher: Sha256) -> String {
    use std::fmt::Write;
    hasher
        .finalize()
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
