//! What names show, as findings.

use super::judge::{Judge, Judged};
use crate::finding::{Because, Finding};
use crate::plan::{Load, TableName};
use crate::settings::Policy;
use personal_data::{NameFinding, Status};
use std::collections::BTreeMap;

/// Findings by table and column.
pub(super) type Findings = BTreeMap<(TableName, String), Finding>;

impl Judge<'_> {
    /// Adds what names show of a load; where partitions differ, the worst.
    pub(super) fn add_findings(&self, load: &Load, columns: &[Judged], findings: &mut Findings) {
        for one in columns {
            let column = &load.columns[one.position];
            let home = &self.inputs.schema.tables[self.home(one.table, column)].name;
            let outside = one.let_be.as_deref().map(|(named, _)| named);
            let Some(named) = outside.or(one.named.as_deref()) else {
                continue;
            };
            let mut finding = found(home, column, named);
            finding.status = one.standing.status;
            finding.because.clone_from(&one.standing.because);
            // What is personal besides needs a rule where everything personal does.
            let needs_a_rule = one.named.is_some() && self.inputs.settings.pii.policy != Policy::Warn;
            if let (Some((_, because)), Status::Uncovered, false) =
                (one.let_be.as_deref(), finding.status, needs_a_rule)
            {
                finding.status = Status::Ignored;
                finding.because = Some(Box::new(because.clone()));
            }
            let open = finding.status > Status::Covered;
            let suggestion = one
                .automatic
                .as_ref()
                .and_then(|automatic| automatic.suggestion.clone());
            if let Some(suggestion) = suggestion.filter(|_| open) {
                finding.suggest(suggestion, home.in_rules());
            }
            keep_worst(findings, home, finding);
        }
    }

    /// A generated column is computed from others, and covered with them.
    pub(super) fn add_generated(&mut self, findings: &mut Findings) {
        let schema = self.inputs.schema;
        for (index, table) in schema.tables.iter().enumerate() {
            let leaf =
                table.foreign || self.inputs.excluded.contains(&index) || self.context(index).is_framework();
            for column in table.columns.iter().filter(|_| !leaf) {
                let (Some(read), Some(named)) = (&column.generated, self.named(index, column)) else {
                    continue;
                };
                let home = schema.tables[self.home(index, &column.name)].name.clone();
                let named = named.finding;
                let source = read.iter().find(|source| {
                    let known = findings.get(&(home.clone(), (*source).clone()));
                    known.is_some_and(|known| !known.status.needs_a_rule())
                        || self.inputs.rules.rule_of(index, source).is_some()
                });
                let open = read
                    .iter()
                    .any(|source| findings.contains_key(&(home.clone(), source.clone())));
                let mut finding = found(&home, &column.name, &named);
                let ignored = self.inputs.ignores.reason(&home, &column.name);
                let (status, because) = match (source, ignored) {
                    (Some(source), _) => (
                        Status::Covered,
                        Because::ComputedFrom {
                            column: source.clone(),
                        },
                    ),
                    (None, Some(reason)) => (Status::Ignored, Because::LetBe { reason }),
                    // What it is computed from is a finding already, and with a rule for that it is covered, too.
                    (None, None) if open => continue,
                    (None, None) => (Status::Uncovered, Because::Generated),
                };
                (finding.status, finding.because) = (status, Some(Box::new(because)));
                keep_worst(findings, &home, finding);
            }
        }
    }

    pub(super) fn add_excluded(&mut self, findings: &mut Findings) {
        let schema = self.inputs.schema;
        for &index in self.inputs.excluded {
            if self.context(index).is_framework() {
                continue;
            }
            for column in &schema.tables[index].columns {
                let Some(named) = self.named(index, column) else {
                    continue;
                };
                let home = schema.tables[self.home(index, &column.name)].name.clone();
                let mut finding = found(&home, &column.name, &named.finding);
                let quiesced = self.inputs.queues.has_no_rows(index);
                finding.status = Status::Covered;
                finding.because = Some(Box::new(match quiesced {
                    true => Because::Quiesced,
                    false => Because::Excluded,
                }));
                keep_worst(findings, &home, finding);
            }
        }
    }
}

fn found(home: &TableName, column: &str, named: &NameFinding) -> Finding {
    Finding::by_name(
        home.to_string(),
        column.into(),
        named.kind,
        named.confidence,
        [named.reason.clone()],
    )
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
