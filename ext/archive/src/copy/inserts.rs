//! The rows of INSERT statements as pg_dump writes them, turned into COPY text.
//!
//! This is a reader of pg_dump's own output (`dumpTableData_insert` in `pg_dump.c`), not of SQL: a VALUES list
//! holds literals only, and anything else is an error. The statements are never sent to a server.

mod head;
mod literal;
mod lookahead;

use super::error::RowError;
use super::MAX_ROW;
use lookahead::Lookahead;
use std::io::{self, Read};

/// A source of rows in COPY text, in pieces of whole rows, over the statements of `pg_dump --inserts`,
/// `--column-inserts` or `--rows-per-insert`.
///
/// `INSERT INTO t [(columns)] [OVERRIDING SYSTEM VALUE] VALUES (…), (…) [ON CONFLICT DO NOTHING];`, and
/// `INSERT INTO t DEFAULT VALUES;` for a row without columns. The rows come out as COPY TO would have
/// written them: generated columns left out, the others in the table's order, not in the statement's.
///
/// ```
/// use pg_dump_archive::copy::InsertRows;
/// let columns = [("id".to_owned(), false), ("twice".to_owned(), true), ("name".to_owned(), false)];
/// let statements = &b"INSERT INTO public.t VALUES (1, DEFAULT, 'Ada''s');\n"[..];
/// let mut rows = InsertRows::new(statements, 256 * 1024, &columns);
/// let mut piece = Vec::new();
/// assert!(rows.next(&mut piece)?);
/// assert_eq!(piece, b"1\tAda's\n");
/// assert!(!rows.next(&mut piece)?);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct InsertRows<R> {
    source: Lookahead<R>,
    size: usize,
    columns: Vec<(String, bool)>,
    /// The schema and the name that every statement has to say, where that is known.
    table: Option<(String, String)>,
    /// Whether a backslash in a plain literal is an escape (`standard_conforming_strings` off).
    backslash_escapes: bool,
    /// The beginning of the last statement, up to VALUES. Nearly always the next one begins the same.
    head: Vec<u8>,
    order: Order,
    /// Whether the next value list belongs to a statement that has begun.
    in_statement: bool,
    /// One row's fields, when they have to be brought into another order: where each ends.
    unordered: Vec<u8>,
    ends: Vec<usize>,
    row: u64,
    /// [`MAX_ROW`], less in a test.
    longest: usize,
}

/// Where the values of a statement's rows go.
#[derive(Debug, Default)]
struct Order {
    /// For each value its place among the columns that are not generated, None for a generated one.
    places: Vec<Option<usize>>,
    /// For each place the value; empty when they stand in the right order already.
    values: Vec<usize>,
}

/// What a statement holds after its beginning.
#[derive(Debug, PartialEq, Eq)]
enum Head {
    Values,
    DefaultValues,
}

impl<R: Read> InsertRows<R> {
    /// The rows of `reader`, in pieces of about `size` bytes. `columns` are the table's, in its order, each
    /// with whether it is generated (`GENERATED ALWAYS AS (…) STORED`).
    pub fn new(reader: R, size: usize, columns: &[(String, bool)]) -> Self {
        Self {
            source: Lookahead::new(reader),
            size: size.max(1),
            columns: columns.to_vec(),
            table: None,
            backslash_escapes: false,
            head: Vec::new(),
            order: Order::default(),
            in_statement: false,
            unordered: Vec::new(),
            ends: Vec::new(),
            row: 0,
            longest: MAX_ROW,
        }
    }

    /// Says that the archive was written with `standard_conforming_strings` off, as its STDSTRINGS entry
    /// says: then a backslash in a plain literal is an escape. Without it a backslash is a backslash.
    pub fn with_backslash_escapes(mut self) -> Self {
        self.backslash_escapes = true;
        self
    }

    /// Says which table the statements are about: one that names another is refused. A name without a schema is taken to be
    /// in this one.
    pub fn of_table(mut self, schema: &str, name: &str) -> Self {
        self.table = Some((schema.to_owned(), name.to_owned()));
        self
    }

    /// Fills `out` (cleared first, its capacity used again) with whole rows, newlines included, and returns whether
    /// there was one.
    ///
    /// # Errors
    ///
    /// [`RowError`] inside an [`io::Error`] when the text is not what pg_dump writes for these columns;
    /// or the reader's own error. After an error it must not be asked again.
    pub fn next(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        out.clear();
        out.reserve(self.size);
        while out.len() < self.size && self.next_row(out)? {}
        Ok(!out.is_empty())
    }

    /// Appends one row; false at the end of the statements.
    fn next_row(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        if !self.in_statement {
            self.skip_blanks_and_comments()?;
            if self.source.peek()?.is_none() {
                return Ok(false);
            }
        }
        self.row += 1;
        if !self.in_statement && self.statement_head()? == Head::DefaultValues {
            self.default_values(out)?;
            return Ok(true);
        }
        self.values(out)?;
        self.in_statement = self.more_rows()?;
        Ok(true)
    }

    /// A row without columns, which COPY text writes as a blank line.
    fn default_values(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        if self.columns.iter().any(|(_, generated)| !generated) {
            return self.refuse("DEFAULT VALUES in a table that has columns");
        }
        out.push(b'\n');
        self.end_of_statement()
    }

    /// `(1, 'a', NULL)`, as a row of COPY text.
    fn values(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        if self.order.values.is_empty() {
            self.ordered_values(out)?;
        } else {
            self.reordered_values(out)?;
        }
        out.push(b'\n');
        Ok(())
    }

    /// The values, each appended to `out` where it stands.
    fn ordered_values(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        let begin = out.len();
        self.expect(b'(')?;
        let mut first = true;
        for value in 0..self.order.places.len() {
            if value > 0 {
                self.expect(b',')?;
            }
            let kept = self.order.places[value].is_some();
            let before = out.len();
            if kept && !first {
                out.push(b'\t');
            }
            self.literal(out, begin, kept)?;
            if kept {
                first = false;
            } else {
                out.truncate(before);
            }
        }
        self.expect(b')')
    }

    /// The values, gathered first and then appended in the table's order.
    fn reordered_values(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        let mut gathered = std::mem::take(&mut self.unordered);
        gathered.clear();
        self.ends.clear();
        self.expect(b'(')?;
        for value in 0..self.order.places.len() {
            if value > 0 {
                self.expect(b',')?;
            }
            let before = gathered.len();
            let kept = self.order.places[value].is_some();
            self.literal(&mut gathered, 0, kept)?;
            if kept {
                self.ends.push(gathered.len());
            } else {
                gathered.truncate(before);
            }
        }
        self.expect(b')')?;
        for (place, &value) in self.order.values.iter().enumerate() {
            if place > 0 {
                out.push(b'\t');
            }
            let begin = if value == 0 { 0 } else { self.ends[value - 1] };
            out.extend_from_slice(&gathered[begin..self.ends[value]]);
        }
        if gathered.capacity() > self.size {
            gathered = Vec::new(); // one huge row should not be kept room for
        }
        self.unordered = gathered;
        Ok(())
    }

    /// Behind a value list: whether another one follows in the same statement.
    fn more_rows(&mut self) -> io::Result<bool> {
        self.skip_blanks()?;
        match self.source.peek()? {
            Some(b',') => {
                self.source.advance(1);
                Ok(true)
            }
            Some(b'O' | b'o') => {
                for word in ["ON", "CONFLICT", "DO", "NOTHING"] {
                    self.plain_keyword(word)?;
                }
                self.end_of_statement()?;
                Ok(false)
            }
            _ => {
                self.end_of_statement()?;
                Ok(false)
            }
        }
    }

    fn end_of_statement(&mut self) -> io::Result<()> {
        self.expect(b';')
    }

    fn expect(&mut self, wanted: u8) -> io::Result<()> {
        self.skip_blanks()?;
        match self.source.peek()? {
            Some(byte) if byte == wanted => {
                self.source.advance(1);
                Ok(())
            }
            Some(_) => self.refuse("there are not as many values as columns, or one is not a literal"),
            None => self.ends_early(),
        }
    }

    fn skip_blanks(&mut self) -> io::Result<()> {
        while self.source.peek()?.is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.source.advance(1);
        }
        Ok(())
    }

    /// Between two statements: blanks, `-- …` and `/* … */` (which SQL lets nest).
    fn skip_blanks_and_comments(&mut self) -> io::Result<()> {
        loop {
            self.skip_blanks()?;
            match self.source.peek()? {
                Some(b'-') => {
                    self.source.advance(1);
                    if self.source.next()? != Some(b'-') {
                        return self.refuse("it does not begin with INSERT");
                    }
                    while !matches!(self.source.next()?, None | Some(b'\n')) {}
                }
                Some(b'/') => {
                    self.source.advance(1);
                    if self.source.next()? != Some(b'*') {
                        return self.refuse("it does not begin with INSERT");
                    }
                    self.skip_block_comment()?;
                }
                _ => return Ok(()),
            }
        }
    }

    fn skip_block_comment(&mut self) -> io::Result<()> {
        let mut depth = 1u64;
        while depth > 0 {
            match (self.source.next()?, self.source.peek()?) {
                (Some(b'*'), Some(b'/')) => depth -= 1,
                (Some(b'/'), Some(b'*')) => depth += 1,
                (None, _) => return self.ends_early(),
                _ => continue,
            }
            self.source.advance(1);
        }
        Ok(())
    }

    /// A word between blanks, not of a statement's beginning.
    fn plain_keyword(&mut self, wanted: &str) -> io::Result<()> {
        self.skip_blanks()?;
        for expected in wanted.bytes() {
            match self.source.next()? {
                Some(byte) if byte.to_ascii_uppercase() == expected => {}
                _ => return self.refuse("something other than ON CONFLICT DO NOTHING follows the values"),
            }
        }
        Ok(())
    }

    fn check_length(&self, out: &[u8], begin: usize) -> io::Result<()> {
        if out.len() - begin > self.longest {
            return Err(RowError::RowTooLong.into());
        }
        Ok(())
    }

    fn ends_early<T>(&self) -> io::Result<T> {
        self.refuse("the text ends in the middle of it")
    }

    fn refuse<T>(&self, what: &'static str) -> io::Result<T> {
        Err(RowError::Insert { row: self.row, what }.into())
    }
}

#[cfg(test)]
mod tests;
