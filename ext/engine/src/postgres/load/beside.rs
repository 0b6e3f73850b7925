//! What runs beside steps where a session is free: the verification's questions and ANALYZE.

use super::steps::together;
use super::{Done, Restore};
use crate::error::Result;
use crate::plan::TableName;
use crate::postgres::inspect::count;
use crate::postgres::schedule::analyze;
use crate::postgres::schedule::questions::Answer;
use crate::postgres::session::connect::Session;

impl Restore<'_> {
    /// Looks at large tables whose rows are in, where nothing more urgent wants a session. Small ones are looked at when
    /// they are analyzed: what takes time of them is that a session gets to know the table.
    pub(super) fn start_checks(&mut self, most: usize) {
        while self.steps_running < most {
            let Some(session) = self.free.pop() else { break };
            let graph = &self.graph;
            let may_look = |table: &TableName| !graph.is_small(table) && graph.may_read(table);
            let Some((table, conditions)) = self.checks.next(may_look) else {
                self.free.push(session);
                break;
            };
            self.graph.share(table);
            self.steps_running += 1;
            let question = (table.clone(), conditions);
            self.tasks.spawn(async move {
                let answers = answers(&session, vec![question]).await?;
                Ok(Done::Check { session, answers })
            });
        }
    }

    /// Keeps answers for the verification.
    pub(super) fn note(&mut self, answers: Vec<(TableName, Option<Answer>)>) {
        for (table, answer) in answers {
            if let Some(answer) = answer {
                self.report.answers.insert(table, answer);
            }
        }
    }

    /// Makes statistics for tables whose steps are done, where nothing else wants a session.
    pub(super) fn start_analyzes(&mut self, most: usize) {
        while self.steps_running < most {
            let Some(session) = self.free.pop() else { break };
            let at_once = together(self.checks.unanalyzed(), self.target.parallel());
            let graph = &self.graph;
            let Some(first) = self.checks.next_to_analyze(|table| graph.is_settled(table)) else {
                self.free.push(session);
                break;
            };
            let is_small = graph.is_small(first);
            let mut tables = vec![first];
            while is_small && tables.len() < at_once {
                let next = self
                    .checks
                    .next_to_analyze(|table| graph.is_small(table) && graph.is_settled(table));
                let Some(next) = next else { break };
                tables.push(next);
            }
            for table in &tables {
                self.graph.occupy(table);
            }
            self.steps_running += 1;
            let tables: Vec<TableName> = tables.into_iter().cloned().collect();
            let questions = tables
                .iter()
                .filter_map(|table| Some((table.clone(), self.checks.question(table)?)))
                .collect();
            self.tasks.spawn(async move {
                let answers = answers(&session, questions).await?;
                let done = analyze::analyze_beside_others(&session, &tables).await?;
                Ok(Done::Analyze {
                    session,
                    tables: tables.into_iter().zip(done).collect(),
                    answers,
                })
            });
        }
    }
}

/// Asks about tables. None: that one must be asked when nothing else runs.
async fn answers(
    session: &Session,
    questions: Vec<(TableName, Vec<String>)>,
) -> Result<Vec<(TableName, Option<Answer>)>> {
    if questions.is_empty() {
        return Ok(Vec::new());
    }
    let numbers = count::ask_beside_others(session, &questions).await?;
    let answers = questions.into_iter().zip(numbers);
    let answers = answers.map(|((table, conditions), numbers)| {
        let answer = numbers.map(|numbers| Answer { conditions, numbers });
        (table, answer)
    });
    Ok(answers.collect())
}
