//! One declared reference: what it refers to in the backup, or everything that is wrong with it.

use super::super::compare::may_be_equal;
use super::super::rules::no_column;
use super::{Declared, Origin};
use crate::alike::counted;
use crate::plan::exclude::{not_found, tables_like};
use crate::plan::names::NamePattern;
use crate::plan::schema::{Schema, Table};
use crate::settings::DeclaredReference;

/// One reference, or everything that is wrong with it.
pub(super) fn read(reference: &DeclaredReference, schema: &Schema) -> Result<Declared, Vec<String>> {
    let (from, to) = (referring(reference, schema), table(&reference.references, schema));
    let mut faults: Vec<String> = [&from, &to]
        .into_iter()
        .flat_map(|one| one.clone().err())
        .collect();
    let named: Vec<String> = (reference.columns.iter().chain(&reference.type_column))
        .cloned()
        .collect();
    if let Ok(from) = &from {
        let source = &schema.tables[*from];
        faults.extend(unknown(&named, source));
        faults.extend(generated(reference, &named, source, "or remove the entry"));
    }
    let mut key = Vec::new();
    if let Ok(to) = &to {
        match referenced(reference, &schema.tables[*to]) {
            Ok(columns) => key = columns,
            Err(wrong) => faults.extend(wrong),
        }
    }
    if let (Ok(from), Ok(to), true) = (&from, &to, faults.is_empty()) {
        let pairs = reference.columns.iter().zip(&key);
        faults.extend(pairs.filter_map(|(column, other)| never_equal(schema, (*from, column), (*to, other))));
    }
    let (Ok(from), Ok(to), true) = (from, to, faults.is_empty()) else {
        return Err(faults);
    };
    Ok(Declared {
        name: format!(
            "{}.{}",
            schema.tables[from].name.name,
            reference.columns.join(", ")
        ),
        from,
        to,
        columns: reference.columns.clone(),
        referenced: key,
        only_where: reference
            .type_column
            .clone()
            .map(|column| (column, reference.types.clone())),
        enforced: false,
        match_full: false,
        origin: match reference.reflected {
            true => Origin::Models,
            false => Origin::Configuration,
        },
    })
}

/// What is wrong with the names of a reference of which no more could be read.
pub(super) fn names(reference: &DeclaredReference, schema: &Schema) -> Vec<String> {
    let mut faults = Vec::new();
    if !reference.table.is_empty() {
        let named: Vec<String> = (reference.columns.iter().chain(&reference.type_column))
            .cloned()
            .collect();
        match referring(reference, schema) {
            Ok(from) => faults.extend(unknown(&named, &schema.tables[from])),
            Err(fault) => faults.push(fault),
        }
    }
    if !reference.references.is_empty() {
        match table(&reference.references, schema) {
            Ok(to) => faults.extend(unknown(&reference.referenced_columns, &schema.tables[to])),
            Err(fault) => faults.push(fault),
        }
    }
    faults
}

/// What is said of two columns of which no value can be equal.
fn never_equal(schema: &Schema, one: (usize, &String), other: (usize, &String)) -> Option<String> {
    if may_be_equal(schema, (one.0, one.1.as_str()), (other.0, other.1.as_str())) {
        return None;
    }
    let written = |(table, column): (usize, &String)| {
        let table = &schema.tables[table];
        let kind = table.column(column).and_then(|known| known.column_type.as_ref());
        let kind = kind.map(|kind| format!("{}{}", kind.name, if kind.array { "[]" } else { "" }));
        format!("{}.{column} ({})", table.name, kind.unwrap_or_default())
    };
    Some(format!(
        "no value of {} can be one of {}, so that it would refer to nothing. Name the unique column that it refers to, or \
         remove the entry.",
        written(one),
        written(other)
    ))
}

/// What is said of columns that a table does not have.
pub(super) fn unknown(names: &[String], table: &Table) -> Vec<String> {
    let unknown = names.iter().filter(|name| table.column(name).is_none());
    unknown.map(|name| no_column(table, name)).collect()
}

/// What is said of columns whose values are not in the backup. `otherwise`: what can be done beside naming others. What models
/// say is looked at where rows are chosen by it.
fn generated(reference: &DeclaredReference, names: &[String], table: &Table, otherwise: &str) -> Vec<String> {
    let names = names.iter().filter(|_| !reference.reflected);
    let generated = names.filter_map(|name| {
        let by = table.column(name)?.generated.as_ref()?;
        let by: Vec<&str> = by.iter().map(String::as_str).filter(|by| table.column(by).is_some()).collect();
        let others = match by.is_empty() {
            true => "another column".to_owned(),
            false => format!("what it is computed from ({})", by.join(", ")),
        };
        Some(format!(
            "{}.{name} is a generated column, which a backup does not hold. Name {others}, if that refers to the same, {otherwise}.",
            table.name
        ))
    });
    generated.collect()
}

/// The columns of the key that a reference is to, or everything that is wrong with them.
fn referenced(reference: &DeclaredReference, target: &Table) -> Result<Vec<String>, Vec<String>> {
    let faults: Vec<String> = (unknown(&reference.referenced_columns, target).into_iter())
        .chain(generated(
            reference,
            &reference.referenced_columns,
            target,
            "or another unique column",
        ))
        .collect();
    if !faults.is_empty() {
        return Err(faults);
    }
    let key = key(reference, target).map_err(|fault| vec![fault])?;
    let faults = generated(reference, &key, target, "or another unique column");
    if !faults.is_empty() {
        return Err(faults);
    }
    if key.len() != reference.columns.len() {
        return Err(vec![format!(
            "it has {}, and the key of {} has {} ({}). Name as many.",
            counted(reference.columns.len() as u64, "column"),
            target.name,
            key.len(),
            key.join(", ")
        )]);
    }
    Ok(key)
}

/// The columns of the key that a reference is to.
fn key(reference: &DeclaredReference, target: &Table) -> Result<Vec<String>, String> {
    let referenced = &reference.referenced_columns;
    let mut keys = target
        .uniques
        .iter()
        .filter_map(|unique| Some((unique.primary, unique.columns()?)));
    if referenced.is_empty() {
        let primary = keys.find(|(primary, _)| *primary);
        let Some((_, key)) = primary else {
            return Err(format!(
                "{} has no primary key. Name the unique column that it refers to: {{ \"{}\" => \"column\" }}.",
                target.name, reference.references
            ));
        };
        return Ok(key.into_iter().map(str::to_owned).collect());
    }
    let is_it = |key: &[&str]| {
        key.len() == referenced.len() && referenced.iter().all(|name| key.contains(&name.as_str()))
    };
    if !keys.any(|(_, key)| is_it(&key)) {
        return Err(format!(
            "{} has no primary or unique key of {}, so a value may stand for several rows. Name a column that is unique.",
            target.name,
            referenced.join(", ")
        ));
    }
    Ok(referenced.clone())
}

/// The table that refers.
pub(super) fn referring(reference: &DeclaredReference, schema: &Schema) -> Result<usize, String> {
    let named = NamePattern::parse(&reference.table).filter(NamePattern::has_star);
    let found = named
        .map(|pattern| tables_like(&pattern, schema))
        .unwrap_or_default();
    if found.len() < 2 {
        return table(&reference.table, schema);
    }
    let has_all = |at: &&usize| unknown(&reference.columns, &schema.tables[**at]).is_empty();
    let remedy = match found.iter().find(has_all) {
        Some(at) => format!(
            "Write an entry for each that is meant, such as '{}.{}'.",
            schema.tables[*at].name.written(),
            reference.columns.join(",")
        ),
        None => "Write the name of the table that is meant.".to_owned(),
    };
    Err(format!(
        "\"{}\" stands for several tables, and a reference is one table's. {remedy}",
        reference.table
    ))
}

/// The one table of a name.
pub(super) fn table(name: &str, schema: &Schema) -> Result<usize, String> {
    let Some(pattern) = NamePattern::parse(name) else {
        return Err(format!("\"{name}\" is not a table's name."));
    };
    match tables_like(&pattern, schema)[..] {
        [] => Err(not_found(name, &pattern, schema)),
        [one] => Ok(one),
        [_, _, ..] if pattern.has_star() => Err(format!(
            "\"{name}\" stands for several tables, and a reference leads to one. Write the name of the table that is meant."
        )),
        [first, second, ..] => Err(format!(
            "\"{name}\" is both {} and {}. Write the schema, too.",
            schema.tables[first].name, schema.tables[second].name
        )),
    }
}
