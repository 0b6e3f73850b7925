//! The archive's primitive values: bytes, integers, offsets and strings (ReadInt, ReadOffset, ReadStr).

use super::error::Fault;
use std::io::{self, BufRead, BufReader, Read};

/// How much is read from the reader underneath at once.
const BUFFER: usize = 64 * 1024;

/// How much is allocated on the word of a string's length alone.
const STRING_STEP: usize = 64 * 1024;

/// A buffered reader that knows the archive's sizes and how far it has come.
#[derive(Debug)]
pub(super) struct Input<R> {
    reader: BufReader<R>,
    position: u64,
    int_size: u8,
    offset_size: u8,
    /// Whether a string was met that is not UTF-8. Its encoding is named later in the archive than it.
    pub(super) met_non_utf8: bool,
}

/// Where an entry's data begins in the archive, as the table of contents has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offset {
    /// The archive was written to a pipe, so pg_dump could not come back to fill it in.
    NotSet,
    /// Byte position of the data block.
    At(u64),
    /// The entry has no data.
    NoData,
}

impl<R: Read> Input<R> {
    /// Reads from `reader`, one byte at a time or more; the sizes follow from the header.
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader: BufReader::with_capacity(BUFFER, reader),
            position: 0,
            int_size: 4,
            offset_size: 8,
            met_non_utf8: false,
        }
    }

    /// How many bytes have been read.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Takes the sizes that the header gives, in bytes.
    pub(super) fn set_sizes(&mut self, int_size: u8, offset_size: u8) -> Result<(), Fault> {
        if !(1..=8).contains(&int_size) || !(1..=8).contains(&offset_size) {
            return Err(self.corrupt("an integer has between 1 and 8 bytes"));
        }
        self.int_size = int_size;
        self.offset_size = offset_size;
        Ok(())
    }

    /// A complaint about what was just read.
    pub(super) fn corrupt(&self, what: &'static str) -> Fault {
        Fault::Corrupt(what, self.position)
    }

    /// What is buffered, at least one byte unless the input is at its end.
    pub(super) fn fill(&mut self) -> Result<&[u8], Fault> {
        // Asked twice, because the borrow checker does not let a loop return what it just tested.
        loop {
            match self.reader.fill_buf() {
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Fault::Io(error)),
            }
        }
        Ok(self.reader.buffer())
    }

    /// Marks `count` bytes of what [`fill`](Self::fill) gave as read.
    pub(super) fn consume(&mut self, count: usize) {
        self.reader.consume(count);
        self.position += count as u64;
    }

    /// The next byte, or None at the end of the input.
    pub(super) fn byte_or_end(&mut self) -> Result<Option<u8>, Fault> {
        let byte = self.fill()?.first().copied();
        if byte.is_some() {
            self.consume(1);
        }
        Ok(byte)
    }

    /// The next byte.
    pub(super) fn byte(&mut self) -> Result<u8, Fault> {
        self.byte_or_end()?.ok_or(Fault::End)
    }

    /// An integer: a sign byte, then its size in bytes, the lowest first.
    pub(super) fn integer(&mut self) -> Result<i64, Fault> {
        let negative = match self.byte()? {
            0 => false,
            1 => true,
            _ => return Err(self.corrupt("the sign of an integer is 0 or 1")),
        };
        let magnitude = self.little_endian(self.int_size)?;
        let value = i64::try_from(magnitude).map_err(|_| self.corrupt("an integer is out of range"))?;
        Ok(if negative { -value } else { value })
    }

    /// An integer that fits what it is read into; `what` says which one does not.
    pub(super) fn integer_as<T: TryFrom<i64>>(&mut self, what: &'static str) -> Result<T, Fault> {
        let value = self.integer()?;
        T::try_from(value).map_err(|_| self.corrupt(what))
    }

    /// An object's id. pg_dump writes it as a C `int`, so those above 2³¹ come out negative.
    pub(super) fn oid(&mut self) -> Result<u32, Fault> {
        let value = self.integer()?;
        u32::try_from(value)
            .or_else(|_| i32::try_from(value).map(|signed| signed as u32))
            .map_err(|_| self.corrupt("an oid is out of range"))
    }

    /// An offset: a flag byte, then its size in bytes.
    pub(super) fn offset(&mut self) -> Result<Offset, Fault> {
        let flag = self.byte()?;
        let value = self.little_endian(self.offset_size)?;
        match flag {
            1 => Ok(Offset::NotSet),
            2 => Ok(Offset::At(value)),
            3 => Ok(Offset::NoData),
            _ => Err(self.corrupt("the flag of a data offset is 1, 2 or 3")),
        }
    }

    /// A string of at most `limit` bytes; NULL is empty. Not UTF-8: replaced, and remembered in
    /// [`met_non_utf8`](Self::met_non_utf8).
    pub(super) fn string(&mut self, limit: usize) -> Result<String, Fault> {
        Ok(self.string_or_null(limit)?.unwrap_or_default())
    }

    /// A string of at most `limit` bytes, or None for NULL.
    pub(super) fn string_or_null(&mut self, limit: usize) -> Result<Option<String>, Fault> {
        let Some(length) = self.string_length(limit)? else {
            return Ok(None);
        };
        let mut bytes = Vec::with_capacity(length.min(STRING_STEP));
        while bytes.len() < length {
            let wanted = length - bytes.len();
            let buffered = self.fill()?;
            let taken = buffered.len().min(wanted);
            if taken == 0 {
                return Err(Fault::End);
            }
            bytes.extend_from_slice(&buffered[..taken]);
            self.consume(taken);
        }
        if length > STRING_STEP {
            bytes.shrink_to_fit();
        }
        Ok(Some(String::from_utf8(bytes).unwrap_or_else(|error| {
            self.met_non_utf8 = true;
            String::from_utf8_lossy(error.as_bytes()).into_owned()
        })))
    }

    /// Passes over a string of at most `limit` bytes.
    pub(super) fn skip_string(&mut self, limit: usize) -> Result<(), Fault> {
        let mut left = self.string_length(limit)?.unwrap_or(0);
        while left > 0 {
            let taken = self.fill()?.len().min(left);
            if taken == 0 {
                return Err(Fault::End);
            }
            self.consume(taken);
            left -= taken;
        }
        Ok(())
    }

    fn string_length(&mut self, limit: usize) -> Result<Option<usize>, Fault> {
        match self.integer()? {
            -1 => Ok(None),
            length => match usize::try_from(length) {
                Ok(length) if length <= limit => Ok(Some(length)),
                _ => Err(self.corrupt("the length of a string is impossible")),
            },
        }
    }

    fn little_endian(&mut self, size: u8) -> Result<u64, Fault> {
        let mut value = 0;
        for index in 0..u32::from(size) {
            value |= u64::from(self.byte()?) << (8 * index);
        }
        Ok(value)
    }
}
