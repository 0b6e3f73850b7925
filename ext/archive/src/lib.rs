//! pg_dump's custom archive format, read and written as a stream: header, table of contents, then data blocks in file order.
//!
//! It is a parser of untrusted bytes: no seeking, no trust in lengths, nothing allocated on a length's word
//! alone. It is not a restore: what an entry means is the plan's business. The format's only
//! specification is PostgreSQL's source: `src/bin/pg_dump/pg_backup_archiver.c` (ReadHead, ReadToc, ReadInt,
//! ReadStr), `pg_backup_custom.c` (blocks), `compress_*.c`.
//!
//! ```no_run
//! use pg_dump_archive::{Archive, Block};
//! use std::io::Read;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut archive = Archive::open(std::fs::File::open("backup.pgsql")?)?;
//! for entry in archive.entries() {
//!     println!("{} {} {}", entry.dump_id, entry.kind, entry.tag);
//! }
//! while let Some(block) = archive.next_block()? {
//!     if let Block::Data(mut rows) = block {
//!         std::io::copy(&mut rows, &mut std::io::stdout())?;
//!     }
//! }
//! # Ok(()) }
//! ```

mod block;
mod chunks;
mod contents;
pub mod copy;
mod decompress;
mod error;
mod input;
mod kind;
mod toc;
mod writer;

pub use block::{Block, DataBlock, LargeObject, LargeObjectsBlock};
pub use contents::{MAX_CONTENTS, MAX_ENTRIES, MAX_STRING};
pub use error::ArchiveError;
pub use kind::EntryKind;
pub use toc::{Compression, DumpId, Entry, Further, Header, Section, Version};
pub use writer::{WriteError, Writer};

use chunks::Chunks;
use contents::Contents;
use decompress::Decompressors;
use error::Fault;
use input::Input;
use std::collections::HashMap;
use std::io::Read;

/// An archive that is being read.
pub struct Archive<R: Read> {
    header: Header,
    entries: Vec<Entry>,
    index: HashMap<DumpId, usize>,
    /// For each entry, whether its data block is still to come.
    awaited: Vec<bool>,
    /// The entry whose block was begun last, for messages.
    current: Option<usize>,
    /// Whether a block of large objects was begun whose closing 0 is not yet read.
    objects_open: bool,
    chunks: Chunks<R>,
    decompressors: Decompressors,
}

impl<R: Read> Archive<R> {
    /// Reads the header and the table of contents. `reader` is buffered here (64 KiB).
    ///
    /// # Errors
    ///
    /// No archive, a version other than 1.12 to 1.16, another of pg_dump's formats, an encoding that is not
    /// read, a truncated or damaged archive ([`MAX_ENTRIES`], [`MAX_STRING`] and [`MAX_CONTENTS`] are what
    /// is believed at most), or what the reader failed with.
    pub fn open(reader: R) -> Result<Self, ArchiveError> {
        Self::begin(reader, false)
    }

    /// As [`open`](Self::open), and keeps what only a copy of the archive needs ([`Entry::further`]).
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_to_copy(reader: R) -> Result<Self, ArchiveError> {
        Self::begin(reader, true)
    }

    fn begin(reader: R, whole: bool) -> Result<Self, ArchiveError> {
        let mut input = Input::new(reader);
        let header = contents::read_header(&mut input)?;
        let Contents { entries, index } = contents::read_contents(&mut input, header.version, whole)?;
        Ok(Self {
            awaited: entries.iter().map(|entry| entry.has_data).collect(),
            current: None,
            objects_open: false,
            chunks: Chunks::new(input),
            decompressors: Decompressors::new(header.compression),
            header,
            entries,
            index,
        })
    }

    /// What stands before the table of contents.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The table of contents, in the archive's order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Forgets what the entries say of creating them, their statements and what they need, and all entries that no data
    /// follows for. Thousands of them take megabytes, and reading the data blocks takes none of it.
    pub fn forget_statements(&mut self) {
        self.entries.retain(|entry| entry.has_data);
        self.entries.shrink_to_fit();
        let places = self.entries.iter().enumerate();
        self.index = places.map(|(index, entry)| (entry.dump_id, index)).collect();
        self.awaited = vec![true; self.entries.len()];
        for entry in &mut self.entries {
            entry.defn = String::new();
            entry.copy_stmt = String::new();
            entry.dependencies = Vec::new();
            entry.further = None;
        }
    }

    /// The entry with this number.
    pub fn entry(&self, dump_id: DumpId) -> Option<&Entry> {
        self.index.get(&dump_id).map(|&index| &self.entries[index])
    }

    /// The next data block, or None at the archive's end. What was not read of the one before is passed over
    /// without being decompressed.
    ///
    /// # Errors
    ///
    /// A truncated or damaged archive, or what the reader underneath failed with. pg_dump writes no mark at the
    /// archive's end, so an archive that ends before the data of every entry was seen is truncated, and the
    /// error names the first entry without.
    pub fn next_block(&mut self) -> Result<Option<Block<'_, R>>, ArchiveError> {
        self.finish_block()?;
        let Some((is_objects, index)) = self.read_block_header()? else {
            return match self.awaited.iter().position(|&awaited| awaited) {
                None => Ok(None),
                Some(missing) => Err(Fault::End.at(|| block::data_of(&self.entries[missing]))),
            };
        };
        self.awaited[index] = false;
        self.current = Some(index);
        let entry = &self.entries[index];
        let (chunks, decompressors) = (&mut self.chunks, &mut self.decompressors);
        Ok(Some(if is_objects {
            Block::LargeObjects(LargeObjectsBlock::new(
                entry,
                chunks,
                decompressors,
                &mut self.objects_open,
            ))
        } else {
            Block::Data(DataBlock::new(entry, chunks, decompressors)?)
        }))
    }

    /// Passes over what is left of the block before.
    fn finish_block(&mut self) -> Result<(), ArchiveError> {
        let Some(current) = self.current else {
            return Ok(());
        };
        let mut skip = || -> Result<(), Fault> {
            self.chunks.skip_rest()?;
            while self.objects_open {
                if block::next_oid(&mut self.chunks, &mut self.objects_open)?.is_some() {
                    self.chunks.begin();
                }
            }
            Ok(())
        };
        skip().map_err(|fault| fault.at(|| block::data_of(&self.entries[current])))
    }

    /// Whether the next block holds large objects, and the index of its entry; None at the end.
    fn read_block_header(&mut self) -> Result<Option<(bool, usize)>, ArchiveError> {
        let read = |input: &mut Input<R>| -> Result<Option<(bool, usize)>, Fault> {
            let is_objects = match input.byte_or_end()? {
                None => return Ok(None),
                Some(1) => false,
                Some(3) => true,
                Some(_) => return Err(input.corrupt("no data block begins here")),
            };
            let dump_id = DumpId(input.integer_as("a dump id is out of range")?);
            match self.index.get(&dump_id) {
                Some(&index) if self.awaited[index] => Ok(Some((is_objects, index))),
                Some(_) => {
                    Err(input.corrupt("an entry has more data blocks than the table of contents says"))
                }
                None => Err(input.corrupt("a data block is of no entry in the table of contents")),
            }
        };
        read(&mut self.chunks.input).map_err(|fault| {
            fault.at(|| match self.current {
                Some(current) => format!("what follows {}", block::data_of(&self.entries[current])),
                None => "what follows the table of contents".to_owned(),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The engine reads archives on a thread of its own.
    #[test]
    fn an_archive_and_its_blocks_can_go_to_another_thread() {
        fn can_be_sent<T: Send>() {}
        can_be_sent::<Archive<std::fs::File>>();
        can_be_sent::<Block<'_, std::fs::File>>();
        can_be_sent::<LargeObject<'_, std::fs::File>>();
        can_be_sent::<ArchiveError>();
    }
}
