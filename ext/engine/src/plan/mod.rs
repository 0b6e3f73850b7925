//! The table of contents and the rules, turned into what happens to each entry. Pure: no database, no network.
//!
//! Everything that can be known before the target is touched is decided here, and everything that is wrong
//! is reported together. [`plan()`] reads top to bottom: [`schema`] is what the archive says of tables and keys (read
//! with the lexer in [`sql`]), `decide` what is restored at all, `exclude` and `queues` whose rows are not, `rules` which
//! columns are masked, `load` and `binary` how rows are loaded, [`sql_rules`] what only SQL can mask, [`personal`] what looks
//! personal and is covered by none of them, `steps` what comes after the rows.

mod agree;
mod binary;
mod checks;
mod chunks;
mod cycles;
mod decide;
mod diagnostics;
mod dispensable;
mod encrypted;
mod entries;
mod exclude;
mod extension_rows;
mod hypertables;
mod ignore;
pub mod keep;
mod leaks;
mod literals;
mod load;
mod make;
pub(crate) mod names;
mod objects;
mod parse;
pub mod part;
mod parts;
pub mod personal;
mod queues;
mod refused;
mod rules;
pub mod schema;
mod search;
pub mod sql;
pub mod sql_rules;
mod statements;
mod step;
mod steps;
mod unplanned;
mod walk;
mod weight;

pub use crate::left_out::LeftOut;
pub use load::{Load, LoadBuilder, RowFormat};
pub use make::{attempt, plan, PlanInput};
pub use masking::{quote_identifier, quote_literal};
pub use search::SearchVectors;
pub use statements::{LargeObjects, Refusal, Statement};
pub use step::{MadeOf, Refuses, Step, StepKind, TaskId};
pub use unplanned::{Unplanned, Unsettled};

use crate::channel::Channel;
use crate::text::Text;
use diagnostics::{Diagnostics, Problems, Warnings};
use leak_check::Watches;
use pg_dump_archive::{DumpId, Entry};
use std::collections::HashMap;
use std::sync::Arc;

/// What a run will do, whole.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The encoding of the archive's rows, such as `UTF8`.
    pub encoding: String,
    /// Where production's own functions find what they name without its schema: the value of `search_path`.
    pub search_path: String,
    /// The statements that create the schema and set its sequences' values, in the archive's order.
    pub schema: Vec<Statement>,
    /// Tables whose policies hold for their owner, too: from when keys and views are made and rows verified.
    pub forced: Vec<TableName>,
    /// How the rows of each TABLE DATA block are loaded. A data block that is not here is passed over.
    pub loads: HashMap<DumpId, Load>,
    /// Rows of extensions' own tables, by their data blocks: added to what the target has, where its role may.
    pub extension_rows: HashMap<DumpId, Load>,
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
    /// What stays in the target as it is.
    pub keep: keep::Keep,
    /// Which rows are chosen, where not all of them come.
    pub part: Option<part::Part>,
    /// Blocks whose rows stay out and are looked at all the same, since they decide about those of others.
    pub only_looked_at: HashMap<DumpId, Load>,
    /// Tables with rules for rows that do not come.
    pub idle: Vec<part::Relation>,
    /// What else is left out, and why.
    pub left_out: Vec<LeftOut>,
    /// What is known of personal data that no rule covers.
    pub personal: personal::Personal,
    /// What the leak check watches; nothing where it is off.
    pub leaks: Watches,
    /// What holds personal data outside of columns, and what happens to it, without what [`Plan::known_channels`] adds.
    pub channels: Vec<Channel>,
    /// What the person in charge should know.
    pub warnings: Vec<Text>,
}

/// A table's name as the server knows it. There may be thousands, and each is named in many places, which share it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableName(Arc<Qualified>);

/// What a [`TableName`] is made of.
#[derive(Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Qualified {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
}

impl std::ops::Deref for TableName {
    type Target = Qualified;

    fn deref(&self) -> &Qualified {
        &self.0
    }
}

impl TableName {
    /// The table of this name in a schema.
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self(Arc::new(Qualified {
            schema: schema.into(),
            name: name.into(),
        }))
    }

    /// The name of the relation that an entry creates or fills.
    fn of(entry: &Entry) -> Self {
        Self::new(&entry.namespace, &entry.tag)
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

impl Plan {
    /// How the rows of a data block are loaded, a table's of the backup or one of an extension's.
    pub(crate) fn rows_of(&self, block: DumpId) -> Option<&Load> {
        let load = self.loads.get(&block);
        load.or_else(|| self.extension_rows.get(&block))
    }

    /// Every channel that is known without a look at rows, under the masks that the plan has.
    pub(crate) fn known_channels(&self) -> Vec<Channel> {
        let mut loads: Vec<&Load> = self.loads.values().collect();
        loads.sort_by_key(|load| load.dump_id);
        let vectors = loads
            .into_iter()
            .filter_map(|load| load.vectors_under(load.mask.as_deref()));
        let vectors = vectors.flat_map(|vectors| vectors.channels.iter().cloned());
        let LargeObjects { oids, blocks, .. } = &self.large_objects;
        let objects = (!oids.is_empty() && !blocks.is_empty())
            .then(|| Channel::large_objects_unscanned(oids.len() as u64));
        vectors
            .chain(self.channels.iter().cloned())
            .chain(objects)
            .collect()
    }
}
