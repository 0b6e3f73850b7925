//! Reading the header and the table of contents (ReadHead, ReadToc).

use super::error::{ArchiveError, Fault};
use super::input::{Input, Offset};
use super::kind::EntryKind;
use super::toc::{Compression, DumpId, Entry, Further, Header, Section, Version};
use std::collections::HashMap;
use std::io::Read;

/// The most entries that are read. Before version 1.16 every large object has one of its own.
pub const MAX_ENTRIES: usize = 10_000_000;

/// The longest string in the table of contents, in bytes: a definition is a string.
pub const MAX_STRING: usize = 64 * 1024 * 1024;

/// The longest table of contents, in bytes.
pub const MAX_CONTENTS: u64 = 1024 * 1024 * 1024;

/// The longest string that holds a number, in bytes.
const MAX_NUMBER: usize = 32;

/// Encodings that PostgreSQL allows for clients only, because the second byte of a character can be an ASCII
/// one, a backslash included (PostgreSQL's documentation, "Character Set Support"). Rows in them cannot
/// be cut at tabs and backslashes.
const ENCODINGS_WITH_ASCII_INSIDE: [&str; 7] =
    ["BIG5", "GB18030", "GBK", "JOHAB", "SHIFT_JIS_2004", "SJIS", "UHC"];

/// The table of contents, and where each dump id stands in it.
pub(super) struct Contents {
    pub(super) entries: Vec<Entry>,
    pub(super) index: HashMap<DumpId, usize>,
}

/// Reads the header, and teaches `input` its sizes.
pub(super) fn read_header<R: Read>(input: &mut Input<R>) -> Result<Header, ArchiveError> {
    let place = || "the header".to_owned();
    read_magic(input)?;
    let version = read_version(input).map_err(|fault| fault.at(place))?;
    if version.major != 1 || !(12..=16).contains(&version.minor) {
        return Err(ArchiveError::UnsupportedVersion { version });
    }
    let format = read_sizes_and_format(input).map_err(|fault| fault.at(place))?;
    match format {
        1 => {}
        3 => return Err(ArchiveError::UnsupportedFormat { format: "tar" }),
        5 => return Err(ArchiveError::UnsupportedFormat { format: "directory" }),
        _ => return Err(input.corrupt("the format is not one of pg_dump's").at(place)),
    }
    read_header_fields(input, version).map_err(|fault| fault.at(place))
}

fn read_magic<R: Read>(input: &mut Input<R>) -> Result<(), ArchiveError> {
    for expected in *b"PGDMP" {
        let place = || "the header".to_owned();
        if input.byte().map_err(|fault| fault.at(place))? != expected {
            return Err(ArchiveError::NotAnArchive);
        }
    }
    Ok(())
}

fn read_version<R: Read>(input: &mut Input<R>) -> Result<Version, Fault> {
    Ok(Version {
        major: input.byte()?,
        minor: input.byte()?,
        revision: input.byte()?,
    })
}

fn read_sizes_and_format<R: Read>(input: &mut Input<R>) -> Result<u8, Fault> {
    let (int_size, offset_size) = (input.byte()?, input.byte()?);
    input.set_sizes(int_size, offset_size)?;
    input.byte()
}

fn read_header_fields<R: Read>(input: &mut Input<R>, version: Version) -> Result<Header, Fault> {
    Ok(Header {
        version,
        compression: read_compression(input, version)?,
        created_at: read_creation_time(input)?,
        database: input.string(MAX_STRING)?,
        server_version: input.string(MAX_STRING)?,
        dump_version: input.string(MAX_STRING)?,
    })
}

/// From 1.15 on an algorithm; before that a level of gzip's, where 0 is none and -1 the default.
fn read_compression<R: Read>(input: &mut Input<R>, version: Version) -> Result<Compression, Fault> {
    if version.minor < 15 {
        return Ok(match input.integer()? {
            0 => Compression::None,
            _ => Compression::Gzip,
        });
    }
    match input.byte()? {
        0 => Ok(Compression::None),
        1 => Ok(Compression::Gzip),
        2 => Ok(Compression::Lz4),
        3 => Ok(Compression::Zstd),
        _ => Err(input.corrupt("the compression is not one of pg_dump's")),
    }
}

/// The seven integers of a C `struct tm`, of which the last, daylight saving, is of no use.
fn read_creation_time<R: Read>(input: &mut Input<R>) -> Result<String, Fault> {
    let mut field = |lowest: i64, highest: i64| {
        let value = input.integer()?;
        if (lowest..=highest).contains(&value) {
            Ok(value)
        } else {
            Err(input.corrupt("the creation time is impossible"))
        }
    };
    let (second, minute, hour) = (field(0, 61)?, field(0, 59)?, field(0, 23)?);
    let (day, month, year) = (field(1, 31)?, field(0, 11)? + 1, field(0, 8099)? + 1900);
    field(i64::MIN, i64::MAX)?;
    Ok(format!(
        "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"
    ))
}

/// Reads the table of contents that follows the header. `whole`: with [`Entry::further`].
pub(super) fn read_contents<R: Read>(
    input: &mut Input<R>,
    version: Version,
    whole: bool,
) -> Result<Contents, ArchiveError> {
    let begin = input.position();
    let count = read_count(input).map_err(|fault| fault.at(|| "the table of contents".to_owned()))?;
    // The count is not believed: what is allocated follows what is read.
    let mut contents = Contents {
        entries: Vec::new(),
        index: HashMap::new(),
    };
    let mut offsets = Vec::new();
    for number in 1..=count {
        let place = || format!("the table of contents, entry {number} of {count}");
        let (entry, offset) = read_entry(input, version, whole).map_err(|fault| fault.at(place))?;
        if input.position() - begin > MAX_CONTENTS {
            return Err(input.corrupt("the table of contents is too long").at(place));
        }
        if contents
            .index
            .insert(entry.dump_id, contents.entries.len())
            .is_some()
        {
            return Err(input.corrupt("two entries have the same dump id").at(place));
        }
        if let (true, Offset::At(at)) = (entry.has_data, offset) {
            offsets.push((at, contents.entries.len()));
        }
        contents.entries.push(entry);
    }
    contents.entries.shrink_to_fit();
    check_encoding(input, &contents.entries)?;
    set_data_sizes(&mut contents.entries, offsets);
    Ok(contents)
}

fn read_count<R: Read>(input: &mut Input<R>) -> Result<usize, Fault> {
    let count = input.integer_as("the number of entries is impossible")?;
    if count > MAX_ENTRIES {
        return Err(input.corrupt("the number of entries is impossible"));
    }
    Ok(count)
}

fn read_entry<R: Read>(
    input: &mut Input<R>,
    version: Version,
    whole: bool,
) -> Result<(Entry, Offset), Fault> {
    let mut further = Further::default();
    let aside = |input: &mut Input<R>| match whole {
        true => input.string_or_null(MAX_STRING),
        false => input.skip_string(MAX_STRING).map(|()| None),
    };
    let dump_id: i32 = input.integer_as("a dump id is out of range")?;
    if dump_id <= 0 {
        return Err(input.corrupt("a dump id is out of range"));
    }
    let had_dumper = input.integer()? != 0;
    further.catalogue = read_oid(input)?;
    let oid = read_oid(input)?;
    let tag = input.string(MAX_STRING)?;
    let kind = EntryKind::from(input.string(MAX_STRING)?.as_str());
    let section = read_section(input)?;
    let defn = input.string(MAX_STRING)?;
    further.drop_stmt = aside(input)?.unwrap_or_default();
    let copy_stmt = input.string(MAX_STRING)?;
    let namespace = input.string(MAX_STRING)?;
    further.tablespace = aside(input)?;
    let table_am = if version.minor >= 14 {
        input.string(MAX_STRING)?
    } else {
        String::new()
    };
    if version.minor >= 16 {
        further.relation_kind = input.integer_as("a relation's kind is out of range")?;
    }
    further.owner = aside(input)?;
    further.with_oids = aside(input)?.unwrap_or_default();
    let dependencies = read_dependencies(input)?;
    let offset = input.offset()?;
    let entry = Entry {
        dump_id: DumpId(dump_id),
        // As pg_restore has it: there was something to dump it with, and the offset does not deny it.
        has_data: had_dumper && offset != Offset::NoData,
        oid,
        tag,
        kind,
        section,
        defn,
        copy_stmt,
        namespace,
        table_am,
        dependencies,
        data_size: None,
        further: whole.then(|| Box::new(further)),
    };
    Ok((entry, offset))
}

fn read_section<R: Read>(input: &mut Input<R>) -> Result<Section, Fault> {
    match input.integer()? {
        1 => Ok(Section::None),
        2 => Ok(Section::PreData),
        3 => Ok(Section::Data),
        4 => Ok(Section::PostData),
        _ => Err(input.corrupt("a section is not one of pg_dump's")),
    }
}

/// An oid, which the table of contents writes as text.
fn read_oid<R: Read>(input: &mut Input<R>) -> Result<u32, Fault> {
    let text = input.string(MAX_NUMBER)?;
    text.trim()
        .parse()
        .map_err(|_| input.corrupt("an oid is not a number"))
}

/// Dump ids as text, up to a NULL string.
fn read_dependencies<R: Read>(input: &mut Input<R>) -> Result<Vec<DumpId>, Fault> {
    let mut dependencies = Vec::new();
    while let Some(text) = input.string_or_null(MAX_NUMBER)? {
        if dependencies.len() == MAX_ENTRIES {
            return Err(input.corrupt("the number of dependencies is impossible"));
        }
        let id = text.trim().parse();
        dependencies.push(DumpId(
            id.map_err(|_| input.corrupt("a dependency is not a number"))?,
        ));
    }
    dependencies.shrink_to_fit();
    Ok(dependencies)
}

/// Refuses text that is not UTF-8, and rows that cannot be cut. The encoding's name stands in the definition
/// of the ENCODING entry, `SET client_encoding = 'LATIN1';`.
fn check_encoding<R: Read>(input: &Input<R>, entries: &[Entry]) -> Result<(), ArchiveError> {
    let encoding = entries
        .iter()
        .find(|entry| entry.kind == EntryKind::Encoding)
        .and_then(|entry| entry.defn.split('\'').nth(1))
        .map(str::to_owned);
    let cannot_be_cut = encoding.as_deref().is_some_and(|name| {
        ENCODINGS_WITH_ASCII_INSIDE
            .iter()
            .any(|bad| bad.eq_ignore_ascii_case(name))
    });
    if input.met_non_utf8 || cannot_be_cut {
        return Err(ArchiveError::UnsupportedEncoding { encoding });
    }
    Ok(())
}

/// The size of each block is the distance to the next one; that of the last is not known in a stream.
fn set_data_sizes(entries: &mut [Entry], mut offsets: Vec<(u64, usize)>) {
    offsets.sort_unstable();
    for pair in offsets.windows(2) {
        let ((begin, entry), (end, _)) = (pair[0], pair[1]);
        entries[entry].data_size = Some(end - begin);
    }
}
