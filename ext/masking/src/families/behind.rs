//! What begins as the column's CHECKs ask (`whsec_`, say): the beginning stays, since it says nothing of anyone, and what
//! comes after it is masked.

use crate::entry::Fitting;
use crate::pseudonym::{Pseudonym, Work};
use crate::starts::starts;
use pg_dump_archive::copy::Row;

/// What a column's values begin with; nothing where that is open.
#[derive(Debug)]
pub(crate) struct Starts {
    texts: Vec<String>,
    /// The most characters that the column holds.
    limit: usize,
}

impl Fitting<'_> {
    /// What the values of the column have to begin with.
    pub(crate) fn starts(&self) -> Starts {
        let checks = self.ground.table.checks.get(&self.position);
        Starts {
            texts: checks.map(|checks| starts(checks)).unwrap_or_default(),
            limit: self.text().map_or(usize::MAX, |text| text.limit),
        }
    }
}

impl Starts {
    /// The characters of the longest.
    pub(crate) fn longest(&self) -> usize {
        self.texts
            .iter()
            .map(|text| text.chars().count())
            .max()
            .unwrap_or(0)
    }

    /// A regular expression of PostgreSQL's for them.
    pub(crate) fn pattern(&self) -> String {
        if self.texts.is_empty() {
            return String::new();
        }
        let texts: Vec<String> = self.texts.iter().map(|text| escaped(text)).collect();
        format!("(?:{})", texts.join("|"))
    }

    /// The mask for what comes after them.
    pub(crate) fn before<P: Pseudonym>(self, pseudonym: P) -> Behind<P> {
        Behind {
            starts: self,
            pseudonym,
        }
    }

    /// The length of what a value begins with.
    fn length_in(&self, value: &[u8]) -> Option<usize> {
        let is_start = |text: &&String| {
            let start = value.get(..text.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(text.as_bytes()))
        };
        self.texts.iter().filter(is_start).map(String::len).max()
    }
}

/// A text as a regular expression, letters in both cases.
fn escaped(text: &str) -> String {
    let mut pattern = String::new();
    for c in text.chars() {
        match c {
            c if c.is_ascii_alphabetic() => {
                pattern.extend(['[', c.to_ascii_lowercase(), c.to_ascii_uppercase(), ']']);
            }
            c if c.is_alphanumeric() || c == '_' || !c.is_ascii() => pattern.push(c),
            c => pattern.extend(['\\', c]),
        }
    }
    pattern
}

/// A mask for what comes after a column's beginnings.
#[derive(Debug)]
pub(crate) struct Behind<P> {
    starts: Starts,
    pseudonym: P,
}

impl<P: Pseudonym> Pseudonym for Behind<P> {
    fn write(&self, value: &[u8], row: &Row<'_>, work: &mut Work, out: &mut Vec<u8>) {
        let (Some(first), begin) = (self.starts.texts.first(), out.len()) else {
            return self.pseudonym.write(value, row, work, out);
        };
        let rest = match self.starts.length_in(value) {
            Some(length) => {
                out.extend_from_slice(&value[..length]);
                &value[length..]
            }
            // One that the CHECK takes for another reason, such as a value that it names.
            None => {
                out.extend_from_slice(first.as_bytes());
                value
            }
        };
        if !rest.is_empty() {
            self.pseudonym.write(rest, row, work, out);
        }
        if out.len() - begin > self.starts.limit {
            let written = String::from_utf8_lossy(&out[begin..]);
            let cut: String = written.chars().take(self.starts.limit).collect();
            out.truncate(begin);
            out.extend_from_slice(cut.as_bytes());
        }
    }

    fn has_form(&self, value: &[u8]) -> bool {
        if self.starts.texts.is_empty() {
            return self.pseudonym.has_form(value);
        }
        let rest = self.starts.length_in(value).map(|length| &value[length..]);
        rest.is_some_and(|rest| rest.is_empty() || self.pseudonym.has_form(rest))
    }

    fn fits(&self, written: &[u8]) -> bool {
        self.pseudonym.fits(written)
    }
}
