//! An archive that cannot be written, or is not what was written.

use phrases::phrases;

phrases! {
    /// Why a file cannot be written or read.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum FileTrouble {
        /// Its directory does not exist.
        NoDirectory "no_directory",
        /// What stands in the place of its directory is a file.
        FileForDirectory "file_for_directory",
        /// It is a directory.
        IsDirectory "is_directory",
        /// This user may not do that.
        NotAllowed "not_allowed",
        /// No room is left.
        NoRoom "no_room",
        /// The quota is used up.
        QuotaUsedUp "quota_used_up",
        /// It would be too large.
        TooLarge "too_large",
        /// The file system is read-only.
        ReadOnly "read_only",
        /// Something that is no file has its name.
        NoFileThere "no_file_there",
        /// Another dump is writing it.
        AnotherDump "another_dump",
        /// Something else, by what Rust calls it.
        OtherTrouble "other_trouble" { trouble: String },
    }
}

phrases! {
    /// What is wrong with an archive that is written.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum SinkFailure {
        /// It was written and cannot be read again.
        WrittenUnreadable "written_unreadable" { fault: String },
        /// What reads it ended before.
        ReaderEnded "reader_ended",
        /// It could not be written.
        Unwritten "unwritten" { trouble: FileTrouble },
        /// A file of this name cannot be written.
        NamedUnwritten "named_unwritten" { path: String, trouble: FileTrouble },
        /// What is open already cannot be written to.
        StreamUnwritten "stream_unwritten" { trouble: FileTrouble },
        /// A part of an archive cannot be written.
        PartUnwritten "part_unwritten" { trouble: FileTrouble },
        /// An archive lacks rows that its manifest promises.
        RowsNotInArchive "rows_not_in_archive",
        /// The archive's format lacks a compression.
        CompressionUnknown "compression_unknown" { version: String, compression: String },
    }
}

phrases! {
    /// What to do about it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum SinkRemedy {
        /// Look at the disk.
        LookAtDisk "look_at_disk",
        /// Look at what the reading program says.
        LookAtReader "look_at_reader",
        /// Name a place with room.
        NameWritablePlace "name_writable_place",
        /// Name a file in a directory with room.
        NameWritableFile "name_writable_file",
        /// Name a file, or standard output.
        NameFile "name_file",
        /// Wait, or name another file.
        WaitForDump "wait_for_dump",
        /// Lead it elsewhere.
        LeadElsewhere "lead_elsewhere",
        /// Look at the machine's log.
        LookAtLog "look_at_log",
        /// Make the archive again.
        MakeAgain "make_again",
        /// Take gzip, or a newer pg_dump.
        TakeGzip "take_gzip",
    }
}
