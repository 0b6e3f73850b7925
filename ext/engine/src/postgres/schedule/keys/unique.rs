//! A primary key or unique constraint in two parts: its index is built beside the table's others, and then taken as
//! the constraint's.
//!
//! `ADD CONSTRAINT … PRIMARY KEY` has the table to itself for as long as it builds its index, so that it waits for the
//! longest of the table's other builds, or they for it. `CREATE UNIQUE INDEX` shares the table with them, and
//! `ADD CONSTRAINT … USING INDEX` takes a moment (PostgreSQL's documentation, "ALTER TABLE" and "Explicit Locking").
//! What is there in the end is the same.

use crate::plan::sql::{lex, split, Cursor, Token};
use crate::plan::{quote_identifier, Step};
use crate::postgres::schedule::keys::constraint;
use pg_dump_archive::EntryKind;

/// A key whose index can be built first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::postgres) struct UniqueKey {
    /// Builds the index.
    pub(in crate::postgres) build: String,
    /// Makes it the constraint's.
    pub(in crate::postgres) adopt: String,
}

impl UniqueKey {
    /// A step's key, unless it is more than a list of columns: then it is added as the archive says.
    pub(in crate::postgres) fn of(step: &Step) -> Option<Self> {
        if step.kind != EntryKind::Constraint {
            return None;
        }
        let tokens = lex(&step.sql);
        let mut cursor = Cursor::new(&tokens);
        // Without ONLY it is a hypertable's, which takes no index that is there already.
        if !{ cursor }.accept("ALTER TABLE ONLY") {
            return None;
        }
        let (table, name) = constraint::added(&mut cursor)?;
        let name = quote_identifier(&name);
        let kind = ["PRIMARY KEY", "UNIQUE"]
            .into_iter()
            .find(|kind| cursor.accept(kind))?;
        let columns = split(cursor.parenthesized()?, ',')
            .into_iter()
            .map(|column| match column {
                [one] => one.name().map(|name| quote_identifier(&name)),
                _ => None,
            });
        let columns = columns.collect::<Option<Vec<String>>>()?.join(", ");
        if !cursor
            .rest()
            .iter()
            .all(|token| matches!(token, Token::Symbol(';')))
        {
            return None;
        }
        let table = table.sql();
        Some(Self {
            build: format!("CREATE UNIQUE INDEX {name} ON {table} USING btree ({columns})"),
            adopt: format!("ALTER TABLE ONLY {table} ADD CONSTRAINT {name} {kind} USING INDEX {name}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: EntryKind, constraint: &str) -> Option<UniqueKey> {
        let sql = format!("ALTER TABLE ONLY public.orders\n    ADD CONSTRAINT {constraint};\n");
        UniqueKey::of(&Step::bare(kind, &sql))
    }

    #[test]
    fn a_list_of_columns_is_an_index_first_and_then_the_constraint() {
        let found = key(EntryKind::Constraint, "\"Key 1\" PRIMARY KEY (id, \"Sub Id\")")
            .unwrap_or_else(|| unreachable!());
        assert_eq!(
            found.build,
            "CREATE UNIQUE INDEX \"Key 1\" ON \"public\".\"orders\" USING btree (\"id\", \"Sub Id\")"
        );
        assert_eq!(
            found.adopt,
            "ALTER TABLE ONLY \"public\".\"orders\" ADD CONSTRAINT \"Key 1\" PRIMARY KEY USING INDEX \"Key 1\""
        );
        let unique = key(EntryKind::Constraint, "k UNIQUE (email)").unwrap_or_else(|| unreachable!());
        assert!(unique.adopt.contains("UNIQUE USING INDEX"));
    }

    #[test]
    fn a_key_with_anything_more_is_added_as_it_is() {
        for more in [
            "k UNIQUE (email) DEFERRABLE",
            "k UNIQUE NULLS NOT DISTINCT (email)",
            "k UNIQUE (email) INCLUDE (name)",
            "k PRIMARY KEY (id) WITH (fillfactor='70')",
            "k PRIMARY KEY (id, period WITHOUT OVERLAPS)",
            "k EXCLUDE USING gist (period WITH &&)",
            "k PRIMARY KEY (id);\nALTER TABLE public.orders CLUSTER ON k",
        ] {
            assert_eq!(key(EntryKind::Constraint, more), None, "{more}");
        }
        assert_eq!(key(EntryKind::ForeignKey, "k PRIMARY KEY (id)"), None);
    }
}
