//! What a backup that cannot be read means to the caller.

use super::{About, Error, Kind};
use crate::failure::{ArchiveFailure, ArchiveRemedy};
use pg_dump_archive::copy::RowError;
use pg_dump_archive::{ArchiveError, Version};
use std::io;

impl From<ArchiveError> for Error {
    fn from(error: ArchiveError) -> Self {
        let kind = match &error {
            ArchiveError::UnsupportedVersion { .. }
            | ArchiveError::UnsupportedFormat { .. }
            | ArchiveError::UnsupportedEncoding { .. } => Kind::UnsupportedArchive,
            _ => Kind::Archive,
        };
        let (what, remedy) = match error {
            ArchiveError::NotAnArchive => (ArchiveFailure::NotAnArchive, ArchiveRemedy::TakeRealBackup),
            ArchiveError::UnsupportedVersion { version } => other_version(version),
            ArchiveError::UnsupportedFormat { format } => (
                ArchiveFailure::FormatUnread { format },
                ArchiveRemedy::MakeCustomFormat,
            ),
            ArchiveError::UnsupportedEncoding { encoding } => {
                let what = match encoding {
                    Some(encoding) => ArchiveFailure::EncodingUnread { encoding },
                    None => ArchiveFailure::NamesNotUtf8,
                };
                (what, ArchiveRemedy::MakeInUtf8)
            }
            ArchiveError::Truncated { place } => (
                ArchiveFailure::ArchiveTruncated { place },
                ArchiveRemedy::FetchAgain,
            ),
            ArchiveError::Corrupt {
                place,
                what,
                position,
            } => {
                let damaged = ArchiveFailure::ArchiveDamaged {
                    place,
                    position,
                    fault: what,
                };
                (damaged, ArchiveRemedy::FetchAgain)
            }
            ArchiveError::Compression { place, what } => {
                let damaged = ArchiveFailure::BlockDamaged { place, fault: what };
                (damaged, ArchiveRemedy::FetchAgain)
            }
            ArchiveError::Io(io) => match io.downcast::<Error>() {
                Ok(own) => return own,
                // Only the kind: the text of a foreign error may quote an address.
                Err(io) => {
                    let trouble = io.kind().to_string();
                    (
                        ArchiveFailure::ArchiveUnread { trouble },
                        ArchiveRemedy::FetchAgain,
                    )
                }
            },
        };
        Error::new(kind, what, remedy)
    }
}

fn other_version(version: Version) -> (ArchiveFailure, ArchiveRemedy) {
    let what = ArchiveFailure::VersionUnread {
        version: version.to_string(),
    };
    match version > Version::NEWEST {
        true => (what, ArchiveRemedy::UpdateThisGem),
        false => (what, ArchiveRemedy::MakeWithNewerPgDump),
    }
}

/// What a failure to read an archive means, whichever layer it comes from.
pub(crate) fn unread(error: io::Error) -> Error {
    ArchiveError::from(error).into()
}

/// What a failure to read `table`'s rows means, whichever layer it comes from: the reader under the archive
/// (its own [`Error`] comes back), the archive, or the rows themselves ([`RowError`]).
///
/// `table` is its name for people, such as `public.users`.
pub(crate) fn reading_failed(table: &str, error: io::Error) -> Error {
    match error.downcast::<RowError>() {
        Ok(rows) => damaged_rows(table, &rows),
        Err(other) => unread(other),
    }
}

fn damaged_rows(table: &str, error: &RowError) -> Error {
    let what = ArchiveFailure::RowsDamaged {
        table: table.to_owned(),
        fault: error.to_string(),
    };
    Error::new(Kind::Archive, what, ArchiveRemedy::FetchAgain).about(About::table(table))
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
        assert!(
            error.is("version_unread") && error.what.contains("1.17"),
            "{error}"
        );
        assert!(error.remedy.is("update_this_gem"), "{error}");
    }

    #[test]
    fn what_is_no_backup_says_how_to_make_one() {
        let encoding = Some("SJIS".to_owned());
        let place = "public.users".to_owned();
        let cases = [
            (
                ArchiveError::NotAnArchive,
                "not_an_archive",
                "",
                "take_real_backup",
            ),
            (
                ArchiveError::UnsupportedFormat { format: "directory" },
                "format_unread",
                "directory",
                "make_custom_format",
            ),
            (
                ArchiveError::UnsupportedEncoding { encoding },
                "encoding_unread",
                "SJIS",
                "make_in_utf8",
            ),
            (
                ArchiveError::Truncated { place },
                "archive_truncated",
                "public.users",
                "fetch_again",
            ),
        ];
        for (error, what, named, remedy) in cases {
            let error = Error::from(error);
            assert!(error.is(what) && error.what.contains(named), "{error}");
            assert!(error.remedy.is(remedy), "{error}");
        }
    }
}
