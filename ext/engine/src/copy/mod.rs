//! PostgreSQL's COPY text format, both ways, for any byte and without an allocation per row.
//!
//! Rows end in a newline, fields are separated by tabs, `\N` alone is NULL, and a backslash escapes the rest
//! (PostgreSQL's documentation, "COPY", "Text Format"). A raw newline byte is therefore always the end of a row.
