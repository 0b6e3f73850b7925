//! What can be known of a condition without the server: that it is one, that it reads its own table's columns, and that it
//! calls nothing which writes.

use super::names::{column_shown, quoted_in_sql, table_shown};
use crate::error::without_texts;
use crate::failure::{PartFault, SqlTrouble};
use crate::plan::parse::{folded, has_query, parse_condition};
use crate::plan::part::own_entry::Place;
use crate::plan::schema::Table;
use crate::plan::walk;
use sqlparser::ast::{
    AccessExpr, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName,
    ObjectNamePart,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer, Whitespace};
use std::collections::{BTreeSet, HashSet};

/// PostgreSQL's own functions that write.
const WRITING: [&str; 12] = [
    "nextval",
    "setval",
    "lo_creat",
    "lo_create",
    "lo_import",
    "lo_unlink",
    "lo_put",
    "lo_from_bytea",
    "lo_truncate",
    "lo_truncate64",
    "lowrite",
    "pg_notify",
];

/// PostgreSQL's own functions that run a query or read a table.
const READING: [&str; 12] = [
    "query_to_xml",
    "query_to_xmlschema",
    "query_to_xml_and_xmlschema",
    "table_to_xml",
    "table_to_xmlschema",
    "table_to_xml_and_xmlschema",
    "schema_to_xml",
    "schema_to_xml_and_xmlschema",
    "database_to_xml",
    "database_to_xml_and_xmlschema",
    "cursor_to_xml",
    "ts_stat",
];

/// PostgreSQL's own functions that act on the server or on other sessions.
const ACTING: [&str; 10] = [
    "pg_cancel_backend",
    "pg_terminate_backend",
    "pg_reload_conf",
    "pg_rotate_logfile",
    "pg_logical_emit_message",
    "pg_create_restore_point",
    "pg_switch_wal",
    "pg_promote",
    "pg_current_xact_id",
    "pg_export_snapshot",
];

/// How the names of further ones begin.
const ACTING_FAMILIES: [&str; 3] = ["pg_advisory_", "pg_try_advisory_", "pg_stat_reset"];

fn acts(function: &str) -> bool {
    ACTING.contains(&function) || ACTING_FAMILIES.iter().any(|family| function.starts_with(family))
}

/// A longer condition is not repeated.
const LONGEST: usize = 80;

/// Everything that is wrong with a condition; the columns that it reads are added to `reads`. `place`: None where it is not
/// known which table is meant.
pub(super) fn problems(
    condition: &str,
    place: Option<&Place<'_>>,
    reads: &mut BTreeSet<String>,
) -> Vec<PartFault> {
    if let Some(behind) = behind_where(condition) {
        let mut faults = problems(behind, place, reads);
        faults.insert(0, PartFault::WhereWord);
        return faults;
    }
    let expression = match parse_condition(condition) {
        Ok(expression) => expression,
        // The parser does not know all forms of a query.
        Err(_) if has_query(condition) => return vec![PartFault::WhereQuery],
        Err(why) => {
            let trouble = match why.into() {
                SqlTrouble::Parser { words } => SqlTrouble::Parser {
                    words: without_texts(&words, condition),
                },
                SqlTrouble::More { token } => SqlTrouble::More {
                    token: without_texts(&token, condition),
                },
            };
            return vec![PartFault::WhereUnread { trouble }];
        }
    };
    let mut look = Look {
        condition,
        place,
        reads,
        problems: Vec::new(),
        seen: HashSet::new(),
        fields: HashSet::new(),
    };
    if has_query(condition) {
        look.problems.push(PartFault::WhereQuery);
    }
    // What a SELECT names may be another table's.
    walk::expressions(&expression, |depth, part| {
        if depth == 0 {
            look.at(part);
        }
    });
    look.problems
}

/// What is found on the way through a condition.
struct Look<'a> {
    condition: &'a str,
    place: Option<&'a Place<'a>>,
    reads: &'a mut BTreeSet<String>,
    problems: Vec<PartFault>,
    seen: HashSet<String>,
    /// Parts of it that name fields of a composite value, which are no columns.
    fields: HashSet<*const Expr>,
}

impl Look<'_> {
    fn at(&mut self, part: &Expr) {
        match part {
            Expr::Function(function) => self.function(function),
            Expr::CompoundFieldAccess { access_chain, .. } => {
                let fields = access_chain.iter().filter_map(|one| match one {
                    AccessExpr::Dot(field) => Some(std::ptr::from_ref(field)),
                    AccessExpr::Subscript(_) => None,
                });
                self.fields.extend(fields);
            }
            _ if self.fields.contains(&std::ptr::from_ref(part)) => {}
            _ => {
                if let Some(place) = self.place {
                    self.name(part, place);
                }
            }
        }
    }

    fn function(&mut self, function: &Function) {
        if let (Some(place), true) = (self.place, takes_row(function)) {
            self.problems.push(whole_row(place.table()));
        }
        let Some(name) = own_function(&function.name) else {
            return;
        };
        let function = name.clone();
        let fault = match name.as_str() {
            name if WRITING.contains(&name) => PartFault::WhereWrites { function },
            name if READING.contains(&name) => PartFault::WhereRunsQuery { function },
            name if acts(name) => PartFault::WhereActs { function },
            _ => return,
        };
        if !self.problems.contains(&fault) {
            self.problems.push(fault);
        }
    }

    /// Looks at what may be a column, or whole rows.
    fn name(&mut self, part: &Expr, place: &Place<'_>) {
        let table = place.table();
        let column = match part {
            Expr::Identifier(column) => column,
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [named, column] if folded(named) == table.name.name => column,
                _ => {
                    let fault = place.reads_table(self.condition, parts);
                    let fault = fault.unwrap_or_else(|| reads_other(parts, table));
                    if !self.problems.contains(&fault) {
                        self.problems.push(fault);
                    }
                    return;
                }
            },
            Expr::QualifiedWildcard(..) | Expr::Wildcard(_) => {
                self.problems.push(whole_row(table));
                return;
            }
            _ => return,
        };
        let name = folded(column);
        if !self.seen.insert(name.clone()) {
            return;
        }
        if table.column(&name).is_some() {
            self.reads.insert(name);
        } else if matches!(part, Expr::Identifier(_)) && name == table.name.name {
            self.problems.push(whole_row(table));
        } else {
            self.problems.push(self.no_column(column, &name, place));
        }
    }

    fn no_column(&self, column: &Ident, name: &str, place: &Place<'_>) -> PartFault {
        let table = place.table();
        let shown = table_shown(&table.name);
        if column.quote_style.is_some() {
            // It may be a text that a person is known by.
            return match place.near(name) {
                Some(meant) => PartFault::WhereQuotesMeant { table: shown, meant },
                None => PartFault::WhereQuotes { table: shown },
            };
        }
        let is_meant = |known: &&str| known.to_lowercase() == name;
        let mut names = table.columns.iter().map(|known| known.name.as_str());
        let Some(meant) = names.find(is_meant) else {
            return place.no_column(name);
        };
        let (column, meant) = (name.to_owned(), quoted_in_sql(meant));
        match quoting(self.condition, &column, &meant) {
            Some(condition) => PartFault::WhereCapitals {
                table: shown,
                column,
                meant,
                condition,
            },
            None => PartFault::WhereCapitalsThere {
                table: shown,
                column,
                meant,
            },
        }
    }
}

/// What stands behind the word WHERE, where a condition begins with it.
fn behind_where(condition: &str) -> Option<&str> {
    let (word, behind) = condition.trim_start().split_at_checked("where".len())?;
    let is_word =
        word.eq_ignore_ascii_case("where") && behind.starts_with(|c: char| c.is_whitespace() || c == '(');
    is_word.then_some(behind)
}

/// Whether a whole row is among its arguments.
fn takes_row(function: &Function) -> bool {
    let FunctionArguments::List(list) = &function.args else {
        return false;
    };
    let is_row =
        |one: &FunctionArg| matches!(one, FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(_)));
    list.args.iter().any(is_row)
}

/// The name of a function that is PostgreSQL's own, or may be.
fn own_function(name: &ObjectName) -> Option<String> {
    let parts: Vec<String> = (name.0.iter())
        .filter_map(|part| match part {
            ObjectNamePart::Identifier(ident) => Some(folded(ident)),
            ObjectNamePart::Function(_) => None,
        })
        .collect();
    match parts.as_slice() {
        [name] => Some(name.clone()),
        [schema, name] if schema == "pg_catalog" => Some(name.clone()),
        _ => None,
    }
}

fn reads_other(parts: &[Ident], table: &Table) -> PartFault {
    // What stands in double quotes may be a value.
    let shown = parts.iter().map(|part| match part.quote_style {
        Some(_) if table.column(&part.value).is_none() && part.value != table.name.name => "\"…\"".to_owned(),
        _ => part.to_string(),
    });
    PartFault::WhereReadsOther {
        name: shown.collect::<Vec<_>>().join("."),
        table: table_shown(&table.name),
    }
}

fn whole_row(table: &Table) -> PartFault {
    let columns = table.columns.iter().filter(|column| column.generated.is_none());
    PartFault::WhereWholeRow {
        columns: columns.map(|column| column_shown(&column.name)).collect(),
    }
}

/// A condition as it is; None where it is long, or has texts, which may be a person's.
pub(super) fn shown(condition: &str) -> Option<String> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, condition).tokenize().ok()?;
    let is_plain = |token: &Token| match token {
        Token::Whitespace(space) => {
            matches!(space, Whitespace::Space | Whitespace::Newline | Whitespace::Tab)
        }
        token => !token.to_string().contains(['\'', '"', '$']),
    };
    let is_shown = condition.chars().count() <= LONGEST && tokens.iter().all(is_plain);
    is_shown.then(|| condition.trim().to_owned())
}

/// A condition that reads columns of one other table alone, as that table's rule has it; None where it reads others, too, or is
/// not repeated.
pub(super) fn without_table(condition: &str, qualifier: &[Ident]) -> Option<String> {
    let condition = shown(condition)?;
    let is_it = |parts: &[Ident]| parts.iter().map(folded).eq(qualifier.iter().map(folded));
    let mut is_alone = true;
    walk::expressions(&parse_condition(&condition).ok()?, |_, part| match part {
        Expr::Identifier(_) => is_alone = false,
        Expr::CompoundIdentifier(parts) => {
            is_alone &= parts.split_last().is_some_and(|(_, before)| is_it(before));
        }
        _ => {}
    });
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, &condition)
        .tokenize()
        .ok()?;
    let words: Vec<Token> = qualifier
        .iter()
        .flat_map(|part| [Token::make_word(&folded(part), None), Token::Period])
        .collect();
    let is_same = |one: &Token, other: &Token| match (one, other) {
        (Token::Word(one), Token::Word(other)) => one.value.to_lowercase() == other.value,
        _ => one == other,
    };
    let (mut written, mut at) = (String::new(), 0);
    while let Some(token) = tokens.get(at) {
        let next = tokens.get(at..at + words.len()).unwrap_or_default();
        if next.len() == words.len() && next.iter().zip(&words).all(|(one, other)| is_same(one, other)) {
            at += words.len();
        } else {
            written.push_str(&token.to_string());
            at += 1;
        }
    }
    is_alone.then_some(written)
}

/// The condition with a column in double quotes wherever it stands without; None where it is long, or has texts, which may be
/// a person's.
fn quoting(condition: &str, column: &str, quoted: &str) -> Option<String> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, condition).tokenize().ok()?;
    let mut written = String::new();
    for token in tokens {
        match &token {
            Token::Word(word) if word.quote_style.is_none() && word.value.to_lowercase() == column => {
                written.push_str(quoted);
            }
            Token::Word(word) if word.quote_style.is_some() => return None,
            Token::Whitespace(Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_)) => {
                return None
            }
            Token::Word(_) | Token::Number(..) | Token::Whitespace(_) | Token::Comma | Token::Period => {
                written.push_str(&token.to_string());
            }
            Token::LParen | Token::RParen | Token::Eq | Token::Neq | Token::Lt | Token::Gt => {
                written.push_str(&token.to_string());
            }
            Token::LtEq | Token::GtEq | Token::Plus | Token::Minus | Token::Mul | Token::DoubleColon => {
                written.push_str(&token.to_string());
            }
            _ => return None,
        }
    }
    (written.chars().count() <= LONGEST).then_some(written)
}
