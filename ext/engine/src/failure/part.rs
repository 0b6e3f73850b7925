//! A part of production that does not fit the backup: rules of `subset` and `limits`, and references that are declared.

use super::{Advice, NoTable, SqlTrouble};
use phrases::phrases;

phrases! {
    /// An entry for one table alone, which can be pasted. A `table` is as rules name it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum OwnEntry {
        /// All its rows, in `subset`.
        All "own_all" { table: String },
        /// Those that others refer to, in `subset`.
        Referenced "own_referenced" { table: String },
        /// A rule, in `subset`.
        Rule "own_rule" { table: String, parts: Vec<OwnPart> },
        /// The same where the condition of the pattern is not repeated.
        RuleWithCondition "own_rule_with_condition" { table: String, parts: Vec<OwnPart>, pattern: String },
        /// A rule, in `limits`.
        Limit "own_limit" { table: String, parts: Vec<OwnPart> },
    }
}

phrases! {
    /// What such a rule has.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum OwnPart {
        /// A condition.
        Where "own_where" { condition: String },
        /// One that is not repeated.
        WhereThere "own_where_there",
        /// So many rows.
        First "own_first" { rows: u64 },
        /// So many from the end.
        Last "own_last" { rows: u64 },
        /// In this order.
        By "own_by" { columns: Vec<String> },
        /// No more rows, in `limits`.
        MaxRows "own_max_rows" { rows: u64 },
        /// In this order there.
        OrderBy "own_order_by" { columns: Vec<String> },
        /// From its beginning there.
        Ascending "own_ascending",
        /// References to rows that go become NULL.
        NullifyAll "own_nullify_all",
        /// Those of some columns do, which are a part each.
        Nullify "own_nullify" { columns: Vec<OwnPart> },
        /// One of them.
        NullifyColumn "own_nullify_column" { column: String },
        /// No row is no error.
        AllowEmpty "own_allow_empty",
    }
}

phrases! {
    /// What is wrong with an entry, as the end of a sentence that begins with it. Tables and columns are as rules name them,
    /// with quotes around a name that is not in small letters.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum PartFault {
        /// A table has no such column.
        NoColumn "part_no_column" { table: String, column: String, advice: Advice },
        /// The same of one of a pattern's tables, of which others have it.
        NoColumnHere "part_no_column_here" { table: String, column: String, own: OwnEntry },
        /// The same of what `on_missing` names.
        NullsNoColumn "nulls_no_column" { table: String, column: String, advice: Advice },
        /// It orders or reads by a generated column.
        Generated "part_generated" { column: String },
        /// It names a partition.
        Partition "part_partition" { table: String, root: String },
        /// It names partitions of one table.
        Partitions "part_partitions" { tables: Vec<String>, root: String },
        /// The same, and so many more.
        ManyPartitions "part_many_partitions" { tables: Vec<String>, more: usize, root: String },
        /// A table has no primary key to order its rows by, and this column.
        NoOrder "part_no_order" { table: String, column: String },
        /// The same of `limits`.
        LimitNoOrder "part_limit_no_order" { table: String, column: String },
        /// The same of one of a pattern's tables.
        NoOrderHere "part_no_order_here" { table: String, own: OwnEntry },
        /// A table has nothing to order its rows by.
        NothingOrders "part_nothing_orders" { table: String },
        /// The same of `limits`.
        LimitNothingOrders "part_limit_nothing_orders" { table: String },
        /// No reference has a column that is to become NULL.
        NullsNoReference "nulls_no_reference" { table: String, column: String },
        /// A column cannot become NULL.
        NullsNever "nulls_never" { table: String, column: String },
        /// Its condition has a query.
        WhereQuery "where_query",
        /// Its condition cannot be read, for what the parser of SQL says.
        WhereUnread "where_unread" { trouble: SqlTrouble },
        /// Its condition reads something else than a column of its table.
        WhereReadsOther "where_reads_other" { name: String, table: String },
        /// The same of a column of another table of the backup, whose own rule can have the condition.
        WhereReadsTable "where_reads_table" { name: String, table: String, other: String, condition: String },
        /// The same where the condition says more, or is not repeated.
        WhereReadsTableThere "where_reads_table_there" { name: String, table: String, other: String },
        /// Its condition begins with the word WHERE.
        WhereWord "where_word",
        /// What its condition has in double quotes, which may be a person's, is no column.
        WhereQuotes "where_quotes" { table: String },
        /// The same, and a column is like it.
        WhereQuotesMeant "where_quotes_meant" { table: String, meant: String },
        /// A column has capitals, and can be written in the condition so.
        WhereCapitals "where_capitals" { table: String, column: String, meant: String, condition: String },
        /// The same of a condition that is not repeated.
        WhereCapitalsThere "where_capitals_there" { table: String, column: String, meant: String },
        /// Its condition reads whole rows; these are the columns.
        WhereWholeRow "where_whole_row" { columns: Vec<String> },
        /// Its condition calls what writes.
        WhereWrites "where_writes" { function: String },
        /// Its condition calls what runs a query.
        WhereRunsQuery "where_runs_query" { function: String },
        /// Its condition calls what acts on the server.
        WhereActs "where_acts" { function: String },
        /// It cannot be a table's name.
        NotATable "part_not_a_table" { text: String },
        /// It names no table.
        NoTable "part_no_table" { fault: NoTable },
        /// A reference begins at several tables, such as the one in an entry that can be pasted.
        FromSeveral "reference_from_several" { text: String, entry: String },
        /// The same, of which none has its columns.
        FromSeveralUnknown "reference_from_several_unknown" { text: String },
        /// It leads to a column of its own table, which has types: they belong into it, such as this one of the table.
        TypesLacking "reference_types_lacking" { column: String, name: String, sort: String, target: String },
        /// It leads to several tables.
        ToSeveral "reference_to_several" { text: String },
        /// Two schemas have such a table.
        InTwoSchemas "reference_in_two_schemas" { text: String, first: String, second: String },
        /// It names a partition.
        ReferencePartition "reference_partition" { table: String, root: String },
        /// It is a foreign key, to this table.
        ForeignKey "reference_foreign_key" { table: String },
        /// It says of a foreign key that it refers to nothing.
        NotNothing "reference_not_nothing",
        /// Values of two columns, of these types, are never equal.
        NeverEqual "reference_never_equal" { column: String, sort: String, other: String, sort_of_other: String },
        /// The column of its type is one of those that refer.
        TypeRefers "reference_type_refers" { column: String },
        /// The column of its type, of this type of SQL, never has such a value.
        TypeNever "reference_type_never" { column: String, sort: String, text: String },
        /// A column that refers is generated from these.
        GeneratedFrom "reference_generated" { column: String, read: Vec<String> },
        /// A column that is referred to is.
        GeneratedTo "reference_generated_there" { column: String, read: Vec<String> },
        /// A column is generated, from none.
        GeneratedAlone "reference_generated_alone" { column: String },
        /// It has more columns than the key has, and with as many it would be this.
        MoreColumns "reference_more_columns" { count: usize, table: String, of: usize, key: Vec<String>, entry: String },
        /// It has fewer.
        FewerColumns "reference_fewer_columns" { count: usize, table: String, of: usize, key: Vec<String>, entry: String },
        /// A table has no primary key; this unique column can be named of it.
        NoPrimaryKey "reference_no_primary_key" { table: String, target: String, columns: Vec<String> },
        /// It has no unique key of so many columns either.
        NoKey "reference_no_key" { table: String, count: usize },
        /// These columns are no key of a table, and others are.
        NotUnique "reference_not_unique" { table: String, columns: Vec<String>, keys: Vec<String> },
        /// The same, and none is.
        NothingUnique "reference_nothing_unique" { table: String, columns: Vec<String> },
    }
}

phrases! {
    /// What is wrong with a part. An `entry` is what the configuration calls it: `subset: "users"`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum SubsetFault {
        /// Something with one entry.
        In "in_subset" { entry: String, fault: PartFault },
        /// Entries are for one table.
        OneTable "subset_one_table" { entries: Vec<String>, last: String, table: String },
        /// Entries with patterns are for one table, which can have an entry of its own.
        OneTableOfPatterns "subset_one_table_of_patterns" { entries: Vec<String>, last: String, table: String, own: OwnEntry },
        /// Every table whose rows come only waits to be referred to.
        OnlyReferenced "subset_only_referenced",
        /// References are of the same columns of one table.
        OnePlace "subset_one_place" { entries: Vec<String>, last: String, place: String },
        /// The app's models refer by a generated column; the entry says that nothing does.
        GeneratedByModels "subset_generated_by_models" { column: String, entry: String },
        /// A key or an entry refers by a generated column of a table.
        GeneratedKey "subset_generated_key" { column: String, table: String },
    }
}

phrases! {
    /// What to do where the server refuses a condition or an order of a part.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum PartRemedy {
        /// Grant what it uses.
        GrantOrLeaveOut "grant_or_leave_out",
        /// Order by what has an order.
        OrderByOrdered "order_by_ordered",
        /// Order by something else.
        OrderByOther "order_by_other",
        /// Write what is true or false.
        TrueOrFalse "true_or_false",
        /// Compare values of one type.
        CompareAlike "compare_alike",
        /// Write values as their types are written.
        WriteAsType "write_as_type",
        /// Write SQL.
        WriteSql "write_sql",
        /// Look at one row, without aggregates.
        NoAggregate "no_aggregate",
        /// Look at one row, without sets.
        NoSet "no_set",
        /// Read the table's own columns.
        OwnColumns "own_columns",
        /// Cast by way of text.
        CastByText "cast_by_text",
        /// Divide by nothing that is zero.
        NoZero "no_zero",
        /// Leave out what writes.
        NoWriting "no_writing",
        /// Leave out what changes the session.
        NoSetting "no_setting",
        /// Keep values from a cast by CASE.
        KeepByCase "keep_by_case",
        /// Take less time.
        LessTime "less_time",
        /// Give the server more room.
        RoomOrFewerRows "room_or_fewer_rows",
        /// Correct it.
        CorrectCondition "correct_condition",
    }
}
