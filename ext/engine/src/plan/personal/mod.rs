//! Personal data that no rule covers, and what acts outside, as far as names show: what is known of both before the target
//! is touched.
//!
//! [`judge()`] looks at every column of every table whose rows are loaded, says what stands between it and staging
//! (a rule, `config.pii_ignore`, nothing), finds a mask that fits, and under `config.pii_policy = :mask` puts it in
//! force. [`outside`] is what is put in force under every policy. What it leaves for each load is a [`Watch`], with which the values of the first rows are judged.

mod automatic;
mod category;
mod digests;
mod doubts;
mod findings;
mod force;
mod judge;
mod keys;
mod leaves;
mod outside;
mod unmeetable;
mod watch;

pub use automatic::Automatic;
pub(crate) use automatic::{is_scrubbed, Shown};
pub(crate) use category::{is_category, Values};
pub(crate) use digests::{AddressDigest, Algorithm};
pub(super) use judge::{judge, JudgeInputs};
pub(super) use leaves::JUDGE;
pub use watch::{Watch, Watched};

use crate::error::{About, Error, Kind};
use crate::failure::{PlanFailure, PlanRemedy};
use crate::finding::{Because, Finding};
use crate::notice::Notice;
use crate::settings::Policy;
use crate::text::{text, Snippet, Text};
use personal_data::Status;
use pg_dump_archive::DumpId;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What is known of personal data before a row was seen.
#[derive(Debug, Clone, Default)]
pub struct Personal {
    /// Whether it is looked for at all.
    pub scan: bool,
    /// Whether what acts outside is quieted.
    pub quiesce: bool,
    /// What is done about a column that no rule covers.
    pub policy: Policy,
    /// Rows of each table that are looked at; None: all.
    pub sample_rows: Option<u64>,
    /// What names say about personal data and about what acts outside, by table and column.
    pub findings: Vec<Finding>,
    /// What is needed to judge the values of each load.
    pub watches: HashMap<DumpId, Arc<Watch>>,
    /// Foreign keys to queues that stay out, of whose rows none refers to any more.
    pub given_up: HashSet<DumpId>,
}

/// What stands between a column and staging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What.
    pub status: Status,
    /// What covers it, lets it be, or keeps a mask from it.
    pub because: Option<Box<Because>>,
}

impl Standing {
    fn new(status: Status, because: Because) -> Self {
        Self {
            status,
            because: Some(Box::new(because)),
        }
    }

    fn uncovered() -> Self {
        Self {
            status: Status::Uncovered,
            because: None,
        }
    }
}

impl Personal {
    /// The places of a load's columns that are known not to be personal.
    pub(super) fn ignored(&self, load: DumpId) -> HashSet<usize> {
        let columns = self
            .watches
            .get(&load)
            .into_iter()
            .flat_map(|watch| &watch.columns);
        let ignored = columns.filter(|column| column.standing.status == Status::Ignored);
        ignored.map(|column| column.position).collect()
    }

    /// The error with which a run ends before the target is touched, where the policy asks for it.
    pub fn refusal(&self) -> Option<Error> {
        if self.policy == Policy::Warn {
            return None;
        }
        refusal(&self.findings, self.policy, false)
    }
}

/// The error that lists what no rule covers, and what would; None when there is nothing. `emptied`: their tables were left
/// empty for it, since the run had begun to load.
pub fn refusal(findings: &[Finding], policy: Policy, emptied: bool) -> Option<Error> {
    let open: Vec<&Finding> = findings
        .iter()
        .filter(|finding| finding.status.needs_a_rule())
        .collect();
    let count = open.len();
    let head = match policy {
        _ if count == 0 => return None,
        Policy::Mask => PlanFailure::NotMaskedByItself { count },
        _ => PlanFailure::NotCovered { count },
    };
    let what = listed(head, &open);
    let remedy = match emptied {
        true => PlanRemedy::CoverEmptied,
        false => PlanRemedy::CoverOrIgnore,
    };
    let rules = Snippet::Rules(open.iter().map(|finding| (*finding).clone()).collect());
    let remedy = text!(remedy, "\n").suggesting(rules);
    let error = Error::new(Kind::PersonalData, what, remedy);
    Some(match open.as_slice() {
        [only] => error.about(About::table(&only.table).column(&only.column)),
        _ => error,
    })
}

/// The sentence that warns of columns that go as they are, with the rules that would cover them.
pub fn warning(findings: &[Finding]) -> Option<Text> {
    let open: Vec<&Finding> = findings
        .iter()
        .filter(|finding| finding.status == Status::Uncovered)
        .collect();
    if open.is_empty() {
        return None;
    }
    let head = Notice::Uncovered { count: open.len() };
    let text = text!(listed(head, &open), PlanRemedy::CoverOrMask, "\n");
    Some(text.suggesting(Snippet::Rules(open.into_iter().cloned().collect())))
}

/// A line of its own for each column, with what it looks like and why.
fn listed(head: impl Into<Text>, open: &[&Finding]) -> Text {
    let lines = open
        .iter()
        .map(|finding| Snippet::Finding(Box::new((*finding).clone())));
    let lines: Vec<Text> = lines.map(Text::from).collect();
    text!(head, ":\n- ", Text::joined(&lines, "\n- "), "\n")
}
