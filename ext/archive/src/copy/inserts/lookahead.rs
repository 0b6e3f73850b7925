//! A reader whose next bytes can be looked at before they are taken.

use std::io::{self, Read};

/// How much is read from the reader at once.
pub(super) const BUFFER: usize = 64 * 1024;

/// The reader, and what was read of it and not yet taken.
pub(super) struct Lookahead<R> {
    reader: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl<R: Read> Lookahead<R> {
    /// Before `reader`'s first byte.
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            buffer: vec![0; BUFFER],
            start: 0,
            end: 0,
        }
    }

    /// The bytes at hand, empty only at the reader's end.
    pub(super) fn fill(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            self.read_more()?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    /// Reads into the buffer behind what it holds; false at the reader's end.
    fn read_more(&mut self) -> io::Result<bool> {
        loop {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(count) => {
                    self.end += count;
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes `text` if it stands here and is not empty. It must fit the buffer; a longer one is not taken.
    pub(super) fn take_if_equal(&mut self, text: &[u8]) -> io::Result<bool> {
        if text.is_empty() || text.len() > self.buffer.len() {
            return Ok(false);
        }
        if self.start + text.len() > self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        while self.end - self.start < text.len() {
            if !self.read_more()? {
                return Ok(false);
            }
        }
        let equal = self.buffer[self.start..].starts_with(text);
        if equal {
            self.advance(text.len());
        }
        Ok(equal)
    }

    pub(super) fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.fill()?.first().copied())
    }

    pub(super) fn next(&mut self) -> io::Result<Option<u8>> {
        let byte = self.peek()?;
        if byte.is_some() {
            self.advance(1);
        }
        Ok(byte)
    }

    /// Marks as read what was looked at.
    pub(super) fn advance(&mut self, count: usize) {
        self.start += count;
    }
}
