//! Names in the configuration that mean nothing in the backup, and what they may have meant.

use phrases::phrases;

phrases! {
    /// What a name may have meant, as the configuration has it, or what to do about it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Advice {
        /// One name is like it.
        Meant "meant" { name: String },
        /// Several are, of which the last stands by itself.
        MeantOneOf "meant_one_of" { names: Vec<String>, last: String },
        /// Correct the name.
        Correct "correct_name",
        /// Correct its name, of a column.
        CorrectIts "correct_its_name",
        /// Correct the name, or remove it.
        CorrectOrRemove "correct_or_remove_name",
    }
}

phrases! {
    /// Names, as many as a sentence holds.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum Names {
        /// All of them.
        All "all_names" { names: Vec<String> },
        /// The first, and so many more.
        First "first_names" { names: Vec<String>, more: usize },
    }
}

phrases! {
    /// Why a name or a pattern is none of a table. A `text` is as the configuration has it, a `sort` is such as "view".
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum NoTable {
        /// It is a view's.
        View "named_a_view" { text: String, sort: String, name: String },
        /// The backup has nothing like it.
        NoneMatches "none_matches" { text: String, advice: Advice },
    }
}

phrases! {
    /// What is wrong with a name in the configuration. A `place` is the rule or the option that has it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub enum NameFault {
        /// It names no table.
        NoTable "names_nothing" { place: String, fault: NoTable },
        /// It cannot be a table's name.
        NotAName "not_a_name" { place: String, text: String },
        /// It can be neither a table's name nor a pattern.
        NotAPattern "not_a_pattern" { place: String, text: String },
    }
}
