//! What a file is, by its first bytes, and the error for what is no archive in pg_dump's custom format.

use crate::error::{Error, Kind};
use crate::failure::{BackupFailure, BackupRemedy, BackupSubject};

/// As much as is looked at to recognise something: one tar header.
pub(super) const HEAD: usize = 512;
/// The `.gz` of RFC 1952.
pub(super) const GZIP: &[u8] = b"\x1f\x8b";
/// pg_dump's archives.
const PGDMP: &[u8] = b"PGDMP";
/// Where pg_dump's header says which of its formats it is: after magic, version (3), intSize and offSize.
const FORMAT: usize = 10;
/// The tar format's; a directory's table of contents has it, too (`pg_backup_directory.c`, `_CloseArchive`).
pub(super) const FORMAT_TAR: u8 = 3;
pub(super) const FORMAT_DIRECTORY: u8 = 5;
/// What both formats call their table of contents.
pub(super) const CONTENTS: &[u8] = b"toc.dat";

/// What something is, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileFormat {
    Empty,
    Tar,
    Custom,
    /// The table of contents of a dump whose rows are in other files.
    Contents,
    /// A tar file as pg_dump makes it.
    DumpAsTar,
    /// A tar file of a directory that pg_dump made.
    PackedDirectory,
    Sql,
    /// Packed by something other than gzip.
    Packed(&'static str),
    /// A web page or a piece of JSON or XML: what a server sends instead of a file.
    Page,
    Unknown,
}

impl FileFormat {
    /// What begins with `head`, at least [`HEAD`] bytes of it unless there are fewer.
    pub(super) fn of(head: &[u8]) -> Self {
        if head.is_empty() {
            return Self::Empty;
        }
        if is_tar_header(head) {
            return Self::Tar;
        }
        if head.starts_with(PGDMP) {
            return match head.get(FORMAT) {
                Some(&(FORMAT_TAR | FORMAT_DIRECTORY)) => Self::Contents,
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

    /// What a tar file is that has a table of contents in it: pg_dump's own begins with it.
    pub(super) fn of_tar_with_contents(name: &[u8], is_first: bool) -> Self {
        if is_first && name == CONTENTS {
            Self::DumpAsTar
        } else {
            Self::PackedDirectory
        }
    }

    /// The error that says why it is no use.
    pub(super) fn refused(self, subject: &BackupSubject) -> Error {
        let subject = subject.clone();
        let kind = match self {
            Self::Empty | Self::Page | Self::Tar | Self::Custom | Self::Unknown => Kind::Archive,
            _ => Kind::UnsupportedArchive,
        };
        let (what, remedy) = match self {
            Self::Sql => (BackupFailure::PlainSql { subject }, BackupRemedy::MakeCustomDump),
            Self::Contents => (
                BackupFailure::ContentsAlone { subject },
                BackupRemedy::ConvertDump,
            ),
            Self::DumpAsTar => (BackupFailure::TarFormat { subject }, BackupRemedy::ConvertDump),
            Self::PackedDirectory => (
                BackupFailure::PackedDirectory { subject },
                BackupRemedy::ConvertDump,
            ),
            Self::Packed(packer) => {
                let packed = BackupFailure::PackedOtherwise { subject, packer };
                (packed, BackupRemedy::Unpack)
            }
            Self::Empty => (BackupFailure::Empty { subject }, BackupRemedy::CopyWhole),
            Self::Page => (BackupFailure::WebPage { subject }, BackupRemedy::CheckHowObtained),
            Self::Tar | Self::Custom | Self::Unknown => (
                BackupFailure::UnknownFile { subject },
                BackupRemedy::MakeCustomDump,
            ),
        };
        Error::new(kind, what, remedy)
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
