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
}
