//! How expensive a step is per row, so that what takes longest starts first. Only the order comes from it.
//!
//! Measured with PostgreSQL 17 in CPU seconds per 100,000 rows: an index on an integer or a date 0.03, on random text
//! 0.13, checking a foreign key 0.05.

use super::schema::{Column, Table};
use super::sql::{lex, split, Cursor, Token};
use pg_dump_archive::{Entry, EntryKind};

/// A key of eight bytes or less, compared without a function of its type.
const PLAIN: u32 = 2;
/// Text, and types that are not known.
const TEXT: u32 = 8;
/// Checking a foreign key.
const FOREIGN_KEY: u32 = 3;
/// Looking at every row once.
const LOOK: u32 = 1;
/// GIN, GiST and other methods take words or boxes apart.
const OTHER_METHOD: u32 = 30;

/// What an entry's step costs per row of `table`, the one that it indexes or constrains: see
/// [`Step::weight`](super::Step::weight).
pub(super) fn weight(entry: &Entry, table: Option<&Table>) -> u32 {
    let tokens = lex(&entry.defn);
    let mut cursor = Cursor::new(&tokens);
    match &entry.kind {
        EntryKind::Index => {
            let method = cursor.skip_past("USING").then(|| cursor.identifier()).flatten();
            match method.as_deref() {
                Some("btree") => cursor.parenthesized().map_or(TEXT, |keys| of_keys(keys, table)),
                Some("brin") => LOOK,
                _ => OTHER_METHOD,
            }
        }
        EntryKind::Constraint if cursor.skip_past("PRIMARY KEY") => of_constraint(&mut cursor, table),
        EntryKind::Constraint => {
            let mut cursor = Cursor::new(&tokens);
            match cursor.skip_past("UNIQUE") {
                true => of_constraint(&mut cursor, table),
                false => OTHER_METHOD,
            }
        }
        EntryKind::ForeignKey => FOREIGN_KEY,
        EntryKind::CheckConstraint | EntryKind::MaterializedViewData => LOOK,
        _ => 0,
    }
}

fn of_constraint(cursor: &mut Cursor<'_, '_>, table: Option<&Table>) -> u32 {
    let _ = cursor.accept("NULLS NOT DISTINCT");
    cursor.parenthesized().map_or(TEXT, |keys| of_keys(keys, table))
}

/// The first key decides nearly every comparison, so it counts; the others make an entry wider.
fn of_keys(keys: &[Token<'_>], table: Option<&Table>) -> u32 {
    let keys = split(keys, ',');
    let first = keys.first().map_or(TEXT, |key| of_key(key, table));
    let others = u32::try_from(keys.len().saturating_sub(1)).unwrap_or(u32::MAX);
    first.saturating_add(others)
}

fn of_key(key: &[Token<'_>], table: Option<&Table>) -> u32 {
    let name = key.first().and_then(Token::name);
    let column = name.and_then(|name| table?.column(&name));
    match column {
        Some(column) if is_plain(column) => PLAIN,
        _ => TEXT,
    }
}

fn is_plain(column: &Column) -> bool {
    column.column_type.as_ref().is_some_and(|of| {
        !of.array
            && matches!(
                of.name.as_str(),
                "smallint"
                    | "integer"
                    | "bigint"
                    | "boolean"
                    | "date"
                    | "real"
                    | "double precision"
                    | "oid"
                    | "uuid"
                    | "timestamp without time zone"
                    | "timestamp with time zone"
            )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::schema::TypeName;
    use pg_dump_archive::{DumpId, Section};
    use std::sync::Arc;

    fn weight_of(kind: EntryKind, defn: &str) -> u32 {
        let column = |name: &str, kind: &str| Column {
            name: name.into(),
            column_type: Some(Arc::new(TypeName {
                name: kind.into(),
                ..TypeName::default()
            })),
            ..Column::default()
        };
        let mut table = Table::default();
        table.columns = vec![
            column("id", "bigint"),
            column("at", "timestamp without time zone"),
            column("email", "character varying"),
        ];
        let entry = Entry {
            dump_id: DumpId(1),
            has_data: false,
            oid: 0,
            tag: String::new(),
            kind,
            section: Section::PostData,
            defn: defn.into(),
            copy_stmt: String::new(),
            namespace: "public".into(),
            table_am: String::new(),
            dependencies: Vec::new(),
            data_size: None,
            further: None,
        };
        weight(&entry, Some(&table))
    }

    #[test]
    fn an_index_weighs_by_its_method_and_its_first_key() {
        let index = |using: &str| {
            weight_of(
                EntryKind::Index,
                &format!("CREATE INDEX i ON public.t USING {using};\n"),
            )
        };
        assert_eq!(index("btree (at)"), PLAIN);
        assert_eq!(index("btree (at DESC, id)"), PLAIN + 1);
        assert_eq!(index("btree (email)"), TEXT);
        assert_eq!(index("btree (lower((email)::text))"), TEXT);
        assert_eq!(index("btree (unknown)"), TEXT);
        assert_eq!(index("gin (email public.gin_trgm_ops)"), OTHER_METHOD);
        assert_eq!(index("brin (at)"), LOOK);
    }

    #[test]
    fn a_constraint_weighs_what_it_builds_or_checks() {
        let add = |what: &str| format!("ALTER TABLE ONLY public.t\n    ADD CONSTRAINT c {what};\n");
        assert_eq!(weight_of(EntryKind::Constraint, &add("PRIMARY KEY (id)")), PLAIN);
        assert_eq!(
            weight_of(EntryKind::Constraint, &add("UNIQUE NULLS NOT DISTINCT (email)")),
            TEXT
        );
        assert_eq!(
            weight_of(EntryKind::Constraint, &add("EXCLUDE USING gist (at WITH &&)")),
            OTHER_METHOD
        );
        let key = add("FOREIGN KEY (id) REFERENCES public.u(id)");
        assert_eq!(weight_of(EntryKind::ForeignKey, &key), FOREIGN_KEY);
        assert_eq!(
            weight_of(EntryKind::Trigger, "CREATE TRIGGER a BEFORE INSERT ON public.t"),
            0
        );
    }
}
