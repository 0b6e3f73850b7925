//! Personal data is found in every form it travels in, and no input does harm.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use personal_data::{canonical, find_in_text, ColumnDetector, PiiKind, Scanner};
use proptest::prelude::*;

/// One value of each kind that the leak check and `scrub` look for.
const PLANTED: &[(PiiKind, &str)] = &[
    (PiiKind::Email, "alice.martin@example.com"),
    (PiiKind::Phone, "+33612345678"),
    (PiiKind::Phone, "06 12 34 56 78"),
    (PiiKind::Iban, "FR1420041010050500013M02606"),
    (PiiKind::Card, "4111111111111111"),
    (PiiKind::Nir, "255081416802538"),
    (PiiKind::Ssn, "078-05-1120"),
    (PiiKind::Name, "Marie Dupont"),
];

/// The forms a value arrives in: how it is called, the column's type, the text around it.
fn forms(value: &str) -> Vec<(&'static str, &'static str, String)> {
    let escaped: String = value.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' => out.push(byte as char),
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
        out
    });
    let (head, tail) = value.split_at(value.len() / 2);
    let hex: String = format!("see {value}, thanks")
        .bytes()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mut forms = vec![
        ("text", "text", format!("Bonjour, voir {value}, merci.")),
        ("JSON", "jsonb", format!("{{\"a\": 1, \"b\": \"{value}\"}}")),
        (
            "JSON inside a string",
            "jsonb",
            format!("{{\"a\": \"{{\\\"b\\\": \\\"{value}\\\"}}\"}}"),
        ),
        (
            "JSON two strings deep",
            "text",
            format!(r#""{{\"a\": \"{{\\\"b\\\": \\\"x\\n{value}\\\"}}\"}}""#),
        ),
        ("an array", "text[]", format!("{{plain,\"{value}\"}}")),
        ("hstore", "hstore", format!("\"a\"=>\"1\", \"b\"=>\"{value}\"")),
        ("YAML", "text", format!("---\na: 1\nb: {value}\n")),
        ("XML", "xml", format!("<r><b>{value}</b></r>")),
        ("bytea", "bytea", format!("\\x{hex}")),
        (
            "quoted-printable",
            "text",
            format!("Content-Type: text/plain\n\n=C3=A0 suivre : {head}=\n{tail} merci"),
        ),
    ];
    if !value.contains(' ') {
        forms.push((
            "URL-encoded",
            "text",
            format!("https://x.example/cb?a=1&b={escaped}&c=2"),
        ));
    }
    forms
}

#[test]
fn planted_values_are_found_in_every_form() {
    for (kind, value) in PLANTED {
        for (form, sql_type, text) in forms(value) {
            let mut detector = ColumnDetector::new("x", sql_type);
            detector.observe(text.as_bytes(), &mut Scanner::new());
            let seen = detector
                .findings()
                .iter()
                .any(|finding| finding.kind == *kind && finding.count == 1);
            assert!(seen, "{value} in {form}: {text} gave {:?}", detector.findings());
        }
    }
}

#[test]
fn a_found_range_leads_back_to_the_planted_value() {
    let mut form = Vec::new();
    let mut expected = Vec::new();
    for (kind, value) in PLANTED {
        assert!(canonical(*kind, value.as_bytes(), &mut expected));
        for (name, sql_type, text) in forms(value)
            .iter()
            .filter(|(_, sql_type, _)| *sql_type != "bytea")
        {
            let mut same = false;
            find_in_text(text.as_bytes(), |found, range| {
                canonical(found, &text.as_bytes()[range], &mut form);
                same |= found == *kind && form == expected;
            });
            assert!(same, "{value} in {name} ({sql_type}): {text}");
        }
    }
}

#[test]
fn harmless_rows_give_nothing() {
    let mut scanner = Scanner::new();
    for row in 0..20_000u64 {
        let text = format!(
            "{{\"id\": {row}, \"at\": \"2024-{:02}-{:02}T{:02}:30:00Z\", \"total\": \"{}.{:02}\", \"ref\": \"INV-{:06}\", \
             \"ua\": \"Chrome/{}.0.{}.12 Safari/537.36\", \"note\": \"Ships in {} days, room {}.\"}}",
            row % 12 + 1,
            row % 28 + 1,
            row % 24,
            row * 7 % 900,
            row % 100,
            row * 31 % 1_000_000,
            row % 60 + 80,
            row % 6000,
            row % 9,
            row % 40,
        );
        scanner.find(text.as_bytes(), |kind, range| {
            panic!("{kind:?} {} in {text}", &text[range])
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn any_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        look_at(&bytes);
    }

    #[test]
    fn texts_made_of_what_the_scanner_looks_for_do_no_harm(
        text in "([0-9]{1,9}|[ .,/()+@:=%-]|\\\\|\\{|\\}|\\[|\"|[a-zA-Zé]{1,9}|bis |rue |FR76|eyJ|=\n|%40|u00e9|2A|&){0,60}"
    ) {
        look_at(text.as_bytes());
    }
}

/// Feeds bytes to everything and checks that the ranges are inside.
fn look_at(bytes: &[u8]) {
    let mut form = Vec::new();
    find_in_text(bytes, |kind, range| {
        assert!(range.start < range.end && range.end <= bytes.len());
        canonical(kind, &bytes[range], &mut form);
    });
    for sql_type in [
        "text", "jsonb", "hstore", "text[]", "xml", "bytea", "inet", "macaddr", "bigint", "date",
    ] {
        let mut detector = ColumnDetector::new("phone", sql_type);
        detector.observe(bytes, &mut Scanner::new());
        assert_eq!(detector.values(), 1);
        assert!(detector
            .findings()
            .iter()
            .all(|finding| finding.count <= 1 && (0.0..=1.0).contains(&finding.confidence)));
    }
}
