//! What can be wrong with rows that are to be masked, and with a mask that a rule names.

use crate::near::did_you_mean;

/// Why a row cannot be masked. It holds no byte of a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// A row with another number of fields than its data block has columns.
    #[error("a row of {table} has {found} fields, not {columns}")]
    Fields {
        /// Its name for people, such as `public.users`.
        table: String,
        /// How many fields the row has.
        found: usize,
        /// How many columns the data block has.
        columns: usize,
    },
    /// A piece that does not end where a row does.
    #[error("a piece of the rows of {table} does not end with a row's end")]
    Cut {
        /// Its name for people.
        table: String,
    },
    /// The column is under a unique index, and what a row's distinct pseudonym is made from is longer than fits.
    #[error("a distinct pseudonym of {table}.{column} is too long for it")]
    TooLong {
        /// Its name for people.
        table: String,
        /// The masked column.
        column: String,
    },
    /// No pseudonym was found that a CHECK takes.
    #[error("no pseudonym of {table}.{column} meets the CHECK {check}")]
    NothingPasses {
        /// Its name for people.
        table: String,
        /// The masked column.
        column: String,
        /// The constraint's name.
        check: String,
    },
}

/// Why there is no mask as a rule names it; as text the end of a sentence, with the name that was meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// A name that is spoken for, and why the mask is not built.
    #[error("the mask :{name} is not one of this version: {why}")]
    NotBuilt {
        /// As the rule has it.
        name: String,
        /// The end of a sentence.
        why: &'static str,
    },
    /// There is no such mask.
    #[error("there is no mask :{name}.{} There are {}.", did_you_mean(name, known.iter().copied(), ":"), known.join(", "))]
    Mask {
        /// As the rule has it.
        name: String,
        /// All that there are.
        known: Vec<&'static str>,
    },
    /// The mask takes no such options.
    #[error(
        "the mask :{mask} does not take the option {} {}",
        wrong_options(options, known),
        taken(known)
    )]
    Options {
        /// The mask's name.
        mask: &'static str,
        /// As the rule has them.
        options: Vec<String>,
        /// Those that it takes.
        known: Vec<&'static str>,
    },
}

fn wrong_options(options: &[String], known: &[&'static str]) -> String {
    let wrong: Vec<String> = options
        .iter()
        .map(|option| format!("\"{option}\".{}", did_you_mean(option, known.iter().copied(), "")))
        .collect();
    wrong.join(" Nor ")
}

fn taken(known: &[&'static str]) -> String {
    if known.is_empty() {
        return "It takes no option.".to_owned();
    }
    format!("It takes {}.", known.join(", "))
}
