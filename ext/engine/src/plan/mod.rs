//! The table of contents and the rules, turned into what happens to each entry. Pure: no database, no network.
//!
//! Everything that can be known before the target is touched is decided here, and everything that is wrong
//! is told together. [`plan`] reads top to bottom: [`schema`] is what the archive says of tables and keys (read
//! with the lexer in [`sql`]), `decide` what is restored at all, `exclude` and `queues` whose rows are not, `rules` which
//! columns are masked, `loads` and `binary` how rows are loaded, [`sql_rules`] what only SQL can mask, [`personal`] what looks
//! personal and is covered by none of them, `steps` what comes after the rows.

mod binary;
mod checks;
mod decide;
mod exclude;
mod leaks;
mod literals;
mod loads;
pub(crate) mod names;
pub mod personal;
mod queues;
mod rules;
pub mod schema;
mod search;
pub mod sql;
pub mod sql_rules;
mod step;
mod steps;
mod walk;
mod weight;

pub use crate::mask::quote_identifier;
pub use search::SearchVectors;
pub use step::{Step, StepKind, TaskId};

use crate::archive::{DumpId, Entry, EntryKind, Header, Section};
use crate::copy::binary::Layout;
use crate::error::{Error, Kind};
use crate::leak::{Channel, Watches};
use crate::mask::{self, RowMask};
use crate::settings::Settings;
use decide::{display_name, Decisions, Fate};
use schema::Schema;
use sql::{lex, Token};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What a run will do, whole.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The encoding of the archive's rows, such as `UTF8`.
    pub encoding: String,
    /// The statements that create the schema and set its sequences' values, in the archive's order.
    pub schema: Vec<Statement>,
    /// How the rows of each TABLE DATA block are loaded. A data block that is not here is passed over.
    pub loads: HashMap<DumpId, Load>,
    /// Large objects named by the table of contents, and the data blocks that hold their contents.
    pub large_objects: LargeObjects,
    /// What comes after rows: indexes, keys, triggers, materialized views.
    pub steps: Vec<Step>,
    /// Rules that run as SQL in temporary tables.
    pub sql_rules: sql_rules::SqlRules,
    /// Tables that are created without their rows, because `exclude_tables` names them or what they hold is queued.
    pub excluded: Vec<TableName>,
    /// Those among them that hold what is queued.
    pub queues: Vec<TableName>,
    /// What else is left out, and why.
    pub left_out: Vec<LeftOut>,
    /// What is known of personal data that no rule covers.
    pub personal: personal::Personal,
    /// What the leak check watches; nothing where it is off.
    pub leaks: Watches,
    /// What holds personal data beside columns, and what becomes of it, but for what [`Plan::known_channels`] adds.
    pub channels: Vec<Channel>,
    /// What the person in charge should know.
    pub warnings: Vec<String>,
}

/// A table's name as the server knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableName {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
}

impl TableName {
    /// The name of the relation that an entry creates or fills.
    fn of(entry: &Entry) -> Self {
        Self {
            schema: entry.namespace.clone(),
            name: entry.tag.clone(),
        }
    }

    /// Quoted for SQL: `"public"."users"`.
    pub fn sql(&self) -> String {
        format!(
            "{}.{}",
            quote_identifier(&self.schema),
            quote_identifier(&self.name)
        )
    }
}

impl std::fmt::Display for TableName {
    /// For people: `public.users`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

/// A statement that creates part of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The entry it comes from.
    pub dump_id: DumpId,
    /// What it creates.
    pub kind: EntryKind,
    /// Its name, for messages.
    pub name: String,
    /// The SQL.
    pub sql: String,
    /// The entries that must be restored before it, in the archive's words.
    pub needs: Vec<DumpId>,
    /// What a refusal by the server means.
    pub refusal: Refusal,
}

/// What it means when the server refuses a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The run ends.
    Fatal,
    /// Nothing in the plan depends on it, and the role may lack the right or the server the files
    /// (an extension, an event trigger): it is left out with a warning.
    LeftOut,
}

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
    /// What is masked, or None when every byte stays.
    pub mask: Option<Arc<RowMask>>,
    /// What is masked where a rule's condition says so: each row takes the pseudonyms along, and SQL chooses.
    pub conditional: Option<Arc<RowMask>>,
    /// Its tsvector columns that hold words of others; see [`Load::vectors_under`].
    pub vectors: Option<Arc<SearchVectors>>,
    /// Which group of [`Plan::sql_rules`] its rows pass through on their way, if any.
    pub sql_group: Option<usize>,
}

impl Plan {
    /// Every channel that is known without a look at rows, under the masks that the plan has.
    pub fn known_channels(&self) -> Vec<Channel> {
        let mut loads: Vec<&Load> = self.loads.values().collect();
        loads.sort_by_key(|load| load.dump_id);
        let vectors = loads
            .into_iter()
            .filter_map(|load| load.vectors_under(load.mask.as_deref()));
        let vectors = vectors.flat_map(|vectors| vectors.channels.iter().cloned());
        let LargeObjects { oids, blocks } = &self.large_objects;
        let objects = (!oids.is_empty() && !blocks.is_empty())
            .then(|| Channel::large_objects_unscanned(oids.len() as u64));
        vectors
            .chain(self.channels.iter().cloned())
            .chain(objects)
            .collect()
    }
}

impl Load {
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
    format!("ENCODING '{}'", encoding.replace('\'', "''"))
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
    },
}

/// Large objects named by the table of contents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LargeObjects {
    /// Every oid of BLOB and BLOB METADATA entries.
    pub oids: Vec<u32>,
    /// The BLOBS entries, whose data blocks hold the contents.
    pub blocks: HashSet<DumpId>,
}

/// An entry that is not restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// What it is.
    pub kind: EntryKind,
    /// Its name.
    pub name: String,
    /// Why, in a few words.
    pub why: String,
}

/// A table of contents, and what it says of tables and keys.
#[derive(Debug)]
pub struct Contents<'a> {
    header: &'a Header,
    entries: &'a [Entry],
    schema: Schema,
}

impl<'a> Contents<'a> {
    /// Reads what the entries say of tables.
    pub fn read(header: &'a Header, entries: &'a [Entry]) -> Self {
        Self {
            header,
            entries,
            schema: Schema::read(entries),
        }
    }

    /// The tables and their keys.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }
}

/// Makes the plan: what happens to each entry of a table of contents, under these settings.
///
/// Pure: it reads nothing but its arguments. `key` makes the pseudonyms, see [`mask::Key`].
///
/// # Errors
/// One [`Kind::Plan`] error that tells everything that is wrong, a line each: rules that fit no table or no
/// column, names that match nothing, columns that cannot hold their pseudonyms, an archive without a schema.
pub fn plan(contents: &Contents<'_>, settings: &Settings, key: &mask::Key) -> Result<Plan, Error> {
    let Contents {
        header,
        entries,
        schema,
    } = contents;
    let mut problems = Problems::default();
    let by_id: HashMap<DumpId, usize> = entries
        .iter()
        .enumerate()
        .map(|(index, entry)| (entry.dump_id, index))
        .collect();
    let mut warnings = check_contents(entries, &mut problems);
    let decisions = decide::decide(entries, &by_id, settings, &mut problems);
    warnings.extend(decisions.warnings.iter().cloned());
    let mut left_out = left_out(entries, &decisions);

    let mut excluded = exclude::excluded(&settings.exclude_tables, schema, &mut problems);
    let rules = rules::Rules::read(settings, schema, &mut problems);
    let ignores = personal::Ignores::read(&settings.pii.ignore, schema, &mut problems, &mut warnings);
    let queues = queues::Queues::read(settings, schema, &rules, &ignores, &excluded);
    excluded.extend(queues.without_rows());
    let excluded = excluded;
    let is_restored = |id: DumpId| {
        by_id
            .get(&id)
            .is_some_and(|index| decisions.fates[*index].is_kept())
    };
    rules.check_keys(&excluded, is_restored, &mut problems, &mut warnings);

    let pseudonyms = mask::Pseudonyms {
        key: key.clone(),
        email_domain: settings.masking.email_domain.clone(),
        utf8: decisions.encoding.eq_ignore_ascii_case("UTF8"),
        staging_password: settings.masking.staging_password.clone(),
    };
    let names_its_schemas = header.version.minor >= 13
        || header.version.major > 1
        || entries.iter().any(|entry| entry.kind == EntryKind::SearchPath);
    let binary = binary::Binary::new(schema, entries, &decisions.encoding, names_its_schemas);
    let mut loads = HashMap::new();
    let mut without_rows = Vec::new();
    for (entry, fate) in entries.iter().zip(&decisions.fates) {
        if entry.kind != EntryKind::TableData || !fate.is_kept() {
            continue;
        }
        if schema
            .table(&TableName::of(entry))
            .is_some_and(|table| excluded.contains(&table))
        {
            without_rows.push(TableName::of(entry));
            continue;
        }
        match loads::load(entry, schema) {
            Some(mut load) => {
                load.binary = binary.layout(&load);
                (load.mask, load.conditional) = rules.row_masks(&load, &pseudonyms, &mut problems);
                loads.insert(entry.dump_id, load);
            }
            None => problems.add(format!(
                "The definition of the table {} in the backup cannot be read, so neither can its rows. Please \
                 report this with the table's definition, and exclude the table meanwhile.",
                display_name(entry)
            )),
        }
    }
    let loaded: HashSet<TableName> = loads.values().map(|load: &Load| load.table.clone()).collect();
    rules.warn_of_idle(&loaded, &mut warnings);
    let sql_rules = sql_rules::read(
        settings,
        &binary,
        &rules,
        &excluded,
        &mut loads,
        &mut problems,
        &mut warnings,
    );

    let ground = personal::Ground {
        settings,
        schema,
        rules: &rules,
        sql_rules: &sql_rules,
        excluded: &excluded,
        ignores: &ignores,
        queues: &queues,
        pseudonyms: &pseudonyms,
    };
    let personal = personal::judge(&ground, &mut loads, is_restored, &mut problems, &mut warnings);

    let sql = |entry: &Entry| statement_sql(entry, names_its_schemas);
    let given_up = &personal.given_up;
    let mut outcome =
        steps::Steps::new(entries, &by_id, schema, &decisions, (&excluded, given_up), &loads).make(sql);
    sql_rules.apply_delete_actions(schema, &mut outcome.steps);
    let added = sql_rules.steps(schema, &loads, &outcome.steps);
    outcome.steps.extend(added);
    warnings.extend(outcome.warnings);
    left_out.extend(outcome.left_out);
    problems.into_result()?;
    let large_objects = large_objects(entries, &decisions, settings.exclude_large_objects);
    let mut channels = literals::in_schema(entries, &decisions);
    if settings.exclude_large_objects && !large_objects.oids.is_empty() {
        channels.push(Channel::large_objects_left_out());
    }
    let leaks = match settings.leak_check.enabled {
        true => leaks::watches(schema, &loads, &sql_rules, &personal),
        false => Watches::default(),
    };
    let mut plan = Plan {
        encoding: decisions.encoding.clone(),
        schema: statements(entries, &decisions, sql),
        loads,
        large_objects,
        steps: outcome.steps,
        sql_rules,
        queues: without_rows
            .iter()
            .filter(|name| schema.table(name).is_some_and(|table| queues.has_no_rows(table)))
            .cloned()
            .collect(),
        excluded: without_rows,
        left_out,
        personal,
        leaks,
        channels,
        warnings,
    };
    let mut problems = Problems::default();
    search::empty(&mut plan, entries, schema, &rules, key, &mut problems);
    problems.into_result()?;
    Ok(plan)
}

/// Everything that is wrong, told together.
#[derive(Debug, Default)]
struct Problems(Vec<String>);

/// More than this many problems are counted, not told.
const PROBLEMS_TOLD: usize = 40;

impl Problems {
    fn add(&mut self, problem: impl Into<String>) {
        self.0.push(problem.into());
    }

    fn into_result(self) -> Result<(), Error> {
        let mut lines: Vec<String> = Vec::new();
        let mut seen = HashSet::new();
        for problem in self.0 {
            if seen.insert(problem.clone()) {
                lines.push(problem);
            }
        }
        let count = lines.len();
        if count == 0 {
            return Ok(());
        }
        lines.truncate(PROBLEMS_TOLD);
        if count > PROBLEMS_TOLD {
            lines.push(format!("… and {} more.", count - PROBLEMS_TOLD));
        }
        let what = match count {
            1 => format!("The configuration does not fit the backup:\n- {}\n", lines[0]),
            _ => format!(
                "The configuration does not fit the backup in {count} places:\n- {}\n",
                lines.join("\n- ")
            ),
        };
        Err(Error::new(Kind::Plan, what, "Correct this and run again."))
    }
}

/// An archive needs a schema; one without rows is fine, but hardly what was meant.
fn check_contents(entries: &[Entry], problems: &mut Problems) -> Vec<String> {
    let has = |kind: EntryKind| entries.iter().any(|entry| entry.kind == kind);
    let has_schema = entries
        .iter()
        .any(|entry| entry.section == Section::PreData && entry.kind == EntryKind::Table);
    let has_rows = has(EntryKind::TableData) || has(EntryKind::Blobs);
    if has_rows && !has_schema && has(EntryKind::TableData) {
        problems.add(
            "The backup has rows but no tables: it was made with pg_dump --data-only. Take one that has the schema, too.",
        );
    }
    if has_rows {
        Vec::new()
    } else {
        vec![
            "The backup has no rows: it was made with pg_dump --schema-only, or of an empty database.".into(),
        ]
    }
}

fn left_out(entries: &[Entry], decisions: &Decisions) -> Vec<LeftOut> {
    let out = |(entry, fate): (&Entry, &Fate)| match fate {
        Fate::Out(why) => Some(LeftOut {
            kind: entry.kind.clone(),
            name: display_name(entry),
            why: why.clone(),
        }),
        _ => None,
    };
    entries.iter().zip(&decisions.fates).filter_map(out).collect()
}

/// The statements before the rows.
fn statements(entries: &[Entry], decisions: &Decisions, sql: impl Fn(&Entry) -> String) -> Vec<Statement> {
    // A sequence's value needs no rows, and a rule in SQL that takes numbers from it must not see it set back.
    let is_statement = |entry: &Entry| {
        entry.kind == EntryKind::SequenceSet
            || entry.section == Section::PreData
                && !matches!(entry.kind, EntryKind::Blob | EntryKind::BlobMetadata)
    };
    entries
        .iter()
        .zip(&decisions.fates)
        .filter(|(entry, fate)| fate.is_kept() && is_statement(entry))
        .map(|(entry, fate)| Statement {
            dump_id: entry.dump_id,
            kind: entry.kind.clone(),
            name: display_name(entry),
            sql: sql(entry),
            needs: entry.dependencies.clone(),
            refusal: if *fate == Fate::KeepIfAllowed {
                Refusal::LeftOut
            } else {
                Refusal::Fatal
            },
        })
        .collect()
}

/// An entry's SQL as the archive has it, but for two things that pg_restore says beside it: the table access
/// method, where it is not heap, and, in archives of pg_dump before 10.3 and 9.6.8 (format 1.12), the schema.
fn statement_sql(entry: &Entry, names_its_schemas: bool) -> String {
    let mut sql = String::new();
    if !names_its_schemas && !entry.namespace.is_empty() {
        sql.push_str(&format!(
            "SET LOCAL search_path = {}, pg_catalog;\n",
            quote_identifier(&entry.namespace)
        ));
    }
    let method = matches!(entry.kind, EntryKind::Table | EntryKind::MaterializedView)
        .then_some(entry.table_am.as_str())
        .filter(|method| !matches!(*method, "" | "heap"));
    if let Some(method) = method {
        sql.push_str(&format!(
            "SET LOCAL default_table_access_method = {};\n",
            quote_identifier(method)
        ));
    }
    sql.push_str(&entry.defn);
    if method.is_some() {
        // The statements after it are in the same transaction.
        sql.push_str("\nSET LOCAL default_table_access_method = DEFAULT;\n");
    }
    sql
}

/// Oids are numbers in the definitions: `SELECT pg_catalog.lo_create('16404');` of a BLOB, a list in BLOB METADATA.
///
/// `without_contents`: their data blocks are passed over.
fn large_objects(entries: &[Entry], decisions: &Decisions, without_contents: bool) -> LargeObjects {
    let mut found = LargeObjects::default();
    for (entry, fate) in entries.iter().zip(&decisions.fates) {
        if !fate.is_kept() {
            continue;
        }
        match &entry.kind {
            EntryKind::Blobs if without_contents => {}
            EntryKind::Blobs => {
                found.blocks.insert(entry.dump_id);
            }
            EntryKind::BlobMetadata => {
                found.oids.extend(
                    entry
                        .defn
                        .split_ascii_whitespace()
                        .filter_map(|oid| oid.parse::<u32>().ok()),
                );
            }
            EntryKind::Blob => found
                .oids
                .extend(lex(&entry.defn).iter().find_map(|token| match token {
                    Token::Text(oid) | Token::Quoted(oid) => oid.parse().ok(),
                    Token::Number(oid) => oid.parse::<u32>().ok(),
                    _ => None,
                })),
            _ => {}
        }
    }
    found
}
