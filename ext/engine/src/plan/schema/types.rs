//! Types: as they are written, and what they are below the archive's own domains.

use super::clauses;
use super::{CheckConstraint, Column, Schema};
use crate::plan::sql::{lex, Cursor};
use crate::plan::{quote_identifier, TableName};
use masking::{Equal, Type};

/// A type as pg_dump writes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct TypeName {
    /// The schema, where one is written.
    pub schema: Option<String>,
    /// The name, words separated by one blank, without modifiers.
    pub name: String,
    /// Numbers in parentheses.
    pub modifiers: Vec<usize>,
    /// Followed by `[]`.
    pub array: bool,
    /// Followed by COLLATE, with this.
    pub collation: Option<TableName>,
}

impl TypeName {
    /// Reads a type as the server writes it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        clauses::type_name(&mut Cursor::new(&lex(text)))
    }

    /// As SQL writes it for a session that looks nowhere but in `pg_catalog`. Of modifiers only those whose lack would say
    /// something else.
    pub(crate) fn sql(&self) -> String {
        let array = if self.array { "[]" } else { "" };
        match (&self.schema, self.name.as_str(), self.modifiers.first()) {
            (Some(schema), name, _) => {
                format!("{}.{}{array}", quote_identifier(schema), quote_identifier(name))
            }
            (None, name @ ("character" | "bit"), Some(length)) => format!("{name}({length}){array}"),
            (None, "character", None) => format!("bpchar{array}"),
            (None, name, _) => format!("{name}{array}"),
        }
    }
}

/// What a type is below its domains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base<'a> {
    /// An enum of the archive's.
    Enum,
    /// A type that the archive does not make: PostgreSQL's own, or an extension's.
    Given(&'a TypeName),
    /// An array, or another type that the archive makes.
    Other,
}

/// A user's type.
#[derive(Debug, Clone)]
pub(super) enum UserType {
    Enum(Vec<String>),
    Domain {
        base: TypeName,
        not_null: bool,
        checks: Vec<CheckConstraint>,
    },
    Range,
    MultiRange,
    Composite(Vec<Column>),
}

impl Schema {
    /// What masking has to know of a type, and whether a domain in it is NOT NULL. `home` is where a name
    /// without a schema is looked for.
    pub fn resolve(&self, column_type: &TypeName, home: &str) -> (Type, bool) {
        let mut not_null = false;
        let mut current = column_type.clone();
        let mut collation = None;
        // Domains over domains; PostgreSQL lets none be circular, a damaged archive might.
        for _ in 0..32 {
            // A column's own stands before that of its domain.
            collation = collation.or_else(|| current.collation.clone());
            if current.array {
                let of = TypeName {
                    array: false,
                    ..current
                };
                return (Type::Array(Box::new(self.resolve(&of, home).0)), not_null);
            }
            let key = TableName::new(current.schema.as_deref().unwrap_or(home), &current.name);
            let built_in = || Type::from_name(&current.name, &current.modifiers);
            return match self.types.get(&key) {
                Some(UserType::Domain {
                    base,
                    not_null: required,
                    ..
                }) => {
                    not_null |= required;
                    current = base.clone();
                    continue;
                }
                Some(UserType::Enum(labels)) => (Type::Enum(labels.clone()), not_null),
                Some(UserType::Range) => (Type::Range, not_null),
                Some(UserType::MultiRange) => (Type::MultiRange, not_null),
                Some(UserType::Composite(_)) => (Type::Other(current.name), not_null),
                None => {
                    let kind = built_in().unwrap_or(Type::Other(current.name));
                    (self.collated(kind, collation.as_ref()), not_null)
                }
            };
        }
        (Type::Other(column_type.name.clone()), not_null)
    }

    /// A type whose values this collation compares.
    fn collated(&self, kind: Type, collation: Option<&TableName>) -> Type {
        match kind {
            Type::Text {
                limit,
                padded,
                ignores_case,
            } => Type::Text {
                limit,
                padded,
                ignores_case: ignores_case
                    || collation.is_some_and(|name| self.equal.get(name) >= Some(&Equal::WithoutCase)),
            },
            other => other,
        }
    }

    /// The collation that is written at the type or, where none is, at the nearest domain below it that has one.
    pub(crate) fn collation<'a>(&'a self, column_type: &'a TypeName, home: &str) -> Option<&'a TableName> {
        let mut current = column_type;
        // Domains over domains, as above.
        for _ in 0..32 {
            if current.collation.is_some() {
                break;
            }
            let key = TableName::new(current.schema.as_deref().unwrap_or(home), &current.name);
            match self.types.get(&key) {
                Some(UserType::Domain { base, .. }) => current = base,
                _ => break,
            }
        }
        current.collation.as_ref()
    }

    /// Which texts of this type its collation takes for equal.
    pub(crate) fn equal(&self, column_type: &TypeName, home: &str) -> Equal {
        let collation = self.collation(column_type, home);
        collation
            .and_then(|name| self.equal.get(name).copied())
            .unwrap_or_default()
    }

    /// What a type is below its domains. `home` is where a name without a schema is looked for.
    pub fn base<'a>(&'a self, column_type: &'a TypeName, home: &str) -> Base<'a> {
        let mut current = column_type;
        // Domains over domains, as above.
        for _ in 0..32 {
            if current.array {
                return Base::Other;
            }
            let key = TableName::new(current.schema.as_deref().unwrap_or(home), &current.name);
            match self.types.get(&key) {
                Some(UserType::Domain { base, .. }) => current = base,
                Some(UserType::Enum(_)) => return Base::Enum,
                Some(_) => return Base::Other,
                None => return Base::Given(current),
            }
        }
        Base::Other
    }

    /// The CHECKs of the domains that a type is one of.
    pub(crate) fn domain_checks(&self, column_type: &TypeName, home: &str) -> Vec<&CheckConstraint> {
        let mut found = Vec::new();
        let mut current = column_type;
        // Domains over domains, as above.
        for _ in 0..32 {
            let key = TableName::new(current.schema.as_deref().unwrap_or(home), &current.name);
            match self.types.get(&key) {
                Some(UserType::Domain { base, checks, .. }) if !current.array => {
                    found.extend(checks);
                    current = base;
                }
                _ => break,
            }
        }
        found
    }
}
