//! The archive's header and table of contents, as plain data.

use super::kind::EntryKind;

/// pg_dump's number for an entry, unique within one archive, from 1 up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DumpId(pub i32);

impl std::fmt::Display for DumpId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The archive format's version, such as 1.16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Always 1 so far.
    pub major: u8,
    /// 12 for PostgreSQL 9.x to 16 for PostgreSQL 17 and 18.
    pub minor: u8,
    /// 0 so far.
    pub revision: u8,
}

impl Version {
    /// The newest version that is read: PostgreSQL 17's and 18's.
    pub const NEWEST: Version = Version {
        major: 1,
        minor: 16,
        revision: u8::MAX,
    };

    /// The version that is written for an archive of this one: its own, or 1.14, which is the oldest that is written.
    pub(super) fn written(self) -> Self {
        match self.minor {
            ..14 => Version {
                minor: 14,
                revision: 0,
                ..self
            },
            _ => self,
        }
    }
}

impl std::fmt::Display for Version {
    /// As pg_restore writes it, without the revision that has always been 0: `1.16`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// How each data block is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Plain bytes.
    None,
    /// A zlib stream (pg_dump calls it gzip).
    Gzip,
    /// An LZ4 frame.
    Lz4,
    /// A zstd stream.
    Zstd,
}

impl std::fmt::Display for Compression {
    /// pg_dump's word for it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        })
    }
}

/// What stands before the table of contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The format's version.
    pub version: Version,
    /// How data blocks are compressed.
    pub compression: Compression,
    /// When the dump was made, in the dumping machine's local time: `YYYY-MM-DD HH:MM:SS`.
    pub created_at: String,
    /// The dumped database's name.
    pub database: String,
    /// The version of the server it was dumped from, such as `17.2`.
    pub server_version: String,
    /// The version of pg_dump, such as `17.2`.
    pub dump_version: String,
}

/// Which part of a restore an entry belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Comments, ACLs and the like.
    None,
    /// Before the rows: types, tables, functions.
    PreData,
    /// Rows, large objects, sequence values.
    Data,
    /// After the rows: indexes, keys, triggers.
    PostData,
}

/// One entry of the table of contents. Strings are as the archive has them; a NULL string is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub dump_id: DumpId,
    /// Whether a data block for it may follow.
    pub has_data: bool,
    /// The object's id in its catalogue, `0` where there is none.
    pub oid: u32,
    /// The object's name, such as `users`, or `users users_pkey` for a constraint.
    pub tag: String,
    /// What it is.
    pub kind: EntryKind,
    /// Which part of a restore it belongs to.
    pub section: Section,
    /// The SQL that creates it.
    pub defn: String,
    /// `COPY schema.table (columns) FROM stdin;` for a TABLE DATA entry, unless it was dumped as INSERTs.
    pub copy_stmt: String,
    /// The schema it is in.
    pub namespace: String,
    /// The table access method, such as `heap`; empty before 1.14.
    pub table_am: String,
    /// Entries that must be restored before it.
    pub dependencies: Vec<DumpId>,
    /// Length of its data in the archive, in bytes, where the archive says so (offsets of consecutive blocks; not
    /// of the last block, nor in an archive written to a pipe). A hint, nothing to rely on.
    pub data_size: Option<u64>,
    /// What else the archive says of it, which only a copy of the archive needs; see
    /// [`Archive::open_to_copy`](crate::Archive::open_to_copy).
    pub further: Option<Box<Further>>,
}

/// What an archive says of an entry beside what restoring it takes. Strings as in [`Entry`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Further {
    /// The oid of the catalogue that the object's own oid is of.
    pub catalogue: u32,
    /// The SQL that drops it, for `pg_restore --clean`.
    pub drop_stmt: String,
    /// The tablespace it is in: empty for the default one, None for what is in none.
    pub tablespace: Option<String>,
    /// The relation's kind, a letter's code; 0 before 1.16, and where it is no relation.
    pub relation_kind: i32,
    /// Who owns it.
    pub owner: Option<String>,
    /// `true` for a table with oids, which PostgreSQL 12 has done away with.
    pub with_oids: String,
}
