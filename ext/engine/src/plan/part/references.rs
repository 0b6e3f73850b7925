//! How tables refer to one another: by foreign keys, and by what the configuration declares.

use super::rules::no_column;
use crate::alike::counted;
use crate::plan::exclude::{not_found, tables_like};
use crate::plan::names::NamePattern;
use crate::plan::schema::{Schema, Table, Unique};
use crate::plan::Problems;
use crate::settings::{DeclaredReference, Subset};

/// A reference by the tables and columns that declare it, before partitions are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    /// The key's name, or `comments.commentable_id`.
    pub(super) name: String,
    /// The table that refers, which may be a partition.
    pub(super) from: usize,
    /// The one that is referred to, likewise.
    pub(super) to: usize,
    pub(super) columns: Vec<String>,
    pub(super) referenced: Vec<String>,
    pub(super) only_where: Option<(String, Vec<String>)>,
    /// The server has seen that every value refers to a row.
    pub(super) enforced: bool,
    /// Either all its columns are NULL or none is.
    pub(super) match_full: bool,
}

/// All references, foreign keys first.
pub(super) fn declared(subset: &Subset, schema: &Schema, problems: &mut Problems) -> Vec<Declared> {
    let mut found = Vec::new();
    for (from, table) in schema.tables.iter().enumerate() {
        for key in &table.foreign_keys {
            let Some(to) = schema.table(&key.references) else {
                continue;
            };
            if key.columns.is_empty() || key.columns.len() != key.referenced_columns.len() {
                continue;
            }
            found.push(Declared {
                name: format!("{}.{}", table.name.name, key.columns.join(", ")),
                from,
                to,
                columns: key.columns.clone(),
                referenced: key.referenced_columns.clone(),
                only_where: None,
                enforced: !key.not_valid,
                match_full: key.match_full,
            });
        }
    }
    let ends = nothing(subset, schema, &found, problems);
    let keys = found.len();
    let (reflected, named): (Vec<_>, Vec<_>) = subset.references.iter().partition(|one| one.reflected);
    for reference in named.into_iter().filter(|one| !one.nothing) {
        match read(reference, schema) {
            Ok(one) if found.iter().any(|known| is_same(known, &one)) => {}
            Ok(one) => found.push(one),
            Err(problem) => problems.add(format!("{}: {problem}", written(reference))),
        }
    }
    let named = found.len();
    for one in reflected
        .into_iter()
        .flat_map(|reference| by_models(reference, schema))
    {
        // What the configuration says of a column holds, and what a model says holds before what others say of theirs.
        let is_said = |(at, known): (usize, &Declared)| {
            let is_plain = known.only_where.is_none() && one.only_where.is_none();
            let holds = at >= keys && (at < named || is_plain);
            is_same(known, &one) || holds && (known.from, &known.columns) == (one.from, &one.columns)
        };
        let is_nothing = ends.contains(&(one.from, one.columns.clone()));
        if !is_nothing && !found.iter().enumerate().any(is_said) {
            found.push(one);
        }
    }
    found
}

/// The columns that refer to nothing, by the configuration.
fn nothing(
    subset: &Subset,
    schema: &Schema,
    keys: &[Declared],
    problems: &mut Problems,
) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    for reference in subset.references.iter().filter(|one| one.nothing) {
        let written = written(reference);
        match table(&reference.table, schema) {
            Err(problem) => problems.add(format!("{written}: {problem}")),
            Ok(from) => {
                let known = &schema.tables[from];
                let unknown = reference.columns.iter().find(|name| known.column(name).is_none());
                if let Some(unknown) = unknown {
                    problems.add(format!("{written}: {}", no_column(known, unknown)));
                } else if keys
                    .iter()
                    .any(|key| key.from == from && key.columns == reference.columns)
                {
                    problems.add(format!(
                        "{written}: it is a foreign key, which always counts. Remove the entry."
                    ));
                }
                found.push((from, reference.columns.clone()));
            }
        }
    }
    found
}

/// What the app's models say, as far as the backup has it.
fn by_models(reference: &DeclaredReference, schema: &Schema) -> Vec<Declared> {
    if reference.table != "*" {
        return read(reference, schema).into_iter().collect();
    }
    let has_all = |at: &usize| {
        let table = &schema.tables[*at];
        schema.topmost(*at) == *at && reference.columns.iter().all(|name| table.column(name).is_some())
    };
    let tables = (0..schema.tables.len()).filter(has_all);
    let each = tables.filter_map(|at| {
        let of_table = DeclaredReference {
            table: schema.tables[at].name.sql(),
            ..reference.clone()
        };
        read(&of_table, schema).ok()
    });
    each.filter(|one| one.from != one.to).collect()
}

fn written(reference: &DeclaredReference) -> String {
    format!(
        "subset_references: \"{}.{}\"",
        reference.table,
        reference.columns.join(",")
    )
}

/// Whether two references say the same; a foreign key says it best.
fn is_same(known: &Declared, other: &Declared) -> bool {
    let pairs = |one: &Declared| {
        let mut pairs: Vec<(String, String)> = one
            .columns
            .iter()
            .cloned()
            .zip(one.referenced.iter().cloned())
            .collect();
        pairs.sort();
        pairs
    };
    (known.from, known.to, &known.only_where) == (other.from, other.to, &other.only_where)
        && pairs(known) == pairs(other)
}

fn read(reference: &DeclaredReference, schema: &Schema) -> Result<Declared, String> {
    let from = table(&reference.table, schema)?;
    let to = table(&reference.references, schema)?;
    let (source, target) = (&schema.tables[from], &schema.tables[to]);
    let named = reference.columns.iter().chain(&reference.type_column);
    if let Some(unknown) = named.into_iter().find(|name| source.column(name).is_none()) {
        return Err(no_column(source, unknown));
    }
    let referenced = &reference.referenced_columns;
    if let Some(unknown) = referenced.iter().find(|name| target.column(name).is_none()) {
        return Err(no_column(target, unknown));
    }
    let referenced = key(reference, target)?;
    if referenced.len() != reference.columns.len() {
        return Err(format!(
            "it has {}, and the key of {} has {} ({}). Name as many.",
            counted(reference.columns.len() as u64, "column"),
            target.name,
            referenced.len(),
            referenced.join(", ")
        ));
    }
    Ok(Declared {
        name: format!("{}.{}", source.name.name, reference.columns.join(", ")),
        from,
        to,
        columns: reference.columns.clone(),
        referenced,
        only_where: reference
            .type_column
            .clone()
            .map(|column| (column, reference.types.clone())),
        enforced: false,
        match_full: false,
    })
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
                "{} has no primary key. Name the column that it refers to: \"{}.column\".",
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

/// The one table of a name.
fn table(name: &str, schema: &Schema) -> Result<usize, String> {
    let Some(pattern) = NamePattern::parse(name) else {
        return Err(format!("\"{name}\" is not a table's name."));
    };
    match tables_like(&pattern, schema)[..] {
        [] => Err(not_found(name, &pattern, schema)),
        [one] => Ok(one),
        [first, second, ..] => Err(format!(
            "\"{name}\" is both {} and {}. Write the schema, too.",
            schema.tables[first].name, schema.tables[second].name
        )),
    }
}

/// Whether a row's partition depends on this column, or one of the partitions takes no NULL in it: then a row cannot lose its
/// value there and stay where it is.
fn decides_partition(schema: &Schema, table: usize, column: &str) -> bool {
    let root = schema.topmost(table);
    let tree = schema.partitions(root).into_iter().chain([root]);
    let tables = tree.map(|at| &schema.tables[at]);
    let is_key = |key: &Vec<String>| key.iter().any(|name| name == column);
    tables.into_iter().any(|table| {
        table.partition_key.as_ref().is_some_and(is_key)
            || table.column(column).is_some_and(|column| column.not_null)
    })
}

impl Declared {
    /// The columns that become NULL where the reference does; none where it cannot.
    pub(super) fn nullable(&self, schema: &Schema, others: &[Declared]) -> Vec<String> {
        let table = &schema.tables[self.from];
        let primary = table.uniques.iter().find(|unique| unique.primary);
        let key = primary.and_then(Unique::columns).unwrap_or_default();
        let can_be = |name: &&String| {
            let column = table.column(name);
            let by_domain = column
                .and_then(|column| column.column_type.as_ref())
                .is_some_and(|kind| schema.resolve(kind, &table.name.schema).1);
            column.is_some_and(|column| !column.not_null)
                && !by_domain
                && !key.contains(&name.as_str())
                && !decides_partition(schema, self.from, name)
        };
        let own: Vec<String> = self.columns.iter().filter(can_be).cloned().collect();
        if own.is_empty() || self.match_full && own.len() < self.columns.len() {
            return Vec::new();
        }
        // A tenant's column is part of many keys: it stays where another column of the key will do.
        let is_shared = |name: &&String| {
            others.iter().any(|other| {
                other.from == self.from && other.columns != self.columns && other.columns.contains(name)
            })
        };
        let alone: Vec<String> = own.iter().filter(|name| !is_shared(name)).cloned().collect();
        let mut columns = if alone.is_empty() || self.match_full {
            own
        } else {
            alone
        };
        let kind = self.only_where.iter().map(|(column, _)| column);
        columns.extend(kind.filter(can_be).cloned());
        columns
    }
}
