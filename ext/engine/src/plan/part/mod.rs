//! What is known of a part of production before any row is read: the tables whose rows are chosen, how they refer to one
//! another, and the rule of each.
//!
//! Only tables that may lose rows are here, those that refer to them, and of each only the columns that decide. Tables whose
//! rows stay out are among them where they decide about rows of others.

mod compare;
mod conditions;
mod deciding;
mod groups;
mod missing;
mod names;
mod needs;
mod operands;
mod own_entry;
mod question;
mod read;
mod references;
mod rules;
mod sources;
mod value;
mod written;

#[doc(hidden)]
pub use deciding::{deciding, Standing, Way};
pub(crate) use names::table_shown;
pub use needs::Needs;
pub(crate) use needs::{calls, serves_expressions};
pub(crate) use question::at_a_row_remedy;
pub use question::{Aspect, Question};
pub(super) use read::{read, Read};
pub use value::ValueType;
pub(crate) use written::as_written;

use super::TableName;
use pg_dump_archive::DumpId;

/// Which rows are to be kept.
#[derive(Debug, Clone, Default)]
pub struct Part {
    /// The tables.
    pub relations: Vec<Relation>,
    /// How they refer to one another. None refers to a table that comes whole.
    pub references: Vec<Reference>,
    /// A part without a row is no error.
    pub allow_empty: bool,
}

/// A table with its partitions, as one set of rows.
#[derive(Debug, Clone)]
pub struct Relation {
    /// Its name, as conditions call it.
    pub table: TableName,
    /// The blocks that hold its rows, one for each partition.
    pub blocks: Vec<PartBlock>,
    /// The columns that are looked at.
    pub columns: Vec<PartColumn>,
    /// Which of its rows are wanted.
    pub rule: PartRule,
    /// Its rows stay out: they decide downwards which rows of others come, and nothing else.
    pub is_excluded: bool,
}

/// A block of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartBlock {
    /// Its entry.
    pub load: DumpId,
    /// Where the looked-at columns are in its rows, in their order.
    pub positions: Vec<usize>,
}

/// A column that is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartColumn {
    /// Its name.
    pub name: String,
    /// How its values are compared.
    pub compared: Compared,
    /// It belongs to a key or a reference; else only a condition or an order reads it.
    pub is_key: bool,
    /// What a condition or an order reads its values as; None where that cannot be read.
    pub kind: Option<ValueType>,
}

/// How the values of a column are stored to be compared with those of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// As whole numbers.
    Number,
    /// As UUIDs.
    Uuid,
    /// As the bytes of their text, which are the same for equal values.
    Text,
    /// As values of their own type, since equal ones may be written differently.
    Value,
    /// As `citext`: without regard to case.
    Folded,
}

/// Which rows of a table are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartRule {
    /// Those whose references stay.
    Follows,
    /// Every one, and what they refer to.
    All,
    /// Those that kept rows refer to.
    Referenced,
    /// Those that meet a condition, and of them no more than a number.
    Own {
        /// An SQL condition.
        condition: Option<String>,
        /// The cap.
        cap: Option<Cap>,
    },
}

/// So many rows, in an order. Ties are broken by the primary key, then by the rows' places in the backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cap {
    /// How many.
    pub rows: u64,
    /// By these columns. Rows without a value come last in either direction.
    pub order: Vec<String>,
    /// The largest first.
    pub descending: bool,
}

/// Rows of one table that refer to rows of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// What messages call it: a constraint's name, or `comments.commentable`.
    pub name: String,
    /// The relation that refers.
    pub from: usize,
    /// The one that is referred to.
    pub to: usize,
    /// The columns of both, by their places among those that are looked at.
    pub columns: Vec<(usize, usize)>,
    /// It refers only where this column has one of these values: a polymorphic association's type.
    pub only_where: Option<(usize, Vec<String>)>,
    /// It is of this block's rows alone: a key of one partition.
    pub from_block: Option<usize>,
    /// It is to this block's rows alone.
    pub to_block: Option<usize>,
    /// The server has seen that every value refers to a row.
    pub enforced: bool,
    /// What becomes of a row whose counterpart goes.
    pub missing: Missing,
    /// The column by which a rule may have it become NULL instead, where one may.
    pub may_be_null: Option<String>,
}

/// What becomes of a row that refers to one that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// It goes, too.
    Drop,
    /// Its reference becomes NULL, in these columns by their names.
    Nullify(Vec<String>),
}

impl Reference {
    /// Whether it makes rows go, or stay.
    pub(crate) fn binds(&self) -> bool {
        self.missing == Missing::Drop
    }
}

impl Part {
    /// Whether a block's rows are looked at before any is loaded.
    pub fn looks_at(&self, load: DumpId) -> bool {
        self.relation(load).is_some()
    }

    /// Whether a block's rows are loaded only when it is known which of them stay.
    pub fn waits(&self, load: DumpId) -> bool {
        self.relation(load).is_some_and(|at| {
            let cuts = |one: &Reference| one.from == at && !one.binds();
            self.relations[at].rule != PartRule::All || self.references.iter().any(cuts)
        })
    }

    /// Whether a reference leads from rows that may come to others that may: only there do rows bring others along.
    pub(crate) fn brings(&self, one: &Reference) -> bool {
        let is_excluded = |at: usize| self.relations[at].is_excluded;
        !is_excluded(one.from) && !is_excluded(one.to)
    }

    /// The blocks that are looked at and never loaded.
    pub(in crate::plan) fn only_looked_at(&self) -> impl Iterator<Item = DumpId> + '_ {
        let excluded = self.relations.iter().filter(|relation| relation.is_excluded);
        excluded.flat_map(|relation| relation.blocks.iter().map(|block| block.load))
    }

    /// The relation that a block's rows are of.
    pub fn relation(&self, load: DumpId) -> Option<usize> {
        let holds = |relation: &Relation| relation.blocks.iter().any(|block| block.load == load);
        self.relations.iter().position(holds)
    }
}

impl PartColumn {
    /// Whether its values are read as those of its type; else they are compared as they are stored.
    pub(crate) fn is_read(&self) -> bool {
        !self.is_key || self.compared == Compared::Value
    }
}
