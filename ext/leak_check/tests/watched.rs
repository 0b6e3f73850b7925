//! The leak check on rows that are made here: what is planted is found in its column, and nothing else is.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use leak_check::{
    Bounds, ColumnPlace, Findings, LeakCheck, LeakWatch, LookTime, Remedy, Role, ScanMode, WatchedColumn,
    Watches,
};
use masking::{ColumnFacts, Key, Mask, Pseudonyms, RowMask, TableFacts, Type, Uniqueness};
use md5::{Digest as _, Md5};
use personal_data::PiiKind;
use pg_dump_archive::DumpId;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// The load of the masked table `users (id, email, phone, iban, card, nir)`.
const USERS: DumpId = DumpId(1);
/// The load of the table `posts (id, a, b)`, of which nothing is masked.
const POSTS: DumpId = DumpId(2);

fn column(position: usize, column: u32, scan: ScanMode) -> WatchedColumn {
    WatchedColumn {
        position,
        column,
        role: Role::Written,
        scan,
        whole: None,
    }
}

fn watches(scan: ScanMode) -> Watches {
    let place = |table: &str, column: &str| ColumnPlace {
        table: table.into(),
        column: column.into(),
        in_rules: table.into(),
        mask: Remedy::Plain("scrub"),
    };
    let mut users = LeakWatch::default();
    for position in 1..=5 {
        users
            .columns
            .push(column(position, position as u32 - 1, ScanMode::Text));
    }
    users.columns[1].whole = Some(PiiKind::Phone);
    let posts = LeakWatch {
        columns: vec![column(1, 5, scan), column(2, 6, ScanMode::Text)],
        ..LeakWatch::default()
    };
    Watches {
        loads: HashMap::from([(USERS, Arc::new(users)), (POSTS, Arc::new(posts))]),
        columns: vec![
            place("public.users", "email"),
            place("public.users", "phone"),
            place("public.users", "iban"),
            place("public.users", "card"),
            place("public.users", "nir"),
            place("public.posts", "a"),
            place("public.posts", "b"),
        ]
        .into(),
    }
}

fn mask_of_users() -> Arc<RowMask> {
    let names = ["id", "email", "phone", "iban", "card", "nir"];
    let columns = names.map(|name| ColumnFacts {
        name: name.into(),
        kind: Type::TEXT,
        not_null: false,
        unique: Uniqueness::default(),
    });
    let table = TableFacts {
        name: "public.users".into(),
        columns: columns.to_vec(),
        key: vec![0],
        key_is_enforced: true,
        checks: Default::default(),
        genders: Default::default(),
    };
    let value = serde_json::Map::from_iter([("value".to_owned(), "masked".into())]);
    let masked = Mask::named("static", &value).unwrap();
    let masks: Vec<(usize, Mask)> = (1..=5).map(|position| (position, masked.clone())).collect();
    let pseudonyms = Pseudonyms {
        key: Key::new(&"sixteen bytes or more".into()),
        email_domain: "demo.example.com".into(),
        utf8: true,
        staging_password: None,
        helpers: Default::default(),
    };
    Arc::new(RowMask::new(&table, &masks, &pseudonyms).unwrap())
}

const ALICE: &str = "1\tAlice@Example.com\t06 12 34 56 78\tFR14 2004 1010 0505 0001 3M02 606\t4111 1111 1111 1111\t255081416802538\n";

/// What a check finds when these rows of users and of posts pass.
fn found(users: &str, posts: &str, scan: ScanMode, bounds: Bounds) -> (Findings, Arc<LeakCheck>) {
    let check = LeakCheck::new(&watches(scan), false, bounds);
    let mask = mask_of_users();
    let mut masked = Vec::new();
    mask.masker().mask_piece(users.as_bytes(), &mut masked).unwrap();
    let mut on_users = check.watcher(USERS, Some(&mask), LookTime::Sent).unwrap();
    let mut on_posts = check.watcher(POSTS, None, LookTime::Sent).unwrap();
    // The other table comes first, as often as not.
    on_posts.piece(posts.as_bytes(), posts.as_bytes());
    on_users.piece(users.as_bytes(), &masked);
    (check.findings(), check)
}

fn leaks(posts: &str) -> Vec<(String, String, u64)> {
    leaks_in(posts, ScanMode::Text)
}

fn leaks_in(posts: &str, scan: ScanMode) -> Vec<(String, String, u64)> {
    let (findings, _) = found(ALICE, posts, scan, Bounds::default());
    assert!(findings
        .leaks
        .iter()
        .all(|leak| leak.certain && leak.table == "public.posts"));
    let mut leaks: Vec<_> = findings
        .leaks
        .into_iter()
        .map(|leak| (leak.column, leak.kind, leak.count))
        .collect();
    leaks.sort();
    leaks
}

fn one(column: &str, kind: &str) -> Vec<(String, String, u64)> {
    vec![(column.into(), kind.into(), 1)]
}

#[test]
fn an_original_in_another_columns_text_is_found_in_that_column_however_it_is_written_there() {
    for (text, kind) in [
        ("Reply to alice@example.com please", "email"),
        ("mail <ALICE@EXAMPLE.COM>, thanks", "email"),
        ("call +33 6 12 34 56 78", "phone"),
        ("0612345678", "phone"),
        ("0033612345678", "phone"),
        ("IBAN FR1420041010050500013M02606", "iban"),
        ("card 4111-1111-1111-1111 exp 12/29", "card"),
        ("NIR 2 55 08 14 168 025 38", "identity_number"),
    ] {
        assert_eq!(leaks(&format!("1\t{text}\t\\N\n")), one("a", kind), "{text}");
        assert_eq!(
            leaks(&format!("1\tnothing here\t{text}\n")),
            one("b", kind),
            "{text}"
        );
    }
}

#[test]
fn encodings_hide_nothing() {
    // As COPY text has them: each backslash of the value is doubled.
    for text in [
        r#"{"to": "alice@example.com"}"#,
        r#"{"a": {"b": [1, {"c": "x alice@example.com y"}]}}"#,
        r#"{"payload": "{\\"email\\": \\"alice@example.com\\"}"}"#,
        r#"{"body": "Hello\\nalice@example.com\\nBye"}"#,
        r#"{"email": "alice\\u0040example.com"}"#,
        r#"{"html": "\\u003calice@example.com\\u003e"}"#,
        r#"[["\\"{\\\\"m\\\\": \\\\"\\\\nalice\\\\u0040example.com\\\\"}\\""]]"#,
        r"{alice@example.com,bob@example.com}",
        r#"{"alice@example.com","other text"}"#,
        r#""mail"=>"alice@example.com", "n"=>"1""#,
        r"/search?email=alice%40example.com&page=2",
        r"mailto:alice@example.com?subject=Hello",
        r"Bonjour =C3=A0 tous,=\nmon adresse : alice@exam=\nple.com",
        r"'alice@example.com':3 'hello':1",
        "---\\nemail: alice@example.com\\nid: 4\\n",
        r"a line\nalice@example.com\tand a tab",
    ] {
        assert_eq!(leaks(&format!("1\t{text}\t\\N\n")), one("a", "email"), "{text}");
    }
    for text in [
        r"tel=%2B33612345678&x=1",
        r"T=C3=A9l : 06 12 34=\n 56 78",
        r#"{"tel": "\\n06 12 34 56 78"}"#,
    ] {
        assert_eq!(leaks(&format!("1\t{text}\t\\N\n")), one("a", "phone"), "{text}");
    }
}

#[test]
fn what_wraps_or_disguises_a_value_hides_nothing() {
    for text in [
        // Base64: alone, in the other alphabet, in JSON, of JSON, of Marshal.
        "YWxpY2VAZXhhbXBsZS5jb20=",
        "dG86IGFsaWNlQGV4YW1wbGUuY29tLCBzdWJqZWN0OiA_Pz8-",
        r#"{"t": "YWxpY2VAZXhhbXBsZS5jb20="}"#,
        "see eyJ1c2VyIjp7ImVtYWlsIjoiYWxpY2VAZXhhbXBsZS5jb20ifX0= in the cookie",
        "BAh7BkkiCmVtYWlsBjoGRVRJIhZhbGljZUBleGFtcGxlLmNvbQY7AFQ=",
        "/search?next=%2Fu%3Femail%3Dalice%2540example.com",
        "alice&#64;example.com",
        "&#97;&#108;&#105;&#99;&#101;&#x40;example&period;com",
        "alice&amp;#64;example.com",
        "alice\u{FF20}example.com",
        "al\u{200B}ice@exam\u{200D}ple.com",
    ] {
        assert_eq!(leaks(&format!("1\t{text}\t\\N\n")), one("a", "email"), "{text}");
    }
    for text in [
        "33612345678",
        "https://wa.me/33612345678",
        "<a href=\"tel:+33612345678\">",
        "tel:0612345678",
        "\u{FF10}\u{FF16}\u{FF11}\u{FF12}\u{FF13}\u{FF14}\u{FF15}\u{FF16}\u{FF17}\u{FF18}",
    ] {
        assert_eq!(leaks(&format!("1\t{text}\t\\N\n")), one("a", "phone"), "{text}");
    }
    for text in ["2550814168025", "2 55 08 14 168 025"] {
        assert_eq!(
            leaks(&format!("1\t{text}\t\\N\n")),
            one("a", "identity_number"),
            "{text}"
        );
    }
    for text in ["20041010050500013M02606", "RIB 20041 01005 0500013M026 06"] {
        assert_eq!(leaks(&format!("1\t{text}\t\\N\n")), one("a", "iban"), "{text}");
    }
}

/// Places that a value can stand in, in COPY text.
fn carriers(value: &str) -> Vec<(&'static str, String)> {
    let (one, other) = value.split_at(value.len() / 2);
    let encoded: String = value
        .bytes()
        .map(|byte| match byte.is_ascii_alphanumeric() {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect();
    vec![
        ("text", format!("Reply to {value} please")),
        ("JSON", format!(r#"{{"id": 7, "to": "{value}"}}"#)),
        (
            "nested JSON",
            format!(r#"{{"a": {{"b": [1, {{"c": "x, {value}, y"}}]}}}}"#),
        ),
        (
            "JSON in a JSON string",
            format!(r#"{{"p": "{{\\"m\\": \\"{value}\\"}}"}}"#),
        ),
        ("array", format!(r#"{{one,"{value}",three}}"#)),
        ("hstore", format!(r#""k"=>"{value}", "n"=>"1""#)),
        (
            "quoted-printable",
            format!(r"Bonjour =C3=A0 tous,=\nvoici : {one}=\n{other} merci"),
        ),
        ("URL-encoded", format!("/search?q={encoded}&page=2")),
        ("YAML", format!(r"---\nvalue: '{value}'\nid: 4\n")),
    ]
}

#[test]
fn every_kind_is_found_in_every_carrier_with_its_column() {
    let mut missed = Vec::new();
    for (value, kind) in [
        ("alice@example.com", "email"),
        ("06 12 34 56 78", "phone"),
        ("+33612345678", "phone"),
        ("FR14 2004 1010 0505 0001 3M02 606", "iban"),
        ("FR1420041010050500013M02606", "iban"),
        ("4111 1111 1111 1111", "card"),
        ("4111111111111111", "card"),
        ("2 55 08 14 168 025 38", "identity_number"),
        ("255081416802538", "identity_number"),
    ] {
        for (carrier, text) in carriers(value) {
            for (column, posts) in [
                ("a", format!("1\t{text}\t\\N\n")),
                ("b", format!("1\t\\N\t{text}\n")),
            ] {
                let found = leaks(&posts);
                if found != one(column, kind) {
                    missed.push(format!("{kind} in {carrier}: {text} gave {found:?}"));
                }
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn a_bytea_that_reads_as_text_is_looked_into_and_another_is_counted() {
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let rows = format!("1\t\\\\x{}\t\\N\n", hex("From: alice@example.com"));
    assert_eq!(leaks_in(&rows, ScanMode::Bytes), one("a", "email"));
    let picture = "1\t\\\\x89504e470d0a1a0a0000000d49484452000000000a\t\\N\n";
    let (findings, check) = found(ALICE, picture, ScanMode::Bytes, Bounds::default());
    assert_eq!(findings.leaks, []);
    let unscanned: Vec<_> = check
        .unscanned()
        .into_iter()
        .map(|(place, count)| (place.column.clone(), count))
        .collect();
    assert_eq!(unscanned, [("a".into(), 1)]);
}

#[test]
fn an_unsalted_hash_of_an_original_is_found() {
    // MD5, SHA-1, SHA-256 and SHA-512 of alice@example.com, then the same in base64.
    for digest in [
        "c160f8cc69a4f0bf2b0362752353d060",
        "fc2398a73dd54d6237c4fdb58fd7d75347cf5af3",
        "ff8d9819fc0e12bf0d24892e45987e249a28dce836a85cad60e28eaaa8c6d976",
        "284475ccd5b97d7c67438ebead74e5e234be891dbc2cea85a3db97b00799e3ec\
         7ce9a5cbd94dcf5f0ea332c5dbfbe3937ec0b020561ac465e18233e93c951941",
        "wWD4zGmk8L8rA2J1I1PQYA==",
        "/COYpz3VTWI3xP21j9fXU0fPWvM=",
        "/42YGfwOEr8NJIkuRZh+JJoo3Og2qFytYOKOqqjG2XY=",
        "KER1zNW5fXxnQ46+rXTl4jS+iR28LOqFo9uXsAeZ4+x86aXL2U3PXw6jMsXb++OTfsCwIFYaxGXhgjPpPJUZQQ==",
    ] {
        let text = match digest.contains(|character: char| character.is_ascii_uppercase()) {
            true => format!("1\t{digest}\t\\N\n"),
            false => format!("1\thttps://www.gravatar.com/avatar/{digest}?s=80\t\\N\n"),
        };
        assert_eq!(leaks(&text), one("a", "hash"), "{digest}");
    }
}

#[test]
fn a_hash_of_every_kind_is_found_of_the_value_as_it_is_and_without_spaces() {
    for value in [
        "Alice@Example.com",
        "06 12 34 56 78",
        "0612345678",
        "FR1420041010050500013M02606",
        "4111111111111111",
        "255081416802538",
    ] {
        let digest: String = Md5::digest(value)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            leaks(&format!("1\t\\N\t{{\"h\": \"{digest}\"}}\n")),
            one("b", "hash"),
            "{value}"
        );
    }
    let strangers: String = Md5::digest("bob@example.com")
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(leaks(&format!("1\t{strangers}\t\\N\n")), []);
}

#[test]
fn what_is_no_original_is_no_leak() {
    let posts = "1\tbob@example.com\t07 11 22 33 44\n2\tmasked\t4242 4242 4242 4242\n3\t\\N\t\\N\n";
    assert_eq!(leaks(posts), []);
}

#[test]
fn a_value_that_its_mask_keeps_is_no_original() {
    let check = LeakCheck::new(&watches(ScanMode::Text), false, Bounds::default());
    let mask = mask_of_users();
    let kept = ALICE.as_bytes();
    check
        .watcher(USERS, Some(&mask), LookTime::Sent)
        .unwrap()
        .piece(kept, kept);
    let posts = b"1\talice@example.com\t\\N\n";
    check
        .watcher(POSTS, None, LookTime::Sent)
        .unwrap()
        .piece(posts, posts);
    assert_eq!(check.findings().leaks, []);
}

#[test]
fn nothing_of_a_value_is_in_what_is_found() {
    let (findings, check) = found(
        ALICE,
        "1\talice@example.com 06 12 34 56 78\t\\N\n",
        ScanMode::Text,
        Bounds::default(),
    );
    let reported = serde_json::to_string(&findings.leaks).unwrap();
    assert!(reported.contains("email"), "{reported}");
    let shown = format!("{findings:?} {check:?} {reported}").to_lowercase();
    assert!(
        !shown.contains("alice@") && !shown.contains("612345678") && !shown.contains("34 56"),
        "{shown}"
    );
}

/// Users with e-mail addresses and telephone numbers, all different, and posts that hold other people's.
fn a_million_rows(planted: &str) -> Findings {
    let check = LeakCheck::new(&watches(ScanMode::Text), false, Bounds::default());
    let mask = mask_of_users();
    let mut on_users = check.watcher(USERS, Some(&mask), LookTime::Sent).unwrap();
    let mut on_posts = check.watcher(POSTS, None, LookTime::Sent).unwrap();
    let mut masker = mask.masker();
    let (mut users, mut masked, mut posts) = (String::new(), Vec::new(), String::new());
    for batch in 0..100 {
        users.clear();
        masked.clear();
        posts.clear();
        for row in batch * 5_000..(batch + 1) * 5_000 {
            writeln!(users, "{row}\tuser{row}@example.com\t\\N\t\\N\t\\N\t\\N").unwrap();
            let even = row % 2 == 0;
            let text = if even {
                "Thank you for your order, it left on 2024-03-01 10:30:00."
            } else {
                "ok"
            };
            writeln!(
                posts,
                "{row}\t{text} ref 00{row:07}\t{{\"by\":\"staff{row}@example.com\",\"at\":17000{row:05}}}"
            )
            .unwrap();
        }
        if batch == 50 {
            posts.push_str(planted);
        }
        on_posts.piece(posts.as_bytes(), posts.as_bytes());
        masker.mask_piece(users.as_bytes(), &mut masked).unwrap();
        on_users.piece(users.as_bytes(), &masked);
    }
    check.findings()
}

#[test]
fn on_a_million_rows_without_a_leak_none_is_reported() {
    let findings = a_million_rows("");
    assert_eq!(findings.leaks, []);
    assert!(findings.summary.originals >= 490_000 && findings.summary.candidates >= 500_000);
}

#[test]
fn on_a_million_rows_a_single_leak_is_found() {
    let findings = a_million_rows("7\tcc user250001@example.com\t\\N\n");
    let leaks: Vec<_> = findings
        .leaks
        .iter()
        .map(|leak| (leak.column.as_str(), leak.count))
        .collect();
    assert_eq!(leaks, [("a", 1)], "certain or possible: {:?}", findings.leaks);
}
