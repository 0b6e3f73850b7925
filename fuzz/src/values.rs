//! Values: each mask of the catalogue, and each detector of personal data.

use super::choose;
use masking::{listing, ColumnFacts, Key, Listed, Mask, Pseudonyms, RowMask, TableFacts, Type, Uniqueness};
use personal_data::{verdict, ColumnDetector, ColumnName, Scanner, TableContext};
use pg_dump_archive::copy::{encode, fields};
use std::sync::{Arc, LazyLock};

/// Each mask as its example has it, and on text, with how it looks at a value of a unique column.
static MASKS: LazyLock<Vec<Arc<RowMask>>> = LazyLock::new(|| {
    let listed = listing();
    let kinds = |one: &Listed| [one.kind.clone(), Type::TEXT, Type::Jsonb, Type::Bytea];
    let ways = listed.iter().flat_map(|one| kinds(one).map(|kind| (one, kind)));
    let both = ways.flat_map(|(one, kind)| [false, true].map(|unique| (one, kind.clone(), unique)));
    both.filter_map(|(one, kind, unique)| fitted(one, kind, unique).map(Arc::new))
        .collect()
});

fn fitted(one: &Listed, kind: Type, distinct: bool) -> Option<RowMask> {
    let mask = Mask::named(one.name, &serde_json::from_str(one.with).ok()?).ok()?;
    let column = |name: &str, kind, distinct| ColumnFacts {
        name: name.into(),
        kind,
        not_null: false,
        unique: Uniqueness {
            distinct,
            tells_case_apart: true,
            ..Uniqueness::default()
        },
    };
    let table = TableFacts {
        name: "public.users".into(),
        columns: vec![
            column("id", Type::Integer(8), true),
            column("value", kind, distinct),
        ],
        key: vec![0],
        key_is_enforced: true,
        checks: Default::default(),
        genders: Default::default(),
    };
    let pseudonyms = Pseudonyms {
        key: Key::new(&"a key of the fuzzer's own".into()),
        email_domain: "demo.example.com".into(),
        utf8: true,
        staging_password: None,
        helpers: Default::default(),
    };
    RowMask::new(&table, &[(1, mask)], &pseudonyms).ok()
}

/// A value under a mask: one field comes out of one, and the same each time.
pub fn masks(bytes: &[u8]) {
    let (low, rest) = choose(bytes);
    let (high, value) = choose(rest);
    let masks = &*MASKS;
    let mask = &masks[(low | high << 8) % masks.len()];
    let mut row = b"7\t".to_vec();
    // As a value, and as the raw field that a crafted backup may hold.
    match high & 0x80 {
        0 => encode(Some(value), &mut row),
        _ => row.extend(value.iter().filter(|byte| !matches!(byte, b'\t' | b'\n'))),
    }
    row.push(b'\n');
    let masked = |mask: &Arc<RowMask>| {
        let mut out = Vec::new();
        mask.masker().mask_piece(&row, &mut out).map(|()| out)
    };
    let Ok(first) = masked(mask) else {
        return;
    };
    let line = first.strip_suffix(b"\n").expect("a whole row");
    assert_eq!(fields(line).count(), 2, "{:?}", mask.columns());
    assert!(line.starts_with(b"7\t"));
    assert_eq!(masked(mask).expect("what it has done it does again"), first);
}

const TYPES: [&str; 12] = [
    "text",
    "character varying(255)",
    "jsonb",
    "json",
    "bytea",
    "bigint",
    "inet",
    "hstore",
    "text[]",
    "xml",
    "tsvector",
    "macaddr",
];

const NAMES: [&str; 8] = [
    "email",
    "a",
    "phone",
    "birth_date",
    "data",
    "iban",
    "body",
    "gender",
];

/// Values of a column, separated by NUL, and what is thought of them.
pub fn detectors(bytes: &[u8]) {
    let (kind, bytes) = choose(bytes);
    let (table, column) = ("public.people", NAMES[kind / TYPES.len() % NAMES.len()]);
    let sql_type = TYPES[kind % TYPES.len()];
    let mut scanner = Scanner::new();
    let mut values = ColumnDetector::new(column, sql_type);
    for value in bytes.split(|byte| *byte == 0) {
        values.observe(value, &mut scanner);
        scanner.find(value, |_, range| assert!(value.get(range).is_some()));
    }
    let context = TableContext::new(table, ["id", column]);
    let name = ColumnName {
        table,
        column,
        sql_type,
    };
    let found = verdict(&name, &context, Some(&values));
    if let Some(found) = found {
        assert!((0.0..=1.0).contains(&found.confidence), "{}", found.confidence);
    }
    // A name can be anything, too.
    if let Ok(name) = std::str::from_utf8(bytes) {
        let context = TableContext::new(name, [name, "id"]);
        let name = ColumnName {
            table: name,
            column: name,
            sql_type: name,
        };
        let _ = verdict(&name, &context, None);
    }
}
