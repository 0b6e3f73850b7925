//! A row in the key tables: where it is, what it refers to, and what refers to it.

use super::{Next, Reason, What, ALL, DOWN};
use crate::error::{Doing, Error, Result};
use crate::failure::Attempt;
use crate::part::closure::Closure;
use crate::part::keys::key;
use crate::plan::part::{Compared, PartRule, Reference};

/// A row by its relation and its place there.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) closure: &'a Closure<'a>,
    pub(super) at: usize,
    pub(super) place: i64,
}

impl PartialEq for Row<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.place) == (other.at, other.place)
    }
}

/// What a row is missing: what is said of it, the relation that is led to, and the place there, if the key tables ever had it.
type Missing = (Reason, usize, Option<i64>);

impl<'a> Row<'a> {
    pub(super) fn reason(&self, what: What) -> Reason {
        Reason::of(what, self.closure.part.relations[self.at].table.to_string())
    }

    pub(super) fn rule(&self) -> &'a PartRule {
        &self.closure.part.relations[self.at].rule
    }

    /// Whether a table beside its key table has it.
    pub(super) async fn is_in(&self, which: &str) -> Result<bool> {
        let table = self.closure.tables[self.at].beside(which);
        let sql = format!("SELECT place FROM {table} WHERE place = {}", self.place);
        Ok(self.first(&sql).await?.is_some())
    }

    /// Whether its own rule says no: then it was marked, or never moved in.
    pub(super) async fn is_refused(&self) -> Result<bool> {
        let table = &self.closure.tables[self.at];
        let kept = if table.says_stays() { " AND stays" } else { "" };
        let sql = format!(
            "SELECT place FROM {} WHERE place = {}{kept}",
            table.beside(ALL),
            self.place
        );
        Ok(self.first(&sql).await?.is_none())
    }

    /// A row that comes and refers to it: where what follows has it come back, or as its table's rule wants. Of a table that
    /// comes whole rather than of another.
    pub(super) async fn referring(self, what: What) -> Result<(Vec<Reason>, Next<'a>)> {
        let noted = match what {
            What::Needed => "needed",
            _ => "referred",
        };
        let part = self.closure.part;
        let shrinks = |at: usize| part.relations[at].rule == PartRule::Referenced;
        let is_followed = |one: &Reference| part.brings(one) && (what != What::Needed || one.binds());
        let counts = |one: &Reference| match what {
            What::Needed => is_followed(one),
            _ => shrinks(one.from) && shrinks(one.to),
        };
        let order = self.closure.order(counts);
        let circle = order.iter().find(|one| one.is_cyclic && one.holds(self.at));
        // In a circle a round's rows come because of those of the round before, and the first ones because of others.
        let round = match circle {
            Some(_) => self.round(noted).await?.filter(|round| *round > 0),
            None => None,
        };
        let mut references: Vec<&Reference> = part.references.iter().collect();
        references.retain(|one| {
            let is_inner = circle.is_some_and(|circle| circle.holds(one.from));
            one.to == self.at && is_followed(one) && is_inner == round.is_some()
        });
        references.sort_by_key(|one| part.relations[one.from].rule != PartRule::All);
        for reference in references {
            let from = match round {
                Some(round) => (noted, format!("c.round = {}", round - 1)),
                None => ("keys", "true".to_owned()),
            };
            if let Some(found) = self.referring_by(reference, from, what).await? {
                return Ok(found);
            }
        }
        Err(Error::internal(
            "A row comes because of others, and none is found.",
        ))
    }

    /// The round in which it was noted.
    async fn round(&self, noted: &str) -> Result<Option<i64>> {
        let table = self.closure.tables[self.at].beside(noted);
        let sql = format!("SELECT round::text FROM {table} WHERE place = {}", self.place);
        let row = self.first(&sql).await?;
        Ok(row.and_then(|row| number(&row, 0)))
    }

    async fn referring_by(
        self,
        reference: &Reference,
        (from, which): (&str, String),
        what: What,
    ) -> Result<Option<(Vec<Reason>, Next<'a>)>> {
        let sql = format!(
            "SELECT {} AS key, c.place::text AS place FROM {} c JOIN {} p ON {} WHERE p.place = {} AND {which} \
             ORDER BY c.place LIMIT 1",
            self.joined_by(reference),
            self.closure.tables[reference.from].beside(from),
            self.closure.tables[self.at].beside("keys"),
            self.closure.joined(reference),
            self.place,
        );
        let Some(found) = self.first(&sql).await? else {
            return Ok(None);
        };
        let reason = self.by(reference, reference.from, &found, what);
        let next = number(&found, 1).map(|place| Row {
            at: reference.from,
            place,
            ..self
        });
        Ok(Some((vec![reason], next)))
    }

    /// The rows that it refers to and that went downwards.
    pub(super) async fn missing(&self) -> Result<Vec<Missing>> {
        let references = self.closure.part.references.iter();
        let mut found = Vec::new();
        for reference in references.filter(|one| one.from == self.at && one.binds()) {
            found.extend(self.missing_by(reference).await?);
        }
        Ok(found)
    }

    /// The row that a reference leads to, if it went downwards.
    async fn missing_by(&self, reference: &Reference) -> Result<Option<Missing>> {
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
            to.beside(DOWN),
        );
        let Some(row) = self.first(&sql).await? else {
            return Ok(None);
        };
        let place = number(&row, 1);
        if place.is_none() && !reference.enforced {
            // It refers to nothing that the backup has, which keeps no row away.
            return Ok(None);
        }
        let what = match self.closure.part.relations[reference.to].is_excluded {
            true => What::Unchosen,
            false => What::Missing,
        };
        let reason = self.by(reference, reference.to, &row, what);
        Ok(Some((reason, reference.to, place)))
    }

    /// What is said of it by way of a reference, with the values that were found.
    fn by(&self, reference: &Reference, other: usize, found: &[Option<String>], what: What) -> Reason {
        Reason {
            reference: Some(reference.name.clone()),
            other: Some(self.closure.part.relations[other].table.to_string()),
            key: found.first().cloned().flatten(),
            ..self.reason(what)
        }
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
        let refused = |error| Error::from_server(Doing::WithRows(&Attempt::LookingForReason), &error);
        let answers = self.closure.session.simple_query(sql).await.map_err(refused)?;
        Ok(answers.iter().find_map(|answer| match answer {
            Row(row) => Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect()),
            _ => None,
        }))
    }
}

/// The number in a column of a row.
fn number(row: &[Option<String>], at: usize) -> Option<i64> {
    row.get(at)?.as_deref()?.parse().ok()
}
