//! Rules that only SQL can express: what they read and write, and the statements that run on temporary tables.
//!
//! A statement is parsed, never searched: the parser says which tables it names, and a `WHERE` in a string or in a
//! sub-select is no `WHERE` of its own. The ruled table's name becomes `pg_temp.name` wherever it stands, other
//! tables get their schemas, and the entry's condition goes into the statement's own WHERE. Ruled tables that name
//! one another form a group, which is one session and one transaction.

use super::exclude::{not_found, tables_like};
use super::names::{near_misses, Pattern};
use super::rules::Rules;
use super::schema::{OnDelete, Schema};
use super::{quote_identifier, Load, Problems, Refusal, Step, TableName};
use crate::archive::DumpId;
use crate::settings::{Settings, SqlRule};
use sqlparser::ast::{
    visit_expressions, AssignmentTarget, BinaryOperator, Delete, Expr, FromTable, Ident, ObjectName,
    ObjectNamePart, Query, SetExpr, Statement, TableFactor, TableWithJoins, Update, Value, Visit, VisitMut,
    Visitor, VisitorMut,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;

/// Ids of steps that are no entries of the archive, whose own ids are positive.
const GROUP_IDS: DumpId = -1_000_000_000;
const ANALYZE_IDS: DumpId = -1_500_000_000;

/// The step kind of a group's statements.
pub(crate) const GROUP_KIND: &str = "SQL RULES";

/// The id under which the arrival of a load's rows in their temporary table is waited for; the load's own id
/// stands for their commit in the real one.
pub(crate) fn arrival(load: DumpId) -> DumpId {
    -load - 1
}

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
    /// The id of the step that stands for its statements.
    pub dump_id: DumpId,
    /// Its tables.
    pub tables: Vec<SqlTable>,
    /// Its statements, in the order of the configuration.
    pub statements: Vec<SqlStatement>,
    /// It has to wait for more than the rows of one load, so its session is one of its own.
    pub lasting: bool,
    /// Other tables that its statements read.
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
}

impl SqlTable {
    /// The temporary table's name in SQL: `pg_temp."users"`.
    pub fn temporary(&self) -> String {
        format!("pg_temp.{}", quote_identifier(&self.table.name))
    }

    /// The statement that copies a load's rows into it.
    pub(crate) fn copy_sql(&self, load: &Load, encoding: &str) -> String {
        let masked = load.conditional.iter().flat_map(|mask| mask.columns());
        let further: Vec<String> = masked
            .filter_map(|masked| self.pseudonyms.iter().find(|(column, _)| *column == masked.name))
            .map(|(_, pseudonym)| pseudonym.clone())
            .collect();
        load.copy_sql_into(&self.temporary(), &further, encoding)
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
    /// Conditions that every row that it changed meets, by column: the forms of masks.
    pub forms: Vec<(String, String)>,
}

/// One statement on its way into the plan.
struct Prepared<'s> {
    rule: &'s SqlRule,
    own: usize,
    sql: String,
    columns: Vec<String>,
    checked: Vec<String>,
    deletes: bool,
    /// It brings the pseudonyms of a mask with a condition in.
    conditional: bool,
    /// Ruled tables that it names, its own among them.
    named: BTreeSet<usize>,
    reads: BTreeSet<usize>,
}

/// Reads every rule in SQL, and marks the loads of their tables as such.
pub(super) fn read(
    settings: &Settings,
    schema: &Schema,
    masks: &Rules<'_>,
    excluded: &HashSet<usize>,
    loads: &mut HashMap<DumpId, Load>,
    problems: &mut Problems,
    warnings: &mut Vec<String>,
) -> SqlRules {
    let masking = &settings.masking;
    let mut found = SqlRules {
        verify: masking.verify,
        fail_on_violation: masking.fail_on_verification_error,
        rollback_on_error: masking.rollback_on_error,
        ..SqlRules::default()
    };
    // First those that bring pseudonyms in, so that their conditions see what the row held.
    let rules: Vec<SqlRule> = masking
        .rules
        .iter()
        .filter(|rule| rule.condition.is_some())
        .map(|rule| SqlRule {
            table: rule.table.clone(),
            strategy: rule.strategy.clone(),
            condition: rule.condition.clone(),
            ..SqlRule::default()
        })
        .chain(masking.sql_rules.iter().cloned())
        .collect();
    let owns: Vec<Option<usize>> = rules
        .iter()
        .map(|rule| own_table(rule, schema, loads, problems))
        .collect();
    let ruled: BTreeSet<usize> = owns.iter().copied().flatten().collect();
    check_families(&ruled, schema, problems);
    let mut prepared = Vec::new();
    for (rule, own) in rules.iter().zip(&owns) {
        if let Some(own) = own {
            prepare(rule, *own, schema, masks, &ruled, &mut prepared, problems);
        }
    }
    check_columns(&prepared, schema, masks, problems);
    for table in prepared
        .iter()
        .flat_map(|one| &one.reads)
        .collect::<BTreeSet<_>>()
    {
        if excluded.contains(table) {
            warnings.push(format!(
                "A rule in SQL reads {}, whose rows are excluded: it finds none.",
                schema.tables[*table].name
            ));
        }
    }
    follow_deletes(&prepared, schema, &mut found, warnings);
    group(prepared, settings, schema, loads, &mut found, warnings);
    found
}

impl SqlRules {
    /// Adds to the steps what the rules need: statistics on each table that they read once its keys are there, and
    /// the groups themselves. Foreign keys to tables that lose rows first apply their own ON DELETE action.
    pub(super) fn add_steps(&self, schema: &Schema, loads: &HashMap<DumpId, Load>, steps: &mut Vec<Step>) {
        self.apply_delete_actions(schema, steps);
        let read: BTreeSet<usize> = self.groups.iter().flat_map(|group| group.reads.clone()).collect();
        let mut added = Vec::new();
        for &table in &read {
            let names = family_names(table, schema);
            let rows = loads.values().filter(|load| names.contains(&load.table));
            let keys = steps.iter().filter(|step| {
                matches!(step.kind.as_str(), "INDEX" | "CONSTRAINT" | "INDEX ATTACH")
                    && step
                        .locks
                        .iter()
                        .chain(&step.shared)
                        .any(|name| names.contains(name))
            });
            let waits_for = rows
                .map(|load| load.dump_id)
                .chain(keys.map(|step| step.dump_id))
                .collect();
            let name = &schema.tables[table].name;
            added.push(Step {
                dump_id: analyze_id(table),
                kind: "ANALYZE".into(),
                name: name.to_string(),
                sql: format!("ANALYZE {}", name.sql()),
                waits_for,
                locks: names.into_iter().collect(),
                shared: Vec::new(),
                last: false,
                refusal: Refusal::Fatal,
            });
        }
        for group in &self.groups {
            let names: Vec<String> = group.tables.iter().map(|table| table.table.to_string()).collect();
            let ids = group.tables.iter().flat_map(|table| &table.loads);
            let own = group.tables.iter().filter_map(|table| schema.table(&table.table));
            added.push(Step {
                dump_id: group.dump_id,
                kind: GROUP_KIND.into(),
                name: names.join(", "),
                sql: String::new(),
                waits_for: ids
                    .map(|load| arrival(*load))
                    .chain(group.reads.iter().map(|table| analyze_id(*table)))
                    .collect(),
                locks: own.flat_map(|table| family_names(table, schema)).collect(),
                shared: group
                    .reads
                    .iter()
                    .flat_map(|table| family_names(*table, schema))
                    .collect(),
                last: false,
                refusal: Refusal::Fatal,
            });
        }
        steps.extend(added);
    }

    fn apply_delete_actions(&self, schema: &Schema, steps: &mut [Step]) {
        if self.losing.is_empty() {
            return;
        }
        for step in steps.iter_mut().filter(|step| step.kind == "FK CONSTRAINT") {
            let key = schema.tables.iter().find_map(|table| {
                let key = table
                    .foreign_keys
                    .iter()
                    .find(|key| key.dump_id == step.dump_id)?;
                Some((table, key))
            });
            let Some((table, key)) = key.filter(|(_, key)| self.losing.contains(&key.references)) else {
                continue;
            };
            let pairs: Vec<String> = key
                .columns
                .iter()
                .zip(&key.referenced_columns)
                .map(|(here, there)| {
                    format!(
                        "there.{} = here.{}",
                        quote_identifier(there),
                        quote_identifier(here)
                    )
                })
                .collect();
            let filled: Vec<String> = key
                .columns
                .iter()
                .map(|column| format!("here.{} IS NOT NULL", quote_identifier(column)))
                .collect();
            let orphans = format!(
                "{} AND NOT EXISTS (SELECT FROM {} there WHERE {})",
                filled.join(" AND "),
                key.references.sql(),
                pairs.join(" AND ")
            );
            let clean = match key.on_delete {
                OnDelete::Cascade => format!("DELETE FROM {} here WHERE {orphans};\n", table.name.sql()),
                OnDelete::SetNull => {
                    let nulls: Vec<String> = key
                        .columns
                        .iter()
                        .map(|column| format!("{} = NULL", quote_identifier(column)))
                        .collect();
                    format!(
                        "UPDATE {} here SET {} WHERE {orphans};\n",
                        table.name.sql(),
                        nulls.join(", ")
                    )
                }
                OnDelete::SetDefault => {
                    let defaults: Vec<String> = key
                        .columns
                        .iter()
                        .map(|column| format!("{} = DEFAULT", quote_identifier(column)))
                        .collect();
                    format!(
                        "UPDATE {} here SET {} WHERE {orphans};\n",
                        table.name.sql(),
                        defaults.join(", ")
                    )
                }
                OnDelete::Nothing => continue,
            };
            step.sql.insert_str(0, &clean);
        }
    }

    /// Every group's tables.
    pub fn tables(&self) -> impl Iterator<Item = &SqlTable> {
        self.groups.iter().flat_map(|group| &group.tables)
    }
}

fn analyze_id(table: usize) -> DumpId {
    ANALYZE_IDS - DumpId::try_from(table).unwrap_or(DumpId::MAX / 8)
}

/// A table's name and those of its partitions.
fn family_names(table: usize, schema: &Schema) -> BTreeSet<TableName> {
    let mut tables = schema.partitions(table);
    tables.push(table);
    tables
        .into_iter()
        .map(|table| schema.tables[table].name.clone())
        .collect()
}

/// An entry, for messages.
pub(super) fn describe(rule: &SqlRule) -> String {
    match (&rule.strategy, &rule.query) {
        (Some(strategy), _) => format!("Rule {{ table: \"{}\", strategy: :{strategy} }}", rule.table),
        (None, Some(query)) => {
            let mut short: String = query.split_whitespace().collect::<Vec<_>>().join(" ");
            if let Some((cut, _)) = short.char_indices().nth(60) {
                short.truncate(cut);
                short.push('…');
            }
            format!("Rule {{ table: \"{}\", query: \"{short}\" }}", rule.table)
        }
        (None, None) => format!("anonymization_rules[\"{}\"]", rule.table),
    }
}

/// The one table that an entry is for.
fn own_table(
    rule: &SqlRule,
    schema: &Schema,
    loads: &HashMap<DumpId, Load>,
    problems: &mut Problems,
) -> Option<usize> {
    let told = describe(rule);
    let Some(pattern) = Pattern::parse(&rule.table) else {
        problems.add(format!(
            "{told}: \"{}\" is not a table's name. Write table or schema.table, with double quotes around a name \
             that has dots in it.",
            rule.table
        ));
        return None;
    };
    let tables = tables_like(&pattern, schema);
    let own = match tables.as_slice() {
        [] => {
            problems.add(format!("{told}: {}", not_found(&rule.table, &pattern, schema)));
            return None;
        }
        [one] => *one,
        several => {
            let names: Vec<String> = several
                .iter()
                .take(5)
                .map(|table| schema.tables[*table].name.to_string())
                .collect();
            problems.add(format!(
                "{told}: a rule in SQL is for one table, and this name means several ({}). Write schema.table, one \
                 entry for each.",
                names.join(", ")
            ));
            return None;
        }
    };
    let partitions: HashSet<usize> = schema.partitions(own).into_iter().collect();
    let heirs = schema
        .descendants(own)
        .into_iter()
        .filter(|table| !partitions.contains(table));
    let with_rows: Vec<String> = heirs
        .map(|table| &schema.tables[table].name)
        .filter(|name| loads.values().any(|load| load.table == **name))
        .map(ToString::to_string)
        .collect();
    if !with_rows.is_empty() {
        problems.add(format!(
            "{told}: other tables inherit from {} ({}), and a rule in SQL does not reach them yet. Use a strategy, or \
             exclude these tables.",
            schema.tables[own].name,
            with_rows.join(", ")
        ));
        return None;
    }
    Some(own)
}

/// A partition and what it is a partition of cannot both be ruled in SQL: their rows are in two temporary tables.
fn check_families(ruled: &BTreeSet<usize>, schema: &Schema, problems: &mut Problems) {
    for &table in ruled {
        for ancestor in schema.partition_ancestors(table) {
            if ruled.contains(&ancestor) {
                problems.add(format!(
                    "{} is a partition of {}, and both have rules in SQL. Write one rule for {}.",
                    schema.tables[table].name, schema.tables[ancestor].name, schema.tables[ancestor].name
                ));
            }
        }
    }
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for &table in ruled {
        if let Some(other) = names.insert(&schema.tables[table].name.name, table) {
            problems.add(format!(
                "{} and {} have rules in SQL and the same name, which is not possible yet. Use a strategy for one of \
                 them, or exclude it.",
                schema.tables[other].name, schema.tables[table].name
            ));
        }
    }
}

/// Parses an entry's statements, puts its condition in, and points its names at the right tables.
fn prepare<'s>(
    rule: &'s SqlRule,
    own: usize,
    schema: &Schema,
    masks: &Rules<'_>,
    ruled: &BTreeSet<usize>,
    prepared: &mut Vec<Prepared<'s>>,
    problems: &mut Problems,
) {
    let told = describe(rule);
    let condition = match rule.condition.as_deref().map(parse_expression).transpose() {
        Ok(condition) => condition,
        Err(why) => return problems.add(format!("{told}: its condition is not an SQL condition ({why}).")),
    };
    let Some(statements) = statements(rule, own, schema, masks, &told, problems) else {
        return;
    };
    for mut statement in statements {
        let qualifier = match target(&mut statement) {
            Some(target) => target.qualifier(),
            None => {
                problems.add(format!(
                    "{told}: a rule is an UPDATE or a DELETE, and this is neither. Write one of them."
                ));
                continue;
            }
        };
        if let Some(condition) = &condition {
            let mut condition = condition.clone();
            qualify(&mut condition, own, &qualifier, schema);
            if let Some(mut target) = target(&mut statement) {
                target.add_condition(condition);
            }
        }
        let (columns, checked) = match target(&mut statement) {
            Some(Target::Update(update)) => assignments(update, own, schema, &told, problems),
            _ => (Vec::new(), Vec::new()),
        };
        let deletes = matches!(target(&mut statement), Some(Target::Delete(_)));
        let mut names = Names::new(schema, own, ruled);
        let _ = VisitMut::visit(&mut statement, &mut names);
        for name in &rule.reads {
            names.add_read(name);
        }
        for problem in names.problems {
            problems.add(format!("{told}: {problem}"));
        }
        prepared.push(Prepared {
            rule,
            own,
            sql: statement.to_string(),
            columns,
            checked,
            deletes,
            conditional: rule.query.is_none() && rule.strategy.is_some(),
            named: names.named,
            reads: names.reads,
        });
    }
}

/// The statements of an entry: its own, or the UPDATE that its expressions make.
fn statements(
    rule: &SqlRule,
    own: usize,
    schema: &Schema,
    masks: &Rules<'_>,
    told: &str,
    problems: &mut Problems,
) -> Option<Vec<Statement>> {
    let sql = match &rule.query {
        Some(query) => query.clone(),
        None if rule.strategy.is_some() => choose(rule, own, schema, masks)?,
        None => update_of(rule, own, schema, told, problems)?,
    };
    match Parser::parse_sql(&PostgreSqlDialect {}, &sql) {
        Ok(statements) if statements.is_empty() => {
            problems.add(format!("{told}: its SQL is empty. Write an UPDATE or a DELETE."));
            None
        }
        Ok(statements) => Some(statements),
        Err(error) => {
            problems.add(format!(
                "{told}: its SQL cannot be read ({}).",
                parse_error(&error)
            ));
            None
        }
    }
}

/// `UPDATE "public"."users" SET "email" = "scalingo_staging_sync_3"`: a strategy's pseudonyms, put in their places.
fn choose(rule: &SqlRule, own: usize, schema: &Schema, masks: &Rules<'_>) -> Option<String> {
    let columns = masks.conditional(own);
    let mut sets: Vec<String> = columns
        .iter()
        .filter(|(mask, column)| {
            mask.table == rule.table
                && mask.strategy == rule.strategy
                && mask.condition == rule.condition
                && is_stored(own, column, schema)
        })
        .map(|(_, column)| {
            let pseudonym = pseudonym(own, column, schema);
            format!("{} = {}", quote_identifier(column), quote_identifier(&pseudonym))
        })
        .collect();
    sets.sort();
    (!sets.is_empty()).then(|| format!("UPDATE {} SET {}", schema.tables[own].name.sql(), sets.join(", ")))
}

fn is_stored(table: usize, column: &str, schema: &Schema) -> bool {
    let mut columns = schema.tables[table].columns.iter();
    columns.any(|known| known.name == column && known.generated.is_none())
}

/// The further column that a column's pseudonyms come in.
fn pseudonym(table: usize, column: &str, schema: &Schema) -> String {
    let mut columns = schema.tables[table].columns.iter();
    let place = columns.position(|known| known.name == column).unwrap_or(0);
    format!("scalingo_staging_sync_{place}")
}

fn parse_error(error: &sqlparser::parser::ParserError) -> String {
    error.to_string().replace("sql parser error: ", "")
}

fn parse_expression(text: &str) -> Result<Expr, String> {
    let dialect = PostgreSqlDialect {};
    let mut parser = Parser::new(&dialect)
        .try_with_sql(text)
        .map_err(|error| parse_error(&error))?;
    let expression = parser.parse_expr().map_err(|error| parse_error(&error))?;
    match parser.peek_token().token {
        Token::EOF => Ok(expression),
        other => Err(format!("there is more after it: {other}")),
    }
}

/// `UPDATE "public"."users" SET "email" = …`, from expressions per column.
fn update_of(
    rule: &SqlRule,
    own: usize,
    schema: &Schema,
    told: &str,
    problems: &mut Problems,
) -> Option<String> {
    let name = &schema.tables[own].name;
    let qualifier = Ident::with_quote('"', name.name.as_str());
    let join = match rule.join.as_deref().map(parse_expression).transpose() {
        Ok(join) => join,
        Err(why) => {
            problems.add(format!("{told}: its join is not an SQL condition ({why})."));
            return None;
        }
    };
    let mut sets = Vec::new();
    for (column, text) in &rule.columns {
        let mut expression = match parse_expression(text) {
            Ok(expression) => expression,
            Err(why) => {
                problems.add(format!(
                    "{told}: the expression for {column} cannot be read ({why})."
                ));
                continue;
            }
        };
        qualify(&mut expression, own, &qualifier, schema);
        let others = other_tables(&expression, own, schema);
        let mut sql = expression.to_string();
        if !others.is_empty() {
            let mut from = "(SELECT 1) AS scalingo_staging_sync_one".to_owned();
            for other in others {
                let on = match &join {
                    Some(join) => {
                        let mut join = join.clone();
                        qualify(&mut join, own, &qualifier, schema);
                        join.to_string()
                    }
                    None => match the_join(own, other, schema) {
                        Ok(on) => on,
                        Err(why) => {
                            problems.add(format!(
                                "{told}: the expression for {column} names another table, but {why}"
                            ));
                            continue;
                        }
                    },
                };
                from.push_str(&format!(" LEFT JOIN {} ON {on}", schema.tables[other].name.sql()));
            }
            // A sub-select, not UPDATE … FROM: a row that the other table has nothing for is masked, too.
            sql = format!("(SELECT {sql} FROM {from})");
        }
        let column = actual_column(column, own, schema);
        sets.push(format!("{} = {sql}", quote_identifier(&column)));
    }
    (!sets.is_empty()).then(|| format!("UPDATE {} SET {}", name.sql(), sets.join(", ")))
}

/// A column as the table has it: as written, or else in lower case.
fn actual_column(column: &str, own: usize, schema: &Schema) -> String {
    let bare = column.trim_matches('"');
    let columns = &schema.tables[own].columns;
    if columns.iter().any(|known| known.name == bare) {
        bare.to_owned()
    } else {
        bare.to_lowercase()
    }
}

/// Tables that an expression names by `table.column`, outside of its sub-selects, other than its own.
fn other_tables(expression: &Expr, own: usize, schema: &Schema) -> BTreeSet<usize> {
    struct Finder<'a> {
        depth: usize,
        own: usize,
        schema: &'a Schema,
        found: BTreeSet<usize>,
    }
    impl Visitor for Finder<'_> {
        type Break = ();
        fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.depth += 1;
            ControlFlow::Continue(())
        }
        fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
            self.depth -= 1;
            ControlFlow::Continue(())
        }
        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
            if let (0, Expr::CompoundIdentifier(parts)) = (self.depth, expression) {
                let name = match parts.as_slice() {
                    [table, _] => find_table(self.schema, self.own, None, &folded(table)),
                    [schema, table, _] => {
                        find_table(self.schema, self.own, Some(&folded(schema)), &folded(table))
                    }
                    _ => None,
                };
                self.found.extend(name.filter(|table| *table != self.own));
            }
            ControlFlow::Continue(())
        }
    }
    let mut finder = Finder {
        depth: 0,
        own,
        schema,
        found: BTreeSet::new(),
    };
    let _ = expression.visit(&mut finder);
    finder.found
}

/// The condition of the one foreign key from a table to another.
fn the_join(own: usize, other: usize, schema: &Schema) -> Result<String, String> {
    let (here, there) = (&schema.tables[own], &schema.tables[other]);
    let forth = here
        .foreign_keys
        .iter()
        .filter(|key| key.references == there.name);
    let back = there
        .foreign_keys
        .iter()
        .filter(|key| key.references == here.name);
    let keys: Vec<_> = forth
        .map(|key| (key, true))
        .chain(back.map(|key| (key, false)))
        .collect();
    let says = format!(
        "Say which rows belong together with :join, such as \"{}.id = {}.…\".",
        there.name.name, here.name.name
    );
    match keys.as_slice() {
        [] => Err(format!(
            "there is no foreign key between {} and {}. {says}",
            here.name, there.name
        )),
        [(key, true)] => {
            let pairs = key.columns.iter().zip(&key.referenced_columns);
            let pairs: Vec<String> = pairs
                .map(|(mine, theirs)| {
                    format!(
                        "{}.{} = {}.{}",
                        quote_identifier(&there.name.name),
                        quote_identifier(theirs),
                        quote_identifier(&here.name.name),
                        quote_identifier(mine)
                    )
                })
                .collect();
            Ok(pairs.join(" AND "))
        }
        [_] => Err(format!(
            "the foreign key between them is {}'s, which can have several rows for one of {}. {says}",
            there.name, here.name
        )),
        _ => Err(format!(
            "there are {} foreign keys between {} and {}. {says}",
            keys.len(),
            here.name,
            there.name
        )),
    }
}

/// An UPDATE or DELETE, perhaps behind WITH.
enum Target<'a> {
    Update(&'a mut Update),
    Delete(&'a mut Delete),
}

fn target(statement: &mut Statement) -> Option<Target<'_>> {
    match statement {
        Statement::Update(update) => Some(Target::Update(update)),
        Statement::Delete(delete) => Some(Target::Delete(delete)),
        Statement::Query(query) => match query.body.as_mut() {
            SetExpr::Update(inner) | SetExpr::Delete(inner) => target(inner),
            _ => None,
        },
        _ => None,
    }
}

impl Target<'_> {
    /// What its table's columns are to be prefixed with: its alias or its name.
    fn qualifier(&self) -> Ident {
        let factor = match self {
            Target::Update(update) => Some(&update.table.relation),
            Target::Delete(delete) => first_table(delete).map(|table| &table.relation),
        };
        match factor {
            Some(TableFactor::Table {
                alias: Some(alias), ..
            }) => alias.name.clone(),
            Some(TableFactor::Table { name, .. }) => match name.0.last() {
                Some(ObjectNamePart::Identifier(ident)) => ident.clone(),
                _ => Ident::new(""),
            },
            _ => Ident::new(""),
        }
    }

    fn add_condition(&mut self, condition: Expr) {
        let selection = match self {
            Target::Update(update) => &mut update.selection,
            Target::Delete(delete) => &mut delete.selection,
        };
        let condition = Expr::Nested(Box::new(condition));
        *selection = Some(match selection.take() {
            None => condition,
            Some(old) => Expr::BinaryOp {
                left: Box::new(Expr::Nested(Box::new(old))),
                op: BinaryOperator::And,
                right: Box::new(condition),
            },
        });
    }
}

fn first_table(delete: &Delete) -> Option<&TableWithJoins> {
    match &delete.from {
        FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables) => tables.first(),
    }
}

/// An identifier as the server reads it.
fn folded(ident: &Ident) -> String {
    if ident.quote_style.is_some() {
        ident.value.clone()
    } else {
        ident.value.to_lowercase()
    }
}

/// Prefixes a table's own columns with its name, outside of sub-selects, whose names are theirs.
fn qualify(expression: &mut Expr, own: usize, qualifier: &Ident, schema: &Schema) {
    struct Qualifier<'a> {
        depth: usize,
        columns: HashSet<&'a str>,
        name: &'a TableName,
        qualifier: &'a Ident,
    }
    impl VisitorMut for Qualifier<'_> {
        type Break = ();
        fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
            self.depth += 1;
            ControlFlow::Continue(())
        }
        fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
            self.depth -= 1;
            ControlFlow::Continue(())
        }
        fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
            let qualified = match expression {
                Expr::Identifier(column)
                    if self.depth == 0 && self.columns.contains(folded(column).as_str()) =>
                {
                    Some(column.clone())
                }
                Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                    [table, column] if folded(table) == self.name.name => Some(column.clone()),
                    [schema, table, column]
                        if folded(schema) == self.name.schema && folded(table) == self.name.name =>
                    {
                        Some(column.clone())
                    }
                    _ => None,
                },
                _ => None,
            };
            if let Some(column) = qualified {
                *expression = Expr::CompoundIdentifier(vec![self.qualifier.clone(), column]);
            }
            ControlFlow::Continue(())
        }
    }
    let table = &schema.tables[own];
    let mut visitor = Qualifier {
        depth: 0,
        columns: table.columns.iter().map(|column| column.name.as_str()).collect(),
        name: &table.name,
        qualifier,
    };
    let _ = VisitMut::visit(expression, &mut visitor);
}

/// The columns that an UPDATE sets, and those of them that it does not set to a constant.
fn assignments(
    update: &Update,
    own: usize,
    schema: &Schema,
    told: &str,
    problems: &mut Problems,
) -> (Vec<String>, Vec<String>) {
    let table = &schema.tables[own];
    let (mut columns, mut checked) = (Vec::new(), Vec::new());
    for assignment in &update.assignments {
        let (names, single) = match &assignment.target {
            AssignmentTarget::ColumnName(name) => (vec![name], true),
            AssignmentTarget::Tuple(names) => (names.iter().collect(), false),
        };
        let reads = !single || reads_anything(&assignment.value);
        for name in names {
            let Some(ObjectNamePart::Identifier(ident)) = name.0.first() else {
                continue;
            };
            let column = folded(ident);
            let Some(known) = table.columns.iter().find(|known| known.name == column) else {
                let near = table
                    .columns
                    .iter()
                    .map(|known| (strsim::jaro_winkler(&known.name, &column), &known.name))
                    .filter(|(score, _)| *score > 0.8)
                    .max_by(|a, b| a.0.total_cmp(&b.0));
                let hint = near.map_or_else(
                    || "Correct its name.".to_owned(),
                    |(_, name)| format!("Did you mean {name}?"),
                );
                problems.add(format!("{told}: {} has no column {column}. {hint}", table.name));
                continue;
            };
            if known.generated.is_some() {
                problems.add(format!(
                    "{told}: the column {}.{column} is generated from others. Mask those instead.",
                    table.name
                ));
            }
            if single && known.not_null && is_null(&assignment.value) {
                problems.add(format!(
                    "{told}: the column {}.{column} is NOT NULL, so it cannot become NULL. Set it to a neutral value.",
                    table.name
                ));
            }
            if reads {
                checked.push(column.clone());
            }
            columns.push(column);
        }
    }
    (columns, checked)
}

fn is_null(expression: &Expr) -> bool {
    match expression {
        Expr::Value(value) => value.value == Value::Null,
        Expr::Nested(inner) => is_null(inner),
        Expr::Cast { expr, .. } => is_null(expr),
        _ => false,
    }
}

/// Whether an expression depends on a row. What does not can meet an old value by chance only.
fn reads_anything(expression: &Expr) -> bool {
    visit_expressions(expression, |part| match part {
        Expr::Identifier(ident)
            if ident.quote_style.is_none() && ident.value.eq_ignore_ascii_case("default") =>
        {
            ControlFlow::Continue(())
        }
        Expr::Identifier(_)
        | Expr::CompoundIdentifier(_)
        | Expr::CompoundFieldAccess { .. }
        | Expr::Subquery(_)
        | Expr::Exists { .. }
        | Expr::InSubquery { .. } => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })
    .is_break()
}

/// The table of a name without or with a schema. Without: the rule's own first, then `public`'s, then the only one.
fn find_table(schema: &Schema, own: usize, in_schema: Option<&str>, name: &str) -> Option<usize> {
    if let Some(in_schema) = in_schema {
        return schema.table(&TableName {
            schema: in_schema.to_owned(),
            name: name.to_owned(),
        });
    }
    if schema.tables[own].name.name == name {
        return Some(own);
    }
    let public = schema.table(&TableName {
        schema: "public".into(),
        name: name.to_owned(),
    });
    public.or_else(|| {
        let mut tables = schema
            .tables
            .iter()
            .enumerate()
            .filter(|(_, table)| table.name.name == name);
        match (tables.next(), tables.next()) {
            (Some((only, _)), None) => Some(only),
            _ => None,
        }
    })
}

/// Points every table's name at the table that holds its rows while the rule runs.
struct Names<'a> {
    schema: &'a Schema,
    own: usize,
    ruled: &'a BTreeSet<usize>,
    ctes: HashSet<String>,
    /// The next relation is a function.
    function: bool,
    named: BTreeSet<usize>,
    reads: BTreeSet<usize>,
    problems: Vec<String>,
}

impl<'a> Names<'a> {
    fn new(schema: &'a Schema, own: usize, ruled: &'a BTreeSet<usize>) -> Self {
        Self {
            schema,
            own,
            ruled,
            ctes: HashSet::new(),
            function: false,
            named: BTreeSet::from([own]),
            reads: BTreeSet::new(),
            problems: Vec::new(),
        }
    }

    /// Notes that a table is read, and says whether it is a temporary one.
    fn note(&mut self, table: usize) -> bool {
        if self.ruled.contains(&table) {
            self.named.insert(table);
            return true;
        }
        let related = self
            .schema
            .partitions(table)
            .into_iter()
            .chain(self.schema.partition_ancestors(table));
        let related = related.into_iter().find(|relative| self.ruled.contains(relative));
        if let Some(relative) = related {
            self.problems.push(format!(
                "it reads {}, and {} of the same partitioned table has a rule in SQL. Name that one.",
                self.schema.tables[table].name, self.schema.tables[relative].name
            ));
        }
        self.reads.insert(table);
        false
    }

    /// A table named by `reads:`.
    fn add_read(&mut self, name: &str) {
        let Some(pattern) = Pattern::parse(name) else {
            self.problems
                .push(format!("\"{name}\" in :reads is not a table's name."));
            return;
        };
        let tables = tables_like(&pattern, self.schema);
        if tables.is_empty() {
            self.problems
                .push(format!("in :reads, {}", not_found(name, &pattern, self.schema)));
        }
        for table in tables {
            self.note(table);
        }
    }

    fn table_of(&self, name: &ObjectName) -> Option<(Option<String>, String)> {
        let parts: Option<Vec<String>> = name
            .0
            .iter()
            .map(|part| match part {
                ObjectNamePart::Identifier(ident) => Some(folded(ident)),
                ObjectNamePart::Function(_) => None,
            })
            .collect();
        match parts?.as_slice() {
            [name] => Some((None, name.clone())),
            [schema, name] => Some((Some(schema.clone()), name.clone())),
            _ => None,
        }
    }

    /// A nested statement may change only the rule's own table.
    fn check_target(&mut self, factor: Option<&TableFactor>) {
        let Some(TableFactor::Table { name, .. }) = factor else {
            return;
        };
        let Some((schema, bare)) = self.table_of(name) else {
            return;
        };
        match find_table(self.schema, self.own, schema.as_deref(), &bare) {
            Some(table) if table == self.own => {}
            Some(other) => self.problems.push(format!(
                "it changes {}, but the entry is for {}. Write an entry for that table.",
                self.schema.tables[other].name, self.schema.tables[self.own].name
            )),
            // Told where the name is looked up.
            None => {}
        }
    }
}

impl VisitorMut for Names<'_> {
    type Break = ();

    fn pre_visit_statement(&mut self, statement: &mut Statement) -> ControlFlow<()> {
        match statement {
            Statement::Update(update) => self.check_target(Some(&update.table.relation)),
            Statement::Delete(delete) => {
                let factor = first_table(delete).map(|table| table.relation.clone());
                self.check_target(factor.as_ref());
            }
            Statement::Query(_) => {}
            _ => self
                .problems
                .push("a rule is made of UPDATE, DELETE and SELECT; this holds something else.".into()),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            let name = folded(&cte.alias.name);
            if self.schema.tables.iter().any(|table| table.name.name == name) {
                self.problems.push(format!(
                    "its WITH gives a name that a table has, {name}. Give another."
                ));
            }
            self.ctes.insert(name);
        }
        if matches!(query.body.as_ref(), SetExpr::Table(_)) {
            self.problems
                .push("it has TABLE name for a query. Write SELECT * FROM name.".into());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        self.function = matches!(
            factor,
            TableFactor::Table { args: Some(_), .. } | TableFactor::Function { .. }
        );
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &mut ObjectName) -> ControlFlow<()> {
        if std::mem::take(&mut self.function) {
            return ControlFlow::Continue(());
        }
        let Some((in_schema, name)) = self.table_of(relation) else {
            return ControlFlow::Continue(());
        };
        let known = match in_schema.as_deref() {
            None if self.ctes.contains(&name) => return ControlFlow::Continue(()),
            Some("pg_catalog" | "information_schema") => return ControlFlow::Continue(()),
            in_schema => find_table(self.schema, self.own, in_schema, &name),
        };
        if let Some(table) = known {
            let temporary = self.note(table);
            let found = &self.schema.tables[table].name;
            let home = if temporary {
                "pg_temp"
            } else {
                found.schema.as_str()
            };
            *relation = ObjectName::from(vec![
                Ident::with_quote('"', home),
                Ident::with_quote('"', found.name.as_str()),
            ]);
            return ControlFlow::Continue(());
        }
        let view = self.schema.views.iter().find(|(view, _)| {
            view.name == name && in_schema.as_ref().is_none_or(|schema| *schema == view.schema)
        });
        let problem = match view {
            Some((view, kind)) => format!(
                "it reads the {} {view}, which may not be filled yet. Name the tables that it reads.",
                kind.to_lowercase()
            ),
            None => {
                let text = in_schema.map_or_else(|| name.clone(), |schema| format!("{schema}.{name}"));
                let near = near_misses(&text, self.schema.tables.iter().map(|table| &table.name));
                let hint = if near.is_empty() {
                    "Correct the name.".to_owned()
                } else {
                    near
                };
                format!("it names {text}, which is no table of the backup. {hint}")
            }
        };
        self.problems.push(problem);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        // schema.table.column: the temporary table is in another schema.
        if let Expr::CompoundIdentifier(parts) = expression {
            if let [in_schema, table, _] = parts.as_slice() {
                let found = find_table(self.schema, self.own, Some(&folded(in_schema)), &folded(table));
                if found.is_some_and(|found| self.ruled.contains(&found)) {
                    parts.remove(0);
                }
            }
        }
        ControlFlow::Continue(())
    }
}

/// Two rules that set the same column, in SQL or in flight.
fn check_columns(prepared: &[Prepared<'_>], schema: &Schema, masks: &Rules<'_>, problems: &mut Problems) {
    let mut taken: HashMap<(usize, &str), &SqlRule> = HashMap::new();
    // Masks, with a condition or without, are checked against one another elsewhere.
    for one in prepared.iter().filter(|one| !one.conditional) {
        let name = &schema.tables[one.own].name;
        for column in &one.columns {
            let mut tables = schema.descendants(one.own);
            tables.push(one.own);
            tables.extend(schema.ancestors(one.own));
            let other = taken
                .insert((one.own, column), one.rule)
                .filter(|other| !std::ptr::eq(*other, one.rule))
                .map(describe)
                .or_else(|| tables.iter().find_map(|table| masks.rule_of(*table, column)));
            if let Some(other) = other {
                problems.add(format!(
                    "{other} and {} both mask the column {name}.{column}. Remove one of them.",
                    describe(one.rule)
                ));
            }
        }
    }
}

/// Where DELETE rules lead: tables that lose rows by ON DELETE CASCADE, and keys that would be left hanging.
fn follow_deletes(
    prepared: &[Prepared<'_>],
    schema: &Schema,
    found: &mut SqlRules,
    warnings: &mut Vec<String>,
) {
    let mut queue: Vec<usize> = prepared
        .iter()
        .filter(|one| one.deletes)
        .map(|one| one.own)
        .collect();
    let mut seen: HashSet<usize> = queue.iter().copied().collect();
    while let Some(table) = queue.pop() {
        let name = &schema.tables[table].name;
        found.losing.insert(name.clone());
        for ancestor in schema.partition_ancestors(table) {
            if seen.insert(ancestor) {
                queue.push(ancestor);
            }
        }
        for (child, referring) in schema.tables.iter().enumerate() {
            for key in referring
                .foreign_keys
                .iter()
                .filter(|key| key.references == *name)
            {
                match key.on_delete {
                    OnDelete::Cascade => {
                        found.shrinking.insert(referring.name.clone());
                        for partition in schema.partitions(child) {
                            found.shrinking.insert(schema.tables[partition].name.clone());
                        }
                        if seen.insert(child) {
                            queue.push(child);
                        }
                    }
                    OnDelete::Nothing => warnings.push(format!(
                        "A rule deletes rows of {name}, and the foreign key {} of {} has no ON DELETE action: if rows \
                         of it still refer to deleted ones, the key is added NOT VALID.",
                        key.name, referring.name
                    )),
                    OnDelete::SetNull | OnDelete::SetDefault => {}
                }
            }
        }
    }
}

/// Puts statements whose tables name one another into groups, and marks the loads that they wait for.
fn group(
    prepared: Vec<Prepared<'_>>,
    settings: &Settings,
    schema: &Schema,
    loads: &mut HashMap<DumpId, Load>,
    found: &mut SqlRules,
    warnings: &mut Vec<String>,
) {
    let mut sets: Vec<BTreeSet<usize>> = Vec::new();
    for one in &prepared {
        let (mut joined, apart): (Vec<_>, Vec<_>) =
            sets.into_iter().partition(|set| !set.is_disjoint(&one.named));
        sets = apart;
        joined.push(one.named.clone());
        sets.push(joined.into_iter().flatten().collect());
    }
    sets.sort();
    let mut groups: Vec<SqlGroup> = sets
        .into_iter()
        .map(|set| make_group(&set, &prepared, schema, loads, warnings))
        .collect();
    // Sessions that last are beside those of config.parallel_connections, so there are at most as many.
    let most = settings.target.parallel_connections.max(1);
    while groups.iter().filter(|group| group.lasting).count() > most {
        let Some(at) = groups.iter().rposition(|group| group.lasting) else {
            break;
        };
        let last = groups.remove(at);
        let Some(first) = groups.iter_mut().find(|group| group.lasting) else {
            break;
        };
        let offset = first.tables.len();
        first.tables.extend(last.tables);
        first.reads.extend(last.reads);
        first
            .statements
            .extend(last.statements.into_iter().map(|mut one| {
                one.table += offset;
                one
            }));
    }
    for (number, group) in groups.iter_mut().enumerate() {
        group.dump_id = GROUP_IDS - DumpId::try_from(number).unwrap_or(DumpId::MAX / 8);
        for table in &group.tables {
            for id in &table.loads {
                if let Some(load) = loads.get_mut(id) {
                    load.sql_group = Some(number);
                    load.copy_into = table.into.clone();
                }
            }
        }
    }
    found.groups = groups;
}

fn make_group(
    set: &BTreeSet<usize>,
    prepared: &[Prepared<'_>],
    schema: &Schema,
    loads: &HashMap<DumpId, Load>,
    warnings: &mut Vec<String>,
) -> SqlGroup {
    let own: Vec<usize> = set.iter().copied().collect();
    let mut tables = Vec::new();
    let mut forms: HashMap<(usize, String), String> = HashMap::new();
    for &table in &own {
        let known = &schema.tables[table];
        let family = family_names(table, schema);
        let mut mine: Vec<&Load> = loads
            .values()
            .filter(|load| family.contains(&load.table))
            .collect();
        mine.sort_by_key(|load| load.dump_id);
        if mine.is_empty() {
            warnings.push(format!(
                "{} has a rule in SQL, but no rows of it are loaded.",
                known.name
            ));
        }
        let into = match mine.first() {
            Some(load) if known.partition_key.is_none() => load.copy_into.clone(),
            _ => known.name.clone(),
        };
        let mut indexes: Vec<Vec<String>> = known
            .uniques
            .iter()
            .filter_map(|unique| unique.columns())
            .map(|columns| columns.into_iter().map(str::to_owned).collect())
            .chain(known.foreign_keys.iter().map(|key| key.columns.clone()))
            .collect();
        indexes.sort();
        indexes.dedup();
        tables.push(SqlTable {
            table: known.name.clone(),
            into,
            loads: mine.iter().map(|load| load.dump_id).collect(),
            columns: mine.first().map(|load| load.columns.clone()).unwrap_or_default(),
            indexes: if own.len() > 1 { indexes } else { Vec::new() },
            pseudonyms: mine
                .first()
                .and_then(|load| load.conditional.as_ref())
                .into_iter()
                .flat_map(|mask| mask.columns())
                .map(|masked| (masked.name.clone(), pseudonym(table, &masked.name, schema)))
                .collect(),
        });
        forms.extend(
            mine.first()
                .and_then(|load| load.conditional.clone())
                .into_iter()
                .flat_map(|mask| {
                    let forms = mask
                        .columns()
                        .iter()
                        .map(|masked| ((table, masked.name.clone()), masked.form_sql.clone()));
                    forms.collect::<Vec<_>>()
                }),
        );
    }
    let mut reads = BTreeSet::new();
    let mut statements = Vec::new();
    for one in prepared.iter().filter(|one| set.contains(&one.own)) {
        reads.extend(&one.reads);
        statements.push(SqlStatement {
            rule: describe(one.rule),
            table: own.iter().position(|table| *table == one.own).unwrap_or(0),
            sql: one.sql.clone(),
            columns: one.columns.clone(),
            // A pseudonym may be what was there before, such as a city.
            checked: if one.conditional {
                Vec::new()
            } else {
                one.checked.clone()
            },
            forms: if one.conditional {
                let form =
                    |column: &String| Some((column.clone(), forms.get(&(one.own, column.clone()))?.clone()));
                one.columns.iter().filter_map(form).collect()
            } else {
                Vec::new()
            },
        });
    }
    let all_loads: usize = tables.iter().map(|table| table.loads.len()).sum();
    SqlGroup {
        dump_id: 0,
        lasting: !reads.is_empty() || all_loads > 1,
        tables,
        statements,
        reads,
    }
}
