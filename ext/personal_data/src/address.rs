//! Street addresses, recognised by the number in them and the words beside it.
//!
//! French and English put the number first ("8 bis rue du Sentier", "123 Main Street"), German, Spanish and Italian
//! last ("Hauptstraße 12", "Calle Mayor, 3", "Via Roma 7"). The caller has found the number; this looks at its
//! neighbours. Words only, no gazetteer.

use std::ops::Range;

/// What French streets are called, folded to small ASCII letters.
const FRENCH: &[&[u8]] = &[
    b"rue",
    b"avenue",
    b"av",
    b"ave",
    b"boulevard",
    b"bd",
    b"bld",
    b"blvd",
    b"place",
    b"pl",
    b"chemin",
    b"ch",
    b"impasse",
    b"imp",
    b"allee",
    b"allees",
    b"all",
    b"quai",
    b"route",
    b"rte",
    b"cours",
    b"square",
    b"sq",
    b"passage",
    b"faubourg",
    b"fbg",
    b"lotissement",
    b"lot",
    b"residence",
    b"villa",
    b"sentier",
    b"promenade",
    b"esplanade",
    b"hameau",
    b"voie",
    b"venelle",
    b"ruelle",
    b"montee",
    b"cite",
    b"rond-point",
    b"mail",
    b"parvis",
    b"traverse",
];

/// What English street names end in.
const ENGLISH: &[&[u8]] = &[
    b"street",
    b"st",
    b"avenue",
    b"ave",
    b"road",
    b"rd",
    b"boulevard",
    b"blvd",
    b"lane",
    b"ln",
    b"drive",
    b"dr",
    b"court",
    b"ct",
    b"way",
    b"place",
    b"pl",
    b"square",
    b"sq",
    b"terrace",
    b"ter",
    b"close",
    b"crescent",
    b"highway",
    b"hwy",
    b"parkway",
    b"pkwy",
    b"circle",
    b"cir",
    b"trail",
    b"row",
    b"gardens",
    b"grove",
    b"hill",
    b"walk",
    b"mews",
];

/// What Spanish, Catalan, Portuguese and Italian streets are called.
const LATIN: &[&[u8]] = &[
    b"calle", b"c/", b"avenida", b"avda", b"plaza", b"paseo", b"carrer", b"rua", b"via", b"viale", b"piazza",
    b"corso", b"largo", b"vicolo", b"camino", b"ronda",
];

/// What German street names end in, folded (ß as ss).
const GERMAN: &[&[u8]] = &[
    b"strasse", b"str", b"str.", b"weg", b"platz", b"allee", b"gasse", b"ring", b"ufer", b"damm", b"steig",
];

/// The address whose house number is `number`, if the words beside it make one.
pub(crate) fn around(text: &[u8], number: Range<usize>) -> Option<Range<usize>> {
    if number.len() > 5 {
        return None;
    }
    after(text, number.end)
        .map(|end| number.start..end)
        .or_else(|| before(text, number.start).map(|start| start..number.end))
}

/// Where an address ends whose house number ends at `from`.
fn after(text: &[u8], from: usize) -> Option<usize> {
    if !matches!(text.get(from), Some(b' ' | b',' | b'a'..=b'd' | b'A'..=b'D')) {
        return None;
    }
    let line = &text[from..from + line_length(&text[from..])];
    let mut words = Words::new(line);
    let mut first = words.next()?;
    if is_repetition(&line[first.clone()]) {
        first = words.next()?;
    } else if first.start == 0 {
        // Glued to the number: "12x40", "3rd".
        return None;
    }
    let word = Folded::new(&line[first.clone()]);
    if word.is_any(FRENCH) && words.next().is_some() {
        return Some(from + end_of_line(line, first.end));
    }
    // Up to four words of a name, in capitals or a number ("2nd"), then what a street is called.
    let mut name = first;
    for _ in 0..4 {
        let proper = line[name.clone()]
            .first()
            .is_some_and(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b >= 0x80);
        if !proper {
            return None;
        }
        name = words.next()?;
        let capital = line[name.start].is_ascii_uppercase();
        if capital && Folded::new(&line[name.clone()]).is_any(ENGLISH) {
            return Some(from + name.end);
        }
    }
    None
}

/// Where an address begins whose house number begins at `to`.
fn before(text: &[u8], to: usize) -> Option<usize> {
    if to == 0 || text[to - 1] != b' ' {
        return None;
    }
    let head = &text[to.saturating_sub(48)..to];
    let head = &head[head
        .iter()
        .rposition(|b| matches!(b, b'\n' | b'"' | b';' | b'|'))
        .map_or(0, |at| at + 1)..];
    let street = head.strip_suffix(b" ")?;
    let street = street.strip_suffix(b",").unwrap_or(street);
    // The last six words, the last one first: no allocation.
    let mut words: [Range<usize>; 6] = Default::default();
    let mut count = 0;
    for word in Words::new(street) {
        words.rotate_right(1);
        words[0] = word;
        count = (count + 1).min(words.len());
    }
    let last = words[..count].first()?;
    let capital = |word: &Range<usize>| street[word.start].is_ascii_uppercase() || street[word.start] >= 0x80;
    let start = to - head.len();
    let word = Folded::new(&street[last.clone()]);
    if capital(last) && GERMAN.iter().any(|end| word.ends_in(end)) {
        // "Berliner Str. 12": the name stands before.
        let name = if word.length <= 7 {
            words[..count].get(1).filter(|w| capital(w))
        } else {
            None
        };
        return Some(start + name.unwrap_or(last).start);
    }
    // The street's kind, then one to four words of which the last is a name.
    words[..count].iter().skip(1).take(4).find_map(|kind| {
        let named = capital(kind) && capital(last) && Folded::new(&street[kind.clone()]).is_any(LATIN);
        named.then_some(start + kind.start)
    })
}

/// "bis", "ter", "quater" or a single letter after a house number.
fn is_repetition(word: &[u8]) -> bool {
    let known: [&[u8]; 7] = [b"bis", b"ter", b"quater", b"a", b"b", b"c", b"d"];
    known.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// Length of the first line, at most 64 bytes.
fn line_length(text: &[u8]) -> usize {
    let text = &text[..text.len().min(64)];
    text.iter()
        .position(|b| matches!(b, b'\n' | b'"' | b';' | b'|' | b'\t' | b'<'))
        .unwrap_or(text.len())
}

/// Where the street ends whose kind ends at `from`: at the next comma or full stop, or with the line.
fn end_of_line(line: &[u8], from: usize) -> usize {
    let stop = |at: &usize| match line[*at] {
        b',' | b'(' | b')' => true,
        // "bd." and "St." go on.
        b'.' => *at > from && line.get(at + 1).is_none_or(|b| *b == b' '),
        _ => false,
    };
    let end = (from..line.len()).find(stop).unwrap_or(line.len());
    from + line[from..end].trim_ascii_end().len()
}

/// The words of a line, as ranges: what stands between spaces and commas.
struct Words<'a> {
    line: &'a [u8],
    at: usize,
}

impl<'a> Words<'a> {
    fn new(line: &'a [u8]) -> Words<'a> {
        Words { line, at: 0 }
    }
}

impl Iterator for Words<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let gap = |b: &u8| matches!(b, b' ' | b',');
        let start = self.at + self.line[self.at..].iter().position(|b| !gap(b))?;
        let end = self.line[start..]
            .iter()
            .position(gap)
            .map_or(self.line.len(), |length| start + length);
        self.at = end;
        Some(start..end)
    }
}

/// A word in small letters, é and its like as e, ß as ss, without a final full stop. On the stack.
struct Folded {
    bytes: [u8; 32],
    length: usize,
}

impl Folded {
    fn new(word: &[u8]) -> Folded {
        let mut folded = Folded {
            bytes: [0; 32],
            length: 0,
        };
        let word = word.strip_suffix(b".").unwrap_or(word);
        let mut rest = word;
        while let [first, tail @ ..] = rest {
            match (first, tail.first()) {
                (0xC3, Some(0x9F)) => {
                    folded.push(b's');
                    folded.push(b's');
                }
                (0xC3, Some(0xA8..=0xAB | 0x88..=0x8B)) => folded.push(b'e'),
                (0xC3, Some(_)) => folded.push(b'?'),
                _ => folded.push(first.to_ascii_lowercase()),
            }
            rest = if *first == 0xC3 && !tail.is_empty() {
                &tail[1..]
            } else {
                tail
            };
        }
        folded
    }

    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }

    fn is_any(&self, list: &[&[u8]]) -> bool {
        list.contains(&&self.bytes[..self.length])
    }

    fn ends_in(&self, ending: &[u8]) -> bool {
        self.bytes[..self.length].ends_with(ending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        let start = text.find(|c: char| c.is_ascii_digit())?;
        let length = text[start..]
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len() - start);
        around(text.as_bytes(), start..start + length).map(|range| &text[range])
    }

    #[test]
    fn addresses_of_six_languages_are_found() {
        for address in [
            "8 rue du sentier",
            "12 bis, avenue de la République",
            "123 Main Street",
            "4 Martin Luther King Blvd",
            "10 2nd St",
            "Hauptstraße 12",
            "Bahnhofstr. 7",
            "Calle Mayor, 3",
            "Via Roma 7",
            "C/ Serrano, 44",
        ] {
            assert_eq!(found(address), Some(address));
        }
        assert_eq!(
            found("J'habite 3 allée des Tilleuls, 75012 Paris"),
            Some("3 allée des Tilleuls")
        );
    }

    #[test]
    fn other_numbers_are_not() {
        for text in [
            "120x80 table",
            "Rated 4 out of 5",
            "Ships within 48 hours",
            "room 12",
            "3 place",
            "Section 12",
            "via 3 hops",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
