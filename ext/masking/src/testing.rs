//! What the tests of masks share: values of a form, a table of a few columns, a mask that is ready for its rows.

#![allow(clippy::unwrap_used)]

use super::entry::Mask;
use super::equal::Equal;
use super::error::Unfit;
use super::helpers::{Helpers, LeafJudge};
use super::key::Key;
use super::row_mask::RowMask;
use super::table::{ColumnFacts, Pseudonyms, TableFacts, Uniqueness};
use super::types::Type;
use pg_dump_archive::copy;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Whether a pseudonym is right for its original.
pub(super) type Check = fn(&str, &str) -> bool;

/// A mask on values of one form.
#[derive(Clone, Copy)]
pub(super) struct Case {
    pub(super) mask: &'static str,
    pub(super) options: &'static str,
    pub(super) kind: fn() -> Type,
    pub(super) values: &'static str,
    /// Different values become different ones under a unique index.
    pub(super) keeps_distinct: bool,
    /// A value never becomes itself.
    pub(super) changes: bool,
    pub(super) check: Check,
}

pub(super) const fn case(mask: &'static str, values: &'static str, check: Check) -> Case {
    Case {
        mask,
        options: "{}",
        kind: text,
        values,
        keeps_distinct: true,
        changes: true,
        check,
    }
}

impl Case {
    pub(super) const fn with(mut self, options: &'static str) -> Self {
        self.options = options;
        self
    }

    pub(super) const fn on(mut self, kind: fn() -> Type) -> Self {
        self.kind = kind;
        self
    }

    /// The mask repeats itself, and the plan refuses it under a unique index.
    pub(super) const fn repeats(mut self) -> Self {
        self.keeps_distinct = false;
        self
    }

    /// Some values are as they were: a constant, or text without anything personal.
    pub(super) const fn may_stay(mut self) -> Self {
        self.changes = false;
        self
    }
}

pub(super) const A_BCRYPT_HASH: &str = "[$]2[aby][$]04[$][./A-Za-z0-9]{53}";

pub(super) fn text() -> Type {
    Type::TEXT
}

pub(super) fn bigint() -> Type {
    Type::Integer(8)
}

pub(super) fn any(_: &str, _: &str) -> bool {
    true
}

/// A unique index on whole values.
pub(super) const UNIQUE: Uniqueness = Uniqueness {
    distinct: true,
    tells_case_apart: true,
    counts_nulls: false,
    equal: Equal::Bytes,
};

/// A column that admits NULL and has no unique index.
pub(super) fn column(name: &str, kind: Type) -> ColumnFacts {
    ColumnFacts {
        name: name.into(),
        kind,
        not_null: false,
        unique: Uniqueness::default(),
    }
}

fn id() -> ColumnFacts {
    ColumnFacts {
        unique: UNIQUE,
        ..column("id", Type::Integer(8))
    }
}

/// A table whose first column is its primary key.
pub(super) fn table(columns: Vec<ColumnFacts>) -> TableFacts {
    TableFacts {
        name: "public.users".into(),
        columns,
        key: vec![0],
        key_is_enforced: true,
        checks: Default::default(),
        genders: Default::default(),
    }
}

/// What documents hold, as far as tests ask.
const LEAVES: LeafJudge = LeafJudge {
    of_key: |key| match key {
        "email" => Some("email"),
        "first_name" => Some("first_name"),
        "phone" => Some("phone"),
        "age" => Some("null"),
        "passport" => Some("redact"),
        _ => None,
    },
    of_text: |text| (text == b"Ada Lovelace").then_some("name"),
    masks: || vec!["email", "first_name", "name", "null", "phone", "redact"],
};

/// Pseudonyms of UTF-8 text under a key that all tests share.
pub(super) fn pseudonyms() -> Pseudonyms {
    Pseudonyms {
        key: Key::new(&"0123456789abcdef".into()),
        email_domain: "demo.example.com".into(),
        utf8: true,
        staging_password: Some("staging".into()),
        helpers: Helpers {
            leaves: Some(LEAVES),
            ..Helpers::default()
        },
    }
}

fn row_mask(table: &TableFacts, position: usize, mask: Mask) -> Result<Arc<RowMask>, Box<Unfit>> {
    RowMask::new(table, &[(position, mask)], &pseudonyms())
        .map(Arc::new)
        .map_err(|mut unfit| Box::new(unfit.remove(0)))
}

/// A case's mask on a table of a key and one column.
pub(super) fn compiled(case: &Case, unique: bool) -> Result<Arc<RowMask>, Box<Unfit>> {
    let options: Map<String, Value> = serde_json::from_str(case.options).unwrap();
    let mask = Mask::named(case.mask, &options).unwrap();
    let value = ColumnFacts {
        unique: if unique { UNIQUE } else { Uniqueness::default() },
        ..column("value", (case.kind)())
    };
    let table = table(vec![id(), value]);
    row_mask(&table, 1, mask)
}

pub(super) fn same_shape(old: &str, new: &str) -> bool {
    shape(old) == shape(new)
}

/// By how much the last digit is off from what Luhn's table of doubled digits asks for; 0 is right.
pub(super) fn luhn_rest(text: &str) -> u32 {
    const DOUBLED: [u32; 10] = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
    let digits: Vec<usize> = text.bytes().map(|byte| usize::from(byte - b'0')).collect();
    let mut sum = 0;
    let mut doubles = false;
    for digit in digits.iter().rev() {
        sum += if doubles { DOUBLED[*digit] } else { *digit as u32 };
        doubles = !doubles;
    }
    sum % 10
}

/// The remainder of a written number, by long division as on paper.
pub(super) fn remainder(number: &str, by: u64) -> u64 {
    let mut rest = 0;
    for digit in number.chars() {
        rest = (rest * 10 + u64::from(digit.to_digit(10).unwrap())) % by;
    }
    rest
}

pub(super) fn days_between(old: &str, new: &str) -> i64 {
    let date = |text: &str| text.parse::<jiff::civil::Date>().unwrap();
    i64::from((date(new) - date(old)).get_days())
}

/// What becomes of each value; `\N` is NULL, before and after.
pub(super) fn masked(mask: &Arc<RowMask>, values: &[String]) -> Vec<String> {
    rows(mask, values.iter().map(String::as_str), "")
}

/// What becomes of values, each behind an id and `between` in a row of its own.
fn rows<'v>(mask: &Arc<RowMask>, values: impl Iterator<Item = &'v str>, between: &str) -> Vec<String> {
    let mut rows = Vec::new();
    for (number, value) in values.enumerate() {
        rows.extend_from_slice(format!("{number}\t{between}").as_bytes());
        copy::encode(Some(value.as_bytes()).filter(|value| value != b"\\N"), &mut rows);
        rows.push(b'\n');
    }
    let (mut masker, mut out) = (mask.masker(), Vec::new());
    masker.mask_piece(&rows, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let mut check = mask.form_check();
    check.look(text.as_bytes()).unwrap();
    let violations = masker.counts().columns[0].violations;
    assert_eq!((violations, check.without_form()), (0, &[0][..]), "{text}");
    let mut scratch = Vec::new();
    text.lines()
        .map(|row| {
            let field = row.rsplit_once('\t').unwrap().1;
            let value = copy::decode(field.as_bytes(), &mut scratch).unwrap_or(b"\\N");
            String::from_utf8(value.to_vec()).unwrap()
        })
        .collect()
}

pub(super) fn values(pattern: &str, count: usize, seed: u8) -> Vec<String> {
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]),
    );
    let strategy = proptest::string::string_regex(pattern).unwrap();
    (0..count)
        .map(|_| {
            strategy
                .new_tree(&mut runner)
                .unwrap()
                .current()
                // Which no text of PostgreSQL holds.
                .replace('\0', "x")
        })
        .collect()
}

/// Puts the digits in `place` that make `is_right` true.
pub(super) fn righted(value: &str, place: std::ops::Range<usize>, is_right: impl Fn(&str) -> bool) -> String {
    let width = place.len();
    // An IBAN's are from 02 to 98, a NIR's from 01 to 97, a VAT number's from 00 to 96.
    let range = match (width, &value[..2]) {
        (1, _) => 0..10,
        (_, "FR") if value.len() == 13 => 0..97,
        (_, "FR" | "DE") => 2..99,
        _ => 1..98,
    };
    range
        .map(|digits| format!("{}{digits:0width$}{}", &value[..place.start], &value[place.end..]))
        .find(|value| is_right(value))
        .unwrap()
}

/// A table of a key, a person and one column.
pub(super) fn person_table(kind: Type, unique: Uniqueness) -> TableFacts {
    let value = ColumnFacts {
        unique,
        ..column("value", kind)
    };
    table(vec![id(), column("person", Type::Integer(8)), value])
}

/// A mask on the last column of [`person_table`].
pub(super) fn fitted(
    name: &str,
    options: Value,
    kind: Type,
    unique: Uniqueness,
) -> Result<Arc<RowMask>, Box<Unfit>> {
    let mask = Mask::named(name, options.as_object().unwrap()).unwrap();
    row_mask(&person_table(kind, unique), 2, mask)
}

/// What becomes of values of the last column of [`fitted`]'s table.
pub(super) fn run(mask: &Arc<RowMask>, values: &[&str]) -> Vec<String> {
    rows(mask, values.iter().copied(), "7\t")
}

pub(super) fn on_text(name: &str, options: Value, value: &str) -> String {
    run(
        &fitted(name, options, Type::TEXT, Uniqueness::default()).unwrap(),
        &[value],
    )
    .remove(0)
}

pub(super) fn of_kind(name: &str, kind: Type, value: &str) -> String {
    run(
        &fitted(name, Value::Object(Map::new()), kind, Uniqueness::default()).unwrap(),
        &[value],
    )
    .remove(0)
}

pub(super) fn plain(name: &str, value: &str) -> String {
    on_text(name, Value::Object(Map::new()), value)
}

pub(super) fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|c| c.to_digit(10)).collect()
}

/// The shape of a value: where digits, letters and other characters stand.
pub(super) fn shape(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '0'..='9' => '9',
            'a'..='z' => 'a',
            'A'..='Z' => 'A',
            other => other,
        })
        .collect()
}

/// Asserts that numbers of a form, with the digits in `place` that are right, become other right ones.
pub(super) fn becomes_right(
    mask: &'static str,
    pattern: &'static str,
    place: std::ops::Range<usize>,
    is_right: fn(&str) -> bool,
) {
    let case = case(mask, pattern, any);
    let values: Vec<String> = values(pattern, 100, 9)
        .iter()
        .map(|value| righted(value, place.clone(), is_right))
        .collect();
    for (old, new) in values
        .iter()
        .zip(masked(&compiled(&case, true).unwrap(), &values))
    {
        assert!(is_right(&new) && *old != new, "{mask}: {old} became {new}");
    }
}
