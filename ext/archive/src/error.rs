//! What can be wrong with an archive.

use super::toc::Version;
use std::io;

/// Why an archive cannot be read.
///
/// A reader underneath that fails with an error of its own gets it back in [`ArchiveError::Io`], as it was.
///
/// No variant holds a byte of a row. `place` says where reading stopped, in the archive's own terms
/// (`the table of contents, entry 3 of 120`, `the rows of public.users`).
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The first bytes are not `PGDMP`.
    #[error("this is not a pg_dump archive: it does not begin with PGDMP")]
    NotAnArchive,
    /// A format version outside 1.12 to 1.16.
    #[error("archive format version {version} is not supported")]
    UnsupportedVersion {
        /// The version found.
        version: Version,
    },
    /// The header of another of pg_dump's formats, such as a tar's or a directory's `toc.dat`.
    #[error("this is pg_dump's {format} format, not the custom format")]
    UnsupportedFormat {
        /// The format's name, such as `directory`.
        format: &'static str,
    },
    /// Names or definitions are not UTF-8, or the rows are in an encoding whose characters can contain a
    /// backslash byte.
    #[error("the archive's encoding ({}) is not supported", .encoding.as_deref().unwrap_or("unknown"))]
    UnsupportedEncoding {
        /// The encoding that the archive's ENCODING entry names.
        encoding: Option<String>,
    },
    /// The archive ends too early.
    #[error("the archive ends before the end of {place}")]
    Truncated {
        /// What is not there to its end.
        place: String,
    },
    /// A length, a number or a type byte is impossible.
    #[error("the archive is damaged in {place}, at byte {position}: {what}")]
    Corrupt {
        /// Where.
        place: String,
        /// What is impossible there.
        what: &'static str,
        /// How many bytes of the archive had been read.
        position: u64,
    },
    /// A compressed stream is damaged, or ends before or after its chunks.
    #[error("the archive is damaged in {place}: {what}")]
    Compression {
        /// Where.
        place: String,
        /// What the decompressor says.
        what: String,
    },
    /// The reader underneath failed.
    #[error("the archive could not be read")]
    Io(#[source] io::Error),
}

impl From<io::Error> for ArchiveError {
    /// Finds the [`ArchiveError`] that a block's `Read` wrapped, or wraps the error itself.
    fn from(error: io::Error) -> Self {
        match error.downcast::<ArchiveError>() {
            Ok(archive) => archive,
            Err(other) => ArchiveError::Io(other),
        }
    }
}

impl From<ArchiveError> for io::Error {
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::Io(io) => io,
            other => io::Error::other(other),
        }
    }
}

/// A failure of the lower layers, which do not know what they are reading; [`Fault::at`] adds it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// The input ends.
    #[error("unexpected end")]
    End,
    /// Something impossible, and how many bytes had been read.
    #[error("{0}")]
    Corrupt(&'static str, u64),
    /// The decompressor's complaint.
    #[error("{0}")]
    Compression(String),
    /// The reader underneath failed.
    #[error("read failed")]
    Io(#[from] io::Error),
}

impl Fault {
    /// The same failure with the place where it happened.
    pub(super) fn at(self, place: impl FnOnce() -> String) -> ArchiveError {
        match self {
            Fault::End => ArchiveError::Truncated { place: place() },
            Fault::Corrupt(what, position) => ArchiveError::Corrupt {
                place: place(),
                what,
                position,
            },
            Fault::Compression(what) => ArchiveError::Compression { place: place(), what },
            Fault::Io(error) => ArchiveError::from(error),
        }
    }
}
