//! What PostgreSQL refuses, and how it answers.

use super::Attempt;
use phrases::phrases;

phrases! {
    /// Why it refuses something.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum ServerAnswer {
        /// For what this code means.
        Meant "server_meant" { sqlstate: String, details: Vec<ServerDetail> },
        /// For what it says itself.
        Said "server_said" { message: String, details: Vec<ServerDetail> },
        /// It gave no answer: the connection broke.
        Broke "server_broke",
    }
}

phrases! {
    /// What an answer is about.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum ServerDetail {
        /// Its code.
        Sqlstate "detail_sqlstate" { sqlstate: String },
        /// A type.
        Type "detail_type" { name: String },
        /// A table.
        Table "detail_table" { name: String },
        /// A column.
        Column "detail_column" { name: String },
        /// A constraint.
        Constraint "detail_constraint" { name: String },
        /// Where in the SQL the fault is.
        Near "detail_near" { sql: String },
    }
}

phrases! {
    /// What the server did not do. The `attempt` is what it was asked for.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum ServerFailure {
        /// It refused.
        Refused "server_refused" { attempt: Attempt, answer: ServerAnswer },
        /// The connection broke.
        Broke "broke_while" { attempt: Attempt },
        /// It refuses rules in so many places, as follows.
        RulesRefused "rules_refused" { count: usize },
        /// It refuses rules of the subset in so many places, as follows.
        SubsetRefused "subset_refused" { count: usize },
        /// A rule of the subset reads a column of a type that the database does not have.
        SubsetLacksType "subset_lacks_type" { table: String, column: String, name: String },
        /// A rule of the subset calls a function that the database has otherwise than the backup.
        SubsetCallsAnother "subset_calls_another" { rule: Attempt },
        /// What a rule needs of the backup's own could not be made beforehand, and why.
        NotMadeBeforehand "not_made_beforehand" { object: String, answer: ServerAnswer },
        /// What was wanted was tried so often.
        Tried "tried_times" { count: u32 },
    }
}

phrases! {
    /// What to do about it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum ServerRemedy {
        /// Give the database more room.
        MoreRoom "more_room",
        /// Grant the right.
        GrantRight "grant_right",
        /// Wait for the other session.
        WaitForSession "wait_for_session",
        /// Look at the log.
        LookAtServerLog "look_at_server_log",
        /// Remove the cause.
        RemoveCause "remove_cause",
        /// Correct the rule.
        CorrectRule "correct_rule",
        /// Make what it needs, or write it otherwise.
        MakeBeforehand "make_beforehand",
        /// Correct the rule, which is not accepted.
        CorrectRefusedRule "correct_refused_rule",
    }
}
