//! Masking: rows of COPY text in, rows of COPY text out, with the masked columns replaced.
//!
//! A [`RowMask`] is made once per data block from a rule's masks and the table's columns; a [`Masker`] is one lane's
//! worker on it, with scratch buffers of its own, so that nothing is allocated per row. Pseudonyms are functions
//! of (key, value) only.
//!
//! ```text
//! listing     the catalogue for people, each mask with an example
//! masker      rows in, masked rows out, counted
//! row_mask    the masks of a data block's columns, fitted together
//! strategies  which columns each documented strategy masks, and how
//! catalogue   which masks there are, a file each
//! families    how masks write that have much in common: words, shapes, check digits, days, documents
//! fit         a mask on a column, with what all masks have in common
//! encrypted   a mask on a column that the app encrypts
//! fitting     what masks ask while they fit themselves: type, room, options
//! entry       what a mask says of itself, and how a rule names it
//! error       what can be wrong with rows, with how a rule names a mask, and with a mask on its column
//! action      what runs for each value of a column: keep, empty values, CHECKs
//! pseudonym   what a mask is while rows pass
//! table       what is known of a table and its columns
//! starts      how values have to begin by CHECKs, and values that CHECKs take
//! condition   what a CHECK asks; keep: the values that stay; permutation, key: what pseudonyms are made with
//! learned     what the first rows have shown of a column that draws among its own values; helpers: what masks ask their caller
//! envelope    how Active Record encrypts a value
//! equal       which texts a collation takes for equal
//! becomes     what a mask makes of a column, as data
//! types       what columns hold; moment, bytes, append, sql: how it is read and written
//! ```
//!
//! An arrow points down the list, never up. So a mask is one file of `catalogue` and one line in its list.

mod action;
mod append;
mod becomes;
mod bytes;
mod catalogue;
mod condition;
mod encrypted;
mod entry;
mod envelope;
mod equal;
mod error;
mod families;
mod fit;
mod fitting;
mod form_check;
mod helpers;
mod keep;
mod key;
mod learned;
mod listing;
mod masker;
mod misfit;
mod moment;
mod permutation;
#[cfg(test)]
mod properties;
mod pseudonym;
mod row_mask;
mod sql;
mod starts;
mod strategies;
mod table;
#[cfg(test)]
mod testing;
mod types;

pub use becomes::Becomes;
pub use condition::{Check, Comparison, Condition, Pattern, Term};
pub use entry::Mask;
pub use envelope::EnvelopeKey;
pub use equal::Equal;
pub use error::{MaskError, Unfit};
pub use fit::MaskedColumn;
pub use form_check::FormCheck;
pub use helpers::{Encryption, Helpers, LeafJudge, Shared};
pub use keep::Keep;
pub use key::{Function, Key};
pub use learned::Learned;
pub use listing::{listing, Listed};
pub use masker::{ColumnCounts, Counts, Masker};
pub use misfit::{Distinct, Expected, ForTypes, Held, InvalidMask, Misfit, Misplaced, StrayOption};
pub use moment::seconds_of;
pub use row_mask::RowMask;
pub use sql::{quote_identifier, quote_literal};
pub use starts::{listed, starts};
pub use strategies::{strategy, Strategy, STRATEGIES};
pub use table::{ColumnFacts, Pseudonyms, TableFacts, Uniqueness};
pub use types::{Neutral, Test, Type};
