//! What personal data looks like, by the name of a column and by its values; and what acts outside, by names.
//!
//! Pure: no database, no I/O, no settings. It says what it sees and how sure it is; what to do about it is the
//! plan's business. A finding has a kind, a confidence, a count and a share, never a value.
//!
//! ```text
//! table of contents → TableContext, by_name      what names show, before any row
//! table of contents → queue, outside             what acts outside
//! rows              → ColumnDetector             what values show, as they pass
//! both              → verdict                    personal or not, and of what kind
//! any text          → Scanner, find_in_text      candidates and where they stand
//! a candidate       → canonical                  one form for all ways to write a value
//! a name, values    → Reason                     why, as data
//! ```
//!
//! ```
//! use personal_data::{verdict, ColumnDetector, ColumnName, PiiKind, Scanner, TableContext};
//!
//! let column = ColumnName { table: "imports", column: "col_a", sql_type: "character varying(255)" };
//! let context = TableContext::new(column.table, ["id", "col_a"]);
//! let mut scanner = Scanner::new();
//! let mut values = ColumnDetector::new(column.column, column.sql_type);
//! for value in ["alice@example.com", "bob@example.com", "carol@example.com"] {
//!     values.observe(value.as_bytes(), &mut scanner);
//! }
//! let found = verdict(&column, &context, Some(&values));
//! assert_eq!(found.map(|found| found.kind), Some(PiiKind::Email));
//! ```

mod address;
mod canonical;
mod checks;
mod content;
pub mod decode;
mod finding;
mod kind;
mod lexicon;
mod names;
mod national;
pub mod people;
mod phone;
mod reason;
pub mod scan;
mod sql_type;
mod structured;
mod verdict;
mod words;

pub use canonical::canonical;
pub use content::{ColumnDetector, Recent};
pub use finding::rounded;
pub use finding::{FoundBy, RuleEntry, Status, Suggestion};
pub use kind::{ContentFinding, Heading, PiiKind};
pub use names::{
    address_digest, by_name, encrypts, genders, is_blind_index, is_ciphertext, key_kind, outside, queue,
    terms, ColumnName, DigestName, NameFinding, RailsHints, Subject, TableContext,
};
pub use phone::unprefixed as is_phone_without_plus;
pub use reason::{percent, Clue, Reason};
pub use scan::{find_in_text, Scanner};
pub use verdict::{features, verdict, Features, Verdict};

/// The confidence from which on a column counts as personal.
pub const PERSONAL: f32 = 0.5;
