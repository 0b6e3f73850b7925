//! From the rows of the first look to the choice.

use super::alone;
use super::beforehand::{self, Known};
use super::closure::{wanted, Closure};
use super::held::Held;
use super::keys::{KeyTable, Types};
use super::look::{place, Cutter};
use super::own;
use super::selection::Selection;
use super::why::Sought;
use crate::error::{Doing, Error, Kind, Result};
use crate::failure::{Attempt, JobFailure, JobRemedy};
use crate::plan::part::{Needs, Part, Relation};
use crate::plan::Plan;
use crate::postgres::made::make;
use crate::postgres::{cut_rows, Buffers, Session, Target};
use pg_dump_archive::DumpId;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tokio::sync::mpsc;

/// Memory of the session for sorting and hashing, and for its temporary tables: a session that has had temporary tables
/// keeps what it has for them. And the time zone in which conditions read times, which is that of Rails, so that the same
/// rows come whatever the target's is.
const SETTINGS: [&str; 3] = [
    "SET work_mem = '32MB'",
    "SET temp_buffers = '32MB'",
    "SET TimeZone = 'UTC'",
];

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

/// Chooses the rows of a part that are kept, by rows that the caller hands on. `most`: the look passes over rows which decide by
/// themselves, unless the keys by which they are decided take more than so many bytes of memory: then it is None.
///
/// # Errors
/// [`Kind::Plan`] when the server refuses a rule, or nothing is kept; [`Kind::Restore`] and its kin when it refuses otherwise;
/// [`Kind::TargetConnection`] when the session breaks.
#[doc(hidden)]
pub async fn choose(
    target: &Target,
    part: &Part,
    most: Option<u64>,
    rows: impl FnOnce(&HashSet<DumpId>) -> mpsc::Receiver<Looked>,
) -> Result<Option<Selection>> {
    let breadth = most.map_or(Breadth::All, |_| Breadth::Needed);
    let mut chooser = over(target, part, breadth).await?;
    chooser.most_held = most.unwrap_or(HELD);
    let rows = rows(&chooser.passed_over());
    match chooser.choose(rows).await? {
        Choice::Made(selection) => Ok(Some(selection)),
        Choice::TooManyKeys(_) => Ok(None),
    }
}

/// What chooses rows of a part that needs nothing of the backup's own.
///
/// # Errors
/// As [`choose`].
pub(super) async fn over<'a>(target: &Target, part: &'a Part, breadth: Breadth) -> Result<Chooser<'a>> {
    let from = (target.session().await?, target.buffers());
    Chooser::of_part(from, (part, Needs::default(), "UTF8"), breadth).await
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
    /// In a transaction, in which what the rules need was made.
    is_within: bool,
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
    /// One that needs nothing of what the database holds: what the rules need of the backup's own is made in a transaction,
    /// in which the choice is then made, and goes with it.
    ///
    /// # Errors
    /// [`Kind::Plan`] for rules that the server refuses, all at once; besides as [`choose`].
    pub(crate) async fn begin(
        session: Session,
        buffers: Buffers,
        plan: &'a Plan,
        breadth: Breadth,
    ) -> Result<Self> {
        let part = plan.part.as_ref();
        let part = part.ok_or_else(|| Error::internal("Rows are chosen where all of them come."))?;
        Self::of_part((session, buffers), (part, plan.needs(), &plan.encoding), breadth).await
    }

    pub(super) async fn of_part(
        (session, buffers): (Session, Buffers),
        (whole, needs, encoding): (&'a Part, Needs, &'a str),
        breadth: Breadth,
    ) -> Result<Self> {
        let Known { types, is_made } = beforehand::known(&session, whole, &needs).await?;
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
        let all = || tables.iter().zip(&part.relations).zip(&types);
        // A transaction keeps a lock of each table until it ends, and the server has room for some thousands.
        let is_later = |relation: &Relation| is_made && KeyTable::holds_values(relation);
        for ((table, relation), types) in all().filter(|((_, relation), _)| !is_later(relation)) {
            table.create(&session, relation, types).await?;
        }
        if is_made {
            control(&session, "BEGIN").await?;
            make(&session, needs.all()).await?;
        }
        for ((table, relation), types) in all().filter(|((_, relation), _)| is_later(relation)) {
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
            is_within: is_made,
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
        let chosen = self.run(rows).await;
        // What was made for it is gone before anything else happens in the database.
        let undone = match self.is_within {
            true => control(&self.session, "ROLLBACK").await,
            false => Ok(()),
        };
        if let Ok(None) = chosen {
            return undone.map(|()| Choice::TooManyKeys(self.session));
        }
        // Its temporary tables go with it.
        self.session.close().await;
        let chosen = chosen?.ok_or_else(Error::interrupted)?;
        Ok(Choice::Made(chosen))
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
            if self.part.relations[at].blocks.is_empty() {
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
    pub(super) async fn look(&mut self, load: DumpId, rows: &mut mpsc::Receiver<Looked>) -> Result<()> {
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
        let of = (table, relation);
        own::move_in(&self.session, of, &self.types[at], self.encoding, self.is_within).await?;
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

async fn control(session: &Session, sql: &str) -> Result<()> {
    let done = session.batch_execute(sql).await;
    done.map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::ChoosingRows), &error))
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
