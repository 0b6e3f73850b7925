//! What ended a job and what to do about it, as data: for each place where it can happen one enum of what happened there,
//! and one of what to do. [`crate::error::Error`] carries one of each; the caller has the words.
//!
//! A kind says what happened, not how it is said. What stands in a field is shown as it is: a name, a number, or another
//! program's words that may be quoted.

mod archive;
mod backup;
mod download;
mod jobs;
mod leaks;
mod masking;
mod scalingo;
mod server;
mod session;
mod sink;
mod target;

pub use archive::{ArchiveFailure, ArchiveRemedy};
pub use backup::{BackupFailure, BackupRemedy, BackupSubject, Contents, Damage};
pub use download::{DownloadFailure, DownloadRemedy, Hitch};
pub use jobs::{JobFailure, JobRemedy};
pub use leaks::{LeakFailure, LeakRemedy};
pub use masking::{MaskFailure, MaskRemedy};
pub use scalingo::{ApiAnswer, ApiCall, ScalingoFailure, ScalingoRemedy};
pub use server::{ServerAnswer, ServerDetail, ServerFailure, ServerRemedy};
pub use session::{Mistrust, SessionFailure, SessionRemedy, Unreachable};
pub use sink::{FileTrouble, SinkFailure, SinkRemedy};
pub use target::{TargetFailure, TargetRemedy};

/// Every kind of them, with its fields.
pub(crate) fn kinds() -> impl Iterator<Item = phrases::Kind> {
    let kinds = [
        ArchiveFailure::KINDS,
        ArchiveRemedy::KINDS,
        BackupFailure::KINDS,
        BackupRemedy::KINDS,
        BackupSubject::KINDS,
        Contents::KINDS,
        Damage::KINDS,
        DownloadFailure::KINDS,
        DownloadRemedy::KINDS,
        Hitch::KINDS,
        JobFailure::KINDS,
        JobRemedy::KINDS,
        LeakFailure::KINDS,
        LeakRemedy::KINDS,
        MaskFailure::KINDS,
        MaskRemedy::KINDS,
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
        TargetFailure::KINDS,
        TargetRemedy::KINDS,
    ];
    kinds.into_iter().flatten().copied()
}
