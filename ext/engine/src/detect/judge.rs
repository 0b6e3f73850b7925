//! What values have shown, judged: whether a load's rows go as planned, with further masks, or not at all.

use super::categories::Categories;
use super::digests::{Digests, FoundDigest};
use super::{Decision, Detection};
use crate::finding::{Because, Finding};
use crate::plan::personal::{is_category, is_scrubbed, Automatic, Shown, Values, Watch, Watched};
use crate::plan::Load;
use crate::settings::Policy;
use masking::Mask;
use personal_data::{
    percent, rounded, verdict, ColumnDetector, ColumnName, ContentFinding, FoundBy, Heading, PiiKind, Reason,
    Status, Verdict, PERSONAL,
};
use std::collections::HashMap;

/// Below this share of its values a column holds other things than what was found, too.
const NEARLY_ALL: f32 = 0.8;

impl Detection {
    pub(super) fn judge(
        &self,
        load: &Load,
        watch: &Watch,
        (detectors, categories, digests): (&[ColumnDetector], &Categories, &Digests),
        last: bool,
    ) -> Decision {
        let mut further: Vec<(usize, Mask)> = Vec::new();
        let mut kinds: HashMap<usize, PiiKind> = HashMap::new();
        let mut withhold = false;
        for (column, detector) in watch.columns.iter().zip(detectors) {
            let digest = digests.found(column.position);
            if detector.values() == 0 && digest.is_none() {
                continue;
            }
            if let Some((finding, mask)) = self.endpoint(watch, column, detector) {
                further.push((column.position, mask));
                self.note(finding, true);
                continue;
            }
            let home = column.home.to_string();
            let name = ColumnName {
                table: &home,
                column: &column.name,
                sql_type: &column.sql_type,
            };
            let known = verdict(&name, &watch.context, Some(detector));
            let found = match digest {
                Some(digest) => Some(digest.verdict(known)),
                None => known,
            };
            let Some(verdict) = found else {
                self.note_silence(load, column, detector);
                continue;
            };
            kinds.insert(column.position, verdict.kind);
            let (withheld, mask) =
                self.judge_column(watch, (column, detector, &verdict), (categories, digest), last);
            withhold |= withheld;
            further.extend(mask.map(|mask| (column.position, mask)));
        }
        if withhold {
            return Decision::Withhold;
        }
        learn(watch, categories, &kinds, &mut further);
        if further.is_empty() {
            return Decision::AsPlanned;
        }
        match watch.masked_with(&further) {
            Ok(mask) => Decision::Mask(mask),
            Err(_) => {
                self.withhold(load, &Because::MasksClash);
                Decision::Withhold
            }
        }
    }

    /// Whether a column that looks personal keeps its rows out, and the further mask that it gets, if any.
    fn judge_column(
        &self,
        watch: &Watch,
        (column, detector, verdict): (&Watched, &ColumnDetector, &Verdict),
        (categories, digest): (&Categories, Option<FoundDigest>),
        last: bool,
    ) -> (bool, Option<Mask>) {
        let policy = self.plan.personal.policy;
        let mut finding = finding(column, detector, verdict);
        if let Some(digest) = digest {
            finding.reason = vec![Reason::HashOfPersonalValue];
            finding.values = finding.values.max(digest.values);
        }
        let open = column.standing.status == Status::Uncovered;
        if open && !last {
            // The lanes count these again, with all others.
            (finding.values, finding.count) = (0, 0);
        }
        let looked = Shown {
            is_sealed: detector.is_sealed(),
            digest: digest.map(|digest| digest.of),
            ..shown(column, verdict, categories)
        };
        let automatic = self.automatic(watch, column, verdict.kind, looked);
        // What its name has put in force would leave what its values hold, or spoil what code compares with its own.
        let leaves = column.scrubs && !looked.scrubbed;
        let spoils = is_better(watch, column, verdict.kind, looked, automatic.as_ref());
        let leaves = leaves || spoils || looked.is_sealed && watch.breaks_ciphertext(column);
        let shown = leaves || (open && !matches!(finding.found_by, FoundBy::Name));
        let (mut withheld, mut mask) = (false, None);
        if shown && !matches!(policy, Policy::Warn) {
            let fits = automatic.as_ref().filter(|_| column.blocked.is_none());
            act(policy, &mut finding, fits.is_some(), column);
            if looked.is_sealed && fits.is_none() {
                finding.because = Some(Box::new(Because::UndeclaredCiphertext));
            }
            withheld = finding.status == Status::Withheld;
            let masked = fits.filter(|_| finding.status == Status::Masked);
            mask = masked.map(|automatic| automatic.mask.clone());
        }
        let status = finding.status;
        if let Some(automatic) = automatic.filter(|_| status > Status::Covered) {
            if let Some(suggestion) = automatic.suggestion.clone() {
                finding.suggest(suggestion, column.home.in_rules());
            }
            if status == Status::Masked {
                let place = column.place();
                self.noted().automatic.insert(place, automatic);
            }
        }
        self.note(finding, leaves);
        (withheld, mask)
    }

    /// A column of a table of webhooks whose values are addresses under any name, and what quiets it.
    fn endpoint(
        &self,
        watch: &Watch,
        column: &Watched,
        detector: &ColumnDetector,
    ) -> Option<(Finding, Mask)> {
        let open = column.standing.status == Status::Uncovered && column.blocked.is_none();
        let asked = self.plan.personal.quiesce && watch.context.is_of_hooks();
        let found = detector.addresses().filter(|_| open && asked)?;
        let automatic = self.automatic(watch, column, PiiKind::Endpoint, Shown::SCRUBBED)?;
        let mut finding = Finding::by_name(
            column.home.to_string(),
            column.name.to_string(),
            PiiKind::Endpoint,
            found.confidence,
            [Reason::SentToByValues {
                percent: percent(found.share),
            }],
        );
        finding.found_by = FoundBy::Content;
        (finding.values, finding.count) = (detector.values(), found.count);
        finding.share = rounded(found.share, 1000.0);
        finding.status = Status::Masked;
        if let Some(suggestion) = automatic.suggestion.clone() {
            finding.suggest(suggestion, column.home.in_rules());
        }
        let (place, mask) = (column.place(), automatic.mask.clone());
        self.noted().automatic.insert(place, automatic);
        Some((finding, mask))
    }

    /// The mask that a partition of the same table has got, else the one that fits.
    fn automatic(&self, watch: &Watch, column: &Watched, kind: PiiKind, shown: Shown) -> Option<Automatic> {
        let place = column.place();
        let known = self.noted().automatic.get(&place).cloned();
        known
            .filter(|known| !shown.is_sealed || known.mask.is_null())
            .filter(|known| shown.scrubbed || !known.scrubs)
            .filter(|known| shown.digest.is_none() || known.mask.digested_address().is_some())
            .filter(|known| shown.values == Values::Few || !known.mask.learns())
            .or_else(|| watch.automatic(column, kind, shown))
    }

    /// Records that the rows of a load stay out instead of being masked.
    pub(super) fn withhold(&self, load: &Load, because: &Because) {
        let Some(watch) = self.plan.personal.watches.get(&load.dump_id) else {
            return;
        };
        let mut noted = self.noted();
        for column in &watch.columns {
            let place = column.place();
            let masked = noted.findings.get_mut(&place).filter(|finding| {
                finding.status == Status::Masked && column.standing.status == Status::Uncovered
            });
            if let Some(finding) = masked {
                finding.status = Status::Withheld;
                finding.because = Some(Box::new(because.clone()));
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
            if known.heading == Heading::Outside.as_str() && finding.heading != known.heading {
                // In a column that acts outside every value counts, whatever it looks like.
                (finding.kind, finding.heading) = (known.kind, known.heading);
                finding.reason.clone_from(&known.reason);
                if finding.status == Status::Uncovered && known.status == Status::Ignored {
                    finding.status = known.status;
                    finding.because.clone_from(&known.because);
                }
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

    /// Notes that values were looked at and did not show it: a name alone stands, and is reported as that.
    fn note_silence(&self, load: &Load, column: &Watched, detector: &ColumnDetector) {
        let mut noted = self.noted();
        let place = column.place();
        let cleared = match noted.findings.get_mut(&place) {
            Some(finding) => {
                finding.values += detector.values();
                // Under the other policies its name has decided already.
                self.plan.personal.policy == Policy::Warn
                    && finding.status == Status::Uncovered
                    && finding.count == 0
                    // Other partitions may hold what this one does not.
                    && column.home == load.table
            }
            None => false,
        };
        if cleared {
            noted.findings.remove(&place);
        }
    }
}

/// What the values of a column show of the mask that it can have.
fn shown(column: &Watched, verdict: &Verdict, categories: &Categories) -> Shown {
    let believed = verdict
        .content
        .iter()
        .filter(|found| found.confidence >= PERSONAL);
    let named = verdict
        .name
        .as_ref()
        .is_some_and(|name| name.confidence >= PERSONAL);
    let top = verdict.content.first();
    let is_part = top.is_some_and(|top| !top.inside_text && top.share < NEARLY_ALL);
    let is_mixed = !named && is_part && believed.clone().all(|found| is_scrubbed(found.kind));
    // What a document's keys say is masked by them; what its values only hint at does not count.
    let is_document = matches!(&*column.sql_type, "json" | "jsonb" | "hstore");
    let counts = |confidence: f32| !is_document || confidence >= PERSONAL;
    let speaks_of_others = believed.clone().any(|found| !is_category(found.kind));
    Shown {
        scrubbed: is_mixed
            || (verdict.content.iter()).all(|found| is_scrubbed(found.kind) || !counts(found.confidence)),
        is_mixed,
        values: match categories.looks_at(column.position) {
            false => Values::Unseen,
            true if speaks_of_others => Values::Many,
            true => match categories.few(column.position, verdict.kind) {
                Some(_) => Values::Few,
                None => Values::Many,
            },
        },
        is_sealed: false,
        digest: None,
    }
}

/// Whether a column that its name has masked is better masked otherwise, now that its values show whether they are few, or
/// digests of addresses.
fn is_better(
    watch: &Watch,
    column: &Watched,
    kind: PiiKind,
    shown: Shown,
    automatic: Option<&Automatic>,
) -> bool {
    let by_name = column.standing.status == Status::Masked;
    let shows = is_category(kind) && shown.values != Values::Unseen || shown.digest.is_some();
    let other = automatic.is_some_and(|automatic| watch.mask_of(column.position) != Some(&automatic.mask));
    by_name && shows && other
}

/// Fills masks that draw among a column's own values with what the first rows have shown. `kinds`: of the columns that
/// no rule covers, by their places.
fn learn(
    watch: &Watch,
    categories: &Categories,
    kinds: &HashMap<usize, PiiKind>,
    further: &mut Vec<(usize, Mask)>,
) {
    let learned = |place: usize, mask: &Mask| {
        let found = match kinds.get(&place) {
            Some(kind) => categories.few(place, *kind),
            None => categories.learned(place),
        };
        Some(mask.clone().learned(found.filter(|_| mask.learns())?))
    };
    for (place, mask) in further.iter_mut() {
        if let Some(learned) = learned(*place, mask) {
            *mask = learned;
        }
    }
    let in_force = watch
        .learning()
        .filter(|place| !further.iter().any(|(known, _)| known == place));
    let in_force: Vec<(usize, Mask)> = in_force
        .filter_map(|place| Some((place, learned(place, watch.mask_of(place)?)?)))
        .collect();
    further.extend(in_force);
}

/// What the policy makes of a column that looks personal and is open. `fits`: there is a mask for it.
fn act(policy: Policy, finding: &mut Finding, fits: bool, column: &Watched) {
    match (policy, fits) {
        (Policy::Warn, _) => {}
        (Policy::Fail, _) => finding.status = Status::Withheld,
        (Policy::Mask, true) => finding.status = Status::Masked,
        (Policy::Mask, false) => {
            finding.status = Status::Withheld;
            let why = column.blocked.clone();
            finding.because = Some(why.unwrap_or_else(|| Box::new(Because::NoMaskFits)));
        }
    }
}

/// The finding of a column whose values were looked at.
fn finding(column: &Watched, detector: &ColumnDetector, verdict: &Verdict) -> Finding {
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
    let mut finding = Finding::by_name(
        column.home.to_string(),
        column.name.to_string(),
        verdict.kind,
        verdict.confidence,
        name.map(|name| name.reason.clone())
            .into_iter()
            .chain(seen.map(of_values)),
    );
    finding.found_by = found_by;
    finding.values = detector.values();
    finding.count = seen.map_or(0, |seen| seen.count);
    finding.share = seen.map_or(0.0, |seen| rounded(seen.share, 1000.0));
    finding.status = column.standing.status;
    finding.because.clone_from(&column.standing.because);
    finding
}

/// What was seen in values, as a reason.
fn of_values(seen: &ContentFinding) -> Reason {
    let (personal, percent) = (seen.kind, percent(seen.share));
    match seen.inside_text {
        true => Reason::ValuesInside { personal, percent },
        false => Reason::ValuesAs { personal, percent },
    }
}
