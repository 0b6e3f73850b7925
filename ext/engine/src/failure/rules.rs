//! Rules that do not fit the backup: their masks, and what these would do to keys.

use masking::InvalidMask;
use phrases::phrases;

phrases! {
    /// What is wrong. A `rule` is what the caller calls it; a `column` has its table before it, but where `table` stands beside
    /// it or the rule alone names it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum RuleFault {
        /// What it calls a mask is none.
        NoMask "rule_without_mask" { rule: String, column: String, invalid: InvalidMask },
        /// It has a strategy and columns.
        StrategyAndColumns "strategy_and_columns" { rule: String },
        /// It has neither.
        NothingMasked "nothing_masked" { rule: String },
        /// Its `keep` names a column that it does not mask.
        KeepsUnmasked "keeps_unmasked" { rule: String, column: String },
        /// Its `keep` has a pattern that is empty or matches everything.
        KeepsAll "keeps_all" { rule: String, column: String },
        /// Its table has no such column.
        NoColumn "rule_without_column" { rule: String, table: String, column: String },
        /// The same, and one is like it.
        NoColumnMeant "rule_with_other_column" { rule: String, table: String, column: String, meant: String },
        /// There is no such strategy.
        NoStrategy "no_such_strategy" { rule: String, known: Vec<String> },
        /// The same, and one is like it.
        NoStrategyMeant "other_strategy" { rule: String, meant: String, known: Vec<String> },
        /// The domain of pseudonymous addresses is none.
        NotADomain "not_a_domain" { domain: String },
        /// Another rule masks the same column.
        BothMask "both_mask" { rule: String, other: String, column: String },
        /// Its table has none of the columns that its strategy masks.
        NoneOfItsColumns "none_of_its_columns" { rule: String, table: String, columns: Vec<String> },
        /// The type of a column cannot be read.
        TypeUnread "type_unread" { rule: String, column: String },
        /// It is for one partition of a table whose rows come by way of another one.
        OnePartition "one_partition" { rule: String, table: String, column: String, root: String },
        /// The data of a masked column's table do not have it.
        NotInData "not_in_data" { column: String },
        /// A unique index is over this part of a column, and its mask makes values the same there.
        PartNotKept "part_not_kept" { rule: String, column: String, part: String },
        /// It masks a column of a partition key.
        MasksPartitionKey "masks_partition_key" { rule: String, column: String, table: String },
        /// It masks under a condition what a foreign key joins.
        KeyUnderCondition "key_under_condition" { rule: String, key: String, from: String, to: String },
        /// It masks what a foreign key joins to something that is masked otherwise.
        KeyNoLongerMatches "key_no_longer_matches" { rule: String, key: String, from: String, to: String },
        /// It masks a generated column, which reads these.
        GeneratedStaysRaw "generated_stays_raw" { rule: String, column: String, read: Vec<String> },
    }
}
