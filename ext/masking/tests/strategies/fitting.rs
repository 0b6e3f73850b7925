//! Types, lengths, NOT NULL and unique indexes: what a strategy writes fits, or the plan says that it cannot.

use super::*;

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
        problem.contains(
            r#"public.users.email: {"kind":"mask_email_domain","column_type":"character varying(36)""#
        ),
        "{problem}"
    );
    assert!(problem.contains(r#""most":15"#), "{problem}");
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
        unknown.contains("geometry") && unknown.contains("mask_no_neutral"),
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
        assert!(problem.contains("mask_too_small"), "{problem}");
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
        (
            "user_anonymization",
            column("last_name", Type::Jsonb),
            "held_name",
        ),
        ("user_anonymization", column("email_md5", BIGINT), "held_md5"),
        (
            "email_anonymization",
            column("email", Type::Array(Box::new(Type::TEXT))),
            "held_email",
        ),
        (
            "phone_anonymization",
            column("phone", Type::Integer(2)),
            "held_phone",
        ),
        (
            "phone_anonymization",
            column("phone", Type::Array(Box::new(Type::TEXT))),
            "held_phone",
        ),
        (
            "phone_anonymization",
            column("phone", Type::Numeric { digits: Some(8) }),
            "held_phone",
        ),
    ] {
        let problem = problem(column, strategy);
        assert!(
            problem.contains("mask_cannot_hold") && problem.contains(value),
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
