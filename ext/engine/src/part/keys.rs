//! The temporary tables of the first look: for each table its rows' places and keys, and, where a rule has to look at
//! more than keys, one in which rows wait until it has.

use crate::error::{Doing, Error, Result};
use crate::failure::Attempt;
use crate::plan::part::{Compared, PartRule, Relation};
use crate::plan::{quote_identifier, quote_literal};
use crate::postgres::{Session, Way};
use pg_dump_archive::copy::binary::{Form, Layout};
use std::collections::HashMap;
use std::sync::Arc;

/// A table's.
#[derive(Debug)]
pub(super) struct KeyTable {
    number: usize,
    /// Rows say which block they are of, since some references are of one block's alone.
    pub(super) says_block: bool,
    /// Rows that its own rule does not keep are needed, too: other rows may want them, or whether they exist.
    pub(super) retains: bool,
    /// Its own rule is known of each row; where such rows are retained, a column says it.
    pub(super) is_ruled: bool,
    /// Rows wait before they go in.
    pub(super) waits: bool,
}

impl KeyTable {
    pub(super) fn new(number: usize, relation: &Relation, says_block: bool, retains: bool) -> Self {
        let is_ruled = matches!(relation.rule, PartRule::Own { .. });
        let reads_more = |column: &crate::plan::part::PartColumn| {
            !column.is_key || matches!(column.compared, Compared::Value | Compared::Folded)
        };
        Self {
            number,
            says_block,
            retains,
            is_ruled,
            waits: is_ruled || relation.columns.iter().any(reads_more),
        }
    }

    /// Where its keys are.
    pub(super) fn sql(&self) -> String {
        self.beside("keys")
    }

    /// Where its rows wait.
    pub(super) fn waiting(&self) -> String {
        self.beside("rows")
    }

    /// A table of its own for this purpose.
    pub(super) fn beside(&self, purpose: &str) -> String {
        format!("pg_temp.scalingo_staging_sync_{purpose}_{}", self.number)
    }

    /// Whether a column says if a row's own rule keeps it.
    pub(super) fn says_stays(&self) -> bool {
        self.is_ruled && self.retains
    }

    /// The columns of its keys, beside `stays`.
    pub(super) fn columns(&self, relation: &Relation) -> Vec<String> {
        let keys = relation.columns.iter().enumerate();
        let keys = keys.filter(|(_, column)| column.is_key);
        self.head()
            .into_iter()
            .chain(keys.map(|(at, _)| key(at)))
            .collect()
    }

    fn head(&self) -> Vec<String> {
        let mut head = vec!["place".to_owned()];
        if self.says_block {
            head.push("block".to_owned());
        }
        head
    }

    /// Whether it has values of types that are not the server's own, perhaps.
    pub(super) fn holds_values(relation: &Relation) -> bool {
        let mut keys = relation.columns.iter().filter(|column| column.is_key);
        keys.any(|column| column.compared == Compared::Value)
    }

    /// Creates it, and where its rows wait.
    pub(super) async fn create(&self, session: &Session, relation: &Relation, types: &Types) -> Result<()> {
        let mut sql = create_sql(&self.sql(), &self.definitions(relation, types));
        if self.waits {
            sql.push_str(&create_sql(&self.waiting(), &self.waiting_definitions(relation)));
        }
        let doing = Attempt::CreatingKeyTable {
            table: relation.table.to_string(),
        };
        let created = session.batch_execute(&sql).await;
        created.map_err(|error| Error::from_server(Doing::WithoutRows(&doing), &error))
    }

    fn definitions(&self, relation: &Relation, types: &Types) -> Vec<String> {
        let keys = relation.columns.iter().enumerate();
        let keys = keys.filter(|(_, column)| column.is_key).map(|(at, column)| {
            let kind = match column.compared {
                Compared::Value => types.of(&column.name),
                Compared::Folded => "pg_catalog.text",
                stored => form(stored).1,
            };
            format!("{} {kind}", key(at))
        });
        let mut all: Vec<String> = self.head_definitions().into_iter().chain(keys).collect();
        if self.says_stays() {
            all.push("stays boolean".to_owned());
        }
        all
    }

    fn waiting_definitions(&self, relation: &Relation) -> Vec<String> {
        let columns = relation.columns.iter().enumerate();
        let columns = columns.map(|(at, column)| format!("{} {}", key(at), form(column.compared).1));
        self.head_definitions().into_iter().chain(columns).collect()
    }

    fn head_definitions(&self) -> Vec<String> {
        let mut head = vec!["place bigint".to_owned()];
        if self.says_block {
            head.push("block integer".to_owned());
        }
        head
    }

    /// How cut rows go into it, or into the one where they wait.
    pub(super) fn way(&self, relation: &Relation) -> Result<Way> {
        let into = if self.waits { self.waiting() } else { self.sql() };
        let mut forms = vec![Form::Int8];
        if self.says_block {
            forms.push(Form::Int4);
        }
        forms.extend(relation.columns.iter().map(|column| form(column.compared).0));
        let layout = Layout::new(forms);
        let layout = layout.ok_or_else(|| Error::internal("A key table has too many columns."))?;
        Ok(Way::Binary {
            first: None,
            sql: format!("COPY {into} FROM STDIN WITH (FORMAT binary)"),
            layout: Arc::new(layout),
            needs_utf8: false,
        })
    }
}

/// The column of a key table that a looked-at one is stored in.
pub(super) fn key(at: usize) -> String {
    format!("c{at}")
}

/// How a value goes in, and the type that takes it without ever quoting one.
fn form(compared: Compared) -> (Form, &'static str) {
    match compared {
        Compared::Number => (Form::Int8, "bigint"),
        Compared::Uuid => (Form::Uuid, "uuid"),
        Compared::Text | Compared::Value | Compared::Folded => (Form::Text, "bytea"),
    }
}

fn create_sql(table: &str, definitions: &[String]) -> String {
    let name = table.trim_start_matches("pg_temp.");
    format!("CREATE TEMPORARY TABLE {name} ({}); ", definitions.join(", "))
}

/// The types that a table's columns are read as, with a collation where one is not its type's own.
#[derive(Debug, Default)]
pub(super) struct Types(HashMap<String, String>);

impl From<HashMap<String, String>> for Types {
    fn from(types: HashMap<String, String>) -> Self {
        Self(types)
    }
}

impl Types {
    pub(super) fn of(&self, column: &str) -> &str {
        self.0.get(column).map_or("pg_catalog.text", String::as_str)
    }

    /// What reads a waiting row's value as a value of its own type. `encoding`: that of the backup.
    pub(super) fn read(&self, relation: &Relation, at: usize, encoding: &str) -> String {
        let Some(column) = relation.columns.get(at) else {
            return "NULL".to_owned();
        };
        let stored = format!("w.{}", key(at));
        let kind = self.of(&column.name);
        match form(column.compared).0 {
            Form::Text => format!("{}::{kind}", text(&stored, encoding)),
            _ => format!("{stored}::{kind}"),
        }
    }

    /// What a waiting row's key is compared by.
    pub(super) fn compared(&self, relation: &Relation, at: usize, encoding: &str) -> String {
        let stored = format!("w.{}", key(at));
        match relation.columns.get(at).map(|column| column.compared) {
            Some(Compared::Value) => self.read(relation, at, encoding),
            Some(Compared::Folded) => format!("pg_catalog.lower({})", text(&stored, encoding)),
            _ => stored,
        }
    }
}

fn text(bytes: &str, encoding: &str) -> String {
    format!("pg_catalog.convert_from({bytes}, {})", quote_literal(encoding))
}

/// A column's name in SQL.
pub(super) fn named(name: &str) -> String {
    quote_identifier(name)
}
