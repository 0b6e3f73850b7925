//! How tables refer to one another: by foreign keys, and by what the configuration declares.

mod one;

use super::names::table_shown;
use crate::failure::{PartFault, SubsetFault};
use crate::plan::schema::{Schema, Unique};
use crate::plan::Problems;
use crate::settings::{DeclaredReference, Subset};
use one::{names, read, referring, unknown};
use std::collections::BTreeMap;

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
    /// Who says it.
    pub(super) origin: Origin,
}

/// Who says that a column refers to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A foreign key.
    Key,
    /// `subset_references`.
    Configuration,
    /// The app's models.
    Models,
}

/// All references.
#[derive(Debug, Default)]
pub(super) struct References {
    /// Foreign keys first.
    pub(super) found: Vec<Declared>,
    /// Columns of tables that others are declared of, which are reported as wrong.
    pub(super) wrong: Vec<(usize, Vec<String>)>,
}

/// Reads them.
pub(super) fn declared(subset: &Subset, schema: &Schema, problems: &mut Problems) -> References {
    let mut found = keys(schema);
    let ends = nothing(subset, schema, &found, problems);
    let keys = found.len();
    let mut wrong = Vec::new();
    let (reflected, named): (Vec<_>, Vec<_>) = subset.references.iter().partition(|one| one.reflected);
    refuse_twice(&named, schema, problems);
    for reference in named.into_iter().filter(|one| !one.nothing) {
        let understood = match reference.unread {
            true => Err(names(reference, schema)),
            false => read(reference, schema),
        };
        let understood = match understood {
            Ok(one) if found.iter().any(|known| is_same(known, &one)) => continue,
            understood if reference.unread => understood,
            understood => beside_key(understood, reference, &found[..keys], schema),
        };
        match understood {
            Ok(one) => found.push(one),
            Err(faults) => {
                let faults = faults.into_iter();
                faults.for_each(|fault| problems.add(in_entry(reference, fault)));
                let from = referring(reference, schema);
                wrong.extend(from.into_iter().map(|from| (from, reference.columns.clone())));
            }
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
    References { found, wrong }
}

/// What is declared of the columns of a foreign key, which counts whatever is.
fn beside_key(
    understood: Result<Declared, Vec<PartFault>>,
    reference: &DeclaredReference,
    keys: &[Declared],
    schema: &Schema,
) -> Result<Declared, Vec<PartFault>> {
    let Ok(from) = referring(reference, schema) else {
        return understood;
    };
    let is_it = |key: &&Declared| key.from == from && key.columns == reference.columns;
    let Some(key) = keys.iter().find(is_it) else {
        return understood;
    };
    let table = table_shown(&schema.tables[key.to].name);
    let mut faults = understood.err().unwrap_or_default();
    faults.push(PartFault::ForeignKey { table });
    Err(faults)
}

/// The backup's foreign keys.
fn keys(schema: &Schema) -> Vec<Declared> {
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
                origin: Origin::Key,
            });
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
        let from = match referring(reference, schema) {
            Ok(from) => from,
            Err(fault) => {
                problems.add(in_entry(reference, fault));
                continue;
            }
        };
        for fault in unknown(&reference.columns, &schema.tables[from]) {
            problems.add(in_entry(reference, fault));
        }
        let is_it = |key: &Declared| key.from == from && key.columns == reference.columns;
        if keys.iter().any(is_it) {
            problems.add(in_entry(reference, PartFault::NotNothing));
        }
        found.push((from, reference.columns.clone()));
    }
    found
}

/// Says which entries are of the same columns of the same table, however they spell it.
fn refuse_twice(named: &[&DeclaredReference], schema: &Schema, problems: &mut Problems) {
    let mut places: BTreeMap<(usize, &[String]), Vec<String>> = BTreeMap::new();
    for reference in named.iter().filter(|one| !one.table.is_empty()) {
        if let Ok(from) = referring(reference, schema) {
            let spellings = places.entry((from, reference.columns.as_slice())).or_default();
            let spelt = place(reference);
            if !spellings.contains(&spelt) {
                spellings.push(spelt);
            }
        }
    }
    for ((from, columns), spellings) in places {
        if let [others @ .., last] = spellings.as_slice() {
            if !others.is_empty() {
                problems.add(SubsetFault::OnePlace {
                    entries: others.to_vec(),
                    last: last.clone(),
                    place: format!("{}.{}", table_shown(&schema.tables[from].name), columns.join(",")),
                });
            }
        }
    }
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
    match reference.table.is_empty() {
        true => "subset_references".to_owned(),
        false => format!("subset_references: {}", place(reference)),
    }
}

fn in_entry(reference: &DeclaredReference, fault: PartFault) -> SubsetFault {
    SubsetFault::In {
        entry: written(reference),
        fault,
    }
}

fn place(reference: &DeclaredReference) -> String {
    format!("\"{}.{}\"", reference.table, reference.columns.join(","))
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
