//! What the tests of masks share: columns, and a mask that is ready for the rows of a small table.

#![allow(dead_code)]

use masking::{ColumnFacts, Equal, Key, Mask, Pseudonyms, RowMask, TableFacts, Type, Uniqueness};
use std::sync::Arc;

/// What the mask `fake` can be asked to write.
pub const FAKE_KINDS: [&str; 12] = [
    "first_name",
    "last_name",
    "name",
    "company",
    "street",
    "city",
    "address",
    "postal_code",
    "country",
    "phone",
    "email",
    "username",
];

/// A unique index on whole values.
pub const UNIQUE: Uniqueness = Uniqueness {
    distinct: true,
    tells_case_apart: true,
    counts_nulls: false,
    equal: Equal::Bytes,
};

/// `varchar(limit)`.
pub fn varchar(limit: usize) -> Type {
    Type::Text {
        limit: Some(limit),
        padded: false,
        ignores_case: false,
    }
}

/// A column that admits NULL and has no unique index.
pub fn column(name: &str, kind: Type) -> ColumnFacts {
    ColumnFacts {
        name: name.into(),
        kind,
        not_null: false,
        unique: Uniqueness::default(),
    }
}

/// The same with a unique index.
pub fn unique(name: &str, kind: Type) -> ColumnFacts {
    ColumnFacts {
        unique: UNIQUE,
        ..column(name, kind)
    }
}

/// A table whose first column is its primary key.
pub fn table(columns: &[ColumnFacts]) -> TableFacts {
    TableFacts {
        name: "public.users".into(),
        columns: columns.to_vec(),
        key: vec![0],
        key_is_enforced: true,
        checks: Default::default(),
        genders: Default::default(),
    }
}

/// Pseudonyms of UTF-8 text under a key that all tests share.
pub fn pseudonyms(email_domain: &str) -> Pseudonyms {
    Pseudonyms {
        key: Key::new(&"0123456789abcdef".into()),
        email_domain: email_domain.into(),
        utf8: true,
        staging_password: Some("staging".into()),
        helpers: Default::default(),
    }
}

/// A mask of the second column of a table whose first is its key; what the plan has against it where it does not fit.
pub fn keyed(mask: Mask, kind: Type, distinct: bool, email_domain: &str) -> Result<Arc<RowMask>, String> {
    let value = if distinct { unique } else { column }("value", kind);
    let table = table(&[unique("id", Type::Integer(8)), value]);
    RowMask::new(&table, &[(1, mask)], &pseudonyms(email_domain))
        .map(Arc::new)
        .map_err(|unfit| unfit[0].to_string())
}
