//! Which of the tables whose rows stay out decide, all the same, which rows of others come.

use super::PartRule;
use std::collections::{BTreeMap, BTreeSet};

/// How a table stands in a part.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Its rule.
    pub rule: PartRule,
    /// Its rows come.
    pub comes: bool,
}

/// A reference between two tables, and whether rows go with those that they refer to.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    /// The table that refers.
    pub from: usize,
    /// The one that is referred to.
    pub to: usize,
    /// Else they lose the reference.
    pub binds: bool,
}

/// The tables whose rows stay out and decide about rows that come: they may lose rows downwards, by a rule of their own or
/// because they follow what does, and a way leads to them from a table that comes. No other has to be looked at.
pub fn deciding(tables: &BTreeMap<usize, Standing>, ways: &[Way]) -> BTreeSet<usize> {
    let of = |table: usize| tables.get(&table);
    let follows = |way: &&Way| way.binds && of(way.from).is_some_and(|one| one.rule != PartRule::All);
    let own = tables
        .iter()
        .filter(|(_, one)| matches!(one.rule, PartRule::Own { .. }));
    let losing = spread(own.map(|(table, _)| *table).collect(), |losing| {
        let found = ways.iter().filter(follows);
        found
            .filter(|way| losing.contains(&way.to))
            .map(|way| way.from)
            .collect()
    });
    let decides = |table: &usize| losing.contains(table) && of(*table).is_some_and(|one| !one.comes);
    let comes = |table: usize| of(table).is_some_and(|one| one.comes);
    // A row that comes in any case can lose a reference, and nothing else.
    let acts = |way: &&Way| follows(way) || !way.binds;
    let direct = ways.iter().filter(acts).filter(|way| comes(way.from));
    let direct = direct.map(|way| way.to).filter(decides).collect();
    spread(direct, |deciding| {
        let found = ways.iter().filter(follows);
        let found = found.filter(|way| deciding.contains(&way.from));
        found.map(|way| way.to).filter(decides).collect()
    })
}

/// Adds to a set what follows from it, until nothing does.
fn spread(mut set: BTreeSet<usize>, further: impl Fn(&BTreeSet<usize>) -> Vec<usize>) -> BTreeSet<usize> {
    loop {
        let before = set.len();
        let found = further(&set);
        set.extend(found);
        if set.len() == before {
            return set;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: PartRule = PartRule::Own {
        condition: None,
        cap: None,
    };

    fn found(tables: &[(PartRule, bool)], ways: &[(usize, usize, bool)]) -> Vec<usize> {
        let tables = tables.iter().cloned().enumerate();
        let tables = tables.map(|(at, (rule, comes))| (at, Standing { rule, comes }));
        let ways: Vec<Way> = ways
            .iter()
            .map(|&(from, to, binds)| Way { from, to, binds })
            .collect();
        deciding(&tables.collect(), &ways).into_iter().collect()
    }

    #[test]
    fn what_stays_out_decides_where_a_way_leads_to_its_rule_from_a_table_that_comes() {
        let follows = PartRule::Follows;
        let shop = [(OWN, false), (follows.clone(), false), (follows.clone(), true)];
        let ways = [(1, 0, true), (2, 1, true)];
        assert_eq!(found(&shop, &ways), [0, 1]);
        let none_comes = [(OWN, false), (follows.clone(), true), (follows.clone(), false)];
        assert_eq!(found(&none_comes, &[(2, 0, true)]), [0; 0]);
        let through_one_that_comes = [(OWN, false), (follows.clone(), true), (follows, false)];
        assert_eq!(found(&through_one_that_comes, &ways), [0]);
    }

    #[test]
    fn what_loses_no_row_decides_nothing_and_neither_does_what_only_whole_tables_refer_to() {
        let follows = || (PartRule::Follows, true);
        assert_eq!(
            found(&[(PartRule::Follows, false), follows()], &[(1, 0, true)]),
            [0; 0]
        );
        assert_eq!(
            found(&[(PartRule::All, false), follows()], &[(1, 0, true)]),
            [0; 0]
        );
        let whole = [(OWN, false), (PartRule::All, true)];
        assert_eq!(found(&whole, &[(1, 0, true)]), [0; 0]);
        assert_eq!(found(&whole, &[(1, 0, false)]), [0]);
        // A table that waits to be referred to loses rows only once all are chosen.
        let referenced = [
            (PartRule::Referenced, true),
            (PartRule::Follows, false),
            follows(),
        ];
        assert_eq!(found(&referenced, &[(1, 0, true), (2, 1, true)]), [0; 0]);
    }
}
