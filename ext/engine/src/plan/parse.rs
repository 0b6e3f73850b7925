//! Reading SQL with the parser, and the parts of statements that rules look at.

use crate::failure::SqlTrouble;
use crate::plan::walk;
use sqlparser::ast::{
    BinaryOperator, Delete, Expr, FromTable, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    Ident, ObjectNamePart, SetExpr, Statement, TableFactor, TableWithJoins, Update,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, TokenizerError};
use std::collections::HashSet;

/// Why SQL of the configuration cannot be read.
#[derive(Debug, thiserror::Error)]
pub(in crate::plan) enum Unreadable {
    /// The parser refuses it.
    #[error("{}", .0.to_string().replace("sql parser error: ", ""))]
    Parser(#[from] ParserError),
    /// It does not even fall into words.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
    /// It is followed by something else.
    #[error("{0}")]
    More(Token),
}

/// Why statements cannot be read.
#[derive(Debug)]
pub(in crate::plan) enum NoStatements {
    /// They are not understood.
    Unreadable(Unreadable),
    /// One of them is neither an UPDATE nor a DELETE nor a query.
    Other,
}

impl<E: Into<Unreadable>> From<E> for NoStatements {
    fn from(error: E) -> Self {
        Self::Unreadable(error.into())
    }
}

impl From<Unreadable> for SqlTrouble {
    fn from(why: Unreadable) -> Self {
        match why {
            Unreadable::More(token) => Self::More {
                token: token.to_string(),
            },
            other => Self::Parser {
                words: other.to_string(),
            },
        }
    }
}

/// The arguments of a function, if they are plain ones.
pub(in crate::plan) fn arguments(function: &Function) -> Option<Vec<&Expr>> {
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    let plain = list.args.iter().map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) => Some(argument),
        _ => None,
    });
    plain.collect()
}

/// Reads one expression.
///
/// # Errors
/// Why it is none.
pub(in crate::plan) fn parse_expression(text: &str) -> Result<Expr, Unreadable> {
    let dialect = PostgreSqlDialect {};
    let mut parser = Parser::new(&dialect).try_with_sql(text)?;
    let expression = parser.parse_expr()?;
    match parser.peek_token().token {
        Token::EOF => Ok(expression),
        other => Err(Unreadable::More(other)),
    }
}

/// Reads a condition to look at it: what the parser does not know is read as what has the same names in it.
///
/// # Errors
/// Why it is none.
pub(in crate::plan) fn parse_condition(text: &str) -> Result<Expr, Unreadable> {
    let dialect = PostgreSqlDialect {};
    let tokens = Tokenizer::new(&dialect, text).tokenize_with_location()?;
    let mut parser = Parser::new(&dialect).with_tokens_with_locations(known(tokens));
    let expression = parser.parse_expr()?;
    match parser.peek_token().token {
        Token::EOF => Ok(expression),
        other => Err(Unreadable::More(other)),
    }
}

/// `BETWEEN SYMMETRIC` as BETWEEN, `ISNULL` and `IS DOCUMENT` as IS NULL.
fn known(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let is = |token: &TokenWithSpan, word: &str| match &token.token {
        Token::Word(found) => found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word),
        _ => false,
    };
    let mut read: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let tokens = tokens.into_iter();
    let mut tokens = tokens
        .filter(|token| !matches!(token.token, Token::Whitespace(_)))
        .peekable();
    while let Some(token) = tokens.next() {
        let word = |word: &str| TokenWithSpan::new(Token::make_word(word, None), token.span);
        let ends_with = |words: &[&str]| {
            let last = read.iter().rev().take(words.len());
            read.len() >= words.len() && last.zip(words.iter().rev()).all(|(token, word)| is(token, word))
        };
        let is_called = tokens.peek().is_some_and(|next| next.token == Token::LParen);
        if is(&token, "SYMMETRIC") && ends_with(&["BETWEEN"]) {
            continue;
        }
        if is(&token, "DOCUMENT") && (ends_with(&["IS"]) || ends_with(&["IS", "NOT"])) {
            read.push(word("NULL"));
        } else if is(&token, "ISNULL") && !is_called {
            read.extend([word("IS"), word("NULL")]);
        } else {
            read.push(token);
        }
    }
    read
}

/// Whether a text has a query in parentheses, as those of `IN`, `EXISTS` and `ARRAY` are. Asked of its words, because the
/// parser does not know all forms of a query, and takes `ARRAY (…)` for a function.
pub(in crate::plan) fn has_query(text: &str) -> bool {
    let Ok(tokens) = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize() else {
        return false;
    };
    let tokens: Vec<Token> = (tokens.into_iter())
        .filter(|token| !matches!(token, Token::Whitespace(_)))
        .collect();
    let begins_one = [Keyword::SELECT, Keyword::WITH, Keyword::TABLE];
    let keyword = |token: &Token| match token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.keyword),
        _ => None,
    };
    (0..tokens.len()).any(|at| match &tokens[at..] {
        // A column may be called `values`.
        [Token::LParen, word, Token::LParen, ..] if keyword(word) == Some(Keyword::VALUES) => true,
        [Token::LParen, word, ..] => keyword(word).is_some_and(|word| begins_one.contains(&word)),
        _ => false,
    })
}

/// Stands before a table's name, as a part of it, where the statement said ONLY, which the parser does not know there.
pub(in crate::plan) const ONLY: &str = "scalingo_staging_sync_only";

/// Reads statements that change rows, and queries. The parser is not asked for other kinds: all that it knows of them would
/// be a thirtieth of the whole library.
///
/// # Errors
/// Why they cannot be read, or that one is of another kind.
pub(in crate::plan) fn parse_statements(sql: &str) -> Result<Vec<Statement>, NoStatements> {
    let dialect = PostgreSqlDialect {};
    let tokens = Tokenizer::new(&dialect, sql).tokenize_with_location()?;
    let mut parser = Parser::new(&dialect).with_tokens_with_locations(mark_only(tokens));
    let mut statements = Vec::new();
    loop {
        while parser.consume_token(&Token::SemiColon) {}
        if parser.peek_token_ref().token == Token::EOF {
            return Ok(statements);
        }
        statements.push(parse_statement(&mut parser)?);
        match parser.peek_token().token {
            Token::EOF | Token::SemiColon => {}
            other => return Err(Unreadable::More(other).into()),
        }
    }
}

fn parse_statement(parser: &mut Parser<'_>) -> Result<Statement, NoStatements> {
    let begins = parser.peek_token();
    let keyword = match &begins.token {
        Token::LParen => Keyword::SELECT,
        Token::Word(word) => word.keyword,
        _ => Keyword::NoKeyword,
    };
    match keyword {
        Keyword::UPDATE => {
            parser.advance_token();
            Ok(parser.parse_update(begins)?)
        }
        Keyword::DELETE => {
            parser.advance_token();
            Ok(parser.parse_delete(begins)?)
        }
        Keyword::SELECT | Keyword::WITH | Keyword::VALUES | Keyword::TABLE => {
            Ok(Statement::Query(parser.parse_query()?))
        }
        _ => Err(NoStatements::Other),
    }
}

/// Makes `ONLY users` one name. The word is reserved, so it stands for nothing else but in `FETCH FIRST ROW ONLY`.
fn mark_only(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let is_blank = |token: &TokenWithSpan| matches!(token.token, Token::Whitespace(_));
    let is_word = |token: &TokenWithSpan, words: &[Keyword]| match &token.token {
        Token::Word(word) => word.quote_style.is_none() && words.contains(&word.keyword),
        _ => false,
    };
    let before_tables = [Keyword::UPDATE, Keyword::FROM, Keyword::JOIN, Keyword::USING];
    let mut marked: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut before = None;
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let opens = before.as_ref().is_some_and(|before: &TokenWithSpan| {
            before.token == Token::Comma || is_word(before, &before_tables)
        });
        if opens && is_word(&token, &[Keyword::ONLY]) {
            let span = token.span;
            marked.push(TokenWithSpan::new(Token::make_word(ONLY, None), span));
            marked.push(TokenWithSpan::new(Token::Period, span));
            while tokens.next_if(is_blank).is_some() {}
        } else {
            marked.push(token.clone());
        }
        if !is_blank(&token) {
            before = Some(token);
        }
    }
    marked
}

/// Every name in an expression, wherever it stands, as the server reads it.
///
/// # Errors
/// Why it cannot be read.
pub(in crate::plan) fn identifiers(expression: &str) -> Result<HashSet<String>, Unreadable> {
    let expression = parse_expression(expression)?;
    let mut found = HashSet::new();
    walk::expressions(&expression, |_, part| match part {
        Expr::Identifier(ident) => {
            found.insert(folded(ident));
        }
        Expr::CompoundIdentifier(parts) => found.extend(parts.iter().map(folded)),
        _ => {}
    });
    Ok(found)
}

/// An UPDATE or DELETE, perhaps behind WITH.
pub(in crate::plan) enum Dml<'a> {
    Update(&'a mut Update),
    Delete(&'a mut Delete),
}

pub(in crate::plan) fn target(statement: &mut Statement) -> Option<Dml<'_>> {
    match statement {
        Statement::Update(update) => Some(Dml::Update(update)),
        Statement::Delete(delete) => Some(Dml::Delete(delete)),
        Statement::Query(query) => match query.body.as_mut() {
            SetExpr::Update(inner) | SetExpr::Delete(inner) => target(inner),
            _ => None,
        },
        _ => None,
    }
}

impl Dml<'_> {
    /// What its table's columns are to be prefixed with: its alias or its name.
    pub(in crate::plan) fn qualifier(&self) -> Ident {
        let factor = match self {
            Dml::Update(update) => Some(&update.table.relation),
            Dml::Delete(delete) => first_table(delete).map(|table| &table.relation),
        };
        match factor {
            Some(TableFactor::Table {
                alias: Some(alias), ..
            }) => alias.name.clone(),
            Some(TableFactor::Table { name, .. }) => match name.0.last() {
                Some(ObjectNamePart::Identifier(ident)) => ident.clone(),
                _ => Ident::new(""),
            },
            _ => Ident::new(""),
        }
    }

    /// The expressions in which other tables' columns can be meant beside its own: none unless it joins some.
    pub(in crate::plan) fn joined_expressions(&mut self) -> Vec<&mut Expr> {
        match self {
            Dml::Update(update) if update.from.is_some() => {
                let values = update.assignments.iter_mut().map(|one| &mut one.value);
                values.chain(&mut update.selection).collect()
            }
            Dml::Delete(delete) if delete.using.is_some() => delete.selection.iter_mut().collect(),
            _ => Vec::new(),
        }
    }

    /// Puts a condition into its WHERE, beside what is there.
    pub(in crate::plan) fn add_condition(&mut self, condition: Expr) {
        let selection = match self {
            Dml::Update(update) => &mut update.selection,
            Dml::Delete(delete) => &mut delete.selection,
        };
        let condition = Expr::Nested(Box::new(condition));
        *selection = Some(match selection.take() {
            None => condition,
            Some(old) => Expr::BinaryOp {
                left: Box::new(Expr::Nested(Box::new(old))),
                op: BinaryOperator::And,
                right: Box::new(condition),
            },
        });
    }
}

pub(in crate::plan) fn first_table(delete: &Delete) -> Option<&TableWithJoins> {
    match &delete.from {
        FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables) => tables.first(),
    }
}

/// An identifier as the server reads it.
pub(in crate::plan) fn folded(ident: &Ident) -> String {
    if ident.quote_style.is_some() {
        ident.value.clone()
    } else {
        ident.value.to_lowercase()
    }
}
