//! Options that do not fit the backup or the target.

use super::{Names, NoTable};
use phrases::phrases;

phrases! {
    /// What ties a table's rows to those of others.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Tie {
        /// It is partitioned.
        Partitioned "tie_partitioned",
        /// It is a partition.
        Partition "tie_partition",
        /// It inherits.
        Inherits "tie_inherits",
        /// Others inherit from it.
        HasHeirs "tie_has_heirs",
    }
}

phrases! {
    /// What else the configuration says of a table that is to stay.
    #[derive(Debug, Clone, PartialEq, Eq, Hash)]
    pub enum AlsoSaid {
        /// A rule masks it.
        Masked "also_masked",
        /// A rule in SQL is for it.
        InSql "also_in_sql",
        /// This option names it.
        Named "also_named" { option: String },
    }
}

phrases! {
    /// A table that cannot stay, with why.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum CannotStay {
        /// It is tied to others.
        Tied "cannot_stay_tied" { table: String, tie: Tie },
        /// The configuration says something else of it.
        AndMore "cannot_stay_and_more" { table: String, also: AlsoSaid },
    }
}

phrases! {
    /// How a table that is to stay differs in the target from what it is in the backup. A `parent` is what it is a partition of
    /// or inherits from.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum KeptDifference {
        /// A column is new, and takes no NULL.
        NewColumn "kept_new_column" { column: String },
        /// A column is another type.
        OtherType "kept_other_type" { column: String },
        /// A column takes NULL in the target only.
        TakesNull "kept_takes_null" { column: String },
        /// The backup has no such column.
        LostColumn "kept_lost_column" { column: String },
        /// It is a partitioned table there.
        IsPartitioned "kept_is_partitioned",
        /// It is a view there.
        IsView "kept_is_view",
        /// It is a materialized view there.
        IsMaterializedView "kept_is_materialized_view",
        /// It is a foreign table there.
        IsForeign "kept_is_foreign",
        /// It is a sequence there.
        IsSequence "kept_is_sequence",
        /// It is a composite type there.
        IsComposite "kept_is_composite",
        /// It is an index there.
        IsIndex "kept_is_index",
        /// It is no table there.
        IsNone "kept_is_none",
        /// It is a partition there.
        IsPartitionOf "kept_is_partition_of" { parent: String },
        /// It is a partition there, of what is not known.
        IsPartition "kept_is_partition",
        /// It inherits there.
        InheritsFrom "kept_inherits_from" { parent: String },
        /// Others inherit from it there.
        HasHeirs "kept_has_heirs",
    }
}

phrases! {
    /// What is wrong with an option.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum OptionFault {
        /// What is to stay is no table of the backup.
        KeepsNothing "keeps_nothing" { fault: NoTable },
        /// A table that is to stay is tied to others.
        KeepsTied "keeps_tied" { table: String, tie: Tie },
        /// The configuration says something else of a table that is to stay.
        KeepsAndMore "keeps_and_more" { table: String, also: AlsoSaid },
        /// A pattern stands for tables that cannot stay.
        KeepsByPattern "keeps_by_pattern" { pattern: String, tables: Vec<CannotStay> },
        /// The same, for these and so many more.
        KeepsManyByPattern "keeps_many_by_pattern" { pattern: String, tables: Vec<CannotStay>, more: usize },
        /// A table that is to stay is another in the target.
        KeepsAnother "keeps_another" { table: String, differences: Vec<KeptDifference> },
        /// A table that is to stay is a hypertable.
        KeepsHypertable "keeps_hypertable" { table: String },
        /// Nothing matches what is to be left out.
        ExcludesNothing "excludes_nothing" { pattern: String },
        /// What is to be left out is needed.
        ExcludesNeeded "excludes_needed" { pattern: String, object: String },
        /// No row would come of the tables that an option names, because of `count` others.
        NothingComes "nothing_comes" { option: String, tables: Names, by: Vec<String>, count: usize },
        /// An entry of `pii_ignore` is no column.
        IgnoresNoColumn "ignores_no_column" { text: String },
    }
}

phrases! {
    /// What to do about it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum OptionRemedy {
        /// Migrate the target, or do not keep the table.
        MigrateTarget "migrate_target",
    }
}
