//! What the target may do without: entries that no row needs and that protect none. `exclude_objects` names some by
//! hand.

use super::entries::{display_name, is_body_of_view};
use super::extension_rows;
use super::names::fits_text;
use super::sql::{lex, Cursor};
use super::Problems;
use crate::failure::OptionFault;
use pg_dump_archive::{DumpId, Entry, EntryKind, Section};
use std::collections::{HashMap, HashSet};

/// Which entries rows or their protection need.
#[derive(Debug)]
pub(super) struct Needed(Vec<bool>);

impl Needed {
    /// What is needed by itself, and what that depends on.
    pub(super) fn of(entries: &[Entry], by_id: &HashMap<DumpId, usize>) -> Self {
        let mut needed = vec![false; entries.len()];
        let created = extension_rows::created(entries);
        let mut queue: Vec<usize> = (0..entries.len())
            .filter(|at| {
                is_needed_by_itself(&entries[*at]) && !extension_rows::are_these(&entries[*at], &created)
            })
            .collect();
        while let Some(at) = queue.pop() {
            if !std::mem::replace(&mut needed[at], true) {
                let dependencies = entries[at].dependencies.iter();
                queue.extend(dependencies.filter_map(|id| by_id.get(id)).copied());
            }
        }
        Self(needed)
    }

    /// Whether the entry at this place is.
    pub(super) fn has(&self, at: usize) -> bool {
        self.0.get(at).copied().unwrap_or(true)
    }
}

/// Rows and where they lie, and what keeps some from being seen or changed.
fn is_needed_by_itself(entry: &Entry) -> bool {
    match &entry.kind {
        EntryKind::Rule => !is_body_of_view(entry),
        EntryKind::Policy => is_restrictive(entry),
        EntryKind::Schema
        | EntryKind::Table
        | EntryKind::TableAttach
        | EntryKind::TableData
        | EntryKind::Default
        | EntryKind::Sequence
        | EntryKind::SequenceOwnedBy
        | EntryKind::SequenceSet
        | EntryKind::RowSecurity
        | EntryKind::Other(_) => true,
        kind => kind.is_of_large_objects() || entry.section == Section::None,
    }
}

/// Others let rows be seen; these forbid it.
fn is_restrictive(policy: &Entry) -> bool {
    let tokens = lex(&policy.defn);
    Cursor::new(&tokens).skip_past("AS RESTRICTIVE")
}

/// What `exclude_objects` names, by its place.
pub(super) fn excluded(
    patterns: &[String],
    entries: &[Entry],
    needed: &Needed,
    problems: &mut Problems,
) -> HashSet<usize> {
    let mut excluded = HashSet::new();
    for pattern in patterns {
        let named = (0..entries.len()).filter(|at| is_named(pattern, &entries[*at]));
        let named: Vec<usize> = named.collect();
        if named.is_empty() {
            problems.add(OptionFault::ExcludesNothing {
                pattern: pattern.clone(),
            });
        } else if let Some(at) = named.iter().find(|at| needed.has(**at)) {
            let entry = &entries[*at];
            problems.add(OptionFault::ExcludesNeeded {
                pattern: pattern.clone(),
                object: format!("{} {}", entry.kind, display_name(entry)),
            });
        }
        excluded.extend(named);
    }
    excluded
}

/// `INDEX users_name` and `INDEX public.users_name` name the same entry, in capitals or not.
fn is_named(pattern: &str, entry: &Entry) -> bool {
    let pattern = pattern.trim().to_lowercase();
    [entry.tag.clone(), display_name(entry)]
        .iter()
        .any(|name| fits_text(&pattern, &format!("{} {name}", entry.kind).to_lowercase()))
}
