//! The documented strategies on awkward rows, without a database.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use masking::{strategy, ColumnFacts, Mask, MaskError, Pseudonyms, RowMask, TableFacts, Type, Unfit};
use pg_dump_archive::copy;
use proptest::prelude::*;
use std::collections::HashSet;
use std::sync::Arc;
use support::{column, table, unique, varchar};

const DOMAIN: &str = "demo.example.com";
const BIGINT: Type = Type::Integer(8);

fn citext() -> Type {
    Type::Text {
        limit: None,
        padded: false,
        ignores_case: true,
    }
}

fn pseudonyms() -> Pseudonyms {
    support::pseudonyms(DOMAIN)
}

fn not_null(name: &str, kind: Type) -> ColumnFacts {
    ColumnFacts {
        not_null: true,
        ..column(name, kind)
    }
}

/// What a strategy makes of a column.
fn of(name: &str, column: &str) -> Mask {
    strategy(name).unwrap().mask_of(column).unwrap()
}

fn compile(table: &TableFacts, name: &str) -> Result<RowMask, Vec<Unfit>> {
    let strategy = strategy(name).unwrap();
    let masks: Vec<(usize, Mask)> = table
        .columns
        .iter()
        .enumerate()
        .filter_map(|(place, column)| {
            let mask = strategy.mask_of(&column.name)?;
            Some((place, mask))
        })
        .collect();
    RowMask::new(table, &masks, &pseudonyms())
}

fn masked(table: &TableFacts, strategy: &str, rows: &str) -> String {
    let mut masker = Arc::new(compile(table, strategy).unwrap()).masker();
    let mut out = Vec::new();
    masker.mask_piece(rows.as_bytes(), &mut out).unwrap();
    assert!(
        masker
            .counts()
            .columns
            .iter()
            .all(|counts| counts.violations == 0),
        "{:?}",
        masker.counts()
    );
    String::from_utf8(out).unwrap()
}

/// The only masked field of a table of an id and one more column.
fn masked_value(key: Type, column: ColumnFacts, strategy: &str, id: &str, value: &str) -> String {
    let row = masked(
        &table(&[not_null("id", key), column]),
        strategy,
        &format!("{id}\t{value}\n"),
    );
    row.trim_end_matches('\n').split_once('\t').unwrap().1.to_owned()
}

fn problem(column: ColumnFacts, strategy: &str) -> String {
    let problems = compile(&table(&[not_null("id", BIGINT), column]), strategy).unwrap_err();
    assert_eq!(problems.len(), 1);
    problems[0].to_string()
}

#[test]
fn the_user_strategy_writes_the_documented_values() {
    let columns: Vec<ColumnFacts> = std::iter::once(not_null("id", BIGINT))
        .chain(
            strategy("user_anonymization")
                .unwrap()
                .masks()
                .map(|(name, _)| column(name, Type::TEXT)),
        )
        .chain([column("note", Type::TEXT)])
        .collect();
    let row = format!("42{}\tkept \\t \\\\N 😀\n", "\tsecret".repeat(columns.len() - 2));
    let row = masked(&table(&columns), "user_anonymization", &row);
    let value = |name: &str| {
        let place = columns.iter().position(|column| column.name == name).unwrap();
        row.trim_end_matches('\n')
            .split('\t')
            .nth(place)
            .unwrap()
            .to_owned()
    };
    assert_eq!(value("id"), "42");
    assert!(value("email").ends_with("@demo.example.com") && value("email").len() == 37);
    // The MD5 of the new address, checked against PostgreSQL in mask_in_postgres.rs.
    assert_eq!(value("email_md5").len(), 32);
    assert_eq!(value("first_name"), "Demo");
    assert_eq!(value("last_name"), "User42");
    assert_eq!(value("full_name"), "Demo User42");
    assert_eq!(value("credit_card_last_4"), "0000");
    assert_eq!(value("iban_last4"), "0000");
    assert_eq!(value("address_line1"), "8 rue du sentier");
    assert_eq!(value("city"), "Paris");
    assert_eq!(value("postal_code"), "75002");
    for name in [
        "stripe_customer_id",
        "address_line2",
        "birth_date",
        "birth_place",
        "google_token",
        "facebook_token",
        "apple_id",
        "billing_extra",
        "zendesk_user_id",
    ] {
        assert_eq!(value(name), "\\N", "{name}");
    }
    assert_eq!(value("note"), "kept \\t \\\\N 😀");
}

#[test]
fn the_other_strategies_write_the_documented_values() {
    let id = || not_null("id", BIGINT);
    let text = |name: &str| column(name, Type::TEXT);
    let payment = table(&[
        id(),
        text("card_last4"),
        text("card_last_4"),
        text("credit_card_last_4"),
        text("iban_last4"),
    ]);
    assert_eq!(
        masked(&payment, "payment_anonymization", "1\t1234\t1\t2\t3\n"),
        "1\t0000\t0000\t0000\t0000\n"
    );
    let address = table(&[
        text("city"),
        text("address_line1"),
        text("postal_code"),
        text("address_line2"),
    ]);
    assert_eq!(
        masked(&address, "address_anonymization", "Lyon\t1 rue X\t69001\tbis\n"),
        "Demo City\t123 Demo Street\t00000\t\\N\n"
    );
    let email = masked_value(
        BIGINT,
        text("email"),
        "email_anonymization",
        "1",
        "ada@example.org",
    );
    let user = masked_value(
        BIGINT,
        text("email"),
        "user_anonymization",
        "9",
        "ada@example.org",
    );
    assert_eq!(email, user, "the same address has the same pseudonym everywhere");
    for name in ["number", "phone", "phone_number"] {
        assert_eq!(
            masked_value(BIGINT, text(name), "phone_anonymization", "123", "0612345678"),
            "0600000123"
        );
    }
}

#[test]
fn null_stays_null_and_a_literal_backslash_n_in_data_does_not() {
    for (strategy, name) in [
        ("email_anonymization", "email"),
        ("phone_anonymization", "phone"),
        ("user_anonymization", "last_name"),
        ("user_anonymization", "city"),
        ("user_anonymization", "email_md5"),
    ] {
        assert_eq!(
            masked_value(BIGINT, column(name, Type::TEXT), strategy, "1", "\\N"),
            "\\N"
        );
        // In COPY text \\N is the two characters \N.
        assert_ne!(
            masked_value(BIGINT, column(name, Type::TEXT), strategy, "1", "\\\\N"),
            "\\N"
        );
        assert_ne!(
            masked_value(BIGINT, column(name, Type::TEXT), strategy, "1", "\\\\N"),
            "\\\\N"
        );
    }
}

#[test]
fn empty_addresses_and_numbers_stay_empty_and_constants_replace_empty_values() {
    let text = |name: &str| column(name, Type::TEXT);
    assert_eq!(
        masked_value(BIGINT, text("email"), "email_anonymization", "1", ""),
        ""
    );
    assert_eq!(
        masked_value(BIGINT, text("phone"), "phone_anonymization", "1", ""),
        ""
    );
    assert_eq!(
        masked_value(BIGINT, text("first_name"), "user_anonymization", "1", ""),
        "Demo"
    );
    assert_eq!(
        masked_value(BIGINT, text("city"), "user_anonymization", "1", ""),
        "Paris"
    );
    assert_eq!(
        masked_value(BIGINT, text("last_name"), "user_anonymization", "1", ""),
        "User1"
    );
    assert_eq!(
        masked_value(BIGINT, text("apple_id"), "user_anonymization", "1", ""),
        "\\N"
    );
}

#[test]
fn addresses_that_differ_in_case_are_one_unless_an_index_tells_them_apart() {
    let email = |column: &ColumnFacts, value: &str| {
        masked_value(BIGINT, column.clone(), "email_anonymization", "1", value)
    };
    let plain = column("email", Type::TEXT);
    assert_eq!(email(&plain, "Ada@Example.org"), email(&plain, "ada@example.org"));
    assert_eq!(
        email(&plain, "É@x.fr"),
        email(&plain, "é@x.fr"),
        "lower case as Unicode has it"
    );
    let exact = unique("email", Type::TEXT);
    assert_ne!(email(&exact, "Ada@Example.org"), email(&exact, "ada@example.org"));
    assert_eq!(
        email(&exact, "ada@example.org"),
        email(&plain, "ada@example.org"),
        "joins survive"
    );
    // Escaped in the data or not, an address is what it means.
    assert_eq!(email(&plain, "a\\tb\\\\@x.fr"), email(&plain, "A\\tB\\\\@x.fr"));
    // character(n) is padded with blanks that do not count.
    let padded = column(
        "email",
        Type::Text {
            limit: Some(60),
            padded: true,
            ignores_case: false,
        },
    );
    assert_eq!(
        email(&padded, "ada@example.org     "),
        email(&plain, "ada@example.org")
    );
}

#[test]
fn an_address_that_is_not_utf_8_is_masked_too() {
    let mask = Arc::new(
        compile(
            &table(&[not_null("id", BIGINT), column("email", Type::TEXT)]),
            "email_anonymization",
        )
        .unwrap(),
    );
    let mut out = Vec::new();
    mask.masker()
        .mask_piece(b"1\tAd\xe9@x.fr\n2\tad\xe9@X.fr\n", &mut out)
        .unwrap();
    let rows: Vec<&str> = std::str::from_utf8(&out).unwrap().lines().collect();
    assert_eq!(rows[0][2..], rows[1][2..]);
}

#[test]
fn email_md5_is_keyed_where_there_is_no_address() {
    let columns = [
        not_null("id", BIGINT),
        column("email_md5", Type::TEXT),
        column("email", Type::TEXT),
    ];
    let rows = masked(
        &table(&columns),
        "user_anonymization",
        "1\taaa\tx@y.fr\n2\tbbb\tX@y.fr\n3\taaa\t\\N\n4\tbbb\t\\N\n",
    );
    let md5: Vec<&str> = rows.lines().map(|row| row.split('\t').nth(1).unwrap()).collect();
    assert_eq!(md5[0], md5[1]);
    assert_ne!(md5[2], md5[3]);
    assert_ne!(md5[0], md5[2]);
    let alone = masked_value(
        BIGINT,
        column("email_md5", Type::TEXT),
        "user_anonymization",
        "1",
        "aaa",
    );
    assert_eq!(alone, md5[2]);
    assert!(md5.iter().all(|value| value.len() == 32));
    let uuid = masked_value(
        BIGINT,
        column("email_md5", Type::Uuid),
        "user_anonymization",
        "1",
        "aaa",
    );
    assert_eq!(uuid.replace('-', ""), alone);
}

#[test]
fn ids_of_more_than_seven_digits_and_ids_that_are_no_numbers_become_seven_keyed_digits() {
    let phone =
        |key: Type, id: &str| masked_value(key, column("phone", Type::TEXT), "phone_anonymization", id, "x");
    assert_eq!(phone(BIGINT, "0"), "0600000000");
    assert_eq!(phone(BIGINT, "9999999"), "0609999999");
    let mut seen = HashSet::new();
    for (key, id) in [
        (BIGINT, "10000000"),
        (BIGINT, "9223372036854775807"),
        (BIGINT, "-5"),
        (Type::Uuid, "0b9c3a52-3f4b-4d3e-9a0e-1f6b8f1d2c3a"),
        (Type::TEXT, "abc"),
        (Type::TEXT, ""),
    ] {
        let value = phone(key, id);
        assert!(
            value.len() == 10 && value.starts_with("060") && value.bytes().all(|byte| byte.is_ascii_digit()),
            "{value}"
        );
        assert!(seen.insert(value));
    }
    let name = masked_value(
        BIGINT,
        column("last_name", Type::TEXT),
        "user_anonymization",
        "-5",
        "x",
    );
    assert!(name.len() == "User".len() + 7, "{name}");
    // The same id has the same digits, whatever they are written into.
    assert_eq!(name["User".len()..], phone(BIGINT, "-5")["060".len()..]);
}

#[test]
fn a_composite_key_counts_in_all_its_parts() {
    let columns = [
        not_null("tenant", BIGINT),
        not_null("nr", BIGINT),
        column("last_name", Type::TEXT),
    ];
    let table = TableFacts {
        key: vec![0, 1],
        ..table(&columns)
    };
    let rows = masked(&table, "user_anonymization", "1\t23\tx\n12\t3\tx\n1\t23\ty\n");
    let names: Vec<&str> = rows.lines().map(|row| row.rsplit('\t').next().unwrap()).collect();
    assert_ne!(names[0], names[1]);
    assert_eq!(names[0], names[2]);
    assert_eq!(names[0].len(), 11);
}

#[test]
fn without_a_primary_key_the_id_is_a_column_of_that_name_or_the_value_itself() {
    let keyless = |columns: &[ColumnFacts]| TableFacts {
        key: vec![],
        key_is_enforced: false,
        checks: Default::default(),
        ..table(columns)
    };
    let with_id = keyless(&[column("last_name", Type::TEXT), column("id", BIGINT)]);
    assert_eq!(masked(&with_id, "user_anonymization", "x\t7\n"), "User7\t7\n");
    let row = masked(&with_id, "user_anonymization", "x\t\\N\n");
    let without = keyless(&[column("last_name", Type::TEXT)]);
    let alone = masked(&without, "user_anonymization", "x\n");
    assert_eq!(row.split('\t').next(), alone.strip_suffix('\n'));
    // A value that looks like an id is still not shown.
    assert_ne!(masked(&without, "user_anonymization", "1234\n"), "User1234\n");
}

#[test]
fn a_phone_number_is_made_from_the_user_it_belongs_to() {
    let columns = [
        not_null("id", BIGINT),
        column("user_id", BIGINT),
        column("number", Type::TEXT),
    ];
    assert_eq!(
        masked(
            &table(&columns),
            "phone_anonymization",
            "1\t77\t0611111111\n2\t\\N\t0622222222\n"
        ),
        "1\t77\t0600000077\n2\t\\N\t0600000002\n"
    );
}

#[test]
fn a_phone_number_under_a_unique_index_comes_from_its_own_row_and_grows() {
    let columns = [
        not_null("id", BIGINT),
        column("user_id", BIGINT),
        unique("number", Type::TEXT),
    ];
    let rows = masked(
        &table(&columns),
        "phone_anonymization",
        "1\t77\ta\n2\t77\tb\n10000000\t1\tc\n-5\t1\td\n5\t1\te\n123456789012345678\t1\tf\n-10000000\t1\tg\n",
    );
    let numbers: Vec<&str> = rows.lines().map(|row| row.rsplit('\t').next().unwrap()).collect();
    assert_eq!(numbers[..3], ["0600000001", "0600000002", "06010000000"]);
    assert_eq!(numbers.iter().collect::<HashSet<_>>().len(), numbers.len());
    // No number: enough keyed digits that none meets another.
    let uuid = masked_value(
        Type::Uuid,
        unique("phone", Type::TEXT),
        "phone_anonymization",
        "0b9c",
        "x",
    );
    assert_eq!(uuid.len(), 3 + 25);
    let cut = masked_value(
        Type::Uuid,
        unique("phone", varchar(20)),
        "phone_anonymization",
        "0b9c",
        "x",
    );
    assert_eq!(cut.len(), 20);
}

#[test]
fn an_id_with_more_digits_than_fit_under_a_unique_index_ends_the_run() {
    let columns = [not_null("id", BIGINT), unique("phone", varchar(15))];
    let mask = Arc::new(compile(&table(&columns), "phone_anonymization").unwrap());
    let mut out = Vec::new();
    mask.masker().mask_piece(b"123456789012\tx\n", &mut out).unwrap();
    let error = mask
        .masker()
        .mask_piece(b"1234567890123\tsecret\n", &mut out)
        .unwrap_err();
    let (table, column) = ("public.users".to_owned(), "phone".to_owned());
    assert_eq!(error, MaskError::TooLong { table, column });
    assert!(!out.windows(6).any(|bytes| bytes == b"secret"));
}

#[test]
fn a_name_under_a_unique_index_is_not_cut_to_seven_digits() {
    let name = |id: &str| {
        masked_value(
            BIGINT,
            unique("last_name", Type::TEXT),
            "user_anonymization",
            id,
            "x",
        )
    };
    assert_eq!(name("123456789"), "User123456789");
    assert_ne!(name("-5"), name("5"));
}

#[test]
fn text_is_cut_to_what_the_column_holds() {
    let value = |kind: Type, name: &str| {
        masked_value(BIGINT, column(name, kind), "user_anonymization", "1234567", "x")
    };
    assert_eq!(value(varchar(3), "first_name"), "Dem");
    assert_eq!(value(varchar(2), "credit_card_last_4"), "00");
    assert_eq!(value(varchar(6), "last_name"), "User12");
    assert_eq!(value(varchar(3), "last_name"), "Use");
    assert_eq!(value(varchar(12), "full_name"), "Demo User123");
    assert_eq!(value(varchar(8), "address_line1"), "8 rue du");
    assert_eq!(value(varchar(10), "email_md5").len(), 10);
    assert_eq!(
        masked_value(
            BIGINT,
            column("phone", varchar(5)),
            "phone_anonymization",
            "1234567",
            "x"
        ),
        "06012"
    );
}

#[test]
fn an_address_column_shorter_than_the_pseudonym_is_a_problem_with_its_fix() {
    assert!(compile(
        &table(&[not_null("id", BIGINT), column("email", varchar(37))]),
        "email_anonymization"
    )
    .is_ok());
    let problem = problem(column("email", varchar(36)), "email_anonymization");
    assert!(
        problem.contains("public.users.email is character varying(36)"),
        "{problem}"
    );
    assert!(problem.contains("a domain of at most 15 characters"), "{problem}");
}

#[test]
fn not_null_columns_get_the_neutral_value_of_their_type() {
    for (kind, neutral) in [
        (Type::TEXT, ""),
        (Type::Integer(4), "0"),
        (Type::Numeric { digits: Some(3) }, "0"),
        (Type::Boolean, "f"),
        (Type::Date, "1970-01-01"),
        (Type::TimestampTz, "1970-01-01 00:00:00+00"),
        (Type::Jsonb, "{}"),
        (Type::Json, "{}"),
        (Type::Array(Box::new(Type::TEXT)), "{}"),
        (Type::Hstore, ""),
        (Type::Range, "empty"),
        (Type::Bytea, ""),
        (Type::Uuid, "00000000-0000-0000-0000-000000000000"),
        (Type::Bit(3), "000"),
        (Type::Inet, "0.0.0.0"),
        (Type::Enum(vec!["it's\tsad".into(), "ok".into()]), "it's\\tsad"),
    ] {
        assert_eq!(
            masked_value(
                BIGINT,
                not_null("billing_extra", kind),
                "user_anonymization",
                "1",
                "x"
            ),
            neutral
        );
    }
    let unknown = problem(
        not_null("billing_extra", Type::Other("geometry".into())),
        "user_anonymization",
    );
    assert!(
        unknown.contains("geometry") && unknown.contains("NOT NULL"),
        "{unknown}"
    );
    let nullable = column("billing_extra", Type::Other("geometry".into()));
    assert_eq!(
        masked_value(BIGINT, nullable, "user_anonymization", "1", "x"),
        "\\N"
    );
}

#[test]
fn under_a_unique_index_distinct_keyed_values_stand_where_equal_ones_would() {
    let required = |kind: Type| ColumnFacts {
        not_null: true,
        ..unique("apple_id", kind)
    };
    let value = |column: &ColumnFacts, value: &str| {
        masked_value(BIGINT, column.clone(), "user_anonymization", "1", value)
    };
    for (kind, length) in [
        (Type::TEXT, 32),
        (varchar(14), 14),
        (Type::Uuid, 36),
        (BIGINT, 18),
        (Type::Bytea, 35),
    ] {
        let column = required(kind);
        assert_ne!(value(&column, "1"), value(&column, "2"));
        assert_eq!(value(&column, "1"), value(&column, "1"));
        assert_eq!(value(&column, "1").len(), length);
    }
    assert_eq!(
        value(&unique("apple_id", Type::TEXT), "1"),
        "\\N",
        "NULLs are distinct"
    );
    let mut counting = unique("apple_id", Type::TEXT);
    counting.unique.counts_nulls = true;
    assert_eq!(
        value(&counting, "1").len(),
        32,
        "unless the index says that they are not"
    );
    assert_eq!(value(&unique("city", Type::TEXT), "Lyon").len(), 32);
    for column in [
        required(varchar(13)),
        required(Type::Integer(4)),
        required(Type::Date),
        unique("city", varchar(5)),
        unique("credit_card_last_4", varchar(4)),
        unique("email_md5", varchar(10)),
        unique("last_name", varchar(13)),
    ] {
        let problem = problem(column, "user_anonymization");
        assert!(
            problem.contains("under a unique index") && problem.contains("exclude the table"),
            "{problem}"
        );
    }
    problem(unique("phone", Type::Integer(4)), "phone_anonymization");
    problem(unique("phone", varchar(12)), "phone_anonymization");
}

#[test]
fn citext_under_a_unique_index_still_takes_case_for_the_same() {
    let mut column = unique("email", citext());
    column.unique.tells_case_apart = false;
    let email = |value: &str| masked_value(BIGINT, column.clone(), "email_anonymization", "1", value);
    assert_eq!(email("ADA@x.fr"), email("ada@x.fr"));
}

#[test]
fn a_value_that_the_type_cannot_hold_is_a_problem() {
    for (strategy, column, value) in [
        (
            "user_anonymization",
            column("first_name", Type::Integer(4)),
            "\"Demo\"",
        ),
        (
            "user_anonymization",
            column("postal_code", Type::Integer(2)),
            "\"75002\"",
        ),
        (
            "user_anonymization",
            column("postal_code", Type::Numeric { digits: Some(4) }),
            "\"75002\"",
        ),
        (
            "user_anonymization",
            column("city", Type::Enum(vec!["Lyon".into()])),
            "\"Paris\"",
        ),
        ("user_anonymization", column("last_name", Type::Jsonb), "a name"),
        ("user_anonymization", column("email_md5", BIGINT), "an MD5"),
        (
            "email_anonymization",
            column("email", Type::Array(Box::new(Type::TEXT))),
            "an e-mail address",
        ),
        (
            "phone_anonymization",
            column("phone", Type::Integer(2)),
            "a phone number",
        ),
        (
            "phone_anonymization",
            column("phone", Type::Array(Box::new(Type::TEXT))),
            "a phone number",
        ),
        (
            "phone_anonymization",
            column("phone", Type::Numeric { digits: Some(8) }),
            "a phone number",
        ),
    ] {
        let problem = problem(column, strategy);
        assert!(
            problem.contains("cannot hold") && problem.contains(value),
            "{problem}"
        );
    }
}

#[test]
fn digits_go_into_number_columns() {
    let value =
        |name: &str, kind: Type| masked_value(BIGINT, column(name, kind), "user_anonymization", "1", "9");
    assert_eq!(value("postal_code", Type::Integer(4)), "75002");
    assert_eq!(value("credit_card_last_4", Type::Integer(2)), "0");
    assert_eq!(value("iban_last4", Type::Numeric { digits: Some(0) }), "0");
    assert_eq!(
        value("city", Type::Enum(vec!["Lyon".into(), "Paris".into()])),
        "Paris"
    );
    let phone = |column: ColumnFacts, id: &str| masked_value(BIGINT, column, "phone_anonymization", id, "9");
    assert_eq!(phone(column("phone", BIGINT), "123"), "600000123");
    assert_eq!(phone(column("phone", Type::Integer(4)), "123"), "600000123");
    assert_eq!(phone(unique("phone", BIGINT), "12345678"), "6012345678");
}

#[test]
fn what_is_not_masked_is_copied_byte_for_byte() {
    let columns = [
        column("a", Type::Bytea),
        column("email", Type::TEXT),
        column("b", Type::TEXT),
    ];
    let mask = Arc::new(compile(&table(&columns), "email_anonymization").unwrap());
    let mut out = Vec::new();
    let mut masker = mask.masker();
    masker
        .mask_piece(b"\\\\x00ff\t\\N\t\xff\xfe\\N\\n\\.\n\t\t\n", &mut out)
        .unwrap();
    assert_eq!(out, b"\\\\x00ff\t\\N\t\xff\xfe\\N\\n\\.\n\t\t\n");
    assert_eq!(masker.counts().rows, 2);
    assert_eq!(
        (
            masker.counts().columns[0].nulls,
            masker.counts().columns[0].masked
        ),
        (1, 1)
    );
    masker.mask_piece(b"", &mut out).unwrap();
    assert_eq!(masker.counts().rows, 2);
}

#[test]
fn who_watches_is_shown_each_row_as_it_came_and_as_it_is_written() {
    let columns = [
        column("email", Type::TEXT),
        not_null("id", BIGINT),
        column("first_name", Type::TEXT),
        column("last_name", Type::TEXT),
        column("note", Type::TEXT),
        column("phone", Type::TEXT),
    ];
    let mask = Arc::new(compile(&table(&columns), "user_anonymization").unwrap());
    let raw = "a@b.fr\t1\tAda\tLovelace\tx\t0612345678\n\\N\t22\t\\N\tB\t\t\\N\n\t333\t\t\ta\\tb\t1\n";
    let mut out = b"what was there before".to_vec();
    let before = out.len();
    let mut shown = Vec::new();
    let owned = |row: copy::Row<'_>| -> Vec<Vec<u8>> {
        let fields = 0..row.fields();
        fields.map(|position| row.field(position).to_vec()).collect()
    };
    let mut masker = mask.masker();
    masker
        .mask_piece_seen(raw.as_bytes(), &mut out, |raw, written| {
            shown.push((owned(raw), owned(written)));
        })
        .unwrap();
    let split = |text: &[u8]| -> Vec<Vec<Vec<u8>>> {
        let rows = text.split_inclusive(|byte| *byte == b'\n');
        rows.map(|row| {
            let row = &row[..row.len() - 1];
            row.split(|byte| *byte == b'\t').map(<[u8]>::to_vec).collect()
        })
        .collect()
    };
    let written = split(&out[before..]);
    assert_eq!(shown.len(), 3);
    assert_eq!(
        shown,
        split(raw.as_bytes()).into_iter().zip(written).collect::<Vec<_>>()
    );
    assert_ne!(shown[0].0, shown[0].1);
}

#[test]
fn a_row_with_a_wrong_number_of_fields_ends_the_run_without_showing_it() {
    let mask = Arc::new(
        compile(
            &table(&[not_null("id", BIGINT), column("email", Type::TEXT)]),
            "email_anonymization",
        )
        .unwrap(),
    );
    for row in ["secret\n", "1\tsecret\tsecret\n", "\n"] {
        let mut out = Vec::new();
        let error = mask
            .masker()
            .mask_piece(format!("1\ta@b.fr\n{row}").as_bytes(), &mut out)
            .unwrap_err();
        let MaskError::Fields {
            table, columns: 2, ..
        } = &error
        else {
            panic!("{error:?}");
        };
        assert_eq!(table, "public.users");
        assert_eq!(
            out.iter().filter(|byte| **byte == b'\n').count(),
            1,
            "the row before it is there, it is not"
        );
    }
    let error = mask
        .masker()
        .mask_piece(b"1\tsecret", &mut Vec::new())
        .unwrap_err();
    assert!(!error.to_string().contains("secret"));
}

fn field(value: &str) -> String {
    let mut field = Vec::new();
    copy::encode(Some(value.as_bytes()), &mut field);
    String::from_utf8(field).unwrap()
}

proptest! {
    #[test]
    fn pseudonyms_are_functions_of_the_value_and_never_show_it(value in "\\PC{1,40}", other in "\\PC{1,40}") {
        let email = |value: &str| masked_value(BIGINT, unique("email", Type::TEXT), "email_anonymization", "1", &field(value));
        prop_assert_eq!(email(&value), email(&value));
        prop_assert_eq!(email(&value) == email(&other), value == other);
        prop_assert_eq!(email(&value).len(), 37);
    }

    #[test]
    fn numbers_under_a_unique_index_never_repeat_themselves(ids in proptest::collection::hash_set(any::<i32>(), 1..50)) {
        let table = table(&[not_null("id", Type::Integer(4)), unique("phone", varchar(15)), unique("last_name", Type::TEXT)]);
        let strategies = [(1, of("phone_anonymization", "phone")), (2, of("user_anonymization", "last_name"))];
        let mask = Arc::new(RowMask::new(&table, &strategies, &pseudonyms()).unwrap());
        let rows: String = ids.iter().map(|id| format!("{id}\tx\ty\n")).collect();
        let mut out = Vec::new();
        mask.masker().mask_piece(rows.as_bytes(), &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        for place in [1, 2] {
            let values: HashSet<&str> = out.lines().map(|row| row.split('\t').nth(place).unwrap()).collect();
            prop_assert_eq!(values.len(), ids.len());
        }
    }

    #[test]
    fn no_value_overruns_its_column(limit in 1usize..40, id in any::<i64>(), value in "\\PC{0,30}", padded in any::<bool>()) {
        let kind = Type::Text { limit: Some(limit), padded, ignores_case: false };
        for (strategy, name) in [
            ("user_anonymization", "first_name"), ("user_anonymization", "last_name"),
            ("user_anonymization", "full_name"), ("user_anonymization", "email_md5"),
            ("user_anonymization", "address_line1"), ("phone_anonymization", "phone"),
        ] {
            for column in [column(name, kind.clone()), unique(name, kind.clone())] {
                let table = table(&[not_null("id", BIGINT), column]);
                let Ok(mask) = compile(&table, strategy) else { continue };
                let mut out = Vec::new();
                let mut masker = Arc::new(mask).masker();
                if masker.mask_piece(format!("{id}\t{}\n", field(&value)).as_bytes(), &mut out).is_ok() {
                    let out = String::from_utf8(out).unwrap();
                    prop_assert!(out.trim_end().split('\t').nth(1).unwrap_or("").chars().count() <= limit);
                    prop_assert_eq!(masker.counts().columns[0].violations, 0);
                }
            }
        }
    }

    #[test]
    fn any_bytes_are_masked_or_refused_without_panic(piece in proptest::collection::vec(
        prop_oneof![Just(b'\t'), Just(b'\n'), Just(b'\\'), Just(b'N'), any::<u8>()], 0..80)) {
        let table = table(&[column("id", Type::TEXT), column("email", Type::TEXT), column("phone", Type::TEXT)]);
        let masks = [(1, of("email_anonymization", "email")), (2, of("phone_anonymization", "phone"))];
        let mask = Arc::new(RowMask::new(&table, &masks, &pseudonyms()).unwrap());
        let _ = mask.masker().mask_piece(&piece, &mut Vec::new());
    }
}
