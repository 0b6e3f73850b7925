//! What is wrong with an entry at one of the tables that it stands for, and the entry that this table can have by itself.

use super::compare::{nature, Nature};
use super::names::{column_shown, table_shown};
use crate::failure::{Advice, OwnEntry, PartFault};
use crate::plan::exclude::tables_like;
use crate::plan::names::NamePattern;
use crate::plan::schema::{Schema, Table, Unique};
use crate::settings::TableRule;

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

    /// An entry for this table alone, which counts before a pattern's.
    pub(super) fn own(&self) -> OwnEntry {
        let table = self.table().name.in_rules();
        match (self.entry.rows, self.orderable(), self.is_limit()) {
            (Some(rows), Some(column), false) if self.entry.descending => {
                OwnEntry::Last { table, rows, column }
            }
            (Some(rows), Some(column), false) => OwnEntry::First { table, rows, column },
            (Some(rows), Some(column), true) if self.entry.descending => {
                OwnEntry::Limit { table, rows, column }
            }
            (Some(rows), Some(column), true) => OwnEntry::LimitAscending { table, rows, column },
            (_, _, true) => OwnEntry::AllInSubset { table },
            _ => OwnEntry::All { table },
        }
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
