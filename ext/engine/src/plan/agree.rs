//! Whether an archive agrees with itself: each entry is what its tag and its section say, and its statement does that and
//! nothing else.
//!
//! pg_dump writes no archive that does not. One that was made by hand could say one table's name in an entry and another's
//! in its statement, and have raw rows pass by the rules; or end the transaction in which the schema is created. The server
//! holds the second, too (see `postgres::enclosed`), because this reads SQL with a lexer, and PostgreSQL with a parser.

use super::decide::Decisions;
use super::entries::display_name;
use super::load::partition_root;
use super::schema::Schema;
use super::sql::{lex, names, split, Cursor, Token};
use super::TableName;
use crate::error::{About, Error, Kind};
use crate::failure::{Contradiction, PlanFailure, PlanRemedy};
use pg_dump_archive::{Entry, EntryKind, Section};
use std::collections::HashSet;

/// What a definition may begin to create or alter nowhere: it is not a database's own, and outlives the restore.
const OUTSIDE: [&str; 9] = [
    "ROLE",
    "USER",
    "GROUP",
    "DATABASE",
    "TABLESPACE",
    "SYSTEM",
    "SUBSCRIPTION",
    "PUBLICATION",
    "LARGE",
];

/// Checks every entry that is restored.
///
/// # Errors
/// [`Kind::Archive`], naming the first entry that says two things.
pub(super) fn check(entries: &[Entry], decisions: &Decisions, schema: &Schema) -> Result<(), Error> {
    let kept = entries.iter().zip(&decisions.fates);
    for (entry, _) in kept.filter(|(_, fate)| fate.is_kept()) {
        check_section(entry)?;
        match &entry.kind {
            EntryKind::TableData => check_rows(entry, schema)?,
            EntryKind::SequenceSet => check_value(entry)?,
            EntryKind::Blobs | EntryKind::Blob | EntryKind::BlobMetadata => {}
            _ => check_statements(entry)?,
        }
    }
    Ok(())
}

fn contradiction(entry: &Entry, contradiction: Contradiction) -> Error {
    let about = match entry.kind {
        EntryKind::Table | EntryKind::TableData => About::table(TableName::of(entry)),
        _ => About::default(),
    };
    let what = PlanFailure::Contradicts {
        object: format!("{} {}", entry.kind, display_name(entry).escape_debug()),
        contradiction,
    };
    Error::new(Kind::Archive, what, PlanRemedy::NewBackup).about(about)
}

/// Where pg_dump puts entries of a kind. A trigger or a rule before the rows would see rows that are still raw.
fn check_section(entry: &Entry) -> Result<(), Error> {
    let due = match &entry.kind {
        EntryKind::Index
        | EntryKind::IndexAttach
        | EntryKind::Constraint
        | EntryKind::ForeignKey
        | EntryKind::Trigger
        | EntryKind::Rule
        | EntryKind::Policy
        | EntryKind::RowSecurity
        | EntryKind::EventTrigger
        | EntryKind::MaterializedViewData => Section::PostData,
        EntryKind::TableData | EntryKind::SequenceSet | EntryKind::Blobs => Section::Data,
        _ => return Ok(()),
    };
    match entry.section == due {
        true => Ok(()),
        false => Err(contradiction(entry, Contradiction::OtherSection)),
    }
}

/// The table and the columns that COPY names.
fn check_rows(entry: &Entry, schema: &Schema) -> Result<(), Error> {
    let Some(known) = schema.table_of_rows(entry) else {
        return Ok(());
    };
    if entry.copy_stmt.trim().is_empty() {
        let root = partition_root(entry);
        return root.map_or(Ok(()), |root| check_table(entry, &root, known, schema));
    }
    let tokens = lex(&entry.copy_stmt);
    let mut cursor = Cursor::new(&tokens);
    let target = cursor.accept("COPY").then(|| cursor.qualified(&entry.namespace));
    let Some(target) = target.flatten() else {
        return Err(contradiction(entry, Contradiction::NoCopy));
    };
    check_table(entry, &target, known, schema)?;
    let columns = cursor.parenthesized().map(names).unwrap_or_default();
    let end = |cursor: &mut Cursor<'_, '_>| {
        cursor.accept("FROM STDIN") && cursor.accept_symbol(';') && cursor.peek().is_none()
    };
    if !end(&mut cursor) {
        return Err(contradiction(entry, Contradiction::MoreThanCopy));
    }
    let mut seen = HashSet::new();
    if let Some(column) = columns.iter().find(|column| !seen.insert(column.as_str())) {
        let column = column.escape_debug().to_string();
        return Err(contradiction(entry, Contradiction::ColumnTwice { column }));
    }
    // What is inherited from an extension's table or an extension's type is not in the archive.
    let known = &schema.tables[known];
    let unknown = columns.iter().find(|column| known.column(column).is_none());
    if let Some(column) = unknown.filter(|_| known.is_whole()) {
        let column = column.escape_debug().to_string();
        return Err(contradiction(entry, Contradiction::ColumnUnknown { column }));
    }
    Ok(())
}

/// The table that rows go into is their own, or one that it is a partition of.
fn check_table(entry: &Entry, target: &TableName, own: usize, schema: &Schema) -> Result<(), Error> {
    let is_chunk = || schema.hypertables.of_chunk(entry).is_some() && *target == TableName::of(entry);
    let into = schema.table(target);
    let is_root = |at| schema.partition_ancestors(own).contains(&at);
    match is_chunk() || into.is_some_and(|at| at == own || is_root(at)) {
        true => Ok(()),
        false => {
            let table = target.to_string().escape_debug().to_string();
            Err(contradiction(entry, Contradiction::RowsOfOther { table }))
        }
    }
}

/// `SELECT pg_catalog.setval('public.users_id_seq', 7, true);` of the sequence that the entry is about.
fn check_value(entry: &Entry) -> Result<(), Error> {
    let tokens = lex(&entry.defn);
    let is_due = || {
        let mut cursor = Cursor::new(&tokens);
        if !(cursor.accept("SELECT PG_CATALOG") && cursor.accept_symbol('.') && cursor.accept("SETVAL"))
            || cursor.peek().is_none_or(|token| !token.is_symbol('('))
        {
            return None;
        }
        let arguments = split(cursor.parenthesized()?, ',');
        let [[Token::Text(name)], number, [called]] = arguments.as_slice() else {
            return None;
        };
        let is_number = matches!(
            number,
            [Token::Number(_)] | [Token::Symbol('-'), Token::Number(_)]
        );
        let is_flag = called.is("TRUE") || called.is("FALSE");
        let ends = cursor.accept_symbol(';') && cursor.peek().is_none();
        let tokens = lex(name);
        let mut name = Cursor::new(&tokens);
        let is_own = name.qualified(&entry.namespace)? == TableName::of(entry) && name.peek().is_none();
        (is_number && is_flag && ends && is_own).then_some(())
    };
    is_due().ok_or_else(|| contradiction(entry, Contradiction::NoValue))
}

/// The statements of a definition: they create or alter, and an entry of a table creates that table.
fn check_statements(entry: &Entry) -> Result<(), Error> {
    let tokens = lex(&entry.defn);
    let statements = statements(entry, &tokens);
    if let Some(other) = statements.iter().find(|one| !is_due(entry, one)) {
        let strange = match other.first() {
            Some(Token::Word(word)) => Contradiction::StrangeStatement {
                word: word.to_ascii_uppercase(),
            },
            _ => Contradiction::NoStatement,
        };
        return Err(contradiction(entry, strange));
    }
    if entry.kind == EntryKind::Table {
        let own = TableName::of(entry);
        let created: Vec<_> = statements.iter().filter(|one| one[0].is("CREATE")).collect();
        let mut tables = created.iter().filter_map(|one| table_of(one, &entry.namespace));
        if created.len() != 1 || tables.any(|table| table != own) {
            return Err(contradiction(entry, Contradiction::CreatesOther));
        }
    }
    Ok(())
}

/// A definition's statements, the body of a function in SQL (BEGIN ATOMIC … END) being part of one.
fn statements<'t, 'a>(entry: &Entry, tokens: &'t [Token<'a>]) -> Vec<&'t [Token<'a>]> {
    let may_have_body = matches!(entry.kind, EntryKind::Function | EntryKind::Procedure);
    let is_atomic = |pair: &[Token<'_>]| pair[0].is("BEGIN") && pair[1].is("ATOMIC");
    let begin = tokens.windows(2).position(is_atomic).filter(|_| may_have_body);
    let end = begin.and_then(|_| tokens.iter().rposition(|token| token.is("END")));
    let parts = match (begin, end) {
        (Some(begin), Some(end)) if begin < end => {
            let mut parts = split(&tokens[..begin], ';');
            parts.extend(split(&tokens[end + 1..], ';'));
            parts
        }
        _ => split(tokens, ';'),
    };
    parts.into_iter().filter(|part| !part.is_empty()).collect()
}

fn is_due(entry: &Entry, statement: &[Token<'_>]) -> bool {
    let mut cursor = Cursor::new(statement);
    if entry.kind == EntryKind::MaterializedViewData {
        return cursor.accept("REFRESH MATERIALIZED VIEW");
    }
    let makes = cursor.accept("CREATE") || cursor.accept("ALTER");
    makes && !OUTSIDE.iter().any(|word| cursor.accept(word))
}

/// The table that `CREATE TABLE` creates; None for what is not read, whose rows are refused later.
fn table_of(statement: &[Token<'_>], namespace: &str) -> Option<TableName> {
    let mut cursor = Cursor::new(statement);
    if !cursor.accept("CREATE") {
        return None;
    }
    let _ = cursor.accept("UNLOGGED");
    cursor.accept("TABLE").then(|| cursor.qualified(namespace))?
}
