//! A column whose values are compared with one that a person writes.

use super::compare::compared_as_written;
use super::value::value_type;
use super::{Needs, Part, PartColumn};
use crate::plan::schema::Schema;
use crate::plan::Plan;

/// A table's column, as it is looked at for that.
pub(crate) fn as_written(schema: &Schema, table: usize, column: &str) -> PartColumn {
    PartColumn {
        name: column.to_owned(),
        compared: compared_as_written(schema, table, column),
        is_key: true,
        kind: value_type(schema, table, column),
    }
}

impl Plan {
    /// What the columns and rules of another part than the plan's own need of the backup's own.
    pub(crate) fn needs_of(&self, part: &Part) -> Needs {
        Needs::of(&self.schema, &part.relations)
    }
}
