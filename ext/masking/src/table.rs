//! What masking has to know of a table and its columns, and what pseudonyms are made with.

use super::condition::Check;
use super::equal::Equal;
use super::helpers::Helpers;
use super::key::Key;
use super::types::Type;
use secrecy::SecretString;
use std::collections::HashMap;
use std::sync::Arc;

/// What masking has to know of a table: the columns of one data block, in its order.
#[derive(Debug, Clone, PartialEq)]
pub struct TableFacts {
    /// `schema.table`, for messages.
    pub name: String,
    /// The columns of the data.
    pub columns: Vec<ColumnFacts>,
    /// The places of the primary key's columns; empty when there is none, or not all of it is in the data.
    pub key: Vec<usize>,
    /// Whether the server enforces that key on this table, so that no two rows share it.
    pub key_is_enforced: bool,
    /// What CHECK constraints ask of a column, by its place.
    pub checks: HashMap<usize, Arc<[Check]>>,
    /// By the place of a column that may hold a person's name, that of the one that says what gender this person is.
    pub genders: HashMap<usize, usize>,
}

impl TableFacts {
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

/// What masking has to know of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnFacts {
    /// Its name.
    pub name: String,
    /// Its type, domains resolved.
    pub kind: Type,
    /// Whether it, or its domain, is NOT NULL.
    pub not_null: bool,
    /// What unique indexes ask of it.
    pub unique: Uniqueness,
}

/// What unique indexes ask of a column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Uniqueness {
    /// It is part of the key of a unique index, unique constraint, primary key or exclusion constraint.
    pub distinct: bool,
    /// One of those compares it, or the column that it refers to, byte by byte: values that differ only in case
    /// are different.
    pub tells_case_apart: bool,
    /// One of those does not take two NULLs for different: NULLS NOT DISTINCT, or an expression such as
    /// `COALESCE(email, '')`.
    pub counts_nulls: bool,
    /// Which texts the column's collation takes for equal, in an index and in a foreign key.
    pub equal: Equal,
}

/// What pseudonyms are made with.
#[derive(Debug, Clone)]
pub struct Pseudonyms {
    /// The key.
    pub key: Key,
    /// The domain of pseudonymous e-mail addresses.
    pub email_domain: String,
    /// The rows are in UTF-8, so that a word with an accent can be written. Otherwise words are in ASCII.
    pub utf8: bool,
    /// The password that the mask `staging_password` gives everyone.
    pub staging_password: Option<SecretString>,
    /// What masks ask their caller.
    pub helpers: Helpers,
}
