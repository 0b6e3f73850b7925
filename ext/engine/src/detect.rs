//! Personal data that no rule covers, as far as values show: judged before a table's first row is sent.
//!
//! The reader hands over the first rows of each load ([`Detection::decide`]), still raw, and learns whether they go as
//! planned, with further masks, or not at all. Where every row is asked for, each lane looks at what it sends
//! ([`LoadScan`]), on its own thread. A detector holds counters, never a value, and what a mask draws among is held until its load is
//! judged; [`Detection::findings`] is what names
//! and values show together.

mod categories;
mod digests;
mod judge;
mod look;
pub(crate) mod rows;

use categories::Categories;
use digests::Digests;
pub(crate) use look::LoadScan;

use crate::error::Error;
use crate::finding::{Because, Finding};
use crate::plan::personal::{refusal, Automatic};
use crate::plan::{Load, Plan};
use crate::postgres::{Decision, Look, RowStage};
use crate::settings::Policy;
use masking::RowMask;
use personal_data::{ColumnDetector, Status};
use pg_dump_archive::DumpId;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of rows that the reader holds back for a decision; where all rows are asked for, too.
pub(crate) const SAMPLE_BYTES: usize = 1024 * 1024;

/// Rows that are looked at for a decision where the lanes look at all: what they find is too late for a mask.
const FIRST_ROWS: u64 = 10_000;

/// The same where nothing is decided: enough to report what is masked, at which the lanes do not look.
const FIRST_ROWS_TO_TELL: u64 = 1000;

/// What values have shown so far, of all loads.
pub(crate) struct Detection {
    plan: Arc<Plan>,
    noted: Mutex<Noted>,
}

#[derive(Default)]
struct Noted {
    /// By table and column.
    findings: BTreeMap<(String, String), Finding>,
    /// The masks that content has put in force, by table and column, so that partitions agree.
    automatic: HashMap<(String, String), Automatic>,
    /// What each load's lanes have seen.
    seen: HashMap<DumpId, Vec<ColumnDetector>>,
    decided: HashMap<DumpId, Decision>,
    /// Loads whose every row was looked at; lanes do not look when the rows come again.
    settled: HashSet<DumpId>,
}

impl std::fmt::Debug for Detection {
    /// Not what it has seen: keys of objects can be anything.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Detection")
    }
}

impl Detection {
    /// Nothing was seen yet.
    pub(crate) fn new(plan: &Arc<Plan>) -> Self {
        let findings = plan.personal.findings.iter();
        let findings =
            findings.map(|finding| ((finding.table.clone(), finding.column.clone()), finding.clone()));
        Self {
            noted: Mutex::new(Noted {
                findings: findings.collect(),
                ..Noted::default()
            }),
            plan: Arc::clone(plan),
        }
    }

    /// How many rows of a load have to be held back for a decision; None: none.
    pub(crate) fn wants(&self, load: &Load) -> Option<u64> {
        self.plan.personal.watches.get(&load.dump_id)?;
        match self.plan.personal.sample_rows {
            Some(0) => None,
            Some(rows) => Some(rows),
            None if self.plan.personal.policy == Policy::Warn => Some(FIRST_ROWS_TO_TELL),
            None => Some(FIRST_ROWS),
        }
    }

    /// Judges a load by its first rows, raw, in pieces.
    pub(crate) fn decide<'p>(&self, load: &Load, pieces: impl IntoIterator<Item = &'p [u8]>) -> Decision {
        let Some((mut scan, mut left)) = self.first_look(load).zip(self.wants(load)) else {
            return Decision::AsPlanned;
        };
        for piece in pieces {
            left -= scan.observe(piece, left);
        }
        let every_row_follows = self.plan.personal.sample_rows.is_none();
        self.decide_from(load, &scan, !every_row_follows)
    }

    /// What the first rows of a load are looked at with.
    pub(crate) fn first_look(&self, load: &Load) -> Option<LoadScan> {
        let watch = self.plan.personal.watches.get(&load.dump_id)?;
        let categories = Categories::of(watch, self.plan.personal.policy);
        Some(LoadScan::new(load.dump_id, watch, |_| true).learning(categories, Digests::of(watch)))
    }

    /// Judges a load by all of its rows that are looked at.
    pub(crate) fn decide_by(&self, load: &Load, scan: &LoadScan) -> Decision {
        self.decide_from(load, scan, true)
    }

    fn decide_from(&self, load: &Load, scan: &LoadScan, last: bool) -> Decision {
        let Some(watch) = self.plan.personal.watches.get(&load.dump_id) else {
            return Decision::AsPlanned;
        };
        let looked = (&*scan.detectors, &scan.categories, &scan.digests);
        let decision = self.judge(load, watch, looked, last);
        self.noted().decided.insert(load.dump_id, decision.clone());
        decision
    }

    /// What a lane looks with, where every row is to be looked at.
    pub(crate) fn scan(&self, load: DumpId) -> Option<LoadScan> {
        let personal = &self.plan.personal;
        let watch = personal
            .watches
            .get(&load)
            .filter(|_| personal.sample_rows.is_none())?;
        let masked = self.masked_columns(load);
        // What is masked is no concern of the policy, and has been looked at in the sample.
        let scan = LoadScan::new(load, watch, |column| {
            column.standing.status == Status::Uncovered && !masked.contains(&column.position)
        });
        (!scan.places.is_empty()).then_some(scan)
    }

    /// Takes what a lane has seen.
    fn seen(&self, scan: LoadScan) {
        let mut noted = self.noted();
        match noted.seen.get_mut(&scan.load) {
            Some(sum) => sum
                .iter_mut()
                .zip(&scan.detectors)
                .for_each(|(sum, more)| sum.merge(more)),
            None => {
                noted.seen.insert(scan.load, scan.detectors);
            }
        }
    }

    /// Judges a load whose every row was looked at. [`Decision::Withhold`]: its rows have to go again.
    fn judge_all(&self, load: &Load) -> Decision {
        let detectors = self.noted().seen.remove(&load.dump_id);
        let (Some(detectors), Some(watch)) = (detectors, self.plan.personal.watches.get(&load.dump_id))
        else {
            return Decision::AsPlanned;
        };
        let looked = (&*detectors, &Categories::default(), &Digests::default());
        match self.judge(load, watch, looked, true) {
            // It is too late for a mask: what it is for is in the table.
            Decision::Mask(_) => {
                self.withhold(load, &Because::FoundTooLate);
                Decision::Withhold
            }
            decision => decision,
        }
    }

    /// Whether a load that was judged stays out.
    pub(crate) fn withholds(&self, load: &Load) -> bool {
        matches!(self.noted().decided.get(&load.dump_id), Some(Decision::Withhold))
    }

    /// What names and values show together, by table and column.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        self.noted().findings.values().cloned().collect()
    }

    /// The plan as it was carried out, with the masks that values brought into force.
    pub(crate) fn carried_out(&self) -> Arc<Plan> {
        let noted = self.noted();
        let masks = noted.decided.iter().filter_map(|(id, decision)| match decision {
            Decision::Mask(mask) => Some((id, mask)),
            _ => None,
        });
        let mut masks = masks.peekable();
        if masks.peek().is_none() {
            return Arc::clone(&self.plan);
        }
        let mut plan = Plan::clone(&self.plan);
        for (id, mask) in masks {
            if let Some(load) = plan.loads.get_mut(id) {
                load.mask = Some(Arc::clone(mask));
            }
        }
        Arc::new(plan)
    }

    /// The error of a run in which tables stayed empty.
    pub(crate) fn refusal(&self) -> Option<Error> {
        let personal = &self.plan.personal;
        if personal.policy == Policy::Warn {
            return None;
        }
        refusal(&self.findings(), personal.policy, true)
    }

    /// The error of a job that has looked at rows and touched nothing yet.
    pub(crate) fn refusal_untouched(&self) -> Option<Error> {
        let personal = &self.plan.personal;
        if personal.policy == Policy::Warn {
            return None;
        }
        refusal(&self.findings(), personal.policy, false)
    }

    /// The plan that the judgement is about.
    pub(crate) fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn masked_columns(&self, load: DumpId) -> BTreeSet<usize> {
        let noted = self.noted();
        let own = self.plan.loads.get(&load).and_then(|load| load.mask.as_ref());
        let mask = match noted.decided.get(&load) {
            Some(Decision::Mask(mask)) => Some(mask),
            _ => own,
        };
        let columns = mask.into_iter().flat_map(|mask| mask.columns());
        columns.map(|column| column.position).collect()
    }
}

/// Where every row is asked for, each lane looks at what it sends.
impl RowStage for Detection {
    fn look(self: Arc<Self>, load: DumpId, _: Option<&RowMask>) -> Option<Box<dyn Look>> {
        if self.noted().settled.contains(&load) {
            return None;
        }
        let scan = self.scan(load)?;
        Some(Box::new(LaneScan {
            detection: self,
            scan,
        }))
    }

    fn settle(&self, load: &Load) -> Decision {
        if !self.noted().settled.insert(load.dump_id) {
            return Decision::AsPlanned;
        }
        self.judge_all(load)
    }

    fn forget(&self, load: DumpId) {
        self.noted().seen.remove(&load);
    }
}

struct LaneScan {
    detection: Arc<Detection>,
    scan: LoadScan,
}

impl Look for LaneScan {
    fn sees_what_is_sent(&self) -> bool {
        false
    }

    fn came(&mut self, rows: &[u8]) {
        self.scan.observe(rows, u64::MAX);
    }

    fn end(self: Box<Self>) {
        self.detection.seen(self.scan);
    }
}
