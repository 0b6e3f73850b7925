//! What the two sets say: certain leaks, and possible ones.

use crate::class::Class;
use crate::sets::Sets;
use crate::tally::{place, ClassTally};
use crate::watch::ColumnPlace;
use personal_data::RuleEntry;
use serde::Serialize;

/// A number of equal values that chance alone reaches less often than this is no chance.
const CHANCE: f64 = 1e-3;
/// Numbers are not handed out evenly: chance is taken for so many times as likely as the domain says.
const UNEVEN: f64 = 3.0;

/// What the leak check found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Findings {
    /// Columns in which originals survived, the certain ones first.
    pub leaks: Vec<Leak>,
    /// What was looked at.
    pub summary: Summary,
}

/// Originals that survived in one column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Leak {
    /// `schema.table`.
    pub table: String,
    /// The column.
    pub column: String,
    /// What survived: `email`, `phone`, `iban`, `card`, `identity_number`, `name`, or `hash` (an unsalted digest).
    pub kind: String,
    /// How many times such a value stands there.
    pub count: u64,
    /// How many of those chance alone would give; 0 where it plays no part.
    pub expected_by_chance: f64,
    /// Whether it is proven. A possible leak never fails a run.
    pub certain: bool,
    /// The entry of a rule that closes it.
    pub entry: RuleEntry,
    /// The class that `kind` names.
    #[serde(skip)]
    pub class: Class,
}

/// What the leak check looked at.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Different originals, as far as known.
    pub originals: u64,
    /// Candidates elsewhere.
    pub candidates: u64,
    /// Digests of originals that were looked for.
    pub hashes: u64,
    /// Past the bounds: candidates that may be originals as far as sketches show, in all columns together,
    /// with those that are certain.
    pub possible: u64,
    /// How many of those are the sketches' errors, on average.
    pub possible_by_chance: f64,
    /// Nothing had to be estimated: memory was enough for every value.
    pub exact: bool,
    /// The share of wrong answers of the sketches that take over where memory is not enough.
    pub error_rate: Option<f64>,
}

impl Findings {
    /// The leaks that are proven.
    pub fn certain(&self) -> impl Iterator<Item = &Leak> {
        self.leaks.iter().filter(|leak| leak.certain)
    }
}

/// Judges the sets.
pub(crate) fn findings(sets: &mut Sets, columns: &[ColumnPlace]) -> Findings {
    let rate = sets.rate();
    sets.finish();
    let mut leaks = Vec::new();
    for (number, column) in columns.iter().enumerate() {
        for class in Class::ALL {
            let Some(tally) = sets.tallies().of(place(number as u32, class)) else {
                break;
            };
            leaks.extend(judge(tally, class, sets.originals(class), column));
        }
    }
    let tallies = || sets.tallies().all();
    leaks.sort_by(|a, b| b.certain.cmp(&a.certain).then(b.count.cmp(&a.count)));
    let originals = Class::ALL.into_iter().filter(|class| *class != Class::Digest);
    Findings {
        leaks,
        summary: Summary {
            originals: originals.map(|class| sets.originals(class)).sum(),
            candidates: tallies().map(|tally| tally.seen).sum(),
            hashes: sets.originals(Class::Digest),
            possible: tallies().map(|tally| tally.possible).sum(),
            possible_by_chance: tallies().map(|tally| tally.expected).sum(),
            exact: rate.is_none() && sets.has_all_digests(),
            error_rate: rate,
        },
    }
}

/// What a tally says of its column: nothing, or a leak, certain or possible.
fn judge(tally: &ClassTally, class: Class, originals: u64, column: &ColumnPlace) -> Option<Leak> {
    let leak = |count, expected, certain| {
        Some(Leak {
            table: column.table.to_string(),
            column: column.column.to_string(),
            kind: class.as_str().to_owned(),
            count,
            expected_by_chance: expected,
            certain,
            entry: column.entry(),
            class,
        })
    };
    // Numbers of a small domain are equal by chance.
    let chance = class.domain().map_or(0.0, |domain| {
        UNEVEN * originals as f64 * tally.distinct as f64 / domain
    });
    if tally.certain > 0 && class.proves() && beyond_chance(tally.values.max(1), chance) {
        return leak(tally.certain.max(tally.possible), chance, true);
    }
    let count = tally.certain.max(tally.possible);
    let expected = chance + tally.expected;
    // As many as the sketch's errors make are no finding.
    let is_reported = count > 0 && (tally.certain > 0 && chance < 1.0 || beyond_chance(count, expected));
    if is_reported {
        leak(count, expected, false)
    } else {
        None
    }
}

/// Whether chance alone, which gives `expected` on average, gives so many less often than [`CHANCE`] (Poisson).
fn beyond_chance(count: u64, expected: f64) -> bool {
    if expected <= 0.0 {
        return true;
    }
    if expected > 500.0 {
        return count as f64 > expected + 4.0 * expected.sqrt();
    }
    // 1 - P(fewer than count).
    let mut term = (-expected).exp();
    let mut fewer = 0.0;
    for number in 0..count {
        fewer += term;
        term *= expected / (number + 1) as f64;
        if fewer >= 1.0 - CHANCE {
            return true;
        }
    }
    1.0 - fewer < CHANCE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::Remedy;

    fn column() -> ColumnPlace {
        ColumnPlace {
            table: "public.comments".into(),
            in_rules: "comments".into(),
            column: "body".into(),
            mask: Remedy::Plain("scrub"),
        }
    }

    fn verdict(class: Class, originals: u64, tally: ClassTally) -> Option<(bool, u64)> {
        judge(&tally, class, originals, &column()).map(|leak| (leak.certain, leak.count))
    }

    fn seen(distinct: u64, values: u64) -> ClassTally {
        ClassTally {
            seen: distinct,
            distinct,
            certain: values,
            values,
            ..ClassTally::default()
        }
    }

    #[test]
    fn an_address_in_both_sets_is_certain() {
        assert_eq!(
            verdict(Class::Email, 1_000_000, seen(1_000_000, 1)),
            Some((true, 1))
        );
        assert_eq!(verdict(Class::Email, 1_000_000, seen(1_000_000, 0)), None);
    }

    #[test]
    fn numbers_that_chance_makes_equal_are_no_leak_and_more_of_them_are() {
        assert_eq!(verdict(Class::Phone, 3, seen(5, 1)), Some((true, 1)));
        assert_eq!(verdict(Class::Phone, 1_000_000, seen(1_000_000, 5_000)), None);
        assert_eq!(
            verdict(Class::Phone, 1_000_000, seen(1_000_000, 100_000)),
            Some((true, 100_000))
        );
        assert_eq!(
            verdict(Class::Phone, 20_000, seen(2_000, 1)),
            Some((false, 1)),
            "0.6 by chance"
        );
    }

    #[test]
    fn what_only_a_sketch_shows_is_possible_and_reported_when_it_is_more_than_its_errors() {
        let tally = |possible, expected| ClassTally {
            seen: 1_000,
            distinct: 1_000,
            possible,
            expected,
            ..ClassTally::default()
        };
        assert_eq!(verdict(Class::Email, 10, tally(50, 1.5)), Some((false, 50)));
        assert_eq!(verdict(Class::Email, 10, tally(2, 1.5)), None);
        assert_eq!(verdict(Class::Email, 10, tally(2_100, 2_000.0)), None);
    }

    #[test]
    fn a_name_is_never_proof() {
        assert_eq!(verdict(Class::Name, 10, seen(10, 4)), Some((false, 4)));
    }
}
