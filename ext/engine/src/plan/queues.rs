//! `config.quiesce`: tables of what is queued, whose rows stay out as those of `exclude_tables` do.
//!
//! Staging's workers would do in production's name what production has still to do. A rule for such a table, or an entry
//! in `config.pii_ignore` for all its columns, brings its rows in.

use super::exclude::tables_like;
use super::ignore::Ignores;
use super::names::NamePattern;
use super::rules::Rules;
use super::schema::Schema;
use crate::finding::{Because, Finding};
use crate::settings::Settings;
use personal_data::{queue, PiiKind, Reason, Status};
use std::collections::{BTreeMap, HashSet};

/// How sure a queue's name is.
const SURE: f32 = 0.95;

/// What stands for a whole table where a column is asked for.
const WHOLE: &str = "*";

/// A table of queued jobs.
struct Queue {
    /// What shows it.
    reason: Reason,
    status: Status,
    because: Because,
}

/// The tables of queued jobs.
#[derive(Default)]
pub(super) struct Queues(BTreeMap<usize, Queue>);

impl Queues {
    pub(super) fn read(
        settings: &Settings,
        schema: &Schema,
        rules: &Rules<'_>,
        ignores: &Ignores,
        excluded: &HashSet<usize>,
    ) -> Self {
        let mut found = BTreeMap::new();
        let ruled_by_sql = ruled_by_sql(settings, schema);
        for (index, table) in schema.tables.iter().enumerate() {
            let columns = table.columns.iter().map(|column| column.name.as_str());
            let shown = queue(&table.name.schema, &table.name.name, columns).filter(|_| !table.foreign);
            let Some(reason) = shown else { continue };
            for table in std::iter::once(index).chain(schema.descendants(index)) {
                let (status, because) = if excluded.contains(&table) {
                    (Status::Covered, Because::Excluded)
                } else if let Some(rule) = rules.rule_for(table) {
                    (Status::Covered, Because::Rule { rule })
                } else if ruled_by_sql.contains(&table) {
                    (Status::Covered, Because::RuleInSql)
                } else if let Some(reason) = ignores.reason(&schema.tables[table].name, WHOLE) {
                    (Status::Ignored, Because::LetBe { reason })
                } else if settings.quiesce {
                    (Status::Covered, Because::Quiesced)
                } else {
                    (Status::Ignored, Because::NotQuiesced)
                };
                found.entry(table).or_insert_with(|| Queue {
                    reason: reason.clone(),
                    status,
                    because,
                });
            }
        }
        Self(found)
    }

    /// Whether a table's rows stay out because they are queued jobs.
    pub(super) fn has_no_rows(&self, table: usize) -> bool {
        self.0
            .get(&table)
            .is_some_and(|queue| queue.because == Because::Quiesced)
    }

    /// The tables whose rows stay out because they are queued jobs.
    pub(super) fn without_rows(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.keys().copied().filter(|table| self.has_no_rows(*table))
    }

    /// Each of them as a finding about the whole table; of partitions their root alone.
    pub(super) fn findings<'s>(&'s self, schema: &'s Schema) -> impl Iterator<Item = Finding> + 's {
        let roots = self
            .0
            .iter()
            .filter(|(table, _)| schema.topmost(**table) == **table);
        roots.map(|(table, queue)| {
            let name = schema.tables[*table].name.to_string();
            let mut finding = Finding::by_name(
                name,
                WHOLE.into(),
                PiiKind::QueuedWork,
                SURE,
                [queue.reason.clone()],
            );
            finding.status = queue.status;
            finding.because = Some(Box::new(queue.because.clone()));
            finding
        })
    }
}

/// The tables that rules in SQL name.
fn ruled_by_sql(settings: &Settings, schema: &Schema) -> HashSet<usize> {
    let patterns = settings
        .masking
        .sql_rules
        .iter()
        .filter_map(|rule| NamePattern::parse(&rule.table));
    let named = patterns.flat_map(|pattern| tables_like(&pattern, schema));
    named
        .flat_map(|table| std::iter::once(table).chain(schema.descendants(table)))
        .collect()
}
