//! Why a row comes, or why it does not: what its table's own rule says of it, what it refers to, and what refers to it.
//!
//! It is asked of the key tables as they were before the choice, without what went downwards, and in the end. Each reason
//! leads to a row that the definition looks at before this one, so that no circle of rows is its own reason.

mod row;

use super::choose::{over, Breadth, Chooser, Looked};
use super::closure::Closure;
use crate::error::{Error, Result};
use crate::plan::part::{Part, PartColumn, PartRule};
use crate::plan::TableName;
use crate::postgres::Target;
use pg_dump_archive::DumpId;
use row::Row;
use serde::Serialize;
use std::collections::HashMap;
use tokio::sync::mpsc;

/// A row by its primary key.
#[derive(Debug, Clone)]
pub(crate) struct Sought {
    /// Its table, as it was named.
    pub(crate) table: TableName,
    /// The blocks that may hold it, and where its key is in their rows.
    pub(crate) blocks: HashMap<DumpId, usize>,
    /// The key, as COPY writes it.
    pub(crate) id: Vec<u8>,
    /// The key's column, where equal values may be written differently: then `id` is only as a person wrote it.
    pub(crate) read_as: Option<PartColumn>,
}

/// One thing to say of a row; the next is of the row that it leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// What it is.
    pub what: What,
    /// The row's table.
    pub table: String,
    /// The reference that it is about.
    pub reference: Option<String>,
    /// The table at the other end.
    pub other: Option<String>,
    /// The values by which they are joined.
    pub key: Option<String>,
}

impl Reason {
    /// What is said without another row.
    pub(crate) fn of(what: What, table: String) -> Self {
        Self {
            what,
            table,
            reference: None,
            other: None,
            key: None,
        }
    }
}

/// What can be said of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The backup has no such row.
    Unknown,
    /// Every row of its table comes.
    Whole,
    /// Its table comes without its rows.
    WithoutRows,
    /// Its table's rows are those that the target has.
    Stays,
    /// Its table's rule keeps it, and everything that it needs comes.
    Kept,
    /// Its table has neither a condition nor a cap, and everything that it needs comes.
    Follows,
    /// A row that comes in any case needs it.
    Needed,
    /// A row that comes refers to it, as its table's rule wants.
    Referred,
    /// Its table's rule does not keep it.
    NotKept,
    /// It refers to a row that does not come.
    Missing,
    /// It refers to a row that the rules do not choose, of a table whose rows all stay out.
    Unchosen,
    /// It refers to a row that comes only because others need it: such a row brings none of those that refer to it.
    BroughtBack,
    /// No row that comes refers to it, as its table's rule wants.
    Unreferred,
}

/// A longer way is not shown.
const MOST: usize = 12;

/// So many rows are looked at for the shortest way.
const WIDEST: usize = 64;

/// The names of the copies of the key tables.
pub(super) const ALL: &str = "all";
pub(super) const DOWN: &str = "down";

/// What a row is led to, if anything.
type Next<'a> = Option<Row<'a>>;

/// Why each row of a part comes, or does not, where those of its table do, by its block and its number, where the backup's schema stands.
///
/// # Errors
/// As [`choose`](super::choose()).
#[doc(hidden)]
pub async fn every_reason(
    target: &Target,
    part: &Part,
    rows: mpsc::Receiver<Looked>,
) -> Result<Vec<((DumpId, u64), Vec<Reason>)>> {
    let mut chooser = over(target, part, Breadth::All).await?;
    chooser.take_in(rows).await?;
    let closure = chooser.closed().await?;
    let mut found = Vec::new();
    let relations = part.relations.iter().enumerate();
    for (at, relation) in relations.filter(|(_, relation)| !relation.is_excluded) {
        for (number, block) in relation.blocks.iter().enumerate() {
            let total = chooser.totals.get(&block.load).copied().unwrap_or_default();
            for row in 0..total {
                let place = super::look::place(number, row);
                found.push(((block.load, row), reasons(&closure, at, place).await?));
            }
        }
    }
    chooser.session.close().await;
    Ok(found)
}

impl Chooser<'_> {
    /// Says why a row comes, or why it does not; None where it was not among the rows.
    ///
    /// # Errors
    /// As [`choose`](super::choose()).
    pub(crate) async fn why(
        mut self,
        sought: Sought,
        rows: mpsc::Receiver<Looked>,
    ) -> Result<Option<Vec<Reason>>> {
        self.sought = Some(sought);
        self.take_in(rows).await?;
        let closure = self.closed().await?;
        let reasons = match self.found {
            Some((relation, place)) => Some(reasons(&closure, relation, place).await?),
            None => None,
        };
        self.session.close().await;
        Ok(reasons)
    }

    /// The choice, with copies of what was there before.
    async fn closed(&self) -> Result<Closure<'_>> {
        let mut closure = Closure::new(&self.session, &self.part, &self.tables);
        closure.keeps_copies = true;
        closure.run().await?;
        Ok(closure)
    }
}

/// Says it of the row at a place of a relation.
async fn reasons(closure: &Closure<'_>, at: usize, place: i64) -> Result<Vec<Reason>> {
    let mut found = Vec::new();
    let mut next = Some(Row { closure, at, place });
    while let Some(row) = next.filter(|_| found.len() < MOST) {
        let (further, led_to) = match row.is_in("keys").await? {
            true => kept(row).await?,
            false => gone(row).await?,
        };
        found.extend(further);
        next = led_to;
    }
    found.truncate(MOST);
    Ok(found)
}

async fn kept(row: Row<'_>) -> Result<(Vec<Reason>, Next<'_>)> {
    let rule = row.rule();
    if *rule != PartRule::All && !row.is_in(DOWN).await? {
        return row.referring(What::Needed).await;
    }
    let what = match rule {
        PartRule::All => What::Whole,
        PartRule::Referenced => return row.referring(What::Referred).await,
        PartRule::Own { .. } => What::Kept,
        PartRule::Follows => What::Follows,
    };
    Ok((vec![row.reason(what)], None))
}

async fn gone(row: Row<'_>) -> Result<(Vec<Reason>, Next<'_>)> {
    let what = if row.is_refused().await? {
        What::NotKept
    } else if row.is_in(DOWN).await? {
        What::Unreferred
    } else {
        return downwards(row).await;
    };
    Ok((vec![row.reason(what)], None))
}

/// A row that went downwards, or one that the key tables never had.
struct Gone<'a> {
    /// Its relation.
    of: usize,
    row: Next<'a>,
    /// Which one refers to it, by its place in the list, and what is said of that.
    by: Option<(usize, Reason)>,
}

/// Why a row went downwards although its own rule keeps it: the shortest way to a row that went by itself.
async fn downwards(row: Row<'_>) -> Result<(Vec<Reason>, Next<'_>)> {
    let mut found = vec![Gone {
        of: row.at,
        row: Some(row),
        by: None,
    }];
    let mut at = 0;
    'search: while at < found.len().min(WIDEST) {
        let Some(here) = found[at].row else { break };
        for (reason, to, place) in here.missing().await? {
            let led_to = place.map(|place| Row {
                at: to,
                place,
                ..here
            });
            let is_known =
                |known: &Gone<'_>| led_to.is_some() && known.row.is_some_and(|row| Some(row) == led_to);
            if found.iter().any(is_known) {
                continue;
            }
            found.push(Gone {
                of: to,
                row: led_to,
                by: Some((at, reason)),
            });
            let went_by_itself = match led_to {
                Some(row) => row.is_refused().await?,
                None => true,
            };
            if went_by_itself {
                break 'search;
            }
        }
        at += 1;
    }
    way(row.closure, found).await
}

/// The way to the last of them, up to a row that comes after all.
async fn way<'a>(closure: &Closure<'_>, mut found: Vec<Gone<'a>>) -> Result<(Vec<Reason>, Next<'a>)> {
    let mut steps = Vec::new();
    let mut at = found.len() - 1;
    while let Some((before, reason)) = found[at].by.take() {
        steps.push((reason, found[at].of, found[at].row));
        at = before;
    }
    let (mut reasons, mut next) = (Vec::new(), None);
    for (reason, of, led_to) in steps.into_iter().rev() {
        next = led_to;
        let Some(row) = led_to else {
            reasons.extend([reason, never_there(closure, of)]);
            break;
        };
        if row.is_in("keys").await? {
            reasons.push(Reason {
                what: What::BroughtBack,
                ..reason
            });
            break;
        }
        reasons.push(reason);
    }
    match reasons.is_empty() {
        true => Err(Error::internal("A row does not come, and nothing keeps it away.")),
        false => Ok((reasons, next)),
    }
}

/// What is said of a row that the key tables never had: its table's rule left it out of them, or the backup has it not.
fn never_there(closure: &Closure<'_>, of: usize) -> Reason {
    let relation = &closure.part.relations[of];
    let what = match relation.rule {
        PartRule::Own { .. } => What::NotKept,
        _ => What::Unknown,
    };
    Reason::of(what, relation.table.to_string())
}
