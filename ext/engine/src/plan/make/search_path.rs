//! Where production's own functions look for names without a schema.

use crate::plan::entries::extension_schema;
use crate::plan::quote_identifier;
use crate::plan::sql::{lex, split, Token};
use pg_dump_archive::{Entry, EntryKind};
use std::collections::BTreeSet;

/// Where production's functions look for what they name without its schema: as its `ALTER DATABASE … SET search_path`
/// says, else in public and in the schemas of its extensions.
pub(super) fn production_path(entries: &[Entry]) -> String {
    let set = entries
        .iter()
        .filter(|entry| entry.kind == EntryKind::DatabaseProperties);
    let mut set = set.filter_map(|entry| {
        let (_, rest) = entry.defn.split_once("SET search_path TO ")?;
        path_of(rest)
    });
    set.next_back().unwrap_or_else(|| {
        let extensions = entries.iter().filter(|entry| entry.kind == EntryKind::Extension);
        let homes: BTreeSet<String> = extensions
            .filter_map(|entry| extension_schema(&entry.defn))
            .collect();
        let others = homes
            .into_iter()
            .filter(|home| home != "public" && home != "pg_catalog");
        let path = std::iter::once("public".to_owned()).chain(others);
        let path: Vec<String> = path.map(|schema| quote_identifier(&schema)).collect();
        path.join(", ")
    })
}

/// The schemas of a `search_path` up to its semicolon, each quoted anew: the text goes into statements of the gem's own.
fn path_of(sql: &str) -> Option<String> {
    let tokens = lex(sql);
    let value = split(&tokens, ';').into_iter().next()?;
    let schemas = split(value, ',').into_iter().map(|part| match part {
        [Token::Text(name)] => Some(quote_identifier(name)),
        [token] => token.name().map(|name| quote_identifier(&name)),
        _ => None,
    });
    let schemas: Option<Vec<String>> = schemas.collect();
    schemas.map(|schemas| schemas.join(", "))
}
