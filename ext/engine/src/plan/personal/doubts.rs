//! What CHECKs that are not understood, and unique indexes over a part of its values, ask of a column.

use crate::finding::Because;
use crate::plan::checks;
use crate::plan::parts::{self, SeenPart};
use crate::plan::schema::Schema;

/// The doubts about a column. Of nearly all there are none, and there may be many thousands of columns.
#[derive(Debug, Clone, Default)]
pub(super) struct Doubts(Option<Box<Known>>);

#[derive(Debug, Clone)]
struct Known {
    /// The name of a CHECK that may refuse a value.
    value: Option<String>,
    /// The name of a CHECK that may refuse NULL.
    null: Option<String>,
    /// What unique indexes see of its values.
    parts: Vec<SeenPart>,
}

impl Doubts {
    /// Those about a column of a table.
    pub(super) fn about(schema: &Schema, table: usize, column: &str) -> Self {
        let found = checks::of_column(schema, table, column);
        let known = Known {
            value: found.unknown.into_iter().next(),
            null: found.refusing_null.into_iter().next(),
            parts: parts::of_column(schema, table, column),
        };
        let is_any = known.value.is_some() || known.null.is_some() || !known.parts.is_empty();
        Self(is_any.then(|| Box::new(known)))
    }

    /// The name of a CHECK that may refuse a value.
    pub(super) fn check(&self) -> Option<&str> {
        self.0.as_ref()?.value.as_deref()
    }

    /// The name of a CHECK that may refuse NULL.
    pub(super) fn of_null(&self) -> Option<&str> {
        self.0.as_ref()?.null.as_deref()
    }

    /// What unique indexes see of its values.
    pub(super) fn parts(&self) -> &[SeenPart] {
        self.0.as_ref().map_or(&[], |known| &known.parts)
    }

    /// Why no mask is put in force by itself, if a CHECK is why.
    pub(super) fn because(&self) -> Option<Because> {
        if let Some(check) = self.check() {
            return Some(Because::CheckAsksMore {
                check: check.to_owned(),
            });
        }
        let part = self.parts().iter().find(|part| part.is_less_than_the_value())?;
        Some(Because::UniquePart {
            part: part.sql().to_owned(),
        })
    }
}
