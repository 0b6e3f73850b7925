//! What the plan's passes have to say beside their results: what is wrong, all of it told together, and warnings.

use crate::error::{Error, Kind};
use std::collections::HashSet;

/// What a pass says beside its result.
#[derive(Debug, Default)]
pub(super) struct Diagnostics {
    /// What is wrong, in sentences with a remedy.
    pub(super) problems: Problems,
    /// What the person in charge should know.
    pub(super) warnings: Vec<String>,
}

impl Diagnostics {
    /// Adds what a pass says.
    pub(super) fn add(&mut self, further: Diagnostics) {
        self.problems.0.extend(further.problems.0);
        self.warnings.extend(further.warnings);
    }

    /// The result of a pass; what it says is added.
    pub(super) fn take<T>(&mut self, (value, further): (T, Diagnostics)) -> T {
        self.add(further);
        value
    }
}

/// Everything that is wrong, told together.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<String>);

/// More than this many problems are counted, not told.
const PROBLEMS_TOLD: usize = 40;

impl Problems {
    pub(super) fn add(&mut self, problem: impl Into<String>) {
        self.0.push(problem.into());
    }

    /// Fails with what has been found so far, each once.
    pub(super) fn check(&self) -> Result<(), Error> {
        let mut seen = HashSet::new();
        let all: Vec<&str> = self.0.iter().map(String::as_str).collect();
        let mut lines: Vec<&str> = all.into_iter().filter(|problem| seen.insert(*problem)).collect();
        let count = lines.len();
        lines.truncate(PROBLEMS_TOLD);
        let further = (count > PROBLEMS_TOLD).then(|| format!("… and {} more.", count - PROBLEMS_TOLD));
        lines.extend(further.as_deref());
        let what = match (count, lines.as_slice()) {
            (0, _) => return Ok(()),
            (1, [only, ..]) => format!("The configuration does not fit the backup:\n- {only}\n"),
            _ => format!(
                "The configuration does not fit the backup in {count} places:\n- {}\n",
                lines.join("\n- ")
            ),
        };
        Err(Error::new(Kind::Plan, what, "Correct this and run again."))
    }
}
