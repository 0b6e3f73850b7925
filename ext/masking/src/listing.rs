//! The catalogue for people: each mask with an example, made as a row of a table is.

use super::catalogue::CATALOGUE;
use super::entry::{CatalogueEntry, Mask};
use super::key::Key;
use super::row_mask::RowMask;
use super::table::{ColumnFacts, Pseudonyms, TableFacts, Uniqueness};
use super::types::Type;
use pg_dump_archive::copy;
use std::sync::Arc;

/// What [`listing`] says of a mask.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Listed {
    /// Its name.
    pub name: &'static str,
    /// What it does. A word in angle brackets is something that the caller configures, such as `<email_domain>`, or another
    /// mask: the caller knows how it is written.
    pub doc: &'static str,
    /// Its options, and what each means, with the same words in angle brackets.
    pub options: Vec<(&'static str, &'static str)>,
    /// A value.
    pub from: &'static str,
    /// The type of its column.
    #[serde(skip)]
    pub kind: Type,
    /// The options that the example is made with, as JSON.
    pub with: &'static str,
    /// What it becomes under a key made up for examples.
    pub to: String,
}

/// The catalogue with an example of each mask, for people.
pub fn listing() -> Vec<Listed> {
    CATALOGUE
        .entries
        .iter()
        .map(|entry| Listed {
            name: entry.name,
            doc: entry.doc,
            options: entry.options.to_vec(),
            from: entry.example.value,
            kind: (entry.example.kind)(),
            with: entry.example.options,
            to: shown(entry).unwrap_or_default(),
        })
        .collect()
}

/// The example, masked as a row of a table is.
fn shown(entry: &'static CatalogueEntry) -> Option<String> {
    let example = &entry.example;
    let options = serde_json::from_str(example.options).ok()?;
    let mask = Mask::named(entry.name, &options).ok()?;
    let column = |name: &str, kind: Type| ColumnFacts {
        name: name.into(),
        kind,
        not_null: false,
        unique: Uniqueness::default(),
    };
    let table = TableFacts {
        name: "public.examples".into(),
        columns: vec![column("id", Type::Integer(8)), column("value", (example.kind)())],
        key: vec![0],
        key_is_enforced: true,
        checks: Default::default(),
        genders: Default::default(),
    };
    let pseudonyms = Pseudonyms {
        key: Key::new(&"an example's key".into()),
        email_domain: "demo.example.com".into(),
        utf8: true,
        staging_password: Some("staging".into()),
        helpers: Default::default(),
    };
    let mut row = b"42\t".to_vec();
    copy::encode(Some(example.value.as_bytes()), &mut row);
    row.push(b'\n');
    let mut out = Vec::new();
    let mask = Arc::new(RowMask::new(&table, &[(1, mask)], &pseudonyms).ok()?);
    mask.masker().mask_piece(&row, &mut out).ok()?;
    let mut scratch = Vec::new();
    let field = out.strip_suffix(b"\n")?.strip_prefix(b"42\t")?;
    let written = copy::decode(field, &mut scratch).unwrap_or(b"NULL");
    Some(String::from_utf8_lossy(written).into_owned())
}
