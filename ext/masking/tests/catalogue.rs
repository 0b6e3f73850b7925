//! The masks of the catalogue on random and on awkward values, without a database. Check digits are checked here by
//! the published definitions, written anew.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use masking::{listing, Column, Keep, Mask, RowMask, Table, Type, Uniqueness};
use pg_dump_archive::copy;
use proptest::prelude::*;
use serde_json::{json, Value};
use std::collections::HashMap;
use std::sync::Arc;
use support::{column, pseudonyms, varchar, UNIQUE};

const DOMAIN: &str = "demo.example.com";

fn mask(name: &str, options: &Value) -> Result<Mask, String> {
    Mask::named(name, options.as_object().unwrap()).map_err(|error| error.to_string())
}

/// A table of a key, a person and one column.
fn table(kind: Type, unique: Uniqueness) -> Table {
    let value = Column {
        unique,
        ..column("value", kind)
    };
    let id = support::unique("id", Type::Integer(8));
    support::table(&[id, column("person", Type::Integer(8)), value])
}

fn fitted(name: &str, options: Value, kind: Type, unique: Uniqueness) -> Result<Arc<RowMask>, String> {
    let mask = mask(name, &options)?;
    RowMask::new(&table(kind, unique), &[(2, mask)], &pseudonyms(DOMAIN))
        .map(Arc::new)
        .map_err(|problems| problems.join(" "))
}

/// What becomes of values, each in a row of its own.
fn run(mask: &Arc<RowMask>, values: &[&str]) -> Vec<String> {
    let mut rows = Vec::new();
    for (number, value) in values.iter().enumerate() {
        rows.extend_from_slice(format!("{number}\t7\t").as_bytes());
        copy::encode(Some(value.as_bytes()), &mut rows);
        rows.push(b'\n');
    }
    let mut out = Vec::new();
    let mut masker = mask.masker();
    masker.mask_piece(&rows, &mut out).unwrap();
    assert_eq!(
        masker.counts().columns[0].violations,
        0,
        "{values:?} {}",
        String::from_utf8_lossy(&out)
    );
    let mut scratch = Vec::new();
    String::from_utf8(out)
        .unwrap()
        .lines()
        .map(|row| {
            let raw = row.split('\t').nth(2).unwrap();
            match copy::decode(raw.as_bytes(), &mut scratch) {
                Some(value) => String::from_utf8(value.to_vec()).unwrap(),
                None => "NULL".into(),
            }
        })
        .collect()
}

#[test]
fn every_mask_of_the_catalogue_has_an_example_that_it_changes() {
    for listed in listing() {
        assert!(!listed.to.is_empty() && listed.to != listed.from, "{listed:?}");
    }
}

#[test]
fn a_password_of_staging_is_for_rows_that_no_keep_keeps() {
    let hash = "$2a$10$EXRkfkdmXn2gzds2SSitu.MW9.gAVqa9eLS1//RYtYCmB1eLHg.9q";
    let mut table = table(Type::TEXT, Uniqueness::default());
    let email = table.columns.len();
    table.columns.push(column("email", Type::TEXT));
    let kept = mask("email", &json!({}))
        .unwrap()
        .keeping(Arc::new(Keep::new(&["*@ours.com".into()])));
    let masks = [
        (2, mask("staging_password", &json!({"cost": 4})).unwrap()),
        (email, kept),
    ];
    let masked = Arc::new(RowMask::new(&table, &masks, &pseudonyms(DOMAIN)).unwrap());
    let condition = masked.columns()[0].known_password.clone().unwrap();
    let mut out = Vec::new();
    let rows = [
        ("ada@ours.com", hash),
        ("bob@theirs.com", hash),
        ("eve@theirs.com", "5ebe2294ecd0e0f08eab7690d2a6ee69"),
    ];
    let piece: String = rows
        .iter()
        .map(|(address, hash)| format!("1\t2\t{hash}\t{address}\n"))
        .collect();
    masked.masker().mask_piece(piece.as_bytes(), &mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    let hashes: Vec<&str> = out.lines().map(|line| line.split('\t').nth(2).unwrap()).collect();
    let known = |hash: &str| bcrypt::verify("staging", hash).unwrap_or(false);
    assert_eq!(
        hashes.iter().map(|hash| known(hash)).collect::<Vec<_>>(),
        [false, true, false]
    );
    assert!(condition.contains(hashes[1]) && !hashes.contains(&hash));
    assert!(hashes[2].len() == 32 && hashes[2].bytes().all(|byte| byte.is_ascii_hexdigit()));
}

#[test]
fn kept_values_stay_and_are_counted() {
    let keep = Arc::new(Keep::new(&["*@ourcompany.com".into()]));
    let mask = mask("email", &json!({})).unwrap().keeping(keep);
    let mask = Arc::new(RowMask::new(&table(Type::TEXT, UNIQUE), &[(2, mask)], &pseudonyms(DOMAIN)).unwrap());
    let mut masker = mask.masker();
    let mut out = Vec::new();
    masker
        .mask_piece(
            b"1\t1\tAdmin@OurCompany.com\n2\t1\tada@example.org\n3\t1\t\\N\n",
            &mut out,
        )
        .unwrap();
    let counts = masker.counts().columns[0];
    assert_eq!(
        (counts.kept, counts.masked, counts.nulls, counts.violations),
        (1, 1, 1, 0)
    );
    assert!(out.starts_with(b"1\t1\tAdmin@OurCompany.com\n2\t1\t"));
    assert!(mask.columns()[0].form_sql.ends_with("ILIKE '%@ourcompany.com'"));
}

#[test]
fn what_does_not_fit_is_refused_with_what_to_do() {
    for (name, options, kind, unique, words) in [
        ("emial", json!({}), Type::TEXT, false, "Did you mean :email?"),
        (
            "phone",
            json!({"contry": "FR"}),
            Type::TEXT,
            false,
            "does not take the option \"contry\". Did you mean country? It takes country.",
        ),
        (
            "birth_date",
            json!({"keepyear": true, "zzz": 1}),
            Type::Date,
            false,
            "the option \"keepyear\". Did you mean keep_year? Nor \"zzz\". It takes days, keep_year, ",
        ),
        (
            "siret",
            json!({"country": "FR"}),
            Type::TEXT,
            false,
            "\"country\". It takes no option.",
        ),
        (
            "phone",
            json!({"country": "XX"}),
            Type::TEXT,
            false,
            "a country's two letters",
        ),
        ("shuffle", json!({}), Type::TEXT, false, "held in memory"),
        ("fake", json!({}), Type::TEXT, false, "Give the option kind"),
        (
            "fake",
            json!({"kind": "first_name"}),
            varchar(4),
            false,
            "is character varying(4), and what the mask :fake of kind first_name writes has up to 12 characters",
        ),
        (
            "fake",
            json!({"kind": "firstname"}),
            Type::TEXT,
            false,
            "one of first_name",
        ),
        (
            "fake",
            json!({"kind": "name", "locale": "xx"}),
            Type::TEXT,
            false,
            "one of fr, en",
        ),
        (
            "fake",
            json!({"kind": "phone", "locale": "it"}),
            Type::TEXT,
            false,
            "no number is reserved",
        ),
        (
            "fake",
            json!({"kind": "phone"}),
            Type::TEXT,
            true,
            "keeps values distinct",
        ),
        (
            "fake",
            json!({"kind": "name"}),
            Type::Integer(8),
            false,
            "text columns",
        ),
        ("name", json!({}), varchar(4), false, "character varying(4)"),
        ("city", json!({}), Type::TEXT, true, ""),
        ("fake", json!({"kind": "name"}), Type::TEXT, true, ""),
        ("redact", json!({}), Type::TEXT, true, "under a unique index"),
        ("number", json!({}), Type::TEXT, false, "number columns"),
        (
            "email",
            json!({}),
            Type::Integer(8),
            false,
            "cannot hold an e-mail address",
        ),
        ("hash", json!({"length": 8}), Type::TEXT, true, "from 14 to 64"),
        ("password", json!({}), varchar(40), false, "60 characters"),
        ("static", json!({}), Type::TEXT, false, "\"value\""),
        (
            "static",
            json!({"value": "long"}),
            varchar(3),
            false,
            "does not take the value",
        ),
        (
            "template",
            json!({"template": "{nobody}"}),
            Type::TEXT,
            false,
            "does not have",
        ),
        (
            "json",
            json!({"paths": {"contact": "email"}}),
            Type::Jsonb,
            false,
            "cannot be read",
        ),
        (
            "json",
            json!({"paths": {"$.a": "emial"}}),
            Type::Jsonb,
            false,
            "Did you mean :email?",
        ),
        (
            "date",
            json!({"subject": "nobody"}),
            Type::Date,
            false,
            "a column of its table",
        ),
        (
            "date",
            json!({"days": 5, "keep_year": true}),
            Type::Date,
            false,
            "exclude one another",
        ),
    ] {
        let unique = if unique { UNIQUE } else { Uniqueness::default() };
        match fitted(name, options, kind, unique) {
            Ok(_) => assert!(words.is_empty(), "{name} should be refused: {words}"),
            Err(problem) => assert!(!words.is_empty() && problem.contains(words), "{name}: {problem}"),
        }
    }
}

#[test]
fn of_the_places_within_a_document_all_that_are_wrong_are_told() {
    for (mask, option, kind) in [("json", "paths", Type::Jsonb), ("hstore", "keys", Type::Hstore)] {
        let places = json!({"$.a": "emial", "$.b": "email", "$.c": {"mask": "phone", "contry": "FR"}, "$.d": 7,
            "$.e..": "nmae"});
        let problem = fitted(mask, json!({ option: places }), kind, Uniqueness::default()).unwrap_err();
        let mut words = vec![
            "$.a: public.users.value has the mask",
            "there is no mask :emial. Did you mean :email?",
            "$.c: ",
            "the option \"contry\". Did you mean country?",
            "$.d: ",
            "a mask is a name, or a map",
            "$.e..: ",
            "there is no mask :nmae. Did you mean :name?",
        ];
        if mask == "json" {
            words.push("a path \"$.e..\" that cannot be read");
        }
        for part in words {
            assert!(problem.contains(part), "{part}: {problem}");
        }
        assert!(!problem.contains("$.b: "), "{problem}");
    }
}

/// Masks that keep distinct values distinct, and values of the form that each is for.
const DISTINCT: &[(&str, &str)] = &[
    ("email", "[a-z]{1,8}@[a-z]{1,8}\\.(fr|com)"),
    ("username", "[a-zé]{1,12}"),
    ("filename", "[a-zé]{1,12}[.]pdf"),
    ("unknown_password", "[$]2a[$]10[$][./A-Za-z0-9]{53}"),
    ("unknown_password", "[a-z]{1,12}"),
    ("name", "[A-Z][a-z]{1,8} [A-Z][a-z]{1,8}"),
    ("city", "[A-Z][a-z]{1,8}"),
    ("postal_code", "[0-9]{5}"),
    ("postal_code", "[A-Z]{1,2}[0-9] [0-9][A-Z]{2}"),
    ("phone", "0[1-9][0-9]{8}"),
    ("phone", "\\+33 [1-9]( [0-9]{2}){4}"),
    ("phone", "[0-9]{2,12}"),
    ("iban", "FR[0-9]{2}[0-9]{10}[0-9A-Z]{11}[0-9]{2}"),
    ("iban", "DE[0-9]{20}"),
    ("bic", "[A-Z]{6}[A-Z0-9]{2}"),
    ("bic", "[A-Z]{6}[A-Z0-9]{5}"),
    ("credit_card", "[0-9]{13,19}"),
    ("last4", "[0-9]{4}"),
    ("nir", "[12][0-9]{14}"),
    ("siren", "[0-9]{9}"),
    ("siret", "[0-9]{14}"),
    ("vat_number", "FR[0-9]{11}"),
    ("vat_number", "DE[0-9]{9}"),
    ("ssn", "[0-9]{3}-[0-9]{2}-[0-9]{4}"),
    ("ip", "[1-9][0-9]?\\.[1-9][0-9]?\\.[1-9][0-9]?\\.[1-9][0-9]?"),
    ("mac", "[0-9a-f]{2}(:[0-9a-f]{2}){5}"),
    ("url", "https://[a-z]{1,6}\\.fr/[a-z]{0,6}"),
    (
        "uuid",
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    ),
    ("hash", ".{1,20}"),
    ("token", "[0-9A-Za-z_-]{2,60}[a-z0-9]"),
    ("token", "[0-9a-f]{3,9}"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn distinct_values_become_distinct_ones_that_are_not_the_originals(
        seed in proptest::collection::vec(any::<u64>(), 1),
    ) {
        use proptest::strategy::ValueTree;
        use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed[0].to_le_bytes());
        for (name, pattern) in DISTINCT {
            let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
            let strategy = proptest::string::string_regex(pattern).unwrap();
            let mask = fitted(name, json!({}), Type::TEXT, UNIQUE).unwrap();
            let mut seen: HashMap<String, String> = HashMap::new();
            for _ in 0..20 {
                let value = strategy.new_tree(&mut runner).unwrap().current();
                let masked = run(&mask, &[&value]).remove(0);
                prop_assert_eq!(&masked, &run(&mask, &[&value])[0], "{} is deterministic", name);
                prop_assert_ne!(&masked, &value, "{}", name);
                if let Some(other) = seen.insert(masked.clone(), value.clone()) {
                    prop_assert_eq!(&other, &value, "{} gives both {}", name, masked);
                }
            }
        }
    }

    #[test]
    fn any_text_is_masked_by_every_mask_within_its_column(value in "(?s).{0,24}") {
        let value = value.replace('\0', "");
        for listed in listing() {
            let options = match listed.name {
                "static" => json!({"value": "x"}),
                "template" => json!({"template": "{id}"}),
                "password" => json!({"cost": 4}),
                _ => json!({}),
            };
            for kind in [Type::TEXT, varchar(60)] {
                let limit = if kind == Type::TEXT { usize::MAX } else { 60 };
                let Ok(mask) = fitted(listed.name, options.clone(), kind, Uniqueness::default()) else {
                    continue;
                };
                let masked = run(&mask, &[&value]).remove(0);
                prop_assert!(masked.chars().count() <= limit, "{} {}", listed.name, masked);
                if value.is_empty() && !matches!(listed.name, "null" | "static" | "redact" | "password") {
                    prop_assert_eq!(&masked, "");
                }
                let is_word = value.chars().any(|c| c.is_ascii_alphanumeric());
                if is_word && !matches!(listed.name, "scrub" | "null" | "template" | "static") {
                    prop_assert_ne!(&masked, &value, "{}", listed.name);
                }
            }
        }
    }
}
