//! The row that a person names, in the backup.

use crate::error::{About, Error, Kind, Result};
use crate::failure::{Advice, JobFailure, JobRemedy};
use crate::part::{copied, no_value, Reason, Sought, What};
use crate::plan::part::{as_written, Compared, PartColumn};
use crate::plan::schema::{Schema, Table};
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
        let (of, key) = key.ok_or_else(|| {
            Error::new(
                Kind::Plan,
                JobFailure::NoKeyToName {
                    table: table.name.to_string(),
                },
                JobRemedy::AskOtherRow,
            )
        })?;
        let column = as_written(self.schema, of, key);
        let id = spelt(self.id.trim(), column.compared).ok_or_else(|| no_value(&table.name, &column))?;
        let position = |load: &Load| load.columns.iter().position(|name| name == key);
        let blocks = loads
            .iter()
            .filter_map(|load| Some((load.dump_id, position(load)?)));
        Ok(Ok(Sought {
            table: table.name.clone(),
            blocks: blocks.collect(),
            id: copied(id.as_bytes()),
            read_as: Some(column).filter(may_differ),
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
    /// own; where a whole has none, that of its only partition with rows counts. Behind the table that has it.
    fn key(&self, at: usize, loads: &[&Load]) -> Option<(usize, &str)> {
        let own = |at: usize| {
            let uniques = self.schema.tables[at].uniques.iter();
            let primary = uniques.into_iter().find(|unique| unique.primary)?;
            match primary.columns()?[..] {
                [name] => Some((at, self.schema.tables[at].column(name)?.name.as_str())),
                _ => None,
            }
        };
        let above = || self.schema.partition_ancestors(at).into_iter().find_map(own);
        let below = || match loads {
            [one] => self.schema.table(&one.table).and_then(own),
            _ => None,
        };
        let (of, key) = own(at).or_else(above).or_else(below)?;
        let has_it = |load: &&Load| load.columns.iter().any(|name| name == key);
        loads.iter().all(has_it).then_some((of, key))
    }
}

/// Whether equal values of a column may be written differently, so that the server has to compare them.
fn may_differ(column: &PartColumn) -> bool {
    column.kind.is_some() && matches!(column.compared, Compared::Value | Compared::Folded)
}

/// A key as the backup writes it: numbers and UUIDs in the one form that the server gives them. None where it is neither.
fn spelt(id: &str, compared: Compared) -> Option<String> {
    match compared {
        Compared::Number => id.parse::<i128>().ok().map(|number| number.to_string()),
        Compared::Uuid => uuid(id),
        Compared::Text | Compared::Value | Compared::Folded => Some(id.to_owned()),
    }
}

/// `{0F0E0D0C-0000-4000-8000-00000000ABCD}`, and other forms in which PostgreSQL reads a UUID.
fn uuid(id: &str) -> Option<String> {
    let digits = id.trim_matches(['{', '}']).replace('-', "").to_lowercase();
    let is_one = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| digits.get(range).unwrap_or_default());
    is_one.then(|| parts.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_uuid_are_sought_as_the_server_writes_them() {
        let spelt = |id: &str, compared| spelt(id, compared);
        let shown = |id: &str| Some(id.to_owned());
        assert_eq!(spelt("007", Compared::Number), shown("7"));
        assert_eq!(spelt("+7", Compared::Number), shown("7"));
        assert_eq!(spelt("007", Compared::Text), shown("007"));
        let uuid = "0f0e0d0c-0000-4000-8000-00000000abcd";
        assert_eq!(
            spelt("{0F0E0D0C-0000-4000-8000-00000000ABCD}", Compared::Uuid),
            shown(uuid)
        );
        assert_eq!(
            spelt("0f0e0d0c000040008000-00000000abcd", Compared::Uuid),
            shown(uuid)
        );
    }

    #[test]
    fn what_is_no_number_and_no_uuid_is_none() {
        for (id, compared) in [
            ("abc", Compared::Number),
            ("1.5", Compared::Number),
            ("{0F}", Compared::Uuid),
        ] {
            assert_eq!(spelt(id, compared), None);
        }
        assert_eq!(uuid(&"é".repeat(16)), None);
    }
}
