//! Whether masks keep apart what unique indexes see of a value.

use super::Rules;
use crate::failure::RuleFault;
use crate::notice::Notice;
use crate::plan::{parts, Diagnostics, Load};
use masking::Pseudonyms;
use pg_dump_archive::DumpId;
use std::collections::HashMap;

impl Rules<'_> {
    /// Rules whose masks make values one where a unique index sees a part of them, and indexes of which that cannot be known.
    /// `is_restored`: whether an entry comes.
    pub(in crate::plan) fn check_parts(
        &self,
        loads: &HashMap<DumpId, Load>,
        pseudonyms: &Pseudonyms,
        is_restored: impl Fn(DumpId) -> bool,
    ) -> Diagnostics {
        let mut diagnostics = Diagnostics::default();
        let mut loads: Vec<&Load> = loads.values().collect();
        loads.sort_unstable_by_key(|load| load.dump_id);
        for load in loads {
            let Some(table) = self.schema.table(&load.table) else {
                continue;
            };
            let (masks, _) = self.in_force(load);
            for (position, mask) in masks {
                let name = &load.columns[position];
                let parts = parts::of_column(self.schema, table, name).into_iter();
                for part in parts.filter(|part| is_restored(part.index())) {
                    let facts = self.facts(table, load);
                    let (column, sql) = (format!("{}.{name}", load.table), part.sql().to_string());
                    if !part.is_kept_apart((&facts, position), &mask, pseudonyms) {
                        diagnostics.problems.add(RuleFault::PartNotKept {
                            rule: self.rule_of(table, name).unwrap_or_default(),
                            column,
                            part: sql,
                        });
                    } else if !part.is_understood() && !mask.is_null() {
                        diagnostics
                            .warnings
                            .push(Notice::PartsMayMeet { column, part: sql });
                    }
                }
            }
        }
        diagnostics
    }
}
