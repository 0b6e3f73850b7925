//! What a run's events leave for the report: warnings, and how long phases and tables took.

use super::{PhaseTime, Report, TableReport};
use crate::event::{Event, Phase, Sink};
use crate::text::Text;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Listens to a run's events and remembers what the report needs of them: warnings, and how long phases took.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    started: Instant,
    events: Sink,
    noted: Arc<Mutex<NotedEvents>>,
}

#[derive(Debug, Default)]
struct NotedEvents {
    warnings: Vec<Text>,
    phases: Vec<(Phase, Instant)>,
    tables: HashMap<String, Instant>,
}

impl Recorder {
    /// Starts the clock. Every event sent to [`Recorder::sink`] goes on to `events`.
    pub fn start(events: &Sink) -> Self {
        let noted = Arc::new(Mutex::new(NotedEvents::default()));
        let (onward, notes) = (events.clone(), Arc::clone(&noted));
        let sink = Sink::new(move |event| {
            {
                let mut notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
                match &event {
                    Event::Warning { message } => notes.warnings.push(message.clone()),
                    Event::Phase { phase } => notes.phases.push((*phase, Instant::now())),
                    Event::TableStarted { table } => {
                        notes.tables.entry(table.clone()).or_insert_with(Instant::now);
                    }
                    _ => {}
                }
            }
            onward.send(event);
        })
        .with_answers_of(events);
        Self {
            started: Instant::now(),
            events: sink,
            noted,
        }
    }

    /// Where the run's parts send their events.
    pub fn sink(&self) -> Sink {
        self.events.clone()
    }

    /// Says of each table when its rows began to arrive.
    pub(crate) fn placed(&self, mut tables: Vec<TableReport>) -> Vec<TableReport> {
        let noted = self.noted();
        for table in &mut tables {
            if let Some(begun) = noted.tables.get(&table.table) {
                table.started = begun.saturating_duration_since(self.started).as_secs_f64();
            }
        }
        tables
    }

    /// Seconds since the run began.
    pub(crate) fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// A report with the clock's figures and the warnings so far; the rest is for the caller to fill in.
    pub fn finish(&self) -> Report {
        let now = Instant::now();
        let noted = self.noted();
        let ends = noted.phases.iter().skip(1).map(|(_, begun)| *begun).chain([now]);
        let phases = noted
            .phases
            .iter()
            .zip(ends)
            .map(|((name, begun), end)| PhaseTime {
                name: *name,
                seconds: (end - *begun).as_secs_f64(),
            });
        Report {
            warnings: noted.warnings.clone(),
            phases: phases.collect(),
            seconds: (now - self.started).as_secs_f64(),
            ..Report::default()
        }
    }

    fn noted(&self) -> MutexGuard<'_, NotedEvents> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_holds_the_warnings_and_the_phases_in_their_order() {
        let recorder = Recorder::start(&Sink::silent());
        let sink = recorder.sink();
        sink.send(Event::Phase { phase: Phase::Plan });
        sink.warn("The extension pg_stat_statements is left out.");
        sink.send(Event::Phase { phase: Phase::Rows });
        let report = recorder.finish();
        assert_eq!(report.warnings, ["The extension pg_stat_statements is left out."]);
        assert_eq!(
            report.phases.iter().map(|phase| phase.name).collect::<Vec<_>>(),
            [Phase::Plan, Phase::Rows]
        );
    }

    #[test]
    fn events_go_on_to_the_caller() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&seen);
        let recorder = Recorder::start(&Sink::new(move |event| {
            if let Ok(mut notes) = notes.lock() {
                notes.push(event);
            }
        }));
        recorder.sink().warn("once");
        assert_eq!(seen.lock().map(|seen| seen.len()).ok(), Some(1));
    }
}
