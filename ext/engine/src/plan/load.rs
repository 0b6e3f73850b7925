//! How the rows of a TABLE DATA block are loaded.

use super::schema::{Schema, Table};
use super::search::SearchVectors;
use super::sql::{lex, names, Cursor};
use super::{quote_identifier, quote_literal, TableName};
use masking::RowMask;
use pg_dump_archive::copy::binary::Layout;
use pg_dump_archive::{DumpId, Entry};
use std::sync::Arc;

/// How the rows of one data block reach the target.
#[derive(Debug, Clone)]
pub struct Load {
    /// The TABLE DATA entry.
    pub dump_id: DumpId,
    /// The table that the rows belong to.
    pub table: TableName,
    /// The table that COPY names: the table itself, or its partition root (`--load-via-partition-root`).
    pub copy_into: TableName,
    /// The columns in the order of the data. None is a generated column.
    pub columns: Vec<String>,
    /// How the block writes its rows.
    pub format: RowFormat,
    /// How its rows are written in binary COPY, where they are not sent as the text that they are.
    pub binary: Option<Arc<Layout>>,
    /// Whether PostgreSQL takes its rows frozen (COPY's FREEZE): they go into a table of their own that holds rows.
    pub freezable: bool,
    /// Whether its table takes the rows of other loads, too: they cannot be taken back alone.
    pub shared: bool,
    /// What is masked, or None when every byte stays.
    pub mask: Option<Arc<RowMask>>,
    /// What is masked where a rule's condition says so: each row takes the pseudonyms along, and SQL chooses.
    pub conditional: Option<Arc<RowMask>>,
    /// Its tsvector columns that hold words of others; see [`Load::vectors_under`].
    pub vectors: Option<Arc<SearchVectors>>,
    /// Which group of [`Plan::sql_rules`](super::Plan::sql_rules) its rows pass through on their way, if any.
    pub sql_group: Option<usize>,
}

/// Puts a load together: each pass of the plan says its part.
#[derive(Debug)]
pub struct LoadBuilder(Load);

impl LoadBuilder {
    /// COPY names another table: the partition root.
    #[must_use]
    pub(crate) fn into_table(mut self, table: TableName) -> Self {
        self.0.copy_into = table;
        self
    }

    /// The block writes its rows in this format.
    #[must_use]
    pub fn format(mut self, format: RowFormat) -> Self {
        self.0.format = format;
        self
    }

    /// PostgreSQL takes its rows frozen, or not.
    #[must_use]
    pub fn freezable(mut self, freezable: bool) -> Self {
        self.0.freezable = freezable;
        self
    }

    /// Its table takes the rows of other loads, too.
    #[must_use]
    pub(crate) fn shared(mut self, shared: bool) -> Self {
        self.0.shared = shared;
        self
    }

    /// Its rows go as binary COPY, where they have a layout.
    #[must_use]
    pub fn binary(mut self, layout: Option<Arc<Layout>>) -> Self {
        self.0.binary = layout;
        self
    }

    /// It is masked with this.
    #[must_use]
    pub fn mask(mut self, mask: Option<Arc<RowMask>>) -> Self {
        self.0.mask = mask;
        self
    }

    /// It is masked with this where a rule's condition says so.
    #[must_use]
    pub fn conditional(mut self, mask: Option<Arc<RowMask>>) -> Self {
        self.0.conditional = mask;
        self
    }

    /// Its rows pass through a group of rules in SQL, and go into `table` from there.
    #[must_use]
    pub(crate) fn sql_group(mut self, number: usize, table: TableName) -> Self {
        self.0.sql_group = Some(number);
        self.into_table(table)
    }

    /// The load.
    pub fn build(self) -> Load {
        self.0
    }
}

impl Load {
    /// A load of a table's rows into the table itself, as COPY text and unchanged, until a builder says otherwise.
    pub fn builder(dump_id: DumpId, table: TableName, columns: Vec<String>) -> LoadBuilder {
        LoadBuilder(Load {
            dump_id,
            copy_into: table.clone(),
            table,
            columns,
            format: RowFormat::Copy,
            binary: None,
            freezable: false,
            shared: false,
            mask: None,
            conditional: None,
            vectors: None,
            sql_group: None,
        })
    }

    /// A builder that goes on where this load is.
    pub(super) fn rebuilt(self) -> LoadBuilder {
        LoadBuilder(self)
    }

    /// `COPY "public"."users" ("id", "email") FROM STDIN WITH (ENCODING 'UTF8')`.
    ///
    /// A table without columns has no column list; PostgreSQL refuses an empty one.
    pub fn copy_sql(&self, encoding: &str) -> String {
        self.copy_sql_into(&self.copy_into.sql(), &[], encoding)
    }

    /// The same as [`Load::copy_sql`] of frozen rows, for a transaction that has emptied the table.
    pub(crate) fn copy_frozen_sql(&self, encoding: &str) -> String {
        let options = format!("FREEZE, {}", encoded(encoding));
        self.copy_from(&self.copy_into.sql(), &[], &options)
    }

    /// `COPY "public"."users" ("id", "email") FROM STDIN WITH (FORMAT binary)`, for the tuples of [`Load::binary`].
    /// `frozen`: as with [`Load::copy_frozen_sql`].
    pub(crate) fn copy_binary_sql(&self, frozen: bool) -> String {
        let options = if frozen {
            "FREEZE, FORMAT binary"
        } else {
            "FORMAT binary"
        };
        self.copy_from(&self.copy_into.sql(), &[], options)
    }

    /// The same as [`Load::copy_sql`] into another table, which has `further` columns.
    pub(crate) fn copy_sql_into(&self, table: &str, further: &[String], encoding: &str) -> String {
        self.copy_from(table, further, &encoded(encoding))
    }

    fn copy_from(&self, table: &str, further: &[String], options: &str) -> String {
        let names = self.columns.iter().chain(further);
        let columns: Vec<String> = names.map(|name| quote_identifier(name)).collect();
        let list = if columns.is_empty() {
            String::new()
        } else {
            format!(" ({})", columns.join(", "))
        };
        format!("COPY {table}{list} FROM STDIN WITH ({options})")
    }
}

/// COPY's option for an encoding.
fn encoded(encoding: &str) -> String {
    format!("ENCODING {}", quote_literal(encoding))
}

/// How a data block writes its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowFormat {
    /// COPY text.
    Copy,
    /// INSERT statements (`pg_dump --inserts`, `--column-inserts`, `--rows-per-insert`).
    Inserts {
        /// The columns of a statement without a column list, with whether each is generated: the whole
        /// table's, in its order. Generated ones hold `DEFAULT` and are dropped.
        table_columns: Vec<(String, bool)>,
        /// The table that each statement names.
        into: TableName,
    },
}

/// The load of a TABLE DATA entry's block, not masked yet. None when its table is not known.
pub(super) fn read(entry: &Entry, schema: &Schema) -> Option<Load> {
    let known = &schema.tables[schema.table_of_rows(entry)?];
    if !schema.hypertables.has(&known.name) {
        return of_table(entry, known);
    }
    // What chunks hold goes in by the hypertable, which makes its chunks itself.
    let load = of_table(entry, known)?;
    let all = Load::builder(entry.dump_id, known.name.clone(), load.columns);
    Some(all.format(load.format).shared(true).build())
}

/// The same of an extension's own table, which the archive does not create; its COPY says the columns.
pub(super) fn of_extension(entry: &Entry) -> Option<Load> {
    of_table(entry, &Table::default())
}

fn of_table(entry: &Entry, known: &Table) -> Option<Load> {
    let table = TableName::of(entry);
    let (copy_into, columns, format) = if entry.copy_stmt.trim().is_empty() {
        inserts(entry, &table, known)
    } else {
        copy(entry, &table)?
    };
    let load = Load::builder(entry.dump_id, table.clone(), columns)
        .freezable(holds_rows(known) && copy_into == table)
        .into_table(copy_into)
        .format(format);
    Some(load.build())
}

/// A block of COPY text, whose statement names the table and the columns.
fn copy(entry: &Entry, table: &TableName) -> Option<(TableName, Vec<String>, RowFormat)> {
    let tokens = lex(&entry.copy_stmt);
    let mut cursor = Cursor::new(&tokens);
    let copy_into = if cursor.accept("COPY") {
        cursor.qualified(&entry.namespace)?
    } else {
        table.clone()
    };
    let columns = cursor.parenthesized().map(names).unwrap_or_default();
    Some((copy_into, columns, RowFormat::Copy))
}

/// A block of INSERT statements: without a column list they give every column of the table, generated ones too.
fn inserts(entry: &Entry, table: &TableName, known: &Table) -> (TableName, Vec<String>, RowFormat) {
    let table_columns: Vec<(String, bool)> = known
        .columns
        .iter()
        .map(|column| (column.name.clone(), column.generated.is_some()))
        .collect();
    let columns = table_columns
        .iter()
        .filter(|(_, generated)| !generated)
        .map(|(name, _)| name.clone())
        .collect();
    let copy_into = partition_root(entry).unwrap_or_else(|| table.clone());
    let format = RowFormat::Inserts {
        table_columns,
        into: copy_into.clone(),
    };
    (copy_into, columns, format)
}

/// Whether a table holds rows itself: PostgreSQL freezes none that go on to partitions or elsewhere.
fn holds_rows(table: &Table) -> bool {
    !table.foreign && table.partition_key.is_none()
}

/// `-- load via partition root public.events`, which pg_dump writes where SQL would stand.
pub(super) fn partition_root(entry: &Entry) -> Option<TableName> {
    let name = entry.defn.trim().strip_prefix("-- load via partition root ")?;
    Cursor::new(&lex(name)).qualified(&entry.namespace)
}
