//! SQL of the configuration in messages, without what stands in quotes: that may be a text which a person is known by.

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

/// Stands for a text.
const TEXT: &str = "'…'";

/// Stands for something in double quotes.
const NAME: &str = "\"…\"";

/// What becomes of names in double quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    Shown,
    Hidden,
}

/// SQL from a character on, which counts from 0, in one line; None where it does not fall into words.
pub(super) fn excerpt(sql: &str, from: usize, names: Names) -> Option<String> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql)
        .tokenize_with_location()
        .ok()?;
    let characters: Vec<char> = sql.chars().collect();
    let mut ends = starts(&tokens, &characters)?;
    let begins = ends.clone();
    ends.push(characters.len());
    let mut written = String::new();
    for ((token, begin), end) in tokens.iter().zip(begins).zip(ends.into_iter().skip(1)) {
        if end <= from {
            continue;
        }
        match (&token.token, hidden(&token.token)) {
            // A comment may say anything, too.
            (Token::Whitespace(_), _) => written.push(' '),
            (_, Some(NAME)) if names == Names::Shown => {
                written.extend(characters.get(begin.max(from)..end)?);
            }
            (_, Some(hidden)) => written.push_str(hidden),
            (_, None) => written.extend(characters.get(begin.max(from)..end)?),
        }
    }
    let words: Vec<&str> = written.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// What a parser says of SQL, without the texts in that.
pub(crate) fn without_texts(words: &str, sql: &str) -> String {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize();
    let mut texts: Vec<(String, &str)> = Vec::new();
    let mut said = words.to_owned();
    let mut before: Option<&str> = None;
    // Where it does not fall into words, what is said of it repeats none.
    for token in tokens.iter().flatten() {
        let shown = token.to_string();
        let is_word = matches!(token, Token::Word(_) | Token::Number(..));
        match (hidden(token), before) {
            (Some(hidden), _) => texts.push((shown, hidden)),
            // The end of a text with an apostrophe in it: 'O'Brien.
            (None, Some(_)) if is_word => said = instead(&said, &shown),
            (None, _) => {}
        }
        before = hidden(token);
    }
    texts.sort_by_key(|(shown, _)| std::cmp::Reverse(shown.len()));
    texts.iter().fold(said, |said, (shown, hidden)| {
        let inner = shown.trim_matches(|c| c == '\'' || c == '"');
        said.replace(shown, hidden)
            .replace(&format!("\"{inner}\""), hidden)
    })
}

/// A message with a text in the place of the word that was found.
fn instead(said: &str, word: &str) -> String {
    let found = format!("found: {word}");
    match said == word || said.ends_with(&found) || said.contains(&format!("{found} at Line")) {
        true if said == word => TEXT.to_owned(),
        true => said.replacen(&found, &format!("found: {TEXT}"), 1),
        false => said.to_owned(),
    }
}

/// What stands for a token that is not repeated.
fn hidden(token: &Token) -> Option<&'static str> {
    match token {
        Token::Whitespace(_) => None,
        Token::Word(word) => word.quote_style.map(|_| NAME),
        other => other.to_string().contains(['\'', '"', '$']).then_some(TEXT),
    }
}

/// Where tokens begin, in characters.
fn starts(tokens: &[TokenWithSpan], characters: &[char]) -> Option<Vec<usize>> {
    let (mut line, mut column, mut at) = (1, 1, 0);
    let mut starts = Vec::with_capacity(tokens.len());
    for token in tokens {
        let Location {
            line: its_line,
            column: its_column,
        } = token.span.start;
        while (line, column) != (its_line, its_column) {
            (line, column) = match characters.get(at)? {
                '\n' => (line + 1, 1),
                _ => (line, column + 1),
            };
            at += 1;
        }
        starts.push(at);
    }
    Some(starts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_and_no_comment_is_in_an_excerpt_however_it_is_quoted() {
        for text in [
            "'Marie'",
            "'it''s Marie'",
            "E'Marie\\''",
            "e'Marie'",
            "$$Marie$$",
            "$of$Marie$of$",
            "U&'Marie'",
            "N'Marie'",
            "x'AB'",
            "'é\nMarie'",
        ] {
            let sql = format!("a  > 1 AND email =\n {text}::int -- of Marie\n OR b /* Marie */ != 2");
            let said = excerpt(&sql, 11, Names::Hidden);
            let expected = "email = '…'::int OR b != 2";
            assert_eq!(said.as_deref(), Some(expected), "{text}");
            let within = excerpt(&sql, 22, Names::Hidden);
            assert_eq!(within.as_deref(), Some("'…'::int OR b != 2"), "{text}");
        }
    }

    #[test]
    fn names_in_double_quotes_are_shown_where_they_are_ours() {
        let sql = "\"Marie\".\"x\" = 1";
        assert_eq!(excerpt(sql, 0, Names::Hidden).as_deref(), Some("\"…\".\"…\" = 1"));
        assert_eq!(excerpt(sql, 0, Names::Shown).as_deref(), Some(sql));
        assert_eq!(excerpt("'Marie", 0, Names::Shown), None);
        assert_eq!(excerpt("a ", 1, Names::Shown), None);
    }

    #[test]
    fn what_the_parser_says_repeats_no_text() {
        for (words, sql, expected) in [
            ("'Marie'", "a 'Marie'", "'…'"),
            (
                "Expected: ), found: 'it's' at Line: 1, Column: 4",
                "(a 'it''s'",
                "Expected: ), found: '…' at Line: 1, Column: 4",
            ),
            ("found: $$Marie$$", "a $$Marie$$", "found: '…'"),
            ("found: \"Marie\"", "a \"Marie\"", "found: \"…\""),
            ("found: \"Marie\"", "a 'Marie'", "found: '…'"),
            ("Brien", "a = 'O'Brien''", "'…'"),
            ("found: s at Line: 1", "a = 'it's x'", "found: s at Line: 1"),
            ("found: s at Line: 1", "a = 'it's ' x'", "found: '…' at Line: 1"),
            ("an end, found: EOF", "a = ", "an end, found: EOF"),
        ] {
            assert_eq!(without_texts(words, sql), expected, "{sql}");
        }
    }
}
