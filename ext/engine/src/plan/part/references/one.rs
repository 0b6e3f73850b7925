//! One declared reference: what it refers to in the backup, or everything that is wrong with it.

use super::super::compare::{may_be, may_be_equal};
use super::super::names::{column_shown, table_shown};
use super::super::own_entry::no_column;
use super::{Declared, Origin};
use crate::failure::PartFault;
use crate::plan::exclude::{no_table, tables_like};
use crate::plan::names::NamePattern;
use crate::plan::schema::{Schema, Table};
use crate::settings::DeclaredReference;
use std::borrow::Cow;

/// One reference, or everything that is wrong with it.
pub(super) fn read(reference: &DeclaredReference, schema: &Schema) -> Result<Declared, Vec<PartFault>> {
    let from = referring(reference, schema);
    let (reference, to) = leading(reference, schema);
    let reference = reference.as_ref();
    let to = match (&from, to) {
        (Ok(from), Err(fault)) => Err(types_lacking(reference, *from, schema).unwrap_or(fault)),
        (_, to) => to,
    };
    let mut faults: Vec<PartFault> = [&from, &to]
        .into_iter()
        .flat_map(|one| one.clone().err())
        .collect();
    let named: Vec<String> = (reference.columns.iter().chain(&reference.type_column))
        .cloned()
        .collect();
    if let Ok(from) = &from {
        let source = &schema.tables[*from];
        faults.extend(unknown(&named, source));
        faults.extend(generated(reference, &named, source, false));
        faults.extend(of_type(reference, *from, schema));
    }
    let mut key = Vec::new();
    if let Ok(to) = &to {
        match referenced(reference, from.as_ref().ok().copied(), *to, schema) {
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

/// The table that a reference leads to. It may be named with the columns there, as the one that refers is.
fn leading<'r>(
    reference: &'r DeclaredReference,
    schema: &Schema,
) -> (Cow<'r, DeclaredReference>, Result<usize, PartFault>) {
    let found = leading_to(&reference.references, reference, schema);
    let as_it_is = Cow::Borrowed(reference);
    if found.is_ok() || !reference.referenced_columns.is_empty() {
        return (as_it_is, found);
    }
    let mut names = reference.references.split(',').map(str::trim);
    let Some((table, first)) = names.next().and_then(|name| name.rsplit_once('.')) else {
        return (as_it_is, found);
    };
    let columns: Vec<String> = [first].into_iter().chain(names).map(str::to_owned).collect();
    let Ok(to) = leading_to(table, reference, schema) else {
        return (as_it_is, found);
    };
    let known = &schema.tables[to];
    let is_like = |name: &String| {
        let all = known.columns.iter().map(|column| column.name.as_str());
        near::nearest(name, all).is_some()
    };
    match columns.iter().any(is_like) {
        true => {
            let with_columns = DeclaredReference {
                references: table.to_owned(),
                referenced_columns: columns,
                ..reference.clone()
            };
            (Cow::Owned(with_columns), Ok(to))
        }
        false => (as_it_is, found),
    }
}

fn leading_to(name: &str, reference: &DeclaredReference, schema: &Schema) -> Result<usize, PartFault> {
    table(name, schema).and_then(|at| whole(at, reference, schema))
}

/// What is said of `{ "subject_type" => "users" }`, where that is a column beside those that refer, and a table.
fn types_lacking(reference: &DeclaredReference, from: usize, schema: &Schema) -> Option<PartFault> {
    let ([target], None) = (&reference.referenced_columns[..], &reference.type_column) else {
        return None;
    };
    let (source, name) = (&schema.tables[from], &reference.references);
    source.column(name)?;
    let target = &schema.tables[table(target, schema).ok()?].name;
    let sort = model(&target.name);
    may_be(schema, (from, name), &sort).then(|| PartFault::TypesLacking {
        column: column_of(source, name),
        name: name.clone(),
        sort,
        target: target.in_rules(),
    })
}

/// What a Rails app calls the model of a table, as a rule.
fn model(table: &str) -> String {
    let one = match table {
        word if word.ends_with("ies") => format!("{}y", &word[..word.len() - 3]),
        word if ["sses", "xes", "ches", "shes"]
            .iter()
            .any(|end| word.ends_with(end)) =>
        {
            word[..word.len() - 2].to_owned()
        }
        word if word.ends_with("ss") => word.to_owned(),
        word => word.strip_suffix('s').unwrap_or(word).to_owned(),
    };
    let words = one.split('_').map(|word| {
        let mut characters = word.chars();
        let first = characters.next().into_iter().flat_map(char::to_uppercase);
        first.chain(characters).collect::<String>()
    });
    words.collect()
}

/// What is wrong with the names of a reference of which no more could be read.
pub(super) fn names(reference: &DeclaredReference, schema: &Schema) -> Vec<PartFault> {
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
        let (reference, to) = leading(reference, schema);
        match to {
            Ok(to) => faults.extend(unknown(&reference.referenced_columns, &schema.tables[to])),
            Err(fault) => faults.push(fault),
        }
    }
    faults
}

/// A column's type, as messages have it.
fn sort(schema: &Schema, table: usize, column: &str) -> String {
    let known = schema.tables[table].column(column);
    let kind = known.and_then(|known| known.column_type.as_ref());
    let kind = kind.map(|kind| format!("{}{}", kind.name, if kind.array { "[]" } else { "" }));
    kind.unwrap_or_default()
}

/// `public.orders.user_id`.
fn column_of(table: &Table, column: &str) -> String {
    format!("{}.{}", table_shown(&table.name), column_shown(column))
}

/// What is said of two columns of which no value can be equal.
fn never_equal(schema: &Schema, one: (usize, &String), other: (usize, &String)) -> Option<PartFault> {
    if may_be_equal(schema, (one.0, one.1.as_str()), (other.0, other.1.as_str())) {
        return None;
    }
    Some(PartFault::NeverEqual {
        column: column_of(&schema.tables[one.0], one.1),
        sort: sort(schema, one.0, one.1),
        other: column_of(&schema.tables[other.0], other.1),
        sort_of_other: sort(schema, other.0, other.1),
    })
}

/// What is said of the column that has the types of a polymorphic reference.
fn of_type(reference: &DeclaredReference, from: usize, schema: &Schema) -> Option<PartFault> {
    let column = reference.type_column.as_ref()?;
    let shown = column_of(&schema.tables[from], column);
    if reference.columns.contains(column) {
        return Some(PartFault::TypeRefers { column: shown });
    }
    let mut types = reference.types.iter();
    let never = types.find(|text| !may_be(schema, (from, column), text))?;
    Some(PartFault::TypeNever {
        column: shown,
        sort: sort(schema, from, column),
        text: never.clone(),
    })
}

/// What is said of columns that a table does not have.
pub(super) fn unknown(names: &[String], table: &Table) -> Vec<PartFault> {
    let unknown = names.iter().filter(|name| table.column(name).is_none());
    unknown.map(|name| no_column(table, name)).collect()
}

/// What is said of columns whose values are not in the backup: of those that refer, or of those `there`. What models say is
/// looked at where rows are chosen by it.
fn generated(reference: &DeclaredReference, names: &[String], table: &Table, there: bool) -> Vec<PartFault> {
    let names = names.iter().filter(|_| !reference.reflected);
    let generated = names.filter_map(|name| {
        let by = table.column(name)?.generated.as_ref()?;
        let by = by.iter().filter(|by| table.column(by).is_some());
        let (column, read) = (column_of(table, name), by.cloned().collect::<Vec<_>>());
        Some(match (read.is_empty(), there) {
            (true, _) => PartFault::GeneratedAlone { column },
            (false, true) => PartFault::GeneratedTo { column, read },
            (false, false) => PartFault::GeneratedFrom { column, read },
        })
    });
    generated.collect()
}

/// The columns of the key that a reference is to, or everything that is wrong with them.
fn referenced(
    reference: &DeclaredReference,
    from: Option<usize>,
    to: usize,
    schema: &Schema,
) -> Result<Vec<String>, Vec<PartFault>> {
    let target = &schema.tables[to];
    let faults: Vec<PartFault> = (unknown(&reference.referenced_columns, target).into_iter())
        .chain(generated(reference, &reference.referenced_columns, target, true))
        .collect();
    if !faults.is_empty() {
        return Err(faults);
    }
    let key = key(reference, target).map_err(|fault| vec![fault])?;
    let faults = generated(reference, &key, target, true);
    if !faults.is_empty() {
        return Err(faults);
    }
    if key.len() != reference.columns.len() {
        return Err(vec![other_length(reference, from, (to, key), schema)]);
    }
    Ok(key)
}

/// What is said of a reference that has more or fewer columns than the key, with an entry that has as many.
fn other_length(
    reference: &DeclaredReference,
    from: Option<usize>,
    (to, key): (usize, Vec<String>),
    schema: &Schema,
) -> PartFault {
    let mut columns = reference.columns.clone();
    columns.truncate(key.len());
    for name in key.iter().skip(columns.len()) {
        let known = from
            .map(|from| &schema.tables[from].columns[..])
            .unwrap_or_default();
        let of_key = known.iter().find(|column| column.name == *name);
        let alike = known.iter().find(|column| {
            let is_alike = |from| may_be_equal(schema, (from, column.name.as_str()), (to, name));
            !columns.contains(&column.name) && from.is_some_and(is_alike)
        });
        let column = of_key.filter(|column| !columns.contains(&column.name)).or(alike);
        columns.push(column.map_or_else(|| name.clone(), |column| column.name.clone()));
    }
    let (count, of) = (reference.columns.len(), key.len());
    let table = table_shown(&schema.tables[to].name);
    let entry = format!("{}.{}", reference.table, columns.join(","));
    match count > of {
        true => PartFault::MoreColumns {
            count,
            table,
            of,
            key,
            entry,
        },
        false => PartFault::FewerColumns {
            count,
            table,
            of,
            key,
            entry,
        },
    }
}

/// The columns of the key that a reference is to.
fn key(reference: &DeclaredReference, target: &Table) -> Result<Vec<String>, PartFault> {
    let referenced = &reference.referenced_columns;
    let keys = || {
        let uniques = target.uniques.iter();
        uniques.filter_map(|unique| Some((unique.primary, unique.columns()?)))
    };
    let table = table_shown(&target.name);
    let as_long = |count: usize| keys().map(|(_, key)| key).filter(move |key| key.len() == count);
    if referenced.is_empty() {
        if let Some((_, key)) = keys().find(|(primary, _)| *primary) {
            return Ok(key.into_iter().map(str::to_owned).collect());
        }
        let count = reference.columns.len();
        let Some(columns) = as_long(count).next() else {
            return Err(PartFault::NoKey { table, count });
        };
        return Err(PartFault::NoPrimaryKey {
            table,
            target: reference.references.clone(),
            columns: columns.into_iter().map(str::to_owned).collect(),
        });
    }
    let is_it = |key: &[&str]| {
        key.len() == referenced.len() && referenced.iter().all(|name| key.contains(&name.as_str()))
    };
    if !keys().any(|(_, key)| is_it(&key)) {
        let columns = referenced.iter().map(|name| column_shown(name)).collect();
        let keys: Vec<String> = as_long(reference.columns.len())
            .map(|key| key.join(", "))
            .collect();
        return Err(match keys.is_empty() {
            true => PartFault::NothingUnique { table, columns },
            false => PartFault::NotUnique { table, columns, keys },
        });
    }
    Ok(referenced.clone())
}

/// The table that refers.
pub(super) fn referring(reference: &DeclaredReference, schema: &Schema) -> Result<usize, PartFault> {
    let named = NamePattern::parse(&reference.table).filter(NamePattern::has_star);
    let found = named
        .map(|pattern| tables_like(&pattern, schema))
        .unwrap_or_default();
    if found.len() < 2 {
        return table(&reference.table, schema).and_then(|at| whole(at, reference, schema));
    }
    let has_all = |at: &&usize| unknown(&reference.columns, &schema.tables[**at]).is_empty();
    let text = reference.table.clone();
    Err(match found.iter().find(has_all) {
        Some(at) => PartFault::FromSeveral {
            text,
            entry: format!(
                "{}.{}",
                schema.tables[*at].name.written(),
                reference.columns.join(",")
            ),
        },
        None => PartFault::FromSeveralUnknown { text },
    })
}

/// A reference is of a whole table; what models say may be of a partition.
fn whole(at: usize, reference: &DeclaredReference, schema: &Schema) -> Result<usize, PartFault> {
    let root = schema.topmost(at);
    match root == at || reference.reflected {
        true => Ok(at),
        false => Err(PartFault::ReferencePartition {
            table: table_shown(&schema.tables[at].name),
            root: table_shown(&schema.tables[root].name),
        }),
    }
}

/// The one table of a name.
fn table(name: &str, schema: &Schema) -> Result<usize, PartFault> {
    let text = name.to_owned();
    let Some(pattern) = NamePattern::parse(name) else {
        return Err(PartFault::NotATable { text });
    };
    match tables_like(&pattern, schema)[..] {
        [] => Err(PartFault::NoTable {
            fault: no_table(name, &pattern, schema),
        }),
        [one] => Ok(one),
        [_, _, ..] if pattern.has_star() => Err(PartFault::ToSeveral { text }),
        [first, second, ..] => Err(PartFault::InTwoSchemas {
            text,
            first: table_shown(&schema.tables[first].name),
            second: table_shown(&schema.tables[second].name),
        }),
    }
}
