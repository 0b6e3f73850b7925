//! Groups of digits that may be one number, and which one: a telephone number, a card, an account, an address.

use super::numbers::run_of_digits;
use super::{is_word, Visitor};
use crate::national::{self, Check};
use crate::{checks, phone, PiiKind};
use std::ops::Range;

/// Most groups of digits that are taken together.
const GROUPS: usize = 12;
/// No kind has fewer digits: an IP address of single ones.
pub(super) const FEWEST: usize = 4;
/// Most digits that are taken together; no kind has more.
pub(super) const DIGITS: usize = 24;

/// Groups of digits with single separators between them: what may be one number.
pub(super) struct Groups {
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
pub(super) enum Separator {
    None,
    Space,
    Dot,
    Dash,
    Slash,
    /// Parentheses, with or without a space.
    Paren,
}

impl Groups {
    /// Reads the groups from the run of digits at `start..end` on.
    pub(super) fn read(text: &[u8], start: usize, end: usize) -> Groups {
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
    pub(super) fn report(&self, text: &[u8], found: &mut Visitor<'_>) -> usize {
        let mut first = 0;
        while first < self.count {
            if let Some(range) = corsican_nir(text, self.bounds[first].0) {
                found(PiiKind::Nir, range.clone());
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
    fn start(&self, text: &[u8], first: usize, kind: PiiKind) -> usize {
        let start = self.bounds[first].0;
        let signs = text[..start]
            .iter()
            .rev()
            .take(2)
            .take_while(|b| matches!(b, b'+' | b'('))
            .count();
        if kind == PiiKind::Phone {
            start - signs
        } else {
            start
        }
    }

    /// What the groups from `first` to `last` are together.
    fn kind(&self, text: &[u8], first: usize, last: usize) -> Option<PiiKind> {
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
            return Some(PiiKind::IpAddress);
        }
        if digits.len() < 8 {
            return None;
        }
        let sizes = Sizes::new(&self.before[first..=last + 1]);
        if separator == Separator::Dash && sizes.is(&[3, 2, 4]) && checks::ssn(digits) {
            return Some(PiiKind::Ssn);
        }
        if self.is_phone(text, first, digits, &sizes, separator, uniform) {
            return Some(PiiKind::Phone);
        }
        if self.is_national(first, last, digits, &sizes) {
            return Some(PiiKind::NationalId);
        }
        let plain = matches!(separator, Separator::None | Separator::Space | Separator::Dash) && uniform;
        if !plain || is_prefixed_by_plus(text, self.bounds[first].0) {
            return None;
        }
        match digits.len() {
            15 if (count == 1 || sizes.is(&[1, 2, 2, 2, 3, 3, 2]) || sizes.is(&[13, 2]))
                && checks::nir(digits) =>
            {
                Some(PiiKind::Nir)
            }
            14 if (count == 1 || sizes.is(&[3, 3, 3, 5]) || sizes.is(&[9, 5])) && checks::siret(digits) => {
                Some(PiiKind::Siret)
            }
            13..=19 if (count == 1 || sizes.is_card()) && checks::card(digits) => Some(PiiKind::Card),
            9 if (count == 1 || sizes.is(&[3, 3, 3]))
                && checks::siren(digits)
                && named_siren(text, self.bounds[first].0) =>
            {
                Some(PiiKind::Siren)
            }
            _ => None,
        }
    }

    /// A national number of a strong check, as it is written in its country: not any grouping of its digits.
    fn is_national(&self, first: usize, last: usize, digits: &[u8], sizes: &Sizes) -> bool {
        let forms: &[&[usize]] = match digits.len() {
            11 => &[
                &[11],
                &[3, 3, 3, 2],
                &[2, 2, 2, 3, 2],
                &[6, 3, 2],
                &[6, 5],
                &[2, 3, 3, 3],
            ],
            13 => &[&[13], &[3, 4, 4, 2]],
            _ => return false,
        };
        let tight = self.separators[first + 1..=last]
            .iter()
            .all(|separator| !matches!(separator, Separator::Slash | Separator::Paren));
        tight && forms.iter().any(|form| sizes.is(form)) && national::of_digits(digits) == Some(Check::Strong)
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
pub(super) fn separator(rest: &[u8]) -> Option<(Separator, usize)> {
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

/// A NIR of a person born in Corsica since 1976, whose department is 2A or 2B.
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
