//! PostgreSQL, the target, in rooms by what it does for a job.
//!
//! ```text
//! workspace    a database that a job computes in and leaves as it was
//! load         rows and large objects in COPY streams, each lane a session; retry: what a lost session took
//! schedule     what may run when: the graph of steps, keys, statistics, questions of verification
//! reset        emptying it and creating the schema, in one transaction where it fits: drop, parts
//! target       a database that a job holds; guard: other sessions of the role are kept out
//! inspect      what is there, read without changing it: catalogue, inventory, extensions, counts
//! sql_rules    rules that run as SQL in temporary tables before their rows are moved
//! enclosed     an archive's statements in a transaction that they cannot end
//! made         what the backup makes, made in a transaction that is rolled back
//! refused      what the server would not create, and what the run goes on without
//! gather       the sessions of a load, opened before the old data goes
//! forced       FORCE ROW LEVEL SECURITY, lifted while a database that is there is read
//! state        the gem's own schema: what a run leaves behind about itself
//! session      sessions as libpq would open them: url, tls, connect
//! buffers      the memory in which rows travel
//! ```
//!
//! A room knows those below it and none above. All know the plan and the masks, and nothing of where archives come from.

pub(in crate::postgres) mod buffers;
mod enclosed;
mod forced;
mod gather;
mod guard;
pub mod inspect;
pub(crate) mod load;
pub(crate) mod made;
pub(in crate::postgres) mod refused;
pub(crate) mod reset;
mod schedule;
pub mod session;
pub(crate) mod sql_rules;
mod state;
mod target;
pub(crate) mod workspace;

pub use buffers::Buffers;
pub use inspect::ask::{ask, ServerCheck};
pub use inspect::examine::{examine, Examination, Privilege};
pub use inspect::extensions::{Extension, Need};
pub use inspect::{inspect, Inspection, OtherSession};
pub(crate) use load::lane::LaneReport;
pub(crate) use load::passage::Passage;
pub(crate) use load::{cut_rows, Way};
pub use load::{
    restore, restore_from, Decision, Item, LoadReport, LoadedTable, Look, Never, Replay, RowStage, Stages,
    Watching,
};
pub(crate) use reset::trial::Tried;
pub(crate) use reset::{look_at_kept, nothing_to_keep, refused_in};
pub use schedule::questions::{Answer, Answers, Questions};
pub(crate) use session::connect::Session;
pub(crate) use session::new_run_id;
pub use session::{tls, url};
pub(crate) use sql_rules::discreet;
pub use sql_rules::{SqlChange, SqlColumn};
pub(crate) use state::RunOutcome;
pub use state::{JobRecord, Leftover, PartCounts};
pub use target::Target;
