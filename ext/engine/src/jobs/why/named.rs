//! The row that a person names, in the backup.

use crate::error::{About, Error, Kind, Result};
use crate::failure::{Advice, JobFailure, JobRemedy};
use crate::part::{Reason, Sought, What};
use crate::plan::schema::{Column, Schema, Table};
use crate::plan::{names, Load, Plan, TableName};

/// A row by its table and its primary key, as they were typed.
pub(super) struct Named<'a> {
    pub(super) plan: &'a Plan,
    pub(super) schema: &'a Schema,
    pub(super) named: &'a str,
    pub(super) id: &'a str,
}

impl Named<'_> {
    /// Where the row may be, or what can be said of it without a look.
    ///
    /// # Errors
    /// [`Kind::Plan`] when there is no such table, there are several, or no row of it can be named.
    pub(super) fn seek(&self) -> Result<Result<Sought, Reason>> {
        let at = self.table()?;
        let table = &self.schema.tables[at];
        let loads = self.loads(at);
        if loads.is_empty() {
            let what = match self.plan.keep.holds(&table.name) {
                true => What::Stays,
                false => What::WithoutRows,
            };
            return Ok(Err(Reason::of(what, table.name.to_string())));
        }
        let key = self.key(at, &loads);
        let key = key.ok_or_else(|| {
            Error::new(
                Kind::Plan,
                JobFailure::NoKeyToName {
                    table: table.name.to_string(),
                },
                JobRemedy::AskOtherRow,
            )
        })?;
        let position = |load: &Load| load.columns.iter().position(|name| *name == key.name);
        let blocks = loads
            .iter()
            .filter_map(|load| Some((load.dump_id, position(load)?)));
        Ok(Ok(Sought {
            table: table.name.to_string(),
            blocks: blocks.collect(),
            id: as_copied(self.id, key),
        }))
    }

    /// The one table of the name.
    fn table(&self) -> Result<usize> {
        let tables = self.schema.tables.iter().enumerate();
        let meant: Vec<(usize, &Table)> = tables
            .filter(|(_, table)| table.name.is_meant_by(self.named))
            .collect();
        match meant[..] {
            [] => Err(self.unknown()),
            [(at, _)] => Ok(at),
            [(_, first), (_, second), ..] => Err(Error::new(
                Kind::Plan,
                JobFailure::TableOfTwo {
                    name: self.named.to_owned(),
                    first: first.name.to_string(),
                    second: second.name.to_string(),
                },
                JobRemedy::WriteSchema,
            )),
        }
    }

    fn unknown(&self) -> Error {
        let named: Vec<&TableName> = self.schema.tables.iter().map(|table| &table.name).collect();
        let advice = names::meant(self.named, named.into_iter()).unwrap_or(Advice::CorrectIts);
        let what = JobFailure::NoRowsOfTable {
            table: self.named.to_owned(),
        };
        Error::new(Kind::Plan, what, advice).about(About::table(self.named))
    }

    /// The loads that hold rows of a table, or of its partitions.
    fn loads(&self, at: usize) -> Vec<&Load> {
        let mut tables = self.schema.partitions(at);
        tables.push(at);
        let is_one = |load: &&Load| {
            let table = self.schema.table(&load.table);
            table.is_some_and(|table| tables.contains(&table))
        };
        self.plan.loads.values().filter(is_one).collect()
    }

    /// The column of a table's primary key, where it is one and the backup has it. A partition has its whole's, or one of its
    /// own; where a whole has none, that of its only partition with rows counts.
    fn key(&self, at: usize, loads: &[&Load]) -> Option<&Column> {
        let own = |at: usize| {
            let uniques = self.schema.tables[at].uniques.iter();
            let primary = uniques.into_iter().find(|unique| unique.primary)?;
            match primary.columns()?[..] {
                [name] => self.schema.tables[at].column(name),
                _ => None,
            }
        };
        let above = || self.schema.partition_ancestors(at).into_iter().find_map(own);
        let below = || match loads {
            [one] => self.schema.table(&one.table).and_then(own),
            _ => None,
        };
        let key = own(at).or_else(above).or_else(below)?;
        let has_it = |load: &&Load| load.columns.contains(&key.name);
        loads.iter().all(has_it).then_some(key)
    }
}

/// A key as COPY writes it: numbers and UUIDs in the one form that the server gives them.
fn as_copied(id: &str, key: &Column) -> Vec<u8> {
    let id = id.trim();
    let kind = key.column_type.as_ref().map_or("", |kind| kind.name.as_str());
    let number = || match kind {
        "smallint" | "integer" | "bigint" => id.parse::<i128>().ok().map(|number| number.to_string()),
        "uuid" => Some(id.trim_matches(['{', '}']).to_lowercase()),
        _ => None,
    };
    let id = number().unwrap_or_else(|| id.to_owned());
    id.replace('\\', "\\\\")
        .replace('\t', "\\t")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
        .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::schema::TypeName;
    use std::sync::Arc;

    #[test]
    fn a_key_is_sought_as_the_server_writes_it() {
        let copied = |id: &str, kind: &str| {
            let key = Column {
                column_type: TypeName::parse(kind).map(Arc::new),
                ..Column::default()
            };
            String::from_utf8(as_copied(id, &key)).unwrap_or_default()
        };
        assert_eq!(copied(" 007 ", "bigint"), "7");
        assert_eq!(copied("+7", "integer"), "7");
        assert_eq!(copied("007", "text"), "007");
        assert_eq!(copied("{0F}", "uuid"), "0f");
        assert_eq!(copied("a\\b", "character varying(40)"), "a\\\\b");
    }
}
