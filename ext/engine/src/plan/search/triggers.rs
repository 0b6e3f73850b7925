//! Triggers that make tsvector columns from the row alone, as rows are inserted.

use crate::plan::schema::Schema;
use crate::plan::sql::{lex, split, Cursor, Token};
use crate::plan::TableName;
use masking::Type;
use pg_dump_archive::{DumpId, Entry, EntryKind};
use std::collections::HashSet;

/// Words in a trigger function that do more than compute.
const ACTIONS: [&str; 14] = [
    "INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "PERFORM", "EXECUTE", "NOTIFY", "SELECT", "CALL",
    "RAISE", "COPY", "SET", "LOCK",
];

/// A trigger that makes tsvector columns from the row alone, as rows are inserted.
pub(super) struct Trigger {
    pub(super) dump_id: DumpId,
    pub(super) name: String,
    pub(super) table: TableName,
    pub(super) columns: Vec<String>,
    /// The columns that it reads, where that is known.
    pub(super) sources: Option<Vec<String>>,
}

/// The trigger that makes a column of a table, its own or that of a table that it is a partition of.
pub(super) fn trigger_of<'t>(
    triggers: &'t [Trigger],
    schema: &Schema,
    table: usize,
    column: &str,
) -> Option<&'t Trigger> {
    let mut tables = schema.partition_ancestors(table);
    tables.push(table);
    triggers.iter().find(|trigger| {
        let is_here = tables
            .iter()
            .any(|table| schema.tables[*table].name == trigger.table);
        is_here && trigger.columns.iter().any(|made| made == column)
    })
}

/// The triggers that make tsvector columns from the row alone.
pub(super) fn triggers(entries: &[Entry], schema: &Schema) -> Vec<Trigger> {
    let triggers = entries.iter().filter(|entry| entry.kind == EntryKind::Trigger);
    triggers
        .filter_map(|entry| trigger(entry, entries, schema))
        .collect()
}

/// `CREATE TRIGGER name BEFORE INSERT OR UPDATE ON table FOR EACH ROW EXECUTE FUNCTION function('tsv', …);`
fn trigger(entry: &Entry, entries: &[Entry], schema: &Schema) -> Option<Trigger> {
    let tokens = lex(&entry.defn);
    let statements = split(&tokens, ';');
    // A further statement disables it.
    let mut statements = statements.into_iter().filter(|statement| !statement.is_empty());
    let mut cursor = Cursor::new(statements.next()?);
    if statements.next().is_some() || !cursor.accept("CREATE") {
        return None;
    }
    let _ = cursor.accept("OR REPLACE");
    if !cursor.accept("TRIGGER") {
        return None;
    }
    let name = cursor.identifier()?;
    if !cursor.accept("BEFORE") {
        return None;
    }
    let mut inserts = false;
    while !cursor.accept("ON") {
        inserts |= cursor.advance()?.is("INSERT");
    }
    let table = cursor.qualified(&entry.namespace)?;
    let execute =
        cursor.accept("FOR EACH ROW EXECUTE") && (cursor.accept("FUNCTION") || cursor.accept("PROCEDURE"));
    if !inserts || !execute {
        return None;
    }
    let function = cursor.qualified("pg_catalog")?;
    let arguments = split(cursor.parenthesized()?, ',');
    let arguments: Vec<String> = arguments
        .into_iter()
        .filter_map(|part| text(part.first()?))
        .collect();
    let (columns, sources) = if function.schema == "pg_catalog" {
        built_in(&function.name, &arguments)?
    } else {
        let index = schema.table(&table)?;
        let columns = schema.tables[index].columns.iter();
        let vectors = columns.filter(|column| {
            let written = column.column_type.as_ref();
            written.is_some_and(|written| schema.resolve(written, &table.schema).0 == Type::TsVector)
        });
        let vectors: HashSet<&str> = vectors.map(|column| column.name.as_str()).collect();
        (written_by(&function, entries, &vectors)?, None)
    };
    Some(Trigger {
        dump_id: entry.dump_id,
        name,
        table,
        columns,
        sources,
    })
}

/// What PostgreSQL's own two trigger functions make, and from what (documentation, "Triggers for Automatic Updates").
fn built_in(function: &str, arguments: &[String]) -> Option<(Vec<String>, Option<Vec<String>>)> {
    if !matches!(
        function,
        "tsvector_update_trigger" | "tsvector_update_trigger_column"
    ) {
        return None;
    }
    let (column, rest) = arguments.split_first()?;
    let (_, sources) = rest.split_first()?;
    Some((vec![column.clone()], Some(sources.to_vec())))
}

/// The columns that a function in PL/pgSQL assigns, if it does nothing else and they are all tsvectors.
fn written_by(function: &TableName, entries: &[Entry], vectors: &HashSet<&str>) -> Option<Vec<String>> {
    let is_it = |entry: &&Entry| {
        entry.kind == EntryKind::Function
            && entry.namespace == function.schema
            && entry.tag.strip_suffix("()").map(|name| name.trim_matches('"')) == Some(function.name.as_str())
    };
    let entry = entries.iter().find(is_it)?;
    let tokens = lex(&entry.defn);
    let is_plpgsql = tokens
        .windows(2)
        .any(|pair| pair[0].is("LANGUAGE") && pair[1].name().as_deref() == Some("plpgsql"));
    let at = tokens.iter().position(|token| token.is("AS"))?;
    let body = text(tokens.get(at + 1)?).filter(|_| is_plpgsql)?;
    let body = lex(&body);
    if body
        .iter()
        .any(|token| ACTIONS.iter().any(|action| token.is(action)))
    {
        return None;
    }
    let assigned: Option<Vec<String>> = assignments(&body)
        .map(|name| vectors.contains(name.as_str()).then_some(name))
        .collect();
    assigned.filter(|columns| !columns.is_empty())
}

/// The names in `new.name := …`, and `new.name = …` where a statement begins.
fn assignments<'b>(body: &'b [Token<'b>]) -> impl Iterator<Item = String> + 'b {
    (0..body.len()).filter_map(|at| {
        let begins = at == 0
            || body[at - 1].is_symbol(';')
            || ["BEGIN", "THEN", "ELSE", "LOOP"]
                .iter()
                .any(|word| body[at - 1].is(word));
        let is_new = body[at].is("NEW") && body.get(at + 1)?.is_symbol('.');
        let name = body.get(at + 2)?.name()?;
        let sign = body.get(at + 3)?;
        let assigns = sign.is_symbol(':') || (begins && sign.is_symbol('='));
        (is_new && assigns && !body.get(at + 4)?.is_symbol(':')).then_some(name)
    })
}

/// The value of a string constant.
fn text(token: &Token<'_>) -> Option<String> {
    match token {
        Token::Text(text) => Some(text.to_string()),
        _ => None,
    }
}
