//! What was counted of a column's values, and how sure that makes it of each kind.

use crate::kind::ContentFinding;
use crate::people::Whole;
use crate::PiiKind;

/// A set of kinds, one bit each.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Kinds(u64);

const _: () = assert!(PiiKind::COUNT <= 64);

impl Kinds {
    pub(super) fn add(&mut self, kind: PiiKind) {
        self.0 |= 1 << kind.index();
    }
    pub(super) fn has(self, kind: PiiKind) -> bool {
        self.0 & (1 << kind.index()) != 0
    }
    /// The places of its members in [`PiiKind::ALL`].
    pub(super) fn indexes(self) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(self.0), |rest| Some(rest & rest.wrapping_sub(1)))
            .take_while(|rest| *rest != 0)
            .map(|rest| rest.trailing_zeros() as usize)
    }
}

/// What was counted so far.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    pub(super) values: u64,
    seen: [u64; PiiKind::COUNT],
    whole: [u64; PiiKind::COUNT],
    given: u64,
    surnames: u64,
    /// Names that are both.
    either: u64,
    /// A bit for each of 64 classes of names: how varied they are.
    variety: u64,
    books: u64,
    /// Values with six digits or more.
    pub(super) numeric: u64,
    weak_ids: u64,
    weak_phones: u64,
    /// Envelopes of Active Record Encryption.
    pub(super) sealed: u64,
}

/// What one value showed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    pub(super) any: Kinds,
    pub(super) whole: Kinds,
    /// It is one first or last name.
    pub(super) name: Option<Whole>,
    /// It has six digits or more, and passes for a book's number.
    pub(super) numeric: bool,
    pub(super) book: bool,
    /// It passes for a national number as one in ten does, for an international telephone number without its plus.
    pub(super) weak_id: bool,
    pub(super) weak_phone: bool,
    /// It is an envelope of Active Record Encryption.
    pub(super) sealed: bool,
}

impl Seen {
    pub(super) fn whole(&mut self, kind: PiiKind) {
        self.any.add(kind);
        self.whole.add(kind);
    }
}

/// How a kind's confidence follows from its share.
enum Strength {
    /// A few are enough: nothing else looks like it.
    Certain,
    /// Other things look like it now and then.
    Likely,
    /// Only when nearly every value is one.
    Weak,
    /// A word that states it, when every other value does: names of things hold such words, too.
    Fact,
}

fn strength(kind: PiiKind, inside_text: bool) -> Strength {
    use PiiKind::*;
    match kind {
        Phone | StreetAddress | IpAddress | MacAddress | Ssn | Card | Siret | Name | NationalId => {
            Strength::Likely
        }
        Siren | DeviceId | LicensePlate | Gender => Strength::Weak,
        Health | MaritalStatus | SensitiveTrait if !inside_text => Strength::Fact,
        _ => Strength::Certain,
    }
}

impl Tally {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self {
            values: 0,
            seen: [0; PiiKind::COUNT],
            whole: [0; PiiKind::COUNT],
            given: 0,
            surnames: 0,
            either: 0,
            variety: 0,
            books: 0,
            numeric: 0,
            weak_ids: 0,
            weak_phones: 0,
            sealed: 0,
        }
    }

    pub(super) fn add(&mut self, seen: &Seen, value: &[u8]) {
        self.values += 1;
        seen.any.indexes().for_each(|index| self.seen[index] += 1);
        seen.whole.indexes().for_each(|index| self.whole[index] += 1);
        self.numeric += u64::from(seen.numeric);
        self.books += u64::from(seen.book);
        self.weak_ids += u64::from(seen.weak_id);
        self.weak_phones += u64::from(seen.weak_phone);
        self.sealed += u64::from(seen.sealed);
        if let Some(name) = seen.name {
            self.name(name, value);
        }
    }

    fn name(&mut self, name: Whole, value: &[u8]) {
        match name {
            Whole::Given => self.given += 1,
            Whole::Surname => self.surnames += 1,
            Whole::Either => self.either += 1,
            Whole::Full => return,
        }
        let value = value.trim_ascii();
        let hash = value
            .iter()
            .fold(5381u32, |hash, byte| hash.wrapping_mul(33) ^ u32::from(*byte));
        self.variety |= 1 << (hash % 64);
    }

    /// Adds what another one counted.
    pub(super) fn merge(&mut self, more: &Tally) {
        self.values += more.values;
        self.seen
            .iter_mut()
            .zip(&more.seen)
            .for_each(|(sum, count)| *sum += count);
        self.whole
            .iter_mut()
            .zip(&more.whole)
            .for_each(|(sum, count)| *sum += count);
        self.given += more.given;
        self.surnames += more.surnames;
        self.either += more.either;
        self.variety |= more.variety;
        self.books += more.books;
        self.numeric += more.numeric;
        self.weak_ids += more.weak_ids;
        self.weak_phones += more.weak_phones;
        self.sealed += more.sealed;
    }

    /// What was seen of a kind, if anything.
    pub(super) fn finding(&self, kind: PiiKind) -> Option<ContentFinding> {
        let (count, whole) = (self.seen[kind.index()], self.whole[kind.index()]);
        if count == 0 {
            return None;
        }
        let share = count as f32 / self.values as f32;
        let inside_text = whole * 2 < count;
        let confidence = match strength(kind, inside_text) {
            // Books' numbers pass for French telephone numbers.
            _ if kind == PiiKind::Phone && self.books * 2 > self.values => 0.05,
            // One number in thirty passes for a card, one in ten for a telephone number: a column of numbers.
            Strength::Likely
                if !inside_text
                    && share < 0.3
                    && matches!(
                        kind,
                        PiiKind::Phone | PiiKind::Card | PiiKind::Siret | PiiKind::NationalId
                    ) =>
            {
                0.25
            }
            Strength::Certain if count >= 3 && share >= 0.02 => 0.9 + 0.09 * share,
            Strength::Certain if share >= 0.1 => 0.8,
            Strength::Certain => 0.45,
            Strength::Likely if share >= 0.5 => 0.92,
            Strength::Likely if share >= 0.1 => 0.8,
            Strength::Likely if share >= 0.03 && count >= 3 => 0.6,
            Strength::Likely => 0.3,
            Strength::Weak if share >= 0.85 && self.values >= 8 => 0.7,
            Strength::Weak => 0.1,
            Strength::Fact if share >= 0.5 && self.values >= 8 => 0.75,
            Strength::Fact => 0.1,
        };
        Some(ContentFinding {
            kind,
            confidence,
            count,
            share,
            inside_text,
        })
    }

    /// National numbers of a weak check, or telephone numbers without their plus: when all values are, which chance does
    /// not bring about.
    pub(super) fn numbers_of_one_form(&self) -> impl Iterator<Item = ContentFinding> + '_ {
        let counts = [
            (PiiKind::NationalId, self.weak_ids),
            (PiiKind::Phone, self.weak_phones),
        ];
        counts.into_iter().filter_map(|(kind, count)| {
            let share = count as f32 / self.values.max(1) as f32;
            (share >= 0.9 && self.values >= 8).then_some(ContentFinding {
                kind,
                confidence: 0.7,
                count,
                share,
                inside_text: false,
            })
        })
    }

    /// First or last names, when enough of the values are and they are not always the same few.
    pub(super) fn single_names(&self) -> Option<ContentFinding> {
        let count = self.given + self.surnames + self.either;
        let share = count as f32 / self.values.max(1) as f32;
        let kind = if self.given >= self.surnames {
            PiiKind::FirstName
        } else {
            PiiKind::LastName
        };
        let varied = self.variety.count_ones() >= 6;
        let confidence = match share {
            _ if !varied => 0.2,
            share if share >= 0.5 => 0.85,
            share if share >= 0.35 => 0.65,
            _ => 0.25,
        };
        (count > 0).then_some(ContentFinding {
            kind,
            confidence,
            count,
            share,
            inside_text: false,
        })
    }
}
