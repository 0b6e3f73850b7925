//! Values that a rule leaves alone: `keep`.

use crate::sql::{plain_text, quote_literal};
use pg_dump_archive::copy;

/// Patterns with `*`, of which a value that matches one stays as it is. ASCII letters match in either case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    patterns: Vec<String>,
}

impl Keep {
    /// For patterns as they stand in the configuration.
    pub fn new(patterns: &[String]) -> Self {
        let patterns = patterns
            .iter()
            .map(|pattern| pattern.to_ascii_lowercase())
            .collect();
        Self { patterns }
    }

    /// Whether a value stays as it is.
    pub fn matches(&self, value: &[u8]) -> bool {
        self.patterns
            .iter()
            .any(|pattern| like(pattern.as_bytes(), value))
    }

    /// Whether the value of a field that is not NULL stays as it is.
    pub(super) fn keeps(&self, raw: &[u8], scratch: &mut Vec<u8>) -> bool {
        copy::decode(raw, scratch).is_some_and(|value| self.matches(value))
    }

    /// A SQL condition on `column`, quoted, that every value that stays meets.
    pub fn sql(&self, column: &str) -> String {
        let conditions: Vec<String> = self
            .patterns
            .iter()
            .map(|pattern| {
                let escaped = pattern
                    .replace('\\', "\\\\")
                    .replace('%', "\\%")
                    .replace('_', "\\_");
                format!(
                    "{} ILIKE {}",
                    plain_text(column),
                    quote_literal(&escaped.replace('*', "%"))
                )
            })
            .collect();
        conditions.join(" OR ")
    }
}

/// Whether `value` is what `pattern`, in lower case, says. On a mismatch the last `*` takes one byte more.
fn like(pattern: &[u8], value: &[u8]) -> bool {
    let (mut p, mut v) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while v < value.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, v));
            p += 1;
        } else if pattern.get(p) == Some(&value[v].to_ascii_lowercase()) {
            p += 1;
            v += 1;
        } else if let Some((at, taken)) = star {
            star = Some((at, taken + 1));
            p = at + 1;
            v = taken + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything_and_case_does_not_count() {
        let keep = Keep::new(&["*@OurCompany.com".into(), "a*b*c".into(), "exact".into()]);
        for value in [
            "ada@ourcompany.com",
            "ADA@OURCOMPANY.COM",
            "@ourcompany.com",
            "abc",
            "axxbbxc",
            "EXACT",
        ] {
            assert!(keep.matches(value.as_bytes()), "{value}");
        }
        for value in [
            "ada@ourcompany.com.evil",
            "ada@other.com",
            "ab",
            "exactly",
            "",
            "xabc",
        ] {
            assert!(!keep.matches(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn what_sql_takes_for_a_wildcard_is_escaped() {
        assert_eq!(
            Keep::new(&["a_b%*'".into()]).sql("\"c\""),
            "(\"c\"::pg_catalog.text COLLATE pg_catalog.\"C\") ILIKE 'a\\_b\\%%'''"
        );
    }
}
