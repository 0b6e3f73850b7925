//! Originals that survived.

use phrases::phrases;

phrases! {
    /// The head and the foot of what survived where.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum LeakFailure {
        /// Values survived, as follows.
        Survived "survived",
        /// So many more columns have some.
        More "more_leaks" { count: usize },
    }
}

phrases! {
    /// What to do about it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum LeakRemedy {
        /// The tables were emptied: add the rules.
        TablesEmptied "leak_tables_emptied",
        /// They hold what they held: add the rules.
        MaskedInPlace "leak_in_place",
        /// The archive was not kept: add the rules.
        ArchiveNotKept "leak_archive_not_kept",
    }
}
