//! What stands in the way in the target, beside what its server refuses by itself.

use super::ServerProcess;
use phrases::phrases;

phrases! {
    /// An object that is not the role's.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum OthersObject {
        /// It is an extension's.
        OfExtension "object_of_extension" { object: String },
        /// It is another role's.
        OfRole "object_of_role" { object: String, role: String },
        /// There are more.
        More "and_more_objects",
    }
}

phrases! {
    /// What happened.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum TargetFailure {
        /// The gem's schema is another role's.
        SchemaOfOther "schema_of_other" { schema: String, owner: String, role: String },
        /// The role may not create the gem's schema.
        SchemaNotCreated "schema_not_created" { schema: String, role: String },
        /// A table with a rule cannot be made in the workspace.
        WorkspaceLacks "workspace_lacks" { table: String },
        /// The rows cannot be read twice.
        NotTwice "not_twice",
        /// What follows could not be streamed again, because of this.
        NotStreamedAgain "not_streamed_again",
        /// It was lost so often.
        LostTimes "lost_times" { count: u32 },
        /// What follows is about the rows of a table.
        InRows "in_rows" { table: String },
        /// A table could not be emptied; why follows.
        NotEmptied "not_emptied" { table: String },
        /// These tables are left empty; why follows.
        LeftEmpty "left_empty" { tables: Vec<String> },
        /// A table is of no extension.
        NoExtensionsTable "no_extensions_table" { table: String },
        /// So many rows came, and other numbers were masked and stored.
        CountsDiffer "counts_differ" { table: String, count: u64, masked: u64, stored: u64 },
        /// PL/pgSQL is not there.
        NoPlpgsql "no_plpgsql",
        /// A commit got no answer.
        CommitUnanswered "commit_unanswered",
        /// Emptying would take along what belongs to others.
        TakesAlong "takes_along" { role: String, objects: Vec<OthersObject> },
        /// Large objects of the backup are another role's here.
        ObjectsTaken "objects_taken" { objects: Vec<OthersObject> },
        /// An extension is in another schema.
        ExtensionElsewhere "extension_elsewhere" { extension: String, schema: String, home: String },
        /// The role may not create an extension that the backup needs.
        ExtensionForbidden "extension_forbidden" { extension: String },
        /// The role may not create an extension that is configured.
        WantedExtensionForbidden "wanted_extension_forbidden" { extension: String },
        /// An extension that the backup needs requires another one.
        ExtensionRequires "extension_requires" { extension: String },
        /// An extension that is configured requires another one.
        WantedExtensionRequires "wanted_extension_requires" { extension: String },
        /// The server does not have an extension that the backup needs.
        ExtensionAbsent "extension_absent" { extension: String },
        /// The server does not have an extension that is configured.
        WantedExtensionAbsent "wanted_extension_absent" { extension: String },
        /// The reset waited too long for a lock.
        ResetWaited "reset_waited" { holders: Vec<ServerProcess> },
        /// The server refuses the configuration in so many places, as follows.
        ConfigurationRefused "configuration_refused" { count: usize },
    }
}

phrases! {
    /// What to do about it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum TargetRemedy {
        /// Connect as the owner, or drop the schema.
        ConnectAsOwner "connect_as_owner" { owner: String, schema: String },
        /// Grant CREATE on the database.
        GrantCreate "grant_create",
        /// Let the workspace be one that has it.
        FilledWorkspace "filled_workspace",
        /// Correct the rule, which is computed in the workspace.
        RuleInWorkspace "rule_in_workspace",
        /// Nothing: it is left out.
        None "no_remedy",
        /// Create PL/pgSQL.
        CreatePlpgsql "create_plpgsql",
        /// Correct the expression.
        CorrectExpression "correct_expression",
        /// Drop the objects, or give them to the role.
        GiveObjects "give_objects",
        /// Unlink the large objects.
        UnlinkObjects "unlink_objects",
        /// Have this run by the extension's owner.
        MoveExtension "move_extension" { cure: String },
        /// Have the extension created.
        CreateExtension "create_extension" { extension: String },
        /// The same, or do without it.
        CreateExtensionOrNot "create_extension_or_not" { extension: String },
        /// Have it installed.
        InstallExtension "install_extension" { extension: String },
        /// The same, or do without it.
        InstallExtensionOrNot "install_extension_or_not" { extension: String },
        /// Wait, or raise the limit.
        WaitOrRaise "wait_or_raise",
        /// The tables are empty: correct the rule.
        TablesAreEmpty "tables_are_empty",
        /// Something else has the name.
        NameIsTaken "name_is_taken",
    }
}
