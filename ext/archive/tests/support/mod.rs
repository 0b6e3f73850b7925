//! What the archive's tests share: reading an archive whole, and a writer of archives of any version.
//!
//! The writer follows WriteHead, WriteToc and the block functions of pg_dump's source. It writes what the
//! reader has to refuse as readily as what it has to read.
#![allow(
    dead_code,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

pub mod server;

use pg_dump_archive::{Archive, ArchiveError, Block, DumpId, Entry, EntryKind, Header};
use std::collections::BTreeMap;
use std::io::{Read, Write};

/// An archive with every block read to its end.
#[derive(Debug)]
pub struct Contents {
    pub header: Header,
    pub entries: Vec<Entry>,
    pub data: BTreeMap<DumpId, Vec<u8>>,
    pub objects: BTreeMap<u32, Vec<u8>>,
}

impl Contents {
    /// The data of the table with this tag.
    pub fn rows(&self, tag: &str) -> &[u8] {
        let entry = self
            .entries
            .iter()
            .find(|entry| entry.kind == EntryKind::TableData && entry.tag == tag)
            .unwrap();
        &self.data[&entry.dump_id]
    }
}

/// Reads everything that is in an archive.
pub fn read_all(reader: impl Read) -> Result<Contents, ArchiveError> {
    let mut archive = Archive::open(reader)?;
    let mut contents = Contents {
        header: archive.header().clone(),
        entries: archive.entries().to_vec(),
        data: BTreeMap::new(),
        objects: BTreeMap::new(),
    };
    while let Some(block) = archive.next_block()? {
        match block {
            Block::Data(mut rows) => {
                let mut data = Vec::new();
                rows.read_to_end(&mut data)?;
                contents.data.insert(rows.dump_id(), data);
            }
            Block::LargeObjects(mut objects) => {
                while let Some(mut object) = objects.next_object()? {
                    let mut data = Vec::new();
                    object.read_to_end(&mut data)?;
                    contents.objects.insert(object.oid(), data);
                }
            }
        }
    }
    Ok(contents)
}

/// Gives one byte at a time, so that every boundary between two reads is met.
pub struct Drops<R>(pub R);

impl<R: Read> Read for Drops<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let one = out.len().min(1);
        self.0.read(&mut out[..one])
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Squeeze {
    None,
    Gzip,
    Lz4,
    Zstd,
}

pub const SQUEEZES: [Squeeze; 4] = [Squeeze::None, Squeeze::Gzip, Squeeze::Lz4, Squeeze::Zstd];

#[derive(Debug, Clone)]
pub enum Data {
    Rows(Vec<u8>),
    Objects(Vec<(u32, Vec<u8>)>),
}

/// One entry, and its data.
#[derive(Debug, Clone)]
pub struct Item {
    pub dump_id: i64,
    pub had_dumper: bool,
    pub oid: u32,
    pub tag: Vec<u8>,
    pub desc: String,
    pub section: i64,
    pub defn: Option<Vec<u8>>,
    pub copy_stmt: Option<String>,
    pub namespace: Option<String>,
    pub dependencies: Vec<i64>,
    pub data: Option<Data>,
}

impl Item {
    pub fn new(dump_id: i64, desc: &str, tag: &str, section: i64) -> Self {
        Self {
            dump_id,
            had_dumper: false,
            oid: 0,
            tag: tag.into(),
            desc: desc.into(),
            section,
            defn: None,
            copy_stmt: None,
            namespace: None,
            dependencies: Vec::new(),
            data: None,
        }
    }

    pub fn table_data(dump_id: i64, tag: &str, rows: &[u8]) -> Self {
        Self {
            had_dumper: true,
            oid: 16_000 + dump_id as u32,
            namespace: Some("public".into()),
            copy_stmt: Some(format!("COPY public.{tag} (id) FROM stdin;\n")),
            dependencies: vec![dump_id + 100],
            data: Some(Data::Rows(rows.to_vec())),
            ..Self::new(dump_id, "TABLE DATA", tag, 3)
        }
    }

    pub fn objects(dump_id: i64, objects: &[(u32, &[u8])]) -> Self {
        let objects = objects.iter().map(|(oid, data)| (*oid, data.to_vec())).collect();
        Self {
            had_dumper: true,
            data: Some(Data::Objects(objects)),
            ..Self::new(dump_id, "BLOBS", "BLOBS", 3)
        }
    }
}

/// Writes archives.
#[derive(Debug, Clone)]
pub struct Writer {
    pub minor: u8,
    pub int_size: u8,
    pub offset_size: u8,
    pub format: u8,
    pub squeeze: Squeeze,
    pub chunk: usize,
    /// Whether the table of contents says where the blocks are, as in an archive written to a file.
    pub offsets: bool,
    pub items: Vec<Item>,
}

impl Writer {
    /// A small archive that has a little of everything: an encoding, a table, rows, large objects.
    pub fn sample(minor: u8, squeeze: Squeeze) -> Self {
        let table = Item {
            oid: 16_385,
            defn: Some(b"CREATE TABLE public.users (id integer);\n".to_vec()),
            namespace: Some("public".into()),
            ..Item::new(101, "TABLE", "users", 2)
        };
        let encoding = Item {
            defn: Some(b"SET client_encoding = 'UTF8';\n".to_vec()),
            ..Item::new(200, "ENCODING", "ENCODING", 2)
        };
        Self {
            minor,
            int_size: 4,
            offset_size: 8,
            format: 1,
            squeeze,
            chunk: 16,
            offsets: true,
            items: vec![
                encoding,
                table,
                Item::table_data(1, "users", b"1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n\\.\n\n\n"),
                Item::table_data(2, "nobody", b"\\.\n\n\n"),
                Item::objects(
                    3,
                    &[
                        (16_402, b"a large object"),
                        (3_000_000_000, b""),
                        (16_404, b"another"),
                    ],
                ),
            ],
        }
    }

    /// The archive, whole.
    pub fn build(&self) -> Vec<u8> {
        let blocks: Vec<Option<Vec<u8>>> = self.items.iter().map(|item| self.block(item)).collect();
        let begin = self.contents(&vec![0; blocks.len()]).len();
        let mut at = begin as u64;
        let mut offsets = Vec::new();
        for block in &blocks {
            offsets.push(at);
            at += block.as_ref().map_or(0, Vec::len) as u64;
        }
        let mut archive = self.contents(&offsets);
        assert_eq!(archive.len(), begin);
        for block in blocks.into_iter().flatten() {
            archive.extend_from_slice(&block);
        }
        archive
    }

    fn contents(&self, offsets: &[u64]) -> Vec<u8> {
        let mut out = b"PGDMP".to_vec();
        out.extend([1, self.minor, 0, self.int_size, self.offset_size, self.format]);
        if self.minor >= 15 {
            out.push(self.squeeze as u8);
        } else {
            assert!(matches!(self.squeeze, Squeeze::None | Squeeze::Gzip));
            self.integer(if self.squeeze == Squeeze::Gzip { -1 } else { 0 }, &mut out);
        }
        for field in [56, 34, 12, 31, 11, 124, 0] {
            self.integer(field, &mut out);
        }
        for text in ["shop", "17.2", "16.4"] {
            self.string(Some(text.as_bytes()), &mut out);
        }
        self.integer(self.items.len() as i64, &mut out);
        for (item, &offset) in self.items.iter().zip(offsets) {
            self.entry(item, offset, &mut out);
        }
        out
    }

    fn entry(&self, item: &Item, offset: u64, out: &mut Vec<u8>) {
        self.integer(item.dump_id, out);
        self.integer(i64::from(item.had_dumper), out);
        self.string(Some(b"1259"), out);
        self.string(Some(item.oid.to_string().as_bytes()), out);
        self.string(Some(&item.tag), out);
        self.string(Some(item.desc.as_bytes()), out);
        self.integer(item.section, out);
        self.string(item.defn.as_deref(), out);
        self.string(None, out);
        self.string(item.copy_stmt.as_deref().map(str::as_bytes), out);
        self.string(item.namespace.as_deref().map(str::as_bytes), out);
        self.string(None, out);
        if self.minor >= 14 {
            self.string(Some(b"heap"), out);
        }
        if self.minor >= 16 {
            self.integer(i64::from(b'r'), out);
        }
        self.string(Some(b"owner"), out);
        self.string(Some(b"false"), out);
        for dependency in &item.dependencies {
            self.string(Some(dependency.to_string().as_bytes()), out);
        }
        self.string(None, out);
        out.push(match (item.had_dumper, self.offsets) {
            (false, _) => 3,
            (true, false) => 1,
            (true, true) => 2,
        });
        let offset = if item.had_dumper && self.offsets {
            offset
        } else {
            0
        };
        out.extend_from_slice(&offset.to_le_bytes()[..usize::from(self.offset_size)]);
    }

    fn block(&self, item: &Item) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        match item.data.as_ref()? {
            Data::Rows(rows) => {
                out.push(1);
                self.integer(item.dump_id, &mut out);
                self.chunks(rows, &mut out);
            }
            Data::Objects(objects) => {
                out.push(3);
                self.integer(item.dump_id, &mut out);
                for (oid, data) in objects {
                    self.integer(i64::from(*oid as i32), &mut out);
                    self.chunks(data, &mut out);
                }
                self.integer(0, &mut out);
            }
        }
        Some(out)
    }

    /// pg_dump starts its compressor at the first byte, so nothing makes no chunk.
    fn chunks(&self, data: &[u8], out: &mut Vec<u8>) {
        let squeezed = if data.is_empty() {
            Vec::new()
        } else {
            squeeze(self.squeeze, data)
        };
        self.raw_chunks(&squeezed, out);
    }

    /// Chunks of these very bytes.
    pub fn raw_chunks(&self, bytes: &[u8], out: &mut Vec<u8>) {
        for chunk in bytes.chunks(self.chunk) {
            self.integer(chunk.len() as i64, out);
            out.extend_from_slice(chunk);
        }
        self.integer(0, out);
    }

    pub fn integer(&self, value: i64, out: &mut Vec<u8>) {
        out.push(u8::from(value < 0));
        out.extend_from_slice(&value.unsigned_abs().to_le_bytes()[..usize::from(self.int_size)]);
    }

    fn string(&self, text: Option<&[u8]>, out: &mut Vec<u8>) {
        match text {
            None => self.integer(-1, out),
            Some(text) => {
                self.integer(text.len() as i64, out);
                out.extend_from_slice(text);
            }
        }
    }
}

/// One compressed stream, as pg_dump's libraries write it.
pub fn squeeze(squeeze: Squeeze, data: &[u8]) -> Vec<u8> {
    match squeeze {
        Squeeze::None => data.to_vec(),
        Squeeze::Gzip => {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(data).unwrap();
            encoder.finish().unwrap()
        }
        Squeeze::Lz4 => {
            let info = lz4_flex::frame::FrameInfo::new().block_mode(lz4_flex::frame::BlockMode::Linked);
            let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
            encoder.write_all(data).unwrap();
            encoder.finish().unwrap()
        }
        Squeeze::Zstd => zstd::stream::encode_all(data, 3).unwrap(),
    }
}
