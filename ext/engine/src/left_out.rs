//! What of a backup does not come, and why.

use crate::failure::ServerAnswer;
use pg_dump_archive::EntryKind;
use phrases::phrases;
use serde::{Serialize, Serializer};

/// An entry that is not restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// What it is; pg_dump's word for it, where this is written down.
    #[serde(serialize_with = "as_pg_dump_has_it")]
    pub kind: EntryKind,
    /// Its name.
    pub name: String,
    /// Why, and what would change it.
    pub why: Vec<Why>,
    /// The target refused it, or what it needs; else the plan leaves it out, or it is an extension that nothing needs.
    pub refused: bool,
}

fn as_pg_dump_has_it<S: Serializer>(kind: &EntryKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(kind)
}

phrases! {
    /// Why something of the backup is not in the target, or not as the archive has it. An `object` is a kind and a name.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Why {
        /// The configuration names it.
        NamedByConfiguration "named_by_configuration",
        /// Privileges are the target's own.
        Privileges "privileges",
        /// It is the database itself.
        DatabaseExists "database_exists",
        /// Comments are not restored.
        Comments "comments",
        /// Security labels are not restored.
        SecurityLabels "security_labels",
        /// Tablespaces are not restored.
        Tablespaces "tablespaces",
        /// The planner's statistics hold raw values.
        Statistics "statistics",
        /// It can hold production's passwords.
        HoldsPasswords "holds_passwords",
        /// Publications are not restored.
        Publications "publications",
        /// Subscriptions are not restored.
        Subscriptions "subscriptions",
        /// It is of a foreign server, and the configuration does not ask for these.
        ForeignServers "foreign_servers",
        /// It is the schema `public`.
        EveryDatabaseHasIt "every_database_has_it",
        /// The schema is another tool's, or the gem's own.
        SchemaOfOthers "schema_of_others" { schema: String },
        /// It is in such a schema.
        InSchemaOfOthers "in_schema_of_others" { schema: String },
        /// TimescaleDB makes it.
        MadeByTimescale "made_by_timescale",
        /// It is the configuration table of an extension.
        ExtensionsTable "extensions_table",
        /// It is a sequence of an extension.
        ExtensionsSequence "extensions_sequence",
        /// It is of a kind that is not known.
        UnknownKind "unknown_kind",
        /// It needs something that is left out.
        NeedsLeftOut "needs_left_out" { object: String },
        /// It is a view, and what it reads is left out.
        ReadsLeftOut "reads_left_out",
        /// Rows of this table are excluded, and its foreign key cannot be NOT VALID.
        NoNotValidKey "no_not_valid_key" { table: String },
        /// Rows of an extension's table are jobs.
        RowsAreJobs "rows_are_jobs",
        /// Rows of an extension's table lead to other servers.
        RowsLeadToServers "rows_lead_to_servers",
        /// Rows of an extension's table are secrets.
        RowsAreSecrets "rows_are_secrets",
        /// Rows of an extension's table are keys.
        RowsAreKeys "rows_are_keys",
        /// Rows of an extension's table are production's masking rules and secrets.
        RowsAreRulesAndSecrets "rows_are_rules_and_secrets",
        /// Rows of an extension's table do not come in COPY's form.
        RowsNotOfCopy "rows_not_of_copy",
        /// Rows of an extension's table are made by it.
        RowsMadeByExtension "rows_made_by_extension",
        /// The rows are of no table that comes.
        RowsOfNoTable "rows_of_no_table",
        /// The role may not create it.
        MayNotCreate "may_not_create",
        /// The role may not write to it.
        MayNotWrite "may_not_write",
        /// Only a superuser may create it.
        OnlySuperuser "only_superuser",
        /// A role that it names is not there.
        NoRole "no_role" { role: String },
        /// An extension lacks another one.
        ExtensionLacking "extension_lacking",
        /// The server does not have the extension.
        ServerLacksIt "server_lacks_it",
        /// The server refuses it.
        Refused "refused" { answer: ServerAnswer },
        /// The target's table of the name belongs to no extension.
        TableOfNoExtension "table_of_no_extension" { table: String },
        /// Its rows could not be written.
        RowsRefused "rows_refused",
        /// A function finds what it calls once it says where that is.
        SearchPathCures "search_path_cures" { function: String, path: String },
        /// Production's own rows do not meet it.
        RowsDoNotMeetIt "rows_do_not_meet_it",
        /// Rows refer to some that did not come.
        RowsAreMissing "rows_are_missing",
        /// So many rows are what is refused; the query finds them.
        SuchRows "such_rows" { count: u64, query: String },
        /// Rows are what is refused; the query finds them.
        SomeSuchRows "some_such_rows" { query: String },
    }
}
