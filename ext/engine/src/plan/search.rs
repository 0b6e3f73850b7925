//! `tsvector` columns: each holds the words of the columns that it is made from, so beside a masked one it is a copy.
//!
//! Such a column is emptied as rows pass. Where a trigger makes it from the row alone, that trigger is created before
//! the rows instead of after them, and PostgreSQL fills the column from the masked values as they are inserted: no
//! second write, no raw word. A generated column is not in the data at all.

use super::rules::Rules;
use super::schema::{Column, Schema};
use super::sql::{lex, split, Cursor, Token};
use super::{Load, Plan, Problems, Refusal, Statement, Step, StepKind, TableName, TaskId};
use crate::archive::{DumpId, Entry, EntryKind};
use crate::leak::Channel;
use crate::mask::{self, Key, Mask, Pseudonyms, RowMask, Type, Uniqueness};
use crate::pii::Status;
use crate::settings::Policy;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Words in a trigger function that do more than compute.
const ACTIONS: [&str; 14] = [
    "INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "PERFORM", "EXECUTE", "NOTIFY", "SELECT", "CALL",
    "RAISE", "COPY", "SET", "LOCK",
];

/// A trigger that makes tsvector columns from the row alone, as rows are inserted.
struct Trigger {
    dump_id: DumpId,
    name: String,
    table: TableName,
    columns: Vec<String>,
    /// The columns that it reads, where that is known.
    sources: Option<Vec<String>>,
}

/// The tsvector columns of a load that are emptied, because they may hold words of its masked columns.
#[derive(Debug, Clone)]
pub struct SearchVectors {
    /// What empties them.
    pub mask: Arc<RowMask>,
    /// What becomes of each.
    pub channels: Vec<Channel>,
    /// The triggers that make them anew as rows are inserted, by name.
    pub triggers: Vec<String>,
    /// Whether anything of the load is masked for sure. Where not, the values of its first rows may put a mask in force
    /// (`config.pii_policy = :mask`).
    masked: bool,
}

impl Load {
    /// What is emptied when the rows are masked with `mask`: the load's own, or one that values have put in force.
    pub fn vectors_under(&self, mask: Option<&RowMask>) -> Option<&SearchVectors> {
        let vectors = self.vectors.as_deref()?;
        (vectors.masked || mask.is_some()).then_some(vectors)
    }
}

/// Decides about every tsvector column: sets [`Load::vectors`] and moves triggers. What cannot be emptied is a problem.
pub(super) fn empty(
    plan: &mut Plan,
    entries: &[Entry],
    schema: &Schema,
    rules: &Rules<'_>,
    key: &Key,
    problems: &mut Problems,
) {
    let triggers = triggers(entries, schema);
    let mut moved: HashSet<DumpId> = HashSet::new();
    let mut ids: Vec<DumpId> = plan.loads.keys().copied().collect();
    ids.sort_unstable();
    for id in ids {
        let Some(load) = plan.loads.get(&id) else { continue };
        let Some(table) = schema.table(&load.table) else {
            continue;
        };
        let mut masked = masked_columns(load, plan);
        let is_masked = !masked.is_empty();
        masked.extend(maskable_columns(load, plan));
        if masked.is_empty() {
            continue;
        }
        let mut emptied = Vec::new();
        let (mut channels, mut names) = (Vec::new(), Vec::new());
        for (position, column) in vectors(load, schema, table, rules) {
            let trigger = trigger_of(&triggers, schema, table, &column.name);
            let reads_masked = |sources: &Vec<String>| sources.iter().any(|source| masked.contains(source));
            if trigger
                .and_then(|trigger| trigger.sources.as_ref())
                .is_some_and(|sources| !reads_masked(sources))
            {
                continue;
            }
            emptied.push(position);
            let name = format!("{}.{}", load.table, column.name);
            channels.push(match trigger {
                Some(trigger) => {
                    moved.insert(trigger.dump_id);
                    names.push(trigger.name.clone());
                    Channel::rebuilt(&name, &trigger.name)
                }
                None => Channel::emptied(&name),
            });
        }
        if emptied.is_empty() {
            continue;
        }
        let mask = match emptying(load, &emptied, schema, table, key) {
            Ok(mask) => Arc::new(mask),
            Err(sentences) => {
                sentences.into_iter().for_each(|sentence| problems.add(sentence));
                continue;
            }
        };
        if let Some(load) = plan.loads.get_mut(&id) {
            load.vectors = Some(Arc::new(SearchVectors {
                mask,
                channels,
                triggers: names,
                masked: is_masked,
            }));
        }
    }
    create_early(plan, &moved);
}

/// The columns of a load that rules mask, in whatever way.
fn masked_columns(load: &Load, plan: &Plan) -> HashSet<String> {
    let masks = load.mask.iter().chain(&load.conditional);
    let mut masked: HashSet<String> = masks
        .flat_map(|mask| mask.columns())
        .map(|column| column.name.clone())
        .collect();
    if let Some(group) = load.sql_group.and_then(|group| plan.sql_rules.groups.get(group)) {
        let own = |place: usize| {
            group
                .tables
                .get(place)
                .is_some_and(|table| table.loads.contains(&load.dump_id))
        };
        let statements = group.statements.iter().filter(|statement| own(statement.table));
        masked.extend(statements.flat_map(|statement| statement.columns.iter().cloned()));
    }
    masked
}

/// The columns of a load that values may yet put a mask on.
fn maskable_columns(load: &Load, plan: &Plan) -> Vec<String> {
    let watch = plan.personal.watches.get(&load.dump_id);
    let watch = watch.filter(|_| plan.personal.policy == Policy::Mask);
    let columns = watch.into_iter().flat_map(|watch| &watch.columns);
    let open = columns.filter(|column| column.standing.status == Status::Uncovered);
    open.map(|column| column.name.clone()).collect()
}

/// The tsvector columns of a load that no rule names, with their places.
fn vectors<'s>(load: &Load, schema: &'s Schema, table: usize, rules: &Rules<'_>) -> Vec<(usize, &'s Column)> {
    let known = &schema.tables[table];
    let is_vector = |column: &&Column| {
        let written = column.column_type.as_ref();
        written.is_some_and(|written| schema.resolve(written, &known.name.schema).0 == Type::TsVector)
    };
    let found = load.columns.iter().enumerate().filter_map(|(position, name)| {
        let column = known
            .columns
            .iter()
            .find(|column| column.name == *name)
            .filter(is_vector)?;
        rules.mask(table, name).is_none().then_some((position, column))
    });
    found.collect()
}

/// What empties some columns of a load: NULL, or '' where they are NOT NULL.
fn emptying(
    load: &Load,
    positions: &[usize],
    schema: &Schema,
    table: usize,
    key: &Key,
) -> Result<RowMask, Vec<String>> {
    let known = &schema.tables[table];
    let columns = load
        .columns
        .iter()
        .enumerate()
        .map(|(position, name)| mask::Column {
            name: name.clone(),
            kind: if positions.contains(&position) {
                Type::TsVector
            } else {
                Type::TEXT
            },
            not_null: known
                .columns
                .iter()
                .any(|column| column.name == *name && column.not_null),
            unique: Uniqueness::default(),
        });
    let table = mask::Table {
        name: load.table.to_string(),
        columns: columns.collect(),
        key: Vec::new(),
        key_is_enforced: false,
        checks: HashMap::new(),
    };
    let masks: Vec<(usize, Mask)> = positions.iter().map(|position| (*position, Mask::Null)).collect();
    let pseudonyms = Pseudonyms {
        key: key.clone(),
        email_domain: String::new(),
        utf8: true,
        staging_password: None,
    };
    RowMask::new(&table, &masks, &pseudonyms)
}

/// The trigger that makes a column of a table, its own or that of a table that it is a partition of.
fn trigger_of<'t>(
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

/// Makes steps into statements before the rows.
fn create_early(plan: &mut Plan, moved: &HashSet<DumpId>) {
    let entry_of = |id: &TaskId| match id {
        TaskId::Entry(id) => Some(*id),
        _ => None,
    };
    let is_moved = |id: &TaskId| entry_of(id).is_some_and(|id| moved.contains(&id));
    for step in std::mem::take(&mut plan.steps) {
        match (entry_of(&step.id), step.kind) {
            (Some(dump_id), StepKind::Entry(kind)) if moved.contains(&dump_id) => {
                plan.schema.push(Statement {
                    dump_id,
                    kind,
                    name: step.name,
                    sql: step.sql,
                    needs: step.waits_for.iter().filter_map(entry_of).collect(),
                    refusal: Refusal::Fatal,
                });
            }
            (_, kind) => {
                let mut step = Step { kind, ..step };
                step.waits_for.retain(|id| !is_moved(id));
                plan.steps.push(step);
            }
        }
    }
}

/// The triggers that make tsvector columns from the row alone.
fn triggers(entries: &[Entry], schema: &Schema) -> Vec<Trigger> {
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
