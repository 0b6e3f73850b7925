//! Which large objects the rows of a part refer to, noted as the rows pass: only those come along.

use crate::plan::Plan;
use pg_dump_archive::copy::Splitter;
use pg_dump_archive::DumpId;
use roaring::RoaringBitmap;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What rows have said so far, in one look at the archive or in two.
#[derive(Debug)]
pub(crate) struct Referred(Mutex<NotedObjects>);

#[derive(Debug)]
struct NotedObjects {
    oids: RoaringBitmap,
    /// Loads with such columns whose rows are still to come.
    pending: HashSet<DumpId>,
}

impl Referred {
    /// None where all large objects come.
    pub(super) fn of(plan: &Plan) -> Option<Arc<Self>> {
        let objects = &plan.large_objects;
        let matters = plan.part.is_some() && !objects.oids.is_empty();
        let noted = || NotedObjects {
            oids: RoaringBitmap::new(),
            pending: objects.columns.keys().copied().collect(),
        };
        matters.then(|| Arc::new(Self(Mutex::new(noted()))))
    }

    /// Notes what the rows of a piece refer to.
    pub(super) fn note(&self, piece: &[u8], positions: &[usize], splitter: &mut Splitter) {
        let mut noted = self.lock();
        let mut rows = splitter.rows(piece);
        while let Some(row) = rows.next_row() {
            for &position in positions.iter().filter(|position| **position < row.fields()) {
                // NULL is no number.
                let oid = std::str::from_utf8(row.field(position)).ok();
                if let Some(oid) = oid.and_then(|oid| oid.parse().ok()) {
                    noted.oids.insert(oid);
                }
            }
        }
    }

    /// All rows of a load have passed.
    pub(super) fn passed(&self, load: DumpId) {
        self.lock().pending.remove(&load);
    }

    /// Whether an object comes: one that rows refer to, or may still.
    pub(super) fn keeps(&self, oid: u32) -> bool {
        let mut noted = self.lock();
        let keeps = !noted.pending.is_empty() || noted.oids.contains(oid);
        if keeps {
            noted.oids.insert(oid);
        }
        keeps
    }

    /// All that come.
    pub(super) fn oids(&self) -> RoaringBitmap {
        self.lock().oids.clone()
    }

    fn lock(&self) -> MutexGuard<'_, NotedObjects> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
