//! What ends a job that no source, no server and no archive ended.

use super::KeepsNone;
use phrases::phrases;

phrases! {
    /// What happened.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum JobFailure {
        /// The run was asked to stop.
        Stopped "stopped",
        /// Something that was thought impossible, in words for those who correct it.
        Defect "defect" { defect: String },
        /// So many more faults are not listed.
        FurtherFaults "further_faults" { count: usize },
        /// The configuration is wrong in so many places, as follows.
        WrongInPlaces "wrong_in_places" { count: usize },
        /// No rule is configured.
        NoRules "no_rules",
        /// The number of connections is none.
        ConnectionsOutOfRange "connections_out_of_range" { connections: usize },
        /// The secret is missing or too short.
        SecretTooShort "secret_too_short",
        /// The target is on the host of the source.
        TargetOnSource "target_on_source" { origin: String },
        /// The backup was made of the target.
        TargetIsSource "target_is_source" { app: String, database: String },
        /// The backup has another size than before.
        BackupResized "backup_resized",
        /// Another backup stands in its place.
        BackupReplaced "backup_replaced",
        /// The backup ended before all rows of a table had come.
        RowsEndedEarly "rows_ended_early" { table: String },
        /// Rows are not as COPY writes them.
        RowsNotCopy "rows_not_copy" { table: String },
        /// So many rows came, and so many others were masked.
        NotAllMasked "not_all_masked" { table: String, count: u64, masked: u64 },
        /// Rules in SQL failed, and these tables are empty; what the first said follows.
        RulesLeftEmpty "rules_left_empty" { tables: Vec<String> },
        /// So many tables of all could not be masked; what the first said follows.
        NotMasked "not_masked" { tables: Vec<String>, count: usize, all: usize },
        /// Rules in SQL read a table that could not be masked.
        ReadsRaw "reads_raw" { table: String },
        /// A table has no key by which a row could be named.
        NoKeyToName "no_key_to_name" { table: String },
        /// What was written is no value of a key's type.
        NoValueOfKey "no_value_of_key" { column: String, name: String },
        /// The backup has no rows of such a table.
        NoRowsOfTable "no_rows_of_table" { table: String },
        /// Several schemas have such a table.
        SeveralSchemas "several_schemas" { table: String },
        /// The backup can be read once, and a subset reads it twice.
        SubsetReadsTwice "subset_reads_twice",
        /// A function that a condition of the subset calls reads a table of the database's own.
        SubsetReadsOthers "subset_reads_others" { table: String, read: String },
        /// A name means two tables.
        TableOfTwo "table_of_two" { name: String, first: String, second: String },
        /// The subset keeps no row.
        SubsetKeepsNothing "subset_keeps_nothing" { why: Vec<KeepsNone> },
        /// A subset needs a database to compute in.
        SubsetNowhere "subset_nowhere",
        /// Rules of these tables need one.
        RulesNowhere "rules_nowhere" { tables: Vec<String> },
        /// A rule deletes rows that others refer to, and a dump cannot follow them.
        DeletesInDump "deletes_in_dump" { table: String, referring: String },
        /// The settings are not those that this engine knows, in this.
        SettingsDiffer "settings_differ" { trouble: String },
        /// A setting has another type than this engine knows.
        SettingOfOtherType "setting_of_other_type",
        /// The engine's threads could not be started, for this reason of the operating system's.
        NoThreads "no_threads" { trouble: String },
    }
}

phrases! {
    /// What to do about it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum JobRemedy {
        /// Run it again: the next run starts clean.
        StartsClean "starts_clean",
        /// Report it.
        ReportDefect "report_defect",
        /// Correct this.
        CorrectThis "correct_this",
        /// Correct it in its place.
        CorrectThere "correct_there",
        /// Add rules.
        AddRules "add_rules",
        /// Set a number of connections.
        SetConnections "set_connections",
        /// Set a secret.
        SetSecret "set_secret",
        /// Name the staging app's own database.
        NameOwnDatabase "name_own_database",
        /// Run it again, and leave the file alone.
        LeaveFileAlone "leave_file_alone",
        /// Run it again.
        Again "again",
        /// Fetch the backup again.
        FetchOrTakeAnother "fetch_or_take_another",
        /// Take another one, or report it.
        TakeAnotherOrReport "take_another_or_report",
        /// Run it again, or report it.
        AgainOrReport "again_or_report",
        /// Correct the rule.
        CorrectRuleAndRun "correct_rule_and_run",
        /// Correct what failed before.
        CorrectWhatFailed "correct_what_failed",
        /// Ask about another row.
        AskOtherRow "ask_other_row",
        /// Write a key as its type has it.
        WriteKeyOfType "write_key_of_type",
        /// Write the schema before the name.
        WriteSchema "write_schema",
        /// Name the schema, too.
        NameSchema "name_schema",
        /// Its rows are left out by an option.
        TakeOffList "take_off_list",
        /// Name a table of the plan.
        NamePlannedTable "name_planned_table",
        /// Read the table's own columns alone.
        ReadOwnColumns "read_own_columns",
        /// Set a workspace.
        SetWorkspace "set_workspace",
        /// Choose rows by a subset.
        ChooseBySubset "choose_by_subset",
        /// Look for a trigger.
        LookForTrigger "look_for_trigger",
        /// Use both parts of the gem in one version.
        SameVersion "same_version",
        /// Look at the container's limits.
        LookAtLimits "look_at_limits",
        /// Leave the table out until it is corrected.
        LeaveTableOut "leave_table_out",
        /// The same; the archive was not kept.
        ArchiveNotKept "archive_not_kept",
    }
}
