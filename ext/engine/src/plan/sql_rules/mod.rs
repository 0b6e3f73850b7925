//! Rules that only SQL can express: what they read and write, and the statements that run on temporary tables.
//!
//! A statement is parsed, never searched: the parser says which tables it names, and a `WHERE` in a string or in a
//! sub-select is no `WHERE` of its own. The ruled table's name becomes `pg_temp.name` wherever it stands, other
//! tables get their schemas, and the entry's condition goes into the statement's own WHERE. Ruled tables that name
//! one another form a group, which is one session and one transaction.

mod check;
mod choices;
mod deletes;
mod expressions;
mod group;
mod names;
mod order;
mod prepare;
mod qualify;
pub(crate) mod quiet;
mod steps;
mod temporaries;

use super::binary::Binary;
use super::rules::Rules;
use super::schema::Schema;
use super::{quote_identifier, Diagnostics, Load, Problems, TableName};
use crate::notice::Notice;
use crate::settings::Settings;
use masking::Becomes;
use pg_dump_archive::DumpId;
use std::collections::{BTreeSet, HashMap, HashSet};
use temporaries::Temporaries;

/// The plan's rules in SQL.
#[derive(Debug, Clone, Default)]
pub struct SqlRules {
    /// Tables that share a session and a transaction, and the statements on them.
    pub groups: Vec<SqlGroup>,
    /// Look after each statement whether a row that it changed still holds what it held.
    pub verify: bool,
    /// Such a row fails the run; else it is a warning.
    pub fail_on_violation: bool,
    /// One failing group ends the run and empties the tables of all; else the others go on.
    pub rollback_on_error: bool,
    /// Tables that can hold fewer rows than were sent: a foreign key's own ON DELETE action follows a DELETE rule.
    pub shrinking: HashSet<TableName>,
    /// Tables that a DELETE rule takes rows from, directly or by ON DELETE CASCADE.
    pub losing: HashSet<TableName>,
}

/// Tables whose rules name one another.
#[derive(Debug, Clone)]
pub struct SqlGroup {
    /// Its tables.
    pub tables: Vec<SqlTable>,
    /// Its statements, in the order of the configuration.
    pub statements: Vec<SqlStatement>,
    /// It has to wait for more than the rows of one load, so its session is one of its own.
    pub lasting: bool,
    /// Other tables that its statements read, by their names.
    pub others: BTreeSet<TableName>,
    /// The same by their places in the schema.
    reads: BTreeSet<usize>,
}

/// A table that a rule in SQL changes.
#[derive(Debug, Clone)]
pub struct SqlTable {
    /// Its name.
    pub table: TableName,
    /// Where its finished rows go: itself, or its partition root.
    pub into: TableName,
    /// The loads that bring its rows: one, or one per partition.
    pub loads: Vec<DumpId>,
    /// The columns of its data.
    pub columns: Vec<String>,
    /// Columns that other statements of the group may look rows up by.
    pub indexes: Vec<Vec<String>>,
    /// Columns that are masked under a condition, and the further ones that their pseudonyms come in.
    pub pseudonyms: Vec<(String, String)>,
    /// The temporary table's name: the real one's, unless another of that name has rules, too.
    pub name: String,
    /// The temporary tables that it inherits from, by their names. They come before it in the group.
    pub inherits: Vec<String>,
    /// What keeps the server from quoting its raw rows.
    pub(crate) quiet: quiet::Quiet,
}

impl SqlTable {
    /// The temporary table's name in SQL: `pg_temp."users"`.
    pub(crate) fn temporary(&self) -> String {
        format!("pg_temp.{}", quote_identifier(&self.name))
    }
}

/// One statement on a temporary table.
#[derive(Debug, Clone)]
pub struct SqlStatement {
    /// The entry it comes from, for messages.
    pub rule: String,
    /// Its table's place in the group.
    pub table: usize,
    /// The statement.
    pub sql: String,
    /// The columns that it sets.
    pub columns: Vec<String>,
    /// Those of them that no changed row may keep its value in: all that are not set to a constant.
    pub checked: Vec<String>,
    /// The columns that it puts pseudonyms of the stream into. They are not among `columns`.
    pub choices: Vec<Choice>,
    /// What the server is asked to accept, and the entry that each comes from: the statement itself, or the conditions
    /// that went into it.
    pub explain: Vec<(String, String)>,
}

/// A column that is masked where a condition says so. After the statement the further column holds what was replaced.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The column.
    pub column: String,
    /// The further column that its pseudonyms come in.
    pub pseudonym: String,
    /// What the mask makes of it, for the report.
    pub mask: Becomes,
    /// A SQL condition that every value that was put in meets.
    pub form: String,
    /// A SQL condition that is true of every value that the rule's `keep` leaves alone.
    pub keep: Option<String>,
}

/// One statement on its way into the plan.
struct Prepared {
    /// The entry, for messages.
    rule: String,
    /// The entry's number; None where pseudonyms are put in, for several entries perhaps.
    entry: Option<usize>,
    own: usize,
    sql: String,
    columns: Vec<String>,
    checked: Vec<String>,
    choices: Vec<Choice>,
    explain: Vec<(String, String)>,
    deletes: bool,
    /// Ruled tables that it names, its own among them.
    named: BTreeSet<usize>,
    reads: BTreeSet<usize>,
    /// Names in it that may be other tables' columns, or other tables.
    sees: BTreeSet<String>,
}

/// Reads every rule in SQL.
pub(super) fn read(
    settings: &Settings,
    binary: &Binary<'_>,
    masks: &Rules<'_>,
    excluded: &HashSet<usize>,
    loads: &HashMap<DumpId, Load>,
) -> (SqlRules, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let Diagnostics { problems, warnings } = &mut diagnostics;
    let (masking, schema) = (&settings.masking, binary.schema);
    let mut found = SqlRules {
        verify: masking.verify,
        fail_on_violation: masking.fail_on_verification_error,
        rollback_on_error: masking.rollback_on_error,
        ..SqlRules::default()
    };
    let (temporaries, prepared) = prepared(settings, schema, masks, loads, problems);
    check::check_columns(&prepared, schema, masks, problems);
    order::warn_of_raw(&prepared, &temporaries, schema, warnings);
    warn_of_excluded(&prepared, excluded, schema, warnings);
    deletes::follow_deletes(&prepared, schema, &mut found, warnings);
    group::group(
        &prepared,
        &temporaries,
        settings,
        binary,
        loads,
        &mut found,
        warnings,
    );
    (found, diagnostics)
}

/// The tables that rules in SQL need as temporary ones, and the rules' statements on them. Where a rule works alone,
/// what it reads becomes a temporary table, too, and may be read by others: so until there is nothing more.
fn prepared<'a>(
    settings: &Settings,
    schema: &'a Schema,
    masks: &Rules<'_>,
    loads: &HashMap<DumpId, Load>,
    problems: &mut Problems,
) -> (Temporaries<'a>, Vec<Prepared>) {
    let rules = &settings.masking.sql_rules;
    let owns: Vec<Option<usize>> = rules
        .iter()
        .map(|rule| check::own_table(rule, schema, problems))
        .collect();
    let mut ruled: BTreeSet<usize> = (owns.iter().copied().flatten())
        .chain(masks.conditional_tables())
        .collect();
    loop {
        let mut wrong = Problems::default();
        let temporaries = Temporaries::new(schema, &ruled);
        check::check_ways(&temporaries, schema, loads, &mut wrong);
        let chosen = temporaries
            .tables()
            .filter_map(|table| choices::prepare(table, masks, &temporaries, schema, loads, &mut wrong));
        let mut prepared: Vec<Prepared> = chosen.collect();
        for (entry, (rule, own)) in rules.iter().zip(&owns).enumerate() {
            if let Some(own) = own {
                prepare::prepare(rule, entry, *own, schema, &temporaries, &mut prepared, &mut wrong);
            }
        }
        let read = prepared.iter().flat_map(|one| one.reads.iter().copied());
        let before = ruled.len();
        if settings.alone {
            ruled.extend(read.filter(|table| !temporaries.contains(*table)));
        }
        if ruled.len() == before {
            problems.append(wrong);
            return (temporaries, prepared);
        }
    }
}

/// Says which rules read a table without rows.
fn warn_of_excluded(
    prepared: &[Prepared],
    excluded: &HashSet<usize>,
    schema: &Schema,
    warnings: &mut crate::plan::Warnings,
) {
    let read: BTreeSet<usize> = prepared
        .iter()
        .flat_map(|one| one.reads.iter().copied())
        .collect();
    for table in read.into_iter().filter(|table| excluded.contains(table)) {
        let table = schema.tables[table].name.to_string();
        warnings.push(Notice::ReadsExcluded { table });
    }
}

impl SqlRules {
    /// Sends the loads of each group's tables through it.
    pub(super) fn route(&self, mut loads: HashMap<DumpId, Load>) -> HashMap<DumpId, Load> {
        for (number, group) in self.groups.iter().enumerate() {
            for table in &group.tables {
                for id in &table.loads {
                    if let Some(load) = loads.remove(id) {
                        let load = load.rebuilt().sql_group(number, table.into.clone());
                        loads.insert(*id, load.build());
                    }
                }
            }
        }
        loads
    }

    /// Every group's tables.
    pub fn tables(&self) -> impl Iterator<Item = &SqlTable> {
        self.groups.iter().flat_map(|group| &group.tables)
    }
}

/// A table's name and those of its partitions and heirs.
fn family_names(table: usize, schema: &Schema) -> BTreeSet<TableName> {
    let mut tables = schema.descendants(table);
    tables.push(table);
    tables
        .into_iter()
        .map(|table| schema.tables[table].name.clone())
        .collect()
}
