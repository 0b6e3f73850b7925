//! What runs after the rows, what it waits for, and which tables it locks.

use super::decide::{Decisions, Fate};
use super::entries::{display_name, is_body_of_view};
use super::schema::{ForeignKey, Schema, Table};
use super::sql::{lex, Cursor};
use super::weight::weight;
use super::{Diagnostics, LeftOut, Load, Refusal, Step, TableName, TaskId, Warnings};
use crate::alike::Alike;
use pg_dump_archive::{DumpId, Entry, EntryKind, Section};
use std::collections::{BTreeSet, HashMap, HashSet};

/// What steps are made from.
pub(super) struct Steps<'a> {
    pub(super) entries: &'a [Entry],
    pub(super) by_id: &'a HashMap<DumpId, usize>,
    pub(super) schema: &'a Schema,
    pub(super) decisions: &'a Decisions,
    pub(super) excluded: &'a HashSet<usize>,
    /// Tables whose rows in the target stay.
    kept: &'a HashSet<usize>,
    /// Foreign keys whose rows refer to nothing any more.
    given_up: &'a HashSet<DumpId>,
    /// Loads by table.
    loads: HashMap<usize, Vec<DumpId>>,
    /// Loads through a partition root, by that root.
    loads_through: HashMap<usize, Vec<DumpId>>,
    /// Steps, by dump id.
    planned: HashSet<DumpId>,
    /// The table of each index and of each constraint.
    pub(super) table_of_index: HashMap<DumpId, usize>,
    pub(super) foreign_keys: HashMap<DumpId, (usize, &'a ForeignKey)>,
}

/// What is made: steps, and what is left out after all.
type Made = (Vec<Step>, Vec<LeftOut>);

/// What becomes of an entry's statement.
enum Outcome {
    /// It runs as the archive has it.
    AsItIs(String),
    /// It runs otherwise, which is worth a warning: about what, and the sentence.
    Changed {
        sql: String,
        about: String,
        warning: String,
    },
    /// It is left out, which is worth a warning: about what, and the sentence.
    LeftOut {
        why: String,
        about: String,
        warning: String,
    },
    /// What it is about is not there.
    Pointless,
}

/// Excluding one table that everything refers to concerns as many keys as there are tables.
fn warnings_of_keys(not_valid: Alike, left_out: Alike) -> Warnings {
    let not_valid = not_valid.into_warnings(
        |count| {
            format!("{count} foreign keys are added NOT VALID, because rows that they refer to are excluded")
        },
        "A dry run lists each under \"not_valid\".",
    );
    let left_out = left_out.into_warnings(
        |count| {
            format!(
                "{count} foreign keys of partitioned tables are left out, because rows that they refer to are excluded"
            )
        },
        "The audit lists each under \"left_out\", and so does report.left_out.",
    );
    not_valid.into_iter().chain(left_out).collect()
}

/// Whether an entry is a view, or what fills one.
fn is_view(entry: &Entry) -> bool {
    matches!(
        entry.kind,
        EntryKind::View | EntryKind::MaterializedView | EntryKind::MaterializedViewData
    )
}

/// Whether functions of extensions run while this is made: they may read their extension's own rows.
fn may_read_extensions(entry: &Entry) -> bool {
    match entry.kind {
        EntryKind::MaterializedViewData | EntryKind::CheckConstraint => true,
        EntryKind::Index => {
            let tokens = lex(&entry.defn);
            let mut cursor = Cursor::new(&tokens);
            let parts = cursor.skip_past("USING") && cursor.advance().is_some();
            let parts = parts.then(|| cursor.parenthesized()).flatten();
            let has_expression = parts.is_some_and(|parts| parts.iter().any(|token| token.is_symbol('(')));
            has_expression || cursor.skip_past("WHERE")
        }
        _ => false,
    }
}

/// Whether an entry is a step: everything after pre-data that is neither rows nor large objects nor a sequence's value.
fn is_step(entry: &Entry) -> bool {
    matches!(entry.section, Section::Data | Section::PostData)
        && !matches!(
            entry.kind,
            EntryKind::TableData
                | EntryKind::Blob
                | EntryKind::Blobs
                | EntryKind::BlobMetadata
                | EntryKind::SequenceSet
        )
}

impl<'a> Steps<'a> {
    pub(super) fn new(
        entries: &'a [Entry],
        by_id: &'a HashMap<DumpId, usize>,
        schema: &'a Schema,
        decisions: &'a Decisions,
        (excluded, given_up, kept): (&'a HashSet<usize>, &'a HashSet<DumpId>, &'a HashSet<usize>),
        loads: &HashMap<DumpId, Load>,
    ) -> Self {
        let mut steps = Steps {
            entries,
            by_id,
            schema,
            decisions,
            excluded,
            kept,
            given_up,
            loads: HashMap::new(),
            loads_through: HashMap::new(),
            planned: HashSet::new(),
            table_of_index: HashMap::new(),
            foreign_keys: HashMap::new(),
        };
        for load in loads.values() {
            if let Some(table) = schema.table(&load.table) {
                steps.loads.entry(table).or_default().push(load.dump_id);
            }
            if load.copy_into != load.table {
                if let Some(root) = schema.table(&load.copy_into) {
                    steps.loads_through.entry(root).or_default().push(load.dump_id);
                }
            }
        }
        for (index, table) in schema.tables.iter().enumerate() {
            for key in &table.foreign_keys {
                steps.foreign_keys.insert(key.dump_id, (index, key));
            }
        }
        steps
    }

    /// Makes every step.
    pub(super) fn make(mut self, sql: impl Fn(&Entry) -> String) -> (Made, Diagnostics) {
        let mut not_valid = Alike::default();
        let mut keys_left_out = Alike::default();
        let mut left_out = Vec::new();
        let mut made = Vec::new();
        for (entry, fate) in self.entries.iter().zip(&self.decisions.fates) {
            if !is_step(entry) || !fate.is_kept() {
                continue;
            }
            let sql = match self.statement(entry, sql(entry)) {
                Outcome::AsItIs(sql) => sql,
                Outcome::Changed { sql, about, warning } => {
                    not_valid.add(about, warning);
                    sql
                }
                Outcome::LeftOut { why, about, warning } => {
                    keys_left_out.add(about, warning);
                    left_out.push(LeftOut {
                        kind: entry.kind.clone(),
                        name: display_name(entry),
                        why,
                    });
                    continue;
                }
                Outcome::Pointless => continue,
            };
            let locks = self.locks(entry);
            self.planned.insert(entry.dump_id);
            made.push((entry, fate, sql, locks));
        }
        let steps = made.into_iter().map(|(entry, fate, sql, locks)| {
            let waits_for = self.waits_for(entry, &locks);
            let is_event_trigger = entry.kind == EntryKind::EventTrigger;
            Step {
                waits_for,
                locks: self.names(&locks.exclusive, &locks.exclusive_others),
                shared: self.names(&locks.shared, &[]),
                last: is_event_trigger || entry.kind == EntryKind::MaterializedViewData,
                weight: weight(entry, self.table(entry)),
                refusal: if is_event_trigger || *fate == Fate::KeepIfAllowed {
                    Refusal::LeftOut
                } else {
                    Refusal::Fatal
                },
                needs: self.needs(entry),
                made_of: self.made_of(entry),
                finds: self.finds(entry),
                ..Step::new(
                    entry.dump_id.into(),
                    entry.kind.clone().into(),
                    display_name(entry),
                    sql,
                )
            }
        });
        let said = Diagnostics {
            warnings: warnings_of_keys(not_valid, keys_left_out),
            ..Diagnostics::default()
        };
        ((steps.collect(), left_out), said)
    }

    /// The table of an index or of a constraint.
    pub(super) fn table(&self, entry: &Entry) -> Option<&'a Table> {
        let table = self.table_of_index.get(&entry.dump_id)?;
        self.schema.tables.get(*table)
    }

    /// A step's SQL, unchanged but for a foreign key to a table without rows.
    fn statement(&self, entry: &Entry, sql: String) -> Outcome {
        let Some((table, key)) = self.foreign_keys.get(&entry.dump_id) else {
            return Outcome::AsItIs(sql);
        };
        let Some(references) = self.schema.table(&key.references) else {
            return Outcome::Pointless;
        };
        let bare = sql.trim_end().trim_end_matches(';');
        let is_plain = self.schema.tables[*table].partition_key.is_none() && !key.not_valid;
        if is_plain && (self.kept.contains(table) || self.kept.contains(&references)) {
            // It is validated when all rows are there, if it holds.
            return Outcome::AsItIs(format!("{bare} NOT VALID;\n"));
        }
        let missing = self
            .with_partitions(references)
            .into_iter()
            .find(|table| self.excluded.contains(table));
        let has_rows = self
            .with_partitions(*table)
            .iter()
            .any(|table| self.loads.contains_key(table));
        let refers = has_rows && !key.not_valid && !self.given_up.contains(&entry.dump_id);
        let Some(missing) = missing.filter(|_| refers) else {
            return Outcome::AsItIs(sql);
        };
        let missing = &self.schema.tables[missing].name;
        let here = &self.schema.tables[*table].name;
        let about = format!("{} of {here}", key.name);
        if self.schema.tables[*table].partition_key.is_some() {
            let why = format!(
                "rows of {missing} are excluded, and PostgreSQL has no NOT VALID foreign keys on partitioned tables"
            );
            let warning = format!("The foreign key {} of {here} is left out: {why}.", key.name);
            return Outcome::LeftOut { why, about, warning };
        }
        Outcome::Changed {
            sql: format!("{bare} NOT VALID;\n"),
            about,
            warning: format!(
                "The foreign key {} of {here} is added NOT VALID, because rows of {missing} are excluded.",
                key.name
            ),
        }
    }

    /// A table with its partitions and children.
    fn family(&self, table: usize) -> Vec<usize> {
        let mut family = self.schema.descendants(table);
        family.push(table);
        family
    }

    /// A table with its partitions, which is what a foreign key is about.
    pub(super) fn with_partitions(&self, table: usize) -> Vec<usize> {
        let mut tables = self.schema.partitions(table);
        tables.push(table);
        tables
    }

    /// The tables that an entry depends on directly.
    fn tables_needed(&self, entry: &Entry) -> Vec<usize> {
        let mut tables: Vec<usize> = entry
            .dependencies
            .iter()
            .filter_map(|id| {
                let entry = &self.entries[*self.by_id.get(id)?];
                let is_table = matches!(entry.kind, EntryKind::Table | EntryKind::ForeignTable);
                is_table
                    .then(|| self.schema.table(&TableName::of(entry)))
                    .flatten()
            })
            .collect();
        tables.sort_unstable();
        tables.dedup();
        tables
    }

    fn locks(&mut self, entry: &Entry) -> Locks {
        let mut locks = Locks::default();
        let target = Target::read(entry);
        let table = target.table.as_ref().and_then(|name| self.schema.table(name));
        if let Some(table) = table {
            self.table_of_index.insert(entry.dump_id, table);
        }
        match &entry.kind {
            EntryKind::Index => locks.shared.extend(table),
            EntryKind::IndexAttach => {
                locks.exclusive = self.tables_needed(entry);
                let indexes = entry
                    .dependencies
                    .iter()
                    .filter_map(|id| self.table_of_index.get(id));
                locks.exclusive.extend(indexes.copied());
                let parents: Vec<usize> = locks
                    .exclusive
                    .iter()
                    .flat_map(|table| self.schema.partition_ancestors(*table))
                    .collect();
                locks.exclusive.extend(parents);
            }
            EntryKind::ForeignKey if self.foreign_keys.contains_key(&entry.dump_id) => {
                let (table, key) = self.foreign_keys[&entry.dump_id];
                locks.exclusive = self.with_partitions(table);
                if let Some(references) = self.schema.table(&key.references) {
                    locks.exclusive.extend(self.with_partitions(references));
                }
                locks.blocks_rows = true;
            }
            EntryKind::EventTrigger => {}
            _ if is_body_of_view(entry) => {
                let view = entry.tag.trim_end_matches(" _RETURN").to_owned();
                locks.exclusive_others.push(TableName {
                    schema: entry.namespace.clone(),
                    name: view,
                });
                locks.shared = self.tables_needed(entry);
            }
            EntryKind::MaterializedViewData | EntryKind::MaterializedView | EntryKind::View => {
                locks.exclusive_others.push(TableName::of(entry));
                locks.shared = self.tables_needed(entry);
            }
            _ => {
                match table {
                    Some(table) if target.only => locks.exclusive.push(table),
                    Some(table) => locks.exclusive = self.family(table),
                    None => locks.exclusive_others.extend(target.table),
                }
                locks.shared = self.tables_needed(entry);
                locks.blocks_rows = true;
            }
        }
        locks.tidy();
        locks
    }

    fn names(&self, tables: &[usize], others: &[TableName]) -> Vec<TableName> {
        tables
            .iter()
            .map(|table| self.schema.tables[*table].name.clone())
            .chain(others.iter().cloned())
            .collect()
    }

    fn waits_for(&self, entry: &Entry, locks: &Locks) -> Vec<TaskId> {
        let mut waits = BTreeSet::new();
        for id in &entry.dependencies {
            if self.planned.contains(id) {
                waits.insert(*id);
            }
        }
        // Loads among the dependencies belong to tables, which are looked up below all the same.
        let loads_named = entry
            .dependencies
            .iter()
            .filter_map(|id| self.by_id.get(id))
            .map(|at| &self.entries[*at]);
        let loaded = loads_named
            .filter(|entry| entry.kind == EntryKind::TableData)
            .filter_map(|entry| self.schema.table(&TableName::of(entry)));
        let mut tables: Vec<usize> = loaded.chain(self.tables_needed(entry)).collect();
        if entry.kind == EntryKind::MaterializedViewData {
            tables.extend(self.tables_read(entry));
        }
        tables.extend(&locks.shared);
        if locks.blocks_rows {
            // Loading a leaf also locks what it is a partition of, so that a step that shuts others out of a
            // partitioned table would wait within the server for rows that wait for the step.
            tables.extend(locks.exclusive.iter().flat_map(|table| self.family(*table)));
        } else {
            tables.extend(&locks.exclusive);
        }
        tables.sort_unstable();
        tables.dedup();
        for table in &tables {
            waits.extend(self.loads.get(table).into_iter().flatten());
        }
        if !self.loads_through.is_empty() {
            for table in tables {
                for root in std::iter::once(table).chain(self.schema.partition_ancestors(table)) {
                    waits.extend(self.loads_through.get(&root).into_iter().flatten());
                }
            }
        }
        if let Some((_, key)) = self.foreign_keys.get(&entry.dump_id) {
            waits.extend(self.keys_referenced(key));
        }
        if may_read_extensions(entry) {
            waits.extend(self.extension_rows());
        }
        waits.remove(&entry.dump_id);
        waits.into_iter().map(TaskId::Entry).collect()
    }

    /// Rows of extensions' own tables that come.
    fn extension_rows(&self) -> impl Iterator<Item = DumpId> + '_ {
        let all = self.entries.iter().zip(&self.decisions.fates);
        // Those of other tables are needed.
        let these =
            all.filter(|(entry, fate)| entry.kind == EntryKind::TableData && **fate == Fate::KeepIfAllowed);
        these.map(|(entry, _)| entry.dump_id)
    }

    /// The steps that make the key that a foreign key refers to.
    pub(super) fn keys_referenced(&self, key: &ForeignKey) -> Vec<DumpId> {
        let Some(references) = self.schema.table(&key.references) else {
            return Vec::new();
        };
        let wanted: BTreeSet<&str> = key.referenced_columns.iter().map(String::as_str).collect();
        let uniques = self.schema.tables[references].uniques.iter();
        uniques
            .filter(|unique| {
                unique
                    .columns()
                    .is_some_and(|columns| columns.into_iter().collect::<BTreeSet<_>>() == wanted)
            })
            .map(|unique| unique.dump_id)
            .filter(|id| self.planned.contains(id))
            .collect()
    }

    /// The tables that a materialized view reads, also by way of other views.
    fn tables_read(&self, entry: &Entry) -> Vec<usize> {
        let mut tables = Vec::new();
        let mut seen = HashSet::new();
        let mut queue = vec![entry];
        while let Some(entry) = queue.pop() {
            tables.extend(self.tables_needed(entry));
            for at in entry.dependencies.iter().filter_map(|id| self.by_id.get(id)) {
                if is_view(&self.entries[*at]) && seen.insert(*at) {
                    queue.push(&self.entries[*at]);
                }
            }
        }
        tables
    }
}

/// What a step locks.
#[derive(Debug, Default)]
struct Locks {
    exclusive: Vec<usize>,
    /// What is no table: a view.
    exclusive_others: Vec<TableName>,
    shared: Vec<usize>,
    /// The exclusive ones shut out COPY.
    blocks_rows: bool,
}

impl Locks {
    fn tidy(&mut self) {
        self.exclusive.sort_unstable();
        self.exclusive.dedup();
        let exclusive: HashSet<usize> = self.exclusive.iter().copied().collect();
        self.shared.retain(|table| !exclusive.contains(table));
        self.shared.sort_unstable();
        self.shared.dedup();
    }
}

/// The table that a statement is about, and whether it leaves that table's children alone.
#[derive(Debug, Default)]
struct Target {
    table: Option<TableName>,
    only: bool,
}

impl Target {
    fn read(entry: &Entry) -> Self {
        let tokens = lex(&entry.defn);
        let mut cursor = Cursor::new(&tokens);
        let found = match &entry.kind {
            EntryKind::Index | EntryKind::Trigger | EntryKind::Policy => cursor.skip_past("ON"),
            EntryKind::Rule => cursor.skip_past("TO"),
            EntryKind::Statistics => cursor.skip_past("FROM"),
            EntryKind::IndexAttach | EntryKind::EventTrigger => false,
            _ => cursor.accept("ALTER TABLE") || cursor.accept("ALTER FOREIGN TABLE"),
        };
        if !found {
            return Self::default();
        }
        let _ = cursor.accept("IF EXISTS");
        let only = cursor.accept("ONLY");
        Self {
            table: cursor.qualified(&entry.namespace),
            only,
        }
    }
}
