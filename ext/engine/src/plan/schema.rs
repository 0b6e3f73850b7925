//! The schema as the table of contents tells it: tables and their columns, types, keys, and who inherits from whom.
//!
//! It reads the statements that pg_dump writes, not SQL at large. What it does not understand it passes over:
//! the column list of a data block, not this model, is the truth about the data.

use super::sql::{lex, names, split, write_sql, Cursor, Token};
use super::TableName;
use crate::archive::{DumpId, Entry};
use crate::mask::Type;
use std::collections::{HashMap, HashSet};

/// Everything known about the archive's schema.
#[derive(Debug, Default)]
pub struct Schema {
    /// Tables, partitioned tables and foreign tables, in the archive's order.
    pub tables: Vec<Table>,
    by_name: HashMap<TableName, usize>,
    types: HashMap<TableName, UserType>,
    /// Views and materialized views, and the word for their kind.
    pub views: HashMap<TableName, String>,
}

/// A table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: TableName,
    /// Its entry.
    pub dump_id: DumpId,
    /// A foreign table, whose rows are elsewhere.
    pub foreign: bool,
    /// The identifiers in the partition key, when it is partitioned.
    pub partition_key: Option<Vec<String>>,
    /// The table that it is a partition of.
    pub partition_of: Option<usize>,
    /// Tables that it inherits from.
    pub inherits: Vec<usize>,
    /// Its partitions and the tables that inherit from it.
    pub children: Vec<usize>,
    /// Its columns in order, inherited ones first.
    pub columns: Vec<Column>,
    /// Its primary key, unique constraints, unique indexes and exclusion constraints.
    pub uniques: Vec<Unique>,
    /// Its CHECK constraints that existing rows meet, without those that it inherits.
    pub checks: Vec<CheckConstraint>,
    /// Its foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
    /// As written in INHERITS and PARTITION OF, until they are resolved.
    parents: Vec<TableName>,
    of_type: Option<TableName>,
}

/// A column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type as written; None in a typed table that does not repeat it.
    pub column_type: Option<TypeName>,
    /// NOT NULL, by itself or as part of the primary key.
    pub not_null: bool,
    /// It has a DEFAULT.
    pub has_default: bool,
    /// `GENERATED ALWAYS AS (…) STORED` or `VIRTUAL`: the identifiers in its expression.
    pub generated: Option<Vec<String>>,
}

/// A type as pg_dump writes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypeName {
    /// The schema, where one is written.
    pub schema: Option<String>,
    /// The name, words separated by one blank, without modifiers.
    pub name: String,
    /// Numbers in parentheses.
    pub modifiers: Vec<usize>,
    /// Followed by `[]`.
    pub array: bool,
}

/// What a type is below its domains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base<'a> {
    /// An enum of the archive's.
    Enum,
    /// A type that the archive does not make: PostgreSQL's own, or an extension's.
    Given(&'a TypeName),
    /// An array, or another type that the archive makes.
    Other,
}

/// A user's type.
#[derive(Debug, Clone)]
enum UserType {
    Enum(Vec<String>),
    Domain {
        base: TypeName,
        not_null: bool,
        checks: Vec<CheckConstraint>,
    },
    Range,
    MultiRange,
    Composite(Vec<Column>),
}

/// A CHECK constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckConstraint {
    /// Its name.
    pub name: String,
    /// Its expression; in a domain's, `VALUE` stands for the value.
    pub sql: String,
    /// The identifiers in it.
    pub identifiers: Vec<String>,
}

/// What makes rows distinct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unique {
    /// Its entry.
    pub dump_id: DumpId,
    /// The primary key.
    pub primary: bool,
    /// The parts of its key.
    pub parts: Vec<Part>,
    /// NULLS NOT DISTINCT.
    pub nulls_not_distinct: bool,
}

impl Unique {
    /// The columns of its key, when it has no expression.
    pub fn columns(&self) -> Option<Vec<&str>> {
        let names = self.parts.iter().map(|part| match part {
            Part::Column(name) => Some(name.as_str()),
            Part::Expression(_) => None,
        });
        names.collect()
    }
}

/// One part of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A column.
    Column(String),
    /// An expression: the identifiers in it.
    Expression(Vec<String>),
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// Its entry.
    pub dump_id: DumpId,
    /// The constraint's name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// The table that it refers to.
    pub references: TableName,
    /// The columns there.
    pub referenced_columns: Vec<String>,
    /// Existing rows are not checked.
    pub not_valid: bool,
    /// What happens to its rows when the one that they refer to is deleted.
    pub on_delete: OnDelete,
}

/// A foreign key's ON DELETE action.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnDelete {
    /// NO ACTION or RESTRICT: nothing may refer to a deleted row.
    #[default]
    Nothing,
    /// The referring rows are deleted, too.
    Cascade,
    /// They get NULL.
    SetNull,
    /// They get the default.
    SetDefault,
}

/// What follows the columns that a foreign key refers to.
fn on_delete(mut cursor: Cursor<'_, '_>) -> OnDelete {
    if !cursor.skip_past("ON DELETE") {
        OnDelete::Nothing
    } else if cursor.accept("CASCADE") {
        OnDelete::Cascade
    } else if cursor.accept("SET NULL") {
        OnDelete::SetNull
    } else if cursor.accept("SET DEFAULT") {
        OnDelete::SetDefault
    } else {
        OnDelete::Nothing
    }
}

impl Schema {
    /// Reads the schema from a table of contents.
    pub fn read(entries: &[Entry]) -> Self {
        let mut schema = Schema::default();
        for entry in entries {
            schema.read_entry(entry);
        }
        schema.resolve_parents();
        schema.complete_columns();
        schema.complete_keys();
        schema
    }

    /// The table of this name.
    pub fn table(&self, name: &TableName) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// All partitions of a table and tables that inherit from it, at any depth, without itself.
    pub fn descendants(&self, table: usize) -> Vec<usize> {
        self.walk(table, |table| table.children.clone())
    }

    /// All partitions of a table at any depth, without itself.
    pub fn partitions(&self, table: usize) -> Vec<usize> {
        self.walk(table, |table| {
            let is_partition = |child: &&usize| self.tables[**child].partition_of.is_some();
            table.children.iter().filter(is_partition).copied().collect()
        })
    }

    /// The tables that a table is a partition of or inherits from itself.
    pub fn parents(&self, table: usize) -> Vec<usize> {
        let table = &self.tables[table];
        table
            .partition_of
            .iter()
            .chain(&table.inherits)
            .copied()
            .collect()
    }

    /// All tables that a table is a partition of or inherits from, at any depth, the nearest first.
    pub fn ancestors(&self, table: usize) -> Vec<usize> {
        self.walk(table, |table| {
            table
                .partition_of
                .iter()
                .chain(&table.inherits)
                .copied()
                .collect()
        })
    }

    /// All tables that a table is a partition of, the nearest first.
    pub fn partition_ancestors(&self, table: usize) -> Vec<usize> {
        self.walk(table, |table| table.partition_of.into_iter().collect())
    }

    /// The root of the partitions that a table is one of; itself where it is none.
    pub fn topmost(&self, table: usize) -> usize {
        self.partition_ancestors(table).last().copied().unwrap_or(table)
    }

    fn walk(&self, from: usize, next: impl Fn(&Table) -> Vec<usize>) -> Vec<usize> {
        let mut found = next(&self.tables[from]);
        if found.is_empty() {
            return found;
        }
        let mut seen: HashSet<usize> = HashSet::from([from]);
        found.retain(|table| seen.insert(*table));
        let mut at = 0;
        while at < found.len() {
            for table in next(&self.tables[found[at]]) {
                if seen.insert(table) {
                    found.push(table);
                }
            }
            at += 1;
        }
        found
    }

    /// What masking has to know of a type, and whether a domain in it is NOT NULL. `home` is where a name
    /// without a schema is looked for.
    pub fn resolve(&self, column_type: &TypeName, home: &str) -> (Type, bool) {
        let mut not_null = false;
        let mut current = column_type.clone();
        // Domains over domains; PostgreSQL lets none be circular, a damaged archive might.
        for _ in 0..32 {
            if current.array {
                let of = TypeName {
                    array: false,
                    ..current
                };
                return (Type::Array(Box::new(self.resolve(&of, home).0)), not_null);
            }
            let key = TableName {
                schema: current.schema.clone().unwrap_or_else(|| home.to_owned()),
                name: current.name.clone(),
            };
            let built_in = || Type::from_name(&current.name, &current.modifiers);
            return match self.types.get(&key) {
                Some(UserType::Domain {
                    base,
                    not_null: required,
                    ..
                }) => {
                    not_null |= required;
                    current = base.clone();
                    continue;
                }
                Some(UserType::Enum(labels)) => (Type::Enum(labels.clone()), not_null),
                Some(UserType::Range) => (Type::Range, not_null),
                Some(UserType::MultiRange) => (Type::MultiRange, not_null),
                Some(UserType::Composite(_)) => (Type::Other(current.name), not_null),
                None => (built_in().unwrap_or(Type::Other(current.name)), not_null),
            };
        }
        (Type::Other(column_type.name.clone()), not_null)
    }

    /// What a type is below its domains. `home` is where a name without a schema is looked for.
    pub fn base<'a>(&'a self, column_type: &'a TypeName, home: &str) -> Base<'a> {
        let mut current = column_type;
        // Domains over domains, as above.
        for _ in 0..32 {
            if current.array {
                return Base::Other;
            }
            let key = TableName {
                schema: current.schema.clone().unwrap_or_else(|| home.to_owned()),
                name: current.name.clone(),
            };
            match self.types.get(&key) {
                Some(UserType::Domain { base, .. }) => current = base,
                Some(UserType::Enum(_)) => return Base::Enum,
                Some(_) => return Base::Other,
                None => return Base::Given(current),
            }
        }
        Base::Other
    }

    /// The CHECKs of the domains that a type is one of.
    pub fn domain_checks(&self, column_type: &TypeName, home: &str) -> Vec<&CheckConstraint> {
        let mut found = Vec::new();
        let mut current = column_type;
        // Domains over domains, as above.
        for _ in 0..32 {
            let key = TableName {
                schema: current.schema.clone().unwrap_or_else(|| home.to_owned()),
                name: current.name.clone(),
            };
            match self.types.get(&key) {
                Some(UserType::Domain { base, checks, .. }) if !current.array => {
                    found.extend(checks);
                    current = base;
                }
                _ => break,
            }
        }
        found
    }

    fn read_entry(&mut self, entry: &Entry) {
        match entry.desc.as_str() {
            "VIEW" | "MATERIALIZED VIEW" => {
                let name = TableName {
                    schema: entry.namespace.clone(),
                    name: entry.tag.clone(),
                };
                self.views.insert(name, entry.desc.clone());
            }
            "TABLE" | "FOREIGN TABLE" | "TYPE" | "DOMAIN" | "INDEX" | "CONSTRAINT" | "FK CONSTRAINT"
            | "CHECK CONSTRAINT" | "TABLE ATTACH" | "DEFAULT" => {
                let tokens = lex(&entry.defn);
                for statement in split(&tokens, ';') {
                    self.read_statement(entry, Cursor::new(statement));
                }
            }
            _ => {}
        }
    }

    fn read_statement(&mut self, entry: &Entry, mut cursor: Cursor<'_, '_>) -> Option<()> {
        if cursor.accept("ALTER TABLE") || cursor.accept("ALTER FOREIGN TABLE") {
            return self.read_alter_table(entry, cursor);
        }
        if !cursor.accept("CREATE") {
            return None;
        }
        if cursor.accept("TYPE") {
            return self.read_type(entry, cursor);
        }
        if cursor.accept("DOMAIN") {
            return self.read_domain(entry, cursor);
        }
        let unique = cursor.accept("UNIQUE");
        if cursor.accept("INDEX") {
            return if unique {
                self.read_unique_index(entry, cursor)
            } else {
                None
            };
        }
        let _ = cursor.accept("UNLOGGED") || cursor.accept("TEMPORARY");
        let foreign = cursor.accept("FOREIGN");
        if cursor.accept("TABLE") {
            return self.read_table(entry, foreign, cursor);
        }
        None
    }

    fn read_type(&mut self, entry: &Entry, mut cursor: Cursor<'_, '_>) -> Option<()> {
        let name = cursor.qualified(&entry.namespace)?;
        if !cursor.accept("AS") {
            return None;
        }
        let user_type = if cursor.accept("ENUM") {
            let label = |part: &[Token<'_>]| match part.first() {
                Some(Token::Text(label)) => Some(label.to_string()),
                _ => None,
            };
            UserType::Enum(
                split(cursor.parenthesized()?, ',')
                    .into_iter()
                    .filter_map(label)
                    .collect(),
            )
        } else if cursor.accept("RANGE") {
            for option in split(cursor.parenthesized()?, ',') {
                let mut option = Cursor::new(option);
                if option.accept("MULTIRANGE_TYPE_NAME") && option.accept_symbol('=') {
                    if let Some(multirange) = option.qualified(&entry.namespace) {
                        self.types.insert(multirange, UserType::MultiRange);
                    }
                }
            }
            UserType::Range
        } else {
            UserType::Composite(
                split(cursor.parenthesized()?, ',')
                    .into_iter()
                    .filter_map(column)
                    .collect(),
            )
        };
        self.types.insert(name, user_type);
        Some(())
    }

    fn read_domain(&mut self, entry: &Entry, mut cursor: Cursor<'_, '_>) -> Option<()> {
        let name = cursor.qualified(&entry.namespace)?;
        if !cursor.accept("AS") {
            return None;
        }
        let base = type_name(&mut cursor)?;
        let (mut not_null, mut checks, mut constraint) = (false, Vec::new(), String::new());
        while let Some(token) = cursor.peek() {
            if cursor.accept("NOT NULL") {
                not_null = true;
            } else if cursor.accept("CONSTRAINT") {
                constraint = cursor.identifier()?;
            } else if cursor.accept("CHECK") {
                checks.extend(check(&constraint, &mut cursor));
            } else if token.is_symbol('(') {
                cursor.parenthesized();
            } else {
                cursor.advance();
            }
        }
        let domain = UserType::Domain {
            base,
            not_null,
            checks,
        };
        self.types.insert(name, domain);
        Some(())
    }

    fn read_table(&mut self, entry: &Entry, foreign: bool, mut cursor: Cursor<'_, '_>) -> Option<()> {
        let _ = cursor.accept("IF NOT EXISTS");
        let name = cursor.qualified(&entry.namespace)?;
        let mut table = Table {
            name,
            dump_id: entry.dump_id,
            foreign,
            ..Table::default()
        };
        if cursor.accept("OF") {
            table.of_type = cursor.qualified(&entry.namespace);
        } else if cursor.accept("PARTITION OF") {
            table.parents.extend(cursor.qualified(&entry.namespace));
        }
        for item in cursor
            .parenthesized()
            .map(|items| split(items, ','))
            .unwrap_or_default()
        {
            match table_constraint(item) {
                Some(constraint) => self.read_constraint(entry, &mut table, constraint),
                None => table.columns.extend(column(item)),
            }
        }
        while let Some(token) = cursor.peek() {
            if cursor.accept("INHERITS") {
                for parent in cursor
                    .parenthesized()
                    .map(|items| split(items, ','))
                    .unwrap_or_default()
                {
                    table
                        .parents
                        .extend(Cursor::new(parent).qualified(&entry.namespace));
                }
            } else if cursor.accept("PARTITION BY") {
                cursor.advance();
                table.partition_key = cursor.parenthesized().map(identifiers);
            } else if token.is_symbol('(') {
                cursor.parenthesized();
            } else {
                cursor.advance();
            }
        }
        let index = self.tables.len();
        self.by_name.insert(table.name.clone(), index);
        self.tables.push(table);
        Some(())
    }

    fn read_alter_table(&mut self, entry: &Entry, mut cursor: Cursor<'_, '_>) -> Option<()> {
        let _ = cursor.accept("IF EXISTS");
        let _ = cursor.accept("ONLY");
        let name = cursor.qualified(&entry.namespace)?;
        if cursor.accept("ATTACH PARTITION") {
            let partition = cursor.qualified(&entry.namespace)?;
            let (parent, partition) = (self.table(&name)?, self.table(&partition)?);
            self.tables[partition].partition_of = Some(parent);
            return Some(());
        }
        let index = self.table(&name)?;
        if cursor.accept("ADD") {
            let mut table = std::mem::take(&mut self.tables[index]);
            if let Some(constraint) = table_constraint(cursor.rest()) {
                self.read_constraint(entry, &mut table, constraint);
            }
            self.tables[index] = table;
        } else if cursor.accept("ALTER") {
            let _ = cursor.accept("COLUMN");
            let name = cursor.identifier()?;
            let (not_null, has_default) = (cursor.accept("SET NOT NULL"), cursor.accept("SET DEFAULT"));
            let table = &mut self.tables[index];
            match table.columns.iter_mut().find(|column| column.name == name) {
                Some(column) => {
                    column.not_null |= not_null;
                    column.has_default |= has_default;
                }
                // An inherited column, which is merged with the parent's later.
                None if !table.parents.is_empty() || table.of_type.is_some() => {
                    table.columns.push(Column {
                        name,
                        not_null,
                        has_default,
                        ..Column::default()
                    });
                }
                None => {}
            }
        } else if cursor.accept("INHERIT") {
            self.tables[index]
                .parents
                .extend(cursor.qualified(&entry.namespace));
        }
        Some(())
    }

    fn read_constraint(&mut self, entry: &Entry, table: &mut Table, constraint: Constraint<'_, '_>) {
        let Constraint { name, mut cursor } = constraint;
        let primary = cursor.accept("PRIMARY KEY");
        if primary || cursor.accept("UNIQUE") {
            let nulls_not_distinct = cursor.accept("NULLS NOT DISTINCT");
            let parts = cursor.parenthesized().map(key_names).unwrap_or_default();
            table.uniques.push(Unique {
                dump_id: entry.dump_id,
                primary,
                parts: parts.into_iter().map(Part::Column).collect(),
                nulls_not_distinct,
            });
        } else if cursor.accept("EXCLUDE") {
            if cursor.accept("USING") {
                cursor.advance();
            }
            let parts = cursor.parenthesized().map(index_parts).unwrap_or_default();
            table.uniques.push(Unique {
                dump_id: entry.dump_id,
                primary: false,
                parts,
                nulls_not_distinct: false,
            });
        } else if cursor.accept("FOREIGN KEY") {
            let columns = cursor.parenthesized().map(key_names).unwrap_or_default();
            if let Some(references) = cursor
                .accept("REFERENCES")
                .then(|| cursor.qualified(&entry.namespace))
                .flatten()
            {
                table.foreign_keys.push(ForeignKey {
                    dump_id: entry.dump_id,
                    name,
                    columns,
                    references,
                    referenced_columns: cursor.parenthesized().map(key_names).unwrap_or_default(),
                    on_delete: on_delete(cursor),
                    not_valid: cursor.skip_past("NOT VALID"),
                });
            }
        } else if cursor.accept("CHECK") {
            table.checks.extend(check(&name, &mut cursor));
        } else if cursor.accept("NOT NULL") {
            // PostgreSQL 18 names NOT NULL constraints: `CONSTRAINT users_email_not_null NOT NULL email`. The
            // column may be inherited and not known yet, then it is one without a type until it is merged.
            if let Some(name) = cursor.identifier() {
                if cursor.skip_past("NOT VALID") {
                    return;
                }
                match table.columns.iter_mut().find(|column| column.name == name) {
                    Some(column) => column.not_null = true,
                    None => table.columns.push(Column {
                        name,
                        not_null: true,
                        ..Column::default()
                    }),
                }
            }
        }
    }

    fn read_unique_index(&mut self, entry: &Entry, mut cursor: Cursor<'_, '_>) -> Option<()> {
        cursor.identifier()?;
        if !cursor.accept("ON") {
            return None;
        }
        let _ = cursor.accept("ONLY");
        let table = cursor.qualified(&entry.namespace)?;
        let table = self.table(&table)?;
        if cursor.accept("USING") {
            cursor.advance();
        }
        let parts = index_parts(cursor.parenthesized()?);
        let nulls_not_distinct = cursor.skip_past("NULLS NOT DISTINCT");
        self.tables[table].uniques.push(Unique {
            dump_id: entry.dump_id,
            primary: false,
            parts,
            nulls_not_distinct,
        });
        Some(())
    }

    fn resolve_parents(&mut self) {
        for index in 0..self.tables.len() {
            let parents = std::mem::take(&mut self.tables[index].parents);
            for parent in parents {
                let Some(parent) = self.table(&parent).filter(|parent| *parent != index) else {
                    continue;
                };
                if self.tables[parent].partition_key.is_some() {
                    self.tables[index].partition_of = Some(parent);
                } else {
                    self.tables[index].inherits.push(parent);
                }
            }
            let parents: Vec<usize> = self.tables[index]
                .partition_of
                .iter()
                .chain(&self.tables[index].inherits)
                .copied()
                .collect();
            for parent in parents {
                self.tables[parent].children.push(index);
            }
        }
    }

    /// Adds what CREATE TABLE does not repeat: the columns of parents and of composite types.
    fn complete_columns(&mut self) {
        let mut done = vec![false; self.tables.len()];
        for index in 0..self.tables.len() {
            let mut order = self.ancestors(index);
            order.reverse();
            order.push(index);
            for table in order {
                if !std::mem::replace(&mut done[table], true) {
                    self.complete_columns_of(table);
                }
            }
        }
    }

    fn complete_columns_of(&mut self, index: usize) {
        let table = &self.tables[index];
        let mut inherited: Vec<Column> = Vec::new();
        if let Some(UserType::Composite(columns)) =
            table.of_type.as_ref().and_then(|name| self.types.get(name))
        {
            inherited.extend(columns.iter().cloned());
        }
        for parent in table.inherits.iter().chain(&table.partition_of) {
            // An attached partition repeats all columns, in an order of its own.
            if table.partition_of.is_none() || table.columns.iter().all(|column| column.column_type.is_none())
            {
                inherited.extend(self.tables[*parent].columns.iter().cloned());
            }
        }
        if inherited.is_empty() {
            return;
        }
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut columns: Vec<Column> = Vec::new();
        for column in inherited
            .into_iter()
            .chain(std::mem::take(&mut self.tables[index].columns))
        {
            match places.get(&column.name) {
                Some(&place) => {
                    let known = &mut columns[place];
                    known.not_null |= column.not_null;
                    known.has_default |= column.has_default;
                    known.column_type = column.column_type.or(known.column_type.take());
                    known.generated = column.generated.or(known.generated.take());
                }
                None => {
                    places.insert(column.name.clone(), columns.len());
                    columns.push(column);
                }
            }
        }
        self.tables[index].columns = columns;
    }

    /// Primary key columns are NOT NULL, whether CREATE TABLE says so or not.
    fn complete_keys(&mut self) {
        for table in &mut self.tables {
            let key: HashSet<&str> = table
                .uniques
                .iter()
                .filter(|unique| unique.primary)
                .filter_map(Unique::columns)
                .flatten()
                .collect();
            for column in &mut table.columns {
                column.not_null |= key.contains(column.name.as_str());
            }
        }
    }
}

/// A table constraint: its name, where it has one, and what follows.
struct Constraint<'t, 'a> {
    name: String,
    cursor: Cursor<'t, 'a>,
}

/// Reads an item of CREATE TABLE, or what follows ALTER TABLE … ADD, as a constraint; None when it is a column.
fn table_constraint<'t, 'a>(item: &'t [Token<'a>]) -> Option<Constraint<'t, 'a>> {
    let mut cursor = Cursor::new(item);
    let name = if cursor.accept("CONSTRAINT") {
        cursor.identifier()?
    } else {
        String::new()
    };
    let first = cursor.peek()?;
    // All of these are reserved, so that a column of such a name is quoted; EXCLUDE is not.
    let is_constraint = !name.is_empty()
        || ["PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "LIKE"]
            .iter()
            .any(|word| first.is(word))
        || first.is("EXCLUDE")
            && item
                .get(1)
                .is_some_and(|next| next.is("USING") || next.is_symbol('('));
    is_constraint.then_some(Constraint { name, cursor })
}

/// What follows CHECK, unless existing rows need not meet it.
fn check(name: &str, cursor: &mut Cursor<'_, '_>) -> Option<CheckConstraint> {
    let expression = cursor.parenthesized()?;
    let is_lax = |mut rest: Cursor<'_, '_>| rest.accept("NOT VALID") || rest.accept("NOT ENFORCED");
    if is_lax(Cursor::new(cursor.rest())) {
        return None;
    }
    Some(CheckConstraint {
        name: name.to_owned(),
        sql: write_sql(expression),
        identifiers: identifiers(expression),
    })
}

/// Reads a column of CREATE TABLE or of a composite type.
fn column(item: &[Token<'_>]) -> Option<Column> {
    let mut cursor = Cursor::new(item);
    let name = cursor.identifier()?;
    let _ = cursor.accept("WITH OPTIONS");
    let mut column = Column {
        name,
        column_type: type_name(&mut cursor),
        ..Column::default()
    };
    while let Some(token) = cursor.peek() {
        if cursor.accept("CONSTRAINT") {
            cursor.identifier();
        } else if cursor.accept("NOT NULL") || cursor.accept("PRIMARY KEY") {
            column.not_null = true;
        } else if cursor.accept("GENERATED ALWAYS AS") || cursor.accept("GENERATED BY DEFAULT AS") {
            if let Some(expression) = cursor.parenthesized() {
                column.generated = Some(identifiers(expression));
            } else if cursor.accept("IDENTITY") {
                column.not_null = true;
            }
        } else if cursor.accept("DEFAULT") {
            column.has_default = true;
        } else if token.is_symbol('(') {
            cursor.parenthesized();
        } else {
            cursor.advance();
        }
    }
    Some(column)
}

/// Words that end a column's type.
const AFTER_TYPE: &[&str] = &[
    "COLLATE",
    "DEFAULT",
    "NOT",
    "NULL",
    "GENERATED",
    "CONSTRAINT",
    "CHECK",
    "PRIMARY",
    "UNIQUE",
    "REFERENCES",
    "STORAGE",
    "COMPRESSION",
    "OPTIONS",
];

/// Reads a type: `character varying(20)`, `public.mood[]`, `timestamp(6) without time zone`.
fn type_name(cursor: &mut Cursor<'_, '_>) -> Option<TypeName> {
    let mut found = TypeName::default();
    while let Some(token) = cursor.peek() {
        match token {
            Token::Word(word) if AFTER_TYPE.iter().any(|stop| word.eq_ignore_ascii_case(stop)) => break,
            Token::Word(_) | Token::Quoted(_) => {
                let mut word = token.name()?;
                // "char" in quotes is a type of one byte, not character(1).
                if matches!(token, Token::Quoted(_)) && word == "char" && found.name.is_empty() {
                    word = "name".into();
                }
                cursor.advance();
                if cursor.accept_symbol('.') {
                    found.schema = Some(word);
                } else {
                    if !found.name.is_empty() {
                        found.name.push(' ');
                    }
                    found.name.push_str(&word);
                }
            }
            Token::Symbol('(') if !found.name.is_empty() => {
                let number = |part: &[Token<'_>]| match part {
                    [Token::Number(digits)] => digits.parse().ok(),
                    _ => None,
                };
                found.modifiers = split(cursor.parenthesized()?, ',')
                    .into_iter()
                    .filter_map(number)
                    .collect();
            }
            Token::Symbol('[') => {
                found.array = true;
                while cursor.advance().is_some_and(|token| !token.is_symbol(']')) {}
            }
            _ => break,
        }
    }
    (!found.name.is_empty()).then_some(found)
}

/// The columns of a key. PostgreSQL 18 writes `PERIOD` before, and `WITHOUT OVERLAPS` after, a range.
fn key_names(tokens: &[Token<'_>]) -> Vec<String> {
    let parts: Vec<_> = split(tokens, ',')
        .into_iter()
        .map(|part| match part {
            [period, rest @ ..] if period.is("PERIOD") && !rest.is_empty() => rest,
            _ => part,
        })
        .collect();
    parts.into_iter().flat_map(names).collect()
}

/// The parts of an index's key: a column is an identifier that nothing but words follows (COLLATE, an operator
/// class, DESC), anything else an expression.
fn index_parts(tokens: &[Token<'_>]) -> Vec<Part> {
    let part = |tokens: &[Token<'_>]| match tokens {
        [first, rest @ ..] => match first.name() {
            Some(name)
                if !rest
                    .first()
                    .is_some_and(|next| next.is_symbol('(') || next.is_symbol('.')) =>
            {
                Part::Column(name)
            }
            _ => Part::Expression(identifiers(tokens)),
        },
        [] => Part::Expression(Vec::new()),
    };
    split(tokens, ',').into_iter().map(part).collect()
}

/// All identifiers and words in an expression.
fn identifiers(tokens: &[Token<'_>]) -> Vec<String> {
    tokens.iter().filter_map(Token::name).collect()
}
