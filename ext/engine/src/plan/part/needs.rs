//! What conditions need of what the backup makes itself: functions, types and the like that they name, and what these name in
//! turn. What names it is known by words, so that it may be more than is needed, never less: of a function's body no
//! backup says what it needs.

use super::{PartRule, Relation};
use crate::plan::parse::parse_condition;
use crate::plan::{walk, Statement};
use pg_dump_archive::{DumpId, EntryKind};
use sqlparser::ast::Expr;
use std::collections::{BTreeSet, HashSet};

/// What conditions may need before the backup's schema stands, each in the archive's order.
#[derive(Debug, Clone, Default)]
pub struct Needs {
    /// What they name, and what that needs in turn.
    pub named: Vec<Statement>,
    /// Extensions, with the schemas that these are in: what they bring, no statement of the backup's names.
    pub extensions: Vec<Statement>,
}

/// Whether what an entry creates can be part of an expression.
pub(crate) fn serves_expressions(kind: &EntryKind) -> bool {
    matches!(
        kind,
        EntryKind::Schema
            | EntryKind::ShellType
            | EntryKind::Type
            | EntryKind::Domain
            | EntryKind::Collation
            | EntryKind::Function
            | EntryKind::Operator
            | EntryKind::Cast
            | EntryKind::TextSearchConfiguration
            | EntryKind::TextSearchDictionary
            | EntryKind::TextSearchParser
            | EntryKind::TextSearchTemplate
    )
}

impl Needs {
    /// Those of the rules of some tables. `statements`: what the backup makes before rows.
    pub(in crate::plan) fn of<'r>(
        statements: &[Statement],
        relations: impl IntoIterator<Item = &'r Relation>,
    ) -> Self {
        let texts: Vec<String> = relations.into_iter().flat_map(texts).collect();
        let serving = statements.iter().filter(|one| serves_expressions(&one.kind));
        let mut named = named(serving.collect(), &texts.join("\n"));
        // By itself a schema serves nothing.
        if named.iter().all(|one| one.kind == EntryKind::Schema) {
            named.clear();
        }
        let extensions = statements.iter().filter(|one| one.kind == EntryKind::Extension);
        let homes: BTreeSet<String> = extensions.filter_map(Statement::home).collect();
        let comes = |one: &&Statement| match one.kind {
            EntryKind::Extension => true,
            EntryKind::Schema => homes.contains(&one.name),
            _ => false,
        };
        Self {
            named: named.into_iter().cloned().collect(),
            extensions: statements.iter().filter(comes).cloned().collect(),
        }
    }

    /// All of it, in an order in which it can be made.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Statement> {
        self.extensions.iter().chain(&self.named)
    }

    /// What one condition may need.
    pub(crate) fn of_condition(&self, condition: &str) -> Vec<&Statement> {
        let named = named(self.named.iter().collect(), condition);
        self.extensions.iter().chain(named).collect()
    }
}

/// What a rule reads of its table: its condition, and the types of values.
fn texts(relation: &Relation) -> Vec<String> {
    let asks = matches!(&relation.rule, PartRule::Own { .. });
    let condition = match &relation.rule {
        PartRule::Own { condition, .. } => condition.clone(),
        _ => None,
    };
    let columns = relation.columns.iter().filter(|column| asks || column.is_read());
    let kinds = columns.filter_map(|column| Some(column.kind.as_ref()?.sql()));
    kinds.chain(condition).collect()
}

/// The statements that make what a text names, and what these name or need in turn.
fn named<'s>(statements: Vec<&'s Statement>, text: &str) -> Vec<&'s Statement> {
    let mut seen = Seen::default();
    seen.read(text);
    let mut is_reached = vec![false; statements.len()];
    loop {
        let mut has_grown = false;
        for (statement, is_reached) in statements.iter().zip(&mut is_reached) {
            if !*is_reached && seen.reaches(statement) {
                *is_reached = true;
                has_grown = true;
                seen.made.insert(statement.dump_id);
                seen.needed.extend(&statement.needs);
                seen.read(&statement.sql);
            }
        }
        if !has_grown {
            let reached = statements.into_iter().zip(is_reached);
            return reached
                .filter_map(|(one, is_reached)| is_reached.then_some(one))
                .collect();
        }
    }
}

/// What was named so far.
#[derive(Default)]
struct Seen {
    words: HashSet<String>,
    symbols: HashSet<String>,
    made: HashSet<DumpId>,
    needed: HashSet<DumpId>,
}

impl Seen {
    fn read(&mut self, text: &str) {
        self.words.extend(words(text));
        self.symbols.extend(symbols(text));
    }

    fn reaches(&self, statement: &Statement) -> bool {
        let name = bare(&statement.name);
        let is_named = match statement.kind {
            // It has no name of its own, and comes with what it is made of.
            EntryKind::Cast => statement.needs.iter().any(|id| self.made.contains(id)),
            // A sign may stand before what it is used on, such as a minus.
            EntryKind::Operator => self.symbols.iter().any(|symbol| symbol.contains(name)),
            _ => words(name).all(|word| self.words.contains(&word)) && words(name).next().is_some(),
        };
        is_named || self.needed.contains(&statement.dump_id)
    }
}

/// The words of a text in small letters, names among them.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    // A dollar stands before a function's body, too.
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    words.filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// The signs of a text, operators among them.
fn symbols(text: &str) -> impl Iterator<Item = String> + '_ {
    let symbols = text.split(|c: char| !"+-*/<>=~!@#%^&|`?".contains(c));
    symbols.filter(|symbol| !symbol.is_empty()).map(str::to_owned)
}

/// `public.is_even(bigint)` → `is_even`.
fn bare(name: &str) -> &str {
    let name = name.split('(').next().unwrap_or_default();
    name.rsplit('.').next().unwrap_or_default()
}

/// Whether a condition calls a function, or another of its name.
pub(crate) fn calls(condition: &str, function: &Statement) -> bool {
    let name = bare(&function.name).to_lowercase();
    let is_called = |part: &Expr| {
        let Expr::Function(called) = part else {
            return false;
        };
        let called = called.name.to_string().to_lowercase();
        called.rsplit('.').next().map(|called| called.trim_matches('"')) == Some(name.as_str())
    };
    parse_condition(condition).is_ok_and(|expression| walk::any(&expression, is_called))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::part::{Compared, PartColumn, ValueType};
    use crate::plan::{Refusal, TableName};

    fn statement(id: i32, kind: EntryKind, name: &str, sql: &str, needs: &[i32]) -> Statement {
        Statement {
            dump_id: DumpId(id),
            kind,
            name: name.into(),
            sql: sql.into(),
            needs: needs.iter().copied().map(DumpId).collect(),
            refusal: Refusal::Fatal,
        }
    }

    fn made() -> Vec<Statement> {
        let function = |id, name: &str, body: &str, needs: &[i32]| {
            let sql = format!("CREATE FUNCTION {name} RETURNS text LANGUAGE sql AS $_${body}$_$;");
            statement(id, EntryKind::Function, name, &sql, needs)
        };
        vec![
            statement(1, EntryKind::Schema, "shop", "CREATE SCHEMA shop;", &[]),
            statement(2, EntryKind::Schema, "tools", "CREATE SCHEMA tools;", &[]),
            statement(
                3,
                EntryKind::Extension,
                "unaccent",
                "CREATE EXTENSION IF NOT EXISTS unaccent WITH SCHEMA tools;",
                &[],
            ),
            statement(
                4,
                EntryKind::Type,
                "public.mood",
                "CREATE TYPE public.mood AS ENUM ('low');",
                &[],
            ),
            statement(
                5,
                EntryKind::Domain,
                "public.short",
                "CREATE DOMAIN public.short AS text;",
                &[],
            ),
            function(6, "public.slug_of(text)", "shop.lowered($1)", &[]),
            function(7, "shop.lowered(text)", "lower($1)", &[]),
            function(8, "public.loud(public.mood)", "'!'", &[4]),
            function(9, "public.unused(text)", "''", &[]),
            statement(
                10,
                EntryKind::Operator,
                "public.<~>",
                "CREATE OPERATOR public.<~> (FUNCTION = public.near);",
                &[11],
            ),
            function(11, "public.near(text, text)", "''", &[]),
            statement(
                12,
                EntryKind::Cast,
                "CAST (text AS public.mood)",
                "CREATE CAST (text AS public.mood) WITH INOUT;",
                &[4],
            ),
            statement(
                13,
                EntryKind::Table,
                "public.slug_of",
                "CREATE TABLE public.slug_of ();",
                &[],
            ),
        ]
    }

    fn users(condition: &str, kind: &str) -> Relation {
        Relation {
            table: TableName::new("public", "users"),
            blocks: Vec::new(),
            columns: vec![PartColumn {
                name: "a".into(),
                compared: Compared::Text,
                is_key: false,
                kind: Some(ValueType {
                    sql: kind.into(),
                    collation: None,
                }),
            }],
            rule: PartRule::Own {
                condition: Some(condition.into()),
                cap: None,
            },
            is_excluded: false,
        }
    }

    fn needed(condition: &str, kind: &str) -> Vec<i32> {
        let needs = Needs::of(&made(), [&users(condition, kind)]);
        needs.named.iter().map(|one| one.dump_id.0).collect()
    }

    #[test]
    fn a_condition_needs_what_it_names_and_what_that_names_in_turn() {
        assert_eq!(needed("a = 'x'", "text"), [0; 0]);
        assert_eq!(needed("Slug_Of (a) = 'x'", "text"), [1, 6, 7]);
        assert_eq!(needed("loud('low') = 'x'", "text"), [4, 8, 12]);
        assert_eq!(needed("a <~> 'x'", "text"), [10, 11]);
        assert_eq!(needed("slug_off(a) = 'x'", "text"), [0; 0]);
    }

    #[test]
    fn a_column_that_is_read_needs_its_type() {
        assert_eq!(needed("a IS NULL", "\"public\".\"short\""), [5]);
    }

    #[test]
    fn a_schema_alone_is_not_needed() {
        assert_eq!(needed("shop = 'x'", "text"), [0; 0]);
    }

    #[test]
    fn extensions_come_with_their_schemas() {
        let needs = Needs::of(&made(), [&users("slug_of(a) = 'x'", "text")]);
        let all: Vec<i32> = needs.all().map(|one| one.dump_id.0).collect();
        assert_eq!(all, [2, 3, 1, 6, 7]);
        let of_one: Vec<i32> = needs
            .of_condition("lowered(a)")
            .iter()
            .map(|one| one.dump_id.0)
            .collect();
        assert_eq!(of_one, [2, 3, 1, 7]);
    }

    #[test]
    fn a_call_is_known_from_a_column_and_from_a_value() {
        let made = made();
        let calls = |condition| calls(condition, &made[5]);
        for condition in [
            "public.slug_of(a) = 'x'",
            "b OR SLUG_OF (lower(a)) = ''",
            "\"slug_of\"(a)",
        ] {
            assert!(calls(condition), "{condition}");
        }
        for condition in [
            "slug_of = 'x'",
            "my_slug_of(a)",
            "slug_off(a)",
            "a = 'slug_of(a)'",
        ] {
            assert!(!calls(condition), "{condition}");
        }
    }
}
