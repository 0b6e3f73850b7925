//! Collations that take one case of a letter for the other, so that two values in a column are one.

use super::Schema;
use crate::plan::sql::{split, Cursor, Token};
use pg_dump_archive::Entry;

/// How a locale asks ICU to leave case out of account: by strength, in the words of BCP 47 and in its own older ones
/// (PostgreSQL's documentation, "ICU Collation Settings").
const WITHOUT_CASE: &[&str] = &[
    "ks-level1",
    "ks-level2",
    "colstrength=primary",
    "colstrength=secondary",
];

impl Schema {
    /// `CREATE COLLATION public.ci (provider = icu, deterministic = false, locale = 'und-u-ks-level2')`: only one that is
    /// not deterministic takes values of different bytes for equal.
    pub(super) fn read_collation(&mut self, entry: &Entry, mut cursor: Cursor<'_, '_>) -> Option<()> {
        let name = cursor.qualified(&entry.namespace)?;
        let (mut may_be_equal, mut without_case) = (false, false);
        for option in split(cursor.parenthesized()?, ',') {
            let (option, value) = option_of(option)?;
            match option.to_lowercase().as_str() {
                "deterministic" => {
                    may_be_equal = matches!(value.to_lowercase().as_str(), "false" | "off" | "0")
                }
                "locale" | "lc_collate" => {
                    let value = value.to_lowercase();
                    // A level for case alone stands between them.
                    without_case = WITHOUT_CASE.iter().any(|strength| value.contains(strength))
                        && !value.contains("kc-true");
                }
                _ => {}
            }
        }
        if may_be_equal && without_case {
            self.without_case.insert(name);
        }
        Some(())
    }
}

/// `locale = 'und'` → its two sides.
fn option_of(tokens: &[Token<'_>]) -> Option<(String, String)> {
    let [option, equals, value] = tokens else {
        return None;
    };
    let value = match value {
        Token::Text(text) => text.to_string(),
        other => other.name()?,
    };
    equals.is_symbol('=').then_some((option.name()?, value))
}
