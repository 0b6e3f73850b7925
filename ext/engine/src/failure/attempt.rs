//! What the server was asked for when it refused.

use phrases::phrases;

phrases! {
    /// What the server was asked for. An `object` is a kind and a name.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Attempt {
        /// A rule's own SQL.
        Rule "by_rule" { rule: String },
        /// Adding rows to the extension's table a table.
        AddingExtensionRows "adding_extension_rows" { table: String },
        /// Analyzing a table.
        Analyzing "analyzing" { table: String },
        /// Analyzing several tables.
        AnalyzingTables "analyzing_tables",
        /// Applying the subset's rule for a table.
        ApplyingSubsetRule "applying_subset_rule" { table: String },
        /// A condition of the subset.
        SubsetCondition "subset_condition" { table: String },
        /// An order of the subset.
        SubsetOrder "subset_order" { table: String, column: String },
        /// Asking the server about rules in SQL.
        AskingAboutRules "asking_about_rules",
        /// Asking about a session.
        AskingAboutSession "asking_about_session",
        /// Asking the server about the subset.
        AskingAboutSubset "asking_about_subset",
        /// Asking how many connections there may be.
        AskingForConnections "asking_for_connections",
        /// Asking for the target's size.
        AskingForSize "asking_for_size",
        /// Asking for the target's version.
        AskingForVersion "asking_for_version",
        /// Beginning a part of the schema.
        BeginningPartOfSchema "beginning_part_of_schema",
        /// Beginning the reset.
        BeginningReset "beginning_reset",
        /// Beginning the transaction of rules in SQL.
        BeginningRulesTransaction "beginning_rules_transaction",
        /// Beginning to read the database.
        BeginningToRead "beginning_to_read",
        /// Beginning a transaction.
        BeginningTransaction "beginning_transaction",
        /// Beginning the trial.
        BeginningTrial "beginning_trial",
        /// Checking a table.
        Checking "checking" { table: String },
        /// Checking foreign keys.
        CheckingForeignKeys "checking_foreign_keys",
        /// Checking the keys of keep_tables.
        CheckingKeptKeys "checking_kept_keys",
        /// Checking rules in SQL.
        CheckingRules "checking_rules",
        /// Checking the subset's conditions.
        CheckingSubsetConditions "checking_subset_conditions",
        /// Choosing rows.
        ChoosingRows "choosing_rows",
        /// Choosing the rows of the subset.
        ChoosingSubset "choosing_subset",
        /// Committing masked rows.
        CommittingMasked "committing_masked",
        /// Committing the reset.
        CommittingReset "committing_reset",
        /// Counting large objects.
        CountingLargeObjects "counting_large_objects",
        /// Counting the rows of a table.
        CountingRows "counting_rows" { table: String },
        /// Creating an object.
        Creating "creating" { object: String },
        /// Creating a temporary copy.
        CreatingCopy "creating_copy",
        /// Creating the extension an extension.
        CreatingExtension "creating_extension" { extension: String },
        /// Creating the key table of a table.
        CreatingKeyTable "creating_key_table" { table: String },
        /// Creating a part of the schema.
        CreatingPartOfSchema "creating_part_of_schema",
        /// Creating the schema public.
        CreatingSchemaPublic "creating_schema_public",
        /// Creating the temporary table for a table.
        CreatingTemporary "creating_temporary" { table: String },
        /// Dropping a temporary copy.
        DroppingCopy "dropping_copy",
        /// Dropping the view a view.
        DroppingView "dropping_view" { view: String },
        /// Emptying a table.
        Emptying "emptying" { table: String },
        /// Emptying the target.
        EmptyingTarget "emptying_target",
        /// Ending sessions of killed runs.
        EndingKilledRuns "ending_killed_runs",
        /// Ending other sessions.
        EndingOtherSessions "ending_other_sessions",
        /// Ending a part of the schema.
        EndingPartOfSchema "ending_part_of_schema",
        /// Ending the reset.
        EndingReset "ending_reset",
        /// Ending the check of rules in SQL.
        EndingRuleCheck "ending_rule_check",
        /// Ending rules in SQL.
        EndingRules "ending_rules",
        /// Ending the transaction of rules in SQL.
        EndingRulesTransaction "ending_rules_transaction",
        /// Filling a view anew.
        FillingAnew "filling_anew" { view: String },
        /// Filling a table with masked rows.
        FillingMasked "filling_masked" { table: String },
        /// Following the foreign key a foreign key of deleted rows.
        FollowingKey "following_key" { key: String },
        /// Forcing row level security.
        ForcingRowSecurity "forcing_row_security",
        /// Gathering statistics on a table.
        GatheringStatistics "gathering_statistics" { table: String },
        /// Indexing the temporary table for a table.
        IndexingTemporary "indexing_temporary" { table: String },
        /// Keeping a connection alive.
        KeepingAlive "keeping_alive",
        /// Keeping the gem's own schema.
        KeepingOwnSchema "keeping_own_schema",
        /// Keeping the rows of keep_tables.
        KeepingRows "keeping_rows",
        /// Leaving an extension's rows out.
        LeavingExtensionRowsOut "leaving_extension_rows_out",
        /// Letting other sessions write again.
        LettingOthersWrite "letting_others_write",
        /// Lifting FORCE ROW LEVEL SECURITY.
        LiftingForcedSecurity "lifting_forced_security",
        /// Loading large objects.
        LoadingLargeObjects "loading_large_objects",
        /// Loading the rows of a table.
        LoadingRows "loading_rows" { table: String },
        /// Loading the rows of small tables together.
        LoadingSmallTables "loading_small_tables",
        /// Locking a table.
        Locking "locking" { table: String },
        /// Locking the target's tables.
        LockingTables "locking_tables",
        /// Looking at the rows of a table after a rule.
        LookingAfterRule "looking_after_rule" { table: String, rule: String },
        /// Looking at what is in the target.
        LookingAtInventory "looking_at_inventory",
        /// Looking at the role's rights.
        LookingAtRights "looking_at_rights",
        /// Looking at the target's schemas.
        LookingAtSchemas "looking_at_schemas",
        /// Looking at the server.
        LookingAtServer "looking_at_server",
        /// Looking at the target.
        LookingAtTarget "looking_at_target",
        /// Looking at the rows of a table before a rule.
        LookingBeforeRule "looking_before_rule" { table: String, rule: String },
        /// Looking for another run.
        LookingForAnotherRun "looking_for_another_run",
        /// Looking for extensions.
        LookingForExtensions "looking_for_extensions",
        /// Looking for other sessions.
        LookingForOtherSessions "looking_for_other_sessions",
        /// Looking for a row's reason.
        LookingForReason "looking_for_reason",
        /// Looking for roles and languages.
        LookingForRoles "looking_for_roles",
        /// Looking for tables to analyze.
        LookingForTablesToAnalyze "looking_for_tables_to_analyze",
        /// Looking for rows that wait.
        LookingForWaitingRows "looking_for_waiting_rows",
        /// Making what is needed of the backup's own.
        MakingNeeded "making_needed",
        /// Moving the masked rows of a table.
        MovingMaskedRows "moving_masked_rows" { table: String },
        /// Preparing the choice of rows.
        PreparingChoice "preparing_choice",
        /// Preparing conditions.
        PreparingConditions "preparing_conditions",
        /// Preparing the reset.
        PreparingReset "preparing_reset",
        /// Preparing rules in SQL.
        PreparingRules "preparing_rules",
        /// Preparing the schema.
        PreparingSchema "preparing_schema",
        /// Putting back the foreign key a foreign key.
        PuttingKeyBack "putting_key_back" { key: String },
        /// Reading a table.
        Reading "reading" { table: String },
        /// Reading a table back.
        ReadingBack "reading_back" { table: String },
        /// Reading the target's catalogue.
        ReadingCatalogue "reading_catalogue",
        /// Reading which rows were chosen.
        ReadingChoice "reading_choice",
        /// Reading the keys of chosen rows.
        ReadingChosenKeys "reading_chosen_keys",
        /// Reading the finished rows of a table.
        ReadingFinishedRows "reading_finished_rows" { table: String },
        /// Reading the target's foreign keys.
        ReadingForeignKeys "reading_foreign_keys",
        /// Reading the history of runs.
        ReadingHistory "reading_history",
        /// Reading the target's materialized views.
        ReadingMaterializedViews "reading_materialized_views",
        /// Reading the rows of a table.
        ReadingRows "reading_rows" { table: String },
        /// Reading the target's triggers.
        ReadingTriggers "reading_triggers",
        /// Releasing the run's lock.
        ReleasingLock "releasing_lock",
        /// Restoring an object.
        Restoring "restoring" { object: String },
        /// Restoring the triggers of tables with rules in SQL.
        RestoringRuledTriggers "restoring_ruled_triggers",
        /// Restoring triggers.
        RestoringTriggers "restoring_triggers",
        /// Restoring the triggers of a table.
        RestoringTriggersOf "restoring_triggers_of" { table: String },
        /// Rolling the reset back.
        RollingResetBack "rolling_reset_back",
        /// A rule on a table.
        RuleOnTable "rule_on_table" { rule: String, table: String },
        /// Setting search_path.
        SettingSearchPath "setting_search_path",
        /// Setting a session up.
        SettingSessionUp "setting_session_up",
        /// Silencing the triggers of a table.
        SilencingTriggers "silencing_triggers" { table: String },
        /// Taking off the foreign key a foreign key.
        TakingKeyOff "taking_key_off" { key: String },
        /// Taking the run's lock.
        TakingLock "taking_lock",
        /// Trying the role's privileges.
        TryingPrivileges "trying_privileges",
        /// Trying the schema.
        TryingSchema "trying_schema",
        /// Unlinking large objects.
        UnlinkingLargeObjects "unlinking_large_objects",
        /// Verifying a table.
        Verifying "verifying" { table: String },
        /// Verifying several tables.
        VerifyingTables "verifying_tables",
    }
}
