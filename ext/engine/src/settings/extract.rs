//! What is taken out of a masked archive.

use serde::Deserialize;
use std::path::PathBuf;

/// What is taken out of a masked archive, from where, and where it goes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extract {
    /// The archive up to its first data block, and behind it the block that is wanted, where one is.
    pub from: Vec<Stretch>,
    /// What is open already and has this path, such as `/dev/fd/7`; None: it goes nowhere, and is only measured.
    #[serde(default)]
    pub to: Option<PathBuf>,
    /// What is taken.
    pub what: Extracted,
}

/// Some bytes of what is already open.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stretch {
    /// Its path.
    pub path: PathBuf,
    /// The first of them; of a pipe, that is 0.
    #[serde(default)]
    pub offset: u64,
    /// How many; None: all that follow.
    #[serde(default)]
    pub length: Option<u64>,
}

/// What is taken out of an archive.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extracted {
    /// The archive without rows and large objects.
    Schema,
    /// A table's rows, as COPY writes them.
    Copy,
    /// A table's rows as CSV, below a line of these names.
    Csv(Vec<String>),
}
