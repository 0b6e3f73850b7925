//! A part of a masked archive: its schema, or one table's rows as COPY text or CSV.
//!
//! It reads what is open already and writes into what is open already, piece by piece; a writer whose reader takes nothing
//! waits. Only archives that a dump has made are read here, so a table's rows are COPY text.

use super::{until_cancelled, Job};
use crate::error::{file_trouble, reading_failed, unread, Error, Kind, Result};
use crate::failure::{SinkFailure, SinkRemedy};
use crate::settings::{Extract, Extracted, Stretch};
use pg_dump_archive::copy::{decode, Pieces, Splitter};
use pg_dump_archive::{Archive, Block, Compression, DataBlock, Entry, EntryKind, Section, Writer};
use serde::Serialize;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use tokio_util::sync::CancellationToken;

/// About how many bytes of rows are written together.
const PIECE: usize = 64 * 1024;

/// What was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// Its bytes.
    pub bytes: u64,
    /// Rows that are in it.
    pub rows: u64,
}

/// Takes a part out of a masked archive.
///
/// `cancel` ends the job; a writer that waits then for its reader ends with it.
///
/// # Errors
/// [`Kind::Archive`] when the archive cannot be read or has not what is wanted; [`Kind::Interrupted`] when the reader has
/// gone.
pub fn extract(extract: &Extract, cancel: CancellationToken) -> Job<'_, Taken> {
    Box::pin(async move {
        // Opened before anything waits: the caller may close its own once this job has ended.
        let from = chained(&extract.from)?;
        let to = extract.to.as_deref().map(output).transpose()?;
        let what = extract.what.clone();
        let taking = tokio::task::spawn_blocking(move || {
            let to: Box<dyn Write + Send> = match to {
                Some(file) => Box::new(file),
                None => Box::new(io::sink()),
            };
            take(from, to, &what)
        });
        until_cancelled(&cancel, async {
            taking
                .await
                .map_err(|_| Error::internal("A part of the extraction stopped unexpectedly."))?
        })
        .await
    })
}

/// The stretches, one behind the other.
fn chained(stretches: &[Stretch]) -> Result<Box<dyn Read + Send>> {
    let mut chain: Box<dyn Read + Send> = Box::new(io::empty());
    for stretch in stretches {
        let file = File::open(&stretch.path).map_err(unread)?;
        let begins = Begins {
            file,
            at: Some(stretch.offset).filter(|offset| *offset > 0),
        };
        chain = Box::new(chain.chain(begins.take(stretch.length.unwrap_or(u64::MAX))));
    }
    Ok(chain)
}

/// A file that is read from somewhere on. It goes there at the first byte, because elsewhere than on Linux two that were opened
/// by way of one descriptor share their place.
struct Begins {
    file: File,
    at: Option<u64>,
}

impl Read for Begins {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Some(offset) = self.at.take() {
            self.file.seek(SeekFrom::Start(offset))?;
        }
        self.file.read(out)
    }
}

fn output(path: &Path) -> Result<File> {
    let opened = File::options().write(true).open(path);
    opened.map_err(|error| unwritten(&error))
}

fn take(from: impl Read, to: impl Write, what: &Extracted) -> Result<Taken> {
    let mut out = Counted { to, bytes: 0 };
    let rows = match what {
        Extracted::Schema => schema(from, &mut out).map(|()| 0),
        Extracted::Copy => rows(from, |block| copy(block, &mut out)),
        Extracted::Csv(columns) => rows(from, |block| csv(block, columns, &mut out)),
    }?;
    out.flush().map_err(|error| unwritten(&error))?;
    Ok(Taken {
        bytes: out.bytes,
        rows,
    })
}

/// The archive again, without what `pg_restore --schema-only` passes over.
fn schema(from: impl Read, out: &mut impl Write) -> Result<()> {
    let archive = Archive::open_to_copy(from)?;
    let is_schema = |entry: &&Entry| {
        let is_object = matches!(entry.kind, EntryKind::Blob | EntryKind::BlobMetadata);
        entry.section != Section::Data && !entry.has_data && !is_object
    };
    let entries: Vec<&Entry> = archive.entries().iter().filter(is_schema).collect();
    // There is no block to compress, and a reader of any build can read it.
    let writer = Writer::new(out, archive.header(), Compression::None, entries);
    writer
        .and_then(Writer::finish)
        .map(drop)
        .map_err(|error| match error {
            pg_dump_archive::WriteError::Io(error) => unwritten(&error),
            other => Error::internal(format!("The schema could not be written: {other}.")),
        })
}

/// The first block of rows. Blocks of large objects may lie before it.
fn rows<R: Read>(from: R, mut each: impl FnMut(DataBlock<'_, R>) -> Result<u64>) -> Result<u64> {
    let mut archive = Archive::open(from)?;
    while let Some(block) = archive.next_block()? {
        if let Block::Data(block) = block {
            return each(block);
        }
    }
    Err(Error::new(
        Kind::Archive,
        SinkFailure::RowsNotInArchive,
        SinkRemedy::MakeAgain,
    ))
}

fn copy<R: Read>(block: DataBlock<'_, R>, out: &mut impl Write) -> Result<u64> {
    let mut rows = 0;
    pieces(block, |piece| {
        rows += memchr::memchr_iter(b'\n', piece).count() as u64;
        out.write_all(piece).map_err(|error| unwritten(&error))
    })?;
    Ok(rows)
}

fn csv<R: Read>(block: DataBlock<'_, R>, columns: &[String], out: &mut impl Write) -> Result<u64> {
    let (mut splitter, mut scratch, mut text) = (Splitter::new(), Vec::new(), Vec::new());
    for (at, name) in columns.iter().enumerate() {
        if at > 0 {
            text.push(b',');
        }
        push_csv(name.as_bytes(), columns.len() == 1, &mut text);
    }
    text.push(b'\n');
    let mut count = 0;
    pieces(block, |piece| {
        let mut rows = splitter.rows(piece);
        while let Some(row) = rows.next_row() {
            // Of a table without columns a row is an empty line.
            let fields = row.fields().min(columns.len());
            for at in 0..fields {
                if at > 0 {
                    text.push(b',');
                }
                if let Some(value) = decode(row.field(at), &mut scratch) {
                    push_csv(value, fields == 1, &mut text);
                }
            }
            text.push(b'\n');
            count += 1;
        }
        out.write_all(&text).map_err(|error| unwritten(&error))?;
        text.clear();
        Ok(())
    })?;
    out.write_all(&text).map_err(|error| unwritten(&error))?;
    Ok(count)
}

/// A value as COPY writes it into CSV: NULL is nothing, so that what is empty has quotes. `alone`: the row has no other, so
/// that one value could be taken for the end of the rows.
fn push_csv(value: &[u8], alone: bool, out: &mut Vec<u8>) {
    let is_special = |byte: &u8| matches!(byte, b',' | b'"' | b'\n' | b'\r');
    let is_quoted = value.is_empty() || value.iter().any(is_special) || (alone && value == b"\\.");
    if !is_quoted {
        return out.extend_from_slice(value);
    }
    out.push(b'"');
    for part in value.split_inclusive(|byte| *byte == b'"') {
        out.extend_from_slice(part);
        if part.ends_with(b"\"") {
            out.push(b'"');
        }
    }
    out.push(b'"');
}

/// A block's rows in pieces of whole rows.
fn pieces<R: Read>(block: DataBlock<'_, R>, mut each: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let entry = block.entry();
    let (mut pieces, mut piece) = (Pieces::new(block, PIECE), Vec::new());
    let damaged = |error| reading_failed(&format!("{}.{}", entry.namespace, entry.tag), error);
    while pieces.next(&mut piece).map_err(damaged)? {
        each(&piece)?;
    }
    Ok(())
}

/// That the reader has gone is no fault of ours.
fn unwritten(error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Error::interrupted(),
        _ => Error::new(
            Kind::Configuration,
            SinkFailure::PartUnwritten {
                trouble: file_trouble(error),
            },
            SinkRemedy::LookAtLog,
        ),
    }
}

/// A writer whose bytes are counted.
struct Counted<W> {
    to: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::push_csv;

    #[test]
    fn a_value_of_csv_is_quoted_where_it_could_be_misread() {
        let written = |value: &str, alone| {
            let mut out = Vec::new();
            push_csv(value.as_bytes(), alone, &mut out);
            String::from_utf8_lossy(&out).into_owned()
        };
        for (value, expected) in [
            ("plain", "plain"),
            ("", "\"\""),
            ("a,b", "\"a,b\""),
            ("\"", "\"\"\"\""),
            ("say \"no\"", "\"say \"\"no\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("back\\slash\ttab", "back\\slash\ttab"),
        ] {
            assert_eq!(written(value, false), expected);
        }
        assert_eq!([written("\\.", false), written("\\.", true)], ["\\.", "\"\\.\""]);
    }
}
