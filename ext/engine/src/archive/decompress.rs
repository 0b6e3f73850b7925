//! A run of chunks, decompressed as it is read.
//!
//! The decompressors' state is kept from one run to the next, since a backup can hold thousands of small tables
//! and large objects. A run without any chunk is an empty stream in every compression: pg_dump starts
//! its compressor at the first byte, and an empty large object has none.

use super::chunks::Chunks;
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

/// The decompressors that are kept.
pub(super) struct Decompressors {
    compression: Compression,
    zlib: Option<Decompress>,
    zstd: Option<ZstdDecoder<'static>>,
}

impl Decompressors {
    /// None yet: each is made when it is first needed.
    pub(super) fn new(compression: Compression) -> Self {
        Self {
            compression,
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
        Ok(match self.compression {
            _ if empty => Stream::Plain(chunks),
            Compression::None => Stream::Plain(chunks),
            Compression::Gzip => Stream::Zlib {
                chunks,
                inflate: self.zlib(),
                ended: false,
            },
            Compression::Zstd => Stream::Zstd {
                chunks,
                decoder: self.zstd()?,
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

    fn zlib(&mut self) -> &mut Decompress {
        let inflate = self.zlib.get_or_insert_with(|| Decompress::new(true));
        inflate.reset(true);
        inflate
    }

    fn zstd(&mut self) -> Result<&mut ZstdDecoder<'static>, Fault> {
        let decoder = match self.zstd.take() {
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
        Ok(self.zstd.insert(decoder))
    }
}

/// One decompressed run of chunks.
pub(super) enum Stream<'a, R: Read> {
    Plain(&'a mut Chunks<R>),
    Zlib {
        chunks: &'a mut Chunks<R>,
        inflate: &'a mut Decompress,
        ended: bool,
    },
    Zstd {
        chunks: &'a mut Chunks<R>,
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
                inflate,
                ended,
            } => pump(chunks, ended, |input| run_zlib(inflate, input, out)),
            Stream::Zstd {
                chunks,
                decoder,
                ended,
            } => pump(chunks, ended, |input| run_zstd(decoder, input, out)),
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
    ended: &mut bool,
    mut run: impl FnMut(&[u8]) -> Result<Step, Fault>,
) -> Result<usize, Fault> {
    while !*ended {
        let input = chunks.fill()?;
        let starved = input.is_empty();
        let step = run(input)?;
        if !starved {
            chunks.consume(step.taken);
        }
        if step.ended {
            chunks.expect_end()?;
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
