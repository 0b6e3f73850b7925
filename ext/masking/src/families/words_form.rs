//! The condition, for the server, that a text made of [`TextPart`]s meets.
//!
//! A regular expression with a list of names in it costs the server three microseconds a value; a word looked up in a
//! constant list, which PostgreSQL hashes once (`ScalarArrayOpExpr` in its `execExpr.c`, from version 14 on), a tenth
//! of that. So the text is cut at its blanks, and each word is looked up.

use super::parts::TextPart;
use crate::sql::{plain_text, quote_literal};
use std::borrow::Cow;

/// A condition on `column`, quoted, that every value made of these parts meets. Bytes are compared under any
/// column's collation.
pub(crate) fn condition(column: &str, parts: &[TextPart]) -> String {
    let column = plain_text(column);
    if let [part] = parts {
        return token_sql(&column, std::slice::from_ref(part));
    }
    let tokens = tokens(parts);
    let Some((last, before)) = tokens.split_last() else {
        return format!("{column} = ''");
    };
    if before.iter().flatten().any(holds_blanks) || (last.len() > 1 && last.iter().any(holds_blanks)) {
        let pattern: String = parts.iter().map(TextPart::pattern).collect();
        return format!("{column} ~ {}", quote_literal(&format!("^{pattern}$")));
    }
    let place = |number: usize| format!("pg_catalog.split_part({column}, ' ', {number})");
    let mut conditions: Vec<String> = before
        .iter()
        .enumerate()
        .map(|(number, token)| token_sql(&place(number + 1), token))
        .collect();
    if last.iter().any(holds_blanks) {
        // Everything behind the other words and a blank after each.
        let lengths = (1..=before.len()).map(|number| format!("pg_catalog.length({}) + 1", place(number)));
        let begin = lengths.collect::<Vec<_>>().join(" + ");
        let rest = format!("pg_catalog.substr({column}, {begin} + 1)");
        conditions.push(token_sql(&rest, last));
    } else {
        conditions.push(token_sql(&place(tokens.len()), last));
        conditions.push(format!("{} = ''", place(tokens.len() + 1)));
    }
    format!("({})", conditions.join(" AND "))
}

fn holds_blanks(part: &TextPart) -> bool {
    matches!(part, TextPart::Word(words) if words.iter().any(|word| word.contains(' ')))
}

/// A condition on what stands between two blanks.
fn token_sql(place: &str, parts: &[TextPart]) -> String {
    let mut words: Option<(&[Cow<'static, str>], String)> = None;
    let (mut before, mut others) = (String::new(), 0);
    for part in parts {
        match (part, &mut words) {
            (TextPart::Text(text), None) => before.push_str(text),
            (TextPart::Text(text), Some((_, behind))) => behind.push_str(text),
            (TextPart::Word(list), None) => words = Some((list, String::new())),
            _ => others += 1,
        }
    }
    if let (Some((list, behind)), 0) = (&words, others) {
        let list: Vec<String> = list
            .iter()
            .map(|word| quote_literal(&format!("{before}{word}{behind}")))
            .collect();
        return format!("{place} = ANY (ARRAY[{}])", list.join(","));
    }
    // A long list joined to another part is known by its shape only.
    let pattern: String = parts
        .iter()
        .map(|part| match part {
            TextPart::Word(words) if words.len() > 64 => "[^ ]+".into(),
            part => part.pattern(),
        })
        .collect();
    format!("{place} ~ {}", quote_literal(&format!("^{pattern}$")))
}

/// The parts between blanks.
fn tokens(parts: &[TextPart]) -> Vec<Vec<TextPart>> {
    let mut tokens = vec![Vec::new()];
    for part in parts {
        let TextPart::Text(text) = part else {
            tokens
                .last_mut()
                .into_iter()
                .for_each(|token| token.push(part.clone()));
            continue;
        };
        for (number, piece) in text.split(' ').enumerate() {
            if number > 0 {
                tokens.push(Vec::new());
            }
            if !piece.is_empty() {
                tokens
                    .last_mut()
                    .into_iter()
                    .for_each(|token| token.push(TextPart::Text(piece.to_owned().into())));
            }
        }
    }
    tokens
}
