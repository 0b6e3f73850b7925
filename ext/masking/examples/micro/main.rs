//! What each part of the stream costs per core, and the ratios that must hold between them. `bench/micro` runs it.
//!
//! It belongs to this crate, not to the engine: the linker optimizes all of a program as its own crate is compiled, and
//! the engine is compiled for size.
//!
//! `--check` leaves Criterion's measurements out and exits 1 when a ratio is missed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod clock;
mod rows;

use clock::Processor;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use flate2::bufread::ZlibDecoder;
use flate2::write::ZlibEncoder;
use masking::RowMask;
use pg_dump_archive::copy::{decode, encode, fields, Pieces, Splitter};
use pg_dump_archive::{Archive, Block};
use std::hint::black_box;
use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::Arc;

/// Rows in memory: some 5 MB, as much as a few dozen pieces of a run.
const ROWS: u64 = 15_000;

/// As in the engine's stream.
const PIECE: usize = 128 * 1024;

/// The three columns of the ratios.
const THREE: [&str; 3] = ["email", "last_name", "full_name"];

/// Masking three columns takes at most as long as inflating the same rows.
const MASKING_TO_INFLATING: f64 = 1.0;
/// Nineteen columns take at most twice as long as three.
const NINETEEN_TO_THREE: f64 = 2.0;

/// How often the ratios' measurements are repeated, in turn.
const ROUNDS: usize = 25;

fn main() -> ExitCode {
    let check = std::env::args().any(|argument| argument == "--check");
    let text = rows::rows(ROWS);
    if !check {
        measure(&text);
    }
    if ratios(&text) || !check {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Prints the ratios; false when one is missed.
fn ratios(text: &[u8]) -> bool {
    let packed = deflated(text);
    let (three, nineteen) = (rows::mask(Some(&THREE)), rows::mask(None));
    let mut times = [const { Vec::new() }; 3];
    let mut out = Vec::new();
    for _ in 0..ROUNDS {
        times[0].push(seconds(|| inflate(&packed, &mut out)));
        times[1].push(seconds(|| mask(&three, text, &mut out)));
        times[2].push(seconds(|| mask(&nineteen, text, &mut out)));
    }
    let [inflating, three, nineteen] = times.map(median);
    let rate = |seconds: f64| {
        format!(
            "{:>6.0} MB/s, {:>9.0} rows/s",
            text.len() as f64 / 1e6 / seconds,
            ROWS as f64 / seconds
        )
    };
    println!("inflating the rows      {}", rate(inflating));
    println!("masking three columns   {}", rate(three));
    println!("masking nineteen        {}", rate(nineteen));
    let mut all = judge(
        "masking three : inflating",
        three / inflating,
        MASKING_TO_INFLATING,
    );
    all &= judge("masking nineteen : three", nineteen / three, NINETEEN_TO_THREE);
    all
}

fn judge(name: &str, ratio: f64, most: f64) -> bool {
    let holds = ratio <= most;
    let word = if holds { "" } else { "   MISSED" };
    println!("{name:<28} {ratio:.2} (at most {most:.2}){word}");
    holds
}

fn seconds(mut work: impl FnMut()) -> f64 {
    let before = clock::now();
    work();
    clock::since(before).as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn deflated(text: &[u8]) -> Vec<u8> {
    // pg_dump's own level.
    let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn inflate(packed: &[u8], out: &mut Vec<u8>) {
    out.clear();
    ZlibDecoder::new(packed).read_to_end(out).unwrap();
    black_box(&out);
}

/// Masks in pieces, as a lane does.
fn mask(mask: &Arc<RowMask>, text: &[u8], out: &mut Vec<u8>) {
    let mut masker = mask.masker();
    for piece in cut(text) {
        out.clear();
        masker.mask_piece(piece, out).unwrap();
        black_box(&out);
    }
    assert_eq!(masker.counts().rows, ROWS);
}

/// Whole rows, about a piece of them at a time.
fn cut(mut text: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        if text.is_empty() {
            return None;
        }
        let wanted = PIECE.min(text.len());
        let end = memchr::memchr(b'\n', &text[wanted - 1..]).map_or(text.len(), |at| wanted + at);
        let (piece, rest) = text.split_at(end);
        text = rest;
        Some(piece)
    })
}

/// Criterion's part.
fn measure(text: &[u8]) {
    let mut criterion = Criterion::default()
        .with_measurement(Processor)
        .without_plots()
        .configure_from_args();
    let bytes = Throughput::BytesDecimal(text.len() as u64);
    for (per, throughput) in [("bytes", bytes), ("rows", Throughput::Elements(ROWS))] {
        let mut group = criterion.benchmark_group(per);
        group.throughput(throughput).sample_size(20);
        rows_benches(&mut group, text);
        group.finish();
    }
    archives(&mut criterion);
}

fn rows_benches(group: &mut BenchmarkGroup<'_, Processor>, text: &[u8]) {
    let packed = deflated(text);
    let mut out = Vec::new();
    group.bench_function("inflate", |bench| bench.iter(|| inflate(&packed, &mut out)));
    let zstd = zstd::bulk::compress(text, 3).unwrap();
    group.bench_function("zstd", |bench| {
        bench.iter(|| black_box(zstd::bulk::decompress(&zstd, text.len()).unwrap()))
    });
    let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
    lz4.write_all(text).unwrap();
    let lz4 = lz4.finish().unwrap();
    group.bench_function("lz4", |bench| {
        bench.iter(|| {
            out.clear();
            lz4_flex::frame::FrameDecoder::new(&lz4[..])
                .read_to_end(&mut out)
                .unwrap();
        })
    });

    let closed = [text, b"\\.\n\n\n"].concat();
    group.bench_function("cut into pieces", |bench| {
        bench.iter(|| {
            let mut pieces = Pieces::new(&closed[..], PIECE);
            while pieces.next(&mut out).unwrap() {
                black_box(&out);
            }
        })
    });
    let mut scratch = Vec::new();
    group.bench_function("decode every field", |bench| {
        bench.iter(|| {
            for row in text.split_inclusive(|byte| *byte == b'\n') {
                for field in fields(&row[..row.len() - 1]) {
                    black_box(decode(field, &mut scratch));
                }
            }
        })
    });
    let values: Vec<Option<Vec<u8>>> = text
        .split(|byte| matches!(byte, b'\t' | b'\n'))
        .map(|field| decode(field, &mut scratch).map(<[u8]>::to_vec))
        .collect();
    group.bench_function("encode every field", |bench| {
        bench.iter(|| {
            out.clear();
            for value in &values {
                encode(value.as_deref(), &mut out);
                out.push(b'\t');
            }
            black_box(&out);
        })
    });
    let (layout, mut splitter) = (rows::layout(), Splitter::new());
    group.bench_function("encode binary", |bench| {
        bench.iter(|| {
            for piece in cut(text) {
                out.clear();
                assert!(layout.encode(piece, &mut splitter, &mut out));
                black_box(&out);
            }
        })
    });
    for (name, only) in [("mask 3 columns", Some(&THREE[..])), ("mask 19 columns", None)] {
        let masks = rows::mask(only);
        group.bench_function(name, |bench| bench.iter(|| mask(&masks, text, &mut out)));
    }
}

/// Archives that `bench/micro` has made: gzip, as pg_dump does by default, and not compressed.
fn archives(criterion: &mut Criterion<Processor>) {
    let mut group = criterion.benchmark_group("archive");
    for (name, variable) in [("gzip", "MICRO_DUMP"), ("not compressed", "MICRO_DUMP_PLAIN")] {
        let Ok(path) = std::env::var(variable) else {
            println!("archive/{name} is left out: run bench/micro, which makes one");
            continue;
        };
        let bytes = std::fs::read(path).unwrap();
        let mut rows = 0;
        read(&bytes, |text| rows += text.len() as u64);
        group.throughput(Throughput::BytesDecimal(rows)).sample_size(10);
        group.bench_function(name, |bench| {
            bench.iter(|| {
                read(&bytes, |text| {
                    black_box(text);
                })
            });
        });
    }
    group.finish();
}

fn read(bytes: &[u8], mut seen: impl FnMut(&[u8])) {
    let mut archive = Archive::open(bytes).unwrap();
    let mut piece = Vec::new();
    while let Some(block) = archive.next_block().unwrap() {
        if let Block::Data(block) = block {
            let mut pieces = Pieces::new(block, PIECE);
            while pieces.next(&mut piece).unwrap() {
                seen(&piece);
            }
        }
    }
}
