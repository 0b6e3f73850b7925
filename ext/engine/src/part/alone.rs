//! Tables whose rows need no first look: no row of another table depends on them, and each refers to others by one number
//! or one UUID. Once the others' rows are chosen, each of theirs decides by itself.
//!
//! In most databases these are the large ones: items of orders, events, comments, views of pages. Their blocks are passed
//! over in the first look without being inflated, and none of their keys goes to the server.

use super::closure::wanted;
use super::key_set::Kind;
use crate::plan::part::{Compared, Missing, Part, PartRule, Reference, Relation};
use pg_dump_archive::DumpId;
use std::collections::HashSet;

/// Which relations' rows decide by themselves, once all others are chosen.
pub(super) fn alone(part: &Part) -> Vec<bool> {
    let wanted = wanted(part);
    let can_say = |one: &Reference| {
        // A row that is brought back for others brings back none that refers to it: the choice has two steps there. And a
        // table that is there to be referred to depends on all rows that do.
        !wanted[one.to] && part.relations[one.to].rule != PartRule::Referenced && by_one_value(part, one)
    };
    let is_alone = |at: usize| {
        let relation = &part.relations[at];
        relation.rule == PartRule::Follows
            && !relation.is_excluded
            && part.references.iter().all(|one| one.to != at)
            && part.references.iter().all(|one| one.from != at || can_say(one))
    };
    (0..part.relations.len()).map(is_alone).collect()
}

fn by_one_value(part: &Part, one: &Reference) -> bool {
    let is_plain = one.only_where.is_none() && one.to_block.is_none();
    matches!(one.columns[..], [(from, to)]
        if is_plain && kind(part, one.from, from).is_some() && kind(part, one.from, from) == kind(part, one.to, to))
}

/// How a column's values are held; None where they are not.
pub(super) fn kind(part: &Part, relation: usize, column: usize) -> Option<Kind> {
    match part.relations[relation].columns.get(column)?.compared {
        Compared::Number => Some(Kind::Number),
        Compared::Uuid => Some(Kind::Uuid),
        Compared::Text | Compared::Value | Compared::Folded => None,
    }
}

/// The blocks of such relations.
pub(super) fn blocks(part: &Part, alone: &[bool]) -> HashSet<DumpId> {
    let relations = part.relations.iter().zip(alone).filter(|(_, alone)| **alone);
    let blocks = relations.flat_map(|(relation, _)| &relation.blocks);
    blocks.map(|block| block.load).collect()
}

/// The part that has to be looked at: such relations have no rows in it and refer to nothing. All relations keep their
/// places.
pub(super) fn rest(part: &Part, alone: &[bool]) -> Part {
    let relations = part.relations.iter().zip(alone);
    let relations = relations.map(|(relation, alone)| match alone {
        true => Relation {
            blocks: Vec::new(),
            columns: Vec::new(),
            ..relation.clone()
        },
        false => relation.clone(),
    });
    let references = part.references.iter().filter(|one| !alone[one.from]);
    Part {
        relations: relations.collect(),
        references: references.cloned().collect(),
        allow_empty: part.allow_empty,
    }
}

/// The columns of a block that become NULL, by their positions.
pub(super) fn nulled(relation: &Relation, positions: &[usize], missing: &Missing) -> Vec<usize> {
    let Missing::Nullify(names) = missing else {
        return Vec::new();
    };
    let columns = relation.columns.iter().zip(positions);
    let columns = columns.filter(|(column, _)| names.contains(&column.name));
    columns.map(|(_, position)| *position).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::part::PartColumn;
    use crate::plan::TableName;

    fn relation(rule: PartRule, compared: &[Compared]) -> Relation {
        let columns = compared.iter().map(|compared| PartColumn {
            name: "id".into(),
            compared: *compared,
            is_key: true,
            kind: None,
        });
        Relation {
            table: TableName::new("public", "t"),
            blocks: Vec::new(),
            columns: columns.collect(),
            rule,
            is_excluded: false,
        }
    }

    fn reference(from: usize, to: usize, columns: &[(usize, usize)]) -> Reference {
        Reference {
            name: String::new(),
            from,
            to,
            columns: columns.to_vec(),
            only_where: None,
            from_block: None,
            to_block: None,
            enforced: true,
            missing: Missing::Drop,
            may_be_null: None,
        }
    }

    /// Users with a rule, orders of users, items of orders.
    fn shop() -> Part {
        let own = PartRule::Own {
            condition: Some("true".into()),
            cap: None,
        };
        let number = [Compared::Number, Compared::Number];
        Part {
            relations: vec![
                relation(own, &number),
                relation(PartRule::Follows, &number),
                relation(PartRule::Follows, &number),
            ],
            references: vec![reference(1, 0, &[(1, 0)]), reference(2, 1, &[(1, 0)])],
            allow_empty: false,
        }
    }

    #[test]
    fn rows_tell_by_themselves_where_no_others_depend_on_them() {
        let mut part = shop();
        assert_eq!(alone(&part), [false, false, true]);
        let rest = rest(&part, &alone(&part));
        assert_eq!((rest.references.len(), rest.relations[2].columns.len()), (1, 0));
        part.references.push(reference(2, 2, &[(1, 0)]));
        assert_eq!(alone(&part), [false; 3]);
    }

    #[test]
    fn rows_tell_by_themselves_by_what_they_refer_to_among_rows_that_stay_out_and_these_do_not() {
        let mut part = shop();
        part.relations[1].is_excluded = true;
        assert_eq!(alone(&part), [false, false, true]);
        part.references.pop();
        assert_eq!(alone(&part), [false, false, true]);
    }

    #[test]
    fn rows_do_not_where_it_takes_more_than_one_value_or_more_than_one_step() {
        let change = |change: fn(&mut Part)| {
            let mut part = shop();
            change(&mut part);
            alone(&part)[2]
        };
        assert!(!change(|part| part.references[1].columns.push((0, 0))));
        assert!(!change(|part| part.references[1].to_block = Some(0)));
        assert!(!change(|part| part.references[1].only_where = Some((0, vec![]))));
        assert!(!change(
            |part| part.relations[2].columns[1].compared = Compared::Text
        ));
        assert!(!change(|part| part.relations[1].rule = PartRule::Referenced));
        assert!(!change(|part| part.relations[2].rule = PartRule::All));
        assert!(!change(|part| {
            part.relations
                .push(relation(PartRule::All, &[Compared::Number; 2]));
            part.references.push(reference(3, 1, &[(1, 0)]));
        }));
        assert!(change(|part| part.references[1].enforced = false));
    }
}
