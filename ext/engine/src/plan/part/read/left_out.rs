//! What tables whose rows stay out do to those of others, by their rules and by what refers to what.

use super::super::deciding::{deciding, Standing, Way};
use super::super::rules::Ruled;
use super::super::{Missing, PartRule};
use super::{Followed, Reader};
use std::collections::BTreeSet;

impl Followed<'_> {
    fn way(&self) -> Way {
        Way {
            from: self.from,
            to: self.to,
            binds: self.missing == Missing::Drop,
        }
    }
}

impl Reader<'_> {
    /// The tables whose rows stay out and decide about others.
    pub(super) fn deciding(&self, followed: &[Followed<'_>]) -> BTreeSet<usize> {
        let ways: Vec<Way> = followed.iter().map(Followed::way).collect();
        self.deciding_by(|table| self.rule(table), &ways)
    }

    /// The tables whose rows stay out and would decide about others, did their rule not keep all of their rows: that others
    /// come is its effect. Without it they would follow what they refer to, or have the rule of a pattern.
    pub(super) fn keeping(&self, followed: &[Followed<'_>]) -> BTreeSet<usize> {
        let by_pattern = |ruled: &Ruled| ruled.by_pattern;
        let any_pattern = self.rules.values().any(by_pattern);
        let without = |table| match any_pattern && !self.rules.get(&table).is_some_and(by_pattern) {
            true => PartRule::Own {
                condition: None,
                cap: None,
            },
            false => PartRule::Follows,
        };
        let rule = |table| match self.rule(table) {
            PartRule::All | PartRule::Referenced if !self.sources.come(table) => without(table),
            rule => rule,
        };
        let declared = self.declared.iter().map(|one| Way {
            from: self.schema.topmost(one.from),
            to: self.schema.topmost(one.to),
            binds: true,
        });
        let of_left_out = declared.filter(|way| !self.sources.come(way.from));
        let ways = followed.iter().map(Followed::way).chain(of_left_out);
        self.deciding_by(rule, &ways.collect::<Vec<_>>())
    }

    fn deciding_by(&self, rule: impl Fn(usize) -> PartRule, ways: &[Way]) -> BTreeSet<usize> {
        let standing = |table: usize| Standing {
            rule: rule(table),
            comes: self.sources.come(table),
        };
        let tables = self.sources.known();
        deciding(&tables.map(|table| (table, standing(table))).collect(), ways)
    }
}
