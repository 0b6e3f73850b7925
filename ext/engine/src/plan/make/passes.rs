//! The passes that need one another's results: which tables and columns the settings name, what is masked, and in which order
//! things run.

use super::fitting::{is_table_data, Fitting};
use super::search_path::production_path;
use crate::channel::Channel;
use crate::notice::Notice;
use crate::plan::binary::Binary;
use crate::plan::decide::{Decisions, Fate};
use crate::plan::diagnostics::{Diagnostics, Warnings};
use crate::plan::ignore::Ignores;
use crate::plan::queues::Queues;
use crate::plan::rules::Rules;
use crate::plan::schema::Schema;
use crate::plan::statements::{
    forces_row_security, large_objects, left_out, statement_sql, statements, LargeObjects,
};
use crate::plan::steps::Steps;
use crate::plan::{
    encrypted, exclude, hypertables, keep, leaks, literals, load, objects, part, personal, sql_rules,
    LeftOut, Load, Plan, Statement, Step, TableName,
};
use crate::settings::Settings;
use crate::text::Text;
use leak_check::Watches;
use pg_dump_archive::{DumpId, Entry};
use std::collections::{HashMap, HashSet};

/// What every pass may look at.
pub(super) struct Passes<'a> {
    pub(super) entries: &'a [Entry],
    pub(super) schema: &'a Schema,
    pub(super) settings: &'a Settings,
    pub(super) key: &'a masking::Key,
    pub(super) by_id: &'a HashMap<DumpId, usize>,
    pub(super) decisions: &'a Decisions,
    pub(super) names_its_schemas: bool,
}

/// Which tables and columns the settings name.
pub(super) struct Scope<'a> {
    pub(super) keep: keep::Keep,
    /// Tables whose rows in the target stay.
    pub(super) kept: HashSet<usize>,
    /// Tables whose rows stay out.
    pub(super) excluded: HashSet<usize>,
    /// Every name by which they do is one of the backup's.
    pub(super) are_meant: bool,
    pub(super) rules: Rules<'a>,
    pub(super) ignores: Ignores,
    pub(super) queues: Queues,
}

/// What is masked, and how.
pub(super) struct Masked {
    pub(super) loads: HashMap<DumpId, Load>,
    pub(super) without_rows: Vec<TableName>,
    pub(super) part: Option<part::Part>,
    pub(super) only_looked_at: HashMap<DumpId, Load>,
    pub(super) idle: Vec<part::Relation>,
    pub(super) sql_rules: sql_rules::SqlRules,
    pub(super) personal: personal::Personal,
}

/// What runs before the rows and after them, and what does not.
pub(super) struct Order {
    pub(super) statements: Vec<Statement>,
    pub(super) steps: Vec<Step>,
    pub(super) left_out: Vec<LeftOut>,
}

impl<'a> Passes<'a> {
    pub(super) fn is_restored(&self, id: DumpId) -> bool {
        let index = self.by_id.get(&id);
        index.is_some_and(|index| self.decisions.fates[*index].is_kept())
    }

    /// The entries that are restored, and what becomes of each.
    pub(super) fn kept(&self) -> impl Iterator<Item = (&'a Entry, &'a Fate)> {
        let all = self.entries.iter().zip(&self.decisions.fates);
        all.filter(|(_, fate)| fate.is_kept())
    }

    pub(super) fn sql(&self, entry: &Entry) -> String {
        let sql = statement_sql(entry, self.names_its_schemas);
        hypertables::adapted(&self.schema.hypertables, entry, sql)
    }

    pub(super) fn scope(&self) -> (Scope<'a>, Diagnostics) {
        let mut diagnostics = Diagnostics::default();
        let (settings, schema) = (self.settings, self.schema);
        let excluded = diagnostics.take(exclude::excluded(&settings.exclude_tables, schema));
        let option = settings
            .include_tables_from
            .as_deref()
            .unwrap_or("include_tables");
        let included = exclude::not_included(option, &settings.include_tables, schema);
        let not_included = diagnostics.take(included);
        let are_meant = diagnostics.problems.is_empty();
        let keep = diagnostics.take(keep::read(settings, schema));
        let kept = keep.tables.iter().filter_map(|one| schema.table(&one.table));
        let kept: HashSet<usize> = kept.collect();
        if are_meant {
            let absent = exclude::Absent {
                excluded: &excluded,
                kept: &kept,
            };
            let (named, has_rows) = (&settings.include_tables, self.with_rows());
            diagnostics.add(exclude::contradictions(option, named, schema, &absent, &has_rows));
        }
        let excluded = excluded.into_iter().chain(not_included);
        let mut excluded: HashSet<usize> = excluded.chain(kept.iter().copied()).collect();
        let rules = diagnostics.take(Rules::read(settings, schema));
        let ignores = diagnostics.take(Ignores::read(&settings.pii.ignore, schema));
        let queues = Queues::read(settings, schema, &rules, &ignores, &excluded);
        excluded.extend(queues.without_rows());
        diagnostics.add(rules.check_keys(&excluded, |id| self.is_restored(id)));
        diagnostics.add(hypertables::check(schema, &excluded, &kept));
        let scope = Scope {
            // Where no database is filled, none of them has rows that could stay.
            keep: match settings.alone {
                true => keep::Keep::default(),
                false => keep,
            },
            kept,
            excluded,
            are_meant,
            rules,
            ignores,
            queues,
        };
        (scope, diagnostics)
    }

    /// The tables that the backup has rows of.
    fn with_rows(&self) -> HashSet<usize> {
        let rows = self
            .kept()
            .filter(|(entry, fate)| is_table_data(entry) && **fate == Fate::Keep);
        rows.filter_map(|(entry, _)| self.schema.table_of_rows(entry))
            .collect()
    }

    /// Which options leave all rows out, where none come.
    fn warn_of_no_rows(&self, scope: &Scope<'_>, warnings: &mut Warnings) {
        let settings = self.settings;
        let include = settings
            .include_tables_from
            .as_deref()
            .unwrap_or("include_tables");
        let by = [
            ("exclude_tables", !settings.exclude_tables.is_empty()),
            (include, !settings.include_tables.is_empty()),
            ("keep_tables", !scope.kept.is_empty()),
            ("quiesce", scope.queues.without_rows().next().is_some()),
        ];
        let by = by.iter().filter(|(_, is_set)| *is_set);
        warnings.push(Notice::NoRowComes {
            by: by.map(|(name, _)| (*name).to_owned()).collect(),
        });
    }

    pub(super) fn pseudonyms(&self) -> masking::Pseudonyms {
        masking::Pseudonyms {
            key: self.key.clone(),
            email_domain: self.settings.masking.email_domain.clone(),
            utf8: self.decisions.encoding.eq_ignore_ascii_case("UTF8"),
            staging_password: self.settings.masking.staging_password.clone(),
            helpers: helpers(self.settings, self.schema),
        }
    }

    pub(super) fn masked(&self, scope: &Scope<'_>) -> (Masked, Diagnostics) {
        let mut diagnostics = Diagnostics::default();
        let (settings, schema, entries) = (self.settings, self.schema, self.entries);
        let Scope { rules, excluded, .. } = scope;
        let pseudonyms = self.pseudonyms();
        let binary = Binary::new(schema, entries, &self.decisions.encoding, self.names_its_schemas);
        let fitting = Fitting {
            schema,
            excluded,
            binary: &binary,
            rules,
            pseudonyms: &pseudonyms,
        };
        let (loads, mut without_rows) = diagnostics.take(fitting.loads(entries, self.decisions));
        if loads.is_empty() && !without_rows.is_empty() {
            self.warn_of_no_rows(scope, &mut diagnostics.warnings);
        }
        without_rows.retain(|table| !scope.keep.holds(table));
        diagnostics.warnings.extend(rules.idle(&loads));
        diagnostics.add(rules.check_parts(&loads, &pseudonyms, |id| self.is_restored(id)));
        let subset = settings.subset.as_ref();
        let (named, mut left_out) = ((excluded, scope.are_meant), HashMap::new());
        let read = subset.map(|subset| {
            left_out = fitting.left_out(entries, self.decisions, &scope.kept);
            diagnostics.take(part::read(subset, schema, (&loads, &left_out), named))
        });
        let part::Read { part, idle } = read.unwrap_or_default();
        let only_looked_at = part.iter().flat_map(part::Part::only_looked_at);
        let only_looked_at = only_looked_at
            .filter_map(|id| left_out.remove_entry(&id))
            .collect();
        let sql_rules = diagnostics.take(sql_rules::read(settings, &binary, rules, excluded, &loads));
        let judge = personal::JudgeInputs {
            settings,
            schema,
            rules,
            sql_rules: &sql_rules,
            excluded,
            ignores: &scope.ignores,
            queues: &scope.queues,
            pseudonyms: &pseudonyms,
        };
        let loads = sql_rules.route(loads);
        let (personal, loads) = diagnostics.take(personal::judge(&judge, loads, |id| self.is_restored(id)));
        let masked = Masked {
            loads,
            without_rows,
            part,
            only_looked_at,
            idle,
            sql_rules,
            personal,
        };
        (masked, diagnostics)
    }

    /// What runs after the rows, and what of it is left out after all.
    pub(super) fn steps(
        &self,
        scope: &Scope<'_>,
        masked: &Masked,
    ) -> ((Vec<Step>, Vec<LeftOut>), Diagnostics) {
        let Masked { loads, sql_rules, .. } = masked;
        let absent = (&scope.excluded, &masked.personal.given_up, &scope.kept);
        let steps = Steps::new(
            self.entries,
            self.by_id,
            self.schema,
            self.decisions,
            absent,
            loads,
        );
        let ((steps, left_out), diagnostics) = steps.make(|entry| self.sql(entry));
        let mut steps = sql_rules.with_delete_actions(self.schema, steps);
        let added = sql_rules.steps(self.schema, loads, &steps);
        steps.extend(added);
        ((steps, left_out), diagnostics)
    }

    /// What runs before the rows.
    pub(super) fn statements(&self) -> impl Iterator<Item = Statement> {
        statements(self.entries, self.decisions, |entry| self.sql(entry)).into_iter()
    }

    /// What makes hypertables of tables, behind all that is said of these as plain ones.
    pub(super) fn hypertables(&self) -> impl Iterator<Item = Statement> {
        let (found, on_error) = (&self.schema.hypertables, self.settings.on_object_error);
        hypertables::statements(found, self.entries, on_error).into_iter()
    }

    pub(super) fn left_out(&self) -> impl Iterator<Item = LeftOut> {
        left_out(self.entries, self.decisions).into_iter()
    }

    /// All passes together.
    pub(super) fn plan(&self, scope: Scope<'_>, masked: Masked, order: Order, warnings: Vec<Text>) -> Plan {
        let Masked {
            loads,
            without_rows,
            part,
            only_looked_at,
            idle,
            sql_rules,
            personal,
        } = masked;
        let (entries, schema, settings) = (self.entries, self.schema, self.settings);
        let large_objects = LargeObjects {
            columns: objects::columns(&loads, schema),
            ..large_objects(entries, self.decisions, settings.exclude_large_objects)
        };
        let mut channels = literals::in_schema(entries, self.decisions);
        if settings.exclude_large_objects && !large_objects.oids.is_empty() {
            channels.push(Channel::large_objects_left_out());
        }
        let leaks = match settings.leak_check.enabled {
            true => leaks::watches(schema, &loads, &sql_rules, &personal),
            false => Watches::default(),
        };
        let has_no_rows = |table| scope.queues.has_no_rows(table);
        let is_queue = |name: &&TableName| schema.table(name).is_some_and(has_no_rows);
        Plan {
            queues: without_rows.iter().filter(is_queue).cloned().collect(),
            excluded: without_rows,
            keep: scope.keep,
            part,
            only_looked_at,
            idle,
            search_path: production_path(entries),
            forced: self.forced().collect(),
            encoding: self.decisions.encoding.clone(),
            extension_rows: self.extension_rows().collect(),
            loads,
            large_objects,
            sql_rules,
            personal,
            leaks,
            channels,
            schema: order.statements,
            steps: order.steps,
            left_out: order.left_out,
            warnings,
        }
    }

    /// Tables whose row security holds for their owner, too.
    pub(super) fn forced(&self) -> impl Iterator<Item = TableName> + '_ {
        let forced = self.kept().filter(|(entry, _)| forces_row_security(entry));
        forced.map(|(entry, _)| TableName::new(&entry.namespace, &entry.tag))
    }

    /// The rows of extensions' own tables.
    pub(super) fn extension_rows(&self) -> impl Iterator<Item = (DumpId, Load)> + '_ {
        let rows = self.kept().filter(|(entry, _)| is_table_data(entry));
        let rows = rows.filter(|(_, fate)| **fate == Fate::KeepIfAllowed);
        rows.filter_map(|(entry, _)| Some((entry.dump_id, load::of_extension(entry)?)))
    }
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
