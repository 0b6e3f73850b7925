//! Masking: rows of COPY text in, rows of COPY text out, with the masked columns replaced.
//!
//! A [`RowMask`] is compiled once per data block from a rule and the table's columns; a [`Masker`] is one lane's
//! worker on it, with scratch buffers of its own, so that nothing is allocated per row. Pseudonyms are functions
//! of (key, value) only.
//!
//! [`catalogue`] says which masks there are, `compile` fits one to a column (or says why it does not fit),
//! `action` is what runs for each value.

mod action;
mod append;
pub mod catalogue;
mod compile;
mod condition;
mod hold;
mod keep;
mod key;
mod masker;
mod permutation;
mod sql;
mod types;

pub(crate) use catalogue::seconds_of;
pub use catalogue::{Mask, Recipe, Strategy};
pub use condition::{Check, Condition, Pattern, Relation, Term};
pub use keep::Keep;
pub use key::{Function, Key};
pub use masker::Masker;
pub use sql::quote_identifier;
pub use types::{Neutral, Test, Type};

use action::Action;
use secrecy::SecretString;
use std::collections::HashMap;
use std::sync::Arc;

/// What masking has to know of a table: the columns of one data block, in its order.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// `schema.table`, for messages.
    pub name: String,
    /// The columns of the data.
    pub columns: Vec<Column>,
    /// The places of the primary key's columns; empty when there is none, or not all of it is in the data.
    pub key: Vec<usize>,
    /// Whether the server enforces that key on this table, so that no two rows share it.
    pub key_is_enforced: bool,
    /// What CHECK constraints ask of a column, by its place.
    pub checks: HashMap<usize, Arc<[Check]>>,
}

impl Table {
    fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

/// What masking has to know of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
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
    /// `config.staging_password`.
    pub staging_password: Option<SecretString>,
}

/// What happens to the columns of one data block.
#[derive(Debug)]
pub struct RowMask {
    table: String,
    width: usize,
    columns: Vec<MaskedColumn>,
    actions: Vec<Action>,
}

/// One masked column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskedColumn {
    /// Its name.
    pub name: String,
    /// Its place among the block's columns.
    pub position: usize,
    /// What it becomes, in words for the report: `e-mail pseudonym`.
    pub description: String,
    /// A SQL condition that every value of it in the target meets: `"email" IS NULL OR "email"::text ~ '…'`;
    /// `TRUE` where SQL cannot tell. Put it in parentheses where it is combined with another.
    pub form_sql: String,
    /// Where the mask gives accounts a password that is known: a SQL condition on those that have it.
    pub known_password: Option<String>,
}

impl RowMask {
    /// Fits masks to the columns of a table. `masks` are pairs of a column's place and its mask, one per column.
    ///
    /// # Errors
    /// One sentence, or two, for each column that cannot be masked so: what is wrong, and what to do.
    ///
    /// ```
    /// use staging_sync_engine::mask::{Column, Key, Mask, Pseudonyms, RowMask, Table, Type, Uniqueness};
    /// use std::sync::Arc;
    /// let column = |name: &str, kind| Column { name: name.into(), kind, not_null: false, unique: Uniqueness::default() };
    /// let table = Table {
    ///     name: "public.users".into(),
    ///     columns: vec![column("id", Type::Integer(8)), column("last_name", Type::TEXT)],
    ///     key: vec![0],
    ///     key_is_enforced: true,
    ///     checks: Default::default(),
    /// };
    /// let pseudonyms = Pseudonyms { key: Key::new(&"sixteen bytes or more".into()), email_domain: "demo.example.com".into(), utf8: true, staging_password: None };
    /// let mask = Arc::new(RowMask::new(&table, &[(1, Mask::LastName)], &pseudonyms).unwrap());
    /// let mut masked = Vec::new();
    /// mask.masker().mask_piece(b"7\tLovelace\n8\t\\N\n", &mut masked).unwrap();
    /// assert_eq!(masked, b"7\tUser7\n8\t\\N\n");
    /// ```
    pub fn new(table: &Table, masks: &[(usize, Mask)], pseudonyms: &Pseudonyms) -> Result<Self, Vec<String>> {
        let mut masks = masks.to_vec();
        masks.sort_unstable_by_key(|(position, _)| *position);
        let (mut columns, mut actions, mut problems) = (Vec::new(), Vec::new(), Vec::new());
        for (position, mask) in &masks {
            match compile::compile(table, *position, mask, &masks, pseudonyms) {
                Ok((column, action)) => {
                    columns.push(column);
                    actions.push(action);
                }
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() {
            Ok(Self {
                table: table.name.clone(),
                width: table.columns.len(),
                columns,
                actions,
            })
        } else {
            Err(problems)
        }
    }

    /// The same in two: the columns that `is_apart` picks, and the others. Each goes on doing what it was fitted to do
    /// beside all of them: a template that reads an address still writes the address's pseudonym.
    pub fn split(self, is_apart: impl Fn(&MaskedColumn) -> bool) -> (Option<Self>, Option<Self>) {
        let none = || Self {
            table: self.table.clone(),
            width: self.width,
            columns: Vec::new(),
            actions: Vec::new(),
        };
        let (mut apart, mut others) = (none(), none());
        for (column, action) in self.columns.into_iter().zip(self.actions) {
            let half = if is_apart(&column) {
                &mut apart
            } else {
                &mut others
            };
            half.columns.push(column);
            half.actions.push(action);
        }
        let unless_empty = |mut mask: Self| {
            // There may be thousands of tables, most of them with a column or two that are masked.
            mask.columns.shrink_to_fit();
            mask.actions.shrink_to_fit();
            (!mask.columns.is_empty()).then_some(mask)
        };
        (unless_empty(apart), unless_empty(others))
    }

    /// The masked columns, in the order of the data.
    pub fn columns(&self) -> &[MaskedColumn] {
        &self.columns
    }

    /// A worker that masks rows with this.
    pub fn masker(self: &Arc<Self>) -> Masker {
        Masker::new(Arc::clone(self))
    }
}

/// What a [`Masker`] has done so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows that passed.
    pub rows: u64,
    /// Per masked column, in the order of [`RowMask::columns`].
    pub columns: Vec<ColumnCounts>,
}

/// What happened to one masked column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ColumnCounts {
    /// Values replaced.
    pub masked: u64,
    /// Values left as they are, by `keep`.
    pub kept: u64,
    /// Values that were NULL and stayed so.
    pub nulls: u64,
    /// Values written that have not the mask's form: always zero unless the mask itself is wrong.
    pub violations: u64,
}
