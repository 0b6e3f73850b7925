//! A backup that is not there, may not be read, or is not what it should be.

use super::Hitch;
use phrases::phrases;

phrases! {
    /// What a backup is called in a sentence.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum BackupSubject {
        /// A file, by its name.
        BackupFile "backup_file" { name: String },
        /// One with an id, and where it comes from.
        BackupFrom "backup_from" { id: String, origin: String },
        /// One with an id.
        BackupWithId "backup_with_id" { id: String },
        /// The one that a link leads to.
        BackupBehindLink "backup_behind_link",
    }
}

phrases! {
    /// What is wrong with a backup's file, its link or its wrapping.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum BackupFailure {
        /// It comes through a pipe, which can be read once.
        FileReadOnce "file_read_once" { path: String },
        /// A directory stands in its place.
        FileIsDirectory "file_is_directory" { path: String },
        /// There is no such file.
        FileMissing "file_missing" { path: String },
        /// This user may not read it.
        FileForbidden "file_forbidden" { path: String },
        /// It cannot be opened, in the operating system's words.
        FileUnopened "file_unopened" { path: String, trouble: String },
        /// Reading it failed, in the operating system's words.
        FileUnread "file_unread" { path: String, trouble: String },
        /// What was kept has changed.
        KeptChanged "kept_changed" { path: String },
        /// Nothing can be written to the directory for archives.
        DirectoryUnwritable "directory_unwritable" { directory: String, trouble: String },
        /// The fetched archive could not be written.
        FetchedUnwritten "fetched_unwritten" { directory: String, trouble: String },
        /// The link is no URL.
        LinkNoUrl "link_no_url",
        /// The link does not go by HTTPS.
        LinkNotHttps "link_not_https",
        /// The link leads to another file than before.
        LinkChanged "link_changed",
        /// The link is of no use.
        LinkUseless "link_useless" { why: Hitch },
        /// It ends too early.
        Truncated "truncated" { subject: BackupSubject, damage: Damage },
        /// It is damaged.
        Damaged "damaged" { subject: BackupSubject, damage: Damage },
        /// It has no bytes.
        Empty "empty" { subject: BackupSubject },
        /// It is a dump in SQL.
        PlainSql "plain_sql" { subject: BackupSubject },
        /// It is a tar file, and what it holds is a dump in SQL.
        PackedSql "packed_sql" { subject: BackupSubject },
        /// It is the table of contents of a dump in the directory format.
        ContentsAlone "contents_alone" { subject: BackupSubject },
        /// It is a dump in the tar format.
        TarFormat "tar_format" { subject: BackupSubject },
        /// It is a tar file of a dump in the directory format.
        PackedDirectory "packed_directory" { subject: BackupSubject },
        /// It is packed by something other than gzip.
        PackedOtherwise "packed_otherwise" { subject: BackupSubject, packer: &'static str },
        /// It begins like a web page.
        WebPage "web_page" { subject: BackupSubject },
        /// It is nothing that is known.
        UnknownFile "unknown_file" { subject: BackupSubject },
        /// It is a tar file without an archive.
        TarWithoutArchive "tar_without_archive" { subject: BackupSubject, contents: Contents },
    }
}

phrases! {
    /// What shows that a backup is damaged, or cut short.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Damage {
        /// It could not be read.
        NotReadable "not_readable",
        /// Its tar file is.
        TarBroken "tar_broken",
        /// Its tar file lacks so many bytes of the archive.
        TarLacks "tar_lacks" { count: u64 },
        /// Its gzip stream ends in the middle.
        GzipEnds "gzip_ends",
        /// Its gzip stream does not decode.
        GzipBroken "gzip_broken",
    }
}

phrases! {
    /// What a tar file without an archive holds.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Contents {
        /// No file.
        NoFile "no_file",
        /// So many files whose names are not shown.
        UnnamedFiles "unnamed_files" { count: usize },
        /// These.
        Files "files" { names: Vec<String> },
        /// These, and so many more.
        ManyFiles "many_files" { names: Vec<String>, more: usize },
    }
}

phrases! {
    /// What to do about it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum BackupRemedy {
        /// Give a regular file, or run again.
        GiveRegularFile "give_regular_file",
        /// Give a regular file.
        GiveFile "give_file",
        /// Give one file, not a directory.
        GiveOneFile "give_one_file",
        /// Give a file that exists, or none.
        GiveExistingFile "give_existing_file",
        /// Let this user read it.
        LetUserRead "let_user_read",
        /// Check the option.
        CheckBackupFile "check_backup_file",
        /// Check the disk.
        CheckDisk "check_disk",
        /// Download it anew.
        DownloadAnew "download_anew",
        /// Give another directory.
        GiveWritableDirectory "give_writable_directory",
        /// Make room, or give another directory.
        MakeRoom "make_room",
        /// Give a link that goes by HTTPS.
        GiveHttpsLink "give_https_link",
        /// Run again, from the beginning of the new one.
        RunFromNewBackup "run_from_new_backup",
        /// Have a new link made.
        MakeNewLink "make_new_link",
        /// Take another backup, or copy the file again.
        TakeAnother "take_another",
        /// Check that the file was copied whole.
        CopyWhole "copy_whole",
        /// Make a dump in the custom format.
        MakeCustomDump "make_custom_dump",
        /// The same, of a database that this dump fills.
        ConvertDump "convert_dump",
        /// Unpack it, or pack it by gzip.
        Unpack "unpack",
        /// Look at how the file was obtained.
        CheckHowObtained "check_how_obtained",
        /// Make a dump and pack that.
        PackCustomDump "pack_custom_dump",
    }
}
