//! Why a row comes, or why it does not: what its table's own rule says of it, what it refers to, and what refers to it.
//!
//! It is asked of the key tables as they were before the choice, without what went downwards, and in the end.

use super::closure::Closure;
use super::keys::key;
use crate::error::{Doing, Error, Result};
use crate::plan::part::{Compared, PartRule, Reference};
use pg_dump_archive::DumpId;
use serde::Serialize;
use std::collections::HashMap;

/// A row by its primary key.
#[derive(Debug, Clone)]
pub(crate) struct Sought {
    /// Its table, as it was named.
    pub(crate) table: String,
    /// The blocks that may hold it, and where its key is in their rows.
    pub(crate) blocks: HashMap<DumpId, usize>,
    /// The key, as COPY writes it.
    pub(crate) id: Vec<u8>,
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
    /// Its table's rule keeps it, and everything that it refers to comes.
    Kept,
    /// Its table has no rule, and everything that it refers to comes.
    Follows,
    /// A row that comes in any case needs it.
    Needed,
    /// A row that comes refers to it, as its table's rule wants.
    Referred,
    /// Its table's rule does not keep it.
    NotKept,
    /// It refers to a row that does not come.
    Missing,
    /// No row that comes refers to it, as its table's rule wants.
    Unreferred,
}

/// A longer way is not shown.
const MOST: usize = 12;

/// The names of the copies of the key tables.
pub(super) const ALL: &str = "all";
pub(super) const DOWN: &str = "down";

/// Says it of the row at a place of a relation.
pub(super) async fn reasons(closure: &Closure<'_>, relation: usize, place: i64) -> Result<Vec<Reason>> {
    let (mut at, mut place) = (relation, Some(place));
    let mut found = Vec::new();
    let mut seen = Vec::new();
    while let Some(here) = place.filter(|_| found.len() < MOST) {
        seen.push((at, here));
        let asking = Asking {
            closure,
            at,
            place: here,
            seen: &seen,
        };
        let (reason, next) = match asking.is_in("keys").await? {
            true => asking.kept().await?,
            false => asking.gone().await?,
        };
        found.push(reason);
        match next {
            Some((to, parent)) => {
                at = to;
                place = parent;
                if place.is_none() {
                    found.push(not_kept(closure, at));
                }
            }
            None => place = None,
        }
    }
    Ok(found)
}

fn not_kept(closure: &Closure<'_>, at: usize) -> Reason {
    Reason::of(What::NotKept, closure.part.relations[at].table.to_string())
}

struct Asking<'a> {
    closure: &'a Closure<'a>,
    at: usize,
    place: i64,
    /// The rows on the way to this one, and itself: in a circle none is a reason a second time.
    seen: &'a [(usize, i64)],
}

/// The relation that is led to, and the place of the row there, if it was ever in its key table.
type Next = Option<(usize, Option<i64>)>;

impl Asking<'_> {
    fn reason(&self, what: What) -> Reason {
        Reason {
            what,
            ..not_kept(self.closure, self.at)
        }
    }

    fn rule(&self) -> &PartRule {
        &self.closure.part.relations[self.at].rule
    }

    async fn is_in(&self, which: &str) -> Result<bool> {
        let table = self.closure.tables[self.at].beside(which);
        let sql = format!("SELECT place FROM {table} WHERE place = {}", self.place);
        Ok(self.first(&sql).await?.is_some())
    }

    async fn kept(&self) -> Result<(Reason, Next)> {
        if *self.rule() == PartRule::All {
            return Ok((self.reason(What::Whole), None));
        }
        if !self.is_in(DOWN).await? {
            return self.referring(What::Needed, Reference::binds).await;
        }
        match self.rule() {
            PartRule::Referenced => self.referring(What::Referred, |_| true).await,
            PartRule::Own { .. } => Ok((self.reason(What::Kept), None)),
            _ => Ok((self.reason(What::Follows), None)),
        }
    }

    /// A row that comes and refers to it: of a table that comes whole rather than of another, and of its own table last.
    async fn referring(&self, what: What, counts: impl Fn(&Reference) -> bool) -> Result<(Reason, Next)> {
        let references = self.closure.part.references.iter();
        let mut references: Vec<&Reference> = references
            .filter(|one| one.to == self.at && counts(one))
            .collect();
        references.sort_by_key(|one| match self.closure.part.relations[one.from].rule {
            PartRule::All => 0,
            _ if one.from != self.at => 1,
            _ => 2,
        });
        for reference in &references {
            if let Some(found) = self.referring_by(reference, what, self.seen).await? {
                return Ok(found);
            }
        }
        for reference in &references {
            if let Some((reason, _)) = self.referring_by(reference, what, &[]).await? {
                return Ok((reason, None));
            }
        }
        Ok((self.reason(what), None))
    }

    async fn referring_by(
        &self,
        reference: &Reference,
        what: What,
        seen: &[(usize, i64)],
    ) -> Result<Option<(Reason, Next)>> {
        let seen = seen.iter().filter(|(at, _)| *at == reference.from);
        let seen: Vec<String> = seen.map(|(_, place)| place.to_string()).collect();
        let sql = format!(
            "SELECT {} AS key, c.place::text AS place FROM {} c JOIN {} p ON {} WHERE p.place = {} \
             AND c.place <> ALL ('{{{}}}'::bigint[]) ORDER BY c.place LIMIT 1",
            self.joined_by(reference),
            self.closure.tables[reference.from].beside("keys"),
            self.closure.tables[self.at].beside("keys"),
            self.closure.joined(reference),
            self.place,
            seen.join(","),
        );
        let Some(row) = self.first(&sql).await? else {
            return Ok(None);
        };
        let place = row.get(1).cloned().flatten().and_then(|place| place.parse().ok());
        let reason = Reason {
            reference: Some(reference.name.clone()),
            other: Some(self.closure.part.relations[reference.from].table.to_string()),
            key: row.first().cloned().flatten(),
            ..self.reason(what)
        };
        Ok(Some((reason, place.map(|place| (reference.from, Some(place))))))
    }

    async fn gone(&self) -> Result<(Reason, Next)> {
        if !self.is_in(ALL).await? || self.is_refused().await? {
            return Ok((self.reason(What::NotKept), None));
        }
        let references = self.closure.part.references.iter();
        for reference in references.filter(|one| one.from == self.at && one.binds()) {
            if let Some(found) = self.missing(reference).await? {
                return Ok(found);
            }
        }
        let what = match self.rule() {
            PartRule::Referenced => What::Unreferred,
            _ => What::NotKept,
        };
        Ok((self.reason(what), None))
    }

    /// Whether its own rule says no.
    async fn is_refused(&self) -> Result<bool> {
        let table = &self.closure.tables[self.at];
        if !table.says_stays() {
            return Ok(false);
        }
        let sql = format!(
            "SELECT place FROM {} WHERE place = {} AND NOT stays",
            table.beside(ALL),
            self.place
        );
        Ok(self.first(&sql).await?.is_some())
    }

    /// The row that a reference leads to and that does not come.
    async fn missing(&self, reference: &Reference) -> Result<Option<(Reason, Next)>> {
        let refers = reference
            .columns
            .iter()
            .map(|(from, _)| format!("c.{} IS NOT NULL", key(*from)));
        let refers: Vec<String> = refers.chain(self.closure.refers_at_all(reference)).collect();
        let joined = self.closure.joined(reference);
        let to = &self.closure.tables[reference.to];
        let sql = format!(
            "SELECT {} AS key, p.place::text AS place FROM {} c LEFT JOIN {} p ON {joined} WHERE c.place = {} AND {} \
             AND NOT EXISTS (SELECT FROM {} p WHERE {joined}) LIMIT 1",
            self.joined_by(reference),
            self.closure.tables[self.at].beside(ALL),
            to.beside(ALL),
            self.place,
            refers.join(" AND "),
            to.beside("keys"),
        );
        let Some(row) = self.first(&sql).await? else {
            return Ok(None);
        };
        let place = row.get(1).cloned().flatten().and_then(|place| place.parse().ok());
        if place.is_none() && !reference.enforced {
            // It refers to nothing that the backup has, which keeps no row away.
            return Ok(None);
        }
        let reason = Reason {
            reference: Some(reference.name.clone()),
            other: Some(self.closure.part.relations[reference.to].table.to_string()),
            key: row.first().cloned().flatten(),
            ..self.reason(What::Missing)
        };
        Ok(Some((reason, Some((reference.to, place)))))
    }

    /// The values of a reference, as text.
    fn joined_by(&self, reference: &Reference) -> String {
        let columns = &self.closure.part.relations[reference.from].columns;
        let values = reference
            .columns
            .iter()
            .map(|(from, _)| match columns[*from].compared {
                Compared::Text => format!("pg_catalog.convert_from(c.{}, 'UTF8')", key(*from)),
                _ => format!("c.{}::text", key(*from)),
            });
        format!(
            "pg_catalog.concat_ws(', ', {})",
            values.collect::<Vec<_>>().join(", ")
        )
    }

    /// The first row of a query, as texts.
    async fn first(&self, sql: &str) -> Result<Option<Vec<Option<String>>>> {
        use tokio_postgres::SimpleQueryMessage::Row;
        let refused = |error| Error::from_server(Doing::WithRows("looking for a row's reason"), &error);
        let answers = self.closure.session.simple_query(sql).await.map_err(refused)?;
        Ok(answers.iter().find_map(|answer| match answer {
            Row(row) => Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect()),
            _ => None,
        }))
    }
}
