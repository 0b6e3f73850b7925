//! Tables and columns as messages of a part name them: so that they can be written into a rule.

use crate::plan::{quote_identifier, TableName};

/// Whether PostgreSQL takes a name for what it is without quotes, but for its keywords.
fn is_plain(name: &str) -> bool {
    let mut characters = name.chars();
    let begins = characters
        .next()
        .is_some_and(|c| c.is_ascii_lowercase() || c == '_');
    begins && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// `public.users`, `"public.Odd Name"`: as a rule has it, in quotes where it would not stand for itself in a sentence.
pub(crate) fn table_shown(table: &TableName) -> String {
    let written = table.written();
    match is_plain(&table.schema) && is_plain(&table.name) {
        true => written,
        false if written.contains('"') => format!("'{written}'"),
        false => format!("\"{written}\""),
    }
}

/// `email`, `"Key"`: as a condition has it.
pub(super) fn column_shown(column: &str) -> String {
    match is_plain(column) {
        true => column.to_owned(),
        false => quoted_in_sql(column),
    }
}

/// In double quotes.
pub(super) fn quoted_in_sql(column: &str) -> String {
    quote_identifier(column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_in_small_letters_stands_in_quotes_as_a_rule_has_it() {
        let shown = |name: &str| table_shown(&TableName::new("public", name));
        assert_eq!(shown("users_2"), "public.users_2");
        assert_eq!(shown("Odd Name"), "\"public.Odd Name\"");
        assert_eq!(shown("we.ird"), "'public.\"we.ird\"'");
        assert_eq!(
            (column_shown("id"), column_shown("Key")),
            ("id".into(), "\"Key\"".into())
        );
    }
}
