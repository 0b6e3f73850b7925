//! What the operating system says of a file, in words.

use std::io::{Error, ErrorKind};

/// Why a file cannot be written or read, for use within a sentence. Only the kind is looked at: the text of a foreign error
/// may quote an address.
pub(crate) fn file_trouble(error: &Error) -> String {
    let words = match error.kind() {
        ErrorKind::NotFound => "its directory does not exist",
        ErrorKind::NotADirectory => "what stands in the place of its directory is a file",
        ErrorKind::IsADirectory => "it is a directory",
        ErrorKind::PermissionDenied => "this user may not do that there",
        ErrorKind::StorageFull => "no room is left there",
        ErrorKind::QuotaExceeded => "this user's quota is used up there",
        ErrorKind::FileTooLarge => "the file would be larger than is allowed there",
        ErrorKind::ReadOnlyFilesystem => "the file system is read-only",
        kind => return kind.to_string(),
    };
    words.to_owned()
}
