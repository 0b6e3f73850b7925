//! From a table whose rows all go to the references that take them along, and on to one that may become NULL instead.

use super::Emptied;
use crate::failure::NullEntry;
use crate::plan::part::{PartRule, Reference};
use std::collections::BTreeSet;

/// The references by which rows go, one after the other.
#[derive(Default)]
pub(super) struct Chain<'a> {
    /// Tables without a rule on the way, each with those that its rows go with.
    pub(super) between: Vec<(usize, Vec<&'a Reference>)>,
    /// Those at its ends that may become NULL.
    pub(super) ends: Vec<&'a Reference>,
    seen: BTreeSet<usize>,
}

impl<'a> Chain<'a> {
    /// The chain from the tables of rules of which none keeps a row.
    pub(super) fn from(emptied: &Emptied<'a>, ruled: impl IntoIterator<Item = usize>) -> Self {
        let mut chain = Self::default();
        let ruled: Vec<usize> = ruled.into_iter().collect();
        for &at in &ruled {
            chain.follow(emptied, at);
        }
        if chain.ends.is_empty() {
            let own = emptied.part.references.iter();
            let own = own.filter(|one| one.from == one.to && chain.seen.contains(&one.from));
            chain.ends = own
                .filter(|one| one.binds() && one.may_be_null.is_some())
                .collect();
        }
        chain
    }

    fn follow(&mut self, emptied: &Emptied<'a>, first: usize) {
        let mut left = vec![first];
        while let Some(at) = left.pop() {
            if !self.seen.insert(at) || emptied.goes_by_itself(at) {
                continue;
            }
            let taking = emptied.taking(at);
            for &one in &taking {
                match one.may_be_null {
                    Some(_) => self.ends.push(one),
                    None => left.push(one.to),
                }
            }
            let is_ruled = matches!(emptied.part.relations[at].rule, PartRule::Own { .. });
            if !is_ruled && !taking.is_empty() {
                self.between.push((at, taking));
            }
        }
    }

    /// What lets its ends become NULL, an entry for each table.
    pub(super) fn entries(&self, emptied: &Emptied<'a>) -> Vec<NullEntry> {
        let tables: BTreeSet<usize> = self.ends.iter().map(|one| one.from).collect();
        let entry = |at: usize| {
            let relation = &emptied.part.relations[at];
            let table = relation.table.in_rules();
            let columns: BTreeSet<&String> = (self.ends.iter())
                .filter(|one| one.from == at)
                .filter_map(|one| one.may_be_null.as_ref())
                .collect();
            let one = (columns.len() == 1).then(|| columns.first()).flatten();
            match (one, matches!(relation.rule, PartRule::Own { .. })) {
                (Some(column), is_ruled) => {
                    let column = (*column).clone();
                    match is_ruled {
                        false => NullEntry::Column { table, column },
                        true => NullEntry::ColumnBeside { table, column },
                    }
                }
                (None, false) => NullEntry::All { table },
                (None, true) => NullEntry::AllBeside { table },
            }
        };
        tables.into_iter().map(entry).collect()
    }
}
