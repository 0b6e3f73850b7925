//! What is wrong with an entry at one of the tables that it stands for, and the entry that this table can have by itself.

use super::compare::{nature, Nature};
use super::conditions;
use super::names::{column_shown, table_shown};
use crate::failure::{Advice, OwnEntry, OwnPart, PartFault};
use crate::plan::exclude::tables_like;
use crate::plan::names::NamePattern;
use crate::plan::parse::folded;
use crate::plan::schema::{Schema, Table, Unique};
use crate::settings::{Keep, TableRule};
use sqlparser::ast::Ident;
use std::collections::BTreeSet;

/// Whether an entry names tables by a pattern.
pub(super) fn has_star(entry: &TableRule) -> bool {
    NamePattern::parse(&entry.table).is_some_and(|pattern| pattern.has_star())
}

/// An entry, read for one table.
pub(super) struct Place<'a> {
    pub(super) entry: &'a TableRule,
    pub(super) at: usize,
    pub(super) schema: &'a Schema,
}

impl Place<'_> {
    pub(super) fn table(&self) -> &Table {
        &self.schema.tables[self.at]
    }

    /// The column that a name is like.
    pub(super) fn near(&self, column: &str) -> Option<String> {
        near_column(self.table(), column)
    }

    /// Whether it is one of several tables of a pattern, of which another has such a column.
    pub(super) fn others_have(&self, column: &str) -> bool {
        let pattern = NamePattern::parse(&self.entry.table).filter(NamePattern::has_star);
        let tables = pattern
            .map(|pattern| tables_like(&pattern, self.schema))
            .unwrap_or_default();
        tables
            .into_iter()
            .any(|at| self.schema.tables[at].column(column).is_some())
    }

    /// What is said of a column that the table does not have.
    pub(super) fn no_column(&self, column: &str) -> PartFault {
        if !self.others_have(column) {
            return no_column(self.table(), column);
        }
        PartFault::NoColumnHere {
            table: table_shown(&self.table().name),
            column: column_shown(column),
            own: self.own(),
        }
    }

    /// What is said of a cap without an order, where the table has no primary key.
    pub(super) fn no_order(&self) -> PartFault {
        let table = table_shown(&self.table().name);
        if has_star(self.entry) {
            return PartFault::NoOrderHere {
                table,
                own: self.own(),
            };
        }
        match (self.orderable(), self.is_limit()) {
            (Some(column), true) => PartFault::LimitNoOrder { table, column },
            (Some(column), false) => PartFault::NoOrder { table, column },
            (None, true) => PartFault::LimitNothingOrders { table },
            (None, false) => PartFault::NothingOrders { table },
        }
    }

    /// An entry for this table alone, which counts before a pattern's: the pattern's rule, as far as it fits.
    pub(super) fn own(&self) -> OwnEntry {
        let (entry, table) = (self.entry, self.table().name.in_rules());
        match entry.keep {
            Some(Keep::All) => return OwnEntry::All { table },
            Some(Keep::Referenced) => return OwnEntry::Referenced { table },
            None => {}
        }
        let condition = entry.condition.as_ref().filter(|one| self.fits(one, &table));
        let shown = condition.map(|condition| conditions::shown(condition));
        let rows = self.rows();
        if condition.is_none() && rows.is_empty() && (entry.condition.is_some() || entry.rows.is_some()) {
            return OwnEntry::All { table };
        }
        let mut parts: Vec<OwnPart> = shown
            .clone()
            .map(|shown| shown.map_or(OwnPart::WhereThere, |condition| OwnPart::Where { condition }))
            .into_iter()
            .chain(rows)
            .collect();
        if entry.nullify_all {
            parts.push(OwnPart::NullifyAll);
        }
        let columns: Vec<OwnPart> = self.nullify();
        if !columns.is_empty() {
            parts.push(OwnPart::Nullify { columns });
        }
        if entry.allow_empty {
            parts.push(OwnPart::AllowEmpty);
        }
        match (parts.is_empty(), shown) {
            (true, _) => OwnEntry::All { table },
            (false, Some(None)) => OwnEntry::RuleWithCondition {
                table,
                parts,
                pattern: entry.table.clone(),
            },
            (false, _) if self.is_limit() => OwnEntry::Limit { table, parts },
            (false, _) => OwnEntry::Rule { table, parts },
        }
    }

    /// Whether a condition is one of this table.
    fn fits(&self, condition: &str, name: &str) -> bool {
        let alone = TableRule {
            table: name.to_owned(),
            ..self.entry.clone()
        };
        let place = Place {
            entry: &alone,
            ..*self
        };
        conditions::problems(condition, Some(&place), &mut BTreeSet::new()).is_empty()
    }

    /// So many rows in an order that the table has; nothing where it has none.
    fn rows(&self) -> Vec<OwnPart> {
        let (entry, known) = (self.entry, self.table());
        let is_read = |name: &String| {
            let column = known.column(name);
            column.is_some_and(|column| column.generated.is_none())
        };
        let columns: Vec<String> = match !entry.order_by.is_empty() && entry.order_by.iter().all(is_read) {
            true => entry.order_by.clone(),
            false => self.orderable().into_iter().collect(),
        };
        let Some(rows) = entry.rows.filter(|_| !columns.is_empty()) else {
            return Vec::new();
        };
        match (self.is_limit(), entry.descending) {
            (false, true) => vec![OwnPart::Last { rows }, OwnPart::By { columns }],
            (false, false) => vec![OwnPart::First { rows }, OwnPart::By { columns }],
            (true, true) => vec![OwnPart::MaxRows { rows }, OwnPart::OrderBy { columns }],
            (true, false) => vec![
                OwnPart::MaxRows { rows },
                OwnPart::OrderBy { columns },
                OwnPart::Ascending,
            ],
        }
    }

    /// The columns of `on_missing` that can become NULL here: of a pattern's the others need not be there.
    fn nullify(&self) -> Vec<OwnPart> {
        let known = self.table();
        let primary = known.uniques.iter().find(|unique| unique.primary);
        let key = primary.and_then(Unique::columns).unwrap_or_default();
        let can_be = |name: &&String| {
            let column = known.column(name);
            column.is_some_and(|column| !column.not_null) && !key.contains(&name.as_str())
        };
        let columns = self.entry.nullify.iter().filter(can_be).cloned();
        columns.map(|column| OwnPart::NullifyColumn { column }).collect()
    }

    /// What is said of a condition that reads a column of another table of the backup: that one's rule can have it.
    pub(super) fn reads_table(&self, condition: &str, parts: &[Ident]) -> Option<PartFault> {
        let (column, qualifier) = parts.split_last()?;
        let named: Vec<String> = qualifier.iter().map(folded).collect();
        let schema = self.schema;
        let is_it = |at: &usize| match (&named[..], &schema.tables[*at].name) {
            ([name], known) => known.name == *name,
            ([of, name], known) => known.schema == *of && known.name == *name,
            _ => false,
        };
        let is_near = |at: &usize| schema.tables[*at].name.schema == self.table().name.schema;
        let found: Vec<usize> = (0..schema.tables.len()).filter(is_it).collect();
        let near = found.iter().copied().find(is_near);
        let whole = schema.topmost(near.or_else(|| found.first().copied())?);
        let known = &schema.tables[whole];
        if whole == self.at || known.column(&folded(column)).is_none() {
            return None;
        }
        let name = parts
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(".");
        let (table, other) = (table_shown(&self.table().name), known.name.in_rules());
        Some(match conditions::without_table(condition, qualifier) {
            Some(condition) => PartFault::WhereReadsTable {
                name,
                table,
                other,
                condition,
            },
            None => PartFault::WhereReadsTableThere { name, table, other },
        })
    }

    fn is_limit(&self) -> bool {
        self.entry.option == "limits"
    }

    /// A column that rows can be ordered by: of the primary key, or when they were made, or any.
    fn orderable(&self) -> Option<String> {
        let known = self.table();
        let has_order = |name: &&str| {
            let is_read = |name| {
                known
                    .column(name)
                    .is_some_and(|column| column.generated.is_none())
            };
            is_read(name) && !matches!(nature(self.schema, self.at, name), Nature::Other(_))
        };
        let key = known.uniques.iter().filter(|unique| unique.primary);
        let key = key.filter_map(Unique::columns).flatten();
        let usual = ["created_at", "updated_at", "inserted_at"].into_iter();
        let all = known.columns.iter().map(|column| column.name.as_str());
        let mut names = key.chain(usual).chain(all);
        names.find(has_order).map(str::to_owned)
    }
}

/// What is said of a column that a table does not have: `public.users has no column emial. Did you mean email?`
pub(super) fn no_column(table: &Table, column: &str) -> PartFault {
    PartFault::NoColumn {
        table: table_shown(&table.name),
        column: column_shown(column),
        advice: column_advice(table, column),
    }
}

/// What such a column may have meant.
pub(super) fn column_advice(table: &Table, column: &str) -> Advice {
    match near_column(table, column) {
        Some(name) => Advice::Meant { name },
        None => Advice::CorrectIts,
    }
}

fn near_column(table: &Table, column: &str) -> Option<String> {
    let names = || table.columns.iter().map(|known| known.name.as_str());
    let folded = names().find(|known| known.to_lowercase() == column.to_lowercase());
    folded
        .or_else(|| near::nearest(column, names()))
        .map(column_shown)
}
