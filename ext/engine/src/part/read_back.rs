//! The choice, read back from the key tables.

use super::alone::nulled;
use super::choose::Chooser;
use super::closure::Closure;
use super::emptied::Emptied;
use super::look::placed;
use super::selection::{Chosen, Selection};
use super::tuples::Tuples;
use crate::error::{Doing, Error, Result};
use crate::failure::Attempt;
use crate::plan::part::PartRule;
use pg_dump_archive::DumpId;
use roaring::RoaringTreemap;
use std::collections::HashMap;

impl Chooser<'_> {
    /// Which rows of the blocks that were looked at stay.
    pub(super) async fn selection(&self, closure: &Closure<'_>, added: Vec<u64>) -> Result<Selection> {
        let mut selection = Selection {
            added,
            unmet: self.unmet.clone(),
            ..Selection::default()
        };
        for (at, relation) in self.part.relations.iter().enumerate() {
            let mut kept = match relation.rule {
                _ if relation.is_excluded => Some(vec![RoaringTreemap::new(); relation.blocks.len()]),
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
                    ..Chosen::default()
                };
                selection.blocks.insert(of.load, chosen);
            }
        }
        for (number, reference) in self.part.references.iter().enumerate() {
            let relation = &self.part.relations[reference.from];
            if reference.binds() || relation.is_excluded {
                continue;
            }
            let found = self.places(&closure.nullified(number), reference.from).await?;
            for (of, rows) in relation.blocks.iter().zip(found) {
                let positions = nulled(relation, &of.positions, &reference.missing);
                if let Some(chosen) = selection.blocks.get_mut(&of.load).filter(|_| !rows.is_empty()) {
                    chosen.nulls.push((positions, rows));
                }
            }
        }
        self.refuse_empty(&selection).await?;
        Ok(selection)
    }

    /// The places that a query selects, by block.
    async fn places(&self, query: &str, at: usize) -> Result<Vec<RoaringTreemap>> {
        let refused = |error| Error::from_server(Doing::WithRows(&Attempt::ReadingChoice), &error);
        let blocks = self.part.relations[at].blocks.len();
        let mut found = vec![RoaringTreemap::new(); blocks];
        let sql = format!("COPY ({query}) TO STDOUT (FORMAT binary)");
        let mut stream = self.session.copy_out(&sql).await.map_err(refused)?;
        let mut tuples = Tuples::<8>::default();
        while let Some(bytes) = stream.try_next().await.map_err(refused)? {
            tuples.read(&bytes, |place| {
                let (block, row) = placed(i64::from_be_bytes(place));
                if let Some(rows) = found.get_mut(block) {
                    rows.insert(row);
                }
            });
        }
        Ok(found)
    }

    /// A part without a row is hardly what was meant.
    async fn refuse_empty(&self, selection: &Selection) -> Result<()> {
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
        // Where rows stay out, those count that the rules keep.
        let staying = self.staying().await?;
        let is_ruled = |at: &usize| matches!(self.part.relations[*at].rule, PartRule::Own { .. });
        if staying.iter().any(|(at, rows)| is_ruled(at) && *rows > 0) {
            return Ok(());
        }
        let emptied = Emptied {
            part: &self.part,
            selection,
            totals: &self.totals,
            unmet: &self.unmet,
            staying: &staying,
        };
        Err(emptied.error())
    }

    /// How many rows the rules keep of relations whose rows stay out.
    async fn staying(&self) -> Result<HashMap<usize, u64>> {
        let refused = |error| Error::from_server(Doing::WithRows(&Attempt::ReadingChoice), &error);
        let relations = self.part.relations.iter().enumerate();
        let mut staying = HashMap::new();
        for (at, _) in relations.filter(|(_, relation)| relation.is_excluded) {
            let sql = format!("SELECT count(*) FROM {}", self.tables[at].sql());
            let row = self.session.query_one(&sql, &[]).await.map_err(refused)?;
            let rows: i64 = row.try_get(0).map_err(refused)?;
            staying.insert(at, rows.unsigned_abs());
        }
        Ok(staying)
    }
}
