//! What the server is asked of a rule before any row is there, and what to do where it refuses.

use super::names::{column_shown, table_shown};
use super::operands::operands;
use super::{PartRule, Relation};
use crate::error::{Doing, Error};
use crate::failure::{Attempt, PartRemedy};
use crate::plan::quote_identifier;

/// Before a query that is to be looked at, and not run.
const EXPLAIN: &str = "EXPLAIN ";

/// A part of a rule, asked about by itself: a fault in one hides none in another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What it is about.
    pub about: Aspect,
    /// The query that the server accepts or refuses.
    pub sql: String,
    /// The condition in it, if it has one.
    pub(crate) condition: Option<String>,
    /// What stands in the query before that.
    before: String,
}

/// What of a rule a question is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aspect {
    /// Its condition.
    Condition,
    /// A column that its rows are ordered by.
    Order(String),
}

impl Relation {
    /// What the server is asked of its rule before any row is there.
    pub fn questions(&self) -> Vec<Question> {
        self.questions_of(&self.table.sql())
    }

    /// The same, asked of the relation that stands in for the table.
    pub(crate) fn questions_of(&self, rows: &str) -> Vec<Question> {
        let PartRule::Own { condition, cap } = &self.rule else {
            return Vec::new();
        };
        let condition = condition.iter().map(|condition| self.whether(condition, rows));
        let order = cap.iter().flat_map(|cap| &cap.order).map(|name| Question {
            about: Aspect::Order(name.clone()),
            sql: format!("{} ORDER BY {}", self.select(rows), quote_identifier(name)),
            condition: None,
            before: String::new(),
        });
        condition.chain(order).collect()
    }

    /// The parts of a question about a condition, each a question by itself; none where it has no parts.
    pub(crate) fn parts_of(&self, question: &Question, rows: &str) -> Vec<Question> {
        let parts = question
            .condition
            .iter()
            .flat_map(|condition| operands(condition));
        parts.map(|part| self.whether(part, rows)).collect()
    }

    fn whether(&self, condition: &str, rows: &str) -> Question {
        let before = format!("{} WHERE (", self.select(rows));
        Question {
            about: Aspect::Condition,
            sql: format!("{before}{condition}\n)"),
            condition: Some(condition.to_owned()),
            before,
        }
    }

    fn select(&self, rows: &str) -> String {
        format!("SELECT 1 FROM {rows} AS {}", quote_identifier(&self.table.name))
    }
}

impl Question {
    /// What is sent.
    pub(crate) fn asked(&self) -> String {
        format!("{EXPLAIN}{}", self.sql)
    }

    /// The server's refusal, which repeats no text of the condition.
    pub(crate) fn refusal(&self, relation: &Relation, error: &tokio_postgres::Error) -> Error {
        let before = format!("{EXPLAIN}{}", self.before);
        let doing = Doing::Condition {
            attempt: &self.about.attempt(relation),
            condition: self
                .condition
                .as_deref()
                .map(|condition| (condition, &before[..])),
        };
        Error::from_server(doing, error)
    }
}

impl Aspect {
    /// What of a table's rule was asked.
    pub(crate) fn attempt(&self, relation: &Relation) -> Attempt {
        let table = table_shown(&relation.table);
        match self {
            Self::Condition => Attempt::SubsetCondition { table },
            Self::Order(column) => Attempt::SubsetOrder {
                table,
                column: column_shown(column),
            },
        }
    }

    /// What to do where the server refuses it with this SQLSTATE.
    pub(crate) fn remedy(&self, code: &str) -> PartRemedy {
        match (self, code) {
            (_, "42501") => PartRemedy::GrantOrLeaveOut,
            (Self::Condition, code) => condition_remedy(code),
            (Self::Order(_), "42883") => PartRemedy::OrderByOrdered,
            (Self::Order(_), _) => PartRemedy::OrderByOther,
        }
    }
}

/// What to do where the server refuses a condition, before any row is there or at a row.
pub(crate) fn condition_remedy(code: &str) -> PartRemedy {
    match code {
        "42804" => PartRemedy::TrueOrFalse,
        "42883" | "42725" => PartRemedy::CompareAlike,
        "22P02" | "22007" | "22008" | "22003" => PartRemedy::WriteAsType,
        "42601" => PartRemedy::WriteSql,
        "42803" | "42P20" => PartRemedy::NoAggregate,
        "0A000" => PartRemedy::NoSet,
        "42P01" => PartRemedy::OwnColumns,
        "42846" => PartRemedy::CastByText,
        "22012" => PartRemedy::NoZero,
        // Only what writes can meet a constraint.
        code if code == "25006" || code.starts_with("23") => PartRemedy::NoWriting,
        "25001" => PartRemedy::NoSetting,
        _ => PartRemedy::CorrectCondition,
    }
}

/// The same where it fails at a row.
pub(crate) fn at_a_row_remedy(code: &str) -> PartRemedy {
    match code {
        "22P02" | "22007" | "22008" | "22003" | "22023" => PartRemedy::KeepByCase,
        "57014" => PartRemedy::LessTime,
        "53100" | "53200" => PartRemedy::RoomOrFewerRows,
        code => condition_remedy(code),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Cap;
    use super::*;
    use crate::plan::TableName;

    fn relation(rule: PartRule) -> Relation {
        Relation {
            table: TableName::new("public", "odd\"s"),
            blocks: Vec::new(),
            columns: Vec::new(),
            rule,
            is_excluded: false,
        }
    }

    #[test]
    fn the_server_is_asked_about_the_condition_and_each_column_of_the_order_by_itself() {
        let questions = |rule| {
            let asked = relation(rule).questions();
            asked.into_iter().map(|one| one.sql).collect::<Vec<_>>()
        };
        let cap = |order: &[&str]| Cap {
            rows: 3,
            order: order.iter().map(|name| (*name).to_owned()).collect(),
            descending: true,
        };
        assert_eq!(questions(PartRule::All), Vec::<String>::new());
        let asked = "SELECT 1 FROM \"public\".\"odd\"\"s\" AS \"odd\"\"s\"";
        let all = PartRule::Own {
            condition: Some("a > 1 -- more".into()),
            cap: Some(cap(&["at", "id"])),
        };
        let expected = [
            format!("{asked} WHERE (a > 1 -- more\n)"),
            format!("{asked} ORDER BY \"at\""),
            format!("{asked} ORDER BY \"id\""),
        ];
        assert_eq!(questions(all), expected);
        let plain = PartRule::Own {
            condition: None,
            cap: Some(cap(&[])),
        };
        assert_eq!(questions(plain), Vec::<String>::new());
    }

    #[test]
    fn what_to_do_depends_on_what_the_server_has_against_it() {
        let order = Aspect::Order("Key".into());
        let (table, column) = ("'public.\"odd\"\"s\"'".to_owned(), "\"Key\"".to_owned());
        assert_eq!(
            order.attempt(&relation(PartRule::All)),
            Attempt::SubsetOrder { table, column }
        );
        assert_eq!(order.remedy("42883"), PartRemedy::OrderByOrdered);
        assert_eq!(Aspect::Condition.remedy("42804"), PartRemedy::TrueOrFalse);
        assert_eq!(Aspect::Condition.remedy("42501"), PartRemedy::GrantOrLeaveOut);
        assert_eq!(at_a_row_remedy("22P02"), PartRemedy::KeepByCase);
        assert_eq!(at_a_row_remedy("25001"), PartRemedy::NoSetting);
    }

    #[test]
    fn a_condition_that_meets_a_constraint_writes() {
        for code in ["25006", "23505", "23502"] {
            assert_eq!(at_a_row_remedy(code), PartRemedy::NoWriting, "{code}");
        }
    }
}
