//! The rows of INSERT statements as pg_dump writes them, turned into COPY text.
//!
//! This is a reader of pg_dump's own output (`dumpTableData_insert` in `pg_dump.c`), not of SQL: a VALUES list
//! holds literals only, and anything else is an error. The statements are never sent to a server.

use super::error::RowError;
use super::field::{encode, needs_escape};
use super::MAX_ROW;
use std::io::{self, Read};

/// How much is read from the reader at once.
const BUFFER: usize = 64 * 1024;

/// The longest beginning of a statement, up to VALUES, in bytes. A table has at most 1,600 columns, and the
/// name of one at most 63 bytes.
const MAX_HEAD: usize = 1024 * 1024;

/// A source of rows in COPY text, in pieces of whole rows, over the statements of `pg_dump --inserts`,
/// `--column-inserts` or `--rows-per-insert`.
///
/// `INSERT INTO t [(columns)] [OVERRIDING SYSTEM VALUE] VALUES (…), (…) [ON CONFLICT DO NOTHING];`, and
/// `INSERT INTO t DEFAULT VALUES;` for a row without columns. The rows come out as COPY TO would have
/// written them: generated columns left out, the others in the table's order whatever the statement's.
///
/// ```
/// use staging_sync_engine::copy::InsertRows;
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
    source: Source<R>,
    size: usize,
    columns: Vec<(String, bool)>,
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
            source: Source {
                reader,
                buffer: vec![0; BUFFER],
                start: 0,
                end: 0,
            },
            size: size.max(1),
            columns: columns.to_vec(),
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
    /// tells: then a backslash in a plain literal is an escape. Without it a backslash is a backslash.
    pub fn with_backslash_escapes(mut self) -> Self {
        self.backslash_escapes = true;
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

    /// Reads `INSERT INTO …` up to VALUES, and sets the order of the values.
    fn statement_head(&mut self) -> io::Result<Head> {
        if self.source.take_if_equal(&self.head)? {
            return Ok(Head::Values);
        }
        self.head.clear();
        self.keyword("INSERT")?;
        self.keyword("INTO")?;
        self.head_identifier()?;
        while self.head_peek()? == Some(b'.') {
            self.head_byte()?;
            self.head_identifier()?;
        }
        let names = if self.head_peek()? == Some(b'(') {
            Some(self.column_list()?)
        } else {
            None
        };
        let mut word = self.head_word()?;
        if word == "OVERRIDING" {
            self.keyword("SYSTEM")?;
            self.keyword("VALUE")?;
            word = self.head_word()?;
        }
        match word.as_str() {
            "VALUES" => {
                self.order = self.order_of(names.as_deref())?;
                Ok(Head::Values)
            }
            "DEFAULT" => {
                self.keyword("VALUES")?;
                self.head.clear(); // it ends like another statement's beginning, but is none
                Ok(Head::DefaultValues)
            }
            _ => self.refuse("VALUES is missing"),
        }
    }

    /// `(a, "b")`
    fn column_list(&mut self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        self.head_byte()?;
        loop {
            names.push(self.head_identifier()?);
            match self.head_peek()? {
                Some(b',') => self.head_byte()?,
                Some(b')') => {
                    self.head_byte()?;
                    return Ok(names);
                }
                _ => return self.refuse("the list of columns does not end"),
            };
        }
    }

    /// Where each value of a statement goes that names these columns, or none.
    fn order_of(&self, names: Option<&[String]>) -> io::Result<Order> {
        let mut next_place = 0;
        let places: Vec<Option<usize>> = self
            .columns
            .iter()
            .map(|(_, generated)| {
                (!generated).then(|| {
                    next_place += 1;
                    next_place - 1
                })
            })
            .collect();
        let Some(names) = names else {
            return Ok(Order {
                places,
                values: Vec::new(),
            });
        };
        let mut order = Order {
            places: Vec::with_capacity(names.len()),
            values: vec![usize::MAX; next_place],
        };
        for name in names {
            let Some(column) = self.columns.iter().position(|(known, _)| known == name) else {
                return self.refuse("it names a column that the table has not");
            };
            if let Some(place) = places[column] {
                if order.values[place] != usize::MAX {
                    return self.refuse("it names a column twice");
                }
                order.values[place] = order.places.iter().flatten().count();
            }
            order.places.push(places[column]);
        }
        if order.values.contains(&usize::MAX) {
            return self.refuse("it leaves out a column of the table");
        }
        if order.values.is_sorted() {
            order.values.clear();
        }
        Ok(order)
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

    /// One literal, appended as a field of COPY text. `begin` is where its row begins in `out`; DEFAULT is for
    /// columns that are not kept.
    fn literal(&mut self, out: &mut Vec<u8>, begin: usize, kept: bool) -> io::Result<()> {
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
                return self.refuse("a value is no literal");
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
            _ => return self.refuse("a value is no literal"),
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
            self.refuse("a value is no literal")
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
                        return self.refuse("a bit string holds something else than its digits");
                    };
                    out.extend((0..each).rev().map(|bit| b'0' + (digit >> bit & 1) as u8));
                    self.check_length(out, begin)?;
                }
                None => return self.ends_early(),
            }
        }
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
            Some(_) => self.refuse("the values are not as many as the columns, or one is no literal"),
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
                _ => return self.refuse("something else than ON CONFLICT DO NOTHING follows the values"),
            }
        }
        Ok(())
    }

    // What follows reads a statement's beginning and remembers it in `head`.

    fn head_byte(&mut self) -> io::Result<u8> {
        if self.head.len() >= MAX_HEAD {
            return self.refuse("it does not come to its values");
        }
        match self.source.next()? {
            Some(byte) => {
                self.head.push(byte);
                Ok(byte)
            }
            None => self.ends_early(),
        }
    }

    /// The next byte that is not blank, which stays.
    fn head_peek(&mut self) -> io::Result<Option<u8>> {
        while self.source.peek()?.is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.head_byte()?;
        }
        self.source.peek()
    }

    /// A word in upper case; empty when none stands here.
    fn head_word(&mut self) -> io::Result<String> {
        self.head_peek()?;
        let mut word = String::new();
        while self.source.peek()?.is_some_and(|byte| byte.is_ascii_alphabetic()) {
            word.push(char::from(self.head_byte()?.to_ascii_uppercase()));
        }
        Ok(word)
    }

    fn keyword(&mut self, wanted: &str) -> io::Result<()> {
        if self.head_word()? == wanted {
            Ok(())
        } else {
            self.refuse("it does not begin with INSERT INTO, or not as pg_dump writes it")
        }
    }

    /// A name, quoted or not; one that is not is folded to lower case.
    fn head_identifier(&mut self) -> io::Result<String> {
        let mut name = Vec::new();
        if self.head_peek()? == Some(b'"') {
            self.head_byte()?;
            loop {
                match self.head_byte()? {
                    b'"' if self.source.peek()? == Some(b'"') => name.push(self.head_byte()?),
                    b'"' => break,
                    byte => name.push(byte),
                }
            }
        } else {
            while self.source.peek()?.is_some_and(is_identifier_byte) {
                name.push(self.head_byte()?.to_ascii_lowercase());
            }
            if name.is_empty() {
                return self.refuse("a name is missing");
            }
        }
        // A name in another encoding finds no column and is refused there.
        Ok(String::from_utf8_lossy(&name).into_owned())
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

/// What an identifier without quotes consists of; bytes above ASCII are letters to PostgreSQL.
fn is_identifier_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || !byte.is_ascii()
}

/// A reader whose next bytes can be looked at.
struct Source<R> {
    reader: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl<R: Read> Source<R> {
    /// The bytes at hand, empty only at the reader's end.
    fn fill(&mut self) -> io::Result<&[u8]> {
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
    fn take_if_equal(&mut self, text: &[u8]) -> io::Result<bool> {
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

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.fill()?.first().copied())
    }

    fn next(&mut self) -> io::Result<Option<u8>> {
        let byte = self.peek()?;
        if byte.is_some() {
            self.advance(1);
        }
        Ok(byte)
    }

    /// Marks as read what was looked at.
    fn advance(&mut self, count: usize) {
        self.start += count;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn columns(names: &[&str]) -> Vec<(String, bool)> {
        // A star marks a generated column.
        names
            .iter()
            .map(|name| (name.replace('*', ""), name.contains('*')))
            .collect()
    }

    /// Gives one byte at a time, so that every boundary is met.
    struct Drops<'a>(&'a [u8]);

    impl Read for Drops<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let (Some((&first, rest)), Some(slot)) = (self.0.split_first(), out.first_mut()) else {
                return Ok(0);
            };
            *slot = first;
            self.0 = rest;
            Ok(1)
        }
    }

    fn all<R: Read>(mut source: InsertRows<R>) -> io::Result<Vec<u8>> {
        let (mut rows, mut piece) = (Vec::new(), b"left over".to_vec());
        while source.next(&mut piece)? {
            assert!(piece.ends_with(b"\n"));
            rows.extend_from_slice(&piece);
        }
        Ok(rows)
    }

    fn rows_of(statements: &str, names: &[&str]) -> io::Result<String> {
        let columns = columns(names);
        let at_once = all(InsertRows::new(statements.as_bytes(), 16, &columns))?;
        let in_drops = all(InsertRows::new(Drops(statements.as_bytes()), 1, &columns))?;
        assert_eq!(at_once, in_drops);
        Ok(String::from_utf8(at_once).unwrap())
    }

    fn refusal(statements: &str, names: &[&str]) -> (u64, &'static str) {
        match rows_of(statements, names)
            .unwrap_err()
            .downcast::<RowError>()
            .unwrap()
        {
            RowError::Insert { row, what } => (row, what),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn each_literal_becomes_what_copy_writes() {
        for (literal, field) in [
            ("NULL", "\\N"),
            ("true", "t"),
            ("false", "f"),
            ("1", "1"),
            ("-1.5e-7", "-1.5e-7"),
            ("'NaN'", "NaN"),
            ("''", ""),
            ("'it''s'", "it's"),
            ("''''", "'"),
            ("'a\tb\nc\\d\re'", "a\\tb\\nc\\\\d\\re"),
            ("'\\N'", "\\\\N"),
            ("'), (''; -- \"x'", "), ('; -- \"x"),
            ("'é日😀'", "é日😀"),
            (
                "E'a\\tb\\\\c\\'d''e\\x41\\101\\u00e9\\U0001F600\\q'",
                "a\\tb\\\\c'd'eAAé😀q",
            ),
            ("E'\\ud83d\\ude00'", "😀"),
            ("B'0101'", "0101"),
            ("B''", ""),
            ("X'5F'", "01011111"),
        ] {
            let statement = format!("INSERT INTO public.t VALUES ({literal}, 0);\n");
            assert_eq!(
                rows_of(&statement, &["a", "b"]).unwrap(),
                format!("{field}\t0\n"),
                "{literal}"
            );
        }
    }

    #[test]
    fn every_form_of_statement_that_pg_dump_writes_is_read() {
        for statements in [
            "INSERT INTO public.t VALUES (1, 'a');\nINSERT INTO public.t VALUES (2, 'b');\n\n\n",
            "INSERT INTO public.t VALUES\n\t(1, 'a'),\n\t(2, 'b');\n",
            "INSERT INTO \"odd.\"\"na(me\".\"VALUES\" (id, \"na\"\"me\") VALUES (1, 'a'), (2, 'b');\n",
            "INSERT INTO t (id, \"na\"\"me\") OVERRIDING SYSTEM VALUE VALUES (1, 'a'), (2, 'b') ON CONFLICT DO NOTHING;",
            "INSERT INTO t OVERRIDING SYSTEM VALUE VALUES (1, 'a') ON CONFLICT DO NOTHING;\n\
             INSERT INTO t OVERRIDING SYSTEM VALUE VALUES (2, 'b') ON CONFLICT DO NOTHING;\n",
            "-- a comment; INSERT\n\n/* another /* within */ one */ insert into T (ID, \"na\"\"me\") values (1, 'a');\n\
             --\nINSERT INTO t VALUES (2, 'b');",
        ] {
            assert_eq!(rows_of(statements, &["id", "na\"me"]).unwrap(), "1\ta\n2\tb\n", "{statements}");
        }
    }

    #[test]
    fn generated_columns_are_dropped() {
        let names = ["*first", "id", "*twice", "name", "*last"];
        let statements = "INSERT INTO t VALUES (DEFAULT, 1, DEFAULT, 'a', DEFAULT);\n\
                          INSERT INTO t VALUES ('not default', NULL, 2, 'b', NULL);\n";
        assert_eq!(rows_of(statements, &names).unwrap(), "1\ta\n\\N\tb\n");
        let statements = "INSERT INTO t (id, name) VALUES (1, 'a');\n";
        assert_eq!(rows_of(statements, &names).unwrap(), "1\ta\n");
        assert_eq!(
            rows_of("INSERT INTO t VALUES (DEFAULT);\n", &["*only"]).unwrap(),
            "\n"
        );
    }

    #[test]
    fn values_come_out_in_the_tables_order_whatever_the_statements() {
        let statements =
            "INSERT INTO t (c, g, a, b) VALUES ('x', DEFAULT, 1, NULL), ('y\t', DEFAULT, 2, 'z');\n\
                          INSERT INTO t (b, c, a) VALUES ('q', '', 3);\n\
                          INSERT INTO t (a, b, c) VALUES (4, '5', '6');\n";
        let rows = rows_of(statements, &["a", "b", "*g", "c"]).unwrap();
        assert_eq!(rows, "1\t\\N\tx\n2\tz\ty\\t\n3\tq\t\n4\t5\t6\n");
    }

    #[test]
    fn a_table_without_columns_has_blank_lines() {
        let statements = "INSERT INTO public.t DEFAULT VALUES;\nINSERT INTO public.t DEFAULT VALUES;\n\n";
        assert_eq!(rows_of(statements, &[]).unwrap(), "\n\n");
        assert_eq!(
            refusal(statements, &["a"]).1,
            "DEFAULT VALUES in a table that has columns"
        );
    }

    #[test]
    fn a_table_without_rows_gives_no_piece() {
        for nothing in ["", "\n\n", "-- nothing\n", "-- nothing"] {
            assert_eq!(rows_of(nothing, &["a"]).unwrap(), "");
        }
    }

    #[test]
    fn anything_else_than_literals_in_inserts_is_refused() {
        let names = &["a", "b"];
        for statements in [
            "DELETE FROM t;",
            "INSERT INTO t VALUES (now(), 1);",
            "INSERT INTO t VALUES (1 + 1, 1);",
            "INSERT INTO t VALUES ('a'::text, 1);",
            "INSERT INTO t VALUES (1);",
            "INSERT INTO t VALUES (1, 2, 3);",
            "INSERT INTO t VALUES (, 2);",
            "INSERT INTO t VALUES (DEFAULT, 2);",
            "INSERT INTO t VALUES (-, 2);",
            "INSERT INTO t VALUES (B'012', 2);",
            "INSERT INTO t VALUES (E'\\ud83d', 2);",
            "INSERT INTO t VALUES (E'\\u12', 2);",
            "INSERT INTO t VALUES (1, 2) RETURNING a;",
            "INSERT INTO t VALUES (1, 2) ON CONFLICT DO UPDATE SET a = 1;",
            "INSERT INTO t (a) VALUES (1);",
            "INSERT INTO t (a, a, b) VALUES (1, 1, 2);",
            "INSERT INTO t (a, b, c) VALUES (1, 2, 3);",
            "INSERT INTO t SELECT 1, 2;",
            "INSERT t VALUES (1, 2);",
            "INSERT INTO VALUES (1, 2);",
            "- INSERT INTO t VALUES (1, 2);",
            "/ INSERT INTO t VALUES (1, 2);",
        ] {
            refusal(statements, names);
        }
    }

    #[test]
    fn statements_cut_off_anywhere_are_refused_with_the_row() {
        let statements = "INSERT INTO t (a, \"b\") VALUES (1, 'x'), (NULL, E'\\x41') ON CONFLICT DO NOTHING;";
        for end in 1..statements.len() {
            refusal(&statements[..end], &["a", "b"]);
        }
        assert_eq!(refusal(&statements[..42], &["a", "b"]).0, 2);
    }

    #[test]
    fn a_refusal_quotes_no_value() {
        let error = rows_of("INSERT INTO t VALUES ('secret' || 'secret');", &["a"]).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn backslashes_are_escapes_when_the_archive_says_so() {
        let statements = &b"INSERT INTO t VALUES ('a\\\\b\\'c');\n"[..];
        let rows = all(InsertRows::new(statements, 16, &columns(&["a"])).with_backslash_escapes()).unwrap();
        assert_eq!(rows, b"a\\\\b'c\n");
    }

    #[test]
    fn a_string_without_an_end_does_not_fill_the_memory() {
        let endless = Read::chain(&b"INSERT INTO t VALUES ('"[..], io::repeat(b'a'));
        let mut source = InsertRows::new(endless, 1_000, &columns(&["a"]));
        source.longest = 100_000;
        let error = source.next(&mut Vec::new()).unwrap_err();
        assert_eq!(error.downcast::<RowError>().unwrap(), RowError::RowTooLong);
        let mut source = InsertRows::new(
            Read::chain(&b"INSERT INTO "[..], io::repeat(b'a')),
            1_000,
            &columns(&["a"]),
        );
        assert!(source.next(&mut Vec::new()).is_err());
    }

    #[test]
    fn a_statement_whose_beginning_is_longer_than_the_buffer_is_read() {
        let name = "n".repeat(BUFFER);
        let statement = format!("INSERT INTO t (\"{name}\") VALUES (1);\n");
        assert_eq!(rows_of(&statement.repeat(3), &[&name]).unwrap(), "1\n1\n1\n");
    }

    proptest! {
        #[test]
        fn any_text_comes_through_a_literal_unchanged(
            values in proptest::collection::vec(proptest::option::of(".*"), 1..20),
        ) {
            let mut statements = String::new();
            let mut expected = Vec::new();
            for value in &values {
                let literal = value.as_ref().map_or("NULL".to_owned(), |text| format!("'{}'", text.replace('\'', "''")));
                statements.push_str(&format!("INSERT INTO t VALUES ({literal}, 7);\n"));
                encode(value.as_ref().map(|text| text.as_bytes()), &mut expected);
                expected.extend_from_slice(b"\t7\n");
            }
            prop_assert_eq!(rows_of(&statements, &["a", "b"]).unwrap().into_bytes(), expected);
        }

        #[test]
        fn no_text_makes_it_panic(text in "(INSERT|INTO|VALUES|t|,|'|\\(|\\)|E'|\\\\|u|x|;|-|/|\\*|\"| |1|\n|.){0,40}") {
            let _ = all(InsertRows::new(text.as_bytes(), 16, &columns(&["a", "*b"])));
            let begun = format!("INSERT INTO t VALUES ({text}");
            let _ = all(InsertRows::new(begun.as_bytes(), 16, &columns(&["a", "*b"])));
        }
    }
}
