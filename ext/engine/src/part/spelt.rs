//! How the backup writes a key that a person wrote: PostgreSQL reads both as values of the key's type, and compares them.

use super::choose::{Breadth, Chooser, Looked};
use super::why::Sought;
use crate::error::{Doing, Error, Kind, Result};
use crate::failure::{Attempt, JobFailure, JobRemedy};
use crate::plan::part::{Compared, Part, PartBlock, PartColumn, PartRule, Relation};
use crate::plan::{Plan, TableName};
use crate::postgres::{Buffers, Session};
use pg_dump_archive::DumpId;
use tokio::sync::mpsc;

/// The key that was written stands in for a block of one row. No entry of an archive has this number.
const WRITTEN: DumpId = DumpId(-1);

/// Where the rows are among the relations, and the key that was written.
const ROWS: usize = 0;
const KEY: usize = 1;

impl Sought {
    /// The backup's rows and the key that was written, each by its value and by its text; None where the text is enough.
    pub(crate) fn part(&self) -> Option<Part> {
        let value = self.read_as.clone()?;
        let text = PartColumn {
            compared: Compared::Text,
            ..value.clone()
        };
        let columns = vec![value, text];
        let block = |(load, position): (DumpId, usize)| PartBlock {
            load,
            positions: vec![position; columns.len()],
        };
        let relation = |blocks: Vec<PartBlock>| Relation {
            table: self.table.clone(),
            blocks,
            columns: columns.clone(),
            rule: PartRule::All,
            is_excluded: false,
        };
        let rows = self.blocks.iter().map(|(load, position)| (*load, *position));
        Some(Part {
            relations: vec![
                relation(rows.map(block).collect()),
                relation(vec![block((WRITTEN, 0))]),
            ],
            references: Vec::new(),
            allow_empty: true,
        })
    }

    /// What is said where the key that was written is no value of its column's type.
    fn refusal(&self, error: Error) -> Error {
        let code = error.about.sqlstate.as_deref().unwrap_or_default();
        match &self.read_as {
            // Data exceptions.
            Some(column) if code.starts_with("22") => no_value(&self.table, column),
            _ => error,
        }
    }
}

/// A key that was written is no value of its column's type.
pub(crate) fn no_value(table: &TableName, column: &PartColumn) -> Error {
    let kind = column.kind.as_ref().map_or("?", |kind| kind.sql.as_str());
    let what = JobFailure::NoValueOfKey {
        column: format!("{table}.{}", column.name),
        name: kind.replace('"', ""),
    };
    Error::new(Kind::Plan, what, JobRemedy::WriteKeyOfType)
}

/// A value as COPY writes it.
pub(crate) fn copied(value: &[u8]) -> Vec<u8> {
    let mut copied = Vec::with_capacity(value.len());
    for &byte in value {
        let escaped = match byte {
            b'\\' => b'\\',
            0x08 => b'b',
            0x0b => b'v',
            0x0c => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            _ => {
                copied.push(byte);
                continue;
            }
        };
        copied.extend([b'\\', escaped]);
    }
    copied
}

impl<'a> Chooser<'a> {
    /// One for [`spelt`](Self::spelt). `part`: that of the row which is sought.
    ///
    /// # Errors
    /// [`Kind::Plan`] where the target has no such type; besides as [`choose`](super::choose()).
    pub(crate) async fn to_spell(
        session: Session,
        buffers: Buffers,
        (plan, part): (&'a Plan, &'a Part),
    ) -> Result<Self> {
        let of = (part, plan.needs_of(part), plan.encoding.as_str());
        Self::of_part((session, buffers), of, Breadth::All).await
    }

    /// How the backup's rows write the key of the one that is sought, as COPY does; None where none has it. The key goes to
    /// the server as those of rows do, so that its log cannot quote it as a parameter.
    ///
    /// # Errors
    /// [`Kind::Plan`] where it is no value of its type; besides as [`choose`](super::choose()).
    pub(crate) async fn spelt(
        mut self,
        sought: &Sought,
        rows: mpsc::Receiver<Looked>,
    ) -> Result<Option<Vec<u8>>> {
        let read = self.read_written(sought).await;
        read.map_err(|error| sought.refusal(error))?;
        self.take_in(rows).await?;
        let sql = format!(
            "SELECT k.c1 FROM {} k JOIN {} w ON k.c0 OPERATOR(pg_catalog.=) w.c0 LIMIT 1",
            self.tables[ROWS].sql(),
            self.tables[KEY].sql()
        );
        let doing = |error| Error::from_server(Doing::WithRows(&Attempt::ChoosingRows), &error);
        let found = self.session.query(&sql, &[]).await.map_err(doing)?;
        let value = found.first().map(|row| row.try_get::<_, Vec<u8>>(0));
        let value = value.transpose().map_err(doing)?;
        self.session.close().await;
        Ok(value.map(|value| copied(&value)))
    }

    /// Takes the key in that was written.
    async fn read_written(&mut self, sought: &Sought) -> Result<()> {
        let (sender, mut rows) = mpsc::channel(2);
        let line = [sought.id.as_slice(), b"\n"].concat();
        for looked in [Looked::Rows(line), Looked::End] {
            // The channel has room for both.
            if sender.send(looked).await.is_err() {
                return Err(Error::interrupted());
            }
        }
        self.look(WRITTEN, &mut rows).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_as_copy_writes_it() {
        assert_eq!(copied(b"a\\b\tc\x0bd\n"), b"a\\\\b\\tc\\vd\\n");
        assert_eq!(copied("é".as_bytes()), "é".as_bytes());
    }

    #[test]
    fn only_a_data_exception_says_that_a_key_is_no_value_of_its_type() {
        let sought = Sought {
            table: TableName::new("public", "prices"),
            blocks: std::collections::HashMap::new(),
            id: b"abc".to_vec(),
            read_as: Some(PartColumn {
                name: "amount".into(),
                compared: Compared::Value,
                is_key: true,
                kind: None,
            }),
        };
        let failed = |code: &str| {
            let mut error = Error::internal("refused");
            error.about.sqlstate = Some(code.to_owned());
            error
        };
        assert_eq!(sought.refusal(failed("22P02")).kind, Kind::Plan);
        assert_eq!(sought.refusal(failed("53100")), failed("53100"));
    }
}
