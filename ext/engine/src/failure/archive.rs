//! A backup that cannot be read as an archive.

use phrases::phrases;

phrases! {
    /// What is wrong with an archive. A `place` is where reading stopped, in the archive's own terms.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum ArchiveFailure {
        /// It does not begin with `PGDMP`.
        NotAnArchive "not_an_archive",
        /// Its format is of a version that is not read.
        VersionUnread "version_unread" { version: String },
        /// It is in another of pg_dump's formats.
        FormatUnread "format_unread" { format: &'static str },
        /// It is in an encoding that is not read.
        EncodingUnread "encoding_unread" { encoding: String },
        /// Its names and definitions are in no encoding that is known.
        NamesNotUtf8 "names_not_utf8",
        /// It ends too early.
        ArchiveTruncated "archive_truncated" { place: String },
        /// Something impossible stands at a byte of it.
        ArchiveDamaged "archive_damaged" { place: String, position: u64, fault: &'static str },
        /// What is compressed in it is damaged.
        BlockDamaged "block_damaged" { place: String, fault: String },
        /// The reader underneath failed.
        ArchiveUnread "archive_unread" { trouble: String },
        /// The rows of a table do not have COPY's form.
        RowsDamaged "rows_damaged" { table: String, fault: String },
        /// A row has so many fields where its table has another number of columns.
        FieldsMissing "fields_missing" { table: String, count: usize, columns: usize },
    }
}

phrases! {
    /// What to do about it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum ArchiveRemedy {
        /// Take one that Scalingo or pg_dump made.
        TakeRealBackup "take_real_backup",
        /// Make it in the custom format.
        MakeCustomFormat "make_custom_format",
        /// Make it in UTF-8.
        MakeInUtf8 "make_in_utf8",
        /// Fetch it again.
        FetchAgain "fetch_again",
        /// A newer version of this gem may read it.
        UpdateThisGem "update_this_gem",
        /// Make it with a newer pg_dump.
        MakeWithNewerPgDump "make_with_newer_pg_dump",
        /// Take another one.
        DamagedTakeAnother "damaged_take_another",
    }
}
