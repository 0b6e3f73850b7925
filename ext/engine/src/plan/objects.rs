//! Where rows refer to large objects.

use super::schema::{Base, Schema};
use super::Load;
use pg_dump_archive::DumpId;
use std::collections::HashMap;

/// The places of a load's columns that hold oids of large objects.
pub(super) fn columns(loads: &HashMap<DumpId, Load>, schema: &Schema) -> HashMap<DumpId, Vec<usize>> {
    let holds_oids = |load: &Load, name: &String| {
        let table = schema.table(&load.table).map(|at| &schema.tables[at]);
        let kind = table
            .and_then(|table| table.column(name))
            .and_then(|column| column.column_type.as_ref());
        kind.is_some_and(|kind| match schema.base(kind, &load.table.schema) {
            Base::Given(given) => matches!(given.name.as_str(), "oid" | "lo"),
            Base::Enum | Base::Other => false,
        })
    };
    let of = |load: &Load| {
        let columns = load.columns.iter().enumerate();
        let places = columns
            .filter(|(_, name)| holds_oids(load, name))
            .map(|(at, _)| at);
        (load.dump_id, places.collect::<Vec<_>>())
    };
    loads
        .values()
        .map(of)
        .filter(|(_, places)| !places.is_empty())
        .collect()
}
