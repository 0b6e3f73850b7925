//! pg_dump's format: header, table of contents, data blocks, compression.

use super::choose;
use pg_dump_archive::{Archive, ArchiveError, Block};
use std::io::{copy, sink, Read};

/// More of a block than this is not read: a small stream may well be long when it is decompressed.
const MOST: u64 = 4 * 1024 * 1024;

/// Anything as an archive.
pub fn contents(bytes: &[u8]) {
    let _ = read(bytes);
}

/// Anything behind a table of contents that has a table's rows and large objects.
pub fn blocks(bytes: &[u8]) {
    let (compression, rest) = choose(bytes);
    let mut archive = head(compression);
    archive.extend_from_slice(rest);
    let _ = read(&archive);
}

/// Anything as a compressed stream of rows.
pub fn decompress(bytes: &[u8]) {
    let (compression, rest) = choose(bytes);
    let mut archive = head(compression);
    archive.push(1);
    archive.extend(integer(2));
    // Chunks end anywhere within a stream.
    for chunk in rest.chunks(1 + rest.len() / 3) {
        archive.extend(integer(chunk.len() as i32));
        archive.extend_from_slice(chunk);
    }
    archive.extend(integer(0));
    let _ = read(&archive);
}

fn read(bytes: &[u8]) -> Result<(), ArchiveError> {
    let mut archive = Archive::open(bytes)?;
    while let Some(block) = archive.next_block()? {
        match block {
            Block::Data(rows) => drop(copy(&mut rows.take(MOST), &mut sink())?),
            Block::LargeObjects(mut objects) => {
                while let Some(object) = objects.next_object()? {
                    copy(&mut object.take(MOST), &mut sink())?;
                }
            }
        }
    }
    Ok(())
}

fn integer(value: i32) -> Vec<u8> {
    let mut bytes = vec![u8::from(value < 0)];
    bytes.extend(value.unsigned_abs().to_le_bytes());
    bytes
}

fn string(text: &str) -> Vec<u8> {
    [integer(text.len() as i32), text.as_bytes().to_vec()].concat()
}

/// An archive of version 1.16 up to where its data begins: entry 2 is a table's rows, entry 3 large objects.
fn head(compression: usize) -> Vec<u8> {
    let mut archive = b"PGDMP\x01\x10\x00\x04\x08\x01".to_vec();
    archive.push((compression % 4) as u8);
    archive.extend([0, 0, 0, 1, 0, 126, 0].into_iter().flat_map(integer));
    archive.extend(["production", "17.2", "17.2"].into_iter().flat_map(string));
    archive.extend(integer(2));
    for (id, tag, kind, copy) in [
        (
            2,
            "users",
            "TABLE DATA",
            "COPY public.users (id, email) FROM stdin;\n",
        ),
        (3, "BLOBS", "BLOBS", ""),
    ] {
        archive.extend([integer(id), integer(1)].concat());
        archive.extend(["0", "0", tag, kind].into_iter().flat_map(string));
        archive.extend(integer(3));
        archive.extend(["", "", copy, "public", "", "heap"].into_iter().flat_map(string));
        archive.extend(integer(0));
        archive.extend(["owner", "false"].into_iter().flat_map(string));
        archive.extend(integer(-1));
        archive.extend([1, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
    archive
}
