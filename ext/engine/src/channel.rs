//! What can hold personal data beside the columns that rules name, and what happens to it.

use crate::alike::{Alike, Many};
use crate::notice::Notice;
use crate::text::Text;
use personal_data::RuleEntry;
use serde::Serialize;

/// One of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Channel {
    /// Which.
    pub channel: ChannelKind,
    /// Where: `schema.table.column`, or an object's kind and name.
    pub name: String,
    /// The kind of personal data, where it is known.
    pub kind: Option<String>,
    /// How many: values or large objects; 0 where they were not counted.
    pub count: u64,
    /// What happened to it.
    pub outcome: ChannelOutcome,
    /// The same as a warning.
    pub note: Notice,
}

/// What can hold personal data beside columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// A `tsvector` column beside a masked one: it holds its words.
    SearchVector,
    /// Large objects.
    LargeObjects,
    /// A bytea that does not read as text.
    Bytea,
    /// A literal in the schema's text: a default, a CHECK, an enum's label, a function's or a view's body.
    SchemaText,
}

/// What happened to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelOutcome {
    /// Made anew from the masked columns.
    Rebuilt,
    /// Emptied.
    Emptied,
    /// Left out of the target.
    LeftOut,
    /// In the target, and not looked into.
    Unscanned,
    /// In the target as it is.
    Kept,
}

/// What to warn of: a sentence for each channel, or one for all of a kind where they are many.
pub fn warnings(channels: &[Channel]) -> Vec<Text> {
    let mut kinds: Vec<(ChannelKind, ChannelOutcome, u64, Alike)> = Vec::new();
    for channel in channels {
        let alike =
            |(kind, outcome, ..): &(_, _, _, _)| (*kind, *outcome) == (channel.channel, channel.outcome);
        let at = kinds.iter().position(alike).unwrap_or_else(|| {
            kinds.push((channel.channel, channel.outcome, 0, Alike::default()));
            kinds.len() - 1
        });
        let (_, _, values, alike) = &mut kinds[at];
        *values += channel.count;
        alike.add(&channel.name, &channel.note);
    }
    let warnings = kinds.into_iter().flat_map(|(kind, outcome, values, alike)| {
        alike.into_warnings(|many| together(kind, outcome, values, many))
    });
    warnings.collect()
}

/// Many of a kind in one sentence.
fn together(kind: ChannelKind, outcome: ChannelOutcome, values: u64, many: Many) -> Notice {
    let Many { count, names, more } = many;
    match (kind, outcome) {
        (ChannelKind::Bytea, _) => Notice::ManyBytesUnread {
            count,
            values,
            names,
            more,
        },
        (ChannelKind::SearchVector, ChannelOutcome::Rebuilt) => {
            Notice::ManySearchRebuilt { count, names, more }
        }
        (ChannelKind::SearchVector, _) => Notice::ManySearchEmptied { count, names, more },
        (ChannelKind::SchemaText, _) => Notice::ManyTextsKept { count, names, more },
        (ChannelKind::LargeObjects, ChannelOutcome::LeftOut) => Notice::LargeObjectsEmptied,
        (ChannelKind::LargeObjects, _) => Notice::LargeObjectsUnread { count: values },
    }
}

impl Channel {
    /// A tsvector column that its trigger makes anew.
    pub(crate) fn rebuilt(column: &str, trigger: &str) -> Self {
        Self {
            channel: ChannelKind::SearchVector,
            name: column.to_owned(),
            kind: None,
            count: 0,
            outcome: ChannelOutcome::Rebuilt,
            note: Notice::SearchRebuilt {
                column: column.to_owned(),
                trigger: trigger.to_owned(),
            },
        }
    }

    /// A tsvector column that nothing makes anew.
    pub(crate) fn emptied(column: &str) -> Self {
        Self {
            channel: ChannelKind::SearchVector,
            name: column.to_owned(),
            kind: None,
            count: 0,
            outcome: ChannelOutcome::Emptied,
            note: Notice::SearchEmptied {
                column: column.to_owned(),
            },
        }
    }

    /// Large objects whose contents were left out.
    pub(crate) fn large_objects_left_out() -> Self {
        Self {
            channel: ChannelKind::LargeObjects,
            name: "large objects".to_owned(),
            kind: None,
            count: 0,
            outcome: ChannelOutcome::LeftOut,
            note: Notice::LargeObjectsEmptied,
        }
    }

    /// Large objects that were not looked into.
    pub(crate) fn large_objects_unscanned(count: u64) -> Self {
        Self {
            channel: ChannelKind::LargeObjects,
            name: "large objects".to_owned(),
            kind: None,
            count,
            outcome: ChannelOutcome::Unscanned,
            note: Notice::LargeObjectsUnread { count },
        }
    }

    /// A bytea column with values that do not read as text.
    pub(crate) fn bytea_unscanned(column: &str, count: u64, entry: &RuleEntry) -> Self {
        Self {
            channel: ChannelKind::Bytea,
            name: column.to_owned(),
            kind: None,
            count,
            outcome: ChannelOutcome::Unscanned,
            note: Notice::BytesUnread {
                column: column.to_owned(),
                count,
                rule: entry.clone(),
            },
        }
    }

    /// Something personal in the schema's own text. `object`: its kind and name.
    pub(crate) fn schema_text(object: &str, kind: &str, count: u64) -> Self {
        Self {
            channel: ChannelKind::SchemaText,
            name: object.to_owned(),
            kind: Some(kind.to_owned()),
            count,
            outcome: ChannelOutcome::Kept,
            note: Notice::TextKept {
                object: object.to_owned(),
                count,
                personal: kind.to_owned(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use personal_data::Suggestion;

    fn entry() -> RuleEntry {
        RuleEntry {
            table: "t".into(),
            column: "data".into(),
            mask: Suggestion::plain("null"),
        }
    }

    #[test]
    fn many_of_a_kind_are_one_warning_with_their_count() {
        let mut channels = vec![Channel::emptied("public.posts.words")];
        for at in 0..902 {
            channels.push(Channel::bytea_unscanned(
                &format!("public.t{at}.data"),
                1,
                &entry(),
            ));
        }
        let found = warnings(&channels);
        let names = vec![
            "public.t0.data".into(),
            "public.t1.data".into(),
            "public.t2.data".into(),
        ];
        let together = Notice::ManyBytesUnread {
            count: 902,
            values: 902,
            names,
            more: 899,
        };
        assert_eq!(found, [Text::from(&channels[0].note), Text::from(together)]);
    }

    #[test]
    fn a_few_of_a_kind_are_reported_one_by_one() {
        let channels: Vec<Channel> = (0..3)
            .map(|at| Channel::bytea_unscanned(&format!("public.t{at}.data"), 1, &entry()))
            .collect();
        let notes: Vec<Text> = channels.iter().map(|channel| (&channel.note).into()).collect();
        assert_eq!(warnings(&channels), notes);
    }
}
