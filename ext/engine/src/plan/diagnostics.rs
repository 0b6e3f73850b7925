//! What the plan's passes have to say beside their results: what is wrong, all of it told together, and warnings.

use crate::error::{Error, Kind};
use crate::text::Text;
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
pub(super) struct Problems(Vec<Text>);

/// More than this many problems are counted, not told.
const PROBLEMS_TOLD: usize = 40;

impl Problems {
    pub(super) fn add(&mut self, problem: impl Into<Text>) {
        self.0.push(problem.into());
    }

    /// Fails with what has been found so far, each once.
    pub(super) fn check(&self) -> Result<(), Error> {
        let mut seen = HashSet::new();
        let mut lines: Vec<&Text> = self.0.iter().filter(|problem| seen.insert(&***problem)).collect();
        let count = lines.len();
        lines.truncate(PROBLEMS_TOLD);
        let further =
            (count > PROBLEMS_TOLD).then(|| Text::from(format!("… and {} more.", count - PROBLEMS_TOLD)));
        lines.extend(further.as_ref());
        let head = match count {
            0 => return Ok(()),
            1 => "The configuration does not fit the backup:\n- ".to_owned(),
            _ => format!("The configuration does not fit the backup in {count} places:\n- "),
        };
        let what = Text::from(head).and(Text::joined(lines, "\n- ")).and("\n");
        Err(Error::new(Kind::Plan, what, "Correct this and run again."))
    }
}
