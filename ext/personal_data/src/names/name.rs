//! A name as the rules look at it: its words, its table's, and what Rails declares of it.

use super::phrases::{best_match, PERSONS, THINGS, WRITINGS};
use super::table::bare;
use super::{ColumnName, TableContext};
use crate::sql_type::TypeClass;

/// What the rules look at.
pub(super) struct Name<'a> {
    pub(super) column: &'a ColumnName<'a>,
    pub(super) context: &'a TableContext,
    pub(super) class: TypeClass,
    pub(super) words: &'a [String],
}

impl Name<'_> {
    pub(super) fn is(&self, words: &[&str]) -> bool {
        matches!(self.words, [only] if words.contains(&only.as_str()))
    }

    /// The table and the column as hints name them.
    pub(super) fn key(&self) -> (String, String) {
        (
            bare(self.column.table).to_string(),
            self.column.column.to_string(),
        )
    }

    /// A key of this app, or when a row was written: no person's.
    pub(super) fn is_own(&self) -> bool {
        if matches!(self.column.column, "created_at" | "updated_at") {
            return true;
        }
        let number = matches!(self.class, TypeClass::Integer | TypeClass::Uuid);
        match self.words {
            [] => true,
            [only] => number && only == "id",
            [.., of, id] => number && id == "id" && is_of_this_app(of) && !self.is_of_a_service(),
        }
    }

    /// `zendesk_user_id`: a phrase of its own, which says whose user.
    pub(super) fn is_of_a_service(&self) -> bool {
        let found = best_match(self.words, self.context.subject);
        found.is_some_and(|found| found.end - found.start > 2 && found.end == self.words.len())
    }

    /// The number of something, which may be another's: the model has seen too few that were.
    pub(super) fn is_number_of_something(&self) -> bool {
        let number = matches!(self.class, TypeClass::Integer | TypeClass::Uuid);
        number && self.words.last().is_some_and(|word| word == "id")
    }

    /// Rails declares what the column holds.
    pub(super) fn is_declared(&self) -> bool {
        let lower = self.column.column.to_ascii_lowercase();
        let hints = &self.context.hints;
        let filtered = |filter: &String| !filter.is_empty() && lower.contains(&filter.to_ascii_lowercase());
        hints.encrypted.contains(&self.key()) || hints.filter_parameters.iter().any(filtered)
    }

    /// The words without digits at the end: `phone_2` is `phone`.
    pub(super) fn without_number(&self) -> &[String] {
        let digits = self
            .words
            .iter()
            .rev()
            .take_while(|word| word.bytes().all(|b| b.is_ascii_digit()))
            .count();
        &self.words[..self.words.len() - digits]
    }
}

/// What tables of an app are called, so that `<noun>_id` is a key.
fn is_of_this_app(noun: &String) -> bool {
    let lists = [&*PERSONS, &*THINGS, &*WRITINGS];
    lists.iter().any(|list| list.contains(noun)) || noun == "device"
}
