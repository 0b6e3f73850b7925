//! The file beside its name, until what is in it is proven: it cannot be taken for the archive before.

use crate::error::{file_trouble, Error, Kind, Result};
use crate::failure::{FileTrouble, SinkFailure, SinkRemedy};
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What is added to the archive's name.
const ENDING: &str = ".part";

/// A file that is removed again unless it gets its name.
pub(crate) struct Draft {
    file: File,
    path: PathBuf,
    name: PathBuf,
    has_name: bool,
}

impl Draft {
    /// Begins the file that is to be `name`. What a killed dump has left of it is overwritten.
    ///
    /// # Errors
    /// [`Kind::Configuration`] when it cannot be written, something that is no file has the name, or another dump is
    /// writing it.
    pub(crate) fn begin(name: &Path) -> Result<Self> {
        if fs::metadata(name).is_ok_and(|there| !there.is_file()) {
            return Err(refused(name, FileTrouble::NoFileThere, SinkRemedy::NameFile));
        }
        let mut path = name.as_os_str().to_owned();
        path.push(ENDING);
        let path = PathBuf::from(path);
        let options = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path);
        let file = options.map_err(|error| unwritable(name, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(refused(name, FileTrouble::AnotherDump, SinkRemedy::WaitForDump))
            }
            Err(TryLockError::Error(error)) => return Err(unwritable(name, &error)),
        }
        let draft = Self {
            file,
            path,
            name: name.to_owned(),
            has_name: false,
        };
        draft.file.set_len(0).map_err(|error| unwritable(name, &error))?;
        Ok(draft)
    }

    /// The file, to be written and read.
    ///
    /// # Errors
    /// [`Kind::Configuration`] when the system has no further descriptor.
    pub(crate) fn file(&self) -> Result<File> {
        self.file
            .try_clone()
            .map_err(|error| unwritable(&self.name, &error))
    }

    /// Gives the file its name, once its bytes are on the disk.
    ///
    /// # Errors
    /// [`Kind::Configuration`] when that fails.
    pub(crate) fn publish(mut self) -> Result<()> {
        let named = self
            .file
            .sync_all()
            .and_then(|()| fs::rename(&self.path, &self.name));
        named.map_err(|error| unwritable(&self.name, &error))?;
        self.has_name = true;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.has_name {
            // What cannot be removed, the next dump overwrites.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn unwritable(name: &Path, error: &io::Error) -> Error {
    refused(name, file_trouble(error), SinkRemedy::NameWritableFile)
}

fn refused(name: &Path, trouble: FileTrouble, remedy: SinkRemedy) -> Error {
    let path = name.display().to_string();
    Error::new(
        Kind::Configuration,
        SinkFailure::NamedUnwritten { path, trouble },
        remedy,
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io::Write;

    fn place() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let name = directory.path().join("staging.dump");
        (directory, name)
    }

    fn names(directory: &tempfile::TempDir) -> Vec<String> {
        let files = fs::read_dir(directory.path()).unwrap();
        files
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn a_draft_that_gets_no_name_is_gone_and_what_had_the_name_stays() {
        let (directory, name) = place();
        fs::write(&name, "before").unwrap();
        let draft = Draft::begin(&name).unwrap();
        draft.file().unwrap().write_all(b"half").unwrap();
        drop(draft);
        assert_eq!(names(&directory), ["staging.dump"]);
        assert_eq!(fs::read(&name).unwrap(), b"before");
    }

    #[test]
    fn a_draft_replaces_what_had_its_name_and_what_a_killed_dump_left() {
        let (directory, name) = place();
        fs::write(&name, "before").unwrap();
        fs::write(directory.path().join("staging.dump.part"), "left by a killed one").unwrap();
        let draft = Draft::begin(&name).unwrap();
        draft.file().unwrap().write_all(b"whole").unwrap();
        draft.publish().unwrap();
        assert_eq!(names(&directory), ["staging.dump"]);
        assert_eq!(fs::read(&name).unwrap(), b"whole");
    }

    #[test]
    fn two_dumps_do_not_write_one_file() {
        let (_directory, name) = place();
        let first = Draft::begin(&name).unwrap();
        let refusal = Draft::begin(&name).err().unwrap();
        assert!(refusal.to_string().contains("another_dump"), "{refusal}");
        drop(first);
        assert!(Draft::begin(&name).is_ok());
    }

    #[test]
    fn what_is_no_file_and_what_cannot_be_written_is_refused() {
        let (directory, name) = place();
        for wrong in [directory.path(), Path::new("/dev/null"), &name.join("below")] {
            let refusal = Draft::begin(wrong).err().unwrap();
            assert_eq!(refusal.kind, Kind::Configuration, "{refusal}");
        }
        assert!(names(&directory).is_empty());
    }
}
