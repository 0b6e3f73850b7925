//! Questions about loaded tables, for verification: how many rows, how many that do not meet a condition. And
//! emptying a table that must not be seen.

use crate::error::{Doing, Error, Result};
use crate::event::Sink;
use crate::failure::Attempt;
use crate::plan::{quote_literal, TableName};
use crate::postgres::inspect::relations::{self, HYPERTABLE};
use crate::postgres::session::connect::Session;
use crate::postgres::session::{get, is_not_found};
use crate::postgres::Target;
use futures_util::future::try_join_all;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio_postgres::SimpleQueryMessage;

/// A table, and conditions that every row of it should meet.
type Question = (TableName, Vec<String>);

/// A table, and numbers: rows, then for each condition the rows that do not meet it.
type Answer = (TableName, Vec<u64>);

impl Target {
    /// Where events go.
    pub(crate) fn events(&self) -> &Sink {
        &self.events
    }

    /// Counts, over several connections, each table's rows and those that do not meet each of its conditions.
    pub(crate) async fn count(&self, questions: Vec<Question>) -> Result<Vec<Answer>> {
        let workers = self.parallel().min(questions.len());
        let left = Arc::new(Mutex::new(questions.into_iter()));
        let mut tasks: JoinSet<Result<(Session, Vec<Answer>)>> = JoinSet::new();
        for _ in 0..workers {
            let (left, session) = (Arc::clone(&left), self.session().await?);
            tasks.spawn(async move {
                let mut answers = Vec::new();
                loop {
                    let next = left.lock().await.next();
                    let Some((table, conditions)) = next else {
                        return Ok((session, answers));
                    };
                    let numbers = ask(&session, &table, &conditions).await?;
                    answers.push((table, numbers));
                }
            });
        }
        let mut answers = Vec::new();
        while let Some(done) = tasks.join_next().await {
            let (session, some): (Session, Vec<Answer>) =
                done.map_err(|_| Error::internal("Verification stopped unexpectedly."))??;
            self.give_back(session);
            answers.extend(some);
        }
        Ok(answers)
    }

    /// Empties a table, the tables whose foreign keys point at it, and the materialized views that read it.
    pub(crate) async fn empty(&self, table: &TableName) -> Result<()> {
        let session = self.session().await?;
        let doing = |error| {
            Error::from_server(
                Doing::WithRows(&Attempt::Emptying {
                    table: table.to_string(),
                }),
                &error,
            )
        };
        // Views that read a view that reads the table count too, and so do those that read its partition root.
        let views = "WITH RECURSIVE edges (from_oid, to_oid) AS ( \
               SELECT d.refobjid, r.ev_class FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid \
                WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass \
               UNION SELECT inhrelid, inhparent FROM pg_inherits), \
             readers (oid) AS ( \
               SELECT $1::text::regclass::oid \
               UNION SELECT e.to_oid FROM readers JOIN edges e ON e.from_oid = readers.oid) \
             SELECT n.nspname::text AS schema, c.relname::text AS name FROM readers \
             JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'm'";
        let mut statements = vec![format!("TRUNCATE {} CASCADE", table.sql())];
        for row in session.query(views, &[&table.sql()]).await.map_err(doing)? {
            let view = TableName::new(get::<String>(&row, "schema")?, get::<String>(&row, "name")?);
            statements.push(format!("REFRESH MATERIALIZED VIEW {} WITH NO DATA", view.sql()));
        }
        // One message, one transaction.
        session
            .batch_execute(&statements.join("; "))
            .await
            .map_err(doing)?;
        self.give_back(session);
        Ok(())
    }
}

/// As [`Target::count`] while indexes are built on the tables, all questions on their way at once. None: it must be asked
/// when nothing else runs, because the answer needs a lock.
pub(in crate::postgres) async fn ask_beside_others(
    session: &Session,
    questions: &[Question],
) -> Result<Vec<Option<Vec<u64>>>> {
    let tables = questions.iter().map(|(table, _)| table);
    let is_plain = format!("c.relkind = 'r' AND NOT c.relrowsecurity AND NOT {HYPERTABLE}");
    let one = |table| Attempt::Verifying { table };
    let can_be_asked =
        relations::each_is(session, (one, Attempt::VerifyingTables), &is_plain, tables).await?;
    let asked = questions
        .iter()
        .zip(can_be_asked)
        .map(async |((table, conditions), can_be_asked)| {
            if !can_be_asked {
                return Ok(None);
            }
            let source = Rows::of_one(table);
            count_all(session, table, &source, conditions).await.map(Some)
        });
    try_join_all(asked).await
}

async fn ask(session: &Session, table: &TableName, conditions: &[String]) -> Result<Vec<u64>> {
    let doing = |error| {
        Error::from_server(
            Doing::WithRows(&Attempt::Verifying {
                table: table.to_string(),
            }),
            &error,
        )
    };
    let sql = format!(
        "SELECT c.relkind = 'p' OR {HYPERTABLE} AS root, \
                 c.relrowsecurity AND c.relforcerowsecurity AND NOT r.rolsuper AND NOT r.rolbypassrls AS hidden \
               FROM pg_class c, pg_roles r WHERE c.oid = $1::text::regclass AND r.rolname = current_user"
    );
    let row = session.query_one(&sql, &[&table.sql()]).await.map_err(doing)?;
    let (root, hidden): (bool, bool) = (get(&row, "root")?, get(&row, "hidden")?);
    let source = if root {
        Rows::of_root(table)
    } else {
        Rows::of_one(table)
    };
    // Under FORCE ROW LEVEL SECURITY not even the owner sees every row, except for the time of this transaction.
    if hidden {
        let show = format!(
            "BEGIN; ALTER TABLE ONLY {} NO FORCE ROW LEVEL SECURITY",
            table.sql()
        );
        session.batch_execute(&show).await.map_err(doing)?;
    }
    let numbers = count_all(session, table, &source, conditions).await?;
    if hidden {
        session.batch_execute("ROLLBACK").await.map_err(doing)?;
    }
    Ok(numbers)
}

/// The bytes of a table whose rows are all asked about; of a larger one as many, in pages that PostgreSQL draws, are
/// asked. Each value had its mask's form when it was sent, so what could still be wrong is what the server makes of all
/// of them, and that shows on any page.
const ASKED_WHOLE: u32 = 32 << 20;

/// Where the rows of a table are read from.
struct Rows {
    /// All of them.
    all: String,
    /// Those that conditions are asked about.
    asked: String,
}

impl Rows {
    /// Of a table alone, without those that inherit from it.
    fn of_one(table: &TableName) -> Self {
        let all = format!("ONLY {}", table.sql());
        let size = format!("pg_relation_size({}::regclass)", quote_literal(&table.sql()));
        Self {
            asked: format!(
                "{all} TABLESAMPLE SYSTEM (least(100, 100.0 * {ASKED_WHOLE} / greatest({size}, 1)))"
            ),
            all,
        }
    }

    /// Of a partition root or a hypertable, which has no rows of its own.
    fn of_root(table: &TableName) -> Self {
        let all = table.sql();
        Self {
            asked: all.clone(),
            all,
        }
    }
}

/// The rows of a table, then for each condition those that do not meet it: zeros where none is found among the rows
/// that are asked about, else from all of them. All conditions are asked at once first, because nearly always every row
/// meets them all.
async fn count_all(
    session: &Session,
    table: &TableName,
    source: &Rows,
    conditions: &[String],
) -> Result<Vec<u64>> {
    if !conditions.is_empty() {
        let each: Vec<String> = conditions
            .iter()
            .map(|condition| format!("({condition})"))
            .collect();
        let unmet = unmet(&each.join(" AND "));
        let sql = format!(
            "SELECT (SELECT count(*) FROM {}), {unmet} FROM {}",
            source.all, source.asked
        );
        if let [rows, 0] = numbers(session, table, &sql, 2).await?[..] {
            let unmet = std::iter::repeat_n(0, conditions.len());
            return Ok(std::iter::once(rows).chain(unmet).collect());
        }
    }
    let unmet: String = conditions
        .iter()
        .map(|condition| format!(", {}", unmet(condition)))
        .collect();
    let sql = format!("SELECT count(*){unmet} FROM {}", source.all);
    numbers(session, table, &sql, conditions.len() + 1).await
}

/// The rows that do not meet a condition, in SQL.
fn unmet(condition: &str) -> String {
    format!("count(*) FILTER (WHERE ({condition}) IS NOT TRUE)")
}

/// The `count` numbers of the one row that `sql` asks for.
async fn numbers(session: &Session, table: &TableName, sql: &str, count: usize) -> Result<Vec<u64>> {
    // In one message, where a statement with parameters takes several.
    let mut answers = session.simple_query(sql).await;
    // The planner looks into the functions of indexes, which may name others without their schema.
    if answers.as_ref().is_err_and(is_not_found) {
        let sql = format!("SET LOCAL search_path TO DEFAULT; {sql}");
        answers = session.simple_query(&sql).await;
    }
    let answers = answers.map_err(|error| {
        Error::from_server(
            Doing::WithRows(&Attempt::Verifying {
                table: table.to_string(),
            }),
            &error,
        )
    })?;
    let row = answers.iter().find_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    // What cannot be read is no zero: nothing would have been verified.
    let number = |place| row?.try_get(place).ok()??.parse().ok();
    let numbers: Option<Vec<u64>> = (0..count).map(number).collect();
    numbers.ok_or_else(|| Error::internal(format!("PostgreSQL's counts of {table} could not be read.")))
}
