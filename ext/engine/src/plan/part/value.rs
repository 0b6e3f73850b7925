//! What a column's values are read as by a condition or an order, while the backup's schema does not stand yet.

use crate::plan::schema::{Base, Schema, TypeName};
use crate::plan::TableName;
use masking::Type;

/// A type below its domains, as SQL writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueType {
    /// One that the backup does not make: PostgreSQL's own, or an extension's.
    Given(String),
    /// The same, with values that a collation of the server's compares.
    Collated {
        /// The type.
        sql: String,
        /// The collation.
        collation: TableName,
    },
    /// An enum that the backup makes.
    Enum {
        /// Its name.
        name: TableName,
        /// Its labels, in their order.
        labels: Vec<String>,
    },
    /// Another one that the backup makes.
    Made,
}

/// The type of a table's column.
pub(super) fn value_type(schema: &Schema, table: usize, column: &str) -> ValueType {
    let table = &schema.tables[table];
    let known = table
        .column(column)
        .and_then(|column| column.column_type.as_ref());
    known.map_or(ValueType::Made, |kind| {
        let home = &table.name.schema;
        collated(below_domains(schema, home, kind), schema.collation(kind, home))
    })
}

/// A collation that the backup makes does not stand yet, like its types.
fn collated(found: ValueType, collation: Option<&TableName>) -> ValueType {
    match (found, collation) {
        (ValueType::Given(sql), Some(collation)) if collation.schema == "pg_catalog" => ValueType::Collated {
            sql,
            collation: collation.clone(),
        },
        (ValueType::Given(_), Some(_)) => ValueType::Made,
        (found, _) => found,
    }
}

fn below_domains(schema: &Schema, home: &str, kind: &TypeName) -> ValueType {
    if kind.array {
        let of = TypeName {
            array: false,
            ..kind.clone()
        };
        return match schema.base(&of, home) {
            Base::Given(given) => ValueType::Given(format!("{}[]", given.sql())),
            Base::Enum | Base::Other => ValueType::Made,
        };
    }
    match (schema.base(kind, home), schema.resolve(kind, home).0) {
        (Base::Given(given), _) => ValueType::Given(given.sql()),
        (Base::Enum, Type::Enum(labels)) => ValueType::Enum {
            name: TableName::new(kind.schema.as_deref().unwrap_or(home), &kind.name),
            labels,
        },
        (Base::Enum | Base::Other, _) => ValueType::Made,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(schema: Option<&str>, name: &str, modifiers: &[usize], array: bool) -> ValueType {
        let kind = TypeName {
            schema: schema.map(str::to_owned),
            name: name.to_owned(),
            modifiers: modifiers.to_vec(),
            array,
            ..TypeName::default()
        };
        below_domains(&Schema::default(), "public", &kind)
    }

    #[test]
    fn a_collation_of_the_server_is_kept_and_one_of_the_backup_does_not_stand_yet() {
        let text = || ValueType::Given("text".to_owned());
        let icu = TableName::new("pg_catalog", "en-x-icu");
        assert_eq!(
            collated(text(), Some(&icu)),
            ValueType::Collated {
                sql: "text".to_owned(),
                collation: icu.clone()
            }
        );
        assert_eq!(
            collated(text(), Some(&TableName::new("public", "ci"))),
            ValueType::Made
        );
        assert_eq!(collated(text(), None), text());
    }

    #[test]
    fn a_type_of_the_server_is_written_so_that_it_cuts_nothing() {
        let given = |sql: &str| ValueType::Given(sql.to_owned());
        assert_eq!(
            of(None, "character varying", &[40], false),
            given("character varying")
        );
        assert_eq!(of(None, "character", &[5], false), given("character(5)"));
        assert_eq!(of(None, "character", &[], false), given("bpchar"));
        assert_eq!(
            of(None, "timestamp without time zone", &[3], false),
            given("timestamp without time zone")
        );
        assert_eq!(of(None, "integer", &[], true), given("integer[]"));
        assert_eq!(
            of(Some("public"), "citext", &[], false),
            given("\"public\".\"citext\"")
        );
    }
}
