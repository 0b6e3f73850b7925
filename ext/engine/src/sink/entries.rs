//! The table of contents of a masked archive: what a run would restore, as it would restore it.

use crate::plan::{quote_identifier, Load, Plan, RowFormat, TaskId};
use pg_dump_archive::{DumpId, Entry, EntryKind, Section};
use std::collections::{HashMap, HashSet};

/// What a foreign key ends with whose rows are not checked.
const NOT_VALID: &str = " NOT VALID;\n";

/// The entries of the backup that a run restores, without their owners and tablespaces.
///
/// Triggers that a run creates before the rows, because they make columns of them that are emptied, stand before the rows
/// here, too.
pub(crate) fn entries(plan: &Plan, all: Vec<Entry>) -> Vec<Entry> {
    let steps: HashMap<DumpId, &str> = (plan.steps.iter())
        .filter_map(|step| match step.id {
            TaskId::Entry(id) => Some((id, step.sql.as_str())),
            _ => None,
        })
        .collect();
    let statements: HashSet<DumpId> = plan.schema.iter().map(|statement| statement.dump_id).collect();
    let (mut kept, mut early) = (Vec::with_capacity(all.len()), Vec::new());
    for entry in all {
        let step = steps.get(&entry.dump_id);
        if step.is_none() && !statements.contains(&entry.dump_id) && !is_data(plan, &entry) {
            continue;
        }
        let is_early = entry.section == Section::PostData && statements.contains(&entry.dump_id);
        let entry = as_restored(plan, entry, step.copied());
        match is_early {
            true => early.push(Entry {
                section: Section::PreData,
                ..entry
            }),
            false => kept.push(entry),
        }
    }
    let rows = kept
        .iter()
        .position(|entry| matches!(entry.section, Section::Data | Section::PostData));
    let rows = rows.unwrap_or(kept.len());
    kept.splice(rows..rows, early);
    order_blocks(plan, &mut kept);
    kept
}

/// Puts what has a block in the order in which the blocks are written: rows that pass through rules in SQL come last.
///
/// Only they move. Of large objects the entry that creates them (BLOB METADATA, since pg_dump 17) stands right before the
/// one with their contents, and has to stay there.
fn order_blocks(plan: &Plan, entries: &mut Vec<Entry>) {
    let turn = |entry: &Entry| {
        let group = plan.loads.get(&entry.dump_id)?.sql_group?;
        Some(sql_place(plan, group, entry.dump_id))
    };
    let has_block = |entry: &Entry| matches!(entry.kind, EntryKind::TableData | EntryKind::Blobs);
    let Some(last) = entries.iter().rposition(has_block) else {
        return;
    };
    let behind = entries.split_off(last + 1);
    let (mut late, rest): (Vec<Entry>, Vec<Entry>) = std::mem::take(entries)
        .into_iter()
        .partition(|entry| turn(entry).is_some());
    late.sort_by_key(turn);
    entries.extend(rest.into_iter().chain(late).chain(behind));
}

/// A load's place among those of rules in SQL: its group, its table there, its own there.
fn sql_place(plan: &Plan, group: usize, load: DumpId) -> (usize, usize, usize) {
    let tables = plan
        .sql_rules
        .groups
        .get(group)
        .map_or(&[][..], |group| &group.tables);
    let found = tables.iter().enumerate().find_map(|(at, table)| {
        let place = table.loads.iter().position(|one| *one == load)?;
        Some((at, place))
    });
    let (table, place) = found.unwrap_or_default();
    (group, table, place)
}

/// What is neither a statement nor a step and is restored all the same: rows, large objects, the session's settings.
fn is_data(plan: &Plan, entry: &Entry) -> bool {
    match entry.kind {
        EntryKind::TableData => plan.rows_of(entry.dump_id).is_some(),
        EntryKind::Blobs => plan.large_objects.blocks.contains(&entry.dump_id),
        EntryKind::Blob | EntryKind::BlobMetadata => !plan.large_objects.oids.is_empty(),
        EntryKind::Encoding | EntryKind::StdStrings | EntryKind::SearchPath => true,
        _ => false,
    }
}

/// An entry as a run would restore it. `step`: what it would say for it.
fn as_restored(plan: &Plan, mut entry: Entry, step: Option<&str>) -> Entry {
    if let Some(further) = &mut entry.further {
        further.owner = Some(String::new());
        if let Some(tablespace) = &mut further.tablespace {
            tablespace.clear();
        }
    }
    if let Some(load) = plan.loads.get(&entry.dump_id) {
        // The archive has a hypertable as the plain table that holds all its rows.
        let is_chunk = (&entry.namespace, &entry.tag) != (&load.table.schema, &load.table.name);
        if is_chunk {
            entry.namespace.clone_from(&load.table.schema);
            entry.tag.clone_from(&load.table.name);
        }
        // Rows of partitions that rules in SQL saw together go by way of what they are partitions of.
        if is_chunk || load.format != RowFormat::Copy || load.sql_group.is_some() {
            entry.copy_stmt = copy_statement(load);
        }
    }
    let is_unchecked = |sql: &str| sql.ends_with(NOT_VALID);
    if entry.kind == EntryKind::ForeignKey && step.is_some_and(is_unchecked) && !is_unchecked(&entry.defn) {
        let bare = entry.defn.trim_end().trim_end_matches(';').len();
        entry.defn.truncate(bare);
        entry.defn.push_str(NOT_VALID);
    }
    entry
}

/// The COPY for rows that came as INSERT statements.
fn copy_statement(load: &Load) -> String {
    let columns: Vec<String> = load.columns.iter().map(|name| quote_identifier(name)).collect();
    let list = match columns.is_empty() {
        true => String::new(),
        false => format!(" ({})", columns.join(", ")),
    };
    format!("COPY {}{list} FROM stdin;\n", load.copy_into.sql())
}
