//! Precision and recall of the detector on one half of the corpus.

use crate::support::{Column, Table};
use staging_sync_engine::pii::{
    by_name, verdict, ColumnDetector, ColumnName, Kind, Scanner, TableContext, PERSONAL,
};

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
    fn count(&mut self, label: &str, personal: Option<bool>, answer: Option<Kind>) {
        match (personal, answer) {
            (Some(true), Some(kind)) => {
                self.found += 1;
                let expected = Kind::ALL.iter().find(|kind| kind.as_str() == label);
                self.right_heading +=
                    u32::from(expected.is_some_and(|expected| expected.heading() == kind.heading()));
            }
            (Some(true), None) => self.missed += 1,
            (Some(false), Some(_)) => self.invented += 1,
            _ => {}
        }
    }
}

/// The three ways to tell.
#[derive(Debug, Default)]
pub struct Scores {
    pub by_name: Score,
    pub by_content: Score,
    pub together: Score,
}

/// One wrong answer, for whoever works on the tuning half.
pub struct Mistake {
    pub column: String,
    pub label: String,
    pub answer: Option<Kind>,
    pub by_name: Option<(Kind, f32)>,
    pub by_content: Option<(Kind, f32)>,
}

/// Measures one half, already read.
pub fn measure(tables: &[Table]) -> (Scores, Vec<Mistake>) {
    let mut scores = Scores::default();
    let mut mistakes = Vec::new();
    for table in tables {
        let context = TableContext::new(
            &table.name,
            table.columns.iter().map(|column| column.name.as_str()),
        );
        for column in &table.columns {
            measure_column(table, column, &context, &mut scores, &mut mistakes);
        }
    }
    (scores, mistakes)
}

fn measure_column(
    table: &Table,
    column: &Column,
    context: &TableContext,
    scores: &mut Scores,
    mistakes: &mut Vec<Mistake>,
) {
    let name = ColumnName {
        table: &table.name,
        column: &column.name,
        sql_type: &column.sql_type,
    };
    // What values tell alone, without even the column's name.
    let mut nameless = ColumnDetector::new("x", &column.sql_type);
    let mut scanner = Scanner::new();
    let mut detector = ColumnDetector::new(&column.name, &column.sql_type);
    for value in (0..ROWS).filter_map(|row| table.value(column, row)) {
        nameless.observe(&value, &mut scanner);
        detector.observe(&value, &mut scanner);
    }
    let by_name = by_name(&name, context).map(|finding| (finding.kind, finding.confidence));
    let by_content = nameless
        .findings()
        .first()
        .map(|finding| (finding.kind, finding.confidence));
    let sure = |found: Option<(Kind, f32)>| {
        found
            .filter(|(_, confidence)| *confidence >= PERSONAL)
            .map(|(kind, _)| kind)
    };
    let answer = verdict(&name, context, Some(&detector)).map(|verdict| verdict.kind);
    let personal = column.personal();
    scores.by_name.count(&column.label, personal, sure(by_name));
    scores.by_content.count(&column.label, personal, sure(by_content));
    scores.together.count(&column.label, personal, answer);
    if personal.is_some_and(|personal| personal != answer.is_some()) {
        let column_name = format!("{}: {}.{}", table.app, table.name, column.name);
        mistakes.push(Mistake {
            column: column_name,
            label: column.label.clone(),
            answer,
            by_name,
            by_content,
        });
    }
}
