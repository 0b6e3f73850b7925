//! First and last names, by two lists of common ones: whole values, and pairs of them in running text.
//!
//! A list never knows everybody. It does not have to: a column of names is recognised by the share of its values that
//! are on the lists, and a name in a text by two neighbours of which one is a given and one a family name, or a given
//! name on the list and a word that is written as a family name is.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;
use std::sync::LazyLock;

/// Which lists a word is on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Lists {
    given: bool,
    surname: bool,
}

static NAMES: LazyLock<HashMap<&'static [u8], Lists, BuildHasherDefault<Fnv>>> = LazyLock::new(|| {
    let mut names: HashMap<&'static [u8], Lists, BuildHasherDefault<Fnv>> = HashMap::default();
    words_of(include_str!("given_names.txt")).for_each(|word| names.entry(word).or_default().given = true);
    words_of(include_str!("surnames.txt")).for_each(|word| names.entry(word).or_default().surname = true);
    names
});

fn words_of(text: &'static str) -> impl Iterator<Item = &'static [u8]> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(str::split_whitespace).map(str::as_bytes)
}

/// The FNV-1a hash: quick for short words. The words on the lists are ours, so they cannot be made to collide.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

/// Longest word that is looked up; the lists hold none longer.
const LONGEST: usize = 24;

/// A word folded for the lists: small letters, no accents, no apostrophes. On the stack.
struct Folded {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Folded {
    /// Folds a word; `None` when it is too long or holds something no name holds.
    fn new(word: &[u8]) -> Option<Folded> {
        let mut folded = Folded {
            bytes: [0; LONGEST],
            length: 0,
        };
        let mut rest = word;
        while let [first, tail @ ..] = rest {
            let (letter, taken) = match first {
                b'a'..=b'z' | b'-' => (*first, 1),
                b'A'..=b'Z' => (first.to_ascii_lowercase(), 1),
                b'\'' => (0, 1),
                0xC3 => (unaccented(*tail.first()?)?, 2),
                0xE2 if tail.starts_with(&[0x80, 0x99]) => (0, 3),
                _ => return None,
            };
            rest = &rest[taken..];
            if letter != 0 {
                *folded.bytes.get_mut(folded.length)? = letter;
                folded.length += 1;
            }
        }
        (folded.length > 1).then_some(folded)
    }

    fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// The plain letter under a Latin-1 letter that UTF-8 writes as C3 and this byte.
fn unaccented(second: u8) -> Option<u8> {
    // Small letters are 32 above the capitals.
    Some(match second | 0x20 {
        0xA0..=0xA5 => b'a',
        0xA7 => b'c',
        0xA8..=0xAB => b'e',
        0xAC..=0xAF => b'i',
        0xB1 => b'n',
        0xB2..=0xB6 | 0xB8 => b'o',
        0xB9..=0xBC => b'u',
        0xBD | 0xBF => b'y',
        _ => return None,
    })
}

/// The lists a word is on; of a double name ("Jean-Pierre") the first part counts too. `None` when no name
/// could be written so.
fn lists(word: &[u8]) -> Option<Lists> {
    let folded = Folded::new(word)?;
    let whole = folded.as_slice();
    let found = NAMES.get(whole).copied().unwrap_or_default();
    if found != Lists::default() {
        return Some(found);
    }
    let first = memchr::memchr(b'-', whole).and_then(|dash| NAMES.get(&whole[..dash]));
    Some(Lists {
        given: first.is_some_and(|lists| lists.given),
        surname: false,
    })
}

/// What a whole value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whole {
    /// One given name, that is no common family name.
    Given,
    /// One family name, that is no common given name.
    Surname,
    /// One name that is both ("Martin").
    Either,
    /// A given name and more.
    Full,
}

/// Titles before a name, folded.
const TITLES: &[&[u8]] = &[
    b"m", b"mr", b"mrs", b"ms", b"miss", b"mme", b"mlle", b"dr", b"pr", b"prof", b"me", b"herr", b"frau",
    b"sig",
];

/// Particles inside a name, folded.
const PARTICLES: &[&[u8]] = &[
    b"de", b"du", b"des", b"le", b"la", b"van", b"von", b"der", b"den", b"di", b"da", b"dos", b"el", b"ben",
    b"bin",
];

fn is_title(word: &[u8]) -> bool {
    let word = word.strip_suffix(b".").unwrap_or(word);
    word.len() <= 4 && TITLES.iter().any(|title| word.eq_ignore_ascii_case(title))
}

fn is_particle(word: &[u8]) -> bool {
    word.len() <= 3
        && PARTICLES
            .iter()
            .any(|particle| word.eq_ignore_ascii_case(particle))
}

/// Whether a word begins with a capital letter, ASCII or Latin-1.
fn is_capitalised(word: &[u8]) -> bool {
    matches!(word, [b'A'..=b'Z', ..] | [0xC3, 0x80..=0x9E, ..])
}

/// What a whole value is, if it is a name.
pub fn whole(value: &[u8]) -> Option<Whole> {
    let begins = value
        .first()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, 0xC3 | b' ' | b','));
    if value.len() > 60 || value.len() < 2 || !begins {
        return None;
    }
    let mut words = value
        .split(|b| *b == b' ' || *b == b',')
        .filter(|word| !word.is_empty())
        .peekable();
    let mut titled = false;
    while words.peek().is_some_and(|word| is_title(word)) {
        titled = true;
        words.next();
    }
    let (mut count, mut given, mut surname) = (0, 0, 0);
    for word in words {
        if is_particle(word) {
            continue;
        }
        if !is_capitalised(word) {
            return None;
        }
        let lists = lists(word)?;
        count += 1;
        given += u32::from(lists.given);
        surname += u32::from(lists.surname);
    }
    match (count, given, surname) {
        (1, 0, 0) => titled.then_some(Whole::Full),
        (1, _, 0) => Some(Whole::Given),
        (1, 0, _) => Some(Whole::Surname),
        (1, _, _) => Some(Whole::Either),
        (2..=4, 1.., _) => Some(Whole::Full),
        (2..=3, 0, 1..) => titled.then_some(Whole::Full),
        _ => None,
    }
}

/// Calls back with every pair of a given and a family name in running text.
pub fn in_text(text: &[u8], mut found: impl FnMut(Range<usize>)) {
    // The two words of a name have a space between them.
    if memchr::memchr(b' ', text).is_none() {
        return;
    }
    let mut at = 0;
    let mut previous: Option<Range<usize>> = None;
    while at < text.len() {
        let Some(word) = next_capitalised(text, at) else {
            return;
        };
        at = word.end;
        if let Some(before) = previous.take() {
            let between = &text[before.end..word.start];
            let adjacent = between == b" " || between.strip_prefix(b" ").is_some_and(is_particle_gap);
            if adjacent && is_pair(&text[before.clone()], &text[word.clone()]) {
                found(before.start..word.end);
                continue;
            }
        }
        previous = Some(word);
    }
}

/// Whether what stands between two words is one particle and a space.
fn is_particle_gap(gap: &[u8]) -> bool {
    gap.strip_suffix(b" ").is_some_and(is_particle)
}

fn is_pair(one: &[u8], other: &[u8]) -> bool {
    if one.len() > LONGEST * 2 || other.len() > LONGEST * 2 {
        return false;
    }
    let Some(one) = lists(one).filter(|lists| lists.given || lists.surname) else {
        return false;
    };
    let plain = other;
    let Some(other) = lists(other) else { return false };
    (one.given && (other.surname || is_written_as_surname(plain))) || (one.surname && other.given)
}

/// Whether a word that is on no list is written as a family name after a given one: `Abadie`, `ABADIE`; not `A`, `API2`.
fn is_written_as_surname(word: &[u8]) -> bool {
    let letters = word
        .iter()
        .filter(|byte| byte.is_ascii_alphabetic() || **byte >= 0x80)
        .count();
    letters >= 4 && letters + 1 >= word.len()
}

/// The next word that begins with a capital letter, at or after a place.
fn next_capitalised(text: &[u8], from: usize) -> Option<Range<usize>> {
    let mut at = from;
    while at < text.len() {
        let byte = text[at];
        let opens = byte.is_ascii_uppercase() || (byte == 0xC3 && is_capitalised(&text[at..]));
        if opens && (at == 0 || !is_letter(text[at - 1])) {
            let length = text[at..]
                .iter()
                .position(|b| !is_name_byte(*b))
                .unwrap_or(text.len() - at);
            return Some(at..at + length);
        }
        at += 1;
    }
    None
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80 || byte == b'_'
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte >= 0x80 || matches!(byte, b'-' | b'\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_a_name_of_either_sort_or_a_full_one() {
        assert_eq!(whole("Léa".as_bytes()), Some(Whole::Given));
        assert_eq!(whole(b"DUPONT"), Some(Whole::Surname));
        assert_eq!(whole(b"Martin"), Some(Whole::Either));
        assert_eq!(whole("Dr Jean-François Lefèvre".as_bytes()), Some(Whole::Full));
        assert_eq!(whole(b"Anna van der Berg"), Some(Whole::Full));
        assert_eq!(whole(b"Mme Xyz"), Some(Whole::Full));
    }

    #[test]
    fn things_are_not_names() {
        for thing in [
            "Steel kettle",
            "active",
            "Paris",
            "Thomas the tank engine",
            "A-1",
            "",
            "Rose candle",
        ] {
            assert_eq!(whole(thing.as_bytes()), None, "{thing}");
        }
    }

    #[test]
    fn a_text_gives_its_pairs() {
        let text = "Vu avec Marie DUPONT hier, puis Paul de Martin. Le Petit Robert est cher.";
        let mut found = Vec::new();
        in_text(text.as_bytes(), |range| found.push(&text[range]));
        assert_eq!(found, ["Marie DUPONT", "Paul de Martin", "Petit Robert"]);
    }

    #[test]
    fn a_family_name_on_no_list_is_reported_by_the_given_name_before_it() {
        let pairs = |text: &str| {
            let mut found = Vec::new();
            in_text(text.as_bytes(), |range| found.push(text[range].to_owned()));
            found
        };
        assert_eq!(pairs("Facturer à Fabrice Zorglub\nService"), ["Fabrice Zorglub"]);
        assert_eq!(
            pairs("Sophie Żukowska"),
            [] as [&str; 0],
            "letters beyond Latin-1 fold to nothing"
        );
        assert_eq!(pairs("Fabrice API2, Fabrice V2"), [] as [&str; 0]);
    }
}
