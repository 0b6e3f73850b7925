//! What kind of relation the target has under a kept table's name.

/// What the target has under a kept table's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindThere {
    /// `pg_class.relkind`.
    pub kind: String,
    /// It is a partition.
    pub is_partition: bool,
    /// What it is a partition of or inherits from.
    pub parent: Option<String>,
    /// It has partitions, or tables inherit from it.
    pub has_children: bool,
}

impl KindThere {
    /// Why it is not the ordinary table that the backup has: its rows would lie elsewhere.
    pub fn difference(&self) -> Option<String> {
        let other = match self.kind.as_str() {
            "r" => None,
            "p" => Some("a partitioned table"),
            "v" => Some("a view"),
            "m" => Some("a materialized view"),
            "f" => Some("a foreign table"),
            "S" => Some("a sequence"),
            "c" => Some("a composite type"),
            "i" | "I" => Some("an index"),
            _ => Some("no table"),
        };
        let parent = self.parent.as_deref().unwrap_or("another table");
        match other {
            Some(other) => Some(format!("it is {other} there and a table in the backup")),
            None if self.is_partition => Some(format!(
                "it is a partition of {parent} there and a table of its own in the backup"
            )),
            None if self.parent.is_some() => Some(format!(
                "it inherits from {parent} there and from no table in the backup"
            )),
            None if self.has_children => {
                Some("other tables inherit from it there and none does in the backup".to_owned())
            }
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_table_by_itself_is_of_the_kind_that_stays() {
        let kind = |kind: &str, is_partition, parent: Option<&str>, has_children| KindThere {
            kind: kind.to_owned(),
            is_partition,
            parent: parent.map(str::to_owned),
            has_children,
        };
        assert_eq!(kind("r", false, None, false).difference(), None);
        for (there, expected) in [
            (
                kind("p", false, None, true),
                "it is a partitioned table there and a table in the backup",
            ),
            (
                kind("v", false, None, false),
                "it is a view there and a table in the backup",
            ),
            (
                kind("m", false, None, false),
                "it is a materialized view there and a table in the backup",
            ),
            (
                kind("f", false, Some("log"), false),
                "it is a foreign table there and a table in the backup",
            ),
            (
                kind("r", true, Some("log"), false),
                "it is a partition of log there and a table of its own in the backup",
            ),
            (
                kind("r", false, Some("log"), false),
                "it inherits from log there and from no table in the backup",
            ),
            (
                kind("r", false, None, true),
                "other tables inherit from it there and none does in the backup",
            ),
        ] {
            assert_eq!(there.difference().as_deref(), Some(expected));
        }
    }
}
