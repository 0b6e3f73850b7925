//! Which texts a collation takes for equal. One of ICU's that is not deterministic compares no bytes: it leaves accents, case
//! or nothing but the way of writing the same character out of account, as its strength says. Texts that are equal to it get
//! one pseudonym, so that a foreign key holds once both of its columns are masked.
//!
//! The letters are those of CLDR's root collation (Unicode Technical Standard 10), which most languages of Europe share. What
//! it takes for equal besides (ornaments, rare scripts' digits) stays apart here.

use super::bytes::fold_case;
use unicode_normalization::char::{canonical_combining_class, decompose_compatible};
use unicode_normalization::UnicodeNormalization;

/// Which texts a column's collation takes for equal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Equal {
    /// Those of the same bytes: every collation that is deterministic.
    #[default]
    Bytes,
    /// Those that show the same characters: `é` in one character or in two.
    Characters,
    /// Those that differ in case or width, too: `Élise` and `ÉLISE`.
    WithoutCase,
    /// Those that differ in accents, too: `Élise` and `elise`.
    WithoutAccents,
}

/// What a mask leaves out of account of a value.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Fold {
    lower: bool,
    equal: Equal,
}

impl Fold {
    /// `lower`: case does not count, whatever the collation.
    pub(super) fn new(lower: bool, equal: Equal) -> Self {
        Self {
            lower: lower || equal >= Equal::WithoutCase,
            equal,
        }
    }

    /// Case does not count.
    pub(crate) fn is_lower(self) -> bool {
        self.lower
    }

    /// The value counts as it is.
    pub(crate) fn is_plain(self, value: &[u8]) -> bool {
        !self.lower && (self.equal == Equal::Bytes || value.is_ascii())
    }

    /// Writes what stands for all values that are the same as this one.
    pub(crate) fn apply(self, value: &[u8], folded: &mut Vec<u8>) {
        match self.equal {
            Equal::Bytes => fold_case(value, folded),
            equal => fold(value, equal, self.lower, folded),
        }
    }
}

/// The most characters that one decomposes into.
const LONGEST: usize = 18;
/// Marks of these classes are vowels and the like, which are letters to a collation.
const LETTERS: [u8; 9] = [0, 9, 84, 91, 103, 118, 129, 130, 132];
/// Letters with a stroke and two in one, which no decomposition takes apart.
const BARE: [(char, &str); 9] = [
    ('ß', "ss"),
    ('ø', "o"),
    ('æ', "ae"),
    ('œ', "oe"),
    ('đ', "d"),
    ('ð', "d"),
    ('ħ', "h"),
    ('ł', "l"),
    ('ґ', "г"),
];
/// Letters that have another form at the end of a word.
const FINAL: [(char, char); 6] = [
    ('ς', 'σ'),
    ('ך', 'כ'),
    ('ם', 'מ'),
    ('ן', 'נ'),
    ('ף', 'פ'),
    ('ץ', 'צ'),
];

/// Writes the text that stands for all that are equal to it; `lower`: in lower case, whatever the collation. What is not
/// UTF-8 has no other one.
fn fold(text: &[u8], equal: Equal, lower: bool, folded: &mut Vec<u8>) {
    folded.clear();
    let Ok(text) = std::str::from_utf8(text) else {
        folded.extend_from_slice(text);
        return;
    };
    let letters = Letters {
        text: text.chars(),
        equal,
        waiting: ['\0'; LONGEST],
        from: 0,
        to: 0,
        last: '\0',
    };
    let mut buffer = [0; 4];
    let mut put = |c: char| folded.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
    if lower && equal == Equal::Characters {
        letters.flat_map(char::to_lowercase).nfc().for_each(&mut put);
    } else {
        letters.nfc().for_each(&mut put);
    }
}

/// The characters of a text as its collation sees them.
struct Letters<'t> {
    text: std::str::Chars<'t>,
    equal: Equal,
    /// What the last character has become, from here to there.
    waiting: [char; LONGEST],
    from: usize,
    to: usize,
    last: char,
}

impl Iterator for Letters<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        loop {
            if self.from < self.to {
                self.from += 1;
                self.last = self.waiting[self.from - 1];
                return Some(self.last);
            }
            let next = self.text.next()?;
            (self.from, self.to) = (0, 0);
            if is_ignored(next) {
                continue;
            }
            let next = western_digit(next);
            if self.equal < Equal::WithoutCase {
                self.wait(next);
            } else if next == 'ͺ' {
                self.wait('ι');
            } else if is_itself(next, self.equal) {
                self.wait(next);
            } else {
                decompose_compatible(next, |part| self.simplify(part));
            }
        }
    }
}

impl Letters<'_> {
    fn wait(&mut self, letter: char) {
        if let Some(place) = self.waiting.get_mut(self.to) {
            *place = letter;
            self.to += 1;
        }
    }

    /// A letter without case, and, if they do not count, an accent not at all.
    fn simplify(&mut self, part: char) {
        let without_accents = self.equal == Equal::WithoutAccents;
        if without_accents && self.is_accent(part) {
            return;
        }
        for letter in part.to_lowercase() {
            let bare = BARE.iter().find(|(of, _)| without_accents && *of == letter);
            match bare {
                Some((_, letters)) => letters.chars().for_each(|letter| self.wait(letter)),
                None => {
                    let inner = FINAL.iter().find(|(last, _)| *last == letter);
                    self.wait(inner.map_or(letter, |(_, inner)| *inner));
                }
            }
        }
    }

    fn is_accent(&self, part: char) -> bool {
        let before = match self.to {
            0 => self.last,
            to => self.waiting[to - 1],
        };
        match part {
            // A Catalan l.
            '·' => before == 'l',
            // With one of these a letter of Arabic is another letter, and и is й; and some are small letters themselves.
            '\u{653}'..='\u{655}' | '\u{363}'..='\u{36f}' => false,
            '\u{306}' if before == 'и' => false,
            _ => !LETTERS.contains(&canonical_combining_class(part)),
        }
    }
}

/// Characters that are as good as not there: joiners, marks of direction, soft hyphens, selectors of a form.
fn is_ignored(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e01ef}')
}

/// A digit of Arabic, Persian or Devanagari is the one that all use.
fn western_digit(c: char) -> char {
    let digit = |zero: u32| char::from_digit(u32::from(c).wrapping_sub(zero), 10);
    digit(0x660)
        .or_else(|| digit(0x6f0))
        .or_else(|| digit(0x966))
        .unwrap_or(c)
}

/// Characters that are no other one's form, though their decomposition says so: a long s, where accents count, and an accent
/// that stands alone, which would be a blank with one.
fn is_itself(c: char, equal: Equal) -> bool {
    if matches!(c, 'ſ' | 'ẛ' | 'ﬅ') {
        return equal == Equal::WithoutCase;
    }
    let (mut parts, mut begins_blank) = (0, false);
    decompose_compatible(c, |part| {
        begins_blank |= parts == 0 && part == ' ';
        parts += 1;
    });
    begins_blank && parts > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str, equal: Equal) -> String {
        let mut folded = Vec::new();
        fold(text.as_bytes(), equal, false, &mut folded);
        String::from_utf8_lossy(&folded).into_owned()
    }

    /// Pairs, with the least that a collation leaves out of account to take them for equal.
    const PAIRS: &[(&str, &str, Equal)] = &[
        ("élise", "e\u{301}lise", Equal::Characters),
        ("a\u{200d}b", "ab", Equal::Characters),
        ("٣٤", "34", Equal::Characters),
        ("Élise", "ÉLISE", Equal::WithoutCase),
        ("Straße", "STRASSE", Equal::WithoutAccents),
        ("STRAẞE", "straße", Equal::WithoutCase),
        ("οδος", "ΟΔΟΣ", Equal::WithoutCase),
        ("oﬃce", "OFFICE", Equal::WithoutCase),
        ("Ａｄａ", "ada", Equal::WithoutCase),
        ("İzmir", "i̇zmir", Equal::WithoutCase),
        ("élise", "Elise", Equal::WithoutAccents),
        ("Søren", "SOREN", Equal::WithoutAccents),
        ("Łukasz", "lukasz", Equal::WithoutAccents),
        ("æther", "Aether", Equal::WithoutAccents),
        ("Ёлка", "елка", Equal::WithoutAccents),
        ("col·legi", "COĿLEGI", Equal::WithoutCase),
        ("coŀlegi", "collegi", Equal::WithoutAccents),
    ];

    #[test]
    fn texts_that_the_collation_takes_for_equal_become_one() {
        for (one, other, least) in PAIRS {
            for equal in [Equal::Characters, Equal::WithoutCase, Equal::WithoutAccents] {
                let are_one = folded(one, equal) == folded(other, equal);
                assert_eq!(are_one, equal >= *least, "{one} and {other}, {equal:?}");
            }
        }
    }

    #[test]
    fn letters_that_only_look_alike_stay_two() {
        for (one, other) in [
            ("ılk", "ilk"),
            ("чай", "чаи"),
            ("آب", "اب"),
            ("´", " \u{301}"),
            ("þ", "th"),
            ("ŋ", "n"),
        ] {
            let [one, other] = [one, other].map(|text| folded(text, Equal::WithoutAccents));
            assert_ne!(one, other);
        }
    }

    #[test]
    fn what_is_written_plainly_is_what_lower_case_makes_of_it() {
        for text in ["Élise", "ada@corp.example", "Ünïcode Ελλάδα Привет"] {
            assert_eq!(folded(text, Equal::WithoutCase), text.to_lowercase());
        }
        let mut lower = Vec::new();
        fold("E\u{301}lise".as_bytes(), Equal::Characters, true, &mut lower);
        assert_eq!(String::from_utf8_lossy(&lower), "élise");
        fold(b"\xff\xc9", Equal::WithoutAccents, true, &mut lower);
        assert_eq!(lower, b"\xff\xc9");
    }
}
