//! Foreign keys to tables whose rows are not there, or not all.

use super::Steps;
use crate::alike::{Alike, Many};
use crate::left_out::Why;
use crate::notice::Notice;
use crate::plan::Warnings;
use pg_dump_archive::Entry;

/// What becomes of an entry's statement.
pub(super) enum Outcome {
    /// It runs as the archive has it.
    AsItIs(String),
    /// It runs otherwise, which is worth a warning: about what, and the sentence.
    Changed {
        sql: String,
        about: String,
        warning: Notice,
    },
    /// It is left out, which is worth a warning: about what, and the sentence.
    LeftOut {
        why: Why,
        about: String,
        warning: Notice,
    },
    /// What it is about is not there.
    Pointless,
}

/// Excluding one table that everything refers to concerns as many keys as there are tables.
pub(super) fn warnings_of_keys(not_valid: Alike, left_out: Alike) -> Warnings {
    let not_valid = not_valid.into_warnings(|Many { count, names, more }| Notice::ManyKeysNotValid {
        count,
        names,
        more,
    });
    let left_out =
        left_out.into_warnings(|Many { count, names, more }| Notice::ManyKeysLeftOut { count, names, more });
    not_valid.into_iter().chain(left_out).collect()
}

impl Steps<'_> {
    /// A step's SQL, unchanged but for a foreign key to a table without rows.
    pub(super) fn statement(&self, entry: &Entry, sql: String) -> Outcome {
        let Some((table, key)) = self.foreign_keys.get(&entry.dump_id) else {
            return Outcome::AsItIs(sql);
        };
        let Some(references) = self.schema.table(&key.references) else {
            return Outcome::Pointless;
        };
        let bare = sql.trim_end().trim_end_matches(';');
        let is_partitioned = self.schema.tables[*table].partition_key.is_some();
        let is_plain = !is_partitioned && !key.not_valid;
        if is_plain && (self.kept.contains(table) || self.kept.contains(&references)) {
            // It is validated when all rows are there, if it holds.
            return Outcome::AsItIs(format!("{bare} NOT VALID;\n"));
        }
        let missing = self
            .with_partitions(references)
            .into_iter()
            .find(|table| self.excluded.contains(table));
        let has_rows = self
            .with_partitions(*table)
            .iter()
            .any(|table| self.loads.contains_key(table));
        let refers = has_rows && !key.not_valid && !self.given_up.contains(&entry.dump_id);
        let Some(missing) = missing.filter(|_| refers) else {
            return Outcome::AsItIs(sql);
        };
        let missing = self.schema.tables[missing].name.to_string();
        let table = self.schema.tables[*table].name.to_string();
        let about = format!("{} of {table}", key.name);
        let key = key.name.clone();
        if is_partitioned {
            let why = Why::NoNotValidKey { table: missing };
            let warning = Notice::KeyLeftOut {
                key,
                table,
                why: why.clone(),
            };
            return Outcome::LeftOut { why, about, warning };
        }
        Outcome::Changed {
            sql: format!("{bare} NOT VALID;\n"),
            about,
            warning: Notice::KeyNotValid { key, table, missing },
        }
    }
}
