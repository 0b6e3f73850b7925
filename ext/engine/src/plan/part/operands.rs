//! What AND or OR joins in a condition, each as it is written: the server is asked about them one by one, so that a fault in
//! one hides none in another.

use crate::plan::parse::parse_condition;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

/// The parts of a condition; none where it has not two.
pub(super) fn operands(condition: &str) -> Vec<&str> {
    let found = cut(condition).unwrap_or_default();
    match found.iter().all(|part| parse_condition(part).is_ok()) {
        true => found,
        false => Vec::new(),
    }
}

fn cut(condition: &str) -> Option<Vec<&str>> {
    let dialect = PostgreSqlDialect {};
    let mut tokens = Tokenizer::new(&dialect, condition)
        .tokenize_with_location()
        .ok()?;
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(_)));
    let joints = joints(&tokens);
    let Some(joints) = joints else {
        let (first, last) = (tokens.first()?, tokens.last()?);
        let inner = (offset(condition, first.span.start)? + 1)..offset(condition, last.span.start)?;
        return cut(condition.get(inner)?);
    };
    let (mut parts, mut from) = (Vec::new(), 0);
    for token in joints {
        let at = offset(condition, token.span.start)?;
        parts.push(condition.get(from..at)?);
        from = at + token.token.to_string().len();
    }
    if parts.is_empty() {
        return None;
    }
    parts.push(condition.get(from..)?);
    Some(parts)
}

/// The ORs outside of all parentheses, else the ANDs there; None where one pair of parentheses is around everything.
fn joints(tokens: &[TokenWithSpan]) -> Option<Vec<&TokenWithSpan>> {
    let (mut ands, mut ors) = (Vec::new(), Vec::new());
    let (mut depth, mut betweens, mut is_enclosed) = (0_u32, 0_u32, false);
    for (at, token) in tokens.iter().enumerate() {
        let keyword = match &token.token {
            Token::Word(word) if word.quote_style.is_none() => word.keyword,
            _ => Keyword::NoKeyword,
        };
        match (&token.token, keyword) {
            (Token::LParen | Token::LBracket, _) | (_, Keyword::CASE) => {
                is_enclosed |= at == 0 && token.token == Token::LParen;
                depth += 1;
            }
            (Token::RParen | Token::RBracket, _) | (_, Keyword::END) => depth = depth.saturating_sub(1),
            (_, Keyword::BETWEEN) if depth == 0 => betweens += 1,
            (_, Keyword::AND) if depth == 0 && betweens > 0 => betweens -= 1,
            (_, Keyword::AND) if depth == 0 => ands.push(token),
            (_, Keyword::OR) if depth == 0 => ors.push(token),
            _ => {}
        }
        is_enclosed &= depth > 0 || at + 1 == tokens.len();
    }
    if is_enclosed {
        return None;
    }
    Some(if ors.is_empty() { ands } else { ors })
}

/// Where a place in a text is, in bytes.
fn offset(text: &str, place: Location) -> Option<usize> {
    let (mut line, mut column) = (1, 1);
    for (at, character) in text.char_indices() {
        if (line, column) == (place.line, place.column) {
            return Some(at);
        }
        (line, column) = match character {
            '\n' => (line + 1, 1),
            _ => (line, column + 1),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(condition: &str) -> Vec<&str> {
        operands(condition).into_iter().map(str::trim).collect()
    }

    #[test]
    fn what_and_joins_is_cut_apart_where_it_is_no_between_and_no_part_of_something() {
        assert_eq!(
            parts("é = 'a AND b' and\n\"AND\" > 1 AND c"),
            ["é = 'a AND b'", "\"AND\" > 1", "c"]
        );
        assert_eq!(
            parts("a BETWEEN 1 AND 2 AND NOT b"),
            ["a BETWEEN 1 AND 2", "NOT b"]
        );
        assert_eq!(
            parts("CASE WHEN a AND b THEN c END AND d[1 + 1] = 1"),
            ["CASE WHEN a AND b THEN c END", "d[1 + 1] = 1"]
        );
        assert_eq!(parts("a > 1"), Vec::<&str>::new());
        assert_eq!(parts("f(a AND b)"), Vec::<&str>::new());
    }

    #[test]
    fn or_joins_what_and_does_not_and_parentheses_around_everything_are_none() {
        assert_eq!(parts("a AND b OR (c OR d)"), ["a AND b", "(c OR d)"]);
        assert_eq!(parts("(c OR d)"), ["c", "d"]);
        assert_eq!(parts("((c AND d))"), ["c", "d"]);
        assert_eq!(parts("(a) AND (b)"), ["(a)", "(b)"]);
        assert_eq!(parts("a = 'x' -- AND more\n AND b"), ["a = 'x' -- AND more", "b"]);
        assert_eq!(parts("()"), Vec::<&str>::new());
    }
}
