//! The keys of chosen rows, held in memory for the rows of tables that decide by themselves.

use super::alone::{kind, nulled};
use super::key_set::{Keys, Kind};
use super::keys::{key, KeyTable};
use super::selection::{ByKeys, Chosen, KeyReference, Selection};
use super::tuples::Tuples;
use crate::error::{Doing, Error, Result};
use crate::failure::Attempt;
use crate::plan::part::{Part, Reference};
use crate::postgres::Session;
use std::collections::HashMap;
use std::sync::Arc;

/// So many keys are added before it is looked anew how much memory a set takes.
const BETWEEN: u64 = 1 << 16;

/// The keys that references of such tables lead to, by relation and column.
pub(super) struct Held<'a> {
    session: &'a Session,
    tables: &'a [KeyTable],
    part: &'a Part,
    alone: &'a [bool],
    /// So many bytes of memory the keys may take in all.
    most: u64,
    /// Of all rows, as they were before any went: where a reference may lead to none.
    all: HashMap<Place, Keys>,
    kept: HashMap<Place, Arc<Keys>>,
    gone: HashMap<Place, Arc<Keys>>,
}

/// A column that is referred to.
type Place = (usize, usize);

/// A binary COPY of keys.
enum Reading {
    Numbers(Tuples<8>),
    Uuids(Tuples<16>),
}

impl<'a> Held<'a> {
    /// None yet.
    pub(super) fn new(
        session: &'a Session,
        tables: &'a [KeyTable],
        (part, alone): (&'a Part, &'a [bool]),
        most: u64,
    ) -> Self {
        Self {
            session,
            tables,
            part,
            alone,
            most,
            all: HashMap::new(),
            kept: HashMap::new(),
            gone: HashMap::new(),
        }
    }

    /// The references of tables that decide by themselves, with what they lead to.
    fn references(&self) -> impl Iterator<Item = (&'a Reference, Place)> {
        let (part, alone) = (self.part, self.alone);
        let of_alone = part.references.iter().filter(|one| alone[one.from]);
        of_alone.filter_map(|one| Some((one, (one.to, one.columns.first()?.1))))
    }

    /// Before any row goes: notes the keys of all, where a reference may lead to a row that never was. False where they
    /// are too many.
    pub(super) async fn before(&mut self) -> Result<bool> {
        for (_, place) in self.references().filter(|(one, _)| !one.enforced) {
            if !self.all.contains_key(&place) {
                let Some(keys) = self.read(place).await? else {
                    return Ok(false);
                };
                self.all.insert(place, keys);
            }
        }
        Ok(true)
    }

    /// Once the rows are chosen: notes their keys. False where they are too many.
    pub(super) async fn after(&mut self) -> Result<bool> {
        for (_, place) in self.references() {
            if self.kept.contains_key(&place) {
                continue;
            }
            let Some(kept) = self.read(place).await? else {
                return Ok(false);
            };
            if let Some(all) = self.all.remove(&place) {
                self.gone.insert(place, Arc::new(all.without(&kept)));
            }
            self.kept.insert(place, Arc::new(kept));
        }
        Ok(true)
    }

    /// Adds to a choice what is known of the rows that decide by themselves.
    pub(super) fn choose(&self, selection: &mut Selection) {
        for (at, relation) in self.part.relations.iter().enumerate() {
            for (number, block) in relation.blocks.iter().enumerate().filter(|_| self.alone[at]) {
                let of_block = self.references().filter(|(one, _)| {
                    one.from == at && one.from_block.is_none_or(|from_block| from_block == number)
                });
                let references = of_block.filter_map(|(one, place)| {
                    let keys = match one.enforced {
                        true => self.kept.get(&place),
                        false => self.gone.get(&place),
                    };
                    Some(KeyReference {
                        position: *block.positions.get(one.columns.first()?.0)?,
                        keys: Arc::clone(keys?),
                        of_gone: !one.enforced,
                        nulls: nulled(relation, &block.positions, &one.missing),
                    })
                });
                let chosen = Chosen {
                    by_keys: Some(ByKeys::new(references.collect())),
                    ..Chosen::default()
                };
                selection.blocks.insert(block.load, chosen);
            }
        }
    }

    /// The keys in a column of a key table; None where they are too many.
    async fn read(&self, (at, column): Place) -> Result<Option<Keys>> {
        let Some(kind) = kind(self.part, at, column) else {
            return Err(Error::internal("Keys of this type are not held."));
        };
        let refused = |error| Error::from_server(Doing::WithRows(&Attempt::ReadingChosenKeys), &error);
        let (table, column) = (self.tables[at].sql(), key(column));
        let sql = format!(
            "COPY (SELECT {column} FROM {table} WHERE {column} IS NOT NULL) TO STDOUT (FORMAT binary)"
        );
        let mut stream = self.session.copy_out(&sql).await.map_err(refused)?;
        let (mut keys, mut reading) = (Keys::new(kind), Reading::of(kind));
        let (mut added, mut weighed) = (0, 0);
        let left = self.most.saturating_sub(self.bytes());
        // What is left of the stream is not read then, and its session can be used all the same.
        while let Some(bytes) = stream.try_next().await.map_err(refused)? {
            added += reading.read(&bytes, &mut keys);
            if added - weighed >= BETWEEN {
                weighed = added;
                if keys.bytes() > left {
                    return Ok(None);
                }
            }
        }
        keys.close();
        Ok((keys.bytes() <= left).then_some(keys))
    }

    /// About how much memory all of them take.
    fn bytes(&self) -> u64 {
        let shared = self.kept.values().chain(self.gone.values());
        let all = self.all.values().map(Keys::bytes);
        all.sum::<u64>() + shared.map(|keys| keys.bytes()).sum::<u64>()
    }
}

impl Reading {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Number => Self::Numbers(Tuples::default()),
            Kind::Uuid => Self::Uuids(Tuples::default()),
        }
    }

    /// Adds the keys of the next bytes; returns how many they are.
    fn read(&mut self, bytes: &[u8], keys: &mut Keys) -> u64 {
        let mut added = 0;
        match self {
            Self::Numbers(tuples) => tuples.read(bytes, |number| {
                keys.add_number(i64::from_be_bytes(number));
                added += 1;
            }),
            Self::Uuids(tuples) => tuples.read(bytes, |uuid| {
                keys.add_uuid(u128::from_be_bytes(uuid));
                added += 1;
            }),
        }
        added
    }
}
