//! What a file is, by its first bytes, and the words for what is no archive in pg_dump's custom format.

use crate::error::{Error, Kind};

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
    pub(super) fn refused(self, subject: &str) -> Error {
        const CUSTOM: &str = "Make one in pg_dump's custom format: pg_dump -Fc.";
        const CONVERTED: &str =
            "Make one in pg_dump's custom format (pg_dump -Fc), of the database itself or of one \
                                 that pg_restore fills from this dump.";
        let unsupported =
            |what: &str| Error::new(Kind::UnsupportedArchive, format!("{subject} {what}."), CUSTOM);
        let convertible =
            |what: &str| Error::new(Kind::UnsupportedArchive, format!("{subject} {what}."), CONVERTED);
        match self {
            Self::Sql => unsupported("is a plain SQL dump, which cannot be masked as it streams"),
            Self::Contents => convertible(
                "is one file of a dump in pg_dump's directory format (-Fd), its table of contents without the rows, and \
                 that format is not read",
            ),
            Self::DumpAsTar => convertible("was made by pg_dump in its tar format (-Ft), which is not read"),
            Self::PackedDirectory => convertible(
                "is a tar file of a dump in pg_dump's directory format (-Fd), which is not read",
            ),
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
                format!("{subject} is not a PostgreSQL archive: neither pg_dump's custom format nor a tar file, packed by gzip or not."),
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
