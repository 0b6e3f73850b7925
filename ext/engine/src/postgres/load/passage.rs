//! What becomes of a load's rows on their way: looked at as they came, masked, looked at as they are sent.

use crate::error::{About, Error, Kind, Result};
use crate::failure::TargetFailure;
use crate::postgres::buffers::Buffers;
use crate::postgres::load::stage::{Looks, Stages};
use crate::text::text;
use masking::{Counts, Masker, RowMask};
use pg_dump_archive::DumpId;
use std::sync::Arc;

/// The way of one lane's rows.
pub(crate) struct Passage {
    /// The table's name, for messages.
    table: String,
    masker: Option<Masker>,
    emptier: Option<Masker>,
    looks: Looks,
    buffers: Buffers,
}

impl Passage {
    /// `mask` is what masks the rows of `load`; `emptied` empties columns that hold words of masked ones.
    pub(crate) fn new(
        (load, table): (DumpId, &str),
        mask: Option<&Arc<RowMask>>,
        emptied: Option<&Arc<RowMask>>,
        stages: &Stages,
        buffers: &Buffers,
    ) -> Self {
        Self {
            table: table.to_owned(),
            masker: mask.map(RowMask::masker),
            emptier: emptied.map(RowMask::masker),
            looks: Looks::new(stages, load, mask.map(Arc::as_ref)),
            buffers: buffers.clone(),
        }
    }

    /// Whole rows as they are written. The buffer that they came in is used again.
    ///
    /// # Errors
    /// Naming the table, when the mask cannot read a row.
    pub(crate) fn rows(&mut self, piece: Vec<u8>) -> Result<Vec<u8>> {
        self.looks.came(&piece);
        match self.masked(&piece) {
            Ok(None) => Ok(piece),
            Ok(Some(masked)) => {
                self.buffers.give(piece);
                Ok(masked)
            }
            Err(error) => Err(unreadable(&self.table, error)),
        }
    }

    /// There are no more rows; what the mask did.
    pub(crate) fn end(self) -> Counts {
        self.looks.end();
        self.masker
            .map(|masker| masker.counts().clone())
            .unwrap_or_default()
    }

    /// The rows as they are written, where that differs from how they came; the looks see both.
    fn masked(&mut self, piece: &[u8]) -> Result<Option<Vec<u8>>> {
        let Self {
            masker,
            emptier,
            looks,
            buffers,
            ..
        } = self;
        let mut masked = buffers.take();
        match (masker, emptier) {
            (None, None) => {
                buffers.give(masked);
                looks.piece_sent(piece, piece);
                Ok(None)
            }
            (Some(masker), Some(emptier)) => {
                let mut emptied = buffers.take();
                masker.mask_piece(piece, &mut masked)?;
                emptier.mask_piece(&masked, &mut emptied)?;
                buffers.give(masked);
                looks.piece_sent(piece, &emptied);
                Ok(Some(emptied))
            }
            (Some(masker), None) | (None, Some(masker)) => {
                if looks.see_what_is_sent() {
                    // Each row is looked at while it is at hand, and is not split once more.
                    masker.mask_piece_seen(piece, &mut masked, |raw, sent| looks.sent(raw, sent))?;
                    looks.end_of_piece();
                } else {
                    masker.mask_piece(piece, &mut masked)?;
                }
                Ok(Some(masked))
            }
        }
    }
}

/// A mask does not know which table it works on.
pub(crate) fn unreadable(table: &str, error: Error) -> Error {
    let in_rows = TargetFailure::InRows {
        table: table.to_owned(),
    };
    match error.kind {
        Kind::Internal => error,
        _ => Error::new(error.kind, text!(in_rows, " ", error.what), error.remedy).about(About {
            table: Some(table.to_owned()),
            ..*error.about
        }),
    }
}
