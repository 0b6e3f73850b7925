//! Reading SQL with the parser, and the parts of statements that rules look at.

use sqlparser::ast::{
    BinaryOperator, Delete, Expr, FromTable, Ident, ObjectNamePart, SetExpr, Statement, TableFactor,
    TableWithJoins, Update,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

pub(super) fn parse_error(error: &sqlparser::parser::ParserError) -> String {
    error.to_string().replace("sql parser error: ", "")
}

pub(super) fn parse_expression(text: &str) -> Result<Expr, String> {
    let dialect = PostgreSqlDialect {};
    let mut parser = Parser::new(&dialect)
        .try_with_sql(text)
        .map_err(|error| parse_error(&error))?;
    let expression = parser.parse_expr().map_err(|error| parse_error(&error))?;
    match parser.peek_token().token {
        Token::EOF => Ok(expression),
        other => Err(format!("there is more after it: {other}")),
    }
}

/// An UPDATE or DELETE, perhaps behind WITH.
pub(super) enum Target<'a> {
    Update(&'a mut Update),
    Delete(&'a mut Delete),
}

pub(super) fn target(statement: &mut Statement) -> Option<Target<'_>> {
    match statement {
        Statement::Update(update) => Some(Target::Update(update)),
        Statement::Delete(delete) => Some(Target::Delete(delete)),
        Statement::Query(query) => match query.body.as_mut() {
            SetExpr::Update(inner) | SetExpr::Delete(inner) => target(inner),
            _ => None,
        },
        _ => None,
    }
}

impl Target<'_> {
    /// What its table's columns are to be prefixed with: its alias or its name.
    pub(super) fn qualifier(&self) -> Ident {
        let factor = match self {
            Target::Update(update) => Some(&update.table.relation),
            Target::Delete(delete) => first_table(delete).map(|table| &table.relation),
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

    /// Puts a condition into its WHERE, beside what is there.
    pub(super) fn add_condition(&mut self, condition: Expr) {
        let selection = match self {
            Target::Update(update) => &mut update.selection,
            Target::Delete(delete) => &mut delete.selection,
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

pub(super) fn first_table(delete: &Delete) -> Option<&TableWithJoins> {
    match &delete.from {
        FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables) => tables.first(),
    }
}

/// An identifier as the server reads it.
pub(super) fn folded(ident: &Ident) -> String {
    if ident.quote_style.is_some() {
        ident.value.clone()
    } else {
        ident.value.to_lowercase()
    }
}
