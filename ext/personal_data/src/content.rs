//! What a column's values show: one detector per column, fed with decoded fields as they pass.

mod facts;
mod recent;
mod shapes;
mod tally;

use super::kind::ContentFinding;
use super::names::key_kind;
use super::national::{self, Check};
use super::people::{self, Whole};
use super::scan::{is_mac, Scanner};
use super::sql_type::TypeClass;
use super::structured::{notation, strings};
use super::{checks, decode, phone, PiiKind};
use facts::fact;
pub use recent::Recent;
use shapes::{inet, is_gender, is_placeholder, is_plate};
use std::collections::HashMap;
use tally::Seen;
use tally::Tally;

/// Bytes of a bytea that are looked at.
const BYTEA_BYTES: usize = 64 * 1024;
/// Digits from which on a number may be something.
const NUMBER: usize = 6;
/// The share of values from which on a column is one of addresses.
const NEARLY_ALL: f32 = 0.8;
/// Different keys of objects that are remembered per column; further ones are worked out each time.
const KEYS: usize = 512;

/// Looks at the values of one column.
///
/// It holds counters and little else, so that there may be thousands; the buffers are the [`Scanner`]'s, of which
/// a thread needs one. A value costs an allocation only where a telephone number has to be asked of the library, or
/// where a key of an object is seen for the first time.
pub struct ColumnDetector {
    class: TypeClass,
    /// What the column's name alone says its values are.
    hint: Option<PiiKind>,
    keys: HashMap<Vec<u8>, Option<PiiKind>>,
    tally: Tally,
}

impl ColumnDetector {
    /// A detector for a column of this name and type (as pg_dump writes it).
    pub fn new(column: &str, sql_type: &str) -> ColumnDetector {
        ColumnDetector {
            class: TypeClass::of(sql_type),
            hint: key_kind(column),
            keys: HashMap::new(),
            tally: Tally::new(),
        }
    }

    /// Whether values of this column can show anything: of a boolean or a timestamp they cannot, and the
    /// caller can spare itself decoding them.
    pub fn is_worth_feeding(&self) -> bool {
        self.class.is_text()
            || matches!(
                self.class,
                TypeClass::Bytea | TypeClass::Integer | TypeClass::Inet | TypeClass::Mac
            )
    }

    /// Looks at one value that is not NULL, decoded from COPY's escapes, with a scanner's buffers.
    pub fn observe(&mut self, value: &[u8], scanner: &mut Scanner) {
        let seen = self.look(value, scanner);
        self.tally.add(&seen, value);
    }

    /// The same, sparing itself what it has lately seen: many columns hold a few values over and over.
    pub fn observe_with(&mut self, value: &[u8], scanner: &mut Scanner, recent: &mut Recent) {
        if self.class == TypeClass::Integer || value.is_empty() || value.len() > Recent::LONGEST {
            return self.observe(value, scanner);
        }
        let hash = recent.hash((self.class, self.hint), value);
        let seen = match recent.get(hash) {
            Some(seen) => seen,
            None => {
                let seen = self.look(value, scanner);
                recent.put(hash, seen);
                seen
            }
        };
        self.tally.add(&seen, value);
    }

    /// What one value shows. Depends on nothing but the column's class and hint and the value, and counts nothing.
    fn look(&mut self, value: &[u8], scanner: &mut Scanner) -> Seen {
        let mut seen = Seen::default();
        match self.class {
            TypeClass::Inet => inet(value, &mut seen),
            TypeClass::Mac if is_mac(value) => seen.whole(PiiKind::MacAddress),
            // A short number is a key, an amount or a count: nothing that has so few digits is looked for.
            TypeClass::Integer if value.len() < NUMBER => {}
            TypeClass::Integer => self.digits(value, &mut seen),
            TypeClass::Bytea => {
                let mut buffer = scanner.take_buffer();
                if decode::bytea_text(value, BYTEA_BYTES, &mut buffer) {
                    self.text(&buffer, scanner, &mut seen);
                }
                scanner.give_buffer(buffer);
            }
            class if class.is_text() => self.text(value, scanner, &mut seen),
            _ => {}
        }
        seen
    }

    /// Adds what another detector saw of the same column, in rows that went another way.
    pub fn merge(&mut self, other: &ColumnDetector) {
        self.tally.merge(&other.tally);
    }

    /// How many values were observed.
    pub fn values(&self) -> u64 {
        self.tally.values
    }

    /// Whether most values are ciphertext of Active Record Encryption.
    pub fn is_sealed(&self) -> bool {
        self.tally.sealed * 2 > self.tally.values
    }

    /// Whether values look as those of a telephone number could: with six digits or more.
    pub(crate) fn has_numbers(&self) -> bool {
        self.tally.numeric * 2 >= self.tally.values
    }

    /// What the values show so far, the surest first.
    pub fn findings(&self) -> Vec<ContentFinding> {
        // An address of the web is no person's by itself: see `addresses`.
        let personal = PiiKind::ALL.iter().filter(|kind| **kind != PiiKind::Endpoint);
        let mut findings: Vec<ContentFinding> =
            personal.filter_map(|kind| self.tally.finding(*kind)).collect();
        findings.extend(self.tally.single_names());
        findings.extend(self.tally.numbers_of_one_form());
        findings.sort_by(|one, other| {
            other
                .confidence
                .total_cmp(&one.confidence)
                .then(other.count.cmp(&one.count))
        });
        findings
    }

    /// Addresses of the web, where nearly all values are some: in a table of webhooks requests are sent there.
    pub fn addresses(&self) -> Option<ContentFinding> {
        self.tally
            .finding(PiiKind::Endpoint)
            .filter(|found| found.share >= NEARLY_ALL)
    }

    /// A text: its parts if it has any, the whole of it if it is short, and what stands inside.
    fn text(&mut self, text: &[u8], scanner: &mut Scanner, seen: &mut Seen) {
        let text = text.trim_ascii();
        if text.is_empty() {
            return;
        }
        if text.starts_with(b"{\"p\":\"") && memchr::memmem::find(text, b"\"h\":{").is_some() {
            // Active Record Encryption's envelope: a developer thought this worth encrypting.
            seen.whole(PiiKind::Secret);
            seen.sealed = true;
            return;
        }
        if text.starts_with(b"https://") || text.starts_with(b"http://") {
            seen.whole(PiiKind::Endpoint);
        }
        let notation = notation(text);
        if let Some(notation) = notation {
            strings(text, notation, |key, value| self.part(key, value, seen));
        }
        let length = text.len();
        let (class, hint) = (self.class, self.hint);
        scanner.find(text, |kind, range| {
            // A column of dates or versions may write them as it likes.
            if kind == PiiKind::Phone && class == TypeClass::Text && hint == Some(PiiKind::IpAddress) {
                return;
            }
            if range.len() * 10 >= length * 9 {
                seen.whole(kind);
            } else {
                seen.any.add(kind);
            }
        });
        if notation.is_none() && length <= 80 {
            self.whole(text, seen);
        }
    }

    /// One string of an object, with its key.
    fn part(&mut self, key: Option<&[u8]>, value: &[u8], seen: &mut Seen) {
        let value = value.trim_ascii();
        if value.len() < 2 || is_placeholder(value) {
            return;
        }
        if let Some(kind) = key.and_then(|key| self.kind_of_key(key)) {
            seen.any.add(kind);
        }
        if people::whole(value) == Some(Whole::Full) {
            seen.any.add(PiiKind::Name);
        }
    }

    fn kind_of_key(&mut self, key: &[u8]) -> Option<PiiKind> {
        if let Some(kind) = self.keys.get(key) {
            return *kind;
        }
        let kind = std::str::from_utf8(key)
            .ok()
            .filter(|key| key.len() <= 64)
            .and_then(key_kind);
        if self.keys.len() < KEYS && key.len() <= 64 {
            self.keys.insert(key.to_vec(), kind);
        }
        kind
    }

    /// A short value that may be one thing as a whole.
    fn whole(&self, value: &[u8], seen: &mut Seen) {
        match people::whole(value) {
            Some(Whole::Full) => seen.whole(PiiKind::Name),
            one => seen.name = one,
        }
        if is_gender(value) {
            seen.whole(PiiKind::Gender);
        }
        if let Some(kind) = fact(value) {
            seen.whole(kind);
        }
        if is_plate(value) {
            seen.whole(PiiKind::LicensePlate);
        }
        match national::whole(value) {
            Some(Check::Strong) => seen.whole(PiiKind::NationalId),
            Some(Check::Weak) if self.hint == Some(PiiKind::NationalId) => seen.whole(PiiKind::NationalId),
            Some(Check::Weak) => seen.weak_id = true,
            None => {}
        }
        self.digits(value, seen);
    }

    /// A value of digits with the separators people put between them.
    fn digits(&self, value: &[u8], seen: &mut Seen) {
        let mut compact = [0u8; 20];
        let mut length = 0;
        for byte in value {
            match byte {
                b'0'..=b'9' if length < compact.len() => {
                    compact[length] = *byte;
                    length += 1;
                }
                b'X' | b'x' if length == 9 => {
                    compact[length] = b'X';
                    length += 1;
                }
                b' ' | b'.' | b'-' | b'/' | b'(' | b')' | b'+' => {}
                _ => return,
            }
        }
        let digits = &compact[..length];
        seen.numeric = length >= NUMBER;
        if length < NUMBER {
            return;
        }
        seen.book = checks::isbn10(digits);
        match length {
            9 if checks::siren(digits) => seen.whole(PiiKind::Siren),
            14 if checks::siret(digits) => seen.whole(PiiKind::Siret),
            15 if checks::nir(digits) => seen.whole(PiiKind::Nir),
            15 if matches!(&digits[..2], b"35" | b"86" | b"01" | b"99") && checks::luhn(digits) => {
                seen.whole(PiiKind::DeviceId)
            }
            13..=19 if checks::card(digits) => seen.whole(PiiKind::Card),
            _ => {}
        }
        seen.weak_phone = (11..=13).contains(&length) && phone::unprefixed(digits);
        if matches!(self.class, TypeClass::Integer) && national::of_digits(digits) == Some(Check::Strong) {
            seen.whole(PiiKind::NationalId);
        }
        if self.hint == Some(PiiKind::Ssn) && checks::ssn(digits) {
            seen.whole(PiiKind::Ssn);
        }
        if self.hint == Some(PiiKind::Phone)
            && !seen.any.has(PiiKind::Phone)
            && (phone::national(digits) || (length >= 10 && phone::international(digits)))
        {
            seen.whole(PiiKind::Phone);
        }
    }
}

#[cfg(test)]
mod tests;
