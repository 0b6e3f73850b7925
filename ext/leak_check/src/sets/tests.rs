use super::*;
use crate::sketch::mix;
use crate::tally::ClassTally;

const SMALL: Bounds = Bounds {
    originals: 1 << 10,
    sightings: 1 << 10,
    sample: 4,
    sketch: 16 << 10,
    digests: 1 << 10,
};

fn original(sets: &mut Sets, number: u64) {
    sets.original(Class::Email, mix(number));
}

fn seen(sets: &mut Sets, column: u32, number: u64) {
    sets.sighting(column, Class::Email, mix(number));
}

fn finished(sets: &mut Sets, column: u32, class: Class) -> ClassTally {
    sets.finish();
    sets.tallies()
        .of(place(column, class))
        .copied()
        .unwrap_or_default()
}

fn tally(sets: &mut Sets, column: u32) -> ClassTally {
    finished(sets, column, Class::Email)
}

#[test]
fn whichever_comes_first_a_value_in_both_sets_is_found_in_its_column() {
    let mut sets = Sets::new(SMALL, 2);
    original(&mut sets, 1);
    seen(&mut sets, 1, 1);
    seen(&mut sets, 1, 1);
    seen(&mut sets, 1, 2);
    seen(&mut sets, 1, 3);
    original(&mut sets, 2);
    let found = tally(&mut sets, 1);
    assert_eq!(
        (found.seen, found.certain, found.values, found.possible),
        (4, 3, 2, 0)
    );
    assert_eq!(tally(&mut sets, 0), ClassTally::default());
}

/// Sets beyond their bounds: originals 0..o, and in column 1 the sightings from 1 000 000 on, none of them an
/// original, and, before or after, the values `planted`.
fn overflowing(originals: u64, sightings: u64, planted: std::ops::Range<u64>, first: bool) -> ClassTally {
    let mut sets = Sets::new(SMALL, 2);
    let plant = |sets: &mut Sets| planted.clone().for_each(|number| seen(sets, 1, number));
    if first {
        plant(&mut sets);
    }
    for number in 0..originals.max(sightings) {
        if number < originals {
            original(&mut sets, number);
        }
        if number < sightings {
            seen(&mut sets, 1, 1_000_000 + number);
        }
    }
    if !first {
        plant(&mut sets);
    }
    tally(&mut sets, 1)
}

#[test]
fn past_the_bound_no_value_in_both_sets_is_missed() {
    for (originals, sightings) in [(5_000, 100), (100, 5_000), (5_000, 5_000)] {
        for first in [true, false] {
            let with = overflowing(originals, sightings, 0..100, first);
            let without = overflowing(originals, sightings, 0..0, first);
            let (with, without) = (with.certain + with.possible, without.certain + without.possible);
            assert!(
                with >= without + 95,
                "{originals} {sightings} {first}: {with} {without}"
            );
        }
    }
}

#[test]
fn past_the_bound_nothing_is_certain_by_chance_and_the_rest_is_as_expected() {
    for (originals, sightings) in [(20_000, 700), (700, 20_000), (20_000, 20_000)] {
        let found = overflowing(originals, sightings, 0..0, true);
        assert_eq!(found.certain, 0, "{originals} {sightings}");
        let difference = (found.possible as f64 - found.expected).abs();
        let tolerance = 6.0 * found.expected.sqrt() + 0.25 * found.expected + 3.0;
        assert!(
            difference < tolerance,
            "{} where {} were expected",
            found.possible,
            found.expected
        );
    }
}

#[test]
fn past_the_bound_a_leak_of_many_values_is_proven_by_the_samples() {
    for first in [true, false] {
        let found = overflowing(10_000, 10_000, 0..1_000, first);
        assert!((10..1_000).contains(&found.certain), "{}", found.certain);
    }
}

#[test]
fn past_the_bound_a_set_takes_a_sketch_and_a_small_sample() {
    let mut sets = Sets::new(Bounds::default(), 2);
    for number in 0..1_000_000 {
        original(&mut sets, number);
        seen(&mut sets, 1, 1_000_000 + number);
    }
    assert_eq!(
        (sets.originals.bytes(), sets.sightings.bytes()),
        (1 << 20, 1 << 20)
    );
    assert!(
        (20_000..100_000).contains(&sets.originals.len()),
        "{}",
        sets.originals.len()
    );
}

#[test]
fn what_an_exact_set_of_originals_knows_stays_certain() {
    let found = overflowing(500, 20_000, 0..100, false);
    assert!(
        found.certain == 100 && (80..=100).contains(&found.values),
        "{}",
        found.values
    );
}

#[test]
fn what_is_kept_in_its_own_column_is_no_leak_elsewhere() {
    let mut sets = Sets::new(SMALL, 2);
    for number in 0..10 {
        original(&mut sets, number);
        seen(&mut sets, 1, number);
    }
    sets.digest(mix(100));
    sets.sighting(1, Class::Digest, mix(100));
    for number in 0..8 {
        sets.kept(mix(number), &[mix(100)]);
    }
    sets.kept(mix(1_000), &[]);
    let found = tally(&mut sets, 1);
    assert_eq!((found.certain, found.values), (2, 2));
    assert_eq!(sets.tallies.count(place(1, Class::Digest)).certain, 0);
}

#[test]
fn more_kept_values_than_can_be_remembered_make_leaks_possible_only() {
    let mut sets = Sets::new(
        Bounds {
            originals: 1 << 12,
            sightings: 1 << 12,
            ..SMALL
        },
        2,
    );
    for number in 0..2_000 {
        original(&mut sets, number);
        seen(&mut sets, 1, number);
        sets.kept(mix(number), &[]);
    }
    let found = tally(&mut sets, 1);
    assert_eq!((found.certain, found.values), (0, 0));
    assert!(found.possible > 0);
}

#[test]
fn digests_past_their_bound_are_a_share_of_both_sides() {
    let mut sets = Sets::new(SMALL, 1);
    for number in 0..10_000 {
        sets.sighting(0, Class::Digest, mix(number));
        sets.digest(mix(number + 5_000));
    }
    let share = 1 << sets.digest_share.0;
    assert!(share >= 16, "{share}");
    let found = finished(&mut sets, 0, Class::Digest);
    assert_eq!(found.seen, 10_000);
    let expected = 5_000.0 / share as f64;
    assert!(
        (found.certain as f64 - expected).abs() < 6.0 * expected.sqrt(),
        "{}",
        found.certain
    );
}
