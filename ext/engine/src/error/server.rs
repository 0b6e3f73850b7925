//! A PostgreSQL error, as data that no row's value can be in.
//!
//! What the server says of an error may quote a value anywhere and in any language, so where rows can be involved
//! nothing of it is repeated but what is structured: the code, the names of objects, and a place in SQL that we sent.
//! Who asks the server says with [`Doing`] whether they can be.

use super::excerpt::{excerpt, Names as Quoted};
use super::sqlstate::is_about_objects;
use super::{About, Error, Kind};
use crate::failure::{Attempt, ServerAnswer, ServerDetail, ServerFailure, ServerRemedy};
use tokio_postgres::error::{DbError, ErrorPosition};

/// The function of PL/pgSQL by which functions raise errors of their own: what they name may be anything.
const RAISE: &str = "exec_stmt_raise";

/// A file of the server's could not grow.
const DISK_FULL: &str = "53100";

/// A longer name cannot be PostgreSQL's, which have at most 63 bytes.
const LONGEST_NAME: usize = 63;

/// How much is quoted of the server's own words, and of a statement of ours, in characters.
const LONGEST_WORDS: usize = 300;
const LONGEST_NEAR: usize = 40;

/// What the server was asked for, and whether a row's value can be in what it says of it.
#[derive(Debug, Clone, Copy)]
pub enum Doing<'a> {
    /// No row is near: settings, catalogs, privileges, the creation and the dropping of objects without rows.
    WithoutRows(&'a Attempt),
    /// Rows are read, written, compared or computed with, by the database's own casts, indexes' expressions,
    /// generated columns, constraints, triggers, views.
    WithRows(&'a Attempt),
    /// The same for a statement that ran discreetly: its error is one that we raised, of the same code, and the names in
    /// it were looked up.
    Discreet(&'a Attempt),
    /// A rule's own SQL, which the server was shown.
    Rule {
        /// The rule, as messages call it.
        rule: &'a str,
        /// What was sent.
        sql: &'a str,
    },
    /// The same for a condition of another option, or for what has none.
    Condition {
        /// What was asked.
        attempt: &'a Attempt,
        /// The condition, and what was sent of it before.
        condition: Option<(&'a str, &'a str)>,
    },
}

impl Doing<'_> {
    fn attempt(self) -> Attempt {
        match self {
            Self::WithoutRows(attempt)
            | Self::WithRows(attempt)
            | Self::Discreet(attempt)
            | Self::Condition { attempt, .. } => attempt.clone(),
            Self::Rule { rule, .. } => Attempt::Rule {
                rule: rule.to_owned(),
            },
        }
    }
}

impl Error {
    /// A PostgreSQL error, by what was attempted.
    ///
    /// It holds the code, whose meaning the caller has words for, and the names of type, table, column and constraint, as far as
    /// the server gave them and no function of the database's own did. Of a rule's SQL it quotes where the fault is, without the
    /// texts in it.
    /// The server's own words are in it only where no row is near and the error is about objects; never its DETAIL, its
    /// HINT or its CONTEXT (PostgreSQL's documentation, "Error and Notice Message Fields").
    pub fn from_server(doing: Doing<'_>, error: &tokio_postgres::Error) -> Self {
        let attempt = doing.attempt();
        let Some(report) = error.as_db_error() else {
            return Self::new(
                Kind::TargetConnection,
                ServerFailure::Broke { attempt },
                ServerRemedy::LookAtServerLog,
            );
        };
        let code = report.code().code();
        let kind = kind(code);
        let names = Names::of(doing, report);
        let answer = answer(doing, report, &names);
        let about = About {
            table: names.table,
            column: names.column,
            rows: None,
            sqlstate: Some(code.to_owned()),
            faults: Vec::new(),
        };
        Self::new(
            kind,
            ServerFailure::Refused { attempt, answer },
            remedy(kind, code),
        )
        .about(about)
    }
}

/// Why the server refused something: in its words where they can be quoted, else by its code.
pub(crate) fn reason(doing: Doing<'_>, error: &tokio_postgres::Error) -> ServerAnswer {
    match error.as_db_error() {
        Some(report) => answer(doing, report, &Names::of(doing, report)),
        None => ServerAnswer::Broke,
    }
}

/// The same of what a function caught where no row is near: the code, and what the server said.
pub(crate) fn words_of(code: &str, message: &str) -> ServerAnswer {
    let details = vec![ServerDetail::Sqlstate {
        sqlstate: code.to_owned(),
    }];
    match is_about_objects(code) {
        true => said(message, details),
        false => ServerAnswer::Meant {
            sqlstate: code.to_owned(),
            details,
        },
    }
}

fn said(message: &str, details: Vec<ServerDetail>) -> ServerAnswer {
    let words: Vec<&str> = message.split_whitespace().collect();
    ServerAnswer::Said {
        message: cut(&words.join(" "), LONGEST_WORDS),
        details,
    }
}

fn kind(code: &str) -> Kind {
    match code {
        "42501" => Kind::Privilege,
        "55P03" | "40P01" | "40001" => Kind::LockTimeout,
        // Class 08, the server going down or ending this session, and its time limits on idle ones.
        code if code.starts_with("08") => Kind::TargetConnection,
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25P04" => Kind::TargetConnection,
        _ => Kind::Restore,
    }
}

fn remedy(kind: Kind, code: &str) -> ServerRemedy {
    match kind {
        Kind::Restore if code == DISK_FULL => ServerRemedy::MoreRoom,
        Kind::Privilege => ServerRemedy::GrantRight,
        Kind::LockTimeout => ServerRemedy::WaitForSession,
        Kind::TargetConnection => ServerRemedy::LookAtServerLog,
        _ => ServerRemedy::RemoveCause,
    }
}

/// The server's words where they can be quoted, else its code.
fn answer(doing: Doing<'_>, report: &DbError, names: &Names) -> ServerAnswer {
    let (code, details) = (report.code().code(), names.details(doing, report));
    match doing {
        Doing::WithoutRows(_) if is_about_objects(code) && report.routine() != Some(RAISE) => {
            said(report.message(), details)
        }
        _ => ServerAnswer::Meant {
            sqlstate: code.to_owned(),
            details,
        },
    }
}

/// The names of objects that the server gives and that may be shown.
#[derive(Default)]
struct Names {
    data_type: Option<String>,
    table: Option<String>,
    column: Option<String>,
    constraint: Option<String>,
}

impl Names {
    fn of(doing: Doing<'_>, report: &DbError) -> Self {
        // What a function of the database's own raises may call anything a table.
        if !matches!(doing, Doing::Discreet(_)) && report.routine() == Some(RAISE) {
            return Self::default();
        }
        let shown = |name: &str| {
            let is_shown = name.split('.').all(is_name);
            is_shown.then(|| name.to_owned())
        };
        let table = match (report.schema(), report.table()) {
            (Some(schema), Some(table)) if is_name(schema) => Some(format!("{schema}.{table}")),
            (_, table) => table.map(str::to_owned),
        };
        Self {
            data_type: report.datatype().and_then(shown),
            table: table.as_deref().and_then(shown),
            column: report.column().and_then(shown),
            constraint: report.constraint().and_then(shown),
        }
    }

    /// What is known of it.
    fn details(&self, doing: Doing<'_>, report: &DbError) -> Vec<ServerDetail> {
        let mut details = vec![ServerDetail::Sqlstate {
            sqlstate: report.code().code().to_owned(),
        }];
        let name = |name: &Option<String>| name.clone();
        details.extend(name(&self.data_type).map(|name| ServerDetail::Type { name }));
        details.extend(name(&self.table).map(|name| ServerDetail::Table { name }));
        details.extend(name(&self.column).map(|name| ServerDetail::Column { name }));
        details.extend(name(&self.constraint).map(|name| ServerDetail::Constraint { name }));
        if let Some(ErrorPosition::Original(at)) = report.position() {
            let near = match doing {
                Doing::Rule { sql, .. } => near(sql, *at, Quoted::Shown),
                Doing::Condition {
                    condition: Some((condition, before)),
                    ..
                } => {
                    let before = u32::try_from(before.chars().count()).unwrap_or(u32::MAX);
                    near(condition, at.saturating_sub(before), Quoted::Hidden)
                }
                _ => None,
            };
            details.extend(near.map(|sql| ServerDetail::Near { sql }));
        }
        details
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_NAME && !text.contains(char::is_control)
}

/// The words of a statement from a place on, which counts characters from 1, without its texts.
fn near(sql: &str, at: u32, names: Quoted) -> Option<String> {
    let from = usize::try_from(at.checked_sub(1)?).ok()?;
    Some(cut(&excerpt(sql, from, names)?, LONGEST_NEAR))
}

/// A text of so many characters at most.
fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_rule_is_quoted_from_there_on_without_its_texts() {
        let near = |sql, at| near(sql, at, Quoted::Shown);
        let sql = "UPDATE pg_temp.users\n  SET phone = 'é' || emial || repeat('x', 20) || repeat('y', 20)";
        assert_eq!(near("SELECT emial", 8).as_deref(), Some("emial"));
        assert_eq!(
            near(sql, 1).as_deref(),
            Some("UPDATE pg_temp.users SET phone = '…' || …")
        );
        assert_eq!(near(sql, 0), None);
        assert_eq!(near("SELECT 1", 99), None);
    }

    #[test]
    fn what_a_function_caught_is_quoted_only_of_what_speaks_of_objects() {
        let quotes = |code| matches!(words_of(code, "no type\n mood"), ServerAnswer::Said { message, .. } if message == "no type mood");
        assert!(quotes("42704") && !quotes("22P02") && !quotes("P0001"));
    }

    #[test]
    fn a_text_that_no_name_can_be_is_none() {
        assert!(is_name("users"));
        assert!(!is_name("") && !is_name(&"x".repeat(64)) && !is_name("a\nb"));
    }
}
