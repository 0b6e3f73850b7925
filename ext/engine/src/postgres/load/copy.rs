//! Rows on their way into a table: one COPY after the other, by the first way that the rows allow: binary before text.
//!
//! Where a transaction empties the table first and all of the COPYs are part of it, they can freeze the rows: no other session
//! has to look again at whether they were committed, no page is written a second time to note that they were, the
//! visibility map is there for the checks of foreign keys to read indexes alone, and with `wal_level` minimal nothing is logged
//! (PostgreSQL's documentation, "COPY", FREEZE, and "Populating a Database").

use crate::error::{About, Doing, Error, Kind, Result};
use crate::failure::{Attempt, JobFailure, JobRemedy};
use crate::plan::sql_rules::quiet::QuietCopy;
use crate::plan::sql_rules::SqlTable;
use crate::plan::Load;
use crate::postgres::buffers::{Buffers, Outgoing};
use crate::postgres::load::lane::Lane;
use crate::postgres::session::ahead::WholeCopy;
use crate::postgres::session::connect::Session;
use futures_util::SinkExt;
use memchr::{memchr, memrchr};
use pg_dump_archive::copy::binary::{Layout, HEADER, TRAILER};
use pg_dump_archive::copy::Splitter;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_postgres::{CopyInSink, Statement};

/// A COPY is ended and a new one begun after this long, because the server says nothing while it receives, and
/// proxies cut connections on which the server is silent.
const LONGEST_COPY: Duration = Duration::from_secs(300);

/// The same after so many bytes, because the server reports a refused row only when a COPY ends.
const LARGEST_COPY: u64 = 64 * 1024 * 1024;

/// A piece that is larger holds a huge field. It goes as text where it may, because writing it anew would take its size
/// again.
const LARGEST_ENCODED: usize = 1024 * 1024;

/// About how many bytes of rows are written as tuples together. Those of a whole piece would make every buffer of the
/// store grow, and they are looked at while they are in the processor's cache.
const PART: usize = 64 * 1024;

/// A way for rows to go into a table.
pub(crate) enum Way {
    /// As the text that they are, by this COPY.
    Text(String),
    /// As tuples.
    Binary {
        /// What has to be said before its first COPY.
        first: Option<String>,
        /// The COPY.
        sql: String,
        layout: Arc<Layout>,
        /// The server would complain of text that is not UTF-8, and quote some of it: such rows do not go this way.
        needs_utf8: bool,
    },
}

impl Way {
    fn sql(&self) -> &str {
        match self {
            Self::Text(sql) | Self::Binary { sql, .. } => sql,
        }
    }
}

impl From<QuietCopy> for Way {
    fn from(copy: QuietCopy) -> Self {
        Self::Binary {
            first: copy.first,
            sql: copy.sql,
            layout: copy.layout,
            needs_utf8: copy.reads_text,
        }
    }
}

/// How a load's raw rows go into the temporary table of a table with rules in SQL.
pub(crate) fn raw_ways(table: &SqlTable, load: &Load, encoding: &str) -> Vec<Way> {
    let ways: Vec<Way> = table.quiet_copies(load).into_iter().map(Way::from).collect();
    match ways.is_empty() {
        // A row without columns has nothing that could be quoted.
        true => vec![Way::Text(load.copy_sql_into(&table.temporary(), &[], encoding))],
        false => ways,
    }
}

/// The rows as one COPY, by the first of these ways that they can go, or, where the server is far away, by the one that takes
/// the fewest bytes; None when there is none, or one that needs more than a COPY.
pub(in crate::postgres) fn whole(ways: &[Way], rows: &[u8], is_far: bool) -> Option<WholeCopy> {
    let mut copies = ways.iter().filter_map(|way| match way {
        Way::Text(sql) => Some(WholeCopy {
            sql: sql.clone(),
            data: rows.to_vec(),
        }),
        Way::Binary {
            first: None,
            sql,
            layout,
            needs_utf8: false,
        } => {
            let mut data = HEADER.to_vec();
            let is_encoded = layout.encode(rows, &mut Splitter::new(), &mut data);
            data.extend_from_slice(TRAILER);
            is_encoded.then(|| WholeCopy {
                sql: sql.clone(),
                data,
            })
        }
        Way::Binary { .. } => None,
    });
    match is_far {
        true => copies.min_by_key(|copy| copy.data.len()),
        false => copies.next(),
    }
}

/// The COPYs of one lane.
pub(in crate::postgres) struct Copying<'a> {
    session: &'a Session,
    /// The table's name, for messages.
    table: &'a str,
    buffers: &'a Buffers,
    /// The way that the rows go, until there is a piece that cannot.
    way: &'a Way,
    /// Those that are left then.
    further: &'a [Way],
    splitter: Splitter,
    /// The statement of every COPY from now on.
    statement: Statement,
    under_way: Option<UnderWay>,
    transaction: Transaction,
    stored: u64,
}

/// What commits the rows.
enum Transaction {
    /// Each COPY by itself.
    None,
    /// One for all of them, which these statements are to begin; they empty the table, too.
    ToBegin(String),
    /// The same, begun.
    Begun,
}

/// A COPY under way.
struct UnderWay {
    sink: Pin<Box<CopyInSink<Outgoing>>>,
    since: Instant,
    bytes: u64,
}

impl<'a> Copying<'a> {
    /// Nothing is sent yet but the statement, for the server to look at.
    pub(in crate::postgres) async fn new(session: &'a Session, lane: &'a Lane) -> Result<Self> {
        let Some((way, further)) = lane.ways.split_first() else {
            return Err(Error::internal("There is no way for rows into a table."));
        };
        Ok(Self {
            session,
            table: &lane.table,
            buffers: &lane.buffers,
            splitter: Splitter::new(),
            statement: prepare(session, &lane.table, way).await?,
            way,
            further,
            under_way: None,
            transaction: match &lane.emptied_first {
                Some(opening) => Transaction::ToBegin(opening.clone()),
                None => Transaction::None,
            },
            stored: 0,
        })
    }

    /// Ends the COPY under way, and with it the transaction, if they are part of one.
    ///
    /// # Errors
    /// As [`Copying::send`].
    pub(in crate::postgres) async fn commit(&mut self) -> Result<()> {
        self.finish().await?;
        if matches!(self.transaction, Transaction::Begun) {
            self.transaction = Transaction::None;
            let committed = self.session.batch_execute("COMMIT").await;
            committed.map_err(|error| refused(self.table, &error))?;
        }
        Ok(())
    }

    /// Rows that PostgreSQL says it stored, of the COPYs that are finished.
    pub(in crate::postgres) fn stored(&self) -> u64 {
        self.stored
    }

    /// How long the COPY under way may wait for rows; None when there is none.
    pub(in crate::postgres) fn patience(&self) -> Option<Duration> {
        let copy = self.under_way.as_ref()?;
        Some(LONGEST_COPY.saturating_sub(copy.since.elapsed()))
    }

    /// Sends a piece of whole rows of COPY text.
    ///
    /// # Errors
    /// When the server refuses rows, naming the table.
    pub(in crate::postgres) async fn send(&mut self, mut rows: Vec<u8>) -> Result<()> {
        loop {
            if let Way::Text(_) = self.way {
                self.send_bytes(rows).await?;
                break;
            }
            let sent = self.send_tuples(&rows).await?;
            if sent == rows.len() {
                self.buffers.give(rows);
                break;
            }
            rows.drain(..sent);
            self.turn().await?;
        }
        let is_enough = |copy: &UnderWay| copy.bytes >= LARGEST_COPY || copy.since.elapsed() >= LONGEST_COPY;
        if self.under_way.as_ref().is_some_and(is_enough) {
            self.finish().await?;
        }
        Ok(())
    }

    /// Ends the COPY under way, whose rows are committed then unless a transaction goes on; false when there is none.
    ///
    /// # Errors
    /// As [`Copying::send`].
    pub(in crate::postgres) async fn finish(&mut self) -> Result<bool> {
        if self.under_way.is_none() {
            return Ok(false);
        }
        if let Way::Binary { .. } = self.way {
            let mut end = self.buffers.take();
            end.extend_from_slice(TRAILER);
            self.send_bytes(end).await?;
        }
        if let Some(mut copy) = self.under_way.take() {
            let stored = self.session.during(copy.sink.as_mut().finish()).await;
            self.stored += stored.map_err(|error| refused(self.table, &error))?;
        }
        Ok(true)
    }

    /// Sends rows as tuples as far as they can go so; returns where the others begin.
    async fn send_tuples(&mut self, rows: &[u8]) -> Result<usize> {
        let may_be_text = self.further.iter().any(|way| matches!(way, Way::Text(_)));
        let mut at = 0;
        while at < rows.len() && (rows.len() <= LARGEST_ENCODED || !may_be_text) {
            let end = at + part(&rows[at..]);
            let is_first = self.under_way.is_none() && self.stored == 0;
            let Some(tuples) = self.encoded(&rows[at..end]) else {
                break;
            };
            // As tuples the server has less to do. On a long way what is shorter counts for more, which numbers are as text.
            if is_first && may_be_text && self.session.is_far() && tuples.len() > end - at {
                self.buffers.give(tuples);
                break;
            }
            self.send_bytes(tuples).await?;
            at = end;
        }
        Ok(at)
    }

    /// The rows as tuples, behind the header where a COPY is to begin with them; None when they have to go another way.
    fn encoded(&mut self, rows: &[u8]) -> Option<Vec<u8>> {
        let Way::Binary {
            layout, needs_utf8, ..
        } = self.way
        else {
            return None;
        };
        if *needs_utf8 && std::str::from_utf8(rows).is_err() {
            return None;
        }
        let mut tuples = self.buffers.take();
        if self.under_way.is_none() {
            tuples.extend_from_slice(HEADER);
        }
        if layout.encode(rows, &mut self.splitter, &mut tuples) {
            return Some(tuples);
        }
        self.buffers.give(tuples);
        None
    }

    /// The rest of the lane's rows go by the next way.
    async fn turn(&mut self) -> Result<()> {
        self.finish().await?;
        let Some((way, further)) = self.further.split_first() else {
            return Err(Error::new(
                Kind::Archive,
                JobFailure::RowsNotCopy {
                    table: self.table.to_string(),
                },
                JobRemedy::TakeAnotherOrReport,
            )
            .about(About::table(self.table)));
        };
        self.statement = prepare(self.session, self.table, way).await?;
        (self.way, self.further) = (way, further);
        Ok(())
    }

    /// Sends bytes by the COPY under way, or one that begins with them.
    async fn send_bytes(&mut self, bytes: Vec<u8>) -> Result<()> {
        let mut copy = match self.under_way.take() {
            Some(copy) => copy,
            None => self.begin().await?,
        };
        copy.bytes += bytes.len() as u64;
        for message in Outgoing::messages(bytes, self.buffers) {
            let sent = self.session.during(copy.sink.send(message)).await;
            sent.map_err(|error| refused(self.table, &error))?;
        }
        self.under_way = Some(copy);
        Ok(())
    }

    async fn begin(&mut self) -> Result<UnderWay> {
        if let Transaction::ToBegin(opening) = &self.transaction {
            let emptied = self.session.batch_execute(opening).await;
            emptied.map_err(|error| refused(self.table, &error))?;
            self.transaction = Transaction::Begun;
        }
        let sink = self.session.copy_in(&self.statement).await;
        Ok(UnderWay {
            sink: Box::pin(sink.map_err(|error| refused(self.table, &error))?),
            since: Instant::now(),
            bytes: 0,
        })
    }
}

/// How long the whole rows are that are written together: about [`PART`], or one row.
fn part(rows: &[u8]) -> usize {
    let newline = match rows.get(..PART) {
        None => None,
        Some(part) => memrchr(b'\n', part).or_else(|| memchr(b'\n', rows)),
    };
    newline.map_or(rows.len(), |newline| newline + 1)
}

async fn prepare(session: &Session, table: &str, way: &Way) -> Result<Statement> {
    if let Way::Binary {
        first: Some(first), ..
    } = way
    {
        let done = session.batch_execute(first).await;
        done.map_err(|error| refused(table, &error))?;
    }
    let statement = session.prepare(way.sql()).await;
    statement.map_err(|error| refused(table, &error))
}

fn refused(table: &str, error: &tokio_postgres::Error) -> Error {
    Error::from_server(
        Doing::WithRows(&Attempt::LoadingRows {
            table: table.to_string(),
        }),
        error,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_of_whole_rows_and_holds_one_at_least() {
        assert_eq!(part(b"1\n2\n"), 4);
        assert_eq!(part(&b"12\n".repeat(PART)), PART - PART % 3);
        let huge = [&b"x".repeat(PART)[..], b"\n1\n"].concat();
        assert_eq!(part(&huge), PART + 1);
        assert_eq!(part(&huge[..PART + 1]), PART + 1);
        assert_eq!(part(b"without an end"), 14);
    }
}
