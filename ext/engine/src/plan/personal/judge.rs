//! Judges every column by its name and by what the configuration says about it.

use super::automatic::{self, Automatic, Shown, Wanted};
use super::digests::AddressDigest;
use super::doubts::Doubts;
use super::keys::Keys;
use super::outside;
use super::{Personal, Standing};
use crate::finding::Because;
use crate::plan::ignore::Ignores;
use crate::plan::names::SharedNames;
use crate::plan::queues::Queues;
use crate::plan::rules::Rules;
use crate::plan::schema::{Column, Schema, TypeName};
use crate::plan::sql_rules::{SqlRules, SqlStatement};
use crate::plan::{Diagnostics, Load};
use crate::settings::{Admitted, DetectionSettings, Settings};
use masking::{starts, Check, Pseudonyms, Type};
use personal_data::{
    by_name, encrypts, ColumnName, Heading, NameFinding, PiiKind, RailsHints, Status, TableContext, PERSONAL,
};
use pg_dump_archive::DumpId;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// What the judgement rests on.
pub(in crate::plan) struct JudgeInputs<'a> {
    pub(in crate::plan) settings: &'a Settings,
    pub(in crate::plan) schema: &'a Schema,
    pub(in crate::plan) rules: &'a Rules<'a>,
    pub(in crate::plan) sql_rules: &'a SqlRules,
    pub(in crate::plan) excluded: &'a HashSet<usize>,
    pub(in crate::plan) ignores: &'a Ignores,
    pub(in crate::plan) queues: &'a Queues,
    pub(in crate::plan) pseudonyms: &'a Pseudonyms,
}

/// A column of a load, with what its name shows. There may be many thousands, of which a few show anything.
pub(super) struct Judged {
    pub(super) table: usize,
    pub(super) position: usize,
    pub(super) named: Option<Box<NameFinding>>,
    /// It is masked under every policy.
    pub(super) always: bool,
    /// It acts outside and is let be, for this reason.
    pub(super) let_be: Option<Box<(NameFinding, Because)>>,
    pub(super) standing: Standing,
    pub(super) automatic: Option<Box<Automatic>>,
    /// CHECKs on it that are not understood.
    pub(super) doubts: Doubts,
}

/// What a column's name shows.
pub(super) struct Named {
    pub(super) finding: NameFinding,
    /// It is masked under every policy: what acts outside, and accounts that get `config.staging_password`.
    pub(super) always: bool,
    /// The app encrypts it.
    pub(super) encrypted: bool,
}

/// Judges every column by its name; puts automatic masks in force: all under [`Policy::Mask`](crate::settings::Policy::Mask), and under every policy
/// those of what acts outside.
///
/// `is_restored` says whether a foreign key's entry is.
pub(in crate::plan) fn judge(
    inputs: &JudgeInputs<'_>,
    loads: HashMap<DumpId, Load>,
    is_restored: impl Fn(DumpId) -> bool,
) -> ((Personal, HashMap<DumpId, Load>), Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let detection = &inputs.settings.pii;
    let keys = Keys::read(inputs.schema, inputs.excluded, &is_restored);
    let mut judge = Judge {
        inputs,
        keys,
        references: outside::references(inputs, &is_restored),
        hints: Arc::new(hints(detection)),
        contexts: HashMap::new(),
        names: SharedNames::default(),
        pseudonyms: Arc::new(inputs.pseudonyms.clone()),
    };
    let mut order: Vec<DumpId> = loads.keys().copied().collect();
    order.sort_by(|a, b| loads[a].table.cmp(&loads[b].table));

    let mut judged: Vec<(DumpId, Vec<Judged>)> = Vec::new();
    for id in &order {
        judged.push((*id, judge.columns(&loads[id])));
    }
    let loads = diagnostics.take(judge.put_in_force(&mut judged, loads));
    diagnostics.add(judge.refuse_what_acts(&judged, &loads));
    let mut findings = BTreeMap::new();
    for (id, columns) in &judged {
        judge.add_findings(&loads[id], columns, &mut findings);
    }
    judge.add_generated(&mut findings);
    judge.add_excluded(&mut findings);
    let watched = judged.iter().filter(|_| detection.scan);
    let watches = watched
        .map(|(id, columns)| (*id, Arc::new(judge.watch(&loads[id], columns))))
        .collect();
    let personal = Personal {
        scan: detection.scan,
        quiesce: inputs.settings.quiesce,
        policy: detection.policy,
        sample_rows: detection.sample_rows,
        findings: inputs
            .queues
            .findings(inputs.schema)
            .chain(findings.into_values())
            .collect(),
        watches,
        given_up: judge.given_up(&judged, &loads),
    };
    ((personal, loads), diagnostics)
}

fn hints(detection: &DetectionSettings) -> RailsHints {
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

pub(super) struct Judge<'a> {
    pub(super) inputs: &'a JudgeInputs<'a>,
    pub(super) keys: Keys,
    /// Columns that refer to rows of queues that stay out, with the foreign keys.
    pub(super) references: HashMap<(usize, String), Vec<DumpId>>,
    pub(super) hints: Arc<RailsHints>,
    pub(super) contexts: HashMap<usize, Arc<TableContext>>,
    /// Of columns and types.
    pub(super) names: SharedNames,
    /// What the watches of all loads make masks with.
    pub(super) pseudonyms: Arc<Pseudonyms>,
}

impl Judge<'_> {
    /// The context of a table: of a partition, its root's.
    pub(super) fn context(&mut self, table: usize) -> Arc<TableContext> {
        let schema = self.inputs.schema;
        let root = schema.topmost(table);
        let hints = &self.hints;
        self.contexts
            .entry(root)
            .or_insert_with(|| {
                let known = &schema.tables[root];
                let columns = known.columns.iter().map(|column| column.name.as_str());
                Arc::new(TableContext::new(&known.name.name, columns).with_hints(Arc::clone(hints)))
            })
            .clone()
    }

    /// The table that a finding about a column names: the root of partitions, and of what is inherited the
    /// topmost parent that has the column.
    pub(super) fn home(&self, table: usize, column: &str) -> usize {
        let schema = self.inputs.schema;
        let has = |table: &&usize| {
            schema.tables[**table]
                .columns
                .iter()
                .any(|known| known.name == column)
        };
        let ancestors = schema.ancestors(table);
        ancestors.iter().rfind(has).copied().unwrap_or(table)
    }

    /// What a column's name shows, of what acts outside before what is personal.
    pub(super) fn named(&mut self, table: usize, column: &Column) -> Option<Named> {
        let context = self.context(table);
        let sql_type = self.sql_type(table, column);
        let name = self.column_name(table, column, &sql_type);
        if let Some(finding) = self.to_be_quieted(table, &name, &context) {
            return Some(Named {
                finding,
                always: true,
                encrypted: encrypts(&name, &context),
            });
        }
        let settings = self.inputs.settings;
        let finding = by_name(&name, &context).filter(|found| found.confidence >= PERSONAL)?;
        let always = finding.kind == PiiKind::PasswordHash && settings.masking.staging_password.is_some();
        let encrypted = finding.kind != PiiKind::PasswordHash && encrypts(&name, &context);
        (settings.pii.scan || always).then_some(Named {
            finding,
            always,
            encrypted,
        })
    }

    /// A column's name as detection takes it, with its table's and its type.
    pub(super) fn column_name<'n>(
        &'n self,
        table: usize,
        column: &'n Column,
        sql_type: &'n str,
    ) -> ColumnName<'n> {
        let root = self.home(table, &column.name);
        ColumnName {
            table: &self.inputs.schema.tables[root].name.name,
            column: &column.name,
            sql_type,
        }
    }

    /// The type for the detector: that of a domain is what it is made from.
    pub(super) fn sql_type(&self, table: usize, column: &Column) -> String {
        let Some(written) = &column.column_type else {
            return "text".into();
        };
        let home = &self.inputs.schema.tables[table].name.schema;
        match self.inputs.schema.resolve(written, home).0 {
            Type::Other(_) | Type::Array(_) | Type::Enum(_) | Type::Hstore => as_written(written),
            resolved => resolved.describe(),
        }
    }

    fn columns(&mut self, load: &Load) -> Vec<Judged> {
        let schema = self.inputs.schema;
        let Some(table) = schema.table(&load.table) else {
            return Vec::new();
        };
        if self.context(table).is_framework() {
            return Vec::new();
        }
        let facts = self.inputs.rules.facts(table, load);
        let pseudonyms = self.inputs.pseudonyms;
        let mut judged = Vec::with_capacity(load.columns.len());
        for (position, name) in load.columns.iter().enumerate() {
            let Some(column) = schema.tables[table].column(name) else {
                continue;
            };
            let named = self.named(table, column);
            let is_quieted = named
                .as_ref()
                .is_some_and(|named| named.finding.kind.heading() == Heading::Outside);
            let let_be = if is_quieted {
                None
            } else {
                self.let_be(table, column)
            };
            let standing = self.standing(table, load, name);
            let doubts = Doubts::about(schema, table, name);
            let automatic = named.as_ref().and_then(|found| {
                let joined = self.keys.joined(schema.topmost(table), name);
                let digest = || AddressDigest::by_name(&facts, position)?.suggestion(&facts);
                let first = self.first_choice(found, table, load).or_else(digest);
                let reference = found.finding.kind == PiiKind::QueuedWork;
                // The other side of a foreign key need not begin as this one's CHECKs ask.
                let begins = |checks: &Arc<[Check]>| !starts(checks).is_empty();
                let begins = facts.checks.get(&position).is_some_and(begins);
                let wanted = Wanted {
                    kind: found.finding.kind,
                    first,
                    shown: Shown::SCRUBBED,
                    admitted: &self.admitted(table, name),
                };
                automatic::choose(wanted, (&facts, position), &doubts, pseudonyms, |mask| {
                    (!joined || mask.is_function_of_value() && !begins) && (!reference || mask.is_null())
                })
            });
            // A reference that cannot be NULL stays, and its foreign key is not checked.
            let named =
                named.filter(|named| named.finding.kind != PiiKind::QueuedWork || automatic.is_some());
            judged.push(Judged {
                table,
                position,
                always: named.as_ref().is_some_and(|named| named.always),
                let_be: let_be.map(Box::new),
                named: named.map(|named| Box::new(named.finding)),
                standing,
                automatic: automatic.map(Box::new),
                doubts,
            });
        }
        judged
    }

    /// The values of a column that the app's own code admits, where it lists them.
    pub(super) fn admitted(&self, table: usize, column: &str) -> Vec<String> {
        let name = &self.inputs.schema.tables[self.home(table, column)].name.name;
        let admitted = self.inputs.settings.pii.admitted.iter();
        let of_column = |one: &&Admitted| one.table == *name && one.column == column;
        admitted
            .filter(of_column)
            .flat_map(|one| one.values.clone())
            .collect()
    }

    /// What stands between a column and staging, by the configuration alone.
    fn standing(&self, table: usize, load: &Load, column: &str) -> Standing {
        if let Some(rule) = self.inputs.rules.rule_of(table, column) {
            return Standing::new(Status::Covered, Because::Rule { rule });
        }
        if let Some(rule) = self.sql_rule_of(load, column) {
            return Standing::new(Status::Covered, Because::Rule { rule });
        }
        let home = self.home(table, column);
        let names = [home, table].map(|table| &self.inputs.schema.tables[table].name);
        let ignores = self.inputs.ignores;
        match names.iter().find_map(|name| ignores.reason(name, column)) {
            Some(reason) => Standing::new(Status::Ignored, Because::LetBe { reason }),
            None => Standing::uncovered(),
        }
    }

    /// The statement in SQL that sets a column of a load. A DELETE covers none.
    fn sql_rule_of(&self, load: &Load, column: &str) -> Option<String> {
        let group = self.inputs.sql_rules.groups.get(load.sql_group?)?;
        let place = group
            .tables
            .iter()
            .position(|table| table.loads.contains(&load.dump_id))?;
        let sets = |statement: &&SqlStatement| {
            statement.table == place && statement.columns.iter().any(|set| set == column)
        };
        group
            .statements
            .iter()
            .find(sets)
            .map(|statement| statement.rule.clone())
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
