//! A part without a row: which rule empties it, and what can be done.

mod chain;

use super::selection::Selection;
use crate::alike::few_of;
use crate::error::{Error, Kind};
use crate::failure::{EmptiedRemedy, JobFailure, KeepsNone, Names};
use crate::plan::part::{Part, PartRule, Reference, Relation};
use chain::Chain;
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
    /// Of relations whose rows stay out: how many the rules keep.
    pub(super) staying: &'a HashMap<usize, u64>,
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
        let at_all: Vec<usize> = ruled.clone().map(|(at, _)| at).collect();
        let whys: Vec<(&Relation, Why<'_>)> = ruled.map(|(at, relation)| (relation, self.why(at))).collect();
        let shown = whys.len().min(MOST);
        let mut why: Vec<KeepsNone> = whys[..shown]
            .iter()
            .map(|(relation, why)| self.said(relation, why))
            .collect();
        if whys.len() > shown {
            let count = whys.len() - shown;
            why.push(KeepsNone::More { count });
        }
        let chain = Chain::from(self, at_all);
        let entries = chain.entries(self);
        if entries.is_empty() || whys.iter().any(|(_, why)| matches!(why, Why::Condition)) {
            return Error::new(Kind::Plan, JobFailure::SubsetKeepsNothing { why }, remedy(&whys));
        }
        let between = chain.between.iter().take(MOST);
        why.extend(between.map(|(at, taking)| KeepsNone::GoesWith {
            table: self.part.relations[*at].table.to_string(),
            others: self.others(taking),
        }));
        let remedy = EmptiedRemedy::LetBeNull { entries };
        Error::new(Kind::Plan, JobFailure::SubsetKeepsNothing { why }, remedy)
    }

    /// How many rows of a relation there are, and how many stay.
    fn rows(&self, at: usize) -> (u64, u64) {
        let blocks = &self.part.relations[at].blocks;
        let total = |load| self.totals.get(&load).copied().unwrap_or(0);
        let kept = |load| self.selection.of(load).map_or(0, |chosen| chosen.kept());
        let staying = self.staying.get(&at).copied();
        (
            blocks.iter().map(|block| total(block.load)).sum(),
            staying.unwrap_or_else(|| blocks.iter().map(|block| kept(block.load)).sum()),
        )
    }

    /// Whether a relation has no row, or its condition keeps none.
    fn goes_by_itself(&self, at: usize) -> bool {
        self.rows(at).0 == 0 || self.unmet.contains(&at)
    }

    /// The references by which rows of a relation go: those to relations without a row, which take all along, or else those
    /// to relations that lost some.
    fn taking(&self, at: usize) -> Vec<&'a Reference> {
        let references = self.part.references.iter();
        let lose = |one: &&Reference| self.rows(one.to).1 < self.rows(one.to).0;
        let binding: Vec<_> = references
            .filter(|one| one.from == at && one.to != at && one.binds())
            .collect();
        let to_none: Vec<_> = (binding.iter().copied())
            .filter(|one| self.rows(one.to).1 == 0)
            .collect();
        match to_none.is_empty() {
            true => binding.into_iter().filter(lose).collect(),
            false => to_none,
        }
    }

    /// The tables at the other ends, with the references.
    fn others(&self, references: &[&Reference]) -> Names {
        let mut shown: Vec<String> = Vec::new();
        for one in references {
            let way = format!("{} ({})", self.part.relations[one.to].table, one.name);
            if !shown.contains(&way) {
                shown.push(way);
            }
        }
        few_of(shown)
    }

    fn why(&self, at: usize) -> Why<'a> {
        if self.rows(at).0 == 0 {
            return Why::NoRows;
        }
        if self.unmet.contains(&at) {
            return Why::Condition;
        }
        let mut shown: Vec<(&str, &Relation)> = Vec::new();
        for one in self.taking(at) {
            if shown.iter().all(|(name, _)| *name != one.name) {
                shown.push((one.name.as_str(), &self.part.relations[one.to]));
            }
        }
        Why::References(shown)
    }

    fn said(&self, relation: &Relation, why: &Why<'_>) -> KeepsNone {
        let table = relation.table.to_string();
        match why {
            Why::NoRows => KeepsNone::NoRows { table },
            Why::Condition => {
                let blocks = relation.blocks.iter();
                let totals = blocks.filter_map(|block| self.totals.get(&block.load));
                let count = totals.sum();
                KeepsNone::Condition { table, count }
            }
            Why::References(ways) if ways.is_empty() => KeepsNone::Refers { table },
            Why::References(ways) => {
                let ways = ways.iter().map(|(name, to)| format!("{} ({name})", to.table));
                let others = few_of(ways);
                KeepsNone::RefersTo { table, others }
            }
        }
    }
}

/// So many rules are explained.
const MOST: usize = 5;

/// What to do: conditions first, since what they empty empties others.
fn remedy(whys: &[(&Relation, Why<'_>)]) -> EmptiedRemedy {
    let unmet: Vec<_> = (whys.iter())
        .filter(|(_, why)| matches!(why, Why::Condition))
        .map(|(relation, _)| &relation.table)
        .collect();
    if !unmet.is_empty() {
        let tables = few_of(unmet);
        return EmptiedRemedy::CorrectConditions { tables };
    }
    let mut leads = Vec::new();
    for (_, why) in whys {
        let Why::References(ways) = why else { continue };
        for (_, to) in ways {
            if !leads.contains(&&to.table) {
                leads.push(&to.table);
            }
        }
    }
    if leads.is_empty() {
        return EmptiedRemedy::NameFilled;
    }
    let tables = few_of(leads);
    EmptiedRemedy::KeepReferred { tables }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::part::selection::Chosen;
    use crate::plan::part::{Cap, Missing, PartBlock, Reference};
    use crate::plan::TableName;
    use crate::text::Text;

    fn relation(name: &str, load: i32, rule: PartRule) -> Relation {
        Relation {
            table: TableName::new("public", name),
            blocks: vec![PartBlock {
                load: DumpId(load),
                positions: Vec::new(),
            }],
            columns: Vec::new(),
            rule,
            is_excluded: false,
        }
    }

    fn where_() -> PartRule {
        PartRule::Own {
            condition: Some("true".into()),
            cap: None,
        }
    }

    fn error(relations: Vec<Relation>, totals: &[(i32, u64)], unmet: &[usize]) -> Error {
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
                may_be_null: None,
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
            staying: &HashMap::new(),
        };
        emptied.error()
    }

    fn names(names: &[&str]) -> Names {
        let names = names.iter().map(ToString::to_string).collect();
        Names::All { names }
    }

    #[test]
    fn the_rule_that_empties_a_part_is_named_and_what_goes_with_it() {
        let shop = vec![relation("users", 1, where_()), relation("orders", 2, where_())];
        let why = vec![
            KeepsNone::Condition {
                table: "public.users".into(),
                count: 20,
            },
            KeepsNone::RefersTo {
                table: "public.orders".into(),
                others: names(&["public.users (orders.user_id)"]),
            },
        ];
        let remedy = EmptiedRemedy::CorrectConditions {
            tables: names(&["public.users"]),
        };
        assert_eq!(
            error(shop, &[(1, 20), (2, 1)], &[0]),
            Error::new(Kind::Plan, JobFailure::SubsetKeepsNothing { why }, remedy)
        );
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
        let remedy = EmptiedRemedy::KeepReferred {
            tables: names(&["public.users"]),
        };
        let refused = error(shop, &[(1, 0), (2, 3)], &[]);
        assert_eq!(refused.remedy, Text::from(remedy));
        let none = vec![relation("users", 1, where_()), relation("orders", 2, cap())];
        let empty = |table: &str| KeepsNone::NoRows { table: table.into() };
        let why = vec![empty("public.users"), empty("public.orders")];
        assert_eq!(
            error(none, &[(1, 0), (2, 0)], &[0]),
            Error::new(
                Kind::Plan,
                JobFailure::SubsetKeepsNothing { why },
                EmptiedRemedy::NameFilled
            )
        );
    }

    #[test]
    fn no_more_than_a_few_rules_are_explained() {
        let many = (1..=7).map(|load| relation("users", load, where_())).collect();
        let what = error(many, &[], &[]).what;
        let end = r#"{"kind":"more_keep_none","count":2}]}"#;
        assert!(what.ends_with(end), "{what}");
    }
}
