//! A glance at a text: one pass over sixteen bytes at a time that says what it may hold.

/// Bytes that are looked at together.
const PART: usize = 16;

/// What a text is made of, as far as it decides what is looked for.
#[derive(Default)]
pub(super) struct Contents {
    pub(super) at: bool,
    /// A percent sign or an equals sign: something may be hidden.
    pub(super) escape: bool,
    /// The same of a backslash.
    pub(super) backslash: bool,
    /// A byte with which full-width and zero-width characters begin, and an ampersand, with which entities do.
    pub(super) disguise: bool,
    /// A capital and a small letter, without which nothing is packed.
    pub(super) mixed: bool,
    /// Sixteen bytes that may be base64.
    pub(super) packed: bool,
    pub(super) digits: usize,
}

impl Contents {
    /// Looks at sixteen bytes at a time, since most fields are short.
    pub(super) fn of(text: &[u8]) -> Self {
        let mut glance = Glance::default();
        let (parts, rest) = text.as_chunks();
        for parts in parts.chunks(COUNTED) {
            for part in parts {
                glance.look(part);
            }
            glance.count();
        }
        if !rest.is_empty() {
            glance.look(&last_part(text, rest.len()));
            glance.count();
        }
        glance.contents()
    }

    /// The same of [`SHORTEST`](super::SHORTEST) to eight bytes, which have too few digits to count them.
    pub(super) fn of_short(text: &[u8]) -> Self {
        let mut glance = Glance::default();
        if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
            let mut part = [0; PART];
            part[..4].copy_from_slice(first);
            part[4..8].copy_from_slice(last);
            glance.look(&part);
        }
        glance.contents()
    }
}

const AT: u8 = 1;

const ESCAPE: u8 = 2;

const BACKSLASH: u8 = 4;

const DISGUISE: u8 = 8;

const CAPITAL: u8 = 16;

const SMALL: u8 = 32;

/// As many parts as a byte counts.
const COUNTED: usize = 255;

/// What was seen at each place of the parts so far. The places are put together once, in the end, because that costs more
/// than to look at a part.
#[derive(Default)]
struct Glance {
    seen: [u8; PART],
    digits: [u8; PART],
    counted: usize,
    packed: bool,
}

impl Glance {
    /// Without a way out in the middle the compiler turns this into vector instructions.
    #[inline]
    fn look(&mut self, part: &[u8; PART]) {
        let mut packed = true;
        for (place, &byte) in part.iter().enumerate() {
            self.seen[place] |= flag(byte == b'@', AT)
                | flag((byte == b'%') | (byte == b'='), ESCAPE)
                | flag(byte == b'\\', BACKSLASH)
                | flag((byte == 0xEF) | (byte == 0xE2) | (byte == b'&'), DISGUISE)
                | flag(byte.wrapping_sub(b'A') < 26, CAPITAL)
                | flag(byte.wrapping_sub(b'a') < 26, SMALL);
            self.digits[place] += u8::from(byte.wrapping_sub(b'0') < 10);
            packed &= may_be_packed(byte);
        }
        self.packed |= packed;
    }

    /// Adds up the digits of at most [`COUNTED`] parts.
    #[inline]
    fn count(&mut self) {
        self.counted += self
            .digits
            .iter()
            .map(|digits| usize::from(*digits))
            .sum::<usize>();
        self.digits = [0; PART];
    }

    fn contents(&self) -> Contents {
        let seen = self.seen.iter().fold(0, |all, seen| all | seen);
        Contents {
            at: seen & AT != 0,
            escape: seen & ESCAPE != 0,
            backslash: seen & BACKSLASH != 0,
            disguise: seen & DISGUISE != 0,
            mixed: seen & (CAPITAL | SMALL) == (CAPITAL | SMALL),
            packed: self.packed,
            digits: self.counted,
        }
    }
}

fn flag(is: bool, flag: u8) -> u8 {
    u8::from(is) * flag
}

/// Whether a byte may be one of base64: with fewer comparisons than it takes to be sure.
fn may_be_packed(byte: u8) -> bool {
    ((byte | 0x20).wrapping_sub(b'a') < 26) | (byte.wrapping_sub(b'+') < 15) | (byte == b'_')
}

/// The last bytes of a text, at most [`PART`], and zeros.
fn last_part(text: &[u8], length: usize) -> [u8; PART] {
    if let Some(last) = text.last_chunk() {
        // What was looked at already is shifted out.
        return (u128::from_le_bytes(*last) >> (8 * (PART - length))).to_le_bytes();
    }
    let mut part = [0; PART];
    part[..length].copy_from_slice(&text[text.len() - length..]);
    part
}
