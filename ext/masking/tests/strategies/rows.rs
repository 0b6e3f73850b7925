//! Whole rows, and what holds for any value.

use super::*;

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
