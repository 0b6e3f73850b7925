//! What can hold personal data beside the columns that rules name, and what happens to it.

use crate::alike::{first_of, NAMED};
use crate::text::{text, Setting, Snippet, Text};
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
    /// The same as a sentence.
    pub note: Text,
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
    let mut kinds: Vec<(ChannelKind, ChannelOutcome, Vec<&Channel>)> = Vec::new();
    for channel in channels {
        let known = kinds
            .iter_mut()
            .find(|(kind, outcome, _)| (*kind, *outcome) == (channel.channel, channel.outcome));
        match known {
            Some((_, _, alike)) => alike.push(channel),
            None => kinds.push((channel.channel, channel.outcome, vec![channel])),
        }
    }
    let sentences = kinds.iter().flat_map(|(kind, outcome, alike)| {
        if alike.len() > NAMED {
            vec![together(*kind, *outcome, alike).into()]
        } else {
            alike.iter().map(|channel| channel.note.clone()).collect()
        }
    });
    sentences.collect()
}

/// Many of a kind in one sentence, and where each is to be read.
fn together(kind: ChannelKind, outcome: ChannelOutcome, alike: &[&Channel]) -> String {
    let count = alike.len();
    let what = match (kind, outcome) {
        (ChannelKind::Bytea, _) => {
            let values = alike.iter().map(|channel| channel.count).sum();
            format!(
                "{count} columns hold {}, which the leak check does not read",
                values_of_no_text(values)
            )
        }
        (ChannelKind::SearchVector, ChannelOutcome::Rebuilt) => {
            format!("{count} columns hold words of masked columns, and their triggers fill them again from the masked ones")
        }
        (ChannelKind::SearchVector, _) => {
            format!("{count} columns hold words of masked columns and are emptied")
        }
        (ChannelKind::SchemaText, _) => {
            format!(
                "The definitions of {count} objects hold personal data in their text, which no rule reaches"
            )
        }
        (ChannelKind::LargeObjects, _) => format!("{count} kinds of large objects"),
    };
    let names: Vec<&str> = alike.iter().map(|channel| channel.name.as_str()).collect();
    format!(
        "{what}: {}. The audit lists each under \"channels\", with what to do, and so does report.channels.",
        first_of(&names)
    )
}

fn values_of_no_text(count: u64) -> String {
    match count {
        1 => "1 value that is not text".to_owned(),
        count => format!("{count} values that are not text"),
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
            note: format!("{column} holds words of masked columns: its trigger {trigger} fills it again from the masked ones.").into(),
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
            note: format!(
                "{column} holds words of masked columns and is emptied: no trigger that only computes fills it again as \
                 rows are inserted. Fill it after the run, from a seeds file for instance."
            )
            .into(),
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
            note: text!(
                "The contents of large objects are left out (",
                Setting::ExcludeLargeObjects,
                "): they exist, but are empty."
            ),
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
            note: text!(
                match count {
                    1 => "1 large object stays as production has it".to_owned(),
                    count => format!("{count} large objects stay as production has them"),
                },
                ", unread by the leak check. ",
                Setting::ExcludeLargeObjects.to(true),
                " leaves their contents out of a run.",
            ),
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
            note: Text::from(format!(
                "{column} holds {}, which the leak check does not read. To empty it: ",
                values_of_no_text(count)
            ))
            .suggesting(Snippet::Entry(entry.clone())),
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
            note: format!(
                "The definition of {object} has {count} of the kind {kind} in its text, which no rule reaches: change it \
                 in production."
            )
            .into(),
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
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with("public.posts.words holds"), "{}", found[0]);
        assert!(
            found[1].starts_with("902 columns hold 902 values that are not text, which the leak check does not read: public.t0.data, public.t1.data, public.t2.data and 899 more. The audit"),
            "{}",
            found[1]
        );
    }

    #[test]
    fn a_few_of_a_kind_are_reported_one_by_one() {
        let channels: Vec<Channel> = (0..3)
            .map(|at| Channel::bytea_unscanned(&format!("public.t{at}.data"), 1, &entry()))
            .collect();
        let found = warnings(&channels);
        assert_eq!(found.len(), 3);
        assert!(
            found[0].starts_with("public.t0.data holds 1 value that is not text"),
            "{}",
            found[0]
        );
    }
}
