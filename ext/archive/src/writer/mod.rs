//! Writing an archive: header and table of contents, then the blocks in any order, each one compressed stream.
//!
//! What is written is what pg_dump writes to a pipe; [`Writer::finish_seekable`] fills in where the blocks lie, as pg_dump
//! does in a file, so that a parallel pg_restore need not look for them.

mod compress;
mod error;
mod head;
mod output;

pub use error::WriteError;

use super::toc::{Compression, DumpId, Entry, Header};
use super::Version;
use compress::Compressor;
use head::Place;
use output::Output;
use std::collections::HashMap;
use std::io::{Seek, Write};

/// The byte that a block of rows begins with.
const DATA: u8 = 1;

/// The byte that a block of large objects begins with.
const LARGE_OBJECTS: u8 = 3;

/// An archive that is being written.
///
/// Its version is that of the header that it is given, or 1.14 where that is older.
///
/// ```
/// use pg_dump_archive::{Archive, Block, Compression, Writer};
/// use std::io::Read;
///
/// # fn copy(from: impl Read, to: impl std::io::Write) -> Result<(), Box<dyn std::error::Error>> {
/// let mut archive = Archive::open_to_copy(from)?;
/// let mut copy = Writer::new(to, archive.header(), Compression::Zstd, archive.entries())?;
/// let mut bytes = [0; 8192];
/// while let Some(block) = archive.next_block()? {
///     if let Block::Data(mut rows) = block {
///         copy.begin_data(rows.dump_id())?;
///         loop {
///             match rows.read(&mut bytes)? {
///                 0 => break,
///                 count => copy.write(&bytes[..count])?,
///             }
///         }
///         copy.end_block()?;
///     }
/// }
/// copy.finish()?;
/// # Ok(()) }
/// ```
pub struct Writer<W: Write> {
    output: Output<W>,
    compressor: Compressor,
    version: Version,
    /// Where each entry with data stands, and where its block does.
    places: HashMap<DumpId, Place>,
    open: Open,
}

/// What is being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    /// Nothing: between two blocks.
    Nothing,
    /// The rows of a block.
    Data,
    /// A block of large objects, between two of them.
    Objects,
    /// The contents of a large object.
    Object,
}

impl<W: Write> Writer<W> {
    /// Writes the header and the table of contents of an archive with these entries. Dependencies on others are left out,
    /// as `pg_restore -L` leaves them. Where the blocks will lie is not said.
    ///
    /// # Errors
    ///
    /// [`WriteError::Compression`] when the version has no such compression; [`WriteError::Header`]; what the writer
    /// underneath fails with.
    pub fn new<'e>(
        out: W,
        header: &Header,
        compression: Compression,
        entries: impl IntoIterator<Item = &'e Entry> + Clone,
    ) -> Result<Self, WriteError> {
        let version = Version::written(header.version);
        if version.minor < 15 && !matches!(compression, Compression::None | Compression::Gzip) {
            return Err(WriteError::Compression { version, compression });
        }
        let mut output = Output::new(out);
        head::write_header(&mut output, header, version, compression)?;
        let places = head::write_contents(&mut output, version, entries)?;
        Ok(Self {
            output,
            compressor: Compressor::new(compression)?,
            version,
            places,
            open: Open::Nothing,
        })
    }

    /// The version that is written.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Begins the block of an entry with rows; [`write`](Self::write) and [`end_block`](Self::end_block) follow.
    ///
    /// # Errors
    ///
    /// [`WriteError::Order`] within another block; [`WriteError::NoData`] for an entry that has none, is not in the table of
    /// contents or was written; what the writer underneath fails with.
    pub fn begin_data(&mut self, id: DumpId) -> Result<(), WriteError> {
        self.begin(id, DATA)?;
        self.open = Open::Data;
        Ok(self.compressor.begin()?)
    }

    /// Begins a block of large objects; [`begin_object`](Self::begin_object) for each and [`end_block`](Self::end_block)
    /// follow.
    ///
    /// # Errors
    ///
    /// As [`begin_data`](Self::begin_data).
    pub fn begin_objects(&mut self, id: DumpId) -> Result<(), WriteError> {
        self.begin(id, LARGE_OBJECTS)?;
        self.open = Open::Objects;
        Ok(())
    }

    /// Begins a large object; [`write`](Self::write) and [`end_object`](Self::end_object) follow.
    ///
    /// # Errors
    ///
    /// [`WriteError::Order`] outside a block of large objects, or for the oid 0, which would end the block; what the writer
    /// underneath fails with.
    pub fn begin_object(&mut self, oid: u32) -> Result<(), WriteError> {
        self.expect(Open::Objects, "a large object begins outside their block")?;
        if oid == 0 {
            return Err(WriteError::Order("a large object has the oid 0"));
        }
        // pg_dump writes it as a C `int`.
        self.output.integer(i64::from(oid as i32))?;
        self.open = Open::Object;
        Ok(self.compressor.begin()?)
    }

    /// Writes a part of the rows or of the large object, cut anywhere.
    ///
    /// # Errors
    ///
    /// [`WriteError::Order`] outside both; what the writer underneath fails with.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        match self.open {
            Open::Data | Open::Object => Ok(self.compressor.write(bytes, &mut self.output)?),
            Open::Nothing | Open::Objects => Err(WriteError::Order("data comes outside a block")),
        }
    }

    /// Ends a large object.
    ///
    /// # Errors
    ///
    /// [`WriteError::Order`] when there is none; what the writer underneath fails with.
    pub fn end_object(&mut self) -> Result<(), WriteError> {
        self.expect(Open::Object, "a large object ends that has not begun")?;
        self.open = Open::Objects;
        Ok(self.compressor.end(&mut self.output)?)
    }

    /// Ends a block.
    ///
    /// # Errors
    ///
    /// [`WriteError::Order`] when there is none, or within a large object; what the writer underneath fails with.
    pub fn end_block(&mut self) -> Result<(), WriteError> {
        match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::Data => self.compressor.end(&mut self.output)?,
            Open::Objects => self.output.integer(0)?,
            Open::Object => return Err(WriteError::Order("a block ends within a large object")),
            Open::Nothing => return Err(WriteError::Order("a block ends that has not begun")),
        }
        Ok(())
    }

    /// Ends the archive, and gives back the writer underneath, flushed.
    ///
    /// # Errors
    ///
    /// [`WriteError::Order`] within a block; [`WriteError::Missing`] when the block of an entry with data was not written;
    /// what the writer underneath fails with.
    pub fn finish(self) -> Result<W, WriteError> {
        Ok(self.end()?.0)
    }

    /// As [`finish`](Self::finish), and says in the table of contents where each block lies. The writer underneath is at the
    /// archive's end afterwards, and was at its beginning, byte 0, when the archive began.
    ///
    /// # Errors
    ///
    /// As [`finish`](Self::finish).
    pub fn finish_seekable(self) -> Result<W, WriteError>
    where
        W: Seek,
    {
        let (mut out, places) = self.end()?;
        head::fill_in(&mut out, places.into_values())?;
        Ok(out)
    }

    fn end(self) -> Result<(W, HashMap<DumpId, Place>), WriteError> {
        self.expect(Open::Nothing, "the archive ends within a block")?;
        // The smallest, so that the same archive is refused in the same words.
        let missing = self.places.iter().filter(|(_, place)| place.block.is_none());
        match missing.map(|(id, _)| *id).min() {
            Some(id) => Err(WriteError::Missing(id)),
            None => Ok((self.output.finish()?, self.places)),
        }
    }

    /// Where a block begins that was begun, in bytes from the archive's beginning.
    pub fn block_begins(&self, id: DumpId) -> Option<u64> {
        self.places.get(&id)?.block
    }

    /// How many bytes of the archive have been written.
    pub fn position(&self) -> u64 {
        self.output.position()
    }

    fn begin(&mut self, id: DumpId, kind: u8) -> Result<(), WriteError> {
        self.expect(Open::Nothing, "a block begins within another")?;
        let at = self.output.position();
        match self.places.get_mut(&id) {
            Some(place) if place.block.is_none() => place.block = Some(at),
            _ => return Err(WriteError::NoData(id)),
        }
        self.output.byte(kind)?;
        Ok(self.output.integer(i64::from(id.0))?)
    }

    fn expect(&self, open: Open, otherwise: &'static str) -> Result<(), WriteError> {
        match self.open == open {
            true => Ok(()),
            false => Err(WriteError::Order(otherwise)),
        }
    }
}
