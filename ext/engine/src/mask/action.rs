//! What runs for each value: a mask fitted to one column. No allocation, no decision that could be made earlier.

use super::append::{append_start, Fixed, CHUNK};
use super::catalogue::recipe::{Custom, CustomScratch};
use super::hold;
use super::keep::Keep;
use super::key::Function;
use super::Check;
use crate::copy;
pub(super) use crate::copy::Row;
use md5::{Digest, Md5};
use std::sync::Arc;

/// Buffers that live as long as the worker.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    decoded: Vec<u8>,
    folded: Vec<u8>,
    address: LastAddress,
    custom: CustomScratch,
    /// What [`hold`] works with.
    pub(super) held: hold::Held,
}

/// The address that was masked last: a row's MD5 is of its pseudonym too.
#[derive(Debug, Default)]
struct LastAddress {
    /// The place of its column; None: there was none yet.
    column: Option<usize>,
    raw: Vec<u8>,
    pseudonym: Vec<u8>,
}

/// What became of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    Masked,
    /// Left alone, by `keep`.
    Kept,
}

/// A pseudonym does not fit its column.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DoesNotFit {
    /// It would be longer than the column, and cutting it would make it repeat itself.
    Long,
    /// None was found that the CHECK of this place among its column's takes.
    Check(usize),
}

/// A mask fitted to one column.
#[derive(Debug)]
pub(super) enum Action {
    Email(EmailPseudonym),
    EmailMd5(EmailMd5),
    Fixed(Fixed),
    Numbered(Numbered),
    Distinct {
        function: Function,
        form: DistinctForm,
    },
    Custom(Custom),
    Keeping {
        keep: Arc<Keep>,
        action: Box<Action>,
    },
    Holding {
        checks: Arc<[Check]>,
        action: Box<Action>,
    },
}

impl Action {
    /// Appends the masked form of `raw`, which is not NULL, as a COPY field.
    pub(super) fn write(
        &self,
        row: &Row<'_>,
        raw: &[u8],
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<Done, DoesNotFit> {
        match self {
            Action::Email(email) => email.write(raw, scratch, out),
            Action::EmailMd5(md5) => md5.write(row, raw, scratch, out),
            Action::Fixed(fixed) => fixed.append_to(out),
            Action::Numbered(numbered) => numbered.write(row, raw, &mut scratch.decoded, out)?,
            Action::Distinct { function, form } => {
                form.write(&function.digest(decoded(raw, &mut scratch.decoded)), out);
            }
            Action::Custom(custom) => custom.write(row, raw, &mut scratch.custom, out)?,
            Action::Keeping { keep, action } => {
                if keep.keeps(raw, &mut scratch.decoded) {
                    out.extend_from_slice(raw);
                    return Ok(Done::Kept);
                }
                return action.write(row, raw, scratch, out);
            }
            Action::Holding { checks, action } => return hold::write(checks, action, row, raw, scratch, out),
        }
        Ok(Done::Masked)
    }

    /// The name of the CHECK of this place.
    pub(super) fn check(&self, place: usize) -> &str {
        match self {
            Action::Holding { checks, .. } => checks.get(place).map_or("", |check| &check.name),
            _ => "",
        }
    }

    /// Whether a written field has the mask's form.
    pub(super) fn has_form(&self, field: &[u8], scratch: &mut Scratch) -> bool {
        match self {
            Action::Email(email) => email.has_form(field),
            Action::EmailMd5(md5) => md5.form.has_form(field),
            Action::Fixed(fixed) => fixed.is(field),
            Action::Numbered(numbered) => numbered.has_form(field),
            Action::Distinct { form, .. } => form.has_form(field),
            Action::Custom(custom) => custom.has_form(field, &mut scratch.custom),
            Action::Keeping { action, .. } | Action::Holding { action, .. } => {
                action.has_form(field, scratch)
            }
        }
    }
}

/// The value of a field that is not NULL.
fn decoded<'a>(raw: &'a [u8], scratch: &'a mut Vec<u8>) -> &'a [u8] {
    copy::decode(raw, scratch).unwrap_or_default()
}

/// How many hex digits of the digest an address shows: 80 bits.
pub(super) const EMAIL_DIGITS: usize = 20;

/// `<20 hex digits>@<domain>`.
#[derive(Debug)]
pub(super) struct EmailPseudonym {
    /// The place of the column whose addresses they are.
    pub(super) column: usize,
    pub(super) function: Function,
    /// Take addresses that differ only in case for the same.
    pub(super) fold_case: bool,
    /// The column is `character(n)`, whose trailing blanks do not count.
    pub(super) padded: bool,
    /// `@` and the domain.
    pub(super) suffix: Fixed,
    /// The row's MD5 will be asked for it too.
    pub(super) is_remembered: bool,
}

impl EmailPseudonym {
    /// Appends the pseudonym of a field.
    fn write(&self, raw: &[u8], scratch: &mut Scratch, out: &mut Vec<u8>) {
        if self.is_remembered {
            out.extend_from_slice(self.remembered(raw, scratch));
        } else {
            self.make(raw, &mut scratch.decoded, &mut scratch.folded, out);
        }
    }

    /// The pseudonym of a field, which may be the one that was made last.
    fn remembered<'s>(&self, raw: &[u8], scratch: &'s mut Scratch) -> &'s [u8] {
        let last = &mut scratch.address;
        if last.column == Some(self.column) && last.raw == raw {
            return &last.pseudonym;
        }
        last.column = Some(self.column);
        last.raw.clear();
        last.raw.extend_from_slice(raw);
        last.pseudonym.clear();
        self.make(
            raw,
            &mut scratch.decoded,
            &mut scratch.folded,
            &mut last.pseudonym,
        );
        &last.pseudonym
    }

    /// Appends the pseudonym of a field. An empty address stays empty: it says nothing, and code that asks for blank
    /// ones goes on working.
    fn make(&self, raw: &[u8], unescaped: &mut Vec<u8>, folded: &mut Vec<u8>, out: &mut Vec<u8>) {
        let mut address = decoded(raw, unescaped);
        if self.padded {
            address = without_padding(address);
        }
        if address.is_empty() {
            return;
        }
        if self.fold_case {
            fold_case(address, folded);
            address = folded;
        }
        write_hex(&self.function.digest(address), EMAIL_DIGITS, out);
        self.suffix.append_to(out);
    }

    fn has_form(&self, field: &[u8]) -> bool {
        field.is_empty()
            || field
                .split_at_checked(EMAIL_DIGITS)
                .is_some_and(|(digits, suffix)| self.suffix.is(suffix) && is_hex(digits))
    }
}

/// A value of `character(n)` without the blanks that PostgreSQL pads it with.
fn without_padding(value: &[u8]) -> &[u8] {
    let length = value
        .iter()
        .rposition(|byte| *byte != b' ')
        .map_or(0, |last| last + 1);
    &value[..length]
}

/// Lower case as Unicode has it; text in another encoding than UTF-8 is folded in its ASCII letters only.
pub(super) fn fold_case(text: &[u8], folded: &mut Vec<u8>) {
    folded.clear();
    if text.is_ascii() {
        folded.extend(text.iter().map(u8::to_ascii_lowercase));
        return;
    }
    match std::str::from_utf8(text) {
        Ok(text) => {
            let mut buffer = [0; 4];
            for c in text.chars().flat_map(char::to_lowercase) {
                folded.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
            }
        }
        Err(_) => folded.extend(text.iter().map(u8::to_ascii_lowercase)),
    }
}

/// The MD5 of the row's new address, or, where the row has none, a keyed digest of the old MD5.
#[derive(Debug)]
pub(super) struct EmailMd5 {
    /// The row's e-mail column and its mask.
    pub(super) email: Option<(usize, EmailPseudonym)>,
    /// Addresses that the row keeps.
    pub(super) keep: Option<Arc<Keep>>,
    pub(super) function: Function,
    pub(super) form: DistinctForm,
}

impl EmailMd5 {
    fn write(&self, row: &Row<'_>, raw: &[u8], scratch: &mut Scratch, out: &mut Vec<u8>) {
        if let Some((position, email)) = &self.email {
            let address = row.field(*position);
            if address != b"\\N" {
                let is_kept = |keep: &Arc<Keep>| keep.keeps(address, &mut scratch.decoded);
                let is_kept = self.keep.as_ref().is_some_and(is_kept);
                let address = if is_kept {
                    decoded(address, &mut scratch.decoded)
                } else {
                    email.remembered(address, scratch)
                };
                self.form.write(&Md5::digest(address), out);
                return;
            }
        }
        self.form
            .write(&self.function.digest(decoded(raw, &mut scratch.decoded)), out);
    }
}

/// How a digest is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DistinctForm {
    /// This many hex digits, at most 32.
    Hex(usize),
    /// The digest's bytes as they are, grouped as a UUID.
    PlainUuid,
    /// A random-looking (version 4) UUID.
    Uuid,
    /// A number of this many digits, at most 38.
    Digits(usize),
    /// Sixteen bytes, as COPY takes a bytea: `\\x…`.
    Bytes,
}

impl DistinctForm {
    fn write(&self, digest: &[u8], out: &mut Vec<u8>) {
        match self {
            DistinctForm::Hex(length) => write_hex(digest, *length, out),
            DistinctForm::PlainUuid => write_uuid(first_16(digest), out),
            DistinctForm::Uuid => {
                let mut bytes = first_16(digest);
                bytes[6] = bytes[6] & 0x0f | 0x40;
                bytes[8] = bytes[8] & 0x3f | 0x80;
                write_uuid(bytes, out);
            }
            DistinctForm::Digits(length) => write_digits(first_u128(digest), *length, out),
            DistinctForm::Bytes => {
                out.extend_from_slice(b"\\\\x");
                write_hex(digest, 32, out);
            }
        }
    }

    fn has_form(&self, field: &[u8]) -> bool {
        match self {
            DistinctForm::Hex(length) => field.len() == *length && is_hex(field),
            DistinctForm::PlainUuid | DistinctForm::Uuid => {
                field.len() == 36
                    && field.iter().enumerate().all(|(at, byte)| match at {
                        8 | 13 | 18 | 23 => *byte == b'-',
                        14 if *self == DistinctForm::Uuid => *byte == b'4',
                        _ => is_hex(&[*byte]),
                    })
            }
            DistinctForm::Digits(length) => field.len() == *length && field.iter().all(u8::is_ascii_digit),
            DistinctForm::Bytes => field.len() == 35 && field.starts_with(b"\\\\x") && is_hex(&field[3..]),
        }
    }
}

/// A prefix and the digits of an id: names and phone numbers.
#[derive(Debug)]
pub(super) struct Numbered {
    pub(super) prefix: Fixed,
    /// Where the id comes from: the first that is not NULL.
    pub(super) ids: Vec<IdSource>,
    pub(super) function: Function,
    /// Digits are padded with zeros to this length: 7 for phone numbers, 0 for names.
    pub(super) pad: usize,
    /// The whole is cut to this length, where it may repeat itself.
    pub(super) limit: Option<usize>,
    /// Where it may not.
    pub(super) distinct: Option<DistinctIds>,
    /// An empty value stays empty.
    pub(super) keep_empty: bool,
    /// The column is `character(n)`, whose trailing blanks do not count.
    pub(super) padded: bool,
}

/// Where an id comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum IdSource {
    /// One column's value.
    Column(usize),
    /// All parts of a composite key.
    Key(Vec<usize>),
    /// The masked value itself.
    Own,
}

/// How ids stay distinct under a unique index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DistinctIds {
    /// The id is an integer, whose digits are distinct by themselves; else a keyed digest is used.
    pub(super) integer: bool,
    /// The most digits that fit.
    pub(super) room: usize,
}

/// How many digits an id has in a pseudonym that may repeat itself.
pub(super) const ID_DIGITS: usize = 7;

/// The most digits of a keyed digest that a distinct pseudonym shows: 83 bits.
const KEYED_DIGITS: usize = 25;

impl Numbered {
    fn write(
        &self,
        row: &Row<'_>,
        raw: &[u8],
        scratch: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<(), DoesNotFit> {
        if self.keep_empty && (raw.is_empty() || self.padded && without_padding(raw).is_empty()) {
            return Ok(());
        }
        let start = out.len();
        self.prefix.append_to(out);
        for source in &self.ids {
            let field = match source {
                IdSource::Column(position) => row.field(*position),
                IdSource::Key(positions) => {
                    self.write_keyed(self.digest_of_key(row, positions, scratch), out);
                    break;
                }
                IdSource::Own => raw,
            };
            if field == b"\\N" {
                continue;
            }
            self.write_id(field, *source == IdSource::Own, scratch, out)?;
            break;
        }
        if let Some(limit) = self.limit {
            out.truncate(out.len().min(start + limit));
        }
        Ok(())
    }

    fn write_id(
        &self,
        field: &[u8],
        is_own: bool,
        scratch: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<(), DoesNotFit> {
        let (digits, negative) = match field.strip_prefix(b"-") {
            Some(rest) => (rest, true),
            None => (field, false),
        };
        let is_number = !is_own && !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        match self.distinct {
            // No number without a sign is written with a leading zero and more than seven digits, or, unpadded,
            // with a leading zero at all: the extra zero keeps -5 and 5 apart.
            Some(DistinctIds { integer: true, room }) if is_number => {
                let length = digits.len().max(self.pad) + usize::from(negative);
                if length > room {
                    return Err(DoesNotFit::Long);
                }
                pad(length - digits.len(), out);
                out.extend_from_slice(digits);
            }
            None if is_number && !negative && digits.len() <= ID_DIGITS => {
                pad(self.pad.saturating_sub(digits.len()), out);
                out.extend_from_slice(digits);
            }
            _ => self.write_keyed(self.function.digest(decoded(field, scratch)), out),
        }
        Ok(())
    }

    fn write_keyed(&self, digest: [u8; 32], out: &mut Vec<u8>) {
        let length = self
            .distinct
            .map_or(ID_DIGITS, |distinct| distinct.room.min(KEYED_DIGITS));
        write_digits(first_u128(&digest), length, out);
    }

    fn digest_of_key(&self, row: &Row<'_>, positions: &[usize], scratch: &mut Vec<u8>) -> [u8; 32] {
        let mut parts = self.function.begin();
        for position in positions {
            parts.add(copy::decode(row.field(*position), scratch));
        }
        parts.finish()
    }

    fn has_form(&self, field: &[u8]) -> bool {
        if field.is_empty() {
            return self.keep_empty;
        }
        let limit = self.limit.unwrap_or(usize::MAX);
        let prefix = self.prefix.bytes();
        if limit <= prefix.len() {
            return field == &prefix[..limit];
        }
        let Some((_, digits)) = field
            .split_at_checked(prefix.len())
            .filter(|(start, _)| self.prefix.is(start))
        else {
            return false;
        };
        let least = self.pad.max(1).min(limit - prefix.len());
        let most = match self.distinct {
            Some(distinct) => distinct.room,
            None => ID_DIGITS.min(limit - prefix.len()),
        };
        (least..=most).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
    }
}

fn pad(zeros: usize, out: &mut Vec<u8>) {
    out.resize(out.len() + zeros, b'0');
}

fn first_16(digest: &[u8]) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (byte, from) in bytes.iter_mut().zip(digest) {
        *byte = *from;
    }
    bytes
}

fn first_u128(digest: &[u8]) -> u128 {
    u128::from_be_bytes(first_16(digest))
}

/// The last `length` decimal digits of a number, padded with zeros.
fn write_digits(mut number: u128, length: usize, out: &mut Vec<u8>) {
    let start = out.len();
    pad(length, out);
    for digit in out[start..].iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// The first `length` hex digits of some bytes, or all of them.
pub(super) fn write_hex(bytes: &[u8], length: usize, out: &mut Vec<u8>) {
    // Without a table, so that all digits of a part are made at once.
    let digit = |value: u8| value + if value < 10 { b'0' } else { b'a' - 10 };
    let mut left = length;
    for part in bytes.chunks(CHUNK / 2) {
        let whole = part.first_chunk().copied().unwrap_or_else(|| {
            let mut whole = [0; CHUNK / 2];
            whole[..part.len()].copy_from_slice(part);
            whole
        });
        let mut digits = [0; CHUNK];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(whole) {
            pair[0] = digit(byte >> 4);
            pair[1] = digit(byte & 0x0f);
        }
        let wanted = left.min(part.len() * 2);
        append_start(&digits, wanted, out);
        left -= wanted;
        if left == 0 {
            break;
        }
    }
}

fn write_uuid(bytes: [u8; 16], out: &mut Vec<u8>) {
    let mut from = 0;
    for length in [4, 2, 2, 2, 6] {
        if from > 0 {
            out.push(b'-');
        }
        write_hex(&bytes[from..from + length], length * 2, out);
        from += length;
    }
}

/// All of it is looked at, since that needs no branch for each byte.
fn is_hex(text: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_digit() | matches!(byte, b'a'..=b'f');
    text.iter().fold(true, |all, byte| all & is_digit(byte))
}
