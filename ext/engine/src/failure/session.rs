//! A target that cannot be reached, or a URL of it that says what cannot be done.

use super::ServerProcess;
use phrases::phrases;

phrases! {
    /// Why it cannot be reached.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Unreachable {
        /// Its host's name is not known.
        UnknownHost "unknown_host",
        /// The connection failed.
        NoConnection "no_connection",
        /// The connection failed, by what Rust calls it.
        ConnectionTrouble "connection_trouble" { trouble: String },
        /// It does not answer.
        NotAnswering "not_answering",
        /// The attempt took too long.
        TimedOut "timed_out",
        /// The server closed the connection, or speaks something else.
        NotPostgresql "not_postgresql",
    }
}

phrases! {
    /// Why its certificate is not trusted.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Mistrust {
        /// It is another host's.
        OtherHost "other_host",
        /// It has expired.
        Expired "expired",
        /// It is not valid yet.
        NotYetValid "not_yet_valid",
        /// No known authority signed it.
        UnknownAuthority "unknown_authority",
        /// Its form cannot be verified.
        Unverifiable "unverifiable",
    }
}

phrases! {
    /// Why there is no session.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum SessionFailure {
        /// The target cannot be reached.
        Unreached "target_unreached" { why: Unreachable },
        /// It does not allow writes.
        NoWrites "no_writes",
        /// It is a standby server.
        Standby "standby",
        /// It is too old.
        TooOld "too_old" { version: String },
        /// It refuses the password.
        WrongPassword "wrong_password",
        /// It does not let the role in.
        RoleNotLetIn "role_not_let_in",
        /// It has no such database.
        NoSuchDatabase "no_such_database",
        /// The role may not connect.
        NotConnect "not_connect",
        /// No connection is left.
        NoneLeft "none_left",
        /// It is starting or stopping.
        StartingUp "starting_up",
        /// It refuses, for what this code means.
        Rejected "rejected" { sqlstate: String },
        /// Its certificate is not trusted.
        Untrusted "untrusted" { why: Mistrust },
        /// It does not offer TLS.
        NoTls "no_tls",
        /// The handshake failed.
        HandshakeFailed "handshake_failed",
        /// It asks for a password.
        PasswordMissing "password_missing",
        /// It does not offer channel binding.
        NoChannelBinding "no_channel_binding",
        /// It asks for another kind of authentication.
        OtherAuthentication "other_authentication",
        /// Another run is under way.
        AnotherRun "another_run",
        /// Another run, of these processes, is under way.
        AnotherRunOf "another_run_of" { holders: Vec<ServerProcess> },
        /// So many sessions, under these names, are in the database, and may not be ended.
        OtherSessions "other_sessions" { count: usize, names: String },
        /// Other sessions are in the database, and may not be ended.
        SomeSessions "some_sessions",
        /// The connection that holds the target broke.
        HoldBroke "hold_broke",
        /// The server did not answer while connections were closed.
        SilentAtClose "silent_at_close",
        /// So many connections may be opened, and so many are needed.
        TooFewConnections "too_few_connections" { count: usize, needed: usize },
        /// So many were needed at once, and so many were there.
        HadConnections "had_connections" { needed: usize, had: usize },
        /// The target is no PostgreSQL URL.
        NotPostgresqlUrl "not_postgresql_url",
        /// A parameter has no value.
        ParameterWithoutValue "parameter_without_value",
        /// A bracket is not closed.
        BracketOpen "bracket_open",
        /// Something follows a bracket.
        AfterBracket "after_bracket",
        /// A percent sign is followed by something else.
        StrayPercent "stray_percent",
        /// The port is none.
        PortNoNumber "port_no_number",
        /// As many addresses as hosts are needed.
        AddressesUneven "addresses_uneven",
        /// As many ports as hosts are needed.
        PortsUneven "ports_uneven",
        /// An abstract socket is named.
        AbstractSocket "abstract_socket",
        /// A parameter is unknown.
        ParameterUnknown "parameter_unknown" { parameter: String },
        /// A parameter cannot be honoured.
        ParameterNotHonoured "parameter_not_honoured" { parameter: String },
        /// A parameter's value cannot be honoured.
        ValueNotHonoured "value_not_honoured" { parameter: String },
        /// A parameter's value cannot be read.
        ValueUnread "value_unread" { parameter: String },
        /// `sslrootcert=system` with too weak a mode.
        SystemRootsTooWeak "system_roots_too_weak",
        /// Nothing to verify against.
        NothingToVerify "nothing_to_verify",
        /// Direct TLS with too weak a mode.
        DirectTooWeak "direct_too_weak",
        /// Channel binding without TLS.
        BindingWithoutTls "binding_without_tls",
        /// One of two files is missing.
        HalfOfCertificate "half_of_certificate",
        /// The lowest version is above the highest.
        VersionsCrossed "versions_crossed",
        /// The certificate and the key do not belong together.
        KeyMismatch "key_mismatch",
        /// No authority's certificate is in the file.
        NoAuthority "no_authority",
        /// The file of a parameter is no PEM.
        NoPem "no_pem" { parameter: String },
    }
}

phrases! {
    /// What to do about it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum SessionRemedy {
        /// Check host and port.
        CheckHost "check_host",
        /// Point at the primary server.
        PointAtPrimary "point_at_primary",
        /// Upgrade it.
        Upgrade "upgrade" { version: String },
        /// Check user and password.
        CheckPassword "check_password",
        /// Check the user.
        CheckUser "check_user",
        /// Check the database.
        CheckDatabase "check_database",
        /// Grant CONNECT.
        GrantConnect "grant_connect",
        /// Leave more connections.
        ScaleDown "scale_down",
        /// Wait a minute.
        WaitMinute "wait_minute",
        /// Look the code up.
        LookUpCode "look_up_code",
        /// Check the certificate's settings.
        CheckCertificate "check_certificate",
        /// Do without TLS.
        PreferTls "prefer_tls",
        /// Check TLS.
        CheckTls "check_tls",
        /// Put in a password.
        AddPassword "add_password",
        /// Leave channel binding out.
        LeaveBindingOut "leave_binding_out",
        /// Use another role.
        UseScram "use_scram",
        /// Wait for the other run.
        WaitForRun "wait_for_run",
        /// Stop the app's processes.
        StopApp "stop_app",
        /// Clear what is left.
        ClearUp "clear_up",
        /// Raise the limit.
        RaiseLimit "raise_limit",
        /// Give such a URL.
        GiveUrl "give_url",
        /// Correct the URL.
        CorrectUrl "correct_url",
        /// Encode it.
        EncodePercent "encode_percent",
        /// Encode the user's name and password.
        EncodeUser "encode_user",
        /// Remove it.
        RemoveParameter "remove_parameter",
        /// Put the password into the URL.
        PasswordIntoUrl "password_into_url",
        /// These values are possible.
        PossibleValues "possible_values" { words: Vec<String> },
        /// Verify in full.
        VerifyFull "verify_full",
        /// Add an authority.
        AddAuthority "add_authority",
        /// Require TLS, or leave direct out.
        RequireOrNotDirect "require_or_not_direct",
        /// Require TLS, or leave the binding out.
        RequireOrNoBinding "require_or_no_binding",
        /// Name both files.
        NameBoth "name_both",
        /// Name a certificate and its key.
        NameMatchingKey "name_matching_key",
        /// Name a file with an authority.
        NameAuthority "name_authority",
        /// Name a PEM file.
        NamePem "name_pem",
    }
}
