//! What comes out of every wrapping, and what is refused with which words.
#![allow(clippy::unwrap_used)]

use super::form::{FORMAT_DIRECTORY, FORMAT_TAR};
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
    let mut unpacked = Unpacked::new(Box::new(Cursor::new(packed)), subject());
    let mut bytes = Vec::new();
    match unpacked.read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(error_from_io(&error).unwrap()),
    }
}

fn subject() -> BackupSubject {
    BackupSubject::BackupWithId { id: "b1".into() }
}

fn refused(packed: Vec<u8>) -> (Kind, String) {
    let error = unpack(packed).unwrap_err();
    assert!(error.what.contains("b1"), "{error}");
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
fn a_size_that_stands_only_in_a_pax_record_is_believed() {
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
    let unpacked = Unpacked::new(Box::new(slow), subject());
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
    Unpacked::new(Box::new(counted), subject())
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
        assert!(text.contains("empty"), "{text}");
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
                text.contains("_sql") && text.contains("make_custom_dump"),
                "{text}"
            );
        }
    }
}

#[test]
fn the_other_formats_of_pg_dump_are_refused_by_name() {
    // A directory's table of contents says that it is the tar format's.
    let contents = dump(FORMAT_TAR, 900);
    let rows = gzip(b"1\n");
    let directory: [&[(&str, &[u8])]; 3] = [
        &[("d/3312.dat.gz", &rows), ("d/toc.dat", &contents)],
        &[("d/toc.dat", &contents), ("d/3312.dat.gz", &rows)],
        &[("3312.dat.gz", &rows), ("toc.dat", &contents)],
    ];
    for members in directory {
        for packed in [tar(members), gzip(&tar(members))] {
            refused_with(packed, "packed_directory");
        }
    }
    for format in [FORMAT_TAR, FORMAT_DIRECTORY] {
        let contents = dump(format, 900);
        for packed in [gzip(&contents), contents] {
            refused_with(packed, "contents_alone");
        }
    }
    let members: [(&str, &[u8]); 2] = [("toc.dat", &contents), ("3312.dat", b"1\n")];
    refused_with(tar(&members), "tar_format");
}

fn refused_with(packed: Vec<u8>, kind: &str) {
    let (refusal, text) = refused(packed);
    assert_eq!(refusal, Kind::UnsupportedArchive, "{text}");
    assert!(text.contains(kind) && text.contains("convert_dump"), "{text}");
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
    assert!(refused(page.clone()).1.contains("web_page"));
    for packed in [page, b"PGDM".to_vec(), vec![0xff; 4000], gzip(&[1, 2, 3])] {
        assert_eq!(refused(packed).0, Kind::Archive);
    }
}

#[test]
fn a_tar_file_without_an_archive_is_reported_with_what_it_holds() {
    let (kind, text) = refused(tar(&[
        ("a.txt", b"one"),
        ("b.txt", b"two"),
        ("c", b"3"),
        ("d", b"4"),
    ]));
    assert_eq!(kind, Kind::Archive);
    assert!(
        text.contains(r#""names":["a.txt","b.txt","c"],"more":1"#),
        "{text}"
    );
    assert!(refused(vec![0; 1024]).1.contains("no_file"));
}

#[test]
fn a_tar_header_that_claims_endless_extensions_is_not_read_into_memory() {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_path("././@LongLink").unwrap();
    header.set_size(1 << 40);
    header.set_cksum();
    let endless = Cursor::new(header.as_bytes().to_vec()).chain(io::repeat(b'a'));
    let mut unpacked = Unpacked::new(Box::new(endless), subject());
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
            let mut unpacked = Unpacked::new(Box::new(packed), subject());
            let error = io::copy(&mut unpacked, &mut io::sink()).unwrap_err();
            assert_eq!(error_from_io(&error).unwrap().kind, Kind::Download);
            let again = unpacked.read(&mut [0; 8]).unwrap_err();
            assert_eq!(error_from_io(&again).unwrap().kind, Kind::Download);
        }
    }
}
