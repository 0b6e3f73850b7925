//! PostgreSQL, the target, in rooms by what it does for a job.
//!
//! ```text
//! session      sessions as libpq would open them: url, tls, connect; guard: other sessions of the role are kept out
//! inspect      what a dry run and a check see without changing it; the catalogue; counts
//! reset        emptying it and creating the schema, in one transaction where it fits: inventory, drop, extensions, parts
//! load         rows and large objects in COPY streams, each lane a session; retry: what a lost session took
//! schedule     what may run when: the graph of steps, keys, statistics, questions of verification
//! sql_rules    rules that run as SQL in temporary tables before their rows are moved
//! state        the gem's own schema: what a run leaves behind about itself
//! target       a database that a job holds
//! ```
//!
//! It knows the plan and the masks, and nothing of where archives come from.

pub mod inspect;
pub(crate) mod load;
pub(crate) mod reset;
mod schedule;
pub mod session;
pub(crate) mod sql_rules;
mod state;
mod target;

pub use inspect::ask::{ask, ServerCheck};
pub use inspect::{examine, inspect, Examination, Inspection, OtherSession, Privilege};
pub use load::buffers::Buffers;
pub use load::{
    restore, restore_from, Decision, Item, LoadReport, LoadedTable, Look, Never, Replay, RowStage, SqlChange,
    SqlColumn, Stages, Watching,
};
pub use reset::extensions::{Extension, Need};
pub use schedule::questions::{Answer, Answers, Questions};
pub(crate) use session::connect::Session;
pub use session::{tls, url};
pub(crate) use target::Outcome;
pub use target::{JobRecord, Leftover, Target};
