//! A block's bytes as they lie in the archive: chunks of a length and as many bytes, up to a length of 0.

use super::error::Fault;
use super::input::Input;
use std::io::{self, Read};

/// The part of the archive that follows the table of contents.
#[derive(Debug)]
pub(super) struct Chunks<R> {
    pub(super) input: Input<R>,
    /// Whether a run of chunks has begun whose closing 0 is not yet read.
    open: bool,
    /// What is left of the current chunk.
    left: u64,
}

impl<R: Read> Chunks<R> {
    /// The chunks of `input`, none begun.
    pub(super) fn new(input: Input<R>) -> Self {
        Self {
            input,
            open: false,
            left: 0,
        }
    }

    /// A run of chunks begins here.
    pub(super) fn begin(&mut self) {
        self.open = true;
        self.left = 0;
    }

    /// The bytes at hand, empty at the end of the run and only there.
    pub(super) fn fill(&mut self) -> Result<&[u8], Fault> {
        if self.open && self.left == 0 {
            self.left = self.input.integer_as("the length of a chunk is negative")?;
            self.open = self.left > 0;
        }
        if !self.open {
            return Ok(&[]);
        }
        let left = self.left;
        let buffered = self.input.fill()?;
        if buffered.is_empty() {
            return Err(Fault::End);
        }
        Ok(&buffered[..clamp(left, buffered.len())])
    }

    /// Marks `count` bytes of what [`fill`](Self::fill) gave as read.
    pub(super) fn consume(&mut self, count: usize) {
        self.input.consume(count);
        self.left -= count as u64;
    }

    /// Passes over what is left of the run, without looking at it.
    pub(super) fn skip_rest(&mut self) -> Result<(), Fault> {
        loop {
            let count = self.fill()?.len();
            if count == 0 {
                return Ok(());
            }
            self.consume(count);
        }
    }

    /// Fails unless the run is at its end: a compressed stream is over and nothing may follow it.
    pub(super) fn expect_end(&mut self) -> Result<(), Fault> {
        if self.fill()?.is_empty() {
            Ok(())
        } else {
            Err(bytes_follow())
        }
    }
}

/// What is said of bytes behind a compressed stream's end.
pub(super) fn bytes_follow() -> Fault {
    Fault::Compression("bytes follow the end of the compressed stream".to_owned())
}

/// `left`, or `length` when that is less.
fn clamp(left: u64, length: usize) -> usize {
    usize::try_from(left).map_or(length, |left| left.min(length))
}

/// The bytes as they are, for decompressors that want a reader. A [`Fault`] travels inside the
/// [`io::Error`].
impl<R: Read> Read for Chunks<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let at_hand = self.fill().map_err(io::Error::other)?;
        let count = at_hand.len().min(out.len());
        out[..count].copy_from_slice(&at_hand[..count]);
        self.consume(count);
        Ok(count)
    }
}
