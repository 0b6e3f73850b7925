//! What the operating system says of a file, as data.

use crate::failure::FileTrouble;
use std::io::{Error, ErrorKind};

/// Why a file cannot be written or read. Only the kind is looked at: the text of a foreign error may quote an address.
pub(crate) fn file_trouble(error: &Error) -> FileTrouble {
    match error.kind() {
        ErrorKind::NotFound => FileTrouble::NoDirectory,
        ErrorKind::NotADirectory => FileTrouble::FileForDirectory,
        ErrorKind::IsADirectory => FileTrouble::IsDirectory,
        ErrorKind::PermissionDenied => FileTrouble::NotAllowed,
        ErrorKind::StorageFull => FileTrouble::NoRoom,
        ErrorKind::QuotaExceeded => FileTrouble::QuotaUsedUp,
        ErrorKind::FileTooLarge => FileTrouble::TooLarge,
        ErrorKind::ReadOnlyFilesystem => FileTrouble::ReadOnly,
        kind => FileTrouble::OtherTrouble {
            trouble: kind.to_string(),
        },
    }
}
