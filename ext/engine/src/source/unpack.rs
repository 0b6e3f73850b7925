//! Takes gzip and tar off a backup as it streams past, and yields pg_dump's custom format.
//!
//! What the bytes are is decided by the bytes, never by a name: gzip by its magic (RFC 1952), tar by its header's
//! checksum (POSIX, `pax`), pg_dump's archive by `PGDMP`. It reads no more of pg_dump's format than that and the
//! byte that tells its custom format from its tar and directory formats (`pg_backup_archiver.c`, WriteHead).

use super::error_from_io;
use super::http::quotable;
use super::keep::Copying;
use crate::error::{Error, Kind, Result};
use flate2::bufread::MultiGzDecoder;
use std::cell::Cell;
use std::io::{self, BufReader, Cursor, Read};

/// As much as is looked at to recognise something: one tar header.
const HEAD: usize = 512;
/// The most that tar headers and their extensions may take before one member. Long names and PAX records are read
/// into memory by the tar crate, so their length must not be believed.
const HEADERS: u64 = 1024 * 1024;
/// Packed bytes that are buffered before gunzip.
const GZIP_BUFFER: usize = 64 * 1024;

/// The `.gz` of RFC 1952.
const GZIP: &[u8] = b"\x1f\x8b";
/// pg_dump's archives.
const PGDMP: &[u8] = b"PGDMP";
/// Where pg_dump's header says which of its formats it is: after magic, version (3), intSize and offSize.
const FORMAT: usize = 10;
const FORMAT_TAR: u8 = 3;
const FORMAT_DIRECTORY: u8 = 5;

type Bytes = Box<dyn Read + Send>;

/// A reader of the archive inside a packed backup.
///
/// At the archive's end it reads the packed bytes to their end before it says so: gzip's checksum, the digest and
/// a kept copy need them. An error stays: further reads return it again.
pub(super) struct Unpacked {
    state: State,
    /// What it is called at the beginning of a sentence.
    subject: String,
    /// A copy of the packed bytes, to be kept when all of them turn out sound.
    copying: Option<Copying>,
}

enum State {
    Packed(Bytes),
    Open(Archive),
    Done,
    Failed(Error),
}

/// The archive, once it is found.
struct Archive {
    /// Positioned within the archive.
    bytes: Bytes,
    /// What is left of it, where a tar header says so; else it goes on to the end of `bytes`.
    left: Option<u64>,
}

impl Unpacked {
    /// Unpacks `packed`, which `subject` ("The backup 5f… ") names in errors. Nothing is read yet.
    pub(super) fn new(packed: Bytes, subject: String) -> Self {
        let state = State::Packed(packed);
        Self {
            state,
            subject,
            copying: None,
        }
    }

    /// Keeps a copy of the packed bytes once all of them have been read without fault.
    pub(super) fn keeping(self, copying: Option<Copying>) -> Self {
        Self { copying, ..self }
    }

    fn advance(&mut self, into: &mut [u8]) -> Result<usize> {
        if let State::Packed(packed) = &mut self.state {
            let packed = std::mem::replace(packed, Box::new(io::empty()));
            self.state = State::Open(recognise(packed, &self.subject)?);
        }
        match &mut self.state {
            State::Open(archive) => {
                let length = archive.read(into, &self.subject)?;
                if length == 0 {
                    archive.read_the_rest(&self.subject)?;
                    if let Some(copying) = self.copying.take() {
                        copying.keep();
                    }
                    self.state = State::Done;
                }
                Ok(length)
            }
            State::Failed(error) => Err(error.clone()),
            State::Done | State::Packed(_) => Ok(0),
        }
    }
}

impl Read for Unpacked {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        self.advance(into).map_err(|error| {
            // Whatever is below is let go at once: a failed archive needs no download.
            self.state = State::Failed(error.clone());
            self.copying = None;
            io::Error::other(error)
        })
    }
}

impl Archive {
    fn read(&mut self, into: &mut [u8], subject: &str) -> Result<usize> {
        let Some(left) = self.left else {
            return read_some(&mut self.bytes, into).map_err(|error| damaged(&error, subject));
        };
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(into.len());
        if most == 0 {
            return Ok(0);
        }
        let length =
            read_some(&mut self.bytes, &mut into[..most]).map_err(|error| damaged(&error, subject))?;
        if length == 0 {
            return Err(cut_short(
                subject,
                &format!("its tar file lacks the last {left} bytes of the archive"),
            ));
        }
        self.left = Some(left - length as u64);
        Ok(length)
    }

    fn read_the_rest(&mut self, subject: &str) -> Result<()> {
        io::copy(&mut self.bytes, &mut io::sink())
            .map(|_| ())
            .map_err(|error| damaged(&error, subject))
    }
}

/// Finds the archive in `packed`.
fn recognise(packed: Bytes, subject: &str) -> Result<Archive> {
    let (head, packed) = peek(packed, subject)?;
    if !head.starts_with(GZIP) {
        return recognise_unzipped(&head, packed, subject);
    }
    let decoder = MultiGzDecoder::new(BufReader::with_capacity(GZIP_BUFFER, packed));
    let (head, unzipped) = peek(
        Box::new(Gunzip {
            decoder,
            subject: subject.to_owned(),
        }),
        subject,
    )?;
    recognise_unzipped(&head, unzipped, subject)
}

fn recognise_unzipped(head: &[u8], bytes: Bytes, subject: &str) -> Result<Archive> {
    match Form::of(head) {
        Form::Custom => Ok(Archive { bytes, left: None }),
        Form::Tar => find_member(bytes, subject),
        other => Err(other.refused(subject)),
    }
}

/// What something is, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Empty,
    Tar,
    Custom,
    DumpAsTar,
    DumpAsDirectory,
    Sql,
    /// Packed by something other than gzip.
    Packed(&'static str),
    /// A web page or a piece of JSON or XML: what a server sends instead of a file.
    Page,
    Unknown,
}

impl Form {
    /// What begins with `head`, at least [`HEAD`] bytes of it unless there are fewer.
    fn of(head: &[u8]) -> Self {
        if head.is_empty() {
            return Self::Empty;
        }
        if is_tar_header(head) {
            return Self::Tar;
        }
        if head.starts_with(PGDMP) {
            return match head.get(FORMAT) {
                Some(&FORMAT_TAR) => Self::DumpAsTar,
                Some(&FORMAT_DIRECTORY) => Self::DumpAsDirectory,
                _ => Self::Custom,
            };
        }
        const PACKERS: [(&[u8], &str); 6] = [
            (GZIP, "gzip, twice"),
            (b"BZh", "bzip2"),
            (b"\xfd7zXZ\0", "xz"),
            (b"\x28\xb5\x2f\xfd", "zstd"),
            (b"\x04\x22\x4d\x18", "lz4"),
            (b"PK\x03\x04", "zip"),
        ];
        if let Some((_, packer)) = PACKERS.iter().find(|(magic, _)| head.starts_with(magic)) {
            return Self::Packed(packer);
        }
        Self::of_text(head)
    }

    fn of_text(head: &[u8]) -> Self {
        let text = String::from_utf8_lossy(head);
        let text = text.trim_start_matches('\u{feff}').trim_start();
        const STATEMENTS: [&str; 12] = [
            "--",
            "/*",
            "\\restrict",
            "\\connect",
            "set ",
            "create ",
            "begin",
            "start transaction",
            "insert ",
            "copy ",
            "select ",
            "drop ",
        ];
        let lower = text.to_ascii_lowercase();
        if STATEMENTS.iter().any(|start| lower.starts_with(start))
            || text.contains("PostgreSQL database dump")
        {
            Self::Sql
        } else if text.starts_with(['<', '{', '[']) {
            Self::Page
        } else {
            Self::Unknown
        }
    }

    /// The error that says why it is no use.
    fn refused(self, subject: &str) -> Error {
        const CUSTOM: &str = "Make one in pg_dump's custom format: pg_dump -Fc.";
        let unsupported =
            |what: &str| Error::new(Kind::UnsupportedArchive, format!("{subject} {what}."), CUSTOM);
        match self {
            Self::Sql => unsupported("is a plain SQL dump, which cannot be masked as it streams"),
            Self::DumpAsTar => unsupported("was made by pg_dump in its tar format (-Ft), which is not read"),
            Self::DumpAsDirectory => unsupported("was made by pg_dump in its directory format (-Fd), which is not read"),
            Self::Packed(packer) => Error::new(
                Kind::UnsupportedArchive,
                format!("{subject} is packed by {packer}, which is not read."),
                "Unpack it first, or pack it by gzip.",
            ),
            Self::Empty => Error::new(
                Kind::Archive,
                format!("{subject} is empty."),
                "Take another backup; if it is a file, check that it was copied whole.",
            ),
            Self::Page => Error::new(
                Kind::Archive,
                format!("{subject} is not a PostgreSQL archive: it begins like a web page or a server's message."),
                "Look at how the file was obtained and try again.",
            ),
            Self::Tar | Self::Custom | Self::Unknown => Error::new(
                Kind::Archive,
                format!("{subject} is not a PostgreSQL archive: it begins neither as gzip, nor as tar, nor with PGDMP."),
                CUSTOM,
            ),
        }
    }
}

/// Whether 512 bytes are a tar header: their checksum says so (the only sign that every tar writer gives), or they
/// are the zeros that end an empty tar file.
fn is_tar_header(head: &[u8]) -> bool {
    let Some(block) = head.first_chunk::<HEAD>() else {
        return false;
    };
    if block.iter().all(|&byte| byte == 0) {
        return true;
    }
    let mut header = tar::Header::new_old();
    header.as_mut_bytes().copy_from_slice(block);
    let Ok(noted) = header.cksum() else {
        return false;
    };
    // The checksum's own eight bytes count as spaces.
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(at, &byte)| {
            if (148..156).contains(&at) {
                u32::from(b' ')
            } else {
                u32::from(byte)
            }
        })
        .sum();
    noted == sum
}

/// Goes through a tar file to the member that is a PostgreSQL archive.
///
/// The tar crate reads exactly the headers and what it is asked for, never ahead, so once the member is found
/// `bytes` stands right behind the part of it that was looked at, and the crate is not needed any more.
fn find_member(mut bytes: Bytes, subject: &str) -> Result<Archive> {
    let found = {
        let budget = Cell::new(HEADERS);
        let mut archive = tar::Archive::new(Metered {
            bytes: &mut bytes,
            budget: &budget,
        });
        search(&mut archive, &budget, subject)?
    };
    let (head, size) = found;
    Ok(Archive {
        bytes: Box::new(Cursor::new(head).chain(bytes)),
        left: Some(size),
    })
}

/// The first bytes and the size of the first member that is an archive.
fn search(
    archive: &mut tar::Archive<Metered<'_>>,
    budget: &Cell<u64>,
    subject: &str,
) -> Result<(Vec<u8>, u64)> {
    let mut others = Others::default();
    for entry in archive.entries().map_err(|error| damaged_tar(&error, subject))? {
        let mut entry = entry.map_err(|error| damaged_tar(&error, subject))?;
        let kind = entry.header().entry_type();
        // The member itself is as long as it likes, and so are those that are passed over.
        budget.set(u64::MAX);
        if kind.is_file() || kind.is_contiguous() {
            let head = read_head(&mut entry).map_err(|error| damaged_tar(&error, subject))?;
            let form = Form::of(&head);
            match form {
                Form::Custom => return Ok((head, entry.size())),
                Form::DumpAsTar | Form::DumpAsDirectory => {
                    // pg_dump's own tar format is a tar file with toc.dat in it, and so is a packed directory.
                    return Err(form.refused(subject));
                }
                other => others.note(&entry, other),
            }
        }
        io::copy(&mut entry, &mut io::sink()).map_err(|error| damaged_tar(&error, subject))?;
        budget.set(HEADERS);
    }
    Err(others.told(subject))
}

/// The members of a tar file that are no archive, for the error that says there is none.
#[derive(Default)]
struct Others {
    sql: bool,
    names: Vec<String>,
    count: usize,
}

impl Others {
    fn note<R: Read>(&mut self, entry: &tar::Entry<'_, R>, form: Form) {
        self.sql |= form == Form::Sql;
        self.count += 1;
        if self.names.len() < 3 {
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            self.names.extend(quotable(&name, &[]));
        }
    }

    fn told(self, subject: &str) -> Error {
        if self.sql {
            return Form::Sql.refused(&format!("{subject} holds no PostgreSQL archive: what it holds"));
        }
        let holds = match (self.count, self.names.len()) {
            (0, _) => "it holds no file at all".to_owned(),
            (count, 0) => format!("it holds {count} other files"),
            (count, named) if count > named => {
                format!("it holds {} and {} more", self.names.join(", "), count - named)
            }
            _ => format!("it holds {}", self.names.join(", ")),
        };
        Error::new(
            Kind::Archive,
            format!("{subject} is a tar file without a PostgreSQL archive: {holds}."),
            "Make one with pg_dump -Fc and pack that.",
        )
    }
}

/// Lets the tar crate read only so much for headers.
struct Metered<'a> {
    bytes: &'a mut Bytes,
    budget: &'a Cell<u64>,
}

impl Read for Metered<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let budget = self.budget.get();
        if budget == 0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "tar headers are too long",
            ));
        }
        let most = usize::try_from(budget).unwrap_or(usize::MAX).min(into.len());
        let length = self.bytes.read(&mut into[..most])?;
        self.budget.set(budget - length as u64);
        Ok(length)
    }
}

/// Gunzip whose errors are told: whatever fails here is the gzip layer or, already told, something below it.
struct Gunzip<R> {
    decoder: MultiGzDecoder<BufReader<R>>,
    subject: String,
}

impl<R: Read> Read for Gunzip<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.decoder.read(into).map_err(|error| {
            if error.kind() == io::ErrorKind::Interrupted || error_from_io(&error).is_some() {
                return error;
            }
            io::Error::other(if error.kind() == io::ErrorKind::UnexpectedEof {
                cut_short(&self.subject, "its gzip stream ends in the middle")
            } else {
                damaged_because(&self.subject, "its gzip stream does not decode")
            })
        })
    }
}

/// The first bytes of `bytes`, and all of it again.
fn peek(mut bytes: Bytes, subject: &str) -> Result<(Vec<u8>, Bytes)> {
    let head = read_head(&mut bytes).map_err(|error| damaged(&error, subject))?;
    let whole = Box::new(Cursor::new(head.clone()).chain(bytes));
    Ok((head, whole))
}

fn read_head(bytes: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD);
    bytes.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

fn read_some(bytes: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match bytes.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

fn damaged(error: &io::Error, subject: &str) -> Error {
    error_from_io(error).unwrap_or_else(|| damaged_because(subject, "it could not be read"))
}

fn damaged_tar(error: &io::Error, subject: &str) -> Error {
    error_from_io(error)
        .unwrap_or_else(|| damaged_because(subject, "its tar file is cut short or has a broken header"))
}

fn damaged_because(subject: &str, why: &str) -> Error {
    Error::new(Kind::Archive, format!("{subject} is damaged: {why}."), MEND)
}

fn cut_short(subject: &str, how: &str) -> Error {
    Error::new(Kind::Archive, format!("{subject} is truncated: {how}."), MEND)
}

const MEND: &str =
    "Take another backup; if it is a file, copy it again; if it was kept, set FORCE_BACKUP_DOWNLOAD=true.";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use flate2::write::GzEncoder;
    use std::io::Write;

    /// The beginning of an archive in one of pg_dump's formats (1 is custom), and some bytes that do not compress.
    fn dump(format: u8, length: usize) -> Vec<u8> {
        let mut bytes = b"PGDMP\x01\x10\x00\x04\x08".to_vec();
        bytes.push(format);
        let mut state = 1_u32;
        while bytes.len() < length {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            bytes.push((state >> 24) as u8);
        }
        bytes
    }

    fn custom() -> Vec<u8> {
        dump(1, 200_000)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, bytes) in members {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o600);
            builder.append_data(&mut header, name, *bytes).unwrap();
        }
        builder.into_inner().unwrap()
    }

    /// Yields at most `most` bytes at a time.
    struct Dribble<R> {
        inner: R,
        most: usize,
    }

    impl<R: Read> Read for Dribble<R> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let most = self.most.min(into.len());
            self.inner.read(&mut into[..most])
        }
    }

    fn unpack(packed: Vec<u8>) -> Result<Vec<u8>> {
        let mut unpacked = Unpacked::new(Box::new(Cursor::new(packed)), "The backup b1".into());
        let mut bytes = Vec::new();
        match unpacked.read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => Err(error_from_io(&error).unwrap()),
        }
    }

    fn refused(packed: Vec<u8>) -> (Kind, String) {
        let error = unpack(packed).unwrap_err();
        assert!(error.what.starts_with("The backup b1"), "{error}");
        (error.kind, error.to_string())
    }

    #[test]
    fn an_archive_comes_out_of_every_wrapping() {
        let archive = custom();
        for packed in [
            archive.clone(),
            gzip(&archive),
            tar(&[("shop.pgsql", &archive)]),
            gzip(&tar(&[("shop.pgsql", &archive)])),
        ] {
            assert_eq!(unpack(packed).unwrap(), archive);
        }
    }

    #[test]
    fn the_member_is_found_by_its_bytes_among_others_of_any_name_and_kind() {
        let archive = custom();
        let long = format!("{}/shop.pgsql", "d".repeat(150));
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_size(0);
        builder.append_data(&mut header, "PGDMP", &b""[..]).unwrap();
        builder
            .append_pax_extensions([("comment", "PGDMP".as_bytes())])
            .unwrap();
        for (name, bytes) in [
            ("shop.pgsql", &b"not this one"[..]),
            ("empty", b""),
            (&long, &archive),
            ("after", b"x"),
        ] {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            builder.append_data(&mut header, name, bytes).unwrap();
        }
        assert_eq!(unpack(gzip(&builder.into_inner().unwrap())).unwrap(), archive);
    }

    #[test]
    fn a_size_that_only_a_pax_record_tells_is_believed() {
        // Archives of 8 GiB and more have it there.
        let archive = custom();
        let mut builder = tar::Builder::new(Vec::new());
        builder
            .append_pax_extensions([("size", archive.len().to_string().as_bytes())])
            .unwrap();
        let mut header = tar::Header::new_ustar();
        header.set_path("shop.pgsql").unwrap();
        header.set_size(0);
        header.set_cksum();
        let mut packed = builder.into_inner().unwrap();
        packed.truncate(1024);
        packed.extend_from_slice(header.as_bytes());
        packed.extend_from_slice(&archive);
        packed.resize(packed.len().next_multiple_of(512) + 1024, 0);
        assert_eq!(unpack(packed).unwrap(), archive);
    }

    #[test]
    fn small_reads_on_both_sides_change_nothing() {
        let archive = dump(1, 3000);
        let packed = gzip(&tar(&[("a", b"other"), ("b", &archive)]));
        let slow = Dribble {
            inner: Cursor::new(packed),
            most: 1,
        };
        let unpacked = Unpacked::new(Box::new(slow), "The backup b1".into());
        let mut bytes = Vec::new();
        Dribble {
            inner: unpacked,
            most: 3,
        }
        .read_to_end(&mut bytes)
        .unwrap();
        assert_eq!(bytes, archive);
    }

    #[test]
    fn gzip_of_several_members_is_one_stream() {
        let archive = custom();
        let (first, second) = archive.split_at(70_000);
        assert_eq!(unpack([gzip(first), gzip(second)].concat()).unwrap(), archive);
    }

    #[test]
    fn the_packed_bytes_are_read_to_their_end() {
        struct Counted(Cursor<Vec<u8>>, std::sync::Arc<std::sync::atomic::AtomicUsize>);
        impl Read for Counted {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                let length = self.0.read(into)?;
                self.1.fetch_add(length, std::sync::atomic::Ordering::Relaxed);
                Ok(length)
            }
        }
        let archive = dump(1, 2000);
        let after = vec![7; 300_000];
        let packed = tar(&[("b", &archive), ("after", &after)]);
        let (length, count) = (packed.len(), std::sync::Arc::default());
        let counted = Counted(Cursor::new(packed), std::sync::Arc::clone(&count));
        let mut bytes = Vec::new();
        Unpacked::new(Box::new(counted), "The backup b1".into())
            .read_to_end(&mut bytes)
            .unwrap();
        assert_eq!(bytes, archive);
        assert_eq!(count.load(std::sync::atomic::Ordering::Relaxed), length);
    }

    #[test]
    fn a_truncated_gzip_is_called_truncated_wherever_it_is_cut() {
        let packed = gzip(&tar(&[("shop.pgsql", &custom())]));
        for cut in [
            3,
            9,
            11,
            40,
            5000,
            packed.len() / 2,
            packed.len() - 9,
            packed.len() - 1,
        ] {
            let (kind, text) = refused(packed[..cut].to_vec());
            assert_eq!(kind, Kind::Archive, "cut at {cut}: {text}");
            assert!(text.contains("truncated"), "cut at {cut}: {text}");
        }
    }

    #[test]
    fn a_truncated_tar_is_called_truncated() {
        let packed = tar(&[("shop.pgsql", &custom())]);
        let (kind, text) = refused(packed[..100_000].to_vec());
        assert_eq!(kind, Kind::Archive);
        assert!(text.contains("truncated"), "{text}");
    }

    #[test]
    fn a_flipped_bit_does_not_pass_gzips_checksum() {
        let mut packed = gzip(&custom());
        let last = packed.len() - 6;
        packed[last] ^= 1;
        let (kind, text) = refused(packed);
        assert_eq!(kind, Kind::Archive);
        assert!(text.contains("damaged"), "{text}");
    }

    #[test]
    fn nothing_at_all_is_called_empty() {
        for packed in [Vec::new(), gzip(b"")] {
            let (kind, text) = refused(packed);
            assert_eq!(kind, Kind::Archive);
            assert!(text.contains("is empty"), "{text}");
        }
    }

    #[test]
    fn a_plain_sql_dump_is_refused_with_a_word_on_the_custom_format() {
        let dumps: [&[u8]; 4] = [
            b"--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\n",
            b"\nSET client_encoding = 'UTF8';\n",
            b"\xef\xbb\xbf/* ours */ CREATE TABLE users ();\n",
            b"\\restrict abc\n",
        ];
        for sql in dumps {
            for packed in [sql.to_vec(), gzip(sql), gzip(&tar(&[("shop.sql", sql)]))] {
                let (kind, text) = refused(packed);
                assert_eq!(kind, Kind::UnsupportedArchive, "{text}");
                assert!(
                    text.contains("plain SQL") && text.contains("pg_dump -Fc"),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn the_other_formats_of_pg_dump_are_refused_by_name() {
        for (format, name) in [(FORMAT_TAR, "tar format"), (FORMAT_DIRECTORY, "directory format")] {
            let toc = dump(format, 900);
            for packed in [
                toc.clone(),
                tar(&[("d/3312.dat.gz", &gzip(b"1\n")), ("d/toc.dat", &toc)]),
            ] {
                let (kind, text) = refused(packed);
                assert_eq!(kind, Kind::UnsupportedArchive, "{text}");
                assert!(text.contains(name) && text.contains("pg_dump -Fc"), "{text}");
            }
        }
    }

    #[test]
    fn other_packers_are_refused_by_name() {
        let (kind, text) = refused(b"\x28\xb5\x2f\xfd\x04\x00".to_vec());
        assert_eq!(kind, Kind::UnsupportedArchive);
        assert!(text.contains("zstd"), "{text}");
    }

    #[test]
    fn anything_else_is_no_archive() {
        let page = b"<!DOCTYPE html><title>Expired</title>".to_vec();
        assert!(refused(page.clone()).1.contains("web page"));
        for packed in [page, b"PGDM".to_vec(), vec![0xff; 4000], gzip(&[1, 2, 3])] {
            assert_eq!(refused(packed).0, Kind::Archive);
        }
    }

    #[test]
    fn a_tar_file_without_an_archive_is_told_with_what_it_holds() {
        let (kind, text) = refused(tar(&[
            ("a.txt", b"one"),
            ("b.txt", b"two"),
            ("c", b"3"),
            ("d", b"4"),
        ]));
        assert_eq!(kind, Kind::Archive);
        assert!(text.contains("a.txt, b.txt, c and 1 more"), "{text}");
        assert!(refused(vec![0; 1024]).1.contains("no file at all"));
    }

    #[test]
    fn a_tar_header_that_claims_endless_extensions_is_not_read_into_memory() {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::GNULongName);
        header.set_path("././@LongLink").unwrap();
        header.set_size(1 << 40);
        header.set_cksum();
        let endless = Cursor::new(header.as_bytes().to_vec()).chain(io::repeat(b'a'));
        let mut unpacked = Unpacked::new(Box::new(endless), "The backup b1".into());
        let error = error_from_io(&unpacked.read(&mut [0; 100]).unwrap_err()).unwrap();
        assert_eq!(error.kind, Kind::Archive);
    }

    #[test]
    fn an_error_from_below_comes_through_as_it_is_and_stays() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other(Error::new(
                    Kind::Download,
                    "It broke off.",
                    "Run it again.",
                )))
            }
        }
        for begin in [
            custom(),
            gzip(&custom()),
            gzip(&tar(&[("a", b"x"), ("b", &custom())])),
        ] {
            for cut in [0, 300, 5000] {
                let packed = Cursor::new(begin[..cut.min(begin.len() - 20)].to_vec()).chain(Broken);
                let mut unpacked = Unpacked::new(Box::new(packed), "The backup b1".into());
                let error = io::copy(&mut unpacked, &mut io::sink()).unwrap_err();
                assert_eq!(error_from_io(&error).unwrap().kind, Kind::Download);
                let again = unpacked.read(&mut [0; 8]).unwrap_err();
                assert_eq!(error_from_io(&again).unwrap().kind, Kind::Download);
            }
        }
    }
}
