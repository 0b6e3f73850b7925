//! What can be wrong with an archive, and how that is told.

use super::toc::Version;
use crate::copy::RowError;
use crate::error::{Error, Kind};
use std::io;

/// Why an archive cannot be read.
///
/// It becomes an [`Error`] of [`Kind::Archive`] (damaged, or no archive at all) or
/// [`Kind::UnsupportedArchive`] (sound, but of a kind that is not read). A reader underneath that fails
/// with an [`Error`] of its own, wrapped by [`io::Error::other`], gets that very error back.
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

impl From<ArchiveError> for Error {
    fn from(error: ArchiveError) -> Self {
        const FETCH_AGAIN: &str = "Fetch the backup again; if it is damaged again, make a new one.";
        let kind = match &error {
            ArchiveError::UnsupportedVersion { .. }
            | ArchiveError::UnsupportedFormat { .. }
            | ArchiveError::UnsupportedEncoding { .. } => Kind::UnsupportedArchive,
            _ => Kind::Archive,
        };
        match error {
            ArchiveError::NotAnArchive => Error::new(
                kind,
                "The backup is not a pg_dump archive: it does not begin with PGDMP.",
                "Use a backup made by Scalingo or by `pg_dump -Fc`.",
            ),
            ArchiveError::UnsupportedVersion { version } => Error::new(
                kind,
                format!("The backup's archive format is version {version}; 1.12 to 1.16 are read."),
                if version > Version::NEWEST {
                    "A newer pg_dump made it: a newer version of scalingo-staging-sync may read it."
                } else {
                    "Make the backup with pg_dump of PostgreSQL 10 or later."
                },
            ),
            ArchiveError::UnsupportedFormat { format } => Error::new(
                kind,
                format!("The backup is in pg_dump's {format} format; only the custom format is read."),
                "Make it with `pg_dump -Fc`.",
            ),
            ArchiveError::UnsupportedEncoding { encoding } => Error::new(
                kind,
                match encoding {
                    Some(name) => format!("The backup is in the encoding {name}, which is not read."),
                    None => "The backup's names and definitions are not UTF-8.".to_owned(),
                },
                "Make it with `pg_dump -Fc --encoding=UTF8`.",
            ),
            ArchiveError::Truncated { place } => Error::new(
                kind,
                format!("The backup is truncated: it ends before the end of {place}."),
                FETCH_AGAIN,
            ),
            ArchiveError::Corrupt {
                place,
                what,
                position,
            } => Error::new(
                kind,
                format!("The backup is damaged in {place}, at byte {position} of the archive: {what}."),
                FETCH_AGAIN,
            ),
            ArchiveError::Compression { place, what } => Error::new(
                kind,
                format!("The backup is damaged in {place}: {what}."),
                FETCH_AGAIN,
            ),
            ArchiveError::Io(io) => match io.downcast::<Error>() {
                Ok(own) => own,
                // Only the kind: the text of a foreign error may quote an address.
                Err(io) => Error::new(
                    kind,
                    format!("The backup could not be read: {}.", io.kind()),
                    FETCH_AGAIN,
                ),
            },
        }
    }
}

/// What a failure to read `table`'s rows means, whichever layer it comes from: the reader under the archive
/// (its own [`Error`] comes back), the archive, or the rows themselves ([`RowError`]).
///
/// `table` is its name for people, such as `public.users`.
pub fn reading_failed(table: &str, error: io::Error) -> Error {
    match error.downcast::<RowError>() {
        Ok(rows) => rows.in_table(table),
        Err(other) => ArchiveError::from(other).into(),
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_engine_underneath_comes_back_as_it_was() {
        let own = Error::new(Kind::Download, "The download broke.", "Run it again.");
        let wrapped = io::Error::other(own.clone());
        let through_a_block: io::Error = ArchiveError::from(wrapped).into();
        assert_eq!(Error::from(ArchiveError::from(through_a_block)), own);
        assert_eq!(reading_failed("public.users", io::Error::other(own.clone())), own);
    }

    #[test]
    fn a_foreign_error_is_told_by_its_kind_alone() {
        let error: Error = ArchiveError::from(io::Error::new(
            io::ErrorKind::ConnectionReset,
            "https://storage.example/backup?signature=abc",
        ))
        .into();
        assert_eq!(error.kind, Kind::Archive);
        assert!(!error.to_string().contains("signature"), "{error}");
    }

    #[test]
    fn a_newer_version_is_refused_with_its_name_and_what_may_read_it() {
        let version = Version {
            major: 1,
            minor: 17,
            revision: 0,
        };
        let error: Error = ArchiveError::UnsupportedVersion { version }.into();
        assert_eq!(error.kind, Kind::UnsupportedArchive);
        assert!(error.what.contains("1.17"), "{error}");
        assert!(
            error.remedy.contains("newer version of scalingo-staging-sync"),
            "{error}"
        );
    }
}
