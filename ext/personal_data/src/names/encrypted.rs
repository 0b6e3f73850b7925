//! Names of columns that hold what an app encrypts, or hashes of it.

use super::name::Name;
use super::phrases::best_match;
use super::rules::finding;
use super::table::bare;
use super::{ColumnName, NameFinding, TableContext};
use crate::sql_type::TypeClass;
use crate::words::words;
use crate::{Heading, PiiKind, Reason};

/// Words of columns that hold what an app encrypts.
const ENCRYPTED: [&str; 6] = [
    "encrypted",
    "ciphertext",
    "bidx",
    "crypted",
    "chiffre",
    "chiffree",
];

/// Whether the app encrypts a column, as Rails declares it or its name says.
pub fn encrypts(column: &ColumnName<'_>, context: &TableContext) -> bool {
    let key = (bare(column.table).to_owned(), column.column.to_owned());
    context.hints.encrypted.contains(&key)
        || words(column.column)
            .iter()
            .any(|word| ENCRYPTED.contains(&word.as_str()))
}

/// Whether a column is called as Lockbox calls those of its ciphertext.
pub fn is_ciphertext(column: &str) -> bool {
    words(column).last().is_some_and(|word| word == "ciphertext")
}

/// Whether a column is called as that of a blind index, by which an encrypted value is found.
pub fn is_blind_index(column: &str) -> bool {
    words(column).last().is_some_and(|word| word == "bidx")
}

/// `encrypted_*`, `*_ciphertext`, `*_bidx`: Rails' encryption gems and what they encrypt.
pub(super) fn encrypted(name: &Name<'_>) -> Option<NameFinding> {
    let marks = ENCRYPTED;
    let declared = name.context.hints.encrypted.contains(&name.key());
    let marked = name.words.iter().any(|word| marks.contains(&word.as_str()));
    let holds_text = name.class.is_text() || name.class == TypeClass::Bytea;
    if !(declared || marked && holds_text) {
        return None;
    }
    let rest: Vec<String> = name
        .words
        .iter()
        .filter(|word| !marks.contains(&word.as_str()))
        .cloned()
        .collect();
    let kind = match best_match(&rest, name.context.subject).map(|found| found.rule.kind) {
        Some(PiiKind::Password) => PiiKind::PasswordHash,
        Some(kind) => kind,
        None => PiiKind::Secret,
    };
    finding(
        kind,
        0.9,
        if declared {
            Reason::DeclaredEncrypted
        } else {
            Reason::Encrypted
        },
    )
}

/// `*_digest`: has_secure_password and has_secure_token.
pub(super) fn digest(name: &Name<'_>) -> Option<NameFinding> {
    let (last, rest) = name.words.split_last()?;
    if last != "digest" || rest.is_empty() {
        return None;
    }
    match best_match(rest, name.context.subject).map(|found| found.rule.kind) {
        Some(PiiKind::Password) => finding(PiiKind::PasswordHash, 0.97, Reason::HashOfPassword),
        Some(kind) if kind.heading() == Heading::Auth => finding(kind, 0.85, Reason::HashOfSecret),
        Some(kind) => finding(kind, 0.7, Reason::HashOfPersonalValue),
        None => None,
    }
}
