//! What the tests of a part share: tables with rows in memory, the choice by definition, and the one that the engine makes.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pg_dump_archive::DumpId;
use staging_sync_engine::error::Error;
use staging_sync_engine::event::Sink;
use staging_sync_engine::part::{choose, choose_by_keys, Looked, Selection};
use staging_sync_engine::plan::part::{
    Cap, Compared, Missing, Part, PartBlock, PartColumn, PartRule, Reference, Relation, ValueType,
};
use staging_sync_engine::plan::TableName;
use staging_sync_engine::postgres::Target;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use tokio::sync::mpsc;

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

type Row = (usize, usize, usize);

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

    fn row(&self, (table, block, row): Row) -> &[Field] {
        &self.tables[table].blocks[block][row]
    }

    fn all_rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for (at, table) in self.tables.iter().enumerate() {
            for (block, of) in table.blocks.iter().enumerate() {
                rows.extend((0..of.len()).map(|row| (at, block, row)));
            }
        }
        rows
    }

    /// The row that one refers to, if the backup holds it.
    fn counterpart(&self, link: &Link, row: Row) -> Option<Row> {
        let values = self.row(row);
        if link.from_block.is_some_and(|block| block != row.1) {
            return None;
        }
        if let Some((column, names)) = &link.only_where {
            values[*column].as_ref().filter(|value| names.contains(value))?;
        }
        let to = &self.tables[link.to];
        for (block, rows) in to.blocks.iter().enumerate() {
            if link.to_block.is_some_and(|only| only != block) {
                continue;
            }
            for (at, other) in rows.iter().enumerate() {
                let is_equal = link
                    .columns
                    .iter()
                    .all(|(from, to)| match (&values[*from], &other[*to]) {
                        (Some(one), Some(other)) => same(one, other),
                        _ => false,
                    });
                if is_equal {
                    return Some((link.to, block, at));
                }
            }
        }
        None
    }

    /// The rows that a table's own rule keeps.
    fn own(&self, at: usize) -> BTreeSet<Row> {
        let table = &self.tables[at];
        let mut rows: Vec<Row> = self.all_rows().into_iter().filter(|row| row.0 == at).collect();
        let PartRule::Own { cap, .. } = &table.rule else {
            return rows.into_iter().collect();
        };
        if let Some((column, than)) = table.less_than {
            rows.retain(|row| number(&self.row(*row)[column]).is_some_and(|number| number < than));
        }
        if let Some(cap) = cap {
            let order: Vec<usize> = cap.order.iter().map(|name| table.column(name)).collect();
            rows.sort_by(|a, b| {
                let by_column = order.iter().map(|column| {
                    let (a, b) = (number(&self.row(*a)[*column]), number(&self.row(*b)[*column]));
                    match (a, b) {
                        (None, None) => Ordering::Equal,
                        (None, _) => Ordering::Greater,
                        (_, None) => Ordering::Less,
                        (Some(a), Some(b)) if cap.descending => b.cmp(&a),
                        (Some(a), Some(b)) => a.cmp(&b),
                    }
                });
                let by_place = if cap.descending { b.cmp(a) } else { a.cmp(b) };
                by_column.fold(Ordering::Equal, Ordering::then).then(by_place)
            });
            rows.truncate(usize::try_from(cap.rows).unwrap());
        }
        rows.into_iter().collect()
    }

    /// The choice as the definition has it, step by step.
    pub fn by_definition(&self) -> Kept {
        let is = |row: &Row, rule: &PartRule| self.tables[row.0].rule == *rule;
        let mut counterparts: Vec<(usize, Row, Row)> = Vec::new();
        for (at, link) in self.links.iter().enumerate() {
            for row in self.all_rows().into_iter().filter(|row| row.0 == link.from) {
                counterparts.extend(self.counterpart(link, row).map(|other| (at, row, other)));
            }
        }
        let binding = || counterparts.iter().filter(|(at, ..)| !self.links[*at].nullify);
        // Downwards, to the greatest fixpoint.
        let mut stays: BTreeSet<Row> = (0..self.tables.len()).flat_map(|at| self.own(at)).collect();
        loop {
            let gone = binding().find(|(_, row, other)| {
                stays.contains(row) && !is(row, &PartRule::All) && !stays.contains(other)
            });
            match gone {
                Some((_, row, _)) => stays.remove(row),
                None => break,
            };
        }
        // Upwards, to the least.
        while let Some((.., other)) =
            binding().find(|(_, row, other)| stays.contains(row) && !stays.contains(other))
        {
            stays.insert(*other);
        }
        // What is there to be referred to shrinks.
        let is_referenced = |row: &Row| is(row, &PartRule::Referenced);
        let mut left: BTreeSet<Row> = stays.iter().copied().filter(|row| !is_referenced(row)).collect();
        while let Some((.., other)) = counterparts
            .iter()
            .find(|(_, row, other)| left.contains(row) && stays.contains(other) && !left.contains(other))
        {
            left.insert(*other);
        }
        let mut kept = Kept::default();
        for (at, table) in self.tables.iter().enumerate() {
            for block in 0..table.blocks.len() {
                let of_block = left.iter().filter(|row| (row.0, row.1) == (at, block));
                kept.rows.insert((at, block), of_block.map(|row| row.2).collect());
            }
        }
        for (at, row, other) in &counterparts {
            if self.links[*at].nullify && left.contains(row) && !left.contains(other) {
                let place = self.links[*at].columns[0].0;
                kept.nulls.entry((place, row.0, row.1)).or_default().insert(row.2);
            }
        }
        kept
    }

    /// What the engine is handed.
    pub fn part(&self) -> Part {
        let names = |table: &Table| -> BTreeSet<String> {
            let PartRule::Own { condition, cap } = &table.rule else {
                return BTreeSet::new();
            };
            let order = cap.iter().flat_map(|cap| cap.order.iter().cloned());
            let words = condition
                .iter()
                .flat_map(|condition| condition.split([' ', '(', ')']));
            order.chain(words.map(str::to_owned)).collect()
        };
        let links: Vec<&Link> = self
            .links
            .iter()
            .filter(|link| self.tables[link.to].rule != PartRule::All)
            .collect();
        let relations: Vec<Relation> = self
            .tables
            .iter()
            .enumerate()
            .map(|(at, table)| {
                let named = names(table);
                let is_key = |column: usize| {
                    links.iter().any(|link| {
                        link.from == at
                            && (link.columns.iter().any(|(from, _)| *from == column)
                                || link.only_where.as_ref().is_some_and(|(only, _)| *only == column))
                            || link.to == at && link.columns.iter().any(|(_, to)| *to == column)
                    })
                };
                // Every column is looked at, so that links keep their places.
                let columns = table
                    .columns
                    .iter()
                    .enumerate()
                    .map(|(place, (name, kind))| PartColumn {
                        name: name.clone(),
                        compared: compared(kind),
                        is_key: is_key(place) || !named.contains(name),
                        kind: ValueType::Made,
                    });
                Relation {
                    table: TableName::new(&self.schema, &table.name),
                    blocks: (0..table.blocks.len())
                        .map(|block| PartBlock {
                            load: load(at, block),
                            positions: (0..table.columns.len()).collect(),
                            key: None,
                        })
                        .collect(),
                    columns: columns.collect(),
                    rule: table.rule.clone(),
                }
            })
            .collect();
        let references = links.iter().map(|link| Reference {
            name: format!("{}.{:?}", self.tables[link.from].name, link.columns),
            from: link.from,
            to: link.to,
            columns: link.columns.clone(),
            only_where: link.only_where.clone(),
            from_block: link.from_block,
            to_block: link.to_block,
            enforced: link.enforced,
            missing: match link.nullify {
                false => Missing::Drop,
                true => Missing::Nullify(self.names_of(link)),
            },
        });
        Part {
            references: references.collect(),
            relations,
            allow_empty: self.allow_empty,
        }
    }

    fn names_of(&self, link: &Link) -> Vec<String> {
        let columns = link.columns.iter().map(|(from, _)| *from);
        columns
            .map(|from| self.tables[link.from].columns[from].0.clone())
            .collect()
    }

    /// The tables, without their links.
    pub fn create_sql(&self) -> String {
        let mut sql = format!("CREATE SCHEMA {};", self.schema);
        for table in &self.tables {
            let columns: Vec<String> = table
                .columns
                .iter()
                .map(|(name, kind)| format!("{name} {kind}"))
                .collect();
            let keys = table.keys.iter().enumerate().map(|(at, key)| {
                let kind = if at == 0 && table.has_primary {
                    "PRIMARY KEY"
                } else {
                    "UNIQUE"
                };
                let names: Vec<&str> = key
                    .iter()
                    .map(|column| table.columns[*column].0.as_str())
                    .collect();
                format!("{kind} ({})", names.join(", "))
            });
            let parts: Vec<String> = columns.into_iter().chain(keys).collect();
            sql.push_str(&format!(
                "CREATE TABLE {}.{} ({});",
                self.schema,
                table.name,
                parts.join(", ")
            ));
        }
        sql
    }

    /// The links that PostgreSQL can be asked to check.
    pub fn foreign_keys_sql(&self) -> String {
        let mut sql = String::new();
        let checked = |link: &&Link| {
            link.enforced && link.from_block.is_none() && link.to_block.is_none() && link.only_where.is_none()
        };
        for link in self.links.iter().filter(checked) {
            let list = |table: usize, columns: Vec<usize>| {
                let names: Vec<&str> = columns
                    .iter()
                    .map(|column| self.tables[table].columns[*column].0.as_str())
                    .collect();
                names.join(", ")
            };
            sql.push_str(&format!(
                "ALTER TABLE {0}.{1} ADD FOREIGN KEY ({2}) REFERENCES {0}.{3} ({4});",
                self.schema,
                self.tables[link.from].name,
                list(link.from, link.columns.iter().map(|(from, _)| *from).collect()),
                self.tables[link.to].name,
                list(link.to, link.columns.iter().map(|(_, to)| *to).collect()),
            ));
        }
        sql
    }

    /// A block's rows as COPY text.
    pub fn text(&self, table: usize, block: usize) -> String {
        let row = |row: &Vec<Field>| {
            let fields: Vec<&str> = row
                .iter()
                .map(|field| field.as_deref().unwrap_or("\\N"))
                .collect();
            fields.join("\t") + "\n"
        };
        self.tables[table].blocks[block].iter().map(row).collect()
    }

    /// The engine's choice.
    pub async fn chosen(&self, target: &Target) -> Result<Selection, Error> {
        choose(target, &self.part(), "UTF8", self.looked(&HashSet::new())).await
    }

    /// The engine's choice where rows that decide by themselves are not looked at, and which blocks those were; None where
    /// more than `most` bytes of keys would have to be held.
    pub async fn chosen_by_keys(
        &self,
        target: &Target,
        most: u64,
    ) -> Result<(Option<Selection>, HashSet<DumpId>), Error> {
        let mut blocks = HashSet::new();
        let look = |passed_over: &HashSet<DumpId>| {
            blocks.clone_from(passed_over);
            self.looked(passed_over)
        };
        let chosen = choose_by_keys(target, &self.part(), most, look).await?;
        Ok((chosen, blocks))
    }

    /// All rows, as a look hands them on, but for those of some blocks.
    fn looked(&self, passed_over: &HashSet<DumpId>) -> mpsc::Receiver<Looked> {
        let (sender, receiver) = mpsc::channel(4);
        let mut items = Vec::new();
        for (at, table) in self.tables.iter().enumerate() {
            let blocks = 0..table.blocks.len();
            for block in blocks.filter(|block| !passed_over.contains(&load(at, *block))) {
                items.push(Looked::Start(load(at, block)));
                let text = self.text(at, block);
                // Two pieces where there are two rows.
                let middle = text.find('\n').map_or(0, |newline| newline + 1);
                let (first, second) = text.split_at(middle);
                let pieces = [first, second].into_iter().filter(|piece| !piece.is_empty());
                items.extend(pieces.map(|piece| Looked::Rows(piece.as_bytes().to_vec())));
                items.push(Looked::End);
            }
        }
        items.push(Looked::Finished);
        tokio::spawn(async move {
            for item in items {
                if sender.send(item).await.is_err() {
                    return;
                }
            }
        });
        receiver
    }

    /// A choice, as the definition's is written.
    pub fn as_kept(&self, selection: &Selection) -> Kept {
        let mut kept = Kept::default();
        for (at, table) in self.tables.iter().enumerate() {
            for (block, rows) in table.blocks.iter().enumerate() {
                let chosen = selection.of(load(at, block)).unwrap();
                assert_eq!(chosen.total(), rows.len() as u64);
                let of_block = (0..rows.len()).filter(|row| chosen.keeps(*row as u64));
                kept.rows.insert((at, block), of_block.collect());
                let links = self.links.iter();
                for link in links.filter(|link| link.from == at && link.nullify) {
                    let place = link.columns[0].0;
                    for row in 0..rows.len() as u64 {
                        if chosen.keeps(row) && chosen.nulls(row).any(|null| null == place) {
                            let entry = kept.nulls.entry((place, at, block)).or_default();
                            entry.insert(row as usize);
                        }
                    }
                }
            }
        }
        kept
    }

    /// A block's rows as the choice leaves them.
    pub fn sifted(&self, selection: &Selection, table: usize, block: usize) -> String {
        let mut out = Vec::new();
        let chosen = selection.of(load(table, block)).unwrap();
        let mut sieve = chosen.sieve();
        assert!(sieve.sift(self.text(table, block).as_bytes(), &mut out));
        sieve.end();
        String::from_utf8(out).unwrap()
    }

    /// The values of a column in the rows that are kept, in order.
    pub fn values(&self, kept: &Kept, table: &str, column: &str) -> Vec<String> {
        let at = self.at(table);
        let place = self.tables[at].column(column);
        let mut values = Vec::new();
        for (block, rows) in self.tables[at].blocks.iter().enumerate() {
            for row in &kept.rows[&(at, block)] {
                values.push(rows[*row][place].clone().unwrap_or_default());
            }
        }
        values
    }
}

pub fn load(table: usize, block: usize) -> DumpId {
    DumpId((table * 10 + block + 1) as i32)
}

fn fields(row: &str) -> Vec<Field> {
    let field = |field: &str| (field != "\\N").then(|| field.to_owned());
    row.split('\t').map(field).collect()
}

fn number(field: &Field) -> Option<i64> {
    field.as_ref()?.parse().ok()
}

/// Whether two values are equal to PostgreSQL: numbers however they are written.
fn same(one: &str, other: &str) -> bool {
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match (one.parse::<f64>(), other.parse::<f64>()) {
        (Ok(a), Ok(b)) if is_number(one) && is_number(other) => (a - b).abs() < 1e-9,
        _ => one == other,
    }
}

/// As the plan decides of types of which both sides of a reference are alike.
pub fn compared(kind: &str) -> Compared {
    match kind.split(['(', ' ']).next().unwrap() {
        "bigint" | "integer" | "smallint" => Compared::Number,
        "uuid" => Compared::Uuid,
        "numeric" | "char" => Compared::Value,
        _ => Compared::Text,
    }
}

/// A target that these tests may work in.
pub async fn target(settings: &staging_sync_engine::settings::TargetSettings) -> Target {
    Target::open(settings, &Sink::silent())
        .await
        .expect("the target opens")
}
