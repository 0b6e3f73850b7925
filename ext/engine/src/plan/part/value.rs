//! What a column's values are read as by a condition or an order, before the backup's schema stands.

use crate::plan::schema::{Base, Schema, TypeName};
use crate::plan::TableName;

/// A type below its domains, as SQL writes it: PostgreSQL's own, an extension's, or one that the backup makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueType {
    /// The type.
    pub sql: String,
    /// The collation that compares the values, where one is written.
    pub collation: Option<TableName>,
}

impl ValueType {
    /// A type, with the collation where there is one.
    pub(crate) fn sql(&self) -> String {
        match &self.collation {
            Some(collation) => format!("{} COLLATE {}", self.sql, collation.sql()),
            None => self.sql.clone(),
        }
    }
}

/// The type of a table's column; None where it cannot be read.
pub(super) fn value_type(schema: &Schema, table: usize, column: &str) -> Option<ValueType> {
    let table = &schema.tables[table];
    let kind = table.column(column)?.column_type.as_ref()?;
    let home = &table.name.schema;
    Some(ValueType {
        sql: below_domains(schema, home, kind),
        collation: schema.collation(kind, home).cloned(),
    })
}

fn below_domains(schema: &Schema, home: &str, kind: &TypeName) -> String {
    if kind.array {
        let of = TypeName {
            array: false,
            ..kind.clone()
        };
        return format!("{}[]", below_domains(schema, home, &of));
    }
    match schema.base(kind, home) {
        Base::Given(given) => given.sql(),
        Base::Enum | Base::Other => TypeName {
            schema: Some(kind.schema.as_deref().unwrap_or(home).to_owned()),
            ..kind.clone()
        }
        .sql(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(schema: Option<&str>, name: &str, modifiers: &[usize], array: bool) -> TypeName {
        TypeName {
            schema: schema.map(str::to_owned),
            name: name.to_owned(),
            modifiers: modifiers.to_vec(),
            array,
            ..TypeName::default()
        }
    }

    fn of(schema: Option<&str>, name: &str, modifiers: &[usize], array: bool) -> String {
        below_domains(
            &Schema::default(),
            "public",
            &kind(schema, name, modifiers, array),
        )
    }

    #[test]
    fn a_collation_is_written_behind_the_type() {
        let text = |collation: Option<&str>| ValueType {
            sql: "text".to_owned(),
            collation: collation.map(|name| TableName::new("public", name)),
        };
        assert_eq!(text(Some("ci")).sql(), "text COLLATE \"public\".\"ci\"");
        assert_eq!(text(None).sql(), "text");
    }

    #[test]
    fn a_type_of_the_server_is_written_so_that_it_cuts_nothing() {
        assert_eq!(of(None, "character varying", &[40], false), "character varying");
        assert_eq!(of(None, "character", &[5], false), "character(5)");
        assert_eq!(of(None, "character", &[], false), "bpchar");
        assert_eq!(
            of(None, "timestamp without time zone", &[3], false),
            "timestamp without time zone"
        );
        assert_eq!(of(None, "integer", &[], true), "integer[]");
        assert_eq!(of(Some("public"), "citext", &[], false), "\"public\".\"citext\"");
    }
}
