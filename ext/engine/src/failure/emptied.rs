//! A subset that keeps no row.

use super::Names;
use phrases::phrases;

phrases! {
    /// Why a rule of the subset keeps no row of its table.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum KeepsNone {
        /// The table has none.
        NoRows "no_row_in_backup" { table: String },
        /// Its condition keeps none of so many.
        Condition "condition_keeps_none" { table: String, count: u64 },
        /// They refer to rows that do not come.
        Refers "refers_to_none" { table: String },
        /// Each of them refers to a row that does not come, of these tables by these references.
        RefersTo "refers_to_none_of" { table: String, others: Names },
        /// Rows of a table without a rule go with others that they refer to, of these tables by these references.
        GoesWith "goes_with" { table: String, others: Names },
        /// So many more rules keep none.
        More "more_keep_none" { count: usize },
    }
}

phrases! {
    /// What to do about it. `allow_empty` is always another way.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum EmptiedRemedy {
        /// Correct the conditions on these tables.
        CorrectConditions "correct_conditions" { tables: Names },
        /// Keep rows of these tables, to which others refer.
        KeepReferred "keep_referred" { tables: Names },
        /// Let references become NULL by these entries.
        LetBeNull "let_be_null" { entries: Vec<NullEntry> },
        /// Name a table that has rows.
        NameFilled "name_filled_table",
    }
}

phrases! {
    /// What lets references of a table become NULL.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum NullEntry {
        /// An entry of its own, for one column.
        Column "null_entry_column" { table: String, column: String },
        /// An entry of its own, for all columns.
        All "null_entry_all" { table: String },
        /// Beside what the table's rule says, for one column.
        ColumnBeside "null_beside_column" { table: String, column: String },
        /// Beside what the table's rule says, for all columns.
        AllBeside "null_beside_all" { table: String },
    }
}
