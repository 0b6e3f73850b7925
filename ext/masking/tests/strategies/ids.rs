//! The number that a pseudonym carries: from the key of the row, or of the user it belongs to.

use super::*;

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
    // The same id has the same digits wherever they are written.
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
        genders: Default::default(),
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
