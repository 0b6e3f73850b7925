//! One pass over a document, which writes it again with its values masked.

use super::path::{further, is_complete, Place, Taken, START};
use super::{Becomes, Json};
use crate::families::json_syntax::{escape, is_number, unescape, DEEPEST};
use crate::pseudonym::Work;
use pg_dump_archive::copy::Row;

/// One pass over one document.
pub(super) struct Walk<'a> {
    json: &'a Json,
    input: &'a [u8],
    at: usize,
    row: &'a Row<'a>,
    /// Per depth and path: how far it has been followed.
    states: Vec<Taken>,
    /// The key that was read last.
    key: Vec<u8>,
    work: &'a mut Work,
}

/// What is wrong with a document.
struct NotJson;

impl<'a> Walk<'a> {
    /// Writes a document, masked; false when it is no JSON.
    pub(super) fn masked(
        json: &'a Json,
        input: &'a [u8],
        row: &'a Row<'a>,
        work: &'a mut Work,
        out: &mut Vec<u8>,
    ) -> bool {
        let mut states = std::mem::take(&mut work.states);
        states.clear();
        states.resize(json.paths.len(), START);
        let mut walk = Walk {
            json,
            input,
            at: 0,
            row,
            states,
            key: std::mem::take(&mut work.third),
            work,
        };
        let walked = walk.value(0, None, out);
        walk.copy_blanks(out);
        let is_json = walked.is_ok() && walk.at == input.len();
        let Walk {
            states, key, work, ..
        } = walk;
        (work.states, work.third) = (states, key);
        is_json
    }

    fn peek(&self) -> u8 {
        self.input.get(self.at).copied().unwrap_or(0)
    }

    fn copy_blanks(&mut self, out: &mut Vec<u8>) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            out.push(self.peek());
            self.at += 1;
        }
    }

    /// The bytes of a string between its quotes, as they are.
    fn string(&mut self) -> Result<&'a [u8], NotJson> {
        if self.peek() != b'"' {
            return Err(NotJson);
        }
        let start = self.at + 1;
        let mut at = start;
        loop {
            match self.input.get(at) {
                None => return Err(NotJson),
                Some(b'"') => break,
                Some(b'\\') => at += 2,
                Some(_) => at += 1,
            }
        }
        self.at = at + 1;
        self.input.get(start..at).ok_or(NotJson)
    }

    /// Passes over a value without looking into it.
    fn skip(&mut self) -> Result<(), NotJson> {
        let mut depth = 0usize;
        loop {
            match self.peek() {
                b'"' => {
                    self.string()?;
                }
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1).ok_or(NotJson)?;
                    self.at += 1;
                }
                0 if self.at >= self.input.len() => return Err(NotJson),
                _ => self.at += 1,
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Writes the value here. `mask` is the one for everything above it, if there is one.
    fn value(&mut self, depth: usize, mask: Option<usize>, out: &mut Vec<u8>) -> Result<(), NotJson> {
        self.copy_blanks(out);
        let count = self.json.paths.len();
        let states = &self.states[depth * count..];
        let found = self
            .json
            .paths
            .iter()
            .zip(states)
            .position(|((steps, _), taken)| is_complete(steps, *taken));
        let mask = found.or(mask);
        match self.peek() {
            open @ (b'{' | b'[') if depth >= DEEPEST => {
                let _ = open;
                self.skip()?;
                out.extend_from_slice(b"null");
            }
            b'{' => self.container(true, depth, mask, out)?,
            b'[' => self.container(false, depth, mask, out)?,
            _ => self.scalar(mask, out)?,
        }
        Ok(())
    }

    fn container(
        &mut self,
        is_object: bool,
        depth: usize,
        mask: Option<usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), NotJson> {
        let close = if is_object { b'}' } else { b']' };
        out.push(self.peek());
        self.at += 1;
        let mut index = 0;
        loop {
            self.copy_blanks(out);
            match self.peek() {
                byte if byte == close => {
                    out.push(close);
                    self.at += 1;
                    return Ok(());
                }
                b',' if index > 0 => {
                    out.push(b',');
                    self.at += 1;
                    self.copy_blanks(out);
                }
                _ if index == 0 => {}
                _ => return Err(NotJson),
            }
            let mut own = mask;
            if is_object {
                let raw = self.string()?;
                out.push(b'"');
                out.extend_from_slice(raw);
                out.push(b'"');
                self.key.clear();
                unescape(raw, &mut self.key);
                self.copy_blanks(out);
                if self.peek() != b':' {
                    return Err(NotJson);
                }
                out.push(b':');
                self.at += 1;
                own = self.by_key(mask);
            }
            self.step(depth, is_object, index);
            self.value(depth + 1, own, out)?;
            index += 1;
        }
    }

    /// The mask of the key that was read last, unless a path has one for all that it leads to.
    fn by_key(&mut self, mask: Option<usize>) -> Option<usize> {
        let paths = self.json.paths.len();
        let leaves = self.json.leaves.as_ref();
        let own = leaves.filter(|_| mask.is_none_or(|mask| mask >= paths));
        let own = own.and_then(|leaves| leaves.of_key(&self.key, self.work));
        own.map(|place| paths + place).or(mask)
    }

    /// How far each path has been followed, at a key or an item.
    fn step(&mut self, depth: usize, is_object: bool, index: usize) {
        let count = self.json.paths.len();
        self.states.truncate((depth + 1) * count);
        for (number, (steps, _)) in self.json.paths.iter().enumerate() {
            let place = match is_object {
                true => Place::Key(&self.key),
                false => Place::Item(index),
            };
            let next = further(steps, self.states[depth * count + number], &place);
            self.states.push(next);
        }
    }

    fn scalar(&mut self, mask: Option<usize>, out: &mut Vec<u8>) -> Result<(), NotJson> {
        let mut decoded = std::mem::take(&mut self.work.first);
        decoded.clear();
        let is_string = self.peek() == b'"';
        let start = self.at;
        if is_string {
            unescape(self.string()?, &mut decoded);
        } else {
            while !matches!(self.peek(), b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r' | 0) {
                self.at += 1;
            }
            decoded.extend_from_slice(&self.input[start..self.at]);
            if !matches!(&decoded[..], b"null" | b"true" | b"false") && !is_number(&decoded) {
                self.work.first = decoded;
                return Err(NotJson);
            }
        }
        let raw = &self.input[start..self.at];
        let is_null = !is_string && decoded == b"null";
        match self.json.inner(mask, &decoded, is_string) {
            Becomes::Null => out.extend_from_slice(b"null"),
            Becomes::Masked(inner) if inner.is_null() => out.extend_from_slice(b"null"),
            Becomes::Masked(inner) if !decoded.is_empty() && !is_null => {
                let mut written = std::mem::take(&mut self.work.second);
                written.clear();
                inner.write(&decoded, self.row, self.work, &mut written);
                if !is_string && is_number(&written) {
                    out.extend_from_slice(&written);
                } else {
                    out.push(b'"');
                    escape(&written, out);
                    out.push(b'"');
                }
                self.work.second = written;
            }
            _ => out.extend_from_slice(raw),
        }
        self.work.first = decoded;
        Ok(())
    }
}
