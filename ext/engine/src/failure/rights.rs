//! What a target's role may not do.

use phrases::phrases;

phrases! {
    /// What a run does, as its role may or may not.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Right {
        /// Create a schema.
        CreateSchema "right_create_schema",
        /// Create schemas in the database.
        CreateSchemas "right_create_schemas",
        /// Create tables in the schema `public`.
        CreateInPublic "right_create_in_public",
        /// Create all that a backup has there.
        CreateAllInPublic "right_create_all_in_public",
        /// Write to the gem's own schema.
        WriteOwnSchema "right_write_own_schema",
        /// Create temporary tables.
        CreateTemporary "right_create_temporary",
        /// Create large objects.
        CreateLargeObjects "right_create_large_objects",
        /// End the role's other sessions.
        EndSessions "right_end_sessions",
        /// Make new sessions read-only.
        MakeReadOnly "right_make_read_only",
        /// Open the connections that are configured, and one more.
        OpenConnections "right_open_connections",
    }
}

phrases! {
    /// What it may not. An `object` is a kind and a name.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum RightFailure {
        /// This.
        Missing "right_missing" { right: Right },
        /// Create a policy for a role that is not there.
        PolicyWithoutRole "policy_without_role" { object: String, role: String },
        /// Create what only a superuser may.
        ForSuperusers "for_superusers" { object: String },
    }
}

phrases! {
    /// What to do about it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum RightRemedy {
        /// Grant CREATE on the database.
        GrantOnDatabase "grant_on_database",
        /// Grant CREATE on the schema `public`.
        GrantOnPublic "grant_on_public",
        /// The same, and USAGE.
        GrantUseOfPublic "grant_use_of_public",
        /// Connect as the owner of the gem's own schema, or drop it.
        OwnSchemasOwner "own_schemas_owner",
        /// Grant TEMPORARY.
        GrantTemporary "grant_temporary",
        /// Only a backup with large objects needs it.
        ForLargeObjects "for_large_objects",
        /// Let it execute pg_terminate_backend, or do without.
        LetTerminate "let_terminate",
        /// Stop the workers, or let it change its own settings.
        StopWorkers "stop_workers",
        /// Take fewer connections, or stop the app.
        FewerOrStopApp "fewer_or_stop_app",
        /// Create the role, or drop the policy.
        CreateRole "create_role" { role: String },
        /// Have a superuser own the target, or drop the object.
        SuperuserOrDrop "superuser_or_drop",
    }
}
