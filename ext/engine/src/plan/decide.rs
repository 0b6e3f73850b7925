//! Which entries are restored, which are left out, and why.

use super::chunks::Hypertables;
use super::dispensable::{self, Needed};
use super::entries::{display_name, extension_schema, is_body_of_view, made_by_timescaledb};
use super::extension_rows;
use super::sql::{lex, Token};
use super::{Diagnostics, Problems, Warnings};
use crate::failure::PlanFailure;
use crate::left_out::Why;
use crate::notice::Notice;
use crate::settings::{OnObjectError, Settings};
use pg_dump_archive::{DumpId, Entry, EntryKind, Section};
use std::collections::{HashMap, HashSet, VecDeque};

/// Schemas of other tools and of the gem's own, which a staging database has no use for.
const FOREIGN_SCHEMAS: &[&str] = &["pghero", "heroku_ext", "pg_repack", "scalingo_staging_sync"];

/// What happens to an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is restored.
    Keep,
    /// It is restored if the server lets it: no row needs it.
    KeepIfAllowed,
    /// It says something about the session, which the plan takes up elsewhere.
    Implied,
    /// It is not restored, for this reason.
    Out(Why),
}

impl Fate {
    pub(super) fn is_kept(&self) -> bool {
        matches!(self, Fate::Keep | Fate::KeepIfAllowed)
    }
}

/// One fate per entry, in the entries' order.
#[derive(Debug)]
pub(super) struct Decisions {
    pub(super) fates: Vec<Fate>,
    pub(super) encoding: String,
}

/// Decides about every entry.
pub(super) fn decide(
    entries: &[Entry],
    by_id: &HashMap<DumpId, usize>,
    hypertables: &Hypertables,
    settings: &Settings,
) -> (Decisions, Diagnostics) {
    let relations: HashSet<(&EntryKind, &str, &str)> = entries
        .iter()
        .filter(|entry| matches!(entry.kind, EntryKind::Sequence | EntryKind::Table))
        .map(|entry| (&entry.kind, entry.namespace.as_str(), entry.tag.as_str()))
        .collect();
    let mut diagnostics = Diagnostics::default();
    let needed = Needed::of(entries, by_id);
    let by_hand = dispensable::excluded(
        &settings.exclude_objects,
        entries,
        &needed,
        &mut diagnostics.problems,
    );
    let fates = entries
        .iter()
        .enumerate()
        .map(|(at, entry)| {
            let fate = of_hypertable(entry, hypertables)
                .unwrap_or_else(|| by_kind(entry, &relations, settings, &mut diagnostics.warnings));
            match fate {
                Fate::Keep if by_hand.contains(&at) => Fate::Out(Why::NamedByConfiguration),
                fate => fate,
            }
        })
        .collect();
    let mut decisions = Decisions {
        fates,
        encoding: encoding(entries, &mut diagnostics.problems),
    };
    diagnostics
        .warnings
        .extend(decisions.cascade(entries, by_id, &by_hand));
    decisions.decide_extensions(entries, by_id, &by_hand);
    decisions.decide_extension_rows(entries, &by_hand, &mut diagnostics.warnings);
    if settings.on_object_error == OnObjectError::LeaveOut {
        decisions.may_go(entries, &needed);
    }
    (decisions, diagnostics)
}

/// The same of a hypertable's parts: rows of chunks come, and what the extension makes with it is implied.
fn of_hypertable(entry: &Entry, hypertables: &Hypertables) -> Option<Fate> {
    let is_rows = entry.kind == EntryKind::TableData && hypertables.of_chunk(entry).is_some();
    match is_rows {
        true => Some(Fate::Keep),
        false => hypertables.makes(entry).then_some(Fate::Implied),
    }
}

/// What happens to an entry by what it is itself.
fn by_kind(
    entry: &Entry,
    relations: &HashSet<(&EntryKind, &str, &str)>,
    settings: &Settings,
    warnings: &mut Warnings,
) -> Fate {
    let is_known =
        |kind: EntryKind| relations.contains(&(&kind, entry.namespace.as_str(), entry.tag.as_str()));
    Fate::Out(match &entry.kind {
        EntryKind::Encoding | EntryKind::StdStrings | EntryKind::SearchPath => return Fate::Implied,
        EntryKind::Acl | EntryKind::DefaultAcl => Why::Privileges,
        EntryKind::Database | EntryKind::DatabaseProperties => Why::DatabaseExists,
        EntryKind::Comment => Why::Comments,
        EntryKind::SecurityLabel => Why::SecurityLabels,
        EntryKind::Tablespace => Why::Tablespaces,
        EntryKind::StatisticsData => Why::Statistics,
        EntryKind::UserMapping => Why::HoldsPasswords,
        kind if kind.is_of_publication() => Why::Publications,
        kind if kind.is_of_subscription() => Why::Subscriptions,
        EntryKind::ForeignDataWrapper | EntryKind::Server | EntryKind::ForeignTable
            if !settings.include_foreign_servers =>
        {
            Why::ForeignServers
        }
        EntryKind::Schema if entry.tag == "public" => Why::EveryDatabaseHasIt,
        EntryKind::Schema if FOREIGN_SCHEMAS.contains(&entry.tag.as_str()) => Why::SchemaOfOthers {
            schema: entry.tag.clone(),
        },
        _ if FOREIGN_SCHEMAS.contains(&entry.namespace.as_str()) => Why::InSchemaOfOthers {
            schema: entry.namespace.clone(),
        },
        _ if made_by_timescaledb(entry) => Why::MadeByTimescale,
        EntryKind::TableData if !is_known(EntryKind::Table) => Why::ExtensionsTable,
        EntryKind::SequenceSet if !is_known(EntryKind::Sequence) => Why::ExtensionsSequence,
        kind if entry.section == Section::None => {
            let object = format!("{kind} {}", entry.tag);
            warnings.push(Notice::UnknownLeftOut { object });
            Why::UnknownKind
        }
        EntryKind::TableData | EntryKind::Blobs | EntryKind::BlobMetadata => return Fate::Keep,
        // Nothing to run, as where a public schema would stand.
        _ if lex(&entry.defn).is_empty() => return Fate::Implied,
        _ => return Fate::Keep,
    })
}

/// The encoding of the rows, from the ENCODING entry: `SET client_encoding = 'UTF8';`.
fn encoding(entries: &[Entry], problems: &mut Problems) -> String {
    let setting = |kind: EntryKind| {
        let entry = entries.iter().find(|entry| entry.kind == kind)?;
        lex(&entry.defn).into_iter().find_map(|token| match token {
            Token::Text(text) => Some(text.to_string()),
            _ => None,
        })
    };
    if setting(EntryKind::StdStrings).is_some_and(|value| value != "on") {
        problems.add(PlanFailure::OtherStrings);
    }
    let encoding = setting(EntryKind::Encoding).unwrap_or_else(|| "UTF8".into());
    // In these the second byte of a character can be a backslash or a tab.
    const UNSAFE: &[&str] = &["BIG5", "GB18030", "GBK", "JOHAB", "SJIS", "SHIFT_JIS_2004", "UHC"];
    if UNSAFE.iter().any(|name| encoding.eq_ignore_ascii_case(name)) {
        problems.add(PlanFailure::OtherEncoding {
            encoding: encoding.clone(),
        });
    }
    encoding
}

impl Decisions {
    /// What depends on something that is left out cannot exist either. Warns of tables among it.
    fn cascade(
        &mut self,
        entries: &[Entry],
        by_id: &HashMap<DumpId, usize>,
        by_hand: &HashSet<usize>,
    ) -> Vec<Notice> {
        let mut warnings = Vec::new();
        let mut dependents: HashMap<usize, Vec<usize>> = HashMap::new();
        for (index, entry) in entries.iter().enumerate() {
            for dependency in entry.dependencies.iter().filter_map(|id| by_id.get(id)) {
                dependents.entry(*dependency).or_default().push(index);
            }
        }
        // A schema alone is not what anything needs: what is in an excluded one is out by itself, and what uses an
        // extension in one names the schema beside the extension.
        let is_root = |index: &usize| {
            matches!(self.fates[*index], Fate::Out(_))
                && (by_hand.contains(index)
                    || !matches!(entries[*index].kind, EntryKind::Schema | EntryKind::Extension))
        };
        let mut queue: VecDeque<usize> = (0..entries.len()).filter(is_root).collect();
        while let Some(gone) = queue.pop_front() {
            for dependent in dependents.remove(&gone).unwrap_or_default() {
                if !self.fates[dependent].is_kept() {
                    continue;
                }
                let (entry, because) = (&entries[dependent], &entries[gone]);
                let why = Why::NeedsLeftOut {
                    object: format!("{} {}", because.kind, display_name(because)),
                };
                if matches!(entry.kind, EntryKind::Table | EntryKind::ForeignTable) {
                    warnings.push(Notice::TableLeftOut {
                        table: display_name(entry),
                        why: why.clone(),
                    });
                }
                // A view that needs a primary key comes in two parts, an empty shell and, after the key, what it
                // reads; the shell alone would be a view of NULLs.
                if is_body_of_view(entry) {
                    let shells = entry.dependencies.iter().filter_map(|id| by_id.get(id).copied());
                    for shell in shells.filter(|at| {
                        entries[*at].kind == EntryKind::View && is_shell_of(&entries[*at], entry)
                    }) {
                        if self.fates[shell].is_kept() {
                            self.fates[shell] = Fate::Out(why.clone());
                            queue.push_back(shell);
                        }
                    }
                }
                self.fates[dependent] = Fate::Out(why);
                queue.push_back(dependent);
            }
        }
        warnings
    }

    /// An extension that something restored needs must be there; any other only if the server lets it. One in a
    /// schema that is never restored is left out, unless it is needed: then its schema comes with it.
    fn decide_extensions(
        &mut self,
        entries: &[Entry],
        by_id: &HashMap<DumpId, usize>,
        by_hand: &HashSet<usize>,
    ) {
        let is_extension = |index: &usize| entries[*index].kind == EntryKind::Extension;
        let extensions_of = |index: usize| {
            let dependencies = entries[index].dependencies.iter();
            dependencies
                .filter_map(|id| by_id.get(id).copied())
                .filter(is_extension)
        };
        let mut needed: HashSet<usize> = HashSet::new();
        let mut queue: Vec<usize> = (0..entries.len())
            .filter(|index| self.fates[*index].is_kept() && !is_extension(index))
            .collect();
        while let Some(index) = queue.pop() {
            queue.extend(extensions_of(index).filter(|extension| needed.insert(*extension)));
        }
        let mut mentioned: HashMap<String, bool> = HashMap::new();
        for index in (0..entries.len()).filter(|at| is_extension(at) && !by_hand.contains(at)) {
            let home = extension_schema(&entries[index].defn)
                .filter(|home| FOREIGN_SCHEMAS.contains(&home.as_str()));
            let is_needed = needed.contains(&index);
            let mut fate = if is_needed {
                Fate::Keep
            } else {
                Fate::KeepIfAllowed
            };
            if let Some(home) = home {
                // The body of a function is text: what it calls is no dependency that pg_dump knows.
                let is_mentioned = *mentioned
                    .entry(home.clone())
                    .or_insert_with(|| self.mentions(entries, &home));
                if is_needed || is_mentioned {
                    self.keep_schema(entries, &home, &fate);
                } else {
                    fate = Fate::Out(Why::InSchemaOfOthers { schema: home });
                }
            }
            self.fates[index] = fate;
        }
    }

    /// Rows of an extension's own tables come where it does; until here they need nothing and nothing needs them.
    fn decide_extension_rows(
        &mut self,
        entries: &[Entry],
        by_hand: &HashSet<usize>,
        warnings: &mut Warnings,
    ) {
        let mut extensions = entries.iter().zip(&self.fates);
        let with_extensions =
            extensions.any(|(entry, fate)| entry.kind == EntryKind::Extension && fate.is_kept());
        let created = extension_rows::created(entries);
        for (at, entry) in entries.iter().enumerate() {
            if !extension_rows::are_these(entry, &created) {
                continue;
            }
            self.fates[at] = match by_hand.contains(&at) {
                true => Fate::Out(Why::NamedByConfiguration),
                false => extension_rows::why_not(entry, with_extensions, warnings)
                    .map_or(Fate::KeepIfAllowed, Fate::Out),
            };
        }
    }

    /// What no row needs may be refused by the server. Of extensions [`Decisions::decide_extensions`] decides.
    fn may_go(&mut self, entries: &[Entry], needed: &Needed) {
        for (at, fate) in self.fates.iter_mut().enumerate() {
            if *fate == Fate::Keep && !needed.has(at) && entries[at].kind != EntryKind::Extension {
                *fate = Fate::KeepIfAllowed;
            }
        }
    }

    fn mentions(&self, entries: &[Entry], schema: &str) -> bool {
        let name = format!("{schema}.");
        let is_code = |entry: &Entry| !matches!(entry.kind, EntryKind::Schema | EntryKind::Extension);
        entries
            .iter()
            .zip(&self.fates)
            .any(|(entry, fate)| fate.is_kept() && is_code(entry) && entry.defn.contains(&name))
    }

    fn keep_schema(&mut self, entries: &[Entry], name: &str, fate: &Fate) {
        for (index, entry) in entries.iter().enumerate() {
            if entry.kind == EntryKind::Schema && entry.tag == name && self.fates[index] != Fate::Keep {
                self.fates[index] = fate.clone();
            }
        }
    }
}

fn is_shell_of(view: &Entry, body: &Entry) -> bool {
    view.namespace == body.namespace && body.tag.strip_suffix(" _RETURN") == Some(view.tag.as_str())
}
