//! What the server is asked of a rule before any row is there, and what to do where it refuses.

use super::operands::operands;
use super::{PartRule, Relation};
use crate::plan::quote_identifier;

/// A part of a rule, asked about by itself: a fault in one hides none in another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What it is about.
    pub about: Aspect,
    /// The query that the server accepts or refuses.
    pub sql: String,
    /// The condition in it, if it has one.
    pub(crate) condition: Option<String>,
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
        Question {
            about: Aspect::Condition,
            sql: format!("{} WHERE ({condition}\n)", self.select(rows)),
            condition: Some(condition.to_owned()),
        }
    }

    fn select(&self, rows: &str) -> String {
        format!("SELECT 1 FROM {rows} AS {}", quote_identifier(&self.table.name))
    }
}

impl Question {
    /// What is sent.
    pub(crate) fn asked(&self) -> String {
        format!("EXPLAIN {}", self.sql)
    }
}

impl Aspect {
    /// What messages call it.
    pub(crate) fn of(&self, relation: &Relation) -> String {
        match self {
            Self::Condition => format!("the condition of the subset's rule for {}", relation.table),
            Self::Order(column) => format!("the order by {column} in the rule for {}", relation.table),
        }
    }

    /// What to do where the server refuses it with this SQLSTATE.
    pub(crate) fn remedy(&self, code: &str) -> &'static str {
        match (self, code) {
            (_, "42501") => "Grant the target's role what it uses, or write it without that.",
            (Self::Condition, code) => condition_remedy(code),
            (Self::Order(_), "42883") => {
                "Order by a column whose values have an order, such as numbers and times, or, where the table has a primary \
                 key, by none: then that orders."
            }
            (Self::Order(_), _) => {
                "Order by another column, or, where the table has a primary key, by none: then that orders."
            }
        }
    }
}

/// What to do where the server refuses a condition, before any row is there or at a row.
pub(crate) fn condition_remedy(code: &str) -> &'static str {
    match code {
        "42804" => "Write a condition that is true or false, such as \"code IS NOT NULL\".",
        "42883" | "42725" => {
            "Compare values of one type, with a cast if need be, such as \"id::text LIKE '1%'\", and correct the names of functions."
        }
        "22P02" | "22007" | "22008" | "22003" => {
            "Write the value as its type is written, such as '2026-01-31' for a date and 5 for a number."
        }
        "42601" => "Write what would stand behind WHERE in SQL, such as \"id IN (12, 47)\".",
        "42803" | "42P20" => {
            "Look at one row at a time, without an aggregate or a window: first or last, with by, take so many rows."
        }
        "0A000" => "Look at one row at a time, without what gives several, such as unnest or generate_series.",
        "42P01" => {
            "Read the table's own columns alone, also in functions that it calls: no other table of the backup is there yet."
        }
        "42846" => "Cast by way of text, such as \"code::text::integer = 5\".",
        "22012" => "Write nullif(…, 0) for what something is divided by.",
        "25006" => "Leave out what writes, such as nextval and lo_create: a condition may only read.",
        "25001" => "Leave out what changes the session, such as set_config: a condition may only read.",
        _ => "Correct the condition.",
    }
}

/// The same where it fails at a row.
pub(crate) fn at_a_row_remedy(code: &str) -> &'static str {
    match code {
        "22P02" | "22007" | "22008" | "22003" | "22023" => {
            "Keep such values from it by CASE, such as \"CASE WHEN code ~ '^[0-9]{1,9}$' THEN code::integer > 5 ELSE false END\"."
        }
        "57014" => "Write a condition that takes less time, or raise the role's statement_timeout.",
        "53100" | "53200" => "Give the server more room, or ask for fewer rows.",
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
    fn what_to_do_says_what_can_be_written_instead() {
        let order = Aspect::Order("about".into());
        assert_eq!(
            order.of(&relation(PartRule::All)),
            "the order by about in the rule for public.odd\"s"
        );
        assert!(order
            .remedy("42883")
            .contains("whose values have an order, such as numbers and times"));
        assert!(Aspect::Condition.remedy("42804").contains("true or false"));
        assert!(Aspect::Condition.remedy("42501").contains("Grant"));
        assert!(at_a_row_remedy("22P02").contains("CASE WHEN"));
        assert!(at_a_row_remedy("25006").contains("only read"));
        assert!(at_a_row_remedy("25001").contains("such as set_config"));
    }
}
