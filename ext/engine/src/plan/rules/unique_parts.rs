//! Whether masks keep apart what unique indexes see of a value.

use super::Rules;
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
                let column = &load.columns[position];
                let parts = parts::of_column(self.schema, table, column).into_iter();
                for part in parts.filter(|part| is_restored(part.index())) {
                    let facts = self.facts(table, load);
                    if !part.is_kept_apart((&facts, position), &mask, pseudonyms) {
                        diagnostics.problems.add(format!(
                        "{}: {}.{column} is under a unique index over {}, and its mask gives different values the same \
                         there. Take a mask that keeps that part (of an address, :email with keep_domain keeps its \
                         domain), or :null, or name the index in exclude_objects.",
                        self.rule_of(table, column).unwrap_or_default(),
                        load.table,
                        part.sql()
                    ));
                    } else if !part.is_understood() && !mask.is_null() {
                        diagnostics.warnings.push(format!(
                        "{}.{column} is under a unique index over {}: whether masked values stay distinct there cannot be \
                         known before the rows have come. Should two meet, the run fails.",
                        load.table, part.sql()
                    ));
                    }
                }
            }
        }
        diagnostics
    }
}
