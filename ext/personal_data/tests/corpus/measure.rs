//! Precision and recall of the detector on one half of a corpus.

use crate::public;
use crate::support;
use personal_data::{
    by_name, features, verdict, ColumnDetector, ColumnName, PiiKind, Scanner, TableContext, PERSONAL,
};
use std::collections::BTreeMap;

/// Rows that are made of each table.
pub const ROWS: u64 = 200;

/// Right and wrong answers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Score {
    pub found: u32,
    pub missed: u32,
    pub invented: u32,
    /// Found, and under the right heading.
    pub right_heading: u32,
}

impl Score {
    pub fn recall(&self) -> f64 {
        f64::from(self.found) / f64::from((self.found + self.missed).max(1))
    }
    pub fn precision(&self) -> f64 {
        f64::from(self.found) / f64::from((self.found + self.invented).max(1))
    }
    pub fn headings(&self) -> f64 {
        f64::from(self.right_heading) / f64::from(self.found.max(1))
    }
    fn count(&mut self, label: &str, personal: Option<bool>, answer: Option<PiiKind>) {
        match (personal, answer) {
            (Some(true), Some(kind)) => {
                self.found += 1;
                let expected = PiiKind::ALL.iter().find(|kind| kind.as_str() == label);
                self.right_heading +=
                    u32::from(expected.is_some_and(|expected| expected.heading() == kind.heading()));
            }
            (Some(true), None) => self.missed += 1,
            (Some(false), Some(_)) => self.invented += 1,
            _ => {}
        }
    }
}

/// The three ways to recognise personal data.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scores {
    pub by_name: Score,
    pub by_content: Score,
    pub together: Score,
}

impl Scores {
    fn count(&mut self, label: &str, personal: Option<bool>, answers: &Answers) {
        self.by_name.count(label, personal, answers.sure(answers.by_name));
        self.by_content
            .count(label, personal, answers.sure(answers.by_content));
        self.together.count(label, personal, answers.together());
    }
}

/// One wrong answer, for those who work on the tuning half.
pub struct Mistake {
    pub column: String,
    pub label: String,
    pub answer: Option<PiiKind>,
    pub by_name: Option<(PiiKind, f32)>,
    pub by_content: Option<(PiiKind, f32)>,
}

/// What the detector says of a column.
struct Answers {
    by_name: Option<(PiiKind, f32)>,
    by_content: Option<(PiiKind, f32)>,
    verdict: Option<(PiiKind, f32)>,
}

impl Answers {
    fn of(
        name: &ColumnName<'_>,
        context: &TableContext,
        values: impl IntoIterator<Item = Vec<u8>>,
    ) -> Answers {
        // What values show alone, without the column's name.
        let mut nameless = ColumnDetector::new("x", name.sql_type);
        let mut scanner = Scanner::new();
        let mut detector = ColumnDetector::new(name.column, name.sql_type);
        for value in values {
            nameless.observe(&value, &mut scanner);
            detector.observe(&value, &mut scanner);
        }
        Answers {
            by_name: by_name(name, context).map(|finding| (finding.kind, finding.confidence)),
            by_content: nameless
                .findings()
                .first()
                .map(|finding| (finding.kind, finding.confidence)),
            verdict: verdict(name, context, Some(&detector))
                .map(|verdict| (verdict.kind, verdict.confidence)),
        }
    }

    fn together(&self) -> Option<PiiKind> {
        self.verdict.map(|(kind, _)| kind)
    }

    fn sure(&self, found: Option<(PiiKind, f32)>) -> Option<PiiKind> {
        found
            .filter(|(_, confidence)| *confidence >= PERSONAL)
            .map(|(kind, _)| kind)
    }

    fn mistake(self, column: String, label: &str, personal: Option<bool>) -> Option<Mistake> {
        personal
            .is_some_and(|personal| personal != self.verdict.is_some())
            .then(|| Mistake {
                column,
                label: label.to_string(),
                answer: self.together(),
                by_name: self.by_name,
                by_content: self.by_content,
            })
    }
}

/// Measures one half of the corpus that was written for this project, already read.
pub fn measure(tables: &[support::Table]) -> (Scores, Vec<Mistake>) {
    let mut scores = Scores::default();
    let mut mistakes = Vec::new();
    for table in tables {
        let context = TableContext::new(
            &table.name,
            table.columns.iter().map(|column| column.name.as_str()),
        );
        for column in &table.columns {
            let name = ColumnName {
                table: &table.name,
                column: &column.name,
                sql_type: &column.sql_type,
            };
            let values = (0..ROWS).filter_map(|row| table.value(column, row));
            let answers = Answers::of(&name, &context, values);
            scores.count(&column.label, column.personal(), &answers);
            let place = format!("{}: {}.{}", table.app, table.name, column.name);
            mistakes.extend(answers.mistake(place, &column.label, column.personal()));
        }
    }
    (scores, mistakes)
}

/// The figures of one half of the public schemas.
#[derive(Default)]
pub struct PublicScores {
    pub all: Scores,
    /// Of personal columns only: a column that is not has no kind.
    pub by_kind: BTreeMap<String, Scores>,
    pub by_language: BTreeMap<String, Scores>,
}

/// Measures one half of the public schemas, already read.
pub fn measure_public(schemas: &[public::Schema], values: &public::Values) -> (PublicScores, Vec<Mistake>) {
    let mut scores = PublicScores::default();
    let mut mistakes = Vec::new();
    for schema in schemas {
        for table in &schema.tables {
            let context = TableContext::new(
                &table.name,
                table.columns.iter().map(|column| column.name.as_str()),
            );
            for column in &table.columns {
                let name = ColumnName {
                    table: &table.name,
                    column: &column.name,
                    sql_type: &column.sql_type,
                };
                let answers = Answers::of(&name, &context, values.fill(schema, table, column, ROWS));
                let personal = column.personal();
                let label = match column.label() {
                    public::Label::Personal(kind) => kind,
                    _ => "-".to_string(),
                };
                scores.all.count(&label, personal, &answers);
                let language = schema.language().to_string();
                scores
                    .by_language
                    .entry(language)
                    .or_default()
                    .count(&label, personal, &answers);
                if personal == Some(true) {
                    scores
                        .by_kind
                        .entry(label.clone())
                        .or_default()
                        .count(&label, personal, &answers);
                }
                let place = format!("{}: {}.{}", schema.name, table.name, column.name);
                mistakes.extend(answers.mistake(place, &label, personal));
            }
        }
    }
    (scores, mistakes)
}

/// What the model looks at in each column, a line each: schema, table, column, label (`-` not personal, `?` arguable),
/// then features of its name, an empty field, and those of its values, with tabs between; a feature's value follows it
/// after a space. Beside the line the model's sum by name.
pub fn features_public(schemas: &[public::Schema], values: &public::Values) -> Vec<(String, i32)> {
    let mut lines = Vec::new();
    let mut scanner = Scanner::new();
    for schema in schemas {
        for table in &schema.tables {
            let columns = table.columns.iter().map(|column| column.name.as_str());
            let context = TableContext::new(&table.name, columns);
            for column in &table.columns {
                let name = ColumnName {
                    table: &table.name,
                    column: &column.name,
                    sql_type: &column.sql_type,
                };
                let mut detector = ColumnDetector::new(name.column, name.sql_type);
                for value in values.fill(schema, table, column, ROWS) {
                    detector.observe(&value, &mut scanner);
                }
                let label = match column.label() {
                    public::Label::Personal(kind) => kind,
                    public::Label::Not => "-".to_string(),
                    public::Label::Arguable => "?".to_string(),
                };
                let looked = features(&name, &context, &detector);
                let [named, seen] = [&looked.name, &looked.values].map(|features| {
                    let features = features.iter().map(|(name, value)| format!("{name} {value}"));
                    features.collect::<Vec<_>>().join("\t")
                });
                let place = [&schema.name, &table.name, &column.name]
                    .map(String::as_str)
                    .join("\t");
                lines.push((format!("{place}\t{label}\t{named}\t\t{seen}"), looked.sum));
            }
        }
    }
    lines
}

/// The ways in which a value stands in a column.
pub const FORMS: [char; 3] = ['a', 'j', 's'];

/// Whether a source's values are found by themselves: alone, in JSON, in sentences. A letter for each that is.
pub fn forms_found(values: &public::Values, locale: &str, source: &str) -> String {
    let pool = values.of(locale, source);
    let around = values.of(locale, "around");
    FORMS
        .iter()
        .map(|form| {
            let sql_type = if *form == 'j' { "jsonb" } else { "text" };
            let mut detector = ColumnDetector::new("x", sql_type);
            let mut scanner = Scanner::new();
            for (row, value) in pool.iter().enumerate() {
                let written = match form {
                    'a' => value.clone(),
                    'j' => serde_json::json!({"id": row, "v": value, "open": true}).to_string(),
                    _ => around[row % around.len()].replace("{}", value),
                };
                detector.observe(written.as_bytes(), &mut scanner);
            }
            let found = detector
                .findings()
                .first()
                .is_some_and(|finding| finding.confidence >= PERSONAL);
            if found {
                *form
            } else {
                '-'
            }
        })
        .collect()
}
