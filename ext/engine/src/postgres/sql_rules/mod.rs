//! Rules in SQL, on their way: rows are copied into a temporary table of the real one's name, the statements run
//! there, and the finished rows are moved by INSERT … SELECT. All in one transaction of one session, so that
//! no other session ever sees a raw row, and neither the real table's files nor the WAL hold one: temporary tables are
//! not logged, and their files go with the transaction.
//!
//! No statistics are gathered on temporary tables: ANALYZE would write their most common values into a catalog
//! that is logged and stays.

mod changes;
mod choices;
pub(crate) mod discreet;
mod explain;
mod failure;
mod run;
mod statement;
mod temporary;
mod waiting;

pub(crate) use changes::Finished;
pub use changes::{SqlChange, SqlColumn};
pub(crate) use explain::explain;
pub(crate) use run::{run, run_and_stay, run_within};
pub(crate) use temporary::{begin, create_temporaries_like, prepare};
