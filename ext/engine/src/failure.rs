//! What ended a job and what to do about it, as data: for each place where it can happen one enum of what happened there,
//! and one of what to do. [`crate::error::Error`] carries one of each; the caller has the words.
//!
//! A kind says what happened, not how it is said. What stands in a field is shown as it is: a name, a number, or another
//! program's words that may be quoted.

mod archive;
mod attempt;
mod backup;
mod download;
mod emptied;
mod jobs;
mod leaks;
mod masking;
mod naming;
mod options;
mod part;
mod plan;
mod processes;
mod rights;
mod rules;
mod scalingo;
mod server;
mod session;
mod sink;
mod sql_rules;
mod target;

pub use self::masking::{MaskFailure, MaskFault, MaskRemedy};
pub use archive::{ArchiveFailure, ArchiveRemedy};
pub use attempt::Attempt;
pub use backup::{BackupFailure, BackupRemedy, BackupSubject, Contents, Damage};
pub use download::{DownloadFailure, DownloadRemedy, Hitch};
pub use emptied::{EmptiedRemedy, KeepsNone, NullEntry};
pub use jobs::{JobFailure, JobRemedy};
pub use leaks::{LeakFailure, LeakRemedy};
pub use naming::{Advice, NameFault, Names, NoTable};
pub use options::{AlsoSaid, CannotStay, KeptDifference, OptionFault, OptionRemedy, Tie};
pub use part::{OwnEntry, OwnPart, PartFault, PartRemedy, SubsetFault};
pub use plan::{Contradiction, PlanFailure, PlanRemedy};
pub use processes::{ProcessFact, ServerProcess};
pub use rights::{Right, RightFailure, RightRemedy};
pub use rules::RuleFault;
pub use scalingo::{ApiAnswer, ApiCall, ScalingoFailure, ScalingoRemedy};
pub use server::{ServerAnswer, ServerDetail, ServerFailure, ServerRemedy};
pub use session::{Mistrust, SessionFailure, SessionRemedy, Unreachable};
pub use sink::{FileTrouble, SinkFailure, SinkRemedy};
pub use sql_rules::{NoJoin, SqlFault, SqlRuleFault, SqlTrouble, Unasked};
pub use target::{OthersObject, TargetFailure, TargetRemedy};

/// Every kind of them, with its fields.
pub(crate) fn kinds() -> impl Iterator<Item = phrases::Kind> {
    let kinds = [
        ArchiveFailure::KINDS,
        ArchiveRemedy::KINDS,
        Attempt::KINDS,
        BackupFailure::KINDS,
        BackupRemedy::KINDS,
        BackupSubject::KINDS,
        Contents::KINDS,
        Damage::KINDS,
        DownloadFailure::KINDS,
        DownloadRemedy::KINDS,
        Hitch::KINDS,
        EmptiedRemedy::KINDS,
        KeepsNone::KINDS,
        NullEntry::KINDS,
        JobFailure::KINDS,
        JobRemedy::KINDS,
        LeakFailure::KINDS,
        LeakRemedy::KINDS,
        MaskFailure::KINDS,
        MaskFault::KINDS,
        MaskRemedy::KINDS,
        Advice::KINDS,
        NameFault::KINDS,
        Names::KINDS,
        NoTable::KINDS,
        AlsoSaid::KINDS,
        CannotStay::KINDS,
        KeptDifference::KINDS,
        OptionFault::KINDS,
        OptionRemedy::KINDS,
        Tie::KINDS,
        OwnEntry::KINDS,
        OwnPart::KINDS,
        PartFault::KINDS,
        PartRemedy::KINDS,
        SubsetFault::KINDS,
        Contradiction::KINDS,
        PlanFailure::KINDS,
        PlanRemedy::KINDS,
        Right::KINDS,
        RightFailure::KINDS,
        RightRemedy::KINDS,
        RuleFault::KINDS,
        ApiAnswer::KINDS,
        ApiCall::KINDS,
        ScalingoFailure::KINDS,
        ScalingoRemedy::KINDS,
        ServerFailure::KINDS,
        ServerRemedy::KINDS,
        Mistrust::KINDS,
        SessionFailure::KINDS,
        SessionRemedy::KINDS,
        Unreachable::KINDS,
        FileTrouble::KINDS,
        SinkFailure::KINDS,
        SinkRemedy::KINDS,
        NoJoin::KINDS,
        SqlFault::KINDS,
        SqlRuleFault::KINDS,
        SqlTrouble::KINDS,
        Unasked::KINDS,
        OthersObject::KINDS,
        TargetFailure::KINDS,
        TargetRemedy::KINDS,
    ];
    let kinds = kinds.into_iter().flatten().copied();
    kinds.chain(::masking::Misfit::kinds())
}
