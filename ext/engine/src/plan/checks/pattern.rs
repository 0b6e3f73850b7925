//! Patterns of PostgreSQL as those of the engine's own regular expressions.

/// Whether a regular expression of PostgreSQL's means the same to the engine here (PostgreSQL's documentation, "Pattern
/// Matching"): `\b` is a backspace there, and within brackets `&&`, `--`, `~~` and `[` are plain characters.
pub(super) fn is_the_same_here(pattern: &str) -> bool {
    let within = pattern.find('[').map_or("", |open| &pattern[open + 1..]);
    let is_plain = !["&&", "--", "~~", "[.", "[="]
        .iter()
        .any(|set| within.contains(set));
    let nested = within.match_indices('[').all(|(at, _)| {
        let closed = within[..at].contains(']');
        closed || within[at..].starts_with("[:")
    });
    is_plain
        && nested
        && !["\\b", "\\B", "\\z", "***"]
            .iter()
            .any(|other| pattern.contains(other))
}

/// `%` stands for anything, `_` for one character, and `\` before either for itself.
pub(super) fn regex_of_like(pattern: &str) -> String {
    let mut regex = String::from("^");
    let mut characters = pattern.chars();
    while let Some(c) = characters.next() {
        match c {
            '%' => regex.push_str(".*"),
            '_' => regex.push('.'),
            '\\' => regex.push_str(&regex::escape(&characters.next().unwrap_or('\\').to_string())),
            c => regex.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    regex.push('$');
    regex
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_means_something_else_here_is_reported() {
        for same in [
            "^[0-9]{5}$",
            r"^[^@\s]+@[^@\s]+$",
            "^[[:alpha:]_-]+$",
            "(a|b)[x-z]?",
            "^[^[:space:]]+[a-z]$",
        ] {
            assert!(is_the_same_here(same), "{same}");
        }
        for other in [
            r"\bword\b",
            "[a--b]",
            "[a&&b]",
            "[[.a.]]",
            "[a[b]",
            "***:x",
            r"x\z",
        ] {
            assert!(!is_the_same_here(other), "{other}");
        }
    }

    #[test]
    fn like_has_two_wildcards_and_an_escape() {
        let regex = regex::RegexBuilder::new(&regex_of_like(r"a%._\%"))
            .dot_matches_new_line(true)
            .build()
            .unwrap();
        assert!(regex.is_match("a\nb.x%") && regex.is_match("a..%"));
        assert!(!regex.is_match("a.x!") && !regex.is_match("ab.%") && !regex.is_match("ba.x%"));
    }
}
