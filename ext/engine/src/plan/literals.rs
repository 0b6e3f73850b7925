//! Personal data in the schema's own text: defaults, CHECKs, enum labels, partition bounds, index predicates,
//! functions, views, policies; comments are not restored. No rule reaches it, so it is reported.

use super::decide::Decisions;
use super::entries::display_name;
use crate::channel::Channel;
use leak_check::Class;
use personal_data::{PiiKind, Scanner};
use pg_dump_archive::{Entry, Section};
use std::collections::BTreeMap;

/// More findings than this are not listed one by one.
const SHOWN: usize = 200;

/// What stands in the definitions of everything that is restored.
pub(super) fn in_schema(entries: &[Entry], decisions: &Decisions) -> Vec<Channel> {
    let mut scanner = Scanner::new();
    let mut channels = Vec::new();
    for (entry, fate) in entries.iter().zip(&decisions.fates) {
        let is_schema = entry.section != Section::Data && !entry.kind.is_of_large_objects();
        if !fate.is_kept() || !is_schema {
            continue;
        }
        let mut counts: BTreeMap<PiiKind, u64> = BTreeMap::new();
        scanner.find(entry.defn.as_bytes(), |kind, _| {
            if is_reported(kind) {
                *counts.entry(kind).or_default() += 1;
            }
        });
        let object = format!("{} {}", entry.kind, display_name(entry));
        channels.extend(
            counts
                .iter()
                .map(|(kind, count)| Channel::schema_text(&object, kind.as_str(), *count)),
        );
    }
    channels.truncate(SHOWN);
    channels
}

/// What points at one person or opens an account; a capitalised pair of words in a comment is no name.
fn is_reported(kind: PiiKind) -> bool {
    let identifies = Class::of(kind).is_some_and(|class| class != Class::Name);
    identifies
        || matches!(
            kind,
            PiiKind::Password | PiiKind::PrivateKey | PiiKind::ApiKey | PiiKind::Jwt
        )
}
