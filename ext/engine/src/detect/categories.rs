//! The few values that a column has, as far as the first rows of its load show: what a mask draws among.
//!
//! Values are held here until the load is judged, of columns alone that are to be masked, and only while they are few
//! and short.

use crate::plan::personal::Watch;
use crate::settings::Policy;
use masking::Learned;
use personal_data::{PiiKind, Status};
use pg_dump_archive::copy::{decode, Splitter};
use std::collections::HashMap;

/// More values than this are no categories.
const MOST: usize = 64;
/// Nor are longer ones, in bytes.
const LONGEST: usize = 80;
/// So few may each occur once.
const HANDFUL: usize = 8;

/// What was seen of one column.
#[derive(Default)]
struct Distinct {
    counts: HashMap<String, u64>,
    seen: u64,
    /// There are too many, or too long ones.
    are_many: bool,
}

/// What was seen of the columns that may hold categories, by their places in the data.
#[derive(Default)]
pub(crate) struct Categories {
    columns: Vec<(usize, Distinct)>,
    splitter: Splitter,
    scratch: Vec<u8>,
}

impl Categories {
    /// A look at the columns of a load whose masks draw among their values, or may come to.
    pub(super) fn of(watch: &Watch, policy: Policy) -> Self {
        let open = watch.columns.iter().filter(|column| {
            policy == Policy::Mask && matches!(column.standing.status, Status::Uncovered | Status::Masked)
        });
        let mut places: Vec<usize> = watch
            .learning()
            .chain(open.map(|column| column.position))
            .collect();
        places.sort_unstable();
        places.dedup();
        Self {
            columns: places
                .into_iter()
                .map(|place| (place, Distinct::default()))
                .collect(),
            ..Self::default()
        }
    }

    /// Looks at whole rows of COPY text, at most so many.
    pub(super) fn observe(&mut self, rows: &[u8], most: u64) {
        let Self {
            columns,
            splitter,
            scratch,
        } = self;
        if columns.iter().all(|(_, distinct)| distinct.are_many) {
            return;
        }
        let mut rows = splitter.rows(rows);
        let mut left = most;
        while left > 0 {
            let Some(row) = rows.next_row() else { return };
            left -= 1;
            for (place, distinct) in columns.iter_mut().filter(|(_, distinct)| !distinct.are_many) {
                if *place < row.fields() {
                    if let Some(value) = decode(row.field(*place), scratch) {
                        distinct.add(value);
                    }
                }
            }
        }
    }

    /// Whether the column at a place is looked at.
    pub(super) fn looks_at(&self, place: usize) -> bool {
        self.column(place).is_some()
    }

    /// What a mask that a rule gave a column draws among.
    pub(super) fn learned(&self, place: usize) -> Option<Learned> {
        self.column(place)?.learned(1)
    }

    /// What a column of a kind draws among by itself; None where its values are no categories.
    pub(super) fn few(&self, place: usize, kind: PiiKind) -> Option<Learned> {
        let distinct = self.column(place)?;
        let repeats = distinct.counts.len() <= HANDFUL || distinct.counts.len() as u64 * 2 <= distinct.seen;
        // What one person alone has says who it is.
        let least = if identifies_alone(kind) { 2 } else { 1 };
        distinct.learned(least).filter(|_| repeats)
    }

    fn column(&self, place: usize) -> Option<&Distinct> {
        self.columns
            .iter()
            .find(|(known, _)| *known == place)
            .map(|(_, distinct)| distinct)
    }
}

/// Whether a value of this kind that occurs once can itself say whose it is.
fn identifies_alone(kind: PiiKind) -> bool {
    !matches!(
        kind,
        PiiKind::Gender | PiiKind::Nationality | PiiKind::MaritalStatus
    )
}

impl Distinct {
    fn add(&mut self, value: &[u8]) {
        self.seen += 1;
        let text = std::str::from_utf8(value)
            .ok()
            .filter(|text| text.len() <= LONGEST);
        match text {
            // It stays.
            Some("") => return,
            Some(text) => match self.counts.get_mut(text) {
                Some(count) => *count += 1,
                None => {
                    self.counts.insert(text.to_owned(), 1);
                }
            },
            None => self.are_many = true,
        }
        if self.are_many || self.counts.len() > MOST {
            self.are_many = true;
            self.counts = HashMap::new();
        }
    }

    fn learned(&self, least: u64) -> Option<Learned> {
        let often = self.counts.iter().filter(|(_, count)| **count >= least);
        let values: Vec<(String, u64)> = often.map(|(value, count)| (value.clone(), *count)).collect();
        (!self.are_many && !values.is_empty()).then(|| Learned::new(values))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn seen(rows: &str) -> Categories {
        let mut categories = Categories {
            columns: vec![(1, Distinct::default())],
            ..Categories::default()
        };
        categories.observe(rows.as_bytes(), u64::MAX);
        categories
    }

    fn values(of: impl IntoIterator<Item = (&'static str, u64)>) -> Option<Learned> {
        Some(Learned::new(
            of.into_iter()
                .map(|(value, count)| (value.to_owned(), count))
                .collect(),
        ))
    }

    #[test]
    fn values_are_counted_without_null_and_nothing() {
        let found = seen("1\tM\n2\tF\n3\tM\n4\t\\N\n5\t\n");
        assert_eq!(found.few(1, PiiKind::Gender), values([("F", 1), ("M", 2)]));
        assert_eq!(found.few(0, PiiKind::Gender), None);
    }

    #[test]
    fn what_one_row_alone_holds_of_a_persons_health_is_not_drawn() {
        let found = seen("1\tflu\n2\tflu\n3\tlupus\n");
        assert_eq!(found.few(1, PiiKind::Health), values([("flu", 2)]));
        assert_eq!(found.learned(1), values([("flu", 2), ("lupus", 1)]));
    }

    #[test]
    fn many_or_long_values_are_no_categories() {
        let many: String = (0..=MOST).map(|n| format!("{n}\tv{n}\n")).collect();
        assert_eq!(seen(&many).learned(1), None);
        assert_eq!(
            seen(&format!("1\t{}\n", "x".repeat(LONGEST + 1))).learned(1),
            None
        );
        let each_once: String = (0..=HANDFUL).map(|n| format!("{n}\tv{n}\n")).collect();
        assert_eq!(seen(&each_once).few(1, PiiKind::Gender), None);
    }
}
