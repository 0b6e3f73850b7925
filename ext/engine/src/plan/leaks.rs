//! What the leak check watches: of each data block the columns that can hold a value that identifies a person.
//!
//! Which of them are masked the check learns from the mask that is in force when rows pass; what only SQL masks, and
//! what a condition may leave as it is, is said here.

use super::names::SharedNames;
use super::personal::Personal;
use super::schema::{Column, KeyPart, Schema, TypeName};
use super::sql_rules::SqlRules;
use super::{Load, TableName};
use leak_check::{Class, ColumnPlace, LeakWatch, Remedy, Role, ScanMode, WatchedColumn, Watches};
use masking::Type;
use personal_data::{by_name, ColumnName, NameFinding, PiiKind, TableContext, PERSONAL};
use pg_dump_archive::DumpId;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Types of extensions whose values are numbers or places, and often large.
const NUMBERS: [&str; 8] = [
    "geometry",
    "geography",
    "vector",
    "halfvec",
    "sparsevec",
    "raster",
    "ltree",
    "cube",
];

/// What is watched. What `personal` knows to be ignored (`config.pii_ignore`) is not.
pub(super) fn watches(
    schema: &Schema,
    loads: &HashMap<DumpId, Load>,
    sql_rules: &SqlRules,
    personal: &Personal,
) -> Watches {
    let (mut watched, mut places) = (HashMap::new(), Vec::new());
    let mut shared = SharedNames::default();
    let mut ordered: Vec<&Load> = loads.values().collect();
    ordered.sort_by_key(|load| load.dump_id);
    for load in ordered {
        let Some(table) = schema.table(&load.table) else {
            continue;
        };
        let names = by_names(schema, table);
        let columns = Columns {
            schema,
            table,
            names: &names,
            masked_later: masked_later(load, sql_rules, schema),
            ignored: personal.ignored(load.dump_id),
        };
        let named = |kind: PiiKind| {
            load.columns
                .iter()
                .position(|name| names.get(name.as_str()).is_some_and(|found| found.kind == kind))
        };
        let watch = LeakWatch {
            read_back: [&load.table, &load.copy_into]
                .iter()
                .any(|table| sql_rules.losing.contains(*table) || sql_rules.shrinking.contains(*table)),
            full_name: named(PiiKind::FirstName).zip(named(PiiKind::LastName)),
            columns: columns.watched(load, &mut places, &mut shared),
        };
        if !watch.columns.is_empty() {
            watched.insert(load.dump_id, Arc::new(watch));
        }
    }
    Watches {
        loads: watched,
        columns: places.into(),
    }
}

/// What is known of the columns of a load.
struct Columns<'a> {
    schema: &'a Schema,
    table: usize,
    names: &'a HashMap<&'a str, NameFinding>,
    masked_later: HashSet<&'a str>,
    ignored: HashSet<usize>,
}

impl Columns<'_> {
    /// Those that can hold what is looked for. Each is added to `places`, by whose number the check knows it.
    fn watched(
        &self,
        load: &Load,
        places: &mut Vec<ColumnPlace>,
        shared: &mut SharedNames,
    ) -> Vec<WatchedColumn> {
        let mut watched = Vec::with_capacity(load.columns.len());
        let of_table: Arc<str> = load.table.to_string().into();
        let in_rules: Arc<str> = load.table.in_rules().into();
        for (position, name) in load.columns.iter().enumerate() {
            let column = self.schema.tables[self.table].column(name);
            let Some(scan) = scan(self.schema, &load.table, column) else {
                continue;
            };
            let named = self.names.get(name.as_str());
            let role = match self.masked_later.contains(name.as_str()) {
                true => Role::MaskedLater,
                false if self.ignored.contains(&position) => Role::Ignored,
                false => Role::Written,
            };
            watched.push(WatchedColumn {
                position,
                column: places.len() as u32,
                role,
                scan,
                whole: named.map(|named| named.kind).filter(|kind| is_whole(*kind)),
            });
            places.push(ColumnPlace {
                table: Arc::clone(&of_table),
                in_rules: Arc::clone(&in_rules),
                column: shared.of(name),
                mask: closing(self.schema, self.table, (&load.table, name), column, named),
            });
        }
        watched.shrink_to_fit();
        watched
    }
}

/// The columns whose values stay raw until SQL masks them.
fn masked_later<'p>(load: &'p Load, sql_rules: &'p SqlRules, schema: &Schema) -> HashSet<&'p str> {
    let conditional = load.conditional.iter().flat_map(|mask| mask.columns());
    let mut columns: HashSet<&str> = conditional.map(|column| column.name.as_str()).collect();
    // A statement on a table covers those that inherit from it.
    let ancestors: Vec<usize> = schema
        .table(&load.table)
        .map_or_else(Vec::new, |table| schema.ancestors(table).into_iter().collect());
    let above = |name: &TableName| ancestors.iter().any(|table| schema.tables[*table].name == *name);
    let group = load.sql_group.and_then(|group| sql_rules.groups.get(group));
    if let Some(group) = group {
        for statement in &group.statements {
            let table = group.tables.get(statement.table);
            if table.is_some_and(|table| table.loads.contains(&load.dump_id) || above(&table.table)) {
                columns.extend(statement.columns.iter().map(String::as_str));
            }
        }
    }
    columns
}

/// What the names of a table's columns say, where they leave no doubt.
fn by_names(schema: &Schema, table: usize) -> HashMap<&str, NameFinding> {
    let table = &schema.tables[table];
    let columns = table.columns.iter().map(|column| column.name.as_str());
    let context = TableContext::new(&table.name.name, columns);
    let named = table.columns.iter().filter_map(|column| {
        let sql_type = column.column_type.as_deref().map_or("text".into(), written);
        let name = ColumnName {
            table: &table.name.name,
            column: &column.name,
            sql_type: &sql_type,
        };
        let finding = by_name(&name, &context).filter(|finding| finding.confidence >= PERSONAL)?;
        Some((column.name.as_str(), finding))
    });
    named.collect()
}

/// A type as pg_dump writes it, as far as detection reads it.
fn written(name: &TypeName) -> String {
    format!("{}{}", name.name, if name.array { "[]" } else { "" })
}

/// Whether the column's name decides that a whole value is of the kind; other kinds are recognised by their form.
fn is_whole(kind: PiiKind) -> bool {
    matches!(
        Class::of(kind),
        Some(Class::Phone | Class::Identity | Class::ShortIdentity | Class::Name)
    )
}

/// How a column's values are looked at; None when its type cannot hold what is looked for.
fn scan(schema: &Schema, table: &TableName, column: Option<&Column>) -> Option<ScanMode> {
    let Some(written) = column.and_then(|column| column.column_type.as_deref()) else {
        return Some(ScanMode::Text);
    };
    match schema.resolve(written, &table.schema).0 {
        Type::Text {
            limit: Some(..=5), ..
        } => None,
        Type::Text { .. } | Type::Json | Type::Jsonb | Type::Hstore | Type::Xml | Type::TsVector => {
            Some(ScanMode::Text)
        }
        Type::Array(element) => match *element {
            Type::Text { .. } | Type::Json | Type::Jsonb | Type::Hstore | Type::Xml | Type::Other(_) => {
                Some(ScanMode::Text)
            }
            _ => None,
        },
        Type::Bytea => Some(ScanMode::Bytes),
        Type::Integer(8) | Type::Numeric { .. } => Some(ScanMode::Number),
        Type::Other(name) if NUMBERS.contains(&name.as_str()) => None,
        Type::Other(_) => Some(ScanMode::Text),
        _ => None,
    }
}

/// Whether a column is part of a unique index.
fn is_unique(schema: &Schema, table: usize, column: &str) -> bool {
    let mut uniques = schema.tables[table].uniques.iter();
    uniques.any(|unique| {
        unique.parts.iter().any(|part| match part {
            KeyPart::Column(name) => name == column,
            KeyPart::Expression(expression) => expression.names.iter().any(|name| name == column),
        })
    })
}

/// The mask of a rule that closes a leak in a column.
fn closing(
    schema: &Schema,
    index: usize,
    (table, name): (&TableName, &str),
    column: Option<&Column>,
    named: Option<&NameFinding>,
) -> Remedy {
    let column_type = column.and_then(|column| column.column_type.as_deref());
    let resolved = column_type.map_or(Type::TEXT, |written| schema.resolve(written, &table.schema).0);
    match (resolved, named) {
        (Type::Json | Type::Jsonb, _) => Remedy::Scrubbing("json"),
        (Type::Hstore, _) => Remedy::Scrubbing("hstore"),
        (Type::Array(_), _) => Remedy::Elements,
        (Type::Text { .. }, Some(named)) if Class::of(named.kind).is_some() => {
            Remedy::Plain(named.kind.suggested_mask())
        }
        // What is free under a unique index must stay distinct.
        (Type::Text { .. }, _) if is_unique(schema, index, name) => Remedy::Plain("hash"),
        (Type::Text { .. }, _) => Remedy::Plain("scrub"),
        _ => Remedy::Plain("null"),
    }
}
