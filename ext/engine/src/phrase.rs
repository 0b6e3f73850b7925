//! What the engine says as data: phrases, each a kind with fields, which the caller words in its languages.

use crate::failure::{
    self, Advice, ArchiveFailure, ArchiveRemedy, BackupFailure, BackupRemedy, DownloadFailure,
    DownloadRemedy, EmptiedRemedy, JobFailure, JobRemedy, LeakFailure, LeakRemedy, MaskFailure, MaskFault,
    MaskRemedy, NameFault, OptionFault, OptionRemedy, PartRemedy, PlanFailure, PlanRemedy, Right, RightFailure,
    RightRemedy, RuleFault, ScalingoFailure, ScalingoRemedy, ServerAnswer, ServerDetail, ServerFailure,
    ServerRemedy, SessionFailure, SessionRemedy, SinkFailure, SinkRemedy, SqlRuleFault, SubsetFault, TargetFailure,
    TargetRemedy,
};
use crate::finding::{Because, Unquieted};
use crate::left_out::Why;
use crate::notice::{Mismatch, Notice, Originals, Stall, Untried};
use masking::Becomes;
use personal_data::{terms, Clue, PiiKind, Reason};
use serde::Serialize;

/// A phrase of any enum of phrases, where it stands among words.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Phrase {
    /// Why a column looks personal or acts outside.
    Reason(Reason),
    /// What covers a column, lets it be, or keeps a mask from it.
    Because(Because),
    /// Why something does not come.
    Why(Why),
    /// A warning.
    Notice(Notice),
    /// What verification finds.
    Mismatch(Mismatch),
    /// What a mask makes of a column.
    Becomes(Becomes),
    /// What is wrong with an archive.
    ArchiveFailure(ArchiveFailure),
    /// What to do about it.
    ArchiveRemedy(ArchiveRemedy),
    /// What is wrong with a backup's file or link.
    BackupFailure(BackupFailure),
    /// What to do about it.
    BackupRemedy(BackupRemedy),
    /// What is wrong with a download.
    DownloadFailure(DownloadFailure),
    /// What to do about it.
    DownloadRemedy(DownloadRemedy),
    /// What to do about a subset without a row.
    EmptiedRemedy(EmptiedRemedy),
    /// What ended a job.
    JobFailure(JobFailure),
    /// What to do about it.
    JobRemedy(JobRemedy),
    /// Originals that survived.
    LeakFailure(LeakFailure),
    /// What to do about it.
    LeakRemedy(LeakRemedy),
    /// A row that cannot be masked.
    MaskFailure(MaskFailure),
    /// A mask that does not fit its column.
    MaskFault(MaskFault),
    /// What to do about it.
    MaskRemedy(MaskRemedy),
    /// What a name may have meant.
    Advice(Advice),
    /// What is wrong with a name in the configuration.
    NameFault(NameFault),
    /// What is wrong with an option.
    OptionFault(OptionFault),
    /// What to do about it.
    OptionRemedy(OptionRemedy),
    /// What to do where the server refuses a rule of a part.
    PartRemedy(PartRemedy),
    /// Why there is no plan.
    PlanFailure(PlanFailure),
    /// What to do about it.
    PlanRemedy(PlanRemedy),
    /// What a run does, as the target's role may or may not.
    Right(Right),
    /// What the target's role may not do.
    RightFailure(RightFailure),
    /// What to do about it.
    RightRemedy(RightRemedy),
    /// What is wrong with a rule.
    RuleFault(RuleFault),
    /// What is wrong with a rule in SQL.
    SqlRuleFault(SqlRuleFault),
    /// What is wrong with a part.
    SubsetFault(SubsetFault),
    /// What acts outside and could not be quieted.
    Unquieted(Unquieted),
    /// What Scalingo refuses or does not have.
    ScalingoFailure(ScalingoFailure),
    /// What to do about it.
    ScalingoRemedy(ScalingoRemedy),
    /// What PostgreSQL refuses.
    ServerFailure(ServerFailure),
    /// What to do about it.
    ServerRemedy(ServerRemedy),
    /// Why there is no session with the target.
    SessionFailure(SessionFailure),
    /// What to do about it.
    SessionRemedy(SessionRemedy),
    /// What is wrong with an archive that is written.
    SinkFailure(SinkFailure),
    /// What to do about it.
    SinkRemedy(SinkRemedy),
    /// What stands in the way in the target.
    TargetFailure(TargetFailure),
    /// What to do about it.
    TargetRemedy(TargetRemedy),
}

/// A phrase of one of the enums is a phrase.
macro_rules! from {
    ($($name:ident),+ $(,)?) => {
        impl Phrase {
            /// The name of its kind.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Phrase::$name(phrase) => phrase.kind(),)+
                }
            }
        }

        $(
            impl From<$name> for Phrase {
                fn from(phrase: $name) -> Self {
                    Phrase::$name(phrase)
                }
            }

            impl From<&$name> for Phrase {
                fn from(phrase: &$name) -> Self {
                    Phrase::$name(phrase.clone())
                }
            }
        )+
    };
}

from!(
    Reason,
    Because,
    Why,
    Notice,
    Mismatch,
    Becomes,
    ArchiveFailure,
    ArchiveRemedy,
    BackupFailure,
    BackupRemedy,
    DownloadFailure,
    DownloadRemedy,
    EmptiedRemedy,
    JobFailure,
    JobRemedy,
    LeakFailure,
    LeakRemedy,
    MaskFailure,
    MaskFault,
    MaskRemedy,
    Advice,
    NameFault,
    OptionFault,
    OptionRemedy,
    PartRemedy,
    PlanFailure,
    PlanRemedy,
    Right,
    RightFailure,
    RightRemedy,
    RuleFault,
    SqlRuleFault,
    SubsetFault,
    Unquieted,
    ScalingoFailure,
    ScalingoRemedy,
    ServerFailure,
    ServerRemedy,
    SessionFailure,
    SessionRemedy,
    SinkFailure,
    SinkRemedy,
    TargetFailure,
    TargetRemedy,
);

/// What a caller needs words for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Vocabulary {
    /// Every kind of phrase that a report can hold, with its fields.
    pub kinds: Vec<phrases::Kind>,
    /// Every kind that only an error holds, with its fields. No two kinds share a name.
    pub failures: Vec<phrases::Kind>,
    /// What a field `term` may hold.
    pub terms: Vec<&'static str>,
    /// What a field `personal` may hold: the kinds of personal data.
    pub personal: Vec<PiiKind>,
}

impl Vocabulary {
    /// All of it.
    pub fn all() -> Self {
        let kinds = [
            Reason::KINDS,
            Clue::KINDS,
            Because::KINDS,
            Why::KINDS,
            Notice::KINDS,
            Originals::KINDS,
            Stall::KINDS,
            Untried::KINDS,
            Mismatch::KINDS,
            Becomes::KINDS,
            ServerAnswer::KINDS,
            ServerDetail::KINDS,
        ];
        Self {
            kinds: kinds.into_iter().flatten().copied().collect(),
            failures: failure::kinds().chain(Unquieted::KINDS.iter().copied()).collect(),
            terms: terms().collect(),
            personal: PiiKind::ALL.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_kinds_share_a_name() {
        let Vocabulary { kinds, failures, .. } = Vocabulary::all();
        let mut seen = HashSet::new();
        for one in kinds.iter().chain(&failures) {
            assert!(seen.insert(one.kind), "{} stands for two", one.kind);
        }
    }
}
