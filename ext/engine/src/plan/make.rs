//! The plan's passes, one after the other: each gives its result and what it has to say, and changes nothing that another
//! has made.

use super::binary::Binary;
use super::decide::{self, Decisions, Fate};
use super::diagnostics::Diagnostics;
use super::entries::{display_name, extension_schema};
use super::ignore::Ignores;
use super::queues::Queues;
use super::rules::Rules;
use super::schema::Schema;
use super::sql::{lex, split, Token};
use super::statements::{
    forces_row_security, large_objects, left_out, statement_sql, statements, LargeObjects,
};
use super::steps::Steps;
use super::{
    agree, cycles, encrypted, exclude, hypertables, keep, leaks, literals, load, objects, part, personal,
    quote_identifier, search, sql_rules, Load, Plan, TableName,
};
use crate::channel::Channel;
use crate::error::Error;
use crate::settings::Settings;
use leak_check::Watches;
use pg_dump_archive::{DumpId, Entry, EntryKind, Header, Section};
use std::collections::{BTreeSet, HashMap, HashSet};

/// A table of contents, and what it says of tables and keys.
#[derive(Debug)]
pub struct PlanInput<'a> {
    header: &'a Header,
    entries: &'a [Entry],
    schema: Schema,
    /// An entry is one statement, as pg_dump writes it.
    is_archive: bool,
}

impl<'a> PlanInput<'a> {
    /// Reads what the entries say of tables.
    pub fn read(header: &'a Header, entries: &'a [Entry]) -> Self {
        Self {
            header,
            entries,
            schema: Schema::read(entries),
            is_archive: true,
        }
    }

    /// As [`PlanInput::read`], of entries that no archive holds, where one may be a whole file of SQL.
    pub fn read_sql(header: &'a Header, entries: &'a [Entry]) -> Self {
        Self {
            is_archive: false,
            ..Self::read(header, entries)
        }
    }

    /// The tables and their keys.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Whether the statements write a schema before every name that is not PostgreSQL's own.
    fn names_its_schemas(&self) -> bool {
        let version = self.header.version;
        version.minor >= 13
            || version.major > 1
            || self
                .entries
                .iter()
                .any(|entry| entry.kind == EntryKind::SearchPath)
    }
}

/// Makes the plan: what happens to each entry of a table of contents, under these settings.
///
/// Pure: it reads nothing but its arguments. `key` makes the pseudonyms, see [`masking::Key`].
///
/// # Errors
/// One [`Kind::Plan`](crate::error::Kind::Plan) error with everything that is wrong, a line each: rules that fit no
/// table or no column, names that match nothing, columns that cannot hold their pseudonyms, an archive without a schema.
pub fn plan(contents: &PlanInput<'_>, settings: &Settings, key: &masking::Key) -> Result<Plan, Error> {
    let (entries, schema) = (contents.entries, &contents.schema);
    let mut said = check_contents(entries);
    let by_id: HashMap<DumpId, usize> = entries
        .iter()
        .enumerate()
        .map(|(index, entry)| (entry.dump_id, index))
        .collect();
    let decisions = said.take(decide::decide(entries, &by_id, settings));
    if contents.is_archive {
        agree::check(entries, &decisions, schema)?;
    }
    let is_restored = |id: DumpId| {
        let index = by_id.get(&id);
        index.is_some_and(|index| decisions.fates[*index].is_kept())
    };
    let excluded = said.take(exclude::excluded(&settings.exclude_tables, schema));
    let not_included = said.take(exclude::not_included(&settings.include_tables, schema));
    let keep = said.take(keep::read(settings, schema));
    let own = keep.tables.iter().filter_map(|one| schema.table(&one.table));
    let own: HashSet<usize> = own.collect();
    let excluded = excluded
        .into_iter()
        .chain(not_included)
        .chain(own.iter().copied());
    let excluded: HashSet<usize> = excluded.collect();
    let rules = said.take(Rules::read(settings, schema));
    let ignores = said.take(Ignores::read(&settings.pii.ignore, schema));
    let queues = Queues::read(settings, schema, &rules, &ignores, &excluded);
    let excluded: HashSet<usize> = excluded.into_iter().chain(queues.without_rows()).collect();
    said.add(rules.check_keys(&excluded, is_restored));
    said.add(hypertables::check(schema, &excluded, entries));

    let pseudonyms = masking::Pseudonyms {
        key: key.clone(),
        email_domain: settings.masking.email_domain.clone(),
        utf8: decisions.encoding.eq_ignore_ascii_case("UTF8"),
        staging_password: settings.masking.staging_password.clone(),
        helpers: helpers(settings, schema),
    };
    let names_its_schemas = contents.names_its_schemas();
    let binary = Binary::new(schema, entries, &decisions.encoding, names_its_schemas);
    let fitting = Fitting {
        schema,
        excluded: &excluded,
        binary: &binary,
        rules: &rules,
        pseudonyms: &pseudonyms,
    };
    let (loads, mut without_rows) = said.take(fitting.loads(entries, &decisions));
    without_rows.retain(|table| !keep.holds(table));
    said.warnings.extend(rules.idle(&loads));
    said.add(rules.check_parts(&loads, &pseudonyms, is_restored));
    let subset = settings.subset.as_ref();
    let part = subset.and_then(|subset| said.take(part::read(subset, schema, &loads, &excluded)));
    let sql_rules = said.take(sql_rules::read(settings, &binary, &rules, &excluded, &loads));
    let loads = sql_rules.route(loads);
    let ground = personal::JudgeContext {
        settings,
        schema,
        rules: &rules,
        sql_rules: &sql_rules,
        excluded: &excluded,
        ignores: &ignores,
        queues: &queues,
        pseudonyms: &pseudonyms,
    };
    let (personal, loads) = said.take(personal::judge(&ground, loads, is_restored));

    let sql = |entry: &Entry| statement_sql(entry, names_its_schemas);
    let absent = (&excluded, &personal.given_up, &own);
    let (steps, further_out) =
        said.take(Steps::new(entries, &by_id, schema, &decisions, absent, &loads).make(sql));
    let steps = sql_rules.with_delete_actions(schema, steps);
    let added = sql_rules.steps(schema, &loads, &steps);
    let steps: Vec<_> = steps.into_iter().chain(added).collect();
    said.problems.check()?;

    let ground = search::SearchContext {
        entries,
        schema,
        rules: &rules,
        sql_rules: &sql_rules,
        personal: &personal,
        key,
    };
    let (loads, early) = said.take(ground.empty(loads));
    said.problems.check()?;
    cycles::check(&steps)?;
    let (steps, early) = search::create_early(steps, &early);
    let schema_statements = statements(entries, &decisions, sql).into_iter().chain(early);
    let kept = entries.iter().zip(&decisions.fates);
    let forced = kept
        .filter(|(entry, fate)| fate.is_kept() && forces_row_security(entry))
        .map(|(entry, _)| TableName {
            schema: entry.namespace.clone(),
            name: entry.tag.clone(),
        });
    let large_objects = LargeObjects {
        columns: objects::columns(&loads, schema),
        ..large_objects(entries, &decisions, settings.exclude_large_objects)
    };
    let mut channels = literals::in_schema(entries, &decisions);
    if settings.exclude_large_objects && !large_objects.oids.is_empty() {
        channels.push(Channel::large_objects_left_out());
    }
    let leaks = match settings.leak_check.enabled {
        true => leaks::watches(schema, &loads, &sql_rules, &personal),
        false => Watches::default(),
    };
    let of_extensions = entries.iter().zip(&decisions.fates);
    let of_extensions =
        of_extensions.filter(|(entry, fate)| is_table_data(entry) && **fate == Fate::KeepIfAllowed);
    let of_extensions =
        of_extensions.filter_map(|(entry, _)| Some((entry.dump_id, load::of_extension(entry)?)));
    let is_queue = |name: &&TableName| schema.table(name).is_some_and(|table| queues.has_no_rows(table));
    let left_out = left_out(entries, &decisions).into_iter().chain(further_out);
    Ok(Plan {
        schema: schema_statements.collect(),
        queues: without_rows.iter().filter(is_queue).cloned().collect(),
        excluded: without_rows,
        keep,
        part,
        left_out: left_out.collect(),
        search_path: production_path(entries),
        forced: forced.collect(),
        encoding: decisions.encoding,
        warnings: said.warnings.0,
        loads,
        extension_rows: of_extensions.collect(),
        large_objects,
        steps,
        sql_rules,
        personal,
        leaks,
        channels,
    })
}

/// Where production's functions look for what they name without its schema: as its `ALTER DATABASE … SET search_path`
/// says, else in public and in the schemas of its extensions.
fn production_path(entries: &[Entry]) -> String {
    let set = entries
        .iter()
        .filter(|entry| entry.kind == EntryKind::DatabaseProperties);
    let mut set = set.filter_map(|entry| {
        let (_, rest) = entry.defn.split_once("SET search_path TO ")?;
        path_of(rest)
    });
    set.next_back().unwrap_or_else(|| {
        let extensions = entries.iter().filter(|entry| entry.kind == EntryKind::Extension);
        let homes: BTreeSet<String> = extensions
            .filter_map(|entry| extension_schema(&entry.defn))
            .collect();
        let others = homes
            .into_iter()
            .filter(|home| home != "public" && home != "pg_catalog");
        let path = std::iter::once("public".to_owned()).chain(others);
        let path: Vec<String> = path.map(|schema| quote_identifier(&schema)).collect();
        path.join(", ")
    })
}

/// The schemas of a `search_path` up to its semicolon, each quoted anew: the text goes into statements of the gem's own.
fn path_of(sql: &str) -> Option<String> {
    let tokens = lex(sql);
    let value = split(&tokens, ';').into_iter().next()?;
    let schemas = split(value, ',').into_iter().map(|part| match part {
        [Token::Text(name)] => Some(quote_identifier(name)),
        [token] => token.name().map(|name| quote_identifier(&name)),
        _ => None,
    });
    let schemas: Option<Vec<String>> = schemas.collect();
    schemas.map(|schemas| schemas.join(", "))
}

/// What loads are fitted to.
struct Fitting<'a> {
    schema: &'a Schema,
    excluded: &'a HashSet<usize>,
    binary: &'a Binary<'a>,
    rules: &'a Rules<'a>,
    pseudonyms: &'a masking::Pseudonyms,
}

impl Fitting<'_> {
    /// The loads of the data blocks that are restored, masked by the rules, and the tables whose rows stay out.
    fn loads(
        &self,
        entries: &[Entry],
        decisions: &Decisions,
    ) -> ((HashMap<DumpId, Load>, Vec<TableName>), Diagnostics) {
        let mut said = Diagnostics::default();
        let mut loads = HashMap::new();
        let mut without_rows = Vec::new();
        let kept = entries
            .iter()
            .zip(&decisions.fates)
            .filter(|(_, fate)| fate.is_kept());
        for (entry, _) in kept.filter(|(entry, fate)| is_table_data(entry) && **fate == Fate::Keep) {
            let name = TableName::of(entry);
            let table = self.schema.table(&name);
            if table.is_some_and(|table| self.excluded.contains(&table)) {
                without_rows.push(name);
                continue;
            }
            match load::read(entry, self.schema) {
                Some(load) => {
                    loads.insert(entry.dump_id, said.take(self.masked(load)));
                }
                None => said.problems.add(format!(
                    "The definition of the table {} in the backup cannot be read, so neither can its rows. Please \
                     report this with the table's definition, and exclude the table meanwhile.",
                    display_name(entry)
                )),
            }
        }
        ((loads, without_rows), said)
    }

    fn masked(&self, load: Load) -> (Load, Diagnostics) {
        let mut said = Diagnostics::default();
        let (sent, chosen) = self.rules.row_masks(&load, self.pseudonyms, &mut said.problems);
        let layout = self.binary.layout(&load);
        let load = load.rebuilt().binary(layout).mask(sent).conditional(chosen);
        (load.build(), said)
    }
}

fn is_table_data(entry: &Entry) -> bool {
    entry.kind == EntryKind::TableData
}

/// An archive needs a schema; one without rows is fine, but hardly what was meant.
fn check_contents(entries: &[Entry]) -> Diagnostics {
    let mut said = Diagnostics::default();
    let has = |kind: EntryKind| entries.iter().any(|entry| entry.kind == kind);
    // An extension's own tables come with it.
    let has_schema = entries.iter().any(|entry| {
        entry.section == Section::PreData && matches!(entry.kind, EntryKind::Table | EntryKind::Extension)
    });
    if has(EntryKind::TableData) && !has_schema {
        said.problems.add(
            "The backup has rows but no tables: it was made with pg_dump --data-only. Take one that has the schema, too.",
        );
    }
    if !has(EntryKind::TableData) && !has(EntryKind::Blobs) {
        said.warnings
            .push("The backup has no rows: it was made with pg_dump --schema-only, or of an empty database.");
    }
    said
}

/// What masks ask.
fn helpers(settings: &Settings, schema: &Schema) -> masking::Helpers {
    masking::Helpers {
        encrypted: encrypted::read(settings, schema).into(),
        leaves: Some(personal::JUDGE),
        countries: settings.masking.countries.clone().into(),
        shared: masking::Shared::default(),
    }
}
