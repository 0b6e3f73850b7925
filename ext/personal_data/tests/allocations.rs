//! The hot path: looking at a value allocates nothing, once the thread's buffers have grown to what values need.
//!
//! One thing may: the library for telephone numbers, which is asked about a number that a look cannot decide on.

#![allow(clippy::unwrap_used, clippy::panic)]

use personal_data::{ColumnDetector, Scanner};

const ROUNDS: usize = 200;

/// Allocations while a column's values pass, after they have passed once.
fn allocations(column: &str, sql_type: &str, values: &[&str]) -> u64 {
    let mut scanner = Scanner::new();
    let mut detector = ColumnDetector::new(column, sql_type);
    let mut pass = |rounds: usize| {
        for _ in 0..rounds {
            for value in values {
                detector.observe(value.as_bytes(), &mut scanner);
            }
        }
    };
    pass(1);
    allocation_counter::measure(|| pass(ROUNDS)).count_total
}

/// Columns, their types and their values.
const CASES: &[(&str, &str, &[&str])] = &[
    ("color", "text", &["red", "", "deep blue", "été"]),
    (
        "email",
        "character varying(255)",
        &["ada@example.org", "Ada.Lovelace+x@mail.example.co.uk", "none"],
    ),
    (
        "full_name",
        "text",
        &["Ada Lovelace", "Jean-Pierre Dupont", "Mme Zoé de la Tour"],
    ),
    (
        "note",
        "text",
        &[
            "Vu avec Marie DUPONT hier, 12 rue Pasteur, 75002 Paris.",
            "The order 2024-11-03 of 1,234.50 shipped in 3 days to room 12.",
            "mail ada@example.org, IBAN FR1420041010050500013M02606, card 4111 1111 1111 1111",
            "=?UTF-8?Q?=C3=A9t=C3=A9?= and %41da%40example.org and \\u00e9t\\u00e9",
            "key sk_live_4eC39HqLyjWDarjtT1zdp7dc, from 82.64.1.2 at 00:1b:63:84:45:e6",
        ],
    ),
    (
        "data",
        "jsonb",
        &[
            r#"{"email": "ada@example.org", "first_name": "Ada", "n": 7, "tags": ["a", "b"], "deep": {"city": "Lyon"}}"#,
            r#"{"a": "{\"b\": \"ada@example.org\"}"}"#,
        ],
    ),
    (
        "tags",
        "text[]",
        &["{red,\"deep blue\",NULL}", "{ada@example.org}"],
    ),
    (
        "extra",
        "hstore",
        &["\"email\"=>\"ada@example.org\", \"x\"=>NULL"],
    ),
    (
        "body",
        "bytea",
        &["\\x61646140 6578616d706c652e6f7267", "\\xff00ff"],
    ),
    ("address", "inet", &["82.64.1.2", "10.0.0.1/8", "2001:db8::1"]),
    ("count", "integer", &["1", "732829320", "269054958815780"]),
    (
        "token",
        "text",
        &[
            "$2a$12$LCbDInfkhaDteIXGb6zkWed2FwbrnDmssUv5icrs38uxghYSfm25m",
            "eyJhbGciOiJIUzI1NiJ9.e30.abc",
        ],
    ),
];

#[test]
fn no_value_allocates() {
    let allocating: Vec<String> = CASES
        .iter()
        .filter_map(|(column, sql_type, values)| {
            let count = allocations(column, sql_type, values);
            (count > 0).then(|| format!("{column} {sql_type}: {count} in {} values", values.len() * ROUNDS))
        })
        .collect();
    assert!(allocating.is_empty(), "{allocating:#?}");
}
