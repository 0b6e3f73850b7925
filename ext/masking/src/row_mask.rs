//! What happens to the columns of one data block: masks, fitted together.

use super::action::Action;
use super::catalogue::CATALOGUE;
use super::entry::{FitContext, Mask};
use super::error::Unfit;
use super::fit::{fit, meets, MaskedColumn};
use super::table::{Pseudonyms, TableFacts};
use std::collections::HashSet;

/// What happens to the columns of one data block.
#[derive(Debug)]
pub struct RowMask {
    pub(super) table: String,
    /// How many columns the block has.
    pub(super) width: usize,
    pub(super) columns: Vec<MaskedColumn>,
    /// What is done to each of them.
    pub(super) actions: Vec<Action>,
}

impl RowMask {
    /// Fits masks to the columns of a table. `masks` are pairs of a column's place and its mask, one per column.
    ///
    /// # Errors
    /// Each column that cannot be masked so.
    ///
    /// ```
    /// use masking::{strategy, ColumnFacts, Key, Pseudonyms, RowMask, TableFacts, Type, Uniqueness};
    /// use std::sync::Arc;
    /// let column = |name: &str, kind| ColumnFacts { name: name.into(), kind, not_null: false, unique: Uniqueness::default() };
    /// let table = TableFacts {
    ///     name: "public.users".into(),
    ///     columns: vec![column("id", Type::Integer(8)), column("last_name", Type::TEXT)],
    ///     key: vec![0],
    ///     key_is_enforced: true,
    ///     checks: Default::default(),
    ///     genders: Default::default(),
    /// };
    /// let pseudonyms = Pseudonyms { key: Key::new(&"sixteen bytes or more".into()), email_domain: "demo.example.com".into(), utf8: true, staging_password: None, helpers: Default::default() };
    /// let last_name = strategy("user_anonymization").unwrap().mask_of("last_name").unwrap();
    /// let mask = Arc::new(RowMask::new(&table, &[(1, last_name)], &pseudonyms).unwrap());
    /// let mut masked = Vec::new();
    /// mask.masker().mask_piece(b"7\tLovelace\n8\t\\N\n", &mut masked).unwrap();
    /// assert_eq!(masked, b"7\tUser7\n8\t\\N\n");
    /// ```
    pub fn new(
        table: &TableFacts,
        masks: &[(usize, Mask)],
        pseudonyms: &Pseudonyms,
    ) -> Result<Self, Vec<Unfit>> {
        let mut masks = masks.to_vec();
        masks.sort_unstable_by_key(|(position, _)| *position);
        let ground = FitContext {
            table,
            masks: &masks,
            pseudonyms,
            catalogue: &CATALOGUE,
        };
        let (mut columns, mut actions) = (Vec::new(), Vec::new());
        let (mut read, mut unfit) = (HashSet::new(), Vec::new());
        for (position, mask) in &masks {
            match fit(ground, *position, mask) {
                Ok((column, action, reads)) => {
                    columns.push(column);
                    actions.push(action);
                    read.extend(reads);
                }
                Err(found) => unfit.push(*found),
            }
        }
        for action in &mut actions {
            action.is_shared = read.contains(&action.column);
        }
        if unfit.is_empty() {
            Ok(Self {
                table: table.name.clone(),
                width: table.columns.len(),
                columns,
                actions,
            })
        } else {
            Err(unfit)
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

    /// Whether the CHECKs of its columns of text take what it writes, as far as values of many shapes show.
    pub fn meets_checks(&self, table: &TableFacts) -> bool {
        self.actions.iter().all(|action| meets(table, action))
    }

    /// The masked columns, in the order of the data.
    pub fn columns(&self) -> &[MaskedColumn] {
        &self.columns
    }
}
