//! From the rows of the first look to the choice.

use super::alone;
use super::beforehand::{self, Asked};
use super::closure::{wanted, Closure};
use super::held::Held;
use super::keys::{KeyTable, Types};
use super::look::{place, Cutter};
use super::own;
use super::selection::Selection;
use super::why::Sought;
use crate::error::{Doing, Error, Kind, Result};
use crate::failure::{Attempt, JobFailure, JobRemedy};
use crate::plan::part::Part;
use crate::plan::Plan;
use crate::postgres::{cut_rows, Buffers, Session, Target};
use pg_dump_archive::DumpId;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tokio::sync::mpsc;

/// Memory of the session for sorting and hashing, and for its temporary tables. A session that has had temporary tables
/// keeps what it has for them.
const SETTINGS: [&str; 2] = ["SET work_mem = '32MB'", "SET temp_buffers = '32MB'"];

/// A session that waits for rows this long says something: proxies cut those that are silent.
const SILENCE: Duration = Duration::from_secs(120);

/// So many bytes of memory the keys may take by which rows decide by themselves.
const HELD: u64 = 8 * 1024 * 1024;

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
    let chooser = over(target, part, Breadth::All, encoding).await?;
    chooser.choose(rows).await?.all()
}

/// What chooses where the backup's schema stands.
///
/// # Errors
/// When the server refuses.
pub(super) async fn over<'a>(
    target: &Target,
    part: &'a Part,
    breadth: Breadth,
    encoding: &'a str,
) -> Result<Chooser<'a>> {
    let session = target.session().await?;
    let mut types = Vec::new();
    for relation in &part.relations {
        types.push(Types::of_table(&session, relation).await?);
    }
    let from = (session, target.buffers());
    Chooser::new(from, part, breadth, encoding, types).await
}

/// As [`choose`], from a look that passes over rows which decide by themselves; None where the keys by which they are decided take
/// more than `most` bytes of memory.
///
/// # Errors
/// As [`choose`].
#[doc(hidden)]
pub async fn choose_by_keys(
    target: &Target,
    part: &Part,
    most: u64,
    rows: impl FnOnce(&HashSet<DumpId>) -> mpsc::Receiver<Looked>,
) -> Result<Option<Selection>> {
    let mut chooser = over(target, part, Breadth::Needed, "UTF8").await?;
    chooser.most_held = most;
    let rows = rows(&chooser.passed_over());
    match chooser.choose(rows).await? {
        Choice::Made(selection) => Ok(Some(selection)),
        Choice::TooManyKeys(_) => Ok(None),
    }
}

/// Which rows the first look is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Breadth {
    /// All that decide.
    All,
    /// Those on which others depend: the rest decide by themselves in the second look.
    Needed,
}

/// What came of a look.
pub(crate) enum Choice {
    Made(Selection),
    /// Rows are decided by so many keys that they do not fit into memory: all have to be looked at, over this session.
    TooManyKeys(Session),
}

impl Choice {
    /// The choice of a look at everything, which needs no keys.
    fn all(self) -> Result<Selection> {
        match self {
            Self::Made(selection) => Ok(selection),
            Self::TooManyKeys(_) => Err(Error::internal("A look at all rows needs no keys.")),
        }
    }
}

/// A session that is ready to choose, with tables for what it needs.
pub(crate) struct Chooser<'a> {
    pub(super) session: Session,
    buffers: Buffers,
    /// All of the part, and which of its relations' rows decide by themselves.
    whole: &'a Part,
    alone: Vec<bool>,
    /// What has to be looked at.
    pub(super) part: Part,
    encoding: &'a str,
    pub(super) tables: Vec<KeyTable>,
    types: Vec<Types>,
    /// Blocks that are still to come, for each relation.
    missing: Vec<usize>,
    pub(super) totals: HashMap<DumpId, u64>,
    /// Relations whose condition keeps no row.
    pub(super) unmet: Vec<usize>,
    /// The row that is asked about, and where it was seen: its relation and its place.
    pub(super) sought: Option<Sought>,
    pub(super) found: Option<(usize, i64)>,
    /// So many bytes of keys may be held.
    most_held: u64,
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
        breadth: Breadth,
    ) -> Result<Option<Self>> {
        let Some(part) = &plan.part else {
            return Ok(None);
        };
        let mut asked = Asked::default();
        let types = beforehand::types(&session, plan.functions(), part, &mut asked).await?;
        asked.check()?;
        let Some(types) = types else {
            session.close().await;
            return Ok(None);
        };
        Self::new((session, buffers), part, breadth, &plan.encoding, types)
            .await
            .map(Some)
    }

    async fn new(
        (session, buffers): (Session, Buffers),
        whole: &'a Part,
        breadth: Breadth,
        encoding: &'a str,
        types: Vec<Types>,
    ) -> Result<Self> {
        for setting in SETTINGS {
            if let Err(error) = session.batch_execute(setting).await {
                if error.as_db_error().is_none() {
                    let doing = Doing::WithoutRows(&Attempt::PreparingChoice);
                    return Err(Error::from_server(doing, &error));
                }
            }
        }
        let alone = match breadth {
            Breadth::All => vec![false; whole.relations.len()],
            Breadth::Needed => alone::alone(whole),
        };
        let part = alone::rest(whole, &alone);
        let tables = key_tables(&part, whole);
        for ((table, relation), types) in tables.iter().zip(&part.relations).zip(&types) {
            table.create(&session, relation, types).await?;
        }
        let blocks = part.relations.iter().map(|relation| relation.blocks.len());
        Ok(Self {
            missing: blocks.collect(),
            session,
            buffers,
            whole,
            alone,
            part,
            encoding,
            tables,
            types,
            totals: HashMap::new(),
            unmet: Vec::new(),
            sought: None,
            found: None,
            most_held: HELD,
        })
    }

    /// The blocks that the first look need not look at.
    pub(crate) fn passed_over(&self) -> HashSet<DumpId> {
        alone::blocks(self.whole, &self.alone)
    }

    /// Chooses by the rows of the first look.
    ///
    /// # Errors
    /// As [`choose`].
    pub(crate) async fn choose(mut self, rows: mpsc::Receiver<Looked>) -> Result<Choice> {
        match self.run(rows).await {
            Ok(None) => Ok(Choice::TooManyKeys(self.session)),
            chosen => {
                // Its temporary tables go with it.
                self.session.close().await;
                let chosen = chosen?.ok_or_else(Error::interrupted)?;
                Ok(Choice::Made(chosen))
            }
        }
    }

    /// None where the keys by which rows are decided do not fit into memory.
    async fn run(&mut self, rows: mpsc::Receiver<Looked>) -> Result<Option<Selection>> {
        self.take_in(rows).await?;
        let of = (self.whole, self.alone.as_slice());
        let mut held = Held::new(&self.session, &self.tables, of, self.most_held);
        if !held.before().await? {
            return Ok(None);
        }
        let mut closure = Closure::new(&self.session, &self.part, &self.tables);
        let added = closure.run().await?;
        if !held.after().await? {
            return Ok(None);
        }
        let mut selection = self.selection(&closure, added).await?;
        held.choose(&mut selection);
        Ok(Some(selection))
    }

    /// Takes the keys of all rows in.
    pub(super) async fn take_in(&mut self, mut rows: mpsc::Receiver<Looked>) -> Result<()> {
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
                JobFailure::RowsEndedEarly {
                    table: self.part.relations[at].table.to_string(),
                },
                JobRemedy::FetchOrTakeAnother,
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
    async fn complete(&mut self, at: usize) -> Result<()> {
        let (relation, table) = (&self.part.relations[at], &self.tables[at]);
        if !table.waits {
            return Ok(());
        }
        own::move_in(&self.session, table, relation, &self.types[at], self.encoding).await?;
        if own::keeps_none(&self.session, table, relation).await? {
            self.unmet.push(at);
        }
        Ok(())
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
                        JobFailure::RowsNotCopy {
                            table: table.to_string(),
                        },
                        JobRemedy::TakeAnotherOrReport,
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

/// `part`: what is looked at of `whole`.
fn key_tables(part: &Part, whole: &Part) -> Vec<KeyTable> {
    let wanted = wanted(part);
    let of = |at: usize| {
        let says_block = part
            .references
            .iter()
            .any(|one| one.from == at && one.from_block.is_some() || one.to == at && one.to_block.is_some());
        let is_asked_for = whole.references.iter().any(|one| one.to == at && !one.enforced);
        KeyTable::new(at, &part.relations[at], says_block, wanted[at] || is_asked_for)
    };
    (0..part.relations.len()).map(of).collect()
}
