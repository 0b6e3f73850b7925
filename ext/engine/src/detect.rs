//! Personal data that no rule covers, as far as values tell: judged before a table's first row is sent.
//!
//! The reader hands over the first rows of each load ([`Detection::decide`]), still raw, and learns whether they go as
//! planned, with further masks, or not at all. Where every row is asked for, each lane looks at what it sends
//! ([`Scan`]), on its own thread. A detector holds counters, never a value; [`Detection::findings`] is what names
//! and values told together.

pub(crate) mod rows;

use crate::archive::{DumpId, Entry};
use crate::copy::decode;
use crate::error::Error;
use crate::event::Sink;
use crate::mask::{Mask, RowMask};
use crate::pii::{
    rounded, verdict, ColumnDetector, ColumnName, Finding, FoundBy, Kind, Recent, Scanner, Status, Verdict,
};
use crate::plan::personal::{is_scrubbed, refusal, Automatic, Watch, Watched};
use crate::plan::schema::Schema;
use crate::plan::{Load, Plan};
use crate::settings::{Policy, Settings};
use memchr::{memchr, memchr2};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of rows that the reader holds back for a decision; where all rows are asked for, too.
pub(crate) const SAMPLE_BYTES: usize = 1024 * 1024;

/// Rows that are looked at for a decision where the lanes look at all: what they find is too late for a mask.
const FIRST_ROWS: u64 = 10_000;

/// The same where nothing is decided: enough to tell of what is masked, at which the lanes do not look.
const FIRST_ROWS_TO_TELL: u64 = 1000;

/// Asks the caller which columns its own patterns match, where it has some.
///
/// # Errors
/// When it does not answer, because it is being stopped.
pub(crate) fn with_matches<'s>(
    settings: &'s Settings,
    entries: &[Entry],
    events: &Sink,
) -> Result<Cow<'s, Settings>, Error> {
    if !settings.pii.scan || !settings.pii.own_patterns || settings.pii.matched.is_some() {
        return Ok(Cow::Borrowed(settings));
    }
    let schema = Schema::read(entries);
    let columns: BTreeSet<(String, String)> = schema
        .tables
        .iter()
        .flat_map(|table| {
            let columns = table.columns.iter();
            columns.map(|column| (table.name.name.clone(), column.name.clone()))
        })
        .collect();
    let matched = events
        .ask(columns.into_iter().collect())
        .ok_or_else(Error::interrupted)?;
    let mut settings = settings.clone();
    settings.pii.matched = Some(matched);
    Ok(Cow::Owned(settings))
}

/// What happens to a load's rows after a look at the first of them.
#[derive(Debug, Clone)]
pub(crate) enum Decision {
    /// What the plan says.
    AsPlanned,
    /// They are masked with this instead of the load's own mask.
    Mask(Arc<RowMask>),
    /// They are not loaded: the table stays empty.
    Withhold,
}

/// What values have told so far, of all loads.
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
}

impl std::fmt::Debug for Detection {
    /// Nothing of what it has seen: keys of objects can be anything.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Detection")
    }
}

/// One thread's look at rows of one load.
pub(crate) struct Scan {
    load: DumpId,
    detectors: Vec<ColumnDetector>,
    /// Per column of the data, the place of its detector; up to the last column that has one.
    places: Vec<Option<usize>>,
    scanner: Scanner,
    recent: Recent,
    scratch: Vec<u8>,
}

impl Scan {
    /// A look at the columns of `watch` that `wanted` lets pass.
    fn new(load: DumpId, watch: &Watch, wanted: impl Fn(&Watched) -> bool) -> Self {
        let detectors: Vec<ColumnDetector> = watch
            .columns
            .iter()
            .map(|column| ColumnDetector::new(&column.name, &column.sql_type))
            .collect();
        let mut places = vec![None; watch.width];
        for (place, column) in watch.columns.iter().enumerate() {
            if let Some(slot) = places.get_mut(column.position) {
                *slot = (wanted(column) && detectors[place].is_worth_feeding()).then_some(place);
            }
        }
        let wanted = places
            .iter()
            .rposition(Option::is_some)
            .map_or(0, |last| last + 1);
        places.truncate(wanted);
        Self {
            load,
            detectors,
            places,
            scanner: Scanner::new(),
            recent: Recent::new(),
            scratch: Vec::new(),
        }
    }

    /// Looks at whole rows of COPY text, at most so many; returns how many it was.
    pub(crate) fn observe(&mut self, rows: &[u8], most: u64) -> u64 {
        let mut seen = 0;
        let mut at = 0;
        while at < rows.len() && seen < most {
            seen += 1;
            at += self.row(&rows[at..]);
        }
        seen
    }

    /// Looks at the first of some rows, as far as its last field that tells anything; returns its length.
    fn row(&mut self, rows: &[u8]) -> usize {
        let mut at = 0;
        for place in &self.places {
            let end = at + memchr2(b'\t', b'\n', &rows[at..]).unwrap_or(rows.len() - at);
            if let Some(detector) = place.and_then(|place| self.detectors.get_mut(place)) {
                if let Some(value) = decode(&rows[at..end], &mut self.scratch) {
                    detector.observe_with(value, &mut self.scanner, &mut self.recent);
                }
            }
            at = (end + 1).min(rows.len());
            if rows.get(end) != Some(&b'\t') {
                return at;
            }
        }
        memchr(b'\n', &rows[at..]).map_or(rows.len(), |end| at + end + 1)
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
    pub(crate) fn first_look(&self, load: &Load) -> Option<Scan> {
        let watch = self.plan.personal.watches.get(&load.dump_id)?;
        Some(Scan::new(load.dump_id, watch, |_| true))
    }

    /// Judges a load by all the rows of it that are ever looked at.
    pub(crate) fn decide_by(&self, load: &Load, scan: &Scan) -> Decision {
        self.decide_from(load, scan, true)
    }

    fn decide_from(&self, load: &Load, scan: &Scan, last: bool) -> Decision {
        let Some(watch) = self.plan.personal.watches.get(&load.dump_id) else {
            return Decision::AsPlanned;
        };
        let decision = self.judge(load, watch, &scan.detectors, last);
        self.noted().decided.insert(load.dump_id, decision.clone());
        decision
    }

    /// What a lane looks with, where every row is to be looked at.
    pub(crate) fn scan(&self, load: DumpId) -> Option<Scan> {
        let personal = &self.plan.personal;
        let watch = personal
            .watches
            .get(&load)
            .filter(|_| personal.sample_rows.is_none())?;
        let masked = self.masked_columns(load);
        // What is masked is no concern of the policy, and has been looked at in the sample.
        let scan = Scan::new(load, watch, |column| {
            column.standing.status == Status::Uncovered && !masked.contains(&column.position)
        });
        (!scan.places.is_empty()).then_some(scan)
    }

    /// Takes what a lane has seen.
    pub(crate) fn seen(&self, scan: Scan) {
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
    pub(crate) fn judge_all(&self, load: &Load) -> Decision {
        let detectors = self.noted().seen.remove(&load.dump_id);
        let (Some(detectors), Some(watch)) = (detectors, self.plan.personal.watches.get(&load.dump_id))
        else {
            return Decision::AsPlanned;
        };
        match self.judge(load, watch, &detectors, true) {
            // It is too late for a mask: what it is for is in the table.
            Decision::Mask(_) => {
                self.withhold(load, "it was found behind the first rows, too late to be masked");
                Decision::Withhold
            }
            decision => decision,
        }
    }

    /// Whether a load that was judged stays out.
    pub(crate) fn withholds(&self, load: &Load) -> bool {
        matches!(self.noted().decided.get(&load.dump_id), Some(Decision::Withhold))
    }

    /// Forgets what lanes have seen of a load whose rows come again.
    pub(crate) fn forget(&self, load: DumpId) {
        self.noted().seen.remove(&load);
    }

    /// What names and values told together, by table and column.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        self.noted().findings.values().cloned().collect()
    }

    /// The plan as it was carried out: with the masks that were put in force by what values told.
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
        let state = "The tables of these columns are empty, the others are loaded, and the target is marked incomplete.";
        refusal(&self.findings(), personal.policy, state)
    }

    /// The error of a job that has looked at rows and touched nothing yet.
    pub(crate) fn refusal_untouched(&self) -> Option<Error> {
        let personal = &self.plan.personal;
        if personal.policy == Policy::Warn {
            return None;
        }
        refusal(&self.findings(), personal.policy, "Nothing was touched.")
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

    fn judge(&self, load: &Load, watch: &Watch, detectors: &[ColumnDetector], last: bool) -> Decision {
        let policy = self.plan.personal.policy;
        let mut further: Vec<(usize, Mask)> = Vec::new();
        let mut withhold = false;
        for (column, detector) in watch.columns.iter().zip(detectors) {
            if detector.values() == 0 {
                continue;
            }
            let name = ColumnName {
                table: &column.home,
                column: &column.name,
                sql_type: &column.sql_type,
            };
            let Some(verdict) = verdict(&name, &watch.context, Some(detector)) else {
                self.note_silence(load, column, detector);
                continue;
            };
            let mut finding = told(column, detector, &verdict);
            let open = column.standing.status == Status::Uncovered;
            if open && !last {
                // The lanes count these again, with all others.
                (finding.values, finding.count) = (0, 0);
            }
            let scrubbed = verdict.content.iter().all(|found| is_scrubbed(found.kind));
            // What its name has put in force would leave what its values hold.
            let leaves = column.scrubs && !scrubbed;
            let automatic = self.automatic(watch, column, verdict.kind, scrubbed);
            if leaves || (open && !matches!(finding.found_by, FoundBy::Name)) {
                match (policy, &automatic, &column.blocked) {
                    (Policy::Warn, ..) => {}
                    (Policy::Fail, ..) => {
                        finding.status = Status::Withheld;
                        withhold = true;
                    }
                    (Policy::Mask, Some(automatic), None) => {
                        finding.status = Status::Masked;
                        further.push((column.position, automatic.mask.clone()));
                    }
                    (Policy::Mask, _, blocked) => {
                        finding.status = Status::Withheld;
                        let why = blocked.clone();
                        finding.because =
                            Some(why.unwrap_or_else(|| "no mask of the catalogue fits it".into()));
                        withhold = true;
                    }
                }
            }
            if let Some(automatic) = automatic.filter(|_| finding.status > Status::Covered) {
                if let Some(suggestion) = automatic.suggestion.clone() {
                    finding.suggest(suggestion);
                }
                if finding.status == Status::Masked {
                    let place = (column.home.clone(), column.name.clone());
                    self.noted().automatic.insert(place, automatic);
                }
            }
            self.note(finding, leaves);
        }
        if withhold {
            return Decision::Withhold;
        }
        if further.is_empty() {
            return Decision::AsPlanned;
        }
        match watch.masked_with(&further) {
            Ok(mask) => Decision::Mask(mask),
            Err(_) => {
                self.withhold(load, "its mask does not go together with the table's other masks");
                Decision::Withhold
            }
        }
    }

    /// The mask that a partition of the same table has got, else the one that fits.
    fn automatic(&self, watch: &Watch, column: &Watched, kind: Kind, scrubbed: bool) -> Option<Automatic> {
        let place = (column.home.clone(), column.name.clone());
        let known = self.noted().automatic.get(&place).cloned();
        known
            .filter(|known| scrubbed || !known.scrubs)
            .or_else(|| watch.automatic(column, kind, scrubbed))
    }

    /// Says of what was to be masked in a load that its rows stay out instead.
    fn withhold(&self, load: &Load, because: &str) {
        let Some(watch) = self.plan.personal.watches.get(&load.dump_id) else {
            return;
        };
        let mut noted = self.noted();
        for column in &watch.columns {
            let place = (column.home.clone(), column.name.clone());
            let masked = noted.findings.get_mut(&place).filter(|finding| {
                finding.status == Status::Masked && column.standing.status == Status::Uncovered
            });
            if let Some(finding) = masked {
                finding.status = Status::Withheld;
                finding.because = Some(because.into());
            }
        }
    }

    /// Keeps a finding; where a column was found before, in another partition or by its name, the worse status
    /// stays, and what was counted adds up. `replaced`: its mask has taken the place of the one that was known.
    fn note(&self, mut finding: Finding, replaced: bool) {
        let mut noted = self.noted();
        let place = (finding.table.clone(), finding.column.clone());
        if let Some(known) = noted.findings.get(&place) {
            if known.values > 0 && known.found_by != FoundBy::Name && known.kind == finding.kind {
                finding.values += known.values;
                finding.count += known.count;
                finding.share = rounded(finding.count as f32 / finding.values.max(1) as f32, 1000.0);
            }
            if known.status > finding.status {
                finding.status = known.status;
                finding.because.clone_from(&known.because);
            }
            if known.status == Status::Masked && known.mask.is_some() && !replaced {
                finding.mask.clone_from(&known.mask);
                finding.rule.clone_from(&known.rule);
            }
        }
        noted.findings.insert(place, finding);
    }

    /// Notes that values were looked at and did not tell of it: a name alone stands, and is told as what it is.
    fn note_silence(&self, load: &Load, column: &Watched, detector: &ColumnDetector) {
        let mut noted = self.noted();
        let place = (column.home.clone(), column.name.clone());
        let cleared = match noted.findings.get_mut(&place) {
            Some(finding) => {
                finding.values += detector.values();
                // Under the other policies its name has decided already.
                self.plan.personal.policy == Policy::Warn
                    && finding.status == Status::Uncovered
                    && finding.count == 0
                    // Other partitions may hold what this one does not.
                    && column.home == load.table.to_string()
            }
            None => false,
        };
        if cleared {
            noted.findings.remove(&place);
        }
    }
}

/// What is told of a column whose values were looked at.
fn told(column: &Watched, detector: &ColumnDetector, verdict: &Verdict) -> Finding {
    let seen = verdict
        .content
        .iter()
        .find(|finding| finding.kind == verdict.kind)
        .or_else(|| verdict.content.first())
        .filter(|finding| finding.confidence >= 0.3);
    let name = verdict.name.as_ref().filter(|name| name.confidence >= 0.3);
    let found_by = match (name, seen) {
        (Some(_), Some(_)) => FoundBy::Both,
        (None, Some(_)) => FoundBy::Content,
        _ => FoundBy::Name,
    };
    let values = seen.map(|seen| {
        let place = if seen.inside_text { "inside" } else { "as" };
        let kind = seen.kind.as_str().replace('_', " ");
        format!(
            "{kind} {place} {:.0}% of the values looked at",
            seen.share * 100.0
        )
    });
    let reasons: Vec<String> = name
        .map(|name| name.reason.clone())
        .into_iter()
        .chain(values)
        .collect();
    let mut finding = Finding::by_name(
        column.home.clone(),
        column.name.clone(),
        verdict.kind,
        verdict.confidence,
        reasons.join("; "),
    );
    finding.found_by = found_by;
    finding.values = detector.values();
    finding.count = seen.map_or(0, |seen| seen.count);
    finding.share = seen.map_or(0.0, |seen| rounded(seen.share, 1000.0));
    finding.status = column.standing.status;
    finding.because.clone_from(&column.standing.because);
    finding
}
