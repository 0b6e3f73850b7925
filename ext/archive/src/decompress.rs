//! A run of chunks, decompressed as it is read.
//!
//! The decompressors' state is kept from one run to the next, since a backup can hold thousands of small tables
//! and large objects. A run without any chunk is an empty stream in every compression: pg_dump starts
//! its compressor at the first byte, and an empty large object has none.

use super::chunks::{bytes_follow, Chunks};
use super::error::Fault;
use super::toc::Compression;
use flate2::{Decompress, FlushDecompress, Status};
use lz4_flex::frame::FrameDecoder;
use std::io::{self, Read};
use zstd::stream::raw::{DParameter, Decoder as ZstdDecoder, Operation};

/// The largest window of a zstd stream, as a power of two in bytes: `zstd:long` uses 128 MiB.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// What is said of a stream whose chunks end first.
const ENDS_EARLY: &str = "the compressed stream ends too early";

/// About how many compressed bytes a decompressor is given at once. zlib's copies the last 32 KiB that it has given
/// after every call, and pg_dump's chunks are of 4 KiB.
const INPUT: usize = 64 * 1024;

/// The decompressors that are kept.
pub(super) struct Decompressors {
    compression: Compression,
    /// Compressed bytes of several chunks, one behind the other.
    gathered: Gathered,
    zlib: Option<Decompress>,
    zstd: Option<ZstdDecoder<'static>>,
}

impl Decompressors {
    /// None yet: each is made when it is first needed.
    pub(super) fn new(compression: Compression) -> Self {
        Self {
            compression,
            gathered: Gathered::default(),
            zlib: None,
            zstd: None,
        }
    }

    /// The run of chunks that begins here, decompressed.
    pub(super) fn stream<'a, R: Read>(
        &'a mut self,
        chunks: &'a mut Chunks<R>,
    ) -> Result<Stream<'a, R>, Fault> {
        chunks.begin();
        // No chunk at all. Looked at here, because some decompressors want a stream's header.
        let empty = chunks.fill()?.is_empty();
        self.gathered.clear();
        Ok(match self.compression {
            _ if empty => Stream::Plain(chunks),
            Compression::None => Stream::Plain(chunks),
            Compression::Gzip => Stream::Zlib {
                chunks,
                gathered: &mut self.gathered,
                inflate: fresh(&mut self.zlib),
                ended: false,
            },
            Compression::Zstd => Stream::Zstd {
                chunks,
                gathered: &mut self.gathered,
                decoder: reinitialized(&mut self.zstd)?,
                ended: false,
            },
            Compression::Lz4 => Stream::Lz4 {
                decoder: FrameDecoder::new(Frame {
                    chunks,
                    starved: false,
                }),
                ended: false,
            },
        })
    }
}

fn fresh(zlib: &mut Option<Decompress>) -> &mut Decompress {
    let inflate = zlib.get_or_insert_with(|| Decompress::new(true));
    inflate.reset(true);
    inflate
}

fn reinitialized<'a>(
    zstd: &'a mut Option<ZstdDecoder<'static>>,
) -> Result<&'a mut ZstdDecoder<'static>, Fault> {
    let decoder = match zstd.take() {
        Some(mut decoder) => {
            decoder.reinit()?;
            decoder
        }
        None => {
            let mut decoder = ZstdDecoder::new()?;
            decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG_MAX))?;
            decoder
        }
    };
    Ok(zstd.insert(decoder))
}

/// Compressed bytes on their way from the chunks to a decompressor.
#[derive(Default)]
pub(super) struct Gathered {
    bytes: Vec<u8>,
    /// How many of them the decompressor has taken.
    taken: usize,
}

impl Gathered {
    fn clear(&mut self) {
        self.bytes.clear();
        self.taken = 0;
    }

    /// What the decompressor is to take next: about [`INPUT`] bytes, fewer at the end of the run, none behind it.
    fn fill<R: Read>(&mut self, chunks: &mut Chunks<R>) -> Result<&[u8], Fault> {
        if self.taken == self.bytes.len() {
            self.clear();
            while self.bytes.len() < INPUT {
                let chunk = chunks.fill()?;
                if chunk.is_empty() {
                    break;
                }
                let count = chunk.len().min(INPUT);
                self.bytes.extend_from_slice(&chunk[..count]);
                chunks.consume(count);
            }
        }
        Ok(&self.bytes[self.taken..])
    }

    /// Fails unless everything was taken and the run is at its end.
    fn expect_end<R: Read>(&self, chunks: &mut Chunks<R>) -> Result<(), Fault> {
        match self.taken == self.bytes.len() {
            true => chunks.expect_end(),
            false => Err(bytes_follow()),
        }
    }
}

/// One decompressed run of chunks.
pub(super) enum Stream<'a, R: Read> {
    Plain(&'a mut Chunks<R>),
    Zlib {
        chunks: &'a mut Chunks<R>,
        gathered: &'a mut Gathered,
        inflate: &'a mut Decompress,
        ended: bool,
    },
    Zstd {
        chunks: &'a mut Chunks<R>,
        gathered: &'a mut Gathered,
        decoder: &'a mut ZstdDecoder<'static>,
        ended: bool,
    },
    Lz4 {
        decoder: FrameDecoder<Frame<'a, R>>,
        ended: bool,
    },
}

impl<R: Read> Stream<'_, R> {
    /// Decompresses into `out` and returns how many bytes; 0 only at the end (or when `out` is empty).
    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, Fault> {
        if out.is_empty() {
            return Ok(0);
        }
        match self {
            Stream::Plain(chunks) => chunks.read(out).map_err(unwrap_fault),
            Stream::Zlib {
                chunks,
                gathered,
                inflate,
                ended,
            } => pump(chunks, gathered, ended, |input| run_zlib(inflate, input, out)),
            Stream::Zstd {
                chunks,
                gathered,
                decoder,
                ended,
            } => pump(chunks, gathered, ended, |input| run_zstd(decoder, input, out)),
            Stream::Lz4 { decoder, ended } => read_lz4(decoder, ended, out),
        }
    }
}

/// What one step of a decompressor did.
struct Step {
    taken: usize,
    given: usize,
    ended: bool,
}

/// Feeds a decompressor until it gives something or its stream ends.
fn pump<R: Read>(
    chunks: &mut Chunks<R>,
    gathered: &mut Gathered,
    ended: &mut bool,
    mut run: impl FnMut(&[u8]) -> Result<Step, Fault>,
) -> Result<usize, Fault> {
    while !*ended {
        let step = run(gathered.fill(chunks)?)?;
        gathered.taken += step.taken;
        if step.ended {
            gathered.expect_end(chunks)?;
            *ended = true;
        }
        if step.given > 0 {
            return Ok(step.given);
        }
        // Without this a decompressor that neither takes nor gives would be asked for ever.
        if !step.ended && step.taken == 0 {
            return Err(Fault::Compression(ENDS_EARLY.to_owned()));
        }
    }
    Ok(0)
}

fn run_zlib(inflate: &mut Decompress, input: &[u8], out: &mut [u8]) -> Result<Step, Fault> {
    let (taken_before, given_before) = (inflate.total_in(), inflate.total_out());
    let status = inflate
        .decompress(input, out, FlushDecompress::None)
        .map_err(|error| Fault::Compression(format!("the zlib stream is corrupt ({error})")))?;
    Ok(Step {
        taken: (inflate.total_in() - taken_before) as usize,
        given: (inflate.total_out() - given_before) as usize,
        ended: status == Status::StreamEnd,
    })
}

fn run_zstd(decoder: &mut ZstdDecoder<'static>, input: &[u8], out: &mut [u8]) -> Result<Step, Fault> {
    let status = decoder
        .run_on_buffers(input, out)
        .map_err(|error| Fault::Compression(format!("the zstd stream is corrupt ({error})")))?;
    Ok(Step {
        taken: status.bytes_read,
        given: status.bytes_written,
        ended: status.remaining == 0,
    })
}

fn read_lz4<R: Read>(
    decoder: &mut FrameDecoder<Frame<'_, R>>,
    ended: &mut bool,
    out: &mut [u8],
) -> Result<usize, Fault> {
    if *ended {
        return Ok(0);
    }
    let given = decoder.read(out).map_err(|error| {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return Fault::Compression(ENDS_EARLY.to_owned());
        }
        // What went wrong below the decoder is not the frame's fault.
        error
            .downcast::<Fault>()
            .unwrap_or_else(|error| Fault::Compression(format!("the LZ4 frame is corrupt ({error})")))
    })?;
    if given == 0 {
        let frame = decoder.get_mut();
        // The decoder takes the end of its input between two blocks for the end of the frame. The frame's
        // own end mark is read without asking for more.
        if frame.starved {
            return Err(Fault::Compression(ENDS_EARLY.to_owned()));
        }
        frame.chunks.expect_end()?;
        *ended = true;
    }
    Ok(given)
}

/// The input of an LZ4 decoder, which remembers whether the decoder came for more than there is.
pub(super) struct Frame<'a, R> {
    chunks: &'a mut Chunks<R>,
    starved: bool,
}

impl<R: Read> Read for Frame<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.chunks.read(out)?;
        self.starved |= count == 0 && !out.is_empty();
        Ok(count)
    }
}

/// The [`Fault`] that [`Chunks`]' `Read` put inside an [`io::Error`].
fn unwrap_fault(error: io::Error) -> Fault {
    error.downcast::<Fault>().unwrap_or_else(Fault::Io)
}
