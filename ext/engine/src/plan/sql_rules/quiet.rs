//! How raw rows get into a temporary table without the server ever having a value of theirs to quote.
//!
//! Whatever COPY meets in text, the server's log quotes the row or the value, also when the session is ended in the
//! middle. In binary it names the line and the column alone; but some types' receive functions quote what they do not
//! take, and so may a domain's constraint or a generated column's expression. So a table whose columns are all of types
//! that never quote takes its rows at once. Any other takes them from a waiting table, where columns of other types are
//! their text as bytes, which no value can be wrong for; that text is read where errors are caught (see the target's
//! `waiting`). Rows in which some value is not as COPY writes it wait in a table of bytes alone.

use super::SqlTable;
use crate::plan::{quote_identifier, Load};
use pg_dump_archive::copy::binary::{Form, Layout};
use std::collections::HashMap;
use std::sync::Arc;

/// What is known of a table for that.
#[derive(Debug, Clone, Default)]
pub(crate) struct Quiet {
    /// Columns of types that never quote a value, and their binary form.
    pub(crate) forms: HashMap<String, Form>,
    /// It computes columns from others while rows go in.
    pub(crate) computes: bool,
    /// What sets its waiting tables apart from those of others.
    pub(crate) number: usize,
}

/// A way for rows to go in binary.
pub(crate) struct QuietCopy {
    /// What creates the table that takes them, where that is not there from the beginning.
    pub(crate) first: Option<String>,
    /// The COPY.
    pub(crate) sql: String,
    pub(crate) layout: Arc<Layout>,
    /// Some columns are text, which has to be UTF-8.
    pub(crate) reads_text: bool,
}

impl SqlTable {
    /// The table where rows wait whose columns are as far as possible of their own types.
    pub(crate) fn waiting(&self) -> String {
        format!("scalingo_staging_sync_waiting_{}", self.quiet.number)
    }

    /// The table where rows wait whose columns are bytes.
    pub(crate) fn waiting_as_bytes(&self) -> String {
        format!("scalingo_staging_sync_bytes_{}", self.quiet.number)
    }

    /// The ways for a load's rows, the best one first; a way that a row cannot go is left for the next. None for a table
    /// without columns.
    pub(crate) fn quiet_copies(&self, load: &Load) -> Vec<QuietCopy> {
        let further = self.further(load);
        let forms: Vec<Option<Form>> = load
            .columns
            .iter()
            .chain(further.iter().map(|(column, _)| *column))
            .map(|column| self.quiet.forms.get(column).copied())
            .collect();
        let names: Vec<String> = load
            .columns
            .iter()
            .map(|name| quote_identifier(name))
            .chain(further.iter().map(|(_, name)| quote_identifier(name)))
            .collect();
        let typed = !self.quiet.computes && forms.iter().all(Option::is_some);
        let first = match typed {
            true => self.copy(None, self.temporary(), &names, &forms),
            false => self.wait(&self.waiting(), &names, &forms),
        };
        let as_bytes = vec![None; forms.len()];
        let last = self.wait(&self.waiting_as_bytes(), &names, &as_bytes);
        // Where no type is known both are the same.
        let first = first.filter(|_| forms.iter().any(Option::is_some));
        first.into_iter().chain(last).collect()
    }

    fn wait(&self, table: &str, names: &[String], forms: &[Option<Form>]) -> Option<QuietCopy> {
        let columns = names.iter().zip(forms).map(|(name, form)| match form {
            Some(_) => name.clone(),
            None => format!("NULL::pg_catalog.bytea AS {name}"),
        });
        let columns: Vec<String> = columns.collect();
        let create = format!(
            "CREATE TEMPORARY TABLE IF NOT EXISTS {table} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA",
            columns.join(", "),
            self.temporary()
        );
        self.copy(Some(create), format!("pg_temp.{table}"), names, forms)
    }

    fn copy(
        &self,
        first: Option<String>,
        into: String,
        names: &[String],
        forms: &[Option<Form>],
    ) -> Option<QuietCopy> {
        // Its text's bytes are what a column of bytes takes.
        let layout = Layout::new(forms.iter().map(|form| form.unwrap_or(Form::Text)).collect())?;
        Some(QuietCopy {
            first,
            sql: format!(
                "COPY {into} ({}) FROM STDIN WITH (FORMAT binary)",
                names.join(", ")
            ),
            layout: Arc::new(layout),
            reads_text: forms.contains(&Some(Form::Text)),
        })
    }

    /// The columns whose pseudonyms come along with a load's rows, and the further ones that they come in.
    fn further<'a>(&'a self, load: &'a Load) -> Vec<(&'a String, &'a String)> {
        let masked = load.conditional.iter().flat_map(|mask| mask.columns());
        masked
            .filter_map(|masked| self.pseudonyms.iter().find(|(column, _)| *column == masked.name))
            .map(|(column, further)| (column, further))
            .collect()
    }
}
