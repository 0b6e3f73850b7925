//! What the plan's passes report beside their results: every problem, not only the first, and warnings.

use crate::error::{About, Error, Kind};
use crate::failure::{JobRemedy, PlanFailure};
use crate::text::Text;
use std::collections::HashSet;

/// What a pass says beside its result.
#[derive(Debug, Default)]
pub(super) struct Diagnostics {
    /// What is wrong, each with a remedy.
    pub(super) problems: Problems,
    /// What the person in charge should know.
    pub(super) warnings: Warnings,
}

impl Diagnostics {
    /// Adds what a pass says.
    pub(super) fn add(&mut self, further: Diagnostics) {
        self.problems.0.extend(further.problems.0);
        self.warnings.extend(further.warnings.0);
    }

    /// The result of a pass; what it says is added.
    pub(super) fn take<T>(&mut self, (value, further): (T, Diagnostics)) -> T {
        self.add(further);
        value
    }
}

/// What does not end the run, and should be known.
#[derive(Debug, Default)]
pub(super) struct Warnings(pub(super) Vec<Text>);

impl Warnings {
    pub(super) fn push(&mut self, warning: impl Into<Text>) {
        self.0.push(warning.into());
    }

    pub(super) fn extend(&mut self, warnings: impl IntoIterator<Item = impl Into<Text>>) {
        self.0.extend(warnings.into_iter().map(Into::into));
    }
}

impl<W: Into<Text>> FromIterator<W> for Warnings {
    fn from_iter<I: IntoIterator<Item = W>>(warnings: I) -> Self {
        Self(warnings.into_iter().map(Into::into).collect())
    }
}

/// Everything that is wrong, each with what it is about, for one error.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<(Text, About)>);

impl Problems {
    pub(super) fn add(&mut self, problem: impl Into<Text>) {
        self.add_about(problem, About::default());
    }

    pub(super) fn add_about(&mut self, problem: impl Into<Text>, about: About) {
        self.0.push((problem.into(), about));
    }

    /// Whether nothing was found.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what was found elsewhere.
    pub(super) fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Fails with what has been found so far, each once.
    pub(super) fn check(&self) -> Result<(), Error> {
        let mut seen = HashSet::new();
        let found = self.0.iter().filter(|(problem, _)| seen.insert(&**problem));
        let (lines, abouts): (Vec<Text>, Vec<&About>) =
            found.map(|(line, about)| (line.clone(), about)).unzip();
        if lines.is_empty() {
            return Ok(());
        }
        let head = PlanFailure::DoesNotFit { count: lines.len() };
        let error = Error::listing(Kind::Plan, head, lines, JobRemedy::CorrectThis);
        Err(match abouts[..] {
            [only] => {
                let faults = error.about.faults.clone();
                error.about(About {
                    faults,
                    ..only.clone()
                })
            }
            _ => error,
        })
    }
}
