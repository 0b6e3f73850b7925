//! Warnings of one kind: a few as they are, many as one line with their number and where to read each.

/// More of one kind than these are one warning.
pub(crate) const NAMED: usize = 3;

/// Warnings of one kind, each with the name of what it is about.
#[derive(Debug, Default)]
pub(crate) struct Alike(Vec<(String, String)>);

impl Alike {
    /// Adds a warning: what it is about, and the sentence that it is by itself.
    pub(crate) fn add(&mut self, name: impl Into<String>, sentence: impl Into<String>) {
        self.0.push((name.into(), sentence.into()));
    }

    /// The sentences, or one for all: `what` they have in common, given their number, and where to `read` each.
    pub(crate) fn into_warnings(self, what: impl FnOnce(usize) -> String, read: &str) -> Vec<String> {
        if self.0.len() <= NAMED {
            return self.0.into_iter().map(|(_, sentence)| sentence).collect();
        }
        let names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        vec![format!("{}: {}. {read}", what(names.len()), first_of(&names))]
    }
}

/// `1 row`, `2 rows`.
pub(crate) fn counted(count: u64, one: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {one}s"),
    }
}

/// The word for one of something, or for any other number of it.
pub(crate) fn either(count: u64, one: &'static str, more: &'static str) -> &'static str {
    if count == 1 {
        one
    } else {
        more
    }
}

/// `a, b, c and 7 more`.
pub(crate) fn first_of(names: &[&str]) -> String {
    let (first, more) = names.split_at(names.len().min(NAMED));
    match more.len() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(count: usize) -> Vec<String> {
        let mut alike = Alike::default();
        for number in 0..count {
            alike.add(format!("k{number}"), format!("The key k{number} is late."));
        }
        alike.into_warnings(|count| format!("{count} keys are late"), "The plan lists each.")
    }

    #[test]
    fn a_few_are_said_one_by_one() {
        assert_eq!(of(0), Vec::<String>::new());
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
    fn one_is_singular() {
        let of = |count| format!("{} {} late", counted(count, "row"), either(count, "is", "are"));
        assert_eq!(
            [of(0), of(1), of(12)],
            ["0 rows are late", "1 row is late", "12 rows are late"]
        );
    }

    #[test]
    fn many_are_one_line_with_their_number_and_where_to_read_them() {
        assert_eq!(
            of(12),
            ["12 keys are late: k0, k1, k2 and 9 more. The plan lists each."]
        );
    }
}
