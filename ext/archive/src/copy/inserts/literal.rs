//! The literals of a VALUES list as pg_dump writes them, each turned into a field of COPY text.

use super::super::field::{encode, needs_escape};
use super::InsertRows;
use std::io::{self, Read};

impl<R: Read> InsertRows<R> {
    /// One literal, appended as a field of COPY text. `begin` is where its row begins in `out`; DEFAULT is for
    /// columns that are not kept.
    pub(super) fn literal(&mut self, out: &mut Vec<u8>, begin: usize, kept: bool) -> io::Result<()> {
        self.skip_blanks()?;
        match self.source.peek()? {
            Some(b'\'') => {
                self.source.advance(1);
                if self.backslash_escapes {
                    self.escaped_string(out, begin)
                } else {
                    self.plain_string(out, begin)
                }
            }
            Some(b'0'..=b'9' | b'+' | b'-' | b'.') => self.number(out, begin),
            Some(_) => self.word_literal(out, begin, kept),
            None => self.ends_early(),
        }
    }

    /// NULL, DEFAULT, true, false, or the letter of `E'…'`, `B'…'`, `X'…'`.
    fn word_literal(&mut self, out: &mut Vec<u8>, begin: usize, kept: bool) -> io::Result<()> {
        let mut word = [0; 8];
        let mut length = 0;
        while let Some(letter) = self.source.peek()?.filter(u8::is_ascii_alphabetic) {
            if length == word.len() {
                return self.refuse("a value is not a literal");
            }
            word[length] = letter.to_ascii_uppercase();
            length += 1;
            self.source.advance(1);
        }
        let quoted = self.source.peek()? == Some(b'\'');
        match (&word[..length], quoted) {
            (b"NULL", false) => encode(None, out),
            (b"TRUE", false) => out.push(b't'),
            (b"FALSE", false) => out.push(b'f'),
            (b"DEFAULT", false) if !kept => {}
            (b"DEFAULT", false) => return self.refuse("DEFAULT for a column that is not generated"),
            (b"E", true) => {
                self.source.advance(1);
                return self.escaped_string(out, begin);
            }
            (b"B", true) => return self.bits(out, begin, 1),
            (b"X", true) => return self.bits(out, begin, 4),
            _ => return self.refuse("a value is not a literal"),
        }
        Ok(())
    }

    /// A number as pg_dump leaves it unquoted: what it consists of is checked, its form is the server's business.
    fn number(&mut self, out: &mut Vec<u8>, begin: usize) -> io::Result<()> {
        let mut digits = false;
        while let Some(byte @ (b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) = self.source.peek()? {
            digits |= byte.is_ascii_digit();
            out.push(byte);
            self.source.advance(1);
            self.check_length(out, begin)?;
        }
        if digits {
            Ok(())
        } else {
            self.refuse("a value is not a literal")
        }
    }

    /// The rest of `'…'`, in which only the quote is special, doubled.
    fn plain_string(&mut self, out: &mut Vec<u8>, begin: usize) -> io::Result<()> {
        loop {
            self.run(out, begin)?;
            match self.source.next()? {
                None => return self.ends_early(),
                Some(b'\'') if !self.doubled_quote()? => return Ok(()),
                Some(byte) => encode(Some(&[byte]), out),
            }
        }
    }

    /// The rest of `E'…'` (PostgreSQL's documentation, "String Constants With C-Style Escapes").
    fn escaped_string(&mut self, out: &mut Vec<u8>, begin: usize) -> io::Result<()> {
        loop {
            self.run(out, begin)?;
            match self.source.next()? {
                None => return self.ends_early(),
                Some(b'\'') if !self.doubled_quote()? => return Ok(()),
                Some(b'\\') => self.escape(out)?,
                Some(byte) => encode(Some(&[byte]), out),
            }
        }
    }

    /// Appends what comes before the next byte that is special in a string or in COPY text.
    fn run(&mut self, out: &mut Vec<u8>, begin: usize) -> io::Result<()> {
        loop {
            let at_hand = self.source.fill()?;
            let length = at_hand
                .iter()
                .position(|&byte| byte == b'\'' || needs_escape(byte))
                .unwrap_or(at_hand.len());
            let all = length == at_hand.len() && length > 0;
            out.extend_from_slice(&at_hand[..length]);
            self.source.advance(length);
            self.check_length(out, begin)?;
            if !all {
                return Ok(());
            }
        }
    }

    /// Behind a quote: whether it was the first of two, which stand for one.
    fn doubled_quote(&mut self) -> io::Result<bool> {
        let doubled = self.source.peek()? == Some(b'\'');
        if doubled {
            self.source.advance(1);
        }
        Ok(doubled)
    }

    /// What a backslash and the bytes behind it stand for.
    fn escape(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        let byte = match self.source.next()? {
            None => return self.ends_early(),
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'v') => 0x0b,
            Some(digit @ b'0'..=b'7') => {
                let (value, _) = self.digits(u32::from(digit - b'0'), 8, 2)?;
                (value & 0xff) as u8
            }
            Some(b'x') => match self.digits(0, 16, 2)? {
                (_, 0) => b'x',
                (value, _) => (value & 0xff) as u8,
            },
            Some(b'u') => return self.unicode_escape(4, out),
            Some(b'U') => return self.unicode_escape(8, out),
            Some(other) => other,
        };
        encode(Some(&[byte]), out);
        Ok(())
    }

    /// `\u0041`, `\U0001F600`, or two of them that are a surrogate pair.
    fn unicode_escape(&mut self, length: usize, out: &mut Vec<u8>) -> io::Result<()> {
        let mut code = self.unicode_digits(length)?;
        if (0xd800..0xdc00).contains(&code) {
            let second = match (self.source.next()?, self.source.next()?) {
                (Some(b'\\'), Some(b'u')) => self.unicode_digits(4)?,
                (Some(b'\\'), Some(b'U')) => self.unicode_digits(8)?,
                _ => return self.refuse("half a surrogate pair"),
            };
            if !(0xdc00..0xe000).contains(&second) {
                return self.refuse("half a surrogate pair");
            }
            code = 0x10000 + ((code - 0xd800) << 10) + (second - 0xdc00);
        }
        match char::from_u32(code) {
            Some(character) => encode(Some(character.encode_utf8(&mut [0; 4]).as_bytes()), out),
            None => return self.refuse("no such Unicode character"),
        }
        Ok(())
    }

    fn unicode_digits(&mut self, length: usize) -> io::Result<u32> {
        match self.digits(0, 16, length)? {
            (code, taken) if taken == length => Ok(code),
            _ => self.refuse("a Unicode escape is too short"),
        }
    }

    /// Takes at most `most` digits; returns the value and how many there were.
    fn digits(&mut self, mut value: u32, base: u32, most: usize) -> io::Result<(u32, usize)> {
        for taken in 0..most {
            match self
                .source
                .peek()?
                .and_then(|byte| char::from(byte).to_digit(base))
            {
                Some(digit) => value = value * base + digit,
                None => return Ok((value, taken)),
            }
            self.source.advance(1);
        }
        Ok((value, most))
    }

    /// `'0101'` or `'5f'` behind a B or X: a bit string, which COPY text writes in binary digits.
    fn bits(&mut self, out: &mut Vec<u8>, begin: usize, each: u32) -> io::Result<()> {
        self.source.advance(1);
        loop {
            match self.source.next()? {
                Some(b'\'') => return Ok(()),
                Some(byte) => {
                    let Some(digit) = char::from(byte).to_digit(1 << each) else {
                        return self.refuse("a bit string holds something other than its digits");
                    };
                    out.extend((0..each).rev().map(|bit| b'0' + (digit >> bit & 1) as u8));
                    self.check_length(out, begin)?;
                }
                None => return self.ends_early(),
            }
        }
    }
}
