//! What is watched for while the rows of a load pass: its columns, what stands between each and staging, and the masks
//! in force.

use super::automatic::{self, Automatic, Shown, Wanted};
use super::digests::AddressDigest;
use super::doubts::Doubts;
use super::judge::{Judge, Judged};
use super::{keys, Standing};
use crate::finding::Because;
use crate::plan::{Load, TableName};
use masking::{Mask, Pseudonyms, RowMask, Type, Unfit};
use personal_data::{Status, TableContext};
use std::collections::HashSet;
use std::sync::Arc;

/// What is needed to judge the values of one load.
#[derive(Debug, Clone)]
pub struct Watch {
    /// What its table is about.
    pub context: Arc<TableContext>,
    /// Its columns whose values can show anything.
    pub columns: Vec<Watched>,
    /// How many columns a row has.
    pub width: usize,
    facts: masking::TableFacts,
    /// The masks in force, rules' and automatic ones.
    masks: Vec<(usize, Mask)>,
    /// The places of those among them that SQL puts in, under a condition.
    chosen: HashSet<usize>,
    pseudonyms: Arc<Pseudonyms>,
}

/// A column whose values are looked at. There may be many thousands of them, most with the names and types of others.
#[derive(Debug, Clone)]
pub struct Watched {
    /// Its place in the data.
    pub position: usize,
    /// Its name.
    pub name: Arc<str>,
    /// Its type as pg_dump writes it.
    pub sql_type: Arc<str>,
    /// The table that a finding names: the root where this one is a partition.
    pub home: TableName,
    /// What stands between it and staging.
    pub standing: Standing,
    /// Why it cannot be masked by itself, if so.
    pub blocked: Option<Box<Because>>,
    /// Its name has put a mask in force by itself that replaces only what `scrub` knows.
    pub scrubs: bool,
    /// CHECKs on it that are not understood.
    doubts: Doubts,
    /// The values that the app's own code admits; none: it does not say.
    admitted: Box<[String]>,
}

impl Watched {
    /// The table and the column that a finding names.
    pub(crate) fn place(&self) -> (String, String) {
        (self.home.to_string(), self.name.to_string())
    }

    /// The name of a CHECK on it that is not understood.
    pub(super) fn check(&self) -> Option<&str> {
        self.doubts.check()
    }
}

impl Watch {
    /// The mask that fits a column of this kind whose values have shown so much, under the masks in force.
    pub(crate) fn automatic(
        &self,
        column: &Watched,
        kind: personal_data::PiiKind,
        shown: Shown,
    ) -> Option<Automatic> {
        let (facts, pseudonyms) = (&self.facts, &self.pseudonyms);
        let place = (facts, column.position);
        let digest = (shown.digest).or_else(|| AddressDigest::by_name(facts, column.position));
        let wanted = Wanted {
            kind,
            first: digest.and_then(|digest| digest.suggestion(facts)),
            shown,
            admitted: &column.admitted,
        };
        automatic::choose(wanted, place, &column.doubts, pseudonyms, |_| true)
    }

    /// Whether what is in force on a column would be none of the ciphertext that its values are.
    pub(crate) fn breaks_ciphertext(&self, column: &Watched) -> bool {
        let helpers = &self.pseudonyms.helpers;
        let is_declared = helpers.encryption(&self.facts.name, &column.name).is_some();
        let mask = self.mask_of(column.position);
        column.standing.status == Status::Masked && !is_declared && mask.is_some_and(|mask| !mask.is_null())
    }

    /// The mask in force on the column at a place.
    pub(crate) fn mask_of(&self, place: usize) -> Option<&Mask> {
        self.masks
            .iter()
            .find(|(known, _)| *known == place)
            .map(|(_, mask)| mask)
    }

    /// The type of the column at a place.
    pub(crate) fn kind(&self, place: usize) -> Option<&Type> {
        self.facts.columns.get(place).map(|column| &column.kind)
    }

    /// The places of the columns of text.
    pub(crate) fn texts(&self) -> impl Iterator<Item = usize> + '_ {
        let columns = self.facts.columns.iter().enumerate();
        let texts = columns.filter(|(_, column)| matches!(column.kind, Type::Text { .. }));
        texts.map(|(place, _)| place)
    }

    /// The places of the columns whose masks draw among their own values.
    pub(crate) fn learning(&self) -> impl Iterator<Item = usize> + '_ {
        let learning = self.masks.iter().filter(|(_, mask)| mask.learns());
        learning.map(|(place, _)| *place)
    }

    /// The load's mask with further ones in it.
    ///
    /// # Errors
    /// What does not fit.
    pub(crate) fn masked_with(&self, further: &[(usize, Mask)]) -> Result<Arc<RowMask>, Vec<Unfit>> {
        let replaced: HashSet<usize> = further.iter().map(|(position, _)| *position).collect();
        let kept = self
            .masks
            .iter()
            .filter(|(position, _)| !replaced.contains(position));
        let masks: Vec<(usize, Mask)> = kept.chain(further).cloned().collect();
        let mask = RowMask::new(&self.facts, &masks, &self.pseudonyms)?;
        let (_, sent) = mask.split(|column| self.chosen.contains(&column.position));
        sent.map(Arc::new).ok_or_else(Vec::new)
    }
}

impl Judge<'_> {
    pub(super) fn watch(&mut self, load: &Load, columns: &[Judged]) -> Watch {
        let schema = self.inputs.schema;
        let table = schema.table(&load.table).unwrap_or_default();
        let facts = self.inputs.rules.facts(table, load);
        let (mut masks, chosen) = self.inputs.rules.in_force(load);
        // There may be thousands of tables with a dozen columns each: what a vector holds in reserve adds up.
        let mut watched = Vec::with_capacity(columns.len());
        for one in columns {
            let name = &load.columns[one.position];
            let Some(column) = schema.tables[table].column(name) else {
                continue;
            };
            if let Some(automatic) = one
                .automatic
                .as_ref()
                .filter(|_| one.standing.status == Status::Masked)
            {
                masks.push((one.position, automatic.mask.clone()));
            }
            let settled = one.always && one.standing.status == Status::Masked;
            if settled || matches!(facts.columns[one.position].kind, Type::Enum(_)) {
                continue;
            }
            let place = (schema.topmost(table), name.clone());
            let home = &schema.tables[self.home(table, name)].name;
            let sql_type = self.sql_type(table, column);
            watched.push(Watched {
                position: one.position,
                name: self.names.of(name),
                sql_type: self.names.of(&sql_type),
                home: home.clone(),
                standing: one.standing.clone(),
                scrubs: one.standing.status == Status::Masked
                    && one.automatic.as_ref().is_some_and(|automatic| automatic.scrubs),
                doubts: one.doubts.clone(),
                admitted: self.admitted(table, name).into(),
                blocked: keys::partition_key_of(schema, table, name)
                    .or_else(|| self.keys.part_of(&place))
                    .map(Box::new),
            });
        }
        Watch {
            context: self.context(table),
            columns: watched,
            width: load.columns.len(),
            facts,
            masks,
            chosen,
            pseudonyms: Arc::clone(&self.pseudonyms),
        }
    }
}
