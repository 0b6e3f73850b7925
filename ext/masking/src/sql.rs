//! Quoting, for SQL that is written here and in the crates above.

/// An identifier in double quotes, quotes within it doubled (PostgreSQL's documentation, "Lexical Structure").
///
/// ```
/// assert_eq!(masking::quote_identifier("a \"b\""), "\"a \"\"b\"\"\"");
/// ```
pub fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A column, quoted, as text whose bytes are compared and matched without its own collation: one that is not
/// deterministic has neither regular expressions nor LIKE, and takes different values for equal.
pub(crate) fn plain_text(column: &str) -> String {
    format!("({column}::pg_catalog.text COLLATE pg_catalog.\"C\")")
}

/// A string constant, with `standard_conforming_strings` on.
///
/// ```
/// assert_eq!(masking::quote_literal("it's"), "'it''s'");
/// ```
pub fn quote_literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Text as a regular expression that PostgreSQL takes for that text.
pub(super) fn escape_pattern(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if c.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
