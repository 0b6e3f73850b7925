//! What the engine says as data: phrases, each a kind with fields, which the caller words in its languages.

use crate::failure::{
    self, Advice, ArchiveFailure, ArchiveRemedy, BackupFailure, BackupRemedy, DownloadFailure,
    DownloadRemedy, EmptiedRemedy, JobFailure, JobRemedy, LeakFailure, LeakRemedy, MaskFailure, MaskFault,
    MaskRemedy, NameFault, OptionFault, OptionRemedy, PartRemedy, PlanFailure, PlanRemedy, ProcessFact,
    Right, RightFailure, RightRemedy, RuleFault, ScalingoFailure, ScalingoRemedy, ServerAnswer, ServerDetail,
    ServerFailure, ServerProcess, ServerRemedy, SessionFailure, SessionRemedy, SinkFailure, SinkRemedy,
    SqlRuleFault, SubsetFault, TargetFailure, TargetRemedy,
};
use crate::finding::{Because, Unquieted};
use crate::left_out::Why;
use crate::notice::{Mismatch, Notice, Originals, Stall, Untried};
use masking::Becomes;
use personal_data::{terms, Clue, PiiKind, Reason};
use phrases::AsPhrase;
use serde::{Serialize, Serializer};
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// A phrase of any enum of phrases, where it stands among words.
#[derive(Clone)]
pub struct Phrase(Arc<dyn AsPhrase>);

impl Phrase {
    /// The name of its kind.
    pub fn kind(&self) -> &'static str {
        self.0.kind()
    }

    /// It as one of an enum, if it is.
    pub fn downcast_ref<P: AsPhrase>(&self) -> Option<&P> {
        let phrase: &dyn Any = &*self.0;
        phrase.downcast_ref()
    }
}

/// No two kinds share a name, so that the same data is the same phrase.
impl PartialEq for Phrase {
    fn eq(&self, other: &Self) -> bool {
        self.0.record() == other.0.record()
    }
}

impl fmt::Debug for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.record().fmt(f)
    }
}

impl Serialize for Phrase {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.record().serialize(serializer)
    }
}

/// What may stand among words, as a phrase.
macro_rules! from {
    ($($name:ident),+ $(,)?) => {
        $(
            impl From<$name> for Phrase {
                fn from(phrase: $name) -> Self {
                    Phrase(Arc::new(phrase))
                }
            }

            impl From<&$name> for Phrase {
                fn from(phrase: &$name) -> Self {
                    phrase.clone().into()
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
            ServerProcess::KINDS,
            ProcessFact::KINDS,
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
