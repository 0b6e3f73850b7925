//! The hot path: no mask allocates for a row, once its worker's buffers have grown to what rows need.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use masking::{Check, Comparison, Condition, Keep, Mask, RowMask, TableFacts, Term, Type};
use pg_dump_archive::copy;
use serde_json::{json, Map, Value};
use std::collections::HashMap;
use std::sync::Arc;
use support::{column, pseudonyms, table};

const ROWS: usize = 500;

/// Allocations while rows with these values pass a second time.
fn allocations(mask: Mask, kind: &Type, values: &[&str], checks: Option<Vec<Check>>) -> u64 {
    let table = TableFacts {
        checks: checks.map_or_else(HashMap::new, |checks| HashMap::from([(2, checks.into())])),
        ..table(&[
            column("id", Type::Integer(8)),
            column("email", Type::TEXT),
            column("value", kind.clone()),
        ])
    };
    let pseudonyms = pseudonyms("demo.example.com");
    let mask = RowMask::new(&table, &[(1, named("email", &json!({}))), (2, mask)], &pseudonyms)
        .unwrap_or_else(|problems| panic!("{problems:?}"));
    let mut rows = Vec::new();
    for row in 0..ROWS {
        rows.extend_from_slice(format!("{row}\tAda{row}@Éxample.org\t").as_bytes());
        copy::encode(Some(values[row % values.len()].as_bytes()), &mut rows);
        rows.push(b'\n');
    }
    let (mut masker, mut out) = (Arc::new(mask).masker(), Vec::new());
    masker.mask_piece(&rows, &mut out).unwrap();
    out.clear();
    out.reserve(rows.len() * 4);
    let info = allocation_counter::measure(|| masker.mask_piece(&rows, &mut out).unwrap());
    assert_eq!(masker.counts().rows, 2 * ROWS as u64);
    info.count_total
}

/// The catalogue's own examples, and values that take other ways through a mask.
fn cases() -> Vec<(String, Value, Type, Vec<&'static str>)> {
    let mut cases = Vec::new();
    for listed in masking::listing() {
        let kind = listed.kind;
        let mut values = vec![listed.from];
        if kind == Type::TEXT {
            values.extend([
                "x",
                "a\ttab, a\nnewline and a \\",
                "Zoë 👩‍👩‍👧 ñandú",
                "0123456789",
                "ABC-def-123",
            ]);
        }
        cases.push((
            listed.name.to_owned(),
            serde_json::from_str(listed.with).unwrap(),
            kind,
            values,
        ));
    }
    let mut more = |name: &str, options: Value, kind, values: &[&'static str]| {
        cases.push((name.to_owned(), options, kind, values.to_vec()));
    };
    let text = || Type::TEXT;
    more(
        "email",
        json!({"keep_domain": true}),
        text(),
        &["Ada@example.org"],
    );
    more(
        "phone",
        json!({}),
        text(),
        &["06 12 34 56 78", "0612345678", "112"],
    );
    more("phone", json!({}), Type::Integer(8), &["33612345678"]);
    more(
        "date",
        json!({"age_band": 10}),
        Type::Date,
        &["2024-02-29", "infinity", "0044-03-15 BC"],
    );
    more(
        "timestamp",
        json!({}),
        Type::Timestamp,
        &["2024-02-29 12:00:00.123", "-infinity"],
    );
    more("number", json!({}), Type::Double, &["1.5e10", "0.25", "NaN"]);
    more(
        "ip",
        json!({"keep_prefix": true}),
        Type::Inet,
        &["192.0.2.17", "2001:db8::1/64"],
    );
    more("hash", json!({}), Type::Bytea, &["\\x00ff"]);
    more("last4", json!({}), Type::Integer(4), &["4242"]);
    more(
        "json",
        json!({"scrub": true}),
        text(),
        &["{\"é\\u00e9\": [\"call ada@example.org\", 1.5, null]}", "no json"],
    );
    more(
        "json",
        json!({"paths": {"$..email": "email", "$.a[*]": "token", "$.n": "number"}}),
        Type::Jsonb,
        &["{\"a\": [\"x1\", \"y2\"], \"n\": 12, \"deep\": {\"er\": {\"email\": \"ada@example.org\"}}}"],
    );
    more(
        "hstore",
        json!({"scrub": true, "keys": {"k": "null"}}),
        Type::Hstore,
        &["\"k\"=>\"v\", \"n\"=>\"ada@example.org\""],
    );
    more(
        "array",
        json!({"of": "number"}),
        Type::Array(Box::new(Type::Integer(4))),
        &["{1,2,NULL}"],
    );
    more("template", json!({"template": "{email}-{id}"}), text(), &["x"]);
    cases
}

fn named(name: &str, options: &Value) -> Mask {
    let none = Map::new();
    Mask::named(name, options.as_object().unwrap_or(&none)).unwrap()
}

#[test]
fn no_mask_of_the_catalogue_allocates_for_a_row() {
    let mut problems = Vec::new();
    for (name, options, kind, values) in cases() {
        let count = allocations(named(&name, &options), &kind, &values, None);
        if count > 0 {
            problems.push(format!("{name} {options}: {count} allocations for {ROWS} rows"));
        }
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn neither_strategies_nor_keep_nor_checks_allocate_for_a_row() {
    let mut problems = Vec::new();
    let mut look = |name: &str, mask: Mask, kind: &Type, checks| {
        let count = allocations(mask, kind, &["Ada\\b", "0612345678"], checks);
        if count > 0 {
            problems.push(format!("{name}: {count} allocations for {ROWS} rows"));
        }
    };
    for strategy in masking::STRATEGIES {
        for (column, mask) in strategy.masks() {
            look(column, mask, &Type::TEXT, None);
        }
    }
    let keep = Arc::new(Keep::new(&["*@example.org".into(), "0*7?".into()]));
    look(
        "keep",
        named("token", &json!({})).keeping(keep),
        &Type::TEXT,
        None,
    );
    let length = Condition::Compare(
        Term::Length(Box::new(Term::Text)),
        Comparison::AtMost,
        Term::FixedNumber(20.0),
    );
    let lower = Condition::Compare(Term::Lower(Box::new(Term::Text)), Comparison::Equal, Term::Text);
    for condition in [length, lower] {
        let checks = vec![Check {
            name: "check".into(),
            condition,
        }];
        look("check", named("username", &json!({})), &Type::TEXT, Some(checks));
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn names_that_go_with_what_a_gender_becomes_allocate_nothing_for_a_row() {
    let text = |name: &str| column(name, Type::TEXT);
    let mut table = table(&[
        column("id", Type::Integer(8)),
        text("gender"),
        text("first_name"),
        text("name"),
    ]);
    table.genders = HashMap::from([(2, 1), (3, 1)]);
    let masks = [
        (1, named("category", &json!({"values": ["Mme", "M."]}))),
        (2, named("first_name", &json!({}))),
        (3, named("name", &json!({}))),
    ];
    let mask = RowMask::new(&table, &masks, &pseudonyms("demo.example.com")).unwrap();
    let row = |row: usize| format!("{row}\tMme\tAda{row}\tAda{row} Lovelace\n");
    let rows: String = (0..ROWS).map(row).collect();
    let (mut masker, mut out) = (Arc::new(mask).masker(), Vec::new());
    masker.mask_piece(rows.as_bytes(), &mut out).unwrap();
    out.clear();
    out.reserve(rows.len() * 4);
    let info = allocation_counter::measure(|| masker.mask_piece(rows.as_bytes(), &mut out).unwrap());
    assert_eq!(info.count_total, 0);
}
