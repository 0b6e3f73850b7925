//! Takes gzip and tar off a backup as it streams past, and yields pg_dump's custom format.
//!
//! What the bytes are is decided by the bytes, never by a name: gzip by its magic (RFC 1952), tar by its header's
//! checksum (POSIX, `pax`), pg_dump's archive by `PGDMP`. It reads no more of pg_dump's format than that and the
//! byte that distinguishes its custom format from its tar and directory formats (`pg_backup_archiver.c`, WriteHead).

mod form;

use super::error_from_io;
use super::http::quotable;
use super::keep::KeptCopy;
use crate::error::{Error, Kind, Result};
use crate::failure::{BackupFailure, BackupRemedy, BackupSubject, Contents, Damage};
use flate2::bufread::MultiGzDecoder;
use form::{FileFormat, GZIP, HEAD};
use std::cell::Cell;
use std::io::{self, BufReader, Cursor, Read};

/// The most that tar headers and their extensions may take before one member. Long names and PAX records are read
/// into memory by the tar crate, so their length must not be believed.
const HEADERS: u64 = 1024 * 1024;
/// Packed bytes that are buffered before gunzip.
const GZIP_BUFFER: usize = 64 * 1024;

type Bytes = Box<dyn Read + Send>;

/// A reader of the archive inside a packed backup.
///
/// At the archive's end it reads the packed bytes to their end before it says so: gzip's checksum, the digest and
/// a kept copy need them. An error stays: further reads return it again.
pub(super) struct Unpacked {
    state: State,
    /// What it is called.
    subject: BackupSubject,
    /// A copy of the packed bytes, to be kept when all of them turn out sound.
    copying: Option<KeptCopy>,
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
    /// Unpacks `packed`, which `subject` names in errors. Nothing is read yet.
    pub(super) fn new(packed: Bytes, subject: BackupSubject) -> Self {
        let state = State::Packed(packed);
        Self {
            state,
            subject,
            copying: None,
        }
    }

    /// Keeps a copy of the packed bytes once all of them have been read without fault.
    pub(super) fn keeping(self, copying: Option<KeptCopy>) -> Self {
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
            // The layers below are dropped at once: a failed archive needs no download.
            self.state = State::Failed(error.clone());
            self.copying = None;
            io::Error::other(error)
        })
    }
}

impl Archive {
    fn read(&mut self, into: &mut [u8], subject: &BackupSubject) -> Result<usize> {
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
            return Err(cut_short(subject, Damage::TarLacks { count: left }));
        }
        self.left = Some(left - length as u64);
        Ok(length)
    }

    fn read_the_rest(&mut self, subject: &BackupSubject) -> Result<()> {
        io::copy(&mut self.bytes, &mut io::sink())
            .map(|_| ())
            .map_err(|error| damaged(&error, subject))
    }
}

/// Finds the archive in `packed`.
fn recognise(packed: Bytes, subject: &BackupSubject) -> Result<Archive> {
    let (head, packed) = peek(packed, subject)?;
    if !head.starts_with(GZIP) {
        return recognise_unzipped(&head, packed, subject);
    }
    let decoder = MultiGzDecoder::new(BufReader::with_capacity(GZIP_BUFFER, packed));
    let (head, unzipped) = peek(
        Box::new(Gunzip {
            decoder,
            subject: subject.clone(),
        }),
        subject,
    )?;
    recognise_unzipped(&head, unzipped, subject)
}

fn recognise_unzipped(head: &[u8], bytes: Bytes, subject: &BackupSubject) -> Result<Archive> {
    match FileFormat::of(head) {
        FileFormat::Custom => Ok(Archive { bytes, left: None }),
        FileFormat::Tar => find_member(bytes, subject),
        other => Err(other.refused(subject)),
    }
}

/// Goes through a tar file to the member that is a PostgreSQL archive.
///
/// The tar crate reads exactly the headers and what it is asked for, never ahead, so once the member is found
/// `bytes` stands right behind the part of it that was looked at, and the crate is not needed any more.
fn find_member(mut bytes: Bytes, subject: &BackupSubject) -> Result<Archive> {
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
    subject: &BackupSubject,
) -> Result<(Vec<u8>, u64)> {
    let (mut others, mut members) = (OtherMembers::default(), 0);
    for entry in archive.entries().map_err(|error| damaged_tar(&error, subject))? {
        let mut entry = entry.map_err(|error| damaged_tar(&error, subject))?;
        let kind = entry.header().entry_type();
        members += 1_u64;
        // The member itself is as long as it likes, and so are those that are passed over.
        budget.set(u64::MAX);
        if kind.is_file() || kind.is_contiguous() {
            let head = read_head(&mut entry).map_err(|error| damaged_tar(&error, subject))?;
            let form = FileFormat::of(&head);
            match form {
                FileFormat::Custom => return Ok((head, entry.size())),
                FileFormat::Contents => {
                    let form = FileFormat::of_tar_with_contents(&entry.path_bytes(), members == 1);
                    return Err(form.refused(subject));
                }
                other => others.note(&entry, other),
            }
        }
        io::copy(&mut entry, &mut io::sink()).map_err(|error| damaged_tar(&error, subject))?;
        budget.set(HEADERS);
    }
    Err(others.refusal(subject))
}

/// The members of a tar file that is without an archive, for the error that lists them.
#[derive(Default)]
struct OtherMembers {
    sql: bool,
    names: Vec<String>,
    count: usize,
}

impl OtherMembers {
    fn note<R: Read>(&mut self, entry: &tar::Entry<'_, R>, form: FileFormat) {
        self.sql |= form == FileFormat::Sql;
        self.count += 1;
        if self.names.len() < 3 {
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            self.names.extend(quotable(&name, &[]));
        }
    }

    fn refusal(self, subject: &BackupSubject) -> Error {
        let subject = subject.clone();
        if self.sql {
            return Error::new(
                Kind::UnsupportedArchive,
                BackupFailure::PackedSql { subject },
                BackupRemedy::MakeCustomDump,
            );
        }
        let (count, names) = (self.count, self.names);
        let contents = match (count, names.len()) {
            (0, _) => Contents::NoFile,
            (count, 0) => Contents::UnnamedFiles { count },
            (count, named) if count > named => Contents::ManyFiles {
                names,
                more: count - named,
            },
            _ => Contents::Files { names },
        };
        Error::new(
            Kind::Archive,
            BackupFailure::TarWithoutArchive { subject, contents },
            BackupRemedy::PackCustomDump,
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

/// Gunzip with errors of ours: what fails here is the gzip layer or, with an error of its own, a layer below it.
struct Gunzip<R> {
    decoder: MultiGzDecoder<BufReader<R>>,
    subject: BackupSubject,
}

impl<R: Read> Read for Gunzip<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.decoder.read(into).map_err(|error| {
            if error.kind() == io::ErrorKind::Interrupted || error_from_io(&error).is_some() {
                return error;
            }
            io::Error::other(if error.kind() == io::ErrorKind::UnexpectedEof {
                cut_short(&self.subject, Damage::GzipEnds)
            } else {
                damaged_because(&self.subject, Damage::GzipBroken)
            })
        })
    }
}

/// The first bytes of `bytes`, and a reader that starts over from them.
fn peek(mut bytes: Bytes, subject: &BackupSubject) -> Result<(Vec<u8>, Bytes)> {
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

fn damaged(error: &io::Error, subject: &BackupSubject) -> Error {
    error_from_io(error).unwrap_or_else(|| damaged_because(subject, Damage::NotReadable))
}

fn damaged_tar(error: &io::Error, subject: &BackupSubject) -> Error {
    error_from_io(error).unwrap_or_else(|| damaged_because(subject, Damage::TarBroken))
}

fn damaged_because(subject: &BackupSubject, damage: Damage) -> Error {
    let subject = subject.clone();
    Error::new(
        Kind::Archive,
        BackupFailure::Damaged { subject, damage },
        BackupRemedy::TakeAnother,
    )
}

fn cut_short(subject: &BackupSubject, damage: Damage) -> Error {
    let subject = subject.clone();
    Error::new(
        Kind::Archive,
        BackupFailure::Truncated { subject, damage },
        BackupRemedy::TakeAnother,
    )
}

#[cfg(test)]
mod tests;
