//! Personal data that no rule covers, as far as names tell: what is known of it before the target is touched.
//!
//! [`judge`] looks at every column of every table whose rows are loaded, says what stands between it and staging
//! (a rule, `config.pii_ignore`, nothing), finds a mask that fits, and under `config.pii_policy = :mask` puts it in
//! force. What it leaves for each load is a [`Watch`], with which the values of the first rows are judged.

mod automatic;
mod ignore;
mod keys;

pub(crate) use automatic::is_scrubbed;
pub use automatic::Automatic;

use super::rules::Rules;
use super::schema::{Column, Schema, TypeName};
use super::sql_rules::SqlRules;
use super::{Load, Problems, TableName};
use crate::archive::DumpId;
use crate::error::{Error, Kind};
use crate::mask::{self, Mask, Pseudonyms, RowMask, Type};
use crate::pii::{
    by_name, rules_to_paste, ColumnName, Finding, Heading, NameFinding, RailsHints, Status, TableContext,
    PERSONAL,
};
use crate::settings::{Detection, Policy, Settings};
use ignore::Ignores;
use keys::Keys;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// What is known of personal data before a row was seen.
#[derive(Debug, Clone, Default)]
pub struct Personal {
    /// Whether it is looked for at all.
    pub scan: bool,
    /// What is done about a column that no rule covers.
    pub policy: Policy,
    /// Rows of each table that are looked at; None: all.
    pub sample_rows: Option<u64>,
    /// What names tell, by table and column.
    pub findings: Vec<Finding>,
    /// What is needed to judge the values of each load.
    pub watches: HashMap<DumpId, Arc<Watch>>,
}

/// What is needed to judge the values of one load.
#[derive(Debug, Clone)]
pub struct Watch {
    /// What its table is about.
    pub context: TableContext,
    /// Its columns whose values can tell anything.
    pub columns: Vec<Watched>,
    /// How many columns a row has.
    pub width: usize,
    facts: mask::Table,
    /// The masks in force, rules' and automatic ones.
    masks: Vec<(usize, Mask)>,
    /// The places of those among them that SQL puts in, under a condition.
    chosen: HashSet<usize>,
    pseudonyms: Pseudonyms,
}

/// A column whose values are looked at.
#[derive(Debug, Clone)]
pub struct Watched {
    /// Its place in the data.
    pub position: usize,
    /// Its name.
    pub name: String,
    /// Its type as pg_dump writes it.
    pub sql_type: String,
    /// The table that a finding is told of: see [`Finding::table`].
    pub home: String,
    /// What stands between it and staging.
    pub standing: Standing,
    /// Why it cannot be masked by itself, if so.
    pub blocked: Option<String>,
    /// Its name has put a mask in force by itself that replaces only what `scrub` knows.
    pub scrubs: bool,
}

/// What stands between a column and staging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What.
    pub status: Status,
    /// The rule, or the reason.
    pub because: Option<String>,
}

impl Standing {
    fn new(status: Status, because: impl Into<String>) -> Self {
        Self {
            status,
            because: Some(because.into()),
        }
    }

    fn uncovered() -> Self {
        Self {
            status: Status::Uncovered,
            because: None,
        }
    }
}

impl Watch {
    /// The mask that fits a column of this kind, under the masks in force. `scrubbed`: its values hold nothing that
    /// `scrub` leaves.
    pub fn automatic(&self, column: &Watched, kind: crate::pii::Kind, scrubbed: bool) -> Option<Automatic> {
        let (facts, pseudonyms) = (&self.facts, &self.pseudonyms);
        automatic::choose(kind, facts, column.position, pseudonyms, scrubbed, |_| true)
    }

    /// The load's mask with further ones in it.
    ///
    /// # Errors
    /// What does not fit, a sentence each.
    pub fn masked_with(&self, further: &[(usize, Mask)]) -> Result<Arc<RowMask>, Vec<String>> {
        let replaced: HashSet<usize> = further.iter().map(|(position, _)| *position).collect();
        let kept = self
            .masks
            .iter()
            .filter(|(position, _)| !replaced.contains(position));
        let masks: Vec<(usize, Mask)> = kept.chain(further).cloned().collect();
        let mask = RowMask::new(&self.facts, &masks, &self.pseudonyms)?;
        let (_, sent) = mask.split(|column| self.chosen.contains(&column.position));
        sent.map(Arc::new).ok_or_else(Vec::new)
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
        refusal(&self.findings, self.policy, "The target has not been touched.")
    }
}

/// The error that lists what no rule covers, and what would; None when there is nothing. `state` says in what state
/// the target is.
pub fn refusal(findings: &[Finding], policy: Policy, state: &str) -> Option<Error> {
    let open: Vec<&Finding> = findings
        .iter()
        .filter(|finding| finding.status.needs_a_rule())
        .collect();
    let lines: Vec<String> = open.iter().map(|finding| finding.line()).collect();
    let why = match policy {
        Policy::Mask => "could not be masked by themselves",
        _ => "are covered by no rule",
    };
    let what = match lines.as_slice() {
        [] => return None,
        [one] => format!(
            "A column looks personal and {}:\n- {one}\n",
            why.replace("are", "is").replace("themselves", "itself")
        ),
        several => format!(
            "{} columns look personal and {why}:\n- {}\n",
            several.len(),
            several.join("\n- ")
        ),
    };
    let remedy = format!(
        "{state} Cover them with rules such as these, or name those that are not personal in \
         config.pii_ignore, each with its reason:\n{}",
        rules_to_paste(open.iter().copied())
    );
    Some(Error::new(Kind::PersonalData, what, remedy))
}

/// The sentence that warns of columns that go as they are, with the rules that would cover them.
pub fn warning(findings: &[Finding]) -> Option<String> {
    let open: Vec<&Finding> = findings
        .iter()
        .filter(|finding| finding.status == Status::Uncovered)
        .collect();
    let lines: Vec<String> = open.iter().map(|finding| finding.line()).collect();
    let count = match lines.len() {
        0 => return None,
        1 => "A column looks personal, is covered by no rule, and was".to_owned(),
        count => format!("{count} columns look personal, are covered by no rule, and were"),
    };
    Some(format!(
        "{count} copied as production has them:\n- {}\nCover them with rules such as these, or name those that are \
         not personal in config.pii_ignore, each with its reason; config.pii_policy = :mask masks them by themselves.\n{}",
        lines.join("\n- "),
        rules_to_paste(open)
    ))
}

/// What the judgement rests on.
pub(super) struct Ground<'a> {
    pub(super) settings: &'a Settings,
    pub(super) schema: &'a Schema,
    pub(super) rules: &'a Rules<'a>,
    pub(super) sql_rules: &'a SqlRules,
    pub(super) excluded: &'a HashSet<usize>,
    pub(super) pseudonyms: &'a Pseudonyms,
}

/// A column of a load that its name tells of, or that is covered.
struct Judged {
    table: usize,
    position: usize,
    named: Option<NameFinding>,
    standing: Standing,
    automatic: Option<Automatic>,
}

/// Judges every column by its name; puts automatic masks in force under [`Policy::Mask`].
///
/// `is_restored` says whether a foreign key's entry is.
pub(super) fn judge(
    ground: &Ground<'_>,
    loads: &mut HashMap<DumpId, Load>,
    is_restored: impl Fn(DumpId) -> bool,
    problems: &mut Problems,
    warnings: &mut Vec<String>,
) -> Personal {
    let detection = &ground.settings.pii;
    if !detection.scan {
        return Personal::default();
    }
    let ignores = Ignores::read(&detection.ignore, ground.schema, problems, warnings);
    let keys = Keys::read(ground.schema, ground.excluded, is_restored);
    let mut judge = Judge {
        ground,
        ignores,
        keys,
        hints: hints(detection),
        contexts: HashMap::new(),
    };
    let mut order: Vec<DumpId> = loads.keys().copied().collect();
    order.sort_by(|a, b| loads[a].table.cmp(&loads[b].table));

    let mut judged: Vec<(DumpId, Vec<Judged>)> = Vec::new();
    for id in &order {
        judged.push((*id, judge.columns(&loads[id])));
    }
    if detection.policy == Policy::Mask {
        judge.put_in_force(&mut judged, loads, problems);
    }
    let mut findings = BTreeMap::new();
    for (id, columns) in &judged {
        judge.tell(&loads[id], columns, &mut findings);
    }
    judge.tell_of_generated(&mut findings);
    judge.tell_of_excluded(&mut findings);
    let watches = judged
        .iter()
        .map(|(id, columns)| (*id, Arc::new(judge.watch(&loads[id], columns))))
        .collect();
    Personal {
        scan: true,
        policy: detection.policy,
        sample_rows: detection.sample_rows,
        findings: findings.into_values().collect(),
        watches,
    }
}

fn hints(detection: &Detection) -> RailsHints {
    let matched = detection.matched.as_ref().map(|matched| {
        let pairs = matched.iter().filter_map(|one| {
            let heading = Heading::from_name(&one.heading)?;
            Some(((one.table.clone(), one.column.clone()), heading))
        });
        pairs.collect()
    });
    RailsHints {
        filter_parameters: detection.filter_parameters.clone(),
        encrypted: detection.encrypted.iter().cloned().collect(),
        matched,
    }
}

/// Findings by table and column.
type Findings = BTreeMap<(TableName, String), Finding>;

struct Judge<'a> {
    ground: &'a Ground<'a>,
    ignores: Ignores,
    keys: Keys,
    hints: RailsHints,
    contexts: HashMap<usize, TableContext>,
}

impl Judge<'_> {
    /// The context of a table: of a partition, its root's.
    fn context(&mut self, table: usize) -> TableContext {
        let schema = self.ground.schema;
        let root = schema.topmost(table);
        let hints = &self.hints;
        self.contexts
            .entry(root)
            .or_insert_with(|| {
                let known = &schema.tables[root];
                let columns = known.columns.iter().map(|column| column.name.as_str());
                TableContext::new(&known.name.name, columns).with_hints(hints.clone())
            })
            .clone()
    }

    /// The table that a finding about a column is told of: the root of partitions, and of what is inherited the
    /// topmost parent that has the column.
    fn home(&self, table: usize, column: &str) -> usize {
        let schema = self.ground.schema;
        let has = |table: &&usize| {
            schema.tables[**table]
                .columns
                .iter()
                .any(|known| known.name == column)
        };
        let ancestors = schema.ancestors(table);
        ancestors.iter().rfind(has).copied().unwrap_or(table)
    }

    fn named(&mut self, table: usize, column: &Column) -> Option<NameFinding> {
        let context = self.context(table);
        let root = self.home(table, &column.name);
        let sql_type = self.sql_type(table, column);
        let name = ColumnName {
            table: &self.ground.schema.tables[root].name.name,
            column: &column.name,
            sql_type: &sql_type,
        };
        by_name(&name, &context).filter(|found| found.confidence >= PERSONAL)
    }

    /// The type for the detector: that of a domain is what it is made from.
    fn sql_type(&self, table: usize, column: &Column) -> String {
        let Some(written) = &column.column_type else {
            return "text".into();
        };
        let home = &self.ground.schema.tables[table].name.schema;
        match self.ground.schema.resolve(written, home).0 {
            Type::Other(_) | Type::Array(_) | Type::Enum(_) | Type::Hstore => as_written(written),
            resolved => resolved.describe(),
        }
    }

    fn columns(&mut self, load: &Load) -> Vec<Judged> {
        let schema = self.ground.schema;
        let Some(table) = schema.table(&load.table) else {
            return Vec::new();
        };
        if self.context(table).is_framework() {
            return Vec::new();
        }
        let facts = self.ground.rules.facts(table, load);
        let pseudonyms = self.ground.pseudonyms;
        let mut judged = Vec::new();
        for (position, name) in load.columns.iter().enumerate() {
            let Some(column) = schema.tables[table]
                .columns
                .iter()
                .find(|known| known.name == *name)
            else {
                continue;
            };
            let named = self.named(table, column);
            let standing = self.standing(table, load, name);
            let automatic = named.as_ref().and_then(|found| {
                let joined = self.keys.joined(schema.topmost(table), name);
                automatic::choose(found.kind, &facts, position, pseudonyms, true, |mask| {
                    !joined || mask.is_function_of_value()
                })
            });
            judged.push(Judged {
                table,
                position,
                named,
                standing,
                automatic,
            });
        }
        judged
    }

    /// What stands between a column and staging, by the configuration alone.
    fn standing(&self, table: usize, load: &Load, column: &str) -> Standing {
        if let Some(rule) = self.ground.rules.rule_of(table, column) {
            return Standing::new(Status::Covered, rule);
        }
        if let Some(rule) = self.sql_rule_of(load, column) {
            return Standing::new(Status::Covered, rule);
        }
        let home = self.home(table, column);
        let names = [home, table].map(|table| &self.ground.schema.tables[table].name);
        match names.iter().find_map(|name| self.ignores.reason(name, column)) {
            Some(reason) => Standing::new(Status::Ignored, reason),
            None => Standing::uncovered(),
        }
    }

    /// The statement in SQL that sets a column of a load. A DELETE covers none.
    fn sql_rule_of(&self, load: &Load, column: &str) -> Option<String> {
        let group = self.ground.sql_rules.groups.get(load.sql_group?)?;
        let place = group
            .tables
            .iter()
            .position(|table| table.loads.contains(&load.dump_id))?;
        let sets = |statement: &&super::sql_rules::SqlStatement| {
            statement.table == place && statement.columns.iter().any(|set| set == column)
        };
        group
            .statements
            .iter()
            .find(sets)
            .map(|statement| statement.rule.clone())
    }

    /// Gives every uncovered column that its name tells of its automatic mask, as far as keys let it.
    fn put_in_force(
        &self,
        judged: &mut [(DumpId, Vec<Judged>)],
        loads: &mut HashMap<DumpId, Load>,
        problems: &mut Problems,
    ) {
        self.drop_what_breaks_keys(judged, loads);
        for (id, columns) in judged {
            let Some(load) = loads.get_mut(id) else { continue };
            let further: Vec<(usize, Mask)> = columns
                .iter()
                .filter(|one| one.standing.status == Status::Masked)
                .filter_map(|one| Some((one.position, one.automatic.as_ref()?.mask.clone())))
                .collect();
            let Some(first) = columns.first().filter(|_| !further.is_empty()) else {
                continue;
            };
            let (mut masks, chosen) = self.ground.rules.in_force(load);
            masks.extend(further);
            match RowMask::new(
                &self.ground.rules.facts(first.table, load),
                &masks,
                self.ground.pseudonyms,
            ) {
                Ok(mask) => {
                    let (_, sent) = mask.split(|column| chosen.contains(&column.position));
                    load.mask = sent.map(Arc::new);
                }
                Err(found) => found.into_iter().for_each(|problem| problems.add(problem)),
            }
        }
    }

    /// Marks what gets its automatic mask, less columns of a foreign key whose other side is not masked the same way
    /// and columns of a partition key.
    fn drop_what_breaks_keys(&self, judged: &mut [(DumpId, Vec<Judged>)], loads: &HashMap<DumpId, Load>) {
        for (id, columns) in judged.iter_mut() {
            let Some(load) = loads.get(id) else { continue };
            for one in columns.iter_mut() {
                let open = one.named.is_some() && one.standing.status == Status::Uncovered;
                if !open {
                    continue;
                }
                let column = &load.columns[one.position];
                let parted = keys::partition_key_of(self.ground.schema, one.table, column);
                one.standing = match (&one.automatic, parted) {
                    (_, Some(by)) => Standing::new(Status::Uncovered, by),
                    (Some(_), None) => Standing {
                        status: Status::Masked,
                        because: None,
                    },
                    (None, None) => Standing::new(Status::Uncovered, "no mask of the catalogue fits it"),
                };
            }
        }
        // One that is dropped can be the other side of another one.
        loop {
            let masks = self.masks(judged, loads);
            let mut dropped = false;
            for (id, columns) in judged.iter_mut() {
                let Some(load) = loads.get(id) else { continue };
                for one in columns
                    .iter_mut()
                    .filter(|one| one.standing.status == Status::Masked)
                {
                    let place = (
                        self.ground.schema.topmost(one.table),
                        load.columns[one.position].clone(),
                    );
                    if let Some(because) = self.keys.broken(self.ground.schema, &place, &masks) {
                        one.standing = Standing::new(Status::Uncovered, because);
                        dropped = true;
                    }
                }
            }
            if !dropped {
                return;
            }
        }
    }

    /// The masks in force by topmost table and column, rules' and automatic ones.
    fn masks(
        &self,
        judged: &[(DumpId, Vec<Judged>)],
        loads: &HashMap<DumpId, Load>,
    ) -> HashMap<(usize, String), Mask> {
        let mut masks = HashMap::new();
        for (id, columns) in judged {
            let Some(load) = loads.get(id) else { continue };
            let (in_force, _) = self.ground.rules.in_force(load);
            let in_force: HashMap<usize, Mask> = in_force.into_iter().collect();
            for one in columns {
                let automatic = one
                    .automatic
                    .as_ref()
                    .filter(|_| one.standing.status == Status::Masked)
                    .map(|automatic| &automatic.mask);
                if let Some(mask) = in_force.get(&one.position).or(automatic) {
                    let place = (
                        self.ground.schema.topmost(one.table),
                        load.columns[one.position].clone(),
                    );
                    masks.insert(place, mask.clone());
                }
            }
        }
        masks
    }

    /// Tells what names told of a load; where partitions differ, the worst.
    fn tell(&self, load: &Load, columns: &[Judged], findings: &mut Findings) {
        for one in columns {
            let Some(named) = &one.named else { continue };
            let column = &load.columns[one.position];
            let home = &self.ground.schema.tables[self.home(one.table, column)].name;
            let mut finding = Finding::by_name(
                home.to_string(),
                column.clone(),
                named.kind,
                named.confidence,
                named.reason.clone(),
            );
            finding.status = one.standing.status;
            finding.because.clone_from(&one.standing.because);
            let open = finding.status > Status::Covered;
            let suggestion = one
                .automatic
                .as_ref()
                .and_then(|automatic| automatic.suggestion.clone());
            if let Some(suggestion) = suggestion.filter(|_| open) {
                finding.suggest(suggestion);
            }
            keep_worst(findings, home, finding);
        }
    }

    /// A generated column is computed from others, and covered with them.
    fn tell_of_generated(&mut self, findings: &mut Findings) {
        let schema = self.ground.schema;
        for (index, table) in schema.tables.iter().enumerate() {
            let leaf =
                table.foreign || self.ground.excluded.contains(&index) || self.context(index).is_framework();
            for column in table.columns.iter().filter(|_| !leaf) {
                let (Some(read), Some(named)) = (&column.generated, self.named(index, column)) else {
                    continue;
                };
                let home = schema.tables[self.home(index, &column.name)].name.clone();
                let source = read.iter().find(|source| {
                    let told = findings.get(&(home.clone(), (*source).clone()));
                    told.is_some_and(|told| !told.status.needs_a_rule())
                        || self.ground.rules.rule_of(index, source).is_some()
                });
                let open = read
                    .iter()
                    .any(|source| findings.contains_key(&(home.clone(), source.clone())));
                let mut finding = Finding::by_name(
                    home.to_string(),
                    column.name.clone(),
                    named.kind,
                    named.confidence,
                    named.reason,
                );
                let ignored = self.ignores.reason(&home, &column.name);
                (finding.status, finding.because) = match (source, ignored) {
                    (Some(source), _) => (Status::Covered, Some(format!("it is computed from {source}"))),
                    (None, Some(reason)) => (Status::Ignored, Some(reason)),
                    // What it is computed from is told already, and with a rule for that it is covered, too.
                    (None, None) if open => continue,
                    (None, None) => (
                        Status::Uncovered,
                        Some("it is a generated column: mask what it is computed from".into()),
                    ),
                };
                keep_worst(findings, &home, finding);
            }
        }
    }

    fn tell_of_excluded(&mut self, findings: &mut Findings) {
        let schema = self.ground.schema;
        for &index in self.ground.excluded {
            if self.context(index).is_framework() {
                continue;
            }
            for column in &schema.tables[index].columns {
                let Some(named) = self.named(index, column) else {
                    continue;
                };
                let home = schema.tables[self.home(index, &column.name)].name.clone();
                let mut finding = Finding::by_name(
                    home.to_string(),
                    column.name.clone(),
                    named.kind,
                    named.confidence,
                    named.reason,
                );
                finding.status = Status::Covered;
                finding.because = Some("exclude_tables".into());
                keep_worst(findings, &home, finding);
            }
        }
    }

    fn watch(&mut self, load: &Load, columns: &[Judged]) -> Watch {
        let schema = self.ground.schema;
        let table = schema.table(&load.table).unwrap_or_default();
        let facts = self.ground.rules.facts(table, load);
        let (mut masks, chosen) = self.ground.rules.in_force(load);
        let mut watched = Vec::new();
        for one in columns {
            let name = &load.columns[one.position];
            let Some(column) = schema.tables[table]
                .columns
                .iter()
                .find(|known| known.name == *name)
            else {
                continue;
            };
            if let Some(automatic) = one
                .automatic
                .as_ref()
                .filter(|_| one.standing.status == Status::Masked)
            {
                masks.push((one.position, automatic.mask.clone()));
            }
            if matches!(facts.columns[one.position].kind, Type::Enum(_)) {
                continue;
            }
            let place = (schema.topmost(table), name.clone());
            watched.push(Watched {
                position: one.position,
                name: name.clone(),
                sql_type: self.sql_type(table, column),
                home: schema.tables[self.home(table, name)].name.to_string(),
                standing: one.standing.clone(),
                scrubs: one.standing.status == Status::Masked
                    && one.automatic.as_ref().is_some_and(|automatic| automatic.scrubs),
                blocked: keys::partition_key_of(schema, table, name).or_else(|| self.keys.part_of(&place)),
            });
        }
        Watch {
            context: self.context(table),
            columns: watched,
            width: load.columns.len(),
            facts,
            masks,
            chosen,
            pseudonyms: self.ground.pseudonyms.clone(),
        }
    }
}

fn keep_worst(findings: &mut Findings, home: &TableName, finding: Finding) {
    let place = (home.clone(), finding.column.clone());
    match findings.get(&place) {
        Some(known) if known.status >= finding.status => {}
        _ => {
            findings.insert(place, finding);
        }
    }
}

/// `character varying(255)`, `public.mood`, `text[]`.
fn as_written(written: &TypeName) -> String {
    let schema = written
        .schema
        .as_ref()
        .map(|schema| format!("{schema}."))
        .unwrap_or_default();
    let numbers: Vec<String> = written.modifiers.iter().map(ToString::to_string).collect();
    let numbers = if numbers.is_empty() {
        String::new()
    } else {
        format!("({})", numbers.join(","))
    };
    let array = if written.array { "[]" } else { "" };
    format!("{schema}{}{numbers}{array}", written.name)
}
