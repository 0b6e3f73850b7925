//! A backup for which there is no plan.

use phrases::phrases;

phrases! {
    /// How an entry of the backup contradicts another, or itself.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Contradiction {
        /// It stands in a section where it does not belong.
        OtherSection "in_other_section",
        /// Its statement is no COPY.
        NoCopy "statement_no_copy",
        /// Its statement is more than a COPY.
        MoreThanCopy "more_than_copy",
        /// Its COPY names a column twice.
        ColumnTwice "column_twice" { column: String },
        /// Its COPY names a column that its table does not have.
        ColumnUnknown "column_unknown" { column: String },
        /// It has rows for another table.
        RowsOfOther "rows_of_other" { table: String },
        /// It does something else than set a sequence's value.
        NoValue "sets_no_value",
        /// A statement that begins with this word is in its definition.
        StrangeStatement "strange_statement" { word: String },
        /// What is no statement is in its definition.
        NoStatement "no_statement",
        /// It creates something else, or more.
        CreatesOther "creates_other",
        /// It waits for what waits for it.
        WaitsForItself "waits_for_itself",
    }
}

phrases! {
    /// Why there is no plan. An `object` is a kind and a name.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum PlanFailure {
        /// The configuration does not fit the backup in so many places, as follows.
        DoesNotFit "does_not_fit" { count: usize },
        /// The backup contradicts itself.
        Contradicts "contradicts_itself" { object: String, contradiction: Contradiction },
        /// Strings mean something else in it.
        OtherStrings "other_strings",
        /// Its encoding is one that cannot be masked.
        OtherEncoding "other_encoding" { encoding: String },
        /// The definition of a table cannot be read.
        TableUnread "table_unread" { table: String },
        /// It has rows and no tables.
        NoTables "no_tables",
        /// It has compressed rows of these tables, which the calls decompress and the patterns name.
        CompressedRows "compressed_rows" { tables: Vec<String>, calls: Vec<String>, patterns: Vec<String> },
        /// So many columns look personal and are covered by no rule.
        NotCovered "not_covered" { count: usize },
        /// So many columns look personal and could not be masked by themselves.
        NotMaskedByItself "not_masked_by_itself" { count: usize },
    }
}

phrases! {
    /// What to do about it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum PlanRemedy {
        /// Take a new backup.
        NewBackup "take_new_backup",
        /// Cover the columns with rules, or let them be.
        CoverOrIgnore "cover_or_ignore",
        /// The same, where their tables were left empty.
        CoverEmptied "cover_emptied",
        /// The same, or have what looks personal masked.
        CoverOrMask "cover_or_mask",
    }
}
