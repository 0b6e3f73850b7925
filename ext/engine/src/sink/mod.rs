//! Where rows go that go into no database: an archive in pg_dump's custom format.
//!
//! ```text
//! draft     the file beside its name, until what is in it is proven
//! entries   the table of contents: what a run would leave out is not in it
//! archive   the rows, masked, and large objects, as they come
//! check     the finished archive, read again
//! tables    what there is to say of tables beside their rows
//! ```

mod archive;
mod check;
mod draft;
mod entries;
mod tables;
#[cfg(test)]
mod tests;

pub(crate) use archive::{refuse_compression, ArchiveSink, Finished, Written};
pub(crate) use check::{check, Checked, Expected};
pub(crate) use draft::Draft;
pub(crate) use entries::entries;
pub(crate) use tables::{BlockPlace, Tables};

use crate::error::{file_trouble, Error, Kind};
use crate::text::{text, Setting};
use pg_dump_archive::WriteError;
use std::fmt::Display;
use std::io::ErrorKind;

/// What it means that the archive that was just written cannot be read.
pub(crate) fn unreadable(error: &dyn Display) -> Error {
    Error::new(
        Kind::Verification,
        format!("The archive was written and cannot be read again: {error}."),
        "Look at the disk, and run it again; if it happens again, please report it.",
    )
}

/// What it means that the archive cannot be written.
fn unwritten(error: WriteError) -> Error {
    match error {
        WriteError::Io(error) if error.kind() == ErrorKind::BrokenPipe => Error::new(
            Kind::Configuration,
            "What reads the archive ended before the archive did.",
            "Look at what that program says, correct it, and run it again; or name a file instead of a pipe.",
        ),
        WriteError::Io(error) => Error::new(
            Kind::Configuration,
            format!("The archive could not be written: {}.", file_trouble(&error)),
            "Name a place that can be written and has room for it.",
        ),
        WriteError::Compression { version, compression } => Error::new(
            Kind::Configuration,
            format!("The backup is in archive format {version}, which has no {compression} compression."),
            text!(
                "Set ",
                Setting::DumpCompression.to("gzip"),
                ", or make the backup with pg_dump 16 or later."
            ),
        ),
        other => Error::internal(format!("The archive could not be written: {other}.")),
    }
}
