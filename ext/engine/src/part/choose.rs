//! From the rows of the first look to the choice.

use super::beforehand::{self, Asked};
use super::closure::{wanted, Closure};
use super::keys::{KeyTable, Types};
use super::look::{place, placed, Cutter};
use super::own;
use super::selection::{Chosen, Selection};
use super::tuples::Tuples;
use super::why::{self, Reason, Sought};
use crate::error::{Doing, Error, Kind, Result};
use crate::plan::part::{Missing, Part, PartRule};
use crate::plan::Plan;
use crate::postgres::{cut_rows, Buffers, Session, Target};
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
    /// The end of the rows. A stream that ends without it has failed.
    Finished,
}

/// Chooses the rows that are kept, where the backup's schema stands. `encoding`: that of the rows.
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
    let mut types = Vec::new();
    for relation in &part.relations {
        types.push(Types::of_table(&session, relation).await?);
    }
    let chooser = Chooser::new(session, target.buffers(), part, encoding, types).await?;
    chooser.choose(rows).await
}

/// A session that is ready to choose, with tables for what it needs.
pub(crate) struct Chooser<'a> {
    session: Session,
    buffers: Buffers,
    part: &'a Part,
    encoding: &'a str,
    tables: Vec<KeyTable>,
    types: Vec<Types>,
    /// Blocks that are still to come, for each relation.
    missing: Vec<usize>,
    totals: HashMap<DumpId, u64>,
    /// The row that is asked about, and where it was seen: its relation and its place.
    sought: Option<Sought>,
    found: Option<(usize, i64)>,
}

impl<'a> Chooser<'a> {
    /// One that needs nothing of the backup's schema. None where it would: then the choice can be made only once that
    /// stands.
    ///
    /// # Errors
    /// [`Kind::Plan`] for rules that the server refuses, all at once; besides as [`choose`].
    pub(crate) async fn beforehand(
        session: Session,
        buffers: Buffers,
        plan: &'a Plan,
    ) -> Result<Option<Self>> {
        let Some(part) = &plan.part else {
            return Ok(None);
        };
        let mut asked = Asked::default();
        let types = beforehand::types(&session, plan, part, &mut asked).await?;
        asked.check()?;
        let Some(types) = types else {
            session.close().await;
            return Ok(None);
        };
        Self::new(session, buffers, part, &plan.encoding, types)
            .await
            .map(Some)
    }

    async fn new(
        session: Session,
        buffers: Buffers,
        part: &'a Part,
        encoding: &'a str,
        types: Vec<Types>,
    ) -> Result<Self> {
        for setting in SETTINGS {
            if let Err(error) = session.batch_execute(setting).await {
                if error.as_db_error().is_none() {
                    let doing = Doing::WithoutRows("preparing the choice of rows");
                    return Err(Error::from_server(doing, &error));
                }
            }
        }
        let tables = key_tables(part);
        for ((table, relation), types) in tables.iter().zip(&part.relations).zip(&types) {
            table.create(&session, relation, types).await?;
        }
        let blocks = part.relations.iter().map(|relation| relation.blocks.len());
        Ok(Self {
            missing: blocks.collect(),
            session,
            buffers,
            part,
            encoding,
            tables,
            types,
            totals: HashMap::new(),
            sought: None,
            found: None,
        })
    }

    /// Chooses by the rows of the first look.
    ///
    /// # Errors
    /// As [`choose`].
    pub(crate) async fn choose(mut self, rows: mpsc::Receiver<Looked>) -> Result<Selection> {
        let chosen = self.run(rows).await;
        // Its temporary tables go with it.
        self.session.close().await;
        chosen
    }

    /// Says why a row comes, or why it does not.
    ///
    /// # Errors
    /// As [`choose`].
    pub(crate) async fn why(
        mut self,
        sought: Sought,
        rows: mpsc::Receiver<Looked>,
    ) -> Result<Option<Vec<Reason>>> {
        self.sought = Some(sought);
        self.take_in(rows).await?;
        let mut closure = Closure::new(&self.session, self.part, &self.tables);
        closure.keeps_copies = true;
        closure.run().await?;
        let reasons = match self.found {
            Some((relation, place)) => Some(why::reasons(&closure, relation, place).await?),
            None => None,
        };
        self.session.close().await;
        Ok(reasons)
    }

    async fn run(&mut self, rows: mpsc::Receiver<Looked>) -> Result<Selection> {
        self.take_in(rows).await?;
        let mut closure = Closure::new(&self.session, self.part, &self.tables);
        let added = closure.run().await?;
        self.selection(&closure, added).await
    }

    /// Takes the keys of all rows in.
    async fn take_in(&mut self, mut rows: mpsc::Receiver<Looked>) -> Result<()> {
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
        Ok(())
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
        cutter.sought = self.sought.as_ref().and_then(|sought| {
            let position = sought.blocks.get(&load)?;
            Some((*position, sought.id.as_slice()))
        });
        let name = relation.table.to_string();
        let (sender, receiver) = mpsc::channel(1);
        let cut = cut(rows, cutter, sender, &self.buffers, &name);
        let way = table.way(relation)?;
        let copied = cut_rows(
            &self.session,
            load,
            name.clone(),
            way,
            receiver,
            self.buffers.clone(),
        );
        let ((rows, found), stored) = tokio::try_join!(cut, copied)?;
        if let Some(row) = found {
            self.found = Some((at, place(block, row)));
        }
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
        own::move_in(&self.session, table, relation, &self.types[at], self.encoding).await
    }

    async fn selection(&self, closure: &Closure<'_>, added: Vec<u64>) -> Result<Selection> {
        let mut selection = Selection {
            added,
            ..Selection::default()
        };
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

/// Cuts the keys out of a block's rows and sends them on. Returns how many rows there were, and the row that is sought.
async fn cut(
    rows: &mut mpsc::Receiver<Looked>,
    mut cutter: Cutter<'_>,
    sender: mpsc::Sender<Vec<u8>>,
    buffers: &Buffers,
    table: &str,
) -> Result<(u64, Option<u64>)> {
    loop {
        match rows.recv().await {
            Some(Looked::Rows(piece)) => {
                let mut keys = buffers.take();
                let is_whole = cutter.cut(&piece, &mut keys);
                buffers.give(piece);
                if !is_whole {
                    return Err(Error::new(
                        Kind::Archive,
                        format!("Rows of {table} are not as COPY writes them."),
                        "Take another backup; if it happens again, please report it.",
                    ));
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
    Ok((cutter.rows, cutter.found))
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
