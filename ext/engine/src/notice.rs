//! Warnings as data.

use crate::left_out::Why;
use personal_data::RuleEntry;
use phrases::phrases;

phrases! {
    /// What the person in charge should know. An `object` is a kind and a name; of many objects the first are in `names`, and
    /// `more` is the number of the others.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Notice {
        /// Something is left out.
        LeftOut "left_out" { object: String, why: Vec<Why> },
        /// A run would leave something out.
        WouldBeLeftOut "would_be_left_out" { object: String, why: Vec<Why> },
        /// Many objects are left out, because the target refuses them or what they need.
        ManyLeftOut "many_left_out" { count: usize, names: Vec<String>, more: usize },
        /// A run would leave many objects out, because the target would refuse them.
        ManyWouldBeLeftOut "many_would_be_left_out" { count: usize, names: Vec<String>, more: usize },
        /// A table is left out, and so are its rows.
        TableLeftOut "table_left_out" { table: String, why: Why },
        /// An object is of a kind that is not known, and left out.
        UnknownLeftOut "unknown_left_out" { object: String },
        /// A foreign key is left out.
        KeyLeftOut "key_left_out" { key: String, table: String, why: Why },
        /// Many foreign keys of partitioned tables are left out, because rows are excluded.
        ManyKeysLeftOut "many_keys_left_out" { count: usize, names: Vec<String>, more: usize },
        /// A foreign key is NOT VALID, because rows of the table `missing` are excluded.
        KeyNotValid "key_not_valid" { key: String, table: String, missing: String },
        /// Many foreign keys are NOT VALID, because rows are excluded.
        ManyKeysNotValid "many_keys_not_valid" { count: usize, names: Vec<String>, more: usize },
        /// A foreign key is NOT VALID, because of rows.
        KeyOfRowsNotValid "key_of_rows_not_valid" { key: String, why: Vec<Why> },
        /// A CHECK is NOT VALID, because of rows.
        CheckOfRowsNotValid "check_of_rows_not_valid" { check: String, why: Vec<Why> },
        /// Rows of an extension's own table are left out.
        ExtensionRowsLeftOut "extension_rows_left_out" { table: String, why: Why },
        /// No mask is known to meet a CHECK, should a column's values look personal.
        NoMaskMeetsCheck "no_mask_meets_check" { column: String, check: String },
        /// The same of many columns.
        NoMaskMeetsChecks "no_mask_meets_checks" { count: usize, names: Vec<String>, more: usize },
        /// Columns that look personal were copied as production has them, without a rule.
        Uncovered "uncovered" { count: usize },
        /// This trigger fills a search vector anew from masked columns.
        SearchRebuilt "search_rebuilt" { column: String, trigger: String },
        /// The same of many columns.
        ManySearchRebuilt "many_search_rebuilt" { count: usize, names: Vec<String>, more: usize },
        /// A search vector is emptied, since nothing fills it anew.
        SearchEmptied "search_emptied" { column: String },
        /// The same of many columns.
        ManySearchEmptied "many_search_emptied" { count: usize, names: Vec<String>, more: usize },
        /// Large objects come without their contents.
        LargeObjectsEmptied "large_objects_emptied",
        /// Large objects come as they are, and are not looked into.
        LargeObjectsUnread "large_objects_unread" { count: u64 },
        /// Values of a bytea are not text, and are not looked into; the rule would empty it.
        BytesUnread "bytes_unread" { column: String, count: u64, rule: RuleEntry },
        /// The same of many columns with so many values.
        ManyBytesUnread "many_bytes_unread" { count: usize, values: u64, names: Vec<String>, more: usize },
        /// The definition of an object holds so many personal things of a kind.
        TextKept "text_kept" { object: String, count: u64, personal: String },
        /// The same of many objects.
        ManyTextsKept "many_texts_kept" { count: usize, names: Vec<String>, more: usize },
    }
}
