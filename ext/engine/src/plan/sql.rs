//! A lexer for the SQL that pg_dump writes, and the few helpers that reading its statements takes.
//!
//! It is not a parser of SQL: it knows identifiers, literals, comments and parentheses (PostgreSQL's
//! documentation, "Lexical Structure"), so that nothing within quotes is mistaken for structure. It never
//! fails: what it does not know is a symbol, and what is not closed ends with the text.

use super::{quote_identifier, quote_literal, TableName};
use std::borrow::Cow;

/// A piece of SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token<'a> {
    /// An identifier or keyword without quotes, as written.
    Word(&'a str),
    /// An identifier in double quotes, without them.
    Quoted(Cow<'a, str>),
    /// A string constant's value, however it is quoted.
    Text(Cow<'a, str>),
    /// A number.
    Number(&'a str),
    /// Anything else, one character at a time.
    Symbol(char),
}

impl Token<'_> {
    /// Whether this is the unquoted word `word` (upper case), in any case.
    pub fn is(&self, word: &str) -> bool {
        matches!(self, Token::Word(text) if text.eq_ignore_ascii_case(word))
    }

    /// Whether this is the symbol `symbol`.
    pub(crate) fn is_symbol(&self, symbol: char) -> bool {
        matches!(self, Token::Symbol(found) if *found == symbol)
    }

    /// The name that it stands for, when it can be an identifier: unquoted ones fold to lower case.
    pub fn name(&self) -> Option<String> {
        match self {
            Token::Word(text) => Some(text.to_ascii_lowercase()),
            Token::Quoted(text) => Some(text.to_string()),
            _ => None,
        }
    }
}

/// All tokens of `sql`, comments and white space left out.
pub(crate) fn lex(sql: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer { sql, at: 0 };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next_token() {
        tokens.push(token);
    }
    tokens
}

/// SQL with these tokens.
pub(crate) fn write_sql(tokens: &[Token<'_>]) -> String {
    let mut sql = String::new();
    let mut after_symbol = true;
    for token in tokens {
        let is_symbol = matches!(token, Token::Symbol(_));
        // An operator's characters stay together, and so do a name and its parenthesis.
        if !is_symbol && !after_symbol {
            sql.push(' ');
        }
        match token {
            Token::Word(text) | Token::Number(text) => sql.push_str(text),
            Token::Quoted(text) => sql.push_str(&quote_identifier(text)),
            Token::Text(text) => sql.push_str(&quote_literal(text)),
            Token::Symbol(symbol) => sql.push(*symbol),
        }
        after_symbol = is_symbol;
    }
    sql
}

struct Lexer<'a> {
    sql: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.sql.get(self.at..).unwrap_or("")
    }

    fn next_token(&mut self) -> Option<Token<'a>> {
        self.skip_blanks();
        let rest = self.rest();
        let first = rest.chars().next()?;
        let second = rest.as_bytes().get(1).copied();
        Some(match first {
            '"' => Token::Quoted(self.quoted('"', false)),
            '\'' => Token::Text(self.quoted('\'', false)),
            'e' | 'E' if second == Some(b'\'') => {
                self.at += 1;
                Token::Text(self.quoted('\'', true))
            }
            'b' | 'B' | 'x' | 'X' | 'n' | 'N' if second == Some(b'\'') => {
                self.at += 1;
                Token::Text(self.quoted('\'', false))
            }
            '$' => match self.dollar_quoted() {
                Some(text) => Token::Text(Cow::Borrowed(text)),
                None => self.symbol(first),
            },
            _ if first.is_ascii_digit() => {
                Token::Number(self.take(|c| c.is_ascii_alphanumeric() || c == '.' || c == '_'))
            }
            _ if is_word_start(first) => {
                Token::Word(self.take(|c| is_word_start(c) || c.is_ascii_digit() || c == '$'))
            }
            _ => self.symbol(first),
        })
    }

    fn symbol(&mut self, symbol: char) -> Token<'a> {
        self.at += symbol.len_utf8();
        Token::Symbol(symbol)
    }

    fn take(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// White space, `-- …` and nested `/* … */`.
    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with("--") {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                self.at += comment_length(trimmed.as_bytes());
            } else {
                return;
            }
        }
    }

    /// What stands between quotes; doubled ones stand for one, and with `escapes` a backslash for C's escapes.
    fn quoted(&mut self, quote: char, escapes: bool) -> Cow<'a, str> {
        let text = self.rest().get(1..).unwrap_or("");
        let mut owned: Option<String> = None;
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if c == quote {
                if chars.peek().is_some_and(|(_, next)| *next == quote) {
                    chars.next();
                    owned.get_or_insert_with(|| text[..at].to_owned()).push(quote);
                    continue;
                }
                self.at += 1 + at + 1;
                return owned.map_or(Cow::Borrowed(&text[..at]), Cow::Owned);
            }
            if escapes && c == '\\' {
                let target = owned.get_or_insert_with(|| text[..at].to_owned());
                match chars.next() {
                    Some((_, 'n')) => target.push('\n'),
                    Some((_, 't')) => target.push('\t'),
                    Some((_, 'r')) => target.push('\r'),
                    Some((_, 'b')) => target.push('\u{8}'),
                    Some((_, 'f')) => target.push('\u{c}'),
                    Some((_, other)) => target.push(other),
                    None => {}
                }
                continue;
            }
            if let Some(target) = &mut owned {
                target.push(c);
            }
        }
        self.at = self.sql.len();
        owned.map_or(Cow::Borrowed(text), Cow::Owned)
    }

    /// `$tag$…$tag$`, or None when the dollar does not begin one (`$1`).
    fn dollar_quoted(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let end = rest.get(1..)?.find('$')? + 1;
        let tag = rest.get(..=end)?;
        let name = &tag[1..end];
        let is_tag = name.chars().all(|c| is_word_start(c) || c.is_ascii_digit())
            && !name.starts_with(|c: char| c.is_ascii_digit());
        if !is_tag {
            return None;
        }
        let body = &rest[tag.len()..];
        let length = body.find(tag).unwrap_or(body.len());
        self.at += (tag.len() + length + tag.len()).min(rest.len());
        Some(&body[..length])
    }
}

fn is_word_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

fn comment_length(text: &[u8]) -> usize {
    let (mut depth, mut at) = (0usize, 0usize);
    while at < text.len() {
        match text.get(at..at + 2) {
            Some(b"/*") => {
                depth += 1;
                at += 2;
            }
            Some(b"*/") => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    text.len()
}

/// Splits tokens at `symbol` where it stands outside parentheses and brackets.
pub fn split<'t, 'a>(tokens: &'t [Token<'a>], symbol: char) -> Vec<&'t [Token<'a>]> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0usize, 0usize);
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Symbol(found) if *found == symbol && depth == 0 => {
                parts.push(&tokens[start..at]);
                start = at + 1;
            }
            Token::Symbol('(' | '[') => depth += 1,
            Token::Symbol(')' | ']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    if start < tokens.len() {
        parts.push(&tokens[start..]);
    }
    parts
}

/// A place within tokens, for reading a statement from left to right.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'t, 'a> {
    tokens: &'t [Token<'a>],
}

impl<'t, 'a> Cursor<'t, 'a> {
    /// At the first of `tokens`.
    pub fn new(tokens: &'t [Token<'a>]) -> Self {
        Self { tokens }
    }

    /// What has not been read.
    pub fn rest(&self) -> &'t [Token<'a>] {
        self.tokens
    }

    /// The next token, not read.
    pub(crate) fn peek(&self) -> Option<&'t Token<'a>> {
        self.tokens.first()
    }

    /// Reads one token.
    pub(crate) fn advance(&mut self) -> Option<&'t Token<'a>> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    /// Reads `words` (upper case, separated by blanks) when they come next; else reads nothing.
    pub fn accept(&mut self, words: &str) -> bool {
        let mut ahead = *self;
        for word in words.split(' ') {
            if !ahead.advance().is_some_and(|token| token.is(word)) {
                return false;
            }
        }
        *self = ahead;
        true
    }

    /// Reads `symbol` when it comes next.
    pub(crate) fn accept_symbol(&mut self, symbol: char) -> bool {
        let comes = self.peek().is_some_and(|token| token.is_symbol(symbol));
        if comes {
            self.advance();
        }
        comes
    }

    /// Reads an identifier.
    pub(crate) fn identifier(&mut self) -> Option<String> {
        let name = self.peek()?.name()?;
        self.advance();
        Some(name)
    }

    /// Reads `name` or `schema.name`; a name alone is in `schema`.
    pub(crate) fn qualified(&mut self, schema: &str) -> Option<TableName> {
        let first = self.identifier()?;
        if self.accept_symbol('.') {
            let name = self.identifier()?;
            return Some(TableName::new(first, name));
        }
        Some(TableName::new(schema, first))
    }

    /// Reads `( … )` and returns what stands within.
    pub(crate) fn parenthesized(&mut self) -> Option<&'t [Token<'a>]> {
        if !self.peek()?.is_symbol('(') {
            return None;
        }
        let mut depth = 0usize;
        for (at, token) in self.tokens.iter().enumerate() {
            match token {
                Token::Symbol('(') => depth += 1,
                Token::Symbol(')') => {
                    depth -= 1;
                    if depth == 0 {
                        let within = &self.tokens[1..at];
                        self.tokens = &self.tokens[at + 1..];
                        return Some(within);
                    }
                }
                _ => {}
            }
        }
        let within = &self.tokens[1..];
        self.tokens = &[];
        Some(within)
    }

    /// Reads on until just after `words`, outside parentheses. False, and at the end, when they never come.
    pub(crate) fn skip_past(&mut self, words: &str) -> bool {
        while let Some(token) = self.peek() {
            if self.accept(words) {
                return true;
            }
            if token.is_symbol('(') {
                self.parenthesized();
            } else {
                self.advance();
            }
        }
        false
    }
}

/// The names in a list such as `(id, "e mail")`, given what stands within its parentheses.
pub fn names(tokens: &[Token<'_>]) -> Vec<String> {
    split(tokens, ',')
        .into_iter()
        .filter_map(|part| part.first().and_then(Token::name))
        .collect()
}

#[cfg(test)]
mod tests;
