//! What the tests of a part share: tables with rows in memory, from which come the choice by definition (`definition`) and the
//! one that the engine makes (`engine`).
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod definition;
mod engine;

pub use engine::{load, target};

use staging_sync_engine::plan::part::{Cap, PartRule};
use std::collections::{BTreeMap, BTreeSet};

/// A field as COPY text; None is NULL.
pub type Field = Option<String>;

/// A table with its rows.
#[derive(Clone, Debug)]
pub struct Table {
    pub name: String,
    /// Names and SQL types.
    pub columns: Vec<(String, String)>,
    /// Unique keys, the primary one first if it has one.
    pub keys: Vec<Vec<usize>>,
    pub has_primary: bool,
    /// The rows of each block.
    pub blocks: Vec<Vec<Vec<Field>>>,
    pub rule: PartRule,
    /// What the condition means, for a column of whole numbers: it is less than this.
    pub less_than: Option<(usize, i64)>,
    /// Its rows stay out.
    pub is_excluded: bool,
}

impl Table {
    pub fn column(&self, name: &str) -> usize {
        let found = self.columns.iter().position(|(known, _)| known == name);
        found.unwrap_or_else(|| panic!("{} has no column {name}", self.name))
    }
}

/// How rows of one table refer to those of another, by names and places of columns.
#[derive(Clone, Debug)]
pub struct Link {
    pub from: usize,
    pub to: usize,
    pub columns: Vec<(usize, usize)>,
    pub only_where: Option<(usize, Vec<String>)>,
    pub from_block: Option<usize>,
    pub to_block: Option<usize>,
    pub enforced: bool,
    pub nullify: bool,
}

#[derive(Clone, Debug, Default)]
pub struct World {
    pub schema: String,
    pub tables: Vec<Table>,
    pub links: Vec<Link>,
    pub allow_empty: bool,
}

/// What is kept: for each table and block the rows, and those in which each link becomes NULL.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Kept {
    pub rows: BTreeMap<(usize, usize), BTreeSet<usize>>,
    pub nulls: BTreeMap<(usize, usize, usize), BTreeSet<usize>>,
}

/// A row by its table, its block and its number there.
pub type Row = (usize, usize, usize);

impl World {
    pub fn new(schema: &str) -> Self {
        Self {
            schema: schema.to_owned(),
            ..Self::default()
        }
    }

    /// A table: `id bigint, name text`, its keys (`id`, `a b`), and its rows as COPY text.
    pub fn table(mut self, name: &str, columns: &str, keys: &[&str], rows: &[&str]) -> Self {
        let columns: Vec<(String, String)> = columns
            .split(", ")
            .map(|column| {
                let (name, kind) = column.split_once(' ').unwrap();
                (name.to_owned(), kind.to_owned())
            })
            .collect();
        let mut table = Table {
            name: name.to_owned(),
            columns,
            keys: Vec::new(),
            has_primary: !keys.is_empty(),
            blocks: vec![rows.iter().map(|row| fields(row)).collect()],
            rule: PartRule::Follows,
            less_than: None,
            is_excluded: false,
        };
        let places = |key: &&str| key.split(' ').map(|column| table.column(column)).collect();
        table.keys = keys.iter().map(places).collect();
        self.tables.push(table);
        self
    }

    /// A further block of the last table.
    pub fn block(mut self, rows: &[&str]) -> Self {
        let blocks = &mut self.tables.last_mut().unwrap().blocks;
        blocks.push(rows.iter().map(|row| fields(row)).collect());
        self
    }

    /// The rule of the last table.
    pub fn rule(mut self, rule: PartRule) -> Self {
        self.tables.last_mut().unwrap().rule = rule;
        self
    }

    /// The rows of the last table stay out.
    pub fn excluded(mut self) -> Self {
        self.tables.last_mut().unwrap().is_excluded = true;
        self
    }

    /// The last table keeps rows in which a column is less than a number.
    pub fn less(mut self, column: &str, than: i64) -> Self {
        let table = self.tables.last_mut().unwrap();
        table.less_than = Some((table.column(column), than));
        table.rule = PartRule::Own {
            condition: Some(format!("{column} < {than}")),
            cap: None,
        };
        self
    }

    /// The last table keeps so many rows in the order of these columns.
    pub fn cap(mut self, rows: u64, order: &[&str], descending: bool) -> Self {
        let table = self.tables.last_mut().unwrap();
        let condition = match &table.rule {
            PartRule::Own { condition, .. } => condition.clone(),
            _ => None,
        };
        table.rule = PartRule::Own {
            condition,
            cap: Some(Cap {
                rows,
                order: order.iter().map(|name| (*name).to_owned()).collect(),
                descending,
            }),
        };
        self
    }

    /// `orders.user_id` refers to `users.id`; several columns are separated by blanks.
    pub fn link(mut self, from: &str, to: &str) -> Self {
        let place = |name: &str| {
            let (table, columns) = name.split_once('.').unwrap();
            let at = self.at(table);
            let columns: Vec<usize> = columns
                .split(' ')
                .map(|one| self.tables[at].column(one))
                .collect();
            (at, columns)
        };
        let ((from, of), (to, other)) = (place(from), place(to));
        self.links.push(Link {
            from,
            to,
            columns: of.into_iter().zip(other).collect(),
            only_where: None,
            from_block: None,
            to_block: None,
            enforced: true,
            nullify: false,
        });
        self
    }

    /// No constraint says the last link.
    pub fn soft(mut self) -> Self {
        self.links.last_mut().unwrap().enforced = false;
        self
    }

    /// The last link becomes NULL when its row goes.
    pub fn nullify(mut self) -> Self {
        self.links.last_mut().unwrap().nullify = true;
        self
    }

    /// The last link holds where a column has one of these values.
    pub fn only(mut self, column: &str, values: &[&str]) -> Self {
        let from = self.links.last().unwrap().from;
        let column = self.tables[from].column(column);
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        let link = self.links.last_mut().unwrap();
        (link.only_where, link.enforced) = (Some((column, values)), false);
        self
    }

    pub fn at(&self, name: &str) -> usize {
        let found = self.tables.iter().position(|table| table.name == name);
        found.unwrap_or_else(|| panic!("there is no table {name}"))
    }
}

fn fields(row: &str) -> Vec<Field> {
    let field = |field: &str| (field != "\\N").then(|| field.to_owned());
    row.split('\t').map(field).collect()
}
