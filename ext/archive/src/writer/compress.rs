//! The bytes of a block or of a large object, compressed and cut into chunks: a length and as many bytes, up to a length of 0.
//!
//! The compressors' state and the buffer are kept from one stream to the next. A stream of no bytes, as of an empty large
//! object, is a whole one of zlib's, without which pg_restore 15 fails; of the others, which came with pg_dump 16, it has no
//! chunk, because that starts its compressor at the first byte.

use super::output::Output;
use crate::toc::Compression;
use flate2::{Compress, FlushCompress, Status};
use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
use std::io::{self, Write};
use zstd::stream::raw::{CParameter, Encoder as ZstdEncoder, InBuffer, Operation, OutBuffer};

/// How many compressed bytes a chunk holds.
const CHUNK: usize = 64 * 1024;

/// How much goes into the LZ4 encoder at once, which puts out as much as comes of it.
const STEP: usize = 64 * 1024;

/// zstd looks back by 128 KiB instead of 2 MiB. Rows repeat what stands near, so they become no longer (1:4.66 instead of 1:4.64
/// for a table of 123 MB), and its tables stay in the processor's cache, which saves a fifth of the time.
const ZSTD_WINDOW_LOG: u32 = 17;

/// Compresses one stream after the other.
pub(super) struct Compressor {
    method: Method,
    /// Whether the stream has had a byte.
    begun: bool,
}

enum Method {
    None,
    Zlib {
        deflate: Compress,
        chunk: Vec<u8>,
    },
    Zstd {
        encoder: ZstdEncoder<'static>,
        chunk: Vec<u8>,
    },
    Lz4(Box<FrameEncoder<Vec<u8>>>),
}

impl Compressor {
    /// One that makes streams of this kind, at the levels that pg_dump takes where none is asked for.
    pub(super) fn new(compression: Compression) -> io::Result<Self> {
        let chunk = || Vec::with_capacity(CHUNK);
        let method = match compression {
            Compression::None => Method::None,
            Compression::Gzip => Method::Zlib {
                deflate: Compress::new(flate2::Compression::default(), true),
                chunk: chunk(),
            },
            Compression::Zstd => Method::Zstd {
                encoder: zstd_encoder()?,
                chunk: chunk(),
            },
            Compression::Lz4 => {
                let frame = FrameInfo::new()
                    .block_size(BlockSize::Max64KB)
                    .block_mode(BlockMode::Linked);
                Method::Lz4(Box::new(FrameEncoder::with_frame_info(frame, chunk())))
            }
        };
        Ok(Self { method, begun: false })
    }

    /// A stream begins.
    pub(super) fn begin(&mut self) -> io::Result<()> {
        self.begun = false;
        match &mut self.method {
            Method::None | Method::Lz4(_) => {}
            Method::Zlib { deflate, .. } => deflate.reset(),
            Method::Zstd { encoder, .. } => encoder.reinit()?,
        }
        Ok(())
    }

    /// A part of the stream.
    pub(super) fn write<W: Write>(&mut self, bytes: &[u8], output: &mut Output<W>) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.begun = true;
        match &mut self.method {
            Method::None => bytes
                .chunks(CHUNK)
                .try_for_each(|bytes| write_chunk(bytes, output)),
            Method::Zlib { deflate, chunk } => {
                let mut rest = bytes;
                while !rest.is_empty() {
                    let taken = run_zlib(deflate, rest, chunk, FlushCompress::None)?.0;
                    rest = rest.get(taken..).unwrap_or_default();
                    write_if_full(chunk, output)?;
                }
                Ok(())
            }
            Method::Zstd { encoder, chunk } => {
                let mut input = InBuffer::around(bytes);
                while input.pos() < bytes.len() {
                    let filled = chunk.len();
                    encoder.run(&mut input, &mut OutBuffer::around_pos(chunk, filled))?;
                    write_if_full(chunk, output)?;
                }
                Ok(())
            }
            Method::Lz4(encoder) => bytes.chunks(STEP).try_for_each(|bytes| {
                encoder.write_all(bytes)?;
                write_lz4(encoder, output)
            }),
        }
    }

    /// The stream ends, and with it its chunks.
    pub(super) fn end<W: Write>(&mut self, output: &mut Output<W>) -> io::Result<()> {
        if self.begun || matches!(self.method, Method::Zlib { .. }) {
            self.end_stream(output)?;
        }
        output.integer(0)
    }

    fn end_stream<W: Write>(&mut self, output: &mut Output<W>) -> io::Result<()> {
        match &mut self.method {
            Method::None => Ok(()),
            Method::Zlib { deflate, chunk } => {
                while run_zlib(deflate, &[], chunk, FlushCompress::Finish)?.1 != Status::StreamEnd {
                    write_if_full(chunk, output)?;
                }
                write_rest(chunk, output)
            }
            Method::Zstd { encoder, chunk } => loop {
                let filled = chunk.len();
                let left = encoder.finish(&mut OutBuffer::around_pos(chunk, filled), false)?;
                if left == 0 {
                    return write_rest(chunk, output);
                }
                write_if_full(chunk, output)?;
            },
            Method::Lz4(encoder) => {
                encoder.try_finish()?;
                write_lz4(encoder, output)
            }
        }
    }
}

fn zstd_encoder() -> io::Result<ZstdEncoder<'static>> {
    let mut encoder = ZstdEncoder::new(zstd::DEFAULT_COMPRESSION_LEVEL)?;
    encoder.set_parameter(CParameter::WindowLog(ZSTD_WINDOW_LOG))?;
    Ok(encoder)
}

/// How many bytes it took, and whether the stream has ended.
fn run_zlib(
    deflate: &mut Compress,
    bytes: &[u8],
    chunk: &mut Vec<u8>,
    flush: FlushCompress,
) -> io::Result<(usize, Status)> {
    let before = deflate.total_in();
    let status = deflate
        .compress_vec(bytes, chunk, flush)
        .map_err(io::Error::other)?;
    Ok(((deflate.total_in() - before) as usize, status))
}

fn write_lz4<W: Write>(encoder: &mut FrameEncoder<Vec<u8>>, output: &mut Output<W>) -> io::Result<()> {
    write_rest(encoder.get_mut(), output)
}

/// Writes what is there, when there is no room for more.
fn write_if_full<W: Write>(chunk: &mut Vec<u8>, output: &mut Output<W>) -> io::Result<()> {
    match chunk.len() == chunk.capacity() {
        true => write_rest(chunk, output),
        false => Ok(()),
    }
}

fn write_rest<W: Write>(chunk: &mut Vec<u8>, output: &mut Output<W>) -> io::Result<()> {
    if !chunk.is_empty() {
        write_chunk(chunk, output)?;
        chunk.clear();
    }
    Ok(())
}

fn write_chunk<W: Write>(bytes: &[u8], output: &mut Output<W>) -> io::Result<()> {
    output.integer(bytes.len() as i64)?;
    output.bytes(bytes)
}
