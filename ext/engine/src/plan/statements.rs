//! What is created before the rows, what is not created at all, and large objects.

use super::decide::{Decisions, Fate};
use super::entries::{display_name, extension_schema};
use super::quote_identifier;
use super::sql::{lex, Token};
use crate::left_out::LeftOut;
use pg_dump_archive::{DumpId, Entry, EntryKind, Section};
use std::collections::{HashMap, HashSet};

/// A statement that creates part of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The entry it comes from.
    pub dump_id: DumpId,
    /// What it creates.
    pub kind: EntryKind,
    /// Its name, for messages.
    pub name: String,
    /// The SQL.
    pub sql: String,
    /// The entries that must be restored before it, in the archive's words.
    pub needs: Vec<DumpId>,
    /// What a refusal by the server means.
    pub refusal: Refusal,
}

impl Statement {
    /// The schema that an extension is created in; None for a statement of another kind.
    pub fn home(&self) -> Option<String> {
        let is_extension = self.kind == EntryKind::Extension;
        is_extension.then(|| extension_schema(&self.sql)).flatten()
    }
}

/// What it means when the server refuses a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The run ends.
    Fatal,
    /// No row needs it: it is left out with a warning, and so is what depends on it.
    LeftOut,
}

/// Large objects named by the table of contents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LargeObjects {
    /// Every oid of BLOB and BLOB METADATA entries.
    pub oids: Vec<u32>,
    /// The BLOBS entries, whose data blocks hold the contents.
    pub blocks: HashSet<DumpId>,
    /// Where rows of a load refer to them: the places of its columns of the types `oid` and `lo`.
    pub columns: HashMap<DumpId, Vec<usize>>,
}

/// What is left out, and why.
pub(super) fn left_out(entries: &[Entry], decisions: &Decisions) -> Vec<LeftOut> {
    let out = |(entry, fate): (&Entry, &Fate)| match fate {
        Fate::Out(why) => Some(LeftOut {
            kind: entry.kind.clone(),
            name: display_name(entry),
            why: vec![why.clone()],
            refused: false,
        }),
        _ => None,
    };
    entries.iter().zip(&decisions.fates).filter_map(out).collect()
}

/// The statements before the rows.
pub(super) fn statements(
    entries: &[Entry],
    decisions: &Decisions,
    sql: impl Fn(&Entry) -> String,
) -> Vec<Statement> {
    // A sequence's value needs no rows, and a rule in SQL that takes numbers from it must not see it set back.
    let is_statement = |entry: &Entry| {
        entry.kind == EntryKind::SequenceSet
            || entry.section == Section::PreData
                && !matches!(entry.kind, EntryKind::Blob | EntryKind::BlobMetadata)
    };
    entries
        .iter()
        .zip(&decisions.fates)
        .filter(|(entry, fate)| fate.is_kept() && is_statement(entry))
        .map(|(entry, fate)| Statement {
            dump_id: entry.dump_id,
            kind: entry.kind.clone(),
            name: display_name(entry),
            sql: sql(entry),
            needs: entry.dependencies.clone(),
            refusal: if *fate == Fate::KeepIfAllowed {
                Refusal::LeftOut
            } else {
                Refusal::Fatal
            },
        })
        .collect()
}

/// How pg_dump ends the definition of a table whose policies hold for its owner, too (`dumpTableSchema`).
const FORCE: &str = " FORCE ROW LEVEL SECURITY;";

fn is_force(line: &str) -> bool {
    line.starts_with("ALTER TABLE ONLY ") && line.ends_with(FORCE)
}

/// Whether an entry's definition makes policies hold for the table's owner.
pub(super) fn forces_row_security(entry: &Entry) -> bool {
    entry.kind == EntryKind::Table && entry.defn.lines().any(is_force)
}

/// A definition without what makes policies hold for the owner: keys and views would not see every row.
fn without_force(definition: &str) -> String {
    let lines = definition.split_inclusive('\n');
    lines.filter(|line| !is_force(line.trim_end())).collect()
}

/// An entry's SQL as the archive has it, without what comes behind the rows, and with two things that pg_restore says beside it: the table access
/// method, where it is not heap, and, in archives of pg_dump before 10.3 and 9.6.8 (format 1.12), the schema.
pub(super) fn statement_sql(entry: &Entry, names_its_schemas: bool) -> String {
    let mut sql = String::new();
    if !names_its_schemas && !entry.namespace.is_empty() {
        sql.push_str(&format!(
            "SET LOCAL search_path = {}, pg_catalog;\n",
            quote_identifier(&entry.namespace)
        ));
    }
    let method = matches!(entry.kind, EntryKind::Table | EntryKind::MaterializedView)
        .then_some(entry.table_am.as_str())
        .filter(|method| !matches!(*method, "" | "heap"));
    if let Some(method) = method {
        sql.push_str(&format!(
            "SET LOCAL default_table_access_method = {};\n",
            quote_identifier(method)
        ));
    }
    match forces_row_security(entry) {
        true => sql.push_str(&without_force(&entry.defn)),
        false => sql.push_str(&entry.defn),
    }
    if method.is_some() {
        // The statements after it are in the same transaction.
        sql.push_str("\nSET LOCAL default_table_access_method = DEFAULT;\n");
    }
    sql
}

/// Oids are numbers in the definitions: `SELECT pg_catalog.lo_create('16404');` of a BLOB, a list in BLOB METADATA.
///
/// `without_contents`: their data blocks are passed over.
pub(super) fn large_objects(
    entries: &[Entry],
    decisions: &Decisions,
    without_contents: bool,
) -> LargeObjects {
    let mut found = LargeObjects::default();
    for (entry, fate) in entries.iter().zip(&decisions.fates) {
        if !fate.is_kept() {
            continue;
        }
        match &entry.kind {
            EntryKind::Blobs if without_contents => {}
            EntryKind::Blobs => {
                found.blocks.insert(entry.dump_id);
            }
            EntryKind::BlobMetadata => {
                found.oids.extend(
                    entry
                        .defn
                        .split_ascii_whitespace()
                        .filter_map(|oid| oid.parse::<u32>().ok()),
                );
            }
            EntryKind::Blob => found
                .oids
                .extend(lex(&entry.defn).iter().find_map(|token| match token {
                    Token::Text(oid) | Token::Quoted(oid) => oid.parse().ok(),
                    Token::Number(oid) => oid.parse::<u32>().ok(),
                    _ => None,
                })),
            _ => {}
        }
    }
    found
}
