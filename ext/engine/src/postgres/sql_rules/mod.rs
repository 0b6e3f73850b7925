//! Rules in SQL, on their way: rows are copied into a temporary table of the real one's name, the statements run
//! there, and the finished rows are moved by INSERT … SELECT. All in one transaction of one session, so that
//! no other session ever sees a raw row, and neither the real table's files nor the WAL hold one: temporary tables are
//! not logged, and their files go with the transaction.
//!
//! No statistics are gathered on temporary tables: ANALYZE would write their most common values into a catalog
//! that is logged and stays.

mod choices;
pub(crate) mod discreet;
mod waiting;

use crate::error::{Doing, Error, Kind, Result};
use crate::plan::sql_rules::{SqlGroup, SqlRules, SqlStatement, SqlTable};
use crate::plan::{quote_identifier, Plan};
use crate::postgres::session::connect::{Session, SharedConnector};
use crate::postgres::session::{is_passing, may_retry};
use masking::ColumnCounts;
use pg_dump_archive::DumpId;
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// What a rule in SQL did to a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlChange {
    /// The rule, in the words of the configuration.
    pub rule: String,
    /// The columns that it set; none for a DELETE.
    pub columns: Vec<SqlColumn>,
    /// Rows that it changed or deleted.
    pub rows: u64,
}

/// What a rule in SQL, or one with a condition, did to a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlColumn {
    /// Its name.
    pub name: String,
    /// What it became, in words: the mask, or the rule where that is SQL.
    pub mask: String,
    /// What became of its values. Of SQL, rows that it left alone count as kept.
    pub counts: ColumnCounts,
}

/// The column that distinguishes the rows of a temporary table.
const ROW: &str = "scalingo_staging_sync_row";

/// Where a statement's rows are noted before it runs: their places, and hashes of what they hold.
const BEFORE: &str = "pg_temp.scalingo_staging_sync_before";

/// How long a server may take to end a session whose COMMIT got no answer.
const COMMITTING: Duration = Duration::from_secs(60);

/// How long after one look at it comes the next.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What became of a group.
#[derive(Debug, Default)]
pub(crate) struct Finished {
    /// Per table: rows that are in the real one now.
    pub(crate) rows: Vec<u64>,
    /// What each statement did.
    pub(crate) changed: Vec<Changed>,
    /// What verification found, where that is no failure.
    pub(crate) warnings: Vec<String>,
}

/// What a statement did.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    /// Rows that it changed or deleted.
    pub(crate) rows: u64,
    /// What became of each column that it sets, or that it chose pseudonyms for.
    pub(crate) columns: Vec<ColumnCounts>,
}

/// What rules in SQL came to for one load: rows that are left of it, and what they did.
pub(crate) type LoadChanges = (DumpId, u64, Vec<SqlChange>);

impl Finished {
    /// The same by load; `stored` says how many rows of it were copied. Partitions are moved together: what was
    /// done to them stands with the first, and only a DELETE leaves open which of them a row is gone from.
    pub(crate) fn by_load(&self, group: &SqlGroup, stored: impl Fn(DumpId) -> u64) -> Vec<LoadChanges> {
        let mut changes_by_load = Vec::new();
        for (place, table) in group.tables.iter().enumerate() {
            let mut left = self.rows.get(place).copied().unwrap_or(0);
            let statements = group.statements.iter().zip(&self.changed);
            let mut changes: Vec<SqlChange> = statements
                .filter(|(statement, _)| statement.table == place)
                .map(|(statement, changed)| sql_change(statement, changed))
                .collect();
            for (at, id) in table.loads.iter().enumerate() {
                let rows = if at + 1 == table.loads.len() {
                    left
                } else {
                    left.min(stored(*id))
                };
                left -= rows;
                changes_by_load.push((*id, rows, std::mem::take(&mut changes)));
            }
        }
        changes_by_load
    }
}

/// What to report of a statement.
fn sql_change(statement: &SqlStatement, changed: &Changed) -> SqlChange {
    let set = statement.columns.iter().map(|column| (column, &statement.rule));
    let chosen = statement
        .choices
        .iter()
        .map(|choice| (&choice.column, &choice.mask));
    let columns = set.chain(chosen).zip(&changed.columns);
    SqlChange {
        rule: statement.rule.clone(),
        columns: columns
            .map(|((name, mask), counts)| SqlColumn {
                name: name.clone(),
                mask: mask.clone(),
                counts: *counts,
            })
            .collect(),
        rows: changed.rows,
    }
}

/// A failure, and whether it is worth another try.
pub(in crate::postgres) struct Failure {
    error: Error,
    passing: bool,
}

impl Failure {
    pub(in crate::postgres) fn new(doing: Doing<'_>, error: &tokio_postgres::Error) -> Self {
        Self {
            passing: is_passing(error),
            error: Error::from_server(doing, error),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            error,
            passing: false,
        }
    }
}

/// Begins a group's transaction and creates its temporary tables, empty. `lock_timeout`: seconds that a statement
/// may wait for a lock that another session holds.
///
/// # Errors
/// When the server refuses, or the connection breaks.
pub(crate) async fn begin(session: &Session, group: &SqlGroup, lock_timeout: f64) -> Result<()> {
    let doing = Doing::WithoutRows("beginning the transaction of rules in SQL");
    let milliseconds = (lock_timeout.max(0.0) * 1000.0) as u64;
    session
        .batch_execute(&format!("BEGIN; SET LOCAL lock_timeout = {milliseconds}"))
        .await
        .map_err(|error| Error::from_server(doing, &error))?;
    prepare(session, group).await
}

/// Prepares a transaction that has begun for a group's rows: its temporary tables, empty, and what lets statements run
/// on them of which the server's log shows nothing.
///
/// # Errors
/// When the server refuses, or the connection breaks.
pub(crate) async fn prepare(session: &Session, group: &SqlGroup) -> Result<()> {
    discreet::prepare(session).await?;
    create_temporaries(session, group).await
}

/// Creates a group's temporary tables, empty, in a transaction that has begun. They go with it.
///
/// # Errors
/// When the server refuses, or the connection breaks.
async fn create_temporaries(session: &Session, group: &SqlGroup) -> Result<()> {
    let real = |place: usize| {
        group
            .tables
            .get(place)
            .map_or_else(String::new, |table| table.table.sql())
    };
    create_temporaries_like(session, group, real).await
}

/// The same with the columns of other tables than the real ones: `like` names one by a table's place in the group.
///
/// # Errors
/// When the server refuses, or the connection breaks.
pub(crate) async fn create_temporaries_like(
    session: &Session,
    group: &SqlGroup,
    like: impl Fn(usize) -> String,
) -> Result<()> {
    for (place, table) in group.tables.iter().enumerate() {
        let doing = format!("creating the temporary table for {}", table.table);
        let refused = |error| Error::from_server(Doing::WithoutRows(&doing), &error);
        let name = quote_identifier(&table.name);
        let parents: Vec<String> = table
            .inherits
            .iter()
            .map(|parent| format!("pg_temp.{}", quote_identifier(parent)))
            .collect();
        let inherits = if parents.is_empty() {
            String::new()
        } else {
            format!(" INHERITS ({})", parents.join(", "))
        };
        // Generated columns are there to be read, defaults for SET … = DEFAULT.
        let create = format!(
            "CREATE TEMPORARY TABLE {name} (LIKE {} INCLUDING DEFAULTS INCLUDING GENERATED, \
             {ROW} bigint GENERATED BY DEFAULT AS IDENTITY){inherits} ON COMMIT DROP",
            like(place)
        );
        session.batch_execute(&create).await.map_err(refused)?;
        // NOT NULL is checked where the finished rows go: here, the server's log would quote a raw row.
        let sql = format!(
            "SELECT coalesce(string_agg(format('ALTER TABLE {} ALTER COLUMN %I DROP NOT NULL', attname), '; '), '') \
             FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND attnotnull \
             AND NOT attisdropped AND attidentity = ''",
            table.temporary().replace('\'', "''").replace('%', "%%")
        );
        let row = session
            .query_one(&sql, &[&table.temporary()])
            .await
            .map_err(refused)?;
        let nullable: String = row.try_get(0).map_err(refused)?;
        session.batch_execute(&nullable).await.map_err(refused)?;
        for (column, pseudonym) in &table.pseudonyms {
            let sql = "SELECT format_type(atttypid, atttypmod) FROM pg_attribute \
                       WHERE attrelid = $1::text::regclass AND attname = $2::text";
            let row = session
                .query_one(sql, &[&table.temporary(), column])
                .await
                .map_err(refused)?;
            let kind: String = row.try_get(0).map_err(refused)?;
            let add = format!(
                "ALTER TABLE {} ADD COLUMN {} {kind}",
                table.temporary(),
                quote_identifier(pseudonym)
            );
            session.batch_execute(&add).await.map_err(refused)?;
        }
    }
    Ok(())
}

/// Runs a group's statements on the rows that were copied, moves the finished ones, and commits. After a failure
/// the transaction is rolled back: the real tables are empty. `connector` opens the session that asks what became of
/// a transaction whose commit got no answer.
///
/// # Errors
/// The outer one when the connection is of no more use, and nothing is committed; the inner one is the group's own
/// failure.
pub(crate) async fn run(
    session: &Session,
    connector: &SharedConnector,
    plan: &Plan,
    number: usize,
    attempts: u32,
    delay: f64,
) -> Result<Result<Finished>> {
    let outcome = run_within(session, plan, number, attempts, delay).await;
    if let Err(error) = outcome {
        if error.kind == Kind::TargetConnection {
            return Err(error);
        }
        return match session.batch_execute("ROLLBACK").await {
            Ok(()) => Ok(Err(error)),
            Err(error) => Err(ending(&error)),
        };
    }
    let transaction: String = session
        .query_one("SELECT pg_catalog.pg_current_xact_id()::text", &[])
        .await
        .and_then(|row| row.try_get(0))
        .map_err(|error| ending(&error))?;
    let Err(error) = session.batch_execute("COMMIT").await else {
        return Ok(outcome);
    };
    let error = ending(&error);
    if error.kind == Kind::TargetConnection && was_committed(connector, &transaction).await? {
        return Ok(outcome);
    }
    Err(error)
}

fn ending(error: &tokio_postgres::Error) -> Error {
    Error::from_server(Doing::WithRows("ending the transaction of rules in SQL"), error)
}

/// What the server says of a transaction whose COMMIT got no answer, once it has ended.
async fn was_committed(connector: &SharedConnector, transaction: &str) -> Result<bool> {
    let session = connector.connect().await?;
    let since = Instant::now();
    loop {
        let status: Option<String> = session
            .query_one(
                "SELECT pg_catalog.pg_xact_status($1::text::xid8)",
                &[&transaction],
            )
            .await
            .and_then(|row| row.try_get(0))
            .map_err(|error| ending(&error))?;
        match status.as_deref() {
            Some("committed") => return Ok(true),
            Some("in progress") if since.elapsed() < COMMITTING => tokio::time::sleep(LOOK_AGAIN).await,
            Some("in progress") => {
                return Err(Error::new(
                    Kind::Restore,
                    "The connection broke at the commit of rules in SQL, and the server has not ended that session yet.",
                    "Run it again.",
                ))
            }
            _ => return Ok(false),
        }
    }
}

/// Runs a group's statements on the rows that were copied, and moves the finished ones, within the transaction that
/// [`prepare`] prepared. What a retry can cure (deadlock, serialization, lock timeout) is tried again from a
/// savepoint, up to `attempts` times, the first after `delay` seconds.
///
/// # Errors
/// The statement's, after the last attempt.
pub(crate) async fn run_within(
    session: &Session,
    plan: &Plan,
    number: usize,
    attempts: u32,
    delay: f64,
) -> Result<Finished> {
    run_here(session, plan, number, (attempts, delay), After::Move).await
}

/// As [`run_within`], but the finished rows stay in the temporary tables.
///
/// # Errors
/// The statement's, after the last attempt.
pub(crate) async fn run_and_stay(
    session: &Session,
    plan: &Plan,
    number: usize,
    attempts: (u32, f64),
) -> Result<Finished> {
    run_here(session, plan, number, attempts, After::Stay).await
}

/// What becomes of a group's finished rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    /// They move into the real tables.
    Move,
    /// They stay where they are.
    Stay,
}

async fn run_here(
    session: &Session,
    plan: &Plan,
    number: usize,
    (attempts, delay): (u32, f64),
    after: After,
) -> Result<Finished> {
    let Some(group) = plan.sql_rules.groups.get(number) else {
        return Err(Error::internal("A group of rules in SQL is not there."));
    };
    waiting::move_in(session, group, &plan.encoding).await?;
    let mut attempt = 0;
    loop {
        let mut failure = match try_once(session, group, &plan.sql_rules, attempt > 0, after).await {
            Ok(finished) => return Ok(finished),
            Err(failure) => failure,
        };
        attempt += 1;
        if failure.passing && may_retry(attempt, attempts, delay).await {
            continue;
        }
        if failure.passing && attempts > 0 {
            let tried = format!(" It was tried {attempt} times.");
            failure.error.what.push(tried);
        }
        return Err(failure.error);
    }
}

async fn try_once(
    session: &Session,
    group: &SqlGroup,
    rules: &SqlRules,
    again: bool,
    after: After,
) -> Result<Finished, Failure> {
    let begin = if again {
        "ROLLBACK TO SAVEPOINT copied"
    } else {
        "SAVEPOINT copied"
    };
    plainly(session, "preparing rules in SQL", begin).await?;
    let mut finished = Finished::default();
    for table in &group.tables {
        for columns in &table.indexes {
            let columns: Vec<String> = columns.iter().map(|name| quote_identifier(name)).collect();
            let sql = format!("CREATE INDEX ON {} ({})", table.temporary(), columns.join(", "));
            let doing = format!("indexing the temporary table for {}", table.table);
            discreetly(session, &doing, &sql).await?;
        }
    }
    // The statements are the team's own, so they run as the team's own sessions would run them.
    plainly(
        session,
        "preparing rules in SQL",
        "SET LOCAL search_path TO DEFAULT",
    )
    .await?;
    for statement in &group.statements {
        let Some(table) = group.tables.get(statement.table) else {
            return Err(Error::internal("A rule in SQL has no table.").into());
        };
        let changed = run_statement(session, table, statement, rules, &mut finished.warnings).await?;
        finished.changed.push(changed);
    }
    plainly(session, "ending rules in SQL", "SET LOCAL search_path TO ''").await?;
    if after == After::Move {
        for table in &group.tables {
            finished.rows.push(move_rows(session, table).await?);
        }
    }
    Ok(finished)
}

/// Runs one statement and looks whether a row that it changed still holds what it held. Returns what it did.
async fn run_statement(
    session: &Session,
    table: &SqlTable,
    statement: &SqlStatement,
    rules: &SqlRules,
    warnings: &mut Vec<String>,
) -> Result<Changed, Failure> {
    if !statement.choices.is_empty() {
        return choices::choose(session, table, statement, rules, warnings).await;
    }
    let check = rules.verify && !statement.checked.is_empty();
    let looking = format!("looking at the rows of {} before {}", table.table, statement.rule);
    if check {
        let hashes: Vec<String> = statement
            .checked
            .iter()
            .enumerate()
            .map(|(place, column)| format!(", {} AS hash_{place}", hash("t", column)))
            .collect();
        let sql = format!(
            "CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT t.tableoid AS home, t.{ROW} AS number, t.ctid AS place{} FROM {} t",
            BEFORE.trim_start_matches("pg_temp."),
            hashes.concat(),
            table.temporary()
        );
        discreetly(session, &looking, &sql).await?;
    }
    let doing = format!("{} on {}", statement.rule, table.table);
    let before = rows_before(session, table, statement).await?;
    let changed = discreetly(session, &doing, &statement.sql).await?;
    if check {
        // An UPDATE puts a row's new version elsewhere, so a row at its old place is one that it did not cover.
        let counts: Vec<String> = (0..statement.checked.len())
            .zip(&statement.checked)
            .map(|(place, column)| format!("count(*) FILTER (WHERE b.hash_{place} = {})", hash("t", column)))
            .collect();
        let sql = format!(
            "SELECT {} FROM {} t JOIN {BEFORE} b ON b.number = t.{ROW} AND b.home = t.tableoid WHERE b.place <> t.ctid",
            discreet::array(&counts),
            table.temporary()
        );
        let looking = format!("looking at the rows of {} after {}", table.table, statement.rule);
        let counts = discreet::ask(session, &sql)
            .await
            .map_err(|error| Failure::new(Doing::Discreet(&looking), &error))?;
        let mut problems = Vec::new();
        for (count, column) in counts.into_iter().zip(&statement.checked) {
            if count > 0 {
                problems.push(format!(
                    "{}: {count} rows of {} still hold in {column} what production has there.",
                    statement.rule, table.table
                ));
            }
        }
        plainly(session, &looking, &format!("DROP TABLE {BEFORE}")).await?;
        if !problems.is_empty() && rules.fail_on_violation {
            return Err(Error::new(
                Kind::Verification,
                problems.join(" "),
                "Correct the expression so that it changes every value, and run again.",
            )
            .into());
        }
        warnings.extend(problems);
    }
    let counts = ColumnCounts {
        masked: changed,
        kept: before.saturating_sub(changed),
        ..ColumnCounts::default()
    };
    Ok(Changed {
        rows: changed,
        columns: vec![counts; statement.columns.len()],
    })
}

/// The rows that an UPDATE could cover.
async fn rows_before(session: &Session, table: &SqlTable, statement: &SqlStatement) -> Result<u64, Failure> {
    if statement.columns.is_empty() {
        return Ok(0);
    }
    let sql = format!("SELECT count(*) FROM {}", table.temporary());
    let looking = format!("counting the rows of {}", table.table);
    let refused = |error: tokio_postgres::Error| Failure::new(Doing::WithRows(&looking), &error);
    let row = session.query_one(&sql, &[]).await.map_err(refused)?;
    let count: i64 = row.try_get(0).map_err(refused)?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// A column's value as a number that two different values do not share; NULL where there is nothing to compare.
fn hash(alias: &str, column: &str) -> String {
    let text = format!("{alias}.{}::text", quote_identifier(column));
    format!("pg_catalog.hashtextextended(nullif({text}, '') COLLATE \"C\", 0)")
}

/// Moves the finished rows into the real table.
async fn move_rows(session: &Session, table: &SqlTable) -> Result<u64, Failure> {
    let columns: Vec<String> = table.columns.iter().map(|name| quote_identifier(name)).collect();
    let list = columns.join(", ");
    let sql = if columns.is_empty() {
        format!(
            "INSERT INTO {} SELECT FROM ONLY {}",
            table.into.sql(),
            table.temporary()
        )
    } else {
        format!(
            "INSERT INTO {} ({list}) OVERRIDING SYSTEM VALUE SELECT {list} FROM ONLY {}",
            table.into.sql(),
            table.temporary()
        )
    };
    discreetly(
        session,
        &format!("moving the masked rows of {}", table.table),
        &sql,
    )
    .await
}

/// Runs a statement that no row is near.
async fn plainly(session: &Session, doing: &str, sql: &str) -> Result<(), Failure> {
    session
        .batch_execute(sql)
        .await
        .map_err(|error| Failure::new(Doing::WithoutRows(doing), &error))
}

/// Runs a statement over raw rows, and returns how many it changed.
async fn discreetly(session: &Session, doing: &str, sql: &str) -> Result<u64, Failure> {
    discreet::execute(session, sql)
        .await
        .map_err(|error| Failure::new(Doing::Discreet(doing), &error))
}

/// What the server says of the conditions by which rows are chosen, where it refuses them.
async fn refused_of_part(session: &Session, plan: &Plan) -> Result<Vec<String>> {
    let doing = |error| Error::from_server(Doing::WithoutRows("checking the subset's conditions"), &error);
    let mut problems = Vec::new();
    for relation in plan.part.iter().flat_map(|part| &part.relations) {
        let Some(question) = relation.question() else {
            continue;
        };
        let begin = "SAVEPOINT condition; SET LOCAL search_path TO DEFAULT";
        session.batch_execute(begin).await.map_err(doing)?;
        let rule = format!("the subset's rule for {}", relation.table);
        let asked = format!("EXPLAIN {question}");
        if let Err(error) = session.batch_execute(&asked).await {
            let refusal = Error::from_server(
                Doing::Rule {
                    rule: &rule,
                    sql: &asked,
                },
                &error,
            );
            if refusal.kind == Kind::TargetConnection {
                return Err(refusal);
            }
            problems.push(refusal.what.to_string());
        }
        let end = "ROLLBACK TO SAVEPOINT condition";
        session.batch_execute(end).await.map_err(doing)?;
    }
    Ok(problems)
}

/// Asks the server whether it accepts every rule, on empty temporary tables, within a transaction that has
/// created the schema. Leaves nothing behind.
///
/// # Errors
/// One that names every statement that the server refuses.
pub(crate) async fn explain(session: &Session, plan: &Plan) -> Result<()> {
    let mut problems: Vec<String> = Vec::new();
    // A condition is asked about for each table of a family: what is wrong with it is said once.
    let mut seen: HashSet<(&str, String)> = HashSet::new();
    for group in &plan.sql_rules.groups {
        let doing = |error| Error::from_server(Doing::WithoutRows("checking rules in SQL"), &error);
        session
            .batch_execute("SAVEPOINT rules_in_sql")
            .await
            .map_err(doing)?;
        prepare(session, group).await?;
        session
            .batch_execute("SET LOCAL search_path TO DEFAULT")
            .await
            .map_err(doing)?;
        for statement in &group.statements {
            for (rule, sql) in &statement.explain {
                session
                    .batch_execute("SAVEPOINT rule_in_sql")
                    .await
                    .map_err(doing)?;
                let asked = format!("EXPLAIN {sql}");
                if let Err(error) = session.batch_execute(&asked).await {
                    let refusal = Error::from_server(Doing::Rule { rule, sql: &asked }, &error);
                    if refusal.kind == Kind::TargetConnection {
                        return Err(refusal);
                    }
                    if error
                        .code()
                        .is_none_or(|code| seen.insert((rule, code.code().to_owned())))
                    {
                        problems.push(refusal.what.to_string());
                    }
                }
                session
                    .batch_execute("ROLLBACK TO SAVEPOINT rule_in_sql")
                    .await
                    .map_err(doing)?;
            }
        }
        session
            .batch_execute("ROLLBACK TO SAVEPOINT rules_in_sql")
            .await
            .map_err(doing)?;
    }
    problems.extend(refused_of_part(session, plan).await?);
    if problems.is_empty() {
        return Ok(());
    }
    let what = match &problems[..] {
        [one] => one.clone(),
        several => format!(
            "PostgreSQL refuses rules in {} places:\n- {}\n",
            several.len(),
            several.join("\n- ")
        ),
    };
    Err(Error::new(Kind::Plan, what, "Correct the rule and run again."))
}
