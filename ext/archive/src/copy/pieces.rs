//! COPY text, cut into pieces of whole rows.

use super::error::RowError;
use super::MAX_ROW;
use memchr::{memmem, memrchr};
use std::io::{self, Read};

/// The line that closes COPY text, with the newline before it.
const END_MARKER: &[u8] = b"\n\\.\n";

/// A source of whole rows, in pieces, over COPY text as pg_dump writes it: rows, then `\.` on a line of its
/// own, then blank lines.
///
/// ```
/// use pg_dump_archive::copy::Pieces;
/// let mut pieces = Pieces::new(&b"1\tAda\n2\tGrace\n\\.\n\n\n"[..], 256 * 1024);
/// let mut piece = Vec::new();
/// assert!(pieces.next(&mut piece)?);
/// assert_eq!(piece, b"1\tAda\n2\tGrace\n");
/// assert!(!pieces.next(&mut piece)?);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Pieces<R> {
    reader: R,
    size: usize,
    finder: memmem::Finder<'static>,
    /// The beginning of a row whose rest is not yet read; never more than about `size`.
    carry: Vec<u8>,
    ended: bool,
    /// [`MAX_ROW`], less in a test.
    longest: usize,
}

impl<R: Read> Pieces<R> {
    /// The rows of `reader`, in pieces of about `size` bytes.
    pub fn new(reader: R, size: usize) -> Self {
        Self {
            reader,
            size: size.max(1),
            finder: memmem::Finder::new(END_MARKER),
            carry: Vec::new(),
            ended: false,
            longest: MAX_ROW,
        }
    }

    /// Fills `out` (cleared first, its capacity used again) with whole rows, newlines included, and returns
    /// whether there was one. A row larger than the size grows `out` to that row and no more than half beyond.
    ///
    /// # Errors
    ///
    /// [`RowError`] inside an [`io::Error`] when the rows end without `\.` or go on after it, or one is
    /// longer than [`MAX_ROW`]; or the reader's own error. After an error it must not be asked again.
    pub fn next(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        out.clear();
        if self.ended {
            return Ok(false);
        }
        out.append(&mut self.carry);
        let rows = self.read_rows(out)?;
        let closed = self.end_marker(&out[..rows]);
        let kept = closed.unwrap_or(rows);
        if closed.is_some() {
            self.ended = true;
            let after = out[kept..].strip_prefix(&END_MARKER[1..]).unwrap_or_default();
            only_newlines(after)?;
            self.expect_blank_rest()?;
        } else {
            self.carry.extend_from_slice(&out[kept..]);
        }
        out.truncate(kept);
        Ok(kept > 0)
    }

    /// Reads until `out` holds at least `size` bytes and a whole row, or all there is; returns where its last
    /// whole row ends.
    fn read_rows(&mut self, out: &mut Vec<u8>) -> io::Result<usize> {
        // What is carried over holds no newline.
        let mut searched = out.len();
        let mut wanted = self.size.max(out.len() + 1);
        loop {
            let at_end = !fill(&mut self.reader, out, wanted)?;
            if let Some(newline) = memrchr(b'\n', &out[searched..]) {
                return Ok(searched + newline + 1);
            }
            if at_end {
                return Err(RowError::EndMarkerMissing.into());
            }
            if out.len() > self.longest {
                return Err(RowError::RowTooLong.into());
            }
            searched = out.len();
            wanted = searched + self.size;
        }
    }

    /// Where the closing line begins in `rows`, which begin at the beginning of a line.
    fn end_marker(&self, rows: &[u8]) -> Option<usize> {
        if rows.starts_with(&END_MARKER[1..]) {
            return Some(0);
        }
        self.finder.find(rows).map(|newline| newline + 1)
    }

    /// Reads to the reader's end, so that it can check what it has to check there.
    fn expect_blank_rest(&mut self) -> io::Result<()> {
        let mut rest = [0; 256];
        loop {
            match self.reader.read(&mut rest) {
                Ok(0) => return Ok(()),
                Ok(count) => only_newlines(&rest[..count])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Reads until `out` has `wanted` bytes; false when the reader is at its end before. It is compiled once, here: where its
/// callers are compiled for size, the zeros were written a byte at a time.
fn fill(reader: &mut dyn Read, out: &mut Vec<u8>, wanted: usize) -> io::Result<bool> {
    let mut filled = out.len();
    if wanted > out.capacity() {
        // A row that does not fit is grown by half, not doubled: it can be a gigabyte.
        out.reserve_exact((wanted - filled).max(filled / 2));
    }
    out.resize(wanted, 0);
    let result = loop {
        if filled == wanted {
            break Ok(true);
        }
        match reader.read(&mut out[filled..]) {
            Ok(0) => break Ok(false),
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Err(error),
        }
    };
    out.truncate(filled);
    result
}

fn only_newlines(bytes: &[u8]) -> io::Result<()> {
    if bytes.iter().all(|&byte| byte == b'\n') {
        Ok(())
    } else {
        Err(RowError::AfterEndMarker.into())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every piece of `text`, which its reader gives in parts of at most `step` bytes.
    fn pieces(text: &[u8], size: usize, step: usize) -> io::Result<Vec<Vec<u8>>> {
        let mut source = Pieces::new(Dribble { rest: text, step }, size);
        let (mut all, mut piece) = (Vec::new(), b"left over".to_vec());
        while source.next(&mut piece)? {
            all.push(piece.clone());
        }
        assert!(piece.is_empty());
        assert!(!source.next(&mut piece)?);
        Ok(all)
    }

    fn refusal(text: &[u8]) -> RowError {
        pieces(text, 8, 3).unwrap_err().downcast::<RowError>().unwrap()
    }

    struct Dribble<'a> {
        rest: &'a [u8],
        step: usize,
    }

    impl Read for Dribble<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let count = self.step.min(out.len()).min(self.rest.len());
            out[..count].copy_from_slice(&self.rest[..count]);
            self.rest = &self.rest[count..];
            Ok(count)
        }
    }

    #[test]
    fn a_table_without_rows_gives_no_piece() {
        assert!(pieces(b"\\.\n\n\n", 16, 16).unwrap().is_empty());
    }

    #[test]
    fn rows_of_a_table_without_columns_are_blank_lines() {
        assert_eq!(pieces(b"\n\n\n\\.\n\n\n", 16, 16).unwrap().concat(), b"\n\n\n");
    }

    #[test]
    fn a_row_larger_than_a_piece_comes_whole_and_alone_grows_the_buffer() {
        let mut text = vec![b'a'; 10_000];
        text.extend_from_slice(b"\nb\n\\.\n\n\n");
        let mut source = Pieces::new(&text[..], 1_000);
        let mut piece = Vec::new();
        assert!(source.next(&mut piece).unwrap());
        assert_eq!(piece[..10_001], text[..10_001]);
        assert!(piece.capacity() <= 16_000, "{}", piece.capacity());
        assert!(source.carry.capacity() <= 2_000);
    }

    #[test]
    fn a_piece_never_grows_the_buffer_beyond_its_size_while_rows_are_small() {
        let text = [b"some row\n".repeat(1_000), b"\\.\n".to_vec()].concat();
        let mut source = Pieces::new(&text[..], 256);
        let mut piece = Vec::with_capacity(256);
        while source.next(&mut piece).unwrap() {
            assert!(piece.capacity() <= 256);
        }
    }

    #[test]
    fn an_escaped_backslash_and_a_dot_are_a_row_like_any_other() {
        assert_eq!(
            pieces(b"\\\\.\n\\.x\n\\.\n", 16, 16).unwrap().concat(),
            b"\\\\.\n\\.x\n"
        );
    }

    #[test]
    fn rows_without_their_closing_line_are_truncated() {
        for text in [&b""[..], b"1\n", b"1\n2", b"1\n\\.", b"1\n\\"] {
            assert_eq!(
                refusal(text),
                RowError::EndMarkerMissing,
                "{}",
                text.escape_ascii()
            );
        }
    }

    #[test]
    fn anything_but_blank_lines_after_the_closing_line_is_refused() {
        for text in [
            &b"1\n\\.\n2\n\\.\n"[..],
            b"\\.\n\n\n3",
            b"\\.\n\n\n\n\n\n\n\n\n\n\n3\n",
        ] {
            assert_eq!(refusal(text), RowError::AfterEndMarker, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn a_stream_without_newlines_does_not_fill_the_memory() {
        let mut source = Pieces::new(io::repeat(b'a'), 1_000);
        source.longest = 100_000;
        let mut piece = Vec::new();
        let error = source.next(&mut piece).unwrap_err();
        assert_eq!(error.downcast::<RowError>().unwrap(), RowError::RowTooLong);
        assert!(piece.capacity() < 200_000);
    }

    #[test]
    fn an_error_of_the_reader_comes_through() {
        let broken = Read::chain(&b"1\n2"[..], Broken);
        let error = Pieces::new(broken, 64).next(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }

    struct Broken;

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }

    proptest! {
        #[test]
        fn pieces_put_together_are_the_rows(
            rows in proptest::collection::vec("[a-z\\\\.\t]{0,12}", 0..40),
            size in 1usize..64,
            step in 1usize..64,
        ) {
            let rows: Vec<_> = rows.into_iter().filter(|row| row != "\\.").collect();
            let text: String = rows.iter().map(|row| format!("{row}\n")).collect();
            let all = pieces(format!("{text}\\.\n\n\n").as_bytes(), size, step).unwrap();
            for piece in &all {
                prop_assert!(piece.ends_with(b"\n"));
            }
            prop_assert_eq!(all.concat(), text.into_bytes());
        }
    }
}
