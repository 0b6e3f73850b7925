//! What an entry of the table of contents is.

use std::fmt;

/// The kinds, each with pg_dump's word for it.
macro_rules! kinds {
    ($($kind:ident = $word:literal,)*) => {
        /// What an entry of the table of contents is, by the word that pg_dump has for it (`desc` in `ArchiveEntry()`).
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum EntryKind {
            $(#[doc = concat!("`", $word, "`")] $kind,)*
            /// A kind that is not known here, in pg_dump's word.
            Other(Box<str>),
        }

        impl EntryKind {
            /// pg_dump's word.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$kind => $word,)*
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for EntryKind {
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$kind,)*
                    other => Self::Other(other.into()),
                }
            }
        }
    };
}

kinds! {
    AccessMethod = "ACCESS METHOD",
    Acl = "ACL",
    Aggregate = "AGGREGATE",
    Blob = "BLOB",
    BlobMetadata = "BLOB METADATA",
    Blobs = "BLOBS",
    Cast = "CAST",
    CheckConstraint = "CHECK CONSTRAINT",
    Collation = "COLLATION",
    Comment = "COMMENT",
    Constraint = "CONSTRAINT",
    Conversion = "CONVERSION",
    Database = "DATABASE",
    DatabaseProperties = "DATABASE PROPERTIES",
    Default = "DEFAULT",
    DefaultAcl = "DEFAULT ACL",
    Domain = "DOMAIN",
    Encoding = "ENCODING",
    EventTrigger = "EVENT TRIGGER",
    Extension = "EXTENSION",
    ForeignDataWrapper = "FOREIGN DATA WRAPPER",
    ForeignKey = "FK CONSTRAINT",
    ForeignTable = "FOREIGN TABLE",
    Function = "FUNCTION",
    Index = "INDEX",
    IndexAttach = "INDEX ATTACH",
    MaterializedView = "MATERIALIZED VIEW",
    MaterializedViewData = "MATERIALIZED VIEW DATA",
    Operator = "OPERATOR",
    OperatorClass = "OPERATOR CLASS",
    OperatorFamily = "OPERATOR FAMILY",
    Policy = "POLICY",
    ProceduralLanguage = "PROCEDURAL LANGUAGE",
    Procedure = "PROCEDURE",
    Publication = "PUBLICATION",
    PublicationSchema = "PUBLICATION TABLES IN SCHEMA",
    PublicationTable = "PUBLICATION TABLE",
    RowSecurity = "ROW SECURITY",
    Rule = "RULE",
    Schema = "SCHEMA",
    SearchPath = "SEARCHPATH",
    SecurityLabel = "SECURITY LABEL",
    Sequence = "SEQUENCE",
    SequenceOwnedBy = "SEQUENCE OWNED BY",
    SequenceSet = "SEQUENCE SET",
    Server = "SERVER",
    ShellType = "SHELL TYPE",
    Statistics = "STATISTICS",
    StatisticsData = "STATISTICS DATA",
    StdStrings = "STDSTRINGS",
    Subscription = "SUBSCRIPTION",
    SubscriptionTable = "SUBSCRIPTION TABLE",
    Table = "TABLE",
    TableAttach = "TABLE ATTACH",
    TableData = "TABLE DATA",
    Tablespace = "TABLESPACE",
    TextSearchConfiguration = "TEXT SEARCH CONFIGURATION",
    TextSearchDictionary = "TEXT SEARCH DICTIONARY",
    TextSearchParser = "TEXT SEARCH PARSER",
    TextSearchTemplate = "TEXT SEARCH TEMPLATE",
    Transform = "TRANSFORM",
    Trigger = "TRIGGER",
    Type = "TYPE",
    UserMapping = "USER MAPPING",
    View = "VIEW",
}

impl EntryKind {
    /// Whether it is of large objects: one, all their contents, or what pg_dump says of them.
    pub fn is_of_large_objects(&self) -> bool {
        self.as_str().starts_with("BLOB")
    }

    /// Whether it is of a publication, also in a word that is not known here.
    pub fn is_of_publication(&self) -> bool {
        self.as_str().starts_with("PUBLICATION")
    }

    /// Whether it is of a subscription, also in a word that is not known here.
    pub fn is_of_subscription(&self) -> bool {
        self.as_str().starts_with("SUBSCRIPTION")
    }
}

impl fmt::Display for EntryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_word_is_a_kind_and_is_written_as_it_was_read() {
        assert_eq!(EntryKind::from("FK CONSTRAINT"), EntryKind::ForeignKey);
        assert_eq!(EntryKind::ForeignKey.to_string(), "FK CONSTRAINT");
        assert_eq!(EntryKind::from("TABLE DATA").to_string(), "TABLE DATA");
    }

    #[test]
    fn a_word_of_a_newer_pg_dump_is_kept() {
        let kind = EntryKind::from("PROPERTY GRAPH");
        assert_eq!(kind, EntryKind::Other("PROPERTY GRAPH".into()));
        assert_eq!(kind.to_string(), "PROPERTY GRAPH");
        assert!(EntryKind::from("PUBLICATION ALL SEQUENCES").is_of_publication());
    }

    #[test]
    fn comments_on_large_objects_of_an_old_pg_dump_are_of_large_objects() {
        for word in ["BLOB", "BLOBS", "BLOB METADATA", "BLOB COMMENTS"] {
            assert!(EntryKind::from(word).is_of_large_objects(), "{word}");
        }
        assert!(!EntryKind::Table.is_of_large_objects());
    }
}
