//! `tsvector` columns: each holds the words of the columns that it is made from, so beside a masked one it is a copy.
//!
//! Such a column is emptied as rows pass. Where a trigger makes it from the row alone, that trigger is created before
//! the rows instead of after them, and PostgreSQL fills the column from the masked values as they are inserted: no
//! second write, no raw word. A generated column is not in the data at all.

use super::personal::Personal;
use super::rules::Rules;
use super::schema::{Column, Schema};
use super::sql::{lex, split, Cursor, Token};
use super::sql_rules::SqlRules;
use super::{Diagnostics, Load, Refusal, Statement, Step, StepKind, TableName, TaskId};
use crate::channel::Channel;
use crate::settings::Policy;
use masking::{Key, Mask, Pseudonyms, RowMask, Type, Unfit, Uniqueness};
use personal_data::Status;
use pg_dump_archive::{DumpId, Entry, EntryKind};
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
    pub(crate) fn vectors_under(&self, mask: Option<&RowMask>) -> Option<&SearchVectors> {
        let vectors = self.vectors.as_deref()?;
        (vectors.masked || mask.is_some()).then_some(vectors)
    }
}

/// What is known when search vectors are looked at.
pub(super) struct SearchContext<'a> {
    pub(super) entries: &'a [Entry],
    pub(super) schema: &'a Schema,
    pub(super) rules: &'a Rules<'a>,
    pub(super) sql_rules: &'a SqlRules,
    pub(super) personal: &'a Personal,
    pub(super) key: &'a Key,
}

/// Loads whose search vectors are emptied, and the triggers that are created before the rows.
type Emptied = (HashMap<DumpId, Load>, HashSet<DumpId>);

impl SearchContext<'_> {
    /// Decides about every tsvector column. What cannot be emptied is a problem.
    pub(super) fn empty(&self, loads: HashMap<DumpId, Load>) -> (Emptied, Diagnostics) {
        let triggers = triggers(self.entries, self.schema);
        let mut said = Diagnostics::default();
        let mut early = HashSet::new();
        let mut emptied = HashMap::with_capacity(loads.len());
        let mut loads: Vec<Load> = loads.into_values().collect();
        loads.sort_unstable_by_key(|load| load.dump_id);
        for load in loads {
            let (vectors, moved) = said.take(self.vectors_of(&load, &triggers));
            early.extend(moved);
            let load = match vectors {
                Some(vectors) => load.rebuilt().vectors(Arc::new(vectors)).build(),
                None => load,
            };
            emptied.insert(load.dump_id, load);
        }
        ((emptied, early), said)
    }

    /// What is emptied of a load, and the triggers that fill it anew.
    fn vectors_of(
        &self,
        load: &Load,
        triggers: &[Trigger],
    ) -> ((Option<SearchVectors>, Vec<DumpId>), Diagnostics) {
        let mut said = Diagnostics::default();
        let nothing = (None, Vec::new());
        let Some(table) = self.schema.table(&load.table) else {
            return (nothing, said);
        };
        let mut masked = self.masked_columns(load);
        let is_masked = !masked.is_empty();
        masked.extend(self.maskable_columns(load));
        if masked.is_empty() {
            return (nothing, said);
        }
        let (mut positions, mut moved) = (Vec::new(), Vec::new());
        let (mut channels, mut names) = (Vec::new(), Vec::new());
        for (position, column) in vectors(load, self.schema, table, self.rules) {
            let trigger = trigger_of(triggers, self.schema, table, &column.name);
            let reads_masked = |sources: &Vec<String>| sources.iter().any(|source| masked.contains(source));
            if trigger
                .and_then(|trigger| trigger.sources.as_ref())
                .is_some_and(|sources| !reads_masked(sources))
            {
                continue;
            }
            positions.push(position);
            let name = format!("{}.{}", load.table, column.name);
            channels.push(match trigger {
                Some(trigger) => {
                    moved.push(trigger.dump_id);
                    names.push(trigger.name.clone());
                    Channel::rebuilt(&name, &trigger.name)
                }
                None => Channel::emptied(&name),
            });
        }
        if positions.is_empty() {
            return (nothing, said);
        }
        let mask = match emptying(load, &positions, self.schema, table, self.key) {
            Ok(mask) => Arc::new(mask),
            Err(sentences) => {
                sentences
                    .into_iter()
                    .for_each(|unfit| said.problems.add_about(&unfit, (&unfit).into()));
                return ((None, moved), said);
            }
        };
        let vectors = SearchVectors {
            mask,
            channels,
            triggers: names,
            masked: is_masked,
        };
        ((Some(vectors), moved), said)
    }

    /// The columns of a load that rules mask, in flight or by SQL.
    fn masked_columns(&self, load: &Load) -> HashSet<String> {
        let masks = load.mask.iter().chain(&load.conditional);
        let mut masked: HashSet<String> = masks
            .flat_map(|mask| mask.columns())
            .map(|column| column.name.clone())
            .collect();
        if let Some(group) = load.sql_group.and_then(|group| self.sql_rules.groups.get(group)) {
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
    fn maskable_columns(&self, load: &Load) -> Vec<String> {
        let watch = self.personal.watches.get(&load.dump_id);
        let watch = watch.filter(|_| self.personal.policy == Policy::Mask);
        let columns = watch.into_iter().flat_map(|watch| &watch.columns);
        let open = columns.filter(|column| column.standing.status == Status::Uncovered);
        open.map(|column| column.name.clone()).collect()
    }
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
) -> Result<RowMask, Vec<Unfit>> {
    let known = &schema.tables[table];
    let columns = load
        .columns
        .iter()
        .enumerate()
        .map(|(position, name)| masking::ColumnFacts {
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
    let table = masking::TableFacts {
        name: load.table.to_string(),
        columns: columns.collect(),
        key: Vec::new(),
        key_is_enforced: false,
        checks: HashMap::new(),
    };
    let neutral = |position: &usize| (*position, Mask::neutral());
    let masks: Vec<(usize, Mask)> = positions.iter().map(neutral).collect();
    let pseudonyms = Pseudonyms {
        key: key.clone(),
        email_domain: String::new(),
        utf8: true,
        staging_password: None,
        helpers: Default::default(),
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

/// Parts steps from those that become statements before the rows.
pub(super) fn create_early(steps: Vec<Step>, early: &HashSet<DumpId>) -> (Vec<Step>, Vec<Statement>) {
    let entry_of = |id: &TaskId| match id {
        TaskId::Entry(id) => Some(*id),
        _ => None,
    };
    let is_early = |id: &TaskId| entry_of(id).is_some_and(|id| early.contains(&id));
    let (mut late, mut statements) = (Vec::with_capacity(steps.len()), Vec::new());
    for mut step in steps {
        match (entry_of(&step.id), step.kind) {
            (Some(dump_id), StepKind::Entry(kind)) if early.contains(&dump_id) => {
                statements.push(Statement {
                    dump_id,
                    kind,
                    name: step.name,
                    sql: step.sql,
                    needs: step.waits_for.iter().filter_map(entry_of).collect(),
                    refusal: Refusal::Fatal,
                })
            }
            (_, kind) => {
                step.waits_for.retain(|id| !is_early(id));
                late.push(Step { kind, ..step });
            }
        }
    }
    (late, statements)
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
