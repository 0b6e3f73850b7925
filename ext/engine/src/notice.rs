//! Warnings as data.

use crate::failure::ServerProcess;
use crate::left_out::Why;
use masking::Becomes;
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
        /// The downloaded archive could not be kept, for this reason of the operating system's.
        NotKept "not_kept" { directory: String, trouble: String },
        /// The definition of an object holds so many personal things of a kind.
        TextKept "text_kept" { object: String, count: u64, personal: String },
        /// The same of many objects.
        ManyTextsKept "many_texts_kept" { count: usize, names: Vec<String>, more: usize },
        /// The backup is older than is wanted, and a run would ask for a fresh one.
        BackupTooOld "backup_too_old",
        /// The container may hold so much memory in MiB, holds so much already, and the run needs so much more.
        LittleMemory "little_memory" { limit: u64, resident: u64, count: u64, needed: u64 },
        /// The target has only so many connections left.
        FewerConnections "fewer_connections" { parallel: usize },
        /// The target's PostgreSQL is newer than any that was tested.
        NewerPostgresql "newer_postgresql" { version: String },
        /// A table has no statistics.
        NoStatistics "no_statistics" { table: String },
        /// The run is not in the history.
        RunNotNoted "run_not_noted",
        /// The schema is replaced in steps.
        ReplacedInSteps "replaced_in_steps" { locks: String },
        /// The role may not keep others from coming back.
        CannotLockOut "cannot_lock_out",
        /// Rows of a kept table referred to some that are gone, and these columns of them are NULL now.
        KeptNullified "kept_nullified" { table: String, count: u64, missing: String, columns: Vec<String> },
        /// Rows of a kept table refer to some that are gone.
        KeptKeyNotValid "kept_key_not_valid" { table: String, count: u64, missing: String, key: String },
        /// A table that is to be kept is not there.
        NothingToKeep "nothing_to_keep" { table: String },
        /// A foreign key is put back NOT VALID.
        KeyPutBackNotValid "key_put_back_not_valid" { key: String, table: String },
        /// The backup is streamed again for these tables.
        StreamedAgain "streamed_again" { tables: Vec<String> },
        /// A connection to the target has stood still for so many seconds, and is given up.
        StoodStill "stood_still" { seconds: String, why: Stall },
        /// It is not known what the target would refuse of the schema.
        SchemaUntried "schema_untried" { why: Untried },
        /// Hypertables come as plain tables.
        HypertablesPlain "hypertables_plain" { tables: Vec<String> },
        /// Continuous aggregates are left out.
        AggregatesLeftOut "aggregates_left_out" { names: Vec<String> },
        /// An entry of `pii_ignore` is no column of the backup.
        IgnoresNothing "ignores_nothing" { column: String },
        /// An option names a table whose rows do not come, by another one.
        NamedByBoth "named_by_both" { option: String, table: String, by: String },
        /// No row of any table comes, because of these options.
        NoRowComes "no_row_comes" { by: Vec<String> },
        /// A column may name production's storage, and this environment's is not known.
        MayNameStorage "may_name_storage" { column: String },
        /// No rule masks a tsvector beside masked columns.
        VectorNotMasked "vector_not_masked" { column: String },
        /// A CHECK of a masked column asks more than is understood.
        CheckAsksMore "check_asks_more_of" { rule: String, check: String, table: String, column: String },
        /// Values that stay under a unique index may meet pseudonyms.
        MayMeet "may_meet" { rule: String, column: String },
        /// A generated column also reads these, which no rule masks.
        AlsoReadsRaw "also_reads_raw" { column: String, read: Vec<String> },
        /// A rule has no effect.
        RuleIdle "rule_idle" { rule: String },
        /// Masked values may be the same in this part of theirs that a unique index is over.
        PartsMayMeet "parts_may_meet" { column: String, part: String },
        /// A table has a rule in SQL, and no rows.
        RuleWithoutRows "rule_without_rows" { table: String },
        /// A rule in SQL reads a table whose rows are excluded.
        ReadsExcluded "reads_excluded" { table: String },
        /// A rule reads a column before a later one masks it.
        ReadsBeforeMasked "reads_before_masked" { rule: String, column: String, later: String },
        /// A rule deletes rows to which a foreign key leads that has no ON DELETE action.
        DeletesReferred "deletes_referred" { table: String, key: String, referring: String },
        /// The backup has no rows.
        NoRows "no_rows",
        /// A condition of the subset kept no row.
        NoneKept "none_kept" { table: String, count: u64 },
        /// An entry of the subset has no effect, because the rows of its table do not come.
        PartRuleIdle "part_rule_idle" { entry: String, table: String },
        /// The same of an entry that stands for several tables.
        PartPatternIdle "part_pattern_idle" { entry: String },
        /// A table whose references are to become NULL has none.
        NullsNothing "nulls_nothing" { entry: String, table: String },
        /// References are declared, and no rows are chosen.
        ReferencesIdle "references_idle",
        /// Originals of masked columns are elsewhere; the rule would mask them.
        Leaked "leaked" { column: String, originals: Originals, rule: RuleEntry },
        /// They may be; so many would be there by chance.
        MaybeLeaked "maybe_leaked" { column: String, originals: Originals, chance: String, rule: RuleEntry },
        /// They may be, but people share names.
        MaybeNamesLeaked "maybe_names_leaked" { column: String, originals: Originals, rule: RuleEntry },
    }
}

phrases! {
    /// Why a connection stands still.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Stall {
        /// The server has ended its process.
        ProcessEnded "process_ended",
        /// What is sent does not reach the server.
        NothingArrives "nothing_arrives",
        /// The server's answer does not arrive.
        AnswerLost "answer_lost",
        /// Another connection gets no answer either.
        NoAnswer "no_answer_either",
        /// It waits for a lock that these processes hold.
        LockHeld "lock_held" { holders: Vec<ServerProcess> },
    }
}

phrases! {
    /// Why it was not tried what the target would refuse of the schema.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Untried {
        /// The target has no PL/pgSQL.
        NoPlpgsql "untried_without_plpgsql",
        /// The server's lock table is too small.
        FewLocks "untried_for_locks",
        /// Tables of the target are in use.
        InUse "untried_in_use",
    }
}

phrases! {
    /// Originals of masked columns, so many of a kind.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Originals {
        /// E-mail addresses.
        Emails "leaked_emails" { count: u64 },
        /// Telephone numbers.
        Phones "leaked_phones" { count: u64 },
        /// IBANs.
        Ibans "leaked_ibans" { count: u64 },
        /// Card numbers.
        Cards "leaked_cards" { count: u64 },
        /// Identity numbers.
        Identities "leaked_identities" { count: u64 },
        /// Full names.
        Names "leaked_names" { count: u64 },
        /// Hashes without a salt.
        Digests "leaked_digests" { count: u64 },
    }
}

phrases! {
    /// What verification finds that is not as it has to be.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Mismatch {
        /// A table holds so many rows where others were sent.
        RowsDiffer "rows_differ" { table: String, count: u64, sent: u64 },
        /// So many values of a column are not of the form of its mask; the table was emptied.
        FormLost "form_lost" { column: String, count: u64, mask: Becomes },
        /// So many values were written that are not of the form of their mask; the table was emptied.
        FormLostInWriting "form_lost_in_writing" { table: String, count: u64 },
        /// So many values of a column that was masked in place are not of the form of its mask.
        FormLostInPlace "form_lost_in_place" { column: String, count: u64 },
        /// So many values that a rule with a condition put in are not of the form of the mask.
        FormLostByRule "form_lost_by_rule" { rule: String, column: String, count: u64 },
        /// After a rule in SQL so many rows still hold what production has.
        LeftByRule "left_by_rule" { rule: String, table: String, column: String, count: u64 },
        /// An archive holds data that was not written.
        NotWritten "not_written" { entry: String },
        /// An archive holds so many rows of a table where others were written.
        ArchivedRowsDiffer "archived_rows_differ" { table: String, count: u64, written: u64 },
        /// An archive holds no rows of a table.
        ArchivedRowsMissing "archived_rows_missing" { table: String },
        /// An archive holds so many large objects where others were written.
        ArchivedObjectsDiffer "archived_objects_differ" { count: u64, written: u64 },
        /// So many values of a column in an archive are not of the form of its mask.
        ArchivedFormLost "archived_form_lost" { column: String, count: u64, mask: Becomes },
        /// So many values were written into an archive that are not of the form of their mask.
        ArchivedFormLostInWriting "archived_form_lost_in_writing" { table: String, count: u64 },
    }
}
