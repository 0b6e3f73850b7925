//! Automatic masks, as far as keys let them: all under [`Policy::Mask`], some always.

use super::judge::{Judge, Judged};
use super::{keys, Standing};
use crate::finding::Because;
use crate::plan::{Diagnostics, Load};
use crate::settings::Policy;
use masking::{Encryption, Mask, RowMask};
use personal_data::Status;
use pg_dump_archive::DumpId;
use std::collections::HashMap;
use std::sync::Arc;

impl Judge<'_> {
    /// Gives every uncovered column that its name shows, and that is to be masked, its automatic mask, as far as keys
    /// let it.
    pub(super) fn put_in_force(
        &self,
        judged: &mut [(DumpId, Vec<Judged>)],
        mut loads: HashMap<DumpId, Load>,
    ) -> (HashMap<DumpId, Load>, Diagnostics) {
        let mut diagnostics = Diagnostics::default();
        self.drop_what_breaks_keys(judged, &loads);
        for (id, columns) in judged {
            let Some(load) = loads.get(id) else { continue };
            let further: Vec<(usize, Mask)> = columns
                .iter()
                .filter(|one| one.standing.status == Status::Masked)
                .filter_map(|one| Some((one.position, one.automatic.as_ref()?.mask.clone())))
                .collect();
            let Some(first) = columns.first().filter(|_| !further.is_empty()) else {
                continue;
            };
            let (mut masks, chosen) = self.inputs.rules.in_force(load);
            masks.extend(further);
            match RowMask::new(
                &self.inputs.rules.facts(first.table, load),
                &masks,
                self.inputs.pseudonyms,
            ) {
                Ok(mask) => {
                    let (_, sent) = mask.split(|column| chosen.contains(&column.position));
                    let load = load.clone().rebuilt().mask(sent.map(Arc::new));
                    loads.insert(*id, load.build());
                }
                Err(unfit) => unfit
                    .iter()
                    .for_each(|unfit| diagnostics.problems.add_about(unfit, unfit.into())),
            }
        }
        (loads, diagnostics)
    }

    /// Why no pseudonym of a column can be made that its app could read, if so.
    fn unreadable(&self, load: &Load, position: usize) -> Option<Because> {
        let (table, column) = (load.table.to_string(), load.columns.get(position)?);
        let helpers = &self.inputs.pseudonyms.helpers;
        Some(match helpers.encryption(&table, column)? {
            Encryption::Unknown => Because::NoKeyToEncrypt,
            _ => Because::NoCiphertextFits,
        })
    }

    /// Marks what gets its automatic mask, less columns of a foreign key whose other side is not masked the same way
    /// and columns of a partition key.
    fn drop_what_breaks_keys(&self, judged: &mut [(DumpId, Vec<Judged>)], loads: &HashMap<DumpId, Load>) {
        for (id, columns) in judged.iter_mut() {
            let Some(load) = loads.get(id) else { continue };
            for one in columns.iter_mut() {
                let wanted = one.always || self.inputs.settings.pii.policy == Policy::Mask;
                let open = one.named.is_some() && one.standing.status == Status::Uncovered;
                if !(open && wanted) {
                    continue;
                }
                let column = &load.columns[one.position];
                let parted = keys::partition_key_of(self.inputs.schema, one.table, column);
                one.standing = match (&one.automatic, parted) {
                    (_, Some(by)) => Standing::new(Status::Uncovered, by),
                    (Some(_), None) => Standing {
                        status: Status::Masked,
                        because: None,
                    },
                    (None, None) => Standing::new(
                        Status::Uncovered,
                        one.doubts
                            .because()
                            .or_else(|| self.unreadable(load, one.position))
                            .unwrap_or(Because::NoMaskFits),
                    ),
                };
            }
        }
        // One that is dropped can be the other side of another one.
        loop {
            let masks = self.masks(judged, loads);
            let mut dropped = false;
            for (id, columns) in judged.iter_mut() {
                let Some(load) = loads.get(id) else { continue };
                for one in columns
                    .iter_mut()
                    .filter(|one| one.standing.status == Status::Masked)
                {
                    let place = (
                        self.inputs.schema.topmost(one.table),
                        load.columns[one.position].clone(),
                    );
                    if let Some(because) = self.keys.broken(self.inputs.schema, &place, &masks) {
                        one.standing = Standing::new(Status::Uncovered, because);
                        dropped = true;
                    }
                }
            }
            if !dropped {
                return;
            }
        }
    }

    /// The masks in force by topmost table and column, rules' and automatic ones.
    fn masks(
        &self,
        judged: &[(DumpId, Vec<Judged>)],
        loads: &HashMap<DumpId, Load>,
    ) -> HashMap<(usize, String), Mask> {
        let mut masks = HashMap::new();
        for (id, columns) in judged {
            let Some(load) = loads.get(id) else { continue };
            let (in_force, _) = self.inputs.rules.in_force(load);
            let in_force: HashMap<usize, Mask> = in_force.into_iter().collect();
            for one in columns {
                let automatic = one
                    .automatic
                    .as_ref()
                    .filter(|_| one.standing.status == Status::Masked)
                    .map(|automatic| &automatic.mask);
                if let Some(mask) = in_force.get(&one.position).or(automatic) {
                    let place = (
                        self.inputs.schema.topmost(one.table),
                        load.columns[one.position].clone(),
                    );
                    masks.insert(place, mask.clone());
                }
            }
        }
        masks
    }
}
