//! Statements of a table of contents, read into the schema: one that is not understood changes nothing.

use super::clauses::{
    check, column, identifiers, index_parts, key_names, on_delete, table_constraint, type_name, Constraint,
};
use super::{Column, ForeignKey, KeyPart, Schema, Table, TypeName, Unique, UserType};
use crate::plan::sql::{lex, split, Cursor, Token};
use crate::plan::TableName;
use pg_dump_archive::{Entry, EntryKind};
use std::sync::Arc;

impl Schema {
    pub(super) fn read_entry(&mut self, entry: &Entry) {
        match &entry.kind {
            EntryKind::View | EntryKind::MaterializedView => {
                let name = TableName::new(&entry.namespace, &entry.tag);
                self.views.insert(name, entry.kind.clone());
            }
            EntryKind::Table
            | EntryKind::ForeignTable
            | EntryKind::Type
            | EntryKind::Collation
            | EntryKind::Domain
            | EntryKind::Index
            | EntryKind::Constraint
            | EntryKind::ForeignKey
            | EntryKind::CheckConstraint
            | EntryKind::TableAttach
            | EntryKind::Default => {
                let tokens = lex(&entry.defn);
                for statement in split(&tokens, ';') {
                    self.read_statement(entry, Cursor::new(statement));
                }
            }
            _ => {}
        }
    }

    fn read_statement(&mut self, entry: &Entry, mut cursor: Cursor<'_, '_>) -> Option<()> {
        if cursor.accept("ALTER TABLE") || cursor.accept("ALTER FOREIGN TABLE") {
            return self.read_alter_table(entry, cursor);
        }
        if !cursor.accept("CREATE") {
            return None;
        }
        if cursor.accept("TYPE") {
            return self.read_type(entry, cursor);
        }
        if cursor.accept("DOMAIN") {
            return self.read_domain(entry, cursor);
        }
        if cursor.accept("COLLATION") {
            return self.read_collation(entry, cursor);
        }
        let unique = cursor.accept("UNIQUE");
        if cursor.accept("INDEX") {
            return if unique {
                self.read_unique_index(entry, cursor)
            } else {
                None
            };
        }
        let _ = cursor.accept("UNLOGGED") || cursor.accept("TEMPORARY");
        let foreign = cursor.accept("FOREIGN");
        if cursor.accept("TABLE") {
            return self.read_table(entry, foreign, cursor);
        }
        None
    }

    fn read_type(&mut self, entry: &Entry, mut cursor: Cursor<'_, '_>) -> Option<()> {
        let name = cursor.qualified(&entry.namespace)?;
        if !cursor.accept("AS") {
            return None;
        }
        let user_type = if cursor.accept("ENUM") {
            let label = |part: &[Token<'_>]| match part.first() {
                Some(Token::Text(label)) => Some(label.to_string()),
                _ => None,
            };
            UserType::Enum(
                split(cursor.parenthesized()?, ',')
                    .into_iter()
                    .filter_map(label)
                    .collect(),
            )
        } else if cursor.accept("RANGE") {
            for option in split(cursor.parenthesized()?, ',') {
                let mut option = Cursor::new(option);
                if option.accept("MULTIRANGE_TYPE_NAME") && option.accept_symbol('=') {
                    if let Some(multirange) = option.qualified(&entry.namespace) {
                        self.types.insert(multirange, UserType::MultiRange);
                    }
                }
            }
            UserType::Range
        } else {
            UserType::Composite(
                split(cursor.parenthesized()?, ',')
                    .into_iter()
                    .filter_map(column)
                    .collect(),
            )
        };
        self.types.insert(name, user_type);
        Some(())
    }

    fn read_domain(&mut self, entry: &Entry, mut cursor: Cursor<'_, '_>) -> Option<()> {
        let name = cursor.qualified(&entry.namespace)?;
        if !cursor.accept("AS") {
            return None;
        }
        let base = type_name(&mut cursor)?;
        let (mut not_null, mut checks, mut constraint) = (false, Vec::new(), String::new());
        while let Some(token) = cursor.peek() {
            if cursor.accept("NOT NULL") {
                not_null = true;
            } else if cursor.accept("CONSTRAINT") {
                constraint = cursor.identifier()?;
            } else if cursor.accept("CHECK") {
                checks.extend(check(&constraint, &mut cursor));
            } else if token.is_symbol('(') {
                cursor.parenthesized();
            } else {
                cursor.advance();
            }
        }
        let domain = UserType::Domain {
            base,
            not_null,
            checks,
        };
        self.types.insert(name, domain);
        Some(())
    }

    fn read_table(&mut self, entry: &Entry, foreign: bool, mut cursor: Cursor<'_, '_>) -> Option<()> {
        let _ = cursor.accept("IF NOT EXISTS");
        let name = cursor.qualified(&entry.namespace)?;
        let mut table = Table {
            name,
            foreign,
            ..Table::default()
        };
        if cursor.accept("OF") {
            table.borrows = true;
            table.of_type = cursor.qualified(&entry.namespace);
        } else if cursor.accept("PARTITION OF") {
            table.borrows = true;
            table.parents.extend(cursor.qualified(&entry.namespace));
        }
        for item in cursor
            .parenthesized()
            .map(|items| split(items, ','))
            .unwrap_or_default()
        {
            match table_constraint(item) {
                Some(constraint) => self.read_constraint(entry, &mut table, constraint),
                None => table.columns.extend(column(item)),
            }
        }
        while let Some(token) = cursor.peek() {
            if cursor.accept("INHERITS") {
                table.borrows = true;
                for parent in cursor
                    .parenthesized()
                    .map(|items| split(items, ','))
                    .unwrap_or_default()
                {
                    table
                        .parents
                        .extend(Cursor::new(parent).qualified(&entry.namespace));
                }
            } else if cursor.accept("PARTITION BY") {
                cursor.advance();
                table.partition_key = cursor.parenthesized().map(identifiers);
            } else if token.is_symbol('(') {
                cursor.parenthesized();
            } else {
                cursor.advance();
            }
        }
        for column in &mut table.columns {
            column.column_type = column.column_type.take().map(|written| self.shared(written));
        }
        let index = self.tables.len();
        self.by_name.insert(table.name.clone(), index);
        self.tables.push(table);
        Some(())
    }

    /// The same type where another column has it already.
    fn shared(&mut self, written: Arc<TypeName>) -> Arc<TypeName> {
        if let Some(known) = self.written.get(&written) {
            return Arc::clone(known);
        }
        self.written.insert(Arc::clone(&written));
        written
    }

    fn read_alter_table(&mut self, entry: &Entry, mut cursor: Cursor<'_, '_>) -> Option<()> {
        let _ = cursor.accept("IF EXISTS");
        let _ = cursor.accept("ONLY");
        let name = cursor.qualified(&entry.namespace)?;
        if cursor.accept("ATTACH PARTITION") {
            let partition = cursor.qualified(&entry.namespace)?;
            let (parent, partition) = (self.table(&name)?, self.table(&partition)?);
            self.tables[partition].partition_of = Some(parent);
            return Some(());
        }
        let index = self.table(&name)?;
        if cursor.accept("ADD") {
            let mut table = std::mem::take(&mut self.tables[index]);
            if let Some(constraint) = table_constraint(cursor.rest()) {
                self.read_constraint(entry, &mut table, constraint);
            }
            self.tables[index] = table;
        } else if cursor.accept("ALTER") {
            let _ = cursor.accept("COLUMN");
            let name = cursor.identifier()?;
            let (not_null, has_default) = (cursor.accept("SET NOT NULL"), cursor.accept("SET DEFAULT"));
            let table = &mut self.tables[index];
            match table.columns.iter_mut().find(|column| column.name == name) {
                Some(column) => {
                    column.not_null |= not_null;
                    column.has_default |= has_default;
                }
                // An inherited column, which is merged with the parent's later.
                None if !table.parents.is_empty() || table.of_type.is_some() => {
                    table.columns.push(Column {
                        name,
                        not_null,
                        has_default,
                        ..Column::default()
                    });
                }
                None => {}
            }
        } else if cursor.accept("INHERIT") {
            self.tables[index].borrows = true;
            self.tables[index]
                .parents
                .extend(cursor.qualified(&entry.namespace));
        }
        Some(())
    }

    fn read_constraint(&mut self, entry: &Entry, table: &mut Table, constraint: Constraint<'_, '_>) {
        let Constraint { name, mut cursor } = constraint;
        let primary = cursor.accept("PRIMARY KEY");
        if primary || cursor.accept("UNIQUE") {
            let nulls_not_distinct = cursor.accept("NULLS NOT DISTINCT");
            let parts = cursor.parenthesized().map(key_names).unwrap_or_default();
            table.uniques.push(Unique {
                dump_id: entry.dump_id,
                primary,
                parts: parts.into_iter().map(KeyPart::Column).collect(),
                nulls_not_distinct,
            });
        } else if cursor.accept("EXCLUDE") {
            if cursor.accept("USING") {
                cursor.advance();
            }
            let parts = cursor.parenthesized().map(index_parts).unwrap_or_default();
            table.uniques.push(Unique {
                dump_id: entry.dump_id,
                primary: false,
                parts,
                nulls_not_distinct: false,
            });
        } else if cursor.accept("FOREIGN KEY") {
            let columns = cursor.parenthesized().map(key_names).unwrap_or_default();
            if let Some(references) = cursor
                .accept("REFERENCES")
                .then(|| cursor.qualified(&entry.namespace))
                .flatten()
            {
                table.foreign_keys.push(ForeignKey {
                    dump_id: entry.dump_id,
                    name,
                    columns,
                    references,
                    referenced_columns: cursor.parenthesized().map(key_names).unwrap_or_default(),
                    match_full: { cursor }.skip_past("MATCH FULL"),
                    on_delete: on_delete(cursor),
                    not_valid: cursor.skip_past("NOT VALID"),
                });
            }
        } else if cursor.accept("CHECK") {
            table.checks.extend(check(&name, &mut cursor));
        } else if cursor.accept("NOT NULL") {
            read_not_null(table, cursor);
        }
    }

    fn read_unique_index(&mut self, entry: &Entry, mut cursor: Cursor<'_, '_>) -> Option<()> {
        cursor.identifier()?;
        if !cursor.accept("ON") {
            return None;
        }
        let _ = cursor.accept("ONLY");
        let table = cursor.qualified(&entry.namespace)?;
        let table = self.table(&table)?;
        if cursor.accept("USING") {
            cursor.advance();
        }
        let parts = index_parts(cursor.parenthesized()?);
        let nulls_not_distinct = cursor.skip_past("NULLS NOT DISTINCT");
        self.tables[table].uniques.push(Unique {
            dump_id: entry.dump_id,
            primary: false,
            parts,
            nulls_not_distinct,
        });
        Some(())
    }
}

/// PostgreSQL 18 names NOT NULL constraints: `CONSTRAINT users_email_not_null NOT NULL email`. The column may be inherited and
/// not known yet, then it is one without a type until it is merged.
fn read_not_null(table: &mut Table, mut cursor: Cursor<'_, '_>) {
    let Some(name) = cursor.identifier() else {
        return;
    };
    if cursor.skip_past("NOT VALID") {
        return;
    }
    match table.columns.iter_mut().find(|column| column.name == name) {
        Some(column) => column.not_null = true,
        None => table.columns.push(Column {
            name,
            not_null: true,
            ..Column::default()
        }),
    }
}
