//! The masks of the catalogue on random and on awkward values, without a database. Check digits are checked here by
//! the published definitions, written anew.

#![allow(clippy::unwrap_used, clippy::panic)]

mod mask_support;

use mask_support::{column, pseudonyms, varchar, UNIQUE};
use proptest::prelude::*;
use serde_json::{json, Value};
use staging_sync_engine::copy;
use staging_sync_engine::mask::{listing, Column, Keep, Mask, RowMask, Table, Type, Uniqueness};
use std::collections::HashMap;
use std::sync::Arc;

const DOMAIN: &str = "demo.example.com";

fn mask(name: &str, options: &Value) -> Result<Mask, String> {
    Mask::named(name, options.as_object().unwrap())
}

/// A table of a key, a person and one column.
fn table(kind: Type, unique: Uniqueness) -> Table {
    let value = Column {
        unique,
        ..column("value", kind)
    };
    let id = mask_support::unique("id", Type::Integer(8));
    mask_support::table(&[id, column("person", Type::Integer(8)), value])
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

fn on_text(name: &str, options: Value, value: &str) -> String {
    run(
        &fitted(name, options, Type::TEXT, Uniqueness::default()).unwrap(),
        &[value],
    )
    .remove(0)
}

fn of_kind(name: &str, kind: Type, value: &str) -> String {
    run(
        &fitted(name, json!({}), kind, Uniqueness::default()).unwrap(),
        &[value],
    )
    .remove(0)
}

fn plain(name: &str, value: &str) -> String {
    on_text(name, json!({}), value)
}

fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|c| c.to_digit(10)).collect()
}

/// ISO/IEC 7812-1, annex B.
fn luhn_is_right(text: &str) -> bool {
    let sum: u32 = digits(text)
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            if place % 2 == 1 {
                digit * 2 / 10 + digit * 2 % 10
            } else {
                *digit
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// ISO 13616: the first four characters to the end, letters as two digits, the rest by 97 is 1.
fn iban_is_right(text: &str) -> bool {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let turned: String = text[4..].chars().chain(text[..4].chars()).collect();
    let mut rest = 0u64;
    for c in turned.chars() {
        for digit in c.to_digit(36).unwrap().to_string().chars() {
            rest = (rest * 10 + u64::from(digit.to_digit(10).unwrap())) % 97;
        }
    }
    rest == 1
}

fn nir_is_right(text: &str) -> bool {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let body: u64 = text[..13]
        .replace("2A", "19")
        .replace("2B", "18")
        .parse()
        .unwrap();
    97 - body % 97 == text[13..].parse::<u64>().unwrap()
}

/// The shape of a value: where digits, letters and other characters stand.
fn shape(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '0'..='9' => '9',
            'a'..='z' => 'a',
            'A'..='Z' => 'A',
            other => other,
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
fn an_iban_stays_one_of_its_country_with_right_check_digits() {
    for iban in [
        "FR14 2004 1010 0505 0001 3M02 606",
        "FR7630006000011234567890189",
        "DE89370400440532013000",
        "GB29NWBK60161331926819",
        "BE68539007547034",
    ] {
        let masked = plain("iban", iban);
        assert!(iban_is_right(iban) && iban_is_right(&masked), "{masked}");
        assert_eq!(masked[..2], iban[..2]);
        assert_eq!(shape(&masked), shape(iban));
        assert_ne!(masked, iban);
    }
    // The key of a French account is right, too: 97 - (89 bank + 15 branch + 3 account) mod 97.
    let masked = plain("iban", "FR7630006000011234567890189");
    let part = |range: std::ops::Range<usize>| masked[range].parse::<u64>().unwrap();
    let rest = (89 * part(4..9) + 15 * part(9..14) + 3 * part(14..25)) % 97;
    assert_eq!(97 - rest, part(25..27));
    // What is wrong stays wrong.
    assert!(!iban_is_right(&plain("iban", "DE88370400440532013000")));
}

#[test]
fn cards_sirens_and_sirets_keep_their_check_digit_right() {
    for (name, value) in [
        ("credit_card", "4111 1111 1111 1111"),
        ("credit_card", "378282246310005"),
        ("siren", "732 829 320"),
        ("siret", "73282932000074"),
    ] {
        let masked = plain(name, value);
        assert!(luhn_is_right(value) && luhn_is_right(&masked), "{name} {masked}");
        assert_eq!(shape(&masked), shape(value));
        assert_ne!(masked, value);
    }
    assert!(!luhn_is_right(&plain("credit_card", "4111 1111 1111 1112")));
    assert!(on_text("credit_card", json!({"keep_bin": true}), "4111 1111 1111 1111").starts_with("4111 11"));
    let siret = plain("siret", "73282932000074");
    assert_eq!(
        siret[..9],
        plain("siren", "732829320"),
        "a SIRET begins with the pseudonym of its SIREN"
    );
    let vat = plain("vat_number", "FR44732829320");
    assert_eq!(vat[4..], siret[..9]);
    let key = (12 + 3 * (vat[4..].parse::<u64>().unwrap() % 97)) % 97;
    assert_eq!(vat[2..4].parse::<u64>().unwrap(), key);
}

#[test]
fn a_nir_keeps_the_sex_and_a_right_key() {
    for nir in [
        "2 69 05 49 588 157 80",
        "255081416802538",
        "1 84 12 2A 451 089 75",
    ] {
        let nir: String = {
            // With its key made right.
            let plain: String = nir.chars().filter(|c| *c != ' ').collect();
            let body: u64 = plain[..13].replace("2A", "19").parse().unwrap();
            format!("{}{:02}", &plain[..13], 97 - body % 97)
        };
        let masked = plain("nir", &nir);
        assert!(nir_is_right(&nir) && nir_is_right(&masked), "{masked}");
        assert_eq!(masked[..1], nir[..1]);
        assert!((1..=12).contains(&masked[3..5].parse::<u32>().unwrap()));
        assert_ne!(masked, nir);
    }
}

#[test]
fn a_phone_number_stays_valid_and_of_its_kind_and_is_the_same_however_it_is_written() {
    let mobile = plain("phone", "06 12 34 56 78");
    assert!(
        mobile.starts_with("06 ") && shape(&mobile) == "99 99 99 99 99",
        "{mobile}"
    );
    let national: String = mobile.chars().filter(char::is_ascii_digit).skip(1).collect();
    for written in [
        "+33612345678",
        "0033612345678",
        "+33 6 12 34 56 78",
        "+33 (0)6 12 34 56 78",
        "06.12.34.56.78",
    ] {
        let masked: String = plain("phone", written)
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        assert!(masked.ends_with(&national), "{written} {masked}");
    }
    let us = on_text("phone", json!({"country": "US"}), "(212) 555-0123");
    let parts = digits(&us);
    assert!(
        shape(&us) == "(999) 999-9999" && parts[0] >= 2 && parts[3] >= 2,
        "{us}"
    );
    assert!(plain("phone", "+49 30 123456").starts_with("+49 "));
    assert!(
        !plain("phone", "call me").contains("call"),
        "words are no phone number, and do not stay"
    );
}

#[test]
fn tokens_keep_length_and_alphabet() {
    for (value, is_of) in [
        ("d41d8cd98f00b204e9800998ecf8427e", "0123456789abcdef"),
        (
            "sk_live_4eC39HqLyjWDarjtT1",
            "_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
        ),
        ("ABC-123", "-0123456789ABCDEF"),
        ("1234", "0123456789"),
    ] {
        let masked = plain("token", value);
        assert_eq!(masked.len(), value.len());
        assert!(
            masked != value && masked.chars().all(|c| is_of.contains(c)),
            "{masked}"
        );
    }
    let foreign = plain("token", "clé🔑");
    assert!(foreign.chars().count() == 4 && foreign.is_ascii());
}

#[test]
fn dates_of_one_subject_keep_their_distance() {
    let mask = fitted(
        "date",
        json!({"subject": "person"}),
        Type::Date,
        Uniqueness::default(),
    )
    .unwrap();
    let masked = run(
        &mask,
        &[
            "2024-01-01",
            "2024-01-31",
            "infinity",
            "0044-03-15 BC",
            "5874897-12-31",
        ],
    );
    let days = |text: &str| text.parse::<jiff::civil::Date>().unwrap();
    assert_eq!((days(&masked[1]) - days(&masked[0])).get_days(), 30);
    assert_ne!(masked[0], "2024-01-01");
    assert_eq!(masked[2], "infinity");
    assert!(masked[3].ends_with(" BC") && masked[3] != "0044-03-15 BC");
    assert!(masked[4].starts_with("5874897-") && masked[4] != "5874897-12-31");
    let birth = of_kind("birth_date", Type::Date, "1984-02-29");
    assert!(birth.starts_with("1984-") && birth != "1984-02-29");
    let mask = fitted("date", json!({"age_band": 10}), Type::Date, Uniqueness::default()).unwrap();
    assert_eq!(run(&mask, &["1984-02-29"]), ["1980-01-01"]);
    let moment = of_kind("timestamp", Type::TimestampTz, "2024-02-29 23:59:59.123456+01");
    assert!(
        moment.ends_with(".123456+01") && !moment.starts_with("2024-02-29"),
        "{moment}"
    );
}

#[test]
fn numbers_stay_near_and_keep_sign_and_scale() {
    for (kind, value, least, most) in [
        (Type::Numeric { digits: None }, "1000.50", 900.0, 1101.0),
        (Type::Integer(4), "-1000", -1101.0, -899.0),
        (Type::Integer(2), "32767", 29000.0, 32766.0),
        (Type::Numeric { digits: Some(3) }, "999.99", 890.0, 999.98),
        (Type::Integer(8), "0", 1.0, 1.0),
        (Type::Double, "1.5e+300", 1.3e300, 1.7e300),
    ] {
        let masked = of_kind("number", kind, value);
        let number: f64 = masked.parse().unwrap();
        assert!(
            masked != value && (least..=most).contains(&number),
            "{value} {masked}"
        );
        let scale = |text: &str| text.split_once('.').map(|(_, rest)| rest.len());
        assert!(value.contains('e') || scale(&masked) == scale(value));
    }
    assert_eq!(of_kind("number", Type::Double, "NaN"), "NaN");
}

#[test]
fn addresses_of_the_network_stay_addresses() {
    assert!(plain("ip", "192.0.2.17").parse::<std::net::Ipv4Addr>().is_ok());
    assert!(plain("ip", "2001:db8::17").parse::<std::net::Ipv6Addr>().is_ok());
    let keep = json!({"keep_prefix": true});
    let (a, b) = (
        on_text("ip", keep.clone(), "192.0.2.17"),
        on_text("ip", keep, "192.0.2.18"),
    );
    assert_eq!(a.rsplit_once('.').unwrap().0, b.rsplit_once('.').unwrap().0);
    let network = of_kind("ip", Type::Cidr, "192.0.2.0/24");
    assert!(network.ends_with(".0/24") && network != "192.0.2.0/24");
    assert_eq!(shape(&plain("mac", "00:1b:63:84:45:e6")).len(), 17);
    let uuid = plain("uuid", "3f333df6-90a4-4fda-8dd3-9485d27cee36");
    assert!(uuid.as_bytes()[14] == b'4' && uuid.as_bytes()[19] == b'8');
    assert_eq!(plain("uuid", "3F333DF6-90A4-4FDA-8DD3-9485D27CEE36"), uuid);
    let url = plain("url", "https://ada.example.org/cv?token=1");
    assert!(url.starts_with("https://h") && !url.contains("ada"));
    assert_eq!(
        url[..30],
        plain("url", "https://ADA.example.org/other")[..30],
        "the same host has the same pseudonym"
    );
}

#[test]
fn scrubbed_text_holds_the_pseudonyms_that_the_masks_give() {
    let text =
        "Ada <ada@example.org>, 06 12 34 56 78, FR7630006000011234567890189, card 4111 1111 1111 1111, \
                https://x.example/reset?token=abc. Fin à 18h.";
    let scrubbed = plain("scrub", text);
    for (mask, value) in [
        ("email", "ada@example.org"),
        ("phone", "06 12 34 56 78"),
        ("iban", "FR7630006000011234567890189"),
        ("credit_card", "4111 1111 1111 1111"),
    ] {
        assert!(!scrubbed.contains(value), "{scrubbed}");
        assert!(scrubbed.contains(&plain(mask, value)), "{mask}: {scrubbed}");
    }
    assert!(
        !scrubbed.contains("token=abc") && scrubbed.starts_with("Ada <") && scrubbed.ends_with("Fin à 18h.")
    );
    assert_eq!(plain("scrub", "nothing of note"), "nothing of note");
}

#[test]
fn documents_are_masked_where_the_paths_say_and_nowhere_else() {
    let options = json!({"paths": {"$.contact.email": "email", "$.items[*].name": "redact", "$..phone": "phone", "$['odd key']": "null"}});
    let mask = fitted("json", options, Type::Jsonb, Uniqueness::default()).unwrap();
    let document = r#"{"id": 1.10, "contact": {"email": "a\u0064a@example.org", "phone": "0612345678", "x": "y"}, "items": [{"name": "one", "n": null}, {"name": null}], "odd key": {"a": 1}, "email": "kept"}"#;
    let email = plain("email", "ada@example.org");
    let phone = plain("phone", "0612345678");
    assert_eq!(
        run(&mask, &[document]),
        [format!(
            r#"{{"id": 1.10, "contact": {{"email": "{email}", "phone": "{phone}", "x": "y"}}, "items": [{{"name": "[REDACTED]", "n": null}}, {{"name": null}}], "odd key": {{"a": null}}, "email": "kept"}}"#
        )]
    );
    let mask = fitted("json", json!({"scrub": true}), Type::Json, Uniqueness::default()).unwrap();
    assert_eq!(
        run(&mask, &[r#"["ada@example.org", 5]"#]),
        [format!(r#"["{email}", 5]"#)]
    );
    let deep = format!("{}\"ada@example.org\"{}", "[".repeat(5000), "]".repeat(5000));
    assert!(!run(&mask, &[&deep])[0].contains("ada"));
    let mask = fitted(
        "hstore",
        json!({"keys": {"email": "email"}}),
        Type::Hstore,
        Uniqueness::default(),
    )
    .unwrap();
    assert_eq!(
        run(&mask, &[r#""email"=>"ada@example.org", "q"=>"a\"b", "n"=>NULL"#]),
        [format!(r#""email"=>"{email}", "q"=>"a\"b", "n"=>NULL"#)]
    );
    let mask = fitted(
        "array",
        json!({"of": "email"}),
        Type::Array(Box::new(Type::TEXT)),
        Uniqueness::default(),
    )
    .unwrap();
    assert_eq!(
        run(&mask, &[r#"{ada@example.org,"ada@example.org",NULL,""}"#]),
        [format!(r#"{{"{email}","{email}",NULL,""}}"#)]
    );
}

#[test]
fn fixed_values_passwords_and_templates() {
    assert_eq!(on_text("static", json!({"value": "n/a"}), "x"), "n/a");
    assert_eq!(plain("null", "x"), "NULL");
    let hash = on_text("password", json!({"password": "staging", "cost": 4}), "old");
    assert!(bcrypt::verify("staging", &hash).unwrap() && hash.len() == 60);
    assert_eq!(
        on_text("template", json!({"template": "user-{id}@x.test"}), "x"),
        "user-0@x.test"
    );
    assert!(
        fitted("template", json!({"template": "{person}"}), Type::TEXT, UNIQUE)
            .unwrap_err()
            .contains("primary key")
    );
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
    for (name, options, kind, unique, told) in [
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
            Ok(_) => assert!(told.is_empty(), "{name} should be refused: {told}"),
            Err(problem) => assert!(!told.is_empty() && problem.contains(told), "{name}: {problem}"),
        }
    }
}

#[test]
fn of_the_places_within_a_document_all_that_are_wrong_are_told() {
    for (mask, option, kind) in [("json", "paths", Type::Jsonb), ("hstore", "keys", Type::Hstore)] {
        let places = json!({"$.a": "emial", "$.b": "email", "$.c": {"mask": "phone", "contry": "FR"}, "$.d": 7,
            "$.e..": "nmae"});
        let problem = fitted(mask, json!({ option: places }), kind, Uniqueness::default()).unwrap_err();
        let mut told = vec![
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
            told.push("a path \"$.e..\" that cannot be read");
        }
        for told in told {
            assert!(problem.contains(told), "{told}: {problem}");
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
