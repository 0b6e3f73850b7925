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
use crate::failure::{SinkFailure, SinkRemedy};
use pg_dump_archive::WriteError;
use std::fmt::Display;
use std::io::ErrorKind;

/// What it means that the archive that was just written cannot be read.
pub(crate) fn unreadable(error: &dyn Display) -> Error {
    let fault = error.to_string();
    Error::new(
        Kind::Verification,
        SinkFailure::WrittenUnreadable { fault },
        SinkRemedy::LookAtDisk,
    )
}

/// What it means that the archive cannot be written.
fn unwritten(error: WriteError) -> Error {
    match error {
        WriteError::Io(error) if error.kind() == ErrorKind::BrokenPipe => Error::new(
            Kind::Configuration,
            SinkFailure::ReaderEnded,
            SinkRemedy::LookAtReader,
        ),
        WriteError::Io(error) => Error::new(
            Kind::Configuration,
            SinkFailure::Unwritten {
                trouble: file_trouble(&error),
            },
            SinkRemedy::NameWritablePlace,
        ),
        WriteError::Compression { version, compression } => Error::new(
            Kind::Configuration,
            SinkFailure::CompressionUnknown {
                version: version.to_string(),
                compression: compression.to_string(),
            },
            SinkRemedy::TakeGzip,
        ),
        other => Error::internal(format!("The archive could not be written: {other}.")),
    }
}
