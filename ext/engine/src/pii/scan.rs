//! Candidates inside text: e-mail addresses, numbers with check digits, telephone numbers, addresses, secrets, names.
//!
//! Three walks over a text, each led by something rare: from `@` to `@`, from number to number, from `:` to `:`; one
//! regular expression of literal beginnings for secrets; one walk over capitals for names. A text that is
//! encoded (see `decode`) is walked in its decoded form, and the ranges lead back to the original.
//! Long texts are walked in windows, so that no buffer grows with a field.

use super::decode::Decoded;
use super::{address, checks, people, phone, Kind};
use memchr::{memchr, memchr_iter, memmem, memrchr};
use regex::bytes::Regex;
use std::net::Ipv6Addr;
use std::ops::Range;
use std::sync::LazyLock;

/// Bytes that are walked at once.
const WINDOW: usize = 64 * 1024;
/// Bytes that two windows share: no candidate but a private key is longer.
const OVERLAP: usize = 2 * 1024;

/// Finds candidates, with buffers that are used again.
#[derive(Default)]
pub struct Scanner {
    decoded: Decoded,
    /// Lent to whoever has to decode something before it can be scanned.
    buffer: Vec<u8>,
}

impl Scanner {
    /// A scanner with empty buffers. They grow to a few windows' size at most.
    pub fn new() -> Scanner {
        Scanner::default()
    }

    /// Lends the spare buffer; [`Scanner::give_buffer`] brings it back.
    pub(crate) fn take_buffer(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    /// Takes the spare buffer back, to use it again.
    pub(crate) fn give_buffer(&mut self, buffer: Vec<u8>) {
        self.buffer = buffer;
    }

    /// Calls back with each candidate in a text: its kind and where it stands in `text`.
    ///
    /// Candidates come in no particular order and may overlap when two kinds fit the same characters. Those
    /// inside percent-encoding, JSON escapes and quoted-printable are found, and their ranges cover the encoded form.
    pub fn find(&mut self, text: &[u8], mut found: impl FnMut(Kind, Range<usize>)) {
        let mut start = 0;
        loop {
            let end = text.len().min(start + WINDOW);
            let last = end == text.len();
            // What begins in the part that the next window sees whole is left to it.
            let own = if last { end } else { end - OVERLAP };
            let seen_before = if start == 0 { 0 } else { start + OVERLAP / 2 };
            let mut report = |kind, range: Range<usize>| {
                let range = range.start + start..range.end + start;
                if range.start >= seen_before && (last || range.start < own + OVERLAP / 2) {
                    found(kind, range);
                }
            };
            let window = &text[start..end];
            match self.decoded.decode(window) {
                Some(decoded) => walk(decoded.bytes(), &mut |kind, range| {
                    report(kind, decoded.original(range))
                }),
                None => walk(window, &mut report),
            }
            if last {
                return;
            }
            start = own;
        }
    }
}

/// Finds candidates in a text; [`Scanner::find`] with buffers of its own.
///
/// `found` is called with the kind and the range of bytes in `text`. For many texts keep a [`Scanner`].
pub fn find_in_text(text: &[u8], found: impl FnMut(Kind, Range<usize>)) {
    Scanner::new().find(text, found);
}

pub(crate) type Found<'a> = dyn FnMut(Kind, Range<usize>) + 'a;

/// All walks over one plain text.
fn walk(text: &[u8], found: &mut Found<'_>) {
    emails(text, found);
    numbers(text, found);
    colons(text, found);
    secrets(text, found);
    people::in_text(text, |range| found(Kind::Name, range));
}

// --- e-mail ---------------------------------------------------------------------------------------------------

/// Endings after `@` that are files, not domains: `logo@2x.png`.
const FILE_ENDINGS: &[&[u8]] = &[
    b"png", b"jpg", b"jpeg", b"gif", b"svg", b"webp", b"css", b"js", b"scss", b"rb", b"erb", b"pdf", b"ico",
    b"avif",
];

/// Local parts that machines write from; nobody's address.
const MACHINES: &[&[u8]] = &[
    b"noreply",
    b"no-reply",
    b"donotreply",
    b"do-not-reply",
    b"ne-pas-repondre",
    b"mailer-daemon",
    b"git",
];

fn emails(text: &[u8], found: &mut Found<'_>) {
    for at in memchr_iter(b'@', text) {
        if let Some((kind, range)) = address_at(text, at) {
            found(kind, range);
        }
    }
}

/// What stands around an `@`: somebody's e-mail address, or a password and its host in a URL.
pub(crate) fn address_at(text: &[u8], at: usize) -> Option<(Kind, Range<usize>)> {
    let end = domain_end(text, at + 1)?;
    let start = local_start(text, at);
    if start == at {
        return None;
    }
    if is_credential(text, start) {
        return Some((Kind::Password, start..end));
    }
    let is_machine = |machine: &&[u8]| text[start..at].eq_ignore_ascii_case(machine);
    (!MACHINES.iter().any(is_machine)).then_some((Kind::Email, start..end))
}

/// Where the local part before an `@` begins: dot-atoms of RFC 5322 as people have them, at most 64 bytes.
fn local_start(text: &[u8], at: usize) -> usize {
    let floor = at.saturating_sub(64);
    let is_local =
        |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'');
    let mut start = at - text[floor..at].iter().rev().take_while(|b| is_local(b)).count();
    // A quote or a dash before an address is not of it.
    while start < at && matches!(text[start], b'\'' | b'.' | b'-' | b'%') {
        start += 1;
    }
    start
}

/// Where the domain that begins after an `@` ends; `None` when it is none.
fn domain_end(text: &[u8], from: usize) -> Option<usize> {
    let rest = &text[from..text.len().min(from + 253)];
    let length = rest
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
        .count();
    let domain = &rest[..length];
    let domain = &domain[..domain.iter().rposition(u8::is_ascii_alphanumeric)? + 1];
    let dot = memrchr(b'.', domain)?;
    let ending = &domain[dot + 1..];
    let sound = (2..=24).contains(&ending.len())
        && ending.iter().all(u8::is_ascii_alphabetic)
        && dot > 0
        && domain[0] != b'.'
        && memmem::find(domain, b"..").is_none()
        && !FILE_ENDINGS.iter().any(|file| ending.eq_ignore_ascii_case(file));
    sound.then(|| from + domain.len())
}

/// Whether what looks like a local part is the password of a URL: `postgres://user:password@host.example`.
fn is_credential(text: &[u8], start: usize) -> bool {
    let Some(before) = text[..start].strip_suffix(b":") else {
        return false;
    };
    let token = &before[before.len()
        - before
            .iter()
            .rev()
            .take(80)
            .take_while(|b| b.is_ascii_graphic())
            .count()..];
    memmem::find(token, b"://").is_some()
}

// --- numbers --------------------------------------------------------------------------------------------------

/// Most groups of digits that are taken together.
const GROUPS: usize = 12;
/// No kind has fewer digits: an IP address of single ones.
const FEWEST: usize = 4;
/// Most digits that are taken together; no kind has more.
const DIGITS: usize = 24;

/// Groups of digits with single separators between them: what may be one number.
struct Groups {
    /// Where each group stands in the text.
    bounds: [(usize, usize); GROUPS],
    count: usize,
    digits: [u8; DIGITS],
    /// How many digits stand before each group, and in all.
    before: [usize; GROUPS + 1],
    /// The separator before each group.
    separators: [Separator; GROUPS],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Separator {
    None,
    Space,
    Dot,
    Dash,
    Slash,
    /// Parentheses, with or without a space.
    Paren,
}

fn numbers(text: &[u8], found: &mut Found<'_>) {
    let mut at = 0;
    while let Some(start) = next_digit(text, at) {
        let run = run_of_digits(text, start);
        let glued = start > 0 && is_word(text[start - 1]);
        if let Some(range) = (!glued).then(|| address::around(text, start..run)).flatten() {
            at = range.end.max(run);
            found(Kind::StreetAddress, range);
            continue;
        }
        at = number_at(text, start, found);
    }
}

/// Bytes that are looked at together.
const CHUNK: usize = 32;

/// The next digit's place, at or after a place.
pub(crate) fn next_digit(text: &[u8], from: usize) -> Option<usize> {
    let is_digit = |byte: &u8| byte.wrapping_sub(b'0') < 10;
    let mut at = from;
    while let Some(chunk) = text.get(at..at + CHUNK) {
        // Without a way out in the middle the compiler turns this into vector instructions.
        if chunk.iter().fold(false, |any, byte| any | is_digit(byte)) {
            break;
        }
        at += CHUNK;
    }
    text[at..].iter().position(is_digit).map(|offset| at + offset)
}

/// Reports the numbers that begin with the digit at a place; returns where to go on.
pub(crate) fn number_at(text: &[u8], start: usize, found: &mut Found<'_>) -> usize {
    let run = run_of_digits(text, start);
    if start > 0 && is_word(text[start - 1]) {
        // Digits glued to letters are part of a word, unless the word is an IBAN.
        iban_before(text, start, found);
        return run;
    }
    if run - start > DIGITS || is_short(text, start, run) {
        return run;
    }
    Groups::read(text, start, run).report(text, found)
}

/// Whether a run of digits is no number by itself, and no others follow it.
fn is_short(text: &[u8], start: usize, run: usize) -> bool {
    let rest = &text[run..];
    run - start < FEWEST && !rest.starts_with(b" ") && separator(rest).is_none()
}

fn run_of_digits(text: &[u8], start: usize) -> usize {
    start + text[start..].iter().take_while(|b| b.is_ascii_digit()).count()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// An IBAN whose first digits begin at `digits`, right after its country's letters.
fn iban_before(text: &[u8], digits: usize, found: &mut Found<'_>) {
    let Some(start) = digits.checked_sub(2) else {
        return;
    };
    if start > 0 && is_word(text[start - 1]) {
        return;
    }
    let Some(length) = checks::iban_length(text[start], text[start + 1]) else {
        return;
    };
    let mut compact = [0u8; 34];
    let mut taken = 0;
    let mut at = start;
    while taken < length {
        match text.get(at) {
            Some(byte) if byte.is_ascii_alphanumeric() => {
                compact[taken] = *byte;
                taken += 1;
            }
            Some(b' ' | b'-') if taken % 4 == 0 => {}
            _ => return,
        }
        at += 1;
    }
    if !text.get(at).is_some_and(|b| is_word(*b)) && checks::iban(&compact[..length]) {
        found(Kind::Iban, start..at);
    }
}

impl Groups {
    /// Reads the groups from the run of digits at `start..end` on.
    fn read(text: &[u8], start: usize, end: usize) -> Groups {
        let mut groups = Groups {
            bounds: [(0, 0); GROUPS],
            count: 0,
            digits: [0; DIGITS],
            before: [0; GROUPS + 1],
            separators: [Separator::None; GROUPS],
        };
        groups.push(text, start, end, Separator::None);
        let mut at = end;
        while groups.count < GROUPS {
            let Some((separator, next)) = separator(&text[at..]) else {
                break;
            };
            let (start, end) = (at + next, run_of_digits(text, at + next));
            if end - start > DIGITS - groups.before[groups.count] {
                break;
            }
            groups.push(text, start, end, separator);
            at = end;
        }
        // A last group glued to letters is no group.
        if text.get(at).is_some_and(|b| is_word(*b)) && !corsican(text, at) {
            groups.count -= 1;
        }
        groups
    }

    fn push(&mut self, text: &[u8], start: usize, end: usize, separator: Separator) {
        let total = self.before[self.count];
        self.digits[total..total + end - start].copy_from_slice(&text[start..end]);
        self.bounds[self.count] = (start, end);
        self.separators[self.count] = separator;
        self.count += 1;
        self.before[self.count] = total + end - start;
    }

    /// Reports every number that the groups make, longest first; returns where to go on.
    fn report(&self, text: &[u8], found: &mut Found<'_>) -> usize {
        let mut first = 0;
        while first < self.count {
            if let Some(range) = corsican_nir(text, self.bounds[first].0) {
                found(Kind::Nir, range.clone());
                return range.end;
            }
            let hit = (first..self.count)
                .rev()
                .find_map(|last| self.kind(text, first, last).map(|kind| (kind, last)));
            match hit {
                Some((kind, last)) => {
                    found(kind, self.start(text, first, kind)..self.bounds[last].1);
                    first = last + 1;
                }
                None => first += 1,
            }
        }
        self.bounds[self.count.saturating_sub(1)].1.max(self.bounds[0].1)
    }

    /// Where a number begins: a `+` or an opening parenthesis before a telephone number is of it.
    fn start(&self, text: &[u8], first: usize, kind: Kind) -> usize {
        let start = self.bounds[first].0;
        let signs = text[..start]
            .iter()
            .rev()
            .take(2)
            .take_while(|b| matches!(b, b'+' | b'('))
            .count();
        if kind == Kind::Phone {
            start - signs
        } else {
            start
        }
    }

    /// What the groups from `first` to `last` are together.
    fn kind(&self, text: &[u8], first: usize, last: usize) -> Option<Kind> {
        let digits = &self.digits[self.before[first]..self.before[last + 1]];
        let count = last - first + 1;
        if digits.len() < FEWEST || digits.len() > 19 {
            return None;
        }
        let uniform = self.separators[first + 1..=last]
            .windows(2)
            .all(|pair| pair[0] == pair[1]);
        let separator = if count > 1 {
            self.separators[first + 1]
        } else {
            Separator::None
        };
        if separator == Separator::Dot && count == 4 && uniform && self.is_ip(text, first, last) {
            return Some(Kind::IpAddress);
        }
        if digits.len() < 8 {
            return None;
        }
        let sizes = Sizes::new(&self.before[first..=last + 1]);
        if separator == Separator::Dash && sizes.is(&[3, 2, 4]) && checks::ssn(digits) {
            return Some(Kind::Ssn);
        }
        if self.is_phone(text, first, digits, &sizes, separator, uniform) {
            return Some(Kind::Phone);
        }
        let plain = matches!(separator, Separator::None | Separator::Space | Separator::Dash) && uniform;
        if !plain || is_prefixed_by_plus(text, self.bounds[first].0) {
            return None;
        }
        match digits.len() {
            15 if (count == 1 || sizes.is(&[1, 2, 2, 2, 3, 3, 2]) || sizes.is(&[13, 2]))
                && checks::nir(digits) =>
            {
                Some(Kind::Nir)
            }
            14 if (count == 1 || sizes.is(&[3, 3, 3, 5]) || sizes.is(&[9, 5])) && checks::siret(digits) => {
                Some(Kind::Siret)
            }
            13..=19 if (count == 1 || sizes.is_card()) && checks::card(digits) => Some(Kind::Card),
            9 if (count == 1 || sizes.is(&[3, 3, 3]))
                && checks::siren(digits)
                && named_siren(text, self.bounds[first].0) =>
            {
                Some(Kind::Siren)
            }
            _ => None,
        }
    }

    /// Four numbers up to 255 that are a host's address and not a version.
    fn is_ip(&self, text: &[u8], first: usize, last: usize) -> bool {
        let mut octets = [0u32; 4];
        for (place, (start, end)) in self.bounds[first..=last].iter().enumerate() {
            let digits = &text[*start..*end];
            let padded = digits.len() > 1 && digits[0] == b'0';
            let octet = digits.iter().fold(0u32, |n, d| n * 10 + u32::from(d - b'0'));
            if padded || digits.len() > 3 || octet > 255 {
                return false;
            }
            octets[place] = octet;
        }
        // Five numbers are no address; small ones are a version.
        let longer = (last + 1 < self.count && self.separators[last + 1] == Separator::Dot)
            || (first > 0 && self.separators[first] == Separator::Dot);
        // "Chrome/80.0.0.12".
        let named = product_before(text, self.bounds[first].0);
        let version = named || octets.iter().all(|octet| *octet < 32);
        !longer && !version && !matches!(octets[0], 0 | 127) && octets != [255; 4]
    }

    fn is_phone(
        &self,
        text: &[u8],
        first: usize,
        digits: &[u8],
        sizes: &Sizes,
        separator: Separator,
        uniform: bool,
    ) -> bool {
        let start = self.bounds[first].0;
        if is_prefixed_by_plus(text, start) {
            return phone::international(digits);
        }
        if text[..start].len() >= 5
            && text[start.saturating_sub(6)..start]
                .windows(4)
                .any(|word| word.eq_ignore_ascii_case(b"isbn"))
        {
            return false;
        }
        if digits.len() > 10 && digits.starts_with(b"00") && digits[2] != b'0' {
            return phone::international(&digits[2..]);
        }
        let french = sizes.is(&[10])
            || sizes.is(&[2, 2, 2, 2, 2])
            || [
                &[4, 2, 2, 2][..],
                &[4, 3, 3],
                &[2, 4, 4],
                &[2, 8],
                &[4, 6],
                &[3, 3, 2, 2],
                &[2, 3, 3, 2],
            ]
            .iter()
            .any(|s| sizes.is(s));
        if french && uniform && phone::french(digits) {
            return true;
        }
        // Without separators other countries' numbers look like any number.
        let parenthesised = start > 0 && text[start - 1] == b'(';
        let american = sizes.is(&[3, 3, 4]) && (parenthesised || (uniform && separator != Separator::Slash))
            || sizes.is(&[1, 3, 3, 4]);
        if american && separator != Separator::None {
            return phone::north_american(digits);
        }
        let spaced = matches!(
            separator,
            Separator::Space | Separator::Dash | Separator::Slash | Separator::Paren
        );
        let shaped = digits[0] == b'0'
            && sizes.count() > 1
            && sizes.count() <= 4
            && sizes.last() >= 3
            && sizes.first() >= 3;
        spaced && uniform && shaped && (9..=12).contains(&digits.len()) && phone::national(digits)
    }
}

/// How many digits each group has.
struct Sizes {
    sizes: [usize; GROUPS],
    count: usize,
}

impl Sizes {
    fn new(before: &[usize]) -> Sizes {
        let mut sizes = Sizes {
            sizes: [0; GROUPS],
            count: before.len() - 1,
        };
        for (size, pair) in sizes.sizes.iter_mut().zip(before.windows(2)) {
            *size = pair[1] - pair[0];
        }
        sizes
    }
    fn is(&self, expected: &[usize]) -> bool {
        &self.sizes[..self.count] == expected
    }
    /// Fours, or as American Express writes it.
    fn is_card(&self) -> bool {
        let sizes = &self.sizes[..self.count];
        self.is(&[4, 6, 5])
            || (sizes[..sizes.len() - 1].iter().all(|s| *s == 4) && (1..=4).contains(&self.last()))
    }
    fn count(&self) -> usize {
        self.count
    }
    fn first(&self) -> usize {
        self.sizes[0]
    }
    fn last(&self) -> usize {
        self.sizes[self.count - 1]
    }
}

/// The separator at the beginning of a slice and where the digit after it stands.
fn separator(rest: &[u8]) -> Option<(Separator, usize)> {
    let digit = |place: usize| rest.get(place).is_some_and(u8::is_ascii_digit);
    match rest {
        [b' ', ..] if digit(1) => Some((Separator::Space, 1)),
        [b'.', ..] if digit(1) => Some((Separator::Dot, 1)),
        [b'-', ..] if digit(1) => Some((Separator::Dash, 1)),
        [b'/', ..] if digit(1) => Some((Separator::Slash, 1)),
        [0xC2, 0xA0, ..] if digit(2) => Some((Separator::Space, 2)),
        [0xE2, 0x80, 0xAF, ..] if digit(3) => Some((Separator::Space, 3)),
        [b')' | b'(', ..] if digit(1) => Some((Separator::Paren, 1)),
        [b')', b' ' | b'-', ..] | [b' ' | b'-', b'(', ..] if digit(2) => Some((Separator::Paren, 2)),
        [b' ', b'-', b' ', ..] if digit(3) => Some((Separator::Dash, 3)),
        _ => None,
    }
}

/// Whether the number at a place is a product's version in a browser's name: a word with a capital and a slash.
fn product_before(text: &[u8], start: usize) -> bool {
    let Some(before) = text[..start].strip_suffix(b"/") else {
        return false;
    };
    let word = before
        .iter()
        .rev()
        .take_while(|b| b.is_ascii_alphanumeric())
        .count();
    before[before.len() - word..]
        .first()
        .is_some_and(u8::is_ascii_uppercase)
}

fn is_prefixed_by_plus(text: &[u8], start: usize) -> bool {
    text[..start].ends_with(b"+") || text[..start].ends_with(b"+(")
}

/// Whether the words right before a number say that it is a SIREN; one number in ten passes its check.
fn named_siren(text: &[u8], start: usize) -> bool {
    let before = &text[start.saturating_sub(24)..start];
    [&b"siren"[..], b"rcs"].iter().any(|word| {
        before
            .windows(word.len())
            .any(|part| part.eq_ignore_ascii_case(word))
    })
}

/// Whether the letter at a place may be that of a Corsican department inside a NIR.
fn corsican(text: &[u8], at: usize) -> bool {
    at >= 1 && text[at - 1] == b'2' && matches!(text[at], b'A' | b'B' | b'a' | b'b')
}

/// A NIR of somebody born in Corsica since 1976, whose department is 2A or 2B.
fn corsican_nir(text: &[u8], start: usize) -> Option<Range<usize>> {
    let mut compact = [0u8; 15];
    let mut taken = 0;
    let mut at = start;
    while taken < 15 {
        let byte = *text.get(at)?;
        match (byte, taken) {
            (b'0'..=b'9', _) | (b'A' | b'B' | b'a' | b'b', 6) => {
                compact[taken] = byte;
                taken += 1;
            }
            (b' ', 1..) => {}
            _ => return None,
        }
        at += 1;
    }
    let ends = !text.get(at).is_some_and(|b| is_word(*b));
    (ends && compact[6].is_ascii_alphabetic() && checks::nir(&compact)).then_some(start..at)
}

// --- what colons lead to --------------------------------------------------------------------------------------

/// IPv6 and hardware addresses.
fn colons(text: &[u8], found: &mut Found<'_>) {
    let mut done = 0;
    let is_part = |b: &u8| b.is_ascii_hexdigit() || matches!(b, b':' | b'.');
    for colon in memchr_iter(b':', text) {
        if colon < done {
            continue;
        }
        let start = colon
            - text[..colon]
                .iter()
                .rev()
                .take(45)
                .take_while(|b| is_part(b))
                .count();
        let end = colon + text[colon..].iter().take(45).take_while(|b| is_part(b)).count();
        done = end;
        let bounded =
            (start == 0 || !is_word(text[start - 1])) && !text.get(end).is_some_and(|b| is_word(*b));
        let token = &text[start..end];
        let token = token
            .strip_suffix(b".")
            .or(token.strip_suffix(b":"))
            .unwrap_or(token);
        if !bounded || token.len() < 7 {
            continue;
        }
        let range = start..start + token.len();
        if is_mac(token) {
            found(Kind::MacAddress, range);
        } else if is_ipv6(token) {
            found(Kind::IpAddress, range);
        }
    }
}

/// Six pairs of hexadecimal digits with colons or dashes; neither nobody's nor everybody's address.
pub(crate) fn is_mac(token: &[u8]) -> bool {
    token.len() == 17
        && token.iter().enumerate().all(|(place, byte)| match place % 3 {
            2 => *byte == token[2] && matches!(byte, b':' | b'-'),
            _ => byte.is_ascii_hexdigit(),
        })
        && !token.iter().all(|b| matches!(b, b'0' | b':' | b'-'))
}

/// An IPv6 address with at least three groups, so that neither a time nor `::1` is one.
fn is_ipv6(token: &[u8]) -> bool {
    let groups = token
        .split(|b| *b == b':')
        .filter(|group| !group.is_empty())
        .count();
    groups >= 3 && std::str::from_utf8(token).is_ok_and(|token| token.parse::<Ipv6Addr>().is_ok())
}

// --- secrets --------------------------------------------------------------------------------------------------

/// Secrets that say by their beginning what they are. The shapes are those their makers document.
static SECRETS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let shapes = [
        // JSON web tokens: two base64url parts that begin like an object, and a signature (RFC 7519).
        r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{8,}",
        // PEM private keys, to their end where it is in sight (RFC 7468).
        r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?s:.{0,6000}?-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----)?",
        // bcrypt; crypt(3)'s SHA-256 and SHA-512; argon2; Django's PBKDF2.
        r"\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}",
        r"\$[56]\$(?:rounds=\d+\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{43,86}",
        r"\$argon2(?:id|i|d)\$v=\d+\$[a-z0-9=,]+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+",
        r"pbkdf2[_:-]sha\d+[$:]\d+[$:][A-Za-z0-9+/=]+[$:][A-Za-z0-9+/=]+",
        // Stripe, GitHub, GitLab, Slack, Google, SendGrid, AWS, OpenAI, Anthropic, Shopify, npm, RubyGems,
        // DigitalOcean, Scalingo, Mailgun.
        r"(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{16,}",
        r"whsec_[0-9A-Za-z]{24,}",
        r"gh[pousr]_[0-9A-Za-z]{36,}",
        r"github_pat_[0-9A-Za-z_]{40,}",
        r"glpat-[0-9A-Za-z_-]{20,}",
        r"xox[abposr]-[0-9A-Za-z-]{10,}",
        r"hooks\.slack\.com/services/[0-9A-Za-z/]{20,}",
        r"AIza[0-9A-Za-z_-]{35}",
        r"ya29\.[0-9A-Za-z_-]{20,}",
        r"SG\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}",
        r"(?:AKIA|ASIA)[0-9A-Z]{16}",
        r"sk-(?:ant-|proj-)?[0-9A-Za-z_-]{24,}",
        r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",
        r"npm_[0-9A-Za-z]{36}",
        r"rubygems_[0-9a-f]{48}",
        r"do[opr]_v1_[0-9a-f]{64}",
        r"tk-us-[0-9A-Za-z_-]{48}",
        r"key-[0-9a-f]{32}",
    ];
    Regex::new(&format!("(?-u:{})", shapes.join("|"))).ok()
});

/// No shape of a secret is shorter: a Slack token has 15 characters at least.
const SHORTEST_SECRET: usize = 15;

/// Whether a text can hold a secret at all: so many bytes in a row that secrets are made of, or a PEM header.
fn may_hold_a_secret(text: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.$/+=:,".contains(byte);
    let mut at = SHORTEST_SECRET - 1;
    // A run that long covers one in so many places, so most words are not looked at.
    while at < text.len() {
        let back = text[..=at]
            .iter()
            .rev()
            .take_while(|byte| is_part(byte))
            .take(SHORTEST_SECRET);
        let back = back.count();
        let on = text[at + 1..]
            .iter()
            .take_while(|byte| is_part(byte))
            .take(SHORTEST_SECRET - 1);
        if back > 0 && back + on.count() >= SHORTEST_SECRET {
            return true;
        }
        at += SHORTEST_SECRET;
    }
    memchr(b'-', text).is_some_and(|dash| memmem::find(&text[dash..], b"-----BEGIN").is_some())
}

fn secrets(text: &[u8], found: &mut Found<'_>) {
    if !may_hold_a_secret(text) {
        return;
    }
    let Some(shapes) = SECRETS.as_ref() else { return };
    for secret in shapes.find_iter(text) {
        let glued = secret.start() > 0 && is_word(text[secret.start() - 1]);
        let kind = match secret.as_bytes() {
            [b'e', b'y', ..] => Kind::Jwt,
            [b'-', ..] => Kind::PrivateKey,
            [b'$', ..] | [b'p', b'b', ..] => Kind::PasswordHash,
            _ if glued => continue,
            _ => Kind::ApiKey,
        };
        found(kind, secret.range());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(Kind, String)> {
        let mut hits = Vec::new();
        find_in_text(text.as_bytes(), |kind, range| {
            hits.push((kind, text[range].to_string()))
        });
        hits
    }

    fn one(text: &str, kind: Kind, candidate: &str) {
        assert_eq!(found(text), [(kind, candidate.to_string())], "in {text}");
    }

    #[test]
    fn the_expression_of_secrets_compiles() {
        assert!(SECRETS.is_some());
    }

    #[test]
    fn addresses_are_found_where_they_begin_and_end() {
        one(
            "Write to <alice.o'neil+shop@mail.example.co.uk>.",
            Kind::Email,
            "alice.o'neil+shop@mail.example.co.uk",
        );
        one("mailto:bob@example.com?subject=x", Kind::Email, "bob@example.com");
        one("'bob@example.com'", Kind::Email, "bob@example.com");
        for none in [
            "logo@2x.png",
            "@bob hello",
            "bob@localhost",
            "a @ b.com",
            "git@github.com:x/y",
            "no-reply@shop.example",
        ] {
            assert_eq!(found(none), [], "{none}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_a_password() {
        one(
            "postgres://app:s3cret@db.example.com/x",
            Kind::Password,
            "s3cret@db.example.com",
        );
    }

    #[test]
    fn telephone_numbers_are_found_as_people_write_them() {
        for number in [
            "06 12 34 56 78",
            "0612345678",
            "06.12.34.56.78",
            "+33 6 12 34 56 78",
            "+33 (0)6 12 34 56 78",
            "0033612345678",
            "(415) 555-2671",
            "415-555-2671",
            "+1 415 555 2671",
            "07700 900123",
            "0171/1234567",
            "+4915112345678",
        ] {
            one(&format!("Tel: {number}, thanks"), Kind::Phone, number);
        }
        one("le 12 06 12 34 56 78", Kind::Phone, "06 12 34 56 78");
    }

    #[test]
    fn dates_amounts_and_references_are_no_telephone_numbers() {
        for none in [
            "01/02/2024 10:30",
            "2024-01-17",
            "12.50 EUR",
            "ref 4410-22",
            "1700000000",
            "ISBN 0612345678",
            "3.14159265358979",
            "v0612345678",
        ] {
            assert_eq!(found(none), [], "{none}");
        }
    }

    #[test]
    fn numbers_with_check_digits_are_told_by_them() {
        one("carte 4111 1111 1111 1111 exp", Kind::Card, "4111 1111 1111 1111");
        one(
            "IBAN FR14 2004 1010 0505 0001 3M02 606.",
            Kind::Iban,
            "FR14 2004 1010 0505 0001 3M02 606",
        );
        one("DE89370400440532013000", Kind::Iban, "DE89370400440532013000");
        one("NIR 2 55 08 14 168 025 38", Kind::Nir, "2 55 08 14 168 025 38");
        one("188012A00100157", Kind::Nir, "188012A00100157");
        one("SSN 078-05-1120", Kind::Ssn, "078-05-1120");
        one("SIRET 73282932000074", Kind::Siret, "73282932000074");
        one("RCS Paris 732 829 320", Kind::Siren, "732 829 320");
        assert_eq!(found("4111 1111 1111 1112 and 732 829 320"), []);
    }

    #[test]
    fn network_addresses_are_told_from_versions_and_times() {
        one("from 81.2.69.142", Kind::IpAddress, "81.2.69.142");
        one("[2a01:e0a:1:2::f]", Kind::IpAddress, "2a01:e0a:1:2::f");
        one("mac 00:1a:2b:3c:4d:5e", Kind::MacAddress, "00:1a:2b:3c:4d:5e");
        for none in [
            "4.12.0.1",
            "12:34:56",
            "std::vec::Vec",
            "127.0.0.1",
            "1.2.3.4.5",
            "::1",
            "256.1.1.1",
        ] {
            assert_eq!(found(none), [], "{none}");
        }
    }

    #[test]
    fn secrets_are_told_by_their_beginnings() {
        let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlMTIz";
        one(&format!("Bearer {jwt}"), Kind::Jwt, jwt);
        let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----";
        one(&format!("x\n{key}\n"), Kind::PrivateKey, key);
        let hash = format!(
            "$2a$12${}",
            "N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
        );
        one(&hash, Kind::PasswordHash, &hash);
        let key = format!("ghp_{}", "a1B2".repeat(9));
        one(&format!("token={key}"), Kind::ApiKey, &key);
    }

    #[test]
    fn secrets_are_found_wherever_they_stand() {
        let key = format!("AKIA{}", "A1B2".repeat(4));
        let slack = "xoxb-1234567890";
        for before in 0..40 {
            let padding = "a ".repeat(before);
            one(&format!("{padding}{key}"), Kind::ApiKey, &key);
            one(&format!("{padding}\"{slack}\" x"), Kind::ApiKey, slack);
            let pem = "-----BEGIN PRIVATE KEY-----";
            one(&format!("{padding}\n{pem}"), Kind::PrivateKey, pem);
        }
        assert!(!may_hold_a_secret(
            b"short words - and no secrets: nothing, more than, a.few"
        ));
    }

    #[test]
    fn streets_and_people_are_found_in_sentences() {
        one(
            "J'habite 3 allée des Tilleuls, 75012 Paris",
            Kind::StreetAddress,
            "3 allée des Tilleuls",
        );
        one("Vu avec Marie DUPONT hier", Kind::Name, "Marie DUPONT");
    }

    #[test]
    fn encoded_texts_are_looked_through() {
        one(
            r#"{"body":"Hello\nalice@example.com"}"#,
            Kind::Email,
            "alice@example.com",
        );
        one(
            r#""{\"a\":\"\\nalice\\u0040example.com\"}""#,
            Kind::Email,
            r"alice\\u0040example.com",
        );
        one(
            "u=1&email=alice%40example.com&x=2",
            Kind::Email,
            "alice%40example.com",
        );
        one(
            "Bonjour =C3=A0 alice@exam=\nple.com",
            Kind::Email,
            "alice@exam=\nple.com",
        );
        one("tel%3A%2B33612345678", Kind::Phone, "%2B33612345678");
    }

    #[test]
    fn long_texts_give_each_candidate_once() {
        let mut text = String::new();
        for number in 0..20_000 {
            text.push_str(&format!("word user{number}@example.com "));
        }
        let mut seen = std::collections::HashSet::new();
        find_in_text(text.as_bytes(), |kind, range| {
            assert_eq!(kind, Kind::Email);
            assert!(seen.insert(text[range].to_string()));
        });
        assert_eq!(seen.len(), 20_000);
    }
}
