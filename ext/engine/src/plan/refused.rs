//! What a step has to be known by when the server refuses it: what is pointless without it, what its values are made of,
//! and the rows that it would not take.

use super::schema::{KeyPart, Table, Unique};
use super::sql::{lex, Cursor};
use super::step::{MadeOf, Refuses, Step};
use super::steps::Steps;
use super::{quote_identifier, TableName};
use pg_dump_archive::{DumpId, Entry, EntryKind};

impl Steps<'_> {
    /// The entries without which a step is pointless.
    pub(super) fn needs(&self, entry: &Entry) -> Vec<DumpId> {
        let mut needs = entry.dependencies.clone();
        if let Some((_, key)) = self.foreign_keys.get(&entry.dump_id) {
            needs.extend(self.keys_referenced(key));
        }
        needs
    }

    /// What the values of a key or an index are made of.
    pub(super) fn made_of(&self, entry: &Entry) -> Vec<MadeOf> {
        if let Some((table, key)) = self.foreign_keys.get(&entry.dump_id) {
            let here = self.columns_of(*table, Some(key.columns.clone()));
            let there = self.schema.table(&key.references);
            let there = there.map(|table| self.columns_of(table, Some(key.referenced_columns.clone())));
            return std::iter::once(here).chain(there).collect();
        }
        let is_of_rows = matches!(
            entry.kind,
            EntryKind::Constraint | EntryKind::CheckConstraint | EntryKind::Index
        );
        let table = self.table_of_index.get(&entry.dump_id).filter(|_| is_of_rows);
        let made_of = table.map(|table| {
            let columns = self.unique(entry).map(|(_, unique)| names_in(unique));
            self.columns_of(*table, columns)
        });
        made_of.into_iter().collect()
    }

    fn columns_of(&self, table: usize, columns: Option<Vec<String>>) -> MadeOf {
        let tables = self.with_partitions(table).into_iter();
        MadeOf {
            tables: tables
                .map(|table| self.schema.tables[table].name.clone())
                .collect(),
            columns,
        }
    }

    fn unique(&self, entry: &Entry) -> Option<(&Table, &Unique)> {
        let table = self.table(entry)?;
        let unique = table.uniques.iter().find(|one| one.dump_id == entry.dump_id)?;
        Some((table, unique))
    }

    /// Which rows a key does not take. None for one with a condition or an expression.
    pub(super) fn refuses(&self, entry: &Entry) -> Option<Refuses> {
        if self.foreign_keys.contains_key(&entry.dump_id) {
            return Some(Refuses::Orphans);
        }
        let (_, unique) = self.unique(entry)?;
        let tokens = lex(&entry.defn);
        let is_partial = Cursor::new(&tokens).skip_past("WHERE");
        let is_plain = unique.columns().is_some() && !is_partial;
        is_plain.then_some(Refuses::Duplicates {
            with_nulls: unique.nulls_not_distinct,
        })
    }
}

impl Step {
    /// A query that finds the rows that it does not take, where there is one.
    pub fn finds(&self) -> Option<String> {
        let sides: Vec<(&TableName, &[String])> = self
            .made_of
            .iter()
            .filter_map(|part| Some((part.tables.last()?, part.columns.as_deref()?)))
            .collect();
        match (self.finds?, sides.as_slice()) {
            (Refuses::Orphans, [here, there]) => Some(orphans(*here, *there)),
            (Refuses::Duplicates { with_nulls }, [(table, columns)]) => {
                Some(duplicates(table, columns, with_nulls))
            }
            _ => None,
        }
    }
}

/// Every column that a key names, also in an expression.
fn names_in(unique: &Unique) -> Vec<String> {
    let parts = unique.parts.iter().flat_map(|part| match part {
        KeyPart::Column(name) => vec![name.clone()],
        KeyPart::Expression(expression) => expression.names.clone(),
    });
    parts.collect()
}

fn orphans((table, columns): (&TableName, &[String]), (there, theirs): (&TableName, &[String])) -> String {
    let pairs = columns.iter().zip(theirs);
    let meets = pairs.map(|(here, there)| {
        format!(
            "there.{} = here.{}",
            quote_identifier(there),
            quote_identifier(here)
        )
    });
    let filled = columns.iter();
    let filled = filled.map(|column| format!("here.{} IS NOT NULL", quote_identifier(column)));
    format!(
        "SELECT * FROM {} here WHERE {} AND NOT EXISTS (SELECT FROM {} there WHERE {})",
        table.sql(),
        filled.collect::<Vec<_>>().join(" AND "),
        there.sql(),
        meets.collect::<Vec<_>>().join(" AND ")
    )
}

fn duplicates(table: &TableName, columns: &[String], with_nulls: bool) -> String {
    let columns: Vec<String> = columns.iter().map(|column| quote_identifier(column)).collect();
    let filled: Vec<String> = columns
        .iter()
        .map(|column| format!("{column} IS NOT NULL"))
        .collect();
    let filled = if with_nulls {
        "true".to_owned()
    } else {
        filled.join(" AND ")
    };
    let columns = columns.join(", ");
    format!(
        "SELECT {columns}, count(*) FROM {} WHERE {filled} GROUP BY {columns} HAVING count(*) > 1",
        table.sql()
    )
}
