//! The columns that the app encrypts, and how their pseudonyms can be: what the app says of its attributes, and the
//! ciphertext of Lockbox by its columns' names.

use super::schema::{Column, Schema};
use crate::settings::{EncryptedColumn, Settings};
use masking::{Encryption, EnvelopeKey, Type};
use personal_data::is_ciphertext;
use secrecy::ExposeSecret;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// How each such column is encrypted, by its table as messages name it.
pub(super) fn read(settings: &Settings, schema: &Schema) -> HashMap<(String, String), Encryption> {
    let declared: HashMap<(&str, &str), Encryption> = settings
        .masking
        .encrypted
        .iter()
        .map(|one| ((one.table.as_str(), one.column.as_str()), how(one)))
        .collect();
    let named: HashSet<(&str, &str)> = settings
        .pii
        .encrypted
        .iter()
        .map(|(table, column)| (table.as_str(), column.as_str()))
        .collect();
    let mut found = HashMap::new();
    for (index, table) in schema.tables.iter().enumerate() {
        // A partition holds what its root does.
        let root = &schema.tables[schema.topmost(index)].name.name;
        for column in &table.columns {
            let places = [root, &table.name.name].map(|name| (name.as_str(), column.name.as_str()));
            let known = places.iter().find_map(|place| declared.get(place).cloned());
            let is_encrypted = || {
                places.iter().any(|place| named.contains(place))
                    || is_ciphertext(&column.name) && holds_bytes(schema, &table.name.schema, column)
            };
            let how = known.or_else(|| is_encrypted().then_some(Encryption::Unknown));
            if let Some(how) = how {
                found.insert((table.name.to_string(), column.name.clone()), how);
            }
        }
    }
    found
}

fn how(declared: &EncryptedColumn) -> Encryption {
    let key = declared.key.as_ref();
    let key = key.and_then(|key| EnvelopeKey::from_hex(key.expose_secret()));
    match key {
        Some(key) => Encryption::Key {
            key: Arc::new(key),
            downcase: declared.downcase,
        },
        None if !declared.values.is_empty() => Encryption::Prepared(declared.values.clone().into()),
        None => Encryption::Unknown,
    }
}

fn holds_bytes(schema: &Schema, home: &str, column: &Column) -> bool {
    let written = column.column_type.as_ref();
    written.is_some_and(|written| {
        let resolved = schema.resolve(written, home).0;
        matches!(resolved, Type::Text { .. } | Type::Bytea)
    })
}
