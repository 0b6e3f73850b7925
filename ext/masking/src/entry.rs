//! What a mask says of itself, how a rule names it, and what it becomes on a column.

use super::action::Writes;
use super::keep::Keep;
use super::learned::Learned;
use super::pseudonym::Pseudonym;
use super::table::{ColumnFacts, Pseudonyms, TableFacts};
use super::types::Type;
use crate::becomes::Becomes;
use crate::error::Unfit;
use crate::misfit::{InvalidMask, StrayOption};
use near::nearest;
use serde_json::{Map, Value};
use std::sync::Arc;

/// A mask of the catalogue.
pub(crate) struct CatalogueEntry {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a sentence without its full stop.
    pub doc: &'static str,
    /// Its options, and what each means.
    pub options: &'static [(&'static str, &'static str)],
    /// A value, and what it is made of.
    pub(super) example: Example,
    /// The same value becomes the same pseudonym in every column that it fits, so that a foreign key survives.
    pub(super) joins: bool,
    /// What it writes has a form of its own, which nothing of the value goes into.
    pub(super) own_form: fn(&Options) -> bool,
    /// Its pseudonyms are so many, or so unlike what production holds, that none meets a raw value by chance.
    pub(super) is_wide: bool,
    /// Whether it writes NULL.
    pub(super) nulls: Nulls,
    /// It draws among the values that the first rows show.
    pub(super) learns: bool,
    /// Fits it to a column, or says why it does not fit.
    pub(super) fit: fn(&Fitting<'_>) -> Result<Fitted, Box<Unfit>>,
}

impl CatalogueEntry {
    /// A mask about which nothing special is to be said.
    pub(super) const fn new(
        name: &'static str,
        doc: &'static str,
        fit: fn(&Fitting<'_>) -> Result<Fitted, Box<Unfit>>,
    ) -> Self {
        Self {
            name,
            doc,
            options: &[],
            example: Example::of_text(""),
            joins: false,
            own_form: |_| false,
            is_wide: false,
            nulls: Nulls::Never,
            learns: false,
            fit,
        }
    }
}

impl PartialEq for CatalogueEntry {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl std::fmt::Debug for CatalogueEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Whether a mask writes NULL where the value is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nulls {
    Never,
    /// Where the column takes it.
    WhereTaken,
    Always,
}

/// A value that a mask is shown on, in the catalogue's documents.
pub(super) struct Example {
    pub(super) value: &'static str,
    /// Makes the type of its column.
    pub(super) kind: fn() -> Type,
    /// The mask's options, as JSON.
    pub(super) options: &'static str,
}

impl Example {
    /// A value of a text column, without options.
    pub(super) const fn of_text(value: &'static str) -> Self {
        Self::of(value, || Type::TEXT)
    }

    /// A value of another type.
    pub(super) const fn of(value: &'static str, kind: fn() -> Type) -> Self {
        Self {
            value,
            kind,
            options: "{}",
        }
    }

    /// The same with options.
    pub(super) const fn with(mut self, options: &'static str) -> Self {
        self.options = options;
        self
    }
}

/// The options that a rule gives a mask.
pub(super) type Options = Map<String, Value>;

/// What a column's values become: a mask of the catalogue with its options, and the values that it leaves alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Mask {
    pub(super) entry: &'static CatalogueEntry,
    pub(super) options: Arc<Options>,
    pub(super) keep: Option<Arc<Keep>>,
    /// What the first rows have shown, where it draws among a column's own values.
    pub(super) learned: Option<Learned>,
}

impl Mask {
    /// A mask with options that it is known to take.
    pub(super) fn new(entry: &'static CatalogueEntry, options: Options) -> Self {
        Self {
            entry,
            options: Arc::new(options),
            keep: None,
            learned: None,
        }
    }

    /// The mask for values that no pattern of `keep` matches.
    pub fn keeping(self, keep: Arc<Keep>) -> Self {
        Self {
            keep: Some(keep),
            ..self
        }
    }

    /// Whether it draws among the values that the first rows of its table show.
    pub fn learns(&self) -> bool {
        self.entry.learns
    }

    /// The mask with what the first rows have shown.
    pub fn learned(self, learned: Learned) -> Self {
        Self {
            learned: Some(learned),
            ..self
        }
    }

    /// Whether it is the mask of this name.
    pub fn is(&self, name: &str) -> bool {
        self.entry.name == name
    }

    /// Whether the same value becomes the same pseudonym in every row and table, so that a
    /// foreign key over it survives when both sides have this mask.
    pub fn is_function_of_value(&self) -> bool {
        self.entry.joins
    }

    /// Whether everything it writes has a form of its own: a few values then show
    /// whether a CHECK takes it.
    pub(super) fn has_own_form(&self) -> bool {
        (self.entry.own_form)(&self.options)
    }

    /// Whether its pseudonyms are so many, or so unlike what production holds, that none meets a raw value by chance.
    pub fn is_wide(&self) -> bool {
        self.entry.is_wide
    }

    /// Whether it always writes NULL.
    pub fn is_null(&self) -> bool {
        self.entry.nulls == Nulls::Always
    }

    /// Whether it writes NULL where the column takes that.
    pub fn may_be_null(&self) -> bool {
        self.entry.nulls != Nulls::Never
    }
}

/// Which masks a rule can name.
pub(super) struct Catalogue {
    pub(super) entries: &'static [&'static CatalogueEntry],
    /// Names that are spoken for, of masks that are not built.
    pub(super) not_built: &'static [&'static str],
}

impl Catalogue {
    /// The mask `name` with these options.
    ///
    /// # Errors
    /// There is no such mask, or it does not take such an option.
    pub(super) fn mask(&self, name: &str, options: &Options) -> Result<Mask, InvalidMask> {
        let Some(entry) = self.entries.iter().find(|entry| entry.name == name) else {
            return Err(self.unknown(name));
        };
        check_options(entry, options)?;
        Ok(Mask::new(entry, options.clone()))
    }

    fn unknown(&self, name: &str) -> InvalidMask {
        let name = name.to_owned();
        if self.not_built.contains(&name.as_str()) {
            return InvalidMask::NotBuilt { name };
        }
        let known: Vec<&'static str> = self.entries.iter().map(|entry| entry.name).collect();
        match nearest(&name, known.iter().copied()) {
            Some(meant) => InvalidMask::UnknownMeant { name, meant, known },
            None => InvalidMask::Unknown { name, known },
        }
    }
}

/// Finds every option that the mask does not take.
fn check_options(entry: &CatalogueEntry, options: &Options) -> Result<(), InvalidMask> {
    let known: Vec<&'static str> = entry.options.iter().map(|(name, _)| *name).collect();
    let stray = |option: &String| {
        let meant = nearest(option, known.iter().copied());
        let option = option.clone();
        match meant {
            Some(meant) => StrayOption::Meant { option, meant },
            None => StrayOption::Stray { option },
        }
    };
    let wrong = options.keys().filter(|option| !known.contains(&option.as_str()));
    let options: Vec<StrayOption> = wrong.map(stray).collect();
    let mask = entry.name;
    match (options.is_empty(), known.is_empty()) {
        (true, _) => Ok(()),
        (_, true) => Err(InvalidMask::NoOption { mask, options }),
        (_, false) => Err(InvalidMask::OtherOptions { mask, options, known }),
    }
}

/// What the masks of one table are fitted to.
#[derive(Clone, Copy)]
pub(super) struct FitContext<'a> {
    pub(super) table: &'a TableFacts,
    /// All masks of the table, by their columns' places.
    pub(super) masks: &'a [(usize, Mask)],
    pub(super) pseudonyms: &'a Pseudonyms,
    /// For masks that are named within another one's options.
    pub(super) catalogue: &'a Catalogue,
}

/// What a mask has to know to fit itself to a column.
pub(super) struct Fitting<'a> {
    pub(super) ground: FitContext<'a>,
    pub(super) column: &'a ColumnFacts,
    /// The column's place.
    pub(super) position: usize,
    pub(super) mask: &'a Mask,
}

/// What a mask becomes on one column.
pub(super) struct Fitted {
    pub(super) writes: Writes,
    /// For the report.
    pub(super) becomes: Becomes,
    /// A condition in SQL that what it writes meets: what is NULL or empty need not, unless the mask writes that itself.
    /// [`ANY_VALUE`]: none.
    pub(super) form: String,
    /// A condition on the rows that get a password that is known; see
    /// [`MaskedColumn::known_password`](super::MaskedColumn::known_password).
    pub(super) known_password: Option<String>,
    /// An empty value of a text column is replaced as any other is.
    pub(super) replaces_empty: bool,
    /// Other columns of the row whose values after masking go into this one's.
    pub(super) reads: Vec<usize>,
}

/// The form of values that SQL cannot distinguish from others. The server need not look at them.
pub(super) const ANY_VALUE: &str = "TRUE";

impl Fitted {
    pub(super) fn new(writes: Writes, becomes: Becomes, form: impl Into<String>) -> Self {
        Self {
            writes,
            becomes,
            form: form.into(),
            known_password: None,
            replaces_empty: false,
            reads: Vec::new(),
        }
    }

    /// Something for each value.
    pub(super) fn pseudonym(
        pseudonym: impl Pseudonym + 'static,
        becomes: Becomes,
        form: impl Into<String>,
    ) -> Self {
        Self::new(Writes::Pseudonym(Box::new(pseudonym)), becomes, form)
    }

    /// The same, also for empty values.
    pub(super) fn also_of_empty(mut self) -> Self {
        self.replaces_empty = true;
        self
    }
}
