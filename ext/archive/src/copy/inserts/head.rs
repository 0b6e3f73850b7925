//! The beginning of an INSERT statement, up to VALUES: read once, remembered, and compared with the next one's.

use super::{Head, InsertRows, Order};
use std::io::{self, Read};

/// The longest beginning of a statement, up to VALUES, in bytes. A table has at most 1,600 columns, and the
/// name of one at most 63 bytes.
const MAX_HEAD: usize = 1024 * 1024;

impl<R: Read> InsertRows<R> {
    /// Reads `INSERT INTO …` up to VALUES, and sets the order of the values.
    pub(super) fn statement_head(&mut self) -> io::Result<Head> {
        if self.source.take_if_equal(&self.head)? {
            return Ok(Head::Values);
        }
        self.head.clear();
        self.keyword("INSERT")?;
        self.keyword("INTO")?;
        let mut named = vec![self.head_identifier()?];
        while self.head_peek()? == Some(b'.') {
            self.head_byte()?;
            named.push(self.head_identifier()?);
        }
        if !self.is_due(&named) {
            return self.refuse("it is an INSERT into another table");
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

    /// Whether a statement's table is the one that all have to name. What is not UTF-8 cannot be compared.
    fn is_due(&self, named: &[String]) -> bool {
        let Some((schema, name)) = &self.table else {
            return true;
        };
        let equals = |one: &str, other: &str| {
            one == other
                || one.contains(char::REPLACEMENT_CHARACTER)
                || other.contains(char::REPLACEMENT_CHARACTER)
        };
        match named {
            [own] => equals(own, name),
            [home, own] => equals(home, schema) && equals(own, name),
            _ => false,
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
                return self.refuse("it names a column that the table does not have");
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

    fn head_byte(&mut self) -> io::Result<u8> {
        if self.head.len() >= MAX_HEAD {
            return self.refuse("its values are missing");
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
}

/// What an identifier without quotes consists of; bytes above ASCII are letters to PostgreSQL.
fn is_identifier_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || !byte.is_ascii()
}
