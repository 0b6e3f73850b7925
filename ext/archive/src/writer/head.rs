//! The header and the table of contents (WriteHead, WriteToc).

use super::error::WriteError;
use super::output::{no_offset, offset, Output, INT_SIZE, OFFSET_SIZE};
use crate::toc::{Compression, DumpId, Entry, Further, Header, Section, Version};
use std::collections::{HashMap, HashSet};
use std::io::{self, Seek, SeekFrom, Write};

/// pg_dump's number for its custom format.
const CUSTOM: u8 = 1;

/// What the default level of gzip is in an archive before 1.15.
const GZIP_DEFAULT: i64 = -1;

/// Where an entry says where its block lies, and where that is once it was begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    offset: u64,
    pub(super) block: Option<u64>,
}

pub(super) fn write_header<W: Write>(
    output: &mut Output<W>,
    header: &Header,
    version: Version,
    compression: Compression,
) -> Result<(), WriteError> {
    output.bytes(b"PGDMP")?;
    output.bytes(&[version.major, version.minor, version.revision])?;
    output.bytes(&[INT_SIZE, OFFSET_SIZE, CUSTOM])?;
    match (version.minor < 15, compression) {
        (true, Compression::None) => output.integer(0)?,
        (true, _) => output.integer(GZIP_DEFAULT)?,
        (false, _) => output.byte(number(compression))?,
    }
    for field in creation_time(&header.created_at).ok_or(WriteError::Header)? {
        output.integer(field)?;
    }
    output.string(&header.database)?;
    output.string(&header.server_version)?;
    output.string(&header.dump_version)?;
    Ok(())
}

fn number(compression: Compression) -> u8 {
    match compression {
        Compression::None => 0,
        Compression::Gzip => 1,
        Compression::Lz4 => 2,
        Compression::Zstd => 3,
    }
}

/// The seven integers of a C `struct tm`. Whether daylight saving was in force is not known; -1 says so.
fn creation_time(text: &str) -> Option<[i64; 7]> {
    let mut numbers = text.split(['-', ' ', ':']).map(|part| part.parse::<i64>().ok());
    let mut next = || numbers.next().flatten();
    let (year, month, day) = (next()?, next()?, next()?);
    let (hour, minute, second) = (next()?, next()?, next()?);
    match numbers.next() {
        None => Some([second, minute, hour, day, month - 1, year - 1900, -1]),
        Some(_) => None,
    }
}

/// Writes the entries, and returns where those with data say where it lies.
pub(super) fn write_contents<'e, W: Write>(
    output: &mut Output<W>,
    version: Version,
    entries: impl IntoIterator<Item = &'e Entry> + Clone,
) -> Result<HashMap<DumpId, Place>, WriteError> {
    let there: HashSet<DumpId> = entries.clone().into_iter().map(|entry| entry.dump_id).collect();
    output.integer(there.len() as i64)?;
    let mut places = HashMap::new();
    for entry in entries {
        write_entry(output, version, entry, &there)?;
        if entry.has_data {
            let offset = output.position();
            places.insert(entry.dump_id, Place { offset, block: None });
        }
        output.bytes(&no_offset(entry.has_data))?;
    }
    Ok(places)
}

fn write_entry<W: Write>(
    output: &mut Output<W>,
    version: Version,
    entry: &Entry,
    there: &HashSet<DumpId>,
) -> io::Result<()> {
    let none = Further::default();
    let further = entry.further.as_deref().unwrap_or(&none);
    output.integer(i64::from(entry.dump_id.0))?;
    output.integer(i64::from(entry.has_data))?;
    output.string(&further.catalogue.to_string())?;
    output.string(&entry.oid.to_string())?;
    output.string(&entry.tag)?;
    output.string(entry.kind.as_str())?;
    output.integer(section(entry.section))?;
    output.string_or_null(&entry.defn)?;
    output.string_or_null(&further.drop_stmt)?;
    output.string_or_null(&entry.copy_stmt)?;
    output.string_or_null(&entry.namespace)?;
    output.string_as_it_is(further.tablespace.as_deref())?;
    output.string_or_null(&entry.table_am)?;
    if version.minor >= 16 {
        output.integer(i64::from(further.relation_kind))?;
    }
    output.string_as_it_is(further.owner.as_deref())?;
    output.string(match further.with_oids.as_str() {
        "" => "false",
        with_oids => with_oids,
    })?;
    for id in entry.dependencies.iter().filter(|id| there.contains(id)) {
        output.string(&id.to_string())?;
    }
    output.null()
}

fn section(section: Section) -> i64 {
    match section {
        Section::None => 1,
        Section::PreData => 2,
        Section::Data => 3,
        Section::PostData => 4,
    }
}

/// Says in the table of contents where the blocks lie.
pub(super) fn fill_in(out: &mut (impl Write + Seek), places: impl Iterator<Item = Place>) -> io::Result<()> {
    for place in places {
        if let Some(block) = place.block {
            out.seek(SeekFrom::Start(place.offset))?;
            out.write_all(&offset(block))?;
        }
    }
    out.seek(SeekFrom::End(0))?;
    out.flush()
}
