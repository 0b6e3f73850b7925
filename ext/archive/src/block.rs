//! Data blocks: a table's rows, or large objects.

use super::chunks::Chunks;
use super::decompress::{Decompressors, Stream};
use super::error::{ArchiveError, Fault};
use super::kind::EntryKind;
use super::toc::{DumpId, Entry};
use std::io::{self, Read};

/// What follows the table of contents.
pub enum Block<'a, R: Read> {
    /// The data of one entry, a table's rows.
    Data(DataBlock<'a, R>),
    /// Large objects.
    LargeObjects(LargeObjectsBlock<'a, R>),
}

/// The data of one entry. It implements [`Read`]; what it gives is decompressed.
///
/// An error of its `Read` is an [`ArchiveError`] inside an [`io::Error`]; `ArchiveError::from` takes it
/// out again.
pub struct DataBlock<'a, R: Read> {
    entry: &'a Entry,
    stream: Stream<'a, R>,
}

impl<'a, R: Read> DataBlock<'a, R> {
    /// The block of `entry` whose chunks begin here.
    pub(super) fn new(
        entry: &'a Entry,
        chunks: &'a mut Chunks<R>,
        decompressors: &'a mut Decompressors,
    ) -> Result<Self, ArchiveError> {
        let stream = decompressors
            .stream(chunks)
            .map_err(|fault| fault.at(|| data_of(entry)))?;
        Ok(Self { entry, stream })
    }

    /// The number of the entry whose data this is.
    pub fn dump_id(&self) -> DumpId {
        self.entry.dump_id
    }

    /// The entry whose data this is.
    pub fn entry(&self) -> &'a Entry {
        self.entry
    }
}

impl<R: Read> Read for DataBlock<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let entry = self.entry;
        self.stream
            .read(out)
            .map_err(|fault| fault.at(|| data_of(entry)).into())
    }
}

/// Large objects, one after the other.
pub struct LargeObjectsBlock<'a, R: Read> {
    entry: &'a Entry,
    chunks: &'a mut Chunks<R>,
    decompressors: &'a mut Decompressors,
    /// Whether the closing oid 0 is still to come. It is the archive's, which reads on from there.
    open: &'a mut bool,
}

impl<'a, R: Read> LargeObjectsBlock<'a, R> {
    /// The block of `entry` whose first object begins here.
    pub(super) fn new(
        entry: &'a Entry,
        chunks: &'a mut Chunks<R>,
        decompressors: &'a mut Decompressors,
        open: &'a mut bool,
    ) -> Self {
        *open = true;
        Self {
            entry,
            chunks,
            decompressors,
            open,
        }
    }

    /// The number of the BLOBS entry.
    pub fn dump_id(&self) -> DumpId {
        self.entry.dump_id
    }

    /// The BLOBS entry.
    pub fn entry(&self) -> &'a Entry {
        self.entry
    }

    /// The next large object, or None after the last. What was not read of the one before is passed over.
    ///
    /// # Errors
    ///
    /// A truncated or damaged archive, or what the reader underneath failed with.
    pub fn next_object(&mut self) -> Result<Option<LargeObject<'_, R>>, ArchiveError> {
        let entry = self.entry;
        if !*self.open {
            return Ok(None);
        }
        let Some(oid) = next_oid(self.chunks, self.open).map_err(|fault| fault.at(|| data_of(entry)))? else {
            return Ok(None);
        };
        let stream = self
            .decompressors
            .stream(self.chunks)
            .map_err(|fault| fault.at(|| object(oid)))?;
        Ok(Some(LargeObject { oid, stream }))
    }
}

/// Passes over what is left of an object and reads the next one's oid. An oid of 0 closes the block.
pub(super) fn next_oid<R: Read>(chunks: &mut Chunks<R>, open: &mut bool) -> Result<Option<u32>, Fault> {
    chunks.skip_rest()?;
    match chunks.input.oid()? {
        0 => {
            *open = false;
            Ok(None)
        }
        oid => Ok(Some(oid)),
    }
}

/// One large object. It implements [`Read`], as [`DataBlock`] does.
pub struct LargeObject<'a, R: Read> {
    oid: u32,
    stream: Stream<'a, R>,
}

impl<R: Read> LargeObject<'_, R> {
    /// Its oid, by which the rows refer to it.
    pub fn oid(&self) -> u32 {
        self.oid
    }
}

impl<R: Read> Read for LargeObject<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let oid = self.oid;
        self.stream
            .read(out)
            .map_err(|fault| fault.at(|| object(oid)).into())
    }
}

/// The place of an error in `entry`'s data.
pub(super) fn data_of(entry: &Entry) -> String {
    match (&entry.kind, entry.namespace.is_empty()) {
        (EntryKind::Blobs, _) => "the large objects".to_owned(),
        (EntryKind::TableData, false) => format!("the rows of {}.{}", entry.namespace, entry.tag),
        (kind, true) => format!("the data of {kind} {}", entry.tag),
        (kind, false) => format!("the data of {kind} {}.{}", entry.namespace, entry.tag),
    }
}

fn object(oid: u32) -> String {
    format!("large object {oid}")
}
