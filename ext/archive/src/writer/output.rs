//! The archive's primitive values: bytes, integers, offsets and strings (WriteInt, WriteOffset, WriteStr).

use std::io::{self, BufWriter, Write};

/// How many bytes go to the writer underneath at once.
const BUFFER: usize = 64 * 1024;

/// How many bytes an integer has, beside its sign.
pub(super) const INT_SIZE: u8 = 4;

/// How many bytes an offset has, beside its flag.
pub(super) const OFFSET_SIZE: u8 = 8;

/// A buffered writer that knows how far it has come.
pub(super) struct Output<W: Write> {
    writer: BufWriter<W>,
    position: u64,
}

impl<W: Write> Output<W> {
    pub(super) fn new(writer: W) -> Self {
        Self {
            writer: BufWriter::with_capacity(BUFFER, writer),
            position: 0,
        }
    }

    /// How many bytes have been written.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write_all(bytes)?;
        self.position += bytes.len() as u64;
        Ok(())
    }

    pub(super) fn byte(&mut self, byte: u8) -> io::Result<()> {
        self.bytes(&[byte])
    }

    /// A sign byte, then the magnitude, the lowest byte first.
    pub(super) fn integer(&mut self, value: i64) -> io::Result<()> {
        let magnitude = u32::try_from(value.unsigned_abs())
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "an integer is out of range"))?;
        let [a, b, c, d] = magnitude.to_le_bytes();
        self.bytes(&[u8::from(value < 0), a, b, c, d])
    }

    /// A length, then the bytes.
    pub(super) fn string(&mut self, text: &str) -> io::Result<()> {
        self.integer(text.len() as i64)?;
        self.bytes(text.as_bytes())
    }

    /// NULL where there is no text, which is how pg_dump writes most of what an entry has not.
    pub(super) fn string_or_null(&mut self, text: &str) -> io::Result<()> {
        self.string_as_it_is((!text.is_empty()).then_some(text))
    }

    /// NULL where it is NULL.
    pub(super) fn string_as_it_is(&mut self, text: Option<&str>) -> io::Result<()> {
        match text {
            Some(text) => self.string(text),
            None => self.null(),
        }
    }

    pub(super) fn null(&mut self) -> io::Result<()> {
        self.integer(-1)
    }

    /// Everything goes to the writer underneath.
    pub(super) fn finish(self) -> io::Result<W> {
        let mut writer = self.writer.into_inner().map_err(|error| error.into_error())?;
        writer.flush()?;
        Ok(writer)
    }
}

/// An offset that is known: a flag, then its bytes.
pub(super) fn offset(at: u64) -> [u8; 1 + OFFSET_SIZE as usize] {
    let mut bytes = [0; 1 + OFFSET_SIZE as usize];
    bytes[0] = 2;
    bytes[1..].copy_from_slice(&at.to_le_bytes());
    bytes
}

/// What stands for an offset that is not known yet, or of an entry without data.
pub(super) fn no_offset(has_data: bool) -> [u8; 1 + OFFSET_SIZE as usize] {
    let mut bytes = [0; 1 + OFFSET_SIZE as usize];
    bytes[0] = if has_data { 1 } else { 3 };
    bytes
}
