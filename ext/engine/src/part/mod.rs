//! A part of production: which rows are kept, so that nothing among them refers to a row that is not.
//!
//! ```text
//! alone       tables whose rows decide by themselves once all others are chosen, so that no look at them is needed
//! beforehand  what the server says of rules, before the backup's schema stands
//! choose      from the rows of the first look to the choice
//! closure     the rows that follow from the rules, set by set, to the fixpoint
//! held        the keys by which such rows are decided, in memory
//! key_set     a set of keys
//! read_back   the choice, as it is read from the key tables
//! own         what a table's own rule says of its rows
//! keys        the temporary tables that hold the rows' places and keys
//! look        from rows of COPY text to those of these tables
//! emptied     a part without a row: which rule empties it
//! graph       which table comes before which
//! tuples      numbers as they come back
//! why         what a row owes it to that it comes, or does not
//! spelt       how the backup writes a key that a person wrote
//! selection   the choice, a bit for each row, and the sieve that it makes
//! ```
//!
//! PostgreSQL decides, in temporary tables of one session: no other session sees them, they are not logged, and a crash
//! leaves nothing of them. Rows go there in binary, so that the server's log cannot quote one. ANALYZE is never run on
//! what holds values, because it would write some of them into a catalog that is logged and stays.

mod alone;
mod beforehand;
mod choose;
mod closure;
mod emptied;
mod graph;
mod held;
mod key_set;
mod keys;
mod look;
mod own;
mod read_back;
mod selection;
mod spelt;
mod tuples;
mod why;

pub(crate) use beforehand::{ask, Asked};
pub use choose::{choose, Looked};
pub(crate) use choose::{Breadth, Choice, Chooser};
pub(crate) use look::Search;
pub use selection::{Chosen, Selection, Sieve};
pub(crate) use spelt::{copied, no_value};
#[doc(hidden)]
pub use why::every_reason;
pub(crate) use why::Sought;
pub use why::{Reason, What};
