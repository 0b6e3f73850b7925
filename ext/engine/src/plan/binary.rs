//! Which loads go by binary COPY, and the form of each of their columns.
//!
//! The target's tables are made by the archive's own statements, so what it declares is what they have. A type counts
//! only when there is no doubt about it: PostgreSQL's own ones are written without a schema, since user types of the
//! same name are hidden behind them, and enums and domains are those that the archive makes.

use super::schema::{Base, Column, Schema, Table};
use super::{Load, RowFormat};
use pg_dump_archive::copy::binary::{Form, Layout};
use pg_dump_archive::{Entry, EntryKind};
use std::collections::HashMap;
use std::sync::Arc;

/// What layouts are made from.
pub(super) struct Binary<'a> {
    pub(super) schema: &'a Schema,
    /// Whether binary COPY is safe with this archive at all.
    possible: bool,
    /// Whether the archive has the extension citext.
    citext: bool,
}

impl<'a> Binary<'a> {
    /// `names_its_schemas`: the archive's statements write a schema before every name that is not PostgreSQL's own.
    pub(super) fn new(
        schema: &'a Schema,
        entries: &[Entry],
        encoding: &str,
        names_its_schemas: bool,
    ) -> Self {
        let is_citext = |entry: &Entry| entry.kind == EntryKind::Extension && entry.tag == "citext";
        Self {
            schema,
            // Receive functions take text in the session's encoding, which is UTF-8, whatever a COPY says.
            possible: names_its_schemas && encoding.eq_ignore_ascii_case("UTF8"),
            citext: entries.iter().any(is_citext),
        }
    }

    /// The layout of a load's rows; None when they go as text: one column's type has no binary form here, or no
    /// column's text is expensive to parse.
    pub(super) fn layout(&self, load: &Load) -> Option<Arc<Layout>> {
        // What INSERT statements hold is as a client wrote it.
        if !self.possible || load.format != RowFormat::Copy {
            return None;
        }
        let table = &self.schema.tables[self.schema.table(&load.table)?];
        if table.foreign {
            return None;
        }
        let columns: HashMap<&str, &Column> = table
            .columns
            .iter()
            .map(|column| (column.name.as_str(), column))
            .collect();
        let forms = load
            .columns
            .iter()
            .map(|name| self.form(columns.get(name.as_str())?));
        let forms = forms.collect::<Option<Vec<Form>>>()?;
        let pays = forms.iter().any(|form| is_dear(*form));
        Layout::new(forms).filter(|_| pays).map(Arc::new)
    }

    /// The columns of a table whose types' receive functions never quote a value, with their binary form. Those that
    /// read text for more than its encoding do (`json`, `jsonb`, enums), and so may the constraints of a domain.
    pub(super) fn quiet_forms(&self, table: &Table) -> HashMap<String, Form> {
        let form = |column: &Column| {
            let given = match self.schema.base(column.column_type.as_deref()?, "pg_catalog") {
                Base::Given(given) => given,
                Base::Enum | Base::Other => return None,
            };
            let is_quiet = Some(given) == column.column_type.as_deref() && given.name != "json";
            let form = self.form(column).filter(|form| *form != Form::Jsonb);
            form.filter(|_| is_quiet && self.possible)
        };
        let columns = table.columns.iter();
        columns
            .filter_map(|column| Some((column.name.clone(), form(column)?)))
            .collect()
    }

    /// The binary form of a column's type, if there is one. A domain's is that of its base: `domain_recv` checks its
    /// constraints.
    fn form(&self, column: &Column) -> Option<Form> {
        // Schemas are always written here, but for PostgreSQL's own, in which the archive makes no types.
        let given = match self.schema.base(column.column_type.as_deref()?, "pg_catalog") {
            Base::Enum => return Some(Form::Text),
            Base::Given(given) => given,
            Base::Other => return None,
        };
        match (given.schema.as_deref(), given.name.as_str()) {
            // Its receive function is that of text.
            (Some(_), "citext") if self.citext => Some(Form::Text),
            (None | Some("pg_catalog"), name) => built_in(name),
            _ => None,
        }
    }
}

/// Whether the server spends clearly more on such a value's text than on its binary form. Measured with PostgreSQL 17:
/// rows of integers alone cost it as much either way, and rows of text a tenth less in binary, which writing them takes
/// again; a timestamp costs it some 100 ns more as text.
fn is_dear(form: Form) -> bool {
    match form {
        Form::Text | Form::Jsonb | Form::Boolean | Form::Int2 | Form::Int4 | Form::Int8 | Form::Oid => false,
        Form::Bytea | Form::Float4 | Form::Float8 | Form::Numeric | Form::Uuid => true,
        Form::Date | Form::Time | Form::Timestamp | Form::TimestampTz => true,
    }
}

/// The binary form of PostgreSQL's own types, by the names that `format_type` gives them.
fn built_in(name: &str) -> Option<Form> {
    Some(match name {
        "text" | "character varying" | "character" | "bpchar" | "json" => Form::Text,
        "jsonb" => Form::Jsonb,
        "bytea" => Form::Bytea,
        "boolean" => Form::Boolean,
        "smallint" => Form::Int2,
        "integer" => Form::Int4,
        "bigint" => Form::Int8,
        "oid" => Form::Oid,
        "real" => Form::Float4,
        "double precision" => Form::Float8,
        "numeric" => Form::Numeric,
        "date" => Form::Date,
        "time without time zone" => Form::Time,
        "timestamp without time zone" => Form::Timestamp,
        "timestamp with time zone" => Form::TimestampTz,
        "uuid" => Form::Uuid,
        _ => return None,
    })
}
