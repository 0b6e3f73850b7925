//! What can hold personal data beside the columns that rules name, and what becomes of it.

use serde::Serialize;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Channel {
    /// Which.
    pub channel: ChannelKind,
    /// Where: `schema.table.column`, or an object's kind and name.
    pub name: String,
    /// The kind of personal data, where it is known.
    pub kind: Option<String>,
    /// How many: values or large objects; 0 where nobody has counted.
    pub count: u64,
    /// What became of it.
    pub outcome: Outcome,
    /// The same as a sentence.
    pub note: String,
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

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Made anew from the masked columns.
    Rebuilt,
    /// Emptied.
    Emptied,
    /// Left out of the target.
    LeftOut,
    /// In the target, and nobody has looked into it.
    Unscanned,
    /// In the target as it is.
    Kept,
}

impl Channel {
    /// A tsvector column that its trigger makes anew.
    pub fn rebuilt(column: &str, trigger: &str) -> Self {
        Self {
            channel: ChannelKind::SearchVector,
            name: column.to_owned(),
            kind: None,
            count: 0,
            outcome: Outcome::Rebuilt,
            note: format!("{column} holds words of masked columns: its trigger {trigger} makes it anew from the masked ones."),
        }
    }

    /// A tsvector column that nothing makes anew.
    pub fn emptied(column: &str) -> Self {
        Self {
            channel: ChannelKind::SearchVector,
            name: column.to_owned(),
            kind: None,
            count: 0,
            outcome: Outcome::Emptied,
            note: format!(
                "{column} holds words of masked columns and is emptied: no trigger that only computes makes it anew as \
                 rows are inserted. Fill it after the run, from a seeds file for instance."
            ),
        }
    }

    /// Large objects whose contents were left out.
    pub fn large_objects_left_out() -> Self {
        Self {
            channel: ChannelKind::LargeObjects,
            name: "large objects".to_owned(),
            kind: None,
            count: 0,
            outcome: Outcome::LeftOut,
            note: "The contents of large objects are left out (config.exclude_large_objects): they are there, empty.".to_owned(),
        }
    }

    /// Large objects that nobody has looked into.
    pub fn large_objects_unscanned(count: u64) -> Self {
        Self {
            channel: ChannelKind::LargeObjects,
            name: "large objects".to_owned(),
            kind: None,
            count,
            outcome: Outcome::Unscanned,
            note: format!(
                "{count} {} as production has them, and nobody looks into them. \
                 config.exclude_large_objects = true leaves their contents out of a run.",
                if count == 1 {
                    "large object stays"
                } else {
                    "large objects stay"
                }
            ),
        }
    }

    /// A bytea column with values that do not read as text.
    pub fn bytea_unscanned(column: &str, count: u64, entry: &str) -> Self {
        Self {
            channel: ChannelKind::Bytea,
            name: column.to_owned(),
            kind: None,
            count,
            outcome: Outcome::Unscanned,
            note: format!(
                "{column} holds {count} values that are no text, and nobody looks into them. To empty it: {entry}"
            ),
        }
    }

    /// Something personal in the schema's own text. `object`: its kind and name.
    pub fn schema_text(object: &str, kind: &str, count: u64) -> Self {
        Self {
            channel: ChannelKind::SchemaText,
            name: object.to_owned(),
            kind: Some(kind.to_owned()),
            count,
            outcome: Outcome::Kept,
            note: format!(
                "The definition of {object} has {count} of the kind {kind} in its text, which no rule reaches: change it \
                 in production."
            ),
        }
    }
}
