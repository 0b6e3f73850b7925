//! A part without a row: which rule empties it, and what can be done.

use super::selection::Selection;
use crate::alike::{counted, first_of};
use crate::error::{Error, Kind};
use crate::failure::JobFailure;
use crate::plan::part::{Part, PartRule, Relation};
use crate::text::text;
use pg_dump_archive::DumpId;
use std::collections::HashMap;

/// What is known of a choice that keeps nothing.
pub(super) struct Emptied<'a> {
    pub(super) part: &'a Part,
    pub(super) selection: &'a Selection,
    /// How many rows each block has.
    pub(super) totals: &'a HashMap<DumpId, u64>,
    /// Relations whose condition keeps no row.
    pub(super) unmet: &'a [usize],
}

/// Why none of a table's rows comes.
enum Why<'a> {
    /// It has none.
    NoRows,
    /// Its condition keeps none.
    Condition,
    /// They refer to rows that do not come, by these references to these tables.
    References(Vec<(&'a str, &'a Relation)>),
}

impl<'a> Emptied<'a> {
    /// The error.
    pub(super) fn error(&self) -> Error {
        let ruled = self.part.relations.iter().enumerate();
        let ruled = ruled.filter(|(_, relation)| matches!(relation.rule, PartRule::Own { .. }));
        let whys: Vec<(&Relation, Why<'_>)> = ruled.map(|(at, relation)| (relation, self.why(at))).collect();
        let said: Vec<String> = whys
            .iter()
            .map(|(relation, why)| self.said(relation, why))
            .collect();
        let said: Vec<&str> = said.iter().map(String::as_str).collect();
        let shown = said.len().min(MOST);
        let more = match said.len() - shown {
            0 => String::new(),
            more => format!("; and {} more", counted(more as u64, "rule")),
        };
        Error::new(
            Kind::Plan,
            text!(
                JobFailure::SubsetKeepsNothing,
                format!(" The reason: {}{more}.", said[..shown].join("; "))
            ),
            format!(
                "{}, or put allow_empty: true beside one of the rules, and run it again.",
                remedy(&whys)
            ),
        )
    }

    fn why(&self, at: usize) -> Why<'a> {
        let of = |at: usize, count: &dyn Fn(DumpId) -> u64| -> u64 {
            let blocks = self.part.relations[at].blocks.iter();
            blocks.map(|block| count(block.load)).sum()
        };
        if of(at, &|load| self.totals.get(&load).copied().unwrap_or(0)) == 0 {
            return Why::NoRows;
        }
        if self.unmet.contains(&at) {
            return Why::Condition;
        }
        let kept = |load| self.selection.of(load).map_or(0, |chosen| chosen.kept());
        let references = self.part.references.iter();
        let binding: Vec<_> = references
            .filter(|one| one.from == at && one.to != at && one.binds())
            .collect();
        // What has no row itself takes all others along.
        let to_none: Vec<_> = binding
            .iter()
            .copied()
            .filter(|one| of(one.to, &kept) == 0)
            .collect();
        let found = if to_none.is_empty() { binding } else { to_none };
        let mut shown: Vec<(&str, &Relation)> = Vec::new();
        for one in found {
            if shown.iter().all(|(name, _)| *name != one.name) {
                shown.push((one.name.as_str(), &self.part.relations[one.to]));
            }
        }
        Why::References(shown)
    }

    fn said(&self, relation: &Relation, why: &Why<'_>) -> String {
        let table = &relation.table;
        match why {
            Why::NoRows => format!("{table} has no row in the backup"),
            Why::Condition => {
                let totals = relation
                    .blocks
                    .iter()
                    .filter_map(|block| self.totals.get(&block.load));
                format!(
                    "the condition on {table} keeps none of {}",
                    counted(totals.sum(), "row")
                )
            }
            Why::References(ways) => {
                let ways: Vec<String> = (ways.iter())
                    .map(|(name, to)| format!("{} ({name})", to.table))
                    .collect();
                let ways: Vec<&str> = ways.iter().map(String::as_str).collect();
                match ways[..] {
                    [] => format!("rows of {table} refer to rows that do not come"),
                    _ => format!(
                        "every row of {table} that its rule keeps refers to one that does not come, of {}",
                        first_of(&ways)
                    ),
                }
            }
        }
    }
}

/// So many rules are explained.
const MOST: usize = 5;

/// What to do: conditions first, since what they empty empties others.
fn remedy(whys: &[(&Relation, Why<'_>)]) -> String {
    let names = |test: &dyn Fn(&Why<'_>) -> bool| {
        let found = whys.iter().filter(|(_, why)| test(why));
        found
            .map(|(relation, _)| relation.table.to_string())
            .collect::<Vec<_>>()
    };
    let listed = |names: &[String]| first_of(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let unmet = names(&|why| matches!(why, Why::Condition));
    if !unmet.is_empty() {
        return format!("Correct the condition on {}", listed(&unmet));
    }
    let mut leads: Vec<String> = Vec::new();
    for (_, why) in whys {
        let Why::References(ways) = why else { continue };
        for (_, to) in ways {
            let name = to.table.to_string();
            if !leads.contains(&name) {
                leads.push(name);
            }
        }
    }
    if !leads.is_empty() {
        return format!(
            "Let the rules keep rows of {} that others refer to, or let these references become NULL by on_missing: :nullify where \
             their columns may",
            listed(&leads)
        );
    }
    "Name a table that has rows in the backup".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::part::selection::Chosen;
    use crate::plan::part::{Cap, Missing, PartBlock, Reference};
    use crate::plan::TableName;

    fn relation(name: &str, load: i32, rule: PartRule) -> Relation {
        Relation {
            table: TableName::new("public", name),
            blocks: vec![PartBlock {
                load: DumpId(load),
                positions: Vec::new(),
            }],
            columns: Vec::new(),
            rule,
        }
    }

    fn where_() -> PartRule {
        PartRule::Own {
            condition: Some("true".into()),
            cap: None,
        }
    }

    fn error(relations: Vec<Relation>, totals: &[(i32, u64)], unmet: &[usize]) -> String {
        let part = Part {
            references: vec![Reference {
                name: "orders.user_id".into(),
                from: 1,
                to: 0,
                columns: Vec::new(),
                only_where: None,
                from_block: None,
                to_block: None,
                enforced: true,
                missing: Missing::Drop,
            }],
            relations,
            allow_empty: false,
        };
        let mut selection = Selection::default();
        for (load, total) in totals {
            let chosen = Chosen {
                total: *total,
                kept: Some(roaring::RoaringTreemap::new()),
                ..Chosen::default()
            };
            selection.blocks.insert(DumpId(*load), chosen);
        }
        let totals = totals
            .iter()
            .map(|(load, total)| (DumpId(*load), *total))
            .collect();
        let emptied = Emptied {
            part: &part,
            selection: &selection,
            totals: &totals,
            unmet,
        };
        emptied.error().to_string()
    }

    #[test]
    fn the_rule_that_empties_a_part_is_named_and_what_goes_with_it() {
        let shop = vec![relation("users", 1, where_()), relation("orders", 2, where_())];
        let message = error(shop, &[(1, 20), (2, 1)], &[0]);
        let expected = " The reason: the condition on public.users keeps none of 20 rows; every row of public.orders that its rule \
                        keeps refers to one that does not come, of public.users (orders.user_id). Correct the condition on \
                        public.users, or put allow_empty: true beside one of the rules, and run it again.";
        assert!(message.ends_with(expected), "{message}");
    }

    #[test]
    fn a_cap_on_rows_that_refer_to_none_that_come_names_these_and_an_empty_table_is_called_empty() {
        let cap = || PartRule::Own {
            condition: None,
            cap: Some(Cap {
                rows: 3,
                order: Vec::new(),
                descending: true,
            }),
        };
        let shop = vec![
            relation("users", 1, PartRule::Follows),
            relation("orders", 2, cap()),
        ];
        assert!(error(shop, &[(1, 0), (2, 3)], &[]).contains(
            "of public.users (orders.user_id). Let the rules keep rows of public.users that others refer to"
        ));
        let none = vec![relation("users", 1, where_()), relation("orders", 2, cap())];
        let message = error(none, &[(1, 0), (2, 0)], &[0]);
        assert!(
            message.contains("public.users has no row in the backup; public.orders has no row"),
            "{message}"
        );
        assert!(
            message.contains("Name a table that has rows in the backup, or put allow_empty"),
            "{message}"
        );
    }
}
