//! Rows of extensions' own tables: they are added to what is there, one table after another, and what the target refuses of
//! them is left out with a warning.
//!
//! The tables are the extension's, not the role's: nothing there is changed or taken away. What is there already, from the
//! extension itself or from an earlier run, stays as it is.

use super::{Done, Restore};
use crate::error::{Doing, Error, Kind, Result};
use crate::failure::{Attempt, ServerFailure, TargetFailure, TargetRemedy};
use crate::left_out::Why;
use crate::notice::Notice;
use crate::phrase::Phrase;
use crate::plan::{quote_identifier, Load, TaskId};
use crate::postgres::load::copy::Way;
use crate::postgres::load::lane::{Lane, Queue};
use crate::postgres::session::connect::Session;
use pg_dump_archive::DumpId;
use tokio::sync::mpsc;

/// Where they go first: COPY knows no ON CONFLICT.
const BESIDE: &str = "pg_temp.scalingo_staging_sync_extension_rows";

/// The table whose rows arrive.
pub(super) struct Arriving {
    id: DumpId,
    /// The way to its writer, from its first rows on.
    sender: Option<mpsc::Sender<Vec<u8>>>,
}

impl Restore<'_> {
    /// Rows of an extension's table follow. Says whether they do.
    pub(super) fn start_extension_rows(&mut self, id: DumpId) -> bool {
        let are_these = self.plan.extension_rows.contains_key(&id);
        if are_these {
            self.extensions_seen.insert(id);
            self.of_extension = Some(Arriving { id, sender: None });
        }
        are_these
    }

    /// Hands a piece to the writer.
    pub(super) async fn extension_rows(&mut self, piece: Vec<u8>) -> Result<()> {
        let Some(mut arriving) = self.of_extension.take() else {
            return Err(Error::internal(
                "Rows of an extension arrived outside of its table.",
            ));
        };
        let sender = match &arriving.sender {
            Some(sender) => sender.clone(),
            None => self.start_extension_writer(arriving.id).await?,
        };
        // A writer that has ended has been refused, and says so itself.
        let _ = sender.send(piece).await;
        arriving.sender = Some(sender);
        self.of_extension = Some(arriving);
        Ok(())
    }

    /// There are no more rows of the table. Says whether it was an extension's.
    pub(super) fn end_extension_rows(&mut self) -> bool {
        let Some(arriving) = self.of_extension.take() else {
            return false;
        };
        if arriving.sender.is_none() {
            self.graph.data_done(TaskId::Entry(arriving.id));
        }
        true
    }

    /// A table may refer to one before it, so that each waits for that.
    async fn start_extension_writer(&mut self, id: DumpId) -> Result<mpsc::Sender<Vec<u8>>> {
        while self.extension_writers > 0 {
            match self.tasks.join_next().await {
                Some(done) => self.finished(done)?,
                None => return Err(Error::internal("The writer of an extension's rows is gone.")),
            }
        }
        let Some(load) = self.plan.extension_rows.get(&id).cloned() else {
            return Err(Error::internal(
                "Rows arrived of an extension that the plan does not know.",
            ));
        };
        let session = self.free_session().await?;
        let (sender, receiver) = mpsc::channel(1);
        let queue = Queue::new(tokio::sync::Mutex::new(receiver));
        let lane = Lane {
            load: id,
            table: load.table.to_string(),
            ways: vec![Way::Text(load.copy_sql_into(BESIDE, &[], &self.plan.encoding))],
            emptied_first: None,
            mask: None,
            conditional: None,
            emptied: None,
            stages: Vec::new(),
            queue: Queue::clone(&queue),
            buffers: self.target.buffers(),
        };
        let lock_timeout = self.target.settings.lock_timeout;
        self.extension_writers += 1;
        self.tasks.spawn(async move {
            let refusal = match add_rows(lane, &load, &session, lock_timeout).await {
                Ok(()) => None,
                Err(error) if error.kind == Kind::TargetConnection => return Err(error),
                Err(error) => {
                    roll_back(&session).await?;
                    Some(error)
                }
            };
            // What is still on its way has nowhere to go.
            while queue.lock().await.recv().await.is_some() {}
            Ok(Done::ExtensionRows { id, session, refusal })
        });
        Ok(sender)
    }

    /// A table's rows are there, or left out.
    pub(super) fn extension_rows_done(&mut self, id: DumpId, session: Session, refusal: Option<Error>) {
        self.free.push(session);
        self.extension_writers -= 1;
        self.graph.data_done(TaskId::Entry(id));
        let (Some(error), Some(load)) = (refusal, self.plan.extension_rows.get(&id)) else {
            return;
        };
        let why = why(&error);
        let kind = pg_dump_archive::EntryKind::TableData;
        let (object, why) = (format!("{kind} {}", load.table), vec![why]);
        let missing = &self.target.missing;
        missing.add(id, kind, &load.table.to_string(), why.clone());
        self.warn(&Notice::LeftOut { object, why });
    }
}

/// Why the rows do not come.
fn why(error: &Error) -> Why {
    if error.about.sqlstate.as_deref() == Some("42501") {
        return Why::MayNotWrite;
    }
    let phrase = error.what.phrase();
    if let Some(ServerFailure::Refused { answer, .. }) = phrase.and_then(Phrase::downcast_ref) {
        let answer = answer.clone();
        return Why::Refused { answer };
    }
    if let Some(TargetFailure::NoExtensionsTable { table }) = phrase.and_then(Phrase::downcast_ref) {
        let table = table.clone();
        return Why::TableOfNoExtension { table };
    }
    Why::RowsRefused
}

fn doing(load: &Load, error: &tokio_postgres::Error) -> Error {
    let doing = Attempt::AddingExtensionRows {
        table: load.table.to_string(),
    };
    Error::from_server(Doing::WithRows(&doing), error)
}

async fn roll_back(session: &Session) -> Result<()> {
    let done = session.batch_execute("ROLLBACK").await;
    done.map_err(|error| Error::from_server(Doing::WithoutRows(&Attempt::LeavingExtensionRowsOut), &error))
}

/// Adds the rows that are not there, in one transaction.
async fn add_rows(lane: Lane, load: &Load, session: &Session, lock_timeout: f64) -> Result<()> {
    match is_of_an_extension(load, session).await? {
        Some(true) => {}
        Some(false) => {
            return Err(Error::new(
                Kind::Restore,
                TargetFailure::NoExtensionsTable {
                    table: load.table.to_string(),
                },
                TargetRemedy::None,
            ));
        }
        // The extension has not come, which has been said where it matters.
        None => return Ok(()),
    }
    let milliseconds = (lock_timeout * 1000.0) as u64;
    let name = BESIDE.trim_start_matches("pg_temp.");
    let table = load.table.sql();
    let begin = format!(
        "BEGIN; SET LOCAL lock_timeout = {milliseconds}; CREATE TEMPORARY TABLE {name} (LIKE {table}) ON COMMIT DROP"
    );
    let run = async |sql: &str| {
        let done = session.batch_execute(sql).await;
        done.map_err(|error| doing(load, &error))
    };
    run(&begin).await?;
    lane.run(session).await?;
    run(&insert_sql(load)).await?;
    set_sequences(load, session).await?;
    run("COMMIT").await
}

/// Whether the target has the table as one whose rows its extension wants to be dumped; None: it has it not.
async fn is_of_an_extension(load: &Load, session: &Session) -> Result<Option<bool>> {
    let sql = "SELECT CASE WHEN to_regclass($1) IS NOT NULL THEN \
                 EXISTS (SELECT FROM pg_extension WHERE to_regclass($1)::oid = ANY (extconfig)) END";
    let row = session.query_one(sql, &[&load.table.sql()]).await;
    row.and_then(|row| row.try_get(0))
        .map_err(|error| doing(load, &error))
}

/// A table without a key would take the same row twice.
fn insert_sql(load: &Load) -> String {
    let columns: Vec<String> = load.columns.iter().map(|name| quote_identifier(name)).collect();
    let of = |alias: &str| {
        let columns: Vec<String> = columns.iter().map(|column| format!("{alias}.{column}")).collect();
        format!("ROW({})::pg_catalog.text", columns.join(", "))
    };
    let (table, list) = (load.table.sql(), columns.join(", "));
    format!(
        "INSERT INTO {table} ({list}) OVERRIDING SYSTEM VALUE SELECT {list} FROM {BESIDE} came \
         WHERE NOT EXISTS (SELECT FROM ONLY {table} here WHERE {} = {}) ON CONFLICT DO NOTHING",
        of("here"),
        of("came")
    )
}

/// Sequences of the table go on behind the rows that came, never back.
async fn set_sequences(load: &Load, session: &Session) -> Result<()> {
    let table = load.table.sql();
    for column in &load.columns {
        let sql = "SELECT pg_catalog.pg_get_serial_sequence($1, $2)";
        let row = session.query_one(sql, &[&table, column]).await;
        let sequence: Option<String> = row
            .and_then(|row| row.try_get(0))
            .map_err(|error| doing(load, &error))?;
        let Some(sequence) = sequence else { continue };
        let column = quote_identifier(column);
        let sql = format!(
            "SELECT pg_catalog.setval($1::text::regclass, most) FROM {sequence} now, \
             (SELECT max({column}) AS most FROM ONLY {table}) found \
             WHERE most > now.last_value OR most = now.last_value AND NOT now.is_called"
        );
        let set = session.query(&sql, &[&sequence]).await;
        set.map_err(|error| doing(load, &error))?;
    }
    Ok(())
}
