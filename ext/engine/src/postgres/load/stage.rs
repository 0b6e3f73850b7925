//! What looks at rows on their way to the server, beside masking them: stages that the loader knows nothing else of.

use crate::plan::Load;
use masking::RowMask;
use pg_dump_archive::copy::Row;
use pg_dump_archive::DumpId;
use std::fmt::Debug;
use std::sync::Arc;

/// What happens to a load's rows.
#[derive(Debug, Clone)]
pub enum Decision {
    /// What the plan says.
    AsPlanned,
    /// They are masked with this instead of the load's own mask.
    Mask(Arc<RowMask>),
    /// They are not loaded: the table stays empty.
    Withhold,
}

/// A stage: it looks at the rows of loads, and may say at the end of one that its rows must not stay.
pub trait RowStage: Debug + Send + Sync {
    /// One lane's look at the rows of a load, which `mask` masks; None where nothing is looked at.
    fn look(self: Arc<Self>, load: DumpId, mask: Option<&RowMask>) -> Option<Box<dyn Look>>;

    /// Every lane of a load has ended and was looked at. [`Decision::Withhold`]: its rows have to go again.
    fn settle(&self, _load: &Load) -> Decision {
        Decision::AsPlanned
    }

    /// The rows of a load come again: what lanes have seen of them does not count.
    fn forget(&self, _load: DumpId) {}
}

/// The stages of a load, in the order in which they look.
pub type Stages = Vec<Arc<dyn RowStage>>;

/// One lane's look at rows. Which of them it sees is its own to say.
pub trait Look: Send {
    /// Whether it sees rows as they are sent, too; else only as they came.
    fn sees_what_is_sent(&self) -> bool;

    /// Whole rows as they came.
    fn came(&mut self, _rows: &[u8]) {}

    /// A row as it came and as it is sent.
    fn sent(&mut self, _raw: Row<'_>, _sent: Row<'_>) {}

    /// The same of whole rows.
    fn piece_sent(&mut self, _raw: &[u8], _sent: &[u8]) {}

    /// The rows of a piece were shown one by one.
    fn end_of_piece(&mut self) {}

    /// The lane has ended well.
    fn end(self: Box<Self>) {}
}

/// The looks of one lane.
pub(super) struct Looks {
    /// Those that see rows as they came alone.
    before: Vec<Box<dyn Look>>,
    /// Those that see what is sent, too.
    after: Vec<Box<dyn Look>>,
}

impl Looks {
    pub(super) fn new(stages: &Stages, load: DumpId, mask: Option<&RowMask>) -> Self {
        let looks = stages
            .iter()
            .filter_map(|stage| Arc::clone(stage).look(load, mask));
        let (after, before) = looks.partition(|look| look.sees_what_is_sent());
        Self { before, after }
    }

    pub(super) fn came(&mut self, rows: &[u8]) {
        for look in &mut self.before {
            look.came(rows);
        }
    }

    /// Whether any sees what is sent.
    pub(super) fn see_what_is_sent(&self) -> bool {
        !self.after.is_empty()
    }

    pub(super) fn sent(&mut self, raw: Row<'_>, sent: Row<'_>) {
        for look in &mut self.after {
            look.sent(raw, sent);
        }
    }

    pub(super) fn piece_sent(&mut self, raw: &[u8], sent: &[u8]) {
        for look in &mut self.after {
            look.piece_sent(raw, sent);
        }
    }

    pub(super) fn end_of_piece(&mut self) {
        for look in &mut self.after {
            look.end_of_piece();
        }
    }

    pub(super) fn end(self) {
        for look in self.before.into_iter().chain(self.after) {
            look.end();
        }
    }
}
