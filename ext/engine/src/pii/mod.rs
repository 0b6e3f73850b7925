//! What personal data looks like: by the name of a column, and by its values.
//!
//! Pure: no database, no I/O, no settings. It says what it sees and how sure it is; what to do about it is the
//! plan's business. A finding has a kind, a confidence, a count and a share, never a value.

mod address;
mod canonical;
mod checks;
mod content;
mod decode;
mod kind;
mod lexicon;
mod names;
mod people;
mod phone;
mod scan;
mod sql_type;
mod structured;
mod verdict;
mod words;

pub use canonical::canonical;
pub use content::{ColumnDetector, ContentFinding};
pub use kind::{Heading, Kind};
pub use names::{by_name, ColumnName, NameFinding, RailsHints, Subject, TableContext};
pub use scan::{find_in_text, Scanner};
pub use verdict::{verdict, Verdict};

/// The confidence from which on a column counts as personal.
pub const PERSONAL: f32 = 0.5;
