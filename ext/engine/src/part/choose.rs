//! From the rows of the first look to the choice.

use super::closure::{wanted, Closure};
use super::keys::{KeyTable, Types};
use super::look::{placed, Cutter};
use super::own;
use super::selection::{Chosen, Selection};
use crate::error::{Doing, Error, Kind, Result};
use crate::plan::part::{Missing, Part, PartRule};
use crate::postgres::{cut_rows, Session, Target};
use pg_dump_archive::DumpId;
use roaring::RoaringTreemap;
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::mpsc;

/// Memory of the session for sorting and hashing, and for its temporary tables. A session that has had temporary tables
/// keeps what it has for them.
const SETTINGS: [&str; 2] = ["SET work_mem = '32MB'", "SET temp_buffers = '32MB'"];

/// A session that waits for rows this long says something: proxies cut those that are silent.
const SILENCE: Duration = Duration::from_secs(120);

/// What the first look sees, in the archive's order.
#[derive(Debug)]
pub enum Looked {
    /// The rows of a block of the part follow.
    Start(DumpId),
    /// Whole rows of COPY text.
    Rows(Vec<u8>),
    /// There are no more rows of this block.
    End,
    /// There is nothing more to look at. A stream that ends otherwise has failed.
    Finished,
}

/// Chooses the rows that are kept. `encoding`: that of the rows.
///
/// # Errors
/// [`Kind::Plan`] when nothing is kept; [`Kind::Restore`] and its kin when the server refuses;
/// [`Kind::TargetConnection`] when the session breaks.
pub async fn choose(
    target: &Target,
    part: &Part,
    encoding: &str,
    rows: mpsc::Receiver<Looked>,
) -> Result<Selection> {
    let session = target.session().await?;
    let chosen = Choice::begin(&session, target, part, encoding).await;
    let chosen = match chosen {
        Ok(choice) => choice.run(rows).await,
        Err(error) => Err(error),
    };
    // Its temporary tables go with it.
    session.close().await;
    chosen
}

struct Choice<'a> {
    session: &'a Session,
    target: &'a Target,
    part: &'a Part,
    encoding: &'a str,
    tables: Vec<KeyTable>,
    types: Vec<Types>,
    /// Blocks that are still to come, for each relation.
    missing: Vec<usize>,
    totals: HashMap<DumpId, u64>,
}

impl<'a> Choice<'a> {
    async fn begin(
        session: &'a Session,
        target: &'a Target,
        part: &'a Part,
        encoding: &'a str,
    ) -> Result<Self> {
        for setting in SETTINGS {
            if let Err(error) = session.batch_execute(setting).await {
                if error.as_db_error().is_none() {
                    let doing = Doing::WithoutRows("preparing the choice of rows");
                    return Err(Error::from_server(doing, &error));
                }
            }
        }
        let mut choice = Self {
            session,
            target,
            part,
            encoding,
            tables: key_tables(part),
            types: Vec::new(),
            missing: part
                .relations
                .iter()
                .map(|relation| relation.blocks.len())
                .collect(),
            totals: HashMap::new(),
        };
        for (table, relation) in choice.tables.iter().zip(&part.relations) {
            let types = match table.waits {
                true => Types::of_table(session, relation).await?,
                false => Types::default(),
            };
            table.create(session, relation, &types).await?;
            choice.types.push(types);
        }
        Ok(choice)
    }

    async fn run(mut self, mut rows: mpsc::Receiver<Looked>) -> Result<Selection> {
        for at in 0..self.tables.len() {
            if self.missing[at] == 0 {
                self.complete(at).await?;
            }
        }
        loop {
            match tokio::time::timeout(SILENCE, rows.recv()).await {
                Ok(Some(Looked::Start(load))) => self.look(load, &mut rows).await?,
                Ok(Some(Looked::Finished)) => break,
                Ok(Some(Looked::Rows(_) | Looked::End)) => {
                    return Err(Error::internal("Rows were looked at outside of a table."))
                }
                Ok(None) => return Err(Error::interrupted()),
                Err(_) => self.session.ping().await?,
            }
        }
        if let Some(at) = self.missing.iter().position(|missing| *missing > 0) {
            return Err(Error::new(
                Kind::Archive,
                format!(
                    "The backup ended before all rows of {} had come.",
                    self.part.relations[at].table
                ),
                "Fetch the backup again, or take another one.",
            ));
        }
        let mut closure = Closure::new(self.session, self.part, &self.tables);
        let added = closure.run().await?;
        self.selection(&closure, &added).await
    }

    /// Takes a block's keys in.
    async fn look(&mut self, load: DumpId, rows: &mut mpsc::Receiver<Looked>) -> Result<()> {
        let found = self.part.relations.iter().enumerate().find_map(|(at, relation)| {
            let block = relation.blocks.iter().position(|block| block.load == load)?;
            Some((at, block))
        });
        let Some((at, block)) = found else {
            return Err(Error::internal(format!(
                "Rows of entry {load} were looked at for nothing."
            )));
        };
        let (relation, table) = (&self.part.relations[at], &self.tables[at]);
        let mut cutter = Cutter::new(table, block, &relation.blocks[block].positions);
        let name = relation.table.to_string();
        let damaged = || {
            Error::new(
                Kind::Archive,
                format!("Rows of {name} are not as COPY writes them."),
                "Take another backup; if it happens again, please report it.",
            )
        };
        let buffers = self.target.buffers();
        let (sender, receiver) = mpsc::channel(1);
        let cut = async {
            loop {
                match rows.recv().await {
                    Some(Looked::Rows(piece)) => {
                        let mut keys = buffers.take();
                        let is_whole = cutter.cut(&piece, &mut keys);
                        buffers.give(piece);
                        if !is_whole {
                            return Err(damaged());
                        }
                        if sender.send(keys).await.is_err() {
                            // Its session has ended, and says why.
                            break;
                        }
                    }
                    Some(Looked::End) => break,
                    _ => return Err(Error::interrupted()),
                }
            }
            drop(sender);
            Ok(cutter.rows)
        };
        let way = table.way(relation)?;
        let copied = cut_rows(
            self.session,
            load,
            name.clone(),
            way,
            receiver,
            self.target.buffers(),
        );
        let (rows, stored) = tokio::try_join!(cut, copied)?;
        if rows != stored {
            return Err(Error::internal(format!(
                "{rows} keys of {name} came, and {stored} were stored."
            )));
        }
        self.totals.insert(load, rows);
        self.missing[at] -= 1;
        if self.missing[at] == 0 {
            self.complete(at).await?;
        }
        Ok(())
    }

    /// All rows of a relation are there.
    async fn complete(&self, at: usize) -> Result<()> {
        let (relation, table) = (&self.part.relations[at], &self.tables[at]);
        if !table.waits {
            return Ok(());
        }
        own::move_in(self.session, table, relation, &self.types[at], self.encoding).await
    }

    async fn selection(&self, closure: &Closure<'_>, added: &[u64]) -> Result<Selection> {
        let mut selection = Selection::default();
        for (at, relation) in self.part.relations.iter().enumerate() {
            let mut kept = match relation.rule {
                PartRule::All => None,
                _ => Some(
                    self.places(&format!("SELECT place FROM {}", self.tables[at].sql()), at)
                        .await?,
                ),
            };
            for (block, of) in relation.blocks.iter().enumerate() {
                let chosen = Chosen {
                    total: self.totals.get(&of.load).copied().unwrap_or(0),
                    kept: kept.as_mut().map(|kept| std::mem::take(&mut kept[block])),
                    nulls: Vec::new(),
                };
                selection.blocks.insert(of.load, chosen);
            }
        }
        for (number, reference) in self.part.references.iter().enumerate() {
            let Missing::Nullify(columns) = &reference.missing else {
                continue;
            };
            let relation = &self.part.relations[reference.from];
            let found = self.places(&closure.nullified(number), reference.from).await?;
            for (of, rows) in relation.blocks.iter().zip(found) {
                let positions = relation.columns.iter().zip(&of.positions);
                let positions = positions.filter(|(column, _)| columns.contains(&column.name));
                let positions: Vec<usize> = positions.map(|(_, position)| *position).collect();
                if let Some(chosen) = selection.blocks.get_mut(&of.load).filter(|_| !rows.is_empty()) {
                    chosen.nulls.push((positions, rows));
                }
            }
        }
        let _ = added;
        self.refuse_empty(&selection)?;
        Ok(selection)
    }

    /// The places that a query selects, by block.
    async fn places(&self, query: &str, at: usize) -> Result<Vec<RoaringTreemap>> {
        let refused = |error| Error::from_server(Doing::WithRows("reading which rows were chosen"), &error);
        let blocks = self.part.relations[at].blocks.len();
        let mut found = vec![RoaringTreemap::new(); blocks];
        let sql = format!("COPY ({query}) TO STDOUT (FORMAT binary)");
        let mut stream = self.session.copy_out(&sql).await.map_err(refused)?;
        let mut tuples = Tuples::default();
        while let Some(bytes) = stream.try_next().await.map_err(refused)? {
            tuples.read(&bytes, |place| {
                let (block, row) = placed(place);
                if let Some(rows) = found.get_mut(block) {
                    rows.insert(row);
                }
            });
        }
        Ok(found)
    }

    /// A part without a row is hardly what was meant.
    fn refuse_empty(&self, selection: &Selection) -> Result<()> {
        let chosen = self.part.relations.iter();
        let mut chosen = chosen
            .filter(|relation| matches!(relation.rule, PartRule::Own { .. }))
            .peekable();
        let has_rows = |load: &DumpId| selection.of(*load).is_some_and(|chosen| chosen.kept() > 0);
        if self.part.allow_empty || chosen.peek().is_none() {
            return Ok(());
        }
        let mut blocks = chosen.flat_map(|relation| relation.blocks.iter().map(|block| &block.load));
        if blocks.any(has_rows) {
            return Ok(());
        }
        Err(Error::new(
            Kind::Plan,
            "The subset keeps no row of any table that it names.",
            "Correct its conditions, or put allow_empty: true beside one of them, and run it again.",
        ))
    }
}

fn key_tables(part: &Part) -> Vec<KeyTable> {
    let wanted = wanted(part);
    let of = |at: usize| {
        let says_block = part
            .references
            .iter()
            .any(|one| one.from == at && one.from_block.is_some() || one.to == at && one.to_block.is_some());
        let is_asked_for = part.references.iter().any(|one| one.to == at && !one.enforced);
        KeyTable::new(at, &part.relations[at], says_block, wanted[at] || is_asked_for)
    };
    (0..part.relations.len()).map(of).collect()
}

/// Reads the numbers of a binary COPY of one bigint a row, however it is cut.
#[derive(Default)]
struct Tuples {
    rest: Vec<u8>,
    has_begun: bool,
}

/// The signature, the flags and the length of the extension, which is empty.
const HEAD: usize = 19;

/// The number of fields, the value's length, the value.
const TUPLE: usize = 2 + 4 + 8;

impl Tuples {
    fn read(&mut self, bytes: &[u8], mut each: impl FnMut(i64)) {
        self.rest.extend_from_slice(bytes);
        let mut at = 0;
        if !self.has_begun {
            if self.rest.len() < HEAD {
                return;
            }
            self.has_begun = true;
            at = HEAD;
        }
        while let Some(tuple) = self.rest.get(at..at + TUPLE) {
            if let Some(number) = tuple.last_chunk() {
                each(i64::from_be_bytes(*number));
            }
            at += TUPLE;
        }
        self.rest.drain(..at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pg_dump_archive::copy::binary::{Form, Layout, HEADER, TRAILER};
    use pg_dump_archive::copy::Splitter;

    #[test]
    fn numbers_are_read_however_the_stream_is_cut() {
        let mut stream = HEADER.to_vec();
        let encoded = Layout::new(vec![Form::Int8]).is_some_and(|layout| {
            layout.encode(b"1\n-2\n1099511627776\n", &mut Splitter::new(), &mut stream)
        });
        assert!(encoded);
        stream.extend_from_slice(TRAILER);
        for size in 1..stream.len() {
            let (mut tuples, mut found) = (Tuples::default(), Vec::new());
            for part in stream.chunks(size) {
                tuples.read(part, |number| found.push(number));
            }
            assert_eq!(found, [1, -2, 1 << 40]);
        }
    }
}
