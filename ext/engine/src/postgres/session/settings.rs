//! What every session is set to, beside what the URL asks for.

/// What every session is set to. Those of pg_restore (`_doConnect` and the head of pg_dump's plain output), and
/// ours: no time limits, no JIT, nothing that waits for the disk at each commit, and probes by which the server
/// finds out soon that we are gone. A setting that the server does not know is passed over.
const SETTINGS: [(&str, &str); 26] = [
    ("default_transaction_read_only", "off"),
    ("client_encoding", "UTF8"),
    ("standard_conforming_strings", "on"),
    ("search_path", ""),
    ("check_function_bodies", "off"),
    ("xmloption", "content"),
    ("row_security", "off"),
    ("default_tablespace", ""),
    ("default_table_access_method", "heap"),
    ("escape_string_warning", "off"),
    ("DateStyle", "ISO, MDY"),
    ("IntervalStyle", "postgres"),
    ("transform_null_equals", "off"),
    ("array_nulls", "on"),
    ("statement_timeout", "0"),
    ("lock_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
    ("idle_session_timeout", "0"),
    ("transaction_timeout", "0"),
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_deferrable", "off"),
    ("synchronous_commit", "off"),
    ("jit", "off"),
    ("tcp_keepalives_idle", "60"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "6"),
];

/// What keeps the server's log from more than what went wrong: no DETAIL or CONTEXT, which quote rows, no statement and
/// none of its parameters, which are the contents of large objects. Most of these are a superuser's to set, or that of a
/// role who was granted it.
const LESS_LOGGED: [(&str, &str); 5] = [
    ("log_error_verbosity", "terse"),
    ("log_min_error_statement", "panic"),
    ("log_parameter_max_length", "0"),
    ("log_parameter_max_length_on_error", "0"),
    ("auto_explain.log_parameter_max_length", "0"),
];

/// What sets a session to them, and asks which process it is. `sessions`: how many there will be.
pub(super) fn sql(sessions: usize) -> String {
    let values: Vec<String> = SETTINGS
        .iter()
        .map(|(name, value)| format!("('{name}', '{value}')"))
        .collect();
    // Index builds may sort in memory up to what the server was given as shared_buffers, shared among our
    // sessions: that is about a quarter of its memory by every recommendation, and staging is otherwise idle.
    format!(
        "SELECT set_config(name, wanted.value, false) FROM (VALUES {}) AS wanted (name, value) \
         JOIN pg_settings USING (name); \
         SELECT set_config('maintenance_work_mem', greatest(work.setting::bigint, \
           least(524288, shared.setting::bigint * 8 / {sessions}))::text || 'kB', false) \
         FROM pg_settings work, pg_settings shared \
         WHERE work.name = 'maintenance_work_mem' AND shared.name = 'shared_buffers'; \
         SELECT pg_backend_pid();",
        values.join(", ")
    )
}

/// Sets what it may of [`LESS_LOGGED`]. The refusals are caught, so that the log is not full of those instead.
pub(super) fn less_logged_sql() -> String {
    let set = |(name, value): &(&str, &str)| {
        format!(
            "BEGIN PERFORM pg_catalog.set_config('{name}', '{value}', false); EXCEPTION WHEN OTHERS THEN NULL; END;"
        )
    };
    let all: Vec<String> = LESS_LOGGED.iter().map(set).collect();
    format!("DO $quiet$ BEGIN {} END $quiet$", all.join(" "))
}
