//! What a backup that cannot be read means to the caller.

use super::{About, Error, Kind};
use pg_dump_archive::copy::RowError;
use pg_dump_archive::{ArchiveError, Version};
use std::io;

const FETCH_AGAIN: &str = "Fetch the backup again; if it is damaged again, make a new one.";

impl From<ArchiveError> for Error {
    fn from(error: ArchiveError) -> Self {
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
            ArchiveError::UnsupportedVersion { version } => other_version(version),
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

fn other_version(version: Version) -> Error {
    Error::new(
        Kind::UnsupportedArchive,
        format!("The backup's archive format is version {version}; 1.12 to 1.16 are read."),
        if version > Version::NEWEST {
            "A newer pg_dump made it: a newer version of scalingo-staging-sync may read it."
        } else {
            "Make the backup with pg_dump of PostgreSQL 10 or later."
        },
    )
}

/// What a failure to read `table`'s rows means, whichever layer it comes from: the reader under the archive
/// (its own [`Error`] comes back), the archive, or the rows themselves ([`RowError`]).
///
/// `table` is its name for people, such as `public.users`.
pub(crate) fn reading_failed(table: &str, error: io::Error) -> Error {
    match error.downcast::<RowError>() {
        Ok(rows) => damaged_rows(table, &rows),
        Err(other) => ArchiveError::from(other).into(),
    }
}

fn damaged_rows(table: &str, error: &RowError) -> Error {
    Error::new(
        Kind::Archive,
        format!("The backup is damaged in the rows of {table}: {error}."),
        FETCH_AGAIN,
    )
    .about(About::table(table))
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
    fn of_a_foreign_error_only_the_kind_is_said() {
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

    #[test]
    fn what_is_no_backup_says_how_to_make_one() {
        let not_one = Error::from(ArchiveError::NotAnArchive);
        assert_eq!(not_one.kind, Kind::Archive);
        assert!(not_one.what.contains("PGDMP"), "{not_one}");
        let directory = Error::from(ArchiveError::UnsupportedFormat { format: "directory" });
        assert_eq!(directory.kind, Kind::UnsupportedArchive);
        assert!(
            directory.what.contains("directory") && directory.remedy.contains("pg_dump -Fc"),
            "{directory}"
        );
        let encoding = Some("SJIS".to_owned());
        let encoded = Error::from(ArchiveError::UnsupportedEncoding { encoding });
        assert_eq!(encoded.kind, Kind::UnsupportedArchive);
        assert!(
            encoded.what.contains("SJIS") && encoded.remedy.contains("--encoding=UTF8"),
            "{encoded}"
        );
        let place = "public.users".to_owned();
        let cut = Error::from(ArchiveError::Truncated { place });
        assert_eq!(cut.kind, Kind::Archive);
        assert!(cut.what.contains("public.users"), "{cut}");
    }
}
