//! What can be wrong with rows that are to be masked, with a mask as a rule names it, and with a mask on its column.

use near::did_you_mean;
use std::borrow::Cow;
use std::fmt;

/// Why a row cannot be masked. It holds no byte of a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MaskError {
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
    /// No pseudonym of a value was found that a CHECK takes.
    #[error("no pseudonym of {table}.{column} meets the CHECK {check}")]
    CheckNotMet {
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
pub enum InvalidMask {
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
    Unknown {
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
    /// Where a mask is expected stands something else.
    #[error("a mask is a name, or a map with \"mask\" and its options.")]
    Form,
}

/// A mask does not fit its column. As text: what is wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// The table's name for people.
    pub table: String,
    /// The column.
    pub column: String,
    /// What of the two does not fit.
    pub misfit: Misfit,
    /// What is wrong: the end of a sentence that begins with the column.
    pub what: String,
    /// What to do, a sentence.
    pub remedy: Cow<'static, str>,
}

/// What of a mask and its column does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit {
    /// The mask does not write values of the column's type.
    Type,
    /// What it writes is longer than the column.
    Room,
    /// The column is NOT NULL.
    NotNull,
    /// The column is under a unique index.
    Unique,
    /// The CHECK of this name takes nothing that the mask writes.
    Check(String),
    /// This option of the mask is missing, or its value is not one that it takes.
    Option(String),
    /// The mask within this one is none.
    Inner(InvalidMask),
    /// Places in the column's documents, each with what is wrong with its mask.
    Places(Vec<(String, Unfit)>),
    /// Addresses at the domain of all pseudonyms are too long, and would not be if it had at most so many characters.
    EmailDomain(usize),
    /// No password for staging is known.
    StagingPassword,
    /// The table's data have no such column.
    Column,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Misfit::Places(places) = &self.misfit {
            let each: Vec<String> = places
                .iter()
                .map(|(place, unfit)| format!("{place}: {unfit}"))
                .collect();
            return f.write_str(&each.join(" "));
        }
        write!(f, "{}.{} {}", self.table, self.column, self.what)?;
        match &*self.remedy {
            "" => Ok(()),
            remedy => write!(f, " {remedy}"),
        }
    }
}

impl std::error::Error for Unfit {}

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
