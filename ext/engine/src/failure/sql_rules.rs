//! Rules in SQL that do not fit the backup.

use super::{Advice, NoTable};
use phrases::phrases;

phrases! {
    /// What is wrong with the names in a rule's SQL, as the end of a sentence that begins with the rule. A `sort` is such as
    /// "view".
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum SqlFault {
        /// A table has no such column.
        NoColumn "has_no_column" { table: String, column: String, advice: Advice },
        /// It reads a table, and another one that has some of its rows has a rule in SQL.
        ReadsRelated "reads_related" { table: String, relative: String },
        /// It says ONLY of a partitioned table.
        OnlyOfPartitioned "only_of_partitioned" { table: String },
        /// What `reads` has is no table's name.
        ReadsNoName "reads_no_name" { name: String },
        /// What `reads` has names no table.
        ReadsNoTable "reads_no_table" { fault: NoTable },
        /// Its WITH changes rows.
        WithChangesRows "with_changes_rows",
        /// It changes a table that the rule is not for.
        ChangesOther "changes_other" { other: String, table: String },
        /// It has another statement than a rule is made of.
        OtherStatement "other_statement",
        /// Its WITH gives a name that a table has.
        WithTakesName "with_takes_name" { name: String },
        /// It has TABLE for a query.
        TableForQuery "table_for_query",
        /// It reads a view.
        ReadsView "reads_view" { sort: String, name: String },
        /// It names what is no table.
        NamesNoTable "names_no_table" { name: String, advice: Advice },
    }
}

phrases! {
    /// Why it is not known which rows of another table belong to a rule's own.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum NoJoin {
        /// There is no foreign key between the two.
        NoKey "no_key_between" { here: String, there: String },
        /// There is one, of the other table's, and not one to one.
        ToMany "key_to_many" { here: String, there: String },
        /// There are so many.
        Several "several_keys_between" { count: usize, here: String, there: String },
    }
}

phrases! {
    /// Why SQL cannot be read.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum SqlTrouble {
        /// In the words of the parser.
        Parser "parser_says" { words: String },
        /// An expression is followed by something else.
        More "more_behind_expression" { token: String },
    }
}

phrases! {
    /// Why the server could not be asked about rules, as long as the target is as it is.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Unasked {
        /// Their table cannot be made.
        NotMade "unasked_table_not_made" { rules: Vec<String>, table: String },
        /// The role may not make temporary tables.
        NoTemporary "unasked_without_temporary_tables" { rules: Vec<String> },
        /// A table that they read is not there, and cannot be made.
        NotThere "unasked_table_not_there" { rules: Vec<String>, table: String },
        /// A table that they read is another one there.
        OtherThere "unasked_other_table_there" { rules: Vec<String>, table: String },
        /// They need something else of the backup's.
        NeedsOther "unasked_needs_other" { rules: Vec<String> },
    }
}

phrases! {
    /// What is wrong with a rule in SQL. A `column` has its table before it, but in an expression.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum SqlRuleFault {
        /// Something with its names.
        InRule "in_rule" { rule: String, fault: SqlFault },
        /// The same in its condition.
        InCondition "in_condition" { rule: String, fault: SqlFault },
        /// The same in the expression for a column.
        InExpression "in_expression" { rule: String, column: String, fault: SqlFault },
        /// Its name means several tables.
        SeveralTables "rule_for_several" { rule: String, tables: Vec<String> },
        /// It is for one partition of a table by which rows come.
        PartitionMissed "partition_missed" { root: String, table: String },
        /// It sets a column of the partition key.
        SetsPartitionKey "sets_partition_key" { rule: String, column: String },
        /// It sets a generated column.
        SetsGenerated "sets_generated" { rule: String, column: String },
        /// It sets a column to NULL that is NOT NULL.
        SetsNull "sets_null" { rule: String, column: String },
        /// Its condition cannot be read.
        ConditionUnread "condition_unread" { rule: String, trouble: SqlTrouble },
        /// Its join cannot be read.
        JoinUnread "join_unread" { rule: String, trouble: SqlTrouble },
        /// An expression of it cannot be read.
        ExpressionUnread "expression_unread" { rule: String, column: String, trouble: SqlTrouble },
        /// An expression of it names another table, and this is not known of the two, which have these names.
        NotJoined "not_joined" { rule: String, column: String, why: NoJoin, here: String, there: String },
        /// It is neither an UPDATE nor a DELETE.
        Neither "neither_update_nor_delete" { rule: String },
        /// Its SQL is empty.
        Empty "sql_empty" { rule: String },
        /// Its SQL cannot be read.
        Unread "sql_unread" { rule: String, trouble: SqlTrouble },
    }
}
