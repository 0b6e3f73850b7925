//! Asks the server about rules in SQL before a run, while the target is as it is and in use.
//!
//! The run itself asks once more, in the reset's transaction, where the backup's schema is. Here it is not, and dropping
//! and renaming what is there would lock every table of the app. So, in a transaction that is rolled back: a temporary
//! table is made as the backup's own statement makes the ruled one; types and functions are made as the backup has them
//! (`made`), and tables that the target lacks; those that it has are used if they are as in the backup. No table that exists
//! is locked but as a reader's query would lock it, and no wait is longer than a few seconds. Where all this is not enough to
//! know, it says so.

use crate::error::{Doing, Error, Kind, Result};
use crate::failure::{Attempt, ServerRemedy, Unasked};
use crate::plan::part::serves_expressions;
use crate::plan::sql_rules::SqlGroup;
use crate::plan::{quote_identifier, Plan, Statement, TableName};
use crate::postgres::enclosed::enclosed;
use crate::postgres::inspect::connect;
use crate::postgres::made;
use crate::postgres::session::connect::Session;
use crate::postgres::session::get;
use crate::postgres::session::url::ConnectionUrl;
use crate::postgres::sql_rules;
use pg_dump_archive::EntryKind;
use serde::Serialize;
use std::collections::BTreeSet;

/// Limits of the transaction: no session waits long for it, nor it for any.
const LIMITS: &str = "SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '20s'; \
                      SET LOCAL check_function_bodies = off";

/// What the server says of rules in SQL.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ServerCheck {
    /// Statements that it accepts.
    pub accepted: u64,
    /// Statements that it refuses.
    pub refused: u64,
    /// Why it could not be asked about the others.
    pub unanswered: Vec<Unasked>,
    /// The refusals.
    #[serde(skip)]
    pub problems: Vec<Error>,
}

/// Asks about every rule in SQL of the plan. Leaves nothing behind.
///
/// # Errors
/// When the target cannot be reached, or the connection breaks.
pub async fn ask(url: ConnectionUrl, plan: &Plan) -> Result<ServerCheck> {
    let mut check = ServerCheck::default();
    if plan.sql_rules.groups.is_empty() {
        return Ok(check);
    }
    let session = connect(url).await?;
    session
        .batch_execute(&format!("BEGIN; {LIMITS}"))
        .await
        .map_err(doing)?;
    let beside = Beside::begin(&session, plan).await?;
    for group in &plan.sql_rules.groups {
        session
            .batch_execute("SAVEPOINT one_group")
            .await
            .map_err(doing)?;
        match beside.prepare(group).await? {
            None => beside.explain(group, &mut check).await?,
            Some(why) => check.unanswered.push(why),
        }
        session
            .batch_execute("ROLLBACK TO SAVEPOINT one_group")
            .await
            .map_err(doing)?;
    }
    session.batch_execute("ROLLBACK").await.map_err(doing)?;
    session.close().await;
    Ok(check)
}

fn doing(error: tokio_postgres::Error) -> Error {
    Error::from_server(Doing::WithoutRows(&Attempt::AskingAboutRules), &error)
}

/// The backup's schema beside what the target has.
pub(in crate::postgres) struct Beside<'a> {
    session: &'a Session,
    plan: &'a Plan,
    /// Something of the backup's could not be made.
    lacking: bool,
}

impl<'a> Beside<'a> {
    /// Makes what rules may need beside tables, as the backup has it, in a transaction that has begun and has to be rolled
    /// back.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(in crate::postgres) async fn begin(session: &'a Session, plan: &'a Plan) -> Result<Self> {
        let is_needed = |kind: &EntryKind| {
            serves_expressions(kind) || matches!(kind, EntryKind::Extension | EntryKind::Sequence)
        };
        let needed = plan.schema.iter().filter(|one| is_needed(&one.kind));
        let lacking = !made::make(session, needed).await?.is_empty();
        Ok(Self {
            session,
            plan,
            lacking,
        })
    }

    /// Runs SQL that may fail, and says whether it did not.
    async fn tried(&self, sql: &str) -> Result<bool> {
        let control = |sql: &'static str| async move { self.session.batch_execute(sql).await.map_err(doing) };
        control("SAVEPOINT tried").await?;
        match self.session.batch_execute(&enclosed(sql)).await {
            Ok(()) => control("RELEASE SAVEPOINT tried").await.map(|()| true),
            Err(error) if error.as_db_error().is_some() => {
                control("ROLLBACK TO SAVEPOINT tried").await.map(|()| false)
            }
            Err(error) => Err(doing(error)),
        }
    }

    /// Makes a group's temporary tables, and the tables that it reads. Returns why the server cannot be asked, where it
    /// cannot.
    async fn prepare(&self, group: &SqlGroup) -> Result<Option<Unasked>> {
        let rules: BTreeSet<&String> = group.statements.iter().map(|one| &one.rule).collect();
        let rules: Vec<String> = rules.into_iter().cloned().collect();
        let mut copies = Vec::with_capacity(group.tables.len());
        for (number, table) in group.tables.iter().enumerate() {
            let copy = format!("scalingo_staging_sync_as_dumped_{number}");
            if !self.copy(&table.table, &copy).await? {
                let table = table.table.to_string();
                return Ok(Some(Unasked::NotMade { rules, table }));
            }
            copies.push(format!("pg_temp.{copy}"));
        }
        for table in &group.others {
            if let Some(why) = self.read(&rules, table).await? {
                return Ok(Some(why));
            }
        }
        let made = sql_rules::create_temporaries_like(self.session, group, |place| {
            copies.get(place).cloned().unwrap_or_default()
        });
        match made.await {
            Ok(()) => Ok(None),
            Err(error) if error.kind == Kind::TargetConnection => Err(error),
            Err(_) => Ok(Some(Unasked::NoTemporary { rules })),
        }
    }

    /// Makes a temporary table with the columns that a table has in the backup. False where that cannot be done here.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(in crate::postgres) async fn copy(&self, table: &TableName, name: &str) -> Result<bool> {
        match self.statement(table).and_then(|one| as_temporary(&one.sql, name)) {
            Some(sql) => self.tried(&sql).await,
            None => Ok(false),
        }
    }

    fn statement(&self, table: &TableName) -> Option<&Statement> {
        let name = table.to_string();
        let mut tables = self.plan.schema.iter().filter(|one| one.kind == EntryKind::Table);
        tables.find(|one| one.name == name)
    }

    /// Sees to a table that rules read beside their own: it is there with the backup's columns, or is created.
    async fn read(&self, rules: &[String], table: &TableName) -> Result<Option<Unasked>> {
        let Some(statement) = self.statement(table) else {
            return Ok(None);
        };
        if !self.is_there(table).await? {
            let created = self.tried(&statement.sql).await?;
            let (rules, table) = (rules.to_vec(), table.to_string());
            return Ok((!created).then_some(Unasked::NotThere { rules, table }));
        }
        let copy = "scalingo_staging_sync_as_dumped_to_read";
        let compared = self.copy(table, copy).await? && self.has_columns_of(table, copy).await?;
        self.session
            .batch_execute(&format!("DROP TABLE IF EXISTS pg_temp.{copy}"))
            .await
            .map_err(doing)?;
        let (rules, table) = (rules.to_vec(), table.to_string());
        Ok((!compared).then_some(Unasked::OtherThere { rules, table }))
    }

    async fn is_there(&self, table: &TableName) -> Result<bool> {
        let asked = "SELECT pg_catalog.to_regclass($1) IS NOT NULL AS there";
        let row = self
            .session
            .query_one(asked, &[&table.sql()])
            .await
            .map_err(doing)?;
        get(&row, "there")
    }

    async fn has_columns_of(&self, table: &TableName, copy: &str) -> Result<bool> {
        let sql = "SELECT NOT EXISTS ( \
                     SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute \
                     WHERE attrelid = $2::text::regclass AND attnum > 0 AND NOT attisdropped \
                     EXCEPT SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute \
                     WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped) AS same";
        let row = self
            .session
            .query_one(sql, &[&table.sql(), &format!("pg_temp.{copy}")])
            .await
            .map_err(doing)?;
        get(&row, "same")
    }

    /// Asks about each of a group's statements.
    async fn explain(&self, group: &SqlGroup, check: &mut ServerCheck) -> Result<()> {
        // The statements are the team's own, so they are read as the team's own sessions would read them.
        let control = |sql: &'static str| async move { self.session.batch_execute(sql).await.map_err(doing) };
        control("SET LOCAL search_path TO DEFAULT").await?;
        for (rule, sql) in group.statements.iter().flat_map(|one| &one.explain) {
            control("SAVEPOINT one_rule").await?;
            let asked = format!("EXPLAIN {sql}");
            match self.session.batch_execute(&asked).await {
                Ok(()) => check.accepted += 1,
                Err(error) if error.as_db_error().is_none() => return Err(doing(error)),
                Err(error) if self.inconclusive(&error) => check.unanswered.push(Unasked::NeedsOther {
                    rules: vec![rule.clone()],
                }),
                Err(error) => {
                    check.refused += 1;
                    let what = Error::from_server(Doing::Rule { rule, sql: &asked }, &error).what;
                    // A condition is asked about for each table of a family.
                    if check.problems.iter().all(|known| known.what != what) {
                        let remedy = ServerRemedy::CorrectRefusedRule;
                        check.problems.push(Error::new(Kind::Plan, what, remedy));
                    }
                }
            }
            control("ROLLBACK TO SAVEPOINT one_rule").await?;
        }
        Ok(())
    }

    /// Whether the refusal may be due to what could not be made: an unknown function, type, relation or label, or a limit of
    /// time.
    fn inconclusive(&self, error: &tokio_postgres::Error) -> bool {
        let code = error.code().map_or("", |code| code.code());
        let unknown = matches!(code, "42883" | "42704" | "42P01" | "3F000" | "22P02" | "42804");
        self.lacking && unknown || matches!(code, "55P03" | "57014" | "53200")
    }
}

/// `CREATE TABLE public.users (…)` as a temporary table of another name, without what follows the statement. None where
/// it has another form.
fn as_temporary(sql: &str, name: &str) -> Option<String> {
    let heads = ["CREATE TABLE ", "CREATE UNLOGGED TABLE "];
    let (at, head) = heads
        .iter()
        .filter_map(|head| Some((sql.find(head)?, *head)))
        .min()?;
    // Before it can only stand a SET of the access method, or of the schema.
    let (before, rest) = (sql.get(..at)?, sql.get(at + head.len()..)?);
    let rest = rest.get(end_of_name(rest)?..)?;
    let rest = rest.get(..end_of_statement(rest)).unwrap_or(rest);
    Some(format!(
        "{before}CREATE TEMPORARY TABLE {}{rest}",
        quote_identifier(name)
    ))
}

/// Where a name with its schema ends: at the first blank that stands in no quotes.
fn end_of_name(text: &str) -> Option<usize> {
    let mut quoted = false;
    text.char_indices().find_map(|(at, c)| {
        quoted ^= c == '"';
        (c.is_whitespace() && !quoted).then_some(at)
    })
}

/// Where a statement ends: at the first semicolon that stands in no quotes.
fn end_of_statement(text: &str) -> usize {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if matches!(c, '\'' | '"') => quote = Some(c),
            None if c == ';' => return at,
            None => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_made_temporary_and_nothing_behind_it_runs() {
        let sql =
            "CREATE TABLE public.\"odd ; name\" (\n    a text DEFAULT 'x;y'::text,\n    \"b;\" integer\n)\n\
                   PARTITION BY LIST (a);\nALTER TABLE ONLY public.\"odd ; name\" REPLICA IDENTITY FULL;\n";
        assert_eq!(
            as_temporary(sql, "copy").as_deref(),
            Some("CREATE TEMPORARY TABLE \"copy\" (\n    a text DEFAULT 'x;y'::text,\n    \"b;\" integer\n)\nPARTITION BY LIST (a)")
        );
        assert_eq!(as_temporary("CREATE VIEW public.v AS SELECT 1;", "copy"), None);
    }

    #[test]
    fn an_unlogged_table_keeps_its_access_method() {
        assert_eq!(
            as_temporary("SET LOCAL default_table_access_method = columnar;\nCREATE UNLOGGED TABLE public.t (\n    a text\n);\nSET …;", "copy")
                .as_deref(),
            Some("SET LOCAL default_table_access_method = columnar;\nCREATE TEMPORARY TABLE \"copy\" (\n    a text\n)")
        );
    }
}
