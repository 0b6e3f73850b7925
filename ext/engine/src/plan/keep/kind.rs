//! What kind of relation the target has under a kept table's name.

use crate::failure::KeptDifference;

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
    pub fn difference(&self) -> Option<KeptDifference> {
        let other = match self.kind.as_str() {
            "r" => None,
            "p" => Some(KeptDifference::IsPartitioned),
            "v" => Some(KeptDifference::IsView),
            "m" => Some(KeptDifference::IsMaterializedView),
            "f" => Some(KeptDifference::IsForeign),
            "S" => Some(KeptDifference::IsSequence),
            "c" => Some(KeptDifference::IsComposite),
            "i" | "I" => Some(KeptDifference::IsIndex),
            _ => Some(KeptDifference::IsNone),
        };
        other.or_else(|| match self.parent.clone() {
            Some(parent) if self.is_partition => Some(KeptDifference::IsPartitionOf { parent }),
            None if self.is_partition => Some(KeptDifference::IsPartition),
            Some(parent) => Some(KeptDifference::InheritsFrom { parent }),
            None if self.has_children => Some(KeptDifference::HasHeirs),
            None => None,
        })
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
            (kind("p", false, None, true), KeptDifference::IsPartitioned),
            (kind("v", false, None, false), KeptDifference::IsView),
            (kind("m", false, None, false), KeptDifference::IsMaterializedView),
            (kind("f", false, Some("log"), false), KeptDifference::IsForeign),
            (
                kind("r", true, Some("log"), false),
                KeptDifference::IsPartitionOf { parent: "log".into() },
            ),
            (
                kind("r", false, Some("log"), false),
                KeptDifference::InheritsFrom { parent: "log".into() },
            ),
            (kind("r", false, None, true), KeptDifference::HasHeirs),
        ] {
            assert_eq!(there.difference(), Some(expected));
        }
    }
}
