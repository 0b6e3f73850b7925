//! Warnings of one kind: a few as they are, many as one line with their number.

use crate::failure::Names;
use crate::text::Text;

/// More of one kind than these are one warning.
pub(crate) const NAMED: usize = 3;

/// Warnings of one kind, each with the name of what it is about.
#[derive(Debug, Default)]
pub(crate) struct Alike(Vec<(String, Text)>);

/// What many warnings of one kind are about: how many there are, the names of the first, and how many others.
#[derive(Debug)]
pub(crate) struct Many {
    pub(crate) count: usize,
    pub(crate) names: Vec<String>,
    pub(crate) more: usize,
}

impl Alike {
    /// Adds a warning: what it is about, and the sentence that it is by itself.
    pub(crate) fn add(&mut self, name: impl Into<String>, sentence: impl Into<Text>) {
        self.0.push((name.into(), sentence.into()));
    }

    /// The sentences, or one for all.
    pub(crate) fn into_warnings<T: Into<Text>>(self, together: impl FnOnce(Many) -> T) -> Vec<Text> {
        let count = self.0.len();
        if count <= NAMED {
            return self.0.into_iter().map(|(_, sentence)| sentence).collect();
        }
        let names = self.0.into_iter().map(|(name, _)| name).take(NAMED).collect();
        let more = count - NAMED;
        vec![together(Many { count, names, more }).into()]
    }
}

/// The first of them, and how many more there are.
pub(crate) fn few_of(names: impl IntoIterator<Item = impl ToString>) -> Names {
    let mut names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    match names.len().saturating_sub(NAMED) {
        0 => Names::All { names },
        more => {
            names.truncate(NAMED);
            Names::First { names, more }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(count: usize) -> Vec<Text> {
        let mut alike = Alike::default();
        for number in 0..count {
            alike.add(format!("k{number}"), format!("The key k{number} is late."));
        }
        alike.into_warnings(|many| {
            format!(
                "{} keys are late: {}, {} more",
                many.count,
                many.names.join(", "),
                many.more
            )
        })
    }

    #[test]
    fn a_few_are_said_one_by_one() {
        assert_eq!(of(0), Vec::<Text>::new());
        assert_eq!(
            of(3),
            [
                "The key k0 is late.",
                "The key k1 is late.",
                "The key k2 is late."
            ]
        );
    }

    #[test]
    fn no_more_than_a_few_are_named() {
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let three = ["a", "b", "c"];
        assert_eq!(few_of(three), Names::All { names: owned(&three) });
        let names = owned(&three);
        assert_eq!(few_of(["a", "b", "c", "d"]), Names::First { names, more: 1 });
    }

    #[test]
    fn many_are_one_line_with_their_number() {
        assert_eq!(of(12), ["12 keys are late: k0, k1, k2, 9 more"]);
    }
}
