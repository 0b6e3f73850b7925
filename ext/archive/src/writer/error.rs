//! Why an archive cannot be written.

use crate::toc::{Compression, DumpId, Version};
use std::io;

/// Why an archive cannot be written. No variant holds a byte of a row.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The version has no such compression: before 1.15 there is gzip's alone.
    #[error("archive format version {version} has no {compression} compression")]
    Compression {
        /// The version that would be written.
        version: Version,
        /// The compression asked for.
        compression: Compression,
    },
    /// The creation time in the header is not of the form `YYYY-MM-DD HH:MM:SS`.
    #[error("the archive's creation time cannot be written")]
    Header,
    /// An entry that has no data, is not in the table of contents, or whose data was written.
    #[error("entry {0} of the archive has no data to come")]
    NoData(DumpId),
    /// The archive was to end without the data of this entry.
    #[error("the data of entry {0} of the archive was not written")]
    Missing(DumpId),
    /// A call that does not follow the one before.
    #[error("{0}")]
    Order(&'static str),
    /// The writer underneath failed.
    #[error("the archive could not be written")]
    Io(#[from] io::Error),
}
