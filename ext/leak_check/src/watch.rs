//! What the leak check does with the columns of each data block.

use masking::{Becomes, RowMask};
use personal_data::{PiiKind, RuleEntry, Suggestion};
use pg_dump_archive::DumpId;
use std::collections::HashMap;
use std::sync::Arc;

/// Everything that is watched in a run: the plan makes it.
#[derive(Debug, Clone, Default)]
pub struct Watches {
    /// By the data block's id.
    pub loads: HashMap<DumpId, Arc<LeakWatch>>,
    /// The columns by the number that [`WatchedColumn::column`] gives them.
    pub columns: Arc<[ColumnPlace]>,
}

/// A column, for the report. There may be many thousands, most with the names of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnPlace {
    /// `schema.table`.
    pub table: Arc<str>,
    /// The same as rules name it.
    pub in_rules: Arc<str>,
    /// Its name.
    pub column: Arc<str>,
    /// The mask that closes a leak there.
    pub mask: Remedy,
}

impl ColumnPlace {
    /// The entry of a rule that closes a leak there.
    pub fn entry(&self) -> RuleEntry {
        RuleEntry {
            table: self.in_rules.to_string(),
            column: self.column.to_string(),
            mask: self.mask.suggestion(),
        }
    }
}

/// A mask that closes a leak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// One without options.
    Plain(&'static str),
    /// One of documents, which scrubs what is in them.
    Scrubbing(&'static str),
    /// `array`, which scrubs each element.
    Elements,
}

impl Remedy {
    /// As a rule names it.
    fn suggestion(self) -> Suggestion {
        match self {
            Remedy::Plain(mask) => Suggestion::plain(mask),
            Remedy::Scrubbing(mask) => Suggestion::with(mask, "scrub", true),
            Remedy::Elements => Suggestion::with("array", "of", "scrub"),
        }
    }
}

/// What is done with the columns of one data block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeakWatch {
    /// The columns that are looked at, in the order of the data.
    pub columns: Vec<WatchedColumn>,
    /// Some of its rows will be gone when the run is done, so what it holds is read back then.
    pub read_back: bool,
    /// The places of a first and a last name.
    pub full_name: Option<(usize, usize)>,
}

/// Masks that leave part of a value as it was, or write what stands in other columns.
const INSIDE: [&str; 5] = ["scrub", "json", "hstore", "array", "template"];

impl LeakWatch {
    /// Whether there is nothing to look at.
    pub(crate) fn is_empty(&self) -> bool {
        self.columns.is_empty() && self.full_name.is_none()
    }

    /// The same under the mask that is in force.
    pub(crate) fn under(&self, mask: Option<&RowMask>) -> Self {
        let mut watch = self.clone();
        let masked = |position: usize| {
            let columns = mask.map(RowMask::columns).unwrap_or_default();
            columns.iter().find(|column| column.position == position)
        };
        for column in &mut watch.columns {
            let Some(masked) = masked(column.position) else {
                continue;
            };
            column.role = match masked.becomes {
                Becomes::Mask { mask } if INSIDE.contains(&mask) => Role::Scrubbed,
                _ => Role::Masked,
            };
        }
        let is_masked = |position: usize| {
            masked(position).is_some()
                || (watch.columns.iter())
                    .any(|column| column.position == position && column.role == Role::MaskedLater)
        };
        watch.full_name = watch
            .full_name
            .filter(|(first, last)| is_masked(*first) && is_masked(*last));
        watch
    }
}

/// What is done with one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedColumn {
    /// Its place among the block's columns.
    pub position: usize,
    /// Its number in [`Watches::columns`].
    pub column: u32,
    /// What its values are to the check.
    pub role: Role,
    /// How they are looked at.
    pub scan: ScanMode,
    /// Take a whole value for one of this kind when nothing was found inside: what the column's name says.
    pub whole: Option<PiiKind>,
}

/// What a column's values are to the check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Masked: a value that was replaced is an original, and what replaced it is of no interest.
    Masked,
    /// Masked inside, by `scrub` and the like: what is left is looked at, too.
    Scrubbed,
    /// Masked later, by SQL: every value is an original, and one that is still there when all is done is meant to be.
    MaskedLater,
    /// Known not to be personal, so it is not looked at.
    Ignored,
    /// Written as it is: its values are where originals may have survived.
    Written,
}

/// How a column's values are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanMode {
    /// Texts, and what is written like one: JSON, arrays, hstore, XML, tsvector.
    Text,
    /// Whole numbers that may be cards or identity numbers.
    Number,
    /// A bytea.
    Bytes,
}
