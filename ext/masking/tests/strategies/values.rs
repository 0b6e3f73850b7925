//! What the strategies write.

use super::*;

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
fn addresses_that_differ_in_case_are_one_unless_an_index_distinguishes_them() {
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
