//! Collations that take different texts for equal, so that two values in a column are one.

use super::Schema;
use crate::plan::sql::{split, Cursor, Token};
use masking::Equal;
use pg_dump_archive::Entry;

/// How a locale asks ICU to leave case, and accents too, out of account: by strength, in the words of BCP 47 and in its own
/// older ones (PostgreSQL's documentation, "ICU Collation Settings").
const WITHOUT_ACCENTS: [&str; 2] = ["ks-level1", "colstrength=primary"];
const WITHOUT_CASE: [&str; 2] = ["ks-level2", "colstrength=secondary"];
/// A level for case alone stands between them.
const WITH_CASE: [&str; 2] = ["kc-true", "colcaselevel=yes"];

/// Languages whose alphabet is ordered as the root's: no letter with an accent is one of its own.
const AS_ROOT: [&str; 10] = ["und", "root", "en", "fr", "de", "it", "nl", "pt", "ga", "id"];

impl Schema {
    /// `CREATE COLLATION public.ci (provider = icu, deterministic = false, locale = 'und-u-ks-level2')`: only one that is
    /// not deterministic takes values of different bytes for equal.
    pub(super) fn read_collation(&mut self, entry: &Entry, mut cursor: Cursor<'_, '_>) -> Option<()> {
        let name = cursor.qualified(&entry.namespace)?;
        let (mut may_be_equal, mut equal) = (false, Equal::Characters);
        for option in split(cursor.parenthesized()?, ',') {
            let (option, value) = option_of(option)?;
            let value = value.to_lowercase();
            match option.to_lowercase().as_str() {
                "deterministic" => may_be_equal = matches!(value.as_str(), "false" | "off" | "0"),
                "locale" | "lc_collate" => equal = equal_of(&value),
                _ => {}
            }
        }
        if may_be_equal {
            self.equal.insert(name, equal);
        }
        Some(())
    }
}

/// Which texts a locale's collation takes for equal, in lower case.
fn equal_of(locale: &str) -> Equal {
    let says = |words: &[&str]| words.iter().any(|word| locale.contains(word));
    let language = locale.split(['-', '_', '@']).next().unwrap_or_default();
    let is_own = !language.is_empty() && !AS_ROOT.contains(&language);
    match (says(&WITHOUT_ACCENTS), says(&WITHOUT_CASE)) {
        _ if says(&WITH_CASE) => Equal::Characters,
        // Its own letters are not those that fold.
        (true, _) if !is_own && !locale.contains("-co-") => Equal::WithoutAccents,
        (false, false) => Equal::Characters,
        _ => Equal::WithoutCase,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_says_which_texts_are_equal() {
        for (locale, equal) in [
            ("und", Equal::Characters),
            ("fr-u-ks-level3", Equal::Characters),
            ("und-u-ks-level2", Equal::WithoutCase),
            ("@colstrength=secondary", Equal::WithoutCase),
            ("tr-u-ks-level2", Equal::WithoutCase),
            ("und-u-ks-level1", Equal::WithoutAccents),
            ("en_us@colstrength=primary", Equal::WithoutAccents),
            ("sv-u-ks-level1", Equal::WithoutCase),
            ("de-u-co-phonebk-ks-level1", Equal::WithoutCase),
            ("und-u-ks-level1-kc-true", Equal::Characters),
        ] {
            assert_eq!(equal_of(locale), equal, "{locale}");
        }
    }
}
