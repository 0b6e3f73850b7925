//! A part of production: which rows are kept, so that nothing among them refers to a row that is not.
//!
//! ```text
//! choose      from the rows of the first look to the choice
//! closure     the rows that follow from the rules, set by set, to the fixpoint
//! own         what a table's own rule says of its rows
//! keys        the temporary tables that hold the rows' places and keys
//! look        from rows of COPY text to those of these tables
//! graph       which table comes before which
//! selection   the choice, a bit for each row, and the sieve that it makes
//! ```
//!
//! PostgreSQL decides, in temporary tables of one session: no other session sees them, they are not logged, and a crash
//! leaves nothing of them. Rows go there in binary, so that the server's log cannot quote one. ANALYZE is never run on
//! what holds values, because it would write some of them into a catalog that is logged and stays.

mod choose;
mod closure;
mod graph;
mod keys;
mod look;
mod own;
mod selection;

pub use choose::{choose, Looked};
pub use selection::{Chosen, Selection, Sieve};
