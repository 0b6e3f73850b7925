//! The engine's choice: what it is handed, and what comes back.

use super::{Field, Kept, Link, Table, World};
use pg_dump_archive::DumpId;
use staging_sync_engine::error::Error;
use staging_sync_engine::event::Sink;
use staging_sync_engine::part::{choose, Looked, Selection};
use staging_sync_engine::plan::part::{
    Compared, Missing, Part, PartBlock, PartColumn, PartRule, Reference, Relation, ValueType,
};
use staging_sync_engine::plan::TableName;
use staging_sync_engine::postgres::Target;
use std::collections::{BTreeSet, HashSet};
use tokio::sync::mpsc;

impl World {
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
                        kind: Some(value_type(kind)),
                    });
                Relation {
                    table: TableName::new(&self.schema, &table.name),
                    blocks: (0..table.blocks.len())
                        .map(|block| PartBlock {
                            load: load(at, block),
                            positions: (0..table.columns.len()).collect(),
                        })
                        .collect(),
                    columns: columns.collect(),
                    rule: table.rule.clone(),
                    is_excluded: table.is_excluded,
                }
            })
            .collect();
        let references = links.iter().map(|link| Reference {
            name: link_name(&self.tables[link.from], link),
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
            may_be_null: None,
        });
        Part {
            references: references.collect(),
            relations,
            allow_empty: self.allow_empty,
        }
    }

    /// What reasons call a link.
    pub fn name_of(&self, link: usize) -> String {
        let link = &self.links[link];
        link_name(&self.tables[link.from], link)
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
            let is_there = !self.tables[link.to].is_excluded;
            is_there
                && link.enforced
                && link.from_block.is_none()
                && link.to_block.is_none()
                && link.only_where.is_none()
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
        let chosen = choose(target, &self.part(), None, |_| self.looked(&HashSet::new())).await?;
        Ok(chosen.expect("a look at all rows needs no keys"))
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
        let chosen = choose(target, &self.part(), Some(most), look).await?;
        Ok((chosen, blocks))
    }

    /// All rows, as a look hands them on, but for those of some blocks.
    pub fn looked(&self, passed_over: &HashSet<DumpId>) -> mpsc::Receiver<Looked> {
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

fn link_name(from: &Table, link: &Link) -> String {
    format!("{}.{:?}", from.name, link.columns)
}

pub fn load(table: usize, block: usize) -> DumpId {
    DumpId((table * 10 + block + 1) as i32)
}

/// A column's type; what the server does not have itself is in public.
fn value_type(kind: &str) -> ValueType {
    let own = ["mood[]", "short"].contains(&kind);
    ValueType {
        sql: if own {
            format!("public.{kind}")
        } else {
            kind.to_owned()
        },
        collation: None,
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
